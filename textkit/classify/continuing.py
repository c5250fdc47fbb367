"""Training a linear model on: what it has learned of earlier documents is the prior of the next ones.

After each part of the documents the weights are thought of as independent and normal. Their means are the weights of
the model; the precision of each is 1, as before the first document, and the curvature of the losses that it has met
since. That takes the place of the usual penalty when the next part is fitted (Spiegelhalter and Lauritzen 1990;
Chapelle, Manavoglu and Rosales 2014), so that a document counts as much as any other whenever it comes. The curvature
is the one of the bound of Jaakkola and Jordan (2000): that of the loss itself vanishes for documents that are fitted
well, and they would be forgotten.
"""

from dataclasses import dataclass, replace

import numpy as np

from ..errors import DataError
from ..parallel import thread_count
from .ascent import Examples, Solver
from .data import LabelledCorpus
from .features import Features
from .growing import Grown, grown
from .hashed import HashedFeatures
from .labelling import Ragged
from .linear import LinearHead
from .linear_fitting import weights_of
from .parts import Parts
from .probabilities import as_probabilities
from .sparse import Counted, Seen

_TINY = np.float32(1e-12)


@dataclass
class Memory:
    """What a linear model must know of the documents it was trained on to be trained on. It stays as it is.

    Memory: (4 C + 16) bytes a feature, of C labels.

    Attributes:
        seen: how often features occurred.
        precision: float64 (R,), of each feature's share of a logit: what documents have told, the prior apart.
        certainty: the same of the biases.
    """

    seen: Seen
    precision: np.ndarray
    certainty: float

    @classmethod
    def of(cls, model: Parts, data: LabelledCorpus, threads: int | None = None) -> "Memory":
        """Of a model with a `LinearHead`, by all documents that it was trained on."""
        features = len(model.features)
        table = len(model.labels) if model.config.weighting == "information" else 0
        seen, counted = Seen.none(features, table), _counted(model.features, data, threads)
        seen.add(counted, data.gold)
        weights, _ = _weights(data, model, model.label_counts, seen.documents)
        return cls(seen, np.zeros(features), 0.0)._with(model, counted, weights)

    def trained_on(self, model: Parts, data: LabelledCorpus, threads: int | None = None) -> tuple[Parts, "Memory"]:
        """The model after further documents of the same labels, and with their words.

        Time and memory are those of the new documents and of the model.
        """
        assert isinstance(model.features, Features)
        known = grown(model.features, Features.fit(data.text, None, model.config.features, threads))
        counted, counts = _counted(known.features, data, threads), model.label_counts.copy()
        counts += np.bincount(data.gold.ids, minlength=len(counts))
        model, memory = _widened(model, known), self._moved(known)
        memory.seen.add(counted, data.gold)
        documents = memory.seen.documents
        weights, positive = _weights(data, model, counts, documents)
        head = memory._solved(model, counted, data.gold, weights, positive, thread_count(threads))
        report = {**model.report, "documents": documents, "features": len(known.features)}
        model = replace(model, head=head, label_counts=counts, report=report)
        return model, memory._with(model, counted, weights)

    def _moved(self, known: Grown) -> "Memory":
        """The same with rows for more features, of which nothing is known."""
        precision = np.zeros(len(known.features))
        precision[known.rows] = self.precision
        return Memory(self.seen.moved(known.rows, len(precision)), precision, self.certainty)

    def _solved(
        self,
        model: Parts,
        counted: Counted,
        gold: Ragged,
        weights: np.ndarray,
        positive: np.ndarray,
        threads: int,
    ) -> LinearHead:
        """The weights after documents, of which `seen` knows already.

        The solver's prior is 1 for every weight and bias. So weights are measured in units in which theirs is that
        of the biases, and costs in units in which that is 1.
        """
        old, config, heat = model.head, model.config, np.float32(_heat(model))
        assert isinstance(old, LinearHead) and config.cost is not None
        scale, certainty = self.seen.scale(), 1 + self.certainty
        unit = np.sqrt(certainty / (1 + self.precision * scale.astype(np.float64) ** 2)).astype(np.float32)
        begin = old.matrix * (heat * old.scale / np.maximum(scale * unit, _TINY))[:, None]
        examples = Examples(counted, counted.values(scale) * unit[counted.rows], gold, weights, len(scale))
        solver = Solver(examples, old.labels, old.loss, positive, (begin, old.biases * heat))
        solver.run(config.cost / certainty, config.seed, threads=threads)
        if not solver.problems:  # a single label
            return replace(old, scale=scale)
        matrix, biases = solver.weights()
        if not (np.isfinite(matrix).all() and np.isfinite(biases).all()):
            raise DataError("the weights of the linear model overflow.", "Are weights of documents huge?")
        return LinearHead(old.loss, old.labels, matrix * (unit / heat)[:, None], biases / heat, scale)

    def _with(self, model: Parts, counted: Counted, weights: np.ndarray) -> "Memory":
        """The same with the curvature of the losses of documents that the model was fitted to."""
        head, cost = model.head, model.config.cost
        assert isinstance(head, LinearHead) and cost is not None
        p = as_probabilities(head.scores(counted) * np.float32(_heat(model)), head.loss)
        curvature = cost * weights * _curvature(p.astype(np.float64)).max(axis=1)
        shares = (counted.values(head.scale) / np.maximum(head.scale, _TINY)[counted.rows]).astype(np.float64) ** 2
        shares *= np.repeat(curvature, np.diff(counted.offsets))
        told = np.bincount(counted.rows, shares, len(self.precision))
        return Memory(self.seen, self.precision + told, self.certainty + float(curvature.sum()))


def _widened(model: Parts, known: Grown) -> Parts:
    """The model with rows for more features, whose weights are 0."""
    head, size = model.head, len(known.features)
    assert isinstance(head, LinearHead)
    matrix, scale = np.zeros((size, head.matrix.shape[1]), np.float32), np.zeros(size, np.float32)
    matrix[known.rows], scale[known.rows] = head.matrix, head.scale
    return replace(model, features=known.features, head=replace(head, matrix=matrix, scale=scale))


def _heat(model: Parts) -> float:
    """The temperature that has become part of the weights."""
    return float(model.report.get("temperature", 1.0))


def _curvature(p: np.ndarray) -> np.ndarray:
    """(p - 1/2) / ln(p / (1 - p)), 1/4 at 1/2: of the parabola that bounds the loss where the probability is p."""
    odds = np.clip(p, 1e-6, 1 - 1e-6)
    middle = np.abs(odds - 0.5) < 1e-4
    return np.where(middle, 0.25, (odds - 0.5) / np.where(middle, 1.0, np.log(odds / (1 - odds))))


def _counted(features: Features | HashedFeatures, data: LabelledCorpus, threads: int | None) -> Counted:
    return Counted.of(features.bags(data.text, threads=threads), threads)


def _weights(data: LabelledCorpus, parts: Parts, counts: np.ndarray, documents: int) -> tuple[np.ndarray, np.ndarray]:
    """Of documents float32 (L,), and of labels that are right under "ova" (C,); balanced by all documents so far."""
    given = np.ones(len(data), np.float32) if data.weights is None else data.weights.astype(np.float32)
    return weights_of(data.gold, given, parts.config.class_weights, parts.head.loss, counts, documents)
