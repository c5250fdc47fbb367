"""Measures of classification in plain Python, by their definitions."""

import math


def counts(chosen, gold, labels):
    """Of each label: (hits, times chosen, times right)."""
    return [
        (
            sum(c in a and c in b for a, b in zip(chosen, gold, strict=True)),
            sum(c in a for a in chosen),
            sum(c in b for b in gold),
        )
        for c in range(labels)
    ]


def f1(hits, chosen, gold):
    return 2 * hits / (chosen + gold) if chosen + gold else 0.0


def confusions(chosen, gold):
    """(right, wrong) → how often, None where nothing else was chosen."""
    pairs = {}
    for a, b in zip(chosen, gold, strict=True):
        wrong = [c for c in a if c not in b] or [-1]
        for missed in (c for c in b if c not in a):
            for given in wrong:
                pairs[missed, given] = pairs.get((missed, given), 0) + 1
    return pairs


def roc_auc(scores, truth):
    """Share of pairs of a right and a wrong one that stand in the right order."""
    right = [s for s, t in zip(scores, truth, strict=True) if t]
    wrong = [s for s, t in zip(scores, truth, strict=True) if not t]
    points = sum((a > b) + (a == b) / 2 for a in right for b in wrong)
    return points / (len(right) * len(wrong))


def average_precision(scores, truth):
    total, before = 0.0, 0.0
    for threshold in sorted(set(scores), reverse=True):
        taken = [t for s, t in zip(scores, truth, strict=True) if s >= threshold]
        recall = sum(taken) / sum(truth)
        total += (recall - before) * sum(taken) / len(taken)
        before = recall
    return total


def log_loss(p, gold, exclusive):
    """Mean over documents; gold is a list of sets."""
    least = 2.0**-23
    losses = []
    for row, right in zip(p, gold, strict=True):
        row = [min(max(x, least), 1 - least) for x in row]
        if exclusive:
            losses.append(-sum(math.log(row[c]) for c in right) / len(right))
        else:
            each = [math.log(x if c in right else 1 - x) for c, x in enumerate(row)]
            losses.append(-sum(each) / len(row))
    return sum(losses) / len(losses)


def brier(p, gold, exclusive):
    total = 0.0
    for row, right in zip(p, gold, strict=True):
        truth = [(1 / len(right) if exclusive else 1.0) if c in right else 0.0 for c in range(len(row))]
        total += sum((x - t) ** 2 for x, t in zip(row, truth, strict=True))
    size = len(p[0])
    return total / len(p) / (size if not exclusive else 2 if size == 2 else 1)


def calibration_error(p, right, bins=15):
    """Of single probabilities: weighted gap between mean probability and share of right ones in each bin."""
    total = 0.0
    for i in range(bins):
        own = [j for j, x in enumerate(p) if i / bins < x <= (i + 1) / bins or (i == 0 and x == 0)]
        if own:
            total += abs(sum(p[j] for j in own) - sum(right[j] for j in own))
    return total / len(p)


def mcnemar(only_first, only_second):
    """Probability of a coin falling at least as unevenly."""
    total = only_first + only_second
    tail = sum(math.comb(total, i) for i in range(min(only_first, only_second) + 1)) / 2**total
    return min(1.0, 2 * tail)


def loss_at(logits, gold, temperature, exclusive):
    """Sum of log losses of logits divided by a temperature."""
    total = 0.0
    for row, right in zip(logits, gold, strict=True):
        scaled = [z / temperature for z in row]
        if exclusive:
            whole = math.log(sum(math.exp(z) for z in scaled))
            total += sum(whole - scaled[c] for c in right) / max(len(right), 1)
        else:
            total += sum(math.log1p(math.exp(-z if c in right else z)) for c, z in enumerate(scaled))
    return total


def best_threshold(p, right, gold, precision=None):
    """(what the best threshold reaches, of which it takes so many) among thresholds that take something.

    What is reached is F1, or without it the number taken at this precision.
    """
    best = (0.0, 0)
    for threshold in sorted(set(p), reverse=True):
        taken = [t for x, t in zip(p, right, strict=True) if x >= threshold]
        if precision is None:
            value = f1(sum(taken), len(taken), gold)
        else:
            value = len(taken) if sum(taken) >= precision * len(taken) else 0
        if value > best[0]:
            best = (value, len(taken))
    return best
