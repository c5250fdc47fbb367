"""Threads over a stream of items: results in order, a bounded number under way, Ctrl-C heard at once."""

import itertools
import os
from collections import deque
from collections.abc import Callable, Iterable, Iterator
from concurrent.futures import Future, ThreadPoolExecutor
from typing import TypeVar

from .errors import UsageError
from .store import release_pages

Item = TypeVar("Item")
Result = TypeVar("Result")


def thread_count(threads: int | None) -> int:
    """How many threads to use: as asked, or all cores this process may use."""
    if threads is None:
        return len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1
    if threads < 1:
        raise UsageError(f"--threads {threads} makes no sense.", "Give 1 or more, or leave it out for all cores.")
    return threads


def ordered_map(
    function: Callable[[Item], Result],
    items: Iterable[Item],
    threads: int,
    pause: Callable[[Item], bool] = lambda _: False,
) -> Iterator[Result]:
    """`map` over worker threads, for functions that release the GIL.

    Items are drawn in the caller's thread, at most 2 * threads + 1 ahead of the results, so that memory stays bounded
    for any stream; behind an item for which `pause` holds none is drawn before all results are there. Pages of scratch
    files are let go of after each result. The first exception of a call is raised at its place in the order.
    """
    if threads == 1:
        for result in map(function, items):
            yield result
            release_pages()
        return
    pending: deque[Future[Result]] = deque()
    executor = ThreadPoolExecutor(threads)
    try:
        for item in items:
            pending.append(executor.submit(function, item))
            wait = pause(item)
            while pending and (wait or len(pending) > 2 * threads or pending[0].done()):
                yield pending.popleft().result()
                release_pages()
        while pending:
            yield pending.popleft().result()
            release_pages()
    finally:
        for future in pending:
            future.cancel()
        executor.shutdown(wait=True, cancel_futures=True)


def split_evenly(total: int, parts: int) -> list[tuple[int, int]]:
    """Cut range(total) into at most `parts` contiguous, nearly equal, non-empty ranges."""
    parts = max(1, min(parts, total))
    edges = [total * i // parts for i in range(parts + 1)]
    return [(a, b) for a, b in itertools.pairwise(edges) if a < b]
