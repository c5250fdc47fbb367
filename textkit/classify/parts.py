"""What a classifier is made of: labels, features, the weights behind them, and how they came about."""

from dataclasses import dataclass, field
from typing import Any, Protocol

import numpy as np

from ..text.tokenizer import Tokenizer
from .config import ClassifierConfig
from .features import Features
from .hashed import HashedFeatures
from .labelling import Ragged
from .probabilities import Top


class Head(Protocol):
    """What makes scores of bags: `EmbeddingHead` or `LinearHead`."""

    kind: str
    loss: str
    temperature: float

    @property
    def labels(self) -> int: ...

    def logits(self, bags: Ragged, threads: int | None = None) -> np.ndarray: ...

    def probabilities(self, logits: np.ndarray) -> np.ndarray: ...

    def top(self, bags: Ragged, k: int = 1, threshold: float = 0.0, threads: int | None = None) -> Top: ...

    def contributions(self, rows: np.ndarray, label: int) -> np.ndarray: ...

    def bias(self, label: int) -> float: ...

    def weights(self, label: int) -> np.ndarray: ...

    def arrays(self) -> dict[str, np.ndarray]: ...

    def settings(self) -> dict[str, Any]: ...


@dataclass
class Parts:
    """A trained classifier as training or a file gives it: plain parts, which `Classifier` asks and keeps.

    Attributes:
        labels: names by number.
        label_counts: int64 (C,), training documents of each.
        tokenizer: how text is split.
        features: the rows of the head's weights.
        head: the weights.
        config: how it was trained.
        calibration: what was learned on held-out data about its probabilities, or None.
        report: how training went.
    """

    labels: list[str]
    label_counts: np.ndarray
    tokenizer: Tokenizer
    features: Features | HashedFeatures
    head: Head
    config: ClassifierConfig
    calibration: dict[str, Any] | None = None
    report: dict[str, Any] = field(default_factory=dict)
