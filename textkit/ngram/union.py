"""The union of several models' n-grams, with what each model gives to every one of them."""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from ..errors import DataError
from ..formats.backoff import BackoffTrie
from ..kernels import interpolation as kernels
from ..parallel import ordered_map, split_evenly
from ..progress import Progress, Reporter, silent
from ..text.vocabulary import UNK, Vocabulary, WordTable
from .links import pieces, suffix_links

_MOST_NODES = 2**31 - 2
_PIECES = 16


@dataclass(frozen=True)
class UnionVocabulary:
    """The words of K models: those of the first in its order, then the new ones of each further model.

    Attributes:
        ids: for each model int32 (its V,), the id here of its words.
        known: bool (V, K), whether a model has a word. The unknown word counts as not known, it stands for others too.
        shares: float64 (K,), log10 of the number of words that a model's unknown word stands for.
    """

    vocabulary: Vocabulary
    ids: list[np.ndarray]
    known: np.ndarray
    shares: np.ndarray

    @classmethod
    def of(cls, vocabularies: Sequence[Vocabulary]) -> "UnionVocabulary":
        """Unite vocabularies.

        A word that one model lacks gets an equal part of what that model gives to its unknown word; so every model
        still sums to one over all words.
        """
        table = WordTable()
        ids = [table.add_words(v.arena, v.ends) for v in vocabularies]
        known = np.zeros((table.words, len(ids)), np.bool_)
        for k, own in enumerate(ids):
            known[own, k] = True
        known[UNK] = False
        return cls(Vocabulary.from_table_as_is(table), ids, known, np.log10((~known).sum(axis=0, dtype=np.float64)))


@dataclass(frozen=True)
class Union:
    """The union's n-grams as in a BackoffTrie, and K models' numbers for them.

    Attributes:
        links: uint32 (T,), nodes of the n-grams without their first words.
        scores: float32 (T, K), log10 probabilities of each model, by backing off where it does not list the n-gram.
        weights: float32 (C, K), log10 backoff weights, 0 where it does not list the context.
    """

    words: UnionVocabulary
    trie: BackoffTrie
    links: np.ndarray
    scores: np.ndarray
    weights: np.ndarray

    @classmethod
    def of(
        cls, tries: Sequence[BackoffTrie], words: UnionVocabulary, threads: int, progress: Reporter = silent
    ) -> "Union":
        """Unite models whose n-grams' contexts and suffixes are all listed. Memory: about 30 bytes an n-gram and 8 for
        each model.

        Raises:
            DataError: a damaged model, or more than two thousand million n-grams.
        """
        stack = _Stack.of(tries, words, threads)
        order = max(trie.order for trie in tries)
        places = [stack.unigram_places(words)]
        levels, edges = [np.arange(len(words.known), dtype=np.int32)], []
        for n in range(2, order + 1):
            progress(Progress(f"uniting {n}-grams", n - 2, order - 1, "orders"))
            starts, merged, found = _united(stack, places[-1], words.known, threads)
            edges.append(starts)
            levels.append(merged)
            places.append(found)
        if sum(map(len, levels)) > _MOST_NODES:
            raise _too_many()
        empty = [np.zeros(0, np.float32)]
        trie = BackoffTrie.from_levels(levels, empty * order, [], [e.astype(np.uint32) for e in edges])
        return cls._scored(stack, words, trie, places, edges, threads)

    @classmethod
    def _scored(
        cls,
        stack: "_Stack",
        words: UnionVocabulary,
        trie: BackoffTrie,
        places: list[np.ndarray],
        edges: list[np.ndarray],
        threads: int,
    ) -> "Union":
        links, bases = suffix_links(trie, threads), trie.bases.tolist()
        scores = np.zeros((bases[-1], len(words.ids)), np.float32)
        weights = np.zeros((bases[-2], len(words.ids)), np.float32)
        first = places[0]
        nodes = np.where(first >= 0, first, -2 - first)
        scores[: bases[1]] = stack.log_p[nodes] - np.where(words.known, 0.0, words.shares)
        for n, starts in enumerate(edges, 1):
            fixed = (
                starts, bases[n], links, trie.words[bases[n] : bases[n + 1]], places[n - 1], places[n], words.known,
                words.shares, stack.words, stack.edges, stack.log_p, stack.backoff, scores,
                weights[bases[n - 1] : bases[n]],
            )  # fmt: skip
            parts = pieces(starts, 0, len(starts) - 1, threads)
            for _ in ordered_map(lambda part, f=fixed: kernels.score_union(*part, *f), parts, threads):  # type: ignore[misc]
                pass
        return cls(words, trie, links, scores, weights)


@dataclass(frozen=True)
class _Stack:
    """All models one after the other in the ids of the union, see `kernels.interpolation`."""

    words: np.ndarray
    log_p: np.ndarray
    backoff: np.ndarray
    edges: np.ndarray
    offsets: np.ndarray

    @classmethod
    def of(cls, tries: Sequence[BackoffTrie], words: UnionVocabulary, threads: int) -> "_Stack":
        vocabulary = len(words.known)
        sizes = [len(trie.words) - trie.sizes[0] + vocabulary + 1 for trie in tries]
        offsets = np.cumsum([0, *sizes])
        if offsets[-1] > _MOST_NODES:
            raise _too_many()
        stack = cls(
            np.zeros(offsets[-1], np.int32), np.zeros(offsets[-1], np.float32), np.zeros(offsets[-1], np.float32),
            np.zeros(offsets[-1], np.uint32), offsets[:-1],
        )  # fmt: skip
        for trie, ids, offset in zip(tries, words.ids, offsets.tolist(), strict=False):
            suffix_links(trie, threads)  # refuses what is damaged
            stack._fill(trie, ids, offset, vocabulary, threads)
        return stack

    def _fill(self, trie: BackoffTrie, ids: np.ndarray, offset: int, vocabulary: int, threads: int) -> None:
        """Write a model, its unigrams by the union's ids and the further orders sorted anew."""
        old = np.full(vocabulary, -1, np.int64)
        old[ids] = np.arange(len(ids))
        begin = offset
        for n in range(1, trie.order + 1):
            end = begin + len(old)
            there = old >= 0
            self.words[begin:end] = ids[trie.words[old]] if n > 1 else np.arange(vocabulary)
            self.log_p[begin:end] = np.where(there, trie.log_p[old], 0.0)
            self.edges[begin:end] = end
            if n < trie.order:
                self.backoff[begin:end] = np.where(there, trie.backoff[old], 0.0)
                old, starts = _children(trie, ids, old, threads)
                self.edges[begin:end] += starts[:-1].astype(np.uint32)
            begin = end
        self.edges[begin] = begin

    def unigram_places(self, words: UnionVocabulary) -> np.ndarray:
        """Places int32 (V, K) of single words."""
        ids = np.arange(len(words.known))[:, None]
        here = words.known | (ids == UNK)
        return np.where(here, self.offsets + ids, -2 - self.offsets - UNK).astype(np.int32)


def _children(trie: BackoffTrie, ids: np.ndarray, parents: np.ndarray, threads: int) -> tuple[np.ndarray, np.ndarray]:
    """The children of some nodes (int64, -1 for none), families sorted by new word ids, and where they begin."""
    begins = trie.edges[parents].astype(np.int64)
    families = np.where(parents >= 0, trie.edges[parents + 1].astype(np.int64) - begins, 0)
    starts = np.concatenate([[0], np.cumsum(families)])
    children = np.empty(int(starts[-1]), np.int64)

    def work(part: tuple[int, int]) -> None:
        a, b = part
        size, base = families[a:b], int(starts[a])
        nodes = np.repeat(begins[a:b] - starts[a:b] + base, size) + np.arange(int(starts[b]) - base)
        keys = np.repeat(np.arange(b - a) << 32, size) | ids[trie.words[nodes]]
        if len(keys) and not (keys[1:] > keys[:-1]).all():
            nodes = nodes[np.argsort(keys)]
        children[base : int(starts[b])] = nodes

    for _ in ordered_map(work, pieces(starts, 0, len(parents), threads), threads):
        pass
    return children, starts


def _united(
    stack: _Stack, places: np.ndarray, known: np.ndarray, threads: int
) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Starts int64 (H + 1,), words int32 (E,) and places int32 (E, K) of the next order of the union."""
    contexts, models = places.shape
    sizes = np.zeros(contexts, np.int64)
    parts = split_evenly(contexts, threads * _PIECES)

    def count(part: tuple[int, int]) -> None:
        kernels.count_union(*part, places, stack.words, stack.edges, np.zeros(models, np.int64), sizes)

    for _ in ordered_map(count, parts, threads):
        pass
    starts = np.concatenate([[0], np.cumsum(sizes)])
    merged, found = np.empty(starts[-1], np.int32), np.empty((starts[-1], models), np.int32)

    def merge(part: tuple[int, int]) -> None:
        cursors = np.zeros(models, np.int64)
        kernels.merge_union(*part, places, stack.words, stack.edges, known, cursors, starts, merged, found)

    for _ in ordered_map(merge, pieces(starts, 0, contexts, threads), threads):
        pass
    return starts, merged, found


def _too_many() -> DataError:
    return DataError("the models have more n-grams together than one run can mix.", "Prune them first.")
