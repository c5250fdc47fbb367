"""Character n-grams of words and their buckets, exactly as fastText hashes them."""

import numpy as np

from .jit import kernel, leaf

_PRIME = np.uint64(16777619)
_BASIS = np.uint64(2166136261)
_MASK = np.uint64(0xFFFFFFFF)
_SIGN = np.uint64(0xFFFFFF00)
_TOP = np.uint64(0x80000000)
_UPPER = np.uint64(0xFFFFFFFF00000000)
_CHAIN = np.uint64(116049371)
_BEGIN, _END = 60, 62  # < and > around each word


@leaf
def mix_byte(value, byte):
    """One step of 32-bit FNV-1a; bytes above 127 are sign-extended, as fastText's released models have them."""
    wide = np.uint64(byte)
    if byte >= 128:
        wide |= _SIGN
    return ((value ^ wide) * _PRIME) & _MASK


@leaf
def wrapped_byte(arena, start, end, i):
    """Byte i of the word in angle brackets."""
    if i == 0:
        return np.int64(_BEGIN)
    if i == end - start + 1:
        return np.int64(_END)
    return np.int64(arena[start + i - 1])


@leaf
def hash_bytes(buffer, start, end):
    """The 32-bit FNV-1a hash of buffer[start:end], as uint64."""
    value = _BASIS
    for i in range(start, end):
        value = mix_byte(value, np.int64(buffer[i]))
    return value


@leaf
def signed(hashed):
    """A 32-bit hash in a uint64 with its sign in all upper bits, as fastText widens hashes of words."""
    return hashed | _UPPER if hashed & _TOP else hashed


@leaf
def chain(value, hashed):
    """The 64-bit hash of a word n-gram and one more word, both `signed`; an n-gram of one word is its hash."""
    return value * _CHAIN + hashed


@leaf
def character_buckets(arena, start, end, shortest, longest, buckets, found, count, room):
    """Put the buckets of a word's n-grams into found[count:room]; returns `count` and their number."""
    size = end - start + 2
    for i in range(size):
        if wrapped_byte(arena, start, end, i) & 0xC0 == 0x80:
            continue
        value, j, n = _BASIS, i, 1
        while j < size and n <= longest:
            value = mix_byte(value, wrapped_byte(arena, start, end, j))
            j += 1
            while j < size and wrapped_byte(arena, start, end, j) & 0xC0 == 0x80:
                value = mix_byte(value, wrapped_byte(arena, start, end, j))
                j += 1
            if n >= shortest and not (n == 1 and (i == 0 or j == size)):
                if count < room:
                    found[count] = np.int64(value % np.uint64(buckets))
                count += 1
            n += 1
    return count


@kernel
def hash_ngrams(arena, ends, first, last, shortest, longest, buckets, starts, found, room):
    """Buckets of the n-grams of words first to last, in the order of fastText.

    N-grams are of `shortest` to `longest` UTF-8 characters of the word in angle brackets; a single bracket is none.
    starts int64 (last - first + 1,), found int64 (room,). Returns the number of n-grams; where it exceeds `room`, those
    beyond are left out (call again with more).
    """
    count = np.int64(0)
    starts[0] = 0
    for word in range(first, last):
        count = character_buckets(arena, ends[word], ends[word + 1], shortest, longest, buckets, found, count, room)
        starts[word - first + 1] = count
    return count
