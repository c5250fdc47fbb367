"""Two sets of vectors beside each other: which words have moved, and how many neighbours they share."""

from dataclasses import dataclass
from typing import Any

import numpy as np

from ..errors import DataError
from .model import WordVectors


@dataclass
class Comparison:
    """How two sets of vectors differ on the words they share.

    Attributes:
        words: compared words, in the order of the first model.
        drift: 1 - cosine of each word's two vectors after the second set is rotated onto the first; 0 is no change.
        overlap: for each, the share of its nearest words that both sets agree on; 1 is all.
    """

    words: list[str]
    drift: np.ndarray
    overlap: np.ndarray

    def as_dict(self) -> dict[str, Any]:
        rows = zip(self.words, self.drift.tolist(), self.overlap.tolist(), strict=True)
        return {
            "mean_drift": float(self.drift.mean()),
            "mean_overlap": float(self.overlap.mean()),
            "words": [{"word": w, "drift": d, "overlap": o} for w, d, o in rows],
        }


def compare(
    first: WordVectors, second: WordVectors, *, top: int = 10_000, neighbours: int = 10, threads: int | None = None
) -> Comparison:
    """Compare the `top` most frequent words of the first model that the second has too.

    The rotation is the orthogonal Procrustes solution over those words (Schönemann 1966; Hamilton et al. 2016 for
    drift); where the dimensions differ there is none, and drift is NaN.

    Raises:
        DataError: fewer than two words in common.
    """
    words = [w for w in first.words if w in second][:top]
    if len(words) < 2:
        raise DataError("the two models have fewer than two words in common.", "Were they made with the same case?")
    a, b = _units(first, words), _units(second, words)
    drift = np.full(len(words), np.nan)
    if a.shape[1] == b.shape[1]:
        left, _, right = np.linalg.svd(b.T.astype(np.float64) @ a)
        drift = 1 - np.einsum("nd,nd->n", a, b @ (left @ right))
    size = min(neighbours, len(words) - 1)
    near = [_neighbours(units, size) for units in (a, b)]
    overlap = np.array([len(np.intersect1d(x, y)) / size for x, y in zip(*near, strict=True)])
    return Comparison(words, drift, overlap)


def _units(model: WordVectors, words: list[str]) -> np.ndarray:
    vectors = model.vectors[model.vocabulary.ids(words)]
    return np.asarray(vectors / np.maximum(np.linalg.norm(vectors, axis=1, keepdims=True), 1e-30), np.float32)


def _neighbours(units: np.ndarray, size: int) -> np.ndarray:
    """The `size` nearest other rows of each row, int64 (n, size)."""
    found = np.empty((len(units), size), np.int64)
    for a in range(0, len(units), 1024):
        scores = units[a : a + 1024] @ units.T
        scores[np.arange(len(scores)), np.arange(a, a + len(scores))] = -np.inf
        found[a : a + 1024] = np.argpartition(-scores, size - 1, axis=1)[:, :size]
    return found
