"""Reading: names, compression, records, encodings, and blocks that never change what is read."""

import bz2
import gzip
import io
import json
import lzma
import os
import threading

import naive
import numpy as np
import pytest
import zstandard
from hypothesis import example, given
from hypothesis import strategies as st

from textkit.errors import DataError, UsageError
from textkit.text import blocks as block_module
from textkit.text.blocks import whole_lines
from textkit.text.reader import Lines, Reader
from textkit.text.tokenizer import PADDING

TEXT = "one two\n\nthree é\nlast\n".encode()
COMPRESSORS = {"gz": gzip.compress, "bz2": bz2.compress, "xz": lzma.compress, "zst": zstandard.compress}


def lines(*inputs, **settings) -> list[str]:
    return list(Reader(inputs, **settings).lines())


def failure(*inputs, **settings) -> DataError:
    """The error of reading all lines; its message is one line."""
    with pytest.raises(DataError) as caught:
        lines(*inputs, **settings)
    assert "\n" not in str(caught.value)
    return caught.value


@pytest.fixture
def write(tmp_path):
    def write(name: str, data: bytes | str):
        path = tmp_path / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(data.encode() if isinstance(data, str) else data)
        return path

    return write


# --- lines ----------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("data", "expected"),
    [
        (b"", []),
        (b"a", ["a"]),
        (b"a\nb", ["a", "b"]),
        (b"\n\n", ["", ""]),
        (b"a\r\nb\r\n\r\n", ["a", "b", ""]),
        (b"a\rb\n", ["a\rb"]),
        (b"a\0b\n\0\n", ["a\0b", "\0"]),
        (b"\xef\xbb\xbfa\n\xef\xbb\xbfb\n", ["a", "\ufeffb"]),
        (b"\xef\xbb\xbf", []),
        (b"\xef\xbb\xbf\n", [""]),
        ("a\u2028b\x0bc\x85d\n".encode(), ["a\u2028b\x0bc\x85d"]),
    ],
)
def test_lines_of_a_file(write, data, expected):
    assert lines(write("a.txt", data)) == expected


def test_line_does_not_go_on_in_the_next_file(write):
    assert lines(write("a", "x y"), write("b", ""), write("c", "z\n"), write("d", "w")) == ["x y", "z", "w"]


def test_file_given_twice_is_read_twice(write):
    path = write("a.txt", "x y")
    assert lines(path, path) == ["x y", "x y"]


def test_reader_can_be_walked_again(write):
    reader = Reader([write("a.txt", TEXT)])
    assert list(reader.lines()) == list(reader.lines()) == ["one two", "", "three é", "last"]


# --- compression ----------------------------------------------------------------------------------------


@pytest.mark.parametrize("kind", COMPRESSORS)
@pytest.mark.parametrize("name", ["text.txt", "text.gz", "text.xz", "text"])
def test_compression_is_told_by_content_not_by_name(write, kind, name):
    assert lines(write(name, COMPRESSORS[kind](TEXT))) == ["one two", "", "three é", "last"]


def test_plain_text_with_a_compressed_name(write):
    assert lines(write("text.gz", TEXT)) == ["one two", "", "three é", "last"]


@pytest.mark.parametrize("kind", COMPRESSORS)
def test_all_members_of_a_compressed_file_are_read(write, kind):
    compress = COMPRESSORS[kind]
    assert lines(write("many", compress(b"a\nb") + compress(b"c\n") + compress(b"d\n"))) == ["a", "bc", "d"]


@pytest.mark.parametrize("kind", COMPRESSORS)
@pytest.mark.parametrize("cut", [7, 60, -1])
def test_truncated_compressed_file_is_refused(write, kind, cut):
    data = COMPRESSORS[kind]("".join(f"line {i * i}\n" for i in range(2000)).encode())
    path = write("cut.bin", data[:cut])
    assert str(path) in failure(path).message


@pytest.mark.parametrize("kind", COMPRESSORS)
def test_corrupted_compressed_file_is_refused_or_read_whole(write, kind):
    text = "".join(f"line {i * i}\n" for i in range(2000)).encode()
    data = COMPRESSORS[kind](text)
    refused = 0
    for place in range(8, len(data), 211):
        damaged = data[:place] + bytes([data[place] ^ 0x10]) + data[place + 1 :]
        try:
            found = lines(path := write("damaged", damaged))
        except DataError as error:
            refused += 1
            assert str(path) in error.message
        else:  # without a check sum (zstd has none here) a changed byte can go unseen
            assert kind == "zst" or found == text.decode().splitlines()
    assert refused > 3


def test_gzip_of_almost_nothing(write):
    assert lines(write("empty.gz", gzip.compress(b""))) == []
    failure(write("magic.gz", b"\x1f\x8b"))


# --- names ----------------------------------------------------------------------------------------------


def test_directory_is_read_sorted_without_hidden_files(write, tmp_path):
    for name in ("b.txt", "a.txt", "sub/z.txt", ".hidden", ".git/x", "sub/.y"):
        write(f"d/{name}", f"{name}\n")
    assert lines(tmp_path / "d") == ["a.txt", "b.txt", "sub/z.txt"]


def test_glob_patterns(write, tmp_path):
    for name in ("b.txt", "a.txt", "c.csv", "sub/d.txt"):
        write(name, f"{name}\n")
    assert lines(tmp_path / "*.txt") == ["a.txt", "b.txt"]
    assert lines(tmp_path / "**/*.txt") == ["a.txt", "b.txt", "sub/d.txt"]
    assert lines(tmp_path / "s*") == ["sub/d.txt"]
    assert "no file matches" in failure(tmp_path / "*.md").message


def test_name_with_glob_characters_is_a_name_first(write):
    write("a1.txt", "wrong\n")
    assert lines(write("a[1].txt", "right\n")) == ["right"]


def test_missing_inputs(tmp_path):
    assert f"{tmp_path / 'no.txt'} does not exist" in failure(tmp_path / "no.txt").message
    assert "no files in" in failure(tmp_path).message
    with pytest.raises(UsageError):
        Reader([])


def test_standard_input_is_read_once_and_can_be_walked_again(monkeypatch):
    class Stdin:
        buffer = io.BytesIO(gzip.compress(b"a\nb"))

    monkeypatch.setattr("sys.stdin", Stdin)
    reader = Reader(["-"])
    assert [list(reader.lines()), list(reader.lines())] == [["a", "b"], ["a", "b"]]
    assert Stdin.buffer.read() == b""


@pytest.mark.parametrize("pack", [bytes, gzip.compress, bz2.compress, lzma.compress])
def test_standard_input_walked_once_is_not_copied(monkeypatch, pack):
    monkeypatch.setattr(block_module, "BLOCK", 64)
    text = "".join(f"line {i}\n" for i in range(50))

    class Stdin:
        buffer = io.BytesIO(pack(text.encode()))

    monkeypatch.setattr("sys.stdin", Stdin)
    monkeypatch.setattr("tempfile.NamedTemporaryFile", None)  # where a copy would go
    reader = Reader(["-"], once=True)
    assert list(reader.lines()) == text.splitlines()
    assert reader.total_bytes is None


def test_bad_bytes_of_what_cannot_be_walked_again_are_told_with_their_line(monkeypatch):
    monkeypatch.setattr(block_module, "BLOCK", 64)

    class Stdin:
        buffer = io.BytesIO(b"good\n" * 40 + b"bad \xff\n")

    monkeypatch.setattr("sys.stdin", Stdin)
    with pytest.raises(DataError, match="standard input, line 41, byte 5 of the line"):
        list(Reader(["-"], once=True).lines())


def test_standard_input_given_twice_is_read_twice(monkeypatch):
    class Stdin:
        buffer = io.BytesIO(b"a\n")

    monkeypatch.setattr("sys.stdin", Stdin)
    assert list(Reader(["-", "-"], once=True).lines()) == ["a", "a"]


def test_closed_standard_input_is_refused(monkeypatch):
    monkeypatch.setattr("sys.stdin", None)
    assert "standard input" in failure("-").message


@pytest.mark.skipif(not hasattr(os, "mkfifo"), reason="needs named pipes")
def test_named_pipe_can_be_walked_again(tmp_path):
    os.mkfifo(pipe := tmp_path / "pipe")
    writer = threading.Thread(target=pipe.write_bytes, args=(b"a\nb\n",))
    writer.start()
    reader = Reader([pipe])
    assert [list(reader.lines()), list(reader.lines())] == [["a", "b"], ["a", "b"]]
    writer.join()


# --- records --------------------------------------------------------------------------------------------


def test_jsonl_field(write):
    path = write("a.jsonl", '{"text": "a\\nb\\u00e9", "m": {"t": "x"}}\n\n  \r\n{"m": {"t": "y"}, "text": ""}\r\n')
    assert lines(path) == ["a bé", ""]
    assert lines(path, field="m.t") == ["x", "y"]


def test_format_goes_by_the_name_or_as_asked(write):
    record = '{"text": "x"}\n'
    assert lines(write("a.ndjson", record)) == lines(write("a.JSONL.gz", gzip.compress(record.encode()))) == ["x"]
    assert lines(write("a.txt", record)) == lines(write("b.jsonl", record), format="lines") == [record.rstrip()]
    assert lines(write("a.txt", record), format="jsonl") == ["x"]
    assert lines(write("a.tsv.xz", lzma.compress(b"n\ttext\n1\tx y\n"))) == ["x y"]


@pytest.mark.parametrize(
    ("record", "words"),
    [
        ("{oops}", "line 3: not JSON"),
        ("[" * 100_000, "line 3: not JSON"),
        ('{"other": 1, "more": 2}', "line 3: no field 'text' (there is: other, more)"),
        ("[1]", "line 3: no field 'text' (there is: list)"),
        ('{"text": 5}', "line 3: field 'text' is not text but 5"),
        ('{"text": null}', "line 3: field 'text' is not text but None"),
    ],
    ids=lambda value: value[:12],
)
def test_bad_json_line_is_named(write, record, words):
    assert words in failure(write("a.jsonl", f'{{"text": "x"}}\n\n{record}\n')).message


def test_json_lone_surrogate_is_replaced(write):
    assert lines(write("a.jsonl", '{"text": "a\\ud800b \\ud83d\\ude00"}')) == ["a\ufffdb 😀"]


@pytest.mark.parametrize("name", ["a.jsonl", "a.csv"])
def test_records_keep_the_policy_for_undecodable_text(write, name):
    records = {"a.jsonl": b'{"text": "good"}\n{"text": "b\xffd"}\n', "a.csv": b"text\ngood\nb\xffd\n"}
    path = write(name, records[name])
    assert "0xff" in failure(path).message
    assert lines(path, errors="replace") == ["good", "b\ufffdd"]
    assert lines(path, errors="skip") == ["good"]
    assert lines(path, encoding="bytes") == ["good", "b\udcffd"]


def test_csv_with_quoted_newlines_and_a_byte_order_mark(write):
    path = write("a.csv", '\ufefftext,n\r\n"two\r\nlines, ""quoted""",1\r\n\r\nplain,2\r\n')
    assert lines(path) == ['two  lines, "quoted"', "plain"]
    assert lines(path, field="n") == ["1", "2"]


def test_tsv_quotes_are_text(write):
    assert lines(write("a.tsv", 'n\ttext\n1\t"a\n2\tb"\n')) == ['"a', 'b"']


def test_bad_tables(write):
    assert "has no column 'text' (its first line names: a, b)" in failure(write("a.csv", "a,b\n1,2\n")).message
    assert "line 3: 1 columns" in failure(write("b.csv", "a,text\n1,2\n3\n")).message
    assert "no column 'text'" in failure(write("c.csv", "")).message


@given(st.lists(st.text(st.characters(exclude_categories=["Cs"]), max_size=8), max_size=6))
@example(["a\nb", "\r\n", ',"\n', "\0", ""])
def test_any_text_survives_in_json(tmp_path, texts):
    path = tmp_path / "a.jsonl"
    for escape in (True, False):
        path.write_bytes("".join(json.dumps({"text": t}, ensure_ascii=escape) + "\n" for t in texts).encode())
        found = [block.data[: block.size].tobytes() for block in Reader([path]).blocks()]
        expected = "".join(t.replace("\n", " ").replace("\r", " ") + "\n" for t in texts)
        assert b"".join(found).decode() == expected.removeprefix("\ufeff")


# --- encodings ------------------------------------------------------------------------------------------


@pytest.mark.parametrize("encoding", ["latin-1", "utf-16", "utf-16-le", "utf-8-sig", "cp1252", "utf-32"])
def test_other_encodings(write, encoding):
    text = "naïve\r\n¿qué?\n"
    assert lines(write("a.txt", text.encode(encoding)), encoding=encoding) == ["naïve", "¿qué?"]
    record = f"text\n{text}".encode(encoding)
    assert lines(write("a.csv", record), encoding=encoding) == ["naïve", "¿qué?"]


def test_character_of_another_encoding_cut_by_a_block(write, monkeypatch):
    monkeypatch.setattr(block_module, "BLOCK", 3)
    assert lines(write("a.txt", "aé😀\nb".encode("utf-16")), encoding="utf-16") == ["aé😀", "b"]


def test_undecodable_byte_is_told_by_file_line_and_byte(write):
    good, bad = write("good.txt", "a\nb\n"), write("bad.txt", b"one\n\ntw\xc3\xa9 \xff x\n")
    message = failure(good, bad).message
    assert message == f"{bad}, line 3, byte 6 of the line (byte 10 of the text): 0xff is not valid UTF-8."


def test_undecodable_byte_in_a_later_block_has_the_same_place(write, monkeypatch):
    bad = write("bad.txt", "\ufeff".encode() + b"a b\n" * 10 + b"cd\xed\xa0\x80\n")
    whole = failure(bad).message
    assert "line 11, byte 3 of the line (byte 45 " in whole
    monkeypatch.setattr(block_module, "BLOCK", 8)
    assert failure(bad).message == whole


def test_undecodable_text_in_another_encoding(write):
    path = write("a.txt", b"a\x81b\n")
    assert "not valid cp1252" in failure(path, encoding="cp1252").message
    assert lines(path, encoding="cp1252", errors="replace") == ["a\ufffdb"]
    assert "not valid utf-16" in failure(write("b.csv", b"\xff\xfea"), encoding="utf-16").message


@pytest.mark.parametrize(("encoding", "bad"), [("utf-8", b"x\xffy"), ("cp1252", b"x\x81y")])
def test_skip_leaves_out_lines_and_counts_them(write, encoding, bad):
    reader = Reader([write("a.txt", b"one\n" + bad + b"\ntwo\n" + bad)], encoding=encoding, errors="skip")
    for _ in range(2):
        assert list(reader.lines()) == ["one", "two"]
        assert reader.skipped_lines == 2


def test_replace(write):
    assert lines(write("a.txt", b"x\xff\xfey \xe2\x82\n"), errors="replace") == ["x\ufffd\ufffdy \ufffd"]


def test_bytes_go_through_as_they_are(write):
    data = b"\xef\xbb\xbfa\xff\n\x80"
    reader = Reader([write("a.txt", data)], encoding="bytes")
    assert b"".join(b.data[: b.size].tobytes() for b in map(reader.clean, reader.blocks())) == data


@pytest.mark.parametrize(
    "settings", [{"format": "xml"}, {"errors": "ignore"}, {"encoding": "klingon"}, {"encoding": "hex"}]
)
def test_unknown_settings_are_refused(settings):
    with pytest.raises(UsageError):
        Reader(["a"], **settings)


# --- blocks ---------------------------------------------------------------------------------------------

_texts = st.lists(st.sampled_from(["a", "é", "😀", " ", "  ", "\n", "\r\n", "\0", "word"]), max_size=40).map("".join)


@given(text=_texts, block=st.integers(1, 12), long_line=st.integers(1, 20))
@example(text="\ufeffa b c d e f\ng", block=1, long_line=1)
def test_blocks_of_any_size_hold_the_same_text_and_lines(tmp_path, text, block, long_line):
    path = tmp_path / "a.txt"
    path.write_bytes(text.encode())
    shown = text.removeprefix("\ufeff").encode()
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(block_module, "BLOCK", block)
        patch.setattr(block_module, "LONG_LINE", long_line)
        reader = Reader([path])
        found = list(reader.blocks())
        assert list(reader.lines()) == [line.decode().removesuffix("\r") for line in naive.text_lines(shown)]
    assert not any(b.open for b in list(whole_lines(found))[:-1])
    assert b"".join(b.data[: b.size].tobytes() for b in found) == shown
    for b in found:
        assert b is found[-1] or not b.size or b.data[b.size - 1] in (10, 32)
        assert len(b.data) == b.size + PADDING
        assert not b.data[b.size :].any()
        assert b.data[: b.size].tobytes() == text.encode()[b.offset : b.offset + b.size]
    if found:
        assert found[-1].done == Reader([path]).total_bytes


@given(text=_texts, block=st.integers(1, 12), long_line=st.integers(1, 20))
@example(text="aa bb cc \0dd\nee\n", block=2, long_line=3)
def test_skipping_is_by_whole_lines_also_of_a_long_line(tmp_path, text, block, long_line):
    data = text.encode().replace(b"\0", b"\xff")  # a byte that is not UTF-8 in some lines
    (path := tmp_path / "a.txt").write_bytes(data)
    expected = [line for line in naive.text_lines(data) if b"\xff" not in line]
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(block_module, "BLOCK", block)
        patch.setattr(block_module, "LONG_LINE", long_line)
        reader = Reader([path], errors="skip")
        cleaned = b"".join(b.data[: b.size].tobytes() for b in map(reader.clean, reader.blocks()))
    assert naive.text_lines(cleaned) == expected
    assert reader.skipped_lines == len(naive.text_lines(data)) - len(expected)


def test_long_line_is_cut_at_a_space(write, monkeypatch):
    monkeypatch.setattr(block_module, "BLOCK", 4)
    monkeypatch.setattr(block_module, "LONG_LINE", 8)
    path = write("a.txt", "aaa bbb ccc ddd eee")
    sizes = [block.size for block in Reader([path]).blocks()]
    assert sizes[0] == 8
    assert max(sizes) <= 12
    assert lines(path) == ["aaa bbb ccc ddd eee"]


def test_endless_token_is_refused(write, monkeypatch):
    monkeypatch.setattr(block_module, "BLOCK", 4)
    monkeypatch.setattr(block_module, "LONG_LINE", 8)
    monkeypatch.setattr(block_module, "LONGEST_TOKEN", 30)
    assert lines(write("a.txt", "x" * 30)) == ["x" * 30]
    assert "without a newline or space" in failure(write("b.txt", "x" * 100)).message


def test_progress_counts_stored_bytes_of_all_files(write):
    inputs = [write("a.gz", gzip.compress(b"abc\n" * 99)), write("b.txt", "xyz\n")]
    reader = Reader(inputs)
    assert [block.done for block in reader.blocks()] == [inputs[0].stat().st_size, reader.total_bytes]


# --- fingerprint, lines ---------------------------------------------------------------------------------


def test_fingerprint_changes_with_content_and_settings_only(write):
    base = write("a.txt", "one\ntwo\n")

    def fingerprint(*inputs, **settings):
        return Reader(inputs, **settings).fingerprint()

    others = [
        fingerprint(write("b.txt", "one\ntwO\n")),
        fingerprint(write("c.txt", "one\ntwo\n\n")),
        fingerprint(base, write("d.txt", "")),
        fingerprint(write("e.txt", "one\n"), write("f.txt", "two\n")),
        fingerprint(write("g.txt", "one\nt"), write("h.txt", "wo\n")),
        fingerprint(base, encoding="latin-1"),
        fingerprint(base, errors="skip"),
        fingerprint(base, field="body"),
        fingerprint(base, format="jsonl"),
        fingerprint(base),
    ]
    assert len(set(others)) == len(others)
    assert fingerprint(write("same.txt", "one\ntwo\n")) == others[-1]


def test_lines_take_the_place_of_a_reader(monkeypatch):
    monkeypatch.setattr(block_module, "BLOCK", 5)
    text = Lines(["a b", "", "c\nd", "é"])
    for _ in range(2):
        data = b"".join(block.data[: block.size].tobytes() for block in map(text.clean, text.blocks()))
        assert data.decode() == "a b\n\nc d\né\n"
    assert np.cumsum([block.size for block in text.blocks()]).tolist() == [block.done for block in text.blocks()]
