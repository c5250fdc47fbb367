"""Relative-entropy pruning: leave out the n-grams whose absence changes the model's distribution least.

Stolcke (1998) weighs the loss of an n-gram hw by P(h) p(w | h), both read off the model. In a Kneser-Ney model the
shorter contexts give no such marginals (Chelba et al. 2010): their probabilities are meant for backing off only. Here
every weight is the expected number of uses of an entry in text that the model itself would write: the stationary flow
of probability through the states of the model, found by repeated steps. An n-gram of a lower order goes only where no
longer one that ends in it is left, so it is weighed by all its expected occurrences, not by its own probability, which
in a Kneser-Ney model tells little about them.
"""

import json
import math
from collections.abc import Callable
from dataclasses import dataclass

import numpy as np

from ..errors import UsageError
from ..formats.backoff import BackoffTrie
from ..kernels import pruning as kernels
from ..parallel import ordered_map, thread_count
from ..progress import Reporter, silent
from .conversion import changed
from .flow import context_ranges, expected_flow
from .links import pieces, powers_of_10, suffix_links
from .model import NGramModel
from .packed import packed_bytes
from .quantisation import check_bits, quantised_model
from .refitting import refitted

_TINY, _HUGE = 1e-30, 1e30  # thresholds between which a search takes place
_CLOSE = 1 + 1e-6  # to such a factor
_FOREIGN = 0.1  # nats; Kneser-Ney models have 0.2 and more, others less than 0.06
_HEADER = 4096  # bytes of a model file's header besides its report, at most


@dataclass(frozen=True)
class Pruned:
    """What is left of a model.

    Attributes:
        threshold: the least relative growth of perplexity, by an n-gram's absence alone, for which it was kept.
        relative_entropy: nats per token from the whole model to this one, in text of the whole model; the expected
            perplexity grows by the factor exp of it.
        entropy: nats per token of the whole model in such text.
        refitted: whether the orders below the highest have new probabilities.
    """

    trie: BackoffTrie
    threshold: float
    relative_entropy: float
    entropy: float
    refitted: bool

    @property
    def expected_perplexities(self) -> tuple[float, float]:
        """Of the whole model and of this one, in text that the whole model writes."""
        return math.exp(min(self.entropy, 700.0)), math.exp(min(self.entropy + self.relative_entropy, 700.0))


def prune(
    trie: BackoffTrie,
    threshold: float,
    fits: Callable[[list[int]], bool] = lambda sizes: True,
    *,
    refit: bool | None = None,
    threads: int = 1,
    progress: Reporter = silent,
) -> Pruned:
    """Leave out all n-grams whose absence alone would multiply the model's perplexity by less than 1 + `threshold`.

    Contexts and suffixes of what is kept are kept, and all words. Backoffs are made such that every context sums to
    what it summed to before, or, below the highest order of a model that is refitted, to one. Memory: about 60 bytes
    an n-gram.

    Args:
        fits: given the number of n-grams of each order, whether so large a model is wanted; the threshold is raised
            until it is.
        refit: give the orders below the highest new probabilities, see `refitting`; if not, probabilities stay as
            they are (Stolcke's pruning). If not given, Kneser-Ney models are refitted: those whose single words are
            not as probable as they are frequent in text of the model.

    Raises:
        UsageError: a negative threshold, or limits that the words alone break.
    """
    if not 0 <= threshold < np.inf:
        raise UsageError(f"--threshold {threshold:g} makes no sense.", "Give a small number such as 1e-8.")
    if not fits([trie.sizes[0]] + [0] * (trie.order - 1)):
        raise UsageError(
            f"the limit leaves no room for the model's {trie.sizes[0]:,} words, which pruning keeps.",
            "Allow more, or train with a smaller vocabulary (--max-vocab).",
        )
    pruner = _Pruner(trie, threads, progress)
    return pruner.result(pruner.threshold(threshold, fits), refit)


@dataclass(frozen=True)
class Limits:
    """How small a model is to be made; the strictest limit holds.

    Args:
        threshold: see `prune`.
        max_ngrams: n-grams of all orders together.
        max_size: bytes of the model's file.
        bits: quantise the numbers of what is left; those of a quantised model are quantised again in any case.
        refit: see `prune`.
    """

    threshold: float = 0.0
    max_ngrams: int | None = None
    max_size: int | None = None
    bits: int | None = None
    refit: bool | None = None


def pruned_model(
    model: NGramModel, limits: Limits, *, threads: int | None = None, progress: Reporter = silent
) -> tuple[NGramModel, Pruned]:
    """A model pruned to some limits, see `prune`."""
    threads, bits = thread_count(threads), limits.bits if limits.bits is not None else model.packed.code_width
    if bits is not None:
        check_bits(bits)
    fixed = sum(array.nbytes for array in model.vocabulary.arrays(with_counts=False).values())
    fixed += 2 * len(json.dumps(model.report)) + _HEADER

    def fits(sizes: list[int]) -> bool:
        small = limits.max_ngrams is None or sum(sizes) <= limits.max_ngrams
        return small and (limits.max_size is None or fixed + packed_bytes(sizes, True, bits) <= limits.max_size)

    pruned = prune(model.trie(threads), limits.threshold, fits, refit=limits.refit, threads=threads, progress=progress)
    report = changed(model.report, f"pruned:{pruned.threshold:.3g}")
    small = NGramModel.from_trie(pruned.trie, model.vocabulary, model.tokenizer, report, threads=threads)
    return (small if bits is None else quantised_model(small, bits, threads=threads)[0]), pruned


class _Pruner:
    """The costs of all n-grams; what is kept at a threshold has larger ones."""

    def __init__(self, trie: BackoffTrie, threads: int, progress: Reporter) -> None:
        self.trie, self.threads = trie, threads
        self.links = suffix_links(trie, threads)
        self.p = powers_of_10(trie.log_p, threads)
        self.flow = expected_flow(trie, self.links, self.p, threads, progress)
        self.cost, self.away = np.zeros(len(self.p), np.float32), self.flow.mass.copy()
        fixed = (
            trie.edges, self.links, self.p, trie.log_p, trie.backoff, self.flow.mass, self.flow.counts, self.cost,
            self.away,
        )  # fmt: skip
        for first, last in context_ranges(trie):
            parts = pieces(trie.edges, first, last, threads)
            for _ in ordered_map(lambda part: kernels.price(*part, *fixed), parts, threads):
                pass
        for first, last in context_ranges(trie):
            kernels.carry_down(first, last, trie.edges, self.links, self.cost)
        self.cost[: trie.sizes[0]] = np.inf

    def threshold(self, least: float, fits: Callable[[list[int]], bool]) -> float:
        """The least relative growth of perplexity, but at least `least`, for which what is kept fits."""
        levels = [np.sort(level) for level in _levels(self.trie, self.cost)]

        def sizes(cost: float) -> list[int]:
            return [len(level) - int(np.searchsorted(level, np.float32(cost))) for level in levels]

        if fits(sizes(np.log1p(least)) if least else self.trie.sizes):
            return least
        low, high = max(least, _TINY), _HUGE
        while high > low * _CLOSE:
            middle = float(np.sqrt(low * high))
            low, high = (low, middle) if fits(sizes(np.log1p(middle))) else (middle, high)
        return high

    def for_backing_off(self) -> bool:
        """Whether single words have probabilities made for backing off only, by their relative entropy."""
        size = self.trie.sizes[0]
        counts, p = self.flow.counts[:size], self.p[:size].astype(np.float64)
        used = (counts > 0) & (p > 0)
        return float(np.dot(counts[used], np.log(counts[used] / p[used]))) > _FOREIGN

    def result(self, threshold: float, refit: bool | None) -> Pruned:
        """The model of what costs more than a threshold."""
        trie, counts = self.trie, self.flow.counts
        kept = self.cost >= np.float32(np.log1p(threshold)) if threshold else np.ones(len(self.cost), np.bool_)
        backoff, away = np.zeros_like(trie.backoff), self.away.copy()
        fixed = (trie.edges, self.links, self.p, kept, counts, trie.backoff, backoff, away)
        parts = pieces(trie.edges, 0, len(backoff), self.threads)
        for _ in ordered_map(lambda part: kernels.renormalise(*part, *fixed), parts, self.threads):
            pass
        small = without(trie, kept, backoff)
        expected = counts[kept], away[kept[: len(away)]]
        refit = not kept.all() and (self.for_backing_off() if refit is None else refit)
        if refit:
            small = refitted(small, *expected, self.threads)
        entropy = _entropy(trie, self.links, counts, self.away)
        grown = _entropy(small, suffix_links(small, self.threads), *expected) - entropy
        return Pruned(small, threshold, grown, entropy, refit)


def _entropy(trie: BackoffTrie, links: np.ndarray, counts: np.ndarray, away: np.ndarray) -> float:
    """Nats per token of a model in text with these counts of its n-grams and of words that back off."""
    used, total = counts.copy(), 0.0
    for first, last in context_ranges(trie):
        total += kernels.expected_log_p(first, last, trie.edges, links, counts, trie.log_p, trie.backoff, away, used)
    return -total - float(np.log(10.0) * np.dot(used[: trie.sizes[0]], trie.log_p[: trie.sizes[0]]))


def _levels(trie: BackoffTrie, values: np.ndarray) -> list[np.ndarray]:
    return np.split(values, trie.bases[1:-1])


def without(trie: BackoffTrie, kept: np.ndarray, backoff: np.ndarray) -> BackoffTrie:
    """The n-grams with kept[node], bool (T,), whose contexts are among them, with new backoffs float32 (C,)."""
    before = np.zeros(len(kept) + 1, np.uint32)
    np.cumsum(kept, out=before[1:])
    inner = len(trie.backoff)
    return BackoffTrie(
        [int(np.count_nonzero(level)) for level in _levels(trie, kept)],
        trie.words[kept],
        trie.log_p[kept],
        backoff[kept[:inner]],
        np.append(before[trie.edges[:-1]][kept[:inner]], before[-1:] if inner else np.zeros(1, np.uint32)),
    )
