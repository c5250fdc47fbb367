"""What may be in a bucket: n-grams of the characters of the model's own words, by hashing all of them again."""

from collections import Counter

import numpy as np

from ..text.subwords import Ngrams
from ..text.vocabulary import SPECIALS
from .characters import HashedPieces
from .features import Features
from .hashed import HashedFeatures
from .occurrences import pieces

SHOWN = 3


def bucket_names(features: Features | HashedFeatures, buckets: list[int]) -> dict[int, str]:
    """For buckets, the n-grams of characters that fall into them, those of the most frequent words first.

    N-grams of words share the buckets and cannot be told from their numbers; a bucket without a name has only such.
    Memory: 8 bytes for each n-gram of the vocabulary's words.
    """
    hashed = features.pieces
    if not isinstance(hashed, HashedPieces) or hashed.lengths[1] == 0 or not buckets:
        return {}
    vocabulary, lengths = features.vocabulary, (max(hashed.lengths[0], 1), hashed.lengths[1])
    ngrams = Ngrams(*lengths, hashed.buckets)
    starts, found = ngrams.hashed(vocabulary.arena, vocabulary.ends, len(SPECIALS), len(vocabulary))
    counts: dict[int, Counter[str]] = {}
    for place in np.flatnonzero(np.isin(found, buckets)).tolist():
        word = int(np.searchsorted(starts, place, side="right")) - 1
        name = list(pieces(vocabulary.word(word + len(SPECIALS)), *lengths))[place - int(starts[word])]
        weight = int(vocabulary.counts[word + len(SPECIALS)]) + 1
        counts.setdefault(int(found[place]), Counter())[name] += weight
    return {bucket: " | ".join(name for name, _ in names.most_common(SHOWN)) for bucket, names in counts.items()}
