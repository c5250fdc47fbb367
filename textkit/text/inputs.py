"""What to read: names of files, directories, patterns and standard input as a list of sources."""

import glob
import os
import sys
import tempfile
from collections.abc import Iterator, Sequence
from contextlib import AbstractContextManager, nullcontext
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import IO, Any

from .. import files
from ..errors import DataError

_COMPRESSED_ENDINGS = {".gz", ".bz2", ".xz", ".zst", ".zstd"}
_COPIED = 4 << 20  # bytes at a time


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


def expanded(inputs: Sequence[str | Path], format: str, once: bool) -> list[Source]:
    """All sources in order; see `Reader` for the arguments.

    Raises:
        DataError: a file that is missing, a pattern that nothing matches, no file at all.
    """
    once_only = once and list(map(str, inputs)).count("-") == 1
    spooled = cache(lambda: _spool(_standard_input()))

    def sources() -> Iterator[Source]:
        for given in map(str, inputs):
            if given != "-":
                yield from _files(given, format, once)
            elif once_only:
                yield Source("standard input", Path(), format_of("", format), files.OneWay(_standard_input()))
            else:
                yield Source("standard input", spooled(), format_of("", format))

    found = list(sources())
    if not found:
        raise DataError(f"no files in {', '.join(map(str, inputs))}.")
    return found


def _files(given: str, format: str, once: bool) -> Iterator[Source]:
    """The sources of a name or pattern."""
    paths = [Path(given)]
    if not paths[0].exists() and glob.has_magic(given):
        paths = [Path(match) for match in sorted(glob.glob(given, recursive=True))]
        if not paths:
            raise DataError(f"no file matches '{given}'.")
    for path in paths:
        for file in sorted(files_below(path)) if path.is_dir() else [path]:
            if not file.exists():
                raise DataError(f"{file} does not exist.", "Check the name, or the working directory.")
            kind = format_of(file.name, format)
            if once and not file.is_file():
                yield Source(str(file), file, kind, files.OneWay(file.open("rb"), own=True))
            else:
                yield Source(str(file), file if file.is_file() else _spool_pipe(file), kind)


def format_of(name: str, format: str) -> str:
    """The format of a file, by its name if `format` is "auto"."""
    if format != "auto":
        return format
    endings = [s.lower() for s in Path(name).suffixes]
    if endings and endings[-1] in _COMPRESSED_ENDINGS:
        endings.pop()
    known = {".jsonl": "jsonl", ".ndjson": "jsonl", ".csv": "csv", ".tsv": "tsv"}
    return known.get(endings[-1], "lines") if endings else "lines"


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
            shutil.copyfileobj(stream, file, _COPIED)
    except OSError as error:
        raise DataError(
            f"cannot copy standard input to a temporary file: {files.why(error)}.",
            "Point TMPDIR to a place with room, or give a file.",
        ) from error
    return Path(file.name)
