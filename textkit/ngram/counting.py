"""From an encoded corpus to n-gram counts of every order up to N, as the levels of a trie."""

import bisect
from collections.abc import Callable, Iterator
from itertools import accumulate, pairwise

import numpy as np

from ..errors import DataError
from ..kernels import counting as kernels
from ..kernels import words as word_kernels
from ..parallel import ordered_map, split_evenly, thread_count
from ..progress import Progress, Reporter, silent
from ..store import Store, let_go_of, release_pages
from ..text.corpus import EncodedCorpus
from ..text.vocabulary import BOS, SPECIALS
from .counts import NEVER, CountedText, Level, NGramCounts, check_order, kept_by
from .merging import merge_levels

_PIECES_PER_THREAD = 8  # enough to balance threads and to hear Ctrl-C; few enough to cost nothing
_MOST_RUNS = 100  # files merged at a time
_RUN_BYTES = 2_500_000  # of memory for each of them: pages come in groups, of every array
_LINES = 1 << 14  # laid out at a time
MOST_TOKENS = 2**31 - 1


def count_text(
    corpus: EncodedCorpus,
    order: int,
    threads: int | None = None,
    progress: Reporter = silent,
    store: Store | None = None,
) -> CountedText:
    """Count an encoded corpus, see `count_ngrams`. Raises UsageError for an order that makes no sense."""
    check_order(order)
    counts = count_ngrams(corpus, order, thread_count(threads), progress, store or Store())
    return CountedText(counts, corpus.vocabulary, corpus.tokenizer)


def count_ngrams(
    corpus: EncodedCorpus, order: int, threads: int, progress: Reporter = silent, store: Store | None = None
) -> NGramCounts:
    """Count all n-grams of orders 1 to `order`, each line from <s> to </s>.

    Memory: 24 bytes a token while it runs, and 16 bytes for each distinct n-gram; where that is more than `store` is to
    hold, runs of lines are counted one after the other and merged.

    Raises:
        DataError: more than 2**31 - 1 tokens without a limit of memory; more than that of one n-gram.
    """
    room = corpus.tokens + 2 * corpus.lines
    if store is not None and store.limit is not None and room * (24 + 64 * order) > store.limit:
        return _count_in_runs(corpus, order, threads, progress, store)
    stream, dropped = _stream(corpus, 0, corpus.lines, threads)
    counting = _Counting(stream, len(corpus.vocabulary), threads)
    del stream  # nobody else has it: its memory is used again
    return NGramCounts(counting.levels(order, progress), counting.first, corpus.tokens, corpus.lines, dropped)


def _stream(corpus: EncodedCorpus, begin: int, end: int, threads: int) -> tuple[np.ndarray, int]:
    """The ids of the lines `begin` to `end` with sentence marks, int32, and how many marks inside were left out."""

    def place(line: int) -> int:
        return int(corpus.offsets[line] - corpus.offsets[begin]) + 2 * (line - begin)

    if place(end) > MOST_TOKENS:
        raise DataError(
            f"{place(end):,} tokens are more than one run can count ({MOST_TOKENS:,}).", "Say how much --memory to use."
        )
    stream, size, dropped = np.empty(place(end), np.int32), 0, 0

    def lay_out(first: int) -> tuple[int, int, int]:
        last = min(first + _LINES, end)
        offsets = np.array(corpus.offsets[first : last + 1])
        ids = np.array(corpus.ids[offsets[0] : offsets[-1]])
        if len(ids) and not 0 <= ids.min() <= ids.max() < len(corpus.vocabulary):
            raise DataError("the encoded corpus is damaged: it has ids that are no words.", "Encode it again.")
        return place(first), *kernels.sentence_stream(ids, offsets, 0, last - first, stream[place(first) : place(last)])

    for at, more, marks in ordered_map(lay_out, range(begin, end, _LINES), threads):
        if at > size:  # marks were left out before
            stream[size : size + more] = stream[at : at + more]
        size, dropped = size + more, dropped + marks
    return stream[:size], dropped


# --- in limited memory ---------------------------------------------------------------------------------


def _count_in_runs(corpus: EncodedCorpus, order: int, threads: int, progress: Reporter, store: Store) -> NGramCounts:
    """Count as many lines at a time as the limit allows, and add up.

    Memory beyond the limit: some bytes for each word of the vocabulary, and what a single line needs more.
    """
    assert store.limit is not None
    let_go_of(corpus.ids, corpus.offsets)
    words, position, dropped = len(corpus.vocabulary), 0, 0
    first, runs = np.full(words, NEVER), _Runs(words, store, threads, progress)
    for begin, end in line_ranges(corpus, min(MOST_TOKENS, store.limit // (32 + 16 * order))):
        progress(Progress("counting n-grams", begin, corpus.lines, "lines"))
        stream, marks = _stream(corpus, begin, end, threads)
        release_pages()
        present = _compact(stream, words)
        counting, size = _Counting(stream, len(present), threads), len(stream)
        del stream
        levels, seen = counting.levels(order, silent), counting.first != NEVER
        first[present[seen]] = np.minimum(first[present[seen]], counting.first[seen] + position)
        for level in levels:
            word_kernels.remap(level.words, present)
        runs.add(levels)
        position, dropped = position + size, dropped + marks
    return NGramCounts(runs.merged(), first, corpus.tokens, corpus.lines, dropped)


def line_ranges(corpus: EncodedCorpus, tokens: int) -> Iterator[tuple[int, int]]:
    """Ranges of lines with about so many tokens, sentence marks among them; at least one line each."""

    def place(line: int) -> int:
        return int(corpus.offsets[line]) + 2 * line

    begin = 0
    while begin < corpus.lines:
        fitting = bisect.bisect_right(range(corpus.lines + 1), place(begin) + tokens, begin + 1, key=place) - 1
        end = max(fitting, begin + 1)
        yield begin, end
        begin = end


def _compact(stream: np.ndarray, words: int) -> np.ndarray:
    """Number the words of a stream without gaps, the specials first and always; returns their ids, int32 ascending."""
    seen = np.zeros(words, np.bool_)
    seen[: len(SPECIALS)] = True
    for i in range(0, len(stream), 1 << 16):
        seen[stream[i : i + (1 << 16)]] = True
    word_kernels.remap(stream, np.cumsum(seen, dtype=np.int32) - np.int32(1))
    return np.flatnonzero(seen).astype(np.int32)


class _Runs:
    """Levels of parts of a text, kept in scratch files and merged when there are many."""

    def __init__(self, words: int, store: Store, threads: int, progress: Reporter) -> None:
        self.words, self.store, self.threads, self.progress = words, store, threads, progress
        assert store.limit is not None
        self.most = min(_MOST_RUNS, max(4, store.limit // _RUN_BYTES))
        self.runs: list[list[list[Level]]] = []  # by how often they have been merged

    def add(self, levels: list[Level]) -> None:
        """Keep one more."""
        self._put(kept_by(self.store, levels), 0)

    def _put(self, levels: list[Level], rank: int) -> None:
        if rank == len(self.runs):
            self.runs.append([])
        self.runs[rank].append(levels)
        if len(self.runs[rank]) == self.most:
            full, self.runs[rank] = self.runs[rank], []
            self._put(self._merge(full), rank + 1)

    def merged(self) -> list[Level]:
        """The levels of all together."""
        return self._merge([run for runs in reversed(self.runs) for run in runs])

    def _merge(self, runs: list[list[Level]]) -> list[Level]:
        return merge_levels(runs, self.words, self.store, self.threads, progress=self.progress)


# --- in memory -----------------------------------------------------------------------------------------


class _Counting:
    """The places of one text, in the order of its n-grams of one length after the other.

    Attributes:
        first: see `NGramCounts.first`.
        records, spare: uint64 (M,), see `kernels.counting`; the second is room for the next order.
        starts: int64 (V + 1,), the records of the n-grams that begin with word w are starts[w]:starts[w + 1].
        pieces: ranges of first words to work on at a time, the same for all orders.
        bases: the first entry of each piece in the level of this length, and the size of the level.
    """

    def __init__(self, stream: np.ndarray, words: int, threads: int) -> None:
        self.stream, self.words, self.threads = stream, words, threads
        self.records, self.spare = np.empty(len(stream), np.uint64), np.empty(len(stream), np.uint64)
        self.left = np.empty(len(stream), np.int32)
        jobs = list(enumerate(split_evenly(len(stream), threads)))
        tallies, places = np.zeros((len(jobs), words), np.int64), np.full((len(jobs), words), NEVER)
        self._each(lambda job: kernels.count_words(stream, *job[1], tallies[job[0]], places[job[0]]), jobs)
        self.first = places.min(axis=0)
        cursors, self.starts = _cursors(tallies)
        self._each(lambda job: kernels.group_by_word(stream, *job[1], cursors[job[0]], self.records), jobs)
        self.pieces = _by_places(self.starts, threads)
        self.bases = [0, *(last for _, last in self.pieces)]

    def levels(self, order: int, progress: Reporter) -> list[Level]:
        """All levels up to an order."""
        levels = [self.unigrams()]
        for length in range(2, order + 1):
            progress(Progress(f"counting {length}-grams", length - 1, order, "orders"))
            levels.append(self.longer(levels[-1], length == order))
        return levels

    def unigrams(self) -> Level:
        """The level of the words themselves."""
        return Level(np.arange(self.words, dtype=np.int32), np.diff(self.starts).astype(np.int32))

    def longer(self, below: Level, last: bool) -> Level:
        """The next level, which may be the last; links the one below to it."""
        self._deal_left()
        if last:  # what is not needed any more makes room for the level
            self.stream = self.left = np.empty(0, np.int32)
            self.spare = np.empty(0, np.uint64)
        records, starts, old_bases = self.records, self.starts, self.bases
        sizes = ordered_map(lambda piece: kernels.count_runs(records, *piece, starts), self.pieces, self.threads)
        self.bases = [0, *accumulate(sizes)]
        words, counts = np.empty(self.bases[-1], np.int32), np.empty(self.bases[-1], np.int32)
        suffixes, edges = np.empty(self.bases[-1], np.uint32), np.empty(len(below.words) + 1, np.uint32)

        def work(piece: int) -> None:
            ends, base, contexts = self.pieces[piece], self.bases[piece], old_bases[piece : piece + 2]
            kernels.collect_runs(records, *ends, starts, base, below.words, words, suffixes, counts)
            kernels.link_levels(below.words, below.counts, *contexts, counts, base, edges)

        self._each(work, list(range(len(self.pieces))))
        edges[-1] = len(words)
        below.edges = edges
        return Level(words, counts, suffixes)

    def _deal_left(self) -> None:
        """Bring the records of the n-grams that do not begin with <s> into the order of those one word longer."""
        ranges = [(0, int(self.starts[BOS])), (int(self.starts[BOS + 1]), int(self.starts[-1]))]
        parts = [(a + i, a + j) for a, b in ranges for i, j in split_evenly(b - a, self.threads)]
        jobs, tallies = list(enumerate(parts)), np.zeros((len(parts), self.words), np.int64)
        stream, records, dealt, left = self.stream, self.records, self.spare, self.left
        self._each(lambda job: kernels.left_words(stream, records, *job[1], left, tallies[job[0]]), jobs)
        cursors, self.starts = _cursors(tallies)
        self._each(lambda job: kernels.deal_left(records, *job[1], left, cursors[job[0]], dealt), jobs)
        self.records, self.spare = dealt, records

    def _each(self, work: Callable, jobs: list) -> None:
        for _ in ordered_map(work, jobs, self.threads):
            pass


def _cursors(tallies: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Where each part of the input begins to write each word, int64 (parts, V), and starts of words int64 (V + 1,)."""
    starts = np.empty(tallies.shape[1] + 1, np.int64)
    kernels.place_cursors(tallies, starts)
    return tallies, starts


def _by_places(starts: np.ndarray, threads: int) -> list[tuple[int, int]]:
    """Ranges of words with about equally many places."""
    wanted = np.linspace(0, int(starts[-1]), threads * _PIECES_PER_THREAD + 1)[1:-1].astype(np.int64)
    bounds = [0, *np.searchsorted(starts, wanted).tolist(), len(starts) - 1]
    return [(a, b) for a, b in pairwise(bounds) if a < b]
