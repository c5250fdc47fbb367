"""Documents as sparse vectors: the distinct features of each, and how much each of them weighs.

The value of a feature in a document is (1 + ln count) * scale, the vectors have length 1. The scale is the inverse
document frequency, ln((1 + L) / (1 + documents with the feature)) + 1; or times what the feature tells of the labels: a
refinement of the log-count ratios of NB-SVM (Wang and Manning 2012) to any number of labels, by the divergence of the
labels of the documents that have it from those of all.
"""

from dataclasses import dataclass

import numpy as np

from ..kernels import linear as kernels
from ..parallel import ordered_map, split_evenly, thread_count
from .labelling import Ragged

WEIGHTINGS = ("information", "idf")
_PRIOR = 2.0  # documents that are imagined with each feature, their labels as those of all
_LEAST = 0.2  # added to the divergence, so that no feature is lost


def _gains(most: int) -> np.ndarray:
    """See `kernels.linear.score_bags`."""
    values = np.concatenate([[0.0], 1 + np.log(np.arange(1, most + 1))])
    return np.stack([np.diff(values), np.diff(values**2)]).astype(np.float32)


GAINS = _gains(256)


@dataclass
class Counted:
    """The distinct features of documents. Memory: 8 bytes for each, 4 more for its value.

    Attributes:
        rows: int32 (M,), features in the order of their first occurrence.
        offsets: int64 (L + 1,), document i has rows[offsets[i]:offsets[i + 1]].
        counts: float32 (M,), how often each occurs.
    """

    rows: np.ndarray
    offsets: np.ndarray
    counts: np.ndarray

    def __len__(self) -> int:
        return len(self.offsets) - 1

    @classmethod
    def of(cls, bags: Ragged, threads: int | None = None) -> "Counted":
        """The features of bags, which may repeat."""
        workers, sizes = thread_count(threads), bags.sizes
        places = 1 << max(3, int(2 * sizes.max(initial=1) - 1).bit_length())

        def count(part: tuple[int, int]) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
            room = int(bags.offsets[part[1]] - bags.offsets[part[0]])
            rows, counts = np.empty(room, np.int32), np.empty(room, np.float32)
            ends, table = np.empty(part[1] - part[0], np.int64), np.empty(places, np.int32)
            size = kernels.count_rows(bags.ids, bags.offsets, *part, table, rows, counts, ends)
            return rows[:size].copy(), ends, counts[:size].copy()

        parts = list(ordered_map(count, split_evenly(len(bags), 8 * workers), workers)) if len(bags) else []
        rows = np.concatenate([np.zeros(0, np.int32), *(part[0] for part in parts)])
        counts = np.concatenate([np.zeros(0, np.float32), *(part[2] for part in parts)])
        starts = np.cumsum([0, *(len(part[0]) for part in parts)])
        ends = [part[1] + start for part, start in zip(parts, starts, strict=False)]
        return cls(rows, np.concatenate([np.zeros(1, np.int64), *ends]), counts)

    def take(self, documents: np.ndarray) -> "Counted":
        """These documents in this order, int64."""
        picked = Ragged(self.rows, self.offsets).take(documents)
        return Counted(picked.ids, picked.offsets, Ragged(self.counts, self.offsets).take(documents).ids)

    def values(self, scale: np.ndarray) -> np.ndarray:
        """The value of each feature of each document, float32 (M,); scale float32 (R,)."""
        values = np.empty(len(self.rows), np.float32)
        kernels.weigh(self.rows, self.offsets, self.counts, scale, values)
        return values


def scale_of(counted: Counted, gold: Ragged, features: int, labels: int, weighting: str) -> np.ndarray:
    """How much each feature weighs, float32 (R,), 0 for one that no document has.

    Args:
        gold: labels of the documents.
        weighting: "idf", or "information": idf times what the feature tells of the labels.
    """
    seen = Seen.none(features, labels if weighting == "information" else 0)
    seen.add(counted, gold)
    return seen.scale()


@dataclass
class Seen:
    """In how many documents features have occurred: what their scale comes from.

    Attributes:
        documents: how many there were.
        labels: int64 (C,), of each label.
        frequency: int64 (R,), those that have each feature.
        table: float32 (R, C), those of each label; without columns features are weighed by "idf" alone.
    """

    documents: int
    labels: np.ndarray
    frequency: np.ndarray
    table: np.ndarray

    @classmethod
    def none(cls, features: int, labels: int) -> "Seen":
        """No documents yet."""
        return cls(
            0, np.zeros(labels, np.int64), np.zeros(features, np.int64), np.zeros((features, labels), np.float32)
        )

    def add(self, counted: Counted, gold: Ragged) -> None:
        """Some more documents."""
        self.documents += len(counted)
        self.frequency += np.bincount(counted.rows, minlength=len(self.frequency))
        if len(self.labels):
            self.labels += np.bincount(gold.ids, minlength=len(self.labels))
            kernels.count_labels(counted.rows, counted.offsets, gold.ids, gold.offsets, self.table)

    def scale(self) -> np.ndarray:
        """How much each feature weighs, see `scale_of`."""
        scale = np.log((1 + self.documents) / (1 + self.frequency)) + 1
        if self.labels.any():
            told = np.empty(len(self.frequency), np.float32)
            kernels.divergences(self.table, np.maximum(self.labels / self.labels.sum(), 1e-12), _PRIOR, told)
            scale *= told + _LEAST
        return np.where(self.frequency > 0, scale, 0).astype(np.float32)

    def moved(self, rows: np.ndarray, features: int) -> "Seen":
        """The same where each feature has another row, int64 (R,), among more of them."""
        grown = Seen(
            self.documents,
            self.labels,
            np.zeros(features, np.int64),
            np.zeros((features, len(self.labels)), np.float32),
        )
        grown.frequency[rows], grown.table[rows] = self.frequency, self.table
        return grown
