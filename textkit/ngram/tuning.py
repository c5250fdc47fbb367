"""Parameters of smoothing methods by the likelihood of held-out tokens.

To every discount and Jelinek-Mercer weight belong two imagined tokens, one that it helps and one that it harms (a
Beta(2, 2) prior), so that none ends at its limit, where words would have no probability at all, for lack of evidence.
"""

from collections.abc import Callable
from dataclasses import dataclass, replace

import numpy as np

from .heldout import Facts
from .smoothing import Terms

BUCKETS = 32  # Jelinek-Mercer weights by number of bits of the context's count
_SWEEPS = 4
_ROUNDS = 60
_SETTLED = 0.01  # change of a parameter, by its range or its own size, that is not worth another sweep
_K_RANGE = -6.0, 1.0  # log10 of k
_TINY = 1e-300


@dataclass(frozen=True)
class Tokens:
    """Held-out tokens that methods predict.

    Attributes:
        facts: of each level.
        base: float64 (M,), probability of each token before any n-gram.
        uniform: the share that the unigrams add to every word of what they have left over.
        backoff: predict in the backoff form; else interpolate.
    """

    facts: list[Facts]
    base: np.ndarray
    uniform: float
    backoff: bool = False

    def predict(self, terms: list[Terms], first: int = 0, lower: np.ndarray | None = None) -> np.ndarray:
        """Probability of each token at the highest level of `terms`, float64 (M,).

        Args:
            lower: those of the level below `first`, to begin there.
        """
        p = self.base if lower is None else lower
        for n in range(first, len(terms)):
            own, gamma, _ = _shares(self.facts[n], terms[n])
            if n and self.backoff:
                free = 1.0 - self._covered(n, terms[n - 1])
                alpha = np.where(free < 1e-9, gamma, gamma / np.maximum(free, 1e-9))
                mixed = np.where((self.facts[n].count > 0) & (free >= 1e-9), own, own + alpha * p)
            else:
                mixed = own + gamma * p
            p = np.where(self.facts[n].total > 0, mixed, p)
        return p

    def _covered(self, n: int, below: Terms) -> np.ndarray:
        """What the order below gives to the words that level n lists after its context."""
        fact = self.facts[n]
        assert fact.covered is not None and fact.covered_types is not None
        _, gamma, scale = _shares(self.facts[n - 1], below)
        covered = (fact.covered - fact.covered_types @ np.array(below.discounts)) * scale
        return covered + gamma * fact.distinct * self.uniform if n == 1 else covered


def _shares(fact: Facts, term: Terms) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """own, gamma and weight / Z of each place."""
    discounts, _, weights = term.arrays()
    known = np.maximum(fact.total, 1.0)
    weight = weights[np.minimum(_bits(known), len(weights) - 1)]
    more = term.per_type * fact.distinct + term.per_context
    freed = fact.types @ discounts[1:] + more
    nothing = np.where(freed == 0, term.reserve, 0.0)
    scale = weight / (known + more + nothing)
    own = (fact.count - discounts[np.minimum(fact.count, len(term.discounts)).astype(np.int64)]) * scale
    return own, (1.0 - weight) + (freed + nothing) * scale, scale


def _bits(totals: np.ndarray) -> np.ndarray:
    return np.frexp(totals)[1]


def tune_discounts(tokens: Tokens, terms: list[Terms], orders: list[int]) -> list[Terms]:
    """The discounts of the given levels that make the tokens most likely, from those in `terms`, one at a time.

    A higher count always keeps more than a lower one: no discount exceeds that of the count below by more than 1.
    """
    terms = list(terms)
    for _ in range(_SWEEPS):
        before = [_discount_shares(terms[n]) for n in orders]
        for n in orders:
            lower = tokens.predict(terms[:n])
            for j in range(1, len(terms[n].discounts) + 1):

                def objective(share: float, n: int = n, j: int = j, lower: np.ndarray = lower) -> float:
                    term = _with_discount(terms[n], j, share * j)
                    shares = _discount_shares(term)
                    prior = float(np.sum(np.log(shares * (1 - shares))))
                    return _log_likelihood(tokens.predict([*terms[:n], term, *terms[n + 1 :]], n, lower)) + prior

                terms[n] = _with_discount(terms[n], j, j * _golden(objective, 1e-6, 1 - 1e-6, 0.002))
        moved = [np.abs(_discount_shares(terms[n]) - old).max() for n, old in zip(orders, before, strict=True)]
        if max(moved) < _SETTLED:
            break
    return terms


def _discount_shares(term: Terms) -> np.ndarray:
    """The discounts as shares of their counts, float64."""
    return np.array(term.discounts) / np.arange(1, len(term.discounts) + 1)


def _with_discount(term: Terms, count: int, value: float) -> Terms:
    """Change the discount of a count, and those of its neighbours as far as the order of counts demands."""
    found = list(term.discounts)
    found[count - 1] = value
    for i in range(count - 2, -1, -1):
        found[i] = max(found[i], found[i + 1] - 1)
    for i in range(count, len(found)):
        found[i] = min(found[i], found[i - 1] + 1)
    return replace(term, discounts=tuple(found))


def _log_likelihood(p: np.ndarray) -> float:
    return float(np.sum(np.log(np.maximum(p, _TINY))))


def tune_weights(tokens: Tokens) -> list[Terms]:
    """Jelinek-Mercer weights of all levels by expectation maximisation, a weight for each power of two of the total."""
    facts = tokens.facts
    known = [fact.total > 0 for fact in facts]
    own = [fact.count / np.maximum(fact.total, 1.0) for fact in facts]
    buckets = [np.minimum(_bits(fact.total), BUCKETS - 1) for fact in facts]
    weights, reached = np.full((len(facts), BUCKETS), 0.5), -np.inf
    for _ in range(_ROUNDS):
        shares, p = [], tokens.base
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


def tune_k(tokens: Tokens, make: Callable[[float, int], Terms]) -> list[float]:
    """The k of each level of add-k smoothing, one at a time; `make` gives the terms of a k and a level."""
    found = [0.1] * len(tokens.facts)
    for _ in range(_SWEEPS):
        before = list(found)
        for n in range(len(found)):
            terms = [make(k, i) for i, k in enumerate(found)]
            lower = tokens.predict(terms[:n])

            def objective(power: float, n: int = n, terms: list = terms, lower: np.ndarray = lower) -> float:
                tried = [*terms[:n], make(10.0**power, n), *terms[n + 1 :]]
                return _log_likelihood(tokens.predict(tried, n, lower))

            found[n] = 10.0 ** _golden(objective, *_K_RANGE, 0.01)
        if max(abs(np.log(a / b)) for a, b in zip(found, before, strict=True)) < 3 * _SETTLED:
            break
    return found


def _golden(function: Callable[[float], float], low: float, high: float, width: float) -> float:
    """Where a function with one peak is greatest, to within `width`, by golden section."""
    ratio = (5**0.5 - 1) / 2
    left, right = high - ratio * (high - low), low + ratio * (high - low)
    at_left, at_right = function(left), function(right)
    while high - low > width:
        if at_left > at_right:
            high, right, at_right = right, left, at_left
            left = high - ratio * (high - low)
            at_left = function(left)
        else:
            low, left, at_left = left, right, at_right
            right = low + ratio * (high - low)
            at_right = function(right)
    return (low + high) / 2
