"""Skip-gram by hierarchical softmax, window by window: the words around a centre word go its path together.

The words that windows reach are rows of a ring of tiles (see `kernels.sgd`): ring row c stands for the words at
positions c, c + R, c + 2 R, … of the stream, R = 2 window + 1 (the reach to both sides and the centre). A word enters
when the first window reaches it, moves with each path it goes, and gives what it has moved by back to its rows in the
matrix when the last window has left it behind.
"""

import numpy as np

from .examples import draw_reach
from .jit import kernel, leaf
from .paths import UPPER, give_back, path_of
from .sampling import GAP
from .sgd import clear, compose, distribute, scale_of, sigmoid
from .simd import LANES, fma, four_times, load, mul, prefetch, splat, splat_at, store, totals, twice

_ZERO, _ONE, _MINUS = np.float32(0.0), np.float32(1.0), np.float32(-1.0)
AHEAD = 3  # how many words before they enter the cache is asked for their rows
NEXT = 2  # so many words before its turn for the lower nodes of a centre word


@leaf
def tile_row(slot, dim):
    """The c of `kernels.sgd` of a row of several tiles that follow one another."""
    return (slot // LANES) * dim + slot % LANES


@leaf
def ring_row(position, window, dim):
    """The row of a word in the ring."""
    return tile_row(position % (2 * window + 1), dim)


@leaf
def errors_of_four(x, c0, c1, c2, c3, matrix, nodes, first, last, labels, path, rate, sizes, start, dim):
    """By how much rows c_i of x and the matrix's rows at nodes[first:last] are to move one another.

    sizes[start + 4 k + i] = rate * (label - sigmoid(their product)), labels[path + k] of node k. The last node stands
    in where there are no four; labels has LANES more than it needs.
    """
    for k in range(first, last, 4):
        r0, r1 = nodes[k], nodes[min(k + 1, last - 1)]
        r2, r3 = nodes[min(k + 2, last - 1)], nodes[min(k + 3, last - 1)]
        a0 = a1 = a2 = a3 = b0 = b1 = b2 = b3 = splat(_ZERO)
        e0 = e1 = e2 = e3 = f0 = f1 = f2 = f3 = splat(_ZERO)
        for d in range(0, dim, LANES):
            x0, x1 = load(x, LANES * (d + c0)), load(x, LANES * (d + c1))
            x2, x3 = load(x, LANES * (d + c2)), load(x, LANES * (d + c3))
            v = load(matrix, r0 + d)
            a0, a1, a2, a3 = fma(v, x0, a0), fma(v, x1, a1), fma(v, x2, a2), fma(v, x3, a3)
            v = load(matrix, r1 + d)
            b0, b1, b2, b3 = fma(v, x0, b0), fma(v, x1, b1), fma(v, x2, b2), fma(v, x3, b3)
            v = load(matrix, r2 + d)
            e0, e1, e2, e3 = fma(v, x0, e0), fma(v, x1, e1), fma(v, x2, e2), fma(v, x3, e3)
            v = load(matrix, r3 + d)
            f0, f1, f2, f3 = fma(v, x0, f0), fma(v, x1, f1), fma(v, x2, f2), fma(v, x3, f3)
        found = totals(a0, a1, a2, a3, b0, b1, b2, b3, e0, e1, e2, e3, f0, f1, f2, f3)
        wrong = fma(sigmoid(found), splat(_MINUS), four_times(load(labels, path + k)))
        store(sizes, start + 4 * k, mul(wrong, splat(rate)))


@leaf
def step_four(x, c0, c1, c2, c3, matrix, nodes, first, last, sizes, start, dim):
    """Rows c_i of x and the matrix's rows at nodes[k] move by sizes[start + 4 k + i] times one another."""
    for d in range(0, dim, LANES):
        x0, x1 = load(x, LANES * (d + c0)), load(x, LANES * (d + c1))
        x2, x3 = load(x, LANES * (d + c2)), load(x, LANES * (d + c3))
        y0, y1, y2, y3 = x0, x1, x2, x3
        for k in range(first, last):
            v = load(matrix, nodes[k] + d)
            at = start + 4 * k
            g0, g1, g2, g3 = (
                splat_at(sizes, at),
                splat_at(sizes, at + 1),
                splat_at(sizes, at + 2),
                splat_at(sizes, at + 3),
            )
            y0, y1, y2, y3 = fma(g0, v, y0), fma(g1, v, y1), fma(g2, v, y2), fma(g3, v, y3)
            store(matrix, nodes[k] + d, fma(g3, x3, fma(g2, x2, fma(g1, x1, fma(g0, x0, v)))))
        store(x, LANES * (d + c0), y0)
        store(x, LANES * (d + c1), y1)
        store(x, LANES * (d + c2), y2)
        store(x, LANES * (d + c3), y3)


@leaf
def errors_of_two(x, c0, c1, matrix, nodes, first, last, labels, path, rate, sizes, start, dim):
    """As `errors_of_four` for two rows: sizes[start + 2 k + i]."""
    for k in range(first, last, 8):
        r0, r1, r2, r3 = nodes[k], nodes[min(k + 1, last - 1)], nodes[min(k + 2, last - 1)], nodes[min(k + 3, last - 1)]
        r4, r5 = nodes[min(k + 4, last - 1)], nodes[min(k + 5, last - 1)]
        r6, r7 = nodes[min(k + 6, last - 1)], nodes[min(k + 7, last - 1)]
        a0 = a1 = a2 = a3 = a4 = a5 = a6 = a7 = splat(_ZERO)
        b0 = b1 = b2 = b3 = b4 = b5 = b6 = b7 = splat(_ZERO)
        for d in range(0, dim, LANES):
            x0, x1 = load(x, LANES * (d + c0)), load(x, LANES * (d + c1))
            v = load(matrix, r0 + d)
            a0, b0 = fma(v, x0, a0), fma(v, x1, b0)
            v = load(matrix, r1 + d)
            a1, b1 = fma(v, x0, a1), fma(v, x1, b1)
            v = load(matrix, r2 + d)
            a2, b2 = fma(v, x0, a2), fma(v, x1, b2)
            v = load(matrix, r3 + d)
            a3, b3 = fma(v, x0, a3), fma(v, x1, b3)
            v = load(matrix, r4 + d)
            a4, b4 = fma(v, x0, a4), fma(v, x1, b4)
            v = load(matrix, r5 + d)
            a5, b5 = fma(v, x0, a5), fma(v, x1, b5)
            v = load(matrix, r6 + d)
            a6, b6 = fma(v, x0, a6), fma(v, x1, b6)
            v = load(matrix, r7 + d)
            a7, b7 = fma(v, x0, a7), fma(v, x1, b7)
        found = totals(a0, b0, a1, b1, a2, b2, a3, b3, a4, b4, a5, b5, a6, b6, a7, b7)
        wrong = fma(sigmoid(found), splat(_MINUS), twice(load(labels, path + k)))
        store(sizes, start + 2 * k, mul(wrong, splat(rate)))


@leaf
def step_two(x, c0, c1, matrix, nodes, first, last, sizes, start, dim):
    """As `step_four` for two rows: sizes[start + 2 k + i]."""
    for d in range(0, dim, LANES):
        x0, x1 = load(x, LANES * (d + c0)), load(x, LANES * (d + c1))
        y0, y1 = x0, x1
        for k in range(first, last):
            v = load(matrix, nodes[k] + d)
            g0, g1 = splat_at(sizes, start + 2 * k), splat_at(sizes, start + 2 * k + 1)
            y0, y1 = fma(g0, v, y0), fma(g1, v, y1)
            store(matrix, nodes[k] + d, fma(g1, x1, fma(g0, x0, v)))
        store(x, LANES * (d + c0), y0)
        store(x, LANES * (d + c1), y1)


@leaf
def enter(position, window, stream, units, syn_in, x, before, dim):
    """Compose the word at `position` into the ring and remember how it was."""
    c, word = ring_row(position, window, dim), stream[position]
    first, last = units[0][word], units[0][word + 1]
    compose(syn_in, units[1], first, last, scale_of(first, last, True), x, c, dim)
    for d in range(0, dim, LANES):
        store(before, LANES * (d + c), load(x, LANES * (d + c)))


@leaf
def leave(position, window, stream, units, syn_in, frozen, x, before, dim):
    """Give the rows of the word at `position` what it has moved by since it entered."""
    c, word = ring_row(position, window, dim), stream[position]
    for d in range(0, dim, LANES):
        at = LANES * (d + c)
        store(before, at, fma(load(before, at), splat(_MINUS), load(x, at)))
    distribute(before, c, _ONE, syn_in, units[1], units[0][word], units[0][word + 1], frozen, dim)


@leaf
def collect(stream, size, centre, reach, window, members, dim):
    """The ring rows of the words within reach of the centre and on its line; returns their number."""
    ring, count = 2 * window + 1, 0
    middle = centre % ring
    k, slot = centre - 1, middle
    while k >= max(centre - reach, 0) and stream[k] != GAP:
        slot = slot - 1 if slot > 0 else ring - 1
        members[count] = tile_row(slot, dim)
        count += 1
        k -= 1
    k, slot = centre + 1, middle
    while k < min(centre + reach + 1, size) and stream[k] != GAP:
        slot = slot + 1 if slot + 1 < ring else 0
        members[count] = tile_row(slot, dim)
        count += 1
        k += 1
    return count


@leaf
def prefetch_ahead(entering, window, stream, size, path_starts, path_nodes, syn_in, syn_out, dim):
    """Ask for the row of a word soon to enter and for the lower nodes of a centre word soon to come."""
    if entering + AHEAD < size and stream[entering + AHEAD] != GAP:
        prefetch(syn_in, np.int64(stream[entering + AHEAD]) * dim, dim)
    coming = entering - window + NEXT
    if 0 <= coming < size and stream[coming] != GAP:
        word = stream[coming]
        for k in range(path_starts[word] + UPPER, path_starts[word + 1]):
            prefetch(syn_out, np.int64(path_nodes[k]) * dim, dim)


@leaf
def go_path(members, many, x, own, matrix, nodes, high, count, labels, path, rate, sizes, dim):
    """All members (ring rows) go a path of `count` nodes, `high` of them in `own`, the others in the matrix.

    First all scores are taken, then members and nodes move, four members at a time, or two.
    """
    deep = len(nodes) + LANES // 2  # room for one member
    for m in range(0, many, 4):
        c0, c1, start = members[m], members[m + 1], m * deep
        if many - m > 2:
            c2, c3 = members[m + 2], members[m + 3]
            errors_of_four(x, c0, c1, c2, c3, own, nodes, 0, high, labels, path, rate, sizes, start, dim)
            errors_of_four(x, c0, c1, c2, c3, matrix, nodes, high, count, labels, path, rate, sizes, start, dim)
        else:
            errors_of_two(x, c0, c1, own, nodes, 0, high, labels, path, rate, sizes, start, dim)
            errors_of_two(x, c0, c1, matrix, nodes, high, count, labels, path, rate, sizes, start, dim)
    for m in range(0, many, 4):
        c0, c1, start = members[m], members[m + 1], m * deep
        if many - m > 2:
            c2, c3 = members[m + 2], members[m + 3]
            step_four(x, c0, c1, c2, c3, own, nodes, 0, high, sizes, start, dim)
            step_four(x, c0, c1, c2, c3, matrix, nodes, high, count, sizes, start, dim)
        else:
            step_two(x, c0, c1, own, nodes, 0, high, sizes, start, dim)
            step_two(x, c0, c1, matrix, nodes, high, count, sizes, start, dim)


@kernel(refcounts=False)
def skipgram_paths(stream, size, window, fixed, rng, units, matrices, paths, rate, ring, upper, places, sizes):
    """Train on a stream of words by skip-gram and hierarchical softmax (Mikolov et al. 2013, section 2.1).

    Each word within reach of a centre word is to predict it: at each node of the centre's path, label 1 or 0. All
    words of a window are scored before any row moves; then they and the nodes move, four words at a time.

    stream int32 (size,) with gaps; rng uint64 (1,). units, matrices, rate as for `sgd.negative_sampling`, paths as
    for `sgd.hierarchical_softmax`, upper as for `paths.visit`. ring: (x, before), float32 tiles for 2 window + 2 rows.
    places: (members int64 (2 window + 4,), nodes int64, as long as the longest path). sizes float32: for each of
    2 window + 2 members the length of the longest path and 8.
    """
    x, before = ring
    members, nodes = places
    syn_in, syn_out, frozen, _ = matrices
    path_starts, path_nodes, path_labels = paths
    dim = len(syn_out) // (len(path_starts) - 1)
    spare = tile_row(2 * window + 1, dim)
    for entering in range(size + 2 * window):
        prefetch_ahead(entering, window, stream, size, path_starts, path_nodes, syn_in, syn_out, dim)
        if entering < size and stream[entering] != GAP:
            enter(entering, window, stream, units, syn_in, x, before, dim)
        centre, leaving = entering - window, entering - 2 * window
        if 0 <= centre < size and stream[centre] != GAP:
            reach = draw_reach(rng, window, fixed)
            many = collect(stream, size, centre, reach, window, members, dim)
            if many > 0:
                if many % 2 == 1:  # a row of zeros fills up
                    members[many] = spare
                    clear(x, spare, dim)
                path, count, high = path_of(stream[centre], paths, upper, syn_out, nodes, dim)
                for k in range(count):
                    nodes[k] *= dim
                go_path(members, many, x, upper[0], syn_out, nodes, high, count, path_labels, path, rate, sizes, dim)
        if leaving >= 0 and stream[leaving] != GAP:
            leave(leaving, window, stream, units, syn_in, frozen, x, before, dim)
    give_back(upper, syn_out, dim)
