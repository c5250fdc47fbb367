"""From counts to probabilities by any smoothing method: a few terms for each order, and one pass over its n-grams."""

from collections.abc import Iterator
from dataclasses import dataclass
from itertools import pairwise

import numpy as np

from ..kernels import counting as count_kernels
from ..kernels import logs
from ..kernels import smoothing as kernels
from ..parallel import ordered_map
from ..store import Store, slices
from ..text.vocabulary import BOS, UNK
from .counts import Level, NGramCounts, find_ngram
from .gather import gather

_BYTES = 40  # of an n-gram, about, while it is estimated
_NO_VALUES = np.empty(0, np.int32)


def raw_counts(counts: NGramCounts) -> list[np.ndarray]:
    """Occurrences of all n-grams by level, int32; <s> by itself counts nothing, as it is never predicted."""
    values = [level.counts for level in counts.levels]
    values[0] = values[0].copy()
    values[0][BOS] = 0
    return values


def adjusted_counts(counts: NGramCounts, store: Store | None = None, threads: int = 1) -> list[np.ndarray]:
    """Kneser-Ney counts of every level, int32, made by `store`, in memory if not given.

    The highest order keeps its counts. Below it an n-gram counts the distinct words to its left, <s> among them;
    one that begins with <s> has no left and keeps its count, and <s> by itself counts nothing.
    """
    store, highest = store or Store(), counts.levels[-1].counts

    def extended(pair: tuple[Level, Level]) -> np.ndarray:
        return _left_extensions(pair[1].suffixes, len(pair[0].words), store)

    # One order at a time where memory is limited, several otherwise.
    adjusted = list(ordered_map(extended, pairwise(counts.levels), threads if store.limit is None else 1))
    begin, end = BOS, BOS + 1  # the entries that begin with <s> are a range of every level
    for level, values in zip(counts.levels, adjusted, strict=False):
        values[begin:end] = level.counts[begin:end]
        assert level.edges is not None
        begin, end = int(level.edges[begin]), int(level.edges[end])
    adjusted.append(highest.copy() if counts.order == 1 else highest)
    adjusted[0][BOS] = 0
    return adjusted


def _left_extensions(suffixes: np.ndarray | None, size: int, store: Store) -> np.ndarray:
    """How many n-grams have each suffix, int32 (size,): a range of suffixes at a time where memory is limited."""
    assert suffixes is not None
    step = store.share(4, 4, size)
    out = store.empty(size, np.int32)
    for low in range(0, size, step):
        part = out if step == size else np.empty(min(step, size - low), np.int32)
        part[:] = 0
        for piece in slices(suffixes):
            count_kernels.count_left_extensions(piece, low, part)
        out[low : low + step] = part
    return out


def counts_of_counts(values: list[np.ndarray], most: int, threads: int = 1) -> list[list[int]]:
    """How many n-grams of each order have count 1, 2, … `most`."""

    def tally(piece: np.ndarray) -> np.ndarray:
        found = np.zeros(most + 1, np.int64)
        count_kernels.counts_of_counts(piece, found)
        return found[1:]

    return [sum(ordered_map(tally, slices(counts), threads), np.zeros(most, np.int64)).tolist() for counts in values]


def adjust_as_lmplz(tallies: list[list[int]], counts: NGramCounts, adjusted: list[np.ndarray]) -> None:
    """Tally the proper suffixes of the last n-gram by their raw counts.

    lmplz does so: it empties its buffers after the last n-gram without adjusting.
    """
    last = counts.last
    for length in range(1, counts.order):
        suffix = last[-length:]
        if suffix[0] == BOS:
            break
        entry = find_ngram(counts.levels[:length], suffix)
        assert entry is not None
        tally = tallies[length - 1]
        true, raw = int(adjusted[length - 1][entry]), int(counts.levels[length - 1].counts[entry])
        if 0 < true <= len(tally):
            tally[true - 1] -= 1
        if raw <= len(tally):
            tally[raw - 1] += 1


@dataclass(frozen=True)
class Terms:
    """How the counts a of one order become its own shares of probability, see `kernels.smoothing`.

        own = weight (a - D(a)) / (S + per_type T + per_context)

    Attributes:
        discounts: D for counts 1, 2, …; the last for all above.
        weights: by the number of bits of S, the sum of a after the context; the last for all above.
        reserve: added to the denominator where nothing is left over for other words.
    """

    discounts: tuple[float, ...] = (0.0,)
    per_type: float = 0.0
    per_context: float = 0.0
    weights: tuple[float, ...] = (1.0,)
    reserve: float = 0.0

    def arrays(self) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
        """Discounts from count 0 on, (per_type, per_context, reserve), weights; float64."""
        extra = np.array([self.per_type, self.per_context, self.reserve])
        return np.array([0.0, *self.discounts]), extra, np.array(self.weights)


@dataclass(frozen=True)
class Plan:
    """Everything that turns counts into probabilities.

    Args:
        terms: of each order.
        backoff: use the order below only for what was not seen, instead of always adding its share; unigrams always
            add theirs, as the unknown word's probability would not be comparable otherwise.
        alpha: stupid backoff's factor, which then replaces all backoff weights.
        interpolate_unigrams: add its share of the uniform distribution to every word; if not, the unknown word gets
            all of it (as SRILM does).
        vocab_pad: take the vocabulary to be at least so large.
    """

    terms: list[Terms]
    backoff: bool = False
    alpha: float | None = None
    interpolate_unigrams: bool = True
    vocab_pad: int = 0


def estimate_levels(
    counts: NGramCounts,
    values: list[np.ndarray],
    plan: Plan,
    kept: list[np.ndarray],
    threads: int,
    store: Store | None = None,
) -> Iterator[tuple[np.ndarray, np.ndarray | None]]:
    """Estimate all orders from the unigrams up.

    Discounts and denominators are those of all n-grams; what the pruned ones had goes to the backoffs.

    Args:
        values: the counts that the method uses, int32 (E,) by level.
        kept: bool (E,) by level, what is not pruned.
        store: makes the arrays, in memory if not given.

    Yields:
        For each order its probabilities (E,) and the backoff weights of the order below (None for unigrams); float32,
        or float64 in the backoff form.
    """
    store, dtype = store or Store(), np.float64 if plan.backoff else np.float32
    lower = _unigrams(values[0], plan, kept[0]).astype(dtype)
    yield lower, None
    for n in range(1, counts.order):
        lower, backoffs = _longer(counts, n, values, plan, kept, lower, threads, store)
        yield lower, backoffs


def _longer(
    counts: NGramCounts,
    n: int,
    values: list[np.ndarray],
    plan: Plan,
    kept: list[np.ndarray],
    lower: np.ndarray,
    threads: int,
    store: Store,
) -> tuple[np.ndarray, np.ndarray]:
    """Probabilities of the n-grams of levels[n] and backoff weights of those below, whose probabilities are `lower`."""
    level, edges = counts.levels[n], counts.levels[n - 1].edges
    assert edges is not None and level.suffixes is not None
    found, backoffs = store.empty(len(level.words), lower.dtype), store.empty(len(edges) - 1, lower.dtype)
    fixed = plan, plan.terms[n].arrays(), edges, values[n], kept[n], found, backoffs
    if store.small(lower.nbytes):
        order = _Order(*fixed, lower, level.suffixes)
    else:
        order = _Order(*fixed, gather(lower, level.suffixes, store, threads))
    for _ in ordered_map(order.estimate, _by_children(edges, threads, store), threads):
        pass
    return found, backoffs


@dataclass(frozen=True)
class _Order:
    """What the estimates of one order are made of; see `kernels.smoothing`.

    Attributes:
        found, backoffs: the estimates.
        lower, suffixes: probabilities of the order below and the index of each n-gram in them; without suffixes, that
            probability for each n-gram.
    """

    plan: Plan
    terms: tuple[np.ndarray, np.ndarray, np.ndarray]
    edges: np.ndarray
    values: np.ndarray
    kept: np.ndarray
    found: np.ndarray
    backoffs: np.ndarray
    lower: np.ndarray
    suffixes: np.ndarray | None = None

    def estimate(self, contexts: tuple[int, int]) -> None:
        """Estimate the continuations of a range of contexts."""
        first, last = contexts
        edges = self.edges[first : last + 1]
        part = slice(int(edges[0]), int(edges[-1]))
        edges = edges - edges[0]
        if self.suffixes is None:
            lower, suffixes = self.lower[part], np.arange(edges[-1], dtype=np.uint32)
        else:
            lower, suffixes = self.lower, self.suffixes[part]
        stays, backoffs = self.kept[part], self.backoffs[first:last]
        if self.plan.alpha is not None:
            stays = np.ones(len(stays), np.bool_)
        run = kernels.back_off if self.plan.backoff else kernels.interpolate
        run(edges, self.values[part], stays, suffixes, lower, *self.terms, 0, last - first, self.found[part], backoffs)
        if self.plan.alpha is not None:
            backoffs[edges[1:] > edges[:-1]] = self.plan.alpha


@dataclass
class Estimates:
    """log10 probabilities of all levels and log10 backoffs of all but the highest, float32, by level."""

    log_probabilities: list[np.ndarray]
    log_backoffs: list[np.ndarray]


def estimate(
    counts: NGramCounts,
    values: list[np.ndarray],
    plan: Plan,
    kept: list[np.ndarray],
    threads: int,
    store: Store | None = None,
) -> Estimates:
    """The logarithms of `estimate_levels`; takes the values and the levels' suffixes away as it goes, for room."""
    found, store, lower = Estimates([], []), store or Store(), None
    highest = np.inf if plan.backoff else 0.0
    for n, (probabilities, backoffs) in enumerate(estimate_levels(counts, values, plan, kept, threads, store)):
        if lower is not None and backoffs is not None:
            found.log_probabilities.append(_log10(lower, 0.0, threads, store))
            found.log_backoffs.append(_log10(backoffs, highest, threads, store))
        values[n], counts.levels[n].suffixes, lower = _NO_VALUES, None, probabilities
    assert lower is not None
    found.log_probabilities.append(_log10(lower, 0.0, threads, store))
    return found


def _log10(values: np.ndarray, highest: float, threads: int, store: Store) -> np.ndarray:
    """log10 float32 of values, at most `highest`; takes their place if they are float32."""
    out = values if values.dtype == np.float32 else store.empty(len(values), np.float32)

    def work(part: tuple[int, int]) -> None:
        scratch, piece = np.empty(1024, np.int32), slice(*part)
        given = values[piece].astype(np.float32, copy=False)
        logs.log10_capped(given, 0, len(given), highest, scratch, scratch.view(np.float32), out[piece])

    for _ in ordered_map(work, store.pieces(len(values), 12, threads), threads):
        pass
    return out


def _by_children(edges: np.ndarray, threads: int, store: Store) -> list[tuple[int, int]]:
    """Ranges of contexts with about equally many continuations."""
    wanted = [a for a, _ in store.pieces(int(edges[-1]), _BYTES, threads)][1:]
    bounds = [0, *np.searchsorted(edges, np.array(wanted, edges.dtype)).tolist(), len(edges) - 1]
    return [(a, b) for a, b in pairwise(bounds) if a < b]


def vocabulary_size(kept: np.ndarray, vocab_pad: int) -> int:
    """Number of words that can be predicted: all unigrams that stay but <s>, or more if so asked."""
    return max(vocab_pad, int(kept.sum()) - 1)


def _unigrams(values: np.ndarray, plan: Plan, kept: np.ndarray) -> np.ndarray:
    """Unigram probabilities float64 (V,), in every form interpolated with the uniform distribution over all but <s>."""
    terms = plan.terms[0]
    discounts, _, weights = terms.arrays()
    taken = discounts[np.minimum(values, len(discounts) - 1)]
    total, types = int(values.sum(dtype=np.int64)), int(np.count_nonzero(values))
    weight = weights[min(total.bit_length(), len(weights) - 1)]
    more = terms.per_type * types + terms.per_context
    freed = float(np.where(kept, taken, values).sum()) + more
    if freed == 0:
        freed = more = terms.reserve
    own = weight * (values - taken) / (total + more)
    gamma = (1.0 - weight) + weight * freed / (total + more)
    words = vocabulary_size(kept, plan.vocab_pad)
    if plan.alpha is not None:
        own[values == 0] = plan.alpha / words
    elif plan.interpolate_unigrams:
        own += gamma / words
    else:
        own[UNK] += gamma
    own[BOS] = 1.0  # never predicted; its entry only carries a backoff weight
    return own


__all__ = ["Estimates", "Plan", "Terms", "estimate", "estimate_levels"]
