"""KenLM binary files: fields of bits, and n-grams from the hash keys that probing models keep in their place."""

import numpy as np

from .bits import read_bits
from .jit import kernel, leaf

_ZERO, _ONE, _CODE = np.uint64(0), np.uint64(1), np.uint64(63)
_MARK_SHIFTS = np.uint64(14), np.uint64(20), np.uint64(26)
_TILE, _BLOCK = 512, 64  # _TILE a multiple of _BLOCK


@kernel
def read_fields(data, width, offset, bits, values):
    """values[i] = the `bits` (1 to 57) bits at bit i * width + offset of data, least significant first.

    data uint8 with at least 8 bytes from the last of these bits on, values uint64 (E,) out.
    """
    for i in range(values.shape[0]):
        values[i] = read_bits(data, i * width + offset, bits)


@leaf
def marks(key):
    """Three of 64 bits that a key sets in its bucket's word of the filter."""
    first = _ONE << ((key >> _MARK_SHIFTS[0]) & _CODE)
    second = _ONE << ((key >> _MARK_SHIFTS[1]) & _CODE)
    return first | second | (_ONE << ((key >> _MARK_SHIFTS[2]) & _CODE))


@kernel
def fill_filter(keys, shift, starts, filled):
    """Index ascending keys by their bits from `shift` up, which number the buckets.

    keys uint64 (E,), starts int64 (B + 1,) out: keys of bucket b are keys[starts[b]:starts[b + 1]],
    filled uint64 (B,) zeros, out: the marks of these keys.
    """
    last = 0
    for i in range(keys.shape[0]):
        bucket = np.int64(keys[i] >> shift)
        filled[bucket] |= marks(keys[i])
        while last <= bucket:
            starts[last] = i
            last += 1
    while last < starts.shape[0]:
        starts[last] = keys.shape[0]
        last += 1


@leaf
def find_key(key, keys, shift, starts):
    """Place of a key, or -1."""
    bucket = key >> shift
    for k in range(starts[bucket], starts[bucket + _ONE]):
        if keys[k] == key:
            return k
    return -1


@leaf
def lacking(key, shift, filled):
    """The marks of a key that its bucket does not have: none if the key is there, seldom none if not."""
    return marks(key) & ~filled[key >> shift]


@kernel
def match(strips, lefts, rights, keys, shift, starts, filled, found, spare):
    """Find all pairs whose exclusive or is a key.

    strips int64 (S, 4): pair rights[strip[0]:strip[1]] with lefts[strip[2]:strip[3]]; lefts, rights uint64;
    keys, shift, starts, filled as in `fill_filter`. found int64 (E, 2) out: places in lefts and rights of the pair
    that gives each key, -1 at first; pairs for keys that have one already go to spare int64 (R, 3): key, left, right.
    Returns the number of these, which may exceed R. Costs one step for each pair; where both sides are ascending, the
    pairs of a tile fall into few buckets, which stay in the cache.
    """
    extra = 0
    for s in range(strips.shape[0]):
        for tile in range(strips[s, 2], strips[s, 3], _TILE):
            for i in range(strips[s, 0], strips[s, 1]):
                for first in range(tile, min(tile + _TILE, strips[s, 3]), _BLOCK):
                    last = min(first + _BLOCK, strips[s, 3])
                    hits = 0  # counted without a branch, in vector registers
                    for j in range(first, last):
                        hits += lacking(rights[i] ^ lefts[j], shift, filled) == _ZERO
                    if hits == 0:
                        continue
                    for j in range(first, last):
                        key = rights[i] ^ lefts[j]
                        if lacking(key, shift, filled) != _ZERO:
                            continue
                        place = find_key(key, keys, shift, starts)
                        if place < 0:
                            continue
                        if found[place, 0] < 0:
                            found[place, 0], found[place, 1] = j, i
                            continue
                        if extra < spare.shape[0]:
                            spare[extra, 0], spare[extra, 1], spare[extra, 2] = place, j, i
                        extra += 1
    return extra
