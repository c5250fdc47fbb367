"""Byte scanners: UTF-8 text in, token spans out.

A span is a row (start, end) of byte positions; an empty span (start == end) stands for the end of a line,
at the position of its newline. All buffers carry at least 8 spare bytes behind the text, so that eight
bytes can be loaded at any position of it. A scanner stops when the spans array is full and returns where to
go on; one call never sees part of a token, since the caller cuts text only at line ends or ASCII spaces.
"""

import numpy as np

from .jit import equal_bits, kernel, leaf, load_u64, one_bits, trailing_zeros

# Classes of code points for the word scanner; `text.unicode` assigns them.
(
    OTHER, IGNORED, LETTER, DIGIT, HIRAGANA, KATAKANA, MARK, JOINER, APOSTROPHE, HYPHEN, POINT, CONNECTOR,
) = range(12)  # fmt: skip

UNCHANGED = 255  # page number in a character map

_LOW_7 = np.uint64(0x7F7F7F7F7F7F7F7F)
_ABOVE_SPACE = np.uint64(0x5F5F5F5F5F5F5F5F)
_HIGH_BIT = np.uint64(0x8080808080808080)
_CASE_BIT = np.uint64(0x2020202020202020)
_FROM_A = np.uint64(0x1F1F1F1F1F1F1F1F)
_ABOVE_Z = np.uint64(0x0505050505050505)
_FROM_0 = np.uint64(0x5050505050505050)
_ABOVE_9 = np.uint64(0x4646464646464646)
_NO_BITS, _ONE = np.uint64(0), np.uint64(1)
_BACKSPACE_TO_SPACE = np.int64(1 << 0 | 1 << 9 | 1 << 10 | 1 << 13 | 1 << 32)


@leaf
def next_low_byte(buffer, position, stop):
    """The first position >= `position` whose byte is at most 0x20, or `stop`; eight bytes a step."""
    while position < stop:
        word = load_u64(buffer, position)
        # A byte keeps its top bit clear only if it is at most 0x20: adding 0x5F carries all others into it.
        low = ~(((word & _LOW_7) + _ABOVE_SPACE) | word) & _HIGH_BIT
        if low != _NO_BITS:
            return min(position + (trailing_zeros(low) >> 3), stop)
        position += 8
    return stop


@leaf
def is_delimiter(byte):
    """Whether lmplz ends a word here: NUL, TAB, LF, CR or SPACE."""
    return byte <= 32 and (_BACKSPACE_TO_SPACE >> np.int64(byte)) & 1 == 1


@kernel(refcounts=False)
def count_marks(buffer, size):
    """(newlines, bytes that go on a UTF-8 character) in buffer[:size], eight bytes a step."""
    newlines, inner, position = np.int64(0), np.int64(0), 0
    while position + 64 <= size:
        newlines += one_bits(equal_bits(buffer, position, 10))
        for k in range(position, position + 64, 8):
            word = load_u64(buffer, k)
            inner += one_bits(word & ~(word << _ONE) & _HIGH_BIT)
        position += 64
    while position < size:
        newlines += buffer[position] == 10
        inner += buffer[position] & 0xC0 == 0x80
        position += 1
    return newlines, inner


@leaf
def edges_of(buffer, position, outside):
    """Where tokens begin and end in turn in the 64 bytes from `position` on, as bits, and where the newlines are.

    `outside` is 1 where no token goes on from before.
    """
    newlines = equal_bits(buffer, position, 10)
    blanks = equal_bits(buffer, position, 32) | newlines | equal_bits(buffer, position, 9)
    blanks |= equal_bits(buffer, position, 13) | equal_bits(buffer, position, 0)
    return blanks ^ ((blanks << _ONE) | outside), newlines


@leaf
def scan_pieces(buffer, position, stop, spans):
    """As `scan_whitespace`, 64 bytes a step while there is room for what may be in them (Langdale and Lemire 2019).

    Stops with whole tokens: a last one that does not end in these pieces is left.
    """
    count, room = np.int64(0), spans.shape[0] - 66
    start, outside = position, _ONE
    while position + 64 <= stop and count <= room:
        edges, newlines = edges_of(buffer, position, outside)
        if newlines == _NO_BITS:
            if outside == _NO_BITS and edges != _NO_BITS:
                spans[count, 0], spans[count, 1] = start, position + trailing_zeros(edges)
                count += 1
                edges &= edges - _ONE
                outside = _ONE
            for _ in range(one_bits(edges) >> 1):
                spans[count, 0] = position + trailing_zeros(edges)
                edges &= edges - _ONE
                spans[count, 1] = position + trailing_zeros(edges)
                edges &= edges - _ONE
                count += 1
            if edges != _NO_BITS:
                start, outside = position + trailing_zeros(edges), _NO_BITS
        else:
            places = edges | newlines
            while places != _NO_BITS:
                lowest = places & (~places + _ONE)
                place = position + trailing_zeros(places)
                places ^= lowest
                if edges & lowest != _NO_BITS:
                    if outside == _NO_BITS:
                        spans[count, 0], spans[count, 1] = start, place
                        count += 1
                    start = place
                    outside ^= _ONE
                if newlines & lowest != _NO_BITS:
                    spans[count, 0] = spans[count, 1] = place
                    count += 1
        position += 64
    return start if outside == _NO_BITS else position, count


@kernel(refcounts=False)
def scan_whitespace(buffer, position, stop, spans):
    """Split as lmplz does, on bytes, without decoding (KenLM lm/builder/corpus_count.cc).

    buffer uint8 (>= stop + 8,), spans int32 (S, 2) filled from row 0.
    Returns (position to go on from, number of spans).
    """
    position, count = scan_pieces(buffer, position, stop, spans)
    room = spans.shape[0]
    while position < stop and count < room:
        if is_delimiter(buffer[position]):
            if buffer[position] == 10:
                spans[count, 0] = spans[count, 1] = position
                count += 1
            position += 1
            continue
        end = next_low_byte(buffer, position, stop)
        while end < stop and not is_delimiter(buffer[end]):  # a control character inside a word
            end = next_low_byte(buffer, end + 1, stop)
        spans[count, 0], spans[count, 1] = position, end
        count += 1
        position = end
    return position, count


@kernel(refcounts=False)
def character_length(buffer, position, stop):
    """Bytes of the well-formed UTF-8 sequence at `position`, or 0 (Unicode, table 3-7)."""
    first = buffer[position]
    if first < 0x80:
        return 1
    if first < 0xC2 or first > 0xF4:
        return 0
    length = 2 if first < 0xE0 else (3 if first < 0xF0 else 4)
    if position + length > stop:
        return 0
    low, high = 0x80, 0xBF
    if first == 0xE0:
        low = 0xA0
    elif first == 0xED:
        high = 0x9F
    elif first == 0xF0:
        low = 0x90
    elif first == 0xF4:
        high = 0x8F
    if buffer[position + 1] < low or buffer[position + 1] > high:
        return 0
    for i in range(2, length):
        if buffer[position + i] & 0xC0 != 0x80:
            return 0
    return length


@kernel(refcounts=False)
def code_point(buffer, position, length):
    """The code point of a well-formed sequence of `length` bytes."""
    first = np.int64(buffer[position])
    if length == 1:
        return first
    value = first & (0x7F >> length)
    for i in range(1, length):
        value = value << 6 | (np.int64(buffer[position + i]) & 0x3F)
    return value


@kernel(refcounts=False)
def first_invalid(buffer, position, stop):
    """The first position that begins no well-formed UTF-8 sequence, or `stop`."""
    while position < stop:
        if position + 8 <= stop and load_u64(buffer, position) & _HIGH_BIT == _NO_BITS:
            position += 8
            continue
        length = character_length(buffer, position, stop)
        if length == 0:
            return position
        position += length
    return stop


@kernel(refcounts=False)
def wide_class(buffer, position, stop, pages, classes):
    """`class_at` for a byte above 0x7F."""
    length = character_length(buffer, position, stop)
    if length == 0:
        return IGNORED, 1
    point = code_point(buffer, position, length)
    return np.int64(classes[pages[point >> 8], point & 255]), length


@leaf
def class_at(buffer, position, stop, pages, classes):
    """(class, byte length) of the character at `position`; a byte that is not UTF-8 is ignored alone.

    pages uint8 (0x110000 / 256,), classes uint8 (P, 256): the class of c is classes[pages[c >> 8], c & 255].
    """
    kind, length = np.int64(classes[0, buffer[position]]), 1
    if buffer[position] >= 0x80:
        kind, length = wide_class(buffer, position, stop, pages, classes)
    return kind, length


@leaf
def joins(joint, before, after):
    """Whether a joining character holds a word together between a letter or digit on each side.

    Apostrophes need a letter after them (don't, 90's), hyphens a letter on one side (e-mail, 19-year-old,
    not 1990-1995), points and commas digits on both (3.14, 1,000), underscores anything.
    """
    if after != LETTER and after != DIGIT:
        return False
    if joint == APOSTROPHE:
        return after == LETTER
    if joint == HYPHEN:
        return before == LETTER or after == LETTER
    if joint == POINT:
        return before == DIGIT and after == DIGIT
    return joint == CONNECTOR


@kernel(refcounts=False)
def word_end(buffer, position, stop, before, pages, classes):
    """The end of a word or number of which everything before `position` is known; `before` is its last class."""
    while position < stop:
        kind, length = class_at(buffer, position, stop, pages, classes)
        if kind == MARK or kind == JOINER:
            position += length
        elif kind == LETTER or kind == DIGIT:
            before = kind
            position += length
        else:
            if kind < APOSTROPHE or position + length >= stop:
                return position
            after, more = class_at(buffer, position + length, stop, pages, classes)
            if not joins(kind, before, after):
                return position
            before = after
            position += length + more
    return position


@kernel(refcounts=False)
def run_end(buffer, position, stop, wanted, pages, classes):
    """The end of a run of characters of class `wanted`, marks and joiners."""
    while position < stop:
        kind, length = class_at(buffer, position, stop, pages, classes)
        if kind != wanted and kind != MARK and kind != JOINER:
            return position
        position += length
    return position


@leaf
def ascii_run_end(buffer, position):
    """The first position >= `position` that is no ASCII letter or digit; eight bytes a step."""
    rest = _NO_BITS
    while rest == _NO_BITS:
        word = load_u64(buffer, position)
        low = word & _LOW_7
        small = low | _CASE_BIT
        # In each byte, adding 0x80 - c to a value below 0x80 sets the top bit if the value is at least c.
        letter = (small + _FROM_A) & ~(small + _ABOVE_Z)
        digit = (low + _FROM_0) & ~(low + _ABOVE_9)
        rest = ~(letter | digit) & _HIGH_BIT | word & _HIGH_BIT
        position += trailing_zeros(rest) >> 3
    return position


@kernel(refcounts=False)
def scan_word(buffer, position, stop, spans, pages, classes):
    """The `word` tokenizer; `text.tokenizer.WORD_PATTERN` is its definition. Arguments as in scan_whitespace."""
    count, room = 0, spans.shape[0]
    while position < stop and count < room:
        if buffer[position] == 32:
            position += 1
            continue
        start = position
        # Most words are ASCII letters up to a space: step over them here, leave the rest to word_end.
        position = min(ascii_run_end(buffer, position), stop)
        if position > start:
            after = classes[0, buffer[position]]
            if buffer[position] >= 0x80 or (after >= APOSTROPHE and buffer[position + 1] > 32):
                before = np.int64(classes[0, buffer[position - 1]])
                position = word_end(buffer, position, stop, before, pages, classes)
        elif buffer[position] != 10:
            kind, length = class_at(buffer, position, stop, pages, classes)
            position += length
            if kind == LETTER or kind == DIGIT:
                position = word_end(buffer, position, stop, kind, pages, classes)
            elif kind == IGNORED or kind == JOINER:
                continue
            elif kind == HIRAGANA or kind == KATAKANA:
                position = run_end(buffer, position, stop, kind, pages, classes)
            elif buffer[position] >= 0x80:
                position = run_end(buffer, position, stop, np.int64(MARK), pages, classes)
        spans[count, 0], spans[count, 1] = start, position
        count += 1
        if start == position:
            position += 1
    return position, count


@kernel(refcounts=False)
def scan_char(buffer, position, stop, spans):
    """Every well-formed character, or single stray byte, is a token; newlines end lines."""
    count, room = 0, spans.shape[0]
    while position < stop and count < room:
        if buffer[position] == 10:
            spans[count, 0] = spans[count, 1] = position
            position += 1
        else:
            length = max(1, character_length(buffer, position, stop))
            spans[count, 0], spans[count, 1] = position, position + length
            position += length
        count += 1
    return position, count


@kernel(refcounts=False)
def put_character(out, size, point):
    """Write the UTF-8 form of `point` at out[size:]; returns the new size."""
    if point < 0x80:
        out[size] = point
        return size + 1
    if point < 0x800:
        out[size] = 0xC0 | point >> 6
        out[size + 1] = 0x80 | point & 0x3F
        return size + 2
    if point < 0x10000:
        out[size] = 0xE0 | point >> 12
        out[size + 1] = 0x80 | point >> 6 & 0x3F
        out[size + 2] = 0x80 | point & 0x3F
        return size + 3
    out[size] = 0xF0 | point >> 18
    out[size + 1] = 0x80 | point >> 12 & 0x3F
    out[size + 2] = 0x80 | point >> 6 & 0x3F
    out[size + 3] = 0x80 | point & 0x3F
    return size + 4


@kernel(refcounts=False)
def map_characters(buffer, stop, out, pages, mapped):
    """Replace each character by up to three others; bytes that are not UTF-8 stay.

    pages uint8 (0x110000 / 256,), mapped uint32 (P, 256, 3): the images of c are mapped[pages[c >> 8], c & 255],
    0 where there are fewer; c itself where its page is UNCHANGED; ASCII maps to one ASCII character.
    out uint8 (>= 3 * stop + 8,). Returns the size of the result.
    """
    position, size = np.int64(0), np.int64(0)
    while position < stop:
        byte = buffer[position]
        if byte < 0x80:
            out[size] = mapped[0, byte, 0]
            size += 1
            position += 1
            continue
        length = character_length(buffer, position, stop)
        if length == 0:
            out[size] = byte
            size += 1
            position += 1
            continue
        point = code_point(buffer, position, length)
        page = pages[point >> 8]
        if page == UNCHANGED:
            size = put_character(out, size, point)
        else:
            for i in range(3):
                if mapped[page, point & 255, i] != 0:
                    size = put_character(out, size, np.int64(mapped[page, point & 255, i]))
        position += length
    return size


@kernel(refcounts=False)
def mark_spaces(buffer, stop, out, pages, classes):
    """For the `char` tokenizer: runs of white space inside a line become one U+2581, at its ends they go.

    `classes` holds 1 for white space. out uint8 (>= 3 * stop + 8,). Returns the size of the result.
    """
    position, size = np.int64(0), np.int64(0)
    pending = False  # white space seen since the last character of this line
    empty = True  # no character seen yet in this line
    while position < stop:
        kind, length = class_at(buffer, position, stop, pages, classes)
        if character_length(buffer, position, stop) == 0:
            kind = 0
        if buffer[position] == 10:
            out[size] = 10
            size += 1
            pending, empty = False, True
        elif kind == 1:
            pending = True
        else:
            if pending and not empty:
                size = put_character(out, size, np.int64(0x2581))
            pending, empty = False, False
            for i in range(length):
                out[size + i] = buffer[position + i]
            size += length
        position += length
    return size


@kernel(refcounts=False)
def join_tokens(buffer, spans, n_spans, out, size, fresh):
    """Write tokens set apart by one space, and newlines for line ends, at out[size:].

    `fresh` says that nothing of the line has been written yet. Returns (new size, fresh).
    """
    for i in range(n_spans):
        start, end = spans[i, 0], spans[i, 1]
        if start == end:
            out[size] = 10
            size += 1
            fresh = True
            continue
        if not fresh:
            out[size] = 32
            size += 1
        fresh = False
        for k in range(start, end):
            out[size] = buffer[k]
            size += 1
    return size, fresh
