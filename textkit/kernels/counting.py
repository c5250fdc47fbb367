"""N-gram counting by sorting positions of the text, one order after the other.

The text is a stream of ids, `<s> w … </s>` line after line. All occurrences of an n-gram are a run of start
positions in `positions`; sorting each run by the word that follows gives the runs of the next order. An order is
stored as a trie level, entries sorted by (context, word):
    words   int32  (E,)  last word of each n-gram
    counts  int32  (E,)  its occurrences
    starts  uint32 (E,)  where its run begins in `positions`
"""

import numpy as np

from .jit import kernel, leaf, prefetch

UNK, BOS, EOS = 0, 1, 2

_AHEAD = 24
_SHORT = 24  # runs up to this length are sorted by insertion
_MEDIUM = 4096  # runs up to this length are sorted by 8-bit digits, longer ones by 11-bit digits
_WORD_SHIFT = np.uint64(32)


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


@leaf
def insertion_sort(keys, size):
    """Sort keys[:size] ascending."""
    for i in range(1, size):
        key = keys[i]
        j = i - 1
        while j >= 0 and keys[j] > key:
            keys[j + 1] = keys[j]
            j -= 1
        keys[j + 1] = key


@kernel
def radix_pass(source, target, size, shift, bits, histogram):
    """Move source[:size] to target in the order of `bits` bits from `shift` on, equal ones staying in order."""
    mask = np.uint64((1 << bits) - 1)
    histogram[: 1 << bits] = 0
    for i in range(size):
        histogram[(source[i] >> shift) & mask] += 1
    total = 0
    for digit in range(1 << bits):
        count = histogram[digit]
        histogram[digit] = total
        total += count
    for i in range(size):
        digit = (source[i] >> shift) & mask
        target[histogram[digit]] = source[i]
        histogram[digit] += 1


@kernel
def sort_by_word(keys, spare, size, word_bits, histogram):
    """Sort keys[:size], word << 32 | position with ascending positions, by word. keys, spare uint64."""
    if size <= _SHORT:
        insertion_sort(keys, size)
        return
    bits = 8 if size <= _MEDIUM else 11
    shift = 0
    while shift < word_bits:
        radix_pass(keys, spare, size, np.uint64(32 + shift), bits, histogram)
        shift += bits
        if shift >= word_bits:
            keys[:size] = spare[:size]
            return
        radix_pass(spare, keys, size, np.uint64(32 + shift), bits, histogram)
        shift += bits


@kernel
def refine(
    stream, positions, length, word_bits, starts, counts, words, first, last, keys, spare, histogram,
    new_words, new_counts, new_starts, children,
):  # fmt: skip
    """Extend the n-grams `first` to `last` of a level by one word.

    Input: a level of n-grams of `length` words with starts, counts, words; positions sorted by those n-grams.
    Output: the next level's new_words, new_counts, new_starts from index 0, children[i] = continuations of i;
    positions sorted by the longer n-grams. keys, spare uint64 (largest count,) and histogram int64 (2048,) are
    scratch. Returns the number of new entries.
    """
    size = 0
    for entry in range(first, last):
        if entry + _AHEAD < last:
            prefetch(stream, np.int64(positions[starts[entry + _AHEAD]]) + length)
        before = size
        start, count = np.int64(starts[entry]), np.int64(counts[entry])
        if words[entry] == EOS or count == 0:
            children[entry] = 0
            continue
        if count == 1:
            new_words[size] = stream[np.int64(positions[start]) + length]
            new_counts[size] = 1
            new_starts[size] = start
            size += 1
            children[entry] = 1
            continue
        for i in range(count):
            position = positions[start + i]
            keys[i] = np.uint64(stream[np.int64(position) + length]) << _WORD_SHIFT | np.uint64(position)
        sort_by_word(keys, spare, count, word_bits, histogram)
        previous = -1
        for i in range(count):
            positions[start + i] = np.uint32(keys[i] & np.uint64(0xFFFFFFFF))
            word = np.int64(keys[i] >> _WORD_SHIFT)
            if word != previous:
                new_words[size] = word
                new_counts[size] = 0
                new_starts[size] = start + i
                size += 1
                previous = word
            new_counts[size - 1] += 1
        children[entry] = size - before
    return size


@kernel
def mark_positions(positions, starts, counts, first, last, at):
    """at[p] = entry for every position p where one of the entries `first` to `last` begins; at uint32 (M,)."""
    for entry in range(first, last):
        for i in range(np.int64(starts[entry]), np.int64(starts[entry]) + counts[entry]):
            at[positions[i]] = entry


@kernel
def find_suffixes(positions, starts, first, last, at, suffixes):
    """suffixes[e] = the entry one order lower that is e without its first word; `at` as marked for that order."""
    for entry in range(first, last):
        if entry + _AHEAD < last:
            prefetch(at, np.int64(positions[starts[entry + _AHEAD]]) + 1)
        suffixes[entry] = at[np.int64(positions[starts[entry]]) + 1]


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
