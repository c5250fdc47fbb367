"""The sparse linear model: each feature has a weight for each label, and documents are weighted sparse vectors."""

from dataclasses import dataclass
from typing import Any

import numpy as np

from ..errors import DataError
from ..kernels import linear as kernels
from ..parallel import ordered_map, split_evenly, thread_count
from .labelling import Ragged
from .probabilities import Top, as_probabilities, top_of
from .sparse import GAINS, Counted

LOSSES = ("softmax", "ova")


@dataclass
class LinearHead:
    """Trained weights and how to ask them.

    Attributes:
        loss: "softmax" or "ova".
        labels: C.
        matrix: float32 (R, K), a column for each label. Two labels of softmax share one: it is the difference of
            their logits. A single label of softmax has none.
        biases: float32 (K,).
        scale: float32 (R,), how much each feature weighs in a document, see `sparse`.
        temperature: logits are divided by it before they become probabilities.
    """

    loss: str
    labels: int
    matrix: np.ndarray
    biases: np.ndarray
    scale: np.ndarray
    temperature: float = 1.0

    kind = "linear"

    @property
    def signs(self) -> np.ndarray:
        """By how much the one column counts for each of two exclusive labels, else 1; float32 (C,)."""
        pair = self.labels == 2 and self.matrix.shape[1] == 1
        return np.array([-0.5, 0.5] if pair else [1.0] * self.labels, np.float32)

    # --- scores -------------------------------------------------------------------------------------------

    def logits(self, bags: Ragged, threads: int | None = None) -> np.ndarray:
        """The score of each document and label, float32 (L, C)."""
        workers, out = thread_count(threads), np.empty((len(bags), self.labels), np.float32)

        def fill(part: tuple[int, int]) -> None:
            columns = np.empty((part[1] - part[0], self.matrix.shape[1]), np.float32)
            kernels.score_bags(
                bags.ids, bags.offsets, *part, GAINS, self.scale, self.matrix.reshape(-1), self.biases,
                np.zeros(len(self.scale), np.int32), columns.reshape(-1),
            )  # fmt: skip
            out[part[0] : part[1]] = self._by_label(columns)

        for _ in ordered_map(fill, split_evenly(len(bags), 4 * workers) if len(bags) else [], workers):
            pass
        return out

    def scores(self, documents: Counted) -> np.ndarray:
        """The same of documents whose features are counted already."""
        columns = self.matrix.shape[1]
        out = np.empty((len(documents), columns), np.float32)
        out[:] = self.biases
        kernels.add_scores(
            documents.rows, documents.offsets, documents.values(self.scale), self.matrix.reshape(-1), columns,
            out.reshape(-1),
        )  # fmt: skip
        return self._by_label(out)

    def _by_label(self, columns: np.ndarray) -> np.ndarray:
        """The scores of labels (L, C) from those of columns (L, K)."""
        if columns.shape[1] in (0, self.labels):
            return columns if self.labels == columns.shape[1] else np.zeros((len(columns), self.labels), np.float32)
        return columns * self.signs

    def probabilities(self, logits: np.ndarray) -> np.ndarray:
        """Of logits: softmax, or sigmoid for "ova"; float32 (L, C)."""
        return as_probabilities(logits, self.loss, self.temperature)

    def top(self, bags: Ragged, k: int = 1, threshold: float = 0.0, threads: int | None = None) -> Top:
        """The k best labels of each document whose probability is at least `threshold`; -1 for all."""
        return top_of(lambda part: self.probabilities(self.logits(part, threads)), bags, self.labels, k, threshold)

    # --- explanations ---------------------------------------------------------------------------------------

    def contributions(self, rows: np.ndarray, label: int) -> np.ndarray:
        """How much each occurrence of a feature adds to a label's logit, float32 (n,): their sum and the bias are it.

        Occurrences of one feature share alike in what they add together.

        Args:
            rows: int32 (n,), the document's features.
        """
        own = Counted.of(Ragged(rows, np.array([0, len(rows)], np.int64)), 1)
        shares = own.values(self.scale) * self.weights(label)[own.rows] / own.counts
        order = np.argsort(own.rows)
        return shares[order][np.searchsorted(own.rows, rows, sorter=order)]

    def bias(self, label: int) -> float:
        """What a label's logit is without any feature."""
        column = self._column(label)
        return 0.0 if column is None else float(self.biases[column] * self.signs[label])

    def weights(self, label: int) -> np.ndarray:
        """What each feature adds to a label's logit if it is all of a document, float32 (R,)."""
        column = self._column(label)
        if column is None:
            return np.zeros(len(self.scale), np.float32)
        return self.matrix[:, column] * self.signs[label]

    def _column(self, label: int) -> int | None:
        columns = self.matrix.shape[1]
        return None if columns == 0 else min(label, columns - 1)

    # --- keeping --------------------------------------------------------------------------------------------

    def arrays(self) -> dict[str, np.ndarray]:
        """The arrays of the container."""
        return {"head.matrix": self.matrix, "head.biases": self.biases, "head.scale": self.scale}

    def settings(self) -> dict[str, Any]:
        """What the header holds."""
        return {"kind": self.kind, "loss": self.loss, "labels": self.labels}

    @classmethod
    def from_arrays(cls, arrays: dict[str, Any], settings: dict[str, Any], rows: int) -> "LinearHead":
        """The inverse of `arrays` and `settings`, for a model of `rows` features.

        Raises:
            DataError: arrays that do not fit together.
        """
        try:
            named = (arrays[f"head.{name}"] for name in ("matrix", "biases", "scale"))
            head = cls(settings["loss"], settings["labels"], *named)
        except KeyError as missing:
            raise DataError(f"the model is damaged: it lacks {missing}.") from None
        matrix, biases, scale, labels = head.matrix, head.biases, head.scale, head.labels
        columns = {labels} if head.loss == "ova" else {labels if labels > 2 else labels - 1}
        wrong = (
            head.loss not in LOSSES
            or not isinstance(labels, int)
            or matrix.ndim != 2
            or matrix.shape[1] not in columns
            or (len(matrix), biases.shape, scale.shape) != (rows, matrix.shape[1:], (rows,))
            or {matrix.dtype, biases.dtype, scale.dtype} != {np.dtype(np.float32)}
        )
        if wrong:
            raise DataError("the model is damaged: its weights do not fit its features and labels.")
        return head
