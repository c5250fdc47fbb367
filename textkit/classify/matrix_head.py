"""A classifier of embeddings whose rows lie elsewhere: in a mapped file of fastText, or as codes of codebooks."""

from typing import Any

import numpy as np

from ..errors import DataError
from ..formats.matrices import CENTROIDS, Codebook, Coded, Dense, whole
from ..parallel import ordered_map, split_evenly, thread_count
from .embedding import EmbeddingHead
from .labelling import Ragged

_ROWS = 1 << 15
_CODED = ("codes", "centroids", "norms", "norm_values")

Rows = Dense | Coded


class MatrixHead(EmbeddingHead):
    """As `EmbeddingHead`, but its rows are read, or put together from codes, when a document has them.

    Args:
        rows: a vector for each feature.
        output: as of `EmbeddingHead`, float32, or `Coded`: then its numbers are put together at once.
    """

    kind = "rows"

    def __init__(self, loss: str, rows: Rows, output: np.ndarray | Coded, counts: np.ndarray) -> None:
        matrix = whole(output) if isinstance(output, Coded) else output
        super().__init__(loss, np.zeros((0, rows.shape[1]), np.float32), matrix, counts)
        self.rows = rows
        self.coded_output = output if isinstance(output, Coded) else None

    def hidden(self, bags: Ragged, threads: int | None = None) -> np.ndarray:
        """See EmbeddingHead. Raises DataError where a row that is needed has numbers that are none."""
        workers = thread_count(threads)
        out = np.empty((len(bags), self.dim), np.float32)

        def fill(part: tuple[int, int]) -> None:
            self.rows.means(bags.offsets, bags.ids, *part, out)

        for _ in ordered_map(fill, split_evenly(len(bags), 4 * workers) if len(bags) else [], workers):
            pass
        if not np.isfinite(out).all():
            raise DataError("the model has rows with numbers that are infinite or none at all.", "Is it damaged?")
        return out

    def logits(self, bags: Ragged, threads: int | None = None) -> np.ndarray:
        """See EmbeddingHead."""
        if self.loss == "hs":
            return self._tree_logits(bags, threads)
        return self.hidden(bags, threads) @ self.output[:, : self.dim].T + self.biases

    def contributions(self, rows: np.ndarray, label: int) -> np.ndarray:
        """See EmbeddingHead."""
        direction = self._direction(label)[: self.dim]
        return (self.rows.take(rows) @ direction / np.float32(max(len(rows), 1))).astype(np.float32)

    def weights(self, label: int) -> np.ndarray:
        """See EmbeddingHead."""
        direction, out = self._direction(label)[: self.dim], np.empty(self.rows.shape[0], np.float32)
        for first in range(0, len(out), _ROWS):
            out[first : first + _ROWS] = self.rows.take(np.arange(first, min(first + _ROWS, len(out)))) @ direction
        return out

    def scaled(self, factor: float) -> "MatrixHead":
        """The same with logits, but for the biases, times a number."""
        output: Any = self.output.copy()
        output[:, : self.dim] *= np.float32(factor)
        if self.coded_output is not None and not self.biased:
            output = self.coded_output.scaled(factor)
        head = MatrixHead(self.loss, self.rows, output, self.counts)
        head.temperature = self.temperature
        return head

    def arrays(self) -> dict[str, np.ndarray]:
        """The arrays of the container."""
        output: Any = self.output if self.coded_output is None else self.coded_output
        return {"head.counts": self.counts, **matrix_arrays("rows", self.rows), **matrix_arrays("output", output)}

    def settings(self) -> dict[str, Any]:
        """What the header holds."""
        return {"kind": self.kind, "loss": self.loss, "widths": [width_of(self.rows), width_of(self.coded_output)]}

    @classmethod
    def from_arrays(cls, arrays: dict[str, Any], settings: dict[str, Any], rows: int) -> "MatrixHead":
        """The inverse of `arrays` and `settings`, for a model of `rows` features.

        Raises:
            DataError: arrays that do not fit together.
        """
        try:
            widths = [int(width) for width in settings["widths"]]
            matrix, output = (matrix_from(arrays, n, w) for n, w in zip(("rows", "output"), widths, strict=True))
            head = cls(settings["loss"], _as_rows(matrix), output, arrays["head.counts"])
        except (KeyError, ValueError) as error:
            raise DataError(f"the model is damaged: it lacks or spoils {error}.") from None
        head.check(rows, head.rows.shape)
        return head


def width_of(matrix: Any) -> int:
    """Coordinates that share a byte; 0 where nothing is coded."""
    return matrix.book.width if isinstance(matrix, Coded) else 0


def _as_rows(matrix: np.ndarray | Coded) -> Rows:
    return matrix if isinstance(matrix, Coded) else Dense.of(matrix)


def matrix_arrays(name: str, matrix: np.ndarray | Rows) -> dict[str, np.ndarray]:
    """The arrays of a matrix."""
    if isinstance(matrix, Coded):
        parts = matrix.codes, matrix.book.centroids, matrix.norms, matrix.norm_values
        return {f"head.{name}.{part}": array for part, array in zip(_CODED, parts, strict=True)}
    if isinstance(matrix, Dense):
        matrix = matrix.data.view("<f4").reshape(matrix.shape)
    return {f"head.{name}": matrix}


def matrix_from(arrays: dict[str, Any], name: str, width: int) -> np.ndarray | Coded:
    """The inverse of `matrix_arrays`. Raises ValueError or KeyError for what makes no sense."""
    if width == 0:
        matrix = arrays[f"head.{name}"]
        if matrix.ndim != 2 or matrix.dtype != np.float32:
            raise ValueError(name)
        return matrix  # type: ignore[no-any-return]
    codes, centroids, norms, values = (arrays[f"head.{name}.{part}"] for part in _CODED)
    dim = len(centroids) // CENTROIDS
    right = centroids.ndim == codes.ndim == norms.ndim == 1 and len(centroids) == dim * CENTROIDS and 1 <= width <= dim
    right = right and [a.dtype for a in (codes, norms, centroids, values)] == [np.uint8, np.uint8, "f4", "f4"]
    if not (right and values.shape == (CENTROIDS,) and np.isfinite(centroids).all() and np.isfinite(values).all()):
        raise ValueError(f"{name}.centroids")
    found = Coded(codes, Codebook(centroids, width), norms, values)
    rows = found.shape[0]
    if len(codes) != rows * found.book.parts or len(norms) not in (0, rows):
        raise ValueError(f"{name}.codes")
    return found
