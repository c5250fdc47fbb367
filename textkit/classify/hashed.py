"""Features as a fastText model hashes them: whole lines, their end included, and every n-gram whatever its words."""

from dataclasses import dataclass
from functools import cached_property
from typing import Any, ClassVar

import numpy as np

from ..errors import DataError
from ..formats.fasttext import FastText
from ..formats.hashing import LABEL, UNKNOWN, Hashing
from ..kernels import fasttext as kernels
from ..parallel import ordered_map, split_evenly, thread_count
from ..text.corpus import EncodedCorpus
from ..text.vocabulary import EOS, SPECIALS, UNK, Vocabulary, word_numbers
from .characters import HashedPieces
from .feature_config import FeatureConfig
from .features import joined
from .labelling import Ragged

_NUMBERS = ("words", "shortest", "longest", "word_ngrams", "buckets")


@dataclass
class HashedFeatures:
    """The rows of a fastText model.

    Attributes:
        config: the nearest settings of features there are here.
        vocabulary: the words; the specials come first.
        own: int32 (V,), the row of each, UNKNOWN where it has none.
        hashing: how n-grams become rows.
        kept: int32 (P, 2), buckets that are left and their rows behind the words; None for all.
        prefix: words that begin with it are labels, and no features.
    """

    config: FeatureConfig
    vocabulary: Vocabulary
    own: np.ndarray
    hashing: Hashing
    kept: np.ndarray | None
    prefix: bytes

    open = True  # words that are not in the vocabulary matter
    unused: ClassVar[list[int]] = []  # rows that no document has

    @classmethod
    def of(cls, model: FastText, prefix: bytes) -> "HashedFeatures":
        """Those of a model."""
        names = [word.decode("utf-8", "surrogateescape") for word in model.entries.words_only()]
        ordinary = [row for row, name in enumerate(names) if name not in SPECIALS]
        vocabulary = Vocabulary.from_words([names[row] for row in ordinary], model.entries.counts[ordinary].tolist())
        own = np.full(len(vocabulary), UNKNOWN, np.int32)
        own[len(SPECIALS) :] = ordinary
        for number, special in enumerate(SPECIALS):
            if special in names:
                own[number] = names.index(special)
        hashing = Hashing.of(model)
        return cls(_config(hashing, own), vocabulary, own, hashing, model.kept, prefix)

    def __len__(self) -> int:
        """The number of rows."""
        return self.hashing.words + (self.hashing.buckets if self.kept is None else len(self.kept))

    # --- using ------------------------------------------------------------------------------------------

    def bags(self, text: EncodedCorpus, documents: np.ndarray | None = None, threads: int | None = None) -> Ragged:
        """The rows of each document, see `kernels.fasttext.document_rows`.

        Words that the model does not know count by their spelling where the text's vocabulary has them.

        Args:
            documents: int64, numbers of documents; all if None.
        """
        documents = np.arange(text.lines) if documents is None else np.asarray(documents, np.int64)
        spelt, workers = self.spelt(text.vocabulary), thread_count(threads)

        def collect(part: tuple[int, int]) -> Ragged:
            return self._rows(text, documents[part[0] : part[1]], *spelt)

        parts = split_evenly(len(documents), 8 * workers) if len(documents) else []
        return joined(ordered_map(collect, parts, workers))

    def spelt(self, vocabulary: Vocabulary) -> tuple[np.ndarray, np.ndarray, np.ndarray, np.ndarray]:
        """(known, hashes, starts, rows) of the words of a text's vocabulary, see `Hashing.units`."""
        known = self._known(vocabulary)
        return known, *self.hashing.units(vocabulary.arena, vocabulary.ends, known, EOS)

    @cached_property
    def _row_of(self) -> dict[int, int]:
        assert self.kept is not None
        return dict(self.kept.tolist())

    def row_of(self, bucket: int) -> int:
        """The row of a bucket; -1 where it has none."""
        row = bucket if self.kept is None else self._row_of.get(bucket, -1)
        return row if row < 0 else self.hashing.words + row

    def _known(self, vocabulary: Vocabulary) -> np.ndarray:
        """The row of each word of a text's vocabulary, UNKNOWN or LABEL."""
        if vocabulary is self.vocabulary:
            return self.own
        numbers = word_numbers(vocabulary, self.vocabulary)
        known = self.own[numbers] if len(numbers) else self.own.copy()
        known[numbers == UNK] = UNKNOWN
        known[: len(SPECIALS)] = self.own[: len(SPECIALS)]
        if self.prefix:
            arena, prefix = vocabulary.arena, np.frombuffer(self.prefix, np.uint8)
            begin = vocabulary.ends[:-1]
            same = np.diff(vocabulary.ends) >= len(prefix)
            for i, byte in enumerate(prefix):
                same[same] = arena[begin[same] + i] == byte
            known[same & (known == UNKNOWN)] = LABEL
        return known

    def _rows(
        self, text: EncodedCorpus, documents: np.ndarray, known: np.ndarray, hashes: np.ndarray, starts: np.ndarray,
        unit_rows: np.ndarray,
    ) -> Ragged:  # fmt: skip
        hashing, sizes = self.hashing, text.sizes(documents) + 1
        chained, offsets = np.empty(int(sizes.max()), np.uint64), np.zeros(len(documents) + 1, np.int64)
        room = int(sizes.sum()) * hashing.word_ngrams
        while True:
            rows = np.empty(room, np.int32)
            count = kernels.document_rows(
                text.ids, text.offsets, documents, EOS, known, hashes, starts, unit_rows, hashing.word_ngrams,
                hashing.buckets, hashing.words, hashing.places, hashing.numbers, chained, offsets, rows,
            )  # fmt: skip
            if count <= room:
                return Ragged(rows[:count].copy(), offsets)
            room = count

    @cached_property
    def _words(self) -> np.ndarray:
        """For each row of a word its number in the vocabulary, int64."""
        numbers = np.zeros(self.hashing.words, np.int64)
        numbers[self.own[self.own >= 0]] = np.flatnonzero(self.own >= 0)
        return numbers

    def name(self, row: int) -> str:
        """What a row stands for: a word, or a bucket's number as "#17"."""
        if row < self.hashing.words:
            return self.vocabulary.word(int(self._words[row]))
        inside = row - self.hashing.words
        if self.kept is None:
            return f"#{inside}"
        return f"#{self.kept[np.flatnonzero(self.kept[:, 1] == inside)[0], 0]}"

    def kind(self, row: int) -> str:
        """Which kind of feature a row is: "word" or "bucket"."""
        return "word" if row < self.hashing.words else "bucket"

    def only(self, keep: np.ndarray) -> "HashedFeatures":
        """Without the rows where `keep`, bool (R,), is False; the others move up."""
        old, number = self.hashing, np.cumsum(keep) - 1
        words = int(np.count_nonzero(keep[: old.words]))
        stays = (self.own >= 0) & keep[np.maximum(self.own, 0)]
        stays[: len(SPECIALS)] = True
        vocabulary = self.vocabulary.subset(np.flatnonzero(stays))
        own = self.own[stays]
        own = np.where((own >= 0) & keep[np.maximum(own, 0)], number[np.maximum(own, 0)], UNKNOWN).astype(np.int32)
        pairs = self.kept
        if pairs is None:
            pairs = np.stack([np.arange(old.buckets, dtype=np.int32)] * 2, axis=1)
        pairs = pairs[keep[old.words + pairs[:, 1]]]
        kept = np.stack([pairs[:, 0], number[old.words + pairs[:, 1]] - words], axis=1).astype(np.int32)
        hashing = Hashing.with_kept(words, old.lengths, old.word_ngrams, old.buckets, kept)
        return HashedFeatures(self.config, vocabulary, own, hashing, kept, self.prefix)

    @property
    def pieces(self) -> HashedPieces:
        """How n-grams of characters are hashed."""
        return HashedPieces(self.hashing.lengths, self.hashing.buckets)

    # --- keeping ----------------------------------------------------------------------------------------

    def arrays(self) -> dict[str, np.ndarray]:
        """The arrays of the container."""
        hashing = self.hashing
        numbers = [hashing.words, *hashing.lengths, hashing.word_ngrams, hashing.buckets]
        found = {
            **self.vocabulary.words_alone().arrays(),
            "hashed.own": self.own,
            "hashed.numbers": np.array(numbers, np.int64),
            "hashed.prefix": np.frombuffer(self.prefix, np.uint8),
        }
        return found if self.kept is None else {**found, "hashed.kept": self.kept}

    @classmethod
    def from_arrays(cls, arrays: dict[str, Any], name: object = "the model") -> "HashedFeatures":
        """The inverse of `arrays`. Raises DataError for arrays that do not fit together."""
        vocabulary = Vocabulary.from_arrays(arrays, name)
        try:
            own, numbers, prefix = (arrays[f"hashed.{part}"] for part in ("own", "numbers", "prefix"))
            words, shortest, longest, word_ngrams, buckets = map(int, numbers)
        except (KeyError, TypeError, ValueError) as error:
            raise DataError(f"{name} is damaged: its features lack or spoil {error}.") from None
        kept = arrays.get("hashed.kept")
        fits = own.shape == (len(vocabulary),) and own.dtype == np.int32
        fits = fits and bool((own >= UNKNOWN).all() and (own < words).all()) and 0 <= words <= len(own)
        fits = fits and 0 <= longest <= 1000 and 1 <= word_ngrams <= 1000 and 0 <= shortest <= 1000
        fits = fits and (longest > 0 or word_ngrams > 1) <= buckets < 1 << 31
        if kept is not None:
            fits = fits and kept.ndim == 2 and kept.shape[1:] == (2,) and kept.dtype == np.int32
            fits = fits and (len(kept) == 0 or 0 <= kept.min() <= kept[:, 1].max() < len(kept))
        if not fits:
            raise DataError(f"{name} is damaged: its hashed features make no sense.")
        hashing = Hashing.with_kept(words, (shortest, longest), word_ngrams, buckets, kept)
        return cls(_config(hashing, own), vocabulary, own, hashing, kept, prefix.tobytes())


def _config(hashing: Hashing, own: np.ndarray) -> FeatureConfig:
    shortest, longest = max(hashing.lengths[0], 1), min(hashing.lengths[1], 100)
    return FeatureConfig(
        word_ngrams=min(hashing.word_ngrams, 20),
        chars=(shortest, longest) if longest >= shortest else None,
        buckets=max(hashing.buckets, 1),
        min_ngram_count=1,
        end_mark=bool(own[EOS] >= 0),
    )
