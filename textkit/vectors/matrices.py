"""The matrices that training fills."""

from dataclasses import dataclass

import numpy as np

from ..kernels.simd import aligned_rows
from ..text.vocabulary import SPECIALS


@dataclass
class Matrices:
    """What is trained: float32 rows padded to a multiple of 16.

    Attributes:
        syn_in: (V + B, padded), words first, then the buckets of n-grams that occur.
        syn_out: (V, padded), output vectors of words, or inner nodes of the Huffman tree.
        frozen: uint8 (V + B,), 1 for rows that stay as they are.
        buckets: int64 (B,), ascending.
        weights: (2 window, padded), by what a word's row is multiplied at each place in the window of CBOW, or
            (0, padded).
    """

    dim: int
    syn_in: np.ndarray
    syn_out: np.ndarray
    frozen: np.ndarray
    buckets: np.ndarray
    weights: np.ndarray

    @classmethod
    def new(cls, dim: int, words: int, buckets: np.ndarray, seed: int, places: int = 0) -> "Matrices":
        """Inputs uniform in +-0.5 / dim as word2vec has them, outputs 0, weights 1."""
        syn_in = aligned_rows(words + len(buckets), dim)
        rng = np.random.default_rng(seed)
        for first in range(len(SPECIALS), len(syn_in), 1 << 14):
            rows = syn_in[first : first + (1 << 14)]
            rows[:, :dim] = (rng.random((len(rows), dim), np.float32) - np.float32(0.5)) / np.float32(dim)
        weights = aligned_rows(places, dim)
        weights[:, :dim] = 1
        return cls(dim, syn_in, aligned_rows(words, dim), np.zeros(len(syn_in), np.uint8), buckets, weights)

    def words(self, units: tuple[np.ndarray, np.ndarray]) -> np.ndarray:
        """The vectors of all words, float32 (V, padded): the mean of each word's rows."""
        starts, rows = units
        if len(rows) == len(starts) - 1:
            return self.syn_in
        out = aligned_rows(len(starts) - 1, self.dim)
        for first in range(0, len(out), 1 << 12):
            edges = starts[first : first + (1 << 12) + 1]
            sums = np.add.reduceat(self.syn_in[rows[edges[0] : edges[-1]]], edges[:-1] - edges[0])
            out[first : first + len(sums)] = sums / np.diff(edges)[:, None].astype(np.float32)
        return out
