"""What operations on whole models need besides the arrays: suffix links and probabilities."""

import math
from itertools import pairwise

import numpy as np

from ..errors import DataError
from ..formats.backoff import BackoffTrie
from ..kernels import trie as kernels
from ..parallel import ordered_map, split_evenly

_PIECES = 16


def suffix_links(trie: BackoffTrie, threads: int) -> np.ndarray:
    """For every n-gram the node of it without its first word, uint32 (T,); 0 for unigrams.

    Raises:
        DataError: the arrays do not make a trie in which every n-gram's context and suffix are listed.
    """
    links = np.zeros(len(trie.words), np.uint32)
    bases, edges = trie.bases, trie.edges
    if trie.order > 1 and not np.array_equal(edges[bases[:-1]], bases[1:].astype(np.uint32)):
        raise _damaged()
    for n in range(1, trie.order):
        contexts = pieces(edges, int(bases[n - 1]), int(bases[n]), threads)
        fixed = (trie.sizes[0], trie.words, edges, links)
        for bad in ordered_map(lambda part, fixed=fixed: kernels.link_suffixes(*part, *fixed), contexts, threads):  # type: ignore[misc]
            if bad >= 0:
                raise _damaged()
    return links


def _damaged() -> DataError:
    return DataError("the model is damaged: its n-grams are out of order, or the shorter ones of some are missing.")


def pieces(edges: np.ndarray, first: int, last: int, threads: int) -> list[tuple[int, int]]:
    """Cut the contexts `first` to `last` into ranges with about equally many continuations."""
    begin, end = int(edges[first]), int(edges[last])
    wanted = [begin + a for a, _ in split_evenly(max(end - begin, 0), threads * _PIECES)][1:]
    cuts = np.searchsorted(edges[first : last + 1], np.array(wanted, edges.dtype)) + first
    bounds = np.unique(np.concatenate([[first], cuts, [last]])).tolist()
    return list(pairwise(bounds))


def powers_of_10(exponents: np.ndarray, threads: int) -> np.ndarray:
    """10 ** x for float32 x, float32."""
    out = np.empty(len(exponents), np.float32)

    def work(part: tuple[int, int]) -> None:
        a, b = part
        out[a:b] = np.exp(exponents[a:b] * np.float64(math.log(10.0)))

    for _ in ordered_map(work, split_evenly(len(out), max(threads * _PIECES, len(out) >> 20)), threads):
        pass
    return out
