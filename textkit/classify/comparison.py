"""Two models on the same documents: where they differ, and whether chance explains it."""

from collections.abc import Sequence
from dataclasses import asdict, dataclass
from typing import Any

import numpy as np

from ..errors import DataError
from . import significance
from .labelling import Ragged
from .metrics import Outcome


@dataclass(frozen=True)
class Comparison:
    """Two models on the same documents.

    Attributes:
        both, only_first, only_second, neither: documents with just the right labels.
    """

    documents: int
    both: int
    only_first: int
    only_second: int
    neither: int
    differences: list[significance.Difference]

    def as_dict(self) -> dict[str, Any]:
        """For JSON."""
        return asdict(self)

    def in_words(self, first: str, second: str) -> list[str]:
        """What the figures say, one sentence for each."""
        return [_sentence(each, first, second, self.documents) for each in self.differences]


def compare(first: tuple[Outcome, Sequence[str]], second: tuple[Outcome, Sequence[str]], seed: int = 0) -> Comparison:
    """Compare what two models chose for the same documents.

    Args:
        first, second: outcome and the names of its labels, in which the right labels must agree.

    Raises:
        DataError: the documents are not the same.
    """
    a, b = _common(first, second)
    if a.documents != b.documents or not np.array_equal(_sorted(a.gold), _sorted(b.gold)):
        raise DataError("the two models were not asked about the same documents.")
    return Comparison(
        a.documents,
        int((a.exact & b.exact).sum()),
        int((a.exact & ~b.exact).sum()),
        int((~a.exact & b.exact).sum()),
        int((~a.exact & ~b.exact).sum()),
        significance.differences(a, b, seed),
    )


def _common(*given: tuple[Outcome, Sequence[str]]) -> list[Outcome]:
    """The outcomes with labels numbered alike; only those that are right or chosen anywhere have a number."""
    numbers: dict[str, int] = {}
    for outcome, names in given:
        for label in np.unique(np.concatenate([outcome.chosen.ids, outcome.gold.ids])).tolist():
            numbers.setdefault(names[label], len(numbers))
    found = []
    for outcome, names in given:
        mapping = np.array([numbers.get(name, -1) for name in names], np.int32)
        chosen, gold = (Ragged(mapping[lists.ids], lists.offsets) for lists in (outcome.chosen, outcome.gold))
        found.append(Outcome(chosen, gold, len(numbers)))
    return found


def _sorted(gold: Ragged) -> np.ndarray:
    """Labels in order within each document, with the document's size in front of them all."""
    by = np.repeat(np.arange(len(gold)), gold.sizes)
    return np.concatenate([gold.sizes, gold.ids[np.lexsort((gold.ids, by))]])


def _sentence(found: significance.Difference, first: str, second: str, documents: int) -> str:
    gap = found.second - found.first
    if gap == 0:
        return f"{found.name}: both reach {found.first:.4f}."
    better, worse = (second, first) if gap > 0 else (first, second)
    values = sorted((found.first, found.second), reverse=True)
    bounds = f"{second} minus {first} lies within {found.low:+.4f} and {found.high:+.4f} (95 %)"
    verdict = "hardly by chance" if found.significant else "which chance may explain"
    return (
        f"{found.name}: {better} is ahead of {worse}, {values[0]:.4f} to {values[1]:.4f}, {verdict}: "
        f"p = {_p(found.p)} ({found.test}, {documents:,} documents); {bounds}."
    )


def _p(value: float) -> str:
    return f"{value:.3f}" if value >= 0.001 else f"{value:.1g}" if value > 0 else "0"
