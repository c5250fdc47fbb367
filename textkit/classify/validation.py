"""Choosing between settings: on which documents they are judged, and by what."""

import math
from collections.abc import Sequence
from dataclasses import dataclass
from typing import TypeVar

import numpy as np

from ..errors import DataError
from .calibration import fit_temperature
from .config import ClassifierConfig
from .data import LabelledCorpus
from .labelling import Ragged
from .probabilities import as_probabilities
from .splits import shuffled_by, stratum_of_each

FOLDS = 5
_FOLDED = 5_000  # up to so many documents, each is held out once; of more about so many, in one part or in two
_FOLDED_LABELS = 100_000  # the same, of documents times labels
_FEWEST = 20
_FEWEST_TEMPERED = 100  # documents that show a temperature

Candidate = TypeVar("Candidate")


@dataclass(frozen=True)
class Judgement:
    """How good held-out documents were labelled.

    Attributes:
        accuracy: share of the documents whose best label is right; where documents have several labels micro-F1 of
            those with p >= 1/2.
        loss: mean of -log p of the right labels in nats (one-vs-all: summed over all labels), at the best temperature.
        temperature: that one.
        documents: how many there were.
    """

    accuracy: float
    loss: float
    temperature: float
    documents: int

    @property
    def error(self) -> float:
        """The standard error of the accuracy."""
        return math.sqrt(max(self.accuracy * (1 - self.accuracy), 1e-9) / max(self.documents, 1))

    def as_dict(self) -> dict[str, float]:
        """For reports."""
        return {"accuracy": round(self.accuracy, 6), "loss": round(self.loss, 6)}


def parts(data: LabelledCorpus, documents: np.ndarray, config: ClassifierConfig) -> list[tuple[np.ndarray, np.ndarray]]:
    """Which of the documents to train on and which to judge by, as places among them (int64): once or several times.

    Five folds of few documents, of more two held-out parts, of many one; none where there are too few to tell anything.
    """
    gold = data.gold.take(documents)
    count, labels = len(documents), len(data.labels)
    if config.validation == 0 or count < _FEWEST or len(np.unique(gold.ids)) < 2:
        return []
    k = max(FOLDS, count // _FOLDED)
    row = shuffled_by(stratum_of_each(gold, np.bincount(gold.ids, minlength=labels)), config.seed)
    fold = np.empty(count, np.int64)
    fold[row] = np.arange(count) % k
    used = 1 if count >= k * _FOLDED else 2
    if count <= _FOLDED and count * labels <= _FOLDED_LABELS:
        used = FOLDS
    return [(np.flatnonzero(fold != i), np.flatnonzero(fold == i)) for i in range(used)]


def judge(logits: np.ndarray, gold: Ragged, loss: str) -> Judgement:
    """Logits (L, C) of documents with these labels.

    Raises:
        DataError: they are not numbers.
    """
    if not np.isfinite(logits).all():
        raise DataError("a model that was tried gives scores that are no numbers.", "Are weights of documents huge?")
    exclusive = loss != "ova"
    temperature = 1.0
    if len(gold) >= _FEWEST_TEMPERED and loss != "hs":
        temperature = fit_temperature(lambda: [(logits, gold)], exclusive)
    p = as_probabilities(logits, loss, temperature).astype(np.float64)
    owners = np.repeat(np.arange(len(gold)), gold.sizes)
    right = np.log(np.maximum(p[owners, gold.ids], 1e-12))
    total = -float(right.sum())
    if not exclusive:
        total -= float(
            np.log(np.maximum(1 - p, 1e-12)).sum() - np.log(np.maximum(1 - p[owners, gold.ids], 1e-12)).sum()
        )
    return Judgement(_share_right(p, gold, owners), total / max(len(gold), 1), temperature, len(gold))


def _share_right(p: np.ndarray, gold: Ragged, owners: np.ndarray) -> float:
    if (gold.sizes > 1).any():
        hits = int((p[owners, gold.ids] >= 0.5).sum())
        return 2 * hits / max(int((p >= 0.5).sum()) + len(gold.ids), 1)
    return float((p.argmax(1)[owners] == gold.ids).sum() / max(len(gold), 1))


def best(tried: Sequence[tuple[Candidate, Judgement]]) -> tuple[Candidate, Judgement]:
    """The candidate whose probabilities are best, of those whose accuracy chance may have put below the greatest."""
    most = max(tried, key=lambda item: item[1].accuracy)[1]
    close = [item for item in tried if item[1].accuracy >= most.accuracy - 0.5 * most.error]
    return min(close, key=lambda item: item[1].loss)
