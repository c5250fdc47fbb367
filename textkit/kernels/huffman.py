"""Huffman codes over counts that are sorted in descending order."""

from .jit import kernel


@kernel
def build_tree(counts, weights, parents, bits):
    """The Huffman tree of V counts in descending order, by two pointers that run apart (no heap).

    counts int64 (V,); weights int64, parents int64 and bits uint8 (2 V - 1,) are filled: leaves first, then inner
    nodes, the root last. bits[n] is 1 for the heavier child of its parent.
    """
    leaves = len(counts)
    weights[:leaves] = counts
    leaf, inner = leaves - 1, leaves
    for node in range(leaves, 2 * leaves - 1):
        weights[node] = 0
        for bit in range(2):
            if leaf >= 0 and (inner >= node or weights[leaf] <= weights[inner]):
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
