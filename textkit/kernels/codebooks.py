"""Product quantisation: rows of bytes, each the number of a centroid of 256 for some coordinates in turn.

A codebook has the centroids of one part after the other, float32 (256 * D,): part k is of coordinates k * width to
(k + 1) * width, the last one of what is left (Jegou, Douze & Schmid 2011; the layout is fastText's).
"""

import numpy as np

from .jit import kernel, leaf, prefetch

_AHEAD = 8


@leaf
def add_coded(codes, row, parts, width, dim, centroids, scale, out):
    """out[d] += scale * the row that the codes of `row` stand for; codes uint8 (m * parts,)."""
    base = row * parts
    for part in range(parts):
        first = part * width
        size = min(width, dim - first)
        place = first * 256 + np.int64(codes[base + part]) * size
        for d in range(size):
            out[first + d] += scale * centroids[place + d]


@kernel
def mean_coded(codes, parts, width, centroids, norms, norm_values, starts, rows, first, last, out):
    """As `fasttext.mean_rows`, of coded rows: codes uint8 (m * parts,), out float32 (L, D).

    norms uint8 (m,): which of norm_values float32 (256,) a row is multiplied by; empty for none.
    """
    dim = out.shape[1]
    for document in range(first, last):
        begin, end = starts[document], starts[document + 1]
        out[document, :] = 0
        for i in range(begin, end):
            if i + _AHEAD < end:
                prefetch(codes, np.int64(rows[i + _AHEAD]) * parts)
            row = np.int64(rows[i])
            scale = norm_values[norms[row]] if len(norms) else np.float32(1.0)
            add_coded(codes, row, parts, width, dim, centroids, scale, out[document])
        share = np.float32(1.0 / max(end - begin, 1))
        for d in range(dim):
            out[document, d] *= share


@leaf
def nearest_centroid(values, place, size, centroids, base):
    """(number, squared distance) of the centroid nearest to values[place:place + size]; the first of equals."""
    best, least = 0, np.float32(np.inf)
    for code in range(256):
        distance = np.float32(0.0)
        for d in range(size):
            difference = values[place + d] - centroids[base + code * size + d]
            distance += difference * difference
        if distance < least:
            best, least = code, distance
    return best, least


@kernel
def encode_part(values, dim, first, size, centroids, base, begin, end, codes, parts, part):
    """The codes of one part of rows begin to end: values float32 (n * dim,), codes uint8 (n * parts,).

    The part is of coordinates first to first + size, its centroids lie at centroids[base:]. Returns the sum of the
    squared distances.
    """
    total = 0.0
    for row in range(begin, end):
        code, distance = nearest_centroid(values, row * dim + first, size, centroids, base)
        codes[row * parts + part] = code
        total += distance
    return total


@kernel
def move_centroids(values, dim, first, size, centroids, base, codes, parts, part, rng):
    """Each centroid becomes the mean of its rows; one without rows splits the largest class (Lloyd's algorithm).

    The rows are all of values float32 (n * dim,) with their codes; rng uint64 (1,) decides who moves where.
    """
    counts = np.zeros(256, np.int64)
    sums = np.zeros(256 * size, np.float64)
    for row in range(len(values) // dim):
        code = np.int64(codes[row * parts + part])
        counts[code] += 1
        for d in range(size):
            sums[code * size + d] += values[row * dim + first + d]
    for code in range(256):
        for d in range(size if counts[code] else 0):
            centroids[base + code * size + d] = sums[code * size + d] / counts[code]
    for code in range(256):
        if counts[code] == 0:
            large = np.argmax(counts)
            shift = _EPSILON
            for d in range(size):
                value = centroids[base + large * size + d]
                centroids[base + code * size + d] = value * (1 + shift)
                centroids[base + large * size + d] = value * (1 - shift)
                shift = -shift
            counts[code] = counts[large] // 2
            counts[large] -= counts[code]


_EPSILON = np.float32(1e-4)
