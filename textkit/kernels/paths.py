"""Ways down a Huffman tree: which rows of the matrix of nodes they visit, and each thread's copies of the upper ones.

Every way goes through the upper nodes of the tree. Threads that all wrote to their rows would wait for one another's
cache lines more than they calculate, so each keeps a copy of them, and every now and then adds what its copy has
moved by to the matrix.
"""

import numpy as np

from .jit import leaf
from .simd import LANES, add, fma, load, splat, store

UPPER = 8  # levels of the tree of which each thread has a copy; more gave nothing
COPIES = (1 << UPPER) - 1  # nodes in these
VISITS = 64  # of an upper node until its copy and the matrix are brought together
_MINUS = np.float32(-1.0)


@leaf
def take(own, base, slot, matrix, row, dim):
    """Copy a row of the matrix to row `slot` of `own` and `base`."""
    for d in range(0, dim, LANES):
        now = load(matrix, row * dim + d)
        store(own, slot * dim + d, now)
        store(base, slot * dim + d, now)


@leaf
def exchange(own, base, slot, matrix, row, dim):
    """Add to a row of the matrix what row `slot` of `own` has moved by since it was `base`, and take it anew."""
    for d in range(0, dim, LANES):
        moved = fma(load(base, slot * dim + d), splat(_MINUS), load(own, slot * dim + d))
        store(matrix, row * dim + d, add(load(matrix, row * dim + d), moved))
    take(own, base, slot, matrix, row, dim)


@leaf
def visit(slot, row, upper, matrix, dim):
    """Have a copy of the upper node with this row, not older than VISITS visits.

    upper: (own, base), float32 rows of COPIES nodes, their rows int32 in the matrix, and visits int32, 0 for nodes
    of which there is no copy.
    """
    own, base, rows, visits = upper
    if visits[slot] == 0:
        rows[slot] = row
        take(own, base, slot, matrix, row, dim)
    elif visits[slot] == VISITS:
        exchange(own, base, slot, matrix, row, dim)
        visits[slot] = 0
    visits[slot] += 1


@leaf
def give_back(upper, matrix, dim):
    """Add what all copies have moved by to the matrix and forget them."""
    own, base, rows, visits = upper
    for slot in range(COPIES):
        if visits[slot] > 0:
            exchange(own, base, slot, matrix, np.int64(rows[slot]), dim)
            visits[slot] = 0


@leaf
def path_of(word, paths, upper, matrix, nodes, dim):
    """The rows of a word's nodes, into `nodes`: of the upper ones those of their copies, else those of the matrix.

    Returns the path's start, its length, and how many of its nodes are upper ones. Copies lie as in a heap: those of
    the nodes below the one in row s are rows 2 s + 1 and 2 s + 2.
    """
    path_starts, path_nodes, path_labels = paths
    first = path_starts[word]
    count = path_starts[word + 1] - first
    high, slot = min(UPPER, count), 0
    for k in range(high):
        visit(slot, np.int64(path_nodes[first + k]), upper, matrix, dim)
        nodes[k] = slot
        slot = 2 * slot + 1 + np.int64(path_labels[first + k])
    for k in range(high, count):
        nodes[k] = path_nodes[first + k]
    return first, count, high
