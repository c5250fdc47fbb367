"""From labelled documents to a linear model: features once, weights for each cost, the cost by held-out documents."""

import time
from collections.abc import Callable
from copy import copy
from dataclasses import dataclass, field
from functools import cached_property, partial

import numpy as np

from ..errors import DataError, UsageError
from ..parallel import ordered_map, thread_count
from ..progress import Progress, Reporter, silent
from . import validation
from .ascent import Examples, Solver
from .config import ClassifierConfig
from .data import LabelledCorpus
from .features import Features
from .labelling import Ragged
from .linear import LOSSES, LinearHead
from .objectives import balanced_decisions, balanced_weights, document_weights
from .parts import Parts
from .sparse import Counted, scale_of
from .validation import Judgement

USUAL_COST = 10.0  # where nothing can be held out
LARGEST = 1 << 29  # weights of a model: three times their 2 GB are needed
_ROUGH, _MOST_ROUGH = 3e-3, 12  # duality gap and passes that are good enough to choose a cost

Tried = list[tuple[float, Judgement]]


@dataclass
class LinearFitter:
    """Linear models of some documents, at any cost.

    Memory: 16 bytes for each feature of each document while costs are tried, 12 afterwards; 4 for each feature and
    label, twice with the weighting "information".

    Args:
        documents: int64, those to train on.
        held: int64, others to judge by, or None: then parts of the documents are held out.

    Raises:
        UsageError: a loss that linear models do not have, or more weights than can be.
    """

    data: LabelledCorpus
    config: ClassifierConfig
    documents: np.ndarray
    held: np.ndarray | None = None
    threads: int | None = None
    progress: Reporter = silent
    loss: str = field(init=False)
    first_part: dict[float, Judgement] = field(init=False, default_factory=dict)

    def __post_init__(self) -> None:
        self.loss = self.config.loss or ("ova" if self.data.multilabel else "softmax")
        if self.loss not in LOSSES:
            raise UsageError(
                f"--model linear has no loss {self.loss}.", "Give softmax or ova, or take --model embedding."
            )
        if len(self.documents) == 0:
            raise DataError("there is no document to train on.")
        self.workers = thread_count(self.threads)
        self.all = self.documents if self.held is None else np.concatenate([self.documents, self.held])
        self.gold = self.data.gold.take(self.all)
        self.labels = len(self.data.labels)
        self.features = Features.fit(self.data.text, self.documents, self.config.features, self.threads)
        if len(self.features) * self.labels > LARGEST:
            raise UsageError(
                f"a linear model of {len(self.features):,} features and {self.labels:,} labels is too large.",
                "Take --model embedding, or leave out rare words and n-grams by --min-count and --min-ngram-count.",
            )

    @cached_property
    def counted(self) -> Counted:
        """The features of all documents."""
        return Counted.of(self.features.bags(self.data.text, self.all, self.threads), self.threads)

    def with_config(self, config: ClassifierConfig) -> "LinearFitter":
        """The same features of the same documents with other settings of the weights."""
        other = copy(self)
        other.config = config
        return other

    @cached_property
    def parts(self) -> list[tuple[np.ndarray, np.ndarray]]:
        """Places among `all` to train on, and to judge by."""
        own = np.arange(len(self.documents))
        if self.held is not None:
            return [(own, np.arange(len(self.documents), len(self.all)))] if len(self.held) else []
        return validation.parts(self.data, self.documents, self.config)

    # --- one part -------------------------------------------------------------------------------------------

    def problem(self, places: np.ndarray) -> tuple[Callable[[], Solver], np.ndarray]:
        """What makes solvers that find the weights of documents at these places, and the scale of features."""
        whole = len(places) == len(self.counted)
        counted = self.counted if whole else self.counted.take(places)
        gold = self.gold if whole else self.gold.take(places)
        scale = scale_of(counted, gold, len(self.features), self.labels, self.config.weighting)
        weights, positive = self._weights(places, gold)
        examples = Examples(counted, counted.values(scale), gold, weights, len(self.features))
        return partial(Solver, examples, self.labels, self.loss, positive), scale

    def _weights(self, places: np.ndarray, gold: Ragged) -> tuple[np.ndarray, np.ndarray]:
        """Of documents float32 (L,), and of labels that are right under "ova" (C,)."""
        given = self.data.weights
        weights = np.ones(len(places), np.float32) if given is None else given[self.all[places]].astype(np.float32)
        counts = np.bincount(gold.ids, minlength=self.labels)
        return weights_of(gold, weights, self.config.class_weights, self.loss, counts, len(places))

    def head(self, solver: Solver, scale: np.ndarray, temperature: float = 1.0) -> LinearHead:
        """The solution as something to ask; the temperature becomes part of the weights."""
        matrix, biases = solver.weights()
        if not len(matrix):
            matrix = np.zeros((len(self.features), 0), np.float32)
        if not (np.isfinite(matrix).all() and np.isfinite(biases).all()):
            raise DataError("the weights of the linear model overflow.", "Are weights of documents huge?")
        beta = np.float32(1 / temperature)
        return LinearHead(self.loss, self.labels, matrix * beta, biases * beta, scale)

    # --- all of it ------------------------------------------------------------------------------------------

    def tried(self, costs: tuple[float, ...]) -> Tried:
        """What held-out documents say of each cost, from the least on; empty where there are none.

        Parts and costs are tried side by side, each by one thread, so that the same costs win whatever their number.
        """
        found: list[list[np.ndarray]] = list(
            ordered_map(lambda part: self._logits(part, costs), self.parts, self.workers)
        )
        if not found:
            return []
        gold = self.gold.take(np.concatenate([held for _, held in self.parts]))
        first = self.gold.take(self.parts[0][1])
        self.first_part = {
            cost: validation.judge(logits, first, self.loss) for cost, logits in zip(costs, found[0], strict=True)
        }
        return [
            (cost, validation.judge(np.concatenate([logits[i] for logits in found]), gold, self.loss))
            for i, cost in enumerate(costs)
        ]

    def _logits(self, part: tuple[np.ndarray, np.ndarray], costs: tuple[float, ...]) -> list[np.ndarray]:
        """Of one part's held-out documents at each cost."""
        train, held = part
        make, scale = self.problem(train)
        counted = self.counted.take(held)

        def at(cost: float) -> np.ndarray:
            solver = make()
            solver.run(cost, self.config.seed, _ROUGH, _MOST_ROUGH)
            return self.head(solver, scale).scores(counted)

        found: list[np.ndarray] = []
        for logits in ordered_map(at, costs, max(1, self.workers // len(self.parts))):
            found.append(logits)
            self.progress(Progress("choosing", len(found), len(costs), "costs"))
        return found

    def fit(self, cost: float, temperature: float = 1.0) -> tuple[LinearHead, Solver]:
        """The model of all documents to train on."""
        make, scale = self.problem(np.arange(len(self.documents)))
        solver = make()
        solver.run(cost, self.config.seed, threads=self.workers)
        return self.head(solver, scale, temperature), solver

    def classifier(self, tried: Tried | None = None) -> Parts:
        """The model at the best cost, with what was tried (by default `tried()`) in its report."""
        began = time.monotonic()
        if tried is None:
            tried = self.tried(self.config.costs)
        cost, judged = validation.best(tried) if tried else (self.config.cost or USUAL_COST, None)
        head, solver = self.fit(cost, judged.temperature if judged else 1.0)
        counts = np.bincount(self.data.gold.take(self.documents).ids, minlength=self.labels).astype(np.int64)
        report = {
            "documents": len(self.documents),
            "held_out": judged.documents if judged else 0,
            "words": self.data.text.words(self.documents),
            "features": len(self.features),
            "cost": cost,
            "tried": [{"cost": cost, **judgement.as_dict()} for cost, judgement in tried],
            "temperature": judged.temperature if judged else 1.0,
            "passes": solver.passes,
            "gap": solver.gap,
            "complaints": [],
            "seconds": round(time.monotonic() - began, 3),
        }
        if judged:
            report["held_out_accuracy"] = judged.accuracy
        config = self.config.with_(model="linear", cost=cost, loss=self.loss)
        names = list(self.data.labels.names)
        return Parts(names, counts, self.data.text.tokenizer, self.features, head, config, None, report)


def weights_of(
    gold: Ragged, weights: np.ndarray, class_weights: str, loss: str, counts: np.ndarray, documents: int
) -> tuple[np.ndarray, np.ndarray]:
    """How much errors on documents count, float32 (L,), and labels that are right under "ova" (C,).

    Args:
        weights: float32 (L,) that were given.
        counts: int64 (C,), documents of each label, to balance by; `documents` are all of them.
    """
    positive = np.ones(len(counts), np.float32)
    if class_weights == "balanced":
        if loss == "ova":
            positive = balanced_decisions(counts, documents)
        else:
            weights = weights * document_weights(gold.ids, gold.offsets, balanced_weights(counts, documents))
    if loss != "ova":
        weights = np.where(gold.sizes > 0, weights, 0)
    return weights.astype(np.float32), positive
