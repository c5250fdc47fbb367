"""Character n-grams of words: which rows of the input matrix a word is made of."""

from dataclasses import dataclass

import numpy as np

from ..kernels import subwords as kernels
from .tokenizer import text_buffer
from .vocabulary import SPECIALS, Vocabulary


@dataclass(frozen=True)
class Ngrams:
    """Which n-grams count: of `shortest` to `longest` characters, hashed to `buckets` numbers."""

    shortest: int
    longest: int
    buckets: int

    def hashed(self, arena: np.ndarray, ends: np.ndarray, first: int, last: int) -> tuple[np.ndarray, np.ndarray]:
        """(starts, buckets) int64 of words first to last of an arena: a run of buckets for each."""
        starts, room = np.zeros(last - first + 1, np.int64), 4 * int(ends[last] - ends[first]) + 1024
        while True:
            found = np.empty(room, np.int64)
            count = kernels.hash_ngrams(
                arena, ends, first, last, self.shortest, self.longest, self.buckets, starts, found, room
            )
            if count <= room:
                return starts, found[:count]
            room = count

    def of_word(self, word: str) -> np.ndarray:
        """The buckets of one word's n-grams, int64."""
        data = word.encode("utf-8", "surrogateescape")
        return self.hashed(text_buffer(data), np.array([0, len(data)], np.int64), 0, 1)[1]


def word_units(vocabulary_size: int) -> tuple[np.ndarray, np.ndarray]:
    """(starts int64, rows int32) where each word is its own row alone."""
    return np.arange(vocabulary_size + 1, dtype=np.int64), np.arange(vocabulary_size, dtype=np.int32)


def subword_units(vocabulary: Vocabulary, ngrams: Ngrams) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """(starts int64, rows int32, buckets int64): each word's own row, then those of its n-grams.

    Only buckets that occur get rows: bucket buckets[i] has row V + i. They are in ascending order.
    """
    size = len(vocabulary)
    first = len(SPECIALS)
    starts, found = ngrams.hashed(vocabulary.arena, vocabulary.ends, first, size)
    buckets, rows = np.unique(found, return_inverse=True)
    lengths = np.concatenate([np.zeros(first, np.int64), np.diff(starts)]) + 1
    unit_starts = np.concatenate([np.zeros(1, np.int64), np.cumsum(lengths)])
    unit_rows = np.empty(unit_starts[-1], np.int32)
    own = np.zeros(len(unit_rows), bool)
    own[unit_starts[:-1]] = True
    unit_rows[own] = np.arange(size)
    unit_rows[~own] = rows.reshape(-1) + size
    return unit_starts, unit_rows, buckets
