"""Choosing lines by limits and by exact quantiles in bounded memory."""

import naive_tables
import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from textkit.errors import UsageError
from textkit.ngram.selection import Judge, Selection, Spool

VALUE = st.one_of(st.floats(-1e6, 1e6), st.sampled_from([0.0, 1.0, float("inf"), -2.5]))
VALUES = st.lists(VALUE, min_size=1, max_size=40)
SHARES = st.lists(st.floats(0.001, 1), min_size=1, max_size=4)


@given(VALUES, SHARES, st.integers(1, 7))
def test_limits_are_those_of_the_sorted_values(values, shares, size):
    numbers = np.column_stack([np.zeros(len(values)), values, np.arange(len(values))])
    with Spool(1) as spool:
        for first in range(0, len(values), size):
            spool.append(numbers[first : first + size])
        assert spool.limits(shares).tolist() == [naive_tables.quantile(values, share) for share in shares]
        assert np.concatenate(list(spool)).tolist() == numbers.tolist()


@given(VALUES, st.integers(2, 6))
def test_buckets_hold_equal_shares(values, buckets):
    distinct = sorted({np.float32(v) for v in values})
    selection = Selection(buckets=buckets)
    with Spool(0) as spool:
        spool.append(np.array(distinct, np.float64)[:, None])
        found = Judge(selection, spool.limits(selection.shares())).buckets(np.array(distinct, np.float64))
    assert found.tolist() == sorted(found.tolist())
    sizes = np.bincount(found, minlength=buckets + 1)[1:]
    if len(distinct) >= buckets:
        assert sizes.max() - sizes.min() <= 1
    assert set(found.tolist()) <= set(range(1, buckets + 1))


def test_percentile_and_buckets_together():
    selection = Selection(percentile=50, buckets=2, below=9)
    assert selection.shares() == [0.5, 0.5]
    judge = Judge(selection, np.array([2, 3], np.float32))
    assert judge.kept(np.array([1.0, 2.0, 3.0])).tolist() == [True, True, False]
    assert judge.buckets(np.array([1.0, 3.0, 4.0])).tolist() == [1, 1, 2]


def test_limits_on_both_sides():
    judge = Judge(Selection(above=1, below=3), np.zeros(0, np.float32))
    assert judge.kept(np.array([1.0, 1.5, 3.0, np.inf])).tolist() == [False, True, False, False]


def test_nothing_to_rank():
    with Spool(0) as spool:
        assert spool.limits([0.5]).tolist() == [0]


IMPOSSIBLE = [("percentile", 0), ("percentile", 101), ("percentile", np.nan), ("buckets", 1), ("below", np.nan)]


@pytest.mark.parametrize(("name", "value"), IMPOSSIBLE)
def test_impossible_selections(name, value):
    with pytest.raises(UsageError):
        Selection(**{name: value})
