"""From a matrix to codes: codebooks by k-means, a part of the coordinates at a time (product quantisation)."""

import numpy as np

from ..kernels import codebooks as kernels
from ..parallel import ordered_map, split_evenly, thread_count
from .matrices import CENTROIDS, Codebook, Coded

_SAMPLE = 1 << 16  # rows that centroids are fitted to
_ROUNDS = 25
_ENOUGH = 1e-4  # relative gain of a round below which no further one follows
_ROWS = 1 << 15


def coded(
    matrix: np.ndarray,
    width: int = 2,
    *,
    norms: bool = True,
    weights: np.ndarray | None = None,
    seed: int = 0,
    threads: int | None = None,
) -> Coded:
    """A matrix float32 (m, D) as one byte for each `width` coordinates of a row.

    Memory: the codes, and of what lies between only some rows at a time.

    Args:
        norms: code the lengths of rows apart, a byte each, and their directions by themselves.
        weights: float32 (m,), how much each row's error matters; all alike if None.
        seed: of the rows that centroids are fitted to.
    """
    rng, rows = np.random.default_rng(seed), len(matrix)
    weights = np.ones(rows, np.float32) if weights is None else np.ascontiguousarray(weights, np.float32)
    chosen = np.sort(rng.permutation(rows)[:_SAMPLE]) if rows > _SAMPLE else np.arange(rows)
    lengths = _lengths(matrix) if norms else np.ones(rows, np.float32)
    divisors = np.where(lengths > 0, lengths, np.float32(1))[:, None]
    sample = np.ascontiguousarray(matrix[chosen] / divisors[chosen], np.float32)
    book = fitted(sample, weights[chosen], width, rng, threads)
    codes = np.empty(rows * book.parts, np.uint8)

    def encode(edge: tuple[int, int]) -> None:
        a, b = edge
        values = np.ascontiguousarray(matrix[a:b] / divisors[a:b], np.float32)
        _encode(values, book, codes[a * book.parts : b * book.parts])

    for _ in ordered_map(encode, split_evenly(rows, -(-rows // _ROWS)) if rows else [], thread_count(threads)):
        pass
    if not norms:
        return Coded(codes, book)
    lengths = lengths[:, None]
    own = fitted(lengths[chosen], weights[chosen], 1, rng, 1)
    numbers = np.empty(rows, np.uint8)
    _encode(np.ascontiguousarray(lengths), own, numbers)
    return Coded(codes, book, numbers, own.centroids)


def fitted(
    sample: np.ndarray, weights: np.ndarray, width: int, rng: np.random.Generator, threads: int | None
) -> Codebook:
    """Centroids for rows float32 (n, D) with their weights float32 (n,)."""
    dim = sample.shape[1]
    book = Codebook(np.zeros(CENTROIDS * dim, np.float32), min(width, dim))
    seeds = rng.integers(1 << 62, size=book.parts)

    def fit(part: int) -> None:
        first = part * book.width
        values = np.ascontiguousarray(sample[:, first : first + book.width])
        place = slice(CENTROIDS * first, CENTROIDS * first + CENTROIDS * values.shape[1])
        book.centroids[place] = _centroids(values, weights, np.random.default_rng(seeds[part]))

    for _ in ordered_map(fit, range(book.parts), thread_count(threads)):
        pass
    return book


def _centroids(values: np.ndarray, weights: np.ndarray, rng: np.random.Generator) -> np.ndarray:
    """256 centroids of points float32 (n, size) by Lloyd's algorithm.

    It begins with points drawn by how much they weigh and how far they are from the mean, and half as much by chance:
    large rows are few, and matter most (the sampling of Bachem, Lucic & Krause 2018).
    """
    rows, size = values.shape
    start = np.arange(rows)
    if rows > CENTROIDS:
        far = weights * ((values - values.mean(0)) ** 2).sum(1) + np.float32(1e-30)
        start = rng.choice(rows, CENTROIDS, replace=False, p=_shares(far) / 2 + 0.5 / rows)
    centroids = np.zeros(CENTROIDS * size, np.float32)
    centroids[: len(start) * size] = values[start].reshape(-1)
    points = values.reshape(-1)
    across, distances, codes = np.empty(len(centroids), np.float32), np.empty(272, np.float32), np.empty(rows, np.uint8)
    sums, masses = np.empty(len(centroids), np.float64), np.empty(CENTROIDS, np.float64)
    before = np.inf
    for _ in range(_ROUNDS if rows > CENTROIDS else 0):
        kernels.spread_centroids(centroids, 0, size, across)
        error = kernels.encode_part(points, size, 0, size, across, 0, rows, codes, 1, 0, distances)
        kernels.move_centroids(points, weights, size, codes, centroids, 0, sums, masses)
        if before - error <= _ENOUGH * error:
            break
        before = error
    return centroids


def _shares(weights: np.ndarray) -> np.ndarray:
    """Weights as shares of their sum, float64."""
    wide = weights.astype(np.float64)
    return np.asarray(wide / wide.sum())


def _encode(values: np.ndarray, book: Codebook, codes: np.ndarray) -> None:
    """The codes of rows float32 (n, D) by a codebook, into uint8 (n * parts,)."""
    rows, dim = values.shape
    across, distances = np.empty(CENTROIDS * book.width, np.float32), np.empty(272, np.float32)
    for part in range(book.parts):
        first = part * book.width
        size = min(book.width, dim - first)
        kernels.spread_centroids(book.centroids, CENTROIDS * first, size, across)
        kernels.encode_part(
            values.reshape(-1), dim, first, size, across, 0, rows, codes, book.parts, part, distances
        )  # fmt: skip


def _lengths(matrix: np.ndarray) -> np.ndarray:
    lengths = np.empty(len(matrix), np.float32)
    for first in range(0, len(matrix), _ROWS):
        lengths[first : first + _ROWS] = np.linalg.norm(matrix[first : first + _ROWS], axis=1)
    return lengths
