"""How often a model uses each of its parts in text that it writes itself."""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from ..formats.backoff import BackoffTrie
from ..kernels import pruning as kernels
from ..progress import Progress, Reporter, silent
from ..text.vocabulary import BOS, EOS
from .links import powers_of_10

_STEPS = 30  # at most
_SETTLED = 1e-3  # the flow is found when one step moves less of it than this


@dataclass(frozen=True)
class Flow:
    """How often each part of a model is used, per token of text that it writes itself.

    Attributes:
        counts: float64 (T,), expected occurrences of each n-gram.
        mass: float64 (C,), how often each context is asked, times the backoff weights of longer ones.
    """

    counts: np.ndarray
    mass: np.ndarray


def context_ranges(trie: BackoffTrie) -> list[tuple[int, int]]:
    """First and last node of the contexts of each order, high orders first."""
    bases = trie.bases.tolist()
    return [(bases[n - 1], bases[n]) for n in range(trie.order - 1, 0, -1)]


def expected_flow(
    trie: BackoffTrie, links: np.ndarray, p: np.ndarray, threads: int = 1, progress: Reporter = silent
) -> Flow:
    """The stationary flow of a model that writes sentence after sentence, per token.

    Args:
        links: uint32 (T,), suffix links.
        p: float32 (T,), probabilities.
    """
    contexts, size = context_ranges(trie), len(trie.words)
    words, inner = trie.words[: len(trie.backoff)], len(trie.backoff)
    weight = powers_of_10(trie.backoff, threads)
    counts = np.zeros(size, np.float64)
    counts[: trie.sizes[0]] = p[: trie.sizes[0]]
    for first, last in reversed(contexts):
        kernels.chain(first, last, trie.edges, p, counts)
    if not contexts:
        return Flow(counts, np.zeros(0, np.float64))
    for done in range(_STEPS):
        progress(Progress("expected counts", done, _STEPS, "steps"))
        before = counts[:inner].copy()
        mass = states(before, words, links, contexts)
        counts = _step(trie, links, p, weight, mass, contexts)
        if np.abs(counts[:inner] - before).sum() < _SETTLED * len(contexts):
            break
    return Flow(counts, mass)


def states(counts: np.ndarray, words: np.ndarray, links: np.ndarray, contexts: Sequence[tuple[int, int]]) -> np.ndarray:
    """How often each context is the longest that the text so far ends with, from the counts of all."""
    mass = np.where(words == EOS, 0.0, counts)
    mass[BOS] = counts[EOS]
    for first, last in reversed(contexts[:-1]):
        kernels.leave_longest(first, last, links, mass)
    return np.maximum(mass, 0.0)


def _step(
    trie: BackoffTrie,
    links: np.ndarray,
    p: np.ndarray,
    weight: np.ndarray,
    mass: np.ndarray,
    contexts: Sequence[tuple[int, int]],
) -> np.ndarray:
    """Expected counts after a token more, of which there is one in all; completes `mass`."""
    counts, pushed = np.zeros(len(p), np.float64), np.zeros((len(mass), 2), np.float64)
    vocabulary = trie.sizes[0]
    for first, last in contexts:
        kernels.spread(first, last, vocabulary, trie.edges, links, p, weight, mass, pushed, counts)
    down = np.dot(mass[:vocabulary], weight[:vocabulary])
    counts[:vocabulary] = p[:vocabulary] * (down - pushed[:vocabulary, 0]) + pushed[:vocabulary, 1]
    counts[BOS] = 0.0
    scale = 1.0 / counts[:vocabulary].sum()
    counts *= scale
    mass *= scale
    return counts
