"""Documents that are the same after tokenizing, or nearly so."""

from dataclasses import dataclass

import numpy as np

from ..kernels import duplicates as kernels
from ..parallel import ordered_map, split_evenly, thread_count
from ..text.corpus import EncodedCorpus

RUN = 3  # words that stand together
_BANDS, _ROWS = 20, 4  # two documents that share 0.8 of their runs are missed once in 10,000 times
_STEP = 1 << 14


@dataclass
class Groups:
    """Which documents belong together.

    Attributes:
        leader: int64 (L,), for each document the first of its group.
    """

    leader: np.ndarray

    @property
    def followers(self) -> np.ndarray:
        """All documents but the first of each group, int64, ascending."""
        return np.flatnonzero(self.leader != np.arange(len(self.leader)))

    def lists(self) -> list[np.ndarray]:
        """The documents of each group of several, the largest group first."""
        several = np.flatnonzero(np.bincount(self.leader, minlength=len(self.leader))[self.leader] > 1)
        order = several[np.argsort(self.leader[several], kind="stable")]
        edges = np.flatnonzero(np.diff(self.leader[order], prepend=-1))
        return sorted(np.split(order, edges[1:]), key=len, reverse=True) if len(order) else []


def same(text: EncodedCorpus) -> Groups:
    """Documents of the same words in the same order. Memory: 40 bytes a document."""
    digests = np.empty((text.lines, 2), np.uint64)
    kernels.digest_lists(text.ids, text.offsets, digests)
    order = np.lexsort((digests[:, 1], digests[:, 0]))  # stable: the first document leads
    fresh = np.ones(len(order), np.bool_)
    fresh[1:] = (digests[order[1:]] != digests[order[:-1]]).any(axis=1)
    leader = np.empty(len(order), np.int64)
    leader[order] = order[np.maximum.accumulate(np.where(fresh, np.arange(len(order)), 0))]
    return Groups(leader)


def nearly_same(text: EncodedCorpus, least: float = 0.8, threads: int | None = None) -> Groups:
    """Documents that are the same, or chained by pairs that share at least a part of their runs of three words.

    Candidates come from min-hash signatures in bands; each is measured exactly. Memory: 700 bytes a document.
    """
    exact, workers = same(text), thread_count(threads)
    documents = np.flatnonzero(exact.leader == np.arange(text.lines))
    documents = documents[np.diff(text.offsets)[documents] > 0]
    pairs = _candidates(text, documents, workers)
    longest = int(np.diff(text.offsets).max(initial=1))
    close = [np.empty((0, 2), np.int64)]

    def measure(part: tuple[int, int]) -> np.ndarray:
        found = np.empty(part[1] - part[0], np.float32)
        scratch = np.empty(longest, np.uint64), np.empty(longest, np.uint64)
        kernels.similarities(text.ids, text.offsets, pairs[part[0] : part[1]], RUN, *scratch, found)
        return pairs[part[0] : part[1]][found >= least]

    parts = split_evenly(len(pairs), max(workers, -(-len(pairs) // _STEP)))
    close += ordered_map(measure, parts, workers)
    return Groups(_united(exact.leader, np.concatenate(close)))


def _candidates(text: EncodedCorpus, documents: np.ndarray, workers: int) -> np.ndarray:
    """Pairs of documents that agree in some band, int64 (P, 2); of each crowd neighbours, and each with the first."""
    signature = np.empty((len(documents), _BANDS * _ROWS), np.uint64)

    def sign(part: tuple[int, int]) -> None:
        a, b = part
        kernels.signatures(text.ids, text.offsets, documents[a:b], RUN, signature[a:b])

    for _ in ordered_map(sign, split_evenly(len(documents), 8 * workers), workers):
        pass
    found = [np.empty((0, 2), np.int64)]
    keys = np.empty(len(documents), np.uint64)
    for band in range(_BANDS):
        kernels.band_keys(signature, band * _ROWS, _ROWS, keys)
        order = np.argsort(keys, kind="stable")
        again = keys[order[1:]] == keys[order[:-1]]
        equal = np.flatnonzero(again)
        start = np.maximum.accumulate(np.where(np.append(False, again), 0, np.arange(len(order))))
        found.append(np.stack([order[equal], order[equal + 1]], axis=1))
        found.append(np.stack([order[start[equal]], order[equal + 1]], axis=1))
    return np.ascontiguousarray(documents[np.unique(np.concatenate(found), axis=0)])


def _united(leader: np.ndarray, pairs: np.ndarray) -> np.ndarray:
    """The first document of each group when pairs are joined too, int64 (L,)."""
    parent: dict[int, int] = {}

    def root(document: int) -> int:
        while (above := parent.get(document, document)) != document:
            parent[document] = document = parent.get(above, above)
        return document

    for a, b in pairs.tolist():
        first, second = sorted((root(a), root(b)))
        parent[second] = first
    leader = leader.copy()
    for document in parent:
        leader[document] = root(document)
    return leader[leader]
