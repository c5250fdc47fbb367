"""Random sentences."""

from collections.abc import Iterator
from typing import Any

import numpy as np

from ..text.tokenizer import SPACE_MARK, Tokenizer
from .model import NGramModel


def sentences(model: NGramModel, count: int, *, prefix: str = "", seed: int = 0, **settings: Any) -> Iterator[str]:
    """Draw sentences; `settings` as for `NGramModel.sample`. The same seed gives the same sentences."""
    rng = np.random.default_rng(seed)
    begun = model.tokenizer.tokenize(prefix)
    for _ in range(count):
        yield joined([*begun, *model.sample(prefix, rng=rng, **settings)], model.tokenizer)


def joined(tokens: list[str], tokenizer: Tokenizer) -> str:
    """Tokens as readable text: the char tokenizer's marks become spaces, the others' tokens are set apart by one."""
    if tokenizer.name == "char":
        return "".join(tokens).replace(SPACE_MARK, " ")
    return " ".join(tokens)
