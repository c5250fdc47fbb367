"""Writing large files past the system's cache: what nobody reads at once need not push other files out of memory.

Through the cache, each byte is copied to fresh memory, which costs more processor time than making a line of text.
"""

import contextlib
import mmap
import os
import stat
from collections.abc import Iterator
from concurrent.futures import Future, ThreadPoolExecutor
from typing import IO, Any

import numpy as np

_BUFFER = 8 << 20  # bytes written at a time; large, since each waits for the disk
_BUFFERS = 3


@contextlib.contextmanager
def past_cache(stream: IO[bytes]) -> Iterator[Any]:
    """An open file to `write` to, in the background, past the cache where the system can do that.

    The file is whole when the block has ended; an OSError of an earlier write may come from any later one.
    """
    if not _set_direct(stream, True):
        yield stream
        return
    writer = _Writer(stream.fileno())
    try:
        yield writer
        writer.drain()
    finally:
        writer.stop()
        _set_direct(stream, False)
    writer.write_rest()


def _set_direct(stream: IO[bytes], direct: bool) -> bool:
    """Switch the cache off or on for a regular file; whether that was possible."""
    try:
        import fcntl

        handle = stream.fileno()
        if not stat.S_ISREG(os.fstat(handle).st_mode):
            return False
        stream.flush()
        flags = fcntl.fcntl(handle, fcntl.F_GETFL)
        fcntl.fcntl(handle, fcntl.F_SETFL, flags | os.O_DIRECT if direct else flags & ~os.O_DIRECT)
    except (ImportError, AttributeError, OSError):  # other systems, and file systems that keep to the cache
        return False
    return True


class _Writer:
    """Whole buffers, whose memory and sizes the disk can take as they are, written by a thread of its own."""

    def __init__(self, handle: int) -> None:
        self._handle, self._thread = handle, ThreadPoolExecutor(1)
        self._buffers = [np.frombuffer(mmap.mmap(-1, _BUFFER), np.uint8) for _ in range(_BUFFERS)]
        self._writes: list[Future | None] = [None] * _BUFFERS
        self._turn = self._filled = 0

    def write(self, data: Any) -> int:
        """Take bytes to be written."""
        piece, done = np.frombuffer(data, np.uint8), 0
        while done < len(piece):
            if not self._filled:
                self._wait(self._turn)
            size = min(len(piece) - done, _BUFFER - self._filled)
            np.copyto(self._buffers[self._turn][self._filled : self._filled + size], piece[done : done + size])
            done, self._filled = done + size, self._filled + size
            if self._filled == _BUFFER:
                self._writes[self._turn] = self._thread.submit(_write_all, self._handle, self._buffers[self._turn])
                self._turn, self._filled = (self._turn + 1) % _BUFFERS, 0
        return len(piece)

    def _wait(self, turn: int) -> None:
        write, self._writes[turn] = self._writes[turn], None
        if write:
            write.result()

    def drain(self) -> None:
        """Wait for all writes under way."""
        for turn in range(_BUFFERS):
            self._wait(turn)

    def stop(self) -> None:
        """End the thread; whatever has not begun stays unwritten."""
        self._thread.shutdown(wait=True, cancel_futures=True)

    def write_rest(self) -> None:
        """Write what fills no buffer, through the cache."""
        _write_all(self._handle, self._buffers[self._turn][: self._filled])


def _write_all(handle: int, buffer: np.ndarray) -> None:
    view = memoryview(buffer.data)
    while view:
        view = view[os.write(handle, view) :]
