"""How right chosen labels are: counts by label, their averages, accuracy, precision and recall at k.

All of it works on arrays of chosen and of right labels, whatever model chose them. Nothing here is of the size
documents x labels: memory grows with the documents, the labels, and the pairs of both that were chosen or are right.
"""

import math
from collections.abc import Sequence
from dataclasses import dataclass, replace
from functools import cached_property

import numpy as np

from .labelling import Ragged

NONE = -1  # in place of a label where none was chosen


@dataclass(frozen=True)
class PRF:
    """Precision, recall and their harmonic mean; 0 where there is nothing to divide by."""

    precision: float
    recall: float
    f1: float


@dataclass(frozen=True)
class LabelCounts:
    """Of each label, float64 (C,): how often it was chosen and right, chosen, right."""

    hits: np.ndarray
    chosen: np.ndarray
    gold: np.ndarray

    @property
    def precision(self) -> np.ndarray:
        return ratio(self.hits, self.chosen)

    @property
    def recall(self) -> np.ndarray:
        return ratio(self.hits, self.gold)

    @property
    def f1(self) -> np.ndarray:
        """2 hits / (chosen + gold)."""
        return ratio(2 * self.hits, self.chosen + self.gold)

    @property
    def micro(self) -> PRF:
        """Of all labels taken together."""
        return prf(float(self.hits.sum()), float(self.chosen.sum()), float(self.gold.sum()))

    @property
    def macro(self) -> PRF:
        """Means over the labels that are right or chosen anywhere, as scikit-learn takes them."""
        return self._mean((self.chosen + self.gold > 0).astype(np.float64))

    @property
    def weighted(self) -> PRF:
        """Means over the labels, weighted by how often each is right."""
        return self._mean(self.gold)

    def _mean(self, weights: np.ndarray) -> PRF:
        total = weights.sum()
        if not total:
            return PRF(0.0, 0.0, 0.0)
        return PRF(*(float((values * weights).sum() / total) for values in (self.precision, self.recall, self.f1)))


def ratio(above: np.ndarray, below: np.ndarray) -> np.ndarray:
    """Quotients, 0 where there is nothing to divide by."""
    return np.divide(above, below, out=np.zeros(len(above)), where=below > 0)


def prf(hits: float, chosen: float, gold: float) -> PRF:
    """Precision, recall and F1 of three counts."""
    return PRF(
        hits / chosen if chosen else 0.0, hits / gold if gold else 0.0, 2 * hits / (chosen + gold) if hits else 0.0
    )


@dataclass(frozen=True)
class Outcome:
    """Chosen labels beside the right ones, for L documents.

    Args:
        chosen: labels given to each document, none twice.
        gold: its right labels, none twice.
        labels: how many there are, C; those that only the test data have come last.
    """

    chosen: Ragged
    gold: Ragged
    labels: int

    @property
    def documents(self) -> int:
        return len(self.gold)

    @cached_property
    def chosen_by(self) -> np.ndarray:
        """The document of each chosen label, int64."""
        return owners(self.chosen)

    @cached_property
    def gold_by(self) -> np.ndarray:
        """The document of each right label, int64."""
        return owners(self.gold)

    @cached_property
    def hit(self) -> np.ndarray:
        """Whether each chosen label is right, bool."""
        return np.isin(self._codes(self.chosen_by, self.chosen), self._codes(self.gold_by, self.gold))

    @cached_property
    def found(self) -> np.ndarray:
        """Whether each right label was chosen, bool."""
        return np.isin(self._codes(self.gold_by, self.gold), self._codes(self.chosen_by, self.chosen))

    def _codes(self, documents: np.ndarray, labels: Ragged) -> np.ndarray:
        return documents * self.labels + labels.ids

    @cached_property
    def single(self) -> bool:
        """Whether every document has exactly one right label, and at most one was chosen."""
        return bool((self.gold.sizes == 1).all() and (self.chosen.sizes <= 1).all())

    @cached_property
    def exact(self) -> np.ndarray:
        """Whether just the right labels were chosen, bool (L,)."""
        sizes = self.gold.sizes
        hits = np.bincount(self.chosen_by[self.hit], minlength=self.documents)
        return (self.chosen.sizes == sizes) & (hits == sizes)

    @property
    def accuracy(self) -> float:
        """Share of the documents with just the right labels."""
        return float(self.exact.mean()) if self.documents else 0.0

    @property
    def answered(self) -> np.ndarray:
        """Whether any label was chosen, bool (L,)."""
        return self.chosen.sizes > 0

    @property
    def hamming_loss(self) -> float:
        """Share of all pairs of document and label on which choice and truth differ."""
        wrong = np.count_nonzero(~self.hit) + np.count_nonzero(~self.found)
        return float(wrong) / max(self.documents * self.labels, 1)

    def counts(self, weights: np.ndarray | None = None) -> LabelCounts:
        """Counts by label; `weights` float64 (L,) says how often each document counts."""

        def tally(labels: np.ndarray, documents: np.ndarray) -> np.ndarray:
            weight = None if weights is None else weights[documents]
            return np.bincount(labels, weight, minlength=self.labels).astype(np.float64)

        return LabelCounts(
            tally(self.chosen.ids[self.hit], self.chosen_by[self.hit]),
            tally(self.chosen.ids, self.chosen_by),
            tally(self.gold.ids, self.gold_by),
        )

    def matthews(self) -> float:
        """The correlation of choice and truth where each document has one label (Gorodkin 2004), 0 if undefined.

        A document without a choice counts as one more label.
        """
        counts, total = self.counts(), float(self.documents)
        chosen = np.append(counts.chosen, total - counts.chosen.sum())
        gold = np.append(counts.gold, 0.0)
        spread = (total**2 - (chosen**2).sum()) * (total**2 - (gold**2).sum())
        return float((counts.hits.sum() * total - chosen @ gold) / math.sqrt(spread)) if spread > 0 else 0.0

    def compact(self) -> "Outcome":
        """The same with only the labels that are right or chosen anywhere, numbered anew."""
        both = np.concatenate([self.chosen.ids, self.gold.ids])
        found, numbers = np.unique(both, return_inverse=True)
        numbers, cut = numbers.astype(np.int32), len(self.chosen.ids)
        chosen, gold = Ragged(numbers[:cut], self.chosen.offsets), Ragged(numbers[cut:], self.gold.offsets)
        return Outcome(chosen, gold, len(found))

    def of(self, documents: np.ndarray) -> "Outcome":
        """Only these documents, int64 (n,) or bool (L,)."""
        return replace(self, chosen=self.chosen.take(documents), gold=self.gold.take(documents))


def owners(lists: Ragged) -> np.ndarray:
    """The list that each element is of, int64 (M,)."""
    return np.repeat(np.arange(len(lists)), lists.sizes)


def filtered(lists: Ragged, keep: np.ndarray) -> Ragged:
    """All lists with only those elements for which `keep`, bool (M,), is true."""
    kept = np.concatenate([[0], np.cumsum(keep)])
    return Ragged(lists.ids[keep], kept[lists.offsets])


@dataclass(frozen=True)
class AtRank:
    """Precision, recall and F1 when each document gets its k most probable labels."""

    k: int
    precision: float
    recall: float
    f1: float


def at_ranks(top: np.ndarray, gold: Ragged, ranks: Sequence[int]) -> list[AtRank]:
    """Precision and recall at each k.

    Args:
        top: int32 (L, K), labels of each document, the most probable first.
        ranks: values of k; those above K count as K.
    """
    documents, depth = top.shape
    every = Outcome(Ragged(top.ravel(), np.arange(documents + 1) * depth), gold, _size(top, gold))
    right = np.cumsum(every.hit.reshape(documents, depth).sum(0)) if depth else np.zeros(0)
    found = []
    for k in sorted({min(k, depth) for k in ranks} - {0}):
        measures = prf(float(right[k - 1]), documents * k, len(gold.ids))
        found.append(AtRank(k, measures.precision, measures.recall, measures.f1))
    return found


def _size(top: np.ndarray, gold: Ragged) -> int:
    return 1 + max(int(top.max(initial=-1)), int(gold.ids.max(initial=-1)))


@dataclass(frozen=True)
class FastTextCounts:
    """What `fasttext test` prints: N, P@k and R@k."""

    documents: int
    precision: float
    recall: float


def fasttext_counts(outcome: Outcome, known: int, features: np.ndarray | None = None) -> FastTextCounts:
    """Count as fastText does: labels that the model does not know are as if they were not there.

    So are documents that are left without any label, or in which nothing is known: recall is then higher than it is.

    Args:
        known: labels of the model, those with lower numbers.
        features: how many features of each document the model knows, (L,), -1 where nobody said.
    """
    gold = filtered(outcome.gold, outcome.gold.ids < known)
    stays = gold.sizes > 0
    if features is not None:
        stays &= features != 0
    rest = replace(outcome, gold=gold).of(stays)
    micro = rest.counts().micro
    return FastTextCounts(rest.documents, micro.precision, micro.recall)


@dataclass(frozen=True)
class Confusions:
    """Pairs of a right and a wrong label, the most frequent first.

    Attributes:
        gold: int64 (n,), the label that would have been right.
        chosen: int64 (n,), the one that was given; NONE where there was none.
        counts: int64 (n,).
        documents: of each pair a few documents, those given first.
    """

    gold: np.ndarray
    chosen: np.ndarray
    counts: np.ndarray
    documents: list[np.ndarray]


def confusions(outcome: Outcome, top: int, examples: int = 3, order: np.ndarray | None = None) -> Confusions:
    """The pairs of labels most often confused: each missed label of a document with each wrong one it was given.

    Args:
        top: how many pairs.
        examples: how many documents of each.
        order: float (L,), examples are those with the highest values; the first ones if not given.
    """
    documents, gold, chosen = _mistakes(outcome)
    codes = gold * (outcome.labels + 1) + (chosen + 1)
    pairs, places, counts = np.unique(codes, return_inverse=True, return_counts=True)
    leading = np.argsort(-counts, kind="stable")[:top]
    picked = []
    for pair in leading:
        own = documents[places == pair]
        if order is not None:
            own = own[np.argsort(-order[own], kind="stable")]
        picked.append(own[:examples])
    pairs = pairs[leading]
    return Confusions(pairs // (outcome.labels + 1), pairs % (outcome.labels + 1) - 1, counts[leading], picked)


def _mistakes(outcome: Outcome) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Document, missed label and wrong label (NONE if there is none) of every mistake, int64 each."""
    missed = np.flatnonzero(~outcome.found)
    documents, gold = outcome.gold_by[missed], outcome.gold.ids[missed].astype(np.int64)
    wrong = filtered(outcome.chosen, ~outcome.hit)
    sizes = wrong.sizes[documents]
    repeats = np.maximum(sizes, 1)
    within = np.arange(repeats.sum()) - np.repeat(np.cumsum(repeats) - repeats, repeats)
    chosen = np.full(len(within), NONE, np.int64)
    some = np.repeat(sizes > 0, repeats)
    chosen[some] = wrong.ids[(np.repeat(wrong.offsets[documents], repeats) + within)[some]]
    return np.repeat(documents, repeats), np.repeat(gold, repeats), chosen


def confusion_matrix(outcome: Outcome, labels: np.ndarray) -> np.ndarray:
    """Right labels (rows) against chosen ones (columns), int64 (n, n + 2).

    The last two columns are other labels than these, and none. Of several labels those that were found count for
    themselves, the missed ones with each wrong one.

    Args:
        labels: int (n,), the labels to show; memory grows with the square of their number.
    """
    size = len(labels)
    place = np.full(outcome.labels + 1, size)  # the last element, -1, is for none
    place[labels], place[NONE] = np.arange(size), size + 1
    _, gold, chosen = _mistakes(outcome)
    right = outcome.gold.ids[outcome.found]
    rows, columns = place[np.concatenate([gold, right])], place[np.concatenate([chosen, right])]
    shown = rows < size
    cells = np.bincount(rows[shown] * (size + 2) + columns[shown], minlength=size * (size + 2))
    return cells.reshape(size, size + 2)


def majority(gold: Ragged, label: int) -> Outcome:
    """What comes of giving every document the same label."""
    documents = len(gold)
    chosen = Ragged(np.full(documents, label, np.int32), np.arange(documents + 1))
    return Outcome(chosen, gold, max(label, int(gold.ids.max(initial=0))) + 1)
