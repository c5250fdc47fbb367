"""From an encoded corpus to n-gram counts of every order up to N, as the levels of a trie."""

from collections.abc import Callable
from dataclasses import dataclass

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
        dropped_marks: sentence marks that stood in the text as words and were left out.
    """

    levels: list[Level]
    last: list[int]
    dropped_marks: int

    @property
    def order(self) -> int:
        return len(self.levels)


def count_ngrams(corpus: EncodedCorpus, order: int, threads: int, progress: Reporter = silent) -> NGramCounts:
    """Count all n-grams of orders 1 to `order`, each line from <s> to </s>.

    Memory: about 16 bytes a token, and 20 bytes for each distinct n-gram.

    Raises:
        DataError: more than 2**31 - 1 tokens.
    """
    stream, dropped = _stream(corpus, threads)
    positions = np.empty(len(stream), np.uint32)
    counts, starts = _group_words(stream, positions, len(corpus.vocabulary), threads)
    levels = [Level(np.arange(len(counts), dtype=np.int32), counts)]
    last = _last_ngram(stream, positions, starts, counts, order)
    at: np.ndarray | None = None
    for length in range(1, order):
        progress(Progress(f"counting {length + 1}-grams", length, order, "orders"))
        below = levels[-1]
        level, below.edges, new_starts = _next_level(stream, positions, below, starts, length, threads)
        level.suffixes = _suffixes(stream, positions, new_starts, at, threads)
        if length + 1 < order:
            at = _marked(positions, new_starts, level.counts, len(stream), threads)
        levels.append(level)
        starts = new_starts
    return NGramCounts(levels, last, dropped)


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
        more, marks = kernels.sentence_stream(ids, offsets, 0, last - first, stream[size:])
        size, dropped = size + more, dropped + marks
    return stream[:size], dropped


def _group_words(
    stream: np.ndarray, positions: np.ndarray, words: int, threads: int
) -> tuple[np.ndarray, np.ndarray]:
    """Sort positions by word. Returns counts int32 and starts uint32 by word id."""
    ranges = split_evenly(len(stream), threads)
    tallies = np.zeros((len(ranges), words), np.int64)
    _each(lambda job: kernels.count_words(stream, *job[1], tallies[job[0]]), list(enumerate(ranges)), threads)
    counts = tallies.sum(axis=0)
    starts = np.cumsum(counts) - counts
    cursors = starts + np.cumsum(tallies, axis=0) - tallies
    _each(
        lambda job: kernels.group_by_word(stream, *job[1], cursors[job[0]], positions), list(enumerate(ranges)), threads
    )
    return counts.astype(np.int32), starts.astype(np.uint32)


def _next_level(
    stream: np.ndarray, positions: np.ndarray, level: Level, starts: np.ndarray, length: int, threads: int
) -> tuple[Level, np.ndarray, np.ndarray]:
    """The level of the n-grams one word longer, the edges to it, and where their runs of positions start."""
    word_bits = int(stream.max()).bit_length()
    children = np.zeros(len(level.words), np.uint32)

    def extend(part: tuple[int, int]) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
        counts = level.counts[part[0] : part[1]]
        room, largest = int(counts.sum(dtype=np.int64)), int(counts.max())
        words, new_counts, new_starts = np.empty(room, np.int32), np.empty(room, np.int32), np.empty(room, np.uint32)
        keys, spare = np.empty(largest, np.uint64), np.empty(largest, np.uint64)
        size = kernels.refine(
            stream, positions, length, word_bits, starts, level.counts, level.words, *part, keys, spare,
            np.zeros(2048, np.int64), words, new_counts, new_starts, children,
        )  # fmt: skip
        return words[:size].copy(), new_counts[:size].copy(), new_starts[:size].copy()

    nothing = (np.zeros(0, np.int32), np.zeros(0, np.int32), np.zeros(0, np.uint32))
    parts = [nothing, *ordered_map(extend, _by_positions(starts, len(stream), threads), threads)]
    words, counts, new_starts = (np.concatenate(arrays) for arrays in zip(*parts, strict=True))
    edges = np.zeros(len(children) + 1, np.uint32)
    np.cumsum(children, out=edges[1:])
    return Level(words, counts), edges, new_starts


def _by_positions(starts: np.ndarray, total: int, threads: int) -> list[tuple[int, int]]:
    """Ranges of entries that hold about equally many positions."""
    pieces = threads * _PIECES_PER_THREAD
    wanted = np.linspace(0, total, pieces + 1)[1:-1].astype(starts.dtype)
    edges = [0, *np.searchsorted(starts, wanted).tolist(), len(starts)]
    return [(a, b) for a, b in zip(edges, edges[1:], strict=False) if a < b]


def _suffixes(
    stream: np.ndarray, positions: np.ndarray, starts: np.ndarray, at: np.ndarray | None, threads: int
) -> np.ndarray:
    suffixes = np.empty(len(starts), np.uint32)
    if at is None:  # unigrams are numbered by their word, so the text itself says which one it is
        at = stream.view(np.uint32)
    _each(
        lambda part: kernels.find_suffixes(positions, starts, *part, at, suffixes),
        split_evenly(len(starts), threads * _PIECES_PER_THREAD), threads,
    )  # fmt: skip
    return suffixes


def _marked(
    positions: np.ndarray, starts: np.ndarray, counts: np.ndarray, total: int, threads: int
) -> np.ndarray:
    at = np.zeros(total, np.uint32)
    _each(
        lambda part: kernels.mark_positions(positions, starts, counts, *part, at),
        split_evenly(len(starts), threads * _PIECES_PER_THREAD), threads,
    )  # fmt: skip
    return at


def _each(work: Callable, jobs: list, threads: int) -> None:
    for _ in ordered_map(work, jobs, threads):
        pass


def _last_ngram(
    stream: np.ndarray, positions: np.ndarray, starts: np.ndarray, counts: np.ndarray, order: int
) -> list[int]:
    """See `NGramCounts.last`."""
    seen = np.flatnonzero(counts)
    rank = np.zeros(len(counts), np.int64)
    rank[seen] = positions[starts[seen]].astype(np.int64) + 3  # runs are in the order of the text
    rank[:3] = 0, 1, 2
    newest = int(seen[np.argmax(rank[seen])])
    ends = positions[starts[newest] : int(starts[newest]) + int(counts[newest])].astype(np.int64)
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
