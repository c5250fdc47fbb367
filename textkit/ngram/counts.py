"""N-gram counts of every order up to N as the levels of a trie, and the file that keeps them."""

from dataclasses import dataclass, replace
from itertools import pairwise
from pathlib import Path
from typing import Any

import numpy as np

from .. import __version__, files
from ..errors import DataError, UsageError
from ..kernels import merging as kernels
from ..store import Store, let_go_of, release_pages, slices, streamed
from ..text.tokenizer import Tokenizer
from ..text.vocabulary import BOS, SPECIALS, Vocabulary

KIND = "ngram-counts"
FORMAT_VERSION = 1
NEVER = np.iinfo(np.int64).max  # `NGramCounts.first` of a word that is not in the text
LONGEST_ORDER = 100
_PIECE = 1 << 22


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
        first: int64 (V,), where in the text each word appears first, NEVER for words that do not.
        tokens, lines: size of the text.
        dropped_marks: sentence marks that stood in the text as words and were left out.
    """

    levels: list[Level]
    first: np.ndarray
    tokens: int
    lines: int
    dropped_marks: int

    @property
    def order(self) -> int:
        return len(self.levels)

    @property
    def last(self) -> list[int]:
        """Word ids of the n-gram of order N that comes last when words are numbered by first appearance.

        N-grams are compared from their last word back, padded in front with <s>; lmplz's counts of counts need it.
        """
        rank = self.first.copy()
        rank[: len(SPECIALS)] = range(-len(SPECIALS), 0)
        seen = np.flatnonzero(self.levels[0].counts)
        entry = int(seen[np.argmax(rank[seen])])
        ngram = [entry]
        for n in range(1, self.order):
            if ngram[0] == BOS:
                ngram.insert(0, BOS)
                continue
            longer = _places_of(entry, self.levels[n].suffixes)
            first_words = _first_words(self.levels[:n], longer)
            best = int(np.argmax(rank[first_words]))
            entry = int(longer[best])
            ngram.insert(0, int(first_words[best]))
        return ngram

    def up_to(self, order: int) -> "NGramCounts":
        """The counts of the orders 1 to `order`, as levels of their own. Raises UsageError where there are fewer."""
        if not 1 <= order <= self.order:
            raise UsageError(
                f"--order {order} cannot be had from counts of order {self.order}.",
                "Count the text again with a higher --order." if order > 0 else "Give 1 or more.",
            )
        levels = [replace(level) for level in self.levels[:order]]
        levels[-1].edges = None
        return replace(self, levels=levels)


def _places_of(value: int, values: np.ndarray | None) -> np.ndarray:
    """Where `values` (uint32) has `value`, uint32."""
    assert values is not None
    found, done = [np.zeros(0, np.int64)], 0
    for piece in slices(values):
        found.append(np.flatnonzero(piece == np.uint32(value)) + done)
        done += len(piece)
    return np.concatenate(found).astype(np.uint32)


def _first_words(levels: list[Level], entries: np.ndarray) -> np.ndarray:
    """The first words of entries of the level above `levels`, int64."""
    for level in reversed(levels):
        assert level.edges is not None
        entries = (np.searchsorted(level.edges, entries, side="right") - 1).astype(np.uint32)
    return entries.astype(np.int64)


def check_order(order: int) -> None:
    """Raise UsageError for an order that no model has."""
    if not 1 <= order <= LONGEST_ORDER:
        raise UsageError(f"--order {order} makes no sense.", f"Give 1 to {LONGEST_ORDER}; 3 to 5 is usual.")


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


@dataclass(frozen=True)
class CountedText:
    """N-gram counts with the words they are about: what a count file holds."""

    counts: NGramCounts
    vocabulary: Vocabulary
    tokenizer: Tokenizer

    def save(self, path: str | Path) -> None:
        """Write the counts as one container."""
        counts = self.counts
        header = {
            "format_version": FORMAT_VERSION,
            "version": __version__,
            "tokenizer": self.tokenizer.settings(),
            "order": counts.order,
            "tokens": counts.tokens,
            "lines": counts.lines,
            "dropped_marks": counts.dropped_marks,
        }
        arrays = {"first": counts.first, "1.counts": counts.levels[0].counts}
        for n, (below, level) in enumerate(pairwise(counts.levels), 2):
            assert below.edges is not None and level.suffixes is not None
            arrays |= {f"{n}.words": level.words, f"{n}.counts": level.counts, f"{n}.suffixes": level.suffixes}
            arrays[f"{n - 1}.edges"] = below.edges
        saved = {name: streamed(array) for name, array in arrays.items()}
        files.save(path, KIND, header, {**saved, **self.vocabulary.arrays(with_counts=False)})

    @classmethod
    def load(cls, path: str | Path, limited: bool = False) -> "CountedText":
        """Open a count file by memory map, and go through it once to see that its n-grams fit together.

        Args:
            limited: let go of its pages all the time, to use little memory.

        Raises:
            DataError: missing, damaged, or something else.
        """
        container = files.load(path, KIND)
        header, arrays = container.header, container.arrays
        if header.get("format_version") != FORMAT_VERSION:
            raise DataError(
                f"{path} has count format {header.get('format_version')}, this textkit reads {FORMAT_VERSION}.",
                "Count the text again, or use the version of textkit that wrote it.",
            )
        vocabulary = Vocabulary.from_arrays(arrays, path)
        if limited:
            let_go_of(*arrays.values())
        try:
            check_order(int(header["order"]))
            tokenizer = Tokenizer.from_settings(header["tokenizer"])
            sizes = [int(header[name]) for name in ("tokens", "lines", "dropped_marks")]
            counts = NGramCounts(_levels(arrays, header["order"], len(vocabulary)), arrays["first"], *sizes)
        except (KeyError, TypeError, ValueError, UsageError) as error:
            raise DataError(f"{path} is damaged: it lacks or spoils {error}.") from None
        if not _sound(counts, vocabulary):
            raise DataError(f"{path} is damaged: its counts do not fit together.", "Count the text again.")
        vocabulary.counts = counts.levels[0].counts.astype(np.int64)
        return cls(counts, vocabulary, tokenizer)


def kept_by(store: Store, levels: list[Level]) -> list[Level]:
    """The same levels, their arrays kept by a store; all in one file if in any."""
    names = [(n, name) for n, level in enumerate(levels) for name, a in vars(level).items() if a is not None]
    arrays = store.keep([getattr(levels[n], name) for n, name in names])
    found: list[dict[str, np.ndarray]] = [{} for _ in levels]
    for (n, name), array in zip(names, arrays, strict=True):
        found[n][name] = array
    return [Level(**columns) for columns in found]


def load_counts(path: str | Path, order: int | None = None, limited: bool = False) -> CountedText:
    """Open a count file, see `CountedText.load`, and use only its orders up to `order`.

    Raises:
        DataError: as `CountedText.load`.
        UsageError: a file of a lower order.
    """
    text = CountedText.load(path, limited)
    return text if order is None else replace(text, counts=text.counts.up_to(order))


def is_count_file(path: str | Path) -> bool:
    """Whether a file is a container of counts; only looks at its beginning."""
    try:
        return files.is_container(path) and files.load(path).kind == KIND
    except DataError:
        return False


def _levels(arrays: dict[str, Any], order: int, words: int) -> list[Level]:
    edges = [arrays[f"{n}.edges"] for n in range(1, order)] + [None]
    levels = [Level(np.arange(words, dtype=np.int32), arrays["1.counts"], None, edges[0])]
    for n in range(2, order + 1):
        levels.append(Level(arrays[f"{n}.words"], arrays[f"{n}.counts"], arrays[f"{n}.suffixes"], edges[n - 1]))
    return levels


def _sound(counts: NGramCounts, vocabulary: Vocabulary) -> bool:
    """Whether all indices lie inside, n-grams are sorted, and counts of continuations add up to those of contexts."""
    size, first = len(vocabulary), counts.first
    if vocabulary.words(range(min(size, len(SPECIALS)))) != list(SPECIALS):
        return False
    if first.dtype != np.int64 or first.shape != (size,) or min(counts.tokens, counts.lines, counts.dropped_marks) < 0:
        return False
    unigrams = counts.levels[0].counts
    if unigrams.dtype != np.int32 or unigrams.shape != (size,) or not unigrams.any() or (unigrams < 0).any():
        return False
    for below, level in zip(counts.levels, counts.levels[1:], strict=False):
        columns = (level.words, level.counts, level.suffixes, below.edges)
        if [getattr(column, "dtype", None) for column in columns] != [np.int32, np.int32, np.uint32, np.uint32]:
            return False
        entries = (len(level.words),)
        if [column.shape for column in columns if column is not None] != [entries] * 3 + [(len(below.words) + 1,)]:
            return False
        fixed, contexts = (below.words, below.counts, below.edges, *columns[:3], size), len(below.words)
        assert below.edges is not None
        if below.edges[0] != 0 or below.edges[-1] != len(level.words):
            return False
        for i in range(0, contexts, _PIECE):
            if not kernels.level_is_sound(*fixed, i, min(i + _PIECE, contexts)):
                return False
            release_pages()
    return True
