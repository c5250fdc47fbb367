"""Word classes: spherical k-means over unit vectors (as word2vec.c's -classes, which starts from rows in turn)."""

import numpy as np

from ..errors import UsageError
from .model import WordVectors

_ROUNDS = 50
_ROWS = 1 << 14


def classes(model: WordVectors, count: int, *, seed: int = 0, top: int | None = None) -> tuple[np.ndarray, np.ndarray]:
    """Classes of words by the direction of their vectors.

    Args:
        top: only the so many most frequent words.

    Returns:
        Rows of the words, int64 (n,), and for each its class, int64 (n,) from 0 to count - 1: the largest class first.

    Raises:
        UsageError: fewer words than classes.
    """
    numbers = model.numbers[:top]
    if not 1 <= count <= len(numbers):
        raise UsageError(f"{len(numbers):,} words cannot be put into {count:,} classes.", "Give fewer --classes.")
    units = np.asarray(model.vectors[numbers] / model.lengths[numbers, None])
    rng = np.random.default_rng(seed)
    centres = _first_centres(units, count, rng)
    assigned = np.full(len(units), -1, np.int64)
    for _ in range(_ROUNDS):
        cosines, nearest = _nearest(units, centres)
        if (nearest == assigned).all():
            break
        assigned = nearest
        centres = _means(units, assigned, count)
        # A class without words takes the word that fits its own class least.
        worst = iter(np.argsort(cosines, kind="stable").tolist())
        for empty in np.flatnonzero(~centres.any(1)).tolist():
            centres[empty] = units[next(worst)]
    order = np.argsort(-np.bincount(assigned, minlength=count), kind="stable")
    renamed = np.empty(count, np.int64)
    renamed[order] = np.arange(count)
    return numbers, renamed[assigned]


def _first_centres(units: np.ndarray, count: int, rng: np.random.Generator) -> np.ndarray:
    """k-means++ (Arthur & Vassilvitskii 2007): each next centre far from those there, by chance."""
    chosen = [int(rng.integers(len(units)))]
    distance = np.full(len(units), np.inf)
    while len(chosen) < count:
        distance = np.minimum(distance, np.maximum(1 - units @ units[chosen[-1]], 0))
        distance[chosen] = 0
        whole = distance.sum()
        chosen.append(int(rng.choice(len(units), p=distance / whole)) if whole > 0 else int(rng.integers(len(units))))
    return units[chosen].copy()


def _nearest(units: np.ndarray, centres: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    cosines, nearest = np.empty(len(units), np.float32), np.empty(len(units), np.int64)
    for a in range(0, len(units), _ROWS):
        scores = units[a : a + _ROWS] @ centres.T
        nearest[a : a + _ROWS] = scores.argmax(1)
        cosines[a : a + _ROWS] = scores.max(1)
    return cosines, nearest


def _means(units: np.ndarray, assigned: np.ndarray, count: int) -> np.ndarray:
    """Unit vectors of the sums of each class; zeros for a class without words."""
    order = np.argsort(assigned, kind="stable")
    present, first = np.unique(assigned[order], return_index=True)
    centres = np.zeros((count, units.shape[1]), np.float32)
    centres[present] = np.add.reduceat(units[order], first)
    lengths = np.linalg.norm(centres, axis=1, keepdims=True)
    return centres / np.where(lengths > 0, lengths, 1)
