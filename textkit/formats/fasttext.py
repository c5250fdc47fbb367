"""fastText's models, .bin and .ftz: settings, words and labels, and the two matrices, as plain arrays.

Layout (fastText 0.9.2, src/args.cc, dictionary.cc, densematrix.cc, quantmatrix.cc, productquantizer.cc;
little-endian, nothing padded):
    int32 magic, version; 12 int32 and a float64 of settings
    int32 entries, words, labels; int64 tokens, pruned; each entry: bytes and a NUL, int64 count, uint8 kind;
    `pruned` pairs int32 of a bucket and its row, where that is above 0
    uint8 coded, the input matrix; uint8 coded, the output matrix
    dense: int64 m, n, float32 (m, n); coded: uint8 norms, int64 m, n, int32 size, codes, codebook, norms and their own
    codebook: int32 dim, parts, width, width of the last part, float32 (256 * dim,)
"""

import itertools
import struct
from collections.abc import Iterator, Sequence
from dataclasses import astuple, dataclass, replace
from pathlib import Path

import numpy as np

from .. import files
from ..errors import DataError, UsageError
from ..kernels import fasttext as kernels
from .cursor import Cursor
from .matrices import CENTROIDS, Codebook, Coded, Dense

MAGIC, VERSION = 793712314, 12
LOSSES = ("hs", "ns", "softmax", "ova")  # 1, 2, 3, 4 in the file
MODELS = ("cbow", "skipgram", "supervised")  # 1, 2, 3
END = b"</s>"
BLANKS = " \n\t\r\v\f\0"  # what words end at
_SETTINGS = struct.Struct("<2i12id")
_SIZES = struct.Struct("<3i2q")
_BOOK = struct.Struct("<4i")
_PADDING = 16
_LARGEST = {"dim": 1 << 16, "word_ngrams": 1000, "shortest": 1000, "longest": 1000}
_LARGEST_COUNT = 10**15  # beyond that fastText's own tree of labels goes wrong
_BUFFER = 8 << 20
_CURE = "Copy it again; .bin and .ftz files of fastText 0.2 and later are read."


@dataclass(frozen=True)
class Settings:
    """What a model remembers of its training, in the order of the file."""

    dim: int
    window: int = 5
    epochs: int = 5
    min_count: int = 1
    negatives: int = 5
    word_ngrams: int = 1
    loss: str = "softmax"
    model: str = "supervised"
    buckets: int = 0
    shortest: int = 0
    longest: int = 0
    update_rate: int = 100
    sample: float = 1e-4


@dataclass
class Entries:
    """The dictionary: words, then labels.

    Attributes:
        arena, ends: uint8 and int64 (n + 1,): entry i is arena[ends[i]:ends[i + 1]]; some spare bytes follow.
        counts: int64 (n,).
        words: how many of them are words.
    """

    arena: np.ndarray
    ends: np.ndarray
    counts: np.ndarray
    words: int

    @classmethod
    def of(cls, words: list[bytes], labels: list[bytes], counts: np.ndarray) -> "Entries":
        """Words and labels with their counts, int64."""
        listed = [*words, *labels]
        ends = np.zeros(len(listed) + 1, np.int64)
        ends[1:] = np.cumsum([len(entry) for entry in listed])
        arena = np.frombuffer(bytearray(b"".join(listed) + bytes(_PADDING)), np.uint8)
        return cls(arena, ends, np.ascontiguousarray(counts, np.int64), len(words))

    def __len__(self) -> int:
        return len(self.counts)

    def words_only(self) -> list[bytes]:
        """The bytes of all words, without those of labels."""
        return self.names(0, self.words)

    def names(self, first: int = 0, last: int | None = None) -> list[bytes]:
        """The bytes of entries first to last."""
        data = self.arena.tobytes()
        edges = self.ends[first : None if last is None else last + 1].tolist()
        return [data[a:b] for a, b in itertools.pairwise(edges)]


@dataclass
class FastText:
    """A model of fastText.

    Attributes:
        tokens: of the training text.
        kept: int32 (P, 2), which buckets are left and their rows behind those of the words; None where none was pruned.
        input: rows of words, then of buckets.
        output: rows of labels, or of words where nothing is supervised; for hs of the inner nodes of their tree.
    """

    settings: Settings
    entries: Entries
    tokens: int
    kept: np.ndarray | None
    input: "Dense | Coded"
    output: "Dense | Coded"

    @property
    def supervised(self) -> bool:
        return self.settings.model == "supervised"

    @property
    def labels(self) -> int:
        return len(self.entries) - self.entries.words


def is_fasttext(path: str | Path) -> bool:
    """Whether a file, plain or compressed, begins as a fastText model does. Raises DataError: it cannot be opened."""
    try:
        with open(path, "rb") as raw:
            return files.decompressed(raw).read(4) == MAGIC.to_bytes(4, "little")
    except files.decompression_errors() as error:
        why = files.why(error) if isinstance(error, OSError) else error
        raise DataError(f"cannot read {path}: {why}.") from error


# --- reading -------------------------------------------------------------------------------------------


def read(path: str | Path) -> FastText:
    """Map a .bin or .ftz file. Memory: the words; matrices stay in the file until their rows are asked for.

    Raises:
        DataError: not such a file, or one that is cut off, contradicts itself, or has centroids that are no numbers.
    """
    cursor = Cursor.open(path, _CURE)
    settings = _settings(cursor)
    entries, tokens, kept = _entries(cursor)
    matrices, coded = [], False
    for what in ("input", "output"):
        coded = bool(cursor.take(1, "matrices")[0]) and (coded or what == "input")
        matrices.append(_coded(cursor, what) if coded else _dense(cursor, what))
    found = FastText(settings, entries, tokens, kept, *matrices)
    _check(cursor, found)
    return found


def _settings(cursor: Cursor) -> Settings:
    magic, version, *numbers, sample = _SETTINGS.unpack(cursor.take(_SETTINGS.size, "settings").tobytes())
    if magic != MAGIC:
        raise DataError(f"{cursor.path} is no fastText model.", _CURE)
    if version > VERSION:
        raise DataError(f"{cursor.path} is of a newer version of fastText's format, {version}.", "12 is read.")
    if not (1 <= numbers[6] <= len(LOSSES) and 1 <= numbers[7] <= len(MODELS)):
        raise cursor.damaged(f"its settings say loss {numbers[6]} and model {numbers[7]}")
    numbers[6], numbers[7] = LOSSES[numbers[6] - 1], MODELS[numbers[7] - 1]
    settings = Settings(*numbers, sample)  # type: ignore[call-arg]
    if version == 11 and settings.model == "supervised":  # such models ignore their character n-grams
        settings = replace(settings, longest=0)
    for name, most in _LARGEST.items():
        if not (name == "dim") <= getattr(settings, name) <= most:
            raise cursor.damaged(f"its settings say {name.replace('_', '-')} {getattr(settings, name)}")
    hashed = settings.longest > 0 or settings.word_ngrams > 1
    if settings.buckets < hashed:
        raise cursor.damaged(f"its settings say {settings.buckets} buckets for n-grams")
    return settings


def _entries(cursor: Cursor) -> tuple[Entries, int, np.ndarray | None]:
    size, words, labels, tokens, pruned = _SIZES.unpack(cursor.take(_SIZES.size, "dictionary").tobytes())
    if min(size, words, labels) < 0 or size != words + labels or pruned < -1:
        raise cursor.damaged(f"its dictionary says {words} words, {labels} labels and {size} of both")
    position, total = kernels.measure_entries(cursor.data, cursor.position, size)
    if position < 0:
        raise cursor.damaged(f"its dictionary should have {size:,} words and labels, but ends before or has empty ones")
    arena, ends = np.zeros(total + _PADDING, np.uint8), np.zeros(size + 1, np.int64)
    counts, kinds = np.empty(size, np.int64), np.empty(size, np.uint8)
    kernels.copy_entries(cursor.data, cursor.position, arena, ends, counts, kinds)
    cursor.position = position
    if not (kinds[:words] == 0).all() or not (kinds[words:] == 1).all():
        raise cursor.damaged("its labels do not stand behind its words")
    if size and not 0 <= counts.min() <= counts.max() <= _LARGEST_COUNT:
        raise cursor.damaged("its words have impossible counts")
    kept = np.zeros((0, 2), np.int32) if pruned == 0 else None
    if pruned > 0:
        kept = cursor.take(8 * pruned, "list of n-grams").view("<i4").reshape(-1, 2).astype(np.int32)
    return Entries(arena, ends, counts, words), tokens, kept


def _dense(cursor: Cursor, what: str) -> Dense:
    rows, columns = _shape(cursor, what)
    return Dense(cursor.take(4 * rows * columns, f"{what} matrix"), (rows, columns))


def _shape(cursor: Cursor, what: str) -> tuple[int, int]:
    rows, columns = struct.unpack("<2q", cursor.take(16, f"{what} matrix").tobytes())
    if not (0 <= rows < 1 << 40 and 1 <= columns <= _LARGEST["dim"]):
        raise cursor.damaged(f"its {what} matrix says it is {rows} by {columns}")
    return rows, columns


def _coded(cursor: Cursor, what: str) -> Coded:
    with_norms = bool(cursor.take(1, f"{what} matrix")[0])
    rows, columns = _shape(cursor, what)
    (size,) = struct.unpack("<i", cursor.take(4, f"{what} matrix").tobytes())
    codes = cursor.take(max(size, 0), f"{what} matrix")
    book = _codebook(cursor, what)
    if book.dim != columns or size != rows * book.parts:
        raise cursor.damaged(f"its {what} matrix of {rows} by {columns} has {size} codes")
    if not with_norms:
        return Coded(codes, book)
    norms, values = cursor.take(rows, f"{what} matrix"), _codebook(cursor, what)
    if values.dim != 1:
        raise cursor.damaged(f"the lengths of its {what} matrix are coded in {values.dim} dimensions")
    return Coded(codes, book, norms, values.centroids)


def _codebook(cursor: Cursor, what: str) -> Codebook:
    dim, parts, width, last = _BOOK.unpack(cursor.take(_BOOK.size, f"{what} matrix").tobytes())
    fits = 1 <= width <= dim <= _LARGEST["dim"] and parts == -(-dim // width) and last == dim - (parts - 1) * width
    if not fits:
        raise cursor.damaged(f"a codebook says {dim} dimensions in {parts} parts of {width} and {last}")
    centroids = cursor.take(4 * CENTROIDS * dim, f"{what} matrix").view("<f4").astype(np.float32)
    if not np.isfinite(centroids).all():
        raise cursor.damaged("a codebook has numbers that are infinite or none at all")
    return Codebook(centroids, width)


def _check(cursor: Cursor, model: FastText) -> None:
    """Hold the parts against each other."""
    settings, words = model.settings, model.entries.words
    hashed = settings.buckets if model.kept is None else len(model.kept)
    targets = model.labels if model.supervised else words
    for what, matrix, rows in (("input", model.input, words + hashed), ("output", model.output, targets)):
        if matrix.shape != (rows, settings.dim):
            raise cursor.damaged(
                f"its {what} matrix is {matrix.shape[0]} by {matrix.shape[1]}, not {rows} by {settings.dim}"
            )
    if model.kept is not None and isinstance(model.input, Dense):
        raise cursor.damaged("n-grams were pruned from a matrix that is not coded")
    if model.kept is not None and len(model.kept) and not 0 <= model.kept.min() <= model.kept[:, 1].max() < hashed:
        raise cursor.damaged("its list of n-grams names rows that are not there")
    if model.supervised and not model.labels:
        raise cursor.damaged("it has no label")


# --- writing -------------------------------------------------------------------------------------------


def write(path: str | Path, model: FastText, streams: "dict[str, files.Stream] | None" = None) -> None:
    """Write a model that fastText 0.9.2 opens.

    Args:
        streams: matrices, "input" or "output", that are made piece by piece, in place of those of the model.

    Raises:
        DataError: a word that fastText could not have: empty, or with white space in it. UsageError: more than it can
            number.
    """
    with files.atomic_write(path) as stream:
        for piece in _pieces(model, streams or {}):
            stream.write(piece)


def file_size(model: FastText) -> int:
    """The bytes of the file that `write` makes of a model."""
    return sum(len(piece) for piece in _pieces(model, {}))


def _pieces(model: FastText, streams: "dict[str, files.Stream]") -> "Iterator[bytes | memoryview]":
    settings, entries, kept = model.settings, model.entries, model.kept
    numbers = list(astuple(settings))
    numbers[6], numbers[7] = LOSSES.index(settings.loss) + 1, MODELS.index(settings.model) + 1
    yield _SETTINGS.pack(MAGIC, VERSION, *numbers)
    pruned = -1 if kept is None else len(kept)
    yield _SIZES.pack(len(entries), entries.words, len(entries) - entries.words, model.tokens, pruned)
    yield from _entry_pieces(entries)
    if kept is not None:
        yield np.ascontiguousarray(kept, "<i4").tobytes()
    for what, matrix in (("input", model.input), ("output", model.output)):
        yield bytes([isinstance(matrix, Coded)])
        if what in streams:
            yield from _stream_pieces(streams[what])
        elif isinstance(matrix, Coded):
            yield from _coded_pieces(matrix)
        else:
            yield struct.pack("<2q", *matrix.shape)
            yield matrix.data.data


def _entry_pieces(entries: Entries) -> Iterator[memoryview]:
    if len(entries) >= 1 << 31:
        raise UsageError(f"{len(entries):,} words and labels are more than fastText can number.")
    out = np.empty(max(_BUFFER, int(np.diff(entries.ends).max(initial=0)) + 16), np.uint8)
    entry = 0
    while entry < len(entries):
        entry, size = kernels.write_entries(entries.arena, entries.ends, entries.counts, entries.words, entry, out)
        yield out[:size].data


def _stream_pieces(stream: files.Stream) -> "Iterator[bytes | memoryview]":
    yield struct.pack("<2q", *stream.shape)
    for chunk in stream.chunks:
        yield np.ascontiguousarray(chunk, "<f4").reshape(-1).view(np.uint8).data


def _coded_pieces(matrix: Coded) -> "Iterator[bytes | memoryview]":
    if len(matrix.codes) >= 1 << 31:
        raise UsageError(f"{len(matrix.codes):,} codes are more than fastText can hold.", "Keep fewer features.")
    yield struct.pack("<B2qi", len(matrix.norms) > 0, *matrix.shape, len(matrix.codes))
    yield matrix.codes.data
    yield from _book_pieces(matrix.book)
    if len(matrix.norms):
        yield matrix.norms.data
        yield from _book_pieces(Codebook(matrix.norm_values, 1))


def _book_pieces(book: Codebook) -> Iterator[bytes]:
    yield _BOOK.pack(book.dim, book.parts, book.width, book.dim - (book.parts - 1) * book.width)
    yield book.centroids.astype("<f4").tobytes()


def write_vectors(
    path: str | Path,
    words: Sequence[str],
    rows: files.Stream,
    settings: Settings | None = None,
    counts: np.ndarray | None = None,
    output: files.Stream | None = None,
) -> None:
    """Write word vectors as a model.

    Args:
        rows: of words, then of buckets.
        settings: of a skip-gram without n-grams if not given.
        counts: of the words, int64; 1 if not given.
        output: the other matrix, of zeros if not given.
    """
    dim, zeros = rows.shape[1], np.zeros((0, rows.shape[1]), np.float32)
    counts = np.ones(len(words), np.int64) if counts is None else np.maximum(counts, 1)
    entries = Entries.of([word.encode("utf-8", "surrogateescape") for word in words], [], counts)
    settings = settings or Settings(dim, loss="ns", model="skipgram")
    model = FastText(settings, entries, int(counts.sum()), None, Dense.of(zeros), Dense.of(zeros))
    output = output or files.Stream(np.float32, (len(words), dim), _zeros(len(words), dim))
    write(path, model, {"input": rows, "output": output})


def _zeros(rows: int, dim: int) -> Iterator[np.ndarray]:
    step = max(1, _BUFFER // (4 * dim))
    return (np.zeros((min(step, rows - first), dim), np.float32) for first in range(0, rows, step))
