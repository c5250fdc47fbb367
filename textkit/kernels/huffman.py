"""Huffman codes over counts."""

import numpy as np

from .jit import kernel


def tree_of(counts, strict=0):
    """The Huffman tree of V counts in any order: (place int64 (V,), parents int64, bits uint8, lengths int64 (V,)).

    place[i] is the leaf of what has counts[i]; the other arrays are those of `build_tree` and `path_lengths`, which
    explains `strict`.
    """
    size = len(counts)
    ordered = np.argsort(-counts, kind="stable")
    weights, parents = np.empty(2 * size - 1, np.int64), np.empty(2 * size - 1, np.int64)
    bits, lengths = np.zeros(2 * size - 1, np.uint8), np.empty(size, np.int64)
    build_tree(np.maximum(counts[ordered], 1), weights, parents, bits, strict)
    path_lengths(parents, lengths)
    place = np.empty(size, np.int64)
    place[ordered] = np.arange(size)
    return place, parents, bits, lengths


def paths_of(place, parents, bits, lengths):
    """The paths of `fill_paths` in the order of the counts that `tree_of` was given: (starts, nodes, labels)."""
    starts = np.concatenate([np.zeros(1, np.int64), np.cumsum(lengths)])
    nodes, labels = np.empty(starts[-1], np.int32), np.empty(starts[-1], np.float32)
    fill_paths(parents, bits, starts, nodes, labels)
    own = np.concatenate([np.zeros(1, np.int64), np.cumsum(lengths[place])])
    gather = np.repeat(starts[place] - own[:-1], lengths[place]) + np.arange(own[-1])
    return own, nodes[gather], labels[gather]


@kernel
def build_tree(counts, weights, parents, bits, strict):
    """The Huffman tree of V counts in descending order, by two pointers that run apart (no heap).

    counts int64 (V,); weights int64, parents int64 and bits uint8 (2 V - 1,) are filled: leaves first, then inner
    nodes, the root last. bits[n] is 1 for the heavier child of its parent. Of a leaf and an inner node that weigh the
    same the leaf is taken first, as in word2vec, or if `strict` is 1, not 0, the inner node, as in fastText.
    """
    leaves = len(counts)
    weights[:leaves] = counts
    leaf, inner = leaves - 1, leaves
    for node in range(leaves, 2 * leaves - 1):
        weights[node] = 0
        for bit in range(2):
            if leaf >= 0 and (inner >= node or weights[leaf] + strict <= weights[inner]):
                child = leaf
                leaf -= 1
            else:
                child = inner
                inner += 1
            weights[node] += weights[child]
            parents[child], bits[child] = node, bit
    parents[2 * leaves - 2] = -1


@kernel
def path_lengths(parents, lengths):
    """The number of inner nodes above each leaf; lengths int64 (V,)."""
    for leaf in range(len(lengths)):
        node, length = leaf, 0
        while parents[node] >= 0:
            node = parents[node]
            length += 1
        lengths[leaf] = length


@kernel
def fill_paths(parents, bits, starts, nodes, labels):
    """Each leaf's inner nodes from the root down, numbered from 0 (node - V), and label 1 - bit as in word2vec.

    starts int64 (V + 1,); nodes int32 and labels float32 (starts[V],).
    """
    leaves = len(starts) - 1
    for leaf in range(leaves):
        node, place = leaf, starts[leaf + 1] - 1
        while parents[node] >= 0:
            nodes[place] = parents[node] - leaves
            labels[place] = 1.0 - bits[node]
            node = parents[node]
            place -= 1
