"""`textkit classify tune`, and `--model` of `classify train`, as a person meets them."""

import json

import pytest
from textkit.corpora import builtin


@pytest.fixture
def labelled(tmp_path):
    path = tmp_path / "train.txt"
    path.write_text("".join(f"{line}\n" for _, line in zip(range(200), builtin("topics").make(0), strict=False)))
    return path


def test_the_default_model_says_why(run, labelled, tmp_path):
    done = run("classify", "train", labelled, "-o", tmp_path / "m", "--threads", 1)
    assert (done.code, done.err) == (0, [])
    rows = dict(line.split("\t") for line in done.out.splitlines())
    assert rows["model"].startswith("linear: accuracy 0.")
    assert float(rows["cost"]) in (1, 4, 15, 60)
    linear = run("classify", "train", labelled, "-o", tmp_path / "m", "--model", "linear", "--cost", 4, "--json")
    assert json.loads(linear.out)["cost"] == 4


@pytest.mark.parametrize(("option", "value"), [("--cost", 0), ("--weighting", "tf"), ("--model", "tree")])
def test_impossible_settings(run, labelled, tmp_path, option, value):
    done = run("classify", "train", labelled, "-o", tmp_path / "m", option, value)
    assert done.code == 2
    assert option in done.err[0]
    assert not (tmp_path / "m").exists()


def test_tune(run, labelled, tmp_path):
    model, log = tmp_path / "m.model", tmp_path / "trials.jsonl"
    arguments = ["classify", "tune", labelled, "-o", model, "--time", "3s", "--threads", 1, "--log", log]
    done = run(*arguments, "--metric", "macro-f1", "--weighting", "idf", "--model", "linear")
    assert (done.code, done.err) == (0, [])
    lines = done.out.splitlines()
    assert lines[0] == "setting\tto begin with\tchosen"
    assert "weighting\tidf\tidf" in lines
    assert any(line.startswith("macro-f1\t0.") for line in lines)
    assert run("classify", "predict", model, labelled).code == 0
    again = run(*arguments, "--metric", "macro-f1", "--weighting", "idf", "--model", "linear", "--json")
    found = json.loads(again.out)
    assert found["trials"][: len(log.read_text().splitlines()) - 1]
    assert {trial["settings"]["weighting"] for trial in found["trials"]} == {"idf"}
    other = run(*arguments)
    assert other.code == 2
    assert "another metric or other settings" in other.err[0]


@pytest.mark.parametrize(
    ("arguments", "code", "said"),
    [
        (["--time", "soon"], 2, "--time 'soon'"),
        (["--time", "-3"], 2, "--time -3"),
        (["--metric", "f1:nothing"], 2, "no label 'nothing'"),
        (["--metric", "speed"], 2, "--metric 'speed'"),
        (["--max-size", "10", "--time", "2s", "--model", "linear"], 1, "small enough"),
        (["--max-size", "x"], 2, "--max-size"),
    ],
)
def test_what_cannot_be_tuned(run, labelled, tmp_path, arguments, code, said):
    done = run("classify", "tune", labelled, "-o", tmp_path / "m", *arguments)
    assert done.code == code
    assert said in done.err[0]
    assert not (tmp_path / "m").exists()
