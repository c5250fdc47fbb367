"""Questions to a backoff model kept as packed records, see `bits`.

Nodes are numbered within their order; a node of order 1 is the id of its word. Whatever numbers a damaged file holds,
no kernel reads outside its arrays, provided that the levels lie inside `data`.

The node of the n words that end at a place of the text is a child of the node of the n - 1 words that end one place
before. So all places of a batch are looked up order by order, none waiting for another, and the cache lines that each
needs are asked for ahead of time.
"""

import numpy as np

from .bits import BACKOFF, EDGE, LOG_P, WORD, backoff_at, edge_at, log_p_at, read_bits, record_at
from .jit import kernel, leaf, prefetch

UNK, BOS = 0, 1
LINE_START = -1  # in a stream of ids: a sentence begins here
BATCH = 2048  # places looked up together

_LINEAR = 8  # ranges up to this size are walked through
_FAR, _NEAR = 24, 12  # places between asking for a node, asking for its children, and searching them


@leaf
def find_record(data, start, stride, width, begin, end, word):
    """Index of the record with this word among the ascending ones `begin` to `end`, or -1.

    Record i has its word in the `width` bits at bit start + i * stride. Frequent words have small ids and lie in
    front, so the search gallops from there.
    """
    low, step = begin, _LINEAR
    while low + step < end and np.int64(read_bits(data, start + (low + step) * stride, width)) < word:
        low += step
        step *= 4
    high = min(low + step + 1, end)
    while high - low > _LINEAR:
        middle = (low + high) >> 1
        if np.int64(read_bits(data, start + middle * stride, width)) < word:
            low = middle + 1
        else:
            high = middle + 1
    found = np.int64(-1)
    while low < high and found < word:
        found = np.int64(read_bits(data, start + low * stride, width))
        low += 1
    return low - 1 if found == word else -1


@leaf
def stride_of(layout, level):
    """Bits of a record."""
    return layout[level, WORD] + layout[level, LOG_P] + layout[level, BACKOFF] + layout[level, EDGE]


@kernel
def look_up_order(stream, contexts, size, data, layout, level, nodes):
    """nodes[i] = the child in `level` of contexts[i - 1] with the word stream[i], or -1, for i from 1 to `size`."""
    start, stride, width = record_at(layout, level, 0), stride_of(layout, level), layout[level, WORD]
    below = record_at(layout, level - 1, 0)
    stride_below = stride_of(layout, level - 1)
    for i in range(1, size + 1):
        if i + _FAR <= size and contexts[i + _FAR - 1] >= 0:
            prefetch(data, (below + contexts[i + _FAR - 1] * stride_below) >> 3)
        if i + _NEAR <= size and contexts[i + _NEAR - 1] >= 0:
            prefetch(data, (start + edge_at(data, layout, level - 1, contexts[i + _NEAR - 1]) * stride) >> 3)
        found = np.int64(-1)
        context, word = contexts[i - 1], stream[i]
        if context >= 0 and word >= 0:
            begin, end = edge_at(data, layout, level - 1, context), edge_at(data, layout, level - 1, context + 1)
            found = find_record(data, start, stride, width, begin, end, word)
        nodes[i] = found


@kernel
def score_stream(stream, state, data, layout, books, batch, nodes, scores, matches):
    """Score a stream of ids, LINE_START before each sentence, which itself scores 0.

    stream int32 (n,) of ids below V; state int64 (order,): state[k] is the node of the last k + 1 words before, or
    -1, and is left behind as it is after the stream. batch int32 (BATCH + 1,) and nodes int64 (order, BATCH + 1) are
    scratch. Out: scores float32 (n,), log10 probabilities; matches int32 (n,), orders of the n-grams used, 0 at line
    starts.
    """
    order = layout.shape[0]
    for first in range(0, stream.shape[0], BATCH):
        size = min(BATCH, stream.shape[0] - first)
        for k in range(order):
            nodes[k, 0] = state[k]
        for i in range(1, size + 1):
            batch[i] = stream[first + i - 1]
            nodes[0, i] = batch[i] if batch[i] >= 0 else BOS
        for k in range(1, order):
            look_up_order(batch, nodes[k - 1], size, data, layout, k, nodes[k])
        for i in range(1, size + 1):
            score, matched = np.float32(0.0), 0
            if batch[i] >= 0:
                matched = order
                while matched > 1 and nodes[matched - 1, i] < 0:
                    matched -= 1
                score = log_p_at(data, layout, books, matched - 1, nodes[matched - 1, i])
                for k in range(matched - 1, order - 1):
                    if nodes[k, i - 1] >= 0:
                        score += backoff_at(data, layout, books, k, nodes[k, i - 1])
                if batch[i] == UNK:
                    matched = 1
            scores[first + i - 1], matches[first + i - 1] = score, matched
        for k in range(order):
            state[k] = nodes[k, size]


@kernel
def line_stream(ids, offsets, first, last, eos, stream):
    """Lines `first` to `last` as LINE_START, ids, eos; ids int32, offsets int64 (L + 1,). Returns the length."""
    size = 0
    for line in range(first, last):
        stream[size] = LINE_START
        size += 1
        for i in range(offsets[line], offsets[line + 1]):
            stream[size] = ids[i]
            size += 1
        stream[size] = eos
        size += 1
    return size


@kernel
def sum_lines(stream, scores, totals, unknown):
    """Add up a scored stream by lines.

    Out: totals float64 (L, 2), log10 probability of all tokens and of the unknown ones; unknown int64 (L,).
    """
    line = -1
    for i in range(stream.shape[0]):
        if stream[i] == LINE_START:
            line += 1
            totals[line, 0] = totals[line, 1] = 0.0
            unknown[line] = 0
        else:
            totals[line, 0] += scores[i]
            if stream[i] == UNK:
                totals[line, 1] += scores[i]
                unknown[line] += 1


@kernel
def next_distribution(state, data, layout, books, out):
    """log10 p(w | state) of every word w; state as in `score_stream`, out float64 (V,).

    Fills in the unigrams, then what each longer context lists over them.
    """
    for word in range(out.shape[0]):
        out[word] = log_p_at(data, layout, books, 0, word)
    for k in range(layout.shape[0] - 1):
        node = state[k]
        if node >= 0:
            weight = backoff_at(data, layout, books, k, node)
            for word in range(out.shape[0]):
                out[word] += weight
            for child in range(edge_at(data, layout, k, node), edge_at(data, layout, k, node + 1)):
                word = np.int64(read_bits(data, record_at(layout, k + 1, child), layout[k + 1, WORD]))
                if word < out.shape[0]:
                    out[word] = log_p_at(data, layout, books, k + 1, child)
