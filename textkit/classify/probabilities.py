"""From scores to probabilities, and to the best labels of each document."""

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np

from .labelling import Ragged

SCORES = 1 << 22  # logits that are in memory at a time where there are many labels
_DOCUMENTS = 1 << 12


@dataclass
class Top:
    """The best labels of L documents.

    Attributes:
        ids: int32 (L, k), label numbers, the most probable first; -1 where there are fewer.
        p: float32 (L, k), their probabilities, 0 where there are fewer.
        counts: int64 (L,), how many each document has.
    """

    ids: np.ndarray
    p: np.ndarray
    counts: np.ndarray

    @classmethod
    def joined(cls, parts: "list[Top]", k: int) -> "Top":
        """Runs of documents one after the other."""
        ids, p = [np.zeros((0, k), np.int32)], [np.zeros((0, k), np.float32)]
        ids, p = ids + [t.ids for t in parts], p + [t.p for t in parts]
        return cls(
            np.concatenate(ids), np.concatenate(p), np.concatenate([np.zeros(0, np.int64)] + [t.counts for t in parts])
        )


def softmax(logits: np.ndarray) -> np.ndarray:
    """exp(x) / sum exp(x) of each row, float32."""
    shifted = np.exp(logits - logits.max(1, keepdims=True))
    return shifted / shifted.sum(1, keepdims=True)


def sigmoid(logits: np.ndarray) -> np.ndarray:
    """1 / (1 + exp(-x)), float32."""
    return (0.5 * (1 + np.tanh(0.5 * logits))).astype(np.float32)


def as_probabilities(logits: np.ndarray, loss: str, temperature: float = 1.0) -> np.ndarray:
    """Of logits divided by a temperature: softmax; sigmoid for "ova" and "ns"; of "hs", which are logs, exp.

    Args:
        logits: float32 (L, C).
    """
    if temperature != 1.0:
        scaled = logits / np.float32(temperature)
        return sigmoid(scaled) if loss in ("ova", "ns") else softmax(scaled)  # logs no longer sum to 1
    if loss == "hs":
        return np.exp(logits)
    return softmax(logits) if loss == "softmax" else sigmoid(logits)


def best_of(probabilities: np.ndarray, k: int, threshold: float) -> Top:
    """The k best of each row (L, C) that reach the threshold; among equals the lower number is first."""
    labels = probabilities.shape[1]
    if k == 1:
        ids = probabilities.argmax(1)[:, None]
    elif k < labels:
        ids = np.sort(np.argpartition(-probabilities, k - 1, axis=1)[:, :k], axis=1)
        order = np.argsort(-np.take_along_axis(probabilities, ids, 1), axis=1, kind="stable")
        ids = np.take_along_axis(ids, order, 1)
    else:
        ids = np.argsort(-probabilities, axis=1, kind="stable")
    p = np.take_along_axis(probabilities, ids, 1).astype(np.float32)
    good = p >= threshold
    ids = np.where(good, ids, -1).astype(np.int32)
    return Top(ids, np.where(good, p, np.float32(0)), good.sum(1))


def top_of(probabilities: Callable[[Ragged], np.ndarray], bags: Ragged, labels: int, k: int, threshold: float) -> Top:
    """`best_of` for bags of any number; never more than some million probabilities are in memory at once.

    Args:
        probabilities: of bags, float32 (L, C).
        k: at most so many labels, -1 for all.
    """
    k = labels if k < 0 else min(k, labels)
    size = max(1, min(_DOCUMENTS, SCORES // max(labels, 1)))
    parts = []
    for first in range(0, len(bags), size):
        last = min(first + size, len(bags))
        parts.append(best_of(probabilities(Ragged(bags.ids, bags.offsets[first : last + 1])), k, threshold))
    return Top.joined(parts, k)
