"""The classifier of embeddings: the mean of a document's features' vectors, scored by each label's vector."""

from collections.abc import Callable
from dataclasses import dataclass
from functools import cached_property
from typing import Any

import numpy as np

from ..errors import DataError
from ..kernels import embedding as kernels
from ..kernels.features import NONE
from ..kernels.simd import aligned_rows, padded
from ..parallel import ordered_map, split_evenly, thread_count
from .labelling import Ragged
from .objectives import LabelTree
from .probabilities import SCORES, Top, as_probabilities, top_of

# Of pairs of documents int64 and labels int32, (n,): float32 (n,).
Probabilities = Callable[[np.ndarray, np.ndarray], np.ndarray]
_SLACK = 1e-3  # of log probabilities, which sums of rounded steps can be off by
_FEW_LABELS = 12  # for so many, each feature's share of each logit is kept instead of its vector


@dataclass
class EmbeddingHead:
    """Trained matrices and how to ask them.

    Attributes:
        loss: "softmax", "hs", "ns" or "ova".
        input: float32 (R, D), a vector for each feature.
        output: float32 (C, D), or with biases (C, D + 1); for "hs" of the C - 1 inner nodes of the Huffman tree.
        counts: int64 (C,), documents of each label in training: they make the tree.
        temperature: logits are divided by it before they become probabilities.
    """

    loss: str
    input: np.ndarray
    output: np.ndarray
    counts: np.ndarray
    temperature: float = 1.0

    kind = "embedding"

    @property
    def dim(self) -> int:
        return self.input.shape[1]

    @property
    def labels(self) -> int:
        return len(self.counts)

    @property
    def biased(self) -> bool:
        """Whether labels have a bias."""
        return self.output.shape[1] > self.dim

    # --- what is made of the matrices when it is first needed ---------------------------------------------

    @cached_property
    def flat_input(self) -> np.ndarray:
        """Input rows padded as kernels want them, flat."""
        width = padded(self.dim + self.biased)
        whole = self.input.base
        if isinstance(whole, np.ndarray) and whole.shape == (len(self.input), width) and whole.flags.c_contiguous:
            return whole.reshape(-1)
        rows = aligned_rows(len(self.input), self.dim + self.biased)
        rows[:, : self.dim] = self.input
        return rows.reshape(-1)

    @cached_property
    def tree(self) -> LabelTree:
        """The tree of hierarchical softmax."""
        return LabelTree(self.counts)

    @cached_property
    def shares(self) -> np.ndarray:
        """Each feature's part of each logit before the mean, float32 (R, C); for few labels."""
        out = np.empty((len(self.input), self.labels), np.float32)
        plain = self.input.flags.c_contiguous
        flat = self.input.reshape(-1) if plain else self.flat_input
        width = self.dim if plain else padded(self.dim + self.biased)
        kernels.feature_shares(flat, width, np.ascontiguousarray(self.output[:, : self.dim]), out)
        return out

    @cached_property
    def biases(self) -> np.ndarray:
        """Of each output row, float32."""
        if self.biased:
            return np.ascontiguousarray(self.output[:, self.dim])
        return np.zeros(len(self.output), np.float32)

    # --- scores -------------------------------------------------------------------------------------------

    def hidden(self, bags: Ragged, threads: int | None = None) -> np.ndarray:
        """The mean vector of each document, float32 (L, D); 0 where it has no feature."""
        width, workers = padded(self.dim + self.biased), thread_count(threads)
        out = np.zeros((len(bags), width), np.float32)

        def fill(part: tuple[int, int]) -> None:
            a, b = part
            flat = out[a:b].reshape(-1)
            kernels.hidden_vectors(bags.offsets[a : b + 1], bags.ids, self.flat_input, width, NONE, flat)

        for _ in ordered_map(fill, split_evenly(len(bags), 4 * workers), workers):
            pass
        return out[:, : self.dim]

    def logits(self, bags: Ragged, threads: int | None = None) -> np.ndarray:
        """The score of each document and label, float32 (L, C); of hierarchical softmax log probabilities."""
        if self.loss == "hs":
            return self._tree_logits(bags, threads)
        if self.labels > _FEW_LABELS:
            return self.hidden(bags, threads) @ self.output[:, : self.dim].T + self.biases
        out = np.empty((len(bags), self.labels), np.float32)
        out[:] = self.biases
        workers = thread_count(threads)

        def add(part: tuple[int, int]) -> None:
            a, b = part
            kernels.sum_scores(bags.offsets[a : b + 1], bags.ids, self.shares, out[a:b])

        for _ in ordered_map(add, split_evenly(len(bags), 4 * workers), workers):
            pass
        return out

    def _tree_logits(self, bags: Ragged, threads: int | None) -> np.ndarray:
        """Log probabilities of all labels, of some documents at a time."""
        found = np.zeros((len(bags), self.labels), np.float32)
        if self.labels < 2:
            return found
        hidden = self.hidden(bags, threads)
        size = max(1, SCORES // self.labels)
        for first in range(0, len(bags), size):
            scores = hidden[first : first + size] @ self.output[:, : self.dim].T + self.biases
            out = np.empty((len(scores), 2 * self.labels - 1), np.float32)
            kernels.tree_log_probabilities(scores, self.tree.parents, self.tree.turns, out)
            found[first : first + size] = out[:, self.tree.place]
        return found

    def probabilities(self, logits: np.ndarray) -> np.ndarray:
        """Of logits: softmax, sigmoid for "ova" and "ns", exp for "hs"; float32 (L, C)."""
        return as_probabilities(logits, self.loss, self.temperature)

    def top(self, bags: Ragged, k: int = 1, threshold: float = 0.0, threads: int | None = None) -> Top:
        """The k best labels of each document whose probability is at least `threshold`.

        Never more than some million logits are in memory at once.

        Args:
            k: at most so many, -1 for all.
        """
        if self.searches and 0 < k < self.labels:
            return self._tree_top(np.ascontiguousarray(self.hidden(bags, threads)), k, threshold, threads)
        return top_of(lambda part: self.probabilities(self.logits(part, threads)), bags, self.labels, k, threshold)

    @property
    def searches(self) -> bool:
        """Whether the best labels, and any one of them, can be asked for without asking for all."""
        return self.loss == "hs" and self.temperature == 1  # else a sum over all labels is needed

    def search(self, bags: Ragged, k: int, threads: int | None = None) -> tuple[Top, Probabilities]:
        """The k best labels of each document, and what tells the probability of others, where the head `searches`."""
        hidden = np.ascontiguousarray(self.hidden(bags, threads))
        output = np.ascontiguousarray(self.output[:, : self.dim])

        def probabilities(documents: np.ndarray, labels: np.ndarray) -> np.ndarray:
            found = np.zeros(len(labels), np.float32)
            if self.labels > 1:
                kernels.path_log_probabilities(hidden, output, self.biases, self.tree.paths, documents, labels, found)
            return np.exp(found)

        return self._tree_top(hidden, k, 0.0, threads), probabilities

    def _tree_top(self, hidden: np.ndarray, k: int, threshold: float, threads: int | None) -> Top:
        """The best labels by a search of the tree, which asks few of many labels."""
        workers, count = thread_count(threads), len(hidden)
        output = np.ascontiguousarray(self.output[:, : self.dim])
        least = np.float32(np.log(threshold) - _SLACK if threshold > 0 else -np.inf)
        ids, scores = np.full((count, k), -1, np.int32), np.full((count, k), -np.inf, np.float32)
        counts = np.zeros(count, np.int64)

        def search(part: tuple[int, int]) -> None:
            a, b = part
            stack, reached = np.empty(self.labels + 1, np.int64), np.empty(self.labels + 1, np.float32)
            kernels.tree_top(
                hidden[a:b], output, self.biases, self.tree.children, least, stack, reached, ids[a:b], scores[a:b],
                counts[a:b],
            )  # fmt: skip

        for _ in ordered_map(search, split_evenly(count, 4 * workers) if count else [], workers):
            pass
        p = np.exp(scores)
        good = (p >= threshold) & (ids >= 0)
        return Top(np.where(good, ids, -1).astype(np.int32), np.where(good, p, np.float32(0)), good.sum(1))

    # --- explanations ---------------------------------------------------------------------------------------

    def contributions(self, rows: np.ndarray, label: int) -> np.ndarray:
        """How much each occurrence of a feature adds to a label's logit, float32 (n,): their sum and the bias are it.

        For hierarchical softmax the sum is that of the scores along the label's path, yes counted +, no -.

        Args:
            rows: int32 (n,), the document's features.
        """
        direction = self._direction(label)[: self.dim]
        return (self.input[rows] @ direction / np.float32(max(len(rows), 1))).astype(np.float32)

    def bias(self, label: int) -> float:
        """What a label's logit is without any feature."""
        return float(self._direction(label)[self.dim]) if self.biased else 0.0

    def weights(self, label: int) -> np.ndarray:
        """What each feature adds to a label's logit if it is all of a document, float32 (R,)."""
        return self.input @ self._direction(label)[: self.dim]

    def _direction(self, label: int) -> np.ndarray:
        if self.loss != "hs":
            return self.output[label]
        starts, nodes, turns = self.tree.paths
        path = slice(starts[label], starts[label + 1])
        return (2 * turns[path] - 1) @ self.output[nodes[path]]

    # --- keeping --------------------------------------------------------------------------------------------

    def arrays(self) -> dict[str, np.ndarray]:
        """The arrays of the container."""
        return {"head.input": self.input, "head.output": self.output, "head.counts": self.counts}

    def settings(self) -> dict[str, Any]:
        """What the header holds."""
        return {"kind": self.kind, "loss": self.loss}

    @classmethod
    def from_arrays(cls, arrays: dict[str, Any], settings: dict[str, Any], rows: int) -> "EmbeddingHead":
        """The inverse of `arrays` and `settings`, for a model of `rows` features.

        Raises:
            DataError: arrays that do not fit together.
        """
        try:
            head = cls(settings["loss"], *(arrays[f"head.{name}"] for name in ("input", "output", "counts")))
        except KeyError as missing:
            raise DataError(f"the model is damaged: it lacks {missing}.") from None
        head.check(rows, head.input.shape)
        return head

    def check(self, rows: int, shape: tuple[int, ...]) -> None:
        """Raises DataError where matrices do not fit a number of features, or each other.

        Args:
            shape: of the matrix that has a row for each feature.
        """
        outputs = max(1, self.labels - 1) if self.loss == "hs" else self.labels
        fits = len(shape) == self.output.ndim == 2 and self.input.dtype == self.output.dtype == np.float32
        fits = fits and self.counts.dtype == np.int64
        if not fits or shape[0] != rows or len(self.output) != outputs or self.output.shape[1] - shape[1] not in (0, 1):
            raise DataError("the model is damaged: its matrices do not fit its features and labels.")


def searching(head: object) -> EmbeddingHead | None:
    """The head of a model, if it `searches`."""
    return head if isinstance(head, EmbeddingHead) and head.searches else None
