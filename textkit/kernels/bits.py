"""A trie level in as few bytes as it needs: numbers of any width, one after the other in a byte array.

Each level has two sections: its words, where the searches go, and its records log_p | backoff | edge; the highest order
has no backoffs and edges. layout int64 (order, FIELDS), by column:
    WORDS, RECORDS    first byte of the two sections
    SIZE              n-grams; below the highest order one more record ends the last one's children
    WORD, LOG_P, BACKOFF, EDGE    width in bits, 0 for what is not stored (the words of unigrams are their ids)
    P_BOOK, B_BOOK    where in `books`, float32, the values of the codes begin, or -1 where floats are stored
Floats are stored as their 31 bits without the sign, which is negative, or with it in 32.
"""

import numpy as np

from .jit import bits_float, kernel, leaf, load_u64, store_u64

WORDS, RECORDS, SIZE, WORD, LOG_P, BACKOFF, EDGE, P_BOOK, B_BOOK = range(9)
FIELDS = 9
SPARE = 8  # bytes behind the last number that are read with it

_ALL = np.uint64(0xFFFFFFFFFFFFFFFF)
_WORD_SIZE = np.uint64(64)
_SEVEN = np.uint64(7)
_THREE = np.uint64(3)


@leaf
def read_bits(data, position, width):
    """The `width` (1 to 57) bits at bit `position`."""
    word = load_u64(data, position >> 3) >> (np.uint64(position) & _SEVEN)
    return word & (_ALL >> (_WORD_SIZE - np.uint64(width)))


@leaf
def stride_of(layout, level):
    """Bits of a record."""
    return layout[level, LOG_P] + layout[level, BACKOFF] + layout[level, EDGE]


@leaf
def record_at(layout, level, index):
    """Bit position of a record."""
    return 8 * layout[level, RECORDS] + index * stride_of(layout, level)


@leaf
def decoded(code, width, book, books):
    """The number that a stored code stands for."""
    if book >= 0:
        return books[book + np.int64(code)]
    if width == 31:
        return np.float32(0.0) - bits_float(code)  # never -0
    return bits_float(code)


@leaf
def word_at(data, layout, level, index):
    """Last word of an n-gram above order 1."""
    return np.int64(read_bits(data, 8 * layout[level, WORDS] + index * layout[level, WORD], layout[level, WORD]))


@leaf
def log_p_at(data, layout, books, level, index):
    """log10 probability of an n-gram."""
    width = layout[level, LOG_P]
    return decoded(read_bits(data, record_at(layout, level, index), width), width, layout[level, P_BOOK], books)


@leaf
def backoff_at(data, layout, books, level, index):
    """log10 backoff weight of an n-gram below the highest order."""
    width = layout[level, BACKOFF]
    code = read_bits(data, record_at(layout, level, index) + layout[level, LOG_P], width)
    return decoded(code, width, layout[level, B_BOOK], books)


@leaf
def edge_at(data, layout, level, index):
    """Where the children of an n-gram begin in the level above, at most at its end."""
    position = record_at(layout, level, index) + layout[level, LOG_P] + layout[level, BACKOFF]
    return min(np.int64(read_bits(data, position, layout[level, EDGE])), layout[level + 1, SIZE])


@kernel(refcounts=False)
def pack(columns, widths, shift, first, last, out):
    """Write the rows `first` to `last` of up to three columns side by side.

    columns: three uint32 arrays, those of width 0 empty; widths int64 (3,) in bits. `shift` is subtracted from the
    third, and a column that ends before `last` goes on with 0. `first` is a multiple of 8; out uint8 (their bytes +
    SPARE,).
    """
    position, filled, pending = np.int64(0), np.uint64(0), np.uint64(0)
    for i in range(first, last):
        for k in range(3):
            width = np.uint64(widths[k])
            if width > 0:
                value = np.int64(columns[k][i]) if i < columns[k].shape[0] else np.int64(0)
                value -= shift if k == 2 else 0
                pending |= (np.uint64(value) & (_ALL >> (_WORD_SIZE - width))) << filled
                filled += width
                store_u64(out, position, pending)
                position += np.int64(filled >> _THREE)
                pending >>= filled & ~_SEVEN
                filled &= _SEVEN


@kernel(refcounts=False)
def unpack(data, layout, books, level, first, last, shift, words, log_p, backoff, edges):
    """The inverse of `pack` for the n-grams `first` to `last`: words int32, log_p, backoff float32, edges uint32.

    `shift` is added to the edges. The highest order leaves backoff and edges as they are.
    """
    inner = level < layout.shape[0] - 1
    for i in range(first, last):
        words[i] = word_at(data, layout, level, i) if level > 0 else i
        log_p[i] = log_p_at(data, layout, books, level, i)
        if inner:
            backoff[i] = backoff_at(data, layout, books, level, i)
            edges[i] = edge_at(data, layout, level, i) + shift
