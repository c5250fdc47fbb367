"""Interpolated Kneser-Ney estimates over trie levels (Chen & Goodman 1998; KenLM's lm/builder).

A level's entries lie sorted by context; the continuations of context h are edges[h]:edges[h + 1] of the next level.
"""

import math

import numpy as np

from .jit import kernel


@kernel
def estimate(
    edges, counts, suffixes, lower, discounts, first, last, probabilities, log_probabilities, log_backoffs
):  # fmt: skip
    """Probabilities of all continuations of the contexts `first` to `last`.

        p(w | h) = (a(hw) - D(a)) / S(h) + gamma(h) p(w | h'),
        gamma(h) = (D1 n1(h) + D2 n2(h) + D3 n3+(h)) / S(h)

    edges uint32 (H + 1,), counts int32 (E,) adjusted counts a, suffixes uint32 (E,) index of w after h' in `lower`,
    lower float32 probabilities of the order below, discounts float64 (4,) by min(count, 3).
    Out: probabilities float32 (E,), log_probabilities float32 (E,) base 10, log_backoffs float32 (H,): log10 gamma.
    """
    for context in range(first, last):
        begin, end = np.int64(edges[context]), np.int64(edges[context + 1])
        if begin == end:
            log_backoffs[context] = 0.0
            continue
        total, freed = 0.0, 0.0
        for entry in range(begin, end):
            total += counts[entry]
            freed += discounts[min(counts[entry], 3)]
        gamma = freed / total
        log_backoffs[context] = math.log10(gamma) if gamma > 0.0 else -99.0
        for entry in range(begin, end):
            kept = (counts[entry] - discounts[min(counts[entry], 3)]) / total
            probability = kept + gamma * lower[suffixes[entry]]
            probabilities[entry] = probability
            log_probabilities[entry] = min(0.0, math.log10(probability))
