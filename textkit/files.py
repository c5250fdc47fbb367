"""Files: the user cache, atomic writing, compressed opening, and the one model container.

A container is a safetensors file: named arrays plus a JSON header, opened by memory map.
"""

import bz2
import gzip
import io
import json
import lzma
import mmap
import os
import select
import shutil
import sys
import tempfile
from collections.abc import Iterable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import IO, TYPE_CHECKING, Any

from .errors import DataError, MissingExtraError

if TYPE_CHECKING:
    import numpy as np


def user_cache() -> Path:
    """The directory for compiled kernels and encoded corpora.

    TEXTKIT_CACHE_DIR if set, else the platform's habit (XDG_CACHE_HOME, ~/Library/Caches, LOCALAPPDATA).
    """
    if chosen := os.environ.get("TEXTKIT_CACHE_DIR"):
        return Path(chosen)
    if sys.platform == "win32":
        base = os.environ.get("LOCALAPPDATA") or tempfile.gettempdir()
    elif sys.platform == "darwin":
        base = str(Path("~/Library/Caches").expanduser())
    else:
        base = os.environ.get("XDG_CACHE_HOME") or str(Path("~/.cache").expanduser())
    return Path(base) / "textkit"


def why(error: OSError) -> str:
    """The operating system's reason in words, without the errno and path that `str(error)` repeats."""
    return error.strerror or str(error)


@contextmanager
def atomic_write(path: str | Path, sync: bool = True) -> Iterator[IO[bytes]]:
    """A binary file that appears under `path` only when the block ends without an exception.

    Raises:
        DataError: the directory does not exist or cannot be written, or the disk is full.
    """
    path = Path(path)
    if path.is_dir():
        raise DataError(f"{path} is a directory.", "Give the name of a file to write.")
    if path.exists() and not path.is_file():  # a device or a pipe (/dev/stdout): nothing to protect
        with _writing(path), path.open("wb") as stream:
            yield stream
        return
    target = Path(os.path.realpath(path))  # a link keeps pointing where it did
    temporary = None
    try:
        with _writing(path):
            with tempfile.NamedTemporaryFile(
                dir=target.parent, prefix=f".{target.name}.", suffix=".part", delete=False
            ) as stream:
                temporary = Path(stream.name)
                yield stream  # type: ignore[misc]
                stream.flush()
                if sync:
                    os.fsync(stream.fileno())
            temporary.chmod(target.stat().st_mode & 0o777 if target.exists() else 0o666 & ~_umask())
            os.replace(temporary, target)
    finally:
        if temporary is not None:
            temporary.unlink(missing_ok=True)


@contextmanager
def _writing(path: Path) -> Iterator[None]:
    """Turn a failure to write into a DataError, but leave alone what has happened to somebody else's file."""
    try:
        yield
    except BrokenPipeError:  # whoever reads has seen enough
        raise
    except OSError as error:
        names = (None, str(path), str(path.parent))
        if error.filename not in names and not str(error.filename).endswith(".part"):
            raise
        raise DataError(
            f"cannot write {path}: {why(error)}.", "Choose another --output, or free some space."
        ) from error


def _umask() -> int:
    mask = os.umask(0)
    os.umask(mask)
    return mask


_ZSTD_STEP = 1 << 13  # input bytes at a time: even at the highest compression a piece of output stays small
_MAGIC = {b"\x1f\x8b": "gzip", b"BZh": "bzip2", b"\xfd7zXZ\x00": "xz", b"\x28\xb5\x2f\xfd": "zstd"}


def compression_of(head: bytes) -> str | None:
    """Which compression a file's first bytes announce: "gzip", "bzip2", "xz", "zstd" or None."""
    return next((name for magic, name in _MAGIC.items() if head.startswith(magic)), None)


class Pieces(io.RawIOBase):
    """Pieces of bytes as a stream to read from."""

    def __init__(self, pieces: Iterator[bytes]) -> None:
        self._pieces, self._rest = pieces, memoryview(b"")

    def readable(self) -> bool:
        return True

    def readinto(self, target: Any) -> int:
        target, filled = memoryview(target), 0
        while filled < len(target):
            while not self._rest:
                piece = next(self._pieces, None)
                if piece is None:
                    return filled
                self._rest = memoryview(piece)
            count = min(len(self._rest), len(target) - filled)
            target[filled : filled + count] = self._rest[:count]
            self._rest, filled = self._rest[count:], filled + count
        return filled


class OneWay(io.RawIOBase):
    """A stream such as a pipe, which goes back only over its first bytes, and tells how far it was read.

    Args:
        own: whether nobody else uses the stream: it is closed with this one.
    """

    _HEAD = 6  # what `decompressed` looks at

    def __init__(self, stream: IO[bytes], own: bool = False) -> None:
        # Without a buffer between, what was read is all that had come, and `waiting` knows the rest.
        self._stream: Any = getattr(stream, "raw", stream)
        self._kept, self._own = stream, own  # a buffer closes what it stands before when it goes
        self._position, self._head = 0, b""

    def readable(self) -> bool:
        return True

    def readinto(self, target: Any) -> int:
        while len(self._head) < self._HEAD and b"\n" not in self._head:  # no compression has one so early
            if not (more := self._stream.read(self._HEAD - len(self._head))):
                break
            self._head += more
        if self._position < len(self._head):
            count = min(len(target), len(self._head) - self._position)
            memoryview(target)[:count] = self._head[self._position : self._position + count]
        else:
            count = self._stream.readinto(target)
        self._position += count
        return count

    def waiting(self, seconds: float = 0.0) -> bool:
        """Whether more has come, or its end, or does so within some seconds; True where nobody can tell."""
        if self._position < len(self._head):
            return True
        try:
            return bool(select.select([self._stream], [], [], seconds)[0])
        except (OSError, ValueError):  # not a stream of the system's, or a system that tells of sockets alone
            return True

    def seek(self, position: int, whence: int = 0) -> int:
        if position or whence or self._position > len(self._head):
            raise io.UnsupportedOperation("seek")
        self._position = 0
        return 0

    def tell(self) -> int:
        return self._position

    def close(self) -> None:
        if self._own:
            self._kept.close()
        super().close()


def _zstd_pieces(raw: IO[bytes]) -> Iterator[bytes]:
    """Decompressed pieces of all frames; unlike the library's own reader it notices where the last one is cut off."""
    try:
        import zstandard
    except ImportError:
        raise MissingExtraError("zstandard", "zstd") from None
    frame, begun = zstandard.ZstdDecompressor().decompressobj(), False
    data = raw.read(_ZSTD_STEP)
    while data:
        begun = True
        yield frame.decompress(data)
        data = frame.unused_data
        if frame.eof:
            frame, begun = zstandard.ZstdDecompressor().decompressobj(), False
        data = data or raw.read(_ZSTD_STEP)
    if begun:
        raise EOFError("the last frame is cut off")


def decompressed(raw: IO[bytes]) -> IO[bytes]:
    """`raw` itself, or a stream of its decompressed bytes, judged by its first bytes and not by a name."""
    head = raw.read(6)
    raw.seek(0)
    kind = compression_of(head)
    if kind == "gzip":
        return gzip.GzipFile(fileobj=raw)  # type: ignore[return-value]
    if kind == "bzip2":
        return bz2.BZ2File(raw)
    if kind == "xz":
        return lzma.LZMAFile(raw)
    if kind == "zstd":
        return io.BufferedReader(Pieces(_zstd_pieces(raw)))
    return raw


def decompression_errors() -> tuple[type[Exception], ...]:
    """What the decompressors raise for a damaged or truncated stream."""
    import zlib

    errors: tuple[type[Exception], ...] = (EOFError, zlib.error, lzma.LZMAError, gzip.BadGzipFile, OSError)
    if zstandard := sys.modules.get("zstandard"):
        errors += (zstandard.ZstdError,)
    return errors


@contextmanager
def compressed_writer(stream: IO[bytes], name: str | Path) -> Iterator[IO[bytes]]:
    """Wrap `stream` so that what is written is compressed as the ending of `name` says (.gz .bz2 .xz .zst)."""
    ending = Path(name).suffix.lower()
    if ending == ".gz":
        wrapped: Any = gzip.GzipFile(fileobj=stream, mode="wb", compresslevel=6, mtime=0)
    elif ending == ".bz2":
        wrapped = bz2.BZ2File(stream, "wb")
    elif ending == ".xz":
        wrapped = lzma.LZMAFile(stream, "wb", preset=3)
    elif ending in {".zst", ".zstd"}:
        try:
            import zstandard
        except ImportError:
            raise MissingExtraError("zstandard", "zstd") from None
        wrapped = zstandard.ZstdCompressor().stream_writer(stream, closefd=False)
    else:
        yield stream
        return
    with wrapped:
        yield wrapped


# --- the container -------------------------------------------------------------------------------------

_DTYPES = {
    "U8": "<u1", "I8": "<i1", "U16": "<u2", "I16": "<i2", "F16": "<f2", "U32": "<u4", "I32": "<i4",
    "F32": "<f4", "U64": "<u8", "I64": "<i8", "F64": "<f8", "BOOL": "|b1",
}  # fmt: skip
_ALIGNMENT = 64
_HEADER_LIMIT = 100 << 20  # the safetensors library refuses larger ones too


@dataclass
class Container:
    """An opened container: `kind`, `header` (JSON object) and `arrays` (memory-mapped)."""

    kind: str
    header: dict[str, Any]
    arrays: "dict[str, np.ndarray]"
    path: Path | None = field(default=None)


def plan(
    kind: str, header: Mapping[str, Any], shapes: "Mapping[str, tuple[Any, tuple[int, ...]]]"
) -> tuple[bytes, dict[str, int]]:
    """Lay out a container whose arrays are not there yet.

    Args:
        shapes: name -> (dtype, shape).

    Returns:
        The leading bytes of the file, and the byte position of each array in the file.
    """
    import numpy as np

    names = {np.dtype(code): name for name, code in _DTYPES.items()}
    entries: dict[str, Any] = {
        "__metadata__": {"format": "textkit", "kind": kind, "textkit": json.dumps(header, ensure_ascii=False)}
    }
    # Widest elements first, so that each array is aligned to its own element without gaps between arrays.
    offset, offsets = 0, {}
    for name, (dtype, shape) in sorted(shapes.items(), key=lambda item: -np.dtype(item[1][0]).itemsize):
        size = int(np.prod(shape, dtype=np.int64)) * np.dtype(dtype).itemsize
        offsets[name] = offset
        entries[name] = {
            "dtype": names[np.dtype(dtype).newbyteorder("<") if np.dtype(dtype).itemsize > 1 else np.dtype(dtype)],
            "shape": list(shape),
            "data_offsets": [offset, offset + size],
        }
        offset += size
    text = json.dumps(entries, ensure_ascii=False, separators=(",", ":")).encode()
    text += b" " * (-(len(text) + 8) % _ALIGNMENT)
    lead = len(text).to_bytes(8, "little") + text
    return lead, {name: len(lead) + position for name, position in offsets.items()}


@dataclass
class Stream:
    """An array that is written piece by piece: `chunks` are arrays of `dtype` that together fill `shape`."""

    dtype: Any
    shape: tuple[int, ...]
    chunks: "Iterable[np.ndarray]"


def save(
    path: str | Path,
    kind: str,
    header: Mapping[str, Any],
    arrays: "Mapping[str, np.ndarray | Stream]",
    sync: bool = True,
) -> None:
    """Write a container atomically; arrays given as a Stream are never whole in memory.

    `sync=False` is for files that can be made again: it does not wait for the disk.
    """
    import numpy as np

    lead, positions = plan(kind, header, {name: (a.dtype, a.shape) for name, a in arrays.items()})
    with atomic_write(path, sync) as stream:
        stream.write(lead)
        for name in sorted(positions, key=positions.__getitem__):
            array = arrays[name]
            for chunk in array.chunks if isinstance(array, Stream) else [array]:
                stream.write(np.ascontiguousarray(chunk).reshape(-1).view(np.uint8).data)


def is_container(path: str | Path) -> bool:
    """Whether the file starts like a safetensors file (a plausible header length, then a brace).

    Raises:
        DataError: it cannot be opened.
    """
    try:
        with open(path, "rb") as stream:
            head = stream.read(9)
    except OSError as error:
        raise DataError(f"cannot open {path}: {why(error)}.") from error
    return len(head) == 9 and head[8:] == b"{" and int.from_bytes(head[:8], "little") <= _HEADER_LIMIT


def load(path: str | Path, kind: str | None = None) -> Container:
    """Open a container by memory map; costs milliseconds whatever its size.

    Args:
        kind: refuse a container that holds something else.

    Raises:
        DataError: missing, truncated, damaged, not a textkit file, or of another kind.
    """
    from safetensors import SafetensorError, safe_open

    path = Path(path)
    try:
        with safe_open(path, "numpy") as checked:  # the library holds every size and offset against the file
            metadata = checked.metadata() or {}
        with path.open("rb") as stream:
            length = int.from_bytes(stream.read(8), "little")
            entries = json.loads(stream.read(length))
    except (SafetensorError, ValueError) as error:
        raise DataError(f"{path} is not a textkit file, or it is cut off or damaged ({error}).", _HOW_TO_LOAD) from None
    except OSError as error:
        raise DataError(f"cannot open {path}: {why(error)}.") from error
    if metadata.get("format") != "textkit":
        raise DataError(f"{path} is a safetensors file, but textkit did not write it.", _HOW_TO_LOAD)
    if kind is not None and metadata.get("kind") != kind:
        raise DataError(f"{path} holds a {metadata.get('kind')}, not a {kind}.")
    header = _parse_header(path, metadata.get("textkit", ""))
    entries.pop("__metadata__", None)
    whole = mapped(path)
    arrays = {name: _array(path, name, entry, whole, 8 + length) for name, entry in entries.items()}
    return Container(str(metadata.get("kind")), header, arrays, path)


_HOW_TO_LOAD = "Give a model written by textkit; if it is one, copy or train it again."


def _parse_header(path: Path, text: str) -> dict[str, Any]:
    try:
        header = json.loads(text)
    except (ValueError, RecursionError):
        raise DataError(f"{path} is damaged: its header is not JSON.", _HOW_TO_LOAD) from None
    if not isinstance(header, dict):
        raise DataError(f"{path} is damaged: its header is not a JSON object.", _HOW_TO_LOAD)
    return header


def mapped(path: Path) -> mmap.mmap:
    """The file in memory, copied where it is written to: it cannot change, and kernels see ordinary arrays."""
    try:
        with path.open("rb") as stream:
            if sys.platform != "linux":
                return mmap.mmap(stream.fileno(), 0, access=mmap.ACCESS_COPY)
            # No memory is set aside for copies that nobody makes, so that files larger than memory open too.
            flags = mmap.MAP_PRIVATE | getattr(mmap, "MAP_NORESERVE", 0x4000)
            return mmap.mmap(stream.fileno(), 0, flags, mmap.PROT_READ | mmap.PROT_WRITE)
    except (OSError, ValueError) as error:
        raise DataError(f"cannot map {path} into memory: {error}.") from error


def _array(path: Path, name: str, entry: Any, mapped: mmap.mmap, start: int) -> "np.ndarray":
    import numpy as np

    if entry["dtype"] not in _DTYPES:
        raise DataError(f"{path}: array '{name}' has the unknown type {entry['dtype']}.", _HOW_TO_LOAD)
    dtype, shape = np.dtype(_DTYPES[entry["dtype"]]), tuple(entry["shape"])
    if 0 in shape:
        return np.zeros(shape, dtype)
    first, last = entry["data_offsets"]
    return np.frombuffer(mapped, dtype, (last - first) // dtype.itemsize, start + first).reshape(shape)


@contextmanager
def scratch_directory(base: Path | None = None) -> Iterator[Path]:
    """A directory for temporary files that is removed at the end, whatever happens."""
    if base is not None:
        base.mkdir(parents=True, exist_ok=True)
    directory = Path(tempfile.mkdtemp(prefix="textkit-", dir=base))
    try:
        yield directory
    finally:
        shutil.rmtree(directory, ignore_errors=True)
