"""Fetch an entry of the catalogue once, and know on every later use that it is still the same file."""

import contextlib
import logging
import os
import sys
import tempfile
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from textkit.errors import DataError, MissingExtraError

from .catalogue import Entry, entry
from .transfer import FetchOptions, Progress, discard, fetch_part


def default_directory() -> Path:
    """Where downloads are kept: `corpora` in the user's cache for textkit.

    TEXTKIT_CACHE_DIR if set, else the platform's habit (XDG_CACHE_HOME, ~/Library/Caches, LOCALAPPDATA).
    """
    if chosen := os.environ.get("TEXTKIT_CACHE_DIR"):
        return Path(chosen) / "corpora"
    if sys.platform == "win32":
        base = os.environ.get("LOCALAPPDATA") or tempfile.gettempdir()
    elif sys.platform == "darwin":
        base = str(Path("~/Library/Caches").expanduser())
    else:
        base = os.environ.get("XDG_CACHE_HOME") or str(Path("~/.cache").expanduser())
    return Path(base) / "textkit" / "corpora"


def download(
    what: str | Entry,
    directory: str | Path | None = None,
    progress: Progress | None = None,
    options: FetchOptions | None = None,
) -> Path:
    """Have the file of an entry on this machine, and return where it is.

    A file that is there and has the right checksum is not fetched again; an interrupted one is gone on with. Where
    the catalogue knows no checksum, the one of the first download is kept in `FILE.sha256` and holds from then on.

    Args:
        what: a name of the catalogue, or an entry of one's own.
        progress: called with (bytes so far, bytes in all or None).

    Raises:
        UsageError: no such name.
        DataError: it cannot be fetched or stored, or it is not the file it should be.
        MissingExtraError: pooch or requests is not installed.
    """
    wanted = entry(what) if isinstance(what, str) else what
    pooch = _pooch()
    place = _writable(Path(directory) if directory else default_directory())
    path = place / wanted.filename
    known = wanted.sha256 or _recorded(path)

    def fetch(url: str, output_file: str, _pooch: Any) -> None:
        part = path.with_name(path.name + ".part")
        _fetch_checked(wanted, known, part, options or FetchOptions(), progress or _silent)
        part.replace(output_file)

    with _quiet(pooch), _stored(path):
        pooch.retrieve(wanted.url, known and f"sha256:{known}", path.name, place, downloader=fetch)
        if known is None:
            _record(path).write_text(f"{pooch.file_hash(str(path))}  {path.name}\n", "utf-8")
    return path


def _pooch() -> Any:
    """The library, or MissingExtraError; requests is asked for too, as pooch can do without."""
    for name in ("pooch", "requests"):
        try:
            __import__(name)
        except ImportError as error:
            raise MissingExtraError(name, "download") from error
    return sys.modules["pooch"]


def _writable(directory: Path) -> Path:
    """The directory, made if need be, and tried out."""
    try:
        directory.mkdir(parents=True, exist_ok=True)
        with tempfile.TemporaryFile(dir=directory):
            return directory
    except OSError as error:
        raise DataError(
            f"{directory}: cannot be used to keep downloads: {error.strerror or error}.",
            "Choose another with --directory, or set TEXTKIT_CACHE_DIR.",
        ) from error


def _record(path: Path) -> Path:
    return path.with_name(path.name + ".sha256")


def _recorded(path: Path) -> str | None:
    """The checksum kept at the first download, if any."""
    try:
        words = _record(path).read_text("utf-8").split()
    except (OSError, UnicodeDecodeError):
        return None
    return words[0].lower() if words and len(words[0]) == 64 else None


def _fetch_checked(wanted: Entry, known: str | None, part: Path, options: FetchOptions, progress: Progress) -> None:
    """Bring `part` to the whole, right file. A wrong one that was begun earlier gets a second chance from the start."""
    if fetch_part(wanted.url, part, wanted.size_bytes, options, progress) and not _right(wanted, known, part):
        discard(part)
        fetch_part(wanted.url, part, wanted.size_bytes, options, progress)
    size, found = part.stat().st_size, _sha256(part) if known else None
    if not _right(wanted, known, part):
        discard(part)
        raise _wrong(wanted, known, size, found)


def _right(wanted: Entry, known: str | None, part: Path) -> bool:
    if wanted.size_bytes not in (None, part.stat().st_size):
        return False
    return known is None or _sha256(part) == known


def _wrong(wanted: Entry, known: str | None, size: int, found: str | None) -> DataError:
    if wanted.size_bytes not in (None, size):
        return DataError(
            f"{wanted.url}: got {size:,} bytes, the catalogue says {wanted.size_bytes:,}. The download was deleted.",
            "Try again; if it stays so, the publisher has replaced the file.",
        )
    if wanted.sha256:
        hint = "Try again; if it stays so, the publisher has replaced the file or something on the way changes it."
    else:
        hint = f"The publisher has changed the file since the first download. To accept it, delete {wanted.filename}.sha256."
    return DataError(
        f"{wanted.url}: wrong checksum: expected sha256 {known}, got {found}. The download was deleted.", hint
    )


def _sha256(path: Path) -> str:
    return str(_pooch().file_hash(str(path)))


@contextlib.contextmanager
def _quiet(pooch: Any) -> Iterator[None]:
    """Pooch announces what it does on stderr; here the caller decides what is shown."""
    logger = pooch.get_logger()
    level = logger.level
    logger.setLevel(logging.ERROR)
    try:
        yield
    finally:
        logger.setLevel(level)


@contextlib.contextmanager
def _stored(path: Path) -> Iterator[None]:
    try:
        yield
    except OSError as error:
        raise DataError(
            f"{path}: cannot be stored: {error.strerror or error}.", "Choose another --directory."
        ) from error


def _silent(_done: int, _total: int | None) -> None:
    """The progress of callers who want none."""
