"""Counts that are there already: checking them, giving their words other ids, and adding tries up.

Tries are levels as in `ngram.counts`: the continuations of entry e are edges[e]:edges[e + 1] of the next level, sorted
by word.
"""

import numpy as np

from .counting import EOS
from .jit import kernel, leaf, prefetch

_AHEAD = 24
_HALF = np.uint64(32)
_LOW_32 = np.uint64(0xFFFFFFFF)
_FEW = 24  # keys up to so many are sorted by insertion
MOST = 2**31 - 1  # the greatest count


@kernel
def level_is_sound(context_words, context_counts, edges, words, counts, suffixes, n_words, first, last):
    """Whether a level that came from a file can be trusted, below the contexts `first` to `last`.

    Every index inside, words ascending below each context and those of the suffixes, counts above 0 that add up to
    those of their contexts. int32 words and counts, uint32 edges and suffixes.
    """
    contexts, size = context_words.shape[0], words.shape[0]
    for context in range(first, last):
        begin, end = np.int64(edges[context]), np.int64(edges[context + 1])
        if begin > end or end > size:
            return False
        previous, total = -1, np.int64(0)
        for i in range(begin, end):
            word, suffix = np.int64(words[i]), np.int64(suffixes[i])
            if word <= previous or word >= n_words or suffix >= contexts or counts[i] < 1:
                return False
            if context_words[suffix] != word:
                return False
            previous = word
            total += counts[i]
        if total != (0 if context_words[context] == EOS else context_counts[context]):
            return False
    return True


@leaf
def sort_keys(keys, size):
    """Sort keys[:size]."""
    if size > _FEW:
        keys[:size].sort()
    else:
        for i in range(1, size):
            key, k = keys[i], i
            while k > 0 and keys[k - 1] > key:
                keys[k] = keys[k - 1]
                k -= 1
            keys[k] = key


@kernel
def renumber_level(
    order, groups, edges, words, counts, ids, scratch, new_order, numbers, new_words, new_counts, new_edges
):
    """Sort one level by the new numbers of contexts and words, adding up what becomes the same n-gram.

    order uint32 (C,): the contexts by their new numbers, which are groups uint32 (C,) by old number. ids int32: the
    new id of each word. scratch uint64: as long as the most continuations of one new context.
    Out: new_order and numbers uint32 (E,): the same two for this level; new_words and new_counts int32 and new_edges
    uint32 of the new level. Returns its size, or -1 where a sum is more than an int32 holds.
    """
    size, done, place = 0, 0, 0
    for context in range(new_edges.shape[0] - 1):
        new_edges[context] = size
        found = 0
        while done < order.shape[0] and groups[order[done]] == context:
            old = order[done]
            for entry in range(np.int64(edges[old]), np.int64(edges[old + 1])):
                scratch[found] = np.uint64(ids[words[entry]]) << _HALF | np.uint64(entry)
                found += 1
            done += 1
        sort_keys(scratch, found)
        previous, total = np.int64(-1), np.int64(0)
        for i in range(found):
            word, entry = np.int64(scratch[i] >> _HALF), np.int64(scratch[i] & _LOW_32)
            if word != previous:
                new_words[size] = word
                total = np.int64(0)
                size += 1
            total += counts[entry]
            if total > MOST:
                return -1
            new_counts[size - 1] = total
            numbers[entry] = size - 1
            new_order[place] = entry
            place += 1
            previous = word
    new_edges[new_edges.shape[0] - 1] = size
    return size


@kernel
def most_continuations(groups, edges, totals):
    """The most continuations that contexts of one group have together; totals int64, 0, by group."""
    most = np.int64(0)
    for context in range(groups.shape[0]):
        totals[groups[context]] += np.int64(edges[context + 1]) - np.int64(edges[context])
        most = max(most, totals[groups[context]])
    return most


@kernel
def renumber_suffixes(suffixes, numbers_below, numbers, new_suffixes):
    """new_suffixes[numbers[e]] = numbers_below[suffixes[e]]; all uint32."""
    for entry in range(suffixes.shape[0]):
        if entry + _AHEAD < suffixes.shape[0]:
            prefetch(numbers_below, np.int64(suffixes[entry + _AHEAD]))
            prefetch(new_suffixes, np.int64(numbers[entry + _AHEAD]))
        new_suffixes[numbers[entry]] = numbers_below[suffixes[entry]]


@kernel
def continuation_keys(numbers, edges, words, first, last, keys):
    """keys[i] = the number of the context << 32 | the word, for the continuations of the contexts `first` to `last`.

    numbers and edges uint32, words int32; keys uint64 begin with those of `first`.
    """
    begin = np.int64(edges[first])
    for context in range(first, last):
        high = np.uint64(numbers[context]) << _HALF
        for entry in range(np.int64(edges[context]), np.int64(edges[context + 1])):
            keys[entry - begin] = high | np.uint64(words[entry])


@leaf
def settle_in(heap, tops, hole, size):
    """Let the run at `hole` sink to its place among the first `size`; `tops` are the keys the heap is ordered by."""
    run, key = heap[hole], tops[hole]
    child = 2 * hole + 1
    while child < size:
        if child + 1 < size and tops[child + 1] < tops[child]:
            child += 1
        if tops[child] >= key:
            break
        heap[hole], tops[hole] = heap[child], tops[child]
        hole, child = child, 2 * child + 1
    heap[hole], tops[hole] = run, key


@kernel
def merge_runs(keys, counts, suffixes, bounds, weights, heads, heap, tops, places, new_keys, new_counts, new_suffixes):
    """Merge sorted runs of n-grams, adding up the weighted counts of equal ones.

    Run r is bounds[r]:bounds[r + 1] (int64) of keys uint64, counts int32, suffixes uint32; weights int64 (K,). heads
    int64, heap int64 and tops uint64 (K,) are scratch.
    Out: places uint32, the number of each n-gram in the result; new_keys uint64, new_counts int64, new_suffixes
    uint32. Returns the size of the result.
    """
    runs = 0
    for run in range(bounds.shape[0] - 1):
        heads[run] = bounds[run]
        if bounds[run] < bounds[run + 1]:
            heap[runs], tops[runs] = run, keys[bounds[run]]
            runs += 1
    for hole in range(runs // 2 - 1, -1, -1):
        settle_in(heap, tops, hole, runs)
    size = 0
    while runs > 0:
        run = heap[0]
        i = heads[run]
        if size == 0 or new_keys[size - 1] != keys[i]:
            new_keys[size], new_counts[size], new_suffixes[size] = keys[i], 0, suffixes[i]
            size += 1
        new_counts[size - 1] += weights[run] * np.int64(counts[i])
        places[i] = size - 1
        heads[run] = i + 1
        if i + 1 < bounds[run + 1]:
            tops[0] = keys[i + 1]
        else:
            runs -= 1
            heap[0], tops[0] = heap[runs], tops[runs]
        settle_in(heap, tops, 0, runs)
    return size


@kernel
def split_keys(keys, size, first, words, edges):
    """words[i] = the low half of key i; edges[c - first] = the first key of the contexts from c on, to the end."""
    context = 0
    for i in range(size):
        words[i] = keys[i] & _LOW_32
        own = np.int64(keys[i] >> _HALF) - first
        while context <= own:
            edges[context] = i
            context += 1
    while context < edges.shape[0]:
        edges[context] = size
        context += 1


@kernel
def take_between(values, low, indices, first, last, out):
    """out[i] = values[indices[i] - low] where that is inside, for i from `first` to `last`.

    values and out int32 (E, W), indices uint32.
    """
    size, width = values.shape
    for i in range(first, last):
        if i + _AHEAD < last:
            prefetch(values, min(max(np.int64(indices[i + _AHEAD]) - low, 0), size - 1))
        place = np.int64(indices[i]) - low
        if 0 <= place < size:
            for k in range(width):
                out[i, k] = values[place, k]
