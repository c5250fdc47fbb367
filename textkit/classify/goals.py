"""What to tune for: a measure of held-out documents by its name, greater always better."""

import difflib
from dataclasses import dataclass

import numpy as np

from ..errors import UsageError
from .labelling import Ragged
from .metrics import Outcome, owners
from .probabilities import best_of

PLAIN = ("accuracy", "micro-f1", "macro-f1", "weighted-f1", "log-loss")
_WITH_SHARE = ("precision-at-recall", "recall-at-precision")


@dataclass(frozen=True)
class Goal:
    """One measure.

    Attributes:
        kind: one of accuracy, micro-f1, macro-f1, weighted-f1, log-loss, f1, precision-at-recall, recall-at-precision.
        share: the recall or precision to hold, of the last two.
        label: whose F1, precision or recall; None for all labels.
    """

    kind: str = "accuracy"
    share: float = 0.0
    label: int | None = None

    @classmethod
    def read(cls, text: str, labels: list[str]) -> "Goal":
        """From accuracy, macro-f1, f1:LABEL, precision-at-recall:0.8, recall-at-precision:0.95:LABEL and the like.

        Raises:
            UsageError: anything else, or a label that is not there.
        """
        kind, _, rest = text.partition(":")
        if text in PLAIN:
            return cls(text)
        if kind == "f1" and rest:
            return cls(kind, label=_number(rest, labels))
        share, _, label = rest.partition(":")
        try:
            value = float(share.rstrip("%")) / (100 if share.endswith("%") else 1)
        except ValueError:
            value = 0.0
        if kind not in _WITH_SHARE or not 0 < value <= 1:
            known = f"{', '.join(PLAIN)}, f1:LABEL, precision-at-recall:0.8, recall-at-precision:0.95:LABEL"
            raise UsageError(f"--metric '{text}' is none.", f"Give one of {known}.")
        return cls(kind, value, _number(label, labels) if label else None)

    def value(self, p: np.ndarray, gold: Ragged, exclusive: bool) -> float:
        """The measure of probabilities (L, C) of documents with these labels; of log loss its negative.

        Labels are given as `classify predict` gives them: the most probable one, of labels that do not exclude each
        other those from 1/2 on.
        """
        if self.kind == "log-loss":
            return -_log_loss(p, gold, exclusive)
        if self.kind in _WITH_SHARE:
            return self._on_curve(p, gold)
        several = not exclusive and bool((gold.sizes > 1).any())
        chosen = best_of(p, p.shape[1] if several else 1, 0.5 if several else 0.0)
        given = Ragged(chosen.ids[chosen.ids >= 0], np.append(0, np.cumsum(chosen.counts)))
        outcome = Outcome(given, gold, p.shape[1])
        counts = outcome.counts()
        if self.kind == "accuracy":
            return outcome.accuracy
        if self.kind == "f1":
            return float(counts.f1[self.label])
        return float({"micro-f1": counts.micro, "macro-f1": counts.macro, "weighted-f1": counts.weighted}[self.kind].f1)

    def _on_curve(self, p: np.ndarray, gold: Ragged) -> float:
        """The best precision with at least this recall, or the best recall with at least this precision."""
        truth = np.zeros(p.shape, np.bool_)
        truth[owners(gold), gold.ids] = True
        if self.label is not None:
            p, truth = p[:, self.label], truth[:, self.label]
        order = np.argsort(-p, axis=None, kind="stable")
        hits = np.cumsum(truth.reshape(-1)[order])
        precision, recall = hits / np.arange(1, len(hits) + 1), hits / max(int(hits[-1]), 1)
        held, wanted = (recall, precision) if self.kind == _WITH_SHARE[0] else (precision, recall)
        reached = held >= self.share
        return float(wanted[reached].max()) if reached.any() else 0.0


def _log_loss(p: np.ndarray, gold: Ragged, exclusive: bool) -> float:
    p = np.clip(p.astype(np.float64), 1e-12, 1 - 1e-7)
    right = p[owners(gold), gold.ids]
    total = -np.log(right).sum()
    if not exclusive:
        total -= np.log1p(-p).sum() - np.log1p(-right).sum()
    return float(total / max(len(gold), 1))


def _number(label: str, labels: list[str]) -> int:
    if label not in labels:
        close = difflib.get_close_matches(label, labels, 1)
        raise UsageError(
            f"there is no label '{label}'.", f"Did you mean {close[0]}?" if close else f"There are {labels[:20]}."
        )
    return labels.index(label)
