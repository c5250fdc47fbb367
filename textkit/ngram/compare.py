"""All smoothing methods at several orders, from one counting of the text, by the perplexity of held-out text."""

import math
import time
from collections.abc import Iterable, Iterator
from dataclasses import asdict, dataclass, replace
from pathlib import Path
from typing import Any

import numpy as np

from ..errors import UsageError
from ..parallel import thread_count
from ..progress import Progress, Reporter, silent
from ..text.corpus import EncodedCorpus
from ..text.plots import drawing
from ..text.vocabulary import UNK
from . import heldout, parameters, smoothing
from .config import TrainingConfig
from .counting import count_ngrams
from .counts import NGramCounts
from .heldout import Places
from .methods import METHODS
from .model import NGramModel
from .packed import packed_bytes
from .train import estimate_from_counts


@dataclass(frozen=True)
class Candidate:
    """One smoothing at one order, and how it does on the held-out text.

    Attributes:
        smoothing: the method and its settings, see `TrainingConfig.label`.
        tuned: whether its parameters were tuned on the tuning text.
        ngrams, bytes: size of the model, the latter of its file.
        seconds: to settle its parameters, to estimate it from the counts and to score the held-out text.
        impossible: tokens without probability.
        perplexity, perplexity_without_oov: as `scoring.Perplexity`; None for a method whose scores are no
            probabilities, infinite with impossible tokens.
    """

    smoothing: str
    title: str
    order: int
    tuned: bool
    ngrams: int
    bytes: int
    seconds: float
    log10_prob: float
    impossible: int
    perplexity: float | None
    perplexity_without_oov: float | None


@dataclass(frozen=True)
class Comparison:
    """A table of candidates.

    Attributes:
        tokens, oov: of the held-out text, line ends among the tokens.
        counting_seconds: for the one counting that all share.
        best: the one with the least perplexity.
    """

    candidates: list[Candidate]
    tokens: int
    oov: int
    counting_seconds: float

    @property
    def best(self) -> Candidate | None:
        """The one with the least perplexity; of equals the smaller."""
        proper = [c for c in self.candidates if c.perplexity is not None and math.isfinite(c.perplexity)]
        return min(proper, key=lambda c: (c.perplexity, c.bytes), default=None)

    def as_dict(self) -> dict[str, Any]:
        """For JSON; what is infinite becomes None."""
        rows = [
            {k: None if isinstance(v, float) and not math.isfinite(v) else v for k, v in asdict(c).items()}
            for c in self.candidates
        ]
        best = asdict(self.best) if self.best else None
        return {**asdict(self), "candidates": rows, "oov_rate": self.oov / self.tokens, "best": best}


class Comparer:
    """The counts of a text and the places of a held-out one, to try methods on.

    Memory: as training at the highest order, and 16 bytes for each token and order of the held-out text.

    Args:
        dev: the text to measure on, encoded with the vocabulary of the corpus.
        tune: another such text; methods with parameters are tried tuned on it, too.
    """

    def __init__(
        self,
        corpus: EncodedCorpus,
        dev: EncodedCorpus,
        tune: EncodedCorpus | None = None,
        *,
        order: int = 5,
        threads: int | None = None,
        progress: Reporter = silent,
    ) -> None:
        began = time.perf_counter()
        self.threads, self.progress, self.vocabulary = thread_count(threads), progress, corpus.vocabulary
        self.counts = count_ngrams(corpus, order, self.threads, progress)
        self.counting_seconds = time.perf_counter() - began
        self.dev = heldout.find_places(self.counts, dev)
        self.tune = heldout.find_places(self.counts, tune) if tune else None
        self.tuning_text = tune
        self.tokenizer = corpus.tokenizer

    def compare(self, orders: Iterable[int], configs: Iterable[TrainingConfig]) -> Comparison:
        """Try every configuration at every order."""
        orders, configs = list(orders), list(configs)
        rows: list[Candidate] = []
        total = len(orders) * len(configs)
        for order in orders:
            counts, evidence = self.counts.up_to(order), {}
            for config in configs:
                self.progress(Progress(f"{config.label}, order {order}", len(rows), total, "models"))
                for tuned in (False, True) if self.tune and config.method.parameter in _TUNABLE else (False,):
                    key = config.method.adjusted, tuned
                    if key not in evidence:
                        evidence[key] = self._evidence(counts, *key)
                    rows.append(self._try(replace(config, order=order), evidence[key], tuned))
        oov = int(np.count_nonzero(self.dev.entries[0] == UNK))
        return Comparison(rows, self.dev.entries.shape[1], oov, self.counting_seconds)

    def _evidence(self, counts: NGramCounts, adjusted: bool, tuned: bool) -> parameters.Evidence:
        words = len(self.vocabulary) - 1
        return parameters.Evidence(counts, adjusted, words, dev=_cut(self.tune, counts.order) if tuned else None)

    def _try(self, config: TrainingConfig, evidence: parameters.Evidence, tuned: bool) -> Candidate:
        began = time.perf_counter()
        counts, method = evidence.counts, config.method
        plan, _ = parameters.settle(config, evidence)
        kept = [np.ones(len(level.words), np.bool_) for level in counts.levels]
        levels = smoothing.estimate_levels(counts, evidence.values, plan, kept, self.threads)
        log_p, rising = _log10_probabilities(levels, self.dev)
        known = self.dev.entries[0] != UNK
        sizes = [len(level.words) for level in counts.levels]
        words = sum(array.nbytes for array in self.vocabulary.arrays(with_counts=False).values())
        return Candidate(
            smoothing=config.label,
            title=method.title,
            order=config.order,
            tuned=tuned,
            ngrams=sum(sizes),
            bytes=packed_bytes(sizes, rising) + words,
            seconds=time.perf_counter() - began,
            log10_prob=float(log_p.sum()),
            impossible=int(np.count_nonzero(np.isneginf(log_p))),
            perplexity=_perplexity(log_p) if method.normalised else None,
            perplexity_without_oov=_perplexity(log_p[known]) if method.normalised else None,
        )

    def model(self, candidate: Candidate, configs: Iterable[TrainingConfig]) -> NGramModel:
        """A candidate as a model; `configs` as they were compared."""
        config = next(c for c in configs if c.label == candidate.smoothing)
        estimated = estimate_from_counts(
            self.counts.up_to(candidate.order),
            self.vocabulary,
            replace(config, order=candidate.order),
            self.threads,
            self.progress,
            self.tuning_text if candidate.tuned else None,
        )
        return NGramModel.from_trie(
            estimated.trie, estimated.vocabulary, self.tokenizer, estimated.report, threads=self.threads
        )


_TUNABLE = ("discount", "k", "lambda")


def all_configs(names: Iterable[str] = ()) -> list[TrainingConfig]:
    """A configuration for each of these smoothing methods, or for every form of every method.

    Raises:
        UsageError: an unknown name.
    """
    named = [TrainingConfig(smoothing=name) for name in names]
    return named or [TrainingConfig(smoothing=m.name, form=form) for m in METHODS for form in m.forms]


def _cut(places: Places | None, order: int) -> Places | None:
    return replace(places, entries=places.entries[:order], contexts=places.contexts[:order]) if places else None


def _log10_probabilities(
    levels: Iterator[tuple[np.ndarray, np.ndarray | None]], places: Places
) -> tuple[np.ndarray, bool]:
    """log10 probability of each place float64 (M,), and whether any backoff weight is above 1."""
    log_p, rising = np.zeros(places.entries.shape[1]), False
    with np.errstate(divide="ignore"):
        for n, (probabilities, backoffs) in enumerate(levels):
            seen, context = places.entries[n] >= 0, places.contexts[n]
            if backoffs is not None:
                log_p[context >= 0] += np.log10(backoffs[context[context >= 0]])
                rising |= bool((backoffs > 1).any())
            log_p[seen] = np.log10(probabilities[places.entries[n][seen]])
    return log_p, rising


def _perplexity(log_p: np.ndarray) -> float:
    mean = -float(log_p.mean()) if len(log_p) else math.nan
    return 10.0**mean if mean < 308 else math.inf


def perplexity_plot(comparison: Comparison, path: Path) -> None:
    """Draw perplexity by order, a line for each method; raises as `plots.check_plot`."""
    curves: dict[str, list[tuple[int, float]]] = {}
    for row in comparison.candidates:
        if row.perplexity is not None and math.isfinite(row.perplexity):
            curves.setdefault(row.smoothing + (", tuned" if row.tuned else ""), []).append((row.order, row.perplexity))
    with drawing(path) as axes:
        for name, points in sorted(curves.items(), key=lambda curve: -curve[1][-1][1]):
            axes.plot(*zip(*points, strict=True), marker="o", markersize=3, label=name)
        axes.set(xlabel="order", ylabel="perplexity", yscale="log", title=f"{comparison.tokens:,} held-out tokens")
        axes.set_xticks(sorted({row.order for row in comparison.candidates}))
        axes.legend(frameon=False, fontsize="small", loc="center left", bbox_to_anchor=(1, 0.5))


def read_orders(text: str) -> list[int]:
    """The orders of "3", "2-5" or "1,3,5".

    Raises:
        UsageError: anything else.
    """
    found: list[int] = []
    for part in text.replace(" ", "").split(","):
        first, dash, last = part.partition("-")
        if not first.isdecimal() or (dash and not last.isdecimal()) or len(part) > 9:
            raise UsageError(f"--orders '{text}' is not a list of orders.", "Examples: 3, 2-5, 1,3,5.")
        found += range(int(first), int(last or first) + 1)
    if not found or not all(1 <= n <= 100 for n in found):
        raise UsageError(f"--orders '{text}' makes no sense.", "Give orders from 1 to 100.")
    return sorted(set(found))
