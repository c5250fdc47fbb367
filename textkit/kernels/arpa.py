"""Lines of ARPA files: written from trie levels, and cut into words and numbers."""

import numpy as np

from .floats import parse_float, put_decimal, shortest_digits
from .jit import float_bits, kernel, leaf, load_u64, prefetch, store_u64

NUMBER_ROOM = 26  # bytes that a number and its tab may take
DONE, FULL, BAD_NUMBER, FEW_WORDS, MANY_FIELDS = range(5)

_AHEAD = 12
_SHOWN = 32  # bytes kept of a number that was written: its text and, in the last, how long that is
_SPREAD, _KEPT_BITS = np.uint64(0x9E3779B1), np.uint64(22)
_TAB, _NEWLINE, _SPACE, _BACKSLASH = 9, 10, 32, 92


@leaf
def copy_bytes(source, start, target, position, length):
    """Copy eight bytes a step, sixteen at least; up to 16 more than asked for are read and written."""
    store_u64(target, position, load_u64(source, start))
    store_u64(target, position + 8, load_u64(source, start + 8))
    for i in range(16, length, 8):
        store_u64(target, position + i, load_u64(source, start + i))
    return position + length


@kernel(refcounts=False)
def put_new(out, size, value, place, shown_bits, shown, powers, scales, spacings):
    """Write a tab and a float32, and remember that text, at most 31 bytes, in shown[32 * place:]."""
    begin, bits, digits, exponent = size, float_bits(value), np.int64(0), np.int64(0)
    if value != 0:
        magnitude = abs(value)
        digits, exponent = shortest_digits(np.float64(magnitude), float_bits(magnitude), powers, scales, spacings)
    out[size] = _TAB
    size = put_decimal(out, size + 1, value < 0, digits, exponent, powers)
    shown_bits[place] = bits
    for i in range(size - begin):
        shown[_SHOWN * place + i] = out[begin + i]
    shown[_SHOWN * place + _SHOWN - 1] = size - begin
    return size


@leaf
def put_again(out, size, value, shown_bits, shown, powers, scales, spacings):
    """Write a tab and a float32, from memory if it has been written before; returns the new size."""
    bits = float_bits(value)
    place = np.int64((np.uint64(bits & 0xFFFFFFFF) * _SPREAD) >> _KEPT_BITS) & (shown_bits.shape[0] - 1)
    if shown_bits[place] != bits:
        return put_new(out, size, value, place, shown_bits, shown, powers, scales, spacings)
    store_u64(out, size, load_u64(shown, _SHOWN * place))
    store_u64(out, size + 8, load_u64(shown, _SHOWN * place + 8))
    store_u64(out, size + 16, load_u64(shown, _SHOWN * place + 16))
    store_u64(out, size + 24, load_u64(shown, _SHOWN * place + 24))
    return size + shown[_SHOWN * place + _SHOWN - 1]


@kernel(refcounts=False)
def write_entries(
    entry, last, path, known, arena, ends, longest, words, log_p, backoff, edges, first, digits, exponents, begins,
    shown_bits, shown, powers, scales, spacings, out,
):  # fmt: skip
    """Write the n-grams `entry` to `last` of one order as lines, from the beginning of `out` until that may be full.

    path int64 (n,): the nodes from the unigram to `entry`, moved along; known: how many of their words the line before
    has, too, which are copied from it, 0 at the beginning of `out`. No word has more than `longest` bytes. Arrays as in
    `trie`. digits, exponents:
    probabilities as decimals, see `floats.decimals`, from node `first` on. begins int64 (n,) scratch: where words
    begin. shown_bits int64 (S,), at first -1, and shown uint8 (32 S,): backoffs that were written as text, of which
    most come again and again. Returns (next entry, bytes).
    """
    size, order, before = 0, path.shape[0], np.int64(0)
    with_backoff = last <= backoff.shape[0]
    begins[0] = 0
    while entry < last and size + order * (longest + 1) + 2 * NUMBER_ROOM + 32 <= out.shape[0]:
        if entry + 2 * _AHEAD < last:
            prefetch(ends, np.int64(words[entry + 2 * _AHEAD]))
            prefetch(arena, ends[words[entry + _AHEAD]])
        path[order - 1] = entry
        for k in range(order - 2, -1, -1):
            if path[k + 1] < np.int64(edges[path[k] + 1]):
                break
            known = min(known, k)
            while path[k + 1] >= np.int64(edges[path[k] + 1]):
                path[k] += 1
            if k > 0:  # neighbours come soon
                prefetch(ends, np.int64(words[min(path[k] + 2 * _AHEAD, words.shape[0] - 1)]))
                prefetch(arena, ends[words[min(path[k] + _AHEAD, words.shape[0] - 1)]])
        i = entry - first
        size = put_decimal(out, size, log_p[entry] < 0, digits[i], np.int64(exponents[i]), powers)
        out[size] = _TAB
        size += 1
        copy_bytes(out, before, out, size, begins[known])
        before = size
        size += begins[known]
        for k in range(known, order):
            begins[k] = size - before
            begin = ends[words[path[k]]]
            size = copy_bytes(arena, begin, out, size, ends[words[path[k]] + 1] - begin)
            out[size] = _SPACE
            size += 1
        known = order - 1
        size -= 1
        if with_backoff:
            size = put_again(out, size, backoff[entry], shown_bits, shown, powers, scales, spacings)
        out[size] = _NEWLINE
        size += 1
        entry += 1
    return entry, size


@kernel(refcounts=False)
def next_field(buffer, position, stop):
    """(start, end) of the next field of this line; start == end at the end of the line. Tab, CR and space separate."""
    while position < stop and (buffer[position] == _TAB or buffer[position] == 13 or buffer[position] == _SPACE):
        position += 1
    start = position
    while position < stop and buffer[position] != _NEWLINE and buffer[position] != _TAB:
        if buffer[position] == 13 or buffer[position] == _SPACE:
            break
        position += 1
    return start, position


@kernel(refcounts=False)
def parse_entries(buffer, position, stop, order, spans, numbers, powers):
    """Read n-gram lines up to the end of the section.

    spans int32 (S * order, 2): the words of each line; numbers float32 (S, 2): its log10 probability and backoff
    (0 where there is none). Returns (position of the line not read, lines read, status): DONE at a blank line, a line
    with a leading backslash or the end; FULL; or what is wrong with the line.
    """
    count, room = 0, numbers.shape[0]
    while position < stop:
        start, end = next_field(buffer, position, stop)
        if start == end or buffer[start] == _BACKSLASH:
            return position, count, DONE
        if count == room:
            return position, count, FULL
        value, good = parse_float(buffer, start, end, powers)
        if not good:
            return position, count, BAD_NUMBER
        numbers[count, 0], numbers[count, 1] = value, 0.0
        for k in range(order):
            start, end = next_field(buffer, end, stop)
            if start == end:
                return position, count, FEW_WORDS
            spans[count * order + k, 0], spans[count * order + k, 1] = start, end
        start, end = next_field(buffer, end, stop)
        if start < end:
            value, good = parse_float(buffer, start, end, powers)
            if not good:
                return position, count, BAD_NUMBER
            numbers[count, 1] = value
            start, end = next_field(buffer, end, stop)
            if start < end:
                return position, count, MANY_FIELDS
        position = end + 1
        count += 1
    return position, count, DONE
