"""Probabilities that know something of the truth, for tests of measures and calibration."""

import numpy as np

from textkit.classify.labelling import Ragged
from textkit.classify.scores import Collector, Rule


def ragged(lists):
    ids = np.array([x for each in lists for x in each], np.int32)
    return Ragged(ids, np.concatenate([[0], np.cumsum([len(each) for each in lists])]).astype(np.int64))


def made(exclusive, documents=300, labels=4, seed=1):
    """Probabilities that know something of the truth, and the truth."""
    rng = np.random.default_rng(seed)
    truth = rng.random((documents, labels)) < 0.3
    if exclusive:
        truth = np.eye(labels, dtype=bool)[(rng.random(documents) ** 2 * labels).astype(int)]  # the first are frequent
    logits = np.round(rng.normal(0, 1, truth.shape) + 1.5 * truth, 1)  # rounded: ties
    p = np.exp(logits)
    p = p / p.sum(1, keepdims=True) if exclusive else p / (1 + p)
    return p.astype(np.float32), truth, [np.flatnonzero(row).tolist() for row in truth]


def collected(p, gold, exclusive, rule=None, block=37, labels=None):
    collector = Collector(ragged(gold), p.shape[1] if labels is None else labels, exclusive, rule or Rule())
    for i in range(0, len(p), block):
        collector.add(p[i : i + block])
    return collector.finish()
