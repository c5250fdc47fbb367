"""Nearest neighbours by a graph index (HNSW, Malkov & Yashunin 2018) of the usearch library: for many queries."""

from typing import Any

import numpy as np

from ..errors import MissingExtraError
from ..parallel import thread_count
from .model import WordVectors


class ApproximateIndex:
    """An index over the words of a model; building it looks at each word, asking it then at few.

    Memory: the vectors once more, and some 200 bytes per word.

    Raises:
        MissingExtraError: usearch is not installed.
    """

    def __init__(self, model: WordVectors, *, restrict: int | None = None, threads: int | None = None) -> None:
        try:
            from usearch.index import Index
        except ImportError:
            raise MissingExtraError("usearch", "ann") from None
        self.model, self.threads = model, thread_count(threads)
        self.numbers = model.numbers[:restrict]
        self._index: Any = Index(ndim=model.dim, metric="cos", dtype="f32")
        vectors = np.ascontiguousarray(model.vectors[self.numbers], np.float32)
        self._index.add(self.numbers.astype(np.uint64), vectors, threads=self.threads)

    def nearest(self, words: list[str], *, top: int = 10) -> list[list[tuple[str, float]]]:
        """As `WordVectors.nearest` for words, each left out of its own answer; now and then one is missed.

        Raises:
            UsageError: a word that has no vector.
        """
        queries = np.stack([self.model[w] for w in words]).astype(np.float32)
        count = min(top + 1, len(self.numbers))
        matches = self._index.search(queries, count, threads=self.threads)
        keys = np.asarray(matches.keys).reshape(len(words), -1)
        cosines = 1 - np.asarray(matches.distances).reshape(len(words), -1)
        found = []
        for word, row, values in zip(words, keys.tolist(), cosines.tolist(), strict=True):
            named = [(self.model.vocabulary.word(n), float(s)) for n, s in zip(row, values, strict=True)]
            found.append([pair for pair in named if pair[0] != word][:top])
        return found
