"""Codes of rows: the nearest centroid as NumPy finds it, centroids as means, and means of what codes stand for."""

import numpy as np
from hypothesis import given
from hypothesis import strategies as st

from textkit.formats.coding import coded
from textkit.formats.matrices import Codebook, Coded
from textkit.kernels import codebooks as kernels
from textkit.kernels import heaps

shapes = st.tuples(st.integers(1, 40), st.integers(1, 7), st.integers(1, 4), st.integers(0, 1 << 20))


@given(shape=shapes)
def test_codes_are_those_of_the_nearest_centroids(shape):
    rows, dim, width, seed = shape
    rng, width = np.random.default_rng(seed), min(width, dim)
    book = Codebook(rng.standard_normal(256 * dim).astype(np.float32), width)
    values = rng.standard_normal((rows, dim)).astype(np.float32)
    codes = np.empty(rows * book.parts, np.uint8)
    across, distances = np.empty(256 * width, np.float32), np.empty(272, np.float32)
    for part in range(book.parts):
        first = part * width
        size = min(width, dim - first)
        table = book.centroids[256 * first :][: 256 * size].reshape(256, size)
        kernels.spread_centroids(book.centroids, 256 * first, size, across)
        np.testing.assert_array_equal(across[: 256 * size].reshape(size, 256), table.T)
        error = kernels.encode_part(
            values.reshape(-1), dim, first, size, across, 0, rows, codes, book.parts, part, distances
        )
        away = ((values[:, None, first : first + size].astype(np.float64) - table[None]) ** 2).sum(2)
        found = codes.reshape(rows, -1)[:, part]
        np.testing.assert_allclose(away[np.arange(rows), found], away.min(1), rtol=1e-5, atol=1e-7)
        np.testing.assert_allclose(error, away.min(1).sum(), rtol=1e-4, atol=1e-6)


@given(shape=shapes)
def test_centroids_move_to_weighted_means_and_none_is_left_alone(shape):
    rows, size, _, seed = shape
    rng = np.random.default_rng(seed)
    values, weights = rng.standard_normal((rows, size)).astype(np.float32), rng.random(rows).astype(np.float32) + 0.1
    codes = rng.integers(0, 3, rows).astype(np.uint8)
    centroids = np.full(256 * size, 9, np.float32)
    sums, masses = np.empty(256 * size), np.empty(256)
    kernels.move_centroids(values.reshape(-1), weights, size, codes, centroids, 0, sums, masses)
    for code in set(codes.tolist()):
        mean = np.average(values[codes == code], axis=0, weights=weights[codes == code])
        np.testing.assert_allclose(centroids[code * size :][:size], mean, rtol=0.01, atol=1e-5)
    assert np.abs(centroids).max() < 9


@given(shape=shapes, norms=st.booleans())
def test_means_of_codes_are_means_of_what_they_stand_for(shape, norms):
    rows, dim, width, seed = shape
    rng, width = np.random.default_rng(seed), min(width, dim)
    book = Codebook(rng.standard_normal(256 * dim).astype(np.float32), width)
    codes = rng.integers(0, 256, rows * book.parts).astype(np.uint8)
    lengths = rng.integers(0, 256, rows if norms else 0).astype(np.uint8)
    matrix = Coded(codes, book, lengths, rng.random(256).astype(np.float32))
    whole = np.empty((rows, dim))
    for row in range(rows):
        for part in range(book.parts):
            first = part * width
            size, code = min(width, dim - first), int(codes[row * book.parts + part])
            whole[row, first : first + size] = book.centroids[256 * first + code * size :][:size]
        whole[row] *= matrix.norm_values[lengths[row]] if norms else 1
    np.testing.assert_allclose(matrix.take(np.arange(rows)), whole, rtol=1e-5)
    out = np.empty((1, dim), np.float32)
    matrix.means(np.array([0, rows]), np.arange(rows, dtype=np.int32), 0, 1, out)
    np.testing.assert_allclose(out[0], whole.mean(0), rtol=1e-4, atol=1e-5)


def test_few_different_rows_come_back_as_they_were():
    rng = np.random.default_rng(3)
    matrix = rng.standard_normal((200, 6)).astype(np.float32)
    kept = coded(matrix, 2, norms=False)
    np.testing.assert_array_equal(kept.take(np.arange(200)), matrix)
    np.testing.assert_allclose(coded(matrix, 3, norms=True).take(np.arange(200)), matrix, rtol=1e-5, atol=1e-6)
    assert len(coded(matrix[:0], 2).codes) == 0


def test_many_rows_lose_little_less_with_their_lengths_apart():
    rng = np.random.default_rng(4)
    matrix = (rng.standard_normal((3000, 8)) * rng.gamma(1, size=(3000, 1)) ** 2).astype(np.float32)
    losses = [
        float(((kept.take(np.arange(3000)) - matrix) ** 2).sum() / (matrix**2).sum())
        for kept in (coded(matrix, 8, norms=False), coded(matrix, 2, norms=False), coded(matrix, 2, norms=True))
    ]
    assert losses[2] < losses[1] < losses[0]
    assert losses[2] < 0.03
    again = coded(matrix, 2, norms=True)
    np.testing.assert_array_equal(again.codes, coded(matrix, 2, norms=True).codes)


@given(
    scores=st.lists(st.sampled_from([0.1, 0.2, 0.3, 0.5, 0.9]), min_size=1, max_size=12), k=st.integers(1, 12),
    threshold=st.sampled_from([0.0, 0.25, 0.95]),
)  # fmt: skip
def test_best_labels_are_the_largest(scores, k, threshold):
    p = np.array([scores, scores[::-1]], np.float32)
    k = min(k, len(scores))
    found, labels = np.zeros((2, k + 1), np.float32), np.zeros((2, k + 1), np.int32)
    counts = np.zeros(2, np.int64)
    heaps.best_labels(np.log(p), p, np.float32(threshold), 0, 2, found, labels, counts)
    for row in range(2):
        expected = sorted((x for x in p[row] if x >= np.float32(threshold)), reverse=True)[:k]
        n = counts[row]
        np.testing.assert_allclose(np.exp(found[row, :n]), expected, rtol=1e-5)
        assert len(set(labels[row, :n].tolist())) == n
        np.testing.assert_array_equal(np.log(p[row, labels[row, :n]]), found[row, :n])
