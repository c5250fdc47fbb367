"""Rows of results as text: numbers around a piece of text, of which millions are written."""

import math

import numpy as np

from .arpa import copy_bytes
from .floats import digit_count, put_decimal, put_digits
from .jit import kernel, leaf

NUMBER_ROOM = 32  # bytes that a number may take
SPARE = 16  # bytes behind every text that is copied, and behind what is written

_NEWLINE, _RETURN, _QUOTE, _ESCAPE = 10, 13, 34, 92
_LARGEST_FLOAT = 3.4028234e38
_LARGEST_WHOLE = 9.0e15


@leaf
def is_whole(value):
    """Whether a number is written as an integer."""
    return abs(value) < _LARGEST_WHOLE and value == np.floor(value)


@leaf
def put_number(out, size, value, digits, exponent, null, powers):
    """Write a number with its decimal, see `floats.decimals`; returns the new size.

    Whole numbers are written exactly, others as the shortest decimal of their float32. What is no number is left
    empty, and where `null` is set what is not finite is the word null.
    """
    if math.isnan(value) or abs(value) > _LARGEST_FLOAT:
        if null:
            out[size], out[size + 1], out[size + 2], out[size + 3] = 110, 117, 108, 108
            size += 4
        elif not math.isnan(value):
            if value < 0:
                out[size] = 45
                size += 1
            out[size], out[size + 1], out[size + 2] = 105, 110, 102
            size += 3
    elif is_whole(value):
        if value < 0:
            out[size] = 45
            size += 1
        whole = np.int64(abs(value))
        size = put_digits(out, size, whole, digit_count(whole))
    else:
        size = put_decimal(out, size, value < 0, digits, exponent, powers)
    return size


@kernel(refcounts=False)
def write_rows(numbers, digits, exponents, data, spans, place, labels, label_ends, null, powers, out):
    """Write a row for each piece of text: its numbers, with the text itself as the column `place`.

    numbers float64 (n, C), with digits and exponents (n * C,) from `find_decimals`; spans int64 (n, 2) are bytes of
    `data`, which has SPARE ones at its end; labels uint8, SPARE bytes at their end too, stand before each of the C + 1
    columns and behind the last, label_ends int64 (C + 3,) after a leading 0. out has room for all. Returns the bytes
    written.
    """
    size, columns = 0, numbers.shape[1] + 1
    for i in range(numbers.shape[0]):
        number = 0
        for column in range(columns + 1):
            start = label_ends[column]
            size = copy_bytes(labels, start, out, size, label_ends[column + 1] - start)
            if column == place:
                size = copy_bytes(data, spans[i, 0], out, size, spans[i, 1] - spans[i, 0])
            elif column < columns:
                k = i * (columns - 1) + number
                size = put_number(out, size, numbers[i, number], digits[k], np.int64(exponents[k]), null, powers)
                number += 1
    return size


@kernel(refcounts=False)
def measure_lines(data, size, spans, characters):
    """Find the lines of data[:size]: spans int64 (n, 2) without their ends, characters int64 (n,) likewise."""
    line, start, count = 0, 0, 0
    for i in range(size + 1):
        if i == size or data[i] == _NEWLINE:
            if i == size and start == size:
                break
            end = i
            if end > start and data[end - 1] == _RETURN:
                end -= 1
                count -= 1
            spans[line, 0], spans[line, 1], characters[line] = start, end, count
            line += 1
            start, count = i + 1, 0
        elif data[i] & 0xC0 != 0x80:
            count += 1
    return line


@kernel(refcounts=False)
def copy_kept(data, bounds, kept, out):
    """Write the pieces data[bounds[i]:bounds[i + 1]] for which kept[i] is set. Returns the bytes written.

    data has SPARE bytes at its end, out room for all pieces and SPARE more.
    """
    size = 0
    for i in range(kept.shape[0]):
        if kept[i]:
            size = copy_bytes(data, bounds[i], out, size, bounds[i + 1] - bounds[i])
    return size


@leaf
def hexadecimal(digit):
    """The character of a digit below 16."""
    return 48 + digit if digit < 10 else 87 + digit


@kernel(refcounts=False)
def escape_json(data, spans, out):
    """Write pieces of UTF-8 text as JSON strings without their quotes, and set spans to where they are in `out`.

    spans int64 (n, 2); out uint8 of six times their bytes. Returns the bytes written.
    """
    size = 0
    for i in range(spans.shape[0]):
        start = size
        for k in range(spans[i, 0], spans[i, 1]):
            byte = data[k]
            if byte < 32:
                out[size], out[size + 1], out[size + 2], out[size + 3] = _ESCAPE, 117, 48, 48
                out[size + 4], out[size + 5] = hexadecimal(byte >> 4), hexadecimal(byte & 15)
                size += 6
            else:
                if byte == _QUOTE or byte == _ESCAPE:
                    out[size] = _ESCAPE
                    size += 1
                out[size] = byte
                size += 1
        spans[i, 0], spans[i, 1] = start, size
    return size


@kernel(refcounts=False)
def gather_tokens(buffer, spans, count, mark, out, places):
    """Copy tokens one after the other; an empty span, the end of a line, is the text `mark`.

    spans int32 (>= count, 2) of `buffer`; out and mark with SPARE bytes; places int64 (count, 2).
    Returns the bytes written.
    """
    size = 0
    for i in range(count):
        start, end = np.int64(spans[i, 0]), np.int64(spans[i, 1])
        places[i, 0] = size
        if start == end:
            size = copy_bytes(mark, 0, out, size, mark.shape[0] - SPARE)
        else:
            size = copy_bytes(buffer, start, out, size, end - start)
        places[i, 1] = size
    return size


@kernel(refcounts=False)
def join_words(ids, arena, ends, out, spans):
    """Write the words of each row of ids int32 (n, k) with spaces between them; spans int64 (n, 2) say where.

    arena and out have SPARE bytes at their end. Returns the bytes written.
    """
    size = 0
    for i in range(ids.shape[0]):
        spans[i, 0] = size
        for k in range(ids.shape[1]):
            if k:
                out[size] = 32
                size += 1
            start = ends[ids[i, k]]
            size = copy_bytes(arena, start, out, size, ends[ids[i, k] + 1] - start)
        spans[i, 1] = size
    return size
