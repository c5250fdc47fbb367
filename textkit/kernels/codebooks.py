"""Product quantisation: rows of bytes, each the number of a centroid of 256 for some coordinates in turn.

A codebook has the centroids of one part after the other, float32 (256 * D,): part k is of coordinates k * width to
(k + 1) * width, the last one of what is left (Jegou, Douze & Schmid 2011; the layout is fastText's).
"""

import numpy as np

from . import simd
from .jit import kernel, leaf, prefetch

_AHEAD = 8
_APART = np.float32(1e-4)


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
def nearest_centroid(values, place, size, across, distances):
    """(number, squared distance) of the centroid nearest to values[place:place + size]; the first of equals.

    across float32 (size * 256,): one coordinate of all centroids after the other; distances float32 (272,) scratch.
    """
    least = simd.splat(np.float32(np.inf))
    for code in range(0, 256, simd.LANES):
        total = simd.splat(np.float32(0.0))
        for d in range(size):
            away = simd.add(simd.load(across, d * 256 + code), simd.splat(-values[place + d]))
            total = simd.fma(away, away, total)
        simd.store(distances, code, total)
        least = simd.least(least, total)
    simd.store(distances, 256, least)
    smallest = distances[256]
    for lane in range(257, 256 + simd.LANES):
        smallest = min(smallest, distances[lane])
    code = 0
    while code < 255 and distances[code] != smallest:
        code += 1
    return code, smallest


@kernel
def spread_centroids(centroids, base, size, across):
    """One part's centroids, float32 [base:base + 256 * size] row by row, as `nearest_centroid` wants them."""
    for code in range(256):
        for d in range(size):
            across[d * 256 + code] = centroids[base + code * size + d]


@kernel
def encode_part(values, dim, first, size, across, begin, end, codes, parts, part, distances):
    """codes[row * parts + part] of rows begin to end: which centroid is nearest in coordinates first to first + size.

    values float32 (n * dim,), codes uint8 (n * parts,); across, distances: see `nearest_centroid`. Returns the sum of
    the squared distances.
    """
    total = 0.0
    for row in range(begin, end):
        code, distance = nearest_centroid(values, row * dim + first, size, across, distances)
        codes[row * parts + part] = code
        total += distance
    return total


@kernel
def move_centroids(values, weights, size, codes, centroids, base, sums, masses):
    """Each centroid becomes the weighted mean of its rows; one without any is put beside the heaviest (Lloyd 1982).

    values float32 (n * size,), weights float32 (n,), codes uint8 (n,); sums float64 (256 * size,) and masses float64
    (256,) are scratch.
    """
    sums[:] = 0.0
    masses[:] = 0.0
    for row in range(len(codes)):
        code, weight = np.int64(codes[row]), np.float64(weights[row])
        masses[code] += weight
        for d in range(size):
            sums[code * size + d] += weight * values[row * size + d]
    for code in range(256):
        if masses[code] > 0:
            for d in range(size):
                centroids[base + code * size + d] = sums[code * size + d] / masses[code]
    for code in range(256):
        if masses[code] == 0:
            heavy = np.argmax(masses)
            for d in range(size):
                value, apart = centroids[base + heavy * size + d], _APART if d % 2 == 0 else -_APART
                centroids[base + code * size + d] = value * (1 + apart)
                centroids[base + heavy * size + d] = value * (1 - apart)
            masses[code] = masses[heavy] / 2
            masses[heavy] -= masses[code]
