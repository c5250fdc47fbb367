"""The encoded corpus: a text as int32 ids and int64 line offsets, written in blocks and memory-mapped.

Text is tokenized once, in one pass over it: each worker numbers words by its own table, and when the whole
vocabulary is known the ids are renumbered while they are copied into the final file. Memory grows with the
vocabulary, not with the text.
"""

import contextlib
import hashlib
import itertools
import os
from collections import deque
from collections.abc import Iterator
from dataclasses import dataclass, replace
from pathlib import Path
from queue import SimpleQueue
from typing import IO, Protocol

import numpy as np

from .. import __version__, files
from ..errors import DataError, UsageError
from ..kernels import scan, words
from ..kernels.jit import release_compiler
from ..parallel import ordered_map, thread_count
from ..progress import Progress, Reporter, silent
from ..store import drop_pages, return_freed_memory
from .blocks import Block, whole_lines
from .reader import Lines
from .tokenizer import Tokenizer
from .vocabulary import SPECIALS, UNK, Vocabulary, WordTable

KIND = "corpus"
FORMAT_VERSION = 1
CACHE_LIMIT = 20 << 30  # bytes of encoded corpora kept; the least recently used go first
_IN_MEMORY = 96 << 20  # bytes of ids kept in memory; more go to a file as they come
_LINES = 1 << 16  # looked at in one go
_SPARING = 4 << 20  # the same where little memory is to be taken


class Text(Protocol):
    """What can be encoded: a `Reader`, or `Lines`."""

    @property
    def total_bytes(self) -> int | None: ...

    def blocks(self) -> Iterator[Block]: ...

    def clean(self, block: Block) -> Block: ...


@dataclass
class Encoded:
    """One block of text as ids.

    Attributes:
        ids: int32, of all tokens.
        lines: int64, for each line end the number of ids before it.
        open: whether the last line goes on, or ends without a newline.
        characters: Unicode characters in the block, newlines included.
    """

    ids: np.ndarray
    lines: np.ndarray
    open: bool
    characters: int
    block: Block


@dataclass
class EncodedCorpus:
    """A text as numbers.

    Attributes:
        ids: int32 (N,), token ids without sentence marks.
        offsets: int64 (L + 1,), line i is ids[offsets[i]:offsets[i + 1]].
        characters, bytes: size of the text, newlines included.
    """

    ids: np.ndarray
    offsets: np.ndarray
    vocabulary: Vocabulary
    tokenizer: Tokenizer
    characters: int
    bytes: int

    @property
    def tokens(self) -> int:
        return len(self.ids)

    @property
    def lines(self) -> int:
        return len(self.offsets) - 1

    def line(self, number: int) -> np.ndarray:
        """The ids of one line, int32."""
        return self.ids[self.offsets[number] : self.offsets[number + 1]]

    def sizes(self, lines: np.ndarray) -> np.ndarray:
        """How many ids each of these lines has, int32."""
        found = np.empty(len(lines), np.int32)
        for i in range(0, len(lines), _LINES):
            some = lines[i : i + _LINES]
            found[i : i + _LINES] = self.offsets[some + 1] - self.offsets[some]
        return found

    def words(self, lines: np.ndarray) -> int:
        """How many ids these lines have together."""
        return int(self.sizes(lines).sum(dtype=np.int64))

    @classmethod
    def load(cls, path: str | Path) -> "EncodedCorpus":
        """Open a corpus file by memory map. Raises DataError where it is none."""
        container = files.load(path, KIND)
        header, arrays = container.header, container.arrays
        if header.get("format_version") != FORMAT_VERSION:
            raise DataError(f"{path} has format {header.get('format_version')}, this textkit reads {FORMAT_VERSION}.")
        vocabulary = Vocabulary.from_arrays(arrays, path)
        try:
            ids, offsets = arrays["ids"], arrays["offsets"]
            tokenizer = Tokenizer.from_settings(header["tokenizer"])
            corpus = cls(ids, offsets, vocabulary, tokenizer, header["characters"], header["bytes"])
        except (KeyError, UsageError) as error:
            raise DataError(f"{path} is damaged: it lacks or spoils {error}.") from None
        if not (
            (ids.dtype, offsets.dtype, ids.ndim, offsets.ndim) == (np.int32, np.int64, 1, 1)
            and len(offsets)
            and (offsets[0], offsets[-1]) == (0, len(ids))
            and _ascending(offsets)
        ):
            raise DataError(f"{path} is damaged: its lines do not fit its ids.")
        return corpus


def encode_corpus(
    text: Text,
    tokenizer: Tokenizer,
    *,
    vocabulary: Vocabulary | None = None,
    min_count: int = 1,
    max_vocab: int | None = None,
    skip_unk: bool = False,
    threads: int | None = None,
    cache: Path | None = None,
    in_memory: int = _IN_MEMORY,
    sparing: bool = False,
    progress: Reporter = silent,
) -> EncodedCorpus:
    """Encode a text, or find it encoded already.

    Args:
        vocabulary: use these words; otherwise the text's own are counted.
        min_count, max_vocab: which of its own words to keep; the others become <unk>.
        skip_unk: leave out where the text itself has the word <unk>, instead of counting it for the unknown word;
            only without a given vocabulary.
        cache: directory of encoded corpora, where one of the same content and settings is reused; None to
            keep it in memory, or if it is large in a temporary file that goes when the corpus does.
        in_memory: bytes of ids that are not put into a temporary file.
        sparing: take as little memory as possible: a text that is not small is in the temporary file, and freed memory
            goes back to the system at once.

    Raises:
        DataError: unreadable text, or no token in it.
    """
    key = None
    if cache is not None and hasattr(text, "fingerprint"):
        key = _cache_key(text.fingerprint(), tokenizer, vocabulary, min_count, max_vocab, skip_unk)
        with contextlib.suppress(DataError):
            corpus = EncodedCorpus.load(cache / f"{key}.corpus")
            os.utime(cache / f"{key}.corpus")
            return corpus
    if sparing:
        return_freed_memory()
        release_compiler()
        for _ in _Workers(Lines(["."]), tokenizer, vocabulary, 1).run():
            release_compiler()  # now that the kernels are loaded, and before there is anything else in memory
    workers = _Workers(text, tokenizer, vocabulary, thread_count(threads), skip_unk)
    encoder = _Encoder(workers, min_count, max_vocab, progress, _SPARING if sparing else in_memory)
    with files.scratch_directory(cache) as scratch, contextlib.closing(encoder):
        path = scratch / "encoded.corpus"
        encoder.run(scratch)
        if cache is None and not (sparing and encoder.spilled):
            return encoder.corpus()
        encoder.save(path)
        if cache is not None and key is not None:
            _evict(cache, CACHE_LIMIT - path.stat().st_size)
            path = path.replace(cache / f"{key}.corpus")
        return EncodedCorpus.load(path)  # mapped files stay readable after the scratch directory goes


def _ascending(offsets: np.ndarray, step: int = 1 << 20) -> bool:
    """Whether none is below the one before; of a large file only a piece is in memory at a time."""
    for i in range(0, len(offsets), step):
        if (np.diff(offsets[i : i + step + 1]) < 0).any():
            return False
        drop_pages(offsets)
    return True


def _cache_key(
    fingerprint: str,
    tokenizer: Tokenizer,
    vocabulary: Vocabulary | None,
    min_count: int,
    max_vocab: int | None,
    skip_unk: bool,
) -> str:
    parts = [str(FORMAT_VERSION), __version__, fingerprint, tokenizer.signature, str(min_count), str(max_vocab)]
    parts += ["skip_unk"] if skip_unk else []
    digest = hashlib.sha256("\0".join(parts).encode())
    if vocabulary is not None:
        digest.update(vocabulary.arena.tobytes() + vocabulary.ends.tobytes())
    return digest.hexdigest()[:32]


def _evict(cache: Path, room: int) -> None:
    """Remove the least recently used corpora until the others take at most `room` bytes."""
    kept = sorted(cache.glob("*.corpus"), key=lambda path: path.stat().st_mtime, reverse=True)
    for path in kept:
        room -= path.stat().st_size
        if room < 0:
            path.unlink(missing_ok=True)


def encode_block(block: Block, tokenizer: Tokenizer, numbers: "_Numbering", counted: bool = True) -> Encoded:
    """One checked block as ids; `numbers` is `Vocabulary.look_up` or `WordTable.intern`.

    Args:
        counted: count the characters, too, which is one more pass over the bytes; else they are 0.
    """
    ids: list[np.ndarray] = [np.zeros(0, np.int32)]
    lines: list[np.ndarray] = [np.zeros(0, np.int64)]
    total = 0
    for buffer, spans, count in tokenizer.batches(block.data, block.size):
        new_ids, new_lines = numbers(buffer, spans, count)
        ids.append(new_ids)
        lines.append(new_lines.astype(np.int64) + total)
        total += len(new_ids)
    characters = block.size - scan.count_marks(block.data, block.size)[1] if counted else 0
    return Encoded(np.concatenate(ids), np.concatenate(lines), block.open, characters, block)


def encode_lines(block: Block, tokenizer: Tokenizer, vocabulary: Vocabulary | None = None) -> EncodedCorpus:
    """The lines of one checked block as a corpus; its words are numbered as they come if none are given.

    Its characters are not counted.
    """
    table = None if vocabulary else _new_table()
    numbers = vocabulary.look_up if vocabulary else table.intern  # type: ignore[union-attr]
    encoded = encode_block(block, tokenizer, numbers, counted=False)
    ends = [np.zeros(1, np.int64), encoded.lines, np.full(int(encoded.open), len(encoded.ids), np.int64)]
    words = vocabulary or Vocabulary.from_table_as_is(table)  # type: ignore[arg-type]
    return EncodedCorpus(encoded.ids, np.concatenate(ends), words, tokenizer, encoded.characters, block.size)


def _without_unk(encoded: Encoded) -> Encoded:
    stays = encoded.ids != UNK
    before = np.concatenate([[0], np.cumsum(stays)])
    return replace(encoded, ids=encoded.ids[stays], lines=before[encoded.lines])


class _Numbering(Protocol):
    def __call__(self, buffer: np.ndarray, spans: np.ndarray, n_spans: int) -> tuple[np.ndarray, np.ndarray]: ...


class _Workers:
    """Numbers blocks of text on several threads, each with a word table of its own, or all with one vocabulary."""

    def __init__(
        self, text: Text, tokenizer: Tokenizer, vocabulary: Vocabulary | None, threads: int, skip_unk: bool = False
    ) -> None:
        self.text, self.tokenizer, self.vocabulary, self.threads = text, tokenizer, vocabulary, threads
        self.skip_unk = skip_unk
        self.tables = [] if vocabulary else [_new_table() for _ in range(threads)]
        self.free: SimpleQueue[int] = SimpleQueue()
        for i in range(len(self.tables)):
            self.free.put(i)

    def run(self) -> Iterator[tuple[Encoded, int]]:
        """Each block in the order of the text, with the number of the table its ids are of."""
        blocks = self.text.blocks()
        if self.tokenizer.needs_whole_lines:
            blocks = whole_lines(blocks)
        return ordered_map(self._encode, enumerate(blocks), self.threads)

    def _encode(self, numbered: tuple[int, Block]) -> tuple[Encoded, int]:
        sequence, block = numbered
        block = self.text.clean(block)
        if self.vocabulary:
            return encode_block(block, self.tokenizer, self.vocabulary.look_up), 0
        index = self.free.get()
        try:
            table = self.tables[index]
            encoded = encode_block(block, self.tokenizer, table.intern)
            if self.skip_unk:
                encoded = _without_unk(encoded)
                table.counts[UNK] = 0
            table.note_first(encoded.ids, sequence << 32)
            return encoded, index
        finally:
            self.free.put(index)

    def settle(self, min_count: int, max_vocab: int | None) -> tuple[Vocabulary, list[np.ndarray]]:
        """The final vocabulary, and for each table the map from its ids (none where there is nothing to map)."""
        if self.vocabulary:
            return self.vocabulary, []
        united = self.tables[0]
        mappings = [np.arange(united.words, dtype=np.int32), *(united.add_table(t) for t in self.tables[1:])]
        vocabulary, final = Vocabulary.from_table(united, min_count, max_vocab)
        return vocabulary, [final[m] for m in mappings]


def count_vocabulary(
    text: Text,
    tokenizer: Tokenizer,
    *,
    min_count: int = 1,
    max_vocab: int | None = None,
    threads: int | None = None,
    progress: Reporter = silent,
) -> Vocabulary:
    """The words of a text with their counts, without keeping the text. Arguments as for `encode_corpus`."""
    workers = _Workers(text, tokenizer, None, thread_count(threads))
    tokens = 0
    for encoded, _ in workers.run():
        tokens += len(encoded.ids)
        progress(Progress("counting words", encoded.block.done, text.total_bytes, "bytes"))
    if tokens == 0:
        raise _no_token()
    return workers.settle(min_count, max_vocab)[0]


def _no_token() -> DataError:
    return DataError("there is no token in the input.", "Is the file empty, or the tokenizer the wrong one?")


class _Spool:
    """Arrays of one type, one after the other: in memory while they are small together, else in a file."""

    def __init__(self, dtype: type, limit: int) -> None:
        self.dtype, self.limit = np.dtype(dtype), limit
        self.sizes: list[int] = []
        self.bytes = 0
        self.kept: list[np.ndarray] = []
        self.path: Path | None = None
        self.stream: IO[bytes] | None = None

    @property
    def spilled(self) -> bool:
        return self.stream is not None

    def append(self, array: np.ndarray) -> None:
        """Add an array at the end; the file is made when memory would exceed its share."""
        self.sizes.append(len(array))
        self.bytes += array.nbytes
        if self.stream is None and self.bytes > self.limit and self.path:
            self.stream = self.path.open("wb")
            for kept in self.kept:
                self.stream.write(kept.data.cast("B"))
            self.kept = []
        if self.stream is None:
            self.kept.append(array)
        else:
            self.stream.write(array.data.cast("B"))

    def arrays(self) -> Iterator[np.ndarray]:
        """The arrays as they were added, once: those in memory are let go."""
        if self.stream is None:
            kept, self.kept = deque(self.kept), []
            while kept:
                yield kept.popleft()
            return
        with self.flushed().open("rb") as stream:
            for size in self.sizes:
                yield np.fromfile(stream, self.dtype, size)

    def flushed(self) -> Path:
        """The file, to which no more is added."""
        assert self.stream is not None and self.path is not None
        self.stream.close()
        return self.path

    def mapped(self) -> np.ndarray:
        """All arrays as one, mapped from the file."""
        return np.frombuffer(files.mapped(self.flushed()), self.dtype)


class _Encoder:
    """One encoding run: text → numbered blocks → vocabulary → corpus."""

    def __init__(
        self, workers: _Workers, min_count: int, max_vocab: int | None, progress: Reporter, in_memory: int
    ) -> None:
        self.workers, self.min_count, self.max_vocab, self.progress = workers, min_count, max_vocab, progress
        self.ids, self.ends = _Spool(np.int32, in_memory), _Spool(np.int64, in_memory)
        self.tables: list[int] = []  # of each block in the order of the text
        self.tokens = self.lines = self.characters = self.bytes = 0

    def run(self, scratch: Path) -> None:
        """Number the whole text, and settle the vocabulary."""
        self.ids.path, self.ends.path = scratch / "ids", scratch / "ends"
        try:
            self._number()
        except OSError as error:
            raise DataError(
                f"cannot write the encoded text to {scratch}: {files.why(error)}.",
                "Free some space, or choose another --cache-dir.",
            ) from error
        if self.tokens == 0:
            raise _no_token()
        self.vocabulary, self.mappings = self.workers.settle(self.min_count, self.max_vocab)

    def close(self) -> None:
        """Close the files, wherever it ended."""
        for spool in (self.ids, self.ends):
            if spool.stream:
                spool.stream.close()

    @property
    def spilled(self) -> bool:
        """Whether something is in a file."""
        return self.ids.spilled or self.ends.spilled

    def corpus(self) -> EncodedCorpus:
        """The corpus in memory, or mapped from the files of what is large, which need no name any more."""
        if self.ids.spilled:
            self._renumber_file()
            ids = self.ids.mapped()
        else:
            ids = np.empty(self.tokens, np.int32)
            for _ in self._renumbered(ids):
                pass
        offsets = self.ends.mapped() if self.ends.spilled else np.concatenate(self.ends.kept)
        return EncodedCorpus(ids, offsets, self.vocabulary, self.workers.tokenizer, self.characters, self.bytes)

    def save(self, path: Path) -> None:
        """Write the corpus as the container `path`."""
        header = {
            "format_version": FORMAT_VERSION,
            "version": __version__,
            "tokenizer": self.workers.tokenizer.settings(),
            "characters": self.characters,
            "bytes": self.bytes,
        }
        offsets = files.Stream(np.int64, (self.lines + 1,), self.ends.arrays())
        ids = files.Stream(np.int32, (self.tokens,), self._renumbered())
        files.save(path, KIND, header, {"ids": ids, "offsets": offsets, **self.vocabulary.arrays()}, sync=False)

    def _number(self) -> None:
        """Keep provisional ids and the ends of lines (after a leading 0) as the text is read."""
        self.ends.append(np.zeros(1, np.int64))
        last: Encoded | None = None
        for encoded, table in self.workers.run():
            if last and last.open and last.block.source != encoded.block.source:
                self._end_line()
            self.ids.append(encoded.ids)
            self.ends.append(encoded.lines + self.tokens)
            self.tables.append(table)
            self.tokens += len(encoded.ids)
            self.lines += len(encoded.lines)
            self.characters += encoded.characters
            self.bytes += encoded.block.size
            self.progress(Progress("reading", encoded.block.done, self.workers.text.total_bytes, "bytes"))
            last = encoded
        if last and last.open:
            self._end_line()

    def _end_line(self) -> None:
        self.ends.append(np.array([self.tokens], np.int64))
        self.lines += 1

    def _renumbered(self, into: np.ndarray | None = None) -> Iterator[np.ndarray]:
        """The final ids block by block, copied to their place in an array if there is one."""

        def renumber(numbered: tuple[int, np.ndarray, int]) -> np.ndarray:
            start, piece, table = numbered
            if self.mappings:
                words.remap(piece, self.mappings[table])
            if into is not None:
                into[start : start + len(piece)] = piece
            return piece

        starts = itertools.accumulate(self.ids.sizes, initial=0)
        return ordered_map(renumber, zip(starts, self.ids.arrays(), self.tables, strict=False), self.workers.threads)

    def _renumber_file(self) -> None:
        """Put the final ids in the place of the provisional ones: a second file would cost more than the work."""
        path = self.ids.flushed()

        def renumber(numbered: tuple[int, int, int]) -> None:
            start, size, table = numbered
            with path.open("r+b", buffering=0) as stream:
                stream.seek(4 * start)
                piece = np.fromfile(stream, np.int32, size)
                words.remap(piece, self.mappings[table])
                stream.seek(4 * start)
                stream.write(piece.data.cast("B"))

        if self.mappings:
            starts = itertools.accumulate(self.ids.sizes, initial=0)
            pieces = zip(starts, self.ids.sizes, self.tables, strict=False)
            for _ in ordered_map(renumber, pieces, self.workers.threads):
                pass


def _new_table() -> WordTable:
    table = WordTable()
    start = Vocabulary.from_words([])
    table.add_words(start.arena, start.ends)
    table.first[: len(SPECIALS)] = -1
    return table
