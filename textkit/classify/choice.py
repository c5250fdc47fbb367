"""Which labels documents are given."""

from dataclasses import dataclass

from ..errors import UsageError
from .calibration import Calibration
from .model import Classifier
from .scores import Rule

EXCLUSIVE = ("softmax", "hs")  # losses whose probabilities sum to one


@dataclass(frozen=True)
class Choice:
    """Which labels to give and which to measure, as a user says; None where nothing was said.

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

    def rule(self, model: Classifier, several: bool) -> Rule:
        """What holds for a model, on documents that have several labels or one each."""
        exclusive = model.head.loss in EXCLUSIVE
        if self.k is None and self.threshold is None:
            known = Calibration.from_dict(model.calibration, len(model.labels)).rule(exclusive)
            return known if exclusive or several or not isinstance(known.threshold, float) else Rule(1)
        k = self.k if self.k is not None else 1 if exclusive or not several else None
        return Rule(None if k == -1 else k, float(self.threshold or 0.0))

    @property
    def ranks(self) -> tuple[int, ...]:
        """Values of k to measure precision and recall at."""
        return (1, 5) if self.k in (None, -1) else (1, self.k or 1)
