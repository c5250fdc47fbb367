"""How well scores order documents by whether a label is right: areas under curves, and points to draw."""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

DRAWN = 200  # points of a curve are thinned to about so many


@dataclass(frozen=True)
class Steps:
    """Counts at every different score, the highest first.

    Attributes:
        scores: (n,) descending.
        hits: int64 (n,), right ones with at least this score.
        taken: int64 (n,), all with at least this score.
        right, wrong: how many there are of each.
    """

    scores: np.ndarray
    hits: np.ndarray
    taken: np.ndarray
    right: int
    wrong: int

    @classmethod
    def of(cls, scores: np.ndarray, truth: np.ndarray) -> "Steps":
        """From scores (L,) and truth bool (L,)."""
        order = np.argsort(-scores, kind="stable")
        ordered = scores[order]
        last = np.flatnonzero(np.append(ordered[1:] != ordered[:-1], True)) if len(ordered) else np.zeros(0, np.int64)
        hits = np.cumsum(truth[order])[last] if len(ordered) else np.zeros(0, np.int64)
        right = int(np.count_nonzero(truth))
        return cls(ordered[last], hits, last + 1, right, len(truth) - right)

    @property
    def mixed(self) -> bool:
        """Whether there are both right and wrong ones; without them no area is defined."""
        return self.right > 0 and self.wrong > 0

    @property
    def roc_auc(self) -> float:
        """Probability that a right one scores above a wrong one, ties counting half."""
        x, y = self.false_rates, self.recalls
        return float(((y[1:] + y[:-1]) / 2) @ np.diff(x))

    @property
    def average_precision(self) -> float:
        """Sum of precision times the increase in recall over all thresholds, without interpolation."""
        return float(np.diff(self.hits, prepend=0) @ (self.hits / self.taken)) / self.right

    @property
    def recalls(self) -> np.ndarray:
        """Share of the right ones with at least each score, beginning with 0."""
        return np.append(0.0, self.hits / self.right)

    @property
    def false_rates(self) -> np.ndarray:
        """Share of the wrong ones with at least each score, beginning with 0."""
        return np.append(0.0, (self.taken - self.hits) / self.wrong)

    @property
    def precisions(self) -> np.ndarray:
        """Precision at each score, beginning with that of the highest."""
        precision = self.hits / self.taken
        return np.append(precision[:1], precision)


@dataclass(frozen=True)
class Curves:
    """ROC and precision-recall of one label, thinned to be drawn: lists of (x, y)."""

    name: str
    roc_auc: float
    average_precision: float
    roc: list[tuple[float, float]]
    precision_recall: list[tuple[float, float]]


def curves(name: str, steps: Steps) -> Curves:
    """The points of one label."""
    return Curves(
        name,
        steps.roc_auc,
        steps.average_precision,
        _thinned(steps.false_rates, steps.recalls),
        _thinned(steps.recalls, steps.precisions),
    )


def _thinned(x: np.ndarray, y: np.ndarray) -> list[tuple[float, float]]:
    # Evenly along the way from corner to corner, since most of the points of a good curve lie at one end.
    way = np.append(0.0, np.cumsum(np.abs(np.diff(x)) + np.abs(np.diff(y))))
    chosen = np.unique(np.append(np.searchsorted(way, np.linspace(0, way[-1], DRAWN)), [0, len(x) - 1]))
    return [(round(a, 5), round(b, 5)) for a, b in zip(x[chosen].tolist(), y[chosen].tolist(), strict=True)]


@dataclass(frozen=True)
class Ranking:
    """Areas under the curves.

    Attributes:
        roc_auc, average_precision: float64 (n,) of each label, NaN where all documents or none have it.
        micro_roc_auc, micro_average_precision: of all pairs of document and label, NaN where undefined.
    """

    roc_auc: np.ndarray
    average_precision: np.ndarray
    micro_roc_auc: float
    micro_average_precision: float

    @property
    def macro_roc_auc(self) -> float:
        return mean_of_defined(self.roc_auc)

    @property
    def macro_average_precision(self) -> float:
        return mean_of_defined(self.average_precision)


def mean_of_defined(values: np.ndarray) -> float:
    """The mean of those that are no NaN, NaN if there are none."""
    defined = values[~np.isnan(values)]
    return float(defined.mean()) if len(defined) else float("nan")


def rank_labels(columns: Sequence[np.ndarray], truths: Sequence[np.ndarray]) -> Ranking:
    """Areas of each label and of all together; a column of scores (L,) and one of bool (L,) for each."""
    steps = [Steps.of(column, truth) for column, truth in zip(columns, truths, strict=True)]
    areas = [(s.roc_auc, s.average_precision) if s.mixed else (np.nan, np.nan) for s in steps]
    by_label = np.array(areas, np.float64).reshape(-1, 2)
    pooled = Steps.of(np.concatenate(columns), np.concatenate(truths)) if len(columns) > 1 else steps[0]
    micro = (pooled.roc_auc, pooled.average_precision) if pooled.mixed else (float("nan"), float("nan"))
    return Ranking(by_label[:, 0], by_label[:, 1], *micro)
