"""`textkit classify`: how labelled text is read, predict, check."""

import json

import pytest

TRAIN = "".join(
    f"__label__{label} {word} {word} common w{i}\n" for i in range(10) for label, word in (("x", "a"), ("y", "b"))
)


@pytest.fixture(scope="module")
def model(tmp_path_factory):
    from textkit.classify.data import read_labelled
    from textkit.classify.form import InputForm
    from textkit.classify.model import Classifier
    from textkit.text.tokenizer import Tokenizer

    directory = tmp_path_factory.mktemp("model")
    (directory / "train").write_text(TRAIN)
    data = read_labelled([directory / "train"], InputForm(), Tokenizer("whitespace"))
    Classifier.train(data, model="embedding", validation=0.0, threads=1).save(directory / "m")
    return directory / "m"


# --- reading ----------------------------------------------------------------------------------------------


def test_odd_rows_are_told_and_listed(run, tmp_path):
    (path := tmp_path / "t.txt").write_bytes(TRAIN.encode() + b"no label\n\n__label__x\n__label__x \xff\n")
    arguments = ("classify", "train", path, "-o", tmp_path / "m", "--model", "embedding", "--errors", "skip")
    done = run(*arguments)
    assert done.code == 0
    assert done.err == [
        "note: of 24 rows 1 left out: no label, 1 left out: empty row, 1 left out: no text, "
        "1 left out: not decodable (see --list-odd)."
    ]
    done = run(*arguments, "--list-odd", tmp_path / "odd.tsv")
    assert done.err[0].endswith("not decodable.")
    assert (tmp_path / "odd.tsv").read_text() == (
        f"{path}\t21\tno label\n{path}\t22\tempty row\n{path}\t23\tno text\n{path}\t24\tnot decodable\n"
    )


@pytest.mark.parametrize(
    ("name", "content", "options"),
    [
        ("t.csv", "body,topic,w\n" + "a a,x,1\nb b,y,2\n" * 9, ("--text-column", "body", "--label-column", "topic")),
        ("t.tsv", "x|y\ta b\nx\ta\n" * 9, ("--text-column", "2", "--label-column", "1", "--separator", "|")),
        ("t.jsonl", '{"text": "a a", "label": "x"}\n{"text": "b", "label": ["y"]}\n' * 9, ()),
        ("t.txt", "#x a a\n#y b\n" * 9, ("--label-prefix", "#")),
    ],
)
def test_train_reads_every_form(run, tmp_path, name, content, options):
    (path := tmp_path / name).write_text(content)
    done = run("classify", "train", path, "-o", tmp_path / "m", "--model", "embedding", *options)
    assert (done.code, done.err) == (0, [])
    assert run("classify", "predict", tmp_path / "m", "-", "--labels-only", stdin=b"a a\n").out == "x\n"


@pytest.mark.parametrize(
    ("content", "options", "message"),
    [
        ("a b\n", (), "Labels are words that begin with __label__"),
        ("", (), "there is no token"),
        ("__label__x y\n", ("--format", "odd"), "unknown format 'odd'"),
        ("__label__x y\n", ("--label-prefix", ""), "cannot begin a label"),
        ("__label__x y\n", ("--format", "csv"), "no column 'text'"),
        ("__label__x y\n", ("--encoding", "klingon"), "unknown encoding"),
    ],
)
def test_bad_input(run, tmp_path, content, options, message):
    (path := tmp_path / "t").write_text(content)
    done = run("classify", "train", path, "-o", tmp_path / "m", *options)
    assert done.code in (1, 2)
    assert message in done.err[-1]
    assert not (tmp_path / "m").exists()


# --- predict ----------------------------------------------------------------------------------------------


def test_predict_lines(run, model, tmp_path):
    done = run("classify", "predict", model, "-", stdin=b"a common\nb\n")
    assert done.code == 0
    assert [line.split("\t")[0] for line in done.out.splitlines()] == ["x", "y"]
    (tmp_path / "t.txt").write_text("a common\nb\n")
    run("classify", "predict", model, tmp_path / "t.txt", "--output", tmp_path / "out.gz")
    import gzip

    assert gzip.decompress((tmp_path / "out.gz").read_bytes()).decode() == done.out


def test_predict_keeps_the_form_and_joins_columns(run, model, tmp_path):
    (tmp_path / "t.csv").write_text("id,title,body\n7,b,b\n")
    done = run("classify", "predict", model, tmp_path / "t.csv", "--field", "title,body", "--labels-only")
    assert done.out == "id,title,body,predicted\n7,b,b,y\n"
    done = run("classify", "predict", model, tmp_path / "t.csv", "--field", "body", "--json", "--k", "2")
    row = json.loads(done.out)
    assert [found["label"] for found in row["predicted"]] == ["y", "x"]
    assert row["id"] == "7"


def test_predict_like_fasttext(run, model):
    done = run("classify", "predict", model, "-", "--like-fasttext", "--k", "-1", stdin=b"a a\nb common\n")
    first, second = done.out.splitlines()
    assert first.split()[::2] == ["__label__x", "__label__y"]
    assert len(second.split()) == 4
    done = run("classify", "predict", model, "-", "--like-fasttext", "--labels-only", stdin=b"a a")
    assert done.out == "__label__x\n"


@pytest.mark.parametrize(
    ("options", "message"),
    [
        (("--k", "0"), "--k 0 makes no sense"),
        (("--threshold", "2"), "--threshold 2 makes no sense"),
        (("--like-fasttext", "--json"), "two forms of output"),
    ],
)
def test_predict_refuses(run, model, options, message):
    done = run("classify", "predict", model, "-", *options, stdin=b"a")
    assert done.code == 2
    assert message in done.err[-1]


def test_predict_needs_a_model(run, tmp_path):
    (tmp_path / "m").write_text("no model")
    assert run("classify", "predict", tmp_path / "m", "-", stdin=b"a").code == 1


# --- check ------------------------------------------------------------------------------------------------


def test_check(run, tmp_path):
    (a := tmp_path / "a.txt").write_text(TRAIN + "__label__x a a common w0\n__label__y a common w3 w4\n")
    (b := tmp_path / "b.txt").write_text("__label__x a a common w1\n")
    done = run("classify", "check", a, b, "--tokenizer", "whitespace", "--folds", "2")
    assert done.code == 0
    rows = dict(line.split("\t")[:2] for line in done.out.splitlines())
    assert (rows["documents"], rows["duplicates"], rows["documents that stand in several files"]) == ("23", "2", "2")
    assert rows[f"{a}:21"] == f"of {a}:1"
    assert "cross-validated loss" in rows
    found = json.loads(run("classify", "check", a, b, "--json", "--folds", "0").out)
    assert found["summary"]["duplicates"] == 2
    assert {"file": str(a), "line": 21, "kind": "duplicate", "note": f"of {a}:1"} in found["issues"]


def test_check_writes_a_list_or_a_clean_file(run, tmp_path):
    (a := tmp_path / "a.txt").write_text("__label__x one\n__label__x one\nnothing\n__label__y two\n")
    run("classify", "check", a, "--folds", "0", "--output", tmp_path / "issues.tsv")
    assert (tmp_path / "issues.tsv").read_text() == f"{a}\t3\tno-label\t\n{a}\t2\tduplicate\tof {a}:1\n"
    run("classify", "check", a, "--folds", "0", "--drop", "duplicate,odd", "--output", tmp_path / "clean.txt")
    assert (tmp_path / "clean.txt").read_text() == "__label__x one\n__label__y two\n"


def test_check_cleans_every_file_and_loses_no_text(run, tmp_path):
    (a := tmp_path / "a.txt").write_text("__label__x one two\n__label__y three\n__label__y three\n__label__x four\n")
    (b := tmp_path / "b.txt").write_text("__label__x five\n__label__x one two\n__label__x one two\n")
    command = "classify", "check", a, b, "--folds", "0", "--drop", "duplicate,leak", "--output"
    done = run(*command, tmp_path / "clean.{name}")
    assert done.code == 0 and not done.err
    assert (tmp_path / "clean.a.txt").read_text() == "__label__y three\n__label__x four\n"
    assert (tmp_path / "clean.b.txt").read_text() == "__label__x five\n__label__x one two\n"
    assert "of 2 files the first is written" in run(*command, tmp_path / "one.txt").err[0]
    assert (tmp_path / "one.txt").read_text() == (tmp_path / "clean.a.txt").read_text()
    assert run(*command, tmp_path / "{name}").code == 2  # an input would be written over


@pytest.mark.parametrize(
    ("options", "message"),
    [
        (("--drop", "leak"), "--drop writes a file"),
        (("--drop", "x", "--output", "y"), "no kind of row 'x'"),
        (("--folds", "1"), "--folds 1 makes no sense"),
        (("--similar", "0"), "--similar 0 makes no sense"),
    ],
)
def test_check_refuses(run, tmp_path, options, message):
    (path := tmp_path / "t").write_text(TRAIN)
    done = run("classify", "check", path, *options)
    assert done.code == 2
    assert message in done.err[-1]
