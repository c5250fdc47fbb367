"""Several backoff models made one: the union of their n-grams, and its probabilities and backoffs.

The K models lie one after the other in stacked arrays, all in the word ids of the union: model k's node i is at
offset k + i, and node j has the children edges[j]:edges[j + 1], none at the highest order. Every model lists every
word. For each n-gram of the union and each model a place says where it is in the stack:
    place >= 0       there
    NOWHERE          not listed
    place < NOWHERE  the model knows some of its words as the unknown word only; that n-gram is at -2 - place
The union itself is as `formats.backoff.BackoffTrie`, with links uint32 (T,) to the n-grams without their first words.
"""

import math

import numpy as np

from .jit import kernel, leaf
from .trie import find_word

UNK, BOS = 0, 1
NOWHERE = -1
_LN10 = math.log(10.0)
_LEAST = 1e-12  # below it a sum of probabilities is rounding


@leaf
def node_at(place):
    """The node that a place other than NOWHERE means."""
    return place if place >= 0 else -2 - place


@leaf
def next_word(places, words, edges, cursors):
    """The smallest word at the cursors of a context's children, or -1 at their end."""
    found = -1
    for k in range(places.shape[0]):
        if places[k] >= 0 and cursors[k] < np.int64(edges[places[k] + 1]):
            word = words[cursors[k]]
            if found < 0 or word < found:
                found = word
    return found


@kernel
def count_union(first, last, places, words, edges, cursors, sizes):
    """sizes[h] = number of different words that any model lists after context h, for the contexts `first` to `last`.

    places int32 (H, K); words int32, edges uint32 stacked; cursors int64 (K,) scratch; sizes int64 (H,) out.
    """
    for context in range(first, last):
        for k in range(cursors.shape[0]):
            cursors[k] = np.int64(edges[places[context, k]]) if places[context, k] >= 0 else 0
        size = 0
        word = next_word(places[context], words, edges, cursors)
        while word >= 0:
            size += 1
            for k in range(cursors.shape[0]):
                if places[context, k] >= 0 and cursors[k] < np.int64(edges[places[context, k] + 1]):
                    cursors[k] += words[cursors[k]] == word
            word = next_word(places[context], words, edges, cursors)
        sizes[context] = size


@kernel
def merge_union(first, last, places, words, edges, known, cursors, starts, merged, found):
    """List the words counted by `count_union`, ascending, and where each model has the n-gram.

    known bool (V, K), whether a model has a word; starts int64 (H + 1,); out: merged int32 (E,) words, found int32
    (E, K) places.
    """
    for context in range(first, last):
        for k in range(cursors.shape[0]):
            cursors[k] = np.int64(edges[places[context, k]]) if places[context, k] >= 0 else 0
        for entry in range(starts[context], starts[context + 1]):
            word = next_word(places[context], words, edges, cursors)
            merged[entry] = word
            for k in range(cursors.shape[0]):
                place = places[context, k]
                found[entry, k] = NOWHERE
                if place == NOWHERE:
                    continue
                begin, end = np.int64(edges[node_at(place)]), np.int64(edges[node_at(place) + 1])
                if place >= 0 and cursors[k] < end and words[cursors[k]] == word:
                    found[entry, k] = cursors[k]
                    cursors[k] += 1
                elif place < 0 or not known[word, k]:
                    child = find_word(words, begin, end, word if known[word, k] else UNK)
                    if child >= 0:
                        found[entry, k] = -2 - child


@leaf
def foreign_mass(place, share, words, edges):
    """Whether the words that a model lists after a context stand for others, which the union does not list there."""
    begin = np.int64(edges[node_at(place)])
    listed = begin < np.int64(edges[node_at(place) + 1])
    return listed and (place < 0 or (share > 0 and words[begin] == UNK))


@kernel
def score_union(
    first, last, starts, base, links, merged, places, found, known, shares, words, edges, log_p, backoff, scores,
    weights,
):  # fmt: skip
    """What each model gives to the n-grams of one order of the union, backing off where it does not list them.

    For the contexts `first` to `last` with entries starts[h]:starts[h + 1] of the order; links[base + e] their
    suffixes. words, edges, log_p, backoff stacked; shares float64 (K,), log10 of the number of words that a model's
    unknown word stands for. scores float32 (T, K) has the order below, rows base + e are written; weights float32
    (H, K) out, log10 backoffs of the contexts: the models' own, or where unknown words are in play the weight with
    which the context sums to one over what the union lists and what backs off.
    """
    for context in range(first, last):
        for k in range(shares.shape[0]):
            place = places[context, k]
            weight = np.float32(0.0) if place == NOWHERE else backoff[node_at(place)]
            above, below = 1.0, 1.0
            for entry in range(starts[context], starts[context + 1]):
                place = found[entry, k]
                score = scores[links[base + entry], k] + weight
                if place != NOWHERE:
                    score = log_p[node_at(place)] - (0.0 if known[merged[entry], k] else shares[k])
                scores[base + entry, k] = score
            weights[context, k] = weight
            place = places[context, k]
            if place != NOWHERE and foreign_mass(place, shares[k], words, edges):
                for entry in range(starts[context], starts[context + 1]):
                    above -= math.exp(_LN10 * scores[base + entry, k])
                    below -= math.exp(_LN10 * scores[links[base + entry], k])
                weights[context, k] = math.log10(max(above, _LEAST) / max(below, _LEAST))


@kernel
def mix_linearly(first, last, edges, links, scores, weights, lambdas, rest, log_p, backoff):
    """Probabilities of the children of the contexts `first` to `last`, and these contexts' backoffs.

        p(w | h) = sum of l_k p_k(w | h),   a(h) = sum of l_k a_k(h) R_k / sum of l_k R_k,
        R_k = 1 - sum of p_k(w | h') over the children hw,

    which is the share of all models' left mass in that of the shorter context, written so that nothing cancels.
    scores float32 (T, K), weights float32 (C, K), lambdas float64 (K,), rest float64 (K,) scratch. Out: log_p float32
    (T,), backoff float32 (C,).
    """
    for context in range(first, last):
        for k in range(lambdas.shape[0]):
            rest[k] = 1.0
        for child in range(np.int64(edges[context]), np.int64(edges[context + 1])):
            total = 0.0
            for k in range(lambdas.shape[0]):
                rest[k] -= math.exp(_LN10 * scores[links[child], k])
                total += lambdas[k] * math.exp(_LN10 * scores[child, k])
            log_p[child] = min(0.0, math.log10(total)) if total > 0 else -99.0
        above, below, plain = 0.0, 0.0, 0.0
        for k in range(lambdas.shape[0]):
            weight = math.exp(_LN10 * weights[context, k])
            above += lambdas[k] * max(rest[k], 0.0) * weight
            below += lambdas[k] * max(rest[k], 0.0)
            plain += lambdas[k] * weight
        backoff[context] = max(-99.0, math.log10(above / below if below > 0 else plain))


@leaf
def product(scores, lambdas):
    """The weighted sum of log10 probabilities, float32 (K,)."""
    total = 0.0
    for k in range(lambdas.shape[0]):
        total += lambdas[k] * scores[k]
    return total


@kernel
def normalisers(contexts, first, last, vocabulary, edges, links, scores, weights, lambdas, root, sums):
    """Sums of the log-linear mixture over all words after some contexts, shorter contexts first.

        Z(h) = sum of s(w | h) over the children hw + A(h) (Z(h') - sum of s(w | h') over them),
        s(w | h) = product of p_k(w | h) ** l_k,   A(h) = product of a_k(h) ** l_k

    contexts int64 (M,), of which `first` to `last` are done; root is Z of no context, sums float64 (C,) out.
    """
    for i in range(first, last):
        context = contexts[i]
        rest = root if context < vocabulary else sums[links[context]]
        own = 0.0
        for child in range(np.int64(edges[context]), np.int64(edges[context + 1])):
            own += math.exp(_LN10 * product(scores[child], lambdas))
            rest -= math.exp(_LN10 * product(scores[links[child]], lambdas))
        sums[context] = own + math.exp(_LN10 * product(weights[context], lambdas)) * max(rest, 0.0)


@kernel
def mix_log_linearly(first, last, vocabulary, edges, links, scores, weights, lambdas, root, sums, log_p, backoff):
    """p(w | h) = s(w | h) / Z(h) and a(h) = A(h) Z(h') / Z(h) for the contexts `first` to `last`, see `normalisers`."""
    for context in range(first, last):
        log_sum = math.log10(sums[context])
        for child in range(np.int64(edges[context]), np.int64(edges[context + 1])):
            log_p[child] = max(-99.0, min(0.0, product(scores[child], lambdas) - log_sum))
        below = root if context < vocabulary else sums[links[context]]
        backoff[context] = max(-99.0, product(weights[context], lambdas) + math.log10(below) - log_sum)


@kernel
def count_visits(stream, counted, vocabulary, words, edges, links, visits):
    """How often each context is the longest listed one before a token that counts.

    stream int32 (n,) of ids with -1 before each sentence, counted bool (n,); visits int64 (C,) is added to.
    """
    state = np.int64(BOS)
    for i in range(stream.shape[0]):
        word = stream[i]
        if word < 0:
            state = np.int64(BOS)
            continue
        visits[state] += counted[i]
        child = np.int64(-1)
        while child < 0:
            child = find_word(words, np.int64(edges[state]), np.int64(edges[state + 1]), word)
            if child < 0 and state < vocabulary:
                child = np.int64(word)
            elif child < 0:
                state = np.int64(links[state])
        state = child if child < visits.shape[0] else np.int64(links[child])
