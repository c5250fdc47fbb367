"""What is kept of the probabilities of many documents under many labels, block by block.

Probabilities of all documents and labels are never together: of each block stay the few most probable labels, those of
the right ones, sums, and the columns of as many labels as fit into a fixed share of memory.
"""

from dataclasses import dataclass
from functools import cached_property

import numpy as np

from ..errors import DataError
from .embedding import Probabilities
from .labelling import Ragged
from .metrics import Outcome, owners, prf
from .probabilities import Top
from .ranking import Curves, Ranking, Steps, curves, mean_of_defined, rank_labels

BLOCK = 4_000_000  # probabilities looked at together
COMPLETE = 20_000_000  # probabilities that are asked for one by one; of more, where the model can, only those needed
COLUMNS = 4_000_000  # probabilities kept for curves, documents times labels
BINS = 15  # of equal width, as calibration error is usually measured
CURVE = 1000  # thresholds on the curve


@dataclass(frozen=True)
class Rule:
    """Which labels a document gets: at most the k most probable ones (None: any number), none below its threshold.

    Args:
        threshold: least probability, one for all labels or float32 (C,).
    """

    k: int | None = 1
    threshold: float | np.ndarray = 0.0

    def __str__(self) -> str:
        number = "all labels" if self.k is None else "the most probable label" if self.k == 1 else f"the {self.k} best"
        if not isinstance(self.threshold, float):
            return f"{number}, each from its own threshold"
        return f"{number} from p = {self.threshold:g}" if self.threshold else number

    def choose(self, top: np.ndarray, p: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
        """Labels int32 and how many each of the B documents gets, of probabilities (B, C) and their best (B, K)."""
        if self.k is None:
            floor = np.broadcast_to(np.asarray(self.threshold, np.float32), p.shape[1:])
            rows, labels = np.nonzero(p >= floor)
            return labels.astype(np.int32), np.bincount(rows, minlength=len(p))
        return self.choose_among(top, np.take_along_axis(p, top, 1))

    def choose_among(self, top: np.ndarray, top_p: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
        """The same for a rule of some k, of the K >= k best labels and their probabilities."""
        best, floor = top[:, : self.k], np.asarray(self.threshold, np.float32)
        keep = top_p[:, : self.k] >= (floor[best] if floor.ndim else floor)
        return best[keep].astype(np.int32), keep.sum(1)


def most_probable(p: np.ndarray, k: int) -> np.ndarray:
    """The k best labels of each document, int32 (B, k), the best first, equals in their order."""
    k = min(k, p.shape[1])
    if p.shape[1] <= 4 * k:
        return np.argsort(-p, 1, kind="stable")[:, :k].astype(np.int32)
    best = np.sort(np.argpartition(-p, k - 1, 1)[:, :k], 1)
    order = np.argsort(-np.take_along_axis(p, best, 1), 1, kind="stable")
    return np.take_along_axis(best, order, 1).astype(np.int32)


@dataclass
class Bins:
    """Probabilities by their size, float64 (n,): how many, their sum, how many were right.

    Bin i holds those above i / n, up to and with (i + 1) / n.
    """

    counts: np.ndarray
    sums: np.ndarray
    right: np.ndarray

    @classmethod
    def empty(cls, bins: int = BINS) -> "Bins":
        """Nothing in any bin."""
        return cls(np.zeros(bins), np.zeros(bins), np.zeros(bins))

    def add(self, p: np.ndarray, right: np.ndarray) -> None:
        """Count probabilities (n,) and whether each was right."""
        size = len(self.counts)
        places = np.clip(np.ceil(p * size).astype(np.int64) - 1, 0, size - 1)
        self.counts += np.bincount(places, minlength=size)
        self.sums += np.bincount(places, p, minlength=size)
        self.right += np.bincount(places, right, minlength=size)

    @property
    def error(self) -> float:
        """Expected calibration error: mean distance of probability and share of right ones (Guo et al. 2017)."""
        return float(np.abs(self.sums - self.right).sum() / max(self.counts.sum(), 1))


@dataclass
class Scores:
    """What was kept of the probabilities of L documents under C labels.

    Attributes:
        gold: the right labels; numbers from C on are labels that the model does not know.
        exclusive: whether the probabilities of a document sum to one.
        rule: which labels were chosen.
        top, top_p: int32 and float32 (L, K), the most probable labels.
        chosen: labels by the rule.
        gold_p: float32, of each element of gold its probability, 0 for unknown labels.
        squares: float64 (L,), sum of the squared probabilities, of all labels or see `among`.
        rest: float64 (L,), sum of log(1 - p); kept if not exclusive.
        columns: float32 (L, n), probabilities of the n labels `column_labels`.
        pairs: right and wrong pairs by probability: of all labels, or of the most probable if exclusive.
        fine: the same in more bins.
        features: int64 (L,), how many features of each document the model knows, -1 where nobody said.
        among: None, or where labels are too many to ask for all: K, and `squares` are of the right and the K best ones.
    """

    gold: Ragged
    labels: int
    exclusive: bool
    rule: Rule
    top: np.ndarray
    top_p: np.ndarray
    chosen: Ragged
    gold_p: np.ndarray
    squares: np.ndarray
    rest: np.ndarray
    columns: np.ndarray
    column_labels: np.ndarray
    pairs: Bins
    fine: Bins
    features: np.ndarray
    among: int | None = None

    def outcome(self) -> Outcome:
        """Chosen and right labels."""
        return Outcome(self.chosen, self.gold, max(self.labels, int(self.gold.ids.max(initial=-1)) + 1))

    @cached_property
    def known(self) -> np.ndarray:
        """Documents whose labels the model knows all, bool (L,); others say nothing about its probabilities."""
        unknown = owners(self.gold)[self.gold.ids >= self.labels]
        known = self.gold.sizes > 0 if self.exclusive else np.ones(len(self.top), np.bool_)
        known[unknown] = False
        return known

    def losses(self) -> np.ndarray:
        """Log loss of each document, float64 (L,), in nats; NaN where labels are unknown.

        Exclusive: minus the log of the probability of the right label (their mean if there are several). Otherwise
        the mean of binary losses over all labels. Probabilities are held off 0 and 1 by the precision of float32.
        """
        least = float(np.finfo(np.float32).eps)
        p = np.clip(self.gold_p.astype(np.float64), least, 1 - least)
        by = owners(self.gold)
        sums = np.bincount(by, np.log(p), minlength=len(self.top))
        if self.exclusive:
            values = -sums / np.maximum(self.gold.sizes, 1)
        else:
            against = np.bincount(by, np.log1p(-p), minlength=len(self.top))
            values = -(sums - against + self.rest) / self.labels
        return np.where(self.known, values, np.nan)

    def log_loss(self) -> float:
        """The mean of `losses`."""
        return mean_of_defined(self.losses())

    def brier(self) -> float:
        """Brier score: squared distance of probabilities and truth.

        Exclusive: summed over the labels (see `among`), halved where there are two. Otherwise the mean over labels.
        """
        sizes = self.gold.sizes
        share = 1 / np.maximum(sizes, 1) if self.exclusive else np.ones(len(sizes))  # of each right label
        right = np.bincount(owners(self.gold), self.gold_p, minlength=len(self.top))
        each = self.squares - 2 * share * right + share**2 * sizes
        scale = self.labels if not self.exclusive else 2 if self.labels == 2 else 1
        return mean_of_defined(np.where(self.known, each, np.nan)) / scale

    def ranking(self) -> Ranking | None:
        """Areas under the curves of the labels with columns; None where there is no column."""
        if not len(self.column_labels):
            return None
        return rank_labels(list(self.columns.T), [self._truth(label) for label in self.column_labels.tolist()])

    def curves(self, names: list[str], limit: int = 6) -> list[Curves]:
        """Curves of the first labels with columns that are not all right or all wrong."""
        found: list[Curves] = []
        for column, label in zip(self.columns.T, self.column_labels.tolist(), strict=True):
            steps = Steps.of(column, self._truth(label))
            if steps.mixed and len(found) < limit:
                found.append(curves(names[label], steps))
        return found

    def _truth(self, label: int) -> np.ndarray:
        truth = np.zeros(len(self.top), np.bool_)
        truth[owners(self.gold)[self.gold.ids == label]] = True
        return truth

    def threshold_curve(self, points: int = 100) -> list["AtThreshold"]:
        """What comes of other thresholds: for the most probable label if exclusive, else for every label."""
        above = np.cumsum(self.fine.counts[::-1])[::-1]
        hits = np.cumsum(self.fine.right[::-1])[::-1]
        step = max(1, len(above) // points)
        found = []
        for i in range(0, len(above), step):
            measures = prf(float(hits[i]), float(above[i]), len(self.gold.ids))
            share = float(above[i]) / max(len(self.top), 1)
            found.append(AtThreshold(i / len(above), share, measures.precision, measures.recall, measures.f1))
        return found


@dataclass(frozen=True)
class AtThreshold:
    """Precision, recall and F1 when labels count that are more probable than the threshold.

    Attributes:
        per_document: labels given, by the number of documents; the share that is answered at all, if exclusive.
    """

    threshold: float
    per_document: float
    precision: float
    recall: float
    f1: float


class Collector:
    """Takes the probabilities of some documents after the other.

    Args:
        gold: right labels of all documents, labels the model does not know numbered from `labels` on.
        exclusive: whether the probabilities of a document sum to one.
        depth: how many of the most probable labels to keep, at least.
    """

    def __init__(self, gold: Ragged, labels: int, exclusive: bool, rule: Rule, depth: int = 10) -> None:
        documents = len(gold)
        depth = min(labels, max(depth, rule.k or 1))
        shown = np.arange(labels) if labels != 2 or not exclusive else np.array([1])
        shown = shown[: max(COLUMNS // max(documents, 1), 1)]
        self.scores = Scores(
            gold=gold,
            labels=labels,
            exclusive=exclusive,
            rule=rule,
            top=np.zeros((documents, depth), np.int32),
            top_p=np.zeros((documents, depth), np.float32),
            chosen=Ragged(np.zeros(0, np.int32), np.zeros(1, np.int64)),
            gold_p=np.zeros(len(gold.ids), np.float32),
            squares=np.zeros(documents),
            rest=np.zeros(0 if exclusive else documents),
            columns=np.zeros((documents, len(shown)), np.float32),
            column_labels=shown,
            pairs=Bins.empty(),
            fine=Bins.empty(CURVE),
            features=np.full(documents, -1),
        )
        self.by = owners(gold)
        self.done = 0
        self.chosen: list[np.ndarray] = []
        self.sizes: list[np.ndarray] = []

    def add(self, p: np.ndarray, features: np.ndarray | None = None) -> None:
        """The probabilities of the next documents, float32 (B, C), and how many features of each the model knows.

        Raises:
            DataError: some are no numbers from 0 to 1.
        """
        if not ((p >= 0) & (p <= 1.001)).all():
            raise DataError("the model gives probabilities that are none.", "It is damaged; train it again.")
        kept, rows = self.scores, slice(self.done, self.done + len(p))
        if features is not None:
            kept.features[rows] = features
        kept.top[rows] = best = most_probable(p, kept.top.shape[1])
        kept.top_p[rows] = np.take_along_axis(p, best, 1)
        kept.squares[rows] = np.einsum("ij,ij->i", p, p, dtype=np.float64)
        kept.columns[rows] = p[:, kept.column_labels]
        labels, sizes = kept.rule.choose(best, p)
        self.chosen.append(labels)
        self.sizes.append(sizes)
        truth = self._truth(p, rows)
        if kept.exclusive:
            p, truth = kept.top_p[rows, 0], truth[np.arange(len(p)), best[:, 0]]
        else:
            least = float(np.finfo(np.float32).eps)
            kept.rest[rows] = np.log1p(-np.minimum(p, 1 - least), dtype=np.float64).sum(1)
        for bins in (kept.pairs, kept.fine):
            bins.add(p.ravel(), truth.ravel())
        self.done += len(p)

    def add_few(self, top: Top, asked: Probabilities, features: np.ndarray) -> None:
        """As `add`, of exclusive labels that are too many to ask for all.

        Args:
            top: as many of the most probable labels as are kept.
            asked: the probabilities of other ones.

        Raises:
            DataError: some are no numbers from 0 to 1.
        """
        kept, rows = self.scores, slice(self.done, self.done + len(top.ids))
        kept.among = kept.top.shape[1]
        if not ((top.counts == kept.among).all() and (top.p <= 1.001).all()):
            raise DataError("the model gives probabilities that are none.", "It is damaged; train it again.")
        kept.features[rows], kept.top[rows], kept.top_p[rows] = features, top.ids, top.p
        first, last = kept.gold.offsets[[rows.start, rows.stop]]
        labels, documents = kept.gold.ids[first:last], self.by[first:last] - rows.start
        known = labels < kept.labels
        right = np.zeros(last - first, np.float32)
        right[known] = asked(documents[known], labels[known])
        kept.gold_p[first:last] = right
        hits = top.ids[documents] == labels[:, None]
        missed = right.astype(np.float64) ** 2 * ~hits.any(1)
        squares = (top.p.astype(np.float64) ** 2).sum(1) + np.bincount(documents, missed, minlength=len(top.ids))
        kept.squares[rows] = squares
        each = np.repeat(np.arange(len(top.ids)), len(kept.column_labels))
        columns = np.tile(kept.column_labels.astype(np.int32), len(top.ids))
        kept.columns[rows] = asked(each, columns).reshape(len(top.ids), -1)
        chosen, sizes = kept.rule.choose_among(top.ids, top.p)
        self.chosen.append(chosen)
        self.sizes.append(sizes)
        best_right = np.bincount(documents, hits[:, 0], minlength=len(top.ids)) > 0
        for bins in (kept.pairs, kept.fine):
            bins.add(top.p[:, 0], best_right)
        self.done += len(top.ids)

    def _truth(self, p: np.ndarray, rows: slice) -> np.ndarray:
        """Whether each label is right, bool (B, C); notes the probabilities of those that are."""
        first, last = self.scores.gold.offsets[[rows.start, rows.stop]]
        labels, documents = self.scores.gold.ids[first:last], self.by[first:last] - rows.start
        known = labels < self.scores.labels
        truth = np.zeros(p.shape, np.bool_)
        truth[documents[known], labels[known]] = True
        self.scores.gold_p[first:last][known] = p[documents[known], labels[known]]
        return truth

    def finish(self) -> Scores:
        """All that was kept, once every document has been there."""
        sizes = np.concatenate([[0], *self.sizes])
        self.scores.chosen = Ragged(np.concatenate([np.zeros(0, np.int32), *self.chosen]), np.cumsum(sizes))
        return self.scores
