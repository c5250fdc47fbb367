"""`textkit classify train` and `predict` as a person meets them."""

import json

import pytest

TRAINING = "__label__good a fine film\n__label__bad a dull film\n" * 30


@pytest.fixture
def labelled(tmp_path):
    path = tmp_path / "train.txt"
    path.write_text(TRAINING)
    return path


def test_train_and_predict(run, labelled, tmp_path):
    model = tmp_path / "m.model"
    done = run("classify", "train", labelled, "-o", model, "--model", "embedding", "--threads", 1)
    assert (done.code, done.err) == (0, [])
    assert done.out.splitlines()[:3] == ["what\tvalue", "documents\t60", "labels\t2"]
    new = tmp_path / "new.txt"
    new.write_text("a fine film\n\na dull film\n")
    found = run("classify", "predict", model, new)
    assert found.code == 0
    assert [line.split("\t")[0] for line in found.out.splitlines()][::2] == ["good", "bad"]
    two = run("classify", "predict", model, new, "-k", 2).out.splitlines()
    assert [len(line.split("\t")) for line in two] == [4, 4, 4]


def test_train_in_json(run, labelled, tmp_path):
    arguments = ["--loss", "hs", "--chars", "2-3", "--buckets", 100, "--epochs", 2, "--no-validation"]
    done = run("classify", "train", labelled, "-o", tmp_path / "m", "--json", *arguments)
    report = json.loads(done.out)
    assert report["documents"] == 60
    assert "loss:hs" in report["signature"]
    assert len(report["history"]) == 2


@pytest.mark.parametrize(
    ("arguments", "said"),
    [(["--loss", "hinge"], "unknown --loss 'hinge'"), (["--chars", "x"], "--chars 'x' is not a range"),
     (["--dim", "0"], "--dim 0 makes no sense"), (["--rate", "0"], "--rate 0 makes no sense")],
)  # fmt: skip
def test_impossible_settings_are_refused(run, labelled, tmp_path, arguments, said):
    done = run("classify", "train", labelled, "-o", tmp_path / "m", *arguments)
    assert done.code == 2
    assert said in done.err[0]
    assert not (tmp_path / "m").exists()


@pytest.mark.parametrize(
    ("content", "said"),
    [("", "no token"), ("no label here\n", "label"), ("__label__a\n__label__b\n", "token")],
)
def test_input_without_labels_or_text_is_refused(run, tmp_path, content, said):
    path = tmp_path / "train.txt"
    path.write_text(content)
    done = run("classify", "train", path, "-o", tmp_path / "m")
    assert done.code == 1
    assert said in done.err[0]


def test_a_single_line_is_a_model(run, tmp_path):
    path = tmp_path / "train.txt"
    path.write_text("__label__a one line")
    assert run("classify", "train", path, "-o", tmp_path / "m").code == 0
    assert run("classify", "predict", tmp_path / "m", path).out.startswith("a\t")


def test_a_model_is_trained_on_and_vectors_are_begun_with(run, labelled, tmp_path):
    model, more = tmp_path / "m.model", tmp_path / "more.txt"
    assert run("classify", "train", labelled, "-o", model, "--epochs", 5, "--model", "embedding").code == 0
    more.write_text("__label__odd a strange thing\n" * 20)
    done = run("classify", "train", more, "--from", model, "-o", tmp_path / "n.model", "--json")
    assert (done.code, done.err) == (0, [])
    assert json.loads(done.out)["labels"] == 3
    refused = run("classify", "train", more, "--from", model, "-o", tmp_path / "o", "--dim", 3)
    assert refused.code == 2
    assert "--dim 3 is not what the model has" in refused.err[0]
    vectors = tmp_path / "v.vec"
    vectors.write_text("2 3\nfine 0.1 0.2 0.3\ndull 0.3 0.2 0.1\n")
    begun = run("classify", "train", labelled, "--vectors", vectors, "--freeze", "-o", tmp_path / "p.model")
    assert (begun.code, begun.err) == (0, [])
