"""Quantised models: probabilities and backoffs of 2 to 16 bits, by one codebook for each order."""

from dataclasses import dataclass
from functools import partial
from itertools import pairwise

import numpy as np

from ..errors import UsageError
from ..formats.backoff import BackoffTrie
from ..kernels import quantisation as kernels
from ..parallel import ordered_map, split_evenly, thread_count
from .conversion import changed
from .model import NGramModel
from .packed import PackedTrie, Quantised

LEAST_BITS, MOST_BITS = 2, 16
_EXACT = (0.0, -99.0)  # log10 of one and of zero: kept as they are
_STEPS = 50  # of Lloyd's algorithm
_PIECES = 16


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


def quantise(trie: BackoffTrie, bits: int, threads: int = 1) -> tuple[Quantised, list[CodeErrors]]:
    """Replace the numbers of all orders but the first by the nearest of 2**bits values.

    Each order has one codebook for log10 probabilities and one for log10 backoffs, of least mean squared error: bins
    of equal population, refined by Lloyd's algorithm. Zero backoffs stay zero. Contexts sum to one within what the
    errors of their numbers make of it; unigrams stay exact.

    Raises:
        UsageError: a number of bits that codes cannot have.
    """
    check_bits(bits)
    bases = trie.bases.tolist()
    codes = np.zeros(bases[-1], np.uint32), np.zeros(bases[-2], np.uint32)
    books, errors = [], []
    for order, (base, end) in enumerate(pairwise(bases), 1):
        if order == 1:
            continue
        for name, values, out in zip(("log_p", "backoff"), (trie.log_p, trie.backoff), codes, strict=True):
            if end <= len(values):
                book = codebook(values[base:end], 1 << bits)
                books.append(np.full(1 << bits, book[-1] if len(book) else 0.0, np.float32))
                books[-1][: len(book)] = book
                found = encode(values[base:end], books[-1], out[base:end], threads)
                errors.append(CodeErrors(order, name, end - base, *found))
    return Quantised(*codes, bits, np.concatenate([*books, np.zeros(0, np.float32)])), errors


def quantised_model(
    model: NGramModel, bits: int = 8, *, threads: int | None = None
) -> tuple[NGramModel, list[CodeErrors]]:
    """The same model with quantised numbers, see `quantise`."""
    threads = thread_count(threads)
    trie = model.trie(threads)
    codes, errors = quantise(trie, bits, threads)
    report = changed(model.report, f"quantized:{bits}")
    return NGramModel(PackedTrie.pack(trie, threads, codes), model.vocabulary, model.tokenizer, report), errors


def codebook(values: np.ndarray, size: int) -> np.ndarray:
    """At most `size` ascending float32 values that are near float32 (E,) `values` in the mean square.

    Log10 of one and of zero are among them where they occur.
    """
    ascending = np.sort(values)
    starts = np.flatnonzero(np.diff(ascending, prepend=np.float32(-np.inf)) > 0)
    if len(starts) <= size:
        return ascending[starts]
    fixed = np.intersect1d(ascending[starts], np.array(_EXACT, np.float32)).astype(np.float64)
    sums = np.concatenate([[0.0], np.cumsum(ascending, dtype=np.float64)])
    book = np.union1d(_first_guess(_lacking(ascending, fixed), size - len(fixed)), fixed)
    for _ in range(_STEPS):
        edges = np.concatenate([[0], np.searchsorted(ascending, _borders(book)), [len(ascending)]])
        population = np.diff(edges)
        means = np.diff(sums[edges]) / np.maximum(population, 1)
        moved = np.where((population > 0) & ~np.isin(book, fixed), means, book)
        if np.array_equal(moved, book):
            break
        book = np.unique(moved)
    return book.astype(np.float32)


def _lacking(ascending: np.ndarray, fixed: np.ndarray) -> np.ndarray:
    """Ascending values without those that are among a few fixed ones."""
    ends = [np.searchsorted(ascending, fixed.astype(np.float32), side).tolist() for side in ("left", "right")]
    cuts = [0, *(cut for pair in zip(*ends, strict=True) for cut in pair), len(ascending)]
    return np.concatenate([ascending[a:b] for a, b in zip(cuts[::2], cuts[1::2], strict=True)])


def _first_guess(ascending: np.ndarray, size: int) -> np.ndarray:
    """Half of the codes where the values are, half of them evenly over their range, which bounds the largest error."""
    by_rank = ascending[((np.arange(size // 2) + 0.5) / (size // 2) * len(ascending)).astype(np.int64)]
    return np.concatenate([by_rank, np.linspace(ascending[0], ascending[-1], size - size // 2)])


def _borders(book: np.ndarray) -> np.ndarray:
    """Where the nearest value changes, float32."""
    return ((book[1:] + book[:-1]) / 2).astype(np.float32)


def encode(values: np.ndarray, book: np.ndarray, out: np.ndarray, threads: int) -> tuple[float, float]:
    """Write the code of the nearest value in `book`, float32 (2**b,), for each of `values`.

    Returns:
        Mean and largest distance.
    """
    borders = _borders(book.astype(np.float64))  # where codes are not used, the last value
    parts = split_evenly(len(values), _PIECES * threads)
    work = partial(_encode_part, values, borders, book, out)
    found = list(ordered_map(work, parts, threads))
    return sum(total for total, _ in found) / max(len(values), 1), max((most for _, most in found), default=0.0)


def _encode_part(
    values: np.ndarray, borders: np.ndarray, book: np.ndarray, out: np.ndarray, part: tuple[int, int]
) -> tuple[float, float]:
    total, largest = kernels.nearest(values, *part, borders, book, out)
    return float(total), float(largest)
