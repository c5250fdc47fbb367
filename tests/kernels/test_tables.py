"""Rows of results, against their plain twins."""

import json

import naive_tables
import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from textkit.kernels import tables
from textkit.kernels.floats import POWERS, find_decimals
from textkit.text.tokenizer import text_buffer

NUMBERS = st.one_of(
    st.integers(-(10**12), 10**12).map(float),
    st.floats(-1e4, 1e4, width=32).filter(lambda x: x == int(x) or abs(x) >= 1e-3),
    st.sampled_from([float("nan"), float("inf"), -float("inf"), 1e39, -1e300, 0.0, -0.0]),
)
TEXT = st.text(st.characters(codec="utf-8"), max_size=12).map(str.encode)


def joined(texts):
    ends = np.cumsum([0, *map(len, texts)], dtype=np.int64)
    return text_buffer(b"".join(texts)), np.stack([ends[:-1], ends[1:]], axis=1)


def written(numbers, buffer, spans, place, labels, null):
    values, count = np.array(numbers, np.float64), len(numbers)
    values = values.reshape(count, len(labels) - 2)
    digits, exponents = find_decimals(values.reshape(-1))
    ends = np.cumsum([0, *map(len, labels)], dtype=np.int64)
    out = np.zeros(len(buffer) + int(ends[-1]) * count + tables.NUMBER_ROOM * values.size + tables.SPARE, np.uint8)
    text = text_buffer(b"".join(labels))
    size = tables.write_rows(values, digits, exponents, buffer, spans, place, text, ends, null, POWERS, out)
    return out[:size].tobytes()


@given(st.data(), st.integers(0, 4), st.lists(TEXT, max_size=5), st.booleans())
def test_write_rows(data, columns, texts, null):
    row = st.lists(NUMBERS, min_size=columns, max_size=columns)
    numbers = data.draw(st.lists(row, min_size=len(texts), max_size=len(texts)))
    labels = data.draw(st.lists(TEXT, min_size=columns + 2, max_size=columns + 2))
    place = data.draw(st.integers(0, columns))
    found = written(numbers, *joined(texts), place, labels, null)
    assert found == naive_tables.rows(numbers, texts, place, labels, null)


@pytest.mark.parametrize(("value", "shown"), [(0.1, "0.1"), (1e-7, "1e-7"), (-2.5, "-2.5"), (3e9, "3000000000")])
def test_numbers_by_hand(value, shown):
    assert written([[value]], *joined([b""]), 0, [b"", b"", b"\n"], False).decode() == shown + "\n"


@given(
    st.lists(st.sampled_from([b"a", b"\n", b"\r", b"\r\n", "é".encode(), "音".encode(), b" "]), max_size=30).map(
        b"".join
    )
)
def test_measure_lines(data):
    expected = naive_tables.lines(data)
    spans, characters = np.empty((len(expected), 2), np.int64), np.empty(len(expected), np.int64)
    assert tables.measure_lines(text_buffer(data), len(data), spans, characters) == len(expected)
    assert [(a, b, c) for (a, b), c in zip(spans.tolist(), characters.tolist(), strict=True)] == expected


@given(st.lists(st.tuples(TEXT, st.booleans()), max_size=8))
def test_copy_kept(pieces):
    texts, kept = [t for t, _ in pieces], np.array([k for _, k in pieces], np.bool_)
    buffer, _ = joined(texts)
    bounds, out = np.cumsum([0, *map(len, texts)], dtype=np.int64), np.zeros(len(buffer), np.uint8)
    size = tables.copy_kept(buffer, bounds, kept, out)
    assert out[:size].tobytes() == b"".join(t for t, k in pieces if k)


@given(st.lists(TEXT, max_size=6))
def test_escape_json_reads_back(texts):
    buffer, spans = joined(texts)
    out = np.zeros(6 * len(buffer), np.uint8)
    size = tables.escape_json(buffer, spans, out)
    shown = [out[a:b].tobytes().decode() for a, b in spans.tolist()]
    assert [json.loads(f'"{text}"').encode() for text in shown] == texts
    assert sum(map(len, (text.encode() for text in shown))) == size


@given(st.lists(st.sampled_from([b"", b"a", b"bcd", "é".encode() * 6]), max_size=12))
def test_gather_tokens(tokens):
    buffer, spans = joined(tokens)
    out, found = np.zeros(200, np.uint8), np.zeros((len(tokens), 2), np.int64)
    size = tables.gather_tokens(buffer, spans.astype(np.int32), len(tokens), text_buffer(b"</s>"), out, found)
    assert [out[a:b].tobytes() for a, b in found.tolist()] == [token or b"</s>" for token in tokens]
    assert size == sum(len(token or b"</s>") for token in tokens)


@settings(max_examples=50)
@given(st.data(), st.integers(1, 4))
def test_join_words(data, k):
    words = [b"<unk>", b"a", "ü".encode(), b"long-word-of-many-bytes"]
    ids = np.array(
        data.draw(st.lists(st.lists(st.integers(0, 3), min_size=k, max_size=k), max_size=6)), np.int32
    ).reshape(-1, k)
    arena, spans = joined(words)
    ends = np.concatenate([[0], spans[:, 1]])
    out, found = np.zeros(1000, np.uint8), np.zeros((len(ids), 2), np.int64)
    tables.join_words(ids, arena, ends, out, found)
    assert [out[a:b].tobytes() for a, b in found.tolist()] == [b" ".join(words[i] for i in row) for row in ids.tolist()]
