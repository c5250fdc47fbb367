"""ARPA files: the text form of backoff n-gram models that every toolkit reads (written as KenLM writes it)."""

import re
from collections import deque
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import IO

import numpy as np

from .. import files
from ..errors import DataError, TextkitError
from ..kernels import arpa as kernels
from ..kernels.floats import POWERS, TABLES, find_decimals
from ..parallel import ordered_map
from .backoff import BackoffTrie

_ENTRIES = 1 << 15  # n-grams per piece of work
_SHOWN = 1 << 10  # backoffs remembered as text; a power of two
_BLOCK = 8 << 20
_PADDING = 16
_ORDER_LIMIT = 100


def write(stream: IO[bytes], trie: BackoffTrie, arena: np.ndarray, ends: np.ndarray, threads: int) -> None:
    """Write an ARPA file to a binary stream: orders in turn, n-grams in the order of the trie.

    Args:
        arena, ends: the words, number i being arena[ends[i]:ends[i + 1]], with some spare bytes behind the last.

    Raises:
        DataError: a word with white space in it, which the format cannot hold.
    """
    _refuse_spaces(arena, ends)
    stream.write(b"\\data\\\n")
    for n, size in enumerate(trie.sizes, 1):
        stream.write(f"ngram {n}={size}\n".encode())
    base, longest = 0, int(np.diff(ends).max())
    spare: deque[np.ndarray] = deque()  # buffers to use again: fresh memory costs as much as what is written to it
    for n, size in enumerate(trie.sizes, 1):
        stream.write(f"\n\\{n}-grams:\n".encode())
        pieces = [(i, min(i + _ENTRIES, base + size)) for i in range(base, base + size, _ENTRIES)]

        def work(piece: tuple[int, int], n: int = n) -> list[tuple[np.ndarray, int]]:
            return _written(trie, arena, ends, longest, n, *piece, spare)

        for buffers in ordered_map(work, pieces, threads):
            for buffer, filled in buffers:
                stream.write(buffer[:filled].data)
                spare.append(buffer)
        base += size
    stream.write(b"\n\\end\\\n")


def _refuse_spaces(arena: np.ndarray, ends: np.ndarray) -> None:
    used = arena[: int(ends[-1])]
    bad = np.flatnonzero((used == 32) | ((used >= 9) & (used <= 13)) | (used == 0))
    if len(bad):
        word = int(np.searchsorted(ends, bad[0], side="right")) - 1
        text = arena[ends[word] : ends[word + 1]].tobytes().decode("utf-8", "replace")
        raise DataError(
            f"the word {text!r} has white space in it, which ARPA files cannot hold.",
            "Use a tokenizer whose tokens have none.",
        )


def _written(
    trie: BackoffTrie,
    arena: np.ndarray,
    ends: np.ndarray,
    longest: int,
    order: int,
    entry: int,
    last: int,
    spare: deque[np.ndarray],
) -> list[tuple[np.ndarray, int]]:
    """Lines of the n-grams `entry` to `last` of an order, as buffers and how far they are filled.

    No word has more than `longest` bytes.
    """
    path = np.zeros(order, np.int64)
    path[-1] = entry
    for k in range(order - 2, -1, -1):
        path[k] = np.searchsorted(trie.edges, trie.edges.dtype.type(path[k + 1]), side="right") - 1
    room = max(_ENTRIES * 16 * (order + 2), 2 * order * (longest + 128))
    arrays = (arena, ends, longest, trie.words, trie.log_p, trie.backoff, trie.edges)
    numbers = (entry, *find_decimals(trie.log_p[entry:last]))
    scratch = np.empty(order, np.int64), np.full(_SHOWN, -1), np.empty(_SHOWN * 32, np.uint8)
    buffers = []
    while entry < last:
        out = _buffer(spare, room)
        entry, size = kernels.write_entries(entry, last, path, 0, *arrays, *numbers, *scratch, *TABLES, out)
        buffers.append((out, size))
    return buffers


def _buffer(spare: deque[np.ndarray], room: int) -> np.ndarray:
    """A spare buffer of at least so many bytes, or a new one."""
    try:
        out = spare.pop()
    except IndexError:
        return np.empty(room, np.uint8)
    return out if len(out) >= room else np.empty(room, np.uint8)


@dataclass(frozen=True)
class Entries:
    """Some n-grams of one order.

    Attributes:
        spans: int32 (E * order, 2), byte positions in `buffer` of their words.
        numbers: float32 (E, 2), log10 probabilities and backoffs.
    """

    order: int
    buffer: np.ndarray
    spans: np.ndarray
    numbers: np.ndarray


class Reader:
    """An ARPA file, plain or compressed, read in pieces; claims in its header are checked, never trusted.

    Attributes:
        sizes: what the header says.
    """

    def __init__(self, path: str | Path) -> None:
        self.path = path
        self.line = 0
        self._buffer = np.zeros(_PADDING, np.uint8)
        self._size = self._position = 0
        self._ended = False
        try:
            self._raw = open(path, "rb")
        except OSError as error:
            raise DataError(f"cannot open {path}: {files.why(error)}.") from error
        try:
            self._stream = files.decompressed(self._raw)
            self.sizes = self._read_header()
        except files.decompression_errors() as error:
            self.close()
            raise DataError(f"cannot read {path}: {error}.") from error
        except TextkitError:
            self.close()
            raise

    def close(self) -> None:
        """Close the file; reading all entries does so too."""
        self._raw.close()

    def entries(self) -> Iterator[Entries]:
        """All n-grams from order 1 up.

        Raises:
            DataError: with the line number, for anything that is not a sound ARPA file.
        """
        try:
            for order, declared in enumerate(self.sizes, 1):
                self._expect(f"\\{order}-grams:")
                found = 0
                for entries in self._section(order):
                    found += len(entries.numbers)
                    yield entries
                if found != declared:
                    raise self._error(f"{found:,} {order}-grams, but the header says {declared:,}")
            self._expect("\\end\\")
            if self._next_text() is not None:
                raise self._error("text after \\end\\")
        except files.decompression_errors() as error:
            raise DataError(f"cannot read {self.path}: {error}.") from error
        finally:
            self.close()

    def _error(self, what: str) -> DataError:
        return DataError(f"{self.path}, near line {self.line}: {what}.", "Is it a whole ARPA file?")

    def _read_header(self) -> list[int]:
        line = self._next_text()
        while line is not None and line.startswith("#"):
            line = self._next_text()
        if line is not None and line.startswith("mmap lm http://kheafield.com/"):
            raise DataError(f"{self.path} is a compressed KenLM binary file.", "Decompress it first.")
        if line != "\\data\\":
            raise DataError(
                f"{self.path} is neither a textkit model nor a KenLM binary file nor an ARPA file "
                "(no \\data\\ line at its beginning).",
                "Train a model with: textkit ngram train",
            )
        sizes: list[int] = []
        while match := re.fullmatch(r"ngram\s+(\d{1,4})\s*=\s*(\d{1,18})", self._peek_text() or ""):
            self._next_text()
            if int(match[1]) != len(sizes) + 1 or len(sizes) == _ORDER_LIMIT:
                raise self._error(f"the line for {len(sizes) + 1}-grams should stand here")
            sizes.append(int(match[2]))
        if not sizes:
            raise self._error("no 'ngram 1=…' line")
        return sizes

    def _section(self, order: int) -> Iterator[Entries]:
        while True:
            if not self._fill():
                return
            # Parse whole lines only: up to the last newline, or to the end of the file.
            stop = self._size if self._ended else self._buffer[: self._size].tobytes().rfind(b"\n") + 1
            spans, numbers = np.empty((_ENTRIES * order, 2), np.int32), np.empty((_ENTRIES, 2), np.float32)
            self._position, count, status = kernels.parse_entries(
                self._buffer, self._position, stop, order, spans, numbers, POWERS
            )
            self.line += count
            self._check(order, numbers[:count], status)
            if count:
                yield Entries(order, self._buffer, spans[: count * order], numbers[:count])
            if status == kernels.DONE and (self._position < stop or self._ended):
                return

    def _check(self, order: int, numbers: np.ndarray, status: int) -> None:
        problems = {
            kernels.BAD_NUMBER: "a number was expected",
            kernels.FEW_WORDS: f"fewer than {order} words",
            kernels.MANY_FIELDS: f"more than a probability, {order} words and a backoff",
        }
        if status in problems:
            self.line += 1
            raise self._error(problems[status])
        if not np.isfinite(numbers).all():
            raise self._error("a number too large for a float")
        if (numbers[:, 0] > 0).any():
            raise self._error(f"a positive log10 probability, {numbers[:, 0].max()}")
        if order == len(self.sizes) and numbers[:, 1].any():
            raise self._error("a backoff weight at the highest order")

    def _fill(self) -> bool:
        """Have at least one whole line in the buffer; False at the end of the file."""
        while True:
            rest = self._buffer[self._position : self._size].tobytes()
            if b"\n" in rest or (self._ended and rest):
                return True
            if self._ended:
                return False
            more = self._stream.read(_BLOCK)
            self._ended = not more
            if len(rest) > 1 << 28:
                raise self._error("a line of more than 256 MB")
            self._buffer = np.frombuffer(bytearray(rest + more + b"\0" * _PADDING), np.uint8)
            self._position, self._size = 0, len(rest) + len(more)

    def _peek_text(self) -> str | None:
        """The next line that is not blank, without reading past it."""
        while self._fill():
            head = self._buffer[self._position : min(self._size, self._position + (1 << 16))].tobytes()
            line, newline, _ = head.partition(b"\n")
            if line.strip():
                return line.decode("utf-8", "replace").strip()
            self._position += len(line) + len(newline)
            self.line += 1
        return None

    def _next_text(self) -> str | None:
        line = self._peek_text()
        if line is not None:
            rest = self._buffer[self._position : self._size].tobytes()
            end = rest.find(b"\n")
            self._position += len(rest) if end < 0 else end + 1
            self.line += 1
        return line

    def _expect(self, wanted: str) -> None:
        line = self._next_text()
        if line != wanted:
            raise self._error(
                f"'{wanted}' was expected, not {'the end of the file' if line is None else repr(line[:60])}"
            )
