"""The order in which an epoch visits documents: at random, but of a long text one part after the other.

A part is made of blocks of neighbouring documents from all over the text. Only the parts under way have to be in
memory, and what is read of them lies together.
"""

import numpy as np

BLOCK = 1 << 14  # words of neighbouring documents that are in the same part
PART = 1 << 21  # words of a part
WHOLE = 1 << 23  # a text of so many words is one part


class Order:
    """The parts of an epoch. Memory: 4 bytes a document.

    That a text is sorted by label shows in a part no more than in a random sample of PART / BLOCK documents.

    Args:
        sizes: int32 (L,), words of each document.
        seed: the same order for the same one.

    Attributes:
        edges: int64 (P + 1,): part p is visited from edges[p] to edges[p + 1].
    """

    def __init__(self, sizes: np.ndarray, seed: tuple[int, ...]) -> None:
        self.seed = seed
        self._by_part: np.ndarray | None = None
        self.edges = np.array([0, len(sizes)])
        if sizes.sum(dtype=np.int64) > WHOLE:
            block = ((np.cumsum(sizes, dtype=np.int64) - sizes) // BLOCK).astype(np.int32)
            part = np.random.default_rng(seed).permutation(int(block[-1]) + 1) // (PART // BLOCK)
            part = part.astype(np.min_scalar_type(int(part.max())))[block]
            self._by_part = np.argsort(part, kind="stable").astype(np.int32)
            self.edges = np.concatenate([[0], np.cumsum(np.bincount(part))])

    @property
    def parts(self) -> int:
        """How many there are."""
        return len(self.edges) - 1

    def part_at(self, turn: int) -> int:
        """The part to which a turn belongs."""
        return int(np.searchsorted(self.edges, turn, side="right")) - 1

    def members(self, part: int) -> np.ndarray:
        """The documents of a part as they stand in the text, int64."""
        first, last = self.edges[part], self.edges[part + 1]
        if self._by_part is None:
            return np.arange(first, last)
        return self._by_part[first:last].astype(np.int64)

    def shuffled(self, part: int) -> np.ndarray:
        """In which order to visit them: places among the members, int64."""
        seed = self.seed if self.parts == 1 else (*self.seed, part)
        return np.random.default_rng(seed).permutation(int(self.edges[part + 1] - self.edges[part]))
