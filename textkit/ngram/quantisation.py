"""Quantised models: probabilities and backoffs of 2 to 16 bits, by one codebook for each order."""

from dataclasses import dataclass
from functools import partial
from itertools import pairwise
from typing import Literal

import numpy as np

from ..errors import UsageError
from ..formats.backoff import BackoffTrie
from ..kernels import quantisation as kernels
from ..parallel import ordered_map, thread_count
from ..store import Store, picked, release_pages, slices
from .conversion import changed
from .model import NGramModel
from .packed import PackedTrie, Quantised

LEAST_BITS, MOST_BITS = 2, 16
_EXACT = (0.0, -99.0)  # log10 of one and of zero: kept as they are
_STEPS = 50  # of Lloyd's algorithm
_SHARE = 8  # of the limit, what is sorted at a time
_SAMPLE = 1 << 16


@dataclass(frozen=True)
class CodeErrors:
    """How far codes are from what they stand for, in log10: of one order's probabilities or backoffs."""

    order: int
    number: str
    values: int
    mean: float
    largest: float


def check_bits(bits: int) -> None:
    """Raise UsageError for a number of bits that codes cannot have."""
    if not LEAST_BITS <= bits <= MOST_BITS:
        raise UsageError(
            f"{bits} bits make no codebook.", f"Give {LEAST_BITS} to {MOST_BITS}; 8 is usual and loses little."
        )


def quantise(
    trie: BackoffTrie, bits: int, threads: int = 1, store: Store | None = None
) -> tuple[Quantised, list[CodeErrors]]:
    """Replace the numbers of all orders but the first by the nearest of 2**bits values.

    Each order has one codebook for log10 probabilities and one for log10 backoffs, of least mean squared error: bins
    of equal population, refined by Lloyd's algorithm. Zero backoffs stay zero. Contexts sum to one within what the
    errors of their numbers make of it; unigrams stay exact.

    Args:
        store: makes the arrays, in memory if not given: 20 bytes for each n-gram of an order.

    Raises:
        UsageError: a number of bits that codes cannot have.
    """
    check_bits(bits)
    bases = trie.bases.tolist()
    store = store or Store()
    codes = store.zeros(bases[-1], np.uint32), store.zeros(bases[-2], np.uint32)
    books, errors = [], []
    for order, (base, end) in enumerate(pairwise(bases), 1):
        if order == 1:
            continue
        for name, values, out in zip(("log_p", "backoff"), (trie.log_p, trie.backoff), codes, strict=True):
            if end <= len(values):
                book = codebook(values[base:end], 1 << bits, store)
                books.append(np.full(1 << bits, book[-1] if len(book) else 0.0, np.float32))
                books[-1][: len(book)] = book
                found = encode(values[base:end], books[-1], out[base:end], threads, store)
                errors.append(CodeErrors(order, name, end - base, *found))
    return Quantised(*codes, bits, np.concatenate([*books, np.zeros(0, np.float32)])), errors


def quantised_model(
    model: NGramModel, bits: int = 8, *, threads: int | None = None, store: Store | None = None
) -> tuple[NGramModel, list[CodeErrors]]:
    """The same model with quantised numbers, see `quantise`."""
    threads = thread_count(threads)
    trie = model.trie(threads, store)
    codes, errors = quantise(trie, bits, threads, store)
    packed, report = PackedTrie.pack(trie, threads, codes, store), changed(model.report, f"quantized:{bits}")
    return NGramModel(packed, model.vocabulary, model.tokenizer, report), errors


def codebook(values: np.ndarray, size: int, store: Store | None = None) -> np.ndarray:
    """At most `size` ascending float32 values that are near float32 (E,) `values` in the mean square.

    Log10 of one and of zero are among them where they occur.
    """
    store = store or Store()
    ascending = _ascending(values, store)
    few = _distinct(ascending, size)
    if len(few) <= size:
        return few
    fixed = np.array([value for value in sorted(_EXACT) if _holds(ascending, value)])
    sums = _sums(ascending, store)
    book = np.union1d(_first_guess(_Lacking(ascending, fixed), size - len(fixed)), fixed)
    for _ in range(_STEPS):
        edges = np.concatenate([[0], _places(ascending, _borders(book)), [len(ascending)]])
        population = np.diff(edges)
        means = np.diff(picked(sums, edges)) / np.maximum(population, 1)
        moved = np.where((population > 0) & ~np.isin(book, fixed), means, book)
        if np.array_equal(moved, book):
            break
        book = np.unique(moved)
    return book.astype(np.float32)


def _ascending(values: np.ndarray, store: Store) -> np.ndarray:
    """The values sorted; where memory is limited, a range of them after the other."""
    if store.limit is None:
        return np.sort(values)
    out, done = store.empty(len(values), np.float32), 0
    borders: list[float] = [
        -np.inf,
        *_quantiles(values, -(-len(values) // store.share(_SHARE, 4, len(values)))),
        np.inf,
    ]
    for low, high in pairwise(borders):
        same = sum(int(np.count_nonzero(piece == low)) for piece in slices(values))  # can be most of all values
        out[done : done + same] = low
        parts = [piece[(piece > low) & (piece < high)] for piece in slices(values)]
        found = np.sort(np.concatenate([np.zeros(0, np.float32), *parts]))
        done += same
        out[done : done + len(found)] = found
        done += len(found)
        release_pages()
    return out


def _quantiles(values: np.ndarray, parts: int) -> list[float]:
    """Values that cut about equal parts, by a sample."""
    step = max(1, len(values) // _SAMPLE)
    sample = np.sort(np.concatenate([piece[::step] for piece in slices(values)] or [np.zeros(0, np.float32)]))
    return sorted({float(sample[len(sample) * i // parts]) for i in range(1, parts)})


def _distinct(ascending: np.ndarray, most: int) -> np.ndarray:
    """The distinct ones of ascending values; some of them if there are more than `most`."""
    found = np.zeros(0, np.float32)
    for piece in slices(ascending):
        found = np.union1d(found, piece[np.diff(piece, prepend=np.float32(-np.inf)) > 0])
        if len(found) > most:
            break
    return found


def _holds(ascending: np.ndarray, value: float) -> bool:
    place = int(_places(ascending, np.array([value], np.float32))[0])
    return place < len(ascending) and ascending[place] == np.float32(value)


def _places(ascending: np.ndarray, values: np.ndarray, side: Literal["left", "right"] = "left") -> np.ndarray:
    """Where values belong among ascending ones, int64."""
    found = np.searchsorted(ascending, values, side)
    release_pages()
    return found


def _sums(values: np.ndarray, store: Store) -> np.ndarray:
    """Sums of the first 0, 1, 2, … values, float64 (E + 1,)."""
    sums, done = store.empty(len(values) + 1, np.float64), 0
    sums[0] = 0.0
    for piece in slices(values):
        np.cumsum(
            np.concatenate([sums[done : done + 1], piece]), dtype=np.float64, out=sums[done : done + 1 + len(piece)]
        )
        done += len(piece)
    return sums


class _Lacking:
    """Ascending values without those that are among a few fixed ones, looked at by index."""

    def __init__(self, ascending: np.ndarray, fixed: np.ndarray) -> None:
        self.ascending = ascending
        begins, ends = (_places(ascending, fixed.astype(np.float32), side) for side in ("left", "right"))
        self.cuts = np.stack([[0, *ends], [*begins, len(ascending)]]).astype(np.int64)  # first and last of each stretch
        self.before = np.concatenate([[0], np.cumsum(self.cuts[1] - self.cuts[0])])

    def __len__(self) -> int:
        return int(self.before[-1])

    def __getitem__(self, indices: np.ndarray) -> np.ndarray:
        stretch = np.searchsorted(self.before, indices, "right") - 1
        return picked(self.ascending, self.cuts[0][stretch] + indices - self.before[stretch])


def _first_guess(ascending: _Lacking, size: int) -> np.ndarray:
    """Half of the codes where the values are, half of them evenly over their range, which bounds the largest error."""
    by_rank = ascending[((np.arange(size // 2) + 0.5) / (size // 2) * len(ascending)).astype(np.int64)]
    least, most = ascending[np.array([0, len(ascending) - 1])]
    return np.concatenate([by_rank, np.linspace(least, most, size - size // 2)])


def _borders(book: np.ndarray) -> np.ndarray:
    """Where the nearest value changes, float32."""
    return ((book[1:] + book[:-1]) / 2).astype(np.float32)


def encode(
    values: np.ndarray, book: np.ndarray, out: np.ndarray, threads: int, store: Store | None = None
) -> tuple[float, float]:
    """Write the code of the nearest value in `book`, float32 (2**b,), for each of `values`.

    Returns:
        Mean and largest distance.
    """
    borders = _borders(book.astype(np.float64))  # where codes are not used, the last value
    parts = (store or Store()).pieces(len(values), 8, threads)
    work = partial(_encode_part, values, borders, book, out)
    found = list(ordered_map(work, parts, threads))
    return sum(total for total, _ in found) / max(len(values), 1), max((most for _, most in found), default=0.0)


def _encode_part(
    values: np.ndarray, borders: np.ndarray, book: np.ndarray, out: np.ndarray, part: tuple[int, int]
) -> tuple[float, float]:
    total, largest = kernels.nearest(values, *part, borders, book, out)
    return float(total), float(largest)
