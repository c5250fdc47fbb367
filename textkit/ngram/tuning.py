"""Parameters of smoothing methods by the likelihood of held-out tokens.

All methods are taken as interpolated here: p_n = own_n + gamma_n p_{n-1}, which is linear in each single discount and
weight. To every discount and weight belong two imagined tokens, one that it helps and one that it harms (a Beta(2, 2)
prior), so that none ends at its limit, where words would have no probability at all, for lack of evidence.
"""

from collections.abc import Callable
from dataclasses import replace

import numpy as np

from .heldout import Facts
from .smoothing import Terms

BUCKETS = 32  # Jelinek-Mercer weights by number of bits of the context's count
_SWEEPS = 8
_ROUNDS = 60
_SETTLED = 1e-3  # change of a parameter that is not worth another sweep
_K_RANGE = -6.0, 1.0  # log10 of k
_TINY = 1e-300


def predict(facts: list[Facts], terms: list[Terms], base: np.ndarray) -> np.ndarray:
    """Probability of each place, float64 (M,), interpolated up from `base`, those of order 0."""
    for fact, term in zip(facts, terms, strict=True):
        base = _mixed(fact, term, base)
    return base


def _mixed(fact: Facts, term: Terms, lower: np.ndarray) -> np.ndarray:
    discounts, _, weights = term.arrays()
    known = np.maximum(fact.total, 1.0)
    weight = weights[np.minimum(_bits(known), len(weights) - 1)]
    more = term.per_type * fact.types.sum(axis=1) + term.per_context
    scale = weight / (known + more)
    own = (fact.count - discounts[np.minimum(fact.count, len(term.discounts)).astype(np.int64)]) * scale
    gamma = (1.0 - weight) + (fact.types @ discounts[1:] + more) * scale
    return np.where(fact.total > 0, own + gamma * lower, lower)


def _bits(totals: np.ndarray) -> np.ndarray:
    return np.frexp(totals)[1]


def tune_discounts(facts: list[Facts], terms: list[Terms], base: np.ndarray, orders: list[int]) -> list[Terms]:
    """The discounts of the given levels that make the places most likely, from those in `terms`, one at a time."""
    terms = list(terms)
    for _ in range(_SWEEPS):
        before = [term.discounts for term in terms]
        for n in orders:
            lower = predict(facts[:n], terms[:n], base)
            for j in range(len(terms[n].discounts)):
                low, high = (
                    predict(facts[n:], [_with_discount(terms[n], j, d), *terms[n + 1 :]], lower) for d in (0.0, j + 1)
                )
                terms[n] = _with_discount(terms[n], j, (j + 1) * _best_share(low, high))
        moved = [
            abs(a - b)
            for term, old in zip(terms, before, strict=True)
            for a, b in zip(term.discounts, old, strict=True)
        ]
        if max(moved) < _SETTLED:
            break
    return terms


def _with_discount(term: Terms, j: int, value: float) -> Terms:
    return replace(term, discounts=(*term.discounts[:j], value, *term.discounts[j + 1 :]))


def _best_share(low: np.ndarray, high: np.ndarray) -> float:
    """The t in (0, 1) with the greatest sum of log((1 - t) low + t high) + log t + log(1 - t), by bisection."""
    moved = low != high
    low, step = low[moved], (high - low)[moved]
    left, right = 0.0, 1.0
    for _ in range(40):
        t = (left + right) / 2
        slope = float(np.sum(step / np.maximum(low + t * step, _TINY))) + 1 / t - 1 / (1 - t)
        left, right = (t, right) if slope > 0 else (left, t)
    return (left + right) / 2


def tune_weights(facts: list[Facts], base: np.ndarray) -> list[Terms]:
    """Jelinek-Mercer weights of all levels by expectation maximisation, a weight for each power of two of the total."""
    known = [fact.total > 0 for fact in facts]
    own = [fact.count / np.maximum(fact.total, 1.0) for fact in facts]
    buckets = [np.minimum(_bits(fact.total), BUCKETS - 1) for fact in facts]
    weights, reached = np.full((len(facts), BUCKETS), 0.5), -np.inf
    for _ in range(_ROUNDS):
        shares, p = [], base
        for n in range(len(facts)):
            kept = np.where(known[n], weights[n][buckets[n]], 0.0)
            p = np.maximum(kept * own[n] + (1 - kept) * p, _TINY)
            shares.append(kept * own[n] / p)
        likelihood, reach = float(np.mean(np.log(p))), np.ones(len(p))
        for n in reversed(range(len(facts))):
            taken = np.bincount(buckets[n], reach * shares[n], BUCKETS)
            offered = np.bincount(buckets[n], reach * known[n], BUCKETS)
            weights[n] = (taken + 1) / (offered + 2)
            reach = reach * (1 - shares[n])
        if likelihood - reached < 1e-6:
            break
        reached = likelihood
    return [Terms(weights=tuple(row)) for row in weights.tolist()]


def tune_k(facts: list[Facts], base: np.ndarray, words: int) -> list[float]:
    """The k of each level of add-k smoothing for a vocabulary of so many words, one at a time by golden section."""
    found = [0.1] * len(facts)
    for _ in range(3):
        before = list(found)
        for n in range(len(facts)):
            lower = predict(facts[:n], [_added(k, words) for k in found[:n]], base)
            above = [_added(k, words) for k in found[n + 1 :]]

            def likelihood(power: float, n: int = n, lower: np.ndarray = lower, above: list = above) -> float:
                p = predict(facts[n:], [_added(10.0**power, words), *above], lower)
                return float(np.sum(np.log(np.maximum(p, _TINY))))

            found[n] = 10.0 ** _golden(likelihood, *_K_RANGE)
        if max(abs(np.log(a / b)) for a, b in zip(found, before, strict=True)) < 0.02:
            break
    return found


def _added(k: float, words: int) -> Terms:
    return Terms(per_context=k * words)


def _golden(function: Callable[[float], float], low: float, high: float) -> float:
    """Where a function with one peak is greatest, to within 0.01."""
    ratio = (5**0.5 - 1) / 2
    left, right = high - ratio * (high - low), low + ratio * (high - low)
    at_left, at_right = function(left), function(right)
    while high - low > 0.01:
        if at_left > at_right:
            high, right, at_right = right, left, at_left
            left = high - ratio * (high - low)
            at_left = function(left)
        else:
            low, left, at_left = left, right, at_right
            right = low + ratio * (high - low)
            at_right = function(right)
    return (low + high) / 2
