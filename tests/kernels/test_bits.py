"""Packed records against plain integers."""

import naive_ngram
import numpy as np
from hypothesis import given
from hypothesis import strategies as st

from textkit.kernels import bits


@st.composite
def levels(draw):
    """A level's layout row and its columns of numbers, as many as fit their widths."""
    widths = draw(st.tuples(st.integers(0, 31), st.integers(1, 32), st.integers(1, 32), st.integers(1, 32)))
    size = draw(st.integers(0, 20))
    columns = [draw(st.lists(st.integers(0, 2**w - 1), min_size=size + 1, max_size=size + 1)) for w in widths]
    return widths, size, columns


@given(levels(), st.sampled_from([0, 3, 64]), st.integers(0, 9))
def test_pack_equals_a_string_of_bits(level, base, shift):
    widths, size, (words, log_p, backoff, edges) = level
    layout = np.zeros((2, bits.FIELDS), np.int64)
    layout[0] = base, size, *widths, -1, -1
    layout[1, bits.SIZE] = 2**32 - 1
    words[size] = log_p[size] = backoff[size] = 0  # the record that ends the last one's children has only an edge
    total = (size + 1) * sum(widths)
    out = np.zeros(total // 8 + 1 + bits.SPARE, np.uint8)
    moved = np.minimum(np.array(edges, np.int64) + shift, 2**32 - 1).astype(np.uint32)
    edges = (moved.astype(np.int64) - shift).tolist()
    bits.pack(
        np.array(words, np.int32), np.array(log_p, np.uint32), np.array(backoff, np.uint32), moved, shift,
        layout, 0, 0, size + 1, out,
    )  # fmt: skip
    records = list(zip(words, log_p, backoff, [e % 2 ** widths[3] for e in edges], strict=True))
    assert out[: (total + 7) // 8].tobytes() == naive_ngram.bit_string(records, widths)


@given(levels(), st.integers(0, 9))
def test_unpack_undoes_pack(level, shift):
    widths, size, (words, log_p, backoff, edges) = level
    layout = np.zeros((2, bits.FIELDS), np.int64)
    layout[0] = 3, size, widths[0], 31, 32, widths[3], -1, -1
    layout[1, bits.SIZE] = 2**32 - 1
    probabilities = -np.array(log_p, np.uint32).astype(np.float32)
    weights = np.array(backoff, np.uint32).astype(np.float32) - np.float32(1000)
    total = (size + 1) * (widths[0] + 31 + 32 + widths[3])
    packed = np.zeros(total // 8 + 1 + bits.SPARE, np.uint8)
    edges = np.minimum(np.array(edges, np.int64), 2**32 - 10)
    bits.pack(
        np.array(words, np.int32), probabilities.view(np.uint32), weights.view(np.uint32),
        (edges + shift).astype(np.uint32), shift, layout, 0, 0, size + 1, packed,
    )  # fmt: skip
    data = np.concatenate([np.zeros(3, np.uint8), packed])
    found = np.empty(size, np.int32), np.empty(size, np.float32), np.empty(size, np.float32), np.empty(size, np.uint32)
    bits.unpack(data, layout, np.zeros(0, np.float32), 0, 0, size, shift, *found)
    assert found[0].tolist() == (words[:size] if widths[0] else [*range(size)])
    assert found[1].tobytes() == (probabilities[:size] + np.float32(0)).tobytes()
    assert found[2].tobytes() == weights[:size].tobytes()
    assert found[3].tolist() == (edges[:size] + shift).tolist()
