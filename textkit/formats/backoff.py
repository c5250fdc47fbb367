"""A backoff model as plain arrays: what file layouts are read into and written from."""

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np

from ..errors import DataError
from ..kernels import trie as kernels
from ..parallel import ordered_map
from ..store import Store


@dataclass(frozen=True)
class BackoffTrie:
    """A backoff model. The n-grams of each order lie sorted by (context, word) and are numbered through as nodes.

    Attributes:
        sizes: number of n-grams of each order.
        words: int32 (T,), last word of each node; unigrams come first, in the order of their ids.
        log_p: float32 (T,), log10 probabilities.
        backoff: float32 (C,), log10 backoff weights of the C nodes below the highest order.
        edges: uint32 (C + 1,), the children of node i are the nodes edges[i]:edges[i + 1].
    """

    sizes: list[int]
    words: np.ndarray
    log_p: np.ndarray
    backoff: np.ndarray
    edges: np.ndarray

    @property
    def order(self) -> int:
        return len(self.sizes)

    @property
    def bases(self) -> np.ndarray:
        """The first node of each order and the number of all nodes, int64 (order + 1,)."""
        return np.concatenate([[0], np.cumsum(self.sizes, dtype=np.int64)])

    @classmethod
    def from_levels(
        cls,
        words: list[np.ndarray],
        log_p: list[np.ndarray],
        backoff: list[np.ndarray],
        edges: list[np.ndarray],
        store: Store | None = None,
        threads: int = 1,
    ) -> "BackoffTrie":
        """Join arrays by order; `edges` of order n, uint32 (E + 1,), index the n-grams of order n + 1 from 0.

        The lists are emptied, so that arrays nobody else has make room for the next.

        Args:
            store: makes the new arrays; in memory if not given.
        """
        store, sizes = store or Store(), [len(level) for level in words]
        bases = np.cumsum([0, *sizes])
        shifts = bases[1 : len(edges) + 1].tolist()
        top = np.array([sum(sizes) if edges else 0], np.uint32)
        all_words = joined(words, np.int32, store, threads)
        words.clear()
        all_log_p = joined(log_p, np.float32, store, threads)
        log_p.clear()
        all_backoff = joined(backoff, np.float32, store, threads)
        backoff.clear()
        lower = [*(edge[:-1] for edge in edges), top]
        return cls(sizes, all_words, all_log_p, all_backoff, joined(lower, np.uint32, store, threads, [*shifts, 0]))


def joined(
    arrays: list[np.ndarray], dtype: type, store: Store, threads: int, shifts: list[int] | None = None
) -> np.ndarray:
    """Arrays one after the other, each with its shift added. The new memory costs most, so by several threads."""
    starts = np.cumsum([0, *map(len, arrays)]).tolist()
    out = store.empty(starts[-1], dtype)
    jobs = [(k, i, j) for k, array in enumerate(arrays) for i, j in store.pieces(len(array), 4, threads)]

    def work(job: tuple[int, int, int]) -> None:
        k, i, j = job
        target = out[starts[k] + i : starts[k] + j]
        if shifts:
            np.add(arrays[k][i:j], np.uint32(shifts[k]), out=target)
        else:
            np.copyto(target, arrays[k][i:j])

    for _ in ordered_map(work, jobs, threads):
        pass
    return out


@dataclass
class Listed:
    """The n-grams of one order in any sequence.

    Attributes:
        ngrams: int32 (E, n), word ids.
        numbers: float32 (E, 2), log10 probabilities and log10 backoffs.
    """

    ngrams: np.ndarray
    numbers: np.ndarray


def assemble(levels: list[Listed], refuse: Callable[[list[int]], DataError]) -> BackoffTrie:
    """Sort listed n-grams into a trie.

    N-grams whose context or suffix is not listed (SRILM's pruning leaves such) get these as entries that change no
    probability.

    Args:
        levels: unigrams first, these in the order of their ids.
        refuse: makes the error for an n-gram that is listed twice.
    """
    builder = _Builder(levels[0])
    n = 2
    while n <= len(levels):
        missing = builder.lacking(levels[n - 1].ngrams)
        if len(missing):
            numbers = np.zeros((len(missing), 2), np.float32)
            kernels.back_off(missing, *builder.arrays(), numbers)
            levels[n - 2] = Listed(
                np.concatenate([levels[n - 2].ngrams, missing]), np.concatenate([levels[n - 2].numbers, numbers])
            )
            builder, n = _Builder(levels[0]), 2
        else:
            builder.add(levels[n - 1], refuse)
            n += 1
    return BackoffTrie(list(builder.sizes), *builder.arrays())


class _Builder:
    """A trie that grows by one order at a time."""

    def __init__(self, unigrams: Listed) -> None:
        self.sizes = [len(unigrams.ngrams)]
        self.words, self.log_p = unigrams.ngrams[:, 0], unigrams.numbers[:, 0]
        self.edges = np.zeros(1, np.uint32)
        self.backoff = np.zeros(0, np.float32)
        self._top_backoffs = unigrams.numbers[:, 1]

    def arrays(self) -> tuple[np.ndarray, np.ndarray, np.ndarray, np.ndarray]:
        """words, log_p, backoff, edges of the orders so far."""
        words, log_p, backoff, edges = map(np.ascontiguousarray, (self.words, self.log_p, self.backoff, self.edges))
        return words, log_p, backoff, edges

    def _find(self, ngrams: np.ndarray, column: int) -> np.ndarray:
        nodes = np.empty(len(ngrams), np.int64)
        kernels.descend(ngrams, column, ngrams.shape[1] - 1, self.words, self.edges, nodes)
        return nodes

    def lacking(self, ngrams: np.ndarray) -> np.ndarray:
        """Contexts and suffixes int32 (M, n - 1) of these n-grams that are not in the trie."""
        contexts, suffixes = self._find(ngrams, 0), self._find(ngrams, 1)
        return np.unique(np.concatenate([ngrams[contexts < 0, :-1], ngrams[suffixes < 0, 1:]]), axis=0)

    def add(self, level: Listed, refuse: Callable[[list[int]], DataError]) -> None:
        """Put the next order on top."""
        contexts = self._find(level.ngrams, 0)
        order = np.lexsort((level.ngrams[:, -1], contexts))
        contexts, ngrams, numbers = contexts[order], level.ngrams[order], level.numbers[order]
        same = np.flatnonzero((contexts[1:] == contexts[:-1]) & (ngrams[1:, -1] == ngrams[:-1, -1]))
        if len(same):
            raise refuse(ngrams[same[0]].tolist())
        total = len(self.words)
        edges = total + np.searchsorted(contexts, np.arange(total - self.sizes[-1], total))
        self.edges = np.concatenate([self.edges[:-1], edges, [total + len(ngrams)]]).astype(np.uint32)
        self.backoff = np.concatenate([self.backoff, self._top_backoffs])
        self.words = np.concatenate([self.words, ngrams[:, -1]])
        self.log_p = np.concatenate([self.log_p, numbers[:, 0]])
        self.sizes.append(len(ngrams))
        self._top_backoffs = numbers[:, 1]
