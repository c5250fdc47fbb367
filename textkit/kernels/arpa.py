"""Lines of ARPA files: written from trie levels, and cut into words and numbers."""

import numpy as np

from .floats import parse_float, put_decimal
from .jit import kernel, leaf, load_u64, prefetch, store_u64

NUMBER_ROOM = 26  # bytes that a number and its tab may take
DONE, FULL, BAD_NUMBER, FEW_WORDS, MANY_FIELDS = range(5)

_AHEAD = 12
_TAB, _NEWLINE, _SPACE, _BACKSLASH = 9, 10, 32, 92


@leaf
def copy_bytes(source, start, target, position, length):
    """Copy eight bytes a step, sixteen at least; up to 16 more than asked for are read and written."""
    store_u64(target, position, load_u64(source, start))
    store_u64(target, position + 8, load_u64(source, start + 8))
    for i in range(16, length, 8):
        store_u64(target, position + i, load_u64(source, start + i))
    return position + length


@kernel
def write_entries(
    entry, last, path, prefix, prefix_ends, arena, ends, words, log_p, backoff, edges, first, p_digits, p_exponents,
    b_digits, b_exponents, powers, out,
):  # fmt: skip
    """Write the n-grams `entry` to `last` of one order as lines.

    path int64 (n,) holds the nodes from the unigram to `entry` and is moved along; prefix uint8 has the text of the
    words before the last one, prefix_ends int64 (n,) where each begins and the last ends there, or -1 from the first
    word on that must be written. Arrays as in `trie`. p_digits, p_exponents, b_digits, b_exponents: the numbers as
    decimals, see `floats.decimals`, from node `first` on. Stops before `out` is full. Returns (next entry, bytes).
    """
    size, order = 0, path.shape[0]
    with_backoff = last <= backoff.shape[0]
    while entry < last:
        if entry + 2 * _AHEAD < last:
            prefetch(ends, np.int64(words[entry + 2 * _AHEAD]))
            prefetch(arena, ends[words[entry + _AHEAD]])
        path[order - 1] = entry
        for k in range(order - 2, -1, -1):
            if path[k + 1] < np.int64(edges[path[k] + 1]):
                break
            prefix_ends[k + 1] = -1
            while path[k + 1] >= np.int64(edges[path[k] + 1]):
                path[k] += 1
            if k > 0:  # neighbours come soon
                prefetch(ends, np.int64(words[min(path[k] + 2 * _AHEAD, words.shape[0] - 1)]))
                prefetch(arena, ends[words[min(path[k] + _AHEAD, words.shape[0] - 1)]])
        for k in range(order - 1):
            if prefix_ends[k + 1] < 0:
                begin, length = ends[words[path[k]]], prefix_ends[k]
                length = copy_bytes(arena, begin, prefix, length, ends[words[path[k]] + 1] - begin)
                prefix[length] = _SPACE
                prefix_ends[k + 1] = length + 1
        prefix_size = prefix_ends[order - 1]
        begin, end = ends[words[entry]], ends[words[entry] + 1]
        if size + prefix_size + (end - begin) + 2 * NUMBER_ROOM + 32 > out.shape[0]:
            break
        i = entry - first
        size = put_decimal(out, size, log_p[entry] < 0, p_digits[i], np.int64(p_exponents[i]), powers)
        out[size] = _TAB
        size = copy_bytes(prefix, 0, out, size + 1, prefix_size)
        size = copy_bytes(arena, begin, out, size, end - begin)
        if with_backoff:
            out[size] = _TAB
            size = put_decimal(out, size + 1, backoff[entry] < 0, b_digits[i], np.int64(b_exponents[i]), powers)
        out[size] = _NEWLINE
        size += 1
        entry += 1
    return entry, size


@kernel
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


@kernel
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
