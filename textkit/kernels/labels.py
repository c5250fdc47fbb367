"""Labels inside of lines: taken out of the bytes, and told apart."""

import numpy as np

from .arpa import copy_bytes
from .jit import kernel, leaf, load_u64, trailing_zeros
from .scan import next_low_byte
from .tables import put_number
from .words import same_bytes

_NEWLINE = 10
_NO_BITS = np.uint64(0)
_EACH_BYTE = np.uint64(0x0101010101010101)
_HIGH_BIT = np.uint64(0x8080808080808080)
_NEWLINES = np.uint64(0x0A0A0A0A0A0A0A0A)
_BLANKS = np.int64(1 << 0 | 1 << 9 | 1 << 10 | 1 << 11 | 1 << 12 | 1 << 13 | 1 << 32)


@leaf
def is_blank(byte):
    """Whether fastText ends a token here: NUL, TAB, LF, VT, FF, CR or SPACE."""
    return byte <= 32 and (_BLANKS >> np.int64(byte)) & 1 == 1


@leaf
def newline_or(buffer, position, stop, wanted):
    """The first position >= `position` of a newline or of the byte that `wanted` holds eight times, or `stop`."""
    while position < stop:
        word = load_u64(buffer, position)
        # Zero bytes borrow from their top bit; borrows run upwards only, so the lowest hit is a true one.
        a, b = word ^ wanted, word ^ _NEWLINES
        hits = ((a - _EACH_BYTE) & ~a | (b - _EACH_BYTE) & ~b) & _HIGH_BIT
        if hits != _NO_BITS:
            return min(position + (trailing_zeros(hits) >> 3), stop)
        position += 8
    return stop


@leaf
def token_end(buffer, position, stop):
    """The first blank at or behind `position`, or `stop`."""
    position = next_low_byte(buffer, position, stop)
    while position < stop and not is_blank(buffer[position]):  # a control character inside a token
        position = next_low_byte(buffer, position + 1, stop)
    return position


@kernel
def all_blank(buffer, start, stop):
    """Whether there is no token in buffer[start:stop]."""
    while start < stop and is_blank(buffer[start]):
        start += 1
    return start >= stop


@leaf
def put_mark(marks, ends, mark, out, size):
    """Copy one of several texts; returns the new size."""
    return copy_bytes(marks, ends[mark], out, size, ends[mark + 1] - ends[mark])


@kernel
def take_labels(buffer, size, prefix, length, keep_all, out, spans, kept, dropped, empty):
    """Copy lines without their labels, the tokens that begin with prefix[:length].

    Lines without a label are left out, or if `keep_all` is set they stay.

    Each label goes with one blank behind it. A kept line always ends in a newline.

    buffer uint8 (>= size + 16,); prefix uint8 (>= length + 8,), without blanks; out uint8 (>= size + 17,);
    spans int32 (S, 2) out: where in `buffer` each label stands, without the prefix, and an empty span behind the last
    one of each kept line; kept int32 (lines,) out: numbers of the kept lines; dropped int32 (lines,) and empty bool
    (lines,) out: those of the others, and which of them hold no token at all.
    Returns (bytes written, spans, kept lines, dropped lines).
    """
    n_bytes, n_spans, n_kept, n_dropped = 0, 0, 0, 0
    wanted = np.uint64(prefix[0]) * _EACH_BYTE
    begin, line = np.int64(0), 0
    while begin < size:
        written, labels = n_bytes, 0
        rest = begin  # from here on nothing of the line is copied yet
        position = newline_or(buffer, begin, size, wanted)
        while position < size and buffer[position] != _NEWLINE:
            inside = position > begin and not is_blank(buffer[position - 1])
            if inside or not same_bytes(buffer, position, prefix, np.int64(0), length):
                position = newline_or(buffer, position + 1, size, wanted)
                continue
            end = token_end(buffer, position, size)
            n_bytes = copy_bytes(buffer, rest, out, n_bytes, position - rest)
            if end - position > length:
                spans[n_spans, 0], spans[n_spans, 1] = position + length, end
                n_spans += 1
                labels += 1
            rest = end
            if rest < size and buffer[rest] != _NEWLINE:
                rest += 1
            position = newline_or(buffer, rest, size, wanted)
        if labels or keep_all:
            n_bytes = copy_bytes(buffer, rest, out, n_bytes, position - rest)
            out[n_bytes] = _NEWLINE
            n_bytes += 1
            spans[n_spans, 0] = spans[n_spans, 1] = position
            n_spans += 1
            kept[n_kept] = line
            n_kept += 1
        else:
            n_bytes = written
            dropped[n_dropped], empty[n_dropped] = line, all_blank(buffer, begin, position)
            n_dropped += 1
        line += 1
        begin = position + 1
    return n_bytes, n_spans, n_kept, n_dropped


@kernel
def distinct_lists(ids, offsets, mapping, seen, out, out_offsets):
    """Renumber lists of ids, each id at most once a list, where it stands first.

    ids int32 (M,), offsets int64 (L + 1,); mapping int32 (C,): the new number of each id; seen int64 (new C,) starts at
    -1; out int32 (>= M,), out_offsets int64 (L + 1,). Returns the ids written.
    """
    size = 0
    out_offsets[0] = 0
    for i in range(offsets.shape[0] - 1):
        for k in range(offsets[i], offsets[i + 1]):
            number = mapping[ids[k]]
            if seen[number] != i:
                seen[number] = i
                out[size] = number
                size += 1
        out_offsets[i + 1] = size
    return size


@kernel
def write_lists(
    ids, p, counts, digits, exponents, data, spans, labels, label_ends, width, marks, mark_ends, powers, out
):
    """Write for each document a text, its labels and their probabilities.

    The text is followed by the mark 0; each label stands between the marks 1 and 2, its probability, where there are
    any, between 2 and 3; mark 4 separates them; mark 5 stands for each label that is lacking of `width`; the last one
    is 6.

    ids int32 (L, k), counts int64 (L,) of them at most k; p float64 (L, k), or (L, 0) to write none, with digits and
    exponents (L * k,) from `tables.find_decimals`; data uint8 and spans int64 (L, 2): the texts; labels, marks uint8
    and their ends int64 after a leading 0; all bytes with 16 spare ones at their end. Returns the bytes written.
    """
    size = 0
    for i in range(ids.shape[0]):
        size = copy_bytes(data, spans[i, 0], out, size, spans[i, 1] - spans[i, 0])
        size = put_mark(marks, mark_ends, 0, out, size)
        for k in range(max(counts[i], width)):
            if k:
                size = put_mark(marks, mark_ends, 4, out, size)
            if k >= counts[i]:
                size = put_mark(marks, mark_ends, 5, out, size)
                continue
            size = put_mark(marks, mark_ends, 1, out, size)
            start = label_ends[ids[i, k]]
            size = copy_bytes(labels, start, out, size, label_ends[ids[i, k] + 1] - start)
            size = put_mark(marks, mark_ends, 2, out, size)
            if p.shape[1]:
                n = i * p.shape[1] + k
                size = put_number(out, size, p[i, k], digits[n], np.int64(exponents[n]), False, powers)
            size = put_mark(marks, mark_ends, 3, out, size)
        size = put_mark(marks, mark_ends, 6, out, size)
    return size
