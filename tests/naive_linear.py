"""Plain twins of the sparse linear model: dictionaries, float64, one formula after the other."""

import math

import numpy as np


def counted(bag):
    """Distinct features of a bag with their counts, in the order of their first occurrence."""
    counts = {}
    for row in bag:
        counts[row] = counts.get(row, 0) + 1
    return counts


def vector(bag, scale):
    """A document as {feature: value} of length 1."""
    values = {row: (1 + math.log(count)) * scale[row] for row, count in counted(bag).items()}
    norm = math.sqrt(sum(value**2 for value in values.values()))
    return {row: value / norm for row, value in values.items()} if norm else dict.fromkeys(values, 0.0)


def scale(bags, gold, features, labels, weighting, prior=2.0, least=0.2):
    """How much each feature weighs."""
    total = sum(map(len, gold))
    shares = [sum(names.count(c) for names in gold) / total for c in range(labels)]
    found = []
    for row in range(features):
        having = [names for bag, names in zip(bags, gold, strict=True) if row in bag]
        idf = math.log((1 + len(bags)) / (1 + len(having))) + 1
        told = 1.0
        if weighting == "information":
            counts = [sum(names.count(c) for names in having) for c in range(labels)]
            p = [(n + prior * share) / (sum(counts) + prior) for n, share in zip(counts, shares, strict=True)]
            divergence = sum(a * math.log(a / b) for a, b in zip(p, shares, strict=True) if a > 0)
            told = math.sqrt(max(0.0, 2 * divergence)) + least
        found.append(idf * told if having else 0.0)
    return found


def softmax(z):
    e = np.exp(z - z.max())
    return e / e.sum()


def sigmoid(z):
    return 1 / (1 + np.exp(-z))


def bisect(function, low, high):
    """Where a rising function is 0."""
    for _ in range(200):
        middle = (low + high) / 2
        low, high = (middle, high) if function(middle) < 0 else (low, middle)
    return (low + high) / 2


def logistic_step(pull, reach):
    """The q with ln(q / (1 - q)) + reach q = pull."""
    return sigmoid(bisect(lambda logit: logit + reach * sigmoid(logit) - pull, pull - reach - 1, pull + 1))


def softmax_step(pull, reach):
    """The q that sum to 1 with ln q + reach q = pull - level."""

    def q(level):
        return np.array(
            [math.exp(bisect(lambda u, p=p: u + reach * math.exp(min(u, 50)) - p + level, -700, 50)) for p in pull]
        )

    level = bisect(lambda level: 1 - q(level).sum(), min(pull) - reach - 50, max(pull) + 50)
    return q(level)


def step(v, q, document, value, cost, logistic):
    """One step of coordinate ascent for a document given by its dense vector, which ends with 1; v (R + 1, K)."""
    reach = cost * float(value @ value)
    pull = value @ v + reach * q[document]
    new = np.array([logistic_step(pull[0], reach)]) if logistic else softmax_step(pull, reach)
    v += np.outer(value, cost * (q[document] - new))
    q[document] = new


def objective(w, x, aims, costs, logistic):
    """1/2 |w|² and the sum of the costs of the losses; x (L, R + 1), aims (L, K)."""
    z = x @ w
    if logistic:
        losses = (np.logaddexp(0, z) - aims * z).sum(1)
    else:
        losses = np.logaddexp.reduce(z, 1) * aims.sum(1) - (aims * z).sum(1)
    return 0.5 * (w**2).sum() + costs @ losses


def slope(function, w, h=1e-5):
    """The numerical gradient."""
    found = np.zeros_like(w)
    for place in np.ndindex(*w.shape):
        above, below = w.copy(), w.copy()
        above[place] += h
        below[place] -= h
        found[place] = (function(above) - function(below)) / (2 * h)
    return found
