"""Reports of trained models, splits, comparisons and calibration, on the labelled texts that come along."""

import dataclasses
import tracemalloc

import numpy as np
import pytest
from scored import collected, made, ragged
from textkit.corpora import builtin

from textkit.classify.calibrating import Calibrator, calibrated
from textkit.classify.calibration import Calibration, Target
from textkit.classify.choice import Choice
from textkit.classify.comparison import compare
from textkit.classify.config import ClassifierConfig
from textkit.classify.data import from_memory, read_labelled
from textkit.classify.evaluation import Evaluator, scored
from textkit.classify.excerpts import LENGTH
from textkit.classify.form import InputForm
from textkit.classify.html import report_page
from textkit.classify.model import Classifier
from textkit.classify.report import make_report
from textkit.classify.scores import Collector, Rule
from textkit.errors import DataError, UsageError
from textkit.text.tokenizer import Tokenizer

SURE = {"model": "embedding", "epochs": 30, "rate": 1.0, "validation": 0.0}
QUICK = ClassifierConfig(**SURE)


@pytest.fixture(scope="module")
def corpora(tmp_path_factory):
    """Files by name: 150 KB of each labelled text."""
    directory = tmp_path_factory.mktemp("labelled")
    found = {}
    for name in ("topics", "multilabel", "imbalanced"):
        lines = list(builtin(name).lines(150_000))
        for part, chosen in (("train", lines[::2]), ("test", lines[1::2])):
            found[name, part] = directory / f"{name}.{part}.txt"
            found[name, part].write_text("\n".join(chosen) + "\n")
    return found


@pytest.fixture(scope="module")
def models(corpora):
    return {
        name: Classifier.train(corpora[name, "train"], **SURE, threads=1)
        for name in ("topics", "multilabel", "imbalanced")
    }


def read(model, path):
    return read_labelled([path], InputForm(), model.tokenizer, vocabulary=model.vocabulary, labels=model.labels)


def test_report_says_what_predictions_say(corpora, models):
    model, path = models["topics"], corpora["topics", "test"]
    report = Evaluator(threads=1).test(model, read(model, path))
    lines = path.read_text().splitlines()
    right = [line.split()[0].removeprefix("__label__") for line in lines]
    given = [found[0][0] for found in model.predict([line.split(" ", 1)[1] for line in lines], threads=1)]
    assert report.documents == len(lines)
    assert report.accuracy.value == pytest.approx(np.mean([a == b for a, b in zip(right, given, strict=True)]))
    assert report.accuracy.low < report.accuracy.value < report.accuracy.high
    assert report.baseline.accuracy == right.count(report.baseline.label) / len(right) < 0.3 < report.accuracy.value
    for row in report.per_label:
        assert (row.support, row.given) == (right.count(row.label), given.count(row.label))
    mistakes = sum(a != b for a, b in zip(right, given, strict=True))
    assert sum(pair.count for pair in report.confused) <= mistakes
    for pair in report.confused:
        for example in pair.examples:
            number = example.line - 1
            assert (right[number], given[number]) == (pair.gold, pair.given)
            assert lines[number].startswith(f"__label__{pair.gold} {example.text.removesuffix(' …')}")
            assert example.file == str(path)
    assert sum(map(sum, report.matrix.counts)) == len(lines)


def test_label_unknown_to_the_model_is_reported_not_dropped(models, tmp_path):
    path = tmp_path / "test.txt"
    path.write_text("__label__sport the team won the match\n__label__chess the queen won\n__label__chess again\n")
    model = models["topics"]
    report = Evaluator(threads=1).test(model, read(model, path))
    assert report.unknown == {"chess": 2}
    assert report.accuracy.value <= 1 / 3
    assert report.fasttext.documents == 1
    assert [(row.label, row.known, row.recall) for row in report.per_label if row.support == 2] == [("chess", False, 0)]


def test_only_unknown_labels_leave_probabilities_unmeasured(models, tmp_path):
    path = tmp_path / "test.txt"
    path.write_text("__label__chess the queen won\n")
    report = Evaluator(threads=1).test(models["topics"], read(models["topics"], path))
    assert report.log_loss is None
    assert report.roc_auc == {"macro": None, "micro": None}
    assert report.accuracy.value == 0


def test_choice_of_labels(models):
    softmax, ova = models["topics"], models["multilabel"]
    once = dataclasses.replace(ova, label_counts=ova.label_counts // 9)  # documents of one label or none
    assert Choice().rule(softmax) == Choice().rule(once) == Rule(1)
    assert Choice().rule(ova) == Rule(None, 0.5)
    assert Choice(k=3).rule(ova) == Rule(3)
    assert Choice(k=-1, threshold=0.2).rule(softmax) == Rule(None, 0.2)
    assert Choice(threshold=0.2).rule(ova) == Rule(None, 0.2)
    assert Choice(threshold=0.2).rule(softmax) == Rule(1, 0.2)
    by_label = dataclasses.replace(ova, calibration=Calibration(1, (0.25,) * 8).as_dict())
    assert str(Choice().rule(by_label)) == "all labels, each from its own threshold"
    assert Choice().rule(by_label).threshold.tolist() == [0.25] * 8
    for wrong in ({"k": 0}, {"k": -2}, {"threshold": 1.5}):
        with pytest.raises(UsageError, match="makes no sense"):
            Choice(**wrong)


def test_held_out_split_and_folds_see_nothing_twice(corpora):
    data = read_labelled([corpora["topics", "train"]], InputForm(), Tokenizer())
    evaluator = Evaluator(threads=1)
    report = evaluator.held_out(data, QUICK, 0.25)
    assert report.documents == pytest.approx(len(data) / 4, abs=1)
    assert report == evaluator.held_out(data, QUICK, 0.25)
    folded = evaluator.folds(data, QUICK, 3)
    assert folded.documents == len(data)
    assert sum(row.support for row in folded.per_label) == len(data)
    assert np.mean(folded.folds) == pytest.approx(folded.accuracy.value, abs=0.01)
    texts = corpora["topics", "train"].read_text().splitlines()
    for pair in folded.confused:
        for example in pair.examples:
            assert texts[example.line - 1].startswith(f"__label__{pair.gold} {example.text.removesuffix(' …')}")


def test_learning_curve_rises(corpora):
    data = read_labelled([corpora["topics", "train"]], InputForm(), Tokenizer())
    points = Evaluator(threads=1).learning_curve(data, QUICK, 0.3)
    documents = [point.documents for point in points]
    assert documents == sorted(documents)
    assert points[-1].accuracy > points[0].accuracy


def test_examples_of_what_cannot_be_read_again_come_from_the_words(models):
    data = from_memory(
        ["the team won", "x " * 300], ["money", "money"], tokenizer=Tokenizer(),
        vocabulary=models["topics"].vocabulary, known=models["topics"].labels,
    )  # fmt: skip
    report = Evaluator(threads=1).test(models["topics"], data)
    shown = {example.text for pair in report.confused for example in pair.examples}
    assert "the team won" in shown
    assert all(len(text) <= LENGTH + 2 for text in shown)


def test_comparison_in_words(corpora, models):
    path, first = corpora["topics", "test"], models["topics"]
    second = Classifier.train(corpora["topics", "train"], model="embedding", epochs=1, rate=0.01, threads=1)
    outcomes = [(scored(m, (data := read(m, path)), threads=1).outcome(), data.labels.names) for m in (first, second)]
    found = compare(*outcomes)
    assert found.both + found.only_first + found.only_second + found.neither == found.documents
    assert found.differences[0].significant
    sentence = found.in_words("old", "new")[0]
    assert sentence.startswith("accuracy: old is ahead of new, ")
    assert "hardly by chance: p = " in sentence
    assert "new minus old lies within -" in sentence
    few = compare(*((outcome.of(np.arange(4)), names) for outcome, names in outcomes))
    assert "which chance may explain: p = " in few.in_words("old", "new")[0]
    same = compare(outcomes[0], outcomes[0])
    assert same.in_words("a", "b")[0] == f"accuracy: both reach {outcomes[0][0].accuracy:.4f}."
    with pytest.raises(DataError, match="same documents"):
        compare(outcomes[0], (outcomes[1][0].of(np.arange(5)), outcomes[1][1]))


def test_labels_are_compared_by_name_not_by_number(corpora, models):
    outcome, names = (
        scored(models["topics"], (data := read(models["topics"], corpora["topics", "test"])), threads=1).outcome(),
        data.labels.names,
    )
    turned = np.arange(len(names))[::-1].astype(np.int32)
    other = dataclasses.replace(
        outcome,
        chosen=dataclasses.replace(outcome.chosen, ids=turned[outcome.chosen.ids]),
        gold=dataclasses.replace(outcome.gold, ids=turned[outcome.gold.ids]),
    )
    found = compare((outcome, names), (other, names[::-1]))
    assert found.only_first == found.only_second == 0


@pytest.mark.parametrize("name", ["topics", "multilabel", "imbalanced"])
def test_calibration_lowers_the_log_loss_and_is_kept(corpora, models, name, tmp_path):
    model = models[name]
    data = read(model, corpora[name, "test"])
    made = Calibrator(threads=1).calibrate(model, data)
    before, after = made.calibration["measured"]["log loss"]
    assert after <= before
    assert model.calibration is None  # the model itself is left alone
    assert model.head.temperature == 1
    made.save(tmp_path / "m.model")
    loaded = Classifier.load(tmp_path / "m.model")
    assert loaded.head.temperature == made.head.temperature
    report = Evaluator(threads=1).test(loaded, data)
    assert report.log_loss == pytest.approx(after, rel=1e-5)
    again = Calibrator(threads=1).calibrate(made, data)
    assert again.head.temperature == pytest.approx(made.head.temperature, rel=1e-3)
    assert calibrated(made, None).head.temperature == 1


def test_thresholds_rule_a_calibrated_model(corpora, models):
    model = models["multilabel"]
    data = read(model, corpora["multilabel", "test"])
    made = Calibrator(Target(), threads=1).calibrate(model, data)
    plain, tuned = (Evaluator(threads=1).test(each, data) for each in (model, made))
    assert tuned.rule == "all labels, each from its own threshold"
    assert tuned.averages["macro"].f1 > plain.averages["macro"].f1
    unsure = Calibrator(Target(0.95), "unsure", threads=1).calibrate(
        models["topics"], read(models["topics"], corpora["topics", "test"])
    )
    report = Evaluator(threads=1).test(unsure, read(models["topics"], corpora["topics", "test"]))
    assert report.averages["micro"].precision >= 0.95
    assert report.answered < 1
    with pytest.raises(UsageError, match="needs a --target"):
        Calibrator(abstain="x")


def test_damaged_calibration_is_refused(models, tmp_path):
    spoiled = dataclasses.replace(models["topics"], calibration=None)
    spoiled.calibration = {"temperature": -1}
    spoiled.save(tmp_path / "m.model")
    with pytest.raises(DataError, match="calibration"):
        Classifier.load(tmp_path / "m.model")


@pytest.mark.parametrize("exclusive", [True, False])
def test_page_needs_nothing_else_and_escapes_names(exclusive, tmp_path):
    p, _, gold = made(exclusive)
    names = ["<script>alert(1)</script>", "$a$ & b", "_c", "d" * 80]
    report = make_report(collected(p, gold, exclusive, Rule(None, 0.5)), names, ranks=(1, 2))
    report_page(report, tmp_path / "r.html", "a < b")
    page = (tmp_path / "r.html").read_text()
    assert "<title>a &lt; b</title>" in page
    assert "<script" not in page
    assert "http://" not in page
    assert "https://" not in page
    assert page.count("data:image/svg+xml;base64,") == 4
    report_page(report, tmp_path / "again.html", "a < b")
    assert (tmp_path / "again.html").read_text() == page


def test_report_of_one_document_and_one_label(tmp_path):
    report = make_report(collected(np.ones((1, 1), np.float32), [[0]], True), ["only"])
    report_page(report, tmp_path / "r.html", "one")
    assert report.accuracy.value == 1
    assert report.confused == []
    assert report.roc_auc["macro"] is None


def test_many_labels_are_never_whole_in_memory(monkeypatch):
    labels, documents = 20_000, 400
    rng = np.random.default_rng(0)
    monkeypatch.setattr("textkit.classify.scores.COLUMNS", 100_000)
    tracemalloc.start()
    collector = Collector(ragged(rng.integers(0, labels, (documents, 2)).tolist()), labels, False, Rule(3))
    for _ in range(documents // 10):
        collector.add(rng.random((10, labels), np.float32))
    report = make_report(collector.finish(), [str(i) for i in range(labels)])
    peak = tracemalloc.get_traced_memory()[1]
    tracemalloc.stop()
    assert peak < documents * labels * 4 * 0.6
    assert 400 < len(report.per_label) <= 400 * (2 + 3)
    assert report.ranked == 250


def test_labels_that_are_searched_for_are_measured_as_all_of_them(monkeypatch):
    rows = [(f"w{i % 20} v{i % 7}", f"label {i % 20}") for i in range(400)]
    model = Classifier.train(rows[::2], model="embedding", loss="hs", epochs=5, threads=1, validation=0.0)
    texts, gold = [text for text, _ in rows[:100]], [[label] for _, label in rows[:100]]
    data = from_memory([*texts, "w1"], [*gold, ["label 0", "never seen"]], known=model.labels)
    whole = Evaluator(threads=1).test(model, data)
    monkeypatch.setattr("textkit.classify.scores.COMPLETE", 0)
    few, every = (Evaluator(Choice(k), threads=1).test(model, data) for k in (1, 10))
    assert (whole.among, few.among, every.among) == (None, 1, 10)
    for name in ("accuracy", "micro_f1", "matthews", "confused", "per_label", "matrix", "fasttext", "at"):
        left, right = (dataclasses.asdict(r)[name] for r in (whole, Evaluator(threads=1).test(model, data)))
        assert left == pytest.approx(right, abs=1e-5) if isinstance(left, float) else str(left)[:50] == str(right)[:50]
    for report in (few, every):
        assert report.log_loss == pytest.approx(whole.log_loss, rel=1e-4)
        assert report.calibration_error == pytest.approx(whole.calibration_error, abs=1e-5)
        assert report.roc_auc["macro"] == pytest.approx(whole.roc_auc["macro"], abs=1e-4)
    assert few.brier <= every.brier <= whole.brier + 1e-6
    assert every.brier == pytest.approx(whole.brier, abs=0.03)
    assert "Brier score of the 10 best" in [name for name, *_ in every.summary()]


def test_a_report_says_how_many_labels_areas_are_of(monkeypatch):
    p, _, gold = made(False, 50, 4)
    names = ["a", "b", "c", "d"]
    assert "macro ROC-AUC" in [name for name, *_ in make_report(collected(p, gold, False), names).summary()]
    monkeypatch.setattr("textkit.classify.scores.COLUMNS", 150)
    found = [name for name, *_ in make_report(collected(p, gold, False), names).summary()]
    assert "macro ROC-AUC of 3 labels" in found
    assert "micro average precision of 3 labels" in found
