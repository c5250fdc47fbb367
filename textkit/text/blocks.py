"""Blocks of text: some consecutive lines or records of one input, and how streams of bytes are cut into them."""

import time
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass, field
from typing import Any

import numpy as np

from .. import files
from ..errors import DataError
from .inputs import Source
from .tokenizer import PADDING

BLOCK = 4 << 20  # bytes read at a time: a few milliseconds of work for a thread
LONG_LINE = 16 << 20  # a longer line is cut at a space
LONGEST_TOKEN = 256 << 20  # text without a space or newline for longer than this is refused
_PATIENCE, _LONGEST_WAIT = 0.01, 0.1  # seconds that lines of a pipe are kept for more of them to come, and at all


@dataclass
class Block:
    """Some consecutive lines of one source.

    Attributes:
        data: uint8, `size` bytes of text and PADDING spare ones.
        offset: position of the first byte in the decoded text of the source.
        done: bytes of all inputs (as stored, compressed or not) read so far, for progress.
        pause: nothing more had come when it was cut, and somebody may wait for an answer to it.
    """

    data: np.ndarray
    size: int
    source: Source
    offset: int
    done: int
    pause: bool = field(default=False, kw_only=True)

    @property
    def open(self) -> bool:
        """Whether the last line has no newline: it goes on in the next block, or the source ends so."""
        return self.size > 0 and int(self.data[self.size - 1]) != 10

    def lines(self) -> list[str]:
        """The lines as strings, without their ends."""
        lines = self.data[: self.size].tobytes().decode("utf-8", "surrogateescape").split("\n")
        if lines[-1] == "":
            lines.pop()
        return [line.removesuffix("\r") for line in lines]


@dataclass
class RecordBlock:
    """Some consecutive records of one source.

    Attributes:
        text: the text of each as a line.
        stored: each as it stands in the source with its line end, in UTF-8; None where records are lines.
        header: the first line of a table, the same in each of its blocks.
    """

    text: Block
    stored: list[bytes] | None = None
    header: bytes = b""


def whole_lines(blocks: Iterable[Block]) -> Iterator[Block]:
    """Join blocks that end inside a line, for work that needs every line in one piece."""
    parts: list[Block] = []
    for block in blocks:
        if parts and parts[0].source != block.source:
            yield _joined(parts)
            parts = []
        parts.append(block)
        if not block.open:
            yield _joined(parts)
            parts = []
    if parts:
        yield _joined(parts)


def _joined(parts: list[Block]) -> Block:
    if len(parts) == 1:
        return parts[0]
    data = np.zeros(sum(part.size for part in parts) + PADDING, np.uint8)
    np.concatenate([part.data[: part.size] for part in parts], out=data[:-PADDING])
    last = parts[-1]
    return Block(data, len(data) - PADDING, last.source, parts[0].offset, last.done, pause=last.pause)


def cut_at_lines(stream: Any, name: str) -> Iterator[tuple[np.ndarray, int, bool]]:
    """Cut a byte stream after newlines into arrays of about BLOCK bytes; very long lines after a space.

    Yields:
        (array, size, whether nothing more had come): what comes slowly is cut before it fills an array.
    """
    rest, want, at_end = b"", BLOCK, False
    while not at_end:
        data = np.empty(len(rest) + want + PADDING, np.uint8)
        data[: len(rest)] = np.frombuffer(rest, np.uint8)
        count, early, pause = _read(stream, data.data[len(rest) : len(rest) + want])
        size = len(rest) + count
        at_end = count < want and not early
        cut = size if at_end else _last_cut(data, size)
        rest = data[cut:size].tobytes()
        want = BLOCK if cut else size  # where one line fills the buffer, read on, twice as much each time
        if size > LONGEST_TOKEN and not cut:
            raise DataError(
                f"{name} goes on for {size:,} bytes without a newline or space.",
                "Is it a binary file, or text in another --encoding?",
            )
        if cut:
            data[cut : cut + PADDING] = 0
            yield data[: cut + PADDING], cut, pause


def _last_cut(data: np.ndarray, size: int) -> int:
    """Where to cut data[:size]: after its last newline, in an over-long line after its last space, else 0."""
    near = max(0, size - (1 << 16))  # nearly always the last newline is near the end
    cut = data[near:size].tobytes().rfind(b"\n") + 1
    if cut:
        return near + cut
    text = data[:size].tobytes()
    return text.rfind(b"\n") + 1 or (text.rfind(b" ") + 1 if size >= LONG_LINE else 0)


def _read(stream: Any, target: memoryview) -> tuple[int, bool, bool]:
    """Read till the target is full, or holds a line and more does not come or takes long.

    Returns (bytes, whether it was left early, whether because nothing more had come).
    """
    filled, lines, began = 0, False, 0.0
    slow = isinstance(stream, files.OneWay)
    readinto: Callable[[memoryview], int | None] = stream.readinto
    while filled < len(target):
        count = readinto(target[filled:])
        if not count:
            break
        if slow and filled + count < len(target):
            began = began or time.monotonic()
            lines = lines or b"\n" in target[filled : filled + count].tobytes()
            if lines and not stream.waiting(_PATIENCE):
                return filled + count, True, True
            if lines and time.monotonic() - began > _LONGEST_WAIT:
                return filled + count, True, False
        filled += count
    return filled, False, False
