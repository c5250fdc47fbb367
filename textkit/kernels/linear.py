"""A sparse linear model by coordinate ascent in the dual: the inner loops, from bags of rows to probabilities.

Documents are rows of a sparse matrix: document i has the distinct rows `rows[offsets[i]:offsets[i + 1]]` (int32) with
`values` (float32). With K columns of weights, v float32 (V, K), its scores are z = sum of value * v[row].

The model minimises 1/2 |v|² + sum over documents of cost[i] * loss(z, target), a bias being the weight of a feature
with the value 1 that every document has. To each document and column belongs a dual variable q, the probability that
the model is to give: at the minimum q is softmax(z), or sigmoid(z), and always v = sum over documents of
cost * value * (target - q). One step solves for the q of one document, all others held fixed, and moves v along. Each
step raises the dual objective, sum of cost * entropy(q) - 1/2 |v|², and no rate has to be chosen (Yu, Huang and Lin
2011 for two labels; Shalev-Shwartz and Zhang 2014 for softmax). Threads may share v and q without locks (Hsieh, Yu and
Dhillon 2015).
"""

import math

import numpy as np

from .jit import kernel, leaf, prefetch
from .simd import LANES, add, fma, load, splat, store

_EMPTY = -1
_SPREADS, _LOW = 2654435769, 0xFFFFFFFF
_ONE, _ZERO = np.float32(1.0), np.float32(0.0)
_EXACT = 1e-5  # how near the sum of probabilities comes to 1 before it is made so
_AHEAD = 16
_STEPS = 40  # of solving for one document; two to five are usual


@kernel
def count_rows(ids, offsets, first, last, table, rows, counts, ends):
    """The distinct rows of documents first to last with how often each occurs, in the order of their first occurrence.

    table int32 (2**k,) with more than twice as many places as the longest document has ids: a hash table that holds
    one document. rows int32, counts float32: room for all ids; ends int64 (last - first,) is set to the number of
    distinct rows up to and with each document. Returns that of all.
    """
    size = 0
    for i in range(first, last):
        start, stop = offsets[i], offsets[i + 1]
        places = 4
        while places < 2 * (stop - start):
            places *= 2
        mask = places - 1
        for k in range(places):
            table[k] = _EMPTY
        begin = size
        for k in range(start, stop):
            row = ids[k]
            place = ((np.int64(row) * _SPREADS & _LOW) >> 7) & mask
            while table[place] != _EMPTY and rows[begin + table[place]] != row:
                place = (place + 1) & mask
            if table[place] == _EMPTY:
                table[place] = size - begin
                rows[size], counts[size] = row, _ONE
                size += 1
            else:
                counts[begin + table[place]] += _ONE
        ends[i - first] = size
    return size


@kernel
def weigh(rows, offsets, counts, scale, values):
    """values = (1 + ln count) * scale[row], each document made a vector of length 1 (or 0 where all is 0)."""
    for i in range(len(offsets) - 1):
        square = 0.0
        for k in range(offsets[i], offsets[i + 1]):
            value = np.float64(scale[rows[k]])
            if counts[k] != _ONE:  # few are not, and a logarithm takes longer than all the rest
                value *= 1.0 + math.log(counts[k])
            values[k] = np.float32(value)
            square += value * value
        if square > 0.0:
            norm = np.float32(1.0 / math.sqrt(square))
            for k in range(offsets[i], offsets[i + 1]):
                values[k] *= norm


@kernel
def count_labels(rows, offsets, gold, gold_offsets, table):
    """table[row, label] += 1 for each document of the label that has the row; float32 (V, C)."""
    for i in range(len(offsets) - 1):
        for g in range(gold_offsets[i], gold_offsets[i + 1]):
            for k in range(offsets[i], offsets[i + 1]):
                table[rows[k], gold[g]] += _ONE


@kernel
def divergences(table, shares, prior, out):
    """How far the labels of each row's documents are from those of all, as sqrt(2 * Kullback-Leibler) in nats.

    The counts of table (V, C) are taken with `prior` more documents whose labels have the shares of all, float64 (C,).
    For two labels it is about half of the distance of their log odds. out float32 (V,).
    """
    labels = len(shares)
    for row in range(len(out)):
        total = prior
        for c in range(labels):
            total += table[row, c]
        s = 0.0
        for c in range(labels):
            p = (table[row, c] + prior * shares[c]) / total
            if p > 0.0:
                s += p * math.log(p / shares[c])
        out[row] = np.float32(math.sqrt(max(2.0 * s, 0.0)))


@kernel(fastmath=True, refcounts=False)
def add_scores(rows, offsets, values, weights, columns, out):
    """out[i, c] += sum of value * weights[row, c]; weights float32 (V * K,), out float32 (L * K,)."""
    for i in range(len(offsets) - 1):
        for k in range(offsets[i], offsets[i + 1]):
            at, value = np.int64(rows[k]) * columns, values[k]
            for c in range(columns):
                out[i * columns + c] += weights[at + c] * value


@kernel(fastmath=True, refcounts=False)
def score_bags(ids, offsets, first, last, gains, scale, weights, biases, times, out):
    """The scores of documents first to last, straight from features that repeat: what `count_rows`, `weigh` and
    `add_scores` find, without keeping any of it.

    gains float32 (2, n): by how much 1 + ln count, and its square, grow with each further occurrence; beyond n they are
    computed. scale float32 (R,), weights float32 (R * K,), biases float32 (K,); times int32 (R,), how often a feature
    was seen, is all zeros before and after; out float32 ((last - first) * K,) is set.
    """
    columns, most = len(biases), gains.shape[1]
    for i in range(first, last):
        start, stop, own = offsets[i], offsets[i + 1], (i - first) * columns
        for c in range(columns):
            out[own + c] = _ZERO
        square = 0.0
        for k in range(start, stop):
            near = np.int64(ids[min(k + _AHEAD, stop - 1)])
            prefetch(times, near)
            prefetch(scale, near)
            prefetch(weights, near * columns)
            row = np.int64(ids[k])
            seen, value = times[row], scale[row]
            times[row] = seen + 1
            if seen < most:
                square += gains[1, seen] * value * value
                value *= gains[0, seen]
            else:
                before, after = 1.0 + math.log(seen), 1.0 + math.log(seen + 1)
                square += (after * after - before * before) * value * value
                value *= np.float32(after - before)
            for c in range(columns):
                out[own + c] += weights[row * columns + c] * value
        for k in range(start, stop):
            times[ids[k]] = 0
        norm = np.float32(1.0 / math.sqrt(square)) if square > 0.0 else _ZERO
        for c in range(columns):
            out[own + c] = out[own + c] * norm + biases[c]


@leaf
def solve_logistic(pull, reach):
    """The q with ln(q / (1 - q)) + reach * q = pull, reach >= 0.

    By symmetry q is at most a half; there the left side is convex in the logit, so that Newton's steps from above only
    ever come nearer.
    """
    mirrored = pull > 0.5 * reach
    if mirrored:
        pull = reach - pull
    logit = min(0.0, pull)
    q = 0.5
    for _ in range(_STEPS):
        q = 1.0 / (1.0 + math.exp(-logit))
        move = (logit + reach * q - pull) / (1.0 + reach * q * (1.0 - q))
        logit -= move
        if move < 1e-4:
            break
    q = 1.0 / (1.0 + math.exp(-logit))
    return 1.0 - q if mirrored else q


@leaf
def omega(u):
    """The w with w + ln w = u (Wright's omega function), to within 1e-5 of it."""
    if u < -5.0:  # the beginning of Lambert's series
        w = math.exp(u)
        return w * (1.0 - w * (1.0 - 1.5 * w))
    if u < -1.0:
        w = math.exp(u)
        w *= math.exp(-w)
    elif u > 1.0:
        w = u - math.log(u)
    else:
        w = 0.5671 + 0.3619 * u + 0.0737 * u * u
    w *= 1.0 + (u - w - math.log(w)) / (1.0 + w)
    w *= 1.0 + (u - w - math.log(w)) / (1.0 + w)
    return w


@leaf
def log_sum(z, count):
    """ln of the sum of exp(z) of the first `count`."""
    top = z[0]
    for c in range(1, count):
        top = max(top, z[c])
    s = 0.0
    for c in range(count):
        s += math.exp(z[c] - top)
    return top + math.log(s)


@leaf
def solve_softmax(pull, reach, level, q, count):
    """The q that sum to 1 with ln(q) + reach * q = pull - a level common to all; reach > 0.

    Each q is a convex, falling function of the level, and so is their sum: from the left Newton's steps only ever come
    nearer. `level` is where to begin; of pull and q, float32, the first `count` are meant.
    """
    least = pull[0]
    for c in range(1, count):
        least = max(least, pull[c])
    least -= reach  # there the largest q alone is 1
    log_reach = math.log(reach)
    s = 1.0
    for _ in range(_STEPS):
        level = max(level, least)
        s = slope = 0.0
        for c in range(count):
            w = omega(pull[c] - level + log_reach)
            s += w
            slope += w / (1.0 + w)
            q[c] = np.float32(w)
        s /= reach
        if abs(s - 1.0) < _EXACT:
            break
        level += (s - 1.0) * reach / slope
    for c in range(count):
        q[c] /= np.float32(reach * s)


@leaf
def entropy(p):
    """-p ln p, of a probability."""
    return -p * math.log(p) if p > 0.0 else 0.0


@kernel(fastmath=True, refcounts=False)
def column_pass(order, first, last, rows, offsets, values, targets, costs, squares, v, q, told):
    """One step for each of the documents order[first:last] with one column; targets float32 (L,) from 0 to 1.

    order int64; costs and squares (1 + the sum of the squared values) float32 (L,); v float32 (V + 1,), the last the
    bias; q float32 (L,). told float64 (2,) is increased by the losses before the steps and by the entropies after them.
    """
    bias = len(v) - 1
    for n in range(first, last):
        i = order[n]
        z = v[bias]
        for k in range(offsets[i], offsets[i + 1]):
            z += v[rows[k]] * values[k]
        cost, score = np.float64(costs[i]), np.float64(z)
        reach = cost * squares[i]
        new = solve_logistic(score + reach * q[i], reach)
        move = np.float32(cost * (q[i] - new))
        q[i] = np.float32(new)
        for k in range(offsets[i], offsets[i + 1]):
            v[rows[k]] += move * values[k]
        v[bias] += move
        told[0] += cost * (max(score, 0.0) + math.log1p(math.exp(-abs(score))) - targets[i] * score)
        told[1] += cost * (entropy(new) + entropy(1.0 - new))


@kernel(refcounts=False)
def joint_pass(
    order, first, last, rows, offsets, values, gold, gold_offsets, costs, squares, v, q, labels, scratch, told
):
    """As `column_pass` for softmax over `labels` columns; the target shares 1 among the document's labels gold (int32).

    v float32 ((V + 1) * K,) and q float32 (L * K,), K the number of labels padded to a multiple of 16; scratch is a
    pair of float32 (K,), all zeros. Documents without a label, or without a cost, are passed over.
    """
    z, new = scratch
    columns = len(z)
    bias = len(v) - columns
    for n in range(first, last):
        i = order[n]
        several = gold_offsets[i + 1] - gold_offsets[i]
        cost = np.float64(costs[i])
        if several == 0 or cost == 0.0:
            continue
        for c in range(0, columns, LANES):
            store(z, c, load(v, bias + c))
        for k in range(offsets[i], offsets[i + 1]):
            at, value = np.int64(rows[k]) * columns, splat(values[k])
            for c in range(0, columns, LANES):
                store(z, c, fma(value, load(v, at + c), load(z, c)))
        level = log_sum(z, labels)
        told[0] += cost * level
        for k in range(gold_offsets[i], gold_offsets[i + 1]):
            told[0] -= cost * z[gold[k]] / several
        reach, own = cost * squares[i], i * columns
        for c in range(0, columns, LANES):
            store(z, c, fma(splat(np.float32(reach)), load(q, own + c), load(z, c)))
        solve_softmax(z, reach, level, new, labels)
        for c in range(labels):
            told[1] += cost * entropy(np.float64(new[c]))
            z[c] = costs[i] * (q[own + c] - new[c])
        for c in range(labels, columns):
            z[c] = _ZERO
        for c in range(0, columns, LANES):
            store(q, own + c, load(new, c))
            store(v, bias + c, add(load(z, c), load(v, bias + c)))
        for k in range(offsets[i], offsets[i + 1]):
            at, value = np.int64(rows[k]) * columns, splat(values[k])
            for c in range(0, columns, LANES):
                store(v, at + c, fma(value, load(z, c), load(v, at + c)))
