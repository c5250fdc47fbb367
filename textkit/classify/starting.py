"""What training begins with: a model to train on, or pretrained vectors."""

from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np

from ..errors import UsageError
from ..formats import vectors as formats
from ..text.vocabulary import SPECIALS
from .config import ClassifierConfig
from .embedding import EmbeddingHead
from .features import Features
from .growing import Grown, grown, with_words
from .parts import Parts
from .training import Matrices

# Settings that say what a model is; the others only how it is trained, and may differ when it is trained on.
_OF_THE_MODEL = ("word_ngrams", "chars", "buckets", "end_mark", "dim", "bias")


@dataclass
class Start:
    """Features to train, and what their matrices begin with.

    Attributes:
        begin: writes it into fresh matrices.
        remarks: what could not be taken over, for the user.
    """

    features: Features
    begin: Callable[[Matrices], None]
    remarks: list[str]


def settings_for(base: Parts, given: dict[str, Any]) -> ClassifierConfig:
    """The settings for training a model on: its own, with those that are given.

    Raises:
        UsageError: one that would make it another model.
    """
    own = base.config.settings()
    for name in _OF_THE_MODEL:
        if name in given and given[name] != own[name]:
            raise UsageError(
                f"--{name.replace('_', '-')} {given[name]} is not what the model has, {own[name]}.",
                "Leave it out, or train a new model.",
            )
    model = "embedding" if isinstance(base.head, EmbeddingHead) else given.get("model", base.config.model)
    return base.config.with_(**{**given, "model": model, "loss": given.get("loss", base.head.loss)})


def from_model(base: Parts, new: Features, labels: list[str]) -> Start:
    """A model's features and vectors, and behind them those of new documents; `labels` begin with the model's.

    Raises:
        UsageError: the model has no embeddings, or is quantised or fastText's.
    """
    head = base.head
    if not isinstance(head, EmbeddingHead) or not isinstance(base.features, Features):
        raise UsageError(
            f"a model with a {head.kind} head cannot be trained on.", "Give one that --model embedding trained."
        )
    if labels[: len(base.labels)] != base.labels:
        raise UsageError("the labels of the text do not begin with the model's.", "Read it with labels=model.labels.")
    known = grown(base.features, new)
    keeps = head.loss != "hs"
    remarks = [] if keeps else ["the labels' tree changes with their counts: its nodes were begun anew."]

    def begin(matrices: Matrices) -> None:
        matrices.begin_with(known.rows, np.asarray(head.input), False)
        if keeps:
            matrices.output[: len(head.output), : head.output.shape[1]] = head.output

    return Start(known.features, begin, remarks)


def from_vectors(features: Features, path: Path, config: ClassifierConfig) -> Start:
    """Features with the words of a file of vectors, in any format, as their first vectors.

    Raises:
        UsageError: vectors of another dimension. DataError: a file that cannot be read.
    """
    words, vectors = read_vectors(path)
    if vectors.shape[1] != config.dim:
        raise UsageError(
            f"the vectors of {path} have {vectors.shape[1]} numbers, the model {config.dim}.",
            f"Give --dim {vectors.shape[1]}.",
        )
    first: dict[str, int] = {}
    for i, word in enumerate(words):
        if word and word not in SPECIALS:
            first.setdefault(word, i)
    known: Grown = with_words(features, list(first))
    rows = known.features.vocabulary.ids(list(first))

    def begin(matrices: Matrices) -> None:
        matrices.begin_with(rows.astype(np.int64), vectors[list(first.values())], config.freeze)

    return Start(known.features, begin, [])


def read_vectors(path: Path) -> tuple[list[str], np.ndarray]:
    """Words and vectors, float32 (n, D), of a file in any format."""
    return formats.read(path)
