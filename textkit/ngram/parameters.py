"""From a training configuration and counts to the terms of every order: given, closed form, or by held-out tokens."""

from dataclasses import dataclass, field
from functools import cached_property
from typing import Any

import numpy as np

from ..store import Store
from ..text.vocabulary import UNK
from . import discounts, heldout, smoothing, tuning
from .config import TrainingConfig
from .counts import NGramCounts
from .heldout import Facts, Places
from .smoothing import Plan, Terms
from .tuning import Tokens


@dataclass
class Evidence:
    """What the parameters of a method are found from.

    Args:
        adjusted: use Kneser-Ney counts.
        words: size of the vocabulary, see `smoothing.vocabulary_size`.
        dev: places of a held-out text, if there is one; otherwise each token of the training text is left out in turn.
        store: makes arrays of n-grams, in memory if not given.
        threads: to count with.
    """

    counts: NGramCounts
    adjusted: bool
    words: int
    interpolate_unigrams: bool = True
    dev: Places | None = None
    store: Store = field(default_factory=Store)
    threads: int = 1
    _facts: dict[tuple[int, int, int], Facts] = field(default_factory=dict)

    @cached_property
    def values(self) -> list[np.ndarray]:
        """The counts that the method uses."""
        if not self.adjusted:
            return smoothing.raw_counts(self.counts)
        return smoothing.adjusted_counts(self.counts, self.store, self.threads)

    @cached_property
    def tallies(self) -> list[list[int]]:
        """Counts of counts by order."""
        tallies = smoothing.counts_of_counts(self.values, discounts.COUNTS, self.threads)
        if self.adjusted:
            smoothing.adjust_as_lmplz(tallies, self.counts, self.values)
        return tallies

    @cached_property
    def places(self) -> Places:
        """The tokens that parameters are tuned on."""
        return self.dev.sample() if self.dev else heldout.leave_one_out(self.counts)

    @cached_property
    def base(self) -> np.ndarray:
        """Probability of each place before any n-gram."""
        if self.interpolate_unigrams:
            return np.full(self.places.entries.shape[1], 1.0 / self.words)
        return (self.places.entries[0] == UNK).astype(np.float64)

    def tokens(self, bins: list[int], backoff: bool) -> Tokens:
        """What tuning predicts; types are told apart by so many counts at each level."""
        observer = heldout.Observer(self.counts, self.values, self.adjusted, self.places, self.store)
        for n, size in enumerate(bins):
            if (n, size, 0) not in self._facts:
                self._facts[n, size, 0] = observer.facts(n, size)
            if backoff and n and (n, size, bins[n - 1]) not in self._facts:
                self._facts[n, size, bins[n - 1]] = observer.with_covered(self._facts[n, size, 0], n, bins[n - 1])
        facts = [self._facts[n, size, bins[n - 1] if backoff and n else 0] for n, size in enumerate(bins)]
        return Tokens(facts, self.base, self.interpolate_unigrams / self.words, backoff)


DEFAULT_FALLBACK = (0.5, 1.0, 1.5)  # lmplz's

Settled = tuple[list[Terms], dict[str, Any]]


def settle(config: TrainingConfig, evidence: Evidence) -> tuple[Plan, dict[str, Any]]:
    """All that the configured method leaves open, and a report of how it was settled."""
    method = config.method
    find = _discounted if method.discounts else {"k": _add_k, "lambda": _jelinek_mercer}.get(method.parameter, _fixed)
    terms, report = find(config, evidence)
    alpha = config.alpha if method.parameter == "alpha" else None
    return Plan(terms, config.backoff, alpha, config.interpolate_unigrams, config.vocab_pad), report


def _fixed(config: TrainingConfig, evidence: Evidence) -> Settled:
    report = {"alpha": config.alpha} if config.method.parameter == "alpha" else {}
    return [Terms(per_type=config.method.per_type)] * evidence.counts.order, report


def _discounted(config: TrainingConfig, evidence: Evidence) -> Settled:
    order = evidence.counts.order
    if config.discounts:
        terms = [Terms(row) for row in by_order(config.discounts, order)]
        return terms, {"discounts": [list(t.discounts) for t in terms], "settled": "given"}
    terms, failed = _closed_form(config, evidence.tallies)
    settled = "closed form"
    tuned = [int(n) - 1 for n in failed] if config.discount_fallback is None else []
    if evidence.dev and config.method.parameter:
        tuned, settled, failed = list(range(order)), "dev", {}
    if tuned:
        tokens = evidence.tokens([len(term.discounts) for term in terms], config.backoff)
        terms = tuning.tune_discounts(tokens, terms, tuned)
    report: dict[str, Any] = {"discounts": [list(t.discounts) for t in terms], "settled": settled}
    return terms, {**report, "fallbacks": failed, "fallbacks_tuned": bool(tuned)}


def _closed_form(config: TrainingConfig, tallies: list[list[int]]) -> tuple[list[Terms], dict[str, str]]:
    """Terms of all orders, and why the counts of some orders did not give them."""
    method, fallback = config.method, config.discount_fallback or DEFAULT_FALLBACK
    assert method.discounts is not None
    terms, failed = [], {}
    for n, tally in enumerate(tallies, 1):
        try:
            found = method.discounts(tally)
            if config.backoff and any(d >= j for j, d in enumerate(found, 1)):
                raise ValueError("the discount takes all of a count, which only interpolating gives back")
        except ValueError as reason:
            found = (*fallback, *[fallback[-1]] * 2)[: method.bins]
            failed[str(n)] = str(reason)
        terms.append(Terms(found, reserve=method.reserve))
    return terms, failed


def _add_k(config: TrainingConfig, evidence: Evidence) -> Settled:
    order, words = evidence.counts.order, evidence.words

    def terms(k: float, level: int) -> Terms:
        # In the backoff form every seen n-gram has its k; otherwise the order below shares all of them out.
        return Terms((-k if level and config.backoff else 0.0,), per_context=k * words)

    if config.k:
        found, settled = list(by_order(config.k, order)), "given"
    else:
        found, settled = tuning.tune_k(evidence.tokens([1] * order, config.backoff), terms), _source(evidence)
    return [terms(k, n) for n, k in enumerate(found)], {"k": found, "settled": settled}


def _jelinek_mercer(config: TrainingConfig, evidence: Evidence) -> Settled:
    order = evidence.counts.order
    if config.weights:
        terms, settled = [Terms(weights=(w,)) for w in by_order(config.weights, order)], "given"
    else:
        terms, settled = tuning.tune_weights(evidence.tokens([1] * order, False)), _source(evidence)
    return terms, {"lambda": [list(t.weights) for t in terms], "settled": settled}


def _source(evidence: Evidence) -> str:
    return "dev" if evidence.dev else "leave-one-out"


def by_order(given: tuple, order: int) -> tuple:
    """One value for each order; the last stands for all further ones."""
    return (*given, *[given[-1]] * order)[:order]
