"""Questions to a backoff model kept as packed levels, see `bits`.

Nodes are numbered within their order; a node of order 1 is the id of its word. Whatever numbers a damaged file holds,
no kernel reads outside its arrays, provided that the levels lie inside `data`.

The node of the n words that end at a place of the text is a child of the node of the n - 1 words that end one place
before. So all places of a batch are looked up order by order, none waiting for another: their searches go forward in
step, halving once a round, and what each reads in the next round is asked for in this one.
"""

import numpy as np

from .bits import (
    BACKOFF,
    EDGE,
    LOG_P,
    P_BOOK,
    SIZE,
    WORD,
    WORDS,
    backoff_at,
    decoded,
    edge_at,
    log_p_at,
    read_bits,
    record_at,
    stride_of,
    word_at,
)  # fmt: skip
from .jit import kernel, prefetch

UNK, BOS = 0, 1
LINE_START = -1  # in a stream of ids: a sentence begins here
BATCH = 2048  # places looked up together

_AHEAD = 16


@kernel(refcounts=False)
def look_up_order(stream, contexts, size, data, layout, level, lows, spans, active, nodes):
    """nodes[i] = the child in `level` of contexts[i - 1] with the word stream[i], or -1, for i from 1 to `size`.

    lows, spans and active int64 (size + 1,) are scratch: the place i is searched for among spans[i] words from
    lows[i] on, and active lists the places where more than one is left.
    """
    start, width, vocabulary = 8 * layout[level, WORDS], layout[level, WORD], layout[0, SIZE]
    records, stride = record_at(layout, level, 0), stride_of(layout, level)
    below, stride_below, edge_width = (
        record_at(layout, level - 1, 0),
        stride_of(layout, level - 1),
        layout[level - 1, EDGE],
    )
    edges, total = below + layout[level - 1, LOG_P] + layout[level - 1, BACKOFF], layout[level, SIZE]
    left = 0
    for i in range(1, size + 1):
        if i + _AHEAD <= size:
            prefetch(data, (below + max(contexts[i + _AHEAD - 1], 0) * stride_below) >> 3)
        context, word = contexts[i - 1], np.int64(stream[i])
        spans[i] = 0
        if context >= 0 and word >= 0:
            begin = min(np.int64(read_bits(data, edges + context * stride_below, edge_width)), total)
            end = min(np.int64(read_bits(data, edges + (context + 1) * stride_below, edge_width)), total)
            # Words ascend, so that at most `word` of them come before, and few after a rare one.
            lows[i] = max(begin, end - (vocabulary - word))
            spans[i] = min(end, begin + word + 1) - lows[i]
            prefetch(data, (start + (lows[i] + (spans[i] >> 1)) * width) >> 3)
            active[left] = i
            left += spans[i] > 1
    while left > 0:
        kept = 0
        for a in range(left):
            i = active[a]
            half = spans[i] >> 1
            middle = np.int64(read_bits(data, start + (lows[i] + half) * width, width))
            lows[i] += half * (middle <= stream[i])  # no branch: nobody could guess it
            spans[i] -= half
            prefetch(data, (start + (lows[i] + (spans[i] >> 1)) * width) >> 3)
            active[kept] = i
            kept += spans[i] > 1
        left = kept
    for i in range(1, size + 1):
        nodes[i] = -1
        if spans[i] > 0 and np.int64(read_bits(data, start + lows[i] * width, width)) == stream[i]:
            nodes[i] = lows[i]
            prefetch(data, (records + lows[i] * stride) >> 3)


@kernel(refcounts=False)
def score_order(stream, contexts, nodes, size, data, layout, books, level, scores, matches):
    """Raise the scores of places 1 to `size` from the orders below `level` to this one.

    A place with a node takes its probability, one without adds the backoff weight of its context, if that is known.
    """
    start, stride, width = record_at(layout, level, 0), stride_of(layout, level), layout[level, LOG_P]
    book = layout[level, P_BOOK]
    for i in range(1, size + 1):
        if stream[i] >= 0:
            if nodes[i] >= 0:
                scores[i - 1] = decoded(read_bits(data, start + nodes[i] * stride, width), width, book, books)
                matches[i - 1] = level + 1
            elif contexts[i - 1] >= 0:
                scores[i - 1] += backoff_at(data, layout, books, level - 1, contexts[i - 1])


@kernel
def score_stream(stream, state, data, layout, books, batch, scratch, nodes, scores, matches):
    """Score a stream of ids, LINE_START before each sentence, which itself scores 0.

    stream int32 (n,) of ids below V; state int64 (order,): state[k] is the node of the last k + 1 words before, or
    -1, and is left behind as it is after the stream. batch int32 (BATCH + 1,), scratch int64 (3, BATCH + 1) and nodes
    int64 (order, BATCH + 1) are for the work. Out: scores float32 (n,), log10 probabilities; matches int32 (n,), orders
    of the n-grams used, 0 at line starts.
    """
    order = layout.shape[0]
    for first in range(0, stream.shape[0], BATCH):
        size = min(BATCH, stream.shape[0] - first)
        scored, matched = scores[first : first + size], matches[first : first + size]
        for k in range(order):
            nodes[k, 0] = state[k]
        for i in range(1, size + 1):
            batch[i] = stream[first + i - 1]
            nodes[0, i] = batch[i] if batch[i] >= 0 else BOS
            scored[i - 1], matched[i - 1] = 0.0, 0
        for k in range(order):
            below = nodes[max(k - 1, 0)]
            if k > 0:
                look_up_order(batch, below, size, data, layout, k, scratch[0], scratch[1], scratch[2], nodes[k])
            score_order(batch, below, nodes[k], size, data, layout, books, k, scored, matched)
        for i in range(1, size + 1):
            if batch[i] == UNK:
                matched[i - 1] = 1
        for k in range(order):
            state[k] = nodes[k, size]


@kernel(refcounts=False)
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


@kernel(refcounts=False)
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


@kernel(refcounts=False)
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
                word = word_at(data, layout, k + 1, child)
                if word < out.shape[0]:
                    out[word] = log_p_at(data, layout, books, k + 1, child)
