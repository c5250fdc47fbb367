"""N-gram counting by sorting positions of the text, one order after the other.

The text is a stream of ids, `<s> w … </s>` line after line, and an n-gram is the run of positions where it starts.
Once the positions are in the order of the n-grams, the order of the (n+1)-grams follows in one pass: take the word to
the left of each position and deal the positions out by it, keeping their order. So nothing is ever compared, every
run knows the entry of the n-gram without its first word, and an order is a trie level sorted by (context, word).
"""

import numpy as np

from .jit import kernel, prefetch

UNK, BOS, EOS = 0, 1, 2

_AHEAD = 24
_HALF = np.uint64(32)
_LOW_32 = np.uint64(0xFFFFFFFF)


@kernel
def sentence_stream(ids, offsets, first, last, stream):
    """Lay out the lines `first` to `last` as <s> w … </s>, leaving out sentence marks found inside the text.

    ids int32 (N,), offsets int64 (L + 1,), stream int32 (>= N + 2 L,). Returns (length, marks left out).
    """
    size, dropped = 0, 0
    for line in range(first, last):
        stream[size] = BOS
        size += 1
        for i in range(offsets[line] - offsets[0], offsets[line + 1] - offsets[0]):
            word = ids[i]
            if word == BOS or word == EOS:
                dropped += 1
            else:
                stream[size] = word
                size += 1
        stream[size] = EOS
        size += 1
    return size, dropped


@kernel
def count_words(stream, first, last, counts):
    """counts[w] += 1 for the words stream[first:last]; counts int64 (V,)."""
    for i in range(first, last):
        counts[stream[i]] += 1


@kernel
def group_by_word(stream, first, last, cursors, positions):
    """Write the positions `first` to `last` to the places cursors[word], raising those; cursors int64 (V,)."""
    for i in range(first, last):
        word = stream[i]
        positions[cursors[word]] = i
        cursors[word] += 1


@kernel
def left_words(stream, positions, first, last, left, counts):
    """left[i] = the word before position i of `first` to `last`, and counts[word] += 1; counts int64 (V,)."""
    for i in range(first, last):
        if i + _AHEAD < last:
            prefetch(stream, np.int64(positions[i + _AHEAD]) - 1)
        word = stream[np.int64(positions[i]) - 1]
        left[i] = word
        counts[word] += 1


@kernel
def extend_left(positions, entries, first, last, left, cursors, runs):
    """Deal the positions `first` to `last` out to their left words.

    entries uint32 (M,): the n-gram of each position. runs uint64 (M,): at each left word's cursor goes that entry
    << 32 | the position one to the left.
    """
    for i in range(first, last):
        if i + _AHEAD < last:
            prefetch(runs, cursors[left[i + _AHEAD]])
        word = left[i]
        runs[cursors[word]] = np.uint64(entries[i]) << _HALF | np.uint64(positions[i] - np.uint32(1))
        cursors[word] += 1


@kernel
def count_runs(runs, starts, first, last):
    """How many n-grams the left words `first` to `last` begin, word w being runs[starts[w]:starts[w + 1]]."""
    size = 0
    for word in range(first, last):
        previous = np.uint64(0xFFFFFFFFFFFFFFFF)
        for i in range(starts[word], starts[word + 1]):
            suffix = runs[i] >> _HALF
            size += suffix != previous  # most runs are short: adding costs less than a branch guessed wrong
            previous = suffix
    return size


@kernel
def collect_runs(runs, starts, first, last, entry, positions, entries, suffixes, counts):
    """Read off the n-grams of the left words `first` to `last`, numbered from `entry` on.

    For each place i of these runs: positions[i] and entries[i] uint32. For each entry: suffixes uint32 and
    counts int32.
    """
    entry -= 1
    begin = np.int64(0)
    for word in range(first, last):
        previous = np.uint64(0xFFFFFFFFFFFFFFFF)
        for i in range(starts[word], starts[word + 1]):
            suffix = runs[i] >> _HALF
            new = suffix != previous
            entry += new
            begin = i if new else begin
            previous = suffix
            positions[i] = np.uint32(runs[i] & _LOW_32)
            entries[i] = entry
            suffixes[entry] = suffix
            counts[entry] = i + 1 - begin


@kernel
def number_words(starts, first, last, entries):
    """entries[i] = w for i from starts[w] to starts[w + 1], for the words `first` to `last`."""
    for word in range(first, last):
        for i in range(starts[word], starts[word + 1]):
            entries[i] = word


@kernel
def take(values, indices, first, last, out):
    """out[i] = values[indices[i]] for i from `first` to `last`."""
    for i in range(first, last):
        if i + _AHEAD < last:
            prefetch(values, np.int64(indices[i + _AHEAD]))
        out[i] = values[indices[i]]


@kernel
def link_levels(words, counts, new_counts, edges):
    """edges[c] = the first continuation of n-gram c: each has as many occurrences as c, or none after </s>."""
    entry, owed = 0, np.int64(0)
    for context in range(words.shape[0]):
        edges[context] = entry
        if words[context] != EOS:
            owed += counts[context]
        while owed > 0:
            owed -= new_counts[entry]
            entry += 1
    edges[words.shape[0]] = entry


@kernel
def count_left_extensions(suffixes, adjusted):
    """adjusted[s] += 1 for each n-gram with suffix s: the number of distinct words seen to its left."""
    for entry in range(suffixes.shape[0]):
        adjusted[suffixes[entry]] += 1


@kernel
def counts_of_counts(counts, result):
    """result[c] += 1 for each count c that is less than len(result)."""
    for entry in range(counts.shape[0]):
        if counts[entry] < result.shape[0]:
            result[counts[entry]] += 1
