"""Questions to a backoff model kept as trie levels with suffix links.

Level n (from 0 for unigrams) has its n-grams of n + 1 words sorted by (context, word). All levels lie one after the
other in flat arrays; `base[n]` is where level n begins, and nodes are numbered through all levels:
    words     int32   (T,)   last word of node
    log_p     float32 (T,)   log10 probability
    backoff   float32 (C,)   log10 backoff weight of nodes below the highest order
    edges     uint32  (C+1,) children of node i are the nodes edges[i]:edges[i + 1]
    suffix    uint32  (C,)   node without its first word; unused for unigrams
C counts the nodes below the highest order. A state is (node, length): the longest known suffix of the text so far,
length 0 for none. Whatever numbers a damaged file holds, no kernel reads outside its arrays.
"""

import math

import numpy as np

from .jit import kernel, leaf

UNK = 0
_LINEAR = 8  # ranges up to this size are walked through


@leaf
def find_word(words, begin, end, word):
    """Index of `word` in the ascending words[begin:end], or -1. Frequent words have small ids and lie in front,
    so the search gallops from there.
    """
    low, step = begin, _LINEAR
    while low + step < end and words[low + step] < word:
        low += step
        step *= 4
    high = min(low + step + 1, end)
    while high - low > _LINEAR:
        middle = (low + high) >> 1
        if words[middle] < word:
            low = middle + 1
        else:
            high = middle + 1
    while low < high and words[low] < word:
        low += 1
    return low if low < high and words[low] == word else -1


@leaf
def find_child(node, word, words, edges):
    """The child of `node` with this last word, or -1."""
    found = -1
    if node < edges.shape[0] - 1:
        end = min(np.int64(edges[node + 1]), words.shape[0])
        found = find_word(words, np.int64(edges[node]), end, word)
    return found


@leaf
def step(word, node, length, order, words, log_p, backoff, edges, suffix):
    """Score one word after a state. Returns (log10 probability, order of the n-gram used, new node, new length)."""
    charged = np.float32(0.0)
    found = np.int64(-1)
    while length > 0:
        found = find_child(node, word, words, edges)
        if found >= 0 or node >= backoff.shape[0]:
            break
        charged += backoff[node]
        node = np.int64(suffix[node])
        length -= 1
    if found < 0:
        found, length = np.int64(word), 0
    matched = length + 1
    score = charged + log_p[found]
    if matched < order:
        node, length = found, matched
    elif matched > 2:
        # A node of the highest order is no context: go on from its suffix, found below the context's suffix.
        node, length = find_child(np.int64(suffix[node]), word, words, edges), matched - 1
        if node < 0:
            node, length = np.int64(word), 1
    else:
        node, length = np.int64(word), matched - 1
    if word == UNK:
        matched = 1
    return score, matched, node, length


@kernel
def score_tokens(ids, node, length, order, words, log_p, backoff, edges, suffix, scores, matches):
    """Score ids one after the other from a state; scores float32 and matches int32 (len(ids),) out.

    Returns the state after the last one.
    """
    for i in range(ids.shape[0]):
        scores[i], matches[i], node, length = step(ids[i], node, length, order, words, log_p, backoff, edges, suffix)
    return node, length


@kernel
def score_lines(ids, offsets, first, last, bos, eos, order, words, log_p, backoff, edges, suffix, totals, unknown):
    """Score lines, each from <s> to </s>.

    ids int32, offsets int64 (L + 1,); bos, eos: their ids. Out, by line: totals float64 (L, 2), the log10
    probability of all tokens and of the unknown ones, and unknown int64 (L,), how many are unknown.
    """
    for line in range(first, last):
        node, length = np.int64(bos), np.int64(1)
        if order == 1:
            node, length = np.int64(0), np.int64(0)
        total, lost, missing = 0.0, 0.0, 0
        for i in range(offsets[line], offsets[line + 1] + 1):
            word = ids[i] if i < offsets[line + 1] else np.int32(eos)
            score, _, node, length = step(word, node, length, order, words, log_p, backoff, edges, suffix)
            total += score
            if word == UNK:
                lost += score
                missing += 1
        totals[line, 0], totals[line, 1] = total, lost
        unknown[line] = missing


@kernel
def next_distribution(node, length, log_p, backoff, edges, suffix, words, vocabulary, out):
    """log10 p(w | state) of every word w; out float64 (V,).

    Fills in the unigrams, then each longer context over them, the state's own context last.
    """
    nodes = np.empty(length + 1, np.int64)
    weights = np.zeros(length + 1, np.float64)
    for i in range(length):  # nodes[0] is the state, charged nothing; each shorter one adds a backoff
        nodes[i] = node
        weights[i + 1] = weights[i] + backoff[node]
        if i + 1 < length:
            node = np.int64(suffix[node])
    for word in range(vocabulary):
        out[word] = weights[length] + log_p[word]
    for i in range(length - 1, -1, -1):
        for child in range(np.int64(edges[nodes[i]]), np.int64(edges[nodes[i] + 1])):
            out[words[child]] = weights[i] + log_p[child]


@kernel
def sum_probabilities(out):
    """Sum of 10**out."""
    total = 0.0
    for i in range(out.shape[0]):
        total += math.pow(10.0, out[i])
    return total
