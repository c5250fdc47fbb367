"""Files of word vectors that other programs read and write: word2vec, .vec, GloVe, NumPy, projector TSV, fastText.

Reading gives the words and one float32 matrix. A word that is no UTF-8 (word2vec cuts words at 99 bytes) keeps its
bytes as surrogates.
"""

import re
from collections.abc import Sequence
from pathlib import Path
from typing import IO

import numpy as np

from .. import files
from ..errors import DataError, UsageError
from ..kernels import rows as kernels
from ..kernels.floats import POWERS, find_decimals
from . import fasttext
from .hashing import word_vectors

LAYOUTS = ("auto", "text", "binary", "binary-gensim", "glove", "npy", "projector", "fasttext")
ENDINGS = {".bin": "binary", ".vec": "text", ".txt": "text", ".npy": "npy", ".tsv": "projector", ".glove": "glove"}
_HEADER = re.compile(rb"(\d{1,18}) (\d{1,6})[ \t]*\r?\n")
_LONGEST_WORD = 1 << 16
_LARGEST_DIM = 1 << 16
_CHUNK = 1 << 14
_BUFFER = 8 << 20
_HINT = "Say with --layout what it is: " + ", ".join(LAYOUTS[1:]) + "."

Found = tuple[list[str], np.ndarray]


def read(path: str | Path, layout: str = "auto") -> Found:
    """Words and vectors float32 (n, D) of a file, plain or compressed.

    Memory: the matrix, and the file itself where it is compressed.

    Args:
        layout: one of LAYOUTS. "auto" tells text, binary, GloVe, NumPy, projector and fastText files by their
            beginnings.

    Raises:
        DataError: unreadable, damaged, or in no known layout, with the line where there is one.
    """
    path = Path(path)
    if layout not in LAYOUTS:
        raise UsageError(f"unknown layout '{layout}'.", f"Choose one of {', '.join(LAYOUTS)}.")
    if layout == "fasttext" or (layout == "auto" and fasttext.is_fasttext(path)):
        model = fasttext.read(path)
        return [word.decode("utf-8", "surrogateescape") for word in model.entries.words_only()], word_vectors(model)
    data = _contents(path)
    if layout == "npy" or (layout == "auto" and data[:6].tobytes() == b"\x93NUMPY"):
        return _read_npy(path)
    header = _HEADER.match(data[:64].tobytes())
    if layout == "projector" or (layout == "auto" and not header and _looks_like_projector(path, data)):
        return _read_projector(path, data)
    if layout == "glove" or (layout == "auto" and not header):
        return _read_text(path, data, 0, None, _width(path, data))
    if not header:
        raise DataError(f"{path} does not begin with a line of two numbers, words and dimensions.", _HINT)
    count, dim, start = int(header[1]), int(header[2]), header.end()
    if not 1 <= dim <= _LARGEST_DIM:
        raise DataError(f"{path} says that its vectors have {dim} dimensions.", _HINT)
    if layout.startswith("binary") or (layout == "auto" and not _text_follows(data, start, dim)):
        return _read_binary(path, data, start, count, dim)
    return _read_text(path, data, start, count, dim)


def write(path: str | Path, layout: str, words: Sequence[str], vectors: np.ndarray) -> list[Path]:
    """Write vectors float32 (n, D); returns the files written.

    Args:
        layout: "text" (as .vec), "binary" (as word2vec.c, a line feed after each vector), "binary-gensim" (none),
            "glove" (text without a header), "npy" (with words in FILE.words.txt), "projector" (with FILE.metadata.tsv),
            "fasttext" (a .bin of skip-gram vectors without n-grams);
            "auto" goes by the ending of the name.

    Raises:
        UsageError: unknown layout. DataError: a word that the layout cannot hold, or a file that cannot be written.
    """
    path = Path(path)
    if layout == "auto":
        layout = ENDINGS.get(path.suffix.lower(), "")
    if layout not in LAYOUTS[1:]:
        raise UsageError(
            f"'{layout or path.suffix}' names no layout.", f"Choose one of {', '.join(LAYOUTS[1:])} with --layout."
        )
    vectors = np.ascontiguousarray(vectors, np.float32)
    if layout == "npy":
        with files.atomic_write(path) as stream:
            np.save(stream, vectors)
        _write_lines(_beside(path, ".words.txt"), words)
        return [path, _beside(path, ".words.txt")]
    if layout == "projector":
        with files.atomic_write(path) as stream:
            write_rows(stream, [""] * len(words), vectors, 9)
        _write_lines(_beside(path, ".metadata.tsv"), words)
        return [path, _beside(path, ".metadata.tsv")]
    if layout == "fasttext":
        refuse_blanks(words, fasttext.BLANKS)
        fasttext.write_vectors(path, words, files.Stream(np.float32, vectors.shape, [vectors]))
        return [path]
    refuse_blanks(words)
    with files.atomic_write(path) as raw, files.compressed_writer(raw, path) as stream:
        if layout != "glove":
            stream.write(f"{len(words)} {vectors.shape[1]}\n".encode())
        if layout.startswith("binary"):
            _write_binary(stream, words, vectors, layout == "binary")
        else:
            write_rows(stream, words, vectors, 32)
    return [path]


def _contents(path: Path) -> np.ndarray:
    """The bytes of a file: mapped where it is plain, in memory where it is compressed."""
    try:
        with path.open("rb") as raw:
            if files.compression_of(raw.read(6)):
                raw.seek(0)
                return _writable(files.decompressed(raw).read())
        data = np.asarray(np.memmap(path, np.uint8, "c"))
    except ValueError:
        raise DataError(f"{path} is empty.") from None
    except files.decompression_errors() as error:
        raise DataError(f"cannot read {path}: {error}.") from error
    return data


def _writable(content: bytes) -> np.ndarray:
    """Bytes as an array of the kind that mapped files are: kernels are compiled for one kind only."""
    return np.frombuffer(bytearray(content), np.uint8)


def _lines_of(data: np.ndarray, count: int) -> list[bytes]:
    return data[: 1 << 20].tobytes().split(b"\n")[:count]


def _width(path: Path, data: np.ndarray) -> int:
    """How many numbers the first line of a file without header ends in."""
    fields = _lines_of(data, 1)[0].split()
    width = 0
    for field in reversed(fields[1:]):
        try:
            float(field)
        except ValueError:
            break
        width += 1
    if not 1 <= width <= _LARGEST_DIM:
        raise DataError(f"{path} holds no word vectors: its first line is not a word and numbers.", _HINT)
    return width


def _text_follows(data: np.ndarray, start: int, dim: int) -> bool:
    """Whether what follows the header is a line that ends in `dim` numbers."""
    fields = data[start : start + 32 * dim + _LONGEST_WORD].tobytes().partition(b"\n")[0].split()
    try:
        return len(fields) > dim and all(np.isfinite(float(field)) for field in fields[-dim:])
    except ValueError:
        return False


def _looks_like_projector(path: Path, data: np.ndarray) -> bool:
    return path.suffix == ".tsv" and b"\t" in _lines_of(data, 1)[0] and _beside(path, ".metadata.tsv").exists()


def _read_text(path: Path, data: np.ndarray, start: int, count: int | None, dim: int) -> Found:
    """Lines of word and numbers; a wrong number of rows in the header is an error."""
    words: list[str] = []
    parts: list[np.ndarray] = []
    position, stop = start, len(data)
    while position < stop:
        spans, numbers = np.empty((_CHUNK, 2), np.int64), np.empty((_CHUNK, dim), np.float32)
        position, found, status = kernels.parse_rows(data, position, stop, dim, spans, numbers, POWERS)
        words += _named(data, spans[:found])
        parts.append(numbers[:found].copy())
        if status != kernels.DONE:
            problem = f"fewer than {dim} numbers" if status == kernels.FEW_NUMBERS else "a field that is no number"
            line = data[position : position + 60].tobytes().partition(b"\n")[0].decode("utf-8", "replace")
            raise DataError(f"{path}, line {len(words) + (count is not None) + 1}: {problem}: '{line}'.", _HINT)
    if count is not None and len(words) != count:
        raise DataError(f"{path} says it has {count:,} vectors, but has {len(words):,}.", "Is it cut off?")
    return words, np.concatenate(parts) if parts else np.zeros((0, dim), np.float32)


def _read_binary(path: Path, data: np.ndarray, start: int, count: int, dim: int) -> Found:
    if count * (4 * dim + 1) > len(data) - start:
        raise DataError(
            f"{path} is too short for the {count:,} vectors of {dim} dimensions that its first line promises.",
            "Is it cut off, or not in word2vec's binary layout?",
        )
    spans, numbers = np.empty((count, 2), np.int64), np.empty((count, 4 * dim), np.uint8)
    _, found, status = kernels.parse_records(data, start, count, dim, _LONGEST_WORD, spans, numbers)
    if status != kernels.DONE:
        raise DataError(f"{path} is damaged: no word where vector {found + 1:,} should begin.", _HINT)
    return _named(data, spans), numbers.view("<f4").astype(np.float32, copy=False)


def _named(data: np.ndarray, spans: np.ndarray) -> list[str]:
    if len(spans) == 0:
        return []
    first = int(spans[0, 0])
    raw = data[first : int(spans[-1, 1])].tobytes()
    edges = (spans - first).tolist()
    return [raw[a:b].decode("utf-8", "surrogateescape") for a, b in edges]


def _read_npy(path: Path) -> Found:
    try:
        vectors = np.load(path, allow_pickle=False)
    except (ValueError, OSError, EOFError) as error:
        raise DataError(f"{path} is not a NumPy array that can be read ({error}).") from None
    names = _beside(path, ".words.txt")
    words = _read_lines(names)
    if vectors.ndim != 2 or len(vectors) != len(words) or vectors.dtype.kind != "f":
        raise DataError(f"{path} has the shape {vectors.shape}, which does not fit {len(words):,} words in {names}.")
    return words, vectors.astype(np.float32, copy=False)


def _read_projector(path: Path, data: np.ndarray) -> Found:
    dim = len(_lines_of(data, 1)[0].split(b"\t"))
    names = _beside(path, ".metadata.tsv")
    words = _read_lines(names)
    # A first field that is no number, so that rows read as words and numbers do.
    prefixed = b"".join(b"x\t" + line + b"\n" for line in data.tobytes().split(b"\n") if line.strip())
    _, vectors = _read_text(path, _writable(prefixed), 0, None, dim)
    if len(vectors) != len(words):
        raise DataError(f"{path} has {len(vectors):,} vectors, but {names} has {len(words):,} words.")
    return words, vectors


def _beside(path: Path, ending: str) -> Path:
    return path.with_name(path.name.removesuffix(path.suffix) + ending)


def _read_lines(path: Path) -> list[str]:
    try:
        text = path.read_bytes().decode("utf-8", "surrogateescape")
    except OSError as error:
        raise DataError(f"cannot read {path}, the words of the vectors: {files.why(error)}.") from error
    return text.removesuffix("\n").split("\n")


def _write_lines(path: Path, words: Sequence[str]) -> None:
    if bad := next((w for w in words if "\n" in w or "\t" in w), None):
        raise DataError(f"the word {bad!r} has a line break or tab in it, which a list of words cannot hold.")
    with files.atomic_write(path) as stream:
        stream.write("".join(f"{w}\n" for w in words).encode("utf-8", "surrogateescape"))


def refuse_blanks(words: Sequence[str], blanks: str = " \n\t\r") -> None:
    """Raises DataError for a word that is empty or has one of the blanks in it."""
    bad = next((w for w in words if not w or any(c in w for c in blanks)), None)
    if bad is not None:
        raise DataError(f"the word {bad!r} is empty or has a blank in it, which this layout cannot hold.")


def _arena(words: Sequence[str]) -> tuple[np.ndarray, np.ndarray]:
    encoded = [w.encode("utf-8", "surrogateescape") for w in words]
    ends = np.zeros(len(encoded) + 1, np.int64)
    ends[1:] = np.cumsum([len(w) for w in encoded])
    return np.frombuffer(bytearray(b"".join(encoded) + b"\0"), np.uint8), ends


def write_rows(stream: IO[bytes], words: Sequence[str], vectors: np.ndarray, separator: int) -> None:
    """A line for each word and its numbers, which tell float32 exactly; without the word where it is empty.

    Args:
        vectors: float32 (W, D), contiguous.
        separator: the byte between words and numbers.
    """
    arena, ends = _arena(words)
    dim, values = vectors.shape[1], vectors.reshape(-1)
    step = max(1, _BUFFER // (25 * dim))
    for first in range(0, len(words), step):
        last = min(first + step, len(words))
        digits, exponents = find_decimals(values[first * dim : last * dim])
        out = np.empty(int(ends[last] - ends[first]) + (last - first) * (25 * dim + 1) + 32, np.uint8)
        size = kernels.write_rows(arena, ends, values, first, last, dim, separator, digits, exponents, out, POWERS)
        stream.write(out[:size].data)


def _write_binary(stream: IO[bytes], words: Sequence[str], vectors: np.ndarray, newline: bool) -> None:
    arena, ends = _arena(words)
    numbers = vectors.astype("<f4", copy=False).view(np.uint8)
    out = np.empty(max(_BUFFER, 2 * (int(np.diff(ends).max(initial=0)) + numbers.shape[1] + 2)), np.uint8)
    word = 0
    while word < len(words):
        word, size = kernels.write_records(arena, ends, numbers, word, newline, out)
        stream.write(out[:size].data)
