"""Whether the probabilities of a model sum to one."""

from dataclasses import asdict, dataclass
from typing import Any

import numpy as np

from ..text.vocabulary import EOS, UNK
from .model import NGramModel, State


@dataclass(frozen=True)
class Sums:
    """Sums over the vocabulary after contexts of one length.

    Attributes:
        length: words of context.
        contexts: how many were looked at.
        least, greatest: of the sums.
        worst: the context whose sum is farthest from one.
    """

    length: int
    contexts: int
    least: float
    greatest: float
    worst: str

    @property
    def error(self) -> float:
        """The largest difference from one."""
        return max(abs(self.least - 1), abs(self.greatest - 1))

    def as_dict(self) -> dict[str, Any]:
        """For JSON."""
        return {**asdict(self), "error": self.error}


def check_sums(model: NGramModel, contexts: int = 20, seed: int = 0, threads: int | None = None) -> list[Sums]:
    """Sum p(w | h) over all words w after contexts h of every length: random ones, and those with most continuations.

    Costs the whole vocabulary for each context; memory 16 bytes an n-gram.
    """
    trie, rng = model.trie(threads), np.random.default_rng(seed)
    found = [_summed(model, [[]])]
    for length in range(1, model.order):
        base, size = int(trie.bases[length - 1]), trie.sizes[length - 1]
        few = min(contexts, size)
        edges = trie.edges[base : base + size + 1]
        widest = np.argpartition(edges[1:] - edges[:-1], size - few)[size - few :]
        chosen = np.union1d(widest, rng.choice(size, few, replace=False)) if size else widest
        histories = [_words_of(trie.edges, trie.words, base + int(node), length) for node in chosen]
        # Nothing follows the end of a line, nor a word that is not listed.
        histories = [h for h in histories if EOS not in h and h != [UNK]]
        found += [_summed(model, histories)] if histories else []
    return found


def _summed(model: NGramModel, histories: list[list[int]]) -> Sums:
    nowhere, sums = State((-1,) * model.order), {}
    for history in histories:
        _, _, state = model.advance(nowhere, np.array(history, np.int32))
        sums[" ".join(model.vocabulary.words(history))] = float(np.sum(10.0 ** model.distribution(state)))
    worst = max(sums, key=lambda context: abs(sums[context] - 1))
    return Sums(len(histories[0]), len(sums), min(sums.values()), max(sums.values()), worst)


def _words_of(edges: np.ndarray, words: np.ndarray, node: int, length: int) -> list[int]:
    """The words of a node, by its ancestors."""
    found = [int(words[node])]
    for _ in range(length - 1):
        node = int(np.searchsorted(edges, edges.dtype.type(node), side="right")) - 1
        found.insert(0, int(words[node]))
    return found
