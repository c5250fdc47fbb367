"""How sure measured figures are: intervals, and whether one of two models is better than the other."""

import math
from collections.abc import Callable, Iterator
from dataclasses import dataclass

import numpy as np

from .metrics import Outcome

_WORK = 50_000_000  # labels counted again for one bootstrap, about
_FEWEST = 100
NORMAL_95 = 1.959963984540054

Statistic = Callable[[Outcome, np.ndarray | None], float]


@dataclass(frozen=True)
class Interval:
    """A figure and the bounds between which it lies with 95 % confidence."""

    value: float
    low: float
    high: float


def wilson(hits: int, total: int) -> Interval:
    """A share and its interval by Wilson (1927), which holds for small numbers and near 0 and 1 too."""
    if not total:
        return Interval(0.0, 0.0, 1.0)
    z, share = NORMAL_95, hits / total
    centre = (share + z * z / (2 * total)) / (1 + z * z / total)
    half = z / (1 + z * z / total) * math.sqrt(share * (1 - share) / total + z * z / (4 * total**2))
    # Rounding must not leave the share itself outside.
    return Interval(share, min(max(centre - half, 0.0), share), max(min(centre + half, 1.0), share))


def bootstrap(outcome: Outcome, statistic: Statistic, seed: int = 0, resamples: int = 500) -> Interval:
    """The percentile interval of a figure over documents drawn with replacement (Efron 1979)."""
    outcome = outcome.compact()  # what no document has costs time in every resample
    drawn = [statistic(outcome, weights) for weights in _resampled(outcome, seed, resamples)]
    low, high = np.percentile(drawn, [2.5, 97.5]).tolist()
    return Interval(statistic(outcome, None), low, high)


def _resampled(outcome: Outcome, seed: int, resamples: int) -> Iterator[np.ndarray]:
    """How often each of the L documents is drawn, float64 (L,); fewer resamples of a very large outcome."""
    size = outcome.documents + len(outcome.gold.ids) + len(outcome.chosen.ids) + outcome.labels
    rng = np.random.default_rng(seed)
    for _ in range(max(_FEWEST, min(resamples, _WORK // max(size, 1)))):
        drawn = rng.integers(0, outcome.documents, outcome.documents)
        yield np.bincount(drawn, minlength=outcome.documents).astype(np.float64)


def micro_f1(outcome: Outcome, weights: np.ndarray | None = None) -> float:
    """F1 of all labels together."""
    return outcome.counts(weights).micro.f1


def macro_f1(outcome: Outcome, weights: np.ndarray | None = None) -> float:
    """Mean F1 of the labels."""
    return outcome.counts(weights).macro.f1


def accuracy(outcome: Outcome, weights: np.ndarray | None = None) -> float:
    """Share of documents with just the right labels."""
    return outcome.accuracy if weights is None else float(outcome.exact @ weights / weights.sum())


def mcnemar(only_first: int, only_second: int) -> float:
    """Two-sided p of McNemar's test by the exact binomial distribution.

    Args:
        only_first, only_second: documents that just one of two models gets right.
    """
    total, fewer = only_first + only_second, min(only_first, only_second)
    if only_first == only_second:
        return 1.0
    # Logs of the binomial coefficients of 0 to `fewer`, each from the one before.
    steps = np.arange(1, fewer + 1)
    logs = np.append(0.0, np.cumsum(np.log((total - steps + 1) / steps))) - total * math.log(2)
    largest = logs.max()
    return float(min(1.0, 2 * math.exp(largest) * np.exp(logs - largest).sum()))


@dataclass(frozen=True)
class Difference:
    """A figure of two models on the same documents.

    Attributes:
        first, second: the figure of each.
        low, high: the 95 % interval of second - first.
        p: probability of a difference at least as large if both were equally good.
        test: how p was found.
    """

    name: str
    first: float
    second: float
    low: float
    high: float
    p: float
    test: str

    @property
    def significant(self) -> bool:
        """Whether chance is a poor explanation, at the usual level of 5 %."""
        return self.p < 0.05


def differences(first: Outcome, second: Outcome, seed: int = 0, resamples: int = 500) -> list[Difference]:
    """Accuracy, micro and macro F1 of two models on the same documents, with paired tests.

    Accuracy by McNemar's exact test; F1 by the share of paired resamples on the other side of no difference, doubled.
    Intervals are percentiles of paired resamples. Memory grows with resamples and documents, not with their product.
    """
    figures: list[tuple[str, Statistic]] = [("accuracy", accuracy), ("micro F1", micro_f1), ("macro F1", macro_f1)]
    drawn = np.array(
        [
            [figure(second, weights) - figure(first, weights) for _, figure in figures]
            for weights in _resampled(first, seed, resamples)
        ]
    )
    found = []
    for i, (name, figure) in enumerate(figures):
        low, high = np.percentile(drawn[:, i], [2.5, 97.5]).tolist()
        if name == "accuracy":
            only = (int((first.exact & ~second.exact).sum()), int((second.exact & ~first.exact).sum()))
            p, test = mcnemar(*only), "McNemar, exact"
        else:
            p, test = _bootstrap_p(drawn[:, i]), "paired bootstrap"
        found.append(Difference(name, figure(first, None), figure(second, None), low, high, p, test))
    return found


def _bootstrap_p(drawn: np.ndarray) -> float:
    """Twice the share on the rarer side of zero; never 0, since more resamples might find some there."""
    rarer = min(np.count_nonzero(drawn <= 0), np.count_nonzero(drawn >= 0))
    return min(1.0, 2 * (rarer + 1) / (len(drawn) + 1))
