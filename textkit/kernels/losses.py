"""Losses of one document: from its hidden vector x to the gradient dx of x and new output rows.

The output matrix w is flat float32, row c at c * dim, dim a multiple of 16. `rate` is the step size of this document,
its weight included; dx comes out multiplied by it, ready to be added. `keep` = 1 - rate * L2 shrinks rows that move.
Label smoothing e aims at 1 - e for what is right and shares e among all labels, or halves it where each label is a
decision of its own. `steps` float32 is scratch: 16 more than the labels. Each leaf returns the loss in nats.
"""

import math

import numpy as np

from .jit import leaf
from .random import draw_below
from .sampling import draw_word
from .simd import LANES, fma, load, mul, splat, store, total

_ZERO, _ONE, _HALF = np.float32(0.0), np.float32(1.0), np.float32(0.5)
_LEAST = np.float32(1e-30)


@leaf
def score(x, w, row, dim):
    """The inner product of x and row `row` of w, float32."""
    s = splat(_ZERO)
    for d in range(0, dim, LANES):
        s = fma(load(x, d), load(w, row * dim + d), s)
    return total(s)


@leaf
def step(x, dx, w, row, size, keep, dim):
    """dx += size * w[row]; w[row] = keep * w[row] + size * x."""
    spread, kept = splat(size), splat(keep)
    for d in range(0, dim, LANES):
        old = load(w, row * dim + d)
        store(dx, d, fma(spread, old, load(dx, d)))
        store(w, row * dim + d, fma(spread, load(x, d), mul(old, kept)))


@leaf
def softplus(value):
    """log(1 + exp(value)), float32."""
    if value > _ZERO:
        return value + np.float32(math.log(_ONE + np.float32(math.exp(-value))))
    return np.float32(math.log(_ONE + np.float32(math.exp(value))))


@leaf
def decide(x, dx, w, row, label, weight, rate, keep, dim):
    """One yes-or-no decision with its logistic loss; `label` is 1, 0, or between them where smoothed."""
    s = score(x, w, row, dim)
    p = _ONE / (_ONE + np.float32(math.exp(-s)))
    step(x, dx, w, row, rate * weight * (label - p), keep, dim)
    return weight * (softplus(s) - label * s)


@leaf
def softmax(x, dx, w, labels, gold, first, last, smoothing, rate, keep, steps, dim):
    """Softmax over all labels against the labels gold[first:last], which share the aim equally."""
    top = np.float32(-np.inf)
    for c in range(labels):
        steps[c] = score(x, w, c, dim)
        top = max(top, steps[c])
    whole = _ZERO
    aim = (_ONE - smoothing) / np.float32(last - first)
    each = smoothing / np.float32(labels)
    loss = _ZERO
    for c in range(labels):
        loss -= each * (steps[c] - top)
        value = np.float32(math.exp(steps[c] - top))
        whole += value
        steps[c] = value
    for k in range(first, last):
        loss -= aim * np.float32(math.log(max(steps[gold[k]], _LEAST)))
    for c in range(labels):
        steps[c] = rate * (each - steps[c] / whole)
    for k in range(first, last):
        steps[gold[k]] += rate * aim
    for c in range(labels):
        step(x, dx, w, c, steps[c], keep, dim)
    return loss + np.float32(math.log(whole))


@leaf
def tree(x, dx, w, paths, gold, first, last, smoothing, rate, keep, dim):
    """Hierarchical softmax: decisions along the path of each label; several labels count in equal parts."""
    starts, nodes, turns = paths
    weight = _ONE / np.float32(last - first)
    loss = _ZERO
    for k in range(first, last):
        for place in range(starts[gold[k]], starts[gold[k] + 1]):
            label = turns[place] * (_ONE - smoothing) + _HALF * smoothing
            loss += decide(x, dx, w, np.int64(nodes[place]), label, weight, rate, keep, dim)
    return loss


@leaf
def sampled(x, dx, w, alias, negatives, rng, gold, first, last, smoothing, rate, keep, dim):
    """Each label against `negatives` drawn ones; one that is right, or a draw of one, is no negative.

    Several labels count in equal parts, with as many drawn for each.
    """
    accept, others = alias
    weight = _ONE / np.float32(last - first)
    high, low = _ONE - _HALF * smoothing, _HALF * smoothing
    loss = _ZERO
    for k in range(first, last):
        loss += decide(x, dx, w, np.int64(gold[k]), high, weight, rate, keep, dim)
        for _ in range(negatives):
            drawn = draw_word(rng, accept, others)
            right = False
            for other in range(first, last):
                right = right or gold[other] == drawn
            if right and len(accept) > 1:  # its neighbour in its place: no loop that might never end
                drawn = (drawn + 1 + draw_below(rng, len(accept) - 1)) % len(accept)
                right = False
                for other in range(first, last):
                    right = right or gold[other] == drawn
            if not right:
                loss += decide(x, dx, w, drawn, low, weight, rate, keep, dim)
    return loss


@leaf
def one_vs_all(x, dx, w, labels, positive, gold, first, last, smoothing, rate, keep, steps, dim):
    """A decision for each label; those that are right weigh positive[c], float32 (C,)."""
    high, low = _ONE - _HALF * smoothing, _HALF * smoothing
    for c in range(labels):
        steps[c] = low
    for k in range(first, last):
        steps[gold[k]] = high
    loss = _ZERO
    for c in range(labels):
        weight = positive[c] if steps[c] > _HALF else _ONE
        loss += decide(x, dx, w, c, steps[c], weight, rate, keep, dim)
    return loss
