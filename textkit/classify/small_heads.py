"""What of a head can be coded: numbers for each feature, how far they move labels apart; and the head of codes."""

from dataclasses import replace

import numpy as np

from ..errors import UsageError
from ..formats.coding import coded
from ..formats.matrices import Coded
from .embedding import EmbeddingHead
from .linear import LinearHead
from .matrix_head import MatrixHead
from .parts import Head
from .small_linear import SmallLinearHead

_ROWS = 1 << 15
_NOTHING = 1e-6  # share of the largest singular value below which a direction counts for nothing

Small = MatrixHead | SmallLinearHead


def codable(head: Head) -> EmbeddingHead | LinearHead:
    """The same probabilities with rows of as few numbers as can be.

    Rows of embeddings become as wide as the labels' vectors have independent directions. Of a softmax only differences
    of logits count, so that two labels need one number a feature.

    Raises:
        UsageError: a head that is coded already.
    """
    if isinstance(head, SmallLinearHead) or (isinstance(head, MatrixHead) and isinstance(head.rows, Coded)):
        raise UsageError("this model is quantised already.", "Quantise the one that it was made from.")
    if isinstance(head, LinearHead):
        return head
    assert isinstance(head, EmbeddingHead)
    output, biases = head.output[:, : head.dim].astype(np.float64), head.output[:, head.dim :]
    if head.loss == "softmax":
        output = output - output.mean(0)
    _, sizes, directions = np.linalg.svd(output, full_matrices=False)
    rank = max(1, int(np.count_nonzero(sizes > _NOTHING * sizes[0])))
    if rank == head.dim:
        return head
    axes = np.ascontiguousarray(directions[:rank].T, np.float32)
    rows = np.concatenate([rows_of(head, part) @ axes for part in _parts(head)])
    return EmbeddingHead(head.loss, rows, np.hstack([(output @ axes).astype(np.float32), biases]), head.counts)


def width_of_rows(head: EmbeddingHead | LinearHead) -> int:
    """How many numbers a feature has."""
    return head.matrix.shape[1] if isinstance(head, LinearHead) else head.dim


def rows_of(head: EmbeddingHead | LinearHead, rows: np.ndarray) -> np.ndarray:
    """The numbers of some features, float32 (n, D); rows int64 (n,)."""
    if isinstance(head, MatrixHead):
        return head.rows.take(rows)
    return (head.matrix if isinstance(head, LinearHead) else head.input)[rows]


def moved(head: EmbeddingHead | LinearHead) -> np.ndarray:
    """How far one occurrence of each feature moves labels apart, float32 (R,): the spread of what it adds to them."""
    if isinstance(head, LinearHead):
        matrix = head.matrix
        if head.loss == "softmax" and matrix.shape[1] > 1:
            matrix = matrix - matrix.mean(1, keepdims=True)
        return np.asarray(np.linalg.norm(matrix, axis=1) * head.scale, np.float32)
    output = head.output[:, : head.dim]
    axes = output - output.mean(0) if head.loss == "softmax" else output
    # |row A'| by a D x D root of A'A, so that many labels cost no more than few.
    values, vectors = np.linalg.eigh(axes.T.astype(np.float64) @ axes / len(axes))
    root = (vectors * np.sqrt(np.maximum(values, 0))).astype(np.float32)
    return np.concatenate([np.linalg.norm(rows_of(head, part) @ root, axis=1) for part in _parts(head)])


def _parts(head: EmbeddingHead | LinearHead) -> list[np.ndarray]:
    if isinstance(head, LinearHead):
        size = len(head.matrix)
    else:
        size = head.rows.shape[0] if isinstance(head, MatrixHead) else len(head.input)
    return [np.arange(first, min(first + _ROWS, size)) for first in range(0, size, _ROWS)]


def coded_head(
    head: EmbeddingHead | LinearHead, rows: np.ndarray, weights: np.ndarray, *, width: int, norms: bool, output: bool,
    seed: int, threads: int | None,
) -> Small:  # fmt: skip
    """The head of some features by codes.

    Args:
        rows: int64 (n,), features in their new order.
        weights: float32 (n,), how much the error of each matters.
        output: code the labels' vectors of embeddings, too.
    """
    values = rows_of(head, rows)
    matrix = coded(values, width, norms=norms, weights=weights, seed=seed, threads=threads)
    if isinstance(head, LinearHead):
        scales = coded(head.scale[rows, None], 1, norms=False, weights=weights, seed=seed, threads=threads)
        return SmallLinearHead(head.loss, head.labels, matrix, head.biases, scales)
    labels = coded(head.output, 2, norms=False, seed=seed, threads=threads) if output else head.output
    return MatrixHead(head.loss, matrix, labels, head.counts)


def draft_head(head: EmbeddingHead | LinearHead, rows: int, *, width: int, norms: bool, output: bool) -> Small:
    """A head of codes of nothing, which takes as many bytes as that of `coded_head`."""

    def empty(count: int, dim: int, width: int, norms: bool) -> Coded:
        found = coded(np.zeros((0, dim), np.float32), width, norms=norms, threads=1)
        codes, lengths = np.zeros(count * found.book.parts, np.uint8), np.zeros(count * norms, np.uint8)
        return replace(found, codes=codes, norms=lengths)

    matrix = empty(rows, width_of_rows(head), width, norms)
    if isinstance(head, LinearHead):
        return SmallLinearHead(head.loss, head.labels, matrix, head.biases, empty(rows, 1, 1, False))
    labels = empty(len(head.output), head.output.shape[1], 2, False) if output else head.output
    return MatrixHead(head.loss, matrix, labels, head.counts)
