"""Downloads from a server on this machine: the right file, gone on with, and each failure in words that help."""

import builtins
import gzip
import hashlib
import socket
import sys
from pathlib import Path

import pytest

from textkit.errors import DataError, MissingExtraError, UsageError

pytest.importorskip("pooch")
pytest.importorskip("requests")

from textkit.corpora.catalogue import Entry
from textkit.corpora.download import default_directory, download
from textkit.corpora.transfer import FetchOptions

sys.path.insert(0, str(Path(__file__).parent))
from misbehaving_server import BODY, hang, reset, send, serving, status

SHA256 = hashlib.sha256(BODY).hexdigest()
QUICK = FetchOptions(timeout=5, attempts=3, backoff=0.001, chunk=4096)
ONCE = FetchOptions(timeout=5, attempts=1, chunk=4096)


def known(url: str, **changes: object) -> Entry:
    fields = dict(size_bytes=len(BODY), sha256=SHA256) | changes
    return Entry("sample", "a sample", "text", url, "none", **fields)


def unknown(url: str) -> Entry:
    return known(url, size_bytes=None, sha256=None)


def names(directory: Path) -> set[str]:
    return {path.name for path in directory.iterdir()}


def test_arrives_whole_under_its_name_and_is_not_fetched_twice(tmp_path):
    with serving(send()) as server:
        path = download(known(server.url), tmp_path / "new", options=QUICK)
        assert path == tmp_path / "new" / "sample.txt"
        assert path.read_bytes() == BODY
        assert names(path.parent) == {"sample.txt"}
        assert download(known(server.url), tmp_path / "new", options=QUICK) == path
        assert len(server.seen) == 1
        assert server.seen[0]["accept-encoding"] == "identity"


def test_progress_counts_to_the_end(tmp_path):
    events = []
    with serving(send()) as server:
        download(known(server.url), tmp_path, lambda *event: events.append(event), QUICK)
    assert events[0] == (0, len(BODY))
    assert events[-1] == (len(BODY), len(BODY))
    assert events == sorted(events)


def test_nothing_is_said_on_any_stream(tmp_path, capfd):
    with serving(send()) as server:
        download(unknown(server.url), tmp_path, options=QUICK)
    assert capfd.readouterr() == ("", "")


def test_a_cut_connection_is_taken_up_within_one_call(tmp_path):
    with serving(send(cut=70_000), send(cut=60_000), send()) as server:
        assert download(known(server.url), tmp_path, options=QUICK).read_bytes() == BODY
    assert [request.get("range") for request in server.seen] == [None, "bytes=70000-", "bytes=130000-"]
    assert server.seen[1]["if-range"] == '"one"'


def test_a_download_that_always_gains_may_break_more_often_than_attempts(tmp_path):
    with serving(send(cut=20_000)) as server:
        assert download(known(server.url), tmp_path, options=QUICK).read_bytes() == BODY
    assert len(server.seen) == 11


def test_a_cut_connection_is_taken_up_by_a_later_call(tmp_path):
    with serving(send(cut=70_000), send()) as server:
        with pytest.raises(DataError, match=r"ended after 70,000 of 204,800 bytes.*goes on where it stopped"):
            download(known(server.url), tmp_path, options=ONCE)
        assert names(tmp_path) == {"sample.txt.part", "sample.txt.part.from"}
        events = []
        path = download(known(server.url), tmp_path, lambda *event: events.append(event), ONCE)
    assert path.read_bytes() == BODY
    assert server.seen[1]["range"] == "bytes=70000-"
    assert events[0] == (70_000, len(BODY))
    assert names(tmp_path) == {"sample.txt"}


def test_a_changed_file_begins_anew(tmp_path):
    other = BODY[::-1]
    with serving(send(cut=70_000), send(other, '"two"')) as server:
        path = download(known(server.url, sha256=hashlib.sha256(other).hexdigest()), tmp_path, options=QUICK)
    assert path.read_bytes() == other
    assert server.seen[1]["if-range"] == '"one"'


def test_a_server_without_ranges_begins_anew(tmp_path):
    with serving(send(cut=70_000), send(ranges=False)) as server:
        assert download(known(server.url), tmp_path, options=QUICK).read_bytes() == BODY


def test_a_part_without_a_mark_is_not_gone_on_with(tmp_path):
    (tmp_path / "sample.txt.part").write_bytes(b"of another file")
    with serving(send(cut=70_000, etag=""), send(etag="")) as server:
        assert download(known(server.url), tmp_path, options=QUICK).read_bytes() == BODY
    assert all("range" not in request for request in server.seen)


def test_a_part_of_another_address_is_not_gone_on_with(tmp_path):
    (tmp_path / "sample.txt.part").write_bytes(BODY[:10])
    (tmp_path / "sample.txt.part.from").write_text('http://elsewhere/file.txt\n"one"\n')
    with serving(send()) as server:
        assert download(known(server.url), tmp_path, options=QUICK).read_bytes() == BODY
    assert "range" not in server.seen[0]


def test_a_part_that_lacks_nothing_is_taken_as_it_is(tmp_path):
    with serving(send()) as server:
        (tmp_path / "sample.txt.part").write_bytes(BODY)
        (tmp_path / "sample.txt.part.from").write_text(f'{server.url}\n"one"\n')
        assert download(known(server.url), tmp_path, options=ONCE).read_bytes() == BODY


def test_a_wrong_part_gets_a_second_chance_from_the_start(tmp_path):
    with serving(send()) as server:
        (tmp_path / "sample.txt.part").write_bytes(b"x" * 1000)
        (tmp_path / "sample.txt.part.from").write_text(f'{server.url}\n"one"\n')
        assert download(known(server.url), tmp_path, options=ONCE).read_bytes() == BODY
    assert [request.get("range") for request in server.seen] == ["bytes=1000-", None]


def test_a_range_that_begins_elsewhere_is_not_used(tmp_path):
    with serving(send(cut=70_000), send(wrong_start=5), send()) as server:
        assert download(known(server.url), tmp_path, options=QUICK).read_bytes() == BODY
    assert "range" not in server.seen[2]


@pytest.mark.parametrize("code", [500, 503, 429, 408])
def test_passing_answers_are_tried_again(tmp_path, code):
    with serving(status(code), status(code), send()) as server:
        assert download(known(server.url), tmp_path, options=QUICK).read_bytes() == BODY
    assert len(server.seen) == 3


def test_an_answer_that_stays_is_told_with_the_number_of_attempts(tmp_path):
    with serving(status(503, "Busy")) as server, pytest.raises(DataError, match=r"503 Busy \(3 attempts\)"):
        download(known(server.url), tmp_path, options=QUICK)
    assert len(server.seen) == 3


@pytest.mark.parametrize(
    ("code", "words"),
    [
        (404, "not found"),
        (410, "moved or removed"),
        (403, "refuses to hand it out"),
        (401, "HTTP 401"),
        (418, "418"),
    ],
)
def test_final_answers_are_not_tried_again(tmp_path, code, words):
    with serving(status(code)) as server, pytest.raises(DataError, match=words) as caught:
        download(known(server.url), tmp_path, options=QUICK)
    assert len(server.seen) == 1
    assert caught.value.hint
    assert "\n" not in str(caught.value)
    assert names(tmp_path) == set()


def test_silence_is_told_and_what_came_is_kept(tmp_path):
    with (
        serving(hang(6.0, after=8192)) as server,
        pytest.raises(DataError, match=r"nothing came for 2 seconds"),
    ):
        download(known(server.url), tmp_path, options=FetchOptions(timeout=2, attempts=1, chunk=4096))
    assert (tmp_path / "sample.txt.part").stat().st_size == 8192


def test_silence_is_tried_again(tmp_path):
    with serving(hang(6.0, after=8192), send()) as server:
        options = FetchOptions(timeout=2, attempts=2, backoff=0.001, chunk=4096)
        assert download(known(server.url), tmp_path, options=options).read_bytes() == BODY
    assert server.seen[1]["range"] == "bytes=8192-"


def test_a_connection_closed_without_an_answer(tmp_path):
    with serving(reset, send()) as server:
        assert download(known(server.url), tmp_path, options=QUICK).read_bytes() == BODY
    with serving(reset) as server, pytest.raises(DataError, match="the connection broke"):
        download(known(server.url), tmp_path / "other", options=QUICK)


def test_nobody_listens(tmp_path):
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    with pytest.raises(DataError, match="refused the connection"):
        download(known(f"http://127.0.0.1:{port}/file.txt"), tmp_path, options=QUICK)


def test_unknown_host(tmp_path, monkeypatch):
    def nobody(*_args: object, **_options: object) -> None:
        raise socket.gaierror(socket.EAI_NONAME, "Name or service not known")

    monkeypatch.setattr(socket, "getaddrinfo", nobody)
    for name in ("http_proxy", "HTTP_PROXY", "all_proxy", "ALL_PROXY"):
        monkeypatch.delenv(name, raising=False)
    with pytest.raises(DataError, match=r"no address is known for the host nowhere\.invalid.*online"):
        download(known("http://nowhere.invalid/file.txt"), tmp_path, options=QUICK)


def test_an_address_that_is_none(tmp_path):
    with pytest.raises(DataError, match="must begin with http"):
        download(known("nonsense.txt"), tmp_path, options=QUICK)


def test_wrong_checksum_says_both_and_leaves_nothing(tmp_path):
    with serving(send(BODY[::-1])) as server, pytest.raises(DataError) as caught:
        download(known(server.url), tmp_path, options=QUICK)
    assert f"expected sha256 {SHA256}" in caught.value.message
    assert hashlib.sha256(BODY[::-1]).hexdigest() in caught.value.message
    assert "Try again" in caught.value.hint
    assert names(tmp_path) == set()


def test_another_size_than_the_catalogue_says_stops_before_the_body(tmp_path):
    events = []
    with (
        serving(send(BODY + b"more")) as server,
        pytest.raises(DataError, match=r"204,804 bytes.*says 204,800"),
    ):
        download(known(server.url), tmp_path, lambda *event: events.append(event), QUICK)
    assert not events
    assert names(tmp_path) == set()


def test_a_short_body_without_an_announced_length(tmp_path):
    def unmeasured(request):
        request.send_response(200)
        request.end_headers()
        request.wfile.write(BODY[:1000])
        request.close_connection = True

    with (
        serving(unmeasured) as server,
        pytest.raises(DataError, match="got 1,000 bytes, the catalogue says 204,800"),
    ):
        download(known(server.url), tmp_path, options=QUICK)
    assert names(tmp_path) == set()


def test_pieces_that_end_too_soon_are_not_taken_for_the_whole(tmp_path):
    def cut_in_pieces(request):
        request.send_response(200)
        request.send_header("Transfer-Encoding", "chunked")
        request.end_headers()
        request.wfile.write(b"3e8\r\n" + BODY[:1000] + b"\r\n3e8\r\n" + BODY[1000:1300])
        request.close_connection = True

    with serving(cut_in_pieces) as server, pytest.raises(DataError, match="the connection broke"):
        download(unknown(server.url), tmp_path, options=QUICK)
    assert "sample.txt" not in names(tmp_path)


def test_pieces_without_an_announced_length(tmp_path):
    def in_pieces(request):
        request.send_response(200)
        request.send_header("Transfer-Encoding", "chunked")
        request.end_headers()
        request.wfile.write(b"3e8\r\n" + BODY[:1000] + b"\r\n0\r\n\r\n")

    events = []
    with serving(in_pieces) as server:
        path = download(unknown(server.url), tmp_path, lambda *event: events.append(event), QUICK)
    assert path.read_bytes() == BODY[:1000]
    assert events[-1] == (1000, None)


def test_less_than_was_announced(tmp_path):
    short = send(announce=len(BODY) + 5, ranges=False)
    with serving(short) as server, pytest.raises(DataError, match="after 204,800 of 204,805"):
        download(unknown(server.url), tmp_path, options=QUICK)


def test_a_web_page_in_place_of_the_file(tmp_path):
    page = send(b"<html>Please log in</html>", kind="text/html; charset=utf-8")
    with serving(page) as server, pytest.raises(DataError, match="sent a web page"):
        download(unknown(server.url), tmp_path, options=QUICK)
    assert names(tmp_path) == set()


def test_a_gz_file_that_the_server_calls_an_encoding_stays_as_it_is(tmp_path):
    packed = gzip.compress(BODY)
    with serving(send(packed, encoding="gzip")) as server:
        assert download(unknown(server.url), tmp_path, options=QUICK).read_bytes() == packed


def test_the_first_checksum_is_kept_and_holds(tmp_path):
    with serving(send()) as server:
        path = download(unknown(server.url), tmp_path, options=QUICK)
        assert (tmp_path / "sample.txt.sha256").read_text() == f"{SHA256}  sample.txt\n"
        path.write_bytes(b"broken since")
        assert download(unknown(server.url), tmp_path, options=QUICK).read_bytes() == BODY
        assert len(server.seen) == 2
    with serving(send(BODY[::-1])) as server:
        path.unlink()
        with pytest.raises(DataError, match=r"has changed the file since.*delete sample\.txt\.sha256"):
            download(unknown(server.url), tmp_path, options=QUICK)
        (tmp_path / "sample.txt.sha256").unlink()
        assert download(unknown(server.url), tmp_path, options=QUICK).read_bytes() == BODY[::-1]


def test_a_file_broken_on_disk_is_fetched_again(tmp_path):
    (tmp_path / "sample.txt").write_bytes(b"broken")
    with serving(send()) as server:
        assert download(known(server.url), tmp_path, options=QUICK).read_bytes() == BODY


@pytest.mark.skipif(not Path("/dev/full").exists(), reason="needs a device that is always full")
def test_full_disk(tmp_path):
    (tmp_path / "sample.txt.part").symlink_to("/dev/full")
    with serving(send()) as server, pytest.raises(DataError, match=r"disk is full\. It needs 204,800 bytes"):
        download(known(server.url), tmp_path, options=QUICK)


def test_a_directory_that_is_a_file(tmp_path):
    (tmp_path / "taken").write_text("")
    with pytest.raises(DataError, match="cannot be used to keep downloads"):
        download(known("http://127.0.0.1/file.txt"), tmp_path / "taken", options=QUICK)


def test_a_directory_that_may_not_be_written(tmp_path, monkeypatch):
    def forbidden(*_args: object, **_options: object) -> None:
        raise PermissionError(13, "Permission denied")

    monkeypatch.setattr("tempfile.TemporaryFile", forbidden)
    with pytest.raises(DataError, match=r"Permission denied.*TEXTKIT_CACHE_DIR"):
        download(known("http://127.0.0.1/file.txt"), tmp_path, options=QUICK)


@pytest.mark.parametrize("missing", ["pooch", "requests"])
def test_without_the_libraries(tmp_path, monkeypatch, missing):
    real = builtins.__import__

    def without(name: str, *args: object, **options: object) -> object:
        if name == missing:
            raise ImportError(name)
        return real(name, *args, **options)

    monkeypatch.setattr(builtins, "__import__", without)
    with pytest.raises(MissingExtraError, match=rf"'{missing}'.*textkit\[download\]"):
        download(known("http://127.0.0.1/file.txt"), tmp_path)


def test_unknown_names_are_refused(tmp_path):
    with pytest.raises(UsageError, match="Did you mean text8"):
        download("txt8", tmp_path)


def test_default_directory(monkeypatch, tmp_path):
    from textkit.files import user_cache

    monkeypatch.setenv("TEXTKIT_CACHE_DIR", str(tmp_path))
    assert default_directory() == tmp_path / "corpora" == user_cache() / "corpora"
    monkeypatch.delenv("TEXTKIT_CACHE_DIR")
    monkeypatch.setattr(sys, "platform", "linux")
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "xdg"))
    assert default_directory() == tmp_path / "xdg" / "textkit" / "corpora" == user_cache() / "corpora"
    monkeypatch.setattr(sys, "platform", "darwin")
    assert default_directory().parts[-4:] == ("Library", "Caches", "textkit", "corpora")
    monkeypatch.setattr(sys, "platform", "win32")
    monkeypatch.setenv("LOCALAPPDATA", str(tmp_path / "local"))
    assert default_directory() == tmp_path / "local" / "textkit" / "corpora" == user_cache() / "corpora"
