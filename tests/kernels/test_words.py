"""The word table against a dict, and the small array kernels against their twins."""

from itertools import pairwise

import naive
import numpy as np
import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from textkit.kernels import words
from textkit.text.tokenizer import PADDING, text_buffer
from textkit.text.vocabulary import Vocabulary, WordTable

# Many equal words, words that are zero-extended forms of each other, and long ones that share beginnings and ends.
_short = st.lists(st.sampled_from([b"\0", b"a", b"b"]), min_size=1, max_size=9).map(b"".join)
_long = st.tuples(
    st.sampled_from([b"", b"abcdefgh", b"abcdefghabcdefgh"]), _short, st.sampled_from([b"", b"12345678", b"x" * 30])
).map(b"".join)
tokens = st.lists(_short | _long, max_size=60)


def spans_of(listed: list[bytes]) -> tuple[np.ndarray, np.ndarray]:
    """The words one after the other in a buffer, and their spans; an empty word is a line end."""
    edges = np.cumsum([0, *map(len, listed)])
    return text_buffer(b"".join(listed)), np.stack([edges[:-1], edges[1:]], axis=1).astype(np.int32)


def table_words(table: WordTable) -> list[bytes]:
    return [table.arena[a:b].tobytes() for a, b in zip(table.ends, table.ends[1 : table.words + 1], strict=False)]


def colliding_words() -> list[bytes]:
    """Three different words of 16 bytes whose keys are equal: the hash step can be undone by exclusive or."""
    first = [int.from_bytes(half, "little") for half in (b"collide!", b"collide?", b"someword")]
    last = [0x1122334455667788 ^ naive.mix(16 ^ first[0]) ^ naive.mix(16 ^ half) for half in first]
    return [a.to_bytes(8, "little") + b.to_bytes(8, "little") for a, b in zip(first, last, strict=True)]


@given(listed=tokens, capacity=st.sampled_from([1, 2, 4096]))
def test_intern_equals_a_dict_while_the_table_grows(listed, capacity):
    table = WordTable()
    table._allocate(capacity, 1)
    buffer, spans = spans_of(listed)
    half = len(listed) // 2
    ids = [*table.intern(buffer, spans[:half], half)[0], *table.intern(buffer, spans[half:], len(listed) - half)[0]]
    expected_ids, expected_words = naive.intern(listed)
    assert ids == expected_ids
    assert table_words(table) == expected_words
    assert table.counts[: table.words].tolist() == [listed.count(word) for word in expected_words]
    assert not table.counts[table.words :].any()


@given(
    listed=st.lists(st.sampled_from([b"", b"a", b"bb", b"ccccccccc"]), max_size=30), capacity=st.sampled_from([1, 64])
)
@example(listed=[b"a", b"", b"bb", b"", b""], capacity=1)
def test_line_ends_are_numbers_of_ids_before_them(listed, capacity):
    expected = [sum(map(bool, listed[:i])) for i, word in enumerate(listed) if not word]
    table = WordTable()
    table._allocate(capacity, 1)
    buffer, spans = spans_of(listed)
    ids, lines = table.intern(buffer, spans, len(listed))
    assert ids.tolist() == naive.intern(filter(None, listed))[0]
    assert lines.tolist() == expected
    assert Vocabulary.from_words(["a"]).look_up(buffer, spans, len(listed))[1].tolist() == expected


@given(listed=tokens, asked=tokens)
def test_look_up_equals_a_list_search(listed, asked):
    known = naive.intern(listed)[1]
    arena, ends = text_buffer(b"".join(known)), np.cumsum([0, *map(len, known)]).astype(np.int64)
    index = np.zeros(len(known) + 1, np.uint64)  # as full as a table may be
    assert words.fill_index(index, arena, ends, len(ends) - 1, False) == -1
    asked = [*asked, *known]
    done, ids = looked_up(asked, index, arena, ends)
    assert done == (len(asked), len(known), len(asked), 0)
    assert ids == naive.look_up(asked, known, 7777)


def looked_up(asked, index, arena, ends):
    buffer, spans = spans_of(asked)
    size = len(asked)
    scratch = np.empty(size, np.uint64), np.empty(size, np.uint64), np.empty(size, np.int64)
    ids, lines = np.empty(size, np.int32), np.empty(size, np.int32)
    counts = np.zeros(len(ends), np.int64)
    done = words.intern(buffer, spans, size, *scratch, index, arena, ends, counts, len(ends) - 1, 7777, ids, lines)
    assert not counts.any()
    return done, ids.tolist()


@given(listed=tokens)
@example(listed=[b"a", b"a\0", b"a"])
def test_fill_index_reports_the_first_duplicate(listed):
    arena, ends = text_buffer(b"".join(listed)), np.cumsum([0, *map(len, listed)]).astype(np.int64)
    index = np.zeros(len(listed) + 1, np.uint64)
    duplicates = [i for i, word in enumerate(listed) if word in listed[:i]]
    assert words.fill_index(index, arena, ends, len(ends) - 1, False) == (duplicates[0] if duplicates else -1)


@pytest.mark.parametrize(
    "listed",
    [
        [b"a", b"a\0", b"a\0\0", b"a\0\0\0\0\0\0\0", b"\0", b"\0\0"],
        [b"x" * n for n in range(1, 40)],
        colliding_words(),
    ],
    ids=["zero-extended", "repeated", "colliding"],
)
def test_words_with_equal_keys_are_not_merged(listed):
    buffer, spans = spans_of(listed)
    if len(listed) == 3:
        assert len({int(words.key_of(buffer, a, b)) for a, b in spans.tolist()}) == 1, "not a collision any more"
    table = WordTable()
    table._allocate(1, 1)
    ids, _ = table.intern(buffer, np.concatenate([spans, spans]), 2 * len(listed))
    assert ids.tolist() == [*range(len(listed))] * 2
    known = Vocabulary.from_words([word.decode("utf-8", "surrogateescape") for word in listed[1:]])
    assert known.look_up(buffer, spans, len(listed))[0].tolist() == [0, *range(3, 2 + len(listed))]


def test_words_that_share_a_home_slot_are_not_merged():
    listed = [f"w{i}".encode() for i in range(50)]
    buffer = spans_of(listed)[0]
    index = np.zeros(50, np.uint64)  # one free slot: nearly every search walks, and wraps around
    arena, ends = np.zeros(400, np.uint8), np.zeros(50, np.int64)
    ends[1:] = np.cumsum([len(word) for word in listed[:49]])
    arena[: ends[49]] = buffer[: ends[49]]
    assert words.fill_index(index, arena, ends, len(ends) - 1, False) == -1
    assert looked_up(listed, index, arena, ends)[1] == [*range(49), 7777]


def test_intern_stops_before_the_word_that_has_no_room():
    listed = [b"one", b"two", b"one", b"three", b"four"]
    buffer, spans = spans_of(listed)
    for slots, arena_size, ends_size in [(4, 99, 9), (99, 14, 9), (99, 99, 3)]:
        scratch = np.empty(5, np.uint64), np.empty(5, np.uint64), np.empty(5, np.int64)
        ids, lines, counts = np.empty(5, np.int32), np.empty(5, np.int32), np.zeros(8, np.int64)
        arena, ends = np.zeros(arena_size, np.uint8), np.zeros(ends_size, np.int64)
        index = np.zeros(slots, np.uint64)
        done = words.intern(buffer, spans, 5, *scratch, index, arena, ends, counts, 0, -1, ids, lines)
        assert done == (3, 2, 3, 0)
        assert counts.tolist() == [2, 1, 0, 0, 0, 0, 0, 0]


@given(listed=st.lists(st.binary(min_size=1, max_size=20), max_size=12, unique=True), data=st.data())
def test_gather_words(listed, data):
    order = data.draw(st.lists(st.integers(0, len(listed) - 1), max_size=15)) if listed else []
    ends = np.cumsum([0, *map(len, listed)]).astype(np.int64)
    expected = naive.gather_words(listed, order)
    out, out_ends = np.zeros(sum(map(len, expected)) + PADDING, np.uint8), np.zeros(len(order) + 1, np.int64)
    words.gather_words(text_buffer(b"".join(listed)), ends, np.array(order, np.int64), out, out_ends)
    assert [out[a:b].tobytes() for a, b in pairwise(out_ends)] == expected


@given(st.lists(st.integers(0, 9), max_size=40))
def test_remap_and_first_occurrences(listed):
    mapping = [7, 0, 3, 3, 9, 1, 1, 2, 8, 4]
    ids = np.array(listed, np.int32)
    first = np.full(10, len(listed), np.int64)
    words.first_occurrences(ids, first)
    assert first.tolist() == naive.first_occurrences(listed, 10)
    words.remap(ids, np.array(mapping, np.int32))
    assert ids.tolist() == naive.remap(listed, mapping)


@given(st.lists(st.lists(_short, max_size=15), min_size=1, max_size=4), st.randoms(use_true_random=False))
def test_a_table_notes_first_positions_whatever_the_order_of_blocks(blocks, random):
    """Of a block that comes late all words are looked at, of the others only new ones."""
    table, order = WordTable(), list(range(len(blocks)))
    random.shuffle(order)
    for number in order:
        buffer, spans = spans_of(blocks[number])
        table.note_first(table.intern(buffer, spans, len(spans))[0], 100 * number)
    places = {}
    for number, listed in enumerate(blocks):
        for place, word in enumerate(listed):
            places.setdefault(word, 100 * number + place)
    assert dict(zip(table_words(table), table.first[: table.words].tolist(), strict=True)) == places


@given(st.lists(_short, max_size=40), st.integers(0, 40), st.booleans())
def test_first_positions_do_not_depend_on_the_order_of_blocks(listed, cut, backwards):
    ids, known = naive.intern(listed)
    first = np.full(len(known), 10**6)
    blocks = [(ids[:cut], 0), (ids[cut:], cut)]
    for block, base in reversed(blocks) if backwards else blocks:
        words.lower_first(np.array(block, np.int32), base, 0, first)
    assert first.tolist() == [ids.index(i) for i in range(len(known))]


def digest_of(data: bytes) -> tuple[int, int]:
    state = np.zeros(2, np.uint64)
    words.digest(text_buffer(data), len(data), state)
    return int(state[0]), int(state[1])


@given(st.binary(min_size=1, max_size=40), st.data())
def test_digest_changes_with_every_bit_and_with_the_length(data, draw):
    bit = draw.draw(st.integers(0, 8 * len(data) - 1))
    changed = bytearray(data)
    changed[bit // 8] ^= 1 << bit % 8
    assert digest_of(data) != digest_of(bytes(changed))
    assert digest_of(data) != digest_of(data + b"\0")
    assert digest_of(data) == digest_of(bytes(data))
