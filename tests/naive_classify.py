"""Plain twins of the classifier: features as Python strings and tuples, losses as float64 formulas."""

import math
from collections import Counter

import numpy as np
from naive_vectors import Generator

UNK, EOS = 0, 2


# --- features ---------------------------------------------------------------------------------------------


def fnv(word: bytes) -> int:
    """fastText's hash of a word as a sign-extended 64-bit number."""
    value = 2166136261
    for byte in word:
        value = ((value ^ (byte | 0xFFFFFF00 if byte >= 128 else byte)) * 16777619) % 2**32
    return value | 0xFFFFFFFF00000000 if value >= 2**31 else value


def buckets_of(words, order, buckets):
    """The bucket of each n-gram, by where it begins; words are strings, None breaks n-grams."""
    found = []
    for i, first in enumerate(words):
        if first is None:
            continue
        value = fnv(first.encode())
        for word in words[i + 1 : i + order]:
            if word is None:
                break
            value = (value * 116049371 + fnv(word.encode())) % 2**64
            found.append(value % buckets)
    return found


def grams(words, order):
    """All n-grams of 2 to `order` words as tuples, by where they begin; None breaks them."""
    return [
        tuple(words[i:j])
        for i in range(len(words))
        for j in range(i + 2, min(i + order, len(words)) + 1)
        if None not in words[i:j]
    ]


def kept_grams(documents, order, min_count):
    """The n-grams that occur often enough, in the order of their rows but for ties."""
    counts = Counter(gram for words in documents for gram in grams(words, order))
    return {gram: count for gram, count in counts.items() if count >= min_count}


def pieces(word, shortest, longest):
    """N-grams of the characters of a word in angle brackets."""
    text = f"<{word}>"
    return [
        text[i : i + n]
        for i in range(len(text))
        for n in range(shortest, longest + 1)
        if i + n <= len(text) and not (n == 1 and text[i] in "<>" and i in (0, len(text) - 1))
    ]


# --- losses -----------------------------------------------------------------------------------------------


def hidden(w_in, rows, bias):
    x = w_in[rows].mean(0)
    if bias >= 0:
        x = x.copy()
        x[bias] = 1
    return x


def decision(score, label):
    """Logistic loss of a yes-or-no decision."""
    return math.log1p(math.exp(-abs(score))) + max(score, 0) - label * score


def softmax_loss(x, w_out, gold, smoothing):
    scores = w_out @ x
    log_p = scores - scores.max() - np.log(np.exp(scores - scores.max()).sum())
    aim = np.full(len(w_out), smoothing / len(w_out))
    for label in gold:
        aim[label] += (1 - smoothing) / len(gold)
    return -(aim * log_p).sum()


def ova_loss(x, w_out, gold, smoothing, positive):
    total = 0.0
    for label, row in enumerate(w_out):
        right = label in gold
        aim = 1 - smoothing / 2 if right else smoothing / 2
        total += (positive[label] if right else 1) * decision(row @ x, aim)
    return total


def tree_loss(x, w_out, gold, smoothing, paths):
    starts, nodes, turns = paths
    total = 0.0
    for label in gold:
        for place in range(starts[label], starts[label + 1]):
            aim = turns[place] * (1 - smoothing) + smoothing / 2
            total += decision(w_out[nodes[place]] @ x, aim) / len(gold)
    return total


def drawn_labels(gold, negatives, alias, state):
    """The negatives of each label of one document, as the kernel draws them: none that is right."""
    rng, labels, found = Generator(state), len(alias[0]), []
    for _ in gold:
        own = []
        for _ in range(negatives):
            drawn = rng.word(*alias)
            if drawn in gold and labels > 1:
                drawn = (drawn + 1 + rng.below(labels - 1)) % labels
            if drawn not in gold:
                own.append(drawn)
        found.append(own)
    return found, rng.state


def sampled_loss(x, w_out, gold, smoothing, drawn):
    total = 0.0
    for label, negatives in zip(gold, drawn, strict=True):
        total += decision(w_out[label] @ x, 1 - smoothing / 2)
        total += sum(decision(w_out[other] @ x, smoothing / 2) for other in negatives)
    return total / len(gold)


def gradients(loss, w_in, w_out, step=1e-5):
    """Numerical gradients of loss(w_in, w_out)."""
    found = []
    for matrix in (w_in, w_out):
        gradient = np.zeros_like(matrix)
        for place in np.ndindex(*matrix.shape):
            old = matrix[place]
            matrix[place] = old + step
            above = loss(w_in, w_out)
            matrix[place] = old - step
            gradient[place] = (above - loss(w_in, w_out)) / (2 * step)
            matrix[place] = old
        found.append(gradient)
    return found


def tree_log_probabilities(scores, parents, turns):
    """Of all leaves: the product of decisions on their way, as logarithms."""
    leaves = (len(parents) + 1) // 2
    found = []
    for leaf in range(leaves):
        total, node = 0.0, leaf
        while parents[node] >= 0:
            total -= decision(scores[parents[node] - leaves], turns[node])
            node = parents[node]
        found.append(total)
    return found
