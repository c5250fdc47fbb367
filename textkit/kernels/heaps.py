"""The best labels in fastText's own order: equal ones come out as the C++ library's heap leaves them.

A heap is two arrays, float32 scores and int32 labels, the least score first.
"""

import numpy as np

from .jit import kernel, leaf


@leaf
def rise(scores, labels, place, top, score, label):
    """Put an entry where it belongs between `place` and `top` (std::push_heap)."""
    above = (place - 1) // 2
    while place > top and scores[above] > score:
        scores[place], labels[place] = scores[above], labels[above]
        place = above
        above = (place - 1) // 2
    scores[place], labels[place] = score, label


@leaf
def drop_least(scores, labels, size):
    """Take the first of `size` entries to the end; the rest stays a heap (std::pop_heap)."""
    score, label = scores[size - 1], labels[size - 1]
    scores[size - 1], labels[size - 1] = scores[0], labels[0]
    length, place, child = size - 1, 0, 0
    while child < (length - 1) // 2:
        child = 2 * (child + 1)
        if scores[child] > scores[child - 1]:
            child -= 1
        scores[place], labels[place] = scores[child], labels[child]
        place = child
    if length % 2 == 0 and length >= 2 and child == (length - 2) // 2:
        child = 2 * (child + 1)
        scores[place], labels[place] = scores[child - 1], labels[child - 1]
        place = child - 1
    if length > 0:
        rise(scores, labels, place, 0, score, label)


@leaf
def offer(scores, labels, size, score, label):
    """Enter a label; where there is no room the least one goes. Returns the new size."""
    if size < len(scores) - 1:
        rise(scores, labels, size, 0, score, label)
        return size + 1
    rise(scores, labels, size, 0, score, label)
    drop_least(scores, labels, size + 1)
    return size


@leaf
def sort_best_first(scores, labels, size):
    """Heap to list, the largest score first (std::sort_heap)."""
    while size > 1:
        drop_least(scores, labels, size)
        size -= 1


@kernel
def best_labels(logs, probabilities, threshold, first, last, scores, labels, counts):
    """The best labels of documents first to last by log probability, none whose probability is below the threshold.

    logs, probabilities float32 (L, C); scores float32 and labels int32 (L, k + 1) out, the last column is scratch;
    counts int64 (L,) out, how many there are.
    """
    for document in range(first, last):
        own, names, size = scores[document], labels[document], 0
        for label in range(logs.shape[1]):
            score = logs[document, label]
            full = size == len(own) - 1
            if probabilities[document, label] >= threshold and not (full and score < own[0]):
                size = offer(own, names, size, score, label)
        sort_best_first(own, names, size)
        counts[document] = size


@kernel
def best_leaves(hidden, output, left, right, least, first, last, nodes, sums, scores, labels, counts):
    """As `best_labels`, by the tree of hierarchical softmax: branches that cannot win are not walked.

    hidden float32 (L, D), output float32 (C, D); left, right int32 (2 C - 1,): children of each node, -1 for the C
    leaves, which come first, the root last; least float32: log of the threshold. nodes int32 and sums float32 are
    scratch for one way down. A step adds log(f + 1e-5) to the right, log(1 - f + 1e-5) to the left.
    """
    leaves, dim = output.shape
    for document in range(first, last):
        own, names, size, depth = scores[document], labels[document], 0, 1
        nodes[0], sums[0] = 2 * leaves - 2, np.float32(0.0)
        while depth > 0:
            depth -= 1
            node, score = np.int64(nodes[depth]), sums[depth]
            if score < least or (size == len(own) - 1 and score < own[0]):
                continue
            if left[node] < 0:
                size = offer(own, names, size, score, np.int32(node))
                continue
            dot = np.float32(0.0)
            for d in range(dim):
                dot += output[node - leaves, d] * hidden[document, d]
            share = np.float32(1.0) / (np.float32(1.0) + np.exp(-dot))
            nodes[depth], sums[depth] = right[node], score + np.float32(np.log(np.float64(share) + 1e-5))
            nodes[depth + 1], sums[depth + 1] = left[node], score + np.float32(np.log(1.0 - share + 1e-5))
            depth += 2
        sort_best_first(own, names, size)
        counts[document] = size
