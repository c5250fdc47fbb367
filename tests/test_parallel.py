"""Threads over a stream: order, bounds and failures."""

import threading
import time

import pytest
from hypothesis import given
from hypothesis import strategies as st

from textkit.errors import UsageError
from textkit.parallel import ordered_map, split_evenly, thread_count


@pytest.mark.parametrize("threads", [1, 2, 4])
def test_results_are_in_order_whoever_is_first(threads):
    def slow_if_even(i):
        time.sleep(0.004 * (i % 2 == 0))
        return i * i

    assert list(ordered_map(slow_if_even, range(20), threads)) == [i * i for i in range(20)]


@pytest.mark.parametrize("threads", [1, 2, 3])
def test_items_are_drawn_a_bounded_number_ahead(threads):
    drawn = 0

    def items():
        nonlocal drawn
        for i in range(1000):
            drawn += 1
            yield i

    for taken, _ in enumerate(ordered_map(str, items(), threads)):
        assert drawn - taken <= 2 * threads + 1


@pytest.mark.parametrize("threads", [1, 2, 3])
def test_behind_a_pause_all_results_come_first(threads):
    taken = []

    def items():
        for i in range(9):
            yield i
            if i in (0, 1, 5):
                assert taken == list(range(i + 1))

    for result in ordered_map(int, items(), threads, lambda i: i in (0, 1, 5)):
        taken.append(result)
    assert taken == list(range(9))


def test_calls_run_at_the_same_time():
    both = threading.Barrier(2, timeout=20)  # passed only by two calls at once
    assert sorted(ordered_map(lambda _: both.wait(), range(2), 2)) == [0, 1]


@pytest.mark.parametrize("threads", [1, 3])
def test_failure_of_a_call_comes_at_its_place(threads):
    def fail_at_five(i):
        if i == 5:
            raise ValueError("five")
        return i

    found = []
    with pytest.raises(ValueError, match="five"):
        for result in ordered_map(fail_at_five, range(100), threads):
            found.append(result)
    assert found == [0, 1, 2, 3, 4]


@pytest.mark.parametrize("threads", [1, 3])
def test_failure_of_the_stream_passes_through(threads):
    def items():
        yield 1
        raise OSError("stream")

    with pytest.raises(OSError, match="stream"):
        list(ordered_map(str, items(), threads))


def test_walk_that_is_given_up_leaves_no_thread():
    before = threading.active_count()
    walk = ordered_map(str, range(1000), 3)
    assert next(walk) == "0"
    walk.close()
    assert threading.active_count() == before


def test_thread_count():
    assert thread_count(3) == 3
    assert thread_count(None) >= 1
    for wrong in (0, -1):
        with pytest.raises(UsageError, match="--threads"):
            thread_count(wrong)


@given(st.integers(0, 100), st.integers(1, 20))
def test_split_evenly(total, parts):
    ranges = split_evenly(total, parts)
    assert [i for a, b in ranges for i in range(a, b)] == list(range(total))
    sizes = [b - a for a, b in ranges]
    assert len(sizes) == min(total, parts)
    assert not sizes or max(sizes) - min(sizes) <= 1
    assert 0 not in sizes
