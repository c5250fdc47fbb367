"""Where training takes bags from: kept in memory for all epochs, or made again each time a document is visited."""

import threading
from collections.abc import Iterator
from dataclasses import dataclass, replace

import numpy as np

from ..kernels import embedding as kernels
from ..store import drop_pages
from ..text.corpus import EncodedCorpus
from .config import ClassifierConfig
from .features import BagEncoder, Features
from .visiting import Order

_KEPT = 128 << 20  # bytes of bags that are kept
_COPIED = 1 << 19  # words, about, after which the pages of a mapped text are let go of
_WHOLE = np.float32(0)  # dropout of what is copied as it is

Bags = tuple[np.ndarray, np.ndarray]


class _Scratch(threading.local):
    """Arrays that one thread reuses from step to step."""

    def __init__(self) -> None:
        self.starts = np.zeros(1, np.int64)
        self.tokens = self.rows = self.thinned = np.empty(0, np.int32)


@dataclass
class _Part:
    """Documents in the order of their turns.

    Attributes:
        places: int64, among all training documents.
        numbers: int64, the same in the encoder's text.
    """

    places: np.ndarray
    numbers: np.ndarray
    encoder: BagEncoder


class BagSource:
    """Bags of training documents, by their turns in an epoch.

    Memory: bags where they are kept; else of a long text the words of two parts, see `visiting`.

    Args:
        documents: int64, their numbers in the text.
        config: bags are kept where documents are visited more than once and they fit.

    Attributes:
        total: rows of all bags together, about.
        words: of all documents.
    """

    def __init__(
        self, features: Features, text: EncodedCorpus, documents: np.ndarray, config: ClassifierConfig, threads: int
    ) -> None:
        self.documents, self.seed, self.dropout = documents, config.seed, np.float32(config.dropout)
        self.encoder, self.local = features.encoder(text), _Scratch()
        self.sizes = text.sizes(documents)
        self.words = int(self.sizes.sum(dtype=np.int64))
        self.total = (self.words + len(documents)) * features.config.word_ngrams
        self.kept = None
        if config.epochs != 1 and 4 * self.total <= _KEPT:
            self.kept = features.bags(text, documents, threads)
            self.total = len(self.kept.ids)
        self.opening = threading.Lock()
        self.order: tuple[int, Order] = (-1, Order(self.sizes[:0], ()))
        self.parts: dict[tuple[int, int], _Part] = {}

    def visits(self, epoch: int, first: int, last: int, rng: np.ndarray) -> Iterator[tuple[np.ndarray, Bags]]:
        """The documents whose turns in an epoch are `first` to `last`: all together, or those of each part.

        Yields:
            Their places among all, int64 (n,), and their bags: starts int64 (n + 1,) and rows int32 in arrays of this
            thread, which are used again for the next ones.
        """
        order = self._order_of(epoch)
        part = order.part_at(first)
        while first < last:
            begin, end = order.edges[part : part + 2].tolist()
            found, turns = self._opened(epoch, part, order), slice(first - begin, min(last, end) - begin)
            yield found.places[turns], self._bags(found, turns, rng)
            first, part = min(last, end), part + 1

    # --- parts --------------------------------------------------------------------------------------------

    def _order_of(self, epoch: int) -> Order:
        """Threads rest between two epochs: one order is enough."""
        known, order = self.order
        if known == epoch:
            return order
        with self.opening:
            if self.order[0] != epoch:
                self.order = epoch, Order(self.sizes, (self.seed, epoch))
            return self.order[1]

    def _opened(self, epoch: int, part: int, order: Order) -> _Part:
        """A part; where nobody does so already the next one is opened too, so that others need not wait for it."""
        found = self.parts.get((epoch, part))
        if found is None:
            with self.opening:
                found = self._open(epoch, part, order)
        if part + 1 < order.parts and (epoch, part + 1) not in self.parts and self.opening.acquire(blocking=False):
            try:
                self._open(epoch, part + 1, order)
            finally:
                self.opening.release()
        return found

    def _open(self, epoch: int, part: int, order: Order) -> _Part:
        if (epoch, part) not in self.parts:
            members, shuffled = order.members(part), order.shuffled(part)
            numbers, encoder = members if self.kept else self.documents[members], self.encoder
            if order.parts > 1 and not self.kept:
                numbers, encoder = np.arange(len(members)), encoder.of(self._copied(numbers))
            opened = _Part(members[shuffled], numbers[shuffled], encoder)
            recent = {key: value for key, value in self.parts.items() if key >= (epoch, part - 1)}
            self.parts = {**recent, (epoch, part): opened}
        return self.parts[epoch, part]

    def _copied(self, documents: np.ndarray) -> EncodedCorpus:
        """These documents of the text as one of their own."""
        text = self.encoder.text
        offsets = np.concatenate([np.zeros(1, np.int64), np.cumsum(text.sizes(documents), dtype=np.int64)])
        ids, rng = np.empty(offsets[-1], np.int32), np.zeros(1, np.uint64)
        cuts = np.searchsorted(offsets, np.arange(0, offsets[-1], _COPIED)).tolist()
        for a, b in zip(cuts, [*cuts[1:], len(documents)], strict=True):
            starts = np.empty(b - a + 1, np.int64)
            kernels.gather_bags(text.ids, text.offsets, documents[a:b], _WHOLE, rng, starts, ids[offsets[a] :])
            drop_pages(text.ids)
        return replace(text, ids=ids, offsets=offsets)

    # --- bags ---------------------------------------------------------------------------------------------

    def _bags(self, part: _Part, turns: slice, rng: np.ndarray) -> Bags:
        local, numbers = self.local, part.numbers[turns]
        if len(local.starts) <= len(numbers):
            local.starts = np.zeros(len(numbers) + 1, np.int64)
        starts = local.starts[: len(numbers) + 1]
        if self.kept is not None:
            offsets = self.kept.offsets
            local.rows = _roomy(local.rows, int((offsets[numbers + 1] - offsets[numbers]).sum()))
            kernels.gather_bags(self.kept.ids, offsets, numbers, self.dropout, rng, starts, local.rows)
            return starts, local.rows
        longest, most = part.encoder.room(numbers)
        local.tokens, local.rows = _roomy(local.tokens, longest), _roomy(local.rows, most)
        part.encoder.fill(numbers, local.tokens, starts, local.rows)
        if self.dropout == 0:
            return starts, local.rows
        local.thinned = _roomy(local.thinned, most)
        thinned = np.zeros(len(starts), np.int64)
        kernels.gather_bags(local.rows, starts, np.arange(len(numbers)), self.dropout, rng, thinned, local.thinned)
        return thinned, local.thinned


def _roomy(array: np.ndarray, size: int) -> np.ndarray:
    return array if len(array) >= size else np.empty(size + size // 8, np.int32)
