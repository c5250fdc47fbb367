"""Held-out tokens as the counts of a training text see them: what tuning and comparing work on."""

from dataclasses import dataclass, field, replace
from functools import cached_property
from itertools import pairwise

import numpy as np

from ..kernels import counting as count_kernels
from ..kernels import smoothing as kernels
from ..kernels import trie
from ..store import Store, picked, release_pages, slices
from ..text.corpus import EncodedCorpus
from ..text.vocabulary import BOS, EOS
from .counting import MOST_TOKENS, line_ranges
from .counts import Level, NGramCounts
from .gather import gather
from .smoothing import raw_counts

MOST_PLACES = 1 << 16  # enough to settle some dozens of parameters
_PIECE = 1 << 20
_CONTEXTS = 1 << 8  # looked at in one go
_FEW = 1 << 8  # tokens looked up in one go where memory is limited: each may touch pages all over


@dataclass(frozen=True)
class Places:
    """Tokens to predict, and where the counts know the n-grams that end in them.

    Attributes:
        entries: int64 (order, M), entry of the n-gram of each length that ends in the token, -1 if it does not occur.
        contexts: int64 (order, M), entry of that n-gram without the token in the level below, 0 for unigrams, -1 if
            it does not occur.
        left_out: how many occurrences of each token to leave out of the counts, as the tokens are of the counted text
            itself; 0 if they are not.
    """

    entries: np.ndarray
    contexts: np.ndarray
    left_out: int = 0

    def sample(self, most: int = MOST_PLACES) -> "Places":
        """Evenly spread ones, at most so many."""
        step = -(-self.entries.shape[1] // most)
        return Places(self.entries[:, ::step], self.contexts[:, ::step], self.left_out) if step > 1 else self


def find_places(counts: NGramCounts, corpus: EncodedCorpus, most: int | None = None, limited: bool = False) -> Places:
    """Every token of a text, line ends included, encoded with the vocabulary of the counts.

    Memory: 16 bytes a place and order.

    Args:
        most: only so many, evenly spread.
        limited: look up few at a time, and let go of the pages of the counts after each.
    """
    total, done = corpus.lines + sum(len(piece) - _marks(piece) for piece in slices(corpus.ids)), 0
    step = 1 if most is None else max(1, -(-total // most))
    parts = [np.zeros((2, counts.order, 0), np.int64)]
    for begin, end in line_ranges(corpus, _FEW if limited else _PIECE):
        found, predicted = _looked_up(counts, corpus, begin, end)
        wanted = predicted[-done % step :: step]
        entries = np.stack([nodes[wanted] for nodes in found])
        contexts = np.stack([np.zeros(len(wanted), np.int64), *(nodes[wanted - 1] for nodes in found[:-1])])
        parts.append(np.stack([entries, contexts]))
        done += len(predicted)
        release_pages()
    return Places(*np.concatenate(parts, axis=2))


def _marks(ids: np.ndarray) -> int:
    """How many sentence marks are among the tokens: they are left out."""
    return int(np.count_nonzero((ids == BOS) | (ids == EOS)))


def _looked_up(counts: NGramCounts, corpus: EncodedCorpus, begin: int, end: int) -> tuple[list[np.ndarray], np.ndarray]:
    """The stream of some lines: entries of the n-grams of each length that end at each place, and what is predicted."""
    offsets = np.array(corpus.offsets[begin : end + 1])
    stream = np.empty(int(offsets[-1] - offsets[0]) + 2 * (end - begin), np.int32)
    ids = np.array(corpus.ids[offsets[0] : offsets[-1]])
    stream = stream[: count_kernels.sentence_stream(ids, offsets, 0, end - begin, stream)[0]]
    found = [stream.astype(np.int64)]
    for below, level in pairwise(counts.levels):
        found.append(np.empty(len(stream), np.int64))
        trie.look_up_order(stream, found[-2], level.words, below.edges, found[-1])
    return found, np.flatnonzero(stream != BOS)


def leave_one_out(counts: NGramCounts, most: int = MOST_PLACES) -> Places:
    """Tokens of the counted text itself, all or evenly spread ones, each with the longest n-gram that ends in it.

    That is one of the highest order, or a shorter one that begins with <s>. In a text where all of these occur twice
    or more, for instance since all of it stands there twice, so many are left out at once: otherwise none would be new.
    """
    longest = _longest(counts)
    total = sum(int(piece.sum(dtype=np.int64)) for _, values in longest for piece in slices(values))
    step, skipped = max(1, -(-total // most)), 0
    parts = []
    for n, (first, values) in enumerate(longest):
        entries, skipped = _every(values, step, skipped)
        parts.append(_shortened(counts.levels, n, first + entries))
    entries, contexts = (np.concatenate(arrays, axis=1) for arrays in zip(*parts, strict=True))
    pieces = (piece for _, values in longest for piece in slices(values))
    fewest = min(int(piece.min(initial=MOST_TOKENS, where=piece > 0)) for piece in pieces)
    return Places(entries, contexts, left_out=fewest)


def _longest(counts: NGramCounts) -> list[tuple[int, np.ndarray]]:
    """Those n-grams of each level that no longer one ends in, but for <s> alone: first entry and counts int32."""
    values, begin, end = raw_counts(counts), BOS, BOS + 1
    found: list[tuple[int, np.ndarray]] = []
    for below, occurrences in zip(counts.levels[:-1], values, strict=False):
        found.append((begin, occurrences[begin:end]))
        assert below.edges is not None
        begin, end = int(below.edges[begin]), int(below.edges[end])
    return [*found, (0, values[-1])]


def _every(counts: np.ndarray, step: int, skipped: int) -> tuple[np.ndarray, int]:
    """The entry of every `step`-th occurrence, `skipped` having gone by before, and how many then went by."""
    found = [np.zeros(0, np.int64)]
    for first in range(0, len(counts), _PIECE):
        ends = np.cumsum(counts[first : first + _PIECE], dtype=np.int64)
        wanted = np.arange(step - 1 - skipped, int(ends[-1]), step)
        found.append(first + np.searchsorted(ends, wanted, side="right"))
        skipped = (skipped + int(ends[-1])) % step
        release_pages()
    return np.concatenate(found), skipped


def _shortened(levels: list[Level], n: int, entries: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Entries and contexts (order, M) of n-grams of level n and of all their suffixes; -1 above."""
    found, contexts = np.full((2, len(levels), len(entries)), -1, np.int64)
    found[n] = entries
    if n:
        edges = levels[n - 1].edges
        assert edges is not None
        for i in range(0, len(entries), _CONTEXTS):
            part = entries[i : i + _CONTEXTS].astype(edges.dtype)
            contexts[n, i : i + _CONTEXTS] = np.searchsorted(edges, part, side="right") - 1
            release_pages()
    for k in range(n - 1, -1, -1):
        suffixes = levels[k + 1].suffixes
        assert suffixes is not None
        found[k] = picked(suffixes, found[k + 1])
        if k:
            suffixes = levels[k].suffixes
            assert suffixes is not None
            contexts[k] = picked(suffixes, contexts[k + 1])
    contexts[0] = 0
    return found, contexts


@dataclass(frozen=True)
class Facts:
    """What an order's counts say of each place; float64.

    Attributes:
        count: (M,), of the n-gram; 0 if it does not occur.
        total: (M,), sum of the counts after its context; 0 if that does not occur.
        types: (M, bins), continuations of the context with count 1, 2, … and the last or more.
        covered, covered_types: the same sums over the same continuations with the counts of the order below, after
            the shortened context; only the backoff form needs them.
    """

    count: np.ndarray
    total: np.ndarray
    types: np.ndarray
    covered: np.ndarray | None = None
    covered_types: np.ndarray | None = None

    @cached_property
    def distinct(self) -> np.ndarray:
        """Number of continuations of the context, float64 (M,)."""
        return self.types.sum(axis=1)


@dataclass
class Observer:
    """Looks places up in counts.

    Args:
        values: the counts by level that the method uses, of which `adjusted` tells whether lower orders count left
            neighbours.
        store: makes arrays of n-grams.
    """

    counts: NGramCounts
    values: list[np.ndarray]
    adjusted: bool
    places: Places
    store: Store = field(default_factory=Store)

    def facts(self, n: int, bins: int) -> Facts:
        """The facts of level n."""
        count, total, types = self._sums(n, self.values[n], bins)
        _take(count, total, types, self._leaving(n))
        return Facts(count, total, types)

    def with_covered(self, facts: Facts, n: int, bins: int) -> Facts:
        """The facts of level n > 0 with what they cover of the level below, of which types have `bins`."""
        _, covered, types = self._sums(
            n, gather(self.values[n - 1], self.counts.levels[n].suffixes, self.store, 1), bins
        )
        if self.places.left_out:
            here, below = self.places.entries[n] >= 0, _at(self.values[n - 1], self.places.entries[n - 1])
            leaving = np.where(facts.count > 0, self._leaving(n - 1), below)  # all of it where level n lists it no more
            _take(below, covered, types, np.where(here, leaving, 0.0))
        return replace(facts, covered=covered, covered_types=types)

    def _sums(self, n: int, values: np.ndarray, bins: int) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
        """Value of each place's n-gram of level n, sum of the values after its context, and their types."""
        entries, contexts = self.places.entries[n], self.places.contexts[n]
        edges = self.counts.levels[n - 1].edges if n else np.array([0, len(values)], np.uint32)
        total, types, known = np.zeros(len(entries)), np.zeros((len(entries), bins)), contexts >= 0
        unique, inverse = np.unique(contexts[known], return_inverse=True)
        totals, spread = np.empty(len(unique)), np.empty((len(unique), bins))
        for i in range(0, len(unique), _CONTEXTS):
            part = slice(i, i + _CONTEXTS)
            kernels.context_facts(edges, values, unique[part], totals[part], spread[part])
            release_pages()
        total[known], types[known] = totals[inverse], spread[inverse]
        return _at(values, entries), total, types

    def _leaving(self, n: int) -> np.ndarray:
        """How much the value of each place at level n falls when it is left out, float64 (M,)."""
        size = self.places.left_out
        here = np.where(self.places.entries[n] >= 0, float(size), 0.0)
        if not self.adjusted or n + 1 == self.counts.order:
            return here
        longer = self.places.entries[n + 1]
        gone = _at(self.counts.levels[n + 1].counts, longer) <= size  # a left neighbour goes only with its last
        return np.where(longer < 0, here, np.where(gone, np.minimum(here, 1.0), 0.0))


def _at(values: np.ndarray, indices: np.ndarray) -> np.ndarray:
    """values[indices] as float64, 0 where the index is negative."""
    found = np.zeros(len(indices))
    found[indices >= 0] = picked(values, indices[indices >= 0])
    return found


def _take(count: np.ndarray, total: np.ndarray, types: np.ndarray, taken: np.ndarray) -> None:
    """Lower counts, their sums and their types by what is left out, in place."""
    rows, last = np.flatnonzero(taken), types.shape[1]
    before, after = count[rows].astype(np.int64), (count[rows] - taken[rows]).astype(np.int64)
    types[rows, np.minimum(before, last) - 1] -= 1
    types[rows[after > 0], np.minimum(after[after > 0], last) - 1] += 1
    count[rows] -= taken[rows]
    total[rows] -= taken[rows]
