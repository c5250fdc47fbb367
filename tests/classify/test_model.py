"""Training, keeping and asking a classifier."""

import numpy as np
import pytest

from textkit import files
from textkit.classify.config import ClassifierConfig
from textkit.classify.data import from_memory
from textkit.classify.model import Classifier
from textkit.errors import DataError, UsageError
from textkit.kernels.features import UNKNOWN

GOOD, BAD = ["good", "fine", "great", "lovely"], ["bad", "poor", "awful", "dull"]
LOSSES = ("softmax", "hs", "ns", "ova")


def reviews(count, seed=0):
    """Pairs of a text and its label; two words in a row decide, among others that do not."""
    rng = np.random.default_rng(seed)
    rows = []
    for i in range(count):
        label = ["good", "bad", "odd"][i % 3]
        marks = {"good": GOOD, "bad": BAD, "odd": ["what", "who"]}[label]
        words = [*rng.choice(["the", "film", "was", "it"], 5), *rng.choice(marks, 2), *rng.choice(["the", "a"], 3)]
        rows.append((" ".join(words), label))
    return rows


def trained(**settings):
    return Classifier.train(reviews(300), **{"model": "embedding", "epochs": 8, "threads": 1, **settings})


@pytest.mark.parametrize("loss", LOSSES)
@pytest.mark.parametrize("more", [{}, {"buckets": 500, "chars": (2, 3)}, {"chars": (2, 3), "dim": 20}])
def test_it_learns_and_survives_a_file(loss, more, tmp_path):
    model = trained(loss=loss, **more)
    texts, labels = zip(*reviews(90, 1), strict=True)
    found = model.predict(texts)
    assert np.mean([best[0][0] == label for best, label in zip(found, labels, strict=True)]) > 0.95
    model.save(tmp_path / "m.model")
    again = Classifier.load(tmp_path / "m.model")
    assert again.labels == model.labels
    assert again.signature == model.signature
    np.testing.assert_allclose(again.logits(again.encode(texts)), model.logits(model.encode(texts)), atol=1e-6)


def faint(count, seed=0):
    """Pairs of a text and one of ten labels; two words of sixteen tell which."""
    rng = np.random.default_rng(seed)
    common = [f"c{i}" for i in range(60)]
    rows = []
    for i in range(count):
        words = [*rng.choice(common, 14), f"w{i % 10}{rng.integers(3)}", f"v{i % 10}{rng.integers(3)}"]
        rows.append((" ".join(rng.permutation(words)), f"label{i % 10}"))
    return rows


@pytest.mark.parametrize("loss", LOSSES)
@pytest.mark.parametrize("more", [{}, {"validation": 0.0}])
def test_few_documents_are_enough_without_options(loss, more):
    model = Classifier.train(faint(300), model="embedding", loss=loss, threads=1, **more)
    texts, labels = zip(*faint(200, 1), strict=True)
    found = model.predict(texts)
    assert np.mean([best[0][0] == label for best, label in zip(found, labels, strict=True)]) > 0.8
    assert model.config.epochs == len(model.report["history"])


@pytest.mark.parametrize("loss", LOSSES)
def test_contributions_and_bias_sum_to_the_logit(loss):
    model = trained(loss=loss, epochs=2)
    bags = model.encode([text for text, _ in reviews(5, 3)])
    logits = model.logits(bags)
    for document in range(5):
        for label in range(3):
            total = model.head.contributions(bags[document], label).sum() + model.head.bias(label)
            if loss == "hs":  # the logit is a log probability; the path's scores are what adds up
                starts, nodes, turns = model.head.tree.paths
                path = slice(starts[label], starts[label + 1])
                x = model.head.input[bags[document]].mean(0)
                dim = model.head.dim
                scores = model.head.output[nodes[path]] @ np.append(x, 1)
                assert model.head.output.shape[1] == dim + 1
                assert total == pytest.approx(((2 * turns[path] - 1) * scores).sum(), abs=1e-4)
            else:
                assert total == pytest.approx(logits[document, label], abs=1e-4)


@pytest.mark.parametrize("loss", LOSSES)
def test_top_labels_are_those_of_all_probabilities(loss):
    model = trained(loss=loss, epochs=2)
    bags = model.encode([text for text, _ in reviews(20, 5)])
    p = model.probabilities(bags)
    if loss in ("softmax", "hs"):
        np.testing.assert_allclose(p.sum(1), 1, atol=1e-5)
    for k in (1, 2, 3, -1):
        top = model.head.top(bags, k, 0.2)
        for row, ids, ps, count in zip(p, top.ids, top.p, top.counts, strict=True):
            order = [i for i in np.argsort(-row, kind="stable") if row[i] >= 0.2][: k if k > 0 else 3]
            assert ids[:count].tolist() == order
            np.testing.assert_allclose(ps[:count], row[order], atol=1e-5)
            assert (ids[count:] == -1).all()
            assert not ps[count:].any()


def test_many_labels_are_asked_a_few_documents_at_a_time():
    rows = [(f"w{i}", f"l{i}") for i in range(40)] * 4
    for loss in LOSSES:
        model = Classifier.train(rows, model="embedding", loss=loss, epochs=60, rate=1.0, validation=0.0, threads=1)
        assert [found[0][0] for found in model.predict([f"w{i}" for i in range(40)])] == [f"l{i}" for i in range(40)]


def test_several_labels_a_document():
    rows = [("red round", ["red", "round"]), ("red", ["red"]), ("round", ["round"])] * 30
    model = Classifier.train(rows, model="embedding", epochs=40, threads=1, validation=0.0)
    assert model.head.loss == "ova"
    assert {label for label, _ in model.predict("red round", k=-1, threshold=0.5)} == {"red", "round"}
    assert [label for label, _ in model.predict("round", k=-1, threshold=0.5)] == ["round"]


@pytest.mark.parametrize("settings", [{}, {"dropout": 0.3, "loss": "ns"}, {"epochs": 1, "buckets": 100}])
def test_the_same_seed_with_one_thread_gives_the_same_file(settings, tmp_path):
    contents = []
    for name in ("a", "b"):
        model = trained(**settings)
        model.report = {}
        model.save(tmp_path / name)
        contents.append((tmp_path / name).read_bytes())
    assert contents[0] == contents[1]
    other = trained(**settings, seed=1)
    other.report = {}
    other.save(tmp_path / "c")
    assert (tmp_path / "c").read_bytes() != contents[0]


def test_bags_made_on_the_fly_train_the_same_as_kept_ones(monkeypatch):
    kept = trained(validation=0.0)
    monkeypatch.setattr("textkit.classify.bagging._KEPT", 0)
    made = trained(validation=0.0)
    np.testing.assert_array_equal(kept.head.input, made.head.input)


@pytest.mark.parametrize("loss", LOSSES)
@pytest.mark.parametrize("rate", [1e4, 1e6])
def test_a_rate_that_explodes_is_lowered_and_told(loss, rate):
    model = trained(rate=rate, loss=loss, epochs=2)
    assert "exploded" in model.report["complaints"][0]
    assert np.isfinite(model.head.input).all()
    assert np.isfinite(model.head.output).all()


def test_the_best_epoch_stays():
    rows = reviews(300)
    noisy = [(text, ["good", "bad"][i % 2] if i % 3 == 0 else label) for i, (text, label) in enumerate(rows)]
    model = Classifier.train(noisy, model="embedding", epochs=60, rate=2.0, patience=2, threads=1)
    history = model.report["history"]
    assert len(history) < 60  # it stopped early
    held = model.report["held_out"]
    assert held == 30
    best = max((entry["accuracy"], -entry["held_out_loss"], -entry["epoch"]) for entry in history)
    assert history[-1]["epoch"] - -best[2] == 2


def test_validation_that_is_asked_for_holds_few_documents_out_too():
    rows = [(f"{w} sea {i}", w) for i in range(25) for w in ("love", "war")]
    usual = Classifier.train(rows, model="embedding", threads=1)
    asked = Classifier.train(rows, model="embedding", validation=0.2, threads=1)
    assert usual.report["held_out"] == 0 and "accuracy" not in usual.report["history"][-1]
    assert asked.report["held_out"] == 10 and asked.report["documents"] == 40
    assert "accuracy" in asked.report["history"][-1]


def test_without_validation_all_documents_are_trained_on():
    model = trained(validation=0.0, epochs=3)
    assert model.report["held_out"] == 0
    assert model.report["documents"] == 300
    assert len(model.report["history"]) == 3


def test_balanced_classes_help_the_rare_one():
    rows = [("common thing", "many")] * 95 + [("common rare", "few")] * 5
    plain, balanced = (
        Classifier.train(rows, model="embedding", epochs=3, rate=0.1, class_weights=w, threads=1, validation=0.0)
        for w in ("none", "balanced")
    )
    few = balanced.labels.index("few")
    bags = plain.encode(["common rare"])
    assert balanced.probabilities(bags)[0, few] > plain.probabilities(bags)[0, few]


def test_sample_weights_count():
    texts, labels = ["same text"] * 20, ["a", "b"] * 10
    data = from_memory(texts, labels, [3.0, 1.0] * 10)
    model = Classifier.train_on(data, ClassifierConfig(epochs=200, rate=0.2, validation=0.0), threads=1)
    p = dict(model.predict("same text", k=2))
    assert p["a"] == pytest.approx(0.75, abs=0.03)


@pytest.mark.parametrize("text", ["", " ", "\n", "unheard words only"])
def test_text_without_a_known_word_gets_the_labels_biases(text):
    model = trained()
    found = model.predict(text, k=-1)
    assert len(found) == 3
    assert sum(p for _, p in found) == pytest.approx(1, abs=1e-5)
    assert model.predict([]) == []
    assert len(model.predict([text, "good film"])) == 2


def test_a_newline_in_a_text_only_separates():
    model = trained()
    assert model.predict("good\nfilm") == model.predict("good film")
    assert len(model.predict(["good\nfilm", "bad"])) == 2


@pytest.mark.parametrize("loss", LOSSES)
def test_one_label_is_certain(loss):
    model = Classifier.train([("a b", "x"), ("c", "x")], model="embedding", loss=loss, epochs=2, threads=1)
    ((label, p),) = model.predict("a")
    assert label == "x"
    assert p > 0.5


def test_damaged_files_are_refused(tmp_path):
    model = trained(epochs=1)
    path = tmp_path / "m.model"
    model.save(path)
    good = files.load(path)
    for name in good.arrays:
        arrays = {key: array for key, array in good.arrays.items() if key != name}
        files.save(tmp_path / "bad", good.kind, good.header, arrays)
        if name not in ("vocab.counts", "vocab.index", "ngrams.counts"):  # small models do without
            with pytest.raises(DataError):
                Classifier.load(tmp_path / "bad")
        files.save(tmp_path / "bad", good.kind, good.header, {**arrays, name: good.arrays[name][:-1]})
        if name not in ("vocab.counts", "vocab.arena", "vocab.index"):  # one byte less of these may do no harm
            with pytest.raises(DataError):
                Classifier.load(tmp_path / "bad")
    path.write_bytes(path.read_bytes()[:-100])
    with pytest.raises(DataError):
        Classifier.load(path)


def test_impossible_questions_are_refused():
    model = trained(epochs=1)
    for k in (0, -2):
        with pytest.raises(UsageError, match="makes no sense"):
            model.predict("a", k=k)


@pytest.mark.parametrize(
    "settings",
    [{"loss": "hinge"}, {"model": "tree"}, {"dim": 0}, {"epochs": 0}, {"rate": -1}, {"dropout": 1.0}, {"seed": -1},
     {"smoothing": 2}, {"l2": float("nan")}, {"class_weights": "heavy"}, {"nonsense": 1}],
)  # fmt: skip
def test_impossible_settings_are_refused(settings):
    with pytest.raises(UsageError):
        ClassifierConfig().with_(**settings)


def test_the_unknown_word_has_no_row_of_its_own():
    model = trained()
    assert (model.encode(["unheard"]).ids != UNKNOWN).all()
