"""What training drives down: negative sampling, hierarchical softmax, full softmax. Each is its arrays and one kernel.

The output matrix has V rows: of words, or for hierarchical softmax of the V - 1 inner nodes of the Huffman tree.
"""

import itertools
from dataclasses import dataclass
from typing import Any, Protocol

import numpy as np

from ..errors import UsageError
from ..kernels import heldout, huffman, paths, sampling, sgd, windows
from ..kernels.simd import LANES, aligned_rows
from ..text.vocabulary import SPECIALS
from .config import SOFTMAX_LIMIT, Config


class Scratch:
    """What one worker needs for itself.

    Attributes:
        batch: tiles of a batch's inputs and gradients, of drawn rows, and the gradients of their scores.
        sizes, labels: of the choices that one example makes, so many at most.
    """

    def __init__(self, dim: int, choices: int) -> None:
        self.batch = tuple(aligned_rows(LANES, size).reshape(-1) for size in (dim, dim, dim, LANES, 2))
        self.sizes, self.labels = np.zeros(choices + LANES, np.float32), np.ones(choices + LANES, np.float32)


@dataclass
class Batch:
    """Examples of one step and how to train on them.

    Attributes:
        examples: (in_starts int64, in_rows int32, out_starts int64, out_rows int32, in_places int32), see
            `kernels.examples`.
        means: (forward, backward), see `kernels.sgd.negative_sampling`.
        ahead: input rows per example to prefetch.
    """

    count: int
    examples: tuple[np.ndarray, ...]
    means: tuple[bool, bool]
    ahead: int


class Objective(Protocol):
    """Says how large the loss of composed inputs is; trains on a batch of examples, or else on a stream of words."""

    def scratch(self, dim: int, targets: int) -> Any: ...

    def loss(self, x: np.ndarray, starts: np.ndarray, targets: np.ndarray, syn_out: np.ndarray) -> float: ...


class BatchObjective(Objective, Protocol):
    """Trains on a batch."""

    def train(self, batch: Batch, matrices: tuple[Any, ...], rate: float, rng: np.ndarray, own: Any) -> None: ...


def _log_sigmoid(scores: np.ndarray) -> np.ndarray:
    """log(1 / (1 + exp(-score))), by functions that NumPy has as vector code."""
    return np.minimum(scores, 0) - np.log(1 + np.exp(-np.abs(scores)))


def _products(x: np.ndarray, places: np.ndarray, syn_out: np.ndarray, rows: np.ndarray) -> np.ndarray:
    """The inner products of x[places] and syn_out[rows], without copies of them and without other threads."""
    out = np.empty(len(rows), np.float32)
    heldout.products(
        x.reshape(-1), places.astype(np.int32), syn_out.reshape(-1), rows.astype(np.int32), x.shape[1], out
    )
    return out


_WORDS_PER_EXAMPLE = 50  # different words that a batch needs for each example that shares its drawn words
_LOSS_TARGETS = 2_000  # of hierarchical softmax: as many as its loss is measured on
_LOSS_NEGATIVES, _LOSS_DRAWS = 64, 16  # so many drawn words to measure the loss with, so many of them in turn per input


class NegativeSampling:
    """Targets against words drawn by counts ** exponent."""

    def __init__(self, counts: np.ndarray, exponent: float, negatives: int) -> None:
        self.accept, self.alias, self.probabilities = sampling.alias_table(counts, exponent)
        self.negatives = negatives
        self.batch = max(1, min(LANES, np.count_nonzero(counts) // _WORDS_PER_EXAMPLE))
        self.fixed = np.empty(_LOSS_NEGATIVES, np.int32)
        sampling.draw_words(np.array([1], np.uint64), self.accept, self.alias, self.fixed)

    def loss(self, x: np.ndarray, starts: np.ndarray, targets: np.ndarray, syn_out: np.ndarray) -> float:
        """Mean loss per target, in nats."""
        each = np.repeat(np.arange(len(x)), np.diff(starts))
        positive = -_log_sigmoid(_products(x, each, syn_out, targets)).mean()
        places = np.arange(len(x)).repeat(_LOSS_DRAWS)
        drawn = _products(x, places, syn_out, np.resize(self.fixed, len(places))).reshape(len(x), -1)
        negative = -_log_sigmoid(-drawn).mean(1)
        return float(positive + self.negatives * negative[each].mean())

    def scratch(self, dim: int, targets: int) -> Scratch:
        return Scratch(dim, targets)

    def train(self, batch: Batch, matrices: tuple[Any, ...], rate: float, rng: np.ndarray, own: Scratch) -> None:
        drawn = np.empty(-(-self.negatives // LANES) * LANES, np.int64)
        sgd.negative_sampling(
            batch.count, self.batch, batch.examples, batch.means, batch.ahead, matrices, (self.accept, self.alias),
            np.float32(self.negatives), np.float32(rate), rng, own.batch, (own.sizes, own.labels), drawn,
        )  # fmt: skip


class _Paths:
    """Targets as ways down a Huffman tree."""

    def __init__(self, counts: np.ndarray) -> None:
        starts, nodes, labels = huffman.paths_of(*huffman.tree_of(counts))
        self.paths = starts, nodes, np.append(labels, np.zeros(LANES, np.float32))

    def loss(self, x: np.ndarray, starts: np.ndarray, targets: np.ndarray, syn_out: np.ndarray) -> float:
        """Mean loss per target, in nats."""
        path_starts, nodes, labels = self.paths
        targets = targets[:_LOSS_TARGETS]
        each = np.repeat(np.arange(len(x)), np.diff(starts))[: len(targets)]
        lengths = path_starts[targets + 1] - path_starts[targets]
        before = np.cumsum(lengths) - lengths
        steps = np.repeat(path_starts[targets] - before, lengths) + np.arange(lengths.sum())
        scores = _products(x, np.repeat(each, lengths), syn_out, nodes[steps])
        return float(-_log_sigmoid((2 * labels[steps] - 1) * scores).sum() / len(targets))

    @property
    def longest(self) -> int:
        """Nodes of the longest way."""
        return int(np.diff(self.paths[0]).max())


def _copies(dim: int) -> tuple[np.ndarray, ...]:
    """Room for one worker's copies of the upper nodes, see `kernels.paths.visit`."""
    rows = (aligned_rows(paths.COPIES, dim).reshape(-1) for _ in range(2))
    return *rows, *np.zeros((2, paths.COPIES), np.int32)


class ChoiceScratch(Scratch):
    """What one worker of `HierarchicalSoftmax` needs for itself."""

    def __init__(self, dim: int, longest: int) -> None:
        super().__init__(dim, longest)
        self.nodes, self.upper = np.zeros(longest + LANES, np.int64), _copies(dim)


class HierarchicalSoftmax(_Paths):
    """Ways down a Huffman tree from inputs of any make."""

    def scratch(self, dim: int, targets: int) -> ChoiceScratch:
        return ChoiceScratch(dim, self.longest)

    def train(self, batch: Batch, matrices: tuple[Any, ...], rate: float, rng: np.ndarray, own: ChoiceScratch) -> None:
        sgd.hierarchical_softmax(
            batch.count, batch.examples, batch.means, matrices, self.paths, np.float32(rate), own.batch,
            own.sizes, own.nodes, own.upper,
        )  # fmt: skip


class PathScratch:
    """What one worker of `PathSkipgram` needs for itself, see `kernels.windows.skipgram_paths`."""

    def __init__(self, dim: int, window: int, longest: int) -> None:
        rows = -(-(2 * window + 2) // LANES) * LANES
        self.upper = _copies(dim)
        self.ring = tuple(aligned_rows(rows, dim).reshape(-1) for _ in range(2))
        self.places = np.zeros(2 * window + 4, np.int64), np.zeros(longest, np.int64)
        self.sizes = np.zeros((2 * window + 2) * (longest + 8), np.float32)


class PathSkipgram(_Paths):
    """Skip-gram by hierarchical softmax: takes the text itself, a window's words going their centre's way together."""

    def __init__(self, counts: np.ndarray, window: int, fixed: bool) -> None:
        super().__init__(counts)
        self.window, self.fixed = window, fixed

    def scratch(self, dim: int, targets: int) -> PathScratch:
        return PathScratch(dim, self.window, self.longest)

    def train_stream(
        self, stream: np.ndarray, units: tuple[np.ndarray, np.ndarray], matrices: tuple[Any, ...], rate: float,
        rng: np.ndarray, own: PathScratch,
    ) -> None:  # fmt: skip
        """Train on all windows of a stream of words."""
        windows.skipgram_paths(
            stream, len(stream), self.window, self.fixed, rng, units, matrices, self.paths, np.float32(rate), own.ring,
            own.upper, own.places, own.sizes,
        )  # fmt: skip


class FullSoftmax:
    """Targets against all words: the time of a step grows with the vocabulary."""

    def __init__(self, words: int) -> None:
        if words > SOFTMAX_LIMIT:
            raise UsageError(
                f"--loss softmax with {words:,} words would take very long.",
                "Use --loss ns or hs, or keep fewer words with --max-vocab or --min-count.",
            )
        self.words = words

    def loss(self, x: np.ndarray, starts: np.ndarray, targets: np.ndarray, syn_out: np.ndarray) -> float:
        """Mean loss per target, in nats."""
        total = 0.0
        for i, (first, last) in enumerate(itertools.pairwise(starts.tolist())):
            scores = (syn_out @ x[i])[len(SPECIALS) :]
            whole = scores.max() + np.log(np.exp(scores - scores.max()).sum())
            total += float((whole - scores[targets[first:last] - len(SPECIALS)]).sum())
        return total / len(targets)

    def scratch(self, dim: int, targets: int) -> Scratch:
        return Scratch(dim, self.words)

    def train(self, batch: Batch, matrices: tuple[Any, ...], rate: float, rng: np.ndarray, own: Scratch) -> None:
        sgd.full_softmax(
            batch.count, batch.examples, batch.means, matrices, len(SPECIALS), np.float32(rate), own.batch,
            own.sizes[: self.words],
        )  # fmt: skip


def objective_for(config: Config, counts: np.ndarray) -> "BatchObjective | PathSkipgram":
    """The objective of a configuration over words with these counts (0 for words that are no targets)."""
    if config.loss == "hs" and config.model == "skipgram":
        return PathSkipgram(counts, config.window, config.fixed_window)
    if config.loss == "hs":
        return HierarchicalSoftmax(counts)
    if config.loss == "softmax":
        return FullSoftmax(len(counts))
    return NegativeSampling(counts, config.exponent, config.negatives)
