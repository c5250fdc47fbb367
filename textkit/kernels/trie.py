"""Backoff models as plain arrays, nodes numbered through all orders; see `formats.backoff.BackoffTrie`.

Whatever numbers a damaged file holds, no kernel reads outside its arrays.
"""

import numpy as np

from .jit import kernel, leaf

_LINEAR = 8  # ranges up to this size are walked through


@leaf
def find_word(words, begin, end, word):
    """Index of `word` in the ascending words[begin:end], or -1."""
    low, high = begin, end
    while high - low > _LINEAR:
        middle = (low + high) >> 1
        if words[middle] < word:
            low = middle + 1
        else:
            high = middle + 1
    while low < high and words[low] < word:
        low += 1
    return low if low < high and words[low] == word else -1


@kernel(refcounts=False)
def find_child(node, word, words, edges):
    """The child of `node` with this last word, or -1."""
    if node < 0 or node >= edges.shape[0] - 1:
        return -1
    return find_word(words, np.int64(edges[node]), min(np.int64(edges[node + 1]), words.shape[0]), word)


@kernel(refcounts=False)
def descend(ngrams, column, length, words, edges, nodes):
    """nodes[i] = node of the `length` words ngrams[i, column:], or -1 where there is none.

    ngrams int32 (E, n), nodes int64 (E,) out.
    """
    for i in range(ngrams.shape[0]):
        node = np.int64(ngrams[i, column])
        for k in range(1, length):
            node = find_child(node, ngrams[i, column + k], words, edges)
            if node < 0:
                break
        nodes[i] = node


@kernel(refcounts=False)
def find_path(ngram, first, last, words, edges):
    """Node of the words ngram[first:last], or -1."""
    node = np.int64(ngram[first])
    for k in range(first + 1, last):
        node = find_child(node, ngram[k], words, edges)
    return node


@kernel(refcounts=False)
def back_off(ngrams, words, log_p, backoff, edges, numbers):
    """numbers[i, 0] = log10 probability of the last word of ngrams[i] after the others, by backing off.

    ngrams int32 (M, n), none of them in the trie, their words are; numbers float32 (M, 2) out, of which the second
    column, the backoffs, stays as it is.
    """
    n = ngrams.shape[1]
    for i in range(ngrams.shape[0]):
        total = np.float32(0.0)
        for first in range(n):
            node = find_path(ngrams[i], first, n, words, edges)
            if node >= 0:
                total += log_p[node]
                break
            context = find_path(ngrams[i], first, n - 1, words, edges)
            if 0 <= context < backoff.shape[0]:
                total += backoff[context]
        numbers[i, 0] = total


@kernel(refcounts=False)
def look_up_order(stream, contexts, words, edges, entries):
    """entries[i] = the continuation of contexts[i - 1] with the word stream[i], or -1.

    stream int32 (n,), contexts int64 (n,) entries of the order below; words int32 and edges uint32 of the two levels,
    as in `ngram.counting.Level`; entries int64 (n,) out.
    """
    entries[0] = -1
    for i in range(1, stream.shape[0]):
        entries[i] = -1
        context = contexts[i - 1]
        if context >= 0:
            entries[i] = find_word(words, np.int64(edges[context]), np.int64(edges[context + 1]), stream[i])


@leaf
def find_reach(words, low, stop, word):
    """An end, at most `stop`, before which `word` stands if it stands in the ascending words[low:stop]."""
    step = _LINEAR
    while low + step < stop and words[low + step] < word:
        low += step
        step *= 4
    return min(low + step + 1, stop)


@kernel(refcounts=False)
def link_suffixes(first, last, vocabulary, words, edges, links):
    """links[y] = node of the n-gram y without its first word, for all children y of the contexts `first` to `last`.

    links uint32 (T,) is filled for these contexts already. Returns the first child that has none or is not above the
    one before, or a context whose edges fall; -1 if all is well.
    """
    for context in range(first, last):
        begin, end = np.int64(edges[context]), np.int64(edges[context + 1])
        if end < begin or end > words.shape[0]:
            return context
        low, stop = np.int64(0), np.int64(vocabulary)
        if context >= vocabulary:
            low, stop = np.int64(edges[links[context]]), np.int64(edges[links[context] + 1])
        before = -1
        for child in range(begin, end):
            word = words[child]
            if word <= before or word >= vocabulary:
                return child
            before = word
            found = np.int64(word)
            if context >= vocabulary:
                found = find_word(words, low, find_reach(words, low, stop, word), word)
            if found < 0:
                return child
            links[child] = found
            low = found
    return -1
