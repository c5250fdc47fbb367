"""Records of bit fields, one after the other in a byte array: a trie level in as few bytes as it needs.

A record is word | log_p | backoff | edge, each field as wide as its level's row of `layout` says; the highest order
has no backoffs and edges. layout int64 (order, FIELDS), by column:
    BASE        first byte of the level
    SIZE        n-grams of the level; below the highest order one more record ends the last one's children
    WORD, LOG_P, BACKOFF, EDGE    width in bits, 0 for what is not stored (the words of unigrams are their ids)
    P_BOOK, B_BOOK    where in `books`, float32, the values of the codes begin, or -1 where floats are stored
Floats are stored as their 31 bits without the sign, which is negative, or with it in 32.
"""

import numpy as np

from .jit import bits_float, kernel, leaf, load_u64, store_u64

BASE, SIZE, WORD, LOG_P, BACKOFF, EDGE, P_BOOK, B_BOOK = range(8)
FIELDS = 8
SPARE = 8  # bytes behind the last record that are read with it

_ALL = np.uint64(0xFFFFFFFFFFFFFFFF)
_WORD_SIZE = np.uint64(64)
_SEVEN = np.uint64(7)
_EIGHT = np.uint64(8)
_THREE = np.uint64(3)
_NO_SIGN = np.uint64(0x7FFFFFFF)


@leaf
def read_bits(data, position, width):
    """The `width` (1 to 57) bits at bit `position`."""
    word = load_u64(data, position >> 3) >> (np.uint64(position) & _SEVEN)
    return word & (_ALL >> (_WORD_SIZE - np.uint64(width)))


@leaf
def record_at(layout, level, index):
    """Bit position of a record."""
    width = layout[level, WORD] + layout[level, LOG_P] + layout[level, BACKOFF] + layout[level, EDGE]
    return 8 * layout[level, BASE] + index * width


@leaf
def decoded(code, width, book, books):
    """The number that a stored code stands for."""
    if book >= 0:
        return books[book + np.int64(code)]
    if width == 31:
        return np.float32(0.0) - bits_float(code)  # never -0
    return bits_float(code)


@leaf
def log_p_at(data, layout, books, level, index):
    """log10 probability of an n-gram."""
    width = layout[level, LOG_P]
    code = read_bits(data, record_at(layout, level, index) + layout[level, WORD], width)
    return decoded(code, width, layout[level, P_BOOK], books)


@leaf
def backoff_at(data, layout, books, level, index):
    """log10 backoff weight of an n-gram below the highest order."""
    width = layout[level, BACKOFF]
    position = record_at(layout, level, index) + layout[level, WORD] + layout[level, LOG_P]
    return decoded(read_bits(data, position, width), width, layout[level, B_BOOK], books)


@leaf
def edge_at(data, layout, level, index):
    """Where the children of an n-gram begin in the level above, at most at its end."""
    position = record_at(layout, level, index) + layout[level, WORD] + layout[level, LOG_P] + layout[level, BACKOFF]
    return min(np.int64(read_bits(data, position, layout[level, EDGE])), layout[level + 1, SIZE])


@kernel
def pack(words, log_p, backoff, edges, shift, layout, level, first, last, out):
    """Write the records `first` to `last` of a level; `first` a multiple of 8, out uint8 (their bytes + SPARE,).

    words int32, log_p and backoff uint32 codes or bits of floats, edges uint32, of which `shift` is subtracted.
    """
    size = layout[level, SIZE]
    wide = layout[level, WORD], layout[level, LOG_P], layout[level, BACKOFF], layout[level, EDGE]
    position, filled, pending = np.int64(0), np.uint64(0), np.uint64(0)
    for i in range(first, last):
        for field in range(4):
            if wide[field] == 0:
                continue
            value = np.uint64(0)
            if field == 3:
                value = np.uint64(np.int64(edges[i]) - shift)
            elif i < size:
                value = np.uint64(words[i] if field == 0 else log_p[i] if field == 1 else backoff[i])
            pending |= (value & (_ALL >> (_WORD_SIZE - np.uint64(wide[field])))) << filled
            filled += np.uint64(wide[field])
            store_u64(out, position, pending)
            position += np.int64(filled >> _THREE)
            pending >>= filled & ~_SEVEN
            filled &= _SEVEN


@kernel
def unpack(data, layout, books, level, first, last, shift, words, log_p, backoff, edges):
    """The inverse of `pack` for the n-grams `first` to `last`: words int32, log_p, backoff float32, edges uint32.

    `shift` is added to the edges. The highest order leaves backoff and edges as they are.
    """
    inner = level < layout.shape[0] - 1
    for i in range(first, last):
        words[i] = i
        if layout[level, WORD] > 0:
            words[i] = np.int64(read_bits(data, record_at(layout, level, i), layout[level, WORD]))
        log_p[i] = log_p_at(data, layout, books, level, i)
        if inner:
            backoff[i] = backoff_at(data, layout, books, level, i)
            edges[i] = edge_at(data, layout, level, i) + shift
