"""Models on labelled documents: tests, held-out splits, folds, learning curves."""

import time
from dataclasses import dataclass, field, replace

import numpy as np

from ..progress import Progress, Reporter, silent
from . import scores, splits
from .choice import Choice, exclusive
from .config import ClassifierConfig
from .data import LabelledCorpus
from .embedding import searching
from .excerpts import TextExcerpts
from .form import InputForm
from .labelling import Ragged
from .model import Classifier
from .report import LearningPoint, Report, make_report
from .scores import Collector, Rule, Scores

_DOCUMENTS = 1 << 14  # whose features are in memory together
CURVE = (0.05, 0.1, 0.2, 0.4, 0.7, 1.0)


def scored(
    model: Classifier,
    data: LabelledCorpus,
    rule: Rule | None = None,
    *,
    documents: np.ndarray | None = None,
    depth: int = 10,
    threads: int | None = None,
    progress: Reporter = silent,
) -> Scores:
    """What a model says of documents that were read with its labels known (see `read_labelled`).

    Args:
        rule: which labels to give; by default what suits the model.
        documents: int64, their numbers; all if None.
        depth: how many of the most probable labels to keep.
    """
    chosen = np.arange(len(data)) if documents is None else documents
    rule = rule or Choice().rule(model)
    collector = Collector(data.gold.take(chosen), len(model.labels), exclusive(model), rule, depth)
    _feed(collector, model, data, chosen, threads, progress)
    return collector.finish()


def _feed(
    collector: Collector,
    model: Classifier,
    data: LabelledCorpus,
    documents: np.ndarray,
    threads: int | None,
    progress: Reporter,
) -> None:
    """Give a collector the probabilities of some documents, of few at a time where there are many labels."""
    kept, labels = collector.scores, max(len(model.labels), 1)
    head = searching(model.head)
    if kept.rule.k is None or len(documents) * labels <= scores.COMPLETE:
        head = None
    size = _DOCUMENTS if head else max(1, scores.BLOCK // labels)
    for first in range(0, len(documents), _DOCUMENTS):
        bags = model.features.bags(data.text, documents[first : first + _DOCUMENTS], threads)
        for start in range(0, len(bags), size):
            part = Ragged(bags.ids, bags.offsets[start : start + size + 1])
            if head:
                top, asked = head.search(part, kept.top.shape[1], threads)
                collector.add_few(top, asked, part.sizes)
            else:
                collector.add(model.probabilities(part, threads), part.sizes)
        progress(Progress("testing", min(first + _DOCUMENTS, len(documents)), len(documents), "documents"))


@dataclass
class Evaluator:
    """How documents are tested.

    Args:
        choice: which labels to give.
        form: how the text is written, to show examples.
        pairs: confused pairs of labels to report.
        examples: documents of each.
    """

    choice: Choice = field(default_factory=Choice)
    form: InputForm = field(default_factory=InputForm)
    pairs: int = 10
    examples: int = 2
    seed: int = 0
    threads: int | None = None
    progress: Reporter = silent

    def test(self, model: Classifier, data: LabelledCorpus) -> Report:
        """A model on documents that were read with its labels known."""
        return self._report(self._scored(model, data, None), model, data, None)

    def held_out(self, data: LabelledCorpus, config: ClassifierConfig, share: float) -> Report:
        """Train on a part of the documents, test on the rest."""
        train, held = splits.held_out(data, share, self.seed)
        model = self._trained(data, config, train)
        return self._report(self._scored(model, data, held), model, data, held)

    def folds(self, data: LabelledCorpus, config: ClassifierConfig, k: int) -> Report:
        """Test every document by the model of the other folds."""
        parts = splits.folds(data, k, self.seed)
        documents = np.concatenate([held for _, held in parts])
        collector = None
        for train, held in parts:
            model = self._trained(data, config, train)
            if collector is None:
                rule = self.choice.rule(model)
                gold = data.gold.take(documents)
                collector = Collector(gold, len(model.labels), exclusive(model), rule, max(self.choice.ranks))
            _feed(collector, model, data, held, self.threads, self.progress)
        assert collector is not None
        found = collector.finish()
        exact = found.outcome().exact
        edges = np.cumsum([len(held) for _, held in parts])[:-1]
        accuracies = [float(part.mean()) for part in np.split(exact, edges)]
        return replace(self._report(found, model, data, documents), folds=accuracies)

    def learning_curve(self, data: LabelledCorpus, config: ClassifierConfig, share: float) -> list[LearningPoint]:
        """Figures on the same held-out documents after training on growing parts of the others."""
        train, held = splits.held_out(data, share, self.seed)
        order = np.random.default_rng(self.seed).permutation(train)
        found = []
        for part in CURVE:
            began = time.perf_counter()
            rows = np.sort(order[: max(2, round(part * len(order)))])
            model = self._trained(data, config, rows)
            outcome = self._scored(model, data, held).outcome()
            found.append(
                LearningPoint(len(rows), outcome.accuracy, outcome.counts().macro.f1, time.perf_counter() - began)
            )
        return found

    def _trained(self, data: LabelledCorpus, config: ClassifierConfig, rows: np.ndarray) -> Classifier:
        return Classifier.train_on(data, config, rows, progress=self.progress, threads=self.threads)

    def _scored(self, model: Classifier, data: LabelledCorpus, documents: np.ndarray | None) -> Scores:
        rule, depth = self.choice.rule(model), max(self.choice.ranks)
        return scored(model, data, rule, documents=documents, depth=depth, threads=self.threads, progress=self.progress)

    def _report(self, found: Scores, model: Classifier, data: LabelledCorpus, documents: np.ndarray | None) -> Report:
        return make_report(
            found,
            data.labels.names,
            ranks=self.choice.ranks,
            majority=int(np.argmax(model.label_counts)),
            excerpts=TextExcerpts(data, self.form, documents),
            pairs=self.pairs,
            examples=self.examples,
            seed=self.seed,
            settings={"signature": model.signature},
        )
