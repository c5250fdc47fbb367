"""Interpolated Kneser-Ney estimates over trie levels (Chen & Goodman 1998; KenLM's lm/builder).

A level's entries lie sorted by context; the continuations of context h are edges[h]:edges[h + 1] of the next level.
"""

import numpy as np

from .jit import kernel, prefetch

_AHEAD = 32


@kernel
def interpolate(edges, counts, stays, suffixes, lower, discounts, first, last, probabilities, gammas):
    """Probabilities of all continuations of the contexts `first` to `last`.

        p(w | h) = (a(hw) - D(a)) / S(h) + gamma(h) p(w | h'),
        gamma(h) = (D1 n1(h) + D2 n2(h) + D3 n3+(h) over the kept + sum of a over the pruned) / S(h)

    edges uint32 (H + 1,), counts int32 (E,) adjusted counts a, stays bool (E,) what is kept, suffixes uint32 (E,)
    index of w after h' in `lower`, lower float32 probabilities of the order below, discounts float64 (4,) by
    min(count, 3).
    Out: probabilities float32 (E,), gammas float32 (H,), 1 for a context without continuations.
    """
    for context in range(first, last):
        begin, end = np.int64(edges[context]), np.int64(edges[context + 1])
        total, freed = 0.0, 0.0
        for entry in range(begin, end):
            if entry + _AHEAD < suffixes.shape[0]:
                prefetch(lower, np.int64(suffixes[entry + _AHEAD]))
            total += counts[entry]
            freed += discounts[min(counts[entry], 3)] if stays[entry] else counts[entry]
        gammas[context] = 1.0
        if begin < end:
            weight = 1.0 / total
            gamma = freed * weight
            gammas[context] = gamma
            for entry in range(begin, end):
                kept = (counts[entry] - discounts[min(counts[entry], 3)]) * weight
                probabilities[entry] = kept + gamma * lower[suffixes[entry]]
