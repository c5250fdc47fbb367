"""Training and asking the classifier whose hidden vector is the mean of its features' rows (Joulin et al. 2016).

Matrices are flat float32 with rows of `dim`, a multiple of 16 numbers; threads share them without locks (Hogwild).
Where `bias` is not NONE, that number of each hidden vector is 1 and of no input row is moved: the same number of an
output row is its label's bias.
"""

import math

import numpy as np

from .features import NONE
from .jit import kernel, leaf
from .jit import prefetch as prefetch_row
from .losses import one_vs_all, sampled, softmax, softplus, tree
from .random import draw_unit
from .simd import LANES, add, fma, load, mul, prefetch, splat, store

SOFTMAX, TREE, SAMPLED, ONE_VS_ALL = range(4)
_AHEAD = 24
_ZERO, _ONE = np.float32(0.0), np.float32(1.0)


@kernel(refcounts=False)
def gather_bags(ids, offsets, documents, dropout, rng, starts, out):
    """Copy the bags of some documents into one run, without a random share `dropout` of their features.

    ids int32, offsets int64, documents int64 (n,), rng uint64 (1,); starts int64 (n + 1,) and out int32 are filled.
    """
    size = np.int64(0)
    starts[0] = 0
    for d in range(len(documents)):
        first, last = offsets[documents[d]], offsets[documents[d] + 1]
        if dropout == _ZERO:
            for i in range(last - first):
                out[size + i] = ids[first + i]
            size += last - first
        else:
            for i in range(first, last):
                if draw_unit(rng) >= dropout:
                    out[size] = ids[i]
                    size += 1
        starts[d + 1] = size


@kernel(refcounts=False)
def lend_rows(matrix, dim, hot, first, before, rows):
    """Copy the first `hot` rows of a flat matrix to row `first` on and to `before`; rows, int32, then name copies."""
    for i in range(hot * dim):
        before[i] = matrix[i]
        matrix[first * dim + i] = before[i]
    for k in range(len(rows)):
        rows[k] += first if rows[k] < hot else 0


@kernel(refcounts=False)
def return_rows(matrix, dim, hot, first, before):
    """Add to the first `hot` rows what their copies have changed by since `lend_rows`."""
    for i in range(hot * dim):
        matrix[i] += matrix[first * dim + i] - before[i]


@leaf
def average(matrix, rows, first, last, ahead, x, dim):
    """x = the mean of the matrix's rows[first:last]; rows up to rows[ahead] are asked for in advance."""
    share = splat(_ONE / np.float32(last - first))
    for d in range(0, dim, LANES):
        a = b = splat(_ZERO)
        k = first
        while k + 1 < last:
            if d == 0:
                if k + _AHEAD + 1 < ahead:
                    prefetch(matrix, np.int64(rows[k + _AHEAD]) * dim, dim)
                    prefetch(matrix, np.int64(rows[k + _AHEAD + 1]) * dim, dim)
            a = add(a, load(matrix, np.int64(rows[k]) * dim + d))
            b = add(b, load(matrix, np.int64(rows[k + 1]) * dim + d))
            k += 2
        if k < last:
            a = add(a, load(matrix, np.int64(rows[k]) * dim + d))
        store(x, d, mul(share, add(a, b)))


@leaf
def spread(dx, matrix, rows, first, last, frozen, keep, dim):
    """matrix[row] = keep * matrix[row] + dx / n for each of the n rows[first:last] that is not frozen."""
    share, kept = splat(_ONE / np.float32(last - first)), splat(keep)
    for d in range(0, dim, LANES):
        change = mul(share, load(dx, d))
        for k in range(first, last):
            row = np.int64(rows[k])
            if len(frozen) == 0 or frozen[row] == 0:
                place = row * dim + d
                store(matrix, place, fma(kept, load(matrix, place), change))


@kernel(refcounts=False)
def train(
    bags, documents, weights, gold, gold_offsets, matrices, dim, bias, loss, shape, paths, alias, positive, rng,
    settings, scratch
):  # fmt: skip
    """One step of gradient descent for each document in turn.

    Args:
        bags: (starts int64 (n + 1,), rows int32) of the documents in the order of `documents` int64 (n,).
        weights: float32 (L,) of all documents, or empty.
        gold, gold_offsets: int32 and int64 (L + 1,), the labels of all documents.
        matrices: (input, output, frozen uint8 (R,) or empty).
        loss: SOFTMAX, TREE, SAMPLED or ONE_VS_ALL.
        shape: int64 (labels, negatives).
        paths: (starts, nodes, turns) of TREE. alias: (accept, alias) of SAMPLED. positive: of ONE_VS_ALL.
        settings: float32 (rate, L2, smoothing).
        scratch: float32 (x (dim,), dx (dim,), steps).

    Returns:
        (sum of the documents' losses times their weights, sum of the weights); documents without features or labels
        are passed over.
    """
    starts, rows = bags
    syn_in, syn_out, frozen = matrices
    x, dx, steps = scratch
    labels, negatives = shape[0], shape[1]
    base, decay, smoothing = settings[0], settings[1], settings[2]
    count, end = len(documents), starts[len(documents)]
    sum_loss, sum_weight = 0.0, 0.0
    for d in range(count):
        first, last = starts[d], starts[d + 1]
        g0, g1 = gold_offsets[documents[d]], gold_offsets[documents[d] + 1]
        weight = _ONE if len(weights) == 0 else weights[documents[d]]
        if first == last or g0 == g1 or weight == _ZERO:
            continue
        rate = base * weight
        keep = _ONE - rate * decay
        average(syn_in, rows, first, last, end, x, dim)
        if bias != NONE:
            x[bias] = _ONE
        for i in range(0, dim, LANES):
            store(dx, i, splat(_ZERO))
        if loss == SOFTMAX:
            found = softmax(x, dx, syn_out, labels, gold, g0, g1, smoothing, rate, keep, steps, dim)
        elif loss == TREE:
            found = tree(x, dx, syn_out, paths, gold, g0, g1, smoothing, rate, keep, dim)
        elif loss == SAMPLED:
            found = sampled(x, dx, syn_out, alias, negatives, rng, gold, g0, g1, smoothing, rate, keep, dim)
        else:
            found = one_vs_all(x, dx, syn_out, labels, positive, gold, g0, g1, smoothing, rate, keep, steps, dim)
        if bias != NONE:
            dx[bias] = _ZERO
        spread(dx, syn_in, rows, first, last, frozen, keep, dim)
        sum_loss += np.float64(found * weight)
        sum_weight += np.float64(weight)
    return sum_loss, sum_weight


@kernel(refcounts=False)
def hidden_vectors(starts, rows, syn_in, dim, bias, out):
    """The hidden vector of each bag, 0 (but for the bias) where it is empty; out float32 (n * dim,)."""
    end = starts[len(starts) - 1]
    for d in range(len(starts) - 1):
        x = out[d * dim : d * dim + dim]
        if starts[d] < starts[d + 1]:
            average(syn_in, rows, starts[d], starts[d + 1], end, x, dim)
        if bias != NONE:
            x[bias] = _ONE


@kernel(refcounts=False)
def feature_shares(syn_in, width, syn_out, out):
    """out[r, c] = the inner product of rows r and c, float32 (R, C).

    syn_in float32 flat, row r at r * width; syn_out float32 (C, D).
    """
    for row in range(len(out)):
        for c in range(syn_out.shape[0]):
            s = _ZERO
            for d in range(syn_out.shape[1]):
                s += syn_in[row * width + d] * syn_out[c, d]
            out[row, c] = s


@leaf
def sum_two(scores, rows, first, last):
    """The sums of both columns of scores[rows[first:last]], float32."""
    a0 = a1 = b0 = b1 = _ZERO
    k = first
    while k + 1 < last:
        r, q = rows[k], rows[k + 1]
        a0 += scores[r, 0]
        a1 += scores[r, 1]
        b0 += scores[q, 0]
        b1 += scores[q, 1]
        k += 2
    if k < last:
        a0 += scores[rows[k], 0]
        a1 += scores[rows[k], 1]
    return a0 + b0, a1 + b1


@leaf
def sum_column(scores, rows, first, last, c):
    """The sum of one column of scores[rows[first:last]], float32."""
    a = b = _ZERO
    k = first
    while k + 1 < last:
        a += scores[rows[k], c]
        b += scores[rows[k + 1], c]
        k += 2
    if k < last:
        a += scores[rows[k], c]
    return a + b


@kernel(refcounts=False)
def sum_scores(starts, rows, scores, out):
    """out[d] += the mean of scores[row] over a bag; scores float32 (R, C), one row's share of each logit.

    starts int64 (n + 1,), rows int32, out float32 (n, C).
    """
    labels, end = scores.shape[1], starts[len(starts) - 1]
    for d in range(len(starts) - 1):
        first, last = starts[d], starts[d + 1]
        if first == last:
            continue
        share = _ONE / np.float32(last - first)
        for k in range(last, min(2 * last - first, end)):  # those of the next bag, about
            prefetch_row(scores, np.int64(rows[k]))
        if labels == 2:
            a, b = sum_two(scores, rows, first, last)
            out[d, 0] += share * a
            out[d, 1] += share * b
        else:
            for c in range(labels):
                out[d, c] += share * sum_column(scores, rows, first, last, c)


@kernel
def tree_log_probabilities(scores, parents, turns, out):
    """Log probabilities of labels from scores of inner nodes.

    scores float32 (n, C - 1); parents int64 (2 C - 1,) of leaves and then inner nodes, -1 of the root, which is the
    last; turns float32 (2 C - 1,), 1 where a node is its parent's yes; out float32 (n, 2 C - 1): leaves first.
    """
    nodes = len(parents)
    leaves = (nodes + 1) // 2
    for d in range(len(scores)):
        out[d, nodes - 1] = _ZERO
        for node in range(nodes - 2, -1, -1):
            s = scores[d, parents[node] - leaves]
            if turns[node] == _ZERO:
                s = -s
            # log(sigmoid(s)) without overflow
            if s > _ZERO:
                step = -np.float32(math.log(_ONE + np.float32(math.exp(-s))))
            else:
                step = s - np.float32(math.log(_ONE + np.float32(math.exp(s))))
            out[d, node] = out[d, parents[node]] + step


@leaf
def place_label(label, found, ids, scores, count):
    """Put a label among the best of a document, of equals the lower number first; returns how many there are."""
    k = min(count, len(ids) - 1)
    while k > 0 and (scores[k - 1] < found or (scores[k - 1] == found and ids[k - 1] > label)):
        scores[k], ids[k] = scores[k - 1], ids[k - 1]
        k -= 1
    scores[k], ids[k] = found, label
    return min(count + 1, len(ids))


@kernel
def tree_top(hidden, output, biases, children, least, stack, reached, ids, scores, counts):
    """The best labels of each document by hierarchical softmax, without asking all: the better child is tried first.

    hidden float32 (n, D), output float32 (C - 1, D), biases float32 (C - 1,), children int64 (C - 1, 2): yes and no,
    labels as -1 - label. Branches below the log probability `least`, or below the k-th best, are left. stack int64 and
    reached float32 (C + 1,) scratch; ids int32, scores float32 (log probabilities) (n, k) and counts int64 (n,) filled.
    """
    for d in range(len(hidden)):
        count, size = np.int64(0), 1
        stack[0], reached[0] = len(children) - 1, _ZERO
        while size > 0:
            size -= 1
            node, found = stack[size], reached[size]
            if found < least or (count == ids.shape[1] and found < scores[d, count - 1]):
                continue
            if node < 0:
                label = -1 - node
                if count < ids.shape[1] or found > scores[d, count - 1] or label < ids[d, count - 1]:
                    count = place_label(label, found, ids[d], scores[d], count)
                continue
            z = biases[node]
            for i in range(output.shape[1]):
                z += hidden[d, i] * output[node, i]
            better = 0 if z > _ZERO else 1
            stack[size], reached[size] = children[node, 1 - better], found - softplus(abs(z))
            stack[size + 1], reached[size + 1] = children[node, better], found - softplus(-abs(z))
            size += 2
        counts[d] = count


@kernel(refcounts=False)
def path_log_probabilities(hidden, output, biases, paths, documents, labels, out):
    """out[n] = the log probability of labels[n] for the document documents[n], by the decisions on the label's path.

    As `tree_top`; paths = (starts int64 (C + 1,), nodes int32, turns float32: 1 for yes); documents int64, labels int32
    and out float32 (n,).
    """
    starts, nodes, turns = paths
    for n in range(len(documents)):
        d, found = documents[n], _ZERO
        for place in range(starts[labels[n]], starts[labels[n] + 1]):
            node = nodes[place]
            z = biases[node]
            for i in range(output.shape[1]):
                z += hidden[d, i] * output[node, i]
            found -= softplus(-z if turns[place] > _ZERO else z)
        out[n] = found
