"""`--model auto`: the linear model or the embedding, whichever labels held-out documents better.

The linear model wins on small and middle-sized data nearly always, the embedding has its day with very many documents
or labels; so of equals the linear one is taken.
"""

import math
import time
from dataclasses import dataclass

import numpy as np

from ..progress import Reporter, silent
from . import validation
from .config import ClassifierConfig
from .data import LabelledCorpus
from .effort import loss_for
from .fitting import fit_embedding
from .linear import LOSSES
from .linear_fitting import LinearFitter, Tried
from .parts import Parts
from .splits import shuffled_by, stratum_of_each
from .training import Trainer
from .validation import Judgement

MOST_WEIGHTS = 1 << 28  # of a linear model that is thought of at all
MOST_WORK = 1 << 31  # features of all documents times labels
MOST_WORDS = 30_000_000  # of documents that models are tried on; of more documents a part is taken


class _Rival(Trainer):
    """Training that ends early where it is not going to reach an accuracy, `goal`."""

    goal = 0.0

    def measure(self) -> tuple[float, float] | None:
        """See Trainer. Epochs bring less and less: no later one is thought to bring as much as the last."""
        found, before = super().measure(), [entry["accuracy"] for entry in self.history]
        if found and before and self.held is not None:
            left, gain = self.epochs - len(before) - 1, max(found[0] - before[-1], 0.0)
            chance = 2 * math.sqrt(self.goal * (1 - self.goal) / max(len(self.held), 1))
            if max(found[0], *before) + left * gain + chance < self.goal:
                self.patience = 0
        return found


@dataclass
class AutoFitter:
    """Tries both models and fits the better one.

    Args:
        documents: int64, those to train on.
        held: int64, others to judge by, or None: then parts of the documents are held out.
    """

    data: LabelledCorpus
    config: ClassifierConfig
    documents: np.ndarray
    held: np.ndarray | None = None
    threads: int | None = None
    progress: Reporter = silent

    def classifier(self) -> Parts:
        """The better model; its report has a line `choice` that says why, and what the other one reached."""
        began = time.monotonic()
        config, several = self.config, self.data.multilabel
        if (config.loss or ("ova" if several else "softmax")) not in LOSSES:
            return self._embedding(f"embedding: the linear model has no loss {config.loss}")
        labels = len(self.data.labels)
        if self.data.text.words(self.documents) * labels > MOST_WORK:
            return self._embedding(f"embedding: a linear model of {labels:,} labels would be slow on so much text")
        trial = self._sample()
        fitter = LinearFitter(self.data, config, trial, self.held, self.threads, self.progress)
        if len(fitter.features) * labels > MOST_WEIGHTS:
            return self._embedding(f"embedding: a linear model would have {len(fitter.features) * labels:,} weights")
        tried = fitter.tried(config.costs)
        choice = "linear: " + ("too few documents to hold some out" if labels > 1 else "there is only one label")
        rival = None
        if tried:
            rival = self._rival(fitter)
            choice, better = self._compared(fitter, tried, rival)
            if better:
                return self._embedding(choice, tried)
        if len(trial) < len(self.documents):
            fitter = LinearFitter(self.data, config, self.documents, self.held, self.threads, self.progress)
        model = fitter.classifier(tried)
        model.report |= {"choice": choice, "seconds": round(time.monotonic() - began, 3)}
        if rival:
            model.report["embedding"] = rival.as_dict()
        return model

    def _sample(self) -> np.ndarray:
        """The documents, or a stratified part of them that is small enough to try models on."""
        words = self.data.text.words(self.documents)
        if words <= MOST_WORDS:
            return self.documents
        gold = self.data.gold.take(self.documents)
        row = shuffled_by(stratum_of_each(gold, self.data.labels.counts), self.config.seed)
        return np.sort(self.documents[row[:: -(-words // MOST_WORDS)]])

    def _rival(self, fitter: LinearFitter) -> Judgement:
        """The embedding, of the same features, on the first part that the linear model was tried on."""
        train, held = fitter.parts[0]
        config = self.config.with_(model="embedding", loss=fitter.loss)
        own, others = fitter.all[train], fitter.all[held]
        trainer = _Rival(self.data, fitter.features, config, own, others, self.threads)
        trainer.goal = max(judged.accuracy for judged in fitter.first_part.values())
        head = trainer.run(self.progress)
        size, strange = len(fitter.features), fitter.counted.take(held).rows
        trained = np.bincount(fitter.counted.rows, minlength=size) > np.bincount(strange, minlength=size)
        head.input[~trained] = 0  # features that the others alone have
        bags = fitter.features.bags(self.data.text, others, self.threads)
        return validation.judge(head.logits(bags, self.threads), fitter.gold.take(held), fitter.loss)

    def _compared(self, fitter: LinearFitter, tried: Tried, rival: Judgement) -> tuple[str, bool]:
        """One line on both, and whether the embedding is better by more than chance may be."""
        cost, _ = validation.best(tried)
        own = fitter.first_part[cost]
        better = rival.accuracy > own.accuracy + 0.5 * own.error
        first, second = ("embedding", "linear") if better else ("linear", "embedding")
        measure = "micro-F1" if (fitter.gold.sizes > 1).any() else "accuracy"
        figures = {"linear": own.accuracy, "embedding": rival.accuracy}
        return (
            f"{first}: {measure} {figures[first]:.4f} on {own.documents:,} held-out documents, "
            f"{second} {figures[second]:.4f}"
        ), better

    def _embedding(self, choice: str, tried: Tried | None = None) -> Parts:
        rows = None if self.held is None and len(self.documents) == len(self.data) else self.documents
        config = self.config.with_(model="embedding")
        if config.loss is None:
            config = config.with_(loss=loss_for(len(self.data.labels), len(self.documents), self.data.multilabel))
            if config.loss not in LOSSES:
                choice += f"; of so many labels by the loss {config.loss}"
        model = fit_embedding(self.data, config, rows, self.held, self.progress, self.threads)
        model.report |= {"choice": choice}
        if tried:
            model.report["linear"] = [{"cost": cost, **judged.as_dict()} for cost, judged in tried]
        return model
