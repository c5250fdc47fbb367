"""What training a classifier drives down: softmax, hierarchical softmax, negative sampling, one-vs-all.

Each is the arrays that `kernels.embedding.train` needs, and how scores become probabilities.
"""

import math
from dataclasses import dataclass, field
from functools import cached_property

import numpy as np

from ..kernels import embedding as kernels
from ..kernels import huffman, sampling

_EXPONENT = 0.5  # labels are drawn as negatives by count ** 0.5, as by fastText
_CODES = {
    "softmax": kernels.SOFTMAX, "hs": kernels.TREE, "ns": kernels.SAMPLED, "ova": kernels.ONE_VS_ALL,
}  # fmt: skip
_NO_PATHS = np.zeros(1, np.int64), np.zeros(0, np.int32), np.zeros(0, np.float32)
_NO_ALIAS = np.zeros(0, np.float32), np.zeros(0, np.int32)
_NO_WEIGHTS = np.zeros(0, np.float32)


@dataclass
class LabelTree:
    """The Huffman tree of the labels, the same as fastText's.

    Attributes:
        counts: int64 (C,), documents of each label.
    """

    counts: np.ndarray

    @cached_property
    def _built(self) -> tuple[np.ndarray, ...]:
        return huffman.tree_of(self.counts, 1)

    @property
    def place(self) -> np.ndarray:
        """The leaf of each label, int64 (C,)."""
        return self._built[0]

    @property
    def parents(self) -> np.ndarray:
        """Of leaves and inner nodes, int64 (2 C - 1,); -1 of the root."""
        return self._built[1]

    @property
    def turns(self) -> np.ndarray:
        """1 where a node is its parent's yes, float32 (2 C - 1,)."""
        return (1 - self._built[2]).astype(np.float32)

    @cached_property
    def paths(self) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
        """(starts, nodes, turns) of each label from the root down."""
        return huffman.paths_of(*self._built)

    @cached_property
    def children(self) -> np.ndarray:
        """The yes and the no of each inner node, int64 (C - 1, 2); labels as -1 - label, inner nodes by number."""
        labels = len(self.counts)
        found = np.zeros((max(labels - 1, 1), 2), np.int64)
        label_of = np.argsort(self.place)
        nodes = np.arange(2 * labels - 2)
        names = np.where(nodes < labels, -1 - label_of[np.minimum(nodes, labels - 1)], nodes - labels)
        found[self.parents[nodes] - labels, self._built[2][nodes]] = names
        return found


@dataclass
class Objective:
    """One loss over C labels.

    Attributes:
        loss: "softmax", "hs", "ns" or "ova".
        counts: int64 (C,), documents of each label in training.
        positive: float32 (C,), how much a label that is right weighs under "ova".
    """

    loss: str
    counts: np.ndarray
    negatives: int = 5
    positive: np.ndarray = field(default_factory=lambda: _NO_WEIGHTS)

    def __post_init__(self) -> None:
        self.code = _CODES[self.loss]
        self.paths, self.alias = _NO_PATHS, _NO_ALIAS
        if self.loss == "hs":
            self.paths = LabelTree(self.counts).paths
        if self.loss == "ns":
            self.alias = sampling.alias_table(np.maximum(self.counts, 1), _EXPONENT)[:2]
        if self.loss == "ova" and len(self.positive) == 0:
            self.positive = np.ones(len(self.counts), np.float32)

    @property
    def outputs(self) -> int:
        """Rows of the output matrix: labels, or inner nodes of their tree."""
        return max(1, len(self.counts) - 1) if self.loss == "hs" else len(self.counts)

    @property
    def first_loss(self) -> float:
        """The mean loss of a document with one label while all outputs are 0, in nats."""
        labels = len(self.counts)
        if self.loss == "softmax":
            return math.log(labels)
        path = (np.diff(self.paths[0]) * self.counts).sum() / max(1, self.counts.sum()) if self.loss == "hs" else 0
        return math.log(2) * {"hs": path, "ns": 1 + self.negatives, "ova": float(self.positive.sum())}[self.loss]

    @property
    def shape(self) -> np.ndarray:
        """Labels and negatives, int64 (2,)."""
        return np.array([len(self.counts), self.negatives], np.int64)


def document_weights(gold_ids: np.ndarray, gold_offsets: np.ndarray, class_weights: np.ndarray) -> np.ndarray:
    """The mean weight of each document's labels, float32 (L,); 1 for a document without."""
    sizes = np.diff(gold_offsets)
    sums = np.bincount(np.repeat(np.arange(len(sizes)), sizes), class_weights[gold_ids], len(sizes))
    return np.where(sizes > 0, sums / np.maximum(sizes, 1), 1.0).astype(np.float32)


def balanced_weights(counts: np.ndarray, documents: int) -> np.ndarray:
    """L / (C n) for a label of n of L documents, float64 (C,): each label weighs as much as any other."""
    present = np.count_nonzero(counts)
    return np.where(counts > 0, documents / (max(present, 1) * np.maximum(counts, 1)), 1.0)


def balanced_decisions(counts: np.ndarray, documents: int) -> np.ndarray:
    """(L - n) / n, float32 (C,): for each label of its own, documents with it weigh as much as those without."""
    return np.where(counts > 0, np.maximum(documents - counts, 1) / np.maximum(counts, 1), 1.0).astype(np.float32)
