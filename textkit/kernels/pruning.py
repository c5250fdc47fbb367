"""Which n-grams a backoff model can do without (Stolcke 1998, with exact expected uses).

Nodes and arrays are those of `formats.backoff.BackoffTrie`: T nodes, of which the first C are below the highest order;
links uint32 (T,) is the node of an n-gram without its first word; every n-gram's context and suffix are nodes. With
x = links[y], y = h w means: x = h' w, p(w | h) = p[y], p(w | h') = p[x].
"""

import math

import numpy as np

from .jit import kernel, prefetch

_AHEAD = 16
_LN10 = math.log(10.0)
_LEAST = 1e-12  # below it a sum of probabilities is rounding
_ASKED = 1e-3  # of a context's mass; an n-gram asked for more seldom tells too little


@kernel
def chain(first, last, edges, p, flow):
    """flow[hw] = flow[h] p(w | h) for the contexts `first` to `last`; float64 (C,) or longer."""
    for context in range(first, last):
        for child in range(np.int64(edges[context]), np.int64(edges[context + 1])):
            flow[child] = flow[context] * p[child]


@kernel
def leave_longest(first, last, links, mass):
    """mass[h] loses that of the nodes `first` to `last` that continue h to the left, which are the longer states."""
    for node in range(last - 1, first - 1, -1):
        mass[links[node]] -= mass[node]


@kernel
def spread(first, last, vocabulary, edges, links, p, weight, mass, pushed, counts):
    """One step of the model's flow of probability over the contexts `first` to `last` of one order, high orders first.

    mass float64 (C,): how often each context is asked, the backoff weights of longer ones multiplied in; what backs
    off further is added to the mass of the shorter contexts. pushed float64 (C, 2), by node x: the weight with which
    contexts that list their own h w back off past x, and the counts of these. counts float64 (T,): expected counts

        count(hw) = p(w | h) (mass(h) - pushed weight) + pushed counts.

    weight float32 (C,) are backoff weights, not their logarithms.
    """
    inner = mass.shape[0]
    for context in range(first, last):
        own, down = mass[context], mass[context] * weight[context]
        if context >= vocabulary:
            mass[links[context]] += down
        for child in range(np.int64(edges[context]), np.int64(edges[context + 1])):
            if child + _AHEAD < links.shape[0]:
                prefetch(pushed, np.int64(links[child + _AHEAD]))
            count = p[child] * own
            if child < inner:
                count += pushed[child, 1] - p[child] * pushed[child, 0]
            counts[child] = count
            pushed[links[child], 0] += down
            pushed[links[child], 1] += count


@kernel
def price(first, last, edges, links, p, log_p, backoff, mass, counts, cost, away):
    """What leaving out each child y = h w of the contexts `first` to `last` costs, in nats per token.

    With B(h) the expected number of words that back off from h, and no longer n-gram left that ends in y,

        a'(h) = (a(h) den(h) + p(w | h)) / (den(h) + p(w | h')),   den(h) = 1 - sum of p(v | h') over children h v,
        cost = count(y) (ln p(w | h) - ln p(w | h') - ln a'(h)) + B(h) (ln a(h) - ln a'(h)),
        B(h) = mass(h) a(h) den(h).

    backoff float32 (C,) log10 a; counts float64 (T,). Out: cost float32 (T,), away float64 (C,), which is B.
    """
    for context in range(first, last):
        begin, end = np.int64(edges[context]), np.int64(edges[context + 1])
        den = 1.0
        for child in range(begin, end):
            den -= p[links[child]]
        den = max(den, _LEAST)
        log_a = _LN10 * backoff[context]
        num = math.exp(log_a) * den
        away[context] = mass[context] * num
        for child in range(begin, end):
            below = links[child]
            log_new = math.log((num + p[child]) / (den + p[below]))
            gain = _LN10 * (log_p[child] - log_p[below]) - log_new
            cost[child] = counts[child] * gain + away[context] * (log_a - log_new)


@kernel
def carry_down(first, last, edges, links, cost):
    """Contexts and suffixes cost at least what the children of the contexts `first` to `last` do; high orders first."""
    for context in range(first, last):
        for child in range(np.int64(edges[context]), np.int64(edges[context + 1])):
            if child + _AHEAD < links.shape[0]:
                prefetch(cost, np.int64(links[child + _AHEAD]))
            cost[context] = max(cost[context], cost[child])
            cost[links[child]] = max(cost[links[child]], cost[child])


@kernel
def renormalise(first, last, edges, links, p, kept, counts, backoff, new, away):
    """new[h] = log10 backoff of the contexts `first` to `last` without the children that go; the same where none does.

    What the probabilities of h summed to before, they sum to after. away float64 (C,), the expected words that back
    off, gets those of the children that go.
    """
    for context in range(first, last):
        begin, end = np.int64(edges[context]), np.int64(edges[context + 1])
        den, above, below, left = 1.0, 0.0, 0.0, 0
        for child in range(begin, end):
            den -= p[links[child]]
            if kept[child]:
                left += 1
            else:
                above += p[child]
                below += p[links[child]]
                away[context] += counts[child]
        new[context] = backoff[context]
        if left == 0 and end > begin:
            new[context] = 0.0
        elif left < end - begin:
            den = max(den, _LEAST)
            new[context] = math.log10((10.0 ** backoff[context] * den + above) / (den + below))


@kernel
def expected_log_p(first, last, edges, links, counts, log_p, backoff, away, used):
    """Expected natural log of the probabilities that the children of some contexts give, and of their backoffs.

    counts float64 (T,); away float64 (C,) as above. used float64 (T,), the counts less those of longer n-grams, is
    brought down to the shorter ones.
    """
    total = 0.0
    for context in range(first, last):
        for child in range(np.int64(edges[context]), np.int64(edges[context + 1])):
            total += used[child] * log_p[child]
            used[links[child]] -= counts[child]
        total += away[context] * backoff[context]
    return total * _LN10


@kernel
def left_shares(first, last, edges, links, p, weight, shares):
    """shares[h] = a(h) (1 - sum of p(w | h') over the children hw): what the contexts `first` to `last` leave."""
    for context in range(first, last):
        den = 1.0
        for child in range(np.int64(edges[context]), np.int64(edges[context + 1])):
            den -= p[links[child]]
        shares[context] = weight[context] * max(den, _LEAST)


@kernel
def refit(first, last, vocabulary, edges, links, counts, away, weight, mass, pushed, shares, p):
    """Probabilities with which the children below the highest order are met as often as expected; as `spread` does.

    What the kept longer n-grams leave of each count, by how often it is asked for there:

        p(w | h) = (count(hw) - pushed counts) / (mass(h) - pushed weight),   scaled to sum to 1 - away(h) / mass(h).

    shares float64 (C,): 1 less that sum. What is never asked for stays as it is.
    """
    inner = mass.shape[0]
    for context in range(first, last):
        own, down, total = mass[context], mass[context] * weight[context], 0.0
        if context >= vocabulary:
            mass[links[context]] += down
        begin, end = np.int64(edges[context]), np.int64(edges[context + 1])
        for child in range(begin, end):
            if child < inner:
                left, asked = counts[child] - pushed[child, 1], own - pushed[child, 0]
                if left > 0.0 and asked > _ASKED * own:
                    p[child] = left / asked
                total += p[child]
            pushed[links[child], 0] += down
            pushed[links[child], 1] += counts[child]
        if begin < min(end, inner) and 0.0 < away[context] < own and total > 0.0:
            shares[context] = away[context] / own
            for child in range(begin, end):
                p[child] *= (1.0 - shares[context]) / total


@kernel
def weigh(first, last, edges, links, p, shares, weight):
    """Backoff weights float32 (C,) with which the contexts `first` to `last` leave their shares; see `left_shares`."""
    for context in range(first, last):
        begin, end = np.int64(edges[context]), np.int64(edges[context + 1])
        den = 1.0
        for child in range(begin, end):
            den -= p[links[child]]
        if begin < end:
            weight[context] = shares[context] / max(den, _LEAST)
