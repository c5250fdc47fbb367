"""Where the features of a document stand in it, and what they are called there.

A bag holds rows in a known order: those of each word in turn, then the n-grams of words by where they begin. Walking
the document in the same order gives each row its place; in the document a hashed n-gram has a name, too.
"""

from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np

from ..formats.hashing import LABEL, UNKNOWN
from ..kernels import features as kernels
from ..text.corpus import EncodedCorpus
from ..text.subwords import Ngrams
from ..text.vocabulary import EOS, SPECIALS, UNK
from .characters import ExactPieces, HashedPieces
from .features import BagEncoder, Features
from .hashed import HashedFeatures
from .ngrams import BucketNgrams, ExactNgrams

_MULTIPLIER, _MASK = 116049371, (1 << 64) - 1  # as kernels.features hashes


@dataclass(frozen=True)
class Occurrence:
    """One row of a bag: what it is, and the words [first, last) of the document that it is made of."""

    row: int
    name: str
    kind: str
    first: int
    last: int


def occurrences(features: Features | HashedFeatures, text: EncodedCorpus, tokens: list[str]) -> list[Occurrence]:
    """Every row of the bag of a text of one document, in the order of the bag.

    Args:
        tokens: the words of the document as they stand there.
    """
    bag = features.bags(text, threads=1).ids.tolist()
    shown = [*tokens, "</s>"]
    walk = (
        _HashedWalk(features, text, tokens) if isinstance(features, HashedFeatures) else _Walk(features, text, tokens)
    )
    found = [
        Occurrence(row, name or " ".join(shown[first:last]), kind, first, last)
        for row, name, kind, first, last in (*walk.words(), *walk.ngrams())
    ]
    if [each.row for each in found] == bag:
        return found
    # A document that spells out marks: the names of its features are known, their places are not.
    return [Occurrence(row, features.name(row), features.kind(row), 0, 0) for row in bag]


class _Walk:
    """A document's words and n-grams with their rows: (row, name or "" for the words there, kind, first, last)."""

    def __init__(self, features: Features, text: EncodedCorpus, tokens: list[str]) -> None:
        self.features, self.tokens = features, tokens
        self.ids = text.ids[text.offsets[0] : text.offsets[1]].tolist()
        self.encoder = BagEncoder(features, text)
        mapping = self.encoder.mapping
        self.known = self.ids if len(mapping) == 0 else mapping[self.ids].tolist()
        self.end = [EOS] if features.config.end_mark else []

    def words(self) -> Iterator[tuple[int, str, str, int, int]]:
        starts, rows = self.encoder.units
        for place, (token, row) in enumerate(zip(self.ids, self.known, strict=True)):
            if len(starts) == 0:
                if row != UNK:
                    yield row, "", "word", place, place + 1
                continue
            units = rows[starts[token] : starts[token + 1]].tolist()
            if row != UNK:
                yield row, "", "word", place, place + 1
                units = units[1:]
            names = self._pieces(place, units) if token >= len(SPECIALS) else []  # marks are not spelled out
            for unit, name in zip(units, names, strict=True):
                yield unit, name, "characters", place, place + 1
        for mark in self.end:
            yield mark, "", "word", len(self.ids), len(self.ids) + 1

    def _pieces(self, place: int, units: list[int]) -> list[str]:
        """The names of a word's n-grams of characters that have rows."""
        features = self.features
        if isinstance(features.pieces, ExactPieces):
            return [features.name(unit) for unit in units]
        assert isinstance(features.pieces, HashedPieces)
        assert isinstance(features.ngrams, BucketNgrams)
        names = list(pieces(self.tokens[place], *features.pieces.lengths))
        buckets = Ngrams(*features.pieces.lengths, features.pieces.buckets).of_word(self.tokens[place])
        rows = features.ngrams.rows_of(np.asarray(buckets, np.int64))
        return [name for name, row in zip(names, rows.tolist(), strict=True) if row != kernels.NONE]

    def ngrams(self) -> Iterator[tuple[int, str, str, int, int]]:
        known = [*self.known, *self.end]
        found: list[tuple[int, int, int]] = []
        if isinstance(self.features.ngrams, ExactNgrams):
            found = _exact(self.features.ngrams, np.array(known, np.int32))
        elif isinstance(self.features.ngrams, BucketNgrams):
            found = _hashed(self.features.ngrams, known)
        for first, last, row in sorted(found):
            yield row, "", "n-gram", first, last


class _HashedWalk:
    """The same of features as fastText hashes them: labels are no words, unknown words are."""

    def __init__(self, features: HashedFeatures, text: EncodedCorpus, tokens: list[str]) -> None:
        self.features, self.tokens = features, tokens
        known, hashes, starts, rows = features.spelt(text.vocabulary)
        ids = text.ids[text.offsets[0] : text.offsets[1]].tolist()
        self.places = [(place, i) for place, i in enumerate([*ids, EOS]) if known[i] != LABEL]
        self.known, self.hashes, self.starts, self.rows = known, hashes, starts, rows

    def words(self) -> Iterator[tuple[int, str, str, int, int]]:
        for place, i in self.places:
            units = self.rows[self.starts[i] : self.starts[i + 1]].tolist()
            if self.known[i] != UNKNOWN:
                yield units.pop(0), "", "word", place, place + 1
            for unit, name in zip(units, self._pieces(place) if units else (), strict=True):
                yield unit, name, "characters", place, place + 1

    def _pieces(self, place: int) -> list[str]:
        """The names of a word's n-grams of characters that have rows."""
        shortest, longest = self.features.hashing.lengths
        names = pieces(self.tokens[place], max(shortest, 1), longest)
        buckets = Ngrams(max(shortest, 1), longest, self.features.hashing.buckets).of_word(self.tokens[place])
        return [name for name, n in zip(names, buckets.tolist(), strict=True) if self.features.row_of(n) >= 0]

    def ngrams(self) -> Iterator[tuple[int, str, str, int, int]]:
        hashing = self.features.hashing
        for at, (first, word) in enumerate(self.places):
            value = int(self.hashes[word])
            for last, other in self.places[at + 1 : at + hashing.word_ngrams]:
                value = (value * _MULTIPLIER + int(self.hashes[other])) & _MASK
                row = self.features.row_of(value % hashing.buckets)
                if row >= 0:
                    yield row, "", "n-gram", first, last + 1


def _exact(ngrams: ExactNgrams, words: np.ndarray) -> list[tuple[int, int, int]]:
    """(first, last, row) of every n-gram with a row."""
    rows, found = np.where(words == UNK, kernels.NONE, words).astype(np.int32), []
    for n in range(2, min(ngrams.order, len(words)) + 1):
        # rows[i] is the n-gram of n - 1 words that begins at i.
        longer = np.empty(len(words) - n + 1, np.int32)
        kernels.find_pairs(np.ascontiguousarray(rows[: len(longer)]), words[n - 1 :].copy(), *ngrams.table, longer)
        rows = longer
        found += [(i, i + n, int(rows[i])) for i in np.flatnonzero(rows != kernels.NONE).tolist()]
    return found


def _hashed(ngrams: BucketNgrams, words: list[int]) -> list[tuple[int, int, int]]:
    places, buckets = [], []
    for first, word in enumerate(words):
        value = int(ngrams.hashes[word])
        for last in range(first + 1, min(first + ngrams.order, len(words))):
            if UNK in (word, words[last]):
                break
            value = (value * _MULTIPLIER + int(ngrams.hashes[words[last]])) & _MASK
            places.append((first, last + 1))
            buckets.append(value % ngrams.buckets)
    rows = ngrams.rows_of(np.array(buckets, np.int64)).tolist()
    return [(*place, row) for place, row in zip(places, rows, strict=True) if row != kernels.NONE]


def pieces(word: str, shortest: int, longest: int) -> Iterator[str]:
    """The n-grams of a word's characters in angle brackets, in the order in which they are hashed; no lone bracket."""
    whole = f"<{word}>"
    for first in range(len(whole)):
        for last in range(first + shortest, min(first + longest, len(whole)) + 1):
            if last - first > 1 or 0 < first < len(whole) - 1:
                yield whole[first:last]
