"""Values looked up by index where not all of them may be in memory at a time."""

import numpy as np

from ..kernels import merging as kernels
from ..parallel import ordered_map
from ..store import Store


def gather(values: np.ndarray, indices: np.ndarray | None, store: Store, threads: int) -> np.ndarray:
    """values[indices], values of 4 or 8 bytes and indices uint32, made by `store`.

    Where the values are more than its limit allows, each of several passes over the indices takes a range of values.
    """
    assert indices is not None
    out, step = store.empty(len(indices), values.dtype), store.share(4, values.itemsize, len(values))
    for low in range(0, len(values), step):
        part = values if step == len(values) else values[low : low + step].copy()

        def work(piece: tuple[int, int], low: int = low, part: np.ndarray = part) -> None:
            kernels.take_between(_columns(part), low, indices, *piece, _columns(out))

        for _ in ordered_map(work, store.pieces(len(indices), 16, threads), threads):
            pass
    return out


def _columns(values: np.ndarray) -> np.ndarray:
    """Values as int32 (E, 1) or (E, 2), the one type that the kernel is compiled for."""
    return values.view(np.int32).reshape(len(values), -1)
