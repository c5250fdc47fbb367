"""N-gram counting by sorting the places of the text, one order after the other.

The text is a stream of ids, `<s> w … </s>` line after line. A record is a place of it, where an n-gram begins, and the
number of that n-gram. Once the records are in the order of the n-grams, the order of the (n+1)-grams follows in one
pass: take the word to the left of each place and deal the records out by it, keeping their order. So nothing is ever
compared, every run knows the entry of the n-gram without its first word, and an order is a trie level sorted by
(context, word).
"""

import numpy as np

from .jit import kernel, prefetch

UNK, BOS, EOS = 0, 1, 2

_AHEAD = 24
_HALF = np.uint64(32)
_LOW_32 = np.uint64(0xFFFFFFFF)


@kernel(refcounts=False)
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


@kernel(refcounts=False)
def count_words(stream, first, last, counts, places):
    """counts[w] += 1 for the words stream[first:last], and places[w] where one comes first; both int64 (V,)."""
    for i in range(first, last):
        word = stream[i]
        if counts[word] == 0:
            places[word] = i
        counts[word] += 1


@kernel(refcounts=False)
def place_cursors(tallies, starts):
    """From how often parts of the input have words to where each part begins to write each word, in place.

    tallies int64 (P, V); starts int64 (V + 1,) out, where each word begins, those of the first part first.
    """
    place = np.int64(0)
    for word in range(tallies.shape[1]):
        starts[word] = place
        for part in range(tallies.shape[0]):
            count = tallies[part, word]
            tallies[part, word] = place
            place += count
    starts[tallies.shape[1]] = place


@kernel(refcounts=False)
def group_by_word(stream, first, last, cursors, records):
    """Make records of the places `first` to `last`, at cursors[word], raising those; cursors int64 (V,).

    records uint64 (M,): the word << 32 | the place.
    """
    for i in range(first, last):
        word = stream[i]
        records[cursors[word]] = np.uint64(word) << _HALF | np.uint64(i)
        cursors[word] += 1


@kernel(refcounts=False)
def left_words(stream, records, first, last, left, counts):
    """left[i] = the word before the place of record i, and counts[word] += 1, for i from `first` to `last`.

    left int32 (M,), counts int64 (V,).
    """
    for i in range(first, last):
        if i + _AHEAD < last:
            prefetch(stream, np.int64(records[i + _AHEAD] & _LOW_32) - 1)
        word = stream[np.int64(records[i] & _LOW_32) - 1]
        left[i] = word
        counts[word] += 1


@kernel(refcounts=False)
def deal_left(records, first, last, left, cursors, dealt):
    """Deal the records `first` to `last` out to cursors[left word], raising those, each place moved to that word."""
    for i in range(first, last):
        if i + _AHEAD < last:
            prefetch(dealt, cursors[left[i + _AHEAD]])
        word = left[i]
        dealt[cursors[word]] = records[i] - np.uint64(1)
        cursors[word] += 1


@kernel(refcounts=False)
def count_runs(records, first, last, starts):
    """How many n-grams the left words `first` to `last` begin, word w being records[starts[w]:starts[w + 1]]."""
    size = 0
    for word in range(first, last):
        previous = np.uint64(0xFFFFFFFFFFFFFFFF)
        for i in range(starts[word], starts[word + 1]):
            suffix = records[i] >> _HALF
            size += suffix != previous  # most runs are short: adding costs less than a branch guessed wrong
            previous = suffix
    return size


@kernel(refcounts=False)
def collect_runs(records, first, last, starts, entry, below_words, words, suffixes, counts):
    """Read off the n-grams of the left words `first` to `last`, numbered from `entry` on.

    The records get these numbers in place of those of the suffixes. below_words int32: last words of the level
    below. For each entry: words and counts int32, suffixes uint32.
    """
    number = np.int64(entry) - 1
    begin, end = np.int64(0), starts[last]
    for word in range(first, last):
        previous = np.uint64(0xFFFFFFFFFFFFFFFF)
        for i in range(starts[word], starts[word + 1]):
            if i + _AHEAD < end:
                prefetch(below_words, np.int64(records[i + _AHEAD] >> _HALF))
            suffix = records[i] >> _HALF
            new = suffix != previous
            number += new
            begin = i if new else begin
            previous = suffix
            records[i] = np.uint64(number) << _HALF | records[i] & _LOW_32
            suffixes[number] = suffix
            words[number] = below_words[suffix]
            counts[number] = i + 1 - begin


@kernel(refcounts=False)
def link_levels(words, counts, first, last, new_counts, entry, edges):
    """edges[c] = the first continuation of n-gram c, for c from `first` to `last`; the first of all is `entry`.

    Each n-gram has as many occurrences with a continuation as it has, or none after </s>.
    """
    owed = np.int64(0)
    for context in range(first, last):
        edges[context] = entry
        if words[context] != EOS:
            owed += counts[context]
        while owed > 0:
            owed -= new_counts[entry]
            entry += 1


@kernel(refcounts=False)
def count_left_extensions(suffixes, low, adjusted):
    """adjusted[s - low] += 1, where that is inside, for each n-gram with suffix s: the distinct words to its left."""
    for entry in range(suffixes.shape[0]):
        place = np.int64(suffixes[entry]) - low
        if 0 <= place < adjusted.shape[0]:
            adjusted[place] += 1


@kernel(refcounts=False)
def counts_of_counts(counts, result):
    """result[c] += 1 for each count c that is less than len(result)."""
    for entry in range(counts.shape[0]):
        if counts[entry] < result.shape[0]:
            result[counts[entry]] += 1
