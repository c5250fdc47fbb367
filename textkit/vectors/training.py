"""Training word vectors: text as ids in, matrices out."""

import math
import threading
import time
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import numpy as np

from .. import __version__, files, training
from ..errors import DataError, UsageError
from ..kernels import examples as kernels
from ..kernels import heldout, sampling
from ..kernels.jit import release_compiler
from ..kernels.simd import aligned_rows
from ..parallel import thread_count
from ..progress import Progress, Reporter, silent
from ..store import let_go_of, release_pages
from ..text.corpus import EncodedCorpus
from ..text.subwords import Ngrams, subword_units, word_units
from ..text.vocabulary import SPECIALS, Vocabulary
from .config import Config
from .matrices import Matrices
from .objectives import Batch, BatchObjective, PathSkipgram, objective_for

CHECKPOINT = "w2v-checkpoint"
_BLOCK = 32_768  # words of the text per step; with subwords a quarter, since each is many rows
_HELD_OUT, _HELD_OUT_SHARE = 3_000, 100  # words at the end of the text to measure the loss on: so many, at most 1 %
_LEAST_HELD_OUT = 100
_MIXER = 0x9E3779B97F4A7C15  # spreads seeds over 64 bits (Knuth's multiplicative hashing)
_DIVERGED = 1.5  # times the loss of vectors of zeros
_HALVINGS = 20


@dataclass
class State:
    """Where a run stands, as told to callbacks.

    Attributes:
        words, total: words of the text passed and to pass, over all epochs.
        loss: mean loss per target in nats on words held out, or on the last ones where the text is too short for that;
            None where no word of them stays.
    """

    words: int
    total: int
    epoch: int
    rate: float
    loss: float | None
    seconds: float
    matrices: Matrices


Callback = Callable[[State], bool | None]


class _Worker(threading.local):
    """Arrays that one thread reuses from step to step."""

    def __init__(self) -> None:
        self.stream = self.reach = np.empty(0, np.int32)
        self.examples: tuple[np.ndarray, ...] = ()
        self.own: Any = None


@dataclass
class Trainer:
    """One training run over a corpus whose vocabulary has V words.

    Memory: the matrices (8 V dim bytes, with subwords 4 dim more per bucket that occurs), a few MB per thread, and the
    corpus, which is mapped from disk where it is large.

    Args:
        matrices: to start from; new ones if not given.
    """

    corpus: EncodedCorpus
    config: Config
    threads: int | None = None
    matrices: Matrices | None = None
    objective: BatchObjective | PathSkipgram = field(init=False)

    def __post_init__(self) -> None:
        config, vocabulary = self.config, self.corpus.vocabulary
        counts = vocabulary.counts.copy()
        counts[: len(SPECIALS)] = 0
        if not counts.any():
            raise DataError(
                f"no word occurs {config.min_count} times in a text of {self.corpus.tokens:,} tokens.",
                "Give more text, or a lower --min-count.",
            )
        let_go_of(self.corpus.ids, self.corpus.offsets)
        self.units, self.buckets = self._units(vocabulary)
        self.objective = objective_for(config, counts)
        self.keep = _keep_probabilities(counts, config.sample)
        self.matrices = self.matrices or self._new_matrices()
        tokens = self.corpus.tokens
        held = min(_HELD_OUT, tokens // _HELD_OUT_SHARE)
        self.trained_tokens = tokens - held if held >= _LEAST_HELD_OUT else tokens
        self.block = _BLOCK if config.subwords is None else _BLOCK // 4
        self.block = max(1024, min(self.block, self.trained_tokens // 256))
        self.blocks = -(-self.trained_tokens // self.block)
        self.epochs = config.epochs_for(tokens)
        self.given_rate = config.rate_for(self.epochs * float(counts @ self.keep))
        self.rate_scale, self.history = 1.0, list[dict[str, float]]()
        self.complaints: list[str] = []
        self._local, self._began = _Worker(), time.monotonic()
        self._held_out = self._held_out_examples()

    def _units(self, vocabulary: Vocabulary) -> tuple[tuple[np.ndarray, np.ndarray], np.ndarray]:
        if self.config.subwords is None:
            return word_units(len(vocabulary)), np.zeros(0, np.int64)
        starts, rows, buckets = subword_units(vocabulary, Ngrams(*self.config.subwords, self.config.buckets))
        return (starts, rows), buckets

    def _new_matrices(self) -> Matrices:
        config = self.config
        places = 2 * config.window if config.position_weights else 0
        return Matrices.new(config.dim, len(self.corpus.vocabulary), self.buckets, config.seed, places)

    # --- one step ---------------------------------------------------------------------------------------

    def _work(self, step: int, rate: float) -> None:
        epoch, block = divmod(step, self.blocks)
        first = block * self.block
        last = min(first + self.block, self.trained_tokens)
        rng = _generator(self.config.seed, epoch, block)
        stream, local = self._stream(first, last, rng), self._local
        if isinstance(self.objective, PathSkipgram):
            self.objective.train_stream(stream, self.units, self._flat, rate, rng, local.own)
        elif (batch := self._batch(stream, rng)).count:
            self.objective.train(batch, self._flat, rate, rng, local.own)

    @property
    def _arrays(self) -> dict[str, np.ndarray]:
        matrices = self.matrices
        assert matrices is not None
        return {name: getattr(matrices, name) for name in ("syn_in", "syn_out", "frozen", "weights")}

    @property
    def _flat(self) -> tuple[np.ndarray, ...]:
        return tuple(array.reshape(-1) for array in self._arrays.values())

    def _stream(self, first: int, last: int, rng: np.ndarray) -> np.ndarray:
        """Those of the text's words first to last that stay, with gaps between lines."""
        config, local = self.config, self._local
        if local.own is None:
            local.own = self.objective.scratch(config.dim, 2 * config.window)
            local.stream, local.reach = np.empty(2 * _BLOCK, np.int32), np.empty(2 * _BLOCK, np.int32)
        ids, offsets = self.corpus.ids, self.corpus.offsets
        line = int(np.searchsorted(offsets, first, side="right")) - 1
        size = sampling.subsample(ids, first, last, offsets, line, self.keep, rng, local.stream)
        return local.stream[:size]

    def _batch(self, stream: np.ndarray, rng: np.ndarray) -> Batch:
        """The examples of a stream."""
        config, local, size = self.config, self._local, len(stream)
        self._make_room(size)
        if config.model == "cbow":
            count = kernels.cbow_examples(
                stream, size, config.window, config.fixed_window, rng, self.units, local.examples
            )
            means = (config.combine != "sum", config.combine == "mean")
        else:
            count = kernels.skipgram_examples(
                stream, size, config.window, config.fixed_window, rng, local.reach, self.units, local.examples
            )
            means = (True, False)
        return Batch(count, local.examples, means, 1 if config.subwords is None else 64)

    def _make_room(self, size: int) -> None:
        """Have arrays for the examples of a stream."""
        config, local = self.config, self._local
        rows = size
        if config.subwords is not None:
            words = local.stream[:size]
            words = words[words >= 0]
            rows = int((self.units[0][words + 1] - self.units[0][words]).sum())
        wide = 2 * config.window
        need_in, need_out = (rows * wide, size) if config.model == "cbow" else (rows, size * wide)
        if not local.examples or len(local.examples[1]) < need_in or len(local.examples[3]) < need_out:
            starts = [np.zeros(2 * _BLOCK + 1, np.int64) for _ in range(2)]
            spare = max(need_in, need_out) // 8
            rows_in, rows_out = np.empty(need_in + spare, np.int32), np.empty(need_out + spare, np.int32)
            places = np.empty(len(rows_in) if config.position_weights else 0, np.int32)
            local.examples = starts[0], rows_in, starts[1], rows_out, places

    # --- the run ----------------------------------------------------------------------------------------

    def run(
        self,
        progress: Reporter = silent,
        *,
        callback: Callback | None = None,
        checkpoint: Path | None = None,
        checkpoint_seconds: float = 300.0,
        resume: bool = False,
    ) -> Matrices:
        """Train to the end of the plan.

        A learning rate at which the loss explodes is halved and training begun anew; `complaints` says so.

        Args:
            callback: told the State some twenty times; True ends the training.
            checkpoint: file to keep the state in, at most every `checkpoint_seconds` and when interrupted; it is
                removed at the end.
            resume: go on from that file.

        Raises:
            DataError: the checkpoint is of another text or other settings.
        """
        start = self._load_checkpoint(checkpoint) if resume and checkpoint else 0
        while True:
            plan = self._plan()
            watch = _Watch(self, plan, progress, callback, checkpoint, checkpoint_seconds)
            try:
                reached = training.run(plan, self._work, watch.done, watch.pause, start)
            except KeyboardInterrupt:
                watch.keep()
                raise
            if not watch.diverged:
                break
            self._begin_anew()
            start = 0
        self.words_trained = self._words_at(reached)
        if checkpoint:
            checkpoint.unlink(missing_ok=True)
        assert self.matrices is not None
        return self.matrices

    @property
    def rate(self) -> float:
        """The learning rate at the beginning, lowered if it was too high."""
        return self.given_rate * self.rate_scale

    def _plan(self) -> training.Plan:
        schedule = training.Schedule(self.rate, self.config.floor, self.config.decay)
        return training.Plan(self.blocks * self.epochs, schedule, thread_count(self.threads), self.config.budget)

    def _begin_anew(self) -> None:
        if self.rate_scale < 0.5**_HALVINGS:
            raise UsageError("training diverges at any learning rate.", "Look at the text: is it one repeated word?")
        self.rate_scale /= 2
        told = f"the loss exploded at a learning rate of {self.given_rate:g}; training began anew at {self.rate:g}."
        self.complaints = [told]
        self.history = []
        self.matrices = self._new_matrices()

    def _words_at(self, step: int) -> int:
        epoch, block = divmod(step, self.blocks)
        return epoch * self.trained_tokens + min(block * self.block, self.trained_tokens)

    # --- the held-out loss ------------------------------------------------------------------------------

    def _held_out_examples(self) -> tuple[np.ndarray, ...] | None:
        first, last = self.trained_tokens, self.corpus.tokens
        if first == last:  # too short to hold some out: the loss is that of its end
            first = max(0, last - _HELD_OUT)
        rng = _generator(self.config.seed, 0, -1)
        batch = self._batch(self._stream(first, last, rng), rng)
        if batch.count == 0:
            return None
        in_starts, in_rows, out_starts, out_rows, places = batch.examples
        n, m = batch.count, in_starts[batch.count]
        kept = in_starts[: n + 1], in_rows[:m], out_starts[: n + 1], out_rows[: out_starts[n]], places[:m]
        return tuple(array.copy() for array in kept)

    def loss(self) -> float | None:
        """The mean loss per target on the held-out words, in nats."""
        if self._held_out is None or self.matrices is None:
            return None
        in_starts, in_rows, out_starts, out_rows, places = self._held_out
        x = aligned_rows(len(in_starts) - 1, self.matrices.syn_in.shape[1])
        mean = self.config.combine != "sum" or self.config.model != "cbow"
        syn_in, _, _, weights = self._flat
        heldout.inputs(in_starts, in_rows, places, syn_in, weights, mean, x.shape[1], x.reshape(-1))
        with np.errstate(over="ignore", invalid="ignore"):
            return self.objective.loss(x, out_starts, out_rows, self.matrices.syn_out)

    # --- checkpoints ------------------------------------------------------------------------------------

    def _identity(self) -> dict[str, Any]:
        vocabulary = self.corpus.vocabulary
        return {
            "version": __version__,
            "config": {**self.config.settings(), "subwords": list(self.config.subwords or ()) or None},
            "tokens": self.corpus.tokens,
            "words": len(vocabulary),
            "counts": int(np.bitwise_xor.reduce(vocabulary.counts * np.arange(1, len(vocabulary) + 1))),
        }

    def save_checkpoint(self, path: Path, step: int) -> None:
        """Keep the state after `step` steps."""
        assert self.matrices is not None
        header = {"identity": self._identity(), "step": step, "rate_scale": self.rate_scale, "history": self.history}
        files.save(path, CHECKPOINT, header, self._arrays)

    def _load_checkpoint(self, path: Path) -> int:
        if not path.exists():
            return 0
        container = files.load(path, CHECKPOINT)
        if container.header.get("identity") != self._identity():
            raise DataError(
                f"{path} belongs to a run on another text or with other settings.",
                "Give the same ones, or remove it to begin anew.",
            )
        try:
            for name, target in self._arrays.items():
                if container.arrays[name].shape != target.shape:
                    raise KeyError(name)
                target[:] = container.arrays[name]
            self.rate_scale, self.history = float(container.header["rate_scale"]), list(container.header["history"])
            return int(container.header["step"])
        except (KeyError, TypeError, ValueError) as error:
            raise DataError(f"{path} is damaged: it lacks or spoils {error}.", "Remove it to begin anew.") from None


@dataclass
class _Watch:
    """Follows a run: progress, loss, callbacks, checkpoints, divergence."""

    trainer: Trainer
    plan: training.Plan
    progress: Reporter
    callback: Callback | None
    checkpoint: Path | None
    checkpoint_seconds: float

    def __post_init__(self) -> None:
        self.began = self.saved = time.monotonic()
        self.diverged, self.loss = False, None if self.trainer.history == [] else self.trainer.history[-1].get("loss")
        self.highest, self.reached, self.kept, self.running = self._limit(), 0, -1, False

    def _limit(self) -> float:
        """The loss of output vectors of zeros, times what noise may add."""
        trainer = self.trainer
        outputs = trainer.matrices.syn_out if trainer.matrices else None
        if outputs is None or trainer._held_out is None:
            return math.inf
        x = np.zeros((len(trainer._held_out[2]) - 1, outputs.shape[1]), np.float32)
        return _DIVERGED * trainer.objective.loss(x, trainer._held_out[2], trainer._held_out[3], outputs)

    def _rate(self, step: int) -> float:
        return self.plan.schedule.at(self.plan.fraction(step, time.monotonic() - self.began))

    def done(self, step: int) -> bool:
        words, total = self.trainer._words_at(step), self.trainer._words_at(self.plan.steps)
        note = f"rate {self._rate(step):.4g}" + (f", loss {self.loss:.4f}" if self.loss is not None else "")
        self.progress(Progress("training", words, total, "words", note))
        release_pages()  # of the text
        if not self.running:  # all kernels are loaded
            release_compiler()
            self.running = True
        return False

    def keep(self) -> None:
        """Write the checkpoint, as of the latest pause, if that is not written already."""
        if self.checkpoint and self.kept != self.reached:
            self.trainer.save_checkpoint(self.checkpoint, self.reached)
            self.saved, self.kept = time.monotonic(), self.reached

    def pause(self, step: int) -> bool:
        trainer, self.reached = self.trainer, step
        self.loss = loss = trainer.loss()
        if loss is not None and not loss <= self.highest:  # also where it is no number
            self.diverged = True
            return True
        seconds, words = time.monotonic() - self.began, trainer._words_at(step)
        entry = {"words": words, "rate": self._rate(step), "seconds": round(seconds, 3)}
        trainer.history.append(entry if loss is None else {**entry, "loss": loss})
        if time.monotonic() - self.saved >= self.checkpoint_seconds:
            self.keep()
        if self.callback is None:
            return False
        assert trainer.matrices is not None
        total = trainer._words_at(self.plan.steps)
        state = State(words, total, step // trainer.blocks, self._rate(step), loss, seconds, trainer.matrices)
        return bool(self.callback(state))


def _generator(seed: int, epoch: int, block: int) -> np.ndarray:
    """The random state of one step, uint64 (1,)."""
    value = 0
    for part in (seed, epoch, block):
        value = ((value ^ (part & (1 << 64) - 1)) * _MIXER + 1) & (1 << 64) - 1
        value ^= value >> 29
    return np.array([value], np.uint64)


def _keep_probabilities(counts: np.ndarray, sample: float) -> np.ndarray:
    """How probably each word stays, float32 (V,): sqrt(s / f) + s / f with f the share of the words that have rows."""
    if sample == 0:
        return (counts > 0).astype(np.float32)
    ratio = np.zeros(len(counts), np.float64)
    np.divide(sample * counts.sum(), counts, out=ratio, where=counts > 0)
    return np.minimum(1, np.sqrt(ratio) + ratio).astype(np.float32)
