"""Matrices that stay in a mapped file: float32 at any byte, or coded by product quantisation; rows as one asks."""

from dataclasses import dataclass, field, replace
from typing import Protocol

import numpy as np

from ..errors import DataError
from ..kernels import codebooks, fasttext

CENTROIDS = 256


class Matrix(Protocol):
    """Rows of D numbers that need not lie in memory as such."""

    @property
    def shape(self) -> tuple[int, int]: ...

    def take(self, rows: np.ndarray) -> np.ndarray:
        """These rows, float32 (n, D)."""

    def means(self, starts: np.ndarray, rows: np.ndarray, first: int, last: int, out: np.ndarray) -> None:
        """out[i] = the mean of rows[starts[i]:starts[i + 1]], for i from first to last."""


@dataclass(frozen=True)
class Dense:
    """A float32 matrix by its bytes: uint8 (4 * m * D,), wherever they begin."""

    data: np.ndarray
    shape: tuple[int, int]

    @classmethod
    def of(cls, matrix: np.ndarray) -> "Dense":
        """A float32 matrix in memory, not copied where it is contiguous."""
        matrix = np.ascontiguousarray(matrix, "<f4")
        return cls(matrix.reshape(-1).view(np.uint8), matrix.shape)

    def take(self, rows: np.ndarray) -> np.ndarray:
        """See Matrix."""
        out = np.empty((len(rows), self.shape[1]), np.float32)
        fasttext.take_rows(self.data, self.shape[1], np.ascontiguousarray(rows, np.int32), out)
        return out

    def means(self, starts: np.ndarray, rows: np.ndarray, first: int, last: int, out: np.ndarray) -> None:
        """See Matrix."""
        fasttext.mean_rows(self.data, self.shape[1], starts, rows, first, last, out)


@dataclass(frozen=True)
class Codebook:
    """What codes stand for: float32 (256 * D,), one part of `width` coordinates after the other."""

    centroids: np.ndarray
    width: int

    @property
    def dim(self) -> int:
        return len(self.centroids) // CENTROIDS

    @property
    def parts(self) -> int:
        return -(-self.dim // self.width)


@dataclass(frozen=True)
class Coded:
    """A matrix by product quantisation.

    Attributes:
        codes: uint8 (m * parts,), row after row.
        norms: uint8 (m,), which of norm_values float32 (256,) a row is multiplied by; empty for none.
    """

    codes: np.ndarray
    book: Codebook
    norms: np.ndarray = field(default_factory=lambda: np.zeros(0, np.uint8))
    norm_values: np.ndarray = field(default_factory=lambda: np.ones(CENTROIDS, np.float32))

    @property
    def shape(self) -> tuple[int, int]:
        return len(self.codes) // self.book.parts, self.book.dim

    def scaled(self, factor: float) -> "Coded":
        """The same, times a number."""
        return replace(self, book=Codebook(self.book.centroids * np.float32(factor), self.book.width))

    def take(self, rows: np.ndarray) -> np.ndarray:
        """See Matrix."""
        out = np.empty((len(rows), self.book.dim), np.float32)
        self.means(np.arange(len(rows) + 1), np.ascontiguousarray(rows, np.int32), 0, len(rows), out)
        return out

    def means(self, starts: np.ndarray, rows: np.ndarray, first: int, last: int, out: np.ndarray) -> None:
        """See Matrix."""
        book = self.book
        codebooks.mean_coded(
            self.codes, book.parts, book.width, book.centroids, self.norms, self.norm_values, starts, rows, first,
            last, out,
        )  # fmt: skip


def whole(matrix: "Dense | Coded") -> np.ndarray:
    """All rows as an array of its own, float32 (m, D).

    Raises:
        DataError: numbers that are not finite.
    """
    rows = matrix.take(np.arange(matrix.shape[0], dtype=np.int32))
    if not np.isfinite(rows).all():
        raise DataError("a matrix of the model has numbers that are infinite or none at all.", "Is the file damaged?")
    return rows


@dataclass(frozen=True)
class Picked:
    """Rows of a matrix in an order of one's own, read when they are asked for; where `numbers` is -1, zeros.

    Indexed by a slice or an array as a float32 array would be.
    """

    matrix: "Dense | Coded"
    numbers: np.ndarray
    dtype = np.dtype(np.float32)
    ndim = 2

    @property
    def shape(self) -> tuple[int, int]:
        return len(self.numbers), self.matrix.shape[1]

    def __len__(self) -> int:
        return len(self.numbers)

    def __getitem__(self, index: slice | np.ndarray) -> np.ndarray:
        numbers = self.numbers[index]
        rows = self.matrix.take(np.maximum(numbers, 0))
        rows[numbers < 0] = 0
        return rows

    def __array__(self, dtype: object = None, copy: bool | None = None) -> np.ndarray:
        return self[:].astype(dtype or np.float32, copy=False)  # type: ignore[call-overload,no-any-return]
