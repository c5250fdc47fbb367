"""Which words of a text are trained on, and which are drawn as negative samples."""

import numpy as np

from .jit import kernel, leaf
from .random import draw_below, draw_unit

GAP = -1  # in a stream of words: a line ends here, and no window reaches across


@kernel
def subsample(ids, first, last, offsets, line, keep, rng, stream):
    """Copy the words that stay, with a GAP at each end of a line; ids[first] is in `line`.

    ids int32 (N,); offsets int64 (L + 1,); keep float32 (V,), the probability that a word stays (0 for words that are
    not trained); rng uint64 (1,); stream int32 (>= 2 * (last - first),). Returns the length of the stream.
    """
    size, end = 0, offsets[line + 1]
    for i in range(first, last):
        if i >= end:
            stream[size] = GAP
            size += 1
            while i >= end:
                line += 1
                end = offsets[line + 1]
        if draw_unit(rng) < keep[ids[i]]:
            stream[size] = ids[i]
            size += 1
    return size


def alias_table(counts, exponent):
    """(accept float32, alias int32, probabilities float64), each (V,): drawing by count ** exponent, 0 for no count."""
    weights = np.zeros(len(counts), np.float64)
    weights[counts > 0] = counts[counts > 0].astype(np.float64) ** exponent
    probabilities = weights / weights.sum()
    accept, alias = np.empty(len(counts), np.float32), np.empty(len(counts), np.int32)
    fill_alias(probabilities * len(counts), accept, alias, np.empty(len(counts), np.int64))
    return accept, alias, probabilities


@kernel
def fill_alias(probabilities, accept, alias, queue):
    """Alias table of a distribution (Walker 1977, Vose 1991): two look-ups draw from it, whatever its size.

    probabilities float64 (V,), summing to V, used up; accept float32 and alias int32 (V,) are filled; queue int64 (V,).
    """
    most, low, high = 0, 0, len(queue)  # small ones wait at the front of the queue, large ones at its end
    for i in range(len(probabilities)):
        alias[i] = i
        if probabilities[i] > probabilities[most]:
            most = i
        if probabilities[i] < 1.0:
            queue[low] = i
            low += 1
        else:
            high -= 1
            queue[high] = i
    while low > 0 and high < len(queue):
        low -= 1
        small, large = queue[low], queue[high]
        alias[small] = large
        probabilities[large] -= 1.0 - probabilities[small]
        if probabilities[large] < 1.0:
            high += 1
            queue[low] = large
            low += 1
    for i in range(len(probabilities)):
        accept[i] = np.float32(probabilities[i])
    while low > 0:  # left over by rounding: nearly 1, or of a word that is never drawn
        low -= 1
        if probabilities[queue[low]] > 0.5:
            accept[queue[low]] = np.float32(1.0)
        else:
            alias[queue[low]] = most


@leaf
def draw_word(rng, accept, alias):
    """A random word by the alias table, as int64."""
    i = draw_below(rng, len(accept))
    return i if draw_unit(rng) < accept[i] else np.int64(alias[i])


@kernel
def draw_words(rng, accept, alias, out):
    """Fill out int32 with random words by the alias table."""
    for i in range(len(out)):
        out[i] = draw_word(rng, accept, alias)
