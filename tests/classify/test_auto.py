"""Choosing between models and settings on held-out documents."""

import numpy as np
import pytest
from textkit.corpora import builtin

from textkit.classify import auto, effort, validation
from textkit.classify.config import ClassifierConfig
from textkit.classify.data import from_memory
from textkit.classify.features import Features
from textkit.classify.labelling import Ragged
from textkit.classify.model import Classifier
from textkit.classify.validation import Judgement


def documents(count, name="topics"):
    lines = [line.split(" ") for _, line in zip(range(count), builtin(name).make(0), strict=False)]
    labels = [[w[9:] for w in words if w.startswith("__label__")] for words in lines]
    texts = [" ".join(w for w in words if not w.startswith("__label__")) for words in lines]
    return from_memory(texts, labels)


@pytest.mark.parametrize("name", ["topics", "multilabel"])
def test_auto_takes_the_better_model_and_says_so(name):
    model = Classifier.train_on(documents(300, name), ClassifierConfig(), threads=1)
    assert model.config.model == model.head.kind == "linear"
    assert model.report["choice"].startswith("linear: ")
    assert "embedding 0." in model.report["choice"]
    assert model.report["embedding"]["accuracy"] < model.report["held_out_accuracy"]


def test_auto_takes_the_embedding_where_it_is_better(monkeypatch):
    monkeypatch.setattr(auto.AutoFitter, "_rival", lambda self, fitter: Judgement(1.0, 0.0, 1.0, 60))
    model = Classifier.train_on(documents(300), ClassifierConfig(epochs=2), threads=1)
    assert model.config.model == model.head.kind == "embedding"
    assert model.report["choice"].startswith("embedding: accuracy 1.0000 on ")
    assert len(model.report["linear"]) == len(ClassifierConfig().costs)


@pytest.mark.parametrize(
    ("limit", "settings"), [(None, {"loss": "hs"}), ("MOST_WORK", {}), ("MOST_WEIGHTS", {}), (None, {"loss": "ns"})]
)
def test_auto_does_not_try_what_cannot_be(limit, settings, monkeypatch):
    if limit:
        monkeypatch.setattr(auto, limit, 1)
    model = Classifier.train_on(documents(100), ClassifierConfig(epochs=1, **settings), threads=1)
    assert model.head.kind == "embedding"
    assert model.report["choice"].startswith("embedding: ")


@pytest.mark.parametrize(("name", "loss"), [("topics", "hs"), ("multilabel", "ns")])
def test_of_very_many_labels_not_all_are_compared(name, loss, monkeypatch):
    monkeypatch.setattr(auto, "MOST_WORK", 1)
    monkeypatch.setattr(effort, "MANY", 1)
    model = Classifier.train_on(documents(100, name), ClassifierConfig(epochs=1), threads=1)
    assert model.head.loss == loss
    assert model.report["choice"].endswith(f"by the loss {loss}")


def test_long_work_is_told_with_what_takes_less(monkeypatch):
    data = documents(100)
    model = Classifier.train_on(data, ClassifierConfig(model="linear"), threads=1)
    embedding = ClassifierConfig(model="embedding")
    assert not any(effort.training_note(data, c) for c in (embedding, ClassifierConfig(model="linear")))
    assert effort.testing_note(model.head, 100) is None
    monkeypatch.setattr(effort, "_TOLD", 0.0)
    assert "--loss hs" in effort.training_note(data, embedding)
    assert "--loss ns" in effort.training_note(documents(100, "multilabel"), embedding)
    assert "--model embedding" in effort.training_note(data, ClassifierConfig(model="linear"))
    assert effort.training_note(data, ClassifierConfig()) is None
    assert effort.training_note(data, embedding.with_(loss="hs")) is None
    assert "minutes of a core" in effort.testing_note(model.head, 10**6)
    assert "hours of a core" in effort.testing_note(model.head, 10**12)


def test_a_hopeless_rival_ends_early():
    data = documents(300)
    features = Features.fit(data.text, np.arange(200))
    epochs = {}
    for goal in (0.0, 1.0):
        trainer = auto._Rival(
            data,
            features,
            ClassifierConfig(model="embedding", epochs=9, rate=1e-4),
            np.arange(200),
            np.arange(200, 300),
            1,
        )
        trainer.goal = goal
        trainer.run()
        epochs[goal] = len(trainer.history)
    assert epochs[0.0] > epochs[1.0] == 2


def test_many_words_are_tried_on_a_part(monkeypatch):
    monkeypatch.setattr(auto, "MOST_WORDS", 1500)
    data = documents(300)
    model = Classifier.train_on(data, ClassifierConfig(epochs=2), threads=1)
    assert model.report["documents"] == len(data)
    assert model.report["held_out"] < len(data) / 2


def test_few_documents_are_enough():
    data = from_memory(["good", "bad", "good film"], ["p", "n", "p"])
    model = Classifier.train_on(data, ClassifierConfig())
    assert model.predict("good")[0][0] == "p"
    assert "too few" in model.report["choice"]


def test_documents_to_judge_by_may_be_given():
    data = documents(300)
    model = Classifier.train_on(data, ClassifierConfig(), held=np.arange(250, 300))
    assert (model.report["documents"], model.report["held_out"]) == (250, 50)


@pytest.mark.parametrize(("count", "parts"), [(200, 5), (6000, 2), (6000, 1)])
def test_parts_are_apart_and_stratified(count, parts, monkeypatch):
    if parts == 1:
        monkeypatch.setattr(validation, "_FOLDED", 1000)
    data = documents(count)
    chosen = np.arange(10, count)
    found = validation.parts(data, chosen, ClassifierConfig())
    assert len(found) == parts
    for train, held in found:
        assert np.array_equal(np.sort(np.concatenate([train, held])), np.arange(len(chosen)))
        labels = data.gold.take(chosen).ids
        shares = [np.bincount(labels[part], minlength=8) / len(part) for part in (train, held)]
        assert np.abs(shares[0] - shares[1]).max() < 0.03
    assert validation.parts(data, chosen, ClassifierConfig(validation=0.0)) == []
    assert validation.parts(data, chosen[:5], ClassifierConfig()) == []


def test_judgements_are_those_by_hand():
    z = np.array([[2.0, 0.0], [0.0, 1.0], [1.0, 0.0]], np.float32)
    judged = validation.judge(z, Ragged.from_lists([[0], [1], [1]]), "softmax")
    p = np.exp(z) / np.exp(z).sum(1, keepdims=True)
    assert judged.accuracy == pytest.approx(2 / 3)
    assert judged.loss == pytest.approx(-np.log([p[0, 0], p[1, 1], p[2, 1]]).mean(), rel=1e-5)
    several = validation.judge(z - 0.5, Ragged.from_lists([[0, 1], [1], [0]]), "ova")
    p = 1 / (1 + np.exp(-(z - 0.5)))
    truth = np.array([[1, 1], [0, 1], [1, 0]])
    assert several.loss == pytest.approx(-(np.log(np.where(truth, p, 1 - p))).sum() / 3, rel=1e-5)
    assert several.accuracy == pytest.approx(2 * 3 / (3 + 4))


def test_temperature_makes_probabilities_right():
    rng = np.random.default_rng(0)
    z = rng.normal(0, 1, (4000, 3)).astype(np.float32)
    p = np.exp(z) / np.exp(z).sum(1, keepdims=True)
    gold = Ragged.from_lists([[int(rng.choice(3, p=row / row.sum()))] for row in p.astype(float)])
    assert validation.judge(3 * z, gold, "softmax").temperature == pytest.approx(3, rel=0.1)


def test_of_equals_the_better_probabilities_win():
    def judged(accuracy, loss):
        return Judgement(accuracy, loss, 1.0, 400)

    tried = [("a", judged(0.900, 0.3)), ("b", judged(0.905, 0.5)), ("c", judged(0.80, 0.1))]
    assert validation.best(tried)[0] == "a"
