"""Word vectors as fastText's .bin files, with the n-grams that unseen words are made of."""

import itertools
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np

from .. import files
from ..formats import fasttext
from ..formats.vectors import refuse_blanks
from .config import Config
from .foreign import LARGEST
from .model import WordVectors

_ROWS = 1 << 14


def write_fasttext(path: str | Path, model: WordVectors, numbers: np.ndarray) -> None:
    """Write these words of a model, by their rows, as a .bin that fastText opens.

    Buckets of n-grams that never occurred get rows of zeros: vectors of words with such n-grams, which are unseen
    words, become shorter than here, and point the same way.
    """
    config, dim = model.config or Config(), model.dim
    own: Any = model.vectors
    room = shortest = longest = 0
    if model.rows is not None and model.buckets is not None and config.subwords:
        own, room, (shortest, longest) = model.rows, config.buckets, config.subwords
    settings = fasttext.Settings(
        dim, config.window, config.epochs or 5, min(config.min_count, LARGEST), config.negatives,
        loss="softmax" if config.loss == "softmax" else "ns", model=config.model, buckets=room, shortest=shortest,
        longest=longest, sample=config.sample,
    )  # fmt: skip
    chunks = itertools.chain(_blocks(own, numbers), _bucket_blocks(model, room))
    output, words = None, model.vocabulary.words(numbers.tolist())
    refuse_blanks(words, fasttext.BLANKS)
    if model.output is not None and config.loss != "hs":
        output = files.Stream(np.float32, (len(numbers), dim), _blocks(model.output, numbers))
    fasttext.write_vectors(
        path,
        words,
        files.Stream(np.float32, (len(numbers) + room, dim), chunks),
        settings,
        model.vocabulary.counts[numbers],
        output,
    )


def _blocks(matrix: Any, numbers: np.ndarray) -> Iterator[np.ndarray]:
    return (matrix[numbers[a : a + _ROWS]] for a in range(0, len(numbers), _ROWS))


def _bucket_blocks(model: WordVectors, room: int) -> Iterator[np.ndarray]:
    """Rows of all buckets: zeros for those that never occurred."""
    for first in range(0, room, _ROWS):
        assert model.buckets is not None and model.rows is not None
        block = np.zeros((min(_ROWS, room - first), model.dim), np.float32)
        a, b = np.searchsorted(model.buckets, (first, first + len(block)))
        behind = len(model.vocabulary)
        block[model.buckets[a:b] - first] = model.rows[behind + a : behind + b]
        yield block
