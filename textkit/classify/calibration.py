"""Probabilities that mean what they say, and thresholds that keep what they promise, fitted on held-out documents."""

import math
from collections.abc import Callable, Iterable
from dataclasses import asdict, dataclass, field
from typing import Any

import numpy as np

from ..errors import DataError, UsageError
from .labelling import Ragged
from .metrics import Outcome, owners
from .scores import Scores

COLDEST, HOTTEST = 0.01, 100.0
RARE = 5  # a label with fewer documents than this gets the threshold of all labels together
NEVER = 2.0  # a threshold that no probability reaches
_FOLDS = 5

Logits = Callable[[], Iterable[tuple[np.ndarray, Ragged]]]


@dataclass(frozen=True)
class Target:
    """What thresholds are for: the largest F1, or the most labels found with at least this precision."""

    precision: float | None = None

    @classmethod
    def read(cls, text: str) -> "Target":
        """From "max-f1" or "precision:0.95" (or "precision:95%").

        Raises:
            UsageError: anything else.
        """
        name, _, value = text.partition(":")
        if text == "max-f1":
            return cls()
        try:
            precision = float(value.rstrip("%")) / (100 if value.endswith("%") else 1)
        except ValueError:
            precision = math.nan
        if name != "precision" or not 0 < precision <= 1:
            raise UsageError(f"--target '{text}' is none.", "Give max-f1, or a precision such as precision:0.95.")
        return cls(precision)

    def __str__(self) -> str:
        return "max-f1" if self.precision is None else f"precision:{self.precision:g}"


@dataclass(frozen=True)
class Calibration:
    """What a model does with its logits.

    Attributes:
        temperature: they are divided by it.
        thresholds: of each label, the least probability with which it is given; None to give the most probable one.
        target: what the thresholds were chosen for.
        abstain: what to say where no label reaches its threshold; "" for nothing.
        measured: figures on the held-out documents before and after.
    """

    temperature: float = 1.0
    thresholds: tuple[float, ...] | None = None
    target: str = ""
    abstain: str = ""
    measured: dict[str, Any] = field(default_factory=dict)

    def as_dict(self) -> dict[str, Any]:
        """For the model file."""
        return {**asdict(self), "thresholds": None if self.thresholds is None else list(self.thresholds)}

    @classmethod
    def from_dict(cls, settings: dict[str, Any] | None, labels: int) -> "Calibration":
        """As a model of so many labels has it; one that does nothing if it has none.

        Raises:
            DataError: it is damaged.
        """
        if not settings:
            return cls()
        try:
            thresholds = settings.get("thresholds")
            found = cls(
                float(settings.get("temperature", 1.0)),
                None if thresholds is None else tuple(map(float, thresholds)),
                str(settings.get("target", "")),
                str(settings.get("abstain", "")),
                dict(settings.get("measured", {})),
            )
        except (TypeError, ValueError, AttributeError):
            raise DataError(
                "the calibration of the model is damaged.", "Run textkit classify calibrate again."
            ) from None
        if not 0 < found.temperature < math.inf or (found.thresholds is not None and len(found.thresholds) != labels):
            raise DataError("the calibration does not fit the model.", "Run textkit classify calibrate again.")
        return found


def fit_temperature(logits: Logits, exclusive: bool) -> float:
    """The temperature that makes the right labels most probable (Guo et al. 2017), within 0.01 and 100.

    The loss is convex in 1 / temperature: Newton's steps, held between the bounds that its slope has shown.

    Args:
        logits: gives blocks of logits (B, C) with their right labels, as often as it is called; labels from C on are
            left out.
    """
    low, high, beta = 1 / HOTTEST, 1 / COLDEST, 1.0
    for _ in range(50):
        slope, bend = _slope(logits(), beta, exclusive)
        low, high = (low, beta) if slope > 0 else (beta, high)
        step = beta - slope / bend if bend > 0 else math.inf
        next_beta = step if low < step < high else math.sqrt(low * high)
        if abs(next_beta - beta) < 1e-6 * beta:
            break
        beta = next_beta
    return 1 / beta


def _slope(blocks: Iterable[tuple[np.ndarray, Ragged]], beta: float, exclusive: bool) -> tuple[float, float]:
    """First and second derivative of the log loss by 1 / temperature."""
    slope = bend = 0.0
    for block, gold in blocks:
        z = block.astype(np.float64)
        known = gold.ids < z.shape[1]
        by, labels = owners(gold)[known], gold.ids[known]
        if exclusive:
            p = np.exp(beta * (z - z.max(1, keepdims=True)))
            p /= p.sum(1, keepdims=True)
            mean = np.einsum("ij,ij->i", p, z)
            weight = np.bincount(by, minlength=len(z)).clip(max=1)
            share = 1 / np.bincount(by, minlength=len(z)).clip(min=1)
            slope += float(weight @ mean - (share[by] * z[by, labels]).sum())
            bend += float(weight @ (np.einsum("ij,ij->i", p, z * z) - mean**2))
        else:
            p = 1 / (1 + np.exp(-np.clip(beta * z, -500, 500)))
            slope += float((p * z).sum() - z[by, labels].sum())
            bend += float((p * (1 - p) * z * z).sum())
    return slope, bend


@dataclass(frozen=True)
class Pairs:
    """Labels that could be given to documents: the most probable one of each if exclusive, else the likely ones.

    Attributes:
        documents: int64 (n,).
        labels: int32 (n,).
        p: float32 (n,).
        right: bool (n,).
        gold: the right labels of all documents.
        size: how many labels the model has.
    """

    documents: np.ndarray
    labels: np.ndarray
    p: np.ndarray
    right: np.ndarray
    gold: Ragged
    size: int

    @classmethod
    def of(cls, scores: Scores) -> "Pairs":
        """From the most probable labels that were kept."""
        depth = 1 if scores.exclusive else scores.top.shape[1]
        count = len(scores.top)
        labels = np.ascontiguousarray(scores.top[:, :depth]).ravel()
        choice = Ragged(labels, np.arange(count + 1) * depth)
        size = max(scores.labels, int(scores.gold.ids.max(initial=-1)) + 1)
        right = Outcome(choice, scores.gold, size).hit
        return cls(owners(choice), labels, scores.top_p[:, :depth].ravel(), right, scores.gold, scores.labels)

    def of_documents(self, which: np.ndarray) -> "Pairs":
        """Only the pairs of these documents, bool (L,); they keep their numbers."""
        keep = which[self.documents]
        gold = Ragged(self.gold.ids[which[owners(self.gold)]], np.append(0, np.cumsum(self.gold.sizes * which)))
        return Pairs(self.documents[keep], self.labels[keep], self.p[keep], self.right[keep], gold, self.size)

    def chosen(self, thresholds: np.ndarray) -> Ragged:
        """What each document gets with thresholds float32 (C,)."""
        keep = self.p >= thresholds[self.labels]
        sizes = np.bincount(self.documents[keep], minlength=len(self.gold))
        return Ragged(self.labels[keep], np.append(0, np.cumsum(sizes)))


def fit_thresholds(pairs: Pairs, target: Target) -> np.ndarray:
    """The threshold of each label that serves the target best, float32 (C,); NEVER where none does.

    A label with fewer than RARE documents gets that of all labels together, and so does one that is right nowhere, if
    F1 is the target. A threshold lies half way between two probabilities.
    """
    gold = np.bincount(pairs.gold.ids[pairs.gold.ids < pairs.size], minlength=pairs.size)
    own = _thresholds(pairs.labels, pairs.p, pairs.right, gold, target)
    pooled = _thresholds(np.zeros_like(pairs.labels), pairs.p, pairs.right, gold.sum(keepdims=True), target)
    hopeless = (own == NEVER) & (target.precision is None)
    return np.where((gold < RARE) | hopeless, pooled, own).astype(np.float32)


def _thresholds(labels: np.ndarray, p: np.ndarray, right: np.ndarray, gold: np.ndarray, target: Target) -> np.ndarray:
    """The best threshold of each of the labels that `gold` counts, float64."""
    order = np.lexsort((-p, labels))
    labels, p, right = labels[order], p[order].astype(np.float64), right[order]
    first = np.searchsorted(labels, np.arange(len(gold)))
    taken = np.arange(len(labels)) - first[labels] + 1
    sums = np.append(0, np.cumsum(right))
    hits = sums[1:] - sums[first[labels]]
    if target.precision is None:
        value = 2 * hits / (taken + gold[labels])
    else:
        value = np.where(hits >= target.precision * taken, taken, 0)
    ends = np.append(labels[1:] != labels[:-1], True) if len(labels) else np.zeros(0, np.bool_)
    below = np.where(ends, 0.0, np.append(p[1:], 0.0))
    value = np.where(below < p, value, -1)  # equal probabilities cannot be told apart
    # The best of each label, of equals the highest threshold.
    best = np.lexsort((taken, -value, labels))[first[first < len(labels)]] if len(labels) else np.zeros(0, np.int64)
    found = np.full(len(gold), NEVER)
    good = best[value[best] > 0]
    between = ((p[good] + below[good]) / 2).astype(np.float32)
    found[labels[good]] = np.where(between > below[good], between, p[good])  # no number between two neighbours
    return found


def honest_outcome(pairs: Pairs, target: Target, seed: int = 0) -> Outcome:
    """What thresholds give on documents that they were not chosen on: five folds, each by those of the others."""
    folds = np.random.default_rng(seed).permutation(len(pairs.gold)) % _FOLDS
    floors = np.stack([fit_thresholds(pairs.of_documents(folds != i), target) for i in range(_FOLDS)])
    keep = pairs.p >= floors[folds[pairs.documents], pairs.labels]
    sizes = np.bincount(pairs.documents[keep], minlength=len(pairs.gold))
    chosen = Ragged(pairs.labels[keep], np.append(0, np.cumsum(sizes)))
    return Outcome(chosen, pairs.gold, max(pairs.size, int(pairs.gold.ids.max(initial=-1)) + 1))
