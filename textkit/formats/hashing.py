"""How a fastText model turns words into rows of its input matrix."""

from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np

from ..errors import DataError
from ..kernels import fasttext as kernels
from ..parallel import ordered_map, split_evenly, thread_count
from .fasttext import END, FastText

UNKNOWN, LABEL = kernels.UNKNOWN, kernels.LABEL
_WORDS = 1 << 14  # whose vectors are composed at a time
_NONE = np.zeros(0, np.int32)


@dataclass(frozen=True)
class Hashing:
    """What of a model decides about rows.

    Attributes:
        words: rows of words, before those of n-grams.
        lengths: (shortest, longest) n-grams of a word's characters; longest 0 for none.
        word_ngrams: longest n-grams of words.
        buckets: numbers that n-grams are hashed to.
        places, numbers: the hash table of those that are left, see `kernels.fasttext.kept_row`.
    """

    words: int
    lengths: tuple[int, int]
    word_ngrams: int
    buckets: int
    places: np.ndarray
    numbers: np.ndarray

    @classmethod
    def of(cls, model: FastText) -> "Hashing":
        """That of a model."""
        settings = model.settings
        lengths = settings.shortest, settings.longest
        return cls.with_kept(model.entries.words, lengths, settings.word_ngrams, settings.buckets, model.kept)

    @classmethod
    def with_kept(
        cls, words: int, lengths: tuple[int, int], word_ngrams: int, buckets: int, kept: np.ndarray | None
    ) -> "Hashing":
        """By the list of buckets that are left, int32 (P, 2), and their rows; None for all of them."""
        places = numbers = _NONE
        if kept is not None:
            places = np.full(2 * len(kept) + 1, kernels.FREE, np.int32)
            numbers = np.zeros(len(places) if len(kept) else 0, np.int32)
            kernels.fill_kept(kept, places, numbers)
        return cls(words, lengths, word_ngrams, buckets, places, numbers)

    def units(
        self, arena: np.ndarray, ends: np.ndarray, known: np.ndarray, end_mark: int
    ) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
        """(hashes uint64 (V,), starts int64 (V + 1,), rows int32): the rows of each of V words.

        Args:
            known: int32 (V,), each word's own row, UNKNOWN, or LABEL.
            end_mark: which of the words is </s>; -1 for none.
        """
        hashes, starts = np.empty(len(known), np.uint64), np.zeros(len(known) + 1, np.int64)
        size = int(ends[-1] - ends[0])
        room, most = len(known) + (4 * size + 1024 if self.lengths[1] else 0), 1024
        while True:
            rows, found = np.empty(room, np.int32), np.empty(most, np.int64)
            count, needed = kernels.word_rows(
                arena, ends, end_mark, known, self.words, self.lengths, self.buckets, self.places, self.numbers, hashes,
                starts, rows, found,
            )  # fmt: skip
            if count <= room and needed <= most:
                return hashes, starts, rows[:count]
            room, most = max(room, count), max(most, needed)


def end_mark(model: FastText) -> int:
    """The row of </s>, or -1."""
    arena, ends = model.entries.arena, model.entries.ends
    for row in np.flatnonzero(np.diff(ends[: model.entries.words + 1]) == len(END)).tolist():
        if arena[ends[row] : ends[row + 1]].tobytes() == END:
            return int(row)
    return -1


def word_vectors(model: FastText, threads: int | None = None) -> np.ndarray:
    """The vectors of all words as fastText has them, float32 (words, D): the means of their rows.

    Raises:
        DataError: one has numbers that are not finite.
    """
    hashing, entries, mark = Hashing.of(model), model.entries, end_mark(model)
    out = np.empty((entries.words, model.settings.dim), np.float32)

    def compose(edge: tuple[int, int]) -> None:
        a, b = edge
        known = np.arange(a, b, dtype=np.int32)
        _, starts, rows = hashing.units(entries.arena, entries.ends[a : b + 1], known, mark - a)
        model.input.means(starts, rows, 0, b - a, out[a:b])

    for _ in ordered_map(compose, _blocks(entries.words), thread_count(threads)):
        pass
    if not (good := np.isfinite(out).all(1)).all():
        bad = int(np.flatnonzero(~good)[0])
        name = entries.names(bad, bad + 1)[0].decode("utf-8", "replace")
        raise DataError(f"the vector of '{name}' has numbers that are not finite.", "Is the file damaged?")
    return out


def _blocks(words: int) -> Iterator[tuple[int, int]]:
    return iter(split_evenly(words, -(-words // _WORDS)) if words else [])
