"""Numbers of few bits against strings of bits."""

import naive_ngram
import numpy as np
from hypothesis import given
from hypothesis import strategies as st

from textkit.kernels import bits


@st.composite
def tables(draw):
    """Widths of three columns and their numbers; the last may be longer by one."""
    widths = draw(st.tuples(st.integers(1, 32), st.integers(0, 32), st.integers(0, 32)))
    size = draw(st.integers(0, 20))
    return widths, [draw(st.lists(st.integers(0, 2**w - 1), min_size=size, max_size=size)) for w in widths]


def packed(columns, widths, shift, rows):
    out = np.full(rows * sum(widths) // 8 + 1 + bits.SPARE, 255, np.uint8)
    arrays = tuple(np.array(c if w else [], np.uint32) for c, w in zip(columns, widths, strict=True))
    bits.pack(arrays, np.array(widths), shift, 0, rows, out)
    return out


@given(tables(), st.integers(0, 9))
def test_pack_equals_a_string_of_bits(table, shift):
    widths, (a, b, c) = table
    c = [n % (2**32 - shift) for n in [*c, 1]]  # one more row than the other columns have
    out = packed((a, b, [n + shift for n in c]), widths, shift, len(c))
    records = [(*ab, n % 2 ** widths[2]) for ab, n in zip([*zip(a, b, strict=True), (0, 0)], c, strict=True)]
    size = (len(c) * sum(widths) + 7) // 8
    assert out[:size].tobytes() == naive_ngram.bit_string(records, widths)


@given(tables(), st.integers(0, 9), st.integers(1, 31))
def test_unpack_undoes_pack(table, shift, word_width):
    _, (a, b, c) = table
    words = [n % 2**word_width for n in b]
    log_p = -np.array(a, np.uint32).astype(np.float32)
    backoff = np.array(b, np.uint32).astype(np.float32) - np.float32(1000)
    edges = np.array([*(n % 2**31 for n in c), 7], np.uint32)
    first = packed((words, [], []), (word_width, 0, 0), 0, len(words))
    second = packed((log_p.view(np.uint32), backoff.view(np.uint32), edges), (31, 32, 31), 0, len(edges))
    layout = np.zeros((3, bits.FIELDS), np.int64)
    layout[1] = 3, 3 + len(first), len(words), word_width, 31, 32, 31, -1, -1
    layout[2, bits.SIZE] = 2**31
    data = np.concatenate([np.zeros(3, np.uint8), first, second])
    n = len(words)
    found = np.empty(n, np.int32), np.empty(n, np.float32), np.empty(n, np.float32), np.empty(n, np.uint32)
    bits.unpack(data, layout, np.zeros(0, np.float32), 1, 0, n, shift, *found)
    assert found[0].tolist() == words
    assert found[1].tobytes() == (log_p + np.float32(0)).tobytes()
    assert found[2].tobytes() == backoff.tobytes()
    assert found[3].tolist() == (edges[:n].astype(np.int64) + shift).tolist()
