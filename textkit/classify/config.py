"""How to train a classifier: every setting and its check."""

import math
from dataclasses import asdict, dataclass, fields, replace
from typing import Any

from ..errors import UsageError
from ..training import Schedule
from .feature_config import FeatureConfig
from .sparse import WEIGHTINGS

MODELS = ("auto", "embedding", "linear")
LOSSES = ("softmax", "hs", "ns", "ova")
CLASS_WEIGHTS = ("none", "balanced")
LARGEST_DIM = 10_000
COSTS = (1.0, 4.0, 15.0, 60.0)
_FEWEST_EPOCHS, _MOST_EPOCHS, _FEWEST_PATIENT = 10, 500, 3
_VISITS = 100_000  # of documents in a training of few of them: fewer leave the embedding where it began
_FEATURES = tuple(field.name for field in fields(FeatureConfig))


@dataclass(frozen=True)
class ClassifierConfig:
    """Settings of a training run.

    Args:
        model: "embedding" (fastText's), "linear" (over the same features), or "auto": what is better on held-out data.
        loss: "softmax", "hs" (hierarchical softmax), "ns" (negative sampling) or "ova" (one-vs-all, for several labels
            a document); None for softmax, or ova where documents have several labels.
        word_ngrams: longest n-grams of words that are features.
        chars: (shortest, longest) n-grams of a word's characters that are features, or None.
        buckets: hash n-grams to so many numbers; None to count and keep them exactly.
        min_count, min_ngram_count: rarer words and n-grams are left out.
        end_mark: the end of a document is a word, </s>, as fastText has it.
        dim: numbers per feature of the embedding.
        epochs: passes over the training documents at most; None for 10, and more of few documents, see `for_documents`.
        rate: learning rate at the beginning; floor and decay: see `training.Schedule`.
        negatives: labels drawn per label by negative sampling.
        bias: a label has a number of its own that counts for every document.
        class_weights: "none", or "balanced": documents of rare labels weigh as much as those of frequent ones.
        cost: how much the loss of a document counts beside half of the squared weights (linear; scikit-learn's C): the
            greater, the closer the fit. None for what is best on held-out data.
        weighting: what features of the linear model weigh: "information" or "idf", see `sparse`.
        l2: how strongly weights of the embedding are drawn to 0.
        dropout: share of features that are left out at random in training.
        smoothing: label smoothing, the share of the aim that goes to all labels alike.
        validation: share of documents held out to choose the best epoch of the embedding and to stop early; 0 for
            none. None for a tenth, at most 2,000, as long as that is enough to choose better than the last epoch is:
            200 documents with `epochs` of None, 20 with a number.
        patience: epochs without anything better after which to stop; None for 3, or three tenths of
            the usual epochs.
        freeze: pretrained vectors stay as they are.
        seed: of all random numbers.

    Raises:
        UsageError: an impossible value.
    """

    model: str = "auto"
    loss: str | None = None
    word_ngrams: int = 2
    chars: tuple[int, int] | None = None
    buckets: int | None = None
    min_count: int = 1
    min_ngram_count: int = 2
    end_mark: bool = False
    dim: int = 15
    epochs: int | None = None
    rate: float = 0.5
    floor: float = 0.0
    decay: str = "linear"
    negatives: int = 5
    bias: bool = True
    class_weights: str = "none"
    cost: float | None = None
    weighting: str = "information"
    l2: float = 0.0
    dropout: float = 0.0
    smoothing: float = 0.0
    validation: float | None = None
    patience: int | None = None
    freeze: bool = False
    seed: int = 0

    def __post_init__(self) -> None:
        one_of("model", self.model, MODELS)
        if self.loss is not None:
            one_of("loss", self.loss, LOSSES)
        one_of("class-weights", self.class_weights, CLASS_WEIGHTS)
        within("dim", self.dim, 1, LARGEST_DIM)
        within("epochs", 1 if self.epochs is None else self.epochs, 1, 1_000_000)
        within("negatives", self.negatives, 1, 10_000)
        within("rate", self.rate, 1e-9, 1e6)
        one_of("weighting", self.weighting, WEIGHTINGS)
        within("cost", 1.0 if self.cost is None else self.cost, 1e-6, 1e6)
        within("l2", self.l2, 0, 1e6)
        within("dropout", self.dropout, 0, 0.99)
        within("smoothing", self.smoothing, 0, 0.99)
        within("validation", 0.0 if self.validation is None else self.validation, 0, 0.9)
        within("patience", 1 if self.patience is None else self.patience, 1, 1_000_000)
        within("seed", self.seed, 0, (1 << 62) - 1)
        self.features, self.schedule  # noqa: B018 - refuse impossible values

    @property
    def features(self) -> FeatureConfig:
        """The settings of features."""
        return FeatureConfig(**{name: getattr(self, name) for name in _FEATURES})

    @property
    def costs(self) -> tuple[float, ...]:
        """Which costs to try."""
        return COSTS if self.cost is None else (self.cost,)

    @property
    def schedule(self) -> Schedule:
        """The learning rate over the run."""
        return Schedule(self.rate, self.floor, self.decay)

    def for_documents(self, count: int) -> "ClassifierConfig":
        """The same with the epochs and the patience that are usual for training the embedding on so many documents."""
        usual = min(max(-(-_VISITS // max(count, 1)), _FEWEST_EPOCHS), _MOST_EPOCHS)
        epochs = usual if self.epochs is None else self.epochs
        patient = (
            max(_FEWEST_PATIENT, epochs * _FEWEST_PATIENT // _FEWEST_EPOCHS) if self.epochs is None else _FEWEST_PATIENT
        )
        return self.with_(epochs=epochs, patience=patient if self.patience is None else self.patience)

    def with_(self, **changes: Any) -> "ClassifierConfig":
        """The same with other values. Raises UsageError for an unknown name or an impossible value."""
        try:
            return replace(self, **changes)
        except TypeError:
            unknown = [name for name in changes if name not in {field.name for field in fields(self)}]
            raise UsageError(f"unknown setting '{', '.join(unknown)}'.") from None

    def settings(self) -> dict[str, Any]:
        """All settings, for JSON headers."""
        return asdict(self)

    @classmethod
    def from_settings(cls, settings: Any) -> "ClassifierConfig":
        """The inverse of `settings`. Raises UsageError where they make no sense."""
        try:
            pair = settings.get("chars")
            return cls(**{**settings, "chars": tuple(pair) if pair else None})
        except (TypeError, AttributeError, ValueError):
            raise UsageError(f"the stored training settings make no sense: {settings!r:.200}") from None


def one_of(option: str, value: str, known: tuple[str, ...]) -> None:
    """Raises UsageError for a value that is not among the known ones."""
    if value not in known:
        raise UsageError(f"unknown --{option} '{value}'.", f"Choose one of {', '.join(known)}.")


def within(option: str, value: float, least: float, most: float) -> None:
    """Raises UsageError for a value outside its bounds."""
    if not (least <= value <= most and math.isfinite(value)):
        raise UsageError(f"--{option} {value:g} makes no sense.", f"Give {least:g} to {most:g}.")
