"""What a score is made of, so that a person can work it out again with pencil and paper."""

import math
from collections.abc import Iterator
from dataclasses import asdict, dataclass, field
from typing import Any

import numpy as np

from ..kernels import trace
from ..text.vocabulary import BOS, EOS, UNK
from .counts import CountedText
from .model import NGramModel
from .occurrences import FiledCounts, KeptCounts, Occurrences
from .scoring import power_of_10


@dataclass(frozen=True)
class Backoff:
    """A context that was tried and does not know the word: its log10 weight, None where the model lacks it."""

    context: tuple[str, ...]
    log10_weight: float | None


@dataclass(frozen=True)
class Term:
    """One order of an interpolated probability: probability = own + gamma * lower.

    Attributes:
        count: occurrences of the n-gram in the training text.
        adjusted: the count that the method goes by; for Kneser-Ney below the highest order the distinct words before
            the n-gram, occurrences where it begins with <s>.
        discount: what is taken off it.
        total: sum of the adjusted counts of all words after the same context.
        own: (adjusted - discount) / total.
        gamma: weight of the order below after this context.
        lower: probability by the order below, after a context shorter by its first word; for unigrams a share of
            the uniform distribution.
    """

    ngram: tuple[str, ...]
    count: int
    adjusted: int
    discount: float
    total: int
    own: float
    gamma: float
    lower: float
    probability: float


@dataclass(frozen=True)
class Explanation:
    """One token of a sentence.

    Attributes:
        log10_prob: log10_ngram plus the weights of `backoffs`.
        ngram: the longest n-gram that the model has here, its order, and its own log10 probability.
        backoffs: contexts longer than that n-gram's, the longest first.
        count: how often the n-gram stands in the training text, where the model has counts.
        terms: how its probability came about, from its order down to 1; empty where counts or method do not tell.
    """

    word: str
    log10_prob: float
    oov: bool
    order: int
    ngram: tuple[str, ...]
    log10_ngram: float
    backoffs: list[Backoff]
    count: int | None = None
    terms: list[Term] = field(default_factory=list)

    @property
    def probability(self) -> float:
        return power_of_10(self.log10_prob)

    @property
    def bits(self) -> float:
        """Surprisal."""
        return -self.log10_prob * math.log2(10.0)

    def as_dict(self) -> dict[str, Any]:
        """For JSON."""
        return {**asdict(self), "probability": self.probability, "bits": self.bits}


def explain(model: NGramModel, text: str, counts: CountedText | None = None) -> list[Explanation]:
    """Every token of a sentence and its end, explained.

    Args:
        counts: of the training text, for a model that keeps none or was pruned; of the model's order or a higher one.

    Raises:
        UsageError: counts of another text.
    """
    tokens = model.tokenizer.tokenize(text)
    return list(_Explainer(model, counts).sentence(tokens))


def why_no_terms(model: NGramModel, counts: CountedText | None = None) -> str:
    """Why the terms of a model's probabilities cannot be shown, or "" where they can."""
    if model.counts is None and counts is None:
        return "the model keeps no counts: train it with --keep-counts, or give a file of them with --counts"
    if not model.report.get("discounts") or _method(model) not in ("mkn", "kn", "abs"):
        return f"its smoothing is {model.report.get('smoothing')}, not one by discounts"
    if model.report.get("form", "interpolated") != "interpolated":
        return "its orders are not interpolated"
    pruned = model.report.get("prune", [])
    if model.report.get("limited") or any(pruned[:1]):
        return "words were pruned, and count for the unknown one"
    if any(pruned) and counts is None:
        return "n-grams were pruned, whose counts are gone: give a file of them with --counts"
    return ""


def _method(model: NGramModel) -> str:
    return str(model.report.get("smoothing")).split(",")[0]


class _Explainer:
    def __init__(self, model: NGramModel, counts: CountedText | None) -> None:
        self.model = model
        self.data, self.layout, self.books = model.query_arrays
        self.with_terms = not why_no_terms(model, counts)
        self.occurrences: Occurrences | None = None
        if counts is not None:
            self.occurrences = FiledCounts(model, counts)
        elif model.counts is not None:
            self.occurrences = KeptCounts(model)
        self.facts: dict[tuple[int, ...], tuple[np.ndarray, int, float]] = {}

    def sentence(self, tokens: list[str]) -> Iterator[Explanation]:
        ids = [BOS, *self.model.vocabulary.ids(tokens).tolist(), EOS]
        for i, shown in enumerate([*tokens, "</s>"], 1):
            yield self.word(shown, ids[max(0, i + 1 - self.model.order) : i], ids[i])

    def word(self, shown: str, context: list[int], word: int) -> Explanation:
        backoffs = []
        while context and self.node([*context, word]) < 0:
            at = self.node(context)
            backoffs.append(Backoff(self.words(context), self.numbers(context, at)[1] if at >= 0 else None))
            context = context[1:]
        ngram = [*context, word]
        node = self.node(ngram)
        log10_ngram = self.numbers(ngram, node)[0]
        return Explanation(
            word=shown,
            log10_prob=log10_ngram + math.fsum(b.log10_weight or 0.0 for b in backoffs),
            oov=word == UNK,
            order=len(ngram),
            ngram=self.words(ngram),
            log10_ngram=log10_ngram,
            backoffs=backoffs,
            count=None if self.occurrences is None else self.occurrences.of(ngram),
            terms=[self.term(ngram[k:]) for k in range(len(ngram))] if self.with_terms else [],
        )

    def term(self, ngram: list[int]) -> Term:
        context, word, node = ngram[:-1], ngram[-1], self.node(ngram)
        counts, total, freed = self.context_facts(tuple(context))
        adjusted = int(counts[word])
        probability = power_of_10(self.numbers(ngram, node)[0])
        discount = self.discount(len(ngram), adjusted)
        own = (adjusted - discount) / total
        if context:
            gamma = power_of_10(self.numbers(context, self.node(context))[1])
            lower = power_of_10(self.numbers(ngram[1:], self.node(ngram[1:]))[0])
        else:
            gamma = freed / total
            lower = (probability - own) / gamma if gamma else 0.0
        assert self.occurrences is not None
        count = self.occurrences.of(ngram)
        return Term(self.words(ngram), count, adjusted, discount, total, own, gamma, lower, probability)

    def context_facts(self, context: tuple[int, ...]) -> tuple[np.ndarray, int, float]:
        """Adjusted counts of all words after a context, int64 (V,), their sum, and the sum of their discounts."""
        if context not in self.facts:
            order = len(context) + 1
            assert self.occurrences is not None
            if _method(self.model) != "abs" and order < self.model.order and context[:1] != (BOS,):
                counts = self.occurrences.neighbours(list(context))
            else:
                counts = self.occurrences.after(list(context))
            tally = np.bincount(np.minimum(counts, 1 << 16))
            freed = math.fsum(n * self.discount(order, a) for a, n in enumerate(tally.tolist()) if n)
            if len(self.facts) > 8:  # each holds a number for every word
                self.facts = {k: v for k, v in self.facts.items() if not k}
            self.facts[context] = counts, max(int(counts.sum()), 1), freed
        return self.facts[context]

    def discount(self, order: int, count: int) -> float:
        values = self.model.report["discounts"][order - 1]
        return float(values[min(count, len(values)) - 1]) if count else 0.0

    def node(self, ngram: list[int]) -> int:
        return int(trace.find_node(np.array(ngram, np.int32), self.data, self.layout))

    def numbers(self, ngram: list[int], node: int) -> tuple[float, float]:
        """log10 probability and backoff of an n-gram."""
        found = self.describe(len(ngram) - 1, np.array([node], np.int64))[1][0]
        return float(found[0]), float(found[1])

    def describe(self, level: int, nodes: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
        ids, numbers = np.empty((len(nodes), level + 1), np.int32), np.empty((len(nodes), 2), np.float64)
        trace.describe(nodes, level, *self.model.query_arrays, np.empty(level + 1, np.int64), ids, numbers)
        return ids, numbers

    def words(self, ids: list[int]) -> tuple[str, ...]:
        return tuple(self.model.vocabulary.word(i) for i in ids)
