"""Where large arrays live: in memory, or beyond a limit in scratch files that are mapped into memory.

A scratch file has no name, so that nothing is left behind whatever happens. Pages of it that were touched count as
memory of this process until `release_pages` gives them back, as `parallel.ordered_map` does after each piece of work.
"""

import contextlib
import ctypes
import mmap
import os
import sys
import tempfile
import weakref
from collections.abc import Iterator
from itertools import pairwise
from pathlib import Path
from typing import IO, Any

import numpy as np

from . import files
from .errors import DataError

_maps: weakref.WeakSet[mmap.mmap] = weakref.WeakSet()  # of all scratch files
_SMALL = 1024  # an array of at most this part of the limit stays in memory; there can be some hundreds of them
_SLICE = 1 << 20  # elements looked at in one go
_PICKED = 1 << 8  # elements looked up in one go: each may bring some tens of KB with it
_ALIGNMENT = 8
_MALLOPT_MMAP_THRESHOLD, _MALLOPT_TRIM_THRESHOLD = -3, -1
_LARGE_BLOCK, _LARGEST_KEPT = 1 << 20, 32 << 20  # the latter as large as glibc allows
_PIECES_PER_THREAD = 8  # enough to balance threads and to hear Ctrl-C; few enough to cost nothing


def release_pages() -> None:
    """Let go of the pages of all scratch files; what is needed of them again is read again."""
    if _maps and hasattr(mmap, "MADV_DONTNEED"):
        for mapped in list(_maps):
            mapped.madvise(mmap.MADV_DONTNEED)


def let_go_of(*arrays: np.ndarray) -> None:
    """Treat these mapped arrays, which nobody may write to, as if they were in scratch files."""
    for array in arrays:
        if (mapped := _map_of(array)) is not None:
            _maps.add(mapped)


def drop_pages(array: np.ndarray) -> None:
    """Let go, once, of the pages of the file that an array is mapped from, if nobody has written to it."""
    if hasattr(mmap, "MADV_DONTNEED") and (mapped := _map_of(array)) is not None:
        mapped.madvise(mmap.MADV_DONTNEED)


def give_back(array: np.ndarray) -> None:
    """Let the system have the memory of an array, or part of one, that nobody reads again: what it holds is lost."""
    if sys.platform == "linux" and array.nbytes:
        first = -(-array.ctypes.data // mmap.PAGESIZE) * mmap.PAGESIZE
        size = (array.ctypes.data + array.nbytes) // mmap.PAGESIZE * mmap.PAGESIZE - first
        if size > 0:
            _ask_c_library("madvise", ctypes.c_void_p(first), ctypes.c_size_t(size), mmap.MADV_DONTNEED)


def _map_of(array: np.ndarray) -> mmap.mmap | None:
    base: Any = array
    while isinstance(base, np.ndarray):
        base = base.base
    return base.obj if isinstance(base, memoryview) and isinstance(base.obj, mmap.mmap) else None


def return_freed_memory() -> None:
    """Have the C library give large blocks back to the system when they are freed: glibc keeps up to 64 MB of them."""
    _ask_c_library("mallopt", _MALLOPT_MMAP_THRESHOLD, _LARGE_BLOCK)


def trim_memory() -> None:
    """Give back now what was freed: glibc keeps it in pieces, and for each thread that there was."""
    _ask_c_library("malloc_trim", 0)


def keep_freed_memory() -> None:
    """Have the C library keep blocks up to 32 MB that are freed, for work that soon asks for as much again.

    A page that comes back from the system has to be found and cleared: a tenth of the time of labelling a stream.
    """
    _ask_c_library("mallopt", _MALLOPT_MMAP_THRESHOLD, _LARGEST_KEPT)
    _ask_c_library("mallopt", _MALLOPT_TRIM_THRESHOLD, 8 * _LARGEST_KEPT)


def _ask_c_library(function: str, *arguments: Any) -> None:
    """Call a function that glibc has; where there is another C library, nothing happens."""
    if sys.platform == "linux":
        with contextlib.suppress(AttributeError):
            getattr(ctypes.CDLL(None), function)(*arguments)


def slices(array: np.ndarray) -> Iterator[np.ndarray]:
    """Pieces of an array one after the other, whose pages are let go of."""
    for i in range(0, len(array), _SLICE):
        yield array[i : i + _SLICE]
        release_pages()


def picked(array: np.ndarray, indices: np.ndarray) -> np.ndarray:
    """array[indices], some at a time where the array may be in a scratch file, whose pages all over it are touched."""
    if not _maps:
        return array[indices]
    found = np.empty(len(indices), array.dtype)
    for i in range(0, len(indices), _PICKED):
        found[i : i + _PICKED] = array[indices[i : i + _PICKED]]
        release_pages()
    return found


def streamed(array: np.ndarray) -> files.Stream:
    """An array (size,) to be saved without having all of its pages in memory."""
    return files.Stream(array.dtype, array.shape, slices(array))


class Store:
    """Makes arrays, in memory or mapped.

    Args:
        limit: bytes of n-gram data to have in memory at a time; None for no limit.
        directory: where scratch files go; the system's usual place if not given.
    """

    def __init__(self, limit: int | None = None, directory: Path | None = None) -> None:
        self.limit, self.directory = limit, directory
        if limit is not None:
            return_freed_memory()

    def small(self, size: int) -> bool:
        """Whether an array of so many bytes may stay in memory."""
        return self.limit is None or size <= self.limit // _SMALL

    def zeros(self, size: int, dtype: Any) -> np.ndarray:
        """An array (size,) of zeros."""
        return np.zeros(size, dtype) if self.small(size * np.dtype(dtype).itemsize) else self.empty(size, dtype)

    def empty(self, size: int, dtype: Any) -> np.ndarray:
        """An array (size,) of any content."""
        dtype = np.dtype(dtype)
        if self.small(size * dtype.itemsize):
            return np.empty(size, dtype)
        with self.explained(), self.scratch_file() as stream:
            if hasattr(os, "posix_fallocate"):  # a full disk must show here, not where the pages are written
                os.posix_fallocate(stream.fileno(), 0, size * dtype.itemsize)
            else:
                stream.truncate(size * dtype.itemsize)
            return self.mapped(stream, [size], [dtype])[0]

    def keep(self, arrays: list[np.ndarray]) -> list[np.ndarray]:
        """The same arrays, as they are or, if they are large together, copied to one scratch file."""
        if self.small(sum(array.nbytes for array in arrays)):
            return arrays
        with self.explained(), self.scratch_file() as stream:
            for array in arrays:
                stream.write(np.ascontiguousarray(array).data.cast("B"))
                stream.write(bytes(-array.nbytes % _ALIGNMENT))
            return self.mapped(stream, [len(array) for array in arrays], [array.dtype for array in arrays])

    def share(self, part: int, itemsize: int, size: int) -> int:
        """How many items of so many bytes fit in a part of the limit: at least 1, at most `size`."""
        return max(1, size if self.limit is None else min(size, self.limit // (part * itemsize)))

    def pieces(self, size: int, itemsize: int, threads: int) -> list[tuple[int, int]]:
        """Cut range(size) for `threads` to work on, small enough for the limit."""
        parts = threads * _PIECES_PER_THREAD
        if self.limit is not None:
            parts = max(parts, -(-size * itemsize * 4 * threads // self.limit))
        edges = [size * i // parts for i in range(parts + 1)]
        return [(a, b) for a, b in pairwise(edges) if a < b]

    def collector(self, dtype: Any) -> "Collector":
        """For an array whose size is not known before its pieces."""
        return Collector(self, dtype)

    def scratch_file(self) -> IO[bytes]:
        """An open file without a name."""
        if self.directory:
            self.directory.mkdir(parents=True, exist_ok=True)
        return tempfile.TemporaryFile(dir=self.directory)

    def mapped(self, stream: IO[bytes], sizes: list[int], dtypes: list[np.dtype]) -> list[np.ndarray]:
        """The arrays that were written to a scratch file one after the other, aligned."""
        stream.flush()
        mapped = mmap.mmap(stream.fileno(), 0)
        _maps.add(mapped)
        arrays, offset = [], 0
        for size, dtype in zip(sizes, dtypes, strict=True):
            arrays.append(np.frombuffer(mapped, dtype, size, offset))
            offset += -(-size * dtype.itemsize // _ALIGNMENT) * _ALIGNMENT
        return arrays

    @contextlib.contextmanager
    def explained(self) -> Iterator[None]:
        """Say what to do about a full disk."""
        try:
            yield
        except OSError as error:
            raise DataError(
                f"cannot keep n-grams in {self.directory or tempfile.gettempdir()}: {files.why(error)}.",
                "Free some space, choose another --cache-dir, or allow more --memory.",
            ) from error


class Collector:
    """An array that grows piece by piece."""

    def __init__(self, store: Store, dtype: Any) -> None:
        self._store, self._dtype = store, np.dtype(dtype)
        self._kept: list[np.ndarray] = []
        self._stream: IO[bytes] | None = None
        self.size = 0

    def append(self, piece: np.ndarray) -> None:
        """Add a piece of the right dtype at the end."""
        self.size += len(piece)
        if self._stream is None and self._store.small(self.size * self._dtype.itemsize):
            self._kept.append(piece)
            return
        with self._store.explained():
            if self._stream is None:
                self._stream = self._store.scratch_file()
            for kept in (*self._kept, piece):
                self._stream.write(kept.data.cast("B"))
            self._kept = []

    def array(self) -> np.ndarray:
        """All pieces as one array; nothing can be added any more."""
        if self._stream is None:
            kept, self._kept = self._kept, []
            return np.concatenate([np.empty(0, self._dtype), *kept])
        with self._store.explained(), self._stream as stream:
            return self._store.mapped(stream, [self.size], [self._dtype])[0]
