"""Which labels documents get: as a user says, as a model was calibrated, or as suits what it was trained on."""

from dataclasses import dataclass

import numpy as np

from ..errors import UsageError
from .model import Classifier
from .scores import Rule

EXCLUSIVE = ("softmax", "hs")  # losses whose probabilities sum to 1 over the labels


def exclusive(model: Classifier) -> bool:
    """Whether the probabilities of a document sum to 1."""
    return model.head.loss in EXCLUSIVE


def several(model: Classifier) -> bool:
    """Whether documents of the model can have several labels: some had in training."""
    documents = int(model.report.get("documents") or 0)
    return not exclusive(model) and 0 < documents < int(np.sum(model.label_counts))


@dataclass(frozen=True)
class Choice:
    """Which labels to give.

    Args:
        k: at most so many, -1 for all; None with a threshold of None is what the model was calibrated for, else the
            most probable label, or if documents had several in training all that are at least as probable as not.
        threshold: none that is less probable.

    Raises:
        UsageError: an impossible value.
    """

    k: int | None = None
    threshold: float | None = None

    def __post_init__(self) -> None:
        if self.k is not None and (self.k == 0 or self.k < -1):
            raise UsageError(f"--k {self.k} makes no sense.", "Give 1 or more, or -1 for all labels.")
        if self.threshold is not None and not 0 <= self.threshold <= 1:
            raise UsageError(f"--threshold {self.threshold:g} makes no sense.", "Probabilities are from 0 to 1.")

    def rule(self, model: Classifier) -> Rule:
        """What holds for a model."""
        most = None if several(model) else 1
        if self.k is None and self.threshold is None:
            if (thresholds := model.calibrated_by.thresholds) is not None:
                return Rule(1 if exclusive(model) else None, np.array(thresholds, np.float32))
            return Rule(most, 0.0 if most else 0.5)
        k = most if self.k is None else self.k
        return Rule(None if k == -1 else k, float(self.threshold or 0.0))

    @property
    def ranks(self) -> tuple[int, ...]:
        """Values of k to measure precision and recall at."""
        return (1, 5) if self.k in (None, -1) else (1, self.k or 1)
