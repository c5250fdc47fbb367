"""Merging and renumbering kernels against dictionaries."""

from collections import Counter, defaultdict

import numpy as np
from hypothesis import given
from hypothesis import strategies as st

from textkit.kernels import merging

KEYS = st.dictionaries(st.tuples(st.integers(0, 5), st.integers(0, 2**31 - 1)), st.integers(1, 9), max_size=12)


def packed(key):
    return key[0] << 32 | key[1]


@given(st.lists(st.tuples(KEYS, st.integers(-2, 3)), min_size=1, max_size=9))
def test_merged_runs_are_the_weighted_sum(runs):
    listed = [sorted(run.items()) for run, _ in runs]
    bounds = np.cumsum([0, *map(len, listed)])
    keys = np.array([packed(key) for run in listed for key, _ in run], np.uint64)
    counts = np.array([count for run in listed for _, count in run], np.int32)
    suffixes = (keys & np.uint64(0xFFFF)).astype(np.uint32)
    weights = np.array([weight for _, weight in runs])
    scratch = [np.empty(len(runs), t) for t in (np.int64, np.int64, np.uint64)]
    places, new_keys = np.empty(len(keys), np.uint32), np.empty(len(keys), np.uint64)
    new_counts, new_suffixes = np.empty(len(keys), np.int64), np.empty(len(keys), np.uint32)
    size = merging.merge_runs(
        keys, counts, suffixes, bounds, weights, *scratch, places, new_keys, new_counts, new_suffixes
    )
    expected = Counter()
    for run, weight in runs:
        for key, count in run.items():
            expected[packed(key)] += weight * count
    assert list(zip(new_keys[:size].tolist(), new_counts[:size].tolist(), strict=True)) == sorted(expected.items())
    assert (new_suffixes[:size] == new_keys[:size] & np.uint64(0xFFFF)).all()
    assert (new_keys[places] == keys).all()
    words, edges = np.empty(size, np.int32), np.empty(7, np.uint32)
    merging.split_keys(new_keys, size, 0, words, edges)
    assert words.tolist() == [key & 0xFFFFFFFF for key in sorted(expected)]
    assert edges.tolist() == [sum(key >> 32 < context for key in expected) for context in range(7)]


def groups_and_children():
    """Contexts' new numbers without gaps, and for each context its continuations."""
    children = st.dictionaries(st.integers(0, 59), st.integers(1, 5), max_size=60)
    return st.lists(st.tuples(st.integers(0, 3), children), min_size=1, max_size=6)


@given(groups_and_children(), st.lists(st.integers(0, 59), min_size=60, max_size=60))
def test_a_renumbered_level_is_sorted_and_adds_up(contexts, ids):
    used = sorted({group for group, _ in contexts})
    groups = np.array([used.index(group) for group, _ in contexts], np.uint32)
    order = np.argsort(groups, kind="stable").astype(np.uint32)
    edges = np.cumsum([0, *(len(c) for _, c in contexts)]).astype(np.uint32)
    words = np.array([word for _, c in contexts for word in sorted(c)], np.int32)
    counts = np.array([c[word] for _, c in contexts for word in sorted(c)], np.int32)
    ids, total = np.array(ids, np.int32), len(words)
    most = merging.most_continuations(groups, edges, np.zeros(len(used), np.int64))
    assert most == np.bincount(groups, [len(c) for _, c in contexts]).max()
    new_order, numbers = np.empty(total, np.uint32), np.empty(total, np.uint32)
    new_words, new_counts = np.empty(total, np.int32), np.empty(total, np.int32)
    new_edges, scratch = np.empty(len(used) + 1, np.uint32), np.empty(most, np.uint64)
    size = merging.renumber_level(
        order, groups, edges, words, counts, ids, scratch, new_order, numbers, new_words, new_counts, new_edges
    )
    expected = defaultdict(int)
    for group, (_, children) in zip(groups.tolist(), contexts, strict=True):
        for word, count in children.items():
            expected[group, int(ids[word])] += count
    found = [
        ((context, int(new_words[i])), int(new_counts[i]))
        for context in range(len(used))
        for i in range(new_edges[context], new_edges[context + 1])
    ]
    assert found == sorted(expected.items())
    assert size == len(expected)
    assert (new_words[numbers] == ids[words]).all()
    assert sorted(new_order.tolist()) == list(range(total))
    assert (np.diff(numbers[new_order].astype(int)) >= 0).all()


def test_a_sum_above_the_greatest_count_is_told():
    arrays = [np.array(a, t) for a, t in (([0], "u4"), ([0], "u4"), ([0, 2], "u4"), ([0, 1], "i4"))]
    outs = [np.empty(2, t) for t in ("u8", "u4", "u4", "i4", "i4", "u4")]
    for counts, size in (([2**31 - 2, 1], 1), ([2**31 - 1, 1], -1)):
        assert merging.renumber_level(*arrays, np.array(counts, "i4"), np.zeros(2, "i4"), *outs) == size
