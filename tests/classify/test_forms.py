"""Labelled text in tables, JSON, folders and from standard input."""

import gzip
import io
import json
import lzma

import pytest

from textkit.classify.data import read_labelled
from textkit.classify.form import InputForm
from textkit.errors import DataError, UsageError
from textkit.text.tokenizer import Tokenizer

WORDS = Tokenizer("whitespace")
CSV = 'label,text,n\nfilm noir,"a ""b""\nc",2\n\n,lost,1\nfilm noir,d,x\nwar,,1\nwar,e,-1\nwar,f,0\n'


@pytest.fixture
def read(tmp_path):
    def read(name, content, **form):
        (path := tmp_path / name).write_bytes(content.encode() if isinstance(content, str) else content)
        return read_labelled([path], InputForm(**form), WORDS)

    return read


def odd(data):
    return [(line, reason) for _, line, reason in data.odd]


def test_table_with_weights(read, documents):
    data = read("a.csv", CSV, weight="n")
    assert documents(data) == [('a "b" c', ["film noir"], 2), ("f", ["war"], 9)]
    assert data.weights.tolist() == [2, 0]
    assert odd(data) == [(5, "no label"), (6, "bad weight"), (7, "no text"), (8, "bad weight")]


def test_table_without_weights(read, documents):
    data = read("a.csv.xz", lzma.compress(CSV.encode()))
    assert [line for _, _, line in documents(data)] == [2, 6, 8, 9]
    assert data.weights is None
    assert data.labels.names == ["film noir", "war"]


def test_columns_are_joined_and_several_labels_split(read, documents):
    table = "tags\tbody\ttitle\na; b ;\tone\ttwo\nb\tthree\t\n"
    data = read("a.tsv", table, text="title,body", label="tags", separator=";")
    assert documents(data) == [("two one", ["a", "b"], 2), ("three", ["b"], 3)]


def test_a_table_without_header_has_numbered_columns(read, documents):
    data = read("a.csv", "3,good,very\n1,bad,\n", text="2,3", label="1")
    assert documents(data) == [("good very", ["3"], 1), ("bad", ["1"], 2)]


def test_json_labels_of_every_kind(read, documents):
    rows = [
        {"t": {"x": "a"}, "y": ["p q", "r", "p q"]}, {"t": {"x": "b"}, "y": 3}, {"t": {"x": "c"}, "y": True},
        {"t": {"x": "d"}, "y": None}, {"t": {"x": "e"}}, {"t": {}, "y": "z"}, {"t": {"x": "f\ud800"}, "y": "g\ud800"},
        {"t": {"x": "  "}, "y": "  "},
    ]  # fmt: skip
    data = read("a.jsonl", "\n".join(map(json.dumps, rows)), text="t.x", label="y")
    assert documents(data) == [
        ("a", ["p q", "r"], 1), ("b", ["3"], 2), ("c", ["true"], 3), ("f\ufffd", ["g\ufffd"], 7)
    ]  # fmt: skip
    assert odd(data) == [(4, "no label"), (5, "no label"), (6, "no text"), (8, "empty row")]


def test_json_texts_and_separated_labels(read, documents):
    data = read("a.jsonl", '{"a": "x", "b": "y", "label": "p|q", "w": "0.5"}', text="b,a", separator="|", weight="w")
    assert documents(data) == [("y x", ["p", "q"], 1)]
    assert data.weights.tolist() == [0.5]


BROKEN = {
    "a.jsonl": (b'{"text": "a", "label": "x"}\n{oops\n{"text": "", "label": {}}\n{"text": 5}\n', [2, 3, 4]),
    "a.csv": (b"label,text\nx,a\ny\nx,b\n", [3]),
}  # fmt: skip


@pytest.mark.parametrize("name", BROKEN)
def test_broken_rows_stop_or_are_left_out(read, name):
    content, lines = BROKEN[name]
    with pytest.raises(DataError, match=f"line {lines[0]}") as caught:
        read(name, content)
    assert "--errors skip" in caught.value.hint
    data = read(name, content, errors="skip")
    assert odd(data) == [(line, "no record") for line in lines]


UNDECODABLE = {
    "a.jsonl": b'{"text": "a\xff", "label": "x"}\n{"text": "b", "label": "y"}\n{"text": "c", "label": "z\xff"}\n',
    "a.csv": b"text,label\na\xff,x\nb,y\nc,z\xff\n",
}


@pytest.mark.parametrize("name", UNDECODABLE)
def test_undecodable_rows(read, documents, name):
    first = 1 + name.endswith("csv")
    with pytest.raises(DataError, match=f"line {first}: not valid utf-8"):
        read(name, UNDECODABLE[name])
    data = read(name, UNDECODABLE[name], errors="skip")
    assert [labels for _, labels, _ in documents(data)] == [["y"]]
    assert odd(data) == [(first, "not decodable"), (first + 2, "not decodable")]
    assert read(name, UNDECODABLE[name], errors="replace").labels.names == ["x", "y", "z\ufffd"]
    assert read(name, UNDECODABLE[name], encoding="bytes").labels.names == ["x", "y", "z\udcff"]
    assert read(name, UNDECODABLE[name], encoding="latin-1").labels.names == ["x", "y", "zÿ"]


def test_missing_columns_are_named(read):
    with pytest.raises(DataError, match="no column 'text'") as caught:
        read("a.csv", "a,label\n")
    assert "--text-column" in caught.value.hint
    with pytest.raises(DataError, match="no column 'label'") as caught:
        read("a.csv", "text,a\n")
    assert "--label-column" in caught.value.hint
    with pytest.raises(DataError, match="has a label") as caught:
        read("a.jsonl", '{"text": "x", "class": "y"}\n')
    assert "--label-column" in caught.value.hint


def test_folders(tmp_path, documents):
    for name, content in {
        "neg/b.txt": b"bad\nfilm\r\n", "neg/deep/a.txt.gz": gzip.compress(b"worse"), "two words/c": b"good", "d": b"?",
        "neg/.hidden": b"x", "neg/empty": b"", "neg/z": b"\xff",
    }.items():  # fmt: skip
        (path := tmp_path / "t" / name).parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(content)
    data = read_labelled([tmp_path / "t"], InputForm(errors="skip"), WORDS)
    assert documents(data) == [("bad film", ["neg"], 1), ("worse", ["neg"], 1), ("good", ["two words"], 1)]
    assert data.origin(2)[0] == str(tmp_path / "t" / "two words" / "c")
    assert [(name.rsplit("/")[-1], line, reason) for name, line, reason in data.odd] == [
        ("d", 1, "no label"), ("empty", 1, "no text"), ("z", 1, "not decodable")
    ]  # fmt: skip
    with pytest.raises(DataError, match="z, line 1"):
        read_labelled([tmp_path / "t"], InputForm(format="folders"), WORDS)


def test_folders_that_are_none(tmp_path):
    (tmp_path / "a.txt").write_text("__label__x y\n")
    (tmp_path / "t" / "x").mkdir(parents=True)
    with pytest.raises(UsageError, match="holds a folder for each label"):
        read_labelled([tmp_path / "a.txt", tmp_path / "t"], InputForm(), WORDS)
    with pytest.raises(DataError, match="is no directory"):
        read_labelled([tmp_path / "a.txt"], InputForm(format="folders"), WORDS)
    with pytest.raises(DataError, match="no files in"):
        read_labelled([tmp_path / "t"], InputForm(), WORDS)


def test_a_flat_directory_holds_labelled_files(tmp_path, documents):
    (tmp_path / "a.txt").write_text("__label__x y\n")
    (tmp_path / "b.jsonl").write_text('{"text": "z", "label": "x"}\n{"text": "v", "label": "u"}\n')
    assert documents(read_labelled([tmp_path], InputForm(), WORDS)) == [
        ("y", ["x"], 1), ("z", ["x"], 1), ("v", ["u"], 2)
    ]  # fmt: skip


def test_standard_input(monkeypatch, documents):
    monkeypatch.setattr("sys.stdin", io.TextIOWrapper(io.BytesIO(gzip.compress(b"__label__x y"))))
    assert documents(read_labelled(["-"], InputForm(), WORDS)) == [("y", ["x"], 1)]


def test_many_rows_in_many_blocks(read, documents, monkeypatch):
    monkeypatch.setattr("textkit.classify.sources.BLOCK", 1000)
    rows = [json.dumps({"text": f"w{i}", "label": str(i % 7) if i % 3 else ""}) + "\n" for i in range(200)]
    data = read("a.jsonl", "".join(rows))
    assert documents(data) == [(f"w{i}", [str(i % 7)], i + 1) for i in range(200) if i % 3]
    assert [line for line, _ in odd(data)] == [i + 1 for i in range(200) if i % 3 == 0]
