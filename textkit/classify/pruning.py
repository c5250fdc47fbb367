"""Fewer features: those that matter most, with all that their n-grams are made of."""

import numpy as np

from ..text.vocabulary import SPECIALS
from .characters import ExactPieces
from .features import Features
from .hashed import HashedFeatures
from .ngrams import BucketNgrams, ExactNgrams, NoNgrams


def pruned(features: Features | HashedFeatures, rows: np.ndarray) -> tuple[Features | HashedFeatures, np.ndarray]:
    """Features without all others.

    Args:
        rows: the numbers of those to keep; specials, words and n-grams that longer n-grams are made of, and all words
            where n-grams are hashed, stay too.

    Returns:
        The features that are left, and the old row of each of theirs, int64 ascending.
    """
    keep = np.zeros(len(features), bool)
    keep[rows] = True
    if isinstance(features, HashedFeatures):
        return features.only(keep), np.flatnonzero(keep)
    words, ngrams = len(features.vocabulary), features.ngrams
    keep[: words if isinstance(ngrams, BucketNgrams) else len(SPECIALS)] = True
    if isinstance(ngrams, ExactNgrams):
        for _ in range(ngrams.order):
            chosen = keep[ngrams.first :]
            keep[ngrams.left[chosen]] = True
            keep[ngrams.right[chosen]] = True
    number = np.cumsum(keep) - 1
    pieces = features.pieces
    if isinstance(pieces, ExactPieces):
        inside = np.flatnonzero(keep[words : words + len(pieces)]) + len(SPECIALS)
        names = pieces.names.subset(np.concatenate([np.arange(len(SPECIALS)), inside]))
        pieces = ExactPieces(pieces.lengths, names)
    left: ExactNgrams | BucketNgrams | NoNgrams = NoNgrams()
    if isinstance(ngrams, ExactNgrams):
        chosen, first = keep[ngrams.first :], int(np.count_nonzero(keep[: ngrams.first]))
        begin, last = (number[part[chosen]].astype(np.int32) for part in (ngrams.left, ngrams.right))
        left = ExactNgrams(
            first, ngrams.order, begin, last, ngrams.counts[chosen] if len(ngrams.counts) else ngrams.counts
        )
    if isinstance(ngrams, BucketNgrams):
        left = ngrams.only(keep[ngrams.first :])
    vocabulary = features.vocabulary.subset(np.flatnonzero(keep[:words]))
    return Features(features.config, vocabulary, pieces, left), np.flatnonzero(keep)
