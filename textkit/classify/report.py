"""Everything a test says of a model: built from what was kept of its probabilities, for tables, JSON and pages."""

import math
from collections.abc import Callable, Sequence
from dataclasses import asdict, dataclass, field, replace
from typing import Any

import numpy as np

from . import metrics, significance
from .metrics import NONE, PRF, AtRank, FastTextCounts, Outcome
from .ranking import Curves
from .scores import AtThreshold, Bins, Scores
from .significance import Interval

SHOWN_IN_MATRIX = 30
FULL_CURVE = 100


@dataclass(frozen=True)
class LabelRow:
    """One label: how often it is right (support) and was given, its measures, areas under curves if measured.

    Attributes:
        known: whether the model knows it; others can never be found.
    """

    label: str
    support: int
    given: int
    precision: float
    recall: float
    f1: float
    roc_auc: float | None
    average_precision: float | None
    known: bool


@dataclass(frozen=True)
class Example:
    """A document: where it stands, how it begins, and how probable the model found its best label."""

    file: str
    line: int
    text: str
    p: float


@dataclass(frozen=True)
class ConfusedPair:
    """A right label and the one given in its place (None if none was), with some of the documents.

    Attributes:
        share: of the documents with the right label.
    """

    gold: str
    given: str | None
    count: int
    share: float
    examples: list[Example]


@dataclass(frozen=True)
class Baseline:
    """What always giving one label would reach: the most frequent one of the training documents."""

    label: str
    accuracy: float
    micro_f1: float
    macro_f1: float


@dataclass(frozen=True)
class Matrix:
    """Right labels against given ones; the last two columns are other labels, and none."""

    labels: list[str]
    counts: list[list[int]]


@dataclass(frozen=True)
class LearningPoint:
    """What so many training documents give on held-out ones."""

    documents: int
    accuracy: float
    macro_f1: float
    seconds: float


@dataclass(frozen=True)
class Report:
    """Figures of a model on labelled documents.

    Attributes:
        documents, labels: how many there are, labels that only the test has included.
        rule: which labels were given.
        single: whether each document has one label and got at most one.
        accuracy: share of documents with just the right labels.
        averages: "micro", "macro", "weighted".
        matthews: correlation coefficient, None if documents have several labels.
        hamming_loss: None if they have one.
        answered: share of documents that got any label; accuracy_answered: accuracy among them.
        at: precision and recall of the k best labels.
        log_loss (nats), brier, calibration_error: of the probabilities, over documents whose labels are all known.
        among: None, or K where labels are so many that the Brier score is of the right and the K best ones alone.
        roc_auc, average_precision: {"macro": …, "micro": …} over `ranked` labels.
        unknown: labels that the model does not know, with the number of their documents.
        per_label: those that are right or given anywhere, the most frequent first.
        bins: probability and share of right ones by size of the probability.
        folds: the accuracy of each, if there were several.
    """

    documents: int
    labels: int
    rule: str
    single: bool
    accuracy: Interval
    micro_f1: Interval
    macro_f1: Interval
    averages: dict[str, PRF]
    matthews: float | None
    hamming_loss: float | None
    answered: float
    accuracy_answered: float
    at: list[AtRank]
    log_loss: float | None
    brier: float | None
    calibration_error: float
    roc_auc: dict[str, float | None]
    average_precision: dict[str, float | None]
    ranked: int
    fasttext: FastTextCounts
    baseline: Baseline
    unknown: dict[str, int]
    per_label: list[LabelRow]
    confused: list[ConfusedPair]
    matrix: Matrix
    bins: list[dict[str, float]]
    thresholds: list[AtThreshold]
    curves: list[Curves]
    among: int | None = None
    settings: dict[str, Any] = field(default_factory=dict)
    folds: list[float] = field(default_factory=list)
    learning_curve: list[LearningPoint] = field(default_factory=list)

    def as_dict(self) -> dict[str, Any]:
        """For JSON."""
        return {**asdict(replace(self, per_label=[])), "per_label": [vars(row) for row in self.per_label]}

    def summary(self) -> list[tuple[str, float, str, float | None]]:
        """Measure, value, its interval, what the baseline reaches: the figures that stand first."""
        base, unanswered = self.baseline, self.answered < 1
        known = self.labels - len(self.unknown)
        ranked = f" of {self.ranked:,} labels" if 1 < self.ranked < known or self.ranked == 1 < known - 1 else ""
        with_interval = [("accuracy", self.accuracy, base.accuracy), ("macro F1", self.macro_f1, base.macro_f1)]
        if unanswered or not self.single:  # otherwise it is accuracy
            with_interval.insert(1, ("micro F1", self.micro_f1, base.micro_f1))
        plain = {
            "Matthews correlation": self.matthews,
            "Hamming loss": self.hamming_loss,
            "answered": self.answered if unanswered else None,
            "accuracy of answered": self.accuracy_answered if unanswered else None,
            "log loss": self.log_loss,
            f"Brier score of the {self.among} best" if self.among else "Brier score": self.brier,
            "calibration error": self.calibration_error,
            **_area_rows(f"ROC-AUC{ranked}", self.roc_auc),
            **_area_rows(f"average precision{ranked}", self.average_precision),
        }
        rows = [(name, f.value, f"{f.low:.4f} to {f.high:.4f}", baseline) for name, f, baseline in with_interval]
        return rows + [(name, value, "", None) for name, value in plain.items() if value is not None]

    def average_rows(self) -> list[tuple[str, float, float, float]]:
        """Name, precision, recall and F1 of each average, and of the k best labels."""
        rows = [(name, a.precision, a.recall, a.f1) for name, a in self.averages.items()]
        return rows + [(f"@{a.k}", a.precision, a.recall, a.f1) for a in self.at]


def _area_rows(name: str, areas: dict[str, float | None]) -> dict[str, float | None]:
    """One row where both averages are of the same single label."""
    if areas["macro"] == areas["micro"]:
        return {name: areas["macro"]}
    return {f"{kind} {name}": value for kind, value in areas.items()}


# Numbers of documents -> for each its file, line and text.
Excerpts = Callable[[Sequence[int]], dict[int, tuple[str, int, str]]]


def numbered(documents: Sequence[int]) -> dict[int, tuple[str, int, str]]:
    """Excerpts where there is no text: only the numbers, from 1."""
    return {document: ("", document + 1, "") for document in documents}


def make_report(
    scores: Scores,
    names: Sequence[str],
    *,
    ranks: Sequence[int] = (1,),
    majority: int = 0,
    excerpts: Excerpts = numbered,
    pairs: int = 10,
    examples: int = 2,
    seed: int = 0,
    settings: dict[str, Any] | None = None,
) -> Report:
    """All measures of what a model said.

    Args:
        names: of all labels, those that only the test has included.
        ranks: values of k for precision and recall at k.
        majority: the most frequent label of the training documents.
        excerpts: gives the text of documents.
        pairs, examples: how many confused pairs, and documents of each, those that the model was surest of.
        seed: of the resamples behind the intervals.
    """
    outcome = scores.outcome()
    counts = outcome.counts()
    areas = scores.ranking()
    answered = outcome.answered
    return Report(
        documents=outcome.documents,
        labels=outcome.labels,
        rule=str(scores.rule),
        single=outcome.single,
        accuracy=significance.wilson(int(outcome.exact.sum()), outcome.documents),
        micro_f1=significance.bootstrap(outcome, significance.micro_f1, seed),
        macro_f1=significance.bootstrap(outcome, significance.macro_f1, seed),
        averages={"micro": counts.micro, "macro": counts.macro, "weighted": counts.weighted},
        matthews=outcome.matthews() if outcome.single else None,
        hamming_loss=None if outcome.single else outcome.hamming_loss,
        answered=float(answered.mean()),
        accuracy_answered=float(outcome.exact[answered].mean()) if answered.any() else 0.0,
        at=metrics.at_ranks(scores.top, scores.gold, [k for k in ranks if k == 1 or k < scores.labels]),
        log_loss=_number(scores.log_loss()),
        brier=_number(scores.brier()),
        calibration_error=scores.pairs.error,
        roc_auc=_averages(areas, "roc_auc"),
        average_precision=_averages(areas, "average_precision"),
        ranked=len(scores.column_labels),
        fasttext=metrics.fasttext_counts(outcome, scores.labels, scores.features),
        baseline=_baseline(scores, names, majority),
        unknown={names[c]: int(counts.gold[c]) for c in range(scores.labels, outcome.labels)},
        per_label=_label_rows(scores, counts, names, areas),
        confused=_confused(scores, outcome, names, excerpts, pairs, examples),
        matrix=_matrix(outcome, counts, names),
        bins=_bins(scores.pairs),
        thresholds=scores.threshold_curve(FULL_CURVE),
        curves=scores.curves(list(names)),
        among=scores.among,
        settings=settings or {},
    )


def _number(value: float) -> float | None:
    """None in place of NaN, which JSON has not."""
    return None if math.isnan(value) else float(value)


def _averages(areas: Any, measure: str) -> dict[str, float | None]:
    return {name: _number(getattr(areas, f"{name}_{measure}")) if areas else None for name in ("macro", "micro")}


def _baseline(scores: Scores, names: Sequence[str], majority: int) -> Baseline:
    outcome = metrics.majority(scores.gold, majority)
    counts = outcome.counts()
    return Baseline(names[majority], outcome.accuracy, counts.micro.f1, counts.macro.f1)


def _label_rows(scores: Scores, counts: metrics.LabelCounts, names: Sequence[str], areas: Any) -> list[LabelRow]:
    place = {label: i for i, label in enumerate(scores.column_labels.tolist())}
    precision, recall, f1 = counts.precision, counts.recall, counts.f1

    def area(label: int, measure: str) -> float | None:
        return _number(getattr(areas, measure)[place[label]]) if label in place else None

    return [
        LabelRow(
            label=names[label],
            support=int(counts.gold[label]),
            given=int(counts.chosen[label]),
            precision=float(precision[label]),
            recall=float(recall[label]),
            f1=float(f1[label]),
            roc_auc=area(label, "roc_auc"),
            average_precision=area(label, "average_precision"),
            known=label < scores.labels,
        )
        for label in np.argsort(-counts.gold, kind="stable").tolist()
        if counts.gold[label] or counts.chosen[label]
    ]


def _confused(
    scores: Scores, outcome: Outcome, names: Sequence[str], excerpts: Excerpts, pairs: int, examples: int
) -> list[ConfusedPair]:
    """The most confused pairs; the surer the model was, the sooner a document is an example."""
    found = metrics.confusions(outcome, pairs, examples, scores.top_p[:, 0])
    wanted = sorted({document for documents in found.documents for document in documents.tolist()})
    texts = excerpts(wanted)
    support = np.bincount(scores.gold.ids, minlength=outcome.labels)
    return [
        ConfusedPair(
            gold=names[gold],
            given=None if given == NONE else names[given],
            count=count,
            share=count / int(support[gold]),
            examples=[Example(*texts[d], float(scores.top_p[d, 0])) for d in documents.tolist()],
        )
        for gold, given, count, documents in zip(
            found.gold.tolist(), found.chosen.tolist(), found.counts.tolist(), found.documents, strict=True
        )
    ]


def _matrix(outcome: Outcome, counts: metrics.LabelCounts, names: Sequence[str]) -> Matrix:
    """Of the most frequent labels."""
    shown = np.argsort(-counts.gold, kind="stable")[:SHOWN_IN_MATRIX]
    return Matrix([names[c] for c in shown.tolist()], metrics.confusion_matrix(outcome, shown).tolist())


def _bins(bins: Bins) -> list[dict[str, float]]:
    """Bins with anything in them."""
    size = len(bins.counts)
    return [
        {
            "from": i / size,
            "to": (i + 1) / size,
            "count": int(bins.counts[i]),
            "probability": float(bins.sums[i] / bins.counts[i]),
            "right": float(bins.right[i] / bins.counts[i]),
        }
        for i in range(size)
        if bins.counts[i]
    ]
