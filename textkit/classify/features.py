"""Features of documents: words, their characters' n-grams, n-grams of words, each a row of the input matrix.

Rows are numbered: words by their ids in the vocabulary (<unk> has none, </s> is the end mark), then n-grams of
characters, then n-grams of words. Only what occurs in the training documents has a row.
"""

import copy
from collections.abc import Iterable
from dataclasses import dataclass
from typing import Any

import numpy as np

from ..errors import DataError
from ..kernels import features as kernels
from ..parallel import ordered_map, split_evenly, thread_count
from ..text.corpus import EncodedCorpus
from ..text.vocabulary import BOS, EOS, SPECIALS, UNK, Vocabulary, word_numbers
from .characters import ExactPieces, HashedPieces
from .feature_config import FeatureConfig
from .labelling import Ragged, is_everything
from .ngrams import BucketNgrams, ExactNgrams, NoNgrams, Spelling

_NO_MAP = np.zeros(0, np.int32)


@dataclass
class Features:
    """The rows of a model and how text becomes them.

    Memory: the vocabulary; exact n-grams take 12 bytes each and 16 to 32 in their hash table (64 in very large models);
    hashed ones a bit per bucket.
    """

    config: FeatureConfig
    vocabulary: Vocabulary
    pieces: ExactPieces | HashedPieces | None
    ngrams: ExactNgrams | BucketNgrams | NoNgrams

    # --- making -----------------------------------------------------------------------------------------

    @classmethod
    def fit(
        cls,
        text: EncodedCorpus,
        rows: np.ndarray | None = None,
        config: FeatureConfig | None = None,
        threads: int | None = None,
    ) -> "Features":
        """The features of some documents.

        Args:
            rows: int64, the numbers of the training documents; all if None.

        Raises:
            DataError: they hold no word that is frequent enough.
        """
        config, workers = config or FeatureConfig(), thread_count(threads)
        documents = np.arange(text.lines) if rows is None else np.asarray(rows, np.int64)
        whole = rows is None or is_everything(documents, text.lines)
        vocabulary = _trained_words(text, None if whole else documents, config)
        mapping = word_numbers(text.vocabulary, vocabulary)
        pieces: ExactPieces | HashedPieces | None = None
        if config.chars and config.buckets is None:
            pieces = ExactPieces.fit(vocabulary, config.chars, config.min_ngram_count)
        elif config.chars and config.buckets:
            pieces = HashedPieces(config.chars, config.buckets)
        spell = Spelling(text, documents, mapping, EOS if config.end_mark else kernels.NONE)
        first = len(vocabulary) + (len(pieces) if isinstance(pieces, ExactPieces) else 0)
        ngrams: ExactNgrams | BucketNgrams | NoNgrams
        if config.buckets is not None and (config.word_ngrams > 1 or pieces):
            seen = pieces.seen(vocabulary) if isinstance(pieces, HashedPieces) else None
            ngrams = BucketNgrams.fit(spell, vocabulary, first, config, seen, workers)
        elif config.word_ngrams > 1:
            ngrams = ExactNgrams.fit(spell, first, config.word_ngrams, config.min_ngram_count, workers)
        else:
            ngrams = NoNgrams()
        return cls(config, vocabulary, pieces, ngrams)

    def __len__(self) -> int:
        """The number of rows."""
        exact = len(self.pieces) if isinstance(self.pieces, ExactPieces) else 0
        return len(self.vocabulary) + exact + len(self.ngrams)

    @property
    def open(self) -> bool:
        """Whether words that are not in the vocabulary matter."""
        return bool(self.pieces)

    @property
    def unused(self) -> list[int]:
        """Rows that no document has."""
        return [UNK, BOS] if self.config.end_mark else [UNK, BOS, EOS]

    # --- using ------------------------------------------------------------------------------------------

    def encoder(self, text: EncodedCorpus) -> "BagEncoder":
        """What makes bags of documents of this text, whatever its vocabulary.

        Words that are not in this model's vocabulary have the rows of their characters' n-grams, where there are any.
        """
        return BagEncoder(self, text)

    def bags(self, text: EncodedCorpus, documents: np.ndarray | None = None, threads: int | None = None) -> Ragged:
        """The rows of each document, with repetitions: words in turn, then n-grams by where they begin.

        Args:
            documents: int64, numbers of documents; all if None.

        Returns:
            One list of row numbers (int32) for each of them, in this order.
        """
        documents = np.arange(text.lines) if documents is None else np.asarray(documents, np.int64)
        encoder, workers = self.encoder(text), thread_count(threads)
        if workers == 1:
            return encoder.bags(documents)
        parts = split_evenly(len(documents), 8 * workers)
        pieces = list(ordered_map(lambda part: encoder.bags(documents[part[0] : part[1]]), parts, workers))
        return joined(pieces)

    def name(self, row: int) -> str:
        """What a row stands for: "good", "not good", "ing>"; a bucket's number as "#17"."""
        if row < len(self.vocabulary):
            return self.vocabulary.word(row)
        inside = row - len(self.vocabulary)
        if isinstance(self.pieces, ExactPieces):
            if inside < len(self.pieces):
                return self.pieces.name(inside)
            inside -= len(self.pieces)
        words = self.ngrams.words(inside)
        return words if isinstance(words, str) else " ".join(self.vocabulary.word(word) for word in words)

    def kind(self, row: int) -> str:
        """Which kind of feature a row is: "word", "characters", "n-gram" or "bucket"."""
        inside = row - len(self.vocabulary)
        if inside < 0:
            return "word"
        if isinstance(self.pieces, ExactPieces) and inside < len(self.pieces):
            return "characters"
        return "bucket" if isinstance(self.ngrams, BucketNgrams) else "n-gram"

    # --- keeping ----------------------------------------------------------------------------------------

    def arrays(self) -> dict[str, np.ndarray]:
        """The arrays of the container."""
        found = {**self.vocabulary.arrays(), **self.ngrams.arrays()}
        return found | (self.pieces.arrays() if isinstance(self.pieces, ExactPieces) else {})

    @classmethod
    def from_arrays(cls, arrays: dict[str, Any], config: FeatureConfig, name: object = "the model") -> "Features":
        """The inverse of `arrays`. Raises DataError for arrays that do not fit together."""
        vocabulary = Vocabulary.from_arrays(arrays, name)
        pieces: ExactPieces | HashedPieces | None = None
        if config.chars and config.buckets is None:
            pieces = ExactPieces.from_arrays(arrays, config.chars, name)
        elif config.chars and config.buckets:
            pieces = HashedPieces(config.chars, config.buckets)
        first = len(vocabulary) + (len(pieces) if isinstance(pieces, ExactPieces) else 0)
        ngrams: ExactNgrams | BucketNgrams | NoNgrams = NoNgrams()
        try:
            if config.buckets is not None and (config.word_ngrams > 1 or pieces):
                ngrams = BucketNgrams.from_arrays(arrays, vocabulary, first, config)
            elif config.word_ngrams > 1:
                ngrams = ExactNgrams.from_arrays(arrays, first, config.word_ngrams)
        except (KeyError, ValueError) as error:
            raise DataError(f"{name} is damaged: its n-grams make no sense ({error}).") from None
        return cls(config, vocabulary, pieces, ngrams)


class BagEncoder:
    """Makes bags of a text's documents; several threads may use it at once."""

    def __init__(self, features: Features, text: EncodedCorpus) -> None:
        self.features, self.text = features, text
        self.mapping = word_numbers(text.vocabulary, features.vocabulary)
        self.units = self._units()
        self.end_mark = EOS if features.config.end_mark else kernels.NONE
        self.widest = 1 if len(self.units[0]) == 0 else max(1, int(np.diff(self.units[0]).max()))

    def of(self, text: EncodedCorpus) -> "BagEncoder":
        """The same for another text with this one's vocabulary."""
        other = copy.copy(self)
        other.text = text
        return other

    def _units(self) -> tuple[np.ndarray, np.ndarray]:
        """The rows of each word of the text, where a word can be several."""
        features, vocabulary = self.features, self.text.vocabulary
        if features.pieces is None:
            return np.zeros(0, np.int64), _NO_MAP
        own = np.arange(len(vocabulary), dtype=np.int32) if len(self.mapping) == 0 else self.mapping
        first = len(features.vocabulary)
        if isinstance(features.pieces, ExactPieces):
            return features.pieces.units(vocabulary, own, first)
        assert isinstance(features.ngrams, BucketNgrams)
        return features.pieces.units(vocabulary, own, features.ngrams)

    def room(self, documents: np.ndarray) -> tuple[int, int]:
        """(tokens of the longest document, rows of all together at most)."""
        offsets, sizes = self.text.offsets, self.text.sizes(documents) + 1
        if len(sizes) == 0:
            return 1, 1
        per_word = self.features.config.word_ngrams - 1
        if self.widest == 1:
            return int(sizes.max()), int(sizes.sum()) * (1 + per_word)
        ids, starts = self.text.ids, self.units[0]
        lengths = np.diff(starts)
        rows = sum(int(lengths[ids[offsets[d] : offsets[d + 1]]].sum()) for d in documents.tolist())
        return int(sizes.max()), rows + len(sizes) + int(sizes.sum()) * per_word

    def fill(self, documents: np.ndarray, tokens: np.ndarray, starts: np.ndarray, out: np.ndarray) -> None:
        """The bags of some documents into arrays that are large enough (see `room`)."""
        text = self.text
        self.features.ngrams.bags(
            (text.ids, text.offsets, documents, self.mapping, self.end_mark, self.units), tokens, starts, out
        )

    def bags(self, documents: np.ndarray) -> Ragged:
        """The bags of some documents."""
        longest, most = self.room(documents)
        starts, out = np.zeros(len(documents) + 1, np.int64), np.empty(most, np.int32)
        self.fill(documents, np.empty(longest, np.int32), starts, out)
        return Ragged(out[: starts[-1]], starts)


def joined(pieces: Iterable[Ragged]) -> Ragged:
    """Runs of documents one after the other."""
    pieces = list(pieces)
    sizes = np.concatenate([np.zeros(1, np.int64), *(piece.sizes for piece in pieces)])
    return Ragged(np.concatenate([_NO_MAP, *(piece.ids for piece in pieces)]), np.cumsum(sizes))


def _trained_words(text: EncodedCorpus, documents: np.ndarray | None, config: FeatureConfig) -> Vocabulary:
    """The words that are frequent enough in the documents, with their counts there."""
    vocabulary = text.vocabulary
    if documents is None and config.min_count <= 1:
        return vocabulary
    counts = vocabulary.counts.copy()
    if documents is not None:
        counts = np.zeros(len(vocabulary), np.int64)
        for first in range(0, len(documents), 1 << 16):
            kernels.count_words(text.ids, text.offsets, documents[first : first + (1 << 16)], counts)
    kept = np.flatnonzero(counts >= max(1, config.min_count))
    kept = np.concatenate([np.arange(len(SPECIALS)), kept[kept >= len(SPECIALS)]])
    if len(kept) == len(SPECIALS):
        raise DataError(
            f"no word occurs {config.min_count} times in {text.lines:,} documents.",
            "Give more documents, or a lower --min-count.",
        )
    chosen = vocabulary.subset(kept)
    chosen.counts = counts[kept]
    return chosen
