"""Settings by successive halving: many on few documents, the better ones on more, within a time that is kept.

A round draws settings at random, tries them on a share of the training documents, and the best third again on three
times as many, up to all (Jamieson and Talwalkar 2016); rounds go on while there is time. The settings to begin with
are those given, in the first round up to all documents, so that the result is never worse than they are on the
held-out documents. Text is read once; features of the same kind are made once a share.
"""

import contextlib
import hashlib
import itertools
import json
import random
import time
from collections import OrderedDict
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import numpy as np

from ..errors import DataError, UsageError
from ..progress import Progress, Reporter, silent
from ..text.lines import write_lines
from .config import ClassifierConfig
from .data import LabelledCorpus
from .fitting import fit_embedding
from .goals import Goal
from .linear_fitting import LARGEST, LinearFitter
from .model import Classifier
from .quantising import Smaller, file_size, quantised
from .splits import held_out, shuffled_by, stratum_of_each

RATE = 3  # of settings one in so many goes on, to so many times the documents
_DRAWN = 9  # settings of a round
_FEWEST = 1_000  # documents of the smallest share, where there are as many
_MOST_HELD = 5_000
_TINY = 50  # documents on which kernels are compiled
_KEPT = 4  # kinds of features that are kept
_CARE = 1.3  # times as long as measured is reckoned with
_PASSES = 10  # of the embedding over the documents take about as long as a linear model of them
_COSTLY = ("model", "chars", "word_ngrams")  # what a trial's time depends on, the most important first

SPACE: dict[str, dict[str, tuple]] = {
    "linear": {
        "word_ngrams": (1, 2, 3),
        "chars": (None, (2, 5), (3, 6)),
        "min_ngram_count": (1, 2, 4),
        "cost": (1.0, 4.0, 15.0, 60.0),
        "weighting": ("information", "idf"),
        "class_weights": ("none", "balanced"),
    },
    "embedding": {
        "word_ngrams": (1, 2, 3),
        "chars": (None, (3, 6)),
        "min_ngram_count": (1, 2, 4),
        "dim": (15, 31, 63),
        "rate": (0.25, 0.5, 1.0),
        "epochs": (5, 15, 40),  # of many documents; of few so many times more as are usual, see `space_for`
        "class_weights": ("none", "balanced"),
    },
}


def usual_epochs(documents: int) -> int:
    """Those of the embedding where nothing is said."""
    return ClassifierConfig().for_documents(documents).epochs or 1


def space_for(documents: int) -> dict[str, dict[str, tuple]]:
    """The settings to try on so many documents: `SPACE`, with more epochs of few documents."""
    own, many = SPACE["embedding"], usual_epochs(1 << 30)
    return {**SPACE, "embedding": {**own, "epochs": tuple(e * usual_epochs(documents) // many for e in own["epochs"])}}


@dataclass(frozen=True)
class Trial:
    """Settings that were tried.

    Attributes:
        settings: those that vary.
        share: of the training documents.
        score: the measure, greater is better; None where the settings cannot be.
        seconds: what it took.
        size: bytes of the model.
    """

    settings: dict[str, Any]
    share: float
    score: float | None
    seconds: float
    size: int

    @property
    def key(self) -> str:
        """Tells trials apart."""
        return json.dumps([self.settings, round(self.share, 6)], sort_keys=True)


@dataclass
class Tuned:
    """What came of it: the model of all documents, how its settings did, and what mattered."""

    model: Classifier
    best: Trial
    first: Trial
    trials: list[Trial]
    seconds: float

    def importance(self) -> list[tuple[str, float, list[tuple[str, float]]]]:
        """Settings by the share of the scores' variance that each explains alone, with the mean score of each value.

        Of the trials with the smallest share of documents, where all settings were tried.
        """
        least = min(trial.share for trial in self.trials)
        trials = [t for t in self.trials if t.share == least and t.score is not None]
        names = sorted({name for trial in trials for name in trial.settings})
        rows = [(name, *_explained(name, trials)) for name in names]
        return sorted((row for row in rows if len(row[2]) > 1), key=lambda row: -row[1])


def _explained(name: str, trials: list[Trial]) -> tuple[float, list[tuple[str, float]]]:
    """Between-group share of variance of the trials that have the setting, and the groups' means."""
    groups: dict[str, list[float]] = {}
    for trial in trials:
        if name in trial.settings and trial.score is not None:
            groups.setdefault(_shown(trial.settings[name]), []).append(trial.score)
    scores = np.array([score for group in groups.values() for score in group])
    total = float(((scores - scores.mean()) ** 2).sum())
    between = sum(len(group) * (np.mean(group) - scores.mean()) ** 2 for group in groups.values())
    means = [(value, float(np.mean(group))) for value, group in sorted(groups.items())]
    return (float(between / total) if total > 0 else 0.0), means


def _shown(value: Any) -> str:
    return "-".join(map(str, value)) if isinstance(value, list | tuple) else str(value)


@dataclass
class Tuner:
    """One search.

    Args:
        config: settings to begin with.
        fixed: names of settings that stay as they are.
        goal: what is to be great.
        seconds: time for all of it, the model of all documents included.
        max_size: bytes that the model may have; larger ones are quantised, and judged so.
        log: where trials are kept; those that are there already are not made again.
        began: when time began to count, by `time.monotonic`; now, if not given.
    """

    data: LabelledCorpus
    config: ClassifierConfig
    goal: Goal
    seconds: float
    fixed: frozenset[str] = frozenset()
    max_size: int | None = None
    log: Path | None = None
    threads: int | None = None
    progress: Reporter = silent
    began: float = field(default_factory=lambda: time.monotonic())
    trials: list[Trial] = field(init=False, default_factory=list)

    def __post_init__(self) -> None:
        if not self.seconds > 0:
            raise UsageError(f"--time {self.seconds:g} makes no sense.", "Examples: 90s, 5m, 1h.")
        share = min(self.config.validation or 0.1, _MOST_HELD / len(self.data))
        self.train, self.held = held_out(self.data, share, self.config.seed)
        self.gold = self.data.gold.take(self.held)
        gold = self.data.gold.take(self.train)
        row = shuffled_by(stratum_of_each(gold, self.data.labels.counts), self.config.seed)
        # Every third of a row of strata side by side is a stratified third.
        self.thinned = {share: np.sort(self.train[row[:: round(1 / share)]]) for share in self.shares}
        self.kept: OrderedDict[Any, LinearFitter] = OrderedDict()
        self.known = self._read_log()
        self.space = space_for(len(self.train))

    @property
    def shares(self) -> list[float]:
        """Of the documents to train on, the smallest first."""
        found = [1.0]
        while len(found) < 3 and found[0] / RATE * len(self.train) >= _FEWEST:
            found.insert(0, 1 / RATE ** len(found))
        return found

    # --- the search ---------------------------------------------------------------------------------------

    def run(self) -> Tuned:
        """Search, then train the best settings on all documents.

        Raises:
            DataError: nothing could be tried, or no model is small enough.
        """
        draws, first = random.Random(self.config.seed), self._settings_given()
        self._warm_up(first)
        going = self._round([first], draws)
        while going:
            going = self._round([], draws)
        best = self._best()
        if best is None:
            raise DataError(
                "no settings that were tried gave a model that is small enough." if self.max_size
                else "no settings could be tried.",
                "Give more --time or a greater --max-size.",
            )  # fmt: skip
        model = self._fitted(best.settings, np.arange(len(self.data)))
        model.report["tuned"] = {"settings": best.settings, "score": best.score, "trials": len(self.trials)}
        model = self._small_enough(model)
        seconds = time.monotonic() - self.began
        begun = [t for t in self.trials if t.settings == first]
        return Tuned(model, best, max(begun, key=lambda t: t.share, default=best), self.trials, seconds)

    def _warm_up(self, settings: dict[str, Any]) -> None:
        """Have kernels compiled before anything is timed."""
        for model in {settings["model"], *(("linear", "embedding") if self.config.model == "auto" else ())}:
            usual = _plain({name: values[0] for name, values in SPACE[model].items()})
            with contextlib.suppress(UsageError):
                fitted = self._fitted({**usual, "model": model, "word_ngrams": 2}, self.train[:_TINY])
                if self.max_size is not None:
                    quantised(fitted, Smaller(features=_TINY), self.data.text, self.threads)

    def _round(self, settings: list[dict[str, Any]], draws: random.Random) -> bool:
        """One round of halving; whether anything new was tried."""
        settings = settings + [self._drawn(draws) for _ in range(_DRAWN - len(settings))]
        protected, before = settings[:1] if not self.trials else [], len(self.trials)
        for share in self.shares:
            done = [trial for each in settings if (trial := self._try(each, share))]
            others = [t for t in done if t.score is not None and t.settings not in protected]
            others.sort(key=lambda t: t.score or 0.0, reverse=True)
            settings = protected + [t.settings for t in others[: max(1, len(done) // RATE)]]
            if len(done) == 0:
                break
        return len(self.trials) > before

    def _best(self) -> Trial | None:
        """The trial whose settings would be taken now: of those with the most documents of their settings.

        Few documents make a model worse, hardly ever better.
        """
        last = {}
        for trial in sorted(self.trials, key=lambda trial: trial.share):
            if trial.score is not None:
                last[json.dumps(trial.settings, sort_keys=True)] = trial
        return max(last.values(), key=lambda trial: (trial.score, trial.share, -trial.size), default=None)

    def _small_enough(self, model: Classifier) -> Classifier:
        """The model, quantised where it is too large. Raises UsageError where even that does not do."""
        if self.max_size is None or file_size(model) <= self.max_size:
            return model
        return quantised(model, Smaller(self.max_size), self.data.text, self.threads)

    def _settings_given(self) -> dict[str, Any]:
        """The settings to begin with, of the linear model if nothing else was said."""
        model = "linear" if self.config.model == "auto" else self.config.model
        values = {name: getattr(self.config, name) for name in self.space[model]}
        if model == "linear" and values["cost"] is None:
            values["cost"] = 15.0
        return _plain({"model": model, **values})

    def _drawn(self, draws: random.Random) -> dict[str, Any]:
        """Settings at random; the linear model two times in three."""
        drawn = "linear" if draws.random() < 2 / 3 else "embedding"
        given = self.config.loss not in (None, "softmax", "ova")
        model = "embedding" if given else drawn if self.config.model == "auto" else self.config.model
        found = {"model": model}
        for name, values in self.space[model].items():
            value = values[int(draws.random() * len(values))]
            found[name] = getattr(self.config, name) if name in self.fixed else value
        return _plain(found)

    # --- one trial ----------------------------------------------------------------------------------------

    def _try(self, settings: dict[str, Any], share: float) -> Trial | None:
        """A trial, from the log if it is there; None if there is no time for it."""
        blank = Trial(settings, share, None, 0.0, 0)
        if any(trial.key == blank.key for trial in self.trials):
            return next(trial for trial in self.trials if trial.key == blank.key)
        trial = self.known.get(blank.key)
        if trial is None:
            if self._over(Trial(settings, share, None, self._reckoned(settings, share), 0)):
                return None
            trial = self._measured(settings, share)
        self.trials.append(trial)
        self._write_log()
        left = self.seconds - (time.monotonic() - self.began)
        self.progress(Progress("tuning", int(self.seconds - max(left, 0)), int(self.seconds), "seconds"))
        return trial

    def _reckoned(self, settings: dict[str, Any], share: float) -> float:
        """Seconds that a trial will take at most, by those before that are most like it."""
        likeness: dict[tuple[bool, ...], list[float]] = {}
        for trial in self.trials:
            alike = [trial.settings.get(name) == settings.get(name) for name in _COSTLY]
            key = (trial.settings == settings, *itertools.accumulate(alike, min))
            likeness.setdefault(key, []).append(trial.seconds / self._visits(trial.settings, trial.share))
        return self._visits(settings, share) * max(likeness[max(likeness)]) if likeness else 0.0

    def _visits(self, settings: dict[str, Any], share: float) -> int:
        """How often a trial asks for a document."""
        count = len(self.thinned[share])
        return count * (_PASSES if settings["model"] == "linear" else settings["epochs"] or usual_epochs(count))

    def _over(self, trial: Trial) -> bool:
        """Whether a trial, and then the model of all documents with its or the best settings, take longer than is left.

        The settings to begin with are tried in any case.
        """
        last = max(len(self.data) / len(self.thinned[t.share]) * t.seconds for t in (trial, self._best() or trial))
        return bool(self.trials) and time.monotonic() - self.began + _CARE * (trial.seconds + last) > self.seconds

    def _measured(self, settings: dict[str, Any], share: float) -> Trial:
        began = time.monotonic()
        try:
            model = self._small_enough(self._fitted(settings, self.thinned[share]))
        except UsageError:  # these settings cannot be on these data, or not in this size
            return Trial(settings, share, None, time.monotonic() - began, 0)
        bags = model.features.bags(self.data.text, self.held, self.threads)
        p = model.probabilities(bags, self.threads)
        score = self.goal.value(p, self.gold, model.head.loss != "ova")
        return Trial(settings, share, score, round(time.monotonic() - began, 3), file_size(model))

    def _fitted(self, settings: dict[str, Any], documents: np.ndarray) -> Classifier:
        """The model of some documents with these settings; features that were made for them are used again."""
        chars = settings.get("chars")
        config = self.config.with_(**{**settings, "chars": tuple(chars) if chars else None, "validation": 0.0})
        if config.model == "embedding":
            return Classifier.of(fit_embedding(self.data, config, documents, None, silent, self.threads))
        key = (config.features, len(documents))
        if key in self.kept:
            fitter = self.kept[key].with_config(config)
        else:
            fitter = LinearFitter(self.data, config, documents, None, self.threads)
            if len(fitter.features) * fitter.labels * 4 > LARGEST // 8:
                return Classifier.of(fitter.classifier([]))
            self.kept[key] = fitter
            while len(self.kept) > _KEPT:
                self.kept.popitem(last=False)
        return Classifier.of(fitter.classifier([]))

    # --- the log --------------------------------------------------------------------------------------------

    def _header(self) -> dict[str, Any]:
        """What trials must have in common."""
        data = hashlib.sha256(self.data.text.ids.tobytes() + self.data.gold.ids.tobytes()).hexdigest()[:16]
        base = hashlib.sha256(json.dumps(self.config.settings(), sort_keys=True).encode()).hexdigest()[:16]
        goal = [self.goal.kind, self.goal.share, self.goal.label]
        return {"data": data, "settings": base, "goal": goal, "max_size": self.max_size}

    def _read_log(self) -> dict[str, Trial]:
        if self.log is None or not self.log.exists():
            return {}
        try:
            header, *rows = [json.loads(line) for line in self.log.read_text("utf-8").splitlines()]
            found = [Trial(**row) for row in rows]
        except (OSError, ValueError, TypeError):
            raise DataError(f"{self.log} is no log of trials.", "Give another --log, or remove it.") from None
        if header != json.loads(json.dumps(self._header())):
            raise UsageError(
                f"{self.log} is of other data, another metric or other settings.", "Give another --log, or remove it."
            )
        return {trial.key: trial for trial in found}

    def _write_log(self) -> None:
        if self.log is None:
            return
        kept = {**self.known, **{trial.key: trial for trial in self.trials}}
        rows = [self._header(), *(vars(trial) for trial in kept.values())]
        write_lines((f"{json.dumps(row)}\n".encode() for row in rows), self.log)


def _plain(settings: dict[str, Any]) -> dict[str, Any]:
    """As JSON has them, so that settings from a log are the same."""
    return json.loads(json.dumps(settings))
