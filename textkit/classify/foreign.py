"""Classifiers from and to fastText's files, and predictions as fastText makes them, its roundings included."""

from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np

from ..errors import DataError
from ..formats import fasttext
from ..formats.matrices import Coded, whole
from ..kernels import heaps
from ..parallel import ordered_map, split_evenly, thread_count
from ..text.tokenizer import Tokenizer
from .config import LARGEST_DIM, ClassifierConfig
from .embedding import EmbeddingHead
from .form import PREFIX
from .hashed import HashedFeatures
from .labelling import Ragged
from .matrix_head import MatrixHead
from .parts import Head, Parts
from .probabilities import Top, softmax

_SCORES = 1 << 22  # probabilities that are in memory at a time
_TINY = 1e-5  # what fastText adds to a probability before it takes its logarithm
_STEPS, _REACH = 512, 8  # of its table of the sigmoid


# --- reading -----------------------------------------------------------------------------------------------


def read_classifier(path: str | Path) -> Parts:
    """A supervised model of fastText; dense matrices stay in the file.

    Raises:
        DataError: a damaged file, or one of word vectors.
    """
    model = fasttext.read(path)
    if not model.supervised:
        raise DataError(f"{path} holds word vectors, not a classifier.", "Use it with: textkit w2v similar, export, …")
    names = [name.decode("utf-8", "surrogateescape") for name in model.entries.names(model.entries.words)]
    prefix = PREFIX if all(name.startswith(PREFIX) and name != PREFIX for name in names) else ""
    counts = model.entries.counts[model.entries.words :]
    features = HashedFeatures.of(model, prefix.encode())
    head = MatrixHead(model.settings.loss, model.input, _output(model), counts)
    labels = [name.removeprefix(prefix) for name in names]
    if len(set(labels)) < len(labels):
        raise DataError(f"{path} is damaged: it has a label twice.")
    report = {"source": str(path), "tokens": model.tokens, "documents": int(counts.sum()), "features": len(features)}
    return Parts(labels, counts, Tokenizer("whitespace"), features, head, _config(model), None, report)


def _output(model: fasttext.FastText) -> np.ndarray | Coded:
    """The output matrix as heads have it: of hierarchical softmax, yes and no are the other way round."""
    if model.settings.loss != "hs":
        return model.output if isinstance(model.output, Coded) else whole(model.output)
    return np.ascontiguousarray(-whole(model.output)[: max(1, model.labels - 1)])


def _config(model: fasttext.FastText) -> ClassifierConfig:
    settings = model.settings
    features = HashedFeatures.of(model, b"").config
    return ClassifierConfig(
        model="embedding", loss=settings.loss, word_ngrams=features.word_ngrams, chars=features.chars,
        buckets=features.buckets, min_ngram_count=1, end_mark=features.end_mark, dim=min(settings.dim, LARGEST_DIM),
        epochs=min(max(settings.epochs, 1), 1_000_000), negatives=min(max(settings.negatives, 1), 10_000), bias=False,
    )  # fmt: skip


# --- predictions as fastText makes them --------------------------------------------------------------------


def top_like_fasttext(head: Head, bags: Ragged, k: int = 1, threshold: float = 0.0, threads: int | None = None) -> Top:
    """The best labels as fastText's `predict-prob` has them.

    Its probabilities are p + 1e-5, those of "ns" and "ova" from a table of 512 steps, and equal ones come in the order
    its heap leaves them in. A document without any feature has no label, unless labels have biases. Models that
    fastText cannot have, linear or calibrated ones, give their own probabilities, rounded in the same way.
    """
    if not isinstance(head, EmbeddingHead) or head.temperature != 1.0:
        top = head.top(bags, k, threshold, threads)
        return replace(top, p=np.exp(np.log(top.p.astype(np.float64) + _TINY).astype(np.float32)))
    k = head.labels if k < 0 else min(k, head.labels)
    size = max(1, _SCORES // (head.labels + head.dim))
    parts = []
    for first in range(0, len(bags), size):
        part = Ragged(bags.ids, bags.offsets[first : min(first + size, len(bags)) + 1])
        parts.append(_best(head, part, k, np.float32(threshold), thread_count(threads)))
    return Top.joined(parts, k)


def _best(head: EmbeddingHead, bags: Ragged, k: int, threshold: np.float32, threads: int) -> Top:
    scores, ids = np.zeros((len(bags), k + 1), np.float32), np.zeros((len(bags), k + 1), np.int32)
    counts = np.zeros(len(bags), np.int64)
    hidden = np.hstack([head.hidden(bags, threads), np.ones((len(bags), int(head.biased)), np.float32)])
    if head.loss == "hs":
        work = _tree_walk(head, hidden, threshold, scores, ids, counts)
    else:
        logits = hidden @ head.output.T
        probabilities = softmax(logits) if head.loss == "softmax" else table_sigmoid(logits)
        logs = np.log(probabilities.astype(np.float64) + _TINY).astype(np.float32)

        def work(part: tuple[int, int]) -> None:
            heaps.best_labels(logs, probabilities, threshold, *part, scores, ids, counts)

    for _ in ordered_map(work, split_evenly(len(bags), threads), threads):
        pass
    if not head.biased:
        counts[np.diff(bags.offsets) == 0] = 0
    there = np.arange(k) < counts[:, None]
    return Top(np.where(there, ids[:, :k], -1), np.where(there, np.exp(scores[:, :k]), np.float32(0)), counts)


def _tree_walk(head: EmbeddingHead, hidden: np.ndarray, threshold: np.float32, *found: np.ndarray) -> Any:
    """What `best_labels` is, of hierarchical softmax."""
    labels, tree = head.labels, head.tree
    children = np.full((2, 2 * labels - 1), -1, np.int32)
    nodes = np.arange(2 * labels - 2)
    right = tree.turns[nodes] == 0
    children[right.astype(np.int64), tree.parents[nodes]] = nodes
    output = np.zeros((labels, hidden.shape[1]), np.float32)
    output[: len(head.output)] = -head.output
    least = np.float32(np.log(float(threshold) + _TINY))

    def work(part: tuple[int, int]) -> None:
        nodes, sums = np.empty(labels + 2, np.int32), np.empty(labels + 2, np.float32)
        heaps.best_leaves(hidden, output, children[0], children[1], least, *part, nodes, sums, *found)
        ids = found[1][part[0] : part[1]]
        ids[:] = np.argsort(tree.place).astype(np.int32)[np.maximum(ids, 0)]

    return work


def table_sigmoid(x: np.ndarray) -> np.ndarray:
    """fastText's sigmoid, float32: the value at the step of 1/32 below x, 0 below -8 and 1 above 8."""
    steps = np.arange(_STEPS + 1, dtype=np.float32) * np.float32(2 * _REACH / _STEPS) - np.float32(_REACH)
    table = (1 / (1 + np.exp(-steps))).astype(np.float32)
    place = (np.clip(x, -_REACH, _REACH) + np.float32(_REACH)) * np.float32(_STEPS / (2 * _REACH))
    return np.where(x < -_REACH, np.float32(0), np.where(x > _REACH, np.float32(1), table[place.astype(np.int64)]))
