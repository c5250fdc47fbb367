"""`textkit classify` test, compare, evaluate, calibrate, explain and info, as a user runs them."""

import json
import re
import subprocess
import sys
from collections import Counter

import golden_fasttext as golden
import pytest
from textkit.corpora import builtin

from textkit.classify.model import Classifier

SURE = {"model": "embedding", "epochs": 30, "rate": 1.0, "validation": 0.0, "threads": 1}
QUICK = ["--model", "embedding", "--epochs", 30, "--rate", 1, "--no-validation", "--threads", 1]


@pytest.fixture(scope="module")
def place(tmp_path_factory):
    """A directory with texts and a model of each."""
    directory = tmp_path_factory.mktemp("classify")
    for name in ("topics", "multilabel"):
        lines = list(builtin(name).lines(100_000))
        (directory / f"{name}.train.txt").write_text("\n".join(lines[::2]) + "\n")
        (directory / f"{name}.test.txt").write_text("\n".join(lines[1::2]) + "\n")
        Classifier.train(directory / f"{name}.train.txt", **SURE).save(directory / f"{name}.model")
    return directory


def tables(out):
    return [line.split("\t") for line in out.splitlines()]


def test_test_prints_tables(run, place):
    done = run("classify", "test", place / "topics.model", place / "topics.test.txt", "--threads", 1)
    assert (done.code, done.err) == (0, [])
    rows = tables(done.out)
    assert rows[0][:3] == ["measure", "value", "95 % interval"]
    assert rows[0][3].startswith("always '")
    assert rows[1][0] == "accuracy"
    low, _, high = rows[1][2].split()
    assert float(low) < float(rows[1][1]) < float(high)
    firsts = [row[0] for row in rows]
    assert {"macro F1", "log loss", "Brier score", "calibration error", "macro ROC-AUC", "weighted", "@1"} <= set(
        firsts
    )
    labels = rows[firsts.index("label") + 1 :][:8]
    assert sum(int(row[1]) for row in labels) == len((place / "topics.test.txt").read_text().splitlines())
    assert rows[firsts.index("right label")] == ["right label", "given", "documents", "of the label's", "examples"]
    assert f"{place}/topics.test.txt:" in rows[firsts.index("right label") + 1][4]


def test_test_as_json_and_page(run, place, tmp_path):
    done = run(
        "classify", "test", place / "multilabel.model", place / "multilabel.test.txt", "--json", "--html",
        tmp_path / "r.html", "--pairs", 2, "--examples", 1,
    )  # fmt: skip
    said = json.loads(done.out)
    assert said["rule"] == "all labels from p = 0.5"
    assert said["averages"]["macro"]["f1"] > 0.5
    assert len(said["confused"]) == 2
    assert len(said["per_label"]) == 8
    page = (tmp_path / "r.html").read_text()
    assert f"{said['accuracy']['value']:.4f}" in page
    assert "Most confused" in page


def test_k_and_threshold_choose_labels(run, place):
    def said(*options):
        done = run("classify", "test", place / "multilabel.model", place / "multilabel.test.txt", "--json", *options)
        return json.loads(done.out)

    assert said("--k", 2)["rule"] == "the 2 best"
    assert said("--k", 2, "--threshold", 0.3)["rule"] == "the 2 best from p = 0.3"
    few, many = said("--threshold", 0.9), said("--threshold", 0.1)
    assert few["averages"]["micro"]["precision"] >= many["averages"]["micro"]["precision"]
    assert few["averages"]["micro"]["recall"] < many["averages"]["micro"]["recall"]


def test_fasttext_counting(run, place, tmp_path):
    text = tmp_path / "t.txt"
    text.write_text((place / "topics.test.txt").read_text() + "__label__chess the queen\n")
    done = run("classify", "test", place / "topics.model", text, "--like-fasttext")
    count = len((place / "topics.test.txt").read_text().splitlines())
    assert re.fullmatch(rf"N\t{count}\nP@1\t0\.\d+\nR@1\t0\.\d+\n", done.out)


def test_unknown_labels_are_listed(run, place, tmp_path):
    (tmp_path / "t.txt").write_text("__label__chess the queen\n__label__sport the team won\n")
    done = run("classify", "test", place / "topics.model", tmp_path / "t.txt")
    assert ["chess", "1"] in tables(done.out)
    assert done.err == ["note: 1 labels are unknown to the model; they count as never found."]


def test_other_forms_of_labelled_text(run, place, tmp_path):
    (tmp_path / "t.csv").write_text('name,words\nsport,"the team\nwon"\nmusic,the choir sang\n')
    columns = ["--label-column", "name", "--text-column", "words"]
    done = run("classify", "test", place / "topics.model", tmp_path / "t.csv", *columns, "--json")
    assert json.loads(done.out)["documents"] == 2
    piped = run("classify", "test", place / "topics.model", "-", "--json", stdin=b"__label__money the team won\n")
    assert json.loads(piped.out)["confused"][0]["examples"][0]["text"] == "the team won"


def test_compare_says_in_words_who_wins(run, place, tmp_path):
    poor = tmp_path / "poor.model"
    Classifier.train(place / "topics.train.txt", **{**SURE, "epochs": 1, "rate": 0.01}).save(poor)
    done = run("classify", "compare", poor, place / "topics.model", place / "topics.test.txt")
    rows = tables(done.out)
    assert rows[0] == ["measure", str(poor), str(place / "topics.model"), "difference", "95 % interval", "p", "test"]
    assert rows[1][6] == "McNemar, exact"
    counts = {row[0]: int(row[1]) for row in rows[5:9]}
    assert sum(counts.values()) == len((place / "topics.test.txt").read_text().splitlines())
    assert rows[9][0].startswith(f"accuracy: {place / 'topics.model'} is ahead of {poor}, ")
    said = json.loads(run("classify", "compare", poor, poor, place / "topics.test.txt", "--json").out)
    assert said["differences"][0]["p"] == 1


def test_evaluate_with_a_split_folds_and_a_curve(run, place, tmp_path):
    text = place / "topics.train.txt"
    page = tmp_path / "r.html"
    done = run("classify", "evaluate", text, "--folds", 3, "--learning-curve", *QUICK, "--show", 0, "--html", page)
    assert (done.code, done.err) == (0, [])
    rows = tables(done.out)
    firsts = [row[0] for row in rows]
    folds = rows[firsts.index("fold") + 1 :]
    assert [row[0] for row in folds[:5]] == ["1", "2", "3", "mean", "standard deviation"]
    assert len(rows[firsts.index("training documents") + 1 :]) == 6
    assert "Learning curve" in page.read_text()
    said = json.loads(run("classify", "evaluate", text, "--json", "--held-out", 0.5, *QUICK).out)
    assert said["documents"] == pytest.approx(len(text.read_text().splitlines()) / 2, abs=1)
    assert said == json.loads(run("classify", "evaluate", text, "--json", "--held-out", 0.5, *QUICK).out)


def test_calibrate_shows_before_and_after_and_is_kept(run, place, tmp_path):
    model = tmp_path / "c.model"
    done = run(
        "classify", "calibrate", place / "topics.model", place / "topics.test.txt", "--target", "precision:0.9",
        "--abstain", "unsure", "-o", model,
    )  # fmt: skip
    rows = tables(done.out)
    assert rows[0] == ["measure", "before", "after"]
    figures = {row[0]: [float(value) for value in row[1:]] for row in rows[1:8]}
    assert figures["log loss"][1] <= figures["log loss"][0]
    assert rows[8][0] == "label"
    info = json.loads(run("classify", "info", model, "--json").out)
    assert (info["thresholds"], info["abstain"]) == ("precision:0.9", "unsure")
    assert info["calibration"]["measured"]["log loss"] == pytest.approx(figures["log loss"], abs=1e-4)
    said = json.loads(run("classify", "test", model, place / "topics.test.txt", "--json").out)
    assert said["rule"] == "the most probable label, each from its own threshold"
    again = run("classify", "calibrate", model, place / "topics.test.txt", "--json")  # in place
    assert json.loads(again.out)["thresholds"] is None
    assert json.loads(run("classify", "info", model, "--json").out)["thresholds"] is None


def test_training_can_calibrate_at_once(run, place, tmp_path):
    text, model = place / "topics.train.txt", tmp_path / "m.model"
    done = run("classify", "train", text, "-o", model, "--calibrate", "--target", "max-f1", *QUICK)
    assert done.code == 0
    rows = tables(done.out)
    assert ["measure", "before", "after"] in rows
    made = Classifier.load(model)
    held = len(text.read_text().splitlines()) - made.report["documents"]
    assert held == pytest.approx(0.1 * made.report["documents"], rel=0.2)
    assert made.calibrated_by.measured["documents"] == held
    assert made.calibrated_by.target == "max-f1"
    said = json.loads(run("classify", "train", text, "-o", model, "--calibrate", "--json", *QUICK).out)
    assert said["calibration"]["thresholds"] is None


def test_explain_a_text(run, place, tmp_path):
    page = tmp_path / "e.html"
    text = "the team <won> the qwertz"
    done = run("classify", "explain", place / "topics.model", text, "--label", "sport", "--top", 2, "--html", page)
    rows = tables(done.out)
    assert rows[0] == ["the team < won > the qwertz"]
    assert rows[1] == ["feature", "kind", "times", "adds to sport"]
    assert rows[4][0].endswith("others")
    parts = [float(row[3]) for row in rows[2:6]]
    assert rows[5][0] == "(bias)"
    assert rows[6][0] == "(logit)"
    assert sum(parts) == pytest.approx(float(rows[6][3]), abs=3e-4)
    assert "\x1b" not in done.out
    assert 'title="unknown">qwertz</span>' in page.read_text()
    assert "&lt;</span>" in page.read_text()
    said = json.loads(run("classify", "explain", place / "topics.model", "-", "--json", stdin=text.encode()).out)
    assert said[0]["bias"] + sum(s["contribution"] for s in said[0]["shares"]) == pytest.approx(said[0]["logit"])


def test_explanation_is_coloured_on_a_terminal(monkeypatch):
    from textkit.cli.classify_look import _coloured

    assert _coloured("good", 1.0, True) == "\x1b[38;5;15m\x1b[48;5;26mgood\x1b[0m"
    assert _coloured("bad", -1.0, True) != _coloured("bad", -0.4, True)
    assert _coloured("so", 0.1, True) == "so"
    assert _coloured("qwertz", 0.0, False) == "\x1b[2mqwertz\x1b[0m"


def test_explain_a_label(run, place):
    done = run("classify", "explain", place / "topics.model", "--label", "sport", "--top", 3)
    rows = tables(done.out)
    assert rows[0] == ["feature", "kind", "weight for sport"]
    assert len(rows) == 4
    weights = [float(row[2]) for row in rows[1:]]
    assert weights == sorted(weights, reverse=True)
    said = json.loads(run("classify", "explain", place / "topics.model", "--label", "sport", "--json").out)
    assert len(said["sport"]) == 30


def test_info(run, place):
    rows = dict(row[:2] for row in tables(run("classify", "info", place / "topics.model").out))
    assert (rows["kind"], rows["loss"], rows["labels"], rows["epochs"]) == (
        "embedding",
        "-",
        "8",
        "30",
    )


@pytest.mark.parametrize(
    ("arguments", "code", "message"),
    [
        (["test", "MODEL", "missing.txt"], 1, "missing.txt"),
        (["test", "missing.model", "TEXT"], 1, "missing.model"),
        (["test", "TEXT", "TEXT"], 1, "txt"),
        (["test", "MODEL", "EMPTY"], 1, ""),
        (["test", "MODEL", "UNLABELLED"], 1, "has a label"),
        (["test", "MODEL", "TEXT", "--k", 0], 2, "--k 0 makes no sense"),
        (["test", "MODEL", "TEXT", "--threshold", 2], 2, "--threshold 2 makes no sense"),
        (["test", "MODEL", "TEXT", "--html", "no/such/place.html"], 1, "no/such/place.html"),
        (["compare", "MODEL", "TEXT", "TEXT"], 1, "txt"),
        (["evaluate", "TEXT", "--held-out", 1], 2, "share of 1 to hold out"),
        (["evaluate", "TEXT", "--folds", 1], 2, "1 folds make no sense"),
        (["evaluate", "SINGLE"], 1, "too few"),
        (["calibrate", "MODEL", "TEXT", "--target", "best"], 2, "--target 'best' is none"),
        (["calibrate", "MODEL", "TEXT", "--abstain", "x"], 2, "--abstain needs a --target"),
        (["train", "TEXT", "--target", "max-f1"], 2, "are for --calibrate"),
        (["train", "SINGLE", "--calibrate", "-o", "OUT"], 1, "too few"),
        (["explain", "MODEL"], 2, "neither a text nor a label"),
        (["explain", "MODEL", "a text", "--label", "sprot"], 2, "Did you mean sport?"),
        (["info", "TEXT"], 1, "txt"),
    ],
    ids=lambda value: " ".join(map(str, value)) if isinstance(value, list) else "",
)
def test_bad_input_is_told_in_one_line(run, place, tmp_path, arguments, code, message):
    for name, content in (("EMPTY", b""), ("UNLABELLED", b"no label here\n"), ("SINGLE", b"__label__a b\n")):
        (tmp_path / name).write_bytes(content)
    named = {"MODEL": place / "topics.model", "TEXT": place / "topics.test.txt"}
    named |= {name: tmp_path / name for name in ("EMPTY", "UNLABELLED", "SINGLE", "OUT")}
    before = (place / "topics.model").read_bytes()
    done = run("classify", *(named.get(a, a) for a in arguments))
    assert done.code == code
    assert done.out == "" or "--html" in arguments
    assert message in done.err[-1]
    assert done.err[-1].startswith("error: ")
    assert "Traceback" not in "".join(done.err)
    assert (place / "topics.model").read_bytes() == before
    assert not (tmp_path / "OUT").exists()


def test_a_closed_pipe_ends_quietly(place):
    command = f"{sys.executable} -m textkit classify test {place}/topics.model {place}/topics.test.txt | head -n 1"
    done = subprocess.run(["bash", "-o", "pipefail", "-c", command], capture_output=True, text=True, check=False)
    assert done.stdout.startswith("measure")
    assert "Traceback" not in done.stderr


@pytest.mark.parametrize("name", golden.SUPERVISED)
def test_fasttexts_models_are_measured_as_it_does(run, tmp_path, name):
    model, text = golden.unpacked(name, tmp_path), golden.GOLDEN / "test.txt"
    options = ["--k", -1, "--threshold", 0.5] if name == "sup_ova.bin" else []
    done = run("classify", "test", model, text, "--like-fasttext", *options)
    if (expected := golden.GOLDEN / f"{golden.SUPERVISED[name]}.test.txt").exists():
        assert done.out.splitlines() == [line for line in expected.read_text().splitlines() if line[:1] in "NPR"][:3]
    calibrated = tmp_path / "calibrated.model"
    assert run("classify", "calibrate", model, text, "-o", calibrated).code == 0
    assert run("classify", "test", calibrated, text).code == 0
    refused = run("classify", "calibrate", model, text)
    assert refused.code == 2
    assert "--output" in refused.err[0]


@pytest.mark.parametrize(("name", "target"), [("topics", "precision:0.95"), ("multilabel", "max-f1")])
def test_predict_gives_what_test_measures(run, place, tmp_path, name, target):
    model, text, bare = tmp_path / "m.model", place / f"{name}.test.txt", tmp_path / "bare.txt"
    options = ["--target", target, "--abstain", "unsure", "-o", model]
    assert run("classify", "calibrate", place / f"{name}.model", text, *options).code == 0
    lines = [" ".join(w for w in line.split() if w[:9] != "__label__") for line in text.read_text().splitlines()]
    bare.write_text("\n".join(lines) + "\n")
    said = json.loads(run("classify", "test", model, text, "--json").out)
    given = Counter()
    for line in run("classify", "predict", model, bare).out.splitlines():
        fields = line.split("\t")
        given.update(fields[::2] if len(fields) > 1 else ["unsure"])
    unsure = given.pop("unsure", 0)
    assert given == {row["label"]: row["given"] for row in said["per_label"] if row["given"]}
    assert unsure == round((1 - said["answered"]) * said["documents"])
