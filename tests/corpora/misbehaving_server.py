"""A web server on this machine that misbehaves as it is told."""

import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

BODY = bytes(range(256)) * 800  # 204,800 bytes


class Request(BaseHTTPRequestHandler):
    """One request; the `behaviours` of the server are used up in order, the last one stays."""

    protocol_version = "HTTP/1.1"
    server: "Server"

    def do_GET(self) -> None:
        self.server.seen.append({name.lower(): value for name, value in self.headers.items()})
        behaviours = self.server.behaviours
        (behaviours.pop(0) if len(behaviours) > 1 else behaviours[0])(self)

    def log_message(self, *_args: object) -> None:
        """Say nothing."""

    def handle_one_request(self) -> None:
        try:
            super().handle_one_request()
        except ConnectionError:
            self.close_connection = True


class Server(ThreadingHTTPServer):
    daemon_threads = True
    allow_reuse_address = True
    block_on_close = False

    def __init__(self, *behaviours: Callable[[Request], None]) -> None:
        super().__init__(("127.0.0.1", 0), Request)
        self.behaviours = list(behaviours)
        self.seen: list[dict[str, str]] = []

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.server_port}/some/file.txt"


@contextmanager
def serving(*behaviours: Callable[[Request], None]) -> Iterator[Server]:
    server = Server(*behaviours)
    thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.01}, daemon=True)
    thread.start()
    try:
        yield server
    finally:
        server.shutdown()
        server.server_close()
        thread.join()


def send(
    body: bytes = BODY,
    etag: str = '"one"',
    *,
    cut: int | None = None,
    announce: int | None = None,
    ranges: bool = True,
    kind: str = "application/octet-stream",
    encoding: str = "",
    wrong_start: int = 0,
) -> Callable[[Request], None]:
    """Send `body`, from where the client asks if it knows the right ETag.

    Args:
        cut: close the connection after so many bytes of this response.
        announce: Content-Length to send in place of the right one.
        wrong_start: added to the place that Content-Range names.
    """

    def behave(request: Request) -> None:
        wanted = request.headers.get("Range", "")
        start = int(wanted.removeprefix("bytes=").removesuffix("-")) if wanted else 0
        partial = ranges and wanted and request.headers.get("If-Range") == etag
        if partial and start >= len(body):
            request.send_response(416)
            request.send_header("Content-Range", f"bytes */{len(body)}")
            request.send_header("Content-Length", "0")
            request.end_headers()
            return
        rest = body[start:] if partial else body
        request.send_response(206 if partial else 200)
        if partial:
            request.send_header("Content-Range", f"bytes {start + wrong_start}-{len(body) - 1}/{len(body)}")
        request.send_header("Content-Type", kind)
        request.send_header("Content-Length", str(len(rest) if announce is None else announce))
        if etag:
            request.send_header("ETag", etag)
        if encoding:
            request.send_header("Content-Encoding", encoding)
        request.end_headers()
        request.wfile.write(rest if cut is None else rest[:cut])
        if cut is not None or announce is not None:
            request.close_connection = True

    return behave


def status(code: int, reason: str | None = None) -> Callable[[Request], None]:
    def behave(request: Request) -> None:
        request.send_response(code, reason)
        request.send_header("Content-Length", "0")
        request.end_headers()

    return behave


def hang(seconds: float, after: int = 0) -> Callable[[Request], None]:
    """Send `after` bytes of the body, then nothing for a while."""

    def behave(request: Request) -> None:
        request.send_response(200)
        request.send_header("Content-Length", str(len(BODY)))
        request.send_header("ETag", '"one"')
        request.end_headers()
        request.wfile.write(BODY[:after])
        request.wfile.flush()
        time.sleep(seconds)
        request.close_connection = True

    return behave


def reset(request: Request) -> None:
    """Close without an answer."""
    request.close_connection = True
    request.connection.close()
