"""Tuning: measures, halving, time, size, the log."""

import json

import numpy as np
import pytest
from textkit.corpora import builtin

from textkit.classify import tune
from textkit.classify.config import ClassifierConfig
from textkit.classify.data import from_memory
from textkit.classify.goals import Goal
from textkit.classify.labelling import Ragged
from textkit.classify.quantising import file_size
from textkit.classify.tune import Trial, Tuned, Tuner, space_for
from textkit.errors import DataError, UsageError


@pytest.fixture(scope="module")
def data():
    lines = [line.split(" ", 1) for _, line in zip(range(400), builtin("topics").make(0), strict=False)]
    return from_memory([text for _, text in lines], [label[9:] for label, _ in lines])


@pytest.fixture(autouse=True)
def small(monkeypatch):
    """Few documents make rounds of three shares."""
    monkeypatch.setattr(tune, "_FEWEST", 30)


P = np.array([[0.7, 0.2, 0.1], [0.4, 0.5, 0.1], [0.1, 0.3, 0.6], [0.6, 0.3, 0.1]], np.float32)
GOLD = Ragged.from_lists([[0], [0], [2], [1]])


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("accuracy", 0.5),
        ("micro-f1", 0.5),
        ("macro-f1", (0.5 + 0 + 1) / 3),
        ("weighted-f1", (2 * 0.5 + 0 + 1) / 4),
        ("f1:a", 0.5),
        ("log-loss", np.mean(np.log([0.7, 0.4, 0.6, 0.3]))),
        ("precision-at-recall:0.5:a", 1.0),
        ("precision-at-recall:1:a", 2 / 3),
        ("recall-at-precision:100%:a", 0.5),
        ("recall-at-precision:0.6", 0.75),
    ],
)
def test_measures_are_those_by_hand(name, value):
    assert Goal.read(name, ["a", "b", "c"]).value(P, GOLD, True) == pytest.approx(value, rel=1e-5)


def test_several_labels_are_those_from_one_half():
    gold = Ragged.from_lists([[0, 1], [1]])
    p = np.array([[0.9, 0.6, 0.1], [0.6, 0.7, 0.1]], np.float32)
    assert Goal.read("accuracy", ["a", "b", "c"]).value(p, gold, False) == 0.5
    assert Goal.read("micro-f1", ["a", "b", "c"]).value(p, gold, False) == pytest.approx(6 / 7)


@pytest.mark.parametrize("name", ["speed", "f1", "f1:z", "precision-at-recall:2", "recall-at-precision:x", ""])
def test_measures_that_are_none(name):
    with pytest.raises(UsageError):
        Goal.read(name, ["a", "b"])


class Clock:
    """A time that goes on only as documents are trained on, whatever else the machine is at."""

    def __init__(self) -> None:
        self.now = 1000.0

    def monotonic(self) -> float:
        return self.now


@pytest.fixture
def clock(monkeypatch):
    clock, fitted = Clock(), Tuner._fitted

    def fit(self, settings, documents):
        clock.now += 1e-3 * len(documents) * (settings.get("epochs") or 1)
        return fitted(self, settings, documents)

    monkeypatch.setattr(tune, "time", clock)
    monkeypatch.setattr(Tuner, "_fitted", fit)
    return clock


@pytest.mark.parametrize(("model", "seconds", "fewest"), [("auto", 60.0, 6), ("linear", 2.0, 6), ("linear", 0.01, 1)])
def test_it_tunes_within_the_time(data, clock, model, seconds, fewest):
    tuned = Tuner(data, ClassifierConfig(model=model), Goal(), seconds, threads=1).run()
    assert tuned.seconds == clock.now - 1000
    assert tuned.seconds <= seconds or len(tuned.trials) == 1  # the settings to begin with are tried in any case
    assert tuned.best.score >= tuned.first.score
    assert len({trial.key for trial in tuned.trials}) == len(tuned.trials) >= fewest
    assert tuned.model.config.model == tuned.best.settings["model"]
    assert tuned.model.report["documents"] == len(data)


def test_few_documents_are_seen_more_often():
    assert space_for(50_000)["embedding"]["epochs"] == space_for(10_000)["embedding"]["epochs"] == (5, 15, 40)
    assert space_for(1_000)["embedding"]["epochs"] == (50, 150, 400)


def test_more_epochs_are_reckoned_to_take_longer(data, monkeypatch):
    tuner = Tuner(data, ClassifierConfig(model="embedding"), Goal(), 1e6, threads=1)
    monkeypatch.setattr(tuner, "_measured", lambda settings, share: Trial(settings, share, 0.5, 8.0, 10))
    reckoned = []
    monkeypatch.setattr(tuner, "_over", lambda trial: reckoned.append(trial.seconds))
    for epochs in (40, 5, 80):
        tuner._try({"model": "embedding", "epochs": epochs}, 1.0)
    assert reckoned == pytest.approx([0, 1, 128])  # of 8 seconds each: those of the slowest visit so far


def test_halving_goes_on_with_the_best_third(data, monkeypatch):
    monkeypatch.setattr(Tuner, "_over", lambda self, trial: len(self.trials) >= 15)
    tuner = Tuner(data, ClassifierConfig(model="linear"), Goal(), 1e6, threads=1)
    scores = iter([*np.linspace(0.1, 0.9, 9), *[0.5] * 30])
    monkeypatch.setattr(tuner, "_measured", lambda settings, share: Trial(settings, share, next(scores), 0.001, 10))
    tuner.run()
    by_share = [[t for t in tuner.trials if t.share == share] for share in tuner.shares]
    first = [t for t in by_share[0][:9] if t.score is not None]
    best = [t.settings for t in sorted(first, key=lambda t: -t.score)[: len(first) // 3]]
    assert [t.settings for t in by_share[1]] == [first[0].settings, *best]
    assert [t.settings for t in by_share[2]] == [first[0].settings, best[0]]


def test_settings_that_were_better_on_few_documents_are_taken(data):
    tuner = Tuner(data, ClassifierConfig(model="linear"), Goal(), 1e6, threads=1)
    tuner.trials = [Trial({"cost": cost}, share, score, 1.0, 1) for cost, share, score in (
        (1, 1.0, 0.7), (2, 1 / 3, 0.8), (3, 1 / 9, 0.9), (3, 1 / 3, 0.6), (4, 1.0, None),
    )]  # fmt: skip
    assert tuner._best() is tuner.trials[1]


def test_settings_that_are_given_stay(data, monkeypatch):
    monkeypatch.setattr(Tuner, "_over", lambda self, trial: len(self.trials) >= 6)
    config = ClassifierConfig(model="linear", word_ngrams=1)
    tuned = Tuner(data, config, Goal(), 1e6, frozenset({"model", "word_ngrams"}), threads=1).run()
    assert {(t.settings["model"], t.settings["word_ngrams"]) for t in tuned.trials} == {("linear", 1)}


def test_the_log_is_gone_on_with(data, tmp_path, monkeypatch):
    monkeypatch.setattr(Tuner, "_over", lambda self, trial: len(self.trials) >= 5)
    log = tmp_path / "trials.jsonl"
    first = Tuner(data, ClassifierConfig(model="linear"), Goal(), 1e6, log=log, threads=1).run()
    assert len(log.read_text().splitlines()) == 6
    again = Tuner(data, ClassifierConfig(model="linear"), Goal(), 1e6, log=log, threads=1)
    monkeypatch.setattr(again, "_measured", lambda settings, share: pytest.fail("tried again"))
    assert again.run().trials == first.trials
    with pytest.raises(UsageError, match="other data, another metric"):
        Tuner(data, ClassifierConfig(model="linear"), Goal("macro-f1"), 1e6, log=log)
    with pytest.raises(UsageError, match="other settings"):
        Tuner(data, ClassifierConfig(model="linear"), Goal(), 1e6, max_size=1000, log=log)
    for text in ("nonsense", json.dumps({}) + "\n3\n", ""):
        log.write_text(text)
        with pytest.raises(DataError, match="no log"):
            Tuner(data, ClassifierConfig(model="linear"), Goal(), 1e6, log=log)


@pytest.mark.parametrize("model", ["linear", "embedding"])
def test_models_may_have_a_greatest_size(data, monkeypatch, tmp_path, model):
    monkeypatch.setattr(Tuner, "_over", lambda self, trial: len(self.trials) >= 3)
    fixed = frozenset({"epochs"})
    config = ClassifierConfig(model=model, epochs=20)
    whole = Tuner(data, config, Goal(), 1e6, fixed, threads=1).run()
    limit = file_size(whole.model) // 2
    tuned = Tuner(data, config, Goal(), 1e6, fixed, max_size=limit, threads=1).run()
    tuned.model.save(tmp_path / "small.model")
    assert limit / 4 < (tmp_path / "small.model").stat().st_size <= limit
    assert max(trial.size for trial in tuned.trials) <= limit
    assert tuned.best.score > 1 / 8  # of eight labels
    with pytest.raises(DataError, match="small enough"):
        Tuner(data, config, Goal(), 1e6, fixed, max_size=10, threads=1).run()


def test_what_mattered_is_the_variance_between_values():
    trials = [
        Trial({"model": "linear", "cost": cost, "word_ngrams": order}, 0.1, score, 1.0, 1)
        for cost, order, score in [(1, 1, 0.5), (1, 2, 0.6), (4, 1, 0.9), (4, 2, 1.0)]
    ]
    found = Tuned(None, trials[0], trials[0], [*trials, Trial({"cost": 9}, 1.0, 0.1, 1.0, 1)], 1.0).importance()
    assert [name for name, *_ in found] == ["cost", "word_ngrams"]  # model has one value only
    assert found[0][1] == pytest.approx(0.16 / 0.17)
    assert found[0][2] == [("1", pytest.approx(0.55)), ("4", pytest.approx(0.95))]


def test_no_time_is_said(data):
    with pytest.raises(UsageError, match="--time"):
        Tuner(data, ClassifierConfig(), Goal(), 0.0)
