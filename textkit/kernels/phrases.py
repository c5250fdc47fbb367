"""Joining pairs of words to phrases."""

import numpy as np

from .jit import kernel


@kernel
def join_pairs(ids, offsets, keys, numbers, base, out, out_offsets):
    """Copy lines of ids with the given pairs as one id each, from left to right, no word used twice.

    keys int64 ascending, first * base + second; numbers int32, the id of each pair; out int32 (len(ids),);
    out_offsets int64 like offsets. Returns the number of ids written.
    """
    size = 0
    out_offsets[0] = 0
    for line in range(len(offsets) - 1):
        i, end = offsets[line], offsets[line + 1]
        while i < end:
            out[size] = ids[i]
            if i + 1 < end:
                key = np.int64(ids[i]) * base + ids[i + 1]
                place = np.searchsorted(keys, key)
                if place < len(keys) and keys[place] == key:
                    out[size] = numbers[place]
                    i += 1
            size += 1
            i += 1
        out_offsets[line + 1] = size
    return size
