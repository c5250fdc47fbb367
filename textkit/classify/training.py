"""Training the classifier of embeddings: bags of features in, matrices out."""

import time
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any

import numpy as np

from .. import training
from ..errors import DataError, UsageError
from ..kernels import embedding as kernels
from ..kernels.features import NONE
from ..kernels.simd import LANES, aligned_rows
from ..parallel import thread_count
from ..progress import Progress, Reporter, silent
from .bagging import BagSource
from .config import ClassifierConfig
from .data import LabelledCorpus
from .embedding import EmbeddingHead
from .features import Features
from .labelling import Ragged, is_everything
from .objectives import Objective, balanced_decisions, balanced_weights, document_weights
from .replicas import Replicas, replicated

_STEP_ROWS = 1 << 16  # features of a step's documents, about
_FEWEST_STEPS = 64  # of an epoch, as long as there are as many documents
_LEAST_SCALE = 1e-12  # of the learning rate, which is quartered until the loss does not explode
_DIVERGED = 3.0  # times the loss of outputs of zeros, and 1 nat
_SPREADS = 0x9E3779B97F4A7C15
_CHUNK = 1 << 14


@dataclass
class Matrices:
    """What is trained: float32 rows padded to a multiple of 16.

    Attributes:
        rows: how many features there are.
        whole: (R + S, padded), uniform in +-1 / dim for words, 0 for n-grams, which follow what the words have begun,
            and for S spare rows.
        output: (C, padded), 0; number `dim` of a row is its bias.
        frozen: uint8 (R + S,), 1 for rows that stay as they are, or empty.
    """

    dim: int
    biased: bool
    rows: int
    whole: np.ndarray
    output: np.ndarray
    frozen: np.ndarray

    @classmethod
    def new(cls, config: ClassifierConfig, features: Features, outputs: int, spare: int = 0) -> "Matrices":
        """Fresh ones."""
        width = config.dim + config.bias
        matrix = aligned_rows(len(features) + spare, width)
        rng = np.random.default_rng(config.seed)
        words = len(features.vocabulary)
        for first in range(0, words, _CHUNK):
            rows = matrix[first : min(first + _CHUNK, words)]
            random = rng.random((len(rows), config.dim), np.float32)
            rows[:, : config.dim] = (2 * random - 1) / np.float32(config.dim)
        output = aligned_rows(outputs, width)
        return cls(config.dim, config.bias, len(features), matrix, output, np.zeros(0, np.uint8))

    @property
    def input(self) -> np.ndarray:
        """(R, padded), a row for each feature."""
        return self.whole[: self.rows]

    def head(self, objective: Objective) -> EmbeddingHead:
        """The matrices as something to ask; they are not copied."""
        return EmbeddingHead(
            objective.loss, self.input[:, : self.dim], self.output[:, : self.dim + self.biased], objective.counts
        )

    def copy(self) -> tuple[np.ndarray, np.ndarray]:
        """What a later epoch may spoil."""
        return self.input.copy(), self.output.copy()

    def restore(self, kept: tuple[np.ndarray, np.ndarray]) -> None:
        """The inverse of `copy`."""
        self.input[:], self.output[:] = kept

    def begin_with(self, rows: np.ndarray, vectors: np.ndarray, freeze: bool) -> None:
        """Give some rows these vectors, float32 (n, D); frozen ones stay as they are."""
        self.input[rows, : self.dim] = vectors
        if freeze:
            self.frozen = np.zeros(len(self.whole), np.uint8)
            self.frozen[rows] = 1

    @property
    def finite(self) -> bool:
        """Whether every number is one."""
        return all(
            bool(np.isfinite(m[i : i + _CHUNK].sum()))
            for m in (self.input, self.output)
            for i in range(0, len(m), _CHUNK)
        )


@dataclass
class Trainer:
    """One training run over some documents.

    Memory: the matrices (64 bytes a feature up to 16 numbers), where there are held-out documents once more; the bags
    (4 bytes for each word and n-gram of the documents) where they are used more than once and fit, see `BagSource`.

    Args:
        rows: numbers of the documents to train on, int64.
        held: documents to measure on after each epoch, or None: then the last epoch counts.
        start: gives fresh matrices trained or pretrained numbers to begin with.
    """

    data: LabelledCorpus
    features: Features
    config: ClassifierConfig
    rows: np.ndarray
    held: np.ndarray | None = None
    threads: int | None = None
    start: Callable[[Matrices], None] | None = None
    objective: Objective = field(init=False)
    matrices: Matrices = field(init=False)

    def __post_init__(self) -> None:
        config, self.workers = self.config.for_documents(len(self.rows)), thread_count(self.threads)
        assert config.epochs is not None and config.patience is not None
        self.epochs, self.patience = config.epochs, config.patience
        self.gold = self.data.gold if is_everything(self.rows, len(self.data)) else self.data.gold.take(self.rows)
        counts = np.bincount(self.gold.ids, minlength=len(self.data.labels)).astype(np.int64)
        if not counts.any():
            raise DataError("no document to train on has a label.", "Labels begin with __label__; see --label-prefix.")
        loss = config.loss or ("ova" if self.data.multilabel else "softmax")
        positive = np.zeros(0, np.float32)
        if loss == "ova" and config.class_weights == "balanced":
            positive = balanced_decisions(counts, len(self.rows))
        self.objective = Objective(loss, counts, config.negatives, positive)
        self.weights = self._weights(counts)
        self.source = BagSource(self.features, self.data.text, self.rows, config, self.workers)
        total = max(self.source.total, 1)
        self.step_size = max(1, min(_STEP_ROWS * len(self.rows) // total, len(self.rows) // _FEWEST_STEPS))
        self.steps = -(-len(self.rows) // self.step_size)
        words, step_rows = len(self.features.vocabulary), total * self.step_size // len(self.rows)
        self.hot = replicated(words, step_rows, self.workers)
        self._begin()
        self.rate_scale = 1.0
        self.history: list[dict[str, float]] = []
        self.complaints: list[str] = []
        self._losses: dict[int, tuple[float, float]] = {}
        self._held_bags = None if self.held is None else self.features.bags(self.data.text, self.held, self.threads)

    def _weights(self, counts: np.ndarray) -> np.ndarray:
        """The weight of each document, float32; empty where all are 1."""
        weights = np.zeros(0, np.float32)
        if self.data.weights is not None:
            weights = self.data.weights[self.rows].astype(np.float32)
        if self.config.class_weights == "balanced" and self.objective.loss != "ova":
            of_labels = balanced_weights(counts, len(self.rows))
            balance = document_weights(self.gold.ids, self.gold.offsets, of_labels)
            weights = balance if len(weights) == 0 else weights * balance
        return weights

    def _begin(self) -> None:
        spare = self.hot * self.workers
        matrices = Matrices.new(self.config, self.features, self.objective.outputs, spare)
        if self.start:
            self.start(matrices)
        if len(matrices.frozen):
            matrices.frozen[matrices.rows :] = np.tile(matrices.frozen[: self.hot], self.workers)
        self.matrices, self.replicas = matrices, Replicas(matrices.whole, self.hot, self.workers)

    # --- one step ---------------------------------------------------------------------------------------

    def _work(self, step: int, rate: float) -> None:
        config, objective, matrices = self.config, self.objective, self.matrices
        epoch, block = divmod(step, self.steps)
        rng = np.array([(config.seed * _SPREADS + step * 2 + 1) * _SPREADS % (1 << 64)], np.uint64)
        dim = matrices.whole.shape[1]
        scratch = (*aligned_rows(2, dim), np.empty(len(objective.counts) + LANES, np.float32))
        first, loss, weight = block * self.step_size, 0.0, 0.0
        last = min(first + self.step_size, len(self.rows))
        for documents, bags in self.source.visits(epoch, first, last, rng):
            with self.replicas.lent(bags[1][: bags[0][-1]]):
                found = kernels.train(
                    bags, documents, self.weights, self.gold.ids, self.gold.offsets,
                    (matrices.whole.reshape(-1), matrices.output.reshape(-1), matrices.frozen), dim,
                    config.dim if config.bias else NONE, objective.code, objective.shape, objective.paths,
                    objective.alias, objective.positive, rng, np.array([rate, config.l2, config.smoothing], np.float32),
                    scratch,
                )  # fmt: skip
            loss, weight = loss + found[0], weight + found[1]
        self._losses[step] = loss, weight

    # --- the run ------------------------------------------------------------------------------------------

    def run(self, progress: Reporter = silent) -> EmbeddingHead:
        """Train; the best epoch on the held-out documents is what stays.

        A learning rate at which the loss explodes is lowered and training begun anew; `complaints` says so.

        Raises:
            UsageError: no learning rate works.
        """
        while True:
            watch = _Watch(self, progress)
            schedule = training.Schedule(self.config.rate * self.rate_scale, self.config.floor, self.config.decay)
            training.run(
                training.Plan(self.steps * self.epochs, schedule, self.workers, pauses=self.epochs),
                self._work, watch.done, watch.pause,
            )  # fmt: skip
            if not watch.diverged and self.matrices.finite:
                break
            self._begin_anew()
        watch.restore()
        return self.matrices.head(self.objective)

    def _begin_anew(self) -> None:
        if self.rate_scale < _LEAST_SCALE:
            raise UsageError(f"training diverges at a learning rate of {self.config.rate:g}.", "Give a lower --rate.")
        self.rate_scale /= 4
        self.complaints = [
            f"the loss exploded at a learning rate of {self.config.rate:g}; training began anew at "
            f"{self.config.rate * self.rate_scale:g}."
        ]
        self.history = []
        self._begin()

    def measure(self) -> tuple[float, float] | None:
        """(share of held-out documents whose best label is right, mean loss of their labels in nats), or None."""
        if self._held_bags is None or self.held is None or len(self.held) == 0:
            return None
        with np.errstate(all="ignore"):
            return measured(self.matrices.head(self.objective), self._held_bags, self.data.gold.take(self.held))


def measured(head: Any, bags: Ragged, gold: Ragged) -> tuple[float, float]:
    """(share of documents whose best label is right, mean of -log p of their labels) of those that have labels."""
    right, loss, count = 0, 0.0, 0
    size = max(1, (1 << 22) // head.labels)
    for first in range(0, len(bags), size):
        last = min(first + size, len(bags))
        p = head.probabilities(head.logits(Ragged(bags.ids, bags.offsets[first : last + 1])))
        truth = gold.take(np.arange(first, last))
        each = np.repeat(np.arange(last - first), truth.sizes)
        known = truth.ids < p.shape[1]
        best = p.argmax(1)
        right += len(np.unique(each[known & (truth.ids == best[each])]))
        loss -= float(np.log(np.maximum(p[each[known], truth.ids[known]], 1e-12)).sum())
        count += int((truth.sizes > 0).sum())
    return right / max(count, 1), loss / max(len(gold.ids), 1)


class _Watch:
    """Notices divergence, measures after each epoch, and keeps the best one."""

    def __init__(self, trainer: Trainer, progress: Reporter) -> None:
        self.trainer, self.progress = trainer, progress
        self.diverged, self.began = False, time.monotonic()
        self.loss: float | None = None
        self.best: tuple[float, float] | None = None
        self.kept: tuple[np.ndarray, np.ndarray] | None = None
        self.best_epoch = 0
        self.summed = [0.0, 0.0]
        self.words = trainer.source.words

    def done(self, step: int) -> bool:
        trainer = self.trainer
        loss, weight = trainer._losses.pop(step - 1)
        self.summed[0] += loss
        self.summed[1] += weight
        self.diverged = self.diverged or not np.isfinite(loss)
        if weight > 0:
            self.loss = loss / weight
        done = int(self.words * step / trainer.steps)
        note = "" if self.loss is None else f"loss {self.loss:.4f}"
        self.progress(Progress("training", done, self.words * trainer.epochs, "words", note))
        return self.diverged

    def pause(self, step: int) -> bool:
        trainer, epoch = self.trainer, step // self.trainer.steps
        if self.diverged:
            return True
        entry = {"epoch": epoch, "loss": self.summed[0] / max(self.summed[1], 1e-12),
                 "seconds": round(time.monotonic() - self.began, 3)}  # fmt: skip
        self.summed = [0.0, 0.0]
        if entry["loss"] > _DIVERGED * trainer.objective.first_loss + 1:
            self.diverged = True
            return True
        found = trainer.measure()
        if found is not None:
            entry |= {"accuracy": found[0], "held_out_loss": found[1]}
        trainer.history.append(entry)
        return found is not None and self._judge(found, epoch)

    def _judge(self, found: tuple[float, float], epoch: int) -> bool:
        """Keep the state if it is the best; whether enough epochs brought nothing better."""
        trainer = self.trainer
        if not np.isfinite(found[1]):
            self.diverged = True
            return True
        if self.best is None or (found[0], -found[1]) > (self.best[0], -self.best[1]):
            self.best, self.best_epoch = found, epoch
            self.kept = trainer.matrices.copy() if epoch < trainer.epochs else None
        return epoch - self.best_epoch >= trainer.patience

    def restore(self) -> None:
        """Go back to the best epoch."""
        if self.kept is not None:
            self.trainer.matrices.restore(self.kept)
