"""Which lines of a scored text to keep: by limits, or by quantiles found without holding the numbers in memory."""

import math
import tempfile
from collections.abc import Iterable, Iterator
from dataclasses import dataclass

import numpy as np

from .. import files
from ..errors import DataError, UsageError

_HALF = 1 << 16


@dataclass(frozen=True)
class Selection:
    """What to keep of a scored text, and how to group it; smaller measures are better.

    Args:
        by: the measure that decides, a name of `Scorer.names`.
        below, above: keep lines with a smaller, a larger measure.
        percentile: keep the best so many per cent of the lines; those equal to the last of them stay too.
        buckets: number the lines by quantile from 1, the best, to this.
    """

    by: str = "perplexity"
    below: float | None = None
    above: float | None = None
    percentile: float | None = None
    buckets: int | None = None

    def __post_init__(self) -> None:
        if self.percentile is not None and not 0 < self.percentile <= 100:
            raise UsageError(f"--keep-percentile {self.percentile:g} makes no sense.", "Give a number from 0 to 100.")
        if any(limit is not None and math.isnan(limit) for limit in (self.below, self.above)):
            raise UsageError("a limit that is no number keeps nothing.", "Give a number.")
        if self.buckets is not None and not 2 <= self.buckets <= 10_000:
            raise UsageError(f"--buckets {self.buckets} makes no sense.", "Give 2 or more; 3 is head, middle, tail.")

    @property
    def filters(self) -> bool:
        """Whether any line may go."""
        return (self.below, self.above, self.percentile) != (None, None, None)

    @property
    def needs_ranks(self) -> bool:
        """Whether all lines must be scored before the first can be judged."""
        return self.percentile is not None or self.buckets is not None

    def shares(self) -> list[float]:
        """The shares of the lines whose largest measures are needed: of the percentile, then of each bucket."""
        wanted = [] if self.percentile is None else [self.percentile / 100]
        return wanted + [k / self.buckets for k in range(1, self.buckets)] if self.buckets else wanted


@dataclass(frozen=True)
class Judge:
    """A selection whose limits are known; `limits` float32 are those of `Selection.shares`."""

    selection: Selection
    limits: np.ndarray | None = None

    @property
    def _limits(self) -> np.ndarray:
        assert self.limits is not None, "a selection that needs ranks"
        return self.limits

    def kept(self, measure: np.ndarray) -> np.ndarray:
        """Which lines to keep, bool (L,)."""
        kept = np.ones(len(measure), np.bool_)
        if self.selection.below is not None:
            kept &= measure < self.selection.below
        if self.selection.above is not None:
            kept &= measure > self.selection.above
        if self.selection.percentile is not None:
            kept &= _rounded(measure) <= self._limits[0]
        return kept

    def buckets(self, measure: np.ndarray) -> np.ndarray:
        """The bucket of each line from 1, int64 (L,)."""
        limits = self._limits if self.selection.percentile is None else self._limits[1:]
        return np.searchsorted(limits, _rounded(measure), side="left") + 1


class Spool:
    """Numbers of a scored text in a temporary file, and quantiles of one column of them.

    Memory does not grow with the text: float32 values are ranked by histograms of their upper, then lower 16 bits.
    """

    def __init__(self, column: int) -> None:
        self.column, self.sizes, self.lines = column, list[tuple[int, int]](), 0
        self.file = tempfile.TemporaryFile(prefix="textkit-scores-")
        self.upper = np.zeros(_HALF, np.int64)

    def __enter__(self) -> "Spool":
        return self

    def __exit__(self, *_error: object) -> None:
        self.file.close()

    def append(self, numbers: np.ndarray) -> None:
        """Add the numbers of a block, float64 (L, C)."""
        try:
            self.file.write(np.ascontiguousarray(numbers).data)
        except OSError as error:
            raise DataError(
                f"cannot keep scores in a temporary file: {files.why(error)}.", "Point TMPDIR to a place with room."
            ) from error
        self.sizes.append(numbers.shape)
        self.lines += len(numbers)
        self.upper += np.bincount(_keys(numbers[:, self.column]) >> 16, minlength=_HALF)

    def __iter__(self) -> Iterator[np.ndarray]:
        """The blocks as they were added."""
        self.file.seek(0)
        for shape in self.sizes:
            data = self.file.read(8 * shape[0] * shape[1])
            yield np.frombuffer(bytearray(data), np.float64).reshape(shape)

    def limits(self, shares: Iterable[float]) -> np.ndarray:
        """The largest of the best share of all lines, for each of some shares; float32."""
        ranks = np.array([max(math.ceil(share * self.lines - 1e-9), 1) for share in shares], np.int64)
        if not self.lines:
            return np.zeros(len(ranks), np.float32)
        before = np.concatenate([[0], np.cumsum(self.upper)])
        bins = np.searchsorted(before[1:], ranks)
        lower = {int(b): np.zeros(_HALF, np.int64) for b in bins}
        for numbers in self:
            keys = _keys(numbers[:, self.column])
            for b, tally in lower.items():
                tally += np.bincount(keys[keys >> 16 == b] & (_HALF - 1), minlength=_HALF)
        found = [
            int(b) << 16 | int(np.searchsorted(np.cumsum(lower[int(b)]), rank - before[b]))
            for b, rank in zip(bins, ranks, strict=True)
        ]
        return _values(np.array(found, np.uint32))


def _rounded(measure: np.ndarray) -> np.ndarray:
    with np.errstate(over="ignore"):
        return measure.astype(np.float32)


def _keys(measure: np.ndarray) -> np.ndarray:
    """uint32 in the order of float32 values."""
    bits = _rounded(measure).view(np.uint32)
    return np.where(bits >> 31, ~bits, bits | np.uint32(1 << 31))


def _values(keys: np.ndarray) -> np.ndarray:
    """The inverse of `_keys`."""
    return np.where(keys >> 31, keys & np.uint32(0x7FFFFFFF), ~keys).astype(np.uint32).view(np.float32)
