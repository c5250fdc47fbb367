"""Features that grow: those of a model, and behind them what new text or a file of vectors brings.

Old words, characters' n-grams and n-grams keep their order; where each old row has gone is told, so that trained
numbers can follow.
"""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from ..errors import UsageError
from ..text.vocabulary import SPECIALS, Vocabulary
from .characters import ExactPieces
from .feature_config import FeatureConfig
from .features import Features
from .ngrams import BucketNgrams, ExactNgrams, NoNgrams, word_hashes

_WORD_BITS, _ONE = np.uint64(32), np.uint64(1)


@dataclass
class Grown:
    """Features with others added.

    Attributes:
        features: all of them.
        rows: int64, the row that each row of the first ones has now.
    """

    features: Features
    rows: np.ndarray


def grown(old: Features, new: Features) -> Grown:
    """The features of a model and those of new documents together.

    Raises:
        UsageError: they are of different kinds.
    """
    if _kind(old.config) != _kind(new.config):
        raise UsageError(
            "a model cannot be trained on with other features than it has.",
            f"It has --word-ngrams {old.config.word_ngrams}, --chars {old.config.chars}, "
            f"--buckets {old.config.buckets}.",
        )
    vocabulary, numbers = united(old.vocabulary, new.vocabulary)
    pieces, first = old.pieces, len(vocabulary)
    if isinstance(old.pieces, ExactPieces) and isinstance(new.pieces, ExactPieces):
        pieces = ExactPieces(old.pieces.lengths, united(old.pieces.names, new.pieces.names)[0])
        first += len(pieces)
    rows = np.arange(len(old))
    rows[len(old.vocabulary) :] += len(vocabulary) - len(old.vocabulary)
    rows[_first(old) :] = first + np.arange(len(old.ngrams))
    ngrams: ExactNgrams | BucketNgrams | NoNgrams = NoNgrams()
    if isinstance(old.ngrams, ExactNgrams) and isinstance(new.ngrams, ExactNgrams):
        ngrams = _with_exact(old.ngrams, new.ngrams, first, numbers)
    elif isinstance(old.ngrams, BucketNgrams) and isinstance(new.ngrams, BucketNgrams):
        touched = old.ngrams.touched | new.ngrams.touched
        ngrams = BucketNgrams(first, old.ngrams.order, old.ngrams.buckets, touched, word_hashes(vocabulary))
        rows[_first(old) :] = ngrams.rows_of(old.ngrams.numbers())
    return Grown(Features(old.config, vocabulary, pieces, ngrams), rows)


def with_words(old: Features, words: Sequence[str]) -> Grown:
    """The same features and rows for more words."""
    vocabulary, _ = united(old.vocabulary, Vocabulary.from_words(words))
    first = _first(old) + len(vocabulary) - len(old.vocabulary)
    rows = np.arange(len(old))
    rows[len(old.vocabulary) :] += first - _first(old)
    ngrams = old.ngrams
    if isinstance(ngrams, ExactNgrams):
        ngrams = ExactNgrams(first, ngrams.order, _moved(ngrams, first), ngrams.right, ngrams.counts)
    elif isinstance(ngrams, BucketNgrams):
        ngrams = BucketNgrams(first, ngrams.order, ngrams.buckets, ngrams.touched, word_hashes(vocabulary))
    return Grown(Features(old.config, vocabulary, old.pieces, ngrams), rows)


def united(old: Vocabulary, new: Vocabulary) -> tuple[Vocabulary, np.ndarray]:
    """The words of both with their counts added up, old ones first; and the id there of each new one, int64."""
    known = old.words()[len(SPECIALS) :]
    numbers = {word: len(SPECIALS) + i for i, word in enumerate(known)}
    added = [word for word in new.words()[len(SPECIALS) :] if word not in numbers]
    numbers |= {word: len(old) + i for i, word in enumerate(added)}
    places = np.array([*range(len(SPECIALS)), *(numbers[word] for word in new.words()[len(SPECIALS) :])], np.int64)
    both = Vocabulary.from_words([*known, *added])
    both.counts[: len(old)] = old.counts
    np.add.at(both.counts, places, new.counts)
    return both, places


def _kind(config: FeatureConfig) -> tuple[object, ...]:
    return config.word_ngrams, config.chars, config.buckets, config.end_mark


def _first(features: Features) -> int:
    """The row of the first n-gram of words."""
    return len(features) - len(features.ngrams)


def _moved(ngrams: ExactNgrams, first: int) -> np.ndarray:
    """The rows of the n-grams' beginnings when the first n-gram's row is another."""
    inside = ngrams.left >= ngrams.first
    return np.where(inside, ngrams.left + (first - ngrams.first), ngrams.left).astype(np.int32)


def _with_exact(old: ExactNgrams, new: ExactNgrams, first: int, numbers: np.ndarray) -> ExactNgrams:
    """Both dictionaries in one; `numbers` are the ids of the new one's words in the united vocabulary."""
    left, right, counts = _moved(old, first), old.right, np.zeros(len(old), np.int64)
    counts[: len(old.counts)] = old.counts  # a model that was made small has none
    rows = np.empty(len(new), np.int64)  # of each new n-gram in the united dictionary
    begun = 0
    while begun < len(new):  # one order at a time: the beginnings of the next lie in this one
        later = np.flatnonzero(new.left[begun:] >= new.first + begun)
        ended = begun + int(later[0]) if len(later) else len(new)
        inside = new.left[begun:ended] >= new.first
        places = np.where(inside, new.left[begun:ended] - new.first, 0)
        lefts = np.where(inside, rows[places], numbers[np.where(inside, 0, new.left[begun:ended])])
        rights = numbers[new.right[begun:ended]]
        found = _found(_keys(left, right), _keys(lefts, rights))
        fresh = found < 0
        counts[found[~fresh]] += new.counts[begun:ended][~fresh]
        rows[begun:ended] = first + np.where(fresh, len(left) + np.cumsum(fresh) - 1, found)
        left = np.concatenate([left, lefts[fresh].astype(np.int32)])
        right = np.concatenate([right, rights[fresh].astype(np.int32)])
        counts = np.concatenate([counts, new.counts[begun:ended][fresh]])
        begun = ended
    return ExactNgrams(first, max(old.order, new.order), left, right, counts)


def _keys(left: np.ndarray, right: np.ndarray) -> np.ndarray:
    return (left.astype(np.uint64) << _WORD_BITS) | (right.astype(np.uint64) + _ONE)


def _found(keys: np.ndarray, wanted: np.ndarray) -> np.ndarray:
    """The place of each wanted key among others, -1 where it is not there."""
    if len(keys) == 0:
        return np.full(len(wanted), -1)
    order = np.argsort(keys)
    places = np.minimum(np.searchsorted(keys, wanted, sorter=order), len(keys) - 1)
    found = order[places]
    return np.where(keys[found] == wanted, found, -1)
