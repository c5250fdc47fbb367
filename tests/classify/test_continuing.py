"""A linear model trained on, part after part: against one training on everything."""

import numpy as np
import pytest

from textkit.classify.ascent import Ascent, Examples
from textkit.classify.config import ClassifierConfig
from textkit.classify.continuing import Memory
from textkit.classify.data import from_memory
from textkit.classify.labelling import Ragged
from textkit.classify.model import Classifier
from textkit.classify.sparse import Counted

WORDS = np.array([f"w{i}" for i in range(400)])


def documents(count: int, labels: int, seed: int = 0) -> tuple[list[str], list[str]]:
    """Texts of words of which each label likes some a little better."""
    rng = np.random.default_rng(seed)
    gold = rng.integers(labels, size=count)
    liked = 1 + 1.5 * (np.arange(400)[None] % (3 * labels) == np.arange(labels)[:, None])
    texts = [" ".join(rng.choice(WORDS, 25, p=liked[g] / liked[g].sum())) for g in gold]
    return texts, [f"l{g}" for g in gold]


def read(texts, labels, known, weights=None):
    return from_memory(texts, labels, weights, known=known, threads=1)


def accuracy(model: Classifier, texts: list[str], labels: list[str]) -> float:
    return float(np.mean([found[0][0] == label for found, label in zip(model.predict(texts), labels, strict=True)]))


@pytest.mark.parametrize(("labels", "loss"), [(2, "softmax"), (4, "softmax"), (3, "ova")])
def test_parts_one_after_the_other_come_near_to_everything_at_once(labels, loss):
    texts, gold = documents(2_000, labels)
    known, new = sorted(set(gold)), documents(1_000, labels, 1)
    config = ClassifierConfig(model="linear", loss=loss, cost=2.0, word_ngrams=1)
    whole = Classifier.train_on(read(texts, gold, known), config, threads=1)
    data = read(texts[:200], gold[:200], known)
    model = Classifier.train_on(data, config, threads=1)
    first, memory = accuracy(model, *new), Memory.of(model, data, 1)
    for begin in range(200, 2_000, 200):
        data = read(texts[begin : begin + 200], gold[begin : begin + 200], known)
        parts, memory = memory.trained_on(model, data, 1)
        model = Classifier.of(parts)
    best = accuracy(whole, *new)
    assert best > first + 0.06
    assert accuracy(model, *new) > best - 0.3 * (best - first)
    assert memory.seen.documents == model.report["documents"] == 2_000
    assert (model.label_counts == whole.label_counts).all() and len(model.features) == len(whole.features)


def test_with_nothing_to_remember_it_is_a_first_training():
    texts, gold = documents(300, 2)
    data, config = read(texts, gold, ["l0", "l1"]), ClassifierConfig(model="linear", cost=2.0, validation=0.0)
    model = Classifier.train_on(data, config, threads=1)
    blank = Memory.of(model, data, 1)
    blank.precision[:], blank.certainty = 0, 0.0
    blank.seen.documents = 0
    for counts in (blank.seen.frequency, blank.seen.table, blank.seen.labels):
        counts[:] = 0
    model.head.matrix[:], model.head.biases[:] = 0, 0
    again, _ = blank.trained_on(model, data, 1)
    fresh = Classifier.train_on(data, config, threads=1)
    assert again.head.matrix == pytest.approx(fresh.head.matrix, abs=1e-5)
    assert again.head.biases == pytest.approx(fresh.head.biases, abs=1e-5)


@pytest.mark.parametrize("columns", [1, 3])
def test_the_solution_is_drawn_to_where_it_begins(columns):
    rng, offsets = np.random.default_rng(3), np.arange(0, 61, 3)
    rows = np.array([row for i in range(20) for row in sorted(rng.permutation(5)[:3])], np.int32)
    counted = Counted(rows, offsets, np.ones(60, np.float32))
    gold = Ragged.from_lists([[int(rng.integers(max(columns, 2)))] for _ in range(20)])
    examples = Examples(counted, rng.random(60).astype(np.float32), gold, np.ones(20, np.float32), 5)
    begin = rng.normal(size=(6, columns)).astype(np.float32)
    target = examples.target(1, shared=True) if columns == 1 else None
    problem = Ascent(examples, max(columns, 2), target, begin=begin)
    problem.run(1.5, 0, tolerance=1e-7, most=400)
    assert abs(problem.gap) < 1e-6
    x = np.zeros((20, 6))
    x[np.repeat(np.arange(20), 3), rows], x[:, 5] = examples.values, 1
    v = problem.v.reshape(6, -1)[:, :columns].astype(np.float64)
    z = x @ v
    aim = np.eye(max(columns, 2))[gold.ids]
    p = 1 / (1 + np.exp(-z)) if columns == 1 else np.exp(z) / np.exp(z).sum(1, keepdims=True)
    gradient = v - begin + 1.5 * x.T @ (p - (aim[:, 1:] if columns == 1 else aim))
    assert np.abs(gradient).max() < 1e-3
