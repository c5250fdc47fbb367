"""Labels for streams of text: every form of output, against what the model says of each text alone."""

import csv
import io
import json
import lzma
import os
import threading
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from naive_labels import write_lists

from textkit.classify.choice import Choice
from textkit.classify.model import Classifier
from textkit.classify.probabilities import Top
from textkit.classify.stream import FasttextPredictor, LikeFasttext, Marks, Predictor, Writer, predicted
from textkit.errors import DataError, UsageError
from textkit.text import blocks as block_module
from textkit.text.reader import Reader

LABELS = ["plain", 'with "quotes", comma', "two words\tand tab", "é"]
TRAIN = [(f"{word} {word} common w{i}", label) for i in range(12) for word, label in zip("abcd", LABELS, strict=True)]
TEXTS = ["a common", "", "b b", "unseen", "c w1 d", "d " * 50, "é a"]


@pytest.fixture(scope="module")
def model():
    return Classifier.train(TRAIN, tokenizer="whitespace", model="embedding", epochs=5, threads=1, validation=0.0)


@pytest.fixture
def ask(model, tmp_path):
    def ask(name="x.txt", content=None, prefix="__label__", as_json=False, labels_only=False, model=model, **choice):
        content = "".join(f"{text}\n" for text in TEXTS) if content is None else content
        (path := tmp_path / name).write_text(content)
        reader = Reader([path])
        writer = Writer(Predictor(model, Choice(**choice), prefix), reader.sources[0].format, as_json, labels_only)
        return b"".join(predicted(writer, reader, threads=2)).decode()

    return ask


def shown(label: str) -> str:
    return label.replace("\t", " ")


def number(p: float) -> str:
    return np.format_float_positional(np.float32(p), unique=True, trim="-")


@pytest.mark.parametrize("block", [1, 10, 1 << 20])
@pytest.mark.parametrize("choice", [{}, {"k": 2}, {"k": -1}, {"k": 9}, {"threshold": 0.3}, {"k": 3, "threshold": 0.2}])
def test_lines(ask, model, monkeypatch, choice, block):
    monkeypatch.setattr(block_module, "BLOCK", block)
    found = [line.split("\t") for line in ask(**choice).splitlines()]
    expected = model.predict(TEXTS, choice.get("k", 1), choice.get("threshold", 0.0))
    assert [row[::2] for row in found] == [[shown(label) for label, _ in row] or [""] for row in expected]
    for row, pairs in zip(found, expected, strict=True):
        assert [float(p) for p in row[1::2]] == pytest.approx([p for _, p in pairs], rel=1e-6)


def test_labels_in_the_lines_are_not_looked_at(ask):
    assert ask(content="__label__x a common\nd #y b\n__label__z\n") == ask(content="a common\nd #y b\n\n")
    assert ask(content="b d", prefix="d") == ask(content="b ") != ask(content="b d")
    assert ask(content="a __label__é", prefix=None) == ask(content="a unseen")


def test_last_line_without_newline_and_crlf(ask):
    assert ask(content="a\r\nb") == ask(content="a\nb\n")
    assert ask(content="") == ""


def test_what_is_no_file_is_read_once(model):
    assert not b"".join(predicted(Writer(Predictor(model), "lines"), Reader(["/dev/null"], once=True)))


def test_tables(ask, model):
    rows = [["n", "text"], *([str(i), text] for i, text in enumerate(TEXTS))]
    stream = io.StringIO()
    csv.writer(stream).writerows(rows)
    for choice in ({}, {"k": 2, "threshold": 0.3}, {"k": -1}):
        found = list(csv.reader(io.StringIO(ask("x.csv", stream.getvalue(), **choice))))
        width = {None: 1, 2: 2, -1: 4}[choice.get("k")]
        names = ["predicted", "probability"]
        if choice:
            names = [f"{name}_{i}" for i in range(1, width + 1) for name in names]
        assert found[0] == rows[0] + names
        expected = model.predict(TEXTS, choice.get("k", 1), choice.get("threshold", 0.0))
        for record, row, pairs in zip(rows[1:], found[1:], expected, strict=True):
            cells = [cell for label, p in pairs for cell in (label, number(p))]
            assert row == record + cells + [""] * (2 * width - len(cells))


def test_tsv_and_tables_without_header(ask):
    assert ask("x.tsv", "text\tn\na\t1\n", labels_only=True) == "text\tn\tpredicted\na\t1\tplain\n"
    assert ask("x.tsv", "text\nc\n", labels_only=True) == "text\tpredicted\nc\ttwo words and tab\n"


@pytest.mark.parametrize("form", ["jsonl", "csv", "lines"])
def test_objects(ask, model, form):
    given = [{"text": text} for text in TEXTS]
    content = "".join(json.dumps(row) + "\n" for row in given)
    if form == "csv":
        content = "text\n" + "".join(f'"{text}"\n' for text in TEXTS)
    content = None if form == "lines" else content
    name = {"jsonl": "x.jsonl", "csv": "x.csv", "lines": "x.txt"}[form]
    single = [json.loads(line) for line in ask(name, content, as_json=True).splitlines()]
    for row, text, ((label, p),) in zip(single, given, model.predict(TEXTS), strict=True):
        assert row == {**text, "predicted": label, "probability": pytest.approx(p)}
    several = [json.loads(line) for line in ask(name, content, as_json=True, k=-1, threshold=0.3).splitlines()]
    for row, text, pairs in zip(several, given, model.predict(TEXTS, -1, 0.3), strict=True):
        assert row == {**text, "predicted": [{"label": x, "probability": pytest.approx(p)} for x, p in pairs]}
    bare = [json.loads(line) for line in ask(name, content, as_json=True, labels_only=True, k=2).splitlines()]
    assert [row["predicted"] for row in bare] == [[label for label, _ in row] for row in model.predict(TEXTS, 2)]
    nothing = [json.loads(line) for line in ask(name, content, as_json=True, threshold=1.0).splitlines()]
    assert all((row["predicted"], row["probability"]) == (None, None) for row in nothing)


def test_other_keys_stay_and_old_predictions_go(ask):
    line = ask("x.jsonl", '{"a": [1, {"b": 2}], "predicted": "old", "text": "a", "label": "gold"}')
    found = json.loads(line)
    assert (found["a"], found["label"], found["predicted"]) == ([1, {"b": 2}], "gold", "plain")


def test_many_labels_do_not_make_a_table(ask, model):
    many = replace(model, labels=[*model.labels, *map(str, range(200))])
    with pytest.raises(UsageError, match="204 labels"):
        ask("x.csv", "text\na\n", model=many, k=-1)


def test_different_tables_do_not_go_together(model, tmp_path):
    for name, header in (("a.csv", "text"), ("b.csv", "n,text")):
        (tmp_path / name).write_text(f"{header}\na,b\n")
    reader = Reader([tmp_path / "a.csv", tmp_path / "b.csv"])
    with pytest.raises(DataError, match="other columns"):
        list(predicted(Writer(Predictor(model), "csv"), reader))


def test_calibrated_thresholds_and_abstaining(ask, model):
    probabilities = model.probabilities(model.encode(TEXTS))
    floor = [0.0, 2.0, 0.0, float(probabilities[:, 3].max())]
    calibrated = replace(model, calibration={"thresholds": floor, "abstain": "nobody knows"})
    found = ask(model=calibrated, labels_only=True).splitlines()
    best = probabilities.argmax(1)
    expected = [
        shown(LABELS[b]) if probabilities[i, model.labels.index(LABELS[b])] >= floor[b] else "nobody knows"
        for i, b in enumerate(best.tolist())
    ]  # fmt: skip
    assert model.labels == LABELS
    assert found == expected
    assert "nobody knows" in found
    assert "nobody knows" not in ask(model=calibrated, k=1)  # as asked, whatever the model is used to
    silent = replace(model, calibration={"thresholds": [2.0] * 4})
    assert ask(model=silent) == "\n" * len(TEXTS)


def test_documents_that_had_several_labels(ask):
    train = [("a b", ["x", "y"]), ("a c", ["x"]), ("b c", ["y"])] * 20
    model = Classifier.train(train, tokenizer="whitespace", model="embedding", threads=1, validation=0.0)
    found = [set(line.split("\t")) for line in ask(content="a b\na\n", model=model, labels_only=True).splitlines()]
    assert found == [{"x", "y"}, {"x"}]


def test_like_fasttext(model, tmp_path):
    (path := tmp_path / "x").write_text("a common\n\n")
    writer = LikeFasttext(FasttextPredictor(model, Choice(2, 0.0), "__label__"))
    found = b"".join(predicted(writer, Reader([path]))).decode().splitlines()
    for part, (label, p) in zip(found[0].split("__label__")[1:], model.predict("a common", 2), strict=True):
        name, number = part.rstrip().rsplit(" ", 1)
        assert (name, float(number)) == (label, pytest.approx(p + 1e-5, abs=2e-6))
        assert len(number.lstrip("0.")) <= 6
    assert len(found) == 2
    only = LikeFasttext(FasttextPredictor(model, Choice(1, 0.999), "__label__"), labels_only=True)
    assert b"".join(predicted(only, Reader([path]))) == b"\n\n"


@pytest.mark.parametrize("name", ["sup_softmax", "sup_hs", "sup_ns", "sup_ova"])
def test_golden_predictions_of_fasttext(tmp_path, name):
    golden = Path(__file__).parent.parent / "golden" / "fasttext"
    (tmp_path / "m.bin").write_bytes(lzma.decompress((golden / f"{name}.bin.xz").read_bytes()))
    predictor = FasttextPredictor(Classifier.load(tmp_path / "m.bin"), Choice(-1, 0.0), "__label__")
    found = b"".join(predicted(LikeFasttext(predictor), Reader([golden / "test.txt"]))).decode()
    expected = lzma.decompress((golden / f"{name}.predict.txt.xz").read_bytes()).decode()
    for line, wanted in zip(found.splitlines(), expected.splitlines(), strict=True):
        assert line.split()[::2] == wanted.split()[::2]
        numbers = [[float(p) for p in text.split()[1::2]] for text in (line, wanted)]
        assert numbers[0] == pytest.approx(numbers[1], rel=2e-5, abs=1e-9)


@pytest.mark.parametrize("threads", [1, 2])
def test_lines_of_a_pipe_are_answered_as_they_come(ask, model, monkeypatch, threads):
    read, write = os.pipe()
    release = threading.Timer(20, os.close, [write])  # so that a failure does not wait for ever
    release.start()
    with os.fdopen(read) as stdin:
        monkeypatch.setattr("sys.stdin", stdin)
        writer = Writer(Predictor(model, Choice(1)), "lines", labels_only=True)
        pieces = filter(None, predicted(writer, Reader(["-"], once=True), threads))
        found = b""
        for lines, written in enumerate((b"a\n", b"b", b" common b\nd\nd "), 1):
            os.write(write, written)
            if b"\n" in written:
                found += next(pieces)
            assert found.count(b"\n") == lines - (lines == 2)
        assert release.is_alive()
        release.cancel()
        os.write(write, b"w3")
        os.close(write)
        found += b"".join(pieces)
    assert found.decode() == ask(content="a\nb common b\nd\nd w3", k=1, labels_only=True)


@pytest.mark.parametrize("settings", [{"k": 0}, {"k": -2}, {"threshold": 1.5}, {"threshold": float("nan")}], ids=str)
def test_impossible_choices(settings):
    with pytest.raises(UsageError):
        Choice(**settings)


MARKS = st.lists(st.sampled_from(["", ", ", "<", "long mark of many bytes", "é"]), min_size=7, max_size=7)
PAIRS = st.lists(st.tuples(st.integers(0, 3), st.floats(0, 1, width=32)), max_size=3)
ROWS = st.lists(st.tuples(st.sampled_from(["", "text", "a longer text, é"]), PAIRS), max_size=5)


@given(MARKS, ROWS, st.integers(0, 4))
def test_written_lists_equal_the_twin(marks, rows, width):
    from textkit.classify import stream
    from textkit.kernels import labels as kernels
    from textkit.kernels.floats import find_decimals
    from textkit.text.output import joined

    ids, p = np.full((len(rows), 4), -1, np.int32), np.zeros((len(rows), 4))
    counts = np.array([len(pairs) for _, pairs in rows], np.int64)
    for i, (_, pairs) in enumerate(rows):
        for k, (label, value) in enumerate(pairs):
            ids[i, k], p[i, k] = label, value
    data, spans = joined([text.encode() for text, _ in rows])
    labels, ends = stream.packed(LABELS)
    out = np.zeros(1 << 16, np.uint8)
    size = kernels.write_lists(
        ids, p, counts, *find_decimals(p.reshape(-1)), data, spans.reshape(-1, 2),
        labels, ends, width, *Marks(*marks).packed,
        stream.POWERS, out,
    )  # fmt: skip
    expected = [[(LABELS[label], written(value)) for label, value in pairs] for _, pairs in rows]
    assert out[:size].tobytes().decode() == write_lists([text for text, _ in rows], expected, width, marks)


def written(value: float) -> str:
    """A number as results are written: whole ones without a point."""
    from textkit.text.rows import table_rows
    from textkit.text.tokenizer import text_buffer

    row = table_rows(text_buffer(b""), np.zeros((1, 2), np.int64), np.array([[value]]), 1)
    return row.decode().split("\t")[0]


def test_top_confined_keeps_the_order(model):
    calibrated = replace(model, calibration={"thresholds": [0.5, 0.1, 0.3, 0.2]})
    predictor = Predictor(calibrated)
    top = Top(np.array([[1, 0, 3, -1]], np.int32), np.array([[0.4, 0.3, 0.25, 0]], np.float32), np.array([3]))
    found = predictor._confined(top)
    assert found.ids[0, : found.counts[0]].tolist() == [1, 3]
    assert found.p[0, :2].tolist() == pytest.approx([0.4, 0.25])
