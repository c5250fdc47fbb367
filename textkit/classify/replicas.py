"""Rows that nearly every document moves, once more for each thread.

Threads share the matrices without locks: what two of them write to a row at the same time is lost, and a row that goes
from one core to the other costs a wait. Of most rows that is seldom; those of the most frequent words are in each
document. A step works on copies of these, and what it has changed is added to the shared rows when it is over.
"""

import threading
from collections.abc import Iterator
from contextlib import contextmanager
from queue import SimpleQueue

import numpy as np

from ..kernels import embedding as kernels

_MOST = 1024  # rows: beyond them two threads seldom meet
_SHARE = 64  # of a step's rows, so that copies cost little


def replicated(words: int, step_rows: int, threads: int) -> int:
    """How many rows to have once more for each thread."""
    return min(_MOST, words, step_rows // _SHARE) if threads > 1 else 0


class Replicas:
    """The copies of a matrix's first rows, which lie behind its other ones.

    Args:
        matrix: float32 (R + threads * hot, padded).
        hot: how many of its first rows have copies.
    """

    def __init__(self, matrix: np.ndarray, hot: int, threads: int) -> None:
        self.matrix, self.hot = matrix, hot
        self.adding = threading.Lock()
        self.free = SimpleQueue[tuple[int, np.ndarray]]()
        for i in range(threads if hot else 0):
            before = np.empty(hot * matrix.shape[1], np.float32)
            self.free.put((len(matrix) - (i + 1) * hot, before))

    @contextmanager
    def lent(self, rows: np.ndarray) -> Iterator[None]:
        """Meanwhile copies belong to the caller, and `rows`, int32, are changed to name them."""
        if self.hot == 0:
            yield
            return
        first, before = self.free.get()
        flat, dim = self.matrix.reshape(-1), self.matrix.shape[1]
        kernels.lend_rows(flat, dim, self.hot, first, before, rows)
        try:
            yield
        finally:
            with self.adding:
                kernels.return_rows(flat, dim, self.hot, first, before)
            self.free.put((first, before))
