"""Where training takes bags from: kept in memory for all epochs, or made again each time a document is visited."""

import threading

import numpy as np

from ..kernels import embedding as kernels
from ..text.corpus import EncodedCorpus
from .features import Features

_KEPT = 1 << 30  # bytes of bags that are kept


class _Scratch(threading.local):
    """Arrays that one thread reuses from step to step."""

    def __init__(self) -> None:
        self.starts = np.zeros(1, np.int64)
        self.tokens = self.rows = self.thinned = np.empty(0, np.int32)


class BagSource:
    """Bags of training documents, by their place among them.

    Args:
        documents: int64, their numbers in the text.
        visits: how often each is asked for; bags are kept where that is more than once and they fit.
        dropout: share of features left out at random.

    Attributes:
        total: rows of all bags together, about.
        words: of all documents.
    """

    def __init__(
        self, features: Features, text: EncodedCorpus, documents: np.ndarray, visits: int, dropout: float, threads: int
    ) -> None:
        self.documents, self.dropout, self.local = documents, np.float32(dropout), _Scratch()
        self.encoder = features.encoder(text)
        self.words = int((text.offsets[documents + 1] - text.offsets[documents]).sum())
        self.total = (self.words + len(documents)) * features.config.word_ngrams
        self.kept = None
        if visits > 1 and 4 * self.total <= _KEPT:
            self.kept = features.bags(text, documents, threads)
            self.total = len(self.kept.ids)

    def bags(self, places: np.ndarray, rng: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
        """(starts int64, rows int32) of some documents in this order; arrays of this thread, used again."""
        local = self.local
        if len(local.starts) <= len(places):
            local.starts = np.zeros(len(places) + 1, np.int64)
        starts = local.starts[: len(places) + 1]
        if self.kept is not None:
            offsets = self.kept.offsets
            local.rows = _roomy(local.rows, int((offsets[places + 1] - offsets[places]).sum()))
            kernels.gather_bags(self.kept.ids, offsets, places, self.dropout, rng, starts, local.rows)
            return starts, local.rows
        documents = self.documents[places]
        longest, most = self.encoder.room(documents)
        local.tokens, local.rows = _roomy(local.tokens, longest), _roomy(local.rows, most)
        self.encoder.fill(documents, local.tokens, starts, local.rows)
        if self.dropout == 0:
            return starts, local.rows
        local.thinned = _roomy(local.thinned, most)
        thinned = np.zeros(len(starts), np.int64)
        kernels.gather_bags(local.rows, starts, np.arange(len(places)), self.dropout, rng, thinned, local.thinned)
        return thinned, local.thinned


def _roomy(array: np.ndarray, size: int) -> np.ndarray:
    return array if len(array) >= size else np.empty(size + size // 8, np.int32)
