"""From a stream of words to training examples: which rows enter and which words they are to predict.

An example is a run of input rows and a run of target words, both in one flat array with the ends of the runs
(`starts`, one longer than the examples). A word enters as the rows unit_rows[unit_starts[w]:unit_starts[w + 1]]: its
own row, or with subwords also those of its n-grams.
"""

import numpy as np

from .jit import kernel, leaf
from .random import draw_below
from .sampling import GAP


@leaf
def draw_reach(rng, window, fixed):
    """How far the window of a centre word reaches: 1 to `window`, equally likely, or always all of it."""
    return window if fixed else 1 + draw_below(rng, window)


@kernel(refcounts=False)
def skipgram_examples(stream, size, window, fixed, rng, reach, units, examples):
    """One example per word: its rows are to predict each centre word whose window it lies in.

    As in word2vec the context word enters and the centre word leaves. stream int32 (size,); reach int32 (size,)
    scratch; units = (unit_starts int64 (V + 1,), unit_rows int32); examples = (in_starts int64, in_rows int32,
    out_starts int64, out_rows int32, an empty int32), filled. Words alone on their line give none.
    Returns their number.
    """
    unit_starts, unit_rows = units
    in_starts, in_rows, out_starts, out_rows, _ = examples
    for i in range(size):
        reach[i] = draw_reach(rng, window, fixed)
    count, n_in, n_out = 0, np.int64(0), np.int64(0)
    for i in range(size):
        if stream[i] == GAP:
            continue
        before = n_out
        k = i - 1
        while k >= max(i - window, 0) and stream[k] != GAP:
            if i - k <= reach[k]:
                out_rows[n_out] = stream[k]
                n_out += 1
            k -= 1
        k = i + 1
        while k < min(i + window + 1, size) and stream[k] != GAP:
            if k - i <= reach[k]:
                out_rows[n_out] = stream[k]
                n_out += 1
            k += 1
        if n_out > before:
            for unit in range(unit_starts[stream[i]], unit_starts[stream[i] + 1]):
                in_rows[n_in] = unit_rows[unit]
                n_in += 1
            count += 1
            in_starts[count], out_starts[count] = n_in, n_out
    return count


@kernel(refcounts=False)
def cbow_examples(stream, size, window, fixed, rng, units, examples):
    """One example per centre word: the rows of all words in its window together are to predict it.

    Arguments as for `skipgram_examples`; with in_places int32, unless it is empty, as the fifth of the examples: where
    in the window each input row stands, from 0 for the farthest word to the left to 2 window - 1.
    """
    unit_starts, unit_rows = units
    in_starts, in_rows, out_starts, out_rows, in_places = examples
    placed = len(in_places) > 0
    count, n_in = 0, np.int64(0)
    for i in range(size):
        if stream[i] == GAP:
            continue
        before, reach = n_in, draw_reach(rng, window, fixed)
        first, last = i, i
        while first > max(i - reach, 0) and stream[first - 1] != GAP:
            first -= 1
        while last < min(i + reach, size - 1) and stream[last + 1] != GAP:
            last += 1
        for k in range(first, last + 1):
            if k != i:
                for unit in range(unit_starts[stream[k]], unit_starts[stream[k] + 1]):
                    in_rows[n_in] = unit_rows[unit]
                    if placed:
                        in_places[n_in] = window + k - i - (k > i)
                    n_in += 1
        if n_in > before:
            out_rows[count] = stream[i]
            count += 1
            in_starts[count], out_starts[count] = n_in, count
    return count
