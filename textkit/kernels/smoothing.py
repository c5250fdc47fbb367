"""Estimates over trie levels, for every smoothing method (Chen & Goodman 1998; KenLM's lm/builder).

A level's entries lie sorted by context; the continuations of context h are edges[h]:edges[h + 1] of the next level.
All methods give the n-gram hw its own share of probability, and what is left over goes to the order below:

    own(hw) = weight (a(hw) - D(a)) / Z(h),   Z(h) = S(h) + per_type T(h) + per_context,
    gamma(h) = 1 - sum of own over the kept continuations

with a the counts that the method uses, S(h) their sum over all continuations, T(h) the number of continuations,
D a discount by count, and a weight by the size of S(h). Where that leaves nothing over, Z is raised by a reserve.
"""

import numpy as np

from .jit import kernel, leaf, prefetch

_AHEAD = 32
_NOTHING = 1e-9  # a share of probability too small to be told from rounding


@leaf
def context_weight(total, weights):
    """The weight of a context with this sum of counts: weights[min(bits of the sum, last)], float64."""
    bits = 0
    rest = np.int64(total) if weights.shape[0] > 1 else np.int64(0)
    while rest > 0 and bits < weights.shape[0] - 1:
        rest >>= 1
        bits += 1
    return weights[bits]


@kernel(refcounts=False)
def interpolate(edges, counts, stays, suffixes, lower, discounts, extra, weights, first, last, probabilities, gammas):
    """Interpolated probabilities of all continuations of the contexts `first` to `last`.

        p(w | h) = own(hw) + gamma(h) p(w | h')

    edges uint32 (H + 1,), counts int32 (E,) a, stays bool (E,) what is kept, suffixes uint32 (E,) index of w after h'
    in `lower`, lower float32 probabilities of the order below, discounts float64 by min(a, last), extra float64 (3,)
    per_type, per_context and reserve, weights float64 by bits of S(h).
    Out: probabilities float32 (E,), gammas float32 (H,), 1 for a context without continuations.
    """
    top = discounts.shape[0] - 1
    for context in range(first, last):
        begin, end = np.int64(edges[context]), np.int64(edges[context + 1])
        total, freed = 0.0, 0.0
        for entry in range(begin, end):
            if entry + _AHEAD < suffixes.shape[0]:
                prefetch(lower, np.int64(suffixes[entry + _AHEAD]))
            total += counts[entry]
            freed += discounts[min(counts[entry], top)] if stays[entry] else counts[entry]
        gammas[context] = 1.0
        if begin < end:
            weight = context_weight(total, weights)
            more = extra[0] * (end - begin) + extra[1]
            more += extra[2] if freed + more == 0.0 else 0.0
            scale = weight / (total + more)
            gamma = (1.0 - weight) + (freed + more) * scale
            gammas[context] = gamma
            for entry in range(begin, end):
                own = (counts[entry] - discounts[min(counts[entry], top)]) * scale
                probabilities[entry] = own + gamma * lower[suffixes[entry]]


@kernel(refcounts=False)
def back_off(edges, counts, stays, suffixes, lower, discounts, extra, weights, first, last, probabilities, alphas):
    """Backed-off probabilities of all continuations of the contexts `first` to `last`.

        p(w | h) = own(hw) if hw is kept, else alpha(h) p(w | h'),
        alpha(h) = gamma(h) / (1 - sum of p(w | h') over the kept continuations)

    Where the kept continuations leave nothing of the order below, the context is interpolated instead.
    Arguments as for `interpolate`, with lower, probabilities and alphas float64: the difference from 1 cancels.
    """
    top = discounts.shape[0] - 1
    for context in range(first, last):
        begin, end = np.int64(edges[context]), np.int64(edges[context + 1])
        total, freed, covered = 0.0, 0.0, 0.0
        for entry in range(begin, end):
            if entry + _AHEAD < suffixes.shape[0]:
                prefetch(lower, np.int64(suffixes[entry + _AHEAD]))
            below = lower[suffixes[entry]]
            probabilities[entry] = below
            total += counts[entry]
            freed += discounts[min(counts[entry], top)] if stays[entry] else counts[entry]
            covered += below if stays[entry] else 0.0
        alphas[context] = 1.0
        if begin < end:
            weight = context_weight(total, weights)
            more = extra[0] * (end - begin) + extra[1]
            more += extra[2] if freed + more == 0.0 else 0.0
            scale = weight / (total + more)
            gamma = (1.0 - weight) + (freed + more) * scale
            free = 1.0 - covered
            share = gamma if free < _NOTHING else 0.0
            alphas[context] = gamma if free < _NOTHING else gamma / free
            for entry in range(begin, end):
                own = (counts[entry] - discounts[min(counts[entry], top)]) * scale
                probabilities[entry] = own + share * probabilities[entry]


@kernel(refcounts=False)
def context_facts(edges, counts, contexts, totals, types):
    """Sums over the continuations of the given contexts.

    edges uint32 (H + 1,), counts int32 (E,), contexts int64 (M,).
    Out: totals float64 (M,), sum of the counts; types float64 (M, bins), number of those with count 1, 2, … and
    with the last or more.
    """
    bins = types.shape[1]
    for i in range(contexts.shape[0]):
        totals[i] = 0.0
        types[i, :] = 0.0
        for entry in range(np.int64(edges[contexts[i]]), np.int64(edges[contexts[i] + 1])):
            totals[i] += counts[entry]
            if counts[entry] > 0:
                types[i, min(counts[entry], bins) - 1] += 1.0
