"""Records with what stands in the file, and the kinds of text that programs pass."""

from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from textkit.errors import DataError, UsageError
from textkit.text import blocks as block_module
from textkit.text.reader import Lines, Reader
from textkit.text.sources import as_text

CASES = {
    "jsonl": b'{"text": "a\\nb", "n": 1}\r\n\n {"n": 2, "text": ""} \n{"text": "c"}',
    "csv": b'n,text\r\n1,"a\nb"\r\n\r\n"2","c, ""d"""\n3,e',
    "tsv": b'text\tn\na "b"\t1\n\t2\nc\t3',
    "lines": b"a b\r\n\nc",
}


def blocks(reader):
    return [reader.clean_records(found) for found in reader.record_blocks()]


def texts(found):
    return [line for block in found for line in block.text.lines()]


@pytest.mark.parametrize("format", CASES)
@pytest.mark.parametrize("size", [1, 7, 1 << 20])
def test_records_are_the_lines_and_the_bytes_of_the_file(tmp_path, monkeypatch, format, size):
    path = tmp_path / f"x.{format}"
    path.write_bytes(CASES[format])
    monkeypatch.setattr(block_module, "BLOCK", size)
    reader = Reader([path], format=format)
    found = blocks(reader)
    assert texts(found) == list(reader.lines())
    if format == "lines":
        assert b"".join(block.text.data[: block.text.size].tobytes() for block in found) == CASES[format]
    else:
        stored = [record for block in found for record in block.stored]
        assert len(stored) == len(texts(found))
        kept = b"".join([found[0].header, *stored]).split()
        assert kept == CASES[format].split()  # but for blank lines and the last line's end
        assert all(record.endswith(b"\n") for record in stored)
        assert len({block.header for block in found}) == 1


def test_a_quoted_newline_stays_in_its_record(tmp_path):
    (tmp_path / "x.csv").write_bytes(CASES["csv"])
    (found,) = blocks(Reader([tmp_path / "x.csv"]))
    assert found.header == b"n,text\r\n"
    assert found.stored == [b'1,"a\nb"\r\n', b'"2","c, ""d"""\n', b"3,e\n"]
    assert texts([found]) == ["a b", 'c, "d"', "e"]


@pytest.mark.parametrize(("errors", "left"), [("skip", [b'{"text": "b"}\n']), ("replace", None)])
def test_undecodable_records_go_or_are_mended(tmp_path, errors, left):
    (tmp_path / "x.jsonl").write_bytes(b'{"text": "a\xff"}\n{"text": "b"}\n')
    reader = Reader([tmp_path / "x.jsonl"], errors=errors)
    (found,) = blocks(reader)
    assert found.stored == (left or ['{"text": "a\ufffd"}\n'.encode(), b'{"text": "b"}\n'])
    assert len(texts([found])) == len(found.stored)
    assert reader.skipped_lines == (errors == "skip")


def test_undecodable_records_stop_with_their_line(tmp_path):
    (tmp_path / "x.jsonl").write_bytes(b'{"text": "a"}\n{"text": "\xff"}\n')
    with pytest.raises(DataError, match="line 2, byte 1 of the line"):
        blocks(Reader([tmp_path / "x.jsonl"]))


@given(st.lists(st.text(st.characters(codec="utf-8"), max_size=9), min_size=1, max_size=9))
def test_any_json_text_survives(tmp_path_factory, values):
    import json

    path = tmp_path_factory.mktemp("r") / "x.jsonl"
    path.write_text("".join(json.dumps({"text": v}) + "\n" for v in values), encoding="utf-8")
    found = blocks(Reader([path]))
    assert [json.loads(record)["text"] for block in found for record in block.stored] == values


def test_several_fields_make_one_text(tmp_path):
    (tmp_path / "x.csv").write_text("a,b,c\n1,2,3\n")
    (tmp_path / "x.jsonl").write_text('{"a": {"b": "1"}, "c": "3", "a,c": "both"}\n')
    assert list(Reader([tmp_path / "x.csv"], field="c,a").lines()) == ["3 1"]
    assert list(Reader([tmp_path / "x.jsonl"], field="c,a.b").lines()) == ["3 1"]
    assert list(Reader([tmp_path / "x.jsonl"], field="a,c").lines()) == ["both"]
    with pytest.raises(DataError, match="no field 'c,x'"):
        list(Reader([tmp_path / "x.jsonl"], field="c,x").lines())
    with pytest.raises(DataError, match="no column 'x'"):
        list(Reader([tmp_path / "x.csv"], field="a,x").lines())


def test_tables_without_a_header(tmp_path):
    (tmp_path / "x.csv").write_text("one,two\n\nthree,four\n")
    (found,) = blocks(Reader([tmp_path / "x.csv"], field="2"))
    assert texts([found]) == ["two", "four"]
    assert (found.header, found.stored) == (b"", [b"one,two\n", b"three,four\n"])
    (tmp_path / "y.csv").write_text("1,2\nthree,four\n")
    assert list(Reader([tmp_path / "y.csv"], field="2").lines()) == ["four"]  # here it is a name


def lines_of(given):
    text, split = as_text(given)
    return [line for block in text.blocks() for line in text.clean(block).lines()], split


def test_kinds_of_text(tmp_path):
    for name, content in (("a.txt", "one\ntwo\n"), ("b.txt", "three\n")):
        (tmp_path / name).write_text(content)
    assert lines_of(tmp_path / "a.txt") == (["one", "two"], False)
    assert lines_of(str(tmp_path / "a.txt")) == (["one", "two"], False)
    assert lines_of([tmp_path / "a.txt", tmp_path / "b.txt"]) == (["one", "two", "three"], False)
    assert lines_of(Reader([tmp_path / "b.txt"])) == (["three"], False)
    assert lines_of(Lines(["x"])) == (["x"], False)
    assert lines_of(line for line in ["a b", "c"]) == (["a b", "c"], False)
    assert lines_of(iter([["a", "b"], [], ("c",)])) == (["a b", "", "c"], True)


@pytest.mark.parametrize("given", [3, [3], {"a": 1}.values(), None, [b"bytes"]], ids=repr)
def test_what_is_no_text(given):
    with pytest.raises(UsageError, match="is no text"):
        as_text(given)


@pytest.mark.parametrize("token", ["a b", "", "\t", 3])
def test_what_is_no_token(token):
    with pytest.raises(DataError, match="is no token"):
        lines_of([["fine"], [token]])


def test_no_text_at_all():
    with pytest.raises(DataError, match="no line"):
        as_text([])
    with pytest.raises(DataError, match="does not exist"):
        lines_of(Path("no such file"))
