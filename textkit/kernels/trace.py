"""Scoring word by word: what each score is made of, and states small enough to compare."""

import numpy as np

from .bits import SIZE, backoff_at, edge_at, log_p_at, word_at
from .jit import kernel, leaf
from .query import BATCH, UNK, score_stream

_BITS = np.log2(10.0)


@leaf
def find_child(data, layout, level, context, word):
    """The n-gram of `level` that is `word` after the node `context` of the level below, or -1."""
    begin, end = edge_at(data, layout, level - 1, context), edge_at(data, layout, level - 1, context + 1)
    # Words ascend, so that at most `word` of them come before, and few after a rare one.
    low, high = max(begin, end - (layout[0, SIZE] - word)), min(end, begin + word + 1)
    while high - low > 1:
        middle = (low + high) >> 1
        if word_at(data, layout, level, middle) <= word:
            low = middle
        else:
            high = middle
    return low if low < high and word_at(data, layout, level, low) == word else np.int64(-1)


@leaf
def scored_word(word, state, data, layout, books, target):
    """Score one word after a state; target becomes the state behind it.

    state and target int64 (order,) as in `query.score_stream`, two arrays. Returns (log10 probability, order of the
    n-gram used).
    """
    order, matched = layout.shape[0], 1
    target[0] = word
    for level in range(1, order):
        target[level] = -1
        if state[level - 1] >= 0:
            target[level] = find_child(data, layout, level, state[level - 1], word)
        if target[level] >= 0:
            matched = level + 1
    score = log_p_at(data, layout, books, matched - 1, target[matched - 1])
    for level in range(matched - 1, order - 1):
        if state[level] >= 0:
            score += backoff_at(data, layout, books, level, state[level])
    return score, 1 if word == UNK else matched


@kernel(refcounts=False)
def score_word(word, state, data, layout, books, target):
    """See `scored_word`."""
    return scored_word(word, state, data, layout, books, target)


@kernel(refcounts=False)
def minimize(state, data, layout, books):
    """Forget the longest contexts of a state while they change no score: nothing follows them, and they weigh 1."""
    order = layout.shape[0]
    state[order - 1] = -1
    for level in range(order - 2, -1, -1):
        if state[level] >= 0:
            children = edge_at(data, layout, level, state[level] + 1) - edge_at(data, layout, level, state[level])
            if children > 0 or backoff_at(data, layout, books, level, state[level]) != 0:
                break
            state[level] = -1


@kernel(refcounts=False)
def advance(word, state, data, layout, books, target):
    """As `score_word`, and the state behind the word is made minimal. Returns (log10 probability, order used)."""
    score, matched = scored_word(word, state, data, layout, books, target)
    minimize(target, data, layout, books)
    return score, matched


@kernel
def score_words(ids, state, data, layout, books, target, scores, matches):
    """Score words one after the other, ids int32 (n,); returns their sum, added up in float32 as KenLM does.

    state int64 (order,) is moved along, target int64 (order,) is scratch. Out: scores float32, matches int32 (n,).
    """
    total = np.float32(0.0)
    for i in range(ids.shape[0]):
        scores[i], matches[i] = scored_word(np.int64(ids[i]), state, data, layout, books, target)
        state[:] = target
        total += scores[i]
    return total


@kernel
def trace_stream(stream, state, data, layout, books, batch, scratch, nodes, scores, matches, line, numbers):
    """Score a stream of ids as `query.score_stream`, and say of each token what its score is made of.

    Arguments as there. line is the number of lines before. Out: numbers float64 (tokens, 6), the number of the line,
    log10 probability, surprisal in bits, order of the n-gram used, log10 of the backoff weights in the score, and 1 for
    the unknown word. Returns the tokens.
    """
    order, count = layout.shape[0], 0
    for first in range(0, stream.shape[0], BATCH):
        part = stream[first : first + BATCH]
        scored, matched = scores[first : first + BATCH], matches[first : first + BATCH]
        score_stream(part, state, data, layout, books, batch, scratch, nodes, scored, matched)
        for i in range(part.shape[0]):
            if part[i] < 0:
                line += 1
                continue
            charged = np.float32(0.0)
            for level in range(matched[i] - 1, order - 1):
                if nodes[level, i] >= 0:  # of the context: the places of `nodes` are one on
                    charged += backoff_at(data, layout, books, level, nodes[level, i])
            numbers[count, 0], numbers[count, 1], numbers[count, 2] = line, scored[i], -_BITS * scored[i]
            numbers[count, 3], numbers[count, 4], numbers[count, 5] = matched[i], charged, part[i] == UNK
            count += 1
    return count


@kernel(refcounts=False)
def find_node(ids, data, layout):
    """The node of an n-gram within its order, ids int32 (n,) with n at most the order, or -1."""
    node = np.int64(ids[0])
    for level in range(1, ids.shape[0]):
        if node < 0:
            break
        node = find_child(data, layout, level, node, np.int64(ids[level]))
    return node


@kernel(refcounts=False)
def tally_continuations(ids, data, layout, tally):
    """For each word w the number of distinct words before the n-gram ids + w, added to tally int64 (V,).

    ids int32 (k,), k at most order - 2. These are the adjusted counts of Kneser-Ney (Chen & Goodman 1998, §2.7) if
    the model is not pruned.
    """
    level = ids.shape[0]
    for left in range(layout[0, SIZE]):
        node = np.int64(left)
        for k in range(level):
            if node < 0:
                break
            node = find_child(data, layout, k + 1, node, np.int64(ids[k]))
        if node >= 0:
            for child in range(edge_at(data, layout, level, node), edge_at(data, layout, level, node + 1)):
                word = word_at(data, layout, level + 1, child)
                if word < tally.shape[0]:
                    tally[word] += 1


@kernel(refcounts=False)
def child_range(begin, end, data, layout, level):
    """The children, in the level above, of the n-grams `begin` to `end` of a level below the highest."""
    return edge_at(data, layout, level, begin), edge_at(data, layout, level, end)


@leaf
def parent_of(data, layout, level, node):
    """The n-gram of the level below whose children hold `node`: the last one whose children begin at or before it."""
    low, high = np.int64(0), layout[level - 1, SIZE] - 1
    while low < high:
        middle = (low + high + 1) >> 1
        if edge_at(data, layout, level - 1, middle) <= node:
            low = middle
        else:
            high = middle - 1
    return low


@kernel
def describe(nodes, level, data, layout, books, path, ids, numbers):
    """Words and numbers of n-grams of one level.

    nodes int64 (n,), fastest where neighbours follow one another; path int64 (level + 1,) is scratch.
    Out: ids int32 (n, level + 1); numbers float64 (n, 2), log10 probability and backoff, nan at the highest order.
    """
    path[:] = -1
    for i in range(nodes.shape[0]):
        path[level] = nodes[i]
        for k in range(level, 0, -1):
            known = path[k - 1]
            if known >= 0 and edge_at(data, layout, k - 1, known) <= path[k] < edge_at(data, layout, k - 1, known + 1):
                break
            path[k - 1] = parent_of(data, layout, k, path[k])
        ids[i, 0] = path[0]
        for k in range(1, level + 1):
            ids[i, k] = word_at(data, layout, k, path[k])
        numbers[i, 0], numbers[i, 1] = log_p_at(data, layout, books, level, nodes[i]), np.nan
        if level < layout.shape[0] - 1:
            numbers[i, 1] = backoff_at(data, layout, books, level, nodes[i])
