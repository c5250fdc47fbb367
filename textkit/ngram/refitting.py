"""The shorter n-grams of a pruned model, made to fit what is left above them.

In a Kneser-Ney model the lower orders are made for backing off from the contexts that were there. When n-grams go, the
shorter ones take over their words, and are right for that if under them each is met as often as it was before: then no
other probabilities of the same n-grams have less relative entropy to the whole model (the derivatives vanish).
Siivola, Hirsimaki & Virpioja (2007) do likewise with counts of text; here the whole model's expected counts do.
"""

import numpy as np

from ..formats.backoff import BackoffTrie
from ..kernels import pruning as kernels
from ..text.vocabulary import BOS
from .flow import context_ranges, states
from .links import powers_of_10, suffix_links

_ROUNDS = 4  # a round changes backoffs, these the masses of the next; the second changes little


def refitted(trie: BackoffTrie, counts: np.ndarray, away: np.ndarray, threads: int) -> BackoffTrie:
    """New probabilities for all orders but the highest, and new backoffs.

    Args:
        counts: float64 (T,), how often each n-gram is to be met, per token.
        away: float64 (C,), how often words that a context does not list follow it.
    """
    links, ranges = suffix_links(trie, threads), context_ranges(trie)
    vocabulary, inner = trie.sizes[0], len(trie.backoff)
    p, weight = powers_of_10(trie.log_p, threads), powers_of_10(trie.backoff, threads)
    shares = np.zeros(inner)
    kernels.left_shares(0, inner, trie.edges, links, p, weight, shares)
    for _ in range(_ROUNDS):
        mass, pushed = states(counts[:inner], trie.words[:inner], links, ranges), np.zeros((inner, 2))
        for first, last in ranges:
            kernels.refit(
                first, last, vocabulary, trie.edges, links, counts, away, weight, mass, pushed, shares, p
            )  # fmt: skip
        p[:vocabulary] = _unigrams(p[:vocabulary], counts, mass, weight, pushed)
        kernels.weigh(0, inner, trie.edges, links, p, shares, weight)
    log_p = trie.log_p.copy()
    seen = np.flatnonzero(p[:inner] > 0)
    log_p[seen] = np.minimum(np.log10(p[seen]), 0.0)
    log_p[BOS] = trie.log_p[BOS]
    return BackoffTrie(trie.sizes, trie.words, log_p, np.log10(np.maximum(weight, 1e-38)), trie.edges)


def _unigrams(
    p: np.ndarray, counts: np.ndarray, mass: np.ndarray, weight: np.ndarray, pushed: np.ndarray
) -> np.ndarray:
    """As `kernels.refit` for single words, which sum to one."""
    size = len(p)
    asked = np.dot(mass[:size], weight[:size]) - pushed[:size, 0]
    left = counts[:size] - pushed[:size, 1]
    good = (left > 0) & (asked > 0)
    found = np.where(good, left / np.where(good, asked, 1.0), p)
    found[BOS] = 0.0
    return (found / found.sum()).astype(np.float32)
