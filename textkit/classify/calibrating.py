"""Calibrate a trained model on held-out documents, and measure what that changes."""

import copy
from collections.abc import Iterator
from dataclasses import dataclass, replace
from typing import Any

import numpy as np

from ..errors import UsageError
from ..progress import Reporter, silent
from . import scores, splits
from .calibration import Calibration, Pairs, Target, fit_temperature, fit_thresholds, honest_outcome
from .choice import exclusive
from .config import ClassifierConfig
from .data import LabelledCorpus
from .evaluation import scored
from .labelling import Ragged
from .metrics import Outcome
from .model import Classifier
from .scores import Scores

LIKELY = 50  # labels of a document for which thresholds are looked for
SHARE = 0.1  # of the documents that are held out to calibrate on
KEPT = 16_000_000  # logits that are kept from step to step


def calibrated(model: Classifier, calibration: Calibration | None) -> Classifier:
    """The same model with another calibration, or with none; both share their weights."""
    settings = None if calibration is None else calibration.as_dict()
    return replace(model, head=copy.copy(model.head), calibration=settings)


@dataclass
class Calibrator:
    """How to calibrate.

    Args:
        target: what thresholds are to serve; None for a temperature alone.
        abstain: what to say where no label reaches its threshold.

    Raises:
        UsageError: something to say without a target.
    """

    target: Target | None = None
    abstain: str = ""
    seed: int = 0
    threads: int | None = None
    progress: Reporter = silent

    def __post_init__(self) -> None:
        if self.abstain and self.target is None:
            raise UsageError("--abstain needs a --target.", "For example: --target precision:0.95 --abstain unknown.")

    def calibrate(self, model: Classifier, data: LabelledCorpus, documents: np.ndarray | None = None) -> Classifier:
        """The model with temperature and thresholds by documents that it was not trained on.

        Args:
            data: read with the model's labels known.
            documents: their numbers, all if None.
        """
        held = np.arange(len(data)) if documents is None else documents
        plain = calibrated(model, None)
        before = self._scored(plain, data, held)
        kept = list(self._logits(plain, data, held)) if len(held) * len(model.labels) <= KEPT else None
        temperature = fit_temperature(lambda: kept or self._logits(plain, data, held), exclusive(model))
        warmed = calibrated(model, Calibration(temperature))
        after = self._scored(warmed, data, held)
        thresholds, outcome = None, after.outcome()
        if self.target is not None:
            pairs = Pairs.of(after)
            thresholds = tuple(fit_thresholds(pairs, self.target).tolist())
            outcome = honest_outcome(pairs, self.target, self.seed)
        found = Calibration(
            temperature, thresholds, str(self.target or ""), self.abstain, _measured(before, after, outcome)
        )
        return calibrated(model, found)

    def train(
        self,
        data: LabelledCorpus,
        config: ClassifierConfig,
        progress: Reporter = silent,
        threads: int | None = None,
        **start: Any,
    ) -> Classifier:
        """Train on a part of the documents, calibrate on the others, which the best epoch is chosen on, too.

        Args:
            start: what else `Classifier.train_on` takes.
        """
        train, held = splits.held_out(data, config.validation or SHARE, config.seed)
        known = None if config.validation == 0 else held
        model = Classifier.train_on(data, config, train, known, progress, threads, **start)
        return self.calibrate(model, data, held)

    def _scored(self, model: Classifier, data: LabelledCorpus, held: np.ndarray) -> Scores:
        return scored(model, data, documents=held, depth=LIKELY, threads=self.threads, progress=self.progress)

    def _logits(self, model: Classifier, data: LabelledCorpus, held: np.ndarray) -> Iterator[tuple[np.ndarray, Ragged]]:
        """Logits of some documents at a time."""
        size = max(1, scores.BLOCK // len(model.labels))
        for first in range(0, len(held), size):
            part = held[first : first + size]
            bags = model.features.bags(data.text, part, self.threads)
            yield model.logits(bags, self.threads), data.gold.take(part)


def _measured(before: Scores, after: Scores, outcome: Outcome) -> dict[str, object]:
    """Figures before and after; those of thresholds by cross-validation."""
    pairs = {
        "log loss": (before.log_loss(), after.log_loss()),
        "Brier score": (before.brier(), after.brier()),
        "calibration error": (before.pairs.error, after.pairs.error),
        "micro precision": (before.outcome().counts().micro.precision, outcome.counts().micro.precision),
        "micro F1": (before.outcome().counts().micro.f1, outcome.counts().micro.f1),
        "macro F1": (before.outcome().counts().macro.f1, outcome.counts().macro.f1),
        "answered": (float(before.outcome().answered.mean()), float(outcome.answered.mean())),
    }
    return {"documents": len(before.top), **{name: list(values) for name, values in pairs.items()}}
