"""Why a label: what each feature adds to its logit, exactly, since models are linear in their features."""

from dataclasses import asdict, dataclass
from typing import Any

import numpy as np

from ..errors import UsageError
from .bucket_names import bucket_names
from .labelling import Ragged
from .model import Classifier
from .occurrences import Occurrence, occurrences

LONGEST = 500_000  # words of a text: each is told apart, which takes some hundred bytes
NO_LOGIT = "hs"  # its logits are log probabilities; linear is the sum of the scores along the label's path


@dataclass(frozen=True)
class Share:
    """What one feature adds to a logit, all its occurrences together."""

    feature: str
    kind: str
    count: int
    contribution: float


@dataclass(frozen=True)
class Token:
    """A word as it stands in the text, and what it adds: its own share, and its part of that of n-grams over it.

    Attributes:
        known: whether the model has any feature of it.
    """

    text: str
    contribution: float
    known: bool


@dataclass(frozen=True)
class Explanation:
    """One label of one text.

    Attributes:
        against: the label whose shares and bias are taken off, or None.
        probability: of the label, calibrated if the model is.
        bias, shares: their sum is the logit; shares are ordered by size.
        score: what the sum is: "logit", or "path score" for hierarchical softmax.
        tokens: the text.
    """

    label: str
    against: str | None
    probability: float
    logit: float
    bias: float
    score: str
    shares: list[Share]
    tokens: list[Token]

    def as_dict(self) -> dict[str, Any]:
        """For JSON."""
        return asdict(self)


def explain(
    model: Classifier, text: str, labels: list[str] | None = None, against: str | None = None
) -> list[Explanation]:
    """What speaks for labels of a text and what against them.

    Args:
        labels: the most probable one if not given.
        against: explain the difference to this label.

    Raises:
        UsageError: a label that the model does not have, or a text too long to be told word by word.
    """
    encoded = model.encoded([text], threads=1)
    if encoded.tokens > LONGEST:
        raise UsageError(
            f"a text of {encoded.tokens:,} words is too long to be explained word by word.",
            f"Give a part of it, at most {LONGEST:,} words; classify predict labels texts of any length.",
        )
    found = occurrences(model.features, encoded, model.tokenizer.tokenize(text))
    rows = np.array([each.row for each in found], np.int32)
    p = model.probabilities(Ragged(rows, np.array([0, len(rows)], np.int64)), threads=1)[0]
    chosen = [label_number(model, label) for label in labels] if labels else [int(p.argmax())]
    other = None if against is None else label_number(model, against)
    return [_explained(model, text, found, rows, label, other, float(p[label])) for label in chosen]


def label_number(model: Classifier, label: str) -> int:
    """Raises UsageError for a label that the model does not have."""
    import difflib

    if label in model.labels:
        return model.labels.index(label)
    close = difflib.get_close_matches(label, model.labels, 1)
    hint = f"Did you mean {close[0]}?" if close else f"It has {', '.join(model.labels[:20])}."
    raise UsageError(f"the model has no label '{label}'.", hint)


def _explained(
    model: Classifier, text: str, found: list[Occurrence], rows: np.ndarray, label: int, other: int | None, p: float
) -> Explanation:
    contributions = model.head.contributions(rows, label).astype(np.float64)
    bias = float(model.head.bias(label))
    if other is not None:
        contributions = contributions - model.head.contributions(rows, other)
        bias -= float(model.head.bias(other))
    return Explanation(
        label=model.labels[label],
        against=None if other is None else model.labels[other],
        probability=p,
        logit=float(contributions.sum()) + bias,
        bias=bias,
        score="path score" if model.head.loss == NO_LOGIT else "logit",
        shares=_shares(found, contributions),
        tokens=_tokens(model.tokenizer.tokenize(text), found, contributions),
    )


def _shares(found: list[Occurrence], contributions: np.ndarray) -> list[Share]:
    """Features by the size of what they add."""
    sums: dict[tuple[str, str], list[float]] = {}
    for each, contribution in zip(found, contributions.tolist(), strict=True):
        sums.setdefault((each.name, each.kind), []).append(contribution)
    shares = [Share(name, kind, len(parts), sum(parts)) for (name, kind), parts in sums.items()]
    return sorted(shares, key=lambda share: (-abs(share.contribution), share.feature))


def _tokens(words: list[str], found: list[Occurrence], contributions: np.ndarray) -> list[Token]:
    """Each n-gram's share is split evenly among its words; an end mark's part belongs to no word."""
    sums, known = np.zeros(len(words) + 1), np.zeros(len(words) + 1, np.bool_)
    for each, contribution in zip(found, contributions.tolist(), strict=True):
        if each.last > each.first:
            sums[each.first : each.last] += contribution / (each.last - each.first)
            known[each.first : each.last] = True
    return [Token(*item) for item in zip(words, sums.tolist(), known.tolist(), strict=False)]


@dataclass(frozen=True)
class Weight:
    """A feature, and what it would add to a label's logit if it were all of a document.

    A bucket is named by its number, and by the n-grams of characters that fall into it.
    """

    feature: str
    kind: str
    weight: float


def strongest(model: Classifier, label: str, top: int = 30, *, against: str | None = None) -> list[Weight]:
    """The features that speak most for a label, the strongest first.

    Args:
        against: those that speak most for one label rather than another.

    Raises:
        UsageError: a label that the model does not have.
    """
    weights = np.array(model.head.weights(label_number(model, label)), np.float64)
    if against is not None:
        weights -= model.head.weights(label_number(model, against))
    weights[model.features.unused] = -np.inf  # no document has these rows
    best = [row for row in np.argsort(-weights, kind="stable")[:top].tolist() if np.isfinite(weights[row])]
    found = [(model.features.name(row), model.features.kind(row), float(weights[row])) for row in best]
    spelled = bucket_names(model.features, [int(name[1:]) for name, kind, _ in found if kind == "bucket"])
    names = {f"#{bucket}": f"#{bucket} {inside}" for bucket, inside in spelled.items()}
    return [Weight(names.get(name, name) if kind == "bucket" else name, kind, weight) for name, kind, weight in found]
