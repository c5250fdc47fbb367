"""Words with rows of numbers, as text lines and as word2vec's binary records: read from and written to buffers."""

import numpy as np

from .floats import parse_float, put_decimal
from .jit import kernel, leaf

DONE, FEW_NUMBERS, BAD_NUMBER, TOO_LONG = 0, 1, 2, 3
_LF, _CR, _SPACE, _TAB = 10, 13, 32, 9


@leaf
def is_blank(byte):
    """Whether a byte separates fields."""
    return byte == _SPACE or byte == _TAB


@kernel(refcounts=False)
def parse_rows(buffer, position, stop, dim, spans, numbers, powers):
    """Lines of a word and `dim` numbers, set apart by single blanks; a blank at the end of a line is passed over.

    The word is all that stands before the last `dim` fields, so it may hold blanks (GloVe has such words).
    spans int64 (R, 2), numbers float32 (R, dim). Returns (position after the last good line, rows, status).
    """
    count = 0
    while position < stop and count < len(spans):
        end = position
        while end < stop and buffer[end] != _LF:
            end += 1
        last = end
        while last > position and (is_blank(buffer[last - 1]) or buffer[last - 1] == _CR):
            last -= 1
        if last > position:
            field_end = last
            for k in range(dim - 1, -1, -1):
                start = field_end
                while start > position and not is_blank(buffer[start - 1]):
                    start -= 1
                if start == position:
                    return position, count, FEW_NUMBERS
                value, good = parse_float(buffer, start, field_end, powers)
                if not good:
                    return position, count, BAD_NUMBER
                numbers[count, k] = np.float32(value)
                field_end = start - 1
            spans[count, 0], spans[count, 1] = position, field_end
            count += 1
        position = min(end + 1, stop)
    return position, count, DONE


@kernel(refcounts=False)
def write_rows(arena, ends, values, first, last, dim, separator, digits, exponents, out, powers):
    """Lines of the words first to last with their numbers; no word stands where `ends` says that it is empty.

    values float32 (V * dim,), of which digits int64 and exponents int32 hold the decimals from word `first` on (see
    `floats.decimals`). out uint8 must have room for all lines and 32 more. Returns the number of bytes written.
    """
    size = 0
    for word in range(first, last):
        start, end = ends[word], ends[word + 1]
        for i in range(start, end):
            out[size] = arena[i]
            size += 1
        for d in range(dim):
            if d > 0 or end > start:
                out[size] = separator
                size += 1
            place = (word - first) * dim + d
            negative = values[word * dim + d] < 0
            size = put_decimal(out, size, negative, digits[place], np.int64(exponents[place]), powers)
        out[size] = _LF
        size += 1
    return size


@kernel(refcounts=False)
def parse_records(buffer, position, rows, dim, longest, spans, numbers):
    """word2vec's binary records: a word, a space, `dim` float32; line feeds before the word are passed over.

    numbers uint8 (rows, 4 * dim); spans int64 (rows, 2). Returns (position, rows read, status).
    """
    stop = len(buffer)
    for row in range(rows):
        while position < stop and buffer[position] == _LF:
            position += 1
        end = position
        while end < stop and end - position <= longest and buffer[end] != _SPACE:
            end += 1
        if end >= stop or end - position > longest:
            return position, row, TOO_LONG
        if end + 1 + 4 * dim > stop:
            return position, row, FEW_NUMBERS
        spans[row, 0], spans[row, 1] = position, end
        for i in range(4 * dim):
            numbers[row, i] = buffer[end + 1 + i]
        position = end + 1 + 4 * dim
    return position, rows, DONE


@kernel(refcounts=False)
def write_records(arena, ends, numbers, first, newline, out):
    """The inverse of `parse_records`, with a line feed after each record if `newline`.

    numbers uint8 (V, 4 * dim). Returns (next word, bytes written).
    """
    size, word = 0, first
    while word < len(numbers):
        start, end = ends[word], ends[word + 1]
        if size + (end - start) + numbers.shape[1] + 2 > len(out):
            break
        for i in range(start, end):
            out[size] = arena[i]
            size += 1
        out[size] = _SPACE
        size += 1
        for i in range(numbers.shape[1]):
            out[size] = numbers[word, i]
            size += 1
        if newline:
            out[size] = _LF
            size += 1
        word += 1
    return word, size
