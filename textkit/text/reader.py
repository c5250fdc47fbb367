"""Reading text: files of any supported kind as a restartable stream of blocks of whole UTF-8 lines.

The reader deals with names, compression, columns and encodings; what leaves it is always bytes of plain text.
Memory is bounded by the block size, not by the input: a line longer than `blocks.LONG_LINE` is cut at a space.
"""

import codecs
import io
import threading
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass, replace
from functools import cached_property
from pathlib import Path
from typing import IO, Any, TypeVar

import numpy as np

from .. import files
from ..errors import DataError, UsageError
from ..kernels import scan, words
from . import blocks, records
from .blocks import Block, RecordBlock, cut_at_lines, whole_lines
from .inputs import Source, expanded
from .records import Record
from .tokenizer import PADDING, text_buffer

FORMATS = ("auto", "lines", "jsonl", "csv", "tsv")
ERRORS = ("strict", "replace", "skip")
RAW_ENCODING = "bytes"  # no decoding and no check: bytes go through as they are
_BOM = b"\xef\xbb\xbf"

Piece = TypeVar("Piece")


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
        return expanded(self.inputs, self.format, self.once)

    @property
    def total_bytes(self) -> int | None:
        """Stored size of all inputs together, for progress; None where that cannot be known."""
        return None if any(source.stream for source in self.sources) else sum(source.size for source in self.sources)

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
        for data, size, pause in cut_at_lines(stream, source.name):
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
        for batch in records.batches(found, blocks.BLOCK):
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
            data = stream.read(blocks.BLOCK)
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
        buffer = np.zeros(blocks.BLOCK + PADDING, np.uint8)
        for source in self.sources:
            with source.open() as raw:
                while size := raw.readinto(buffer.data[: blocks.BLOCK]):
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
        for data, size, _ in cut_at_lines(files.Pieces(encoded), source.name):
            yield Block(data, size, source, offset, offset + size)
            offset += size

    def clean(self, block: Block) -> Block:
        """The block itself: strings are valid text."""
        return block


def _decodes(line: bytes) -> bool:
    try:
        line.decode()
    except UnicodeDecodeError:
        return False
    return True
