"""Documents whose label is probably wrong, by models that were trained without them.

Confident learning (Northcutt, Jiang & Chuang 2021): a document has another label with confidence if its probability is
at least the mean probability of that label among the documents that have it.
"""

from dataclasses import dataclass, replace

import numpy as np

from ..progress import Progress, Reporter, silent
from .config import ClassifierConfig
from .data import LabelledCorpus
from .effort import loss_for
from .embedding import EmbeddingHead, Probabilities, searching
from .labelling import Ragged
from .model import Classifier
from .splits import folds

_BEST = 10  # labels that are kept of each document
_DOCUMENTS = 1 << 14
_SCORES = 1 << 22
_MANY = 1_000  # labels of which the best are searched for, where a model can


@dataclass
class OutOfFold:
    """Probabilities by models that did not see the document.

    Attributes:
        gold_p: float32, for each element of the corpus' gold.
        best: int32 (L, K), the most probable labels, -1 where there are fewer; best_p: float32 (L, K).
        loss: mean of -log p of the given labels, in nats.
    """

    gold_p: np.ndarray
    best: np.ndarray
    best_p: np.ndarray

    @property
    def loss(self) -> float:
        return float(-np.log(np.maximum(self.gold_p, 1e-9)).mean())


@dataclass
class Suspects:
    """Documents with a label that is probably wrong, the most certain first.

    Attributes:
        documents: int64 (S,); given, suggested: int32 (S,), label numbers, -1 where a label is missing or too many;
        given_p, suggested_p: float32 (S,), out-of-fold probabilities.
    """

    documents: np.ndarray
    given: np.ndarray
    suggested: np.ndarray
    given_p: np.ndarray
    suggested_p: np.ndarray

    @classmethod
    def none(cls) -> "Suspects":
        """Nobody."""
        return cls(*(np.zeros(0, dtype) for dtype in (np.int64, np.int32, np.int32, np.float32, np.float32)))

    def __len__(self) -> int:
        return len(self.documents)


def out_of_fold(
    data: LabelledCorpus,
    config: ClassifierConfig,
    k: int = 5,
    seed: int = 0,
    threads: int | None = None,
    progress: Reporter = silent,
) -> OutOfFold:
    """Probabilities of each document by a model trained on the other folds."""
    width, numbers = min(_BEST, len(data.labels)), Ragged(np.arange(len(data.gold.ids)), data.gold.offsets)
    gold_p = np.zeros(len(data.gold.ids), np.float32)
    best, best_p = np.full((len(data), width), -1, np.int32), np.zeros((len(data), width), np.float32)
    if config.model == "embedding" and config.loss is None:
        config = replace(config, loss=loss_for(len(data.labels), len(data), data.multilabel))
    for number, (train, held) in enumerate(folds(data, k, seed)):
        progress(Progress("cross-validating", number, k, "folds"))
        model = Classifier.train_on(data, config, rows=train, threads=threads)
        # What the first fold has chosen stays.
        config = replace(config, model=model.head.kind, cost=model.config.cost, loss=model.config.loss)
        for documents in _parts(held, 1 if _searching(model) else len(data.labels)):
            bags = model.features.bags(data.text, documents, threads)
            best[documents], best_p[documents], asked = _asked(model, bags, width, threads)
            elements = numbers.take(documents).ids
            owner = np.repeat(np.arange(len(documents)), data.gold.sizes[documents])
            gold_p[elements] = asked(owner, data.gold.ids[elements])
    progress(Progress("cross-validating", k, k, "folds"))
    return OutOfFold(gold_p, best, best_p)


def _searching(model: Classifier) -> EmbeddingHead | None:
    """The head, if there are so many labels that they are better searched than all asked for."""
    return searching(model.head) if len(model.labels) > _MANY else None


def _asked(
    model: Classifier, bags: Ragged, k: int, threads: int | None
) -> tuple[np.ndarray, np.ndarray, Probabilities]:
    """The k best labels of each document with their probabilities, and what tells those of others."""
    if head := _searching(model):
        top, asked = head.search(bags, k, threads)
        return top.ids, top.p, asked
    p = model.probabilities(bags, threads)
    best = np.argsort(-p, axis=1, kind="stable")[:, :k]
    return best, np.take_along_axis(p, best, 1), lambda documents, labels: p[documents, labels]


def _parts(documents: np.ndarray, labels: int) -> list[np.ndarray]:
    size = max(1, min(_DOCUMENTS, _SCORES // labels))
    return [documents[i : i + size] for i in range(0, len(documents), size)]


def suspects(data: LabelledCorpus, found: OutOfFold) -> Suspects:
    """What is probably labelled wrongly.

    A document with one label, where all have one: another label is held with confidence, and the given one is not.
    With several: a label that it lacks is held with confidence, or one that it has is less probable than among
    documents without it.
    """
    gold, labels = data.gold, len(data.labels)
    counts = np.maximum(np.bincount(gold.ids, minlength=labels), 1)
    usual = (np.bincount(gold.ids, found.gold_p, minlength=labels) / counts).astype(np.float32)
    owner = np.repeat(np.arange(len(data)), gold.sizes)
    foreign = found.best >= 0
    for column in range(foreign.shape[1]):
        foreign[owner[found.best[owner, column] == gold.ids], column] = False
    confident = foreign & (found.best_p >= usual[found.best])
    if data.multilabel:
        return _several(data, found, owner, foreign, confident)
    return _single(data, found, usual, confident)


def _single(data: LabelledCorpus, found: OutOfFold, usual: np.ndarray, confident: np.ndarray) -> Suspects:
    """One label each: the most probable of those that are held with confidence instead."""
    given, first = data.gold.ids, confident.argmax(1)
    suggested_p = found.best_p[np.arange(len(data)), first]
    rows = np.flatnonzero(confident.any(1) & (found.gold_p < usual[given]) & (suggested_p > found.gold_p))
    rows = rows[np.argsort((found.gold_p - suggested_p)[rows], kind="stable")]
    return Suspects(rows, given[rows], found.best[rows, first[rows]], found.gold_p[rows], suggested_p[rows])


def _several(
    data: LabelledCorpus, found: OutOfFold, owner: np.ndarray, foreign: np.ndarray, confident: np.ndarray
) -> Suspects:
    """Labels that are lacking, and labels that are too many."""
    labels = len(data.labels)
    without = np.maximum(len(data) - np.bincount(data.gold.ids, minlength=labels), 1)
    usual = np.bincount(found.best[foreign], found.best_p[foreign], minlength=labels) / without
    extra = np.flatnonzero(found.gold_p < usual[data.gold.ids])
    rows, column = np.nonzero(confident)
    nobody, nothing = np.full(len(rows), -1, np.int32), np.zeros(len(rows), np.float32)
    documents = np.concatenate([owner[extra], rows])
    given, given_p = np.concatenate([data.gold.ids[extra], nobody]), np.concatenate([found.gold_p[extra], nothing])
    nobody, nothing = np.full(len(extra), -1, np.int32), np.zeros(len(extra), np.float32)
    suggested = np.concatenate([nobody, found.best[rows, column]])
    suggested_p = np.concatenate([nothing, found.best_p[rows, column]])
    order = np.argsort(np.where(given >= 0, given_p, 1 - suggested_p), kind="stable")
    return Suspects(*(found[order] for found in (documents, given, suggested, given_p, suggested_p)))
