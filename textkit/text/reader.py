"""Reading text: files of any supported kind as a restartable stream of blocks of whole UTF-8 lines.

The reader deals with names, compression, columns and encodings; what leaves it is always bytes of plain text.
Memory is bounded by the block size, not by the input: a line longer than `LONG_LINE` is cut at a space.
"""

import codecs
import glob
import io
import os
import sys
import tempfile
import threading
import time
from collections.abc import Callable, Iterable, Iterator, Sequence
from contextlib import AbstractContextManager, nullcontext
from dataclasses import dataclass, field, replace
from functools import cached_property
from pathlib import Path
from typing import IO, Any, TypeVar

import numpy as np

from .. import files
from ..errors import DataError, UsageError
from ..kernels import scan, words
from . import records
from .records import Record
from .tokenizer import PADDING, text_buffer

BLOCK = 4 << 20  # bytes read at a time: a few milliseconds of work for a thread
LONG_LINE = 16 << 20  # a longer line is cut at a space
LONGEST_TOKEN = 256 << 20  # text without a space or newline for longer than this is refused
FORMATS = ("auto", "lines", "jsonl", "csv", "tsv")
ERRORS = ("strict", "replace", "skip")
_PATIENCE, _LONGEST_WAIT = 0.01, 0.1  # seconds that lines of a pipe are kept for more of them to come, and at all
RAW_ENCODING = "bytes"  # no decoding and no check: bytes go through as they are
_BOM = b"\xef\xbb\xbf"
_COMPRESSED_ENDINGS = {".gz", ".bz2", ".xz", ".zst", ".zstd"}


Piece = TypeVar("Piece")


@dataclass(frozen=True, eq=False)
class Source:
    """One input: a file, or the spooled standard input. A file given twice is two sources.

    Attributes:
        stream: in the place of the path, what can be read only once.
    """

    name: str
    path: Path
    format: str
    stream: files.OneWay | None = None

    @property
    def size(self) -> int:
        """Stored bytes, 0 where that cannot be known."""
        return 0 if self.stream else os.path.getsize(self.path)

    def open(self) -> AbstractContextManager[Any]:
        """The stored bytes from their beginning."""
        return nullcontext(self.stream) if self.stream else self.path.open("rb")


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


@dataclass(eq=False)
class Reader:
    """Text files as a stream of blocks or lines that can be walked again and again.

    Args:
        inputs: paths of files or directories (all files below, hidden ones left out), glob patterns, or "-" for
            standard input, which is copied to a temporary file once.
        format: "lines", "jsonl", "csv" or "tsv"; "auto" goes by the file name's ending (.jsonl, .ndjson, .csv,
            .tsv, also before .gz and its like). A record of the last three is one line of text.
        field: the column, or the key of a JSON object ("a.b" for nested ones), that holds the text; several with commas
            between are joined; numbers count the columns of a table without a header.
        encoding: of plain lines, JSON and tables alike; "bytes" checks and changes nothing.
        once: it will be walked only once, so that what comes through a pipe need not be copied first.
        errors: for bytes that are not of that encoding: "strict" stops, "replace" puts U+FFFD, "skip" leaves out
            the line.

    Raises:
        UsageError: unknown format, encoding or policy.
        DataError: while reading: a missing file, damaged compression, text that cannot be decoded, …
    """

    inputs: Sequence[str | Path]
    format: str = "auto"
    field: str = "text"
    encoding: str = "utf-8"
    errors: str = "strict"
    once: bool = False

    def __post_init__(self) -> None:
        self._lines_before: dict[int, int] = {}  # by the offset of blocks of what cannot be walked again
        self.skipped_lines = 0  # by `errors="skip"`, in the latest walk
        self._counting = threading.Lock()
        if self.format not in FORMATS:
            raise UsageError(f"unknown format '{self.format}'.", f"Choose one of {', '.join(FORMATS)}.")
        if self.errors not in ERRORS:
            raise UsageError(f"unknown error policy '{self.errors}'.", f"Choose one of {', '.join(ERRORS)}.")
        if self.encoding != RAW_ENCODING:
            try:
                "".encode(self.encoding)  # refuses codecs that are not for text, too
            except LookupError:
                raise UsageError(f"unknown encoding '{self.encoding}'.", "Try utf-8, latin-1 or utf-16.") from None
        if not self.inputs:
            raise UsageError("no input was given.", "Name one or more files, or - for standard input.")

    @cached_property
    def sources(self) -> list[Source]:
        """All inputs in order, with directories and patterns expanded."""
        found = [source for given in self.inputs for source in self._expand(str(given))]
        if not found:
            raise DataError(f"no files in {', '.join(map(str, self.inputs))}.")
        return found

    @property
    def total_bytes(self) -> int | None:
        """Stored size of all inputs together, for progress; None where that cannot be known."""
        return None if any(source.stream for source in self.sources) else sum(source.size for source in self.sources)

    def _expand(self, given: str) -> Iterator[Source]:
        if given == "-":
            if self.once and list(map(str, self.inputs)).count("-") == 1:
                yield Source("standard input", Path(), self._format_of(""), files.OneWay(_standard_input()))
            else:
                yield Source("standard input", self._spooled, self._format_of(""))
            return
        paths = [Path(given)]
        if not paths[0].exists() and glob.has_magic(given):
            paths = [Path(match) for match in sorted(glob.glob(given, recursive=True))]
            if not paths:
                raise DataError(f"no file matches '{given}'.")
        for path in paths:
            for file in sorted(files_below(path)) if path.is_dir() else [path]:
                if not file.exists():
                    raise DataError(f"{file} does not exist.", "Check the name, or the working directory.")
                kind = self._format_of(file.name)
                if self.once and not file.is_file():
                    yield Source(str(file), file, kind, files.OneWay(file.open("rb")))
                else:
                    yield Source(str(file), file if file.is_file() else _spool_pipe(file), kind)

    def _format_of(self, name: str) -> str:
        if self.format != "auto":
            return self.format
        endings = [s.lower() for s in Path(name).suffixes]
        if endings and endings[-1] in _COMPRESSED_ENDINGS:
            endings.pop()
        known = {".jsonl": "jsonl", ".ndjson": "jsonl", ".csv": "csv", ".tsv": "tsv"}
        return known.get(endings[-1], "lines") if endings else "lines"

    @cached_property
    def _spooled(self) -> Path:
        return _spool(_standard_input())

    def blocks(self) -> Iterator[Block]:
        """The text in blocks of whole lines, not yet checked: pass each through `clean` (any thread may)."""
        blocks = self.walk(self.source_blocks)
        yield from whole_lines(blocks) if self.errors == "skip" else blocks  # what is left out is whole lines

    def record_blocks(self) -> Iterator[RecordBlock]:
        """The text in blocks of whole records with what stands in the file; `clean_records` checks them."""
        return self.walk(self._record_blocks)

    def walk(self, open_source: Callable[[Source, IO[bytes], int], Iterator[Piece]]) -> Iterator[Piece]:
        """What `open_source` makes of each source, its stored bytes, and the number of those before it.

        Raises:
            DataError: a source cannot be read, or its compression is damaged.
        """
        before = self.skipped_lines = 0
        for source in self.sources:
            try:
                with source.open() as raw:
                    yield from open_source(source, raw, before)
            except IsADirectoryError:
                raise DataError(f"{source.name} is a directory.") from None
            except files.decompression_errors() as error:
                if isinstance(error, OSError) and error.errno is not None:
                    raise DataError(f"cannot read {source.name}: {files.why(error)}.") from error
                raise DataError(
                    f"{source.name} is damaged: its compressed data ends early or does not decompress ({error}).",
                    "Fetch or compress the file again.",
                ) from error
            before += source.size

    def source_blocks(self, source: Source, raw: IO[bytes], before: int) -> Iterator[Block]:
        """The blocks of one source, for `walk`."""
        stream: Any = files.decompressed(raw)
        if source.format != "lines":
            found = self._records(source, self.as_text(stream))
            stream = files.Pieces(record.line for record in found if record.line)
        elif not self._passes_bytes:
            stream = files.Pieces(self._recoded(source, stream))
        offset = lines = 0
        for data, size, pause in _cut_at_lines(stream, source.name):
            start = 0
            if source.stream:
                self._lines_before[offset] = lines
                lines += int(np.count_nonzero(data[:size] == 10))
            if offset == 0 and data[:3].tobytes() == _BOM and self.encoding != RAW_ENCODING:
                start = 3
            yield Block(data[start:], size - start, source, offset + start, before + raw.tell(), pause=pause)
            offset += size

    def _record_blocks(self, source: Source, raw: IO[bytes], before: int) -> Iterator[RecordBlock]:
        if source.format == "lines":
            yield from map(RecordBlock, whole_lines(self.source_blocks(source, raw, before)))
            return
        found = self._records(source, self.as_text(files.decompressed(raw)))
        offset, header = 0, b""
        for batch in records.batches(found, BLOCK):
            header = header or b"".join(record.stored for record in batch if not record.line)
            batch = [record for record in batch if record.line]
            data = b"".join(record.line for record in batch)
            block = Block(text_buffer(data), len(data), source, offset, before + raw.tell())
            yield RecordBlock(block, [record.stored for record in batch], header)
            offset += len(data)

    def as_text(self, stream: IO[bytes]) -> io.TextIOWrapper:
        """Decompressed bytes as text; detach it from the stream in the end. Raises UnicodeError while it is read."""
        return io.TextIOWrapper(stream, self._text_encoding, self._decode_errors, newline="")

    @property
    def _passes_bytes(self) -> bool:
        return self.encoding == RAW_ENCODING or codecs.lookup(self.encoding).name == "utf-8"

    @property
    def _text_encoding(self) -> str:
        return "utf-8" if self._passes_bytes else self.encoding

    @property
    def _decode_errors(self) -> str:
        """Under "skip" bad bytes are kept apart as surrogates, which `clean` finds and leaves out with their lines."""
        return "surrogateescape" if self._passes_bytes or self.errors == "skip" else self.errors

    def _recoded(self, source: Source, stream: IO[bytes]) -> Iterator[bytes]:
        """The text of another encoding as UTF-8."""
        decoder = codecs.getincrementaldecoder(self.encoding)(self._decode_errors)
        position = 0
        while True:
            data = stream.read(BLOCK)
            try:
                yield decoder.decode(data, final=not data).encode("utf-8", "surrogatepass")
            except UnicodeError as error:
                at = position + getattr(error, "start", 0)
                raise DataError(
                    f"{source.name}: near byte {at:,}: not valid {self.encoding}: {getattr(error, 'reason', error)}.",
                    "Try another --encoding, or --errors replace.",
                ) from None
            position += len(data)
            if not data:
                return

    def _records(self, source: Source, text: io.TextIOWrapper) -> Iterator[Record]:
        """Every record of a source with its wanted field as a line; newlines inside it become spaces."""
        try:
            yield from records.read(source.name, source.format, self.field, text)
        except UnicodeError as error:
            raise self.not_decodable(source, error) from None
        finally:
            text.detach()  # the file is closed by whoever opened it

    def not_decodable(self, source: Source, error: UnicodeError) -> DataError:
        """What to raise where decoding stops."""
        return DataError(
            f"{source.name} is not valid {self.encoding}: {error}.", "Try another --encoding, or --errors replace."
        )

    def clean(self, block: Block) -> Block:
        """The block as valid UTF-8, by the reader's policy for errors.

        Raises:
            DataError: under "strict", with file, line and byte.
        """
        if self.encoding == RAW_ENCODING:
            return block
        at = scan.first_invalid(block.data, 0, block.size)
        if at == block.size:
            return block
        if self.errors == "strict":
            raise self._undecodable(block, at)
        data = block.data[: block.size].tobytes()
        if self.errors == "replace":
            data = data.decode("utf-8", "replace").encode()
        else:
            lines = io.BytesIO(data).readlines()
            kept = [line for line in lines if _decodes(line)]
            with self._counting:
                self.skipped_lines += len(lines) - len(kept)
            data = b"".join(kept)
        fresh = np.zeros(len(data) + PADDING, np.uint8)
        fresh[: len(data)] = np.frombuffer(data, np.uint8)
        return replace(block, data=fresh, size=len(data))

    def undecodable_lines(self, block: Block) -> np.ndarray:
        """Numbers of the lines of a block, from 0, that `errors="skip"` leaves out; int64."""
        if self.encoding == RAW_ENCODING or scan.first_invalid(block.data, 0, block.size) == block.size:
            return np.zeros(0, np.int64)
        lines = io.BytesIO(block.data[: block.size].tobytes()).readlines()
        return np.array([number for number, line in enumerate(lines) if not _decodes(line)], np.int64)

    def clean_records(self, found: RecordBlock) -> RecordBlock:
        """As `clean`; records whose text is left out go too."""
        if found.stored is None:
            return RecordBlock(self.clean(found.text))
        stored = found.stored
        if self.errors == "skip":
            lines = found.text.data[: found.text.size].tobytes().split(b"\n")
            stored = [record for record, line in zip(stored, lines, strict=False) if _decodes(line)]
        elif self.errors == "replace":
            stored = [record.decode("utf-8", "replace").encode() for record in stored]
        return RecordBlock(self.clean(found.text), stored, found.header)

    def _undecodable(self, block: Block, at: int) -> DataError:
        inside = int(np.count_nonzero(block.data[:at] == 10))
        line_start = at - block.data[:at].tobytes().rfind(b"\n") - 1 if inside else at
        before = self._lines_up_to(block)
        byte = int(block.data[at])
        return DataError(
            f"{block.source.name}, line {before + inside + 1}, byte {line_start + 1} of the line "
            f"(byte {block.offset + at:,} of the text): 0x{byte:02x} is not valid UTF-8.",
            "Say the --encoding (for example latin-1), or --errors replace or skip.",
        )

    def _lines_up_to(self, block: Block) -> int:
        """How many lines of its source come before a block."""
        if block.source.stream:
            return self._lines_before.get(block.offset, 0)
        before = 0
        for other in self.blocks():
            if other.source == block.source:
                if other.offset >= block.offset:
                    break
                before += int(np.count_nonzero(other.data[: other.size] == 10))
        return before

    def lines(self) -> Iterator[str]:
        """All lines as strings without their ends."""
        for block in whole_lines(self.blocks()):
            yield from self.clean(block).lines()

    def fingerprint(self) -> str:
        """A digest of the stored bytes of all inputs and of the settings that change the text."""
        state = np.zeros(2, np.uint64)
        parts = []
        buffer = np.zeros(BLOCK + PADDING, np.uint8)
        for source in self.sources:
            with source.open() as raw:
                while size := raw.readinto(buffer.data[:BLOCK]):
                    words.digest(buffer, size, state)
            parts.append((source.format, source.size))
        settings = (parts, self.field, self.encoding, self.errors)
        return f"{int(state[0]):016x}{int(state[1]):016x}-{settings!r}"


@dataclass(eq=False)
class Lines:
    """An iterable of strings in the place of a Reader; each is one line. Restartable if the iterable is."""

    texts: Iterable[str]
    total_bytes: int | None = None
    skipped_lines = 0

    def blocks(self) -> Iterator[Block]:
        """The lines in blocks."""
        source, offset = Source("text", Path(), "lines"), 0
        encoded = (t.replace("\n", " ").encode("utf-8", "surrogatepass") + b"\n" for t in self.texts)
        for data, size, _ in _cut_at_lines(files.Pieces(encoded), source.name):
            yield Block(data, size, source, offset, offset + size)
            offset += size

    def clean(self, block: Block) -> Block:
        """The block itself: strings are valid text."""
        return block


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


def files_below(directory: Path) -> Iterator[Path]:
    """All files in a directory and in those below it, in no order, without hidden ones."""
    for path in directory.rglob("*"):
        hidden = any(part.startswith(".") for part in path.relative_to(directory).parts)
        if path.is_file() and not hidden:
            yield path


def _standard_input() -> IO[bytes]:
    if sys.stdin is None:
        raise DataError("standard input is closed.", "Give a file, or pipe text in.")
    return sys.stdin.buffer


def _spool_pipe(pipe: Path) -> Path:
    with pipe.open("rb") as stream:
        return _spool(stream)


def _spool(stream: IO[bytes]) -> Path:
    """Copy a stream that can be read only once to a temporary file that goes with the process."""
    import atexit
    import shutil

    try:
        with tempfile.NamedTemporaryFile(prefix="textkit-stdin-", delete=False) as file:
            atexit.register(Path(file.name).unlink, missing_ok=True)
            shutil.copyfileobj(stream, file, BLOCK)
    except OSError as error:
        raise DataError(
            f"cannot copy standard input to a temporary file: {files.why(error)}.",
            "Point TMPDIR to a place with room, or give a file.",
        ) from error
    return Path(file.name)


def _decodes(line: bytes) -> bool:
    try:
        line.decode()
    except UnicodeDecodeError:
        return False
    return True


def _cut_at_lines(stream: Any, name: str) -> Iterator[tuple[np.ndarray, int, bool]]:
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
