"""From an encoded corpus to n-gram counts of every order up to N, as the levels of a trie."""

from collections.abc import Callable
from dataclasses import dataclass
from itertools import accumulate, pairwise

import numpy as np

from ..errors import DataError
from ..kernels import counting as kernels
from ..parallel import ordered_map, split_evenly
from ..progress import Progress, Reporter, silent
from ..text.corpus import EncodedCorpus
from ..text.vocabulary import BOS, EOS

_PIECES_PER_THREAD = 8  # enough to balance threads and to hear Ctrl-C; few enough to cost nothing
MOST_TOKENS = 2**31 - 1


@dataclass
class Level:
    """All n-grams of one order, sorted by (context, last word).

    Attributes:
        words: int32 (E,), last words; for unigrams all ids of the vocabulary in order.
        counts: int32 (E,), occurrences in the text (of the tokens between <s> and </s>, these included).
        suffixes: uint32 (E,), the n-gram without its first word, as an index of the level below (none for unigrams).
        edges: uint32 (E + 1,), entry e has the continuations edges[e]:edges[e + 1] of the level above (none at N).
    """

    words: np.ndarray
    counts: np.ndarray
    suffixes: np.ndarray | None = None
    edges: np.ndarray | None = None


@dataclass
class NGramCounts:
    """Counts of all orders.

    Attributes:
        levels: unigrams first.
        last: word ids of the n-gram of order N that comes last when words are numbered by first appearance and
            n-grams are compared from their last word back, padded in front with <s>; the counts of counts need it.
        tokens, lines: size of the text.
        dropped_marks: sentence marks that stood in the text as words and were left out.
    """

    levels: list[Level]
    last: list[int]
    tokens: int
    lines: int
    dropped_marks: int

    @property
    def order(self) -> int:
        return len(self.levels)


def count_ngrams(corpus: EncodedCorpus, order: int, threads: int, progress: Reporter = silent) -> NGramCounts:
    """Count all n-grams of orders 1 to `order`, each line from <s> to </s>.

    Memory: about 20 bytes a token while it runs, and 16 bytes for each distinct n-gram.

    Raises:
        DataError: more than 2**31 - 1 tokens.
    """
    stream, dropped = _stream(corpus, threads)
    vocabulary = len(corpus.vocabulary)
    places = np.empty(len(stream), np.uint32), np.empty(len(stream), np.uint32)
    counts = _group_words(stream, *places, vocabulary, threads)
    levels = [Level(np.arange(vocabulary, dtype=np.int32), counts)]
    last = _last_ngram(stream, places[0], counts, order)
    after_bos = range(BOS, BOS + 1)  # the entries that begin with <s>: nothing stands to their left
    scratch = np.empty(len(stream), np.int32), np.empty(len(stream), np.uint64)
    for length in range(1, order):
        progress(Progress(f"counting {length + 1}-grams", length, order, "orders"))
        ends = np.cumsum(levels[-1].counts, dtype=np.int64)
        first, stop = (int(ends[i - 1]) if i else 0 for i in (after_bos.start, after_bos.stop))
        used = [(a, b) for a, b in ((0, first), (stop, int(ends[-1]) if len(ends) else 0)) if a < b]
        starts = _deal_left(stream, places, used, scratch, vocabulary, threads)
        levels.append(_collected(scratch[1], starts, places, levels[-1], threads))
        edges = levels[-2].edges
        assert edges is not None
        after_bos = range(int(edges[after_bos.start]), int(edges[after_bos.stop]))
    return NGramCounts(levels, last, corpus.tokens, corpus.lines, dropped)


def _stream(corpus: EncodedCorpus, threads: int) -> tuple[np.ndarray, int]:
    """The ids of the corpus with sentence marks, int32, and how many marks inside the text were left out."""
    room = corpus.tokens + 2 * corpus.lines
    if room > MOST_TOKENS:
        raise DataError(
            f"{room:,} tokens are more than one run can count ({MOST_TOKENS:,}).", "Train on a part of the text."
        )
    stream, size, dropped = np.empty(room, np.int32), 0, 0
    for first in range(0, corpus.lines, 1 << 16):
        last = min(first + (1 << 16), corpus.lines)
        offsets = np.array(corpus.offsets[first : last + 1])
        ids = np.array(corpus.ids[offsets[0] : offsets[-1]])
        if len(ids) and not 0 <= ids.min() <= ids.max() < len(corpus.vocabulary):
            raise DataError("the encoded corpus is damaged: it has ids that are no words.", "Encode it again.")
        more, marks = kernels.sentence_stream(ids, offsets, 0, last - first, stream[size:])
        size, dropped = size + more, dropped + marks
    return stream[:size], dropped


def _group_words(
    stream: np.ndarray, positions: np.ndarray, entries: np.ndarray, words: int, threads: int
) -> np.ndarray:
    """Sort positions by word; `entries` gets the words. Returns counts int32 by word id."""
    jobs = list(enumerate(split_evenly(len(stream), threads)))
    tallies = np.zeros((len(jobs), words), np.int64)
    _each(lambda job: kernels.count_words(stream, *job[1], tallies[job[0]]), jobs, threads)
    cursors, starts = _cursors(tallies)
    _each(lambda job: kernels.group_by_word(stream, *job[1], cursors[job[0]], positions), jobs, threads)
    _each(lambda part: kernels.number_words(starts, *part, entries), _by_places(starts, threads), threads)
    return np.diff(starts).astype(np.int32)


def _by_places(starts: np.ndarray, threads: int) -> list[tuple[int, int]]:
    """Ranges of words with about equally many places."""
    wanted = np.linspace(0, int(starts[-1]), threads * _PIECES_PER_THREAD + 1)[1:-1].astype(np.int64)
    bounds = [0, *np.searchsorted(starts, wanted).tolist(), len(starts) - 1]
    return [(a, b) for a, b in pairwise(bounds) if a < b]


def _cursors(tallies: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Where each part of the input begins to write each word, int64 (parts, V), and starts of words int64 (V + 1,)."""
    starts = np.zeros(tallies.shape[1] + 1, np.int64)
    np.cumsum(tallies.sum(axis=0), out=starts[1:])
    return starts[:-1] + np.cumsum(tallies, axis=0) - tallies, starts


def _deal_left(
    stream: np.ndarray,
    places: tuple[np.ndarray, np.ndarray],
    used: list[tuple[int, int]],
    scratch: tuple[np.ndarray, np.ndarray],
    words: int,
    threads: int,
) -> np.ndarray:
    """Bring the used places (positions, entries) into the order of the n-grams one word longer, in scratch[1].

    Returns where the places of each left word start, int64 (V + 1,).
    """
    (positions, entries), (left, runs) = places, scratch
    parts = [(a + i, a + j) for a, b in used for i, j in split_evenly(b - a, threads)]
    jobs = list(enumerate(parts))
    tallies = np.zeros((len(parts), words), np.int64)
    _each(lambda job: kernels.left_words(stream, positions, *job[1], left, tallies[job[0]]), jobs, threads)
    cursors, starts = _cursors(tallies)
    _each(lambda job: kernels.extend_left(positions, entries, *job[1], left, cursors[job[0]], runs), jobs, threads)
    return starts


def _collected(
    runs: np.ndarray, starts: np.ndarray, places: tuple[np.ndarray, np.ndarray], below: Level, threads: int
) -> Level:
    """The level that dealt-out runs are; sets `places` to its positions and entries, and the edges of `below`."""
    pieces = _by_places(starts, threads)
    sizes = list(ordered_map(lambda piece: kernels.count_runs(runs, starts, *piece), pieces, threads))
    bases = [0, *accumulate(sizes)]
    suffixes, counts = np.empty(bases[-1], np.uint32), np.empty(bases[-1], np.int32)
    _each(
        lambda job: kernels.collect_runs(runs, starts, *job[0], job[1], *places, suffixes, counts),
        list(zip(pieces, bases, strict=False)),
        threads,
    )
    words = np.empty(len(counts), np.int32)
    _each(
        lambda part: kernels.take(below.words, suffixes, *part, words),
        split_evenly(len(words), threads * _PIECES_PER_THREAD), threads,
    )  # fmt: skip
    below.edges = np.empty(len(below.words) + 1, np.uint32)
    kernels.link_levels(below.words, below.counts, counts, below.edges)
    return Level(words, counts, suffixes)


def _each(work: Callable, jobs: list, threads: int) -> None:
    for _ in ordered_map(work, jobs, threads):
        pass


def _last_ngram(stream: np.ndarray, positions: np.ndarray, counts: np.ndarray, order: int) -> list[int]:
    """See `NGramCounts.last`; `positions` grouped by word, each group in the order of the text."""
    starts = np.cumsum(counts, dtype=np.int64) - counts
    seen = np.flatnonzero(counts)
    rank = np.zeros(len(counts), np.int64)
    rank[seen] = positions[starts[seen]].astype(np.int64) + 3
    rank[:3] = 0, 1, 2
    newest = int(seen[np.argmax(rank[seen])])
    ends = positions[starts[newest] : starts[newest] + counts[newest]].astype(np.int64)
    ngram = [newest]
    while len(ngram) < order:
        if ngram[0] == BOS:
            ngram.insert(0, BOS)
            continue
        ends = ends - 1
        before = rank[stream[ends]]
        ends = ends[before == before.max()]
        ngram.insert(0, int(stream[ends[0]]))
    return ngram


def find_ngram(levels: list[Level], words: list[int]) -> int | None:
    """The entry of an n-gram in its level, or None where it does not occur."""
    entry = words[0]
    for above, below, word in zip(levels[1:], levels, words[1:], strict=False):
        assert below.edges is not None
        begin, end = int(below.edges[entry]), int(below.edges[entry + 1])
        entry = begin + int(np.searchsorted(above.words[begin:end], word))
        if entry == end or int(above.words[entry]) != word:
            return None
    return entry


__all__ = ["BOS", "EOS", "Level", "NGramCounts", "count_ngrams", "find_ngram"]
