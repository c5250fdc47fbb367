"""Lists of numbers that are the same, or nearly: digests, min-hash signatures, and shared runs.

Documents are told near by their runs of n consecutive words (shingles; Broder 1997): the similarity of two is the
share of their distinct runs that both have. A document of fewer words is one run.
"""

import numpy as np

from .jit import kernel, leaf
from .words import mix

EMPTY = np.uint64(0xFFFFFFFFFFFFFFFF)

_SEED_A = np.uint64(0x9E3779B97F4A7C15)
_SEED_B = np.uint64(0xC2B2AE3D27D4EB4F)
_ONE = np.uint64(1)
_HALF = np.uint64(32)


@kernel
def digest_lists(ids, offsets, out):
    """128 bits of each list: out uint64 (L, 2). ids int32, offsets int64 (L + 1,)."""
    for i in range(offsets.shape[0] - 1):
        a, b = _SEED_A, _SEED_B
        for k in range(offsets[i], offsets[i + 1]):
            word = np.uint64(ids[k]) + _ONE
            a = mix(a ^ word)
            b = mix(b + word)
        out[i, 0], out[i, 1] = a, b


@leaf
def run_hash(ids, start, n):
    """A hash of the n ids from `start` on."""
    value = _SEED_A
    for k in range(n):
        value = mix(value ^ (np.uint64(ids[start + k]) + _ONE))
    return value


@kernel
def signatures(ids, offsets, documents, n, out):
    """One-permutation min-hash (Li, Owen & Zhang 2012) of documents int64 (P,): out uint64 (P, B).

    Each run falls into one of B bins, of which each keeps its least hash; an empty bin takes that of another, chosen by
    hashes of its number, which are the same for all documents (Shrivastava 2017). A document without words stays EMPTY.
    """
    bins = out.shape[1]
    for i in range(documents.shape[0]):
        start, end = offsets[documents[i]], offsets[documents[i] + 1]
        for b in range(bins):
            out[i, b] = EMPTY
        if start == end:
            continue
        for k in range(start, max(end - n, start) + 1):
            value = run_hash(ids, k, min(n, end - start))
            b = np.int64(((value >> _HALF) * np.uint64(bins)) >> _HALF)
            value = mix(value)
            if value < out[i, b]:
                out[i, b] = value
        fill_bins(out, i)


@kernel
def fill_bins(out, i):
    """Give the empty bins of a row the values of full ones."""
    bins = out.shape[1]
    full = np.empty(bins, np.bool_)
    for b in range(bins):
        full[b] = out[i, b] != EMPTY
    for b in range(bins):
        chosen, state = b, mix(np.uint64(b) + _SEED_B)
        while not full[chosen]:
            state = mix(state + _SEED_A)
            chosen = np.int64(((state >> _HALF) * np.uint64(bins)) >> _HALF)
        out[i, b] = out[i, chosen]


@kernel
def band_keys(signature, first, rows, out):
    """A hash of the bins `first` to first + rows of each document: out uint64 (P,)."""
    for i in range(signature.shape[0]):
        value = np.uint64(first)
        for b in range(first, first + rows):
            value = mix(value ^ signature[i, b])
        out[i] = value


@kernel
def distinct_runs(ids, start, end, n, out):
    """Sorted hashes of the distinct runs of ids[start:end] into out uint64; returns their number."""
    count = 0
    if start < end:
        for k in range(start, max(end - n, start) + 1):
            out[count] = run_hash(ids, k, min(n, end - start))
            count += 1
    out[:count].sort()
    size = 0
    for k in range(count):
        if size == 0 or out[k] != out[size - 1]:
            out[size] = out[k]
            size += 1
    return size


@kernel
def similarities(ids, offsets, pairs, n, scratch_a, scratch_b, out):
    """The share of distinct runs that both documents of a pair have: pairs int64 (P, 2), out float32 (P,).

    scratch uint64 (longest document,).
    """
    for i in range(pairs.shape[0]):
        a, b = pairs[i, 0], pairs[i, 1]
        size_a = distinct_runs(ids, offsets[a], offsets[a + 1], n, scratch_a)
        size_b = distinct_runs(ids, offsets[b], offsets[b + 1], n, scratch_b)
        common, k = 0, 0
        for j in range(size_a):
            while k < size_b and scratch_b[k] < scratch_a[j]:
                k += 1
            if k < size_b and scratch_b[k] == scratch_a[j]:
                common += 1
        out[i] = np.float32(common) / np.float32(max(size_a + size_b - common, 1))
