"""Blocks of text: some consecutive lines or records of one input, and how streams of bytes are cut into them."""

from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass
from typing import Any

import numpy as np

from ..errors import DataError
from .inputs import Source
from .tokenizer import PADDING

BLOCK = 4 << 20  # bytes read at a time: a few milliseconds of work for a thread
LONG_LINE = 16 << 20  # a longer line is cut at a space
LONGEST_TOKEN = 256 << 20  # text without a space or newline for longer than this is refused


@dataclass
class Block:
    """Some consecutive lines of one source.

    Attributes:
        data: uint8, `size` bytes of text and PADDING spare ones.
        offset: position of the first byte in the decoded text of the source.
        done: bytes of all inputs (as stored, compressed or not) read so far, for progress.
    """

    data: np.ndarray
    size: int
    source: Source
    offset: int
    done: int

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
    return Block(data, len(data) - PADDING, parts[0].source, parts[0].offset, parts[-1].done)


def cut_at_lines(stream: Any, name: str) -> Iterator[tuple[np.ndarray, int]]:
    """Cut a byte stream after newlines into arrays of about BLOCK bytes; very long lines after a space."""
    rest, want, at_end = b"", BLOCK, False
    while not at_end:
        data = np.empty(len(rest) + want + PADDING, np.uint8)
        data[: len(rest)] = np.frombuffer(rest, np.uint8)
        size = len(rest) + _read_fully(stream, data.data[len(rest) : len(rest) + want])
        at_end = size < len(rest) + want
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
            yield data[: cut + PADDING], cut


def _last_cut(data: np.ndarray, size: int) -> int:
    """Where to cut data[:size]: after its last newline, in an over-long line after its last space, else 0."""
    near = max(0, size - (1 << 16))  # nearly always the last newline is near the end
    cut = data[near:size].tobytes().rfind(b"\n") + 1
    if cut:
        return near + cut
    text = data[:size].tobytes()
    return text.rfind(b"\n") + 1 or (text.rfind(b" ") + 1 if size >= LONG_LINE else 0)


def _read_fully(stream: Any, target: memoryview) -> int:
    filled = 0
    readinto: Callable[[memoryview], int | None] = stream.readinto
    while filled < len(target):
        count = readinto(target[filled:])
        if not count:
            break
        filled += count
    return filled
