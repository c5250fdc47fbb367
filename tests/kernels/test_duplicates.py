"""Digests, signatures and similarities of lists, against twins in plain Python."""

import naive_duplicates as naive
import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from textkit.classify.labelling import Ragged
from textkit.kernels import duplicates as kernels

lists = st.lists(st.lists(st.integers(0, 5), max_size=9), min_size=1, max_size=6)


@given(lists)
def test_digests(ids):
    ragged, out = Ragged.from_lists(ids), np.empty((len(ids), 2), np.uint64)
    kernels.digest_lists(ragged.ids, ragged.offsets, out)
    assert [tuple(row) for row in out.tolist()] == [naive.digest(one) for one in ids]
    assert len(set(map(tuple, out.tolist()))) == len(set(map(tuple, ids)))


@given(lists, st.integers(1, 4), st.sampled_from([2, 8]))
def test_signatures_and_bands(ids, n, bins):
    ragged, out = Ragged.from_lists(ids), np.empty((len(ids), bins), np.uint64)
    kernels.signatures(ragged.ids, ragged.offsets, np.arange(len(ids))[::-1].copy(), n, out)
    expected = [naive.signature(one, n, bins) for one in ids[::-1]]
    assert out.tolist() == expected
    keys = np.empty(len(ids), np.uint64)
    kernels.band_keys(out, bins // 2, bins // 2, keys)
    assert keys.tolist() == [naive.band_key(one, bins // 2, bins // 2) for one in expected]


@given(lists, st.integers(1, 4), st.data())
def test_similarities(ids, n, data):
    number = st.integers(0, len(ids) - 1)
    pairs = np.array(data.draw(st.lists(st.tuples(number, number), min_size=1, max_size=5)), np.int64)
    ragged, out = Ragged.from_lists(ids), np.empty(len(pairs), np.float32)
    scratch = np.empty(10, np.uint64), np.empty(10, np.uint64)
    kernels.similarities(ragged.ids, ragged.offsets, pairs, n, *scratch, out)
    expected = [naive.similarity(ids[a], ids[b], n) for a, b in pairs.tolist()]
    assert out.tolist() == pytest.approx(expected)
