"""One file over HTTP into a `.part` file that a later call takes up where this one stopped.

Beside `x.part` lies `x.part.from`: the URL and the ETag or date the bytes came under. A server is asked to go on only
if its file still carries the same mark (If-Range); otherwise the transfer begins anew.
"""

import contextlib
import errno
import http.client
import re
import socket
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, NoReturn

from textkit.errors import DataError

if TYPE_CHECKING:
    from requests import Response

Progress = Callable[[int, int | None], None]


@dataclass(frozen=True)
class FetchOptions:
    """How patiently to fetch.

    Attributes:
        timeout: seconds to wait for a connection, and for each next piece of the body.
        attempts: failures in a row, without a new byte between them, after which to give up.
        backoff: seconds to wait after the first failure; doubles with each further one.
        chunk: bytes read at a time.
    """

    timeout: float = 30.0
    attempts: int = 5
    backoff: float = 1.0
    chunk: int = 1 << 18


class _Passing(Exception):
    """A failure that may not happen again: says what was seen, and what to try once all attempts are spent."""

    def __init__(self, seen: str, hint: str) -> None:
        super().__init__(seen)
        self.seen, self.hint = seen, hint


_GO_ON = "Run the same command again: it goes on where it stopped."


def fetch_part(url: str, part: Path, size: int | None, options: FetchOptions, progress: Progress) -> bool:
    """Bring `part` to the full length of what is at `url`.

    Args:
        size: bytes the file is known to have; None if unknown.
        progress: called with (bytes so far, bytes in all or None).

    Returns:
        Whether bytes of an earlier call were used.

    Raises:
        DataError: not there, forbidden, unreachable, cut short each time, of another size, or the disk is full.
            `part` stays where going on makes sense.
    """
    resumed, failures, furthest = part.exists(), 0, 0
    while True:
        try:
            _attempt(url, part, size, options, progress)
            _mark_path(part).unlink(missing_ok=True)
            return resumed
        except _Passing as trouble:
            reached = part.stat().st_size if part.exists() else 0
            # Only failures in a row that bring nothing new count: a long download may break any number of times.
            failures = failures + 1 if reached <= furthest else 1
            furthest = max(furthest, reached)
            if failures >= options.attempts:
                tries = f" ({failures} attempts)" if failures > 1 else ""
                raise DataError(f"{url}: {trouble.seen}{tries}.", trouble.hint) from trouble
        time.sleep(options.backoff * 2 ** (failures - 1))


def discard(part: Path) -> None:
    """Remove a partial file and its mark."""
    part.unlink(missing_ok=True)
    _mark_path(part).unlink(missing_ok=True)


def _attempt(url: str, part: Path, size: int | None, options: FetchOptions, progress: Progress) -> None:
    have, mark = _have(url, part)
    with _opened(url, have, mark, options) as response:
        if response.status_code == 416 and _total(response, 0) == have:
            return  # every byte had come already, only the last step was missing
        start = _start(response, url, part, have)
        total = _total(response, start)
        _check_kind(response, url)
        if size is not None and total is not None and total != size:
            discard(part)
            raise DataError(
                f"{url}: the server has {total:,} bytes, the catalogue says {size:,}.",
                "The publisher has probably replaced the file: see whether a newer textkit knows it.",
            )
        _receive(response, url, part, start, total, options, progress)


def _mark_path(part: Path) -> Path:
    return part.with_name(part.name + ".from")


def _have(url: str, part: Path) -> tuple[int, str]:
    """Bytes that can be gone on from, and the mark they came under; (0, "") to begin anew."""
    try:
        source, mark = _mark_path(part).read_text("utf-8").splitlines()[:2]
        have = part.stat().st_size
    except (OSError, ValueError):  # no such file, or not two lines in it
        return 0, ""
    return (have, mark) if source == url and mark and have else (0, "")


def _mark(response: "Response") -> str:
    """What If-Range may carry: a strong ETag, else the date of the last change, else nothing."""
    etag = response.headers.get("ETag", "")
    return etag if etag and not etag.startswith("W/") else response.headers.get("Last-Modified", "")


@contextlib.contextmanager
def _opened(url: str, have: int, mark: str, options: FetchOptions) -> Iterator["Response"]:
    import requests

    # Not compressed on the way: lengths, ranges and checksums are those of the file itself.
    headers = {"Accept-Encoding": "identity", "User-Agent": "textkit"}
    if have:
        headers |= {"Range": f"bytes={have}-", "If-Range": mark}
    try:
        response = requests.get(url, headers=headers, stream=True, timeout=options.timeout)
    except requests.RequestException as error:
        _explain(error, url, options)
    with response:
        yield response


def _start(response: "Response", url: str, part: Path, have: int) -> int:
    """The place in the file where the body begins. Raises if there is no body to use."""
    status = response.status_code
    if status == 200:
        return 0
    if status == 206:
        found = re.match(r"bytes (\d+)-", response.headers.get("Content-Range", ""))
        if found and int(found[1]) == have:
            return have
    if status in (206, 416):
        discard(part)
        raise _Passing("the server answered with another part of the file than was asked for", "Try again later.")
    if status in (408, 425, 429) or status >= 500:
        raise _Passing(f"the server answered {status} {response.reason}".rstrip(), "Try again later.")
    raise _refused(status, response.reason or "", url)


def _refused(status: int, reason: str, url: str) -> DataError:
    if status in (404, 410):
        return DataError(
            f"{url}: not found (HTTP {status}): the publisher has moved or removed it.",
            "Look for its new address on the publisher's site, and fetch it from there.",
        )
    if status in (401, 403, 451):
        return DataError(
            f"{url}: the server refuses to hand it out (HTTP {status}).",
            "The publisher may ask for a registration, or a proxy is in the way: try the address in a browser.",
        )
    return DataError(f"{url}: the server answered {status} {reason}.".replace(" .", "."), "Try it in a browser.")


def _total(response: "Response", start: int) -> int | None:
    """Bytes in the whole file, as far as the server says."""
    if found := re.search(r"/(\d+)$", response.headers.get("Content-Range", "")):
        return int(found[1])
    length = response.headers.get("Content-Length", "")
    return start + int(length) if length.isdigit() else None


def _check_kind(response: "Response", url: str) -> None:
    """A page where a file should be is a login form or a message, whatever its status says."""
    kind = response.headers.get("Content-Type", "")
    if kind.startswith("text/html") and not url.endswith((".html", ".htm")):
        raise DataError(
            f"{url}: the server sent a web page in place of the file.",
            "A login page of the network or a notice of the publisher: open the address in a browser.",
        )


def _receive(
    response: "Response",
    url: str,
    part: Path,
    start: int,
    total: int | None,
    options: FetchOptions,
    progress: Progress,
) -> None:
    done = start
    progress(done, total)
    with _writing(part, total), part.open("ab" if start else "wb") as file:
        # Only now that old bytes are gone may the mark be that of the new ones.
        _mark_path(part).write_text(f"{url}\n{_mark(response)}\n", "utf-8")
        for piece in _pieces(response, url, options):
            file.write(piece)
            done += len(piece)
            progress(done, total)
    if done < (total or 0):
        raise _Passing(f"the connection ended after {done:,} of {total:,} bytes", _GO_ON)
    if total is not None and done > total:
        discard(part)
        raise _Passing(f"the server sent {done:,} bytes after announcing {total:,}", "Try again later.")


def _pieces(response: "Response", url: str, options: FetchOptions) -> Iterator[bytes]:
    """The body as it is on the wire: some servers call a .gz file 'Content-Encoding: gzip'."""
    import requests
    import urllib3

    try:
        yield from response.raw.stream(options.chunk, decode_content=False)
    except (requests.RequestException, urllib3.exceptions.HTTPError, ConnectionError, TimeoutError) as error:
        announced = response.headers.get("Content-Length", "").isdigit()
        if announced and any(isinstance(cause, http.client.IncompleteRead) for cause in _causes(error)):
            return  # `_receive` counts, and says how far it came
        _explain(error, url, options)


@contextlib.contextmanager
def _writing(part: Path, total: int | None) -> Iterator[None]:
    try:
        yield
    except OSError as error:
        if error.errno in (errno.ENOSPC, errno.EDQUOT):
            need = f"It needs {total:,} bytes. " if total else ""
            raise DataError(
                f"{part.parent}: the disk is full.",
                f"{need}Make room, or choose another --directory. {_GO_ON}",
            ) from error
        raise DataError(
            f"{part}: cannot be written: {error.strerror or error}.", "Choose another --directory."
        ) from error


def _explain(error: Exception, url: str, options: FetchOptions) -> NoReturn:
    """Raise what a failed connection means: `_Passing` if it may work the next time, else DataError."""
    import requests
    import urllib3

    host = url.split("/")[2] if url.count("/") > 1 else url
    causes = list(_causes(error))
    if any(isinstance(cause, socket.gaierror) for cause in causes):
        raise DataError(
            f"{url}: no address is known for the host {host}.",
            "Is this machine online, and is a proxy needed?",
        ) from error
    if any(isinstance(cause, ConnectionRefusedError) for cause in causes):
        raise DataError(
            f"{url}: {host} refused the connection.",
            "The server is down, or a firewall or proxy is in the way.",
        ) from error
    if any(isinstance(cause, requests.exceptions.SSLError | urllib3.exceptions.SSLError) for cause in causes):
        raise DataError(
            f"{url}: the certificate of {host} is not trusted.",
            "Check the clock of this machine; behind a proxy that inspects traffic, set REQUESTS_CA_BUNDLE.",
        ) from error
    if isinstance(error, ValueError):  # requests' InvalidURL, MissingSchema and their like
        raise DataError(f"{url}: is not an address that can be fetched.", "It must begin with http:// or https://.")
    timeouts = (TimeoutError, requests.Timeout, urllib3.exceptions.TimeoutError)
    if any(isinstance(cause, timeouts) for cause in causes):
        raise _Passing(f"nothing came for {options.timeout:g} seconds", f"The server is slow or away. {_GO_ON}")
    raise _Passing("the connection broke", _GO_ON)


def _causes(error: BaseException) -> Iterator[BaseException]:
    """An exception and all that are wrapped in it: requests and urllib3 each hide the one below in their own way."""
    seen: set[int] = set()
    waiting: list[object] = [error]
    while waiting:
        cause = waiting.pop()
        if isinstance(cause, BaseException) and id(cause) not in seen:
            seen.add(id(cause))
            yield cause
            waiting += [cause.__cause__, cause.__context__, getattr(cause, "reason", None), *cause.args]
