"""Questions to a backoff model kept as a trie.

The n-grams of each order lie sorted by (context, word), order after order, and are numbered through as nodes:
    words     int32   (T,)   last word of a node; unigrams come first, in the order of their ids
    log_p     float32 (T,)   log10 probability
    backoff   float32 (C,)   log10 backoff weight of the nodes below the highest order
    edges     uint32  (C+1,) children of node i are the nodes edges[i]:edges[i + 1]
C counts the nodes below the highest order. Whatever numbers a damaged file holds, no kernel reads outside its arrays.

The node of the n words that end at a place of the text is a child of the node of the n - 1 words that end one place
before. So all places of a batch are looked up order by order, none waiting for another, and the cache lines that each
needs are asked for ahead of time.
"""

import numpy as np

from .jit import kernel, leaf, prefetch

UNK, BOS = 0, 1
LINE_START = -1  # in a stream of ids: a sentence begins here
BATCH = 2048  # places looked up together

_LINEAR = 8  # ranges up to this size are walked through
_FAR, _NEAR = 24, 12  # places between asking for a node, asking for its children, and searching them


@leaf
def find_word(words, begin, end, word):
    """Index of `word` in the ascending words[begin:end], or -1.

    Frequent words have small ids and lie in front, so the search gallops from there.
    """
    low, stride = begin, _LINEAR
    while low + stride < end and words[low + stride] < word:
        low += stride
        stride *= 4
    high = min(low + stride + 1, end)
    while high - low > _LINEAR:
        middle = (low + high) >> 1
        if words[middle] < word:
            low = middle + 1
        else:
            high = middle + 1
    while low < high and words[low] < word:
        low += 1
    return low if low < high and words[low] == word else -1


@kernel
def find_child(node, word, words, edges):
    """The child of `node` with this last word, or -1."""
    if node < 0 or node >= edges.shape[0] - 1:
        return -1
    return find_word(words, np.int64(edges[node]), min(np.int64(edges[node + 1]), words.shape[0]), word)


@kernel
def look_up_order(stream, contexts, size, words, log_p, backoff, edges, nodes):
    """nodes[i] = the child of contexts[i - 1] with the word stream[i], or -1, for i from 1 to `size`."""
    inner, total = edges.shape[0] - 1, words.shape[0]
    for i in range(1, size + 1):
        if i + _FAR <= size and contexts[i + _FAR - 1] >= 0:
            prefetch(edges, contexts[i + _FAR - 1])
        if i + _NEAR <= size and 0 <= contexts[i + _NEAR - 1] < inner:
            prefetch(words, min(np.int64(edges[contexts[i + _NEAR - 1]]), total - 1))
        found = np.int64(-1)
        context, word = contexts[i - 1], stream[i]
        if 0 <= context < inner and word >= 0:
            found = find_word(words, np.int64(edges[context]), min(np.int64(edges[context + 1]), total), word)
            if found >= 0:
                prefetch(log_p, found)
                if found < inner:
                    prefetch(backoff, found)
        nodes[i] = found


@kernel
def score_stream(stream, state, order, words, log_p, backoff, edges, batch, nodes, scores, matches):
    """Score a stream of ids, LINE_START before each sentence, which itself scores 0.

    stream int32 (n,); state int64 (order,): state[k] is the node of the last k + 1 words before, or -1, and is left
    behind as it is after the stream. batch int32 (BATCH + 1,) and nodes int64 (order, BATCH + 1) are scratch.
    Out: scores float32 (n,), log10 probabilities; matches int32 (n,), orders of the n-grams used, 0 at line starts.
    """
    for first in range(0, stream.shape[0], BATCH):
        size = min(BATCH, stream.shape[0] - first)
        for k in range(order):
            nodes[k, 0] = state[k]
        for i in range(1, size + 1):
            batch[i] = stream[first + i - 1]
            nodes[0, i] = batch[i] if batch[i] >= 0 else BOS
        for k in range(1, order):
            look_up_order(batch, nodes[k - 1], size, words, log_p, backoff, edges, nodes[k])
        for i in range(1, size + 1):
            score, matched = np.float32(0.0), 0
            if batch[i] >= 0:
                matched = order
                while matched > 1 and nodes[matched - 1, i] < 0:
                    matched -= 1
                score = log_p[nodes[matched - 1, i]]
                for k in range(matched - 1, order - 1):
                    if 0 <= nodes[k, i - 1] < backoff.shape[0]:
                        score += backoff[nodes[k, i - 1]]
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
def next_distribution(state, order, words, log_p, backoff, edges, out):
    """log10 p(w | state) of every word w; state as in `score_stream`, out float64 (V,).

    Fills in the unigrams, then what each longer context lists over them.
    """
    for word in range(out.shape[0]):
        out[word] = log_p[word]
    for k in range(order - 1):
        node = state[k]
        if 0 <= node < backoff.shape[0]:
            for word in range(out.shape[0]):
                out[word] += backoff[node]
            for child in range(np.int64(edges[node]), min(np.int64(edges[node + 1]), words.shape[0])):
                if 0 <= words[child] < out.shape[0]:
                    out[words[child]] = log_p[child]
