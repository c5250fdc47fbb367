"""Adding up n-gram counts: of shards counted apart, of one text less another, of texts weighted by whole numbers."""

import bisect
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from itertools import pairwise

import numpy as np

from ..errors import DataError, UsageError
from ..kernels import merging as kernels
from ..parallel import ordered_map, thread_count
from ..progress import Progress, Reporter, silent
from ..store import Store, release_pages
from ..text.vocabulary import SPECIALS, UNK, Vocabulary, WordTable
from .counts import NEVER, CountedText, Level, NGramCounts, kept_by
from .gather import gather

_PIECE = 1 << 20  # n-grams merged at a time
_PIECE_BYTES = 64  # of memory for each of them
_MOST_NGRAMS = 2**32 - 1


def merge_counts(
    texts: Sequence[CountedText],
    weights: Sequence[int] | None = None,
    *,
    min_count: int = 1,
    max_vocab: int | None = None,
    threads: int | None = None,
    progress: Reporter = silent,
    store: Store | None = None,
) -> CountedText:
    """Counts of several texts as one; those of shards become exactly the counts of the whole text.

    Memory: the n-grams of one text; all others and those of the result are made by `store`.

    Args:
        weights: how often each text counts, whole numbers; a negative one takes counts away, and what is left with
            none goes. Each text counts once if not given.
        min_count, max_vocab: which words to keep; the others become <unk>, as in `encode_corpus`.
        store: makes the arrays of the sum, in memory if not given.

    Raises:
        UsageError: not one weight for each text, or a weight of 0; different orders or tokenizers.
        DataError: more taken away than there is; a sum above 2**31 - 1.
    """
    threads = thread_count(threads)
    weights = [1] * len(texts) if weights is None else list(weights)
    _check_alike(texts, weights)
    union = _unite(texts, weights, min_count, max_vocab)
    store = store or Store()
    runs = [
        renumbered(text.counts.levels, ids, len(union.vocabulary), store)
        for text, ids in zip(texts, union.ids, strict=True)
    ]
    levels = runs[0]
    if weights != [1]:
        levels = merge_levels(runs, len(union.vocabulary), store, threads, weights, progress)
    sizes = [
        sum(w * getattr(text.counts, name) for w, text in zip(weights, texts, strict=True))
        for name in ("tokens", "lines", "dropped_marks")
    ]
    if min(sizes) < 0 or not levels[0].counts.any():
        raise DataError("nothing would be left of these texts.", "Take away a part of a text, not all of it or more.")
    if min(weights) < 0:
        levels = _without_none(levels, union.present)
    vocabulary = union.vocabulary.subset(np.arange(union.present))
    vocabulary.counts = levels[0].counts.astype(np.int64)
    counts = NGramCounts(levels, union.first[: union.present], *sizes)
    return replace(texts[0], counts=counts, vocabulary=vocabulary)


def _check_alike(texts: Sequence[CountedText], weights: list[int]) -> None:
    if len(weights) != len(texts) or not texts:
        raise UsageError(f"{len(weights)} weights for {len(texts)} files of counts.", "Give one for each.")
    if 0 in weights:
        raise UsageError("a weight of 0 makes no sense.", "Leave that file out.")
    if len(orders := {text.counts.order for text in texts}) > 1:
        raise UsageError(
            f"the counts are of different orders: {', '.join(map(str, sorted(orders)))}.", "Cut them with --order."
        )
    if len(signatures := {text.tokenizer.signature for text in texts}) > 1:
        raise UsageError(
            f"the texts were split in different ways: {', '.join(sorted(signatures))}.",
            "Count them again with the same --tokenizer, --lowercase, --normalize and --zero-digits.",
        )


# --- words ---------------------------------------------------------------------------------------------


@dataclass(frozen=True)
class _Union:
    """The words of several texts together.

    Attributes:
        first: int64 (V,), as in `NGramCounts`.
        ids: for each text, the id here of each of its words, int32.
        present: words from this id on were in some text, but all of their occurrences are taken away.
    """

    vocabulary: Vocabulary
    first: np.ndarray
    ids: list[np.ndarray]
    present: int


def _unite(texts: Sequence[CountedText], weights: list[int], min_count: int, max_vocab: int | None) -> _Union:
    table = WordTable()
    specials = Vocabulary.from_words([])
    table.add_words(specials.arena, specials.ends)
    ids = [table.add_words(text.vocabulary.arena, text.vocabulary.ends) for text in texts]
    totals, seen = np.zeros(table.words, np.int64), np.zeros(table.words, np.bool_)
    first, begin = np.full(table.words, NEVER), 0
    for text, weight, own in zip(texts, weights, ids, strict=True):
        unigrams = text.counts.levels[0].counts
        totals[own] += weight * unigrams.astype(np.int64)
        seen[own] |= unigrams > 0
        if weight > 0:
            there = text.counts.first != NEVER
            first[own[there]] = np.minimum(first[own[there]], text.counts.first[there] + begin)
            begin += weight * int(unigrams.sum(dtype=np.int64))
    gone = seen & (totals == 0)
    gone[: len(SPECIALS)] = False
    # Words that were listed but never seen stay, so all but the gone ones are given a little more.
    table.counts[: table.words] = np.where(gone, 1, totals + 2)
    table.first[: table.words] = first
    vocabulary, final = _chosen(texts, weights, table, min_count, max_vocab)
    firsts = np.full(len(vocabulary), NEVER)
    np.minimum.at(firsts, final, first)
    present = len(vocabulary) - int(np.count_nonzero(gone & (final != UNK)))
    return _Union(vocabulary, firsts, [final[own] for own in ids], present)


def _chosen(
    texts: Sequence[CountedText], weights: list[int], table: WordTable, min_count: int, max_vocab: int | None
) -> tuple[Vocabulary, np.ndarray]:
    """The words to keep in their order, and the id of each word of the table."""
    one = texts[0].vocabulary
    others = [text.vocabulary for text in texts[1:]]
    alike = all(np.array_equal(one.arena, v.arena) and np.array_equal(one.ends, v.ends) for v in others)
    if alike and min(weights) > 0 and min_count == 1 and max_vocab is None:
        return one, np.arange(len(one), dtype=np.int32)  # also where its order is not that of counts
    return Vocabulary.from_table(table, min_count + 2 if min_count > 1 else min_count, max_vocab)


# --- giving a trie other ids ---------------------------------------------------------------------------


def renumbered(levels: list[Level], ids: np.ndarray, size: int, store: Store) -> list[Level]:
    """The levels with words by their new ids, several of which may be the same; `size` is the new number of words."""
    if len(ids) == size and (ids == np.arange(size)).all():
        return levels
    unigrams = np.zeros(size, np.int64)
    np.add.at(unigrams, ids, levels[0].counts)
    found = [Level(np.arange(size, dtype=np.int32), _counts(unigrams))]
    order, numbers = np.argsort(ids, kind="stable").astype(np.uint32), ids.astype(np.uint32)
    for below, level in pairwise(levels):
        assert below.edges is not None and level.suffixes is not None
        total = len(level.words)
        scratch = kernels.most_continuations(numbers, below.edges, np.zeros(len(found[-1].words), np.int64))
        new_order, new_numbers = np.empty(total, np.uint32), np.empty(total, np.uint32)
        words, counts = np.empty(total, np.int32), np.empty(total, np.int32)
        edges = np.empty(len(found[-1].words) + 1, np.uint32)
        used = kernels.renumber_level(
            order, numbers, below.edges, level.words, level.counts, ids, np.empty(scratch, np.uint64),
            new_order, new_numbers, words, counts, edges,
        )  # fmt: skip
        if used < 0:
            raise _too_many("an n-gram")
        suffixes = np.empty(used, np.uint32)
        kernels.renumber_suffixes(level.suffixes, numbers, new_numbers, suffixes)
        found[-1].edges = edges
        found.append(Level(words[:used], counts[:used], suffixes))
        order, numbers = new_order, new_numbers
    return kept_by(store, found)


def _too_many(what: str) -> DataError:
    return DataError(f"{what} would have a count above {kernels.MOST:,}.", "Use smaller weights or fewer texts.")


def _counts(sums: np.ndarray) -> np.ndarray:
    """Sums of unigram counts as int32."""
    if sums.min() < 0:
        raise _too_few("a word")
    if sums.max() > kernels.MOST:
        raise _too_many("a word")
    return sums.astype(np.int32)


def _too_few(what: str) -> DataError:
    return DataError(
        f"{what} is taken away more often than it is there.",
        "Only the counts of a part of a text can be taken away from it.",
    )


# --- adding tries up -----------------------------------------------------------------------------------


def merge_levels(
    runs: list[list[Level]],
    words: int,
    store: Store,
    threads: int,
    weights: Sequence[int] | None = None,
    progress: Reporter = silent,
) -> list[Level]:
    """Sum of tries over the same `words` ids; the unigrams of each may be some of them, ascending.

    Entries whose sum is 0 stay. Memory beyond what `store` makes: pieces of n-grams that fit in its limit.

    Raises:
        DataError: a sum below 0 or above 2**31 - 1; more n-grams of an order than 2**32 - 1.
    """
    factors = np.array([1] * len(runs) if weights is None else weights, np.int64)
    unigrams = np.zeros(words, np.int64)
    for run, factor in zip(runs, factors, strict=True):
        unigrams[run[0].words] += factor * run[0].counts
    levels = [Level(np.arange(words, dtype=np.int32), _counts(unigrams))]
    numbers = [run[0].words.view(np.uint32) for run in runs]
    for n in range(1, len(runs[0])):
        pairs = [(run[n - 1], run[n]) for run in runs]
        merger = _Merger(pairs, numbers, factors, store, threads)
        for done in merger.run(levels, last=n == len(runs[0]) - 1):
            progress(Progress(f"merging {n + 1}-grams", done, len(levels[-1].words), "contexts"))
        levels.append(merger.level())
        numbers = merger.numbers()
    return levels


@dataclass(frozen=True)
class _Piece:
    """Contexts `first` to `last` of the result, and for each run the range of its contexts that they are."""

    first: int
    last: int
    ranges: list[tuple[int, int]]


@dataclass(frozen=True)
class _Merged:
    """A piece of the next level; edges and places count from its first n-gram."""

    piece: _Piece
    words: np.ndarray
    counts: np.ndarray
    suffixes: np.ndarray
    edges: np.ndarray
    places: list[np.ndarray]


@dataclass(frozen=True)
class _Index:
    """Every so many contexts of a run with their numbers in the result and their first n-grams, to search in memory."""

    numbers: np.ndarray
    step: int
    some_numbers: np.ndarray
    some_edges: np.ndarray

    @classmethod
    def of(cls, numbers: np.ndarray, edges: np.ndarray, step: int) -> "_Index":
        if step == 1:
            return cls(numbers, 1, numbers, edges)
        return cls(numbers, step, numbers[::step].copy(), np.append(edges[:-1:step], edges[-1:]))

    def ngrams_before(self, context: int) -> int:
        """About how many n-grams the contexts numbered below `context` have: exactly as many for a step of 1."""
        return int(self.some_edges[np.searchsorted(self.some_numbers, np.uint32(context))])

    def place(self, context: int) -> int:
        """The first context that is numbered `context` or above."""
        begin = max(0, int(np.searchsorted(self.some_numbers, np.uint32(context))) - 1) * self.step
        return begin + int(np.searchsorted(self.numbers[begin : begin + self.step], np.uint32(context)))


class _Merger:
    """Merges one order.

    Args:
        pairs: for each run the level below, and the one to merge.
        numbers: for each run, uint32, the entry of the result that each entry of its level below has become.
    """

    def __init__(
        self,
        pairs: list[tuple[Level, Level]],
        numbers: list[np.ndarray],
        weights: np.ndarray,
        store: Store,
        threads: int,
    ) -> None:
        self.pairs, self.old_numbers, self.weights, self.store, self.threads = pairs, numbers, weights, store, threads
        self.suffixes = [
            gather(own, above.suffixes, store, threads) for (_, above), own in zip(pairs, numbers, strict=True)
        ]
        self.words, self.counts = store.collector(np.int32), store.collector(np.int32)
        self.new_suffixes = store.collector(np.uint32)
        self.places = [store.collector(np.uint32) for _ in pairs]

    def run(self, levels: list[Level], last: bool) -> Iterator[int]:
        """Merge, and link the level below; yields how many contexts are done."""
        below = levels[-1]
        below.edges = self.store.empty(len(below.words) + 1, np.uint32)
        for merged in ordered_map(self._merge, self._pieces(len(below.words)), self.threads):
            base, piece = self.words.size, merged.piece
            _check(merged, base, levels)
            below.edges[piece.first : piece.last] = merged.edges + np.uint32(base)
            self.words.append(merged.words)
            self.counts.append(merged.counts.astype(np.int32))
            self.new_suffixes.append(merged.suffixes)
            for collector, places in zip(self.places, merged.places, strict=True):
                if not last:
                    collector.append(places + np.uint32(base))
            yield piece.last
        below.edges[-1] = self.words.size

    def level(self) -> Level:
        """The merged level."""
        return Level(self.words.array(), self.counts.array(), self.new_suffixes.array())

    def numbers(self) -> list[np.ndarray]:
        """`numbers` for the next order."""
        return [places.array() for places in self.places]

    def _pieces(self, contexts: int) -> Iterator[_Piece]:
        """Contexts that have about so many n-grams in all runs together, or one context."""
        size = _PIECE if self.store.limit is None else self.store.limit // (8 * self.threads * _PIECE_BYTES)
        indices = self._indices()

        def ngrams_before(context: int) -> int:
            return sum(index.ngrams_before(context) for index in indices)

        first = 0
        while first < contexts:
            wanted = ngrams_before(first) + size
            last = bisect.bisect_right(range(contexts), wanted, first + 1, key=ngrams_before)
            ranges = [(index.place(first), index.place(last)) for index in indices]
            yield _Piece(first, last, ranges)
            first = last

    def _indices(self) -> list["_Index"]:
        total = sum(map(len, self.old_numbers))
        step = 1 if self.store.limit is None else max(16, 128 * total // self.store.limit)
        indices = []
        for (below, _), numbers in zip(self.pairs, self.old_numbers, strict=True):
            assert below.edges is not None
            indices.append(_Index.of(numbers, below.edges, step))
            release_pages()
        return indices

    def _merge(self, piece: _Piece) -> _Merged:
        edges_below = [below.edges for below, _ in self.pairs if below.edges is not None]
        ends = [(int(own[i]), int(own[j])) for own, (i, j) in zip(edges_below, piece.ranges, strict=True)]
        bounds = np.zeros(len(ends) + 1, np.int64)
        np.cumsum([j - i for i, j in ends], out=bounds[1:])
        total, runs = int(bounds[-1]), len(ends)
        keys, counts, suffixes = np.empty(total, np.uint64), np.empty(total, np.int32), np.empty(total, np.uint32)
        for run, ((_, above), contexts, (i, j)) in enumerate(zip(self.pairs, piece.ranges, ends, strict=True)):
            part = slice(int(bounds[run]), int(bounds[run + 1]))
            kernels.continuation_keys(self.old_numbers[run], edges_below[run], above.words, *contexts, keys[part])
            counts[part], suffixes[part] = above.counts[i:j], self.suffixes[run][i:j]
        places, new_suffixes = np.empty(total, np.uint32), np.empty(total, np.uint32)
        new_keys, new_counts = np.empty(total, np.uint64), np.empty(total, np.int64)
        scratch = np.empty(runs, np.int64), np.empty(runs, np.int64), np.empty(runs, np.uint64)
        size = kernels.merge_runs(
            keys, counts, suffixes, bounds, self.weights, *scratch, places, new_keys, new_counts, new_suffixes
        )
        words, edges = np.empty(size, np.int32), np.empty(piece.last - piece.first, np.uint32)
        kernels.split_keys(new_keys, size, piece.first, words, edges)
        split = [places[i:j] for i, j in pairwise(bounds.tolist())]
        return _Merged(piece, words, new_counts[:size], new_suffixes[:size], edges, split)


def _check(merged: _Merged, base: int, levels: list[Level]) -> None:
    """Refuse sums that no count can be, and more n-grams than indices reach."""
    if base + len(merged.words) > _MOST_NGRAMS:
        raise DataError(f"there are more than {_MOST_NGRAMS:,} {len(levels) + 1}-grams.", "Use a lower --order.")
    if len(merged.counts) and merged.counts.min() < 0:
        raise _too_few(f"a {len(levels) + 1}-gram")
    if len(merged.counts) and merged.counts.max() > kernels.MOST:
        raise _too_many(f"a {len(levels) + 1}-gram")


def _without_none(levels: list[Level], present: int) -> list[Level]:
    """The levels without n-grams of count 0, and without unigrams from `present` on."""
    kept = [level.counts > 0 for level in levels]
    kept[0] = np.arange(len(kept[0])) < present
    numbers = [np.cumsum(stays, dtype=np.uint32) - stays.astype(np.uint32) for stays in kept]
    found = [Level(level.words[stays], level.counts[stays]) for level, stays in zip(levels, kept, strict=True)]
    for n, (below, level) in enumerate(pairwise(levels)):
        assert below.edges is not None and level.suffixes is not None
        starts = np.append(numbers[n + 1], np.uint32(len(found[n + 1].words)))
        found[n].edges = np.append(starts[below.edges[:-1]][kept[n]], starts[-1:])
        found[n + 1].suffixes = numbers[n][level.suffixes][kept[n + 1]]
    return found
