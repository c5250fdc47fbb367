"""Stochastic gradient descent on examples (see `kernels.examples`): the inner loops of training vectors.

Sixteen examples are one batch: their inputs x are composed once, held fixed, and their gradients dx go back to the
rows at the end. The matrices are flat float32 arrays, row r at r * dim, dim a multiple of 16; threads share them
without locks (Recht et al. 2011, Hogwild). Scratch is a tuple (x, dx, y, g, weights) of float32: three tiles
(16 dim,), (256,) and (32,). A tile holds sixteen rows in pieces of sixteen numbers, piece by piece: number d + i of
row c (d a multiple of 16) is tile[16 * (d + c) + i], so that all sixteen rows are reached by constant distances from
one address.
"""

import math

import numpy as np

from .jit import kernel, leaf
from .paths import give_back, path_of
from .sampling import draw_word
from .simd import (
    LANES,
    add,
    div,
    fma,
    four_times,
    largest,
    least,
    load,
    mul,
    prefetch,
    splat,
    splat_at,
    store,
    total,
    totals,
)

GROUP = 4  # rows that are scored, and that move, together
_ZERO, _HALF, _ONE, _MINUS = np.float32(0.0), np.float32(0.5), np.float32(1.0), np.float32(-1.0)
_BOUND = np.float32(12.0)
# The seventh convergent of Lambert's continued fraction of tanh.
_T0, _T1, _T2 = np.float32(135135.0), np.float32(17325.0), np.float32(378.0)
_B1, _B2, _B3 = np.float32(62370.0), np.float32(3150.0), np.float32(28.0)


@leaf
def sigmoid(score):
    """1 / (1 + exp(-score)) of sixteen scores, as (1 + tanh(score / 2)) / 2; error below 2e-3, beyond 4 below 1e-5."""
    s = mul(largest(least(score, splat(_BOUND)), splat(-_BOUND)), splat(_HALF))
    q = mul(s, s)
    top = mul(s, fma(q, fma(q, add(q, splat(_T2)), splat(_T1)), splat(_T0)))
    bottom = fma(q, fma(q, fma(q, splat(_B3), splat(_B2)), splat(_B1)), splat(_T0))
    return fma(div(top, bottom), splat(_HALF), splat(_HALF))


@leaf
def compose(matrix, rows, first, last, scale, x, c, dim):
    """Row c of the tile x = scale * the sum of the matrix's rows[first:last]."""
    size, quarters = splat(scale), dim - dim % (GROUP * LANES)
    for d in range(0, quarters, GROUP * LANES):  # pieces that are summed in registers
        s0 = s1 = s2 = s3 = splat(_ZERO)
        for k in range(first, last):
            at = np.int64(rows[k]) * dim + d
            s0, s1 = add(s0, load(matrix, at)), add(s1, load(matrix, at + LANES))
            s2, s3 = add(s2, load(matrix, at + 2 * LANES)), add(s3, load(matrix, at + 3 * LANES))
        store(x, LANES * (d + c), mul(size, s0))
        store(x, LANES * (d + LANES + c), mul(size, s1))
        store(x, LANES * (d + 2 * LANES + c), mul(size, s2))
        store(x, LANES * (d + 3 * LANES + c), mul(size, s3))
    for d in range(quarters, dim, LANES):
        s0 = splat(_ZERO)
        for k in range(first, last):
            s0 = add(s0, load(matrix, np.int64(rows[k]) * dim + d))
        store(x, LANES * (d + c), mul(size, s0))


@leaf
def distribute(dx, c, share, matrix, rows, first, last, frozen, dim):
    """matrix[row] += share * dx[c] for each row of rows[first:last] that is not frozen."""
    for k in range(first, last):
        row = np.int64(rows[k])
        if frozen[row] == 0:
            for d in range(0, dim, LANES):
                store(matrix, row * dim + d, fma(load(dx, LANES * (d + c)), splat(share), load(matrix, row * dim + d)))


@leaf
def compose_placed(matrix, rows, places, weights, first, last, scale, x, c, dim):
    """As `compose` where each row is multiplied, number by number, with the weights of its place in the window."""
    size = splat(scale)
    clear(x, c, dim)
    for k in range(first, last):
        row, place = np.int64(rows[k]) * dim, np.int64(places[k]) * dim
        for d in range(0, dim, LANES):
            part = mul(load(weights, place + d), load(matrix, row + d))
            store(x, LANES * (d + c), fma(size, part, load(x, LANES * (d + c))))


@leaf
def distribute_placed(dx, c, share, matrix, rows, places, weights, first, last, frozen, dim):
    """As `distribute` where rows have weights by their place, which move as well: each by the other."""
    size = splat(share)
    for k in range(first, last):
        row, place = np.int64(rows[k]), np.int64(places[k]) * dim
        for d in range(0, dim, LANES):
            move = mul(size, load(dx, LANES * (d + c)))
            old, weight = load(matrix, row * dim + d), load(weights, place + d)
            if frozen[row] == 0:
                store(matrix, row * dim + d, fma(move, weight, old))
            store(weights, place + d, fma(move, old, weight))


@leaf
def clear(x, c, dim):
    """Set row c of a tile to 0."""
    for d in range(0, dim, LANES):
        store(x, LANES * (d + c), splat(_ZERO))


@leaf
def step(x, dx, c, step_size, matrix, row, dim):
    """dx[c] += step_size * matrix[row]; matrix[row] += step_size * x[c]."""
    size = splat(step_size)
    for d in range(0, dim, LANES):
        old = load(matrix, row * dim + d)
        store(dx, LANES * (d + c), fma(size, old, load(dx, LANES * (d + c))))
        store(matrix, row * dim + d, fma(size, load(x, LANES * (d + c)), old))


@leaf
def score(x, c, matrix, row, dim):
    """The inner product of x[c] and matrix[row], float32."""
    s = splat(_ZERO)
    for d in range(0, dim, LANES):
        s = fma(load(x, LANES * (d + c)), load(matrix, row * dim + d), s)
    return total(s)


@leaf
def score_rows(x, c, matrix, rows, first, last, scores, dim):
    """scores[k] = the inner product of x[c] and the matrix's row rows[first + k], four at a time.

    Where fewer than four are left, the last row stands in for the others, so that no branch has to be guessed.
    """
    zero = splat(_ZERO)
    for k in range(first, last, GROUP):
        r0, r1 = np.int64(rows[k]) * dim, np.int64(rows[min(k + 1, last - 1)]) * dim
        r2, r3 = np.int64(rows[min(k + 2, last - 1)]) * dim, np.int64(rows[min(k + 3, last - 1)]) * dim
        s0 = s1 = s2 = s3 = zero
        for d in range(0, dim, LANES):
            v = load(x, LANES * (d + c))
            s0 = fma(v, load(matrix, r0 + d), s0)
            s1 = fma(v, load(matrix, r1 + d), s1)
            s2 = fma(v, load(matrix, r2 + d), s2)
            s3 = fma(v, load(matrix, r3 + d), s3)
        found = totals(s0, s1, s2, s3, zero, zero, zero, zero, zero, zero, zero, zero, zero, zero, zero, zero)
        store(scores, k - first, found)


@leaf
def step_rows(x, dx, c, matrix, rows, first, last, sizes, dim):
    """As `step` for all of the matrix's rows[first:last], with sizes[0], sizes[1], …; four more of them are scratch."""
    for k in range(GROUP):
        sizes[last - first + k] = _ZERO
    for k in range(first, last, GROUP):
        r0, r1 = np.int64(rows[k]) * dim, np.int64(rows[min(k + 1, last - 1)]) * dim
        r2, r3 = np.int64(rows[min(k + 2, last - 1)]) * dim, np.int64(rows[min(k + 3, last - 1)]) * dim
        g0, g1 = splat(sizes[k - first]), splat(sizes[k - first + 1])
        g2, g3 = splat(sizes[k - first + 2]), splat(sizes[k - first + 3])
        for d in range(0, dim, LANES):
            v, gradient = load(x, LANES * (d + c)), load(dx, LANES * (d + c))
            old = load(matrix, r0 + d)
            gradient = fma(g0, old, gradient)
            store(matrix, r0 + d, fma(g0, v, old))
            old = load(matrix, r1 + d)
            gradient = fma(g1, old, gradient)
            store(matrix, r1 + d, fma(g1, v, old))
            old = load(matrix, r2 + d)
            gradient = fma(g2, old, gradient)
            store(matrix, r2 + d, fma(g2, v, old))
            old = load(matrix, r3 + d)
            gradient = fma(g3, old, gradient)
            store(matrix, r3 + d, fma(g3, v, old))
            store(dx, LANES * (d + c), gradient)


@leaf
def step_choices(x, dx, c, matrix, rows, first, last, labels, label, rate, sizes, dim):
    """Move the scores of x[c] with all rows towards their labels: gradient label - sigmoid(score).

    All scores are taken before any row moves, so that none has to wait for another. Row first + k has
    labels[label + k]; `sizes` is scratch for 16 more than the rows.
    """
    score_rows(x, c, matrix, rows, first, last, sizes, dim)
    for k in range(0, last - first, LANES):
        errors = fma(sigmoid(load(sizes, k)), splat(_MINUS), load(labels, label + k))
        store(sizes, k, mul(errors, splat(rate)))
    step_rows(x, dx, c, matrix, rows, first, last, sizes, dim)


@leaf
def place(c, j):
    """Where the number of example c and drawn row j stands in a table of both: in blocks of four by four."""
    return 64 * (c // 4) + 16 * (j // 4) + 4 * (c % 4) + j % 4


@leaf
def errors_of_all(x, y, weights, g, dim):
    """g[place(c, j)] = weights[c] * sigmoid(the inner product of row c of x and row j of y), four by four rows."""
    for c in range(0, LANES, 4):
        for j in range(0, LANES, 4):
            a0 = a1 = a2 = a3 = b0 = b1 = b2 = b3 = splat(_ZERO)
            e0 = e1 = e2 = e3 = f0 = f1 = f2 = f3 = splat(_ZERO)
            for d in range(0, dim, LANES):
                v0, v1 = load(y, LANES * (d + j)), load(y, LANES * (d + j + 1))
                v2, v3 = load(y, LANES * (d + j + 2)), load(y, LANES * (d + j + 3))
                u = load(x, LANES * (d + c))
                a0, a1, a2, a3 = fma(u, v0, a0), fma(u, v1, a1), fma(u, v2, a2), fma(u, v3, a3)
                u = load(x, LANES * (d + c + 1))
                b0, b1, b2, b3 = fma(u, v0, b0), fma(u, v1, b1), fma(u, v2, b2), fma(u, v3, b3)
                u = load(x, LANES * (d + c + 2))
                e0, e1, e2, e3 = fma(u, v0, e0), fma(u, v1, e1), fma(u, v2, e2), fma(u, v3, e3)
                u = load(x, LANES * (d + c + 3))
                f0, f1, f2, f3 = fma(u, v0, f0), fma(u, v1, f1), fma(u, v2, f2), fma(u, v3, f3)
            found = totals(a0, a1, a2, a3, b0, b1, b2, b3, e0, e1, e2, e3, f0, f1, f2, f3)
            store(g, place(c, j), mul(sigmoid(found), four_times(load(weights, c))))


@leaf
def piece(tile, d):
    """Sixteen numbers, from d on, of all sixteen rows of a tile, four rows and four."""
    at = LANES * d
    return (
        (load(tile, at), load(tile, at + 16), load(tile, at + 32), load(tile, at + 48)),
        (load(tile, at + 64), load(tile, at + 80), load(tile, at + 96), load(tile, at + 112)),
        (load(tile, at + 128), load(tile, at + 144), load(tile, at + 160), load(tile, at + 176)),
        (load(tile, at + 192), load(tile, at + 208), load(tile, at + 224), load(tile, at + 240)),
    )


@leaf
def mix_four(g, first, apart, rows, sums):
    """Add g[first + apart * k] * rows[k] to sums[k], for each of four."""
    return (
        fma(splat_at(g, first), rows[0], sums[0]),
        fma(splat_at(g, first + apart), rows[1], sums[1]),
        fma(splat_at(g, first + 2 * apart), rows[2], sums[2]),
        fma(splat_at(g, first + 3 * apart), rows[3], sums[3]),
    )


@leaf
def mixture(g, first, near, far, rows, start):
    """start + the sum over k of g[first + far * (k // 4) + near * (k % 4)] times rows[k // 4][k % 4]."""
    zero = splat(_ZERO)
    sums = mix_four(g, first, near, rows[0], (start, zero, zero, zero))  # none of them waits for another
    sums = mix_four(g, first + far, near, rows[1], sums)
    sums = mix_four(g, first + 2 * far, near, rows[2], sums)
    sums = mix_four(g, first + 3 * far, near, rows[3], sums)
    return add(add(sums[0], sums[1]), add(sums[2], sums[3]))


@leaf
def step_all(x, dx, y, g, matrix, drawn, first, dim):
    """dx[c] += the sum over j of g[place(c, j)] * y[j]; row j of those drawn += that over c of g[place(c, j)] * x[c].

    A piece of all sixteen rows stays in registers while it is mixed.
    """
    for d in range(0, dim, LANES):
        rows = piece(y, d)
        for c in range(LANES):
            at = LANES * (d + c)
            store(dx, at, mixture(g, place(c, 0), 1, 16, rows, load(dx, at)))
        rows = piece(x, d)
        for j in range(LANES):
            at = drawn[first + j] * dim + d
            store(matrix, at, mixture(g, place(0, j), 4, 64, rows, load(matrix, at)))


@leaf
def scale_of(first, last, mean):
    """1 / (last - first) where the mean is wanted, else 1."""
    return _ONE / np.float32(last - first) if mean else _ONE


@leaf
def compose_batch(e, filled, examples, forward_mean, matrices, x, dx, dim):
    """Inputs of examples e to e + filled into x, dx cleared; rows of x that no example takes are cleared."""
    in_starts, in_rows, in_places = examples[0], examples[1], examples[4]
    syn_in, weights = matrices[0], matrices[3]
    for c in range(LANES):
        clear(dx, c, dim)
        if c < filled:
            first, last = in_starts[e + c], in_starts[e + c + 1]
            scale = scale_of(first, last, forward_mean)
            if len(weights) > 0:
                compose_placed(syn_in, in_rows, in_places, weights, first, last, scale, x, c, dim)
            else:
                compose(syn_in, in_rows, first, last, scale, x, c, dim)
        else:
            clear(x, c, dim)


@leaf
def distribute_batch(e, filled, examples, backward_mean, matrices, dx, dim):
    """Gradients of examples e to e + filled to their input rows and the weights of their places."""
    in_starts, in_rows, in_places = examples[0], examples[1], examples[4]
    syn_in, frozen, weights = matrices[0], matrices[2], matrices[3]
    for c in range(filled):
        first, last = in_starts[e + c], in_starts[e + c + 1]
        share = scale_of(first, last, backward_mean)
        if len(weights) > 0:
            distribute_placed(dx, c, share, syn_in, in_rows, in_places, weights, first, last, frozen, dim)
        else:
            distribute(dx, c, share, syn_in, in_rows, first, last, frozen, dim)


@leaf
def step_one(x, dx, c, matrix, row, rate, g, dim):
    """As `step_choices` for a single row with label 1."""
    s = sigmoid(splat(score(x, c, matrix, row, dim)))
    store(g, 0, mul(fma(s, splat(_MINUS), splat(_ONE)), splat(rate)))
    step(x, dx, c, g[0], matrix, row, dim)


@leaf
def prefetch_batch(e, filled, examples, ahead, syn_in, syn_out, dim):
    """Ask for what enters with the next examples: the last `ahead` input rows and the last target of each."""
    in_starts, in_rows, out_starts, out_rows, _ = examples
    for c in range(e, e + filled):
        for k in range(max(in_starts[c], in_starts[c + 1] - ahead), in_starts[c + 1]):
            prefetch(syn_in, np.int64(in_rows[k]) * dim, dim)
        prefetch(syn_out, np.int64(out_rows[out_starts[c + 1] - 1]) * dim, dim)


@kernel(refcounts=False)
def negative_sampling(
    count, batch, examples, means, ahead, matrices, sampler, negatives, rate, rng, scratch, choices, drawn
):
    """Train on examples by negative sampling (Mikolov et al. 2013, equation 4), negatives shared by sixteen examples.

    Each target asks for `negatives` drawn words with gradient -sigmoid(score). A batch draws 16 (or 32, …) words for
    all of its examples instead and weights each by negatives * targets / drawn: the same expected gradient.
    `batch` is the number of examples that share them, at most 16; where there are few different words, fewer should,
    or the sum of their gradients steps too far.

    means: (forward, backward), whether an input is the mean of its rows, and whether its rows get its gradient
    divided by their number. ahead: rows per input to prefetch. matrices: (syn_in, syn_out, frozen uint8 (rows,),
    weights): the last one has a row for each place in the window (Mikolov et al. 2018, section 2.2) or is empty.
    sampler: (accept, alias) of `sampling.fill_alias`. rate, negatives float32. choices: (sizes float32, labels float32
    all 1), 16 longer than the targets of any example. drawn int64 (16 t,).
    """
    x, dx, y, g, weights = scratch
    sizes, ones = choices
    syn_in, syn_out = matrices[0], matrices[1]
    out_starts, out_rows = examples[2], examples[3]
    dim = len(x) // LANES
    weight = -rate * negatives / np.float32(len(drawn))
    for e in range(0, count, batch):
        filled = min(batch, count - e)
        for j in range(len(drawn)):
            drawn[j] = draw_word(rng, sampler[0], sampler[1])
            prefetch(syn_out, drawn[j] * dim, dim)
        prefetch_batch(e + filled, min(batch, count - e - filled), examples, ahead, syn_in, syn_out, dim)
        compose_batch(e, filled, examples, means[0], matrices, x, dx, dim)
        for c in range(LANES):
            weights[c] = weight * np.float32(out_starts[e + c + 1] - out_starts[e + c]) if c < filled else _ZERO
        for c in range(filled):
            first, last = out_starts[e + c], out_starts[e + c + 1]
            if last - first == 1:
                step_one(x, dx, c, syn_out, np.int64(out_rows[first]), rate, sizes, dim)
            else:
                step_choices(x, dx, c, syn_out, out_rows, first, last, ones, 0, rate, sizes, dim)
        for tile in range(0, len(drawn), LANES):
            for j in range(LANES):
                for d in range(0, dim, LANES):
                    store(y, LANES * (d + j), load(syn_out, drawn[tile + j] * dim + d))
            errors_of_all(x, y, weights, g, dim)
            step_all(x, dx, y, g, syn_out, drawn, tile, dim)
        distribute_batch(e, filled, examples, means[1], matrices, dx, dim)


@kernel(refcounts=False)
def hierarchical_softmax(count, examples, means, matrices, paths, rate, scratch, sizes, nodes, upper):
    """Train on examples by hierarchical softmax: each node on the way to a target is a two-way choice.

    paths: (path_starts int64 (V + 1,), path_nodes int32, path_labels float32), label 1 where the node's score is
    to rise, and LANES more labels. sizes float32 and nodes int64 are scratch for 16 more than the longest path; upper
    as for `paths.visit`. Other arguments as for `negative_sampling`; syn_out holds the nodes.
    """
    x, dx = scratch[0], scratch[1]
    syn_out, labels, own = matrices[1], paths[2], upper[0]
    out_starts, out_rows = examples[2], examples[3]
    dim = len(x) // LANES
    for e in range(0, count, LANES):
        filled = min(LANES, count - e)
        compose_batch(e, filled, examples, means[0], matrices, x, dx, dim)
        for c in range(filled):
            for t in range(out_starts[e + c], out_starts[e + c + 1]):
                path, size, high = path_of(out_rows[t], paths, upper, syn_out, nodes, dim)
                step_choices(x, dx, c, own, nodes, 0, high, labels, path, rate, sizes, dim)
                step_choices(x, dx, c, syn_out, nodes, high, size, labels, path + high, rate, sizes, dim)
        distribute_batch(e, filled, examples, means[1], matrices, dx, dim)
    give_back(upper, syn_out, dim)


@kernel(refcounts=False)
def full_softmax(count, examples, means, matrices, first_word, rate, scratch, probabilities):
    """Train on examples by the softmax over the words from `first_word` on: the objective the others approximate.

    probabilities float32 (V,) is scratch; its last use stays in it. Other arguments as for `negative_sampling`.
    """
    x, dx = scratch[0], scratch[1]
    syn_out = matrices[1]
    out_starts, out_rows = examples[2], examples[3]
    dim, words = len(x) // LANES, len(probabilities)
    for e in range(0, count, LANES):
        filled = min(LANES, count - e)
        compose_batch(e, filled, examples, means[0], matrices, x, dx, dim)
        for c in range(filled):
            highest, whole = np.float32(-np.inf), 0.0
            for w in range(first_word, words):
                probabilities[w] = score(x, c, syn_out, w, dim)
                highest = max(highest, probabilities[w])
            for w in range(first_word, words):
                probabilities[w] = math.exp(probabilities[w] - highest)
                whole += probabilities[w]
            targets = out_starts[e + c + 1] - out_starts[e + c]
            scale = np.float32(-targets / whole)
            for w in range(first_word, words):
                probabilities[w] *= scale
            for t in range(out_starts[e + c], out_starts[e + c + 1]):
                probabilities[out_rows[t]] += _ONE
            for w in range(first_word, words):
                step(x, dx, c, probabilities[w] * rate, syn_out, w, dim)
        distribute_batch(e, filled, examples, means[1], matrices, dx, dim)
