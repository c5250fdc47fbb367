"""The kernels for KenLM binary files against their twins."""

import naive_kenlm
import numpy as np
from hypothesis import given
from hypothesis import strategies as st

from textkit.kernels import kenlm


@given(st.data())
def test_read_fields_equals_shifts_of_one_long_number(data):
    bits, before, after = data.draw(st.integers(1, 57)), data.draw(st.integers(0, 70)), data.draw(st.integers(0, 70))
    count, width = data.draw(st.integers(0, 9)), before + bits + after
    size = (count * width + 7) // 8 + 8
    packed = data.draw(st.binary(min_size=size, max_size=size))
    values = np.empty(count, np.uint64)
    kenlm.read_fields(np.frombuffer(bytearray(packed), np.uint8), width, before, bits, values)
    assert values.tolist() == naive_kenlm.read_fields(packed, width, before, bits, count)


# Few bits that matter, high and low, so that many pairs give the same key and many keys share a bucket.
_terms = st.builds(lambda high, low: high << 61 | low, st.integers(0, 7), st.sampled_from([0, 1, 1 << 14, 1 << 26]))


@given(
    lefts=st.lists(_terms, max_size=12),
    rights=st.lists(_terms, max_size=12),
    keys=st.sets(_terms, min_size=1, max_size=12),
    bucket_bits=st.integers(1, 4),
    room=st.sampled_from([0, 3, 200]),
    data=st.data(),
)
def test_match_finds_every_pair(lefts, rights, keys, bucket_bits, room, data):
    def ranges(size):
        return st.tuples(st.integers(0, size), st.integers(0, size)).map(sorted)

    strips = data.draw(st.lists(st.tuples(ranges(len(rights)), ranges(len(lefts))).map(lambda r: r[0] + r[1])))
    ascending = np.array(sorted(keys), np.uint64)
    shift = np.uint64(64 - bucket_bits)
    starts, filled = np.empty((1 << bucket_bits) + 1, np.int64), np.zeros(1 << bucket_bits, np.uint64)
    kenlm.fill_filter(ascending, shift, starts, filled)
    assert starts.tolist() == [sum(key >> int(shift) < b for key in keys) for b in range(len(starts))]
    found, spare = np.full((len(keys), 2), -1, np.int64), np.zeros((room, 3), np.int64)
    extra = kenlm.match(
        np.array(strips, np.int64).reshape(-1, 4), np.array(lefts, np.uint64), np.array(rights, np.uint64), ascending,
        shift, starts, filled, found, spare,
    )  # fmt: skip
    expected = naive_kenlm.match(strips, lefts, rights, sorted(keys))
    assert extra == sum(max(0, len(pairs) - 1) for pairs in expected.values())
    assert [tuple(pair) for pair in found.tolist()] == [pairs[0] if pairs else (-1, -1) for pairs in expected.values()]
    if extra <= room:
        further = {(k, *pair) for k, pairs in enumerate(expected.values()) for pair in pairs[1:]}
        assert {tuple(row) for row in spare[:extra].tolist()} == further


def test_match_across_tiles_and_blocks():
    random = np.random.default_rng(5)
    lefts, rights = (np.sort(random.integers(0, 1 << 64, size, np.uint64)) for size in (1100, 7))
    pairs = random.integers(0, (1100, 7), (300, 2))
    pairs[:4] = [(0, 0), (1099, 6), (511, 3), (512, 3)]
    keys = np.unique(lefts[pairs[:, 0]] ^ rights[pairs[:, 1]])
    starts, filled = np.empty((1 << 8) + 1, np.int64), np.zeros(1 << 8, np.uint64)
    kenlm.fill_filter(keys, np.uint64(56), starts, filled)
    found, spare = np.full((len(keys), 2), -1, np.int64), np.zeros((1, 3), np.int64)
    strips = [[0, 3, 0, 1100], [3, 7, 0, 600], [3, 7, 600, 1100]]
    assert kenlm.match(np.array(strips), lefts, rights, keys, np.uint64(56), starts, filled, found, spare) == 0
    assert set(map(tuple, found.tolist())) == set(map(tuple, pairs.tolist()))
    assert (lefts[found[:, 0]] ^ rights[found[:, 1]]).tolist() == keys.tolist()
