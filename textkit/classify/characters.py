"""N-grams of a word's characters as rows, exactly or hashed to buckets."""

from dataclasses import dataclass
from typing import Any

import numpy as np

from ..kernels import features as kernels
from ..text.subwords import Ngrams
from ..text.tokenizer import PADDING
from ..text.vocabulary import SPECIALS, Vocabulary, WordTable
from .ngrams import BucketNgrams

_WORDS = 1 << 14  # whose n-grams are spelled out at a time


@dataclass
class ExactPieces:
    """N-grams of characters by name.

    Attributes:
        lengths: (shortest, longest) in characters, of the word in angle brackets.
        names: they are words of a vocabulary of their own: n-gram i is its word len(SPECIALS) + i.
    """

    lengths: tuple[int, int]
    names: Vocabulary

    @classmethod
    def fit(cls, vocabulary: Vocabulary, lengths: tuple[int, int], min_count: int) -> "ExactPieces":
        """The n-grams that occur `min_count` times in the words of a vocabulary, with the words' counts."""
        table = WordTable()
        specials = Vocabulary.from_words([])
        table.add_words(specials.arena, specials.ends)
        counts = np.zeros(1 << 12, np.int64)
        for first in range(len(SPECIALS), len(vocabulary), _WORDS):
            last = min(first + _WORDS, len(vocabulary))
            buffer, starts, spans = _spelled(vocabulary, first, last, lengths)
            ids, _ = table.intern(buffer, spans, len(spans))
            if table.words > len(counts):
                counts = np.concatenate([counts, np.zeros(2 * table.words, np.int64)])
            np.add.at(counts, ids, np.repeat(vocabulary.counts[first:last], np.diff(starts)))
        table.counts[: table.words] = counts[: table.words]
        table.first[: table.words] = np.arange(table.words)
        return cls(lengths, Vocabulary.from_table(table, min_count)[0])

    def __len__(self) -> int:
        return len(self.names) - len(SPECIALS)

    def name(self, number: int) -> str:
        """The characters."""
        return self.names.word(number + len(SPECIALS))

    def units(self, vocabulary: Vocabulary, own: np.ndarray, first: int) -> tuple[np.ndarray, np.ndarray]:
        """(starts int64 (V + 1,), rows int32) of the words of any vocabulary.

        Args:
            own: int32 (V,), the row of each word itself, 0 where it has none; it leads its n-grams.
            first: the row of the first n-gram.
        """
        found, sizes = [], [np.zeros(len(SPECIALS), np.int64)]
        for start in range(len(SPECIALS), len(vocabulary), _WORDS):
            last = min(start + _WORDS, len(vocabulary))
            buffer, starts, spans = _spelled(vocabulary, start, last, self.lengths)
            ids, _ = self.names.look_up(buffer, spans, len(spans))
            found.append(np.where(ids >= len(SPECIALS), ids - len(SPECIALS) + first, kernels.NONE))
            sizes.append(np.diff(starts))
        return _with_words(own, np.concatenate([np.zeros(0, np.int64), *found]), np.concatenate(sizes))

    def arrays(self) -> dict[str, np.ndarray]:
        """What the container holds."""
        return {f"pieces.{name}": array for name, array in self.names.arrays().items()}

    @classmethod
    def from_arrays(cls, arrays: dict[str, Any], lengths: tuple[int, int], name: object) -> "ExactPieces":
        """The inverse of `arrays`. Raises DataError for what makes no sense."""
        own = {key.removeprefix("pieces."): array for key, array in arrays.items() if key.startswith("pieces.")}
        return cls(lengths, Vocabulary.from_arrays(own, name))


@dataclass
class HashedPieces:
    """N-grams of characters in the same buckets as those of words."""

    lengths: tuple[int, int]
    buckets: int

    def _of(self, vocabulary: Vocabulary) -> tuple[np.ndarray, np.ndarray]:
        ngrams = Ngrams(*self.lengths, self.buckets)
        return ngrams.hashed(vocabulary.arena, vocabulary.ends, len(SPECIALS), len(vocabulary))

    def seen(self, vocabulary: Vocabulary) -> np.ndarray:
        """Which buckets the words of the training documents touch, uint8 (B,)."""
        hits = np.zeros(self.buckets, np.uint8)
        hits[self._of(vocabulary)[1]] = 1
        return hits

    def units(self, vocabulary: Vocabulary, own: np.ndarray, ngrams: BucketNgrams) -> tuple[np.ndarray, np.ndarray]:
        """As `ExactPieces.units`."""
        starts, buckets = self._of(vocabulary)
        sizes = np.concatenate([np.zeros(len(SPECIALS), np.int64), np.diff(starts)])
        return _with_words(own, ngrams.rows_of(buckets), sizes)


def _spelled(
    vocabulary: Vocabulary, first: int, last: int, lengths: tuple[int, int]
) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Words first to last in angle brackets: (their bytes, the first n-gram of each, spans int32 of all n-grams)."""
    edges = vocabulary.ends[first : last + 1]
    buffer = np.zeros(int(edges[-1] - edges[0]) + 2 * (last - first) + PADDING, np.uint8)
    starts, room = np.zeros(last - first + 1, np.int64), 8 * len(buffer)
    while True:
        spans = np.empty((room, 2), np.int32)
        count = kernels.spell_pieces(vocabulary.arena, vocabulary.ends, first, last, *lengths, buffer, starts, spans)
        if count <= room:
            return buffer, starts, spans[:count]
        room = count


def _with_words(own: np.ndarray, rows: np.ndarray, sizes: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Put each word's own row before those of its n-grams, and leave out what has no row."""
    starts = np.concatenate([np.zeros(1, np.int64), np.cumsum(sizes + 1)])
    mixed = np.full(starts[-1], kernels.NONE, np.int64)
    leads = np.zeros(len(mixed), bool)
    leads[starts[:-1]] = True
    mixed[leads] = np.where(own == kernels.UNKNOWN, kernels.NONE, own)
    mixed[~leads] = rows
    stays = mixed != kernels.NONE
    before = np.concatenate([np.zeros(1, np.int64), np.cumsum(stays)])
    return before[starts], mixed[stays].astype(np.int32)
