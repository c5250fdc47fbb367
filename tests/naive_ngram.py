"""Plain twins of the n-gram kernels: dictionaries over tuples of words, one rule of the reference after the other."""

import math
from collections import Counter, defaultdict

BOS, EOS, UNK = "<s>", "</s>", "<unk>"


def ngrams(lines, order):
    """Occurrences of every n-gram up to `order`, each line from <s> to </s>."""
    counts = [Counter() for _ in range(order)]
    for line in lines:
        tokens = [BOS, *line, EOS]
        for n in range(1, order + 1):
            for i in range(len(tokens) - n + 1):
                counts[n - 1][tuple(tokens[i : i + n])] += 1
    return counts


def adjusted_counts(counts):
    """Highest order: occurrences. Below: distinct left neighbours, or occurrences after a leading <s>."""
    order = len(counts)
    adjusted = []
    for n in range(1, order):
        left = Counter(gram[1:] for gram in counts[n])
        adjusted.append({g: counts[n - 1][g] if g[0] == BOS else left[g] for g in counts[n - 1]})
    adjusted.append(dict(counts[-1]))
    adjusted[0][(BOS,)] = 0
    adjusted[0].setdefault((UNK,), 0)
    return adjusted


def last_ngram(lines, order):
    """The n-gram that is greatest when compared from its last word back, words numbered by first appearance."""
    rank = {UNK: 0, BOS: 1, EOS: 2}
    for line in lines:
        for word in line:
            rank.setdefault(word, len(rank))
    padded = ([BOS] * (order - 1) + line + [EOS] for line in lines)
    windows = [tuple(p[i : i + order]) for p in padded for i in range(len(p) - order + 1)]
    if order == 1:
        windows += [(BOS,)]
    return max(windows, key=lambda gram: [rank[w] for w in reversed(gram)])


def counts_of_counts(lines, counts, adjusted):
    order = len(counts)
    tallies = [Counter(values.values()) for values in adjusted]
    last = last_ngram(lines, order)
    for n in range(1, order):
        suffix = last[-n:]
        if suffix[0] == BOS:
            break
        tallies[n - 1][adjusted[n - 1][suffix]] -= 1
        tallies[n - 1][counts[n - 1][suffix]] += 1
    return [[tally[j] for j in (1, 2, 3, 4)] for tally in tallies]


def discounts(tally, fallback=(0.5, 1.0, 1.5)):
    t1, t2, t3, t4 = tally
    if not (t1 and t2 and t3):
        return fallback
    y = t1 / (t1 + 2 * t2)
    found = (1 - 2 * y * t2 / t1, 2 - 3 * y * t3 / t2, 3 - 4 * y * t4 / t3)
    return found if all(0 <= d <= j for j, d in enumerate(found, 1)) else fallback


def kneser_ney(lines, order):
    """log10 probabilities and backoffs of every n-gram of interpolated modified Kneser-Ney."""
    counts = ngrams(lines, order)
    adjusted = adjusted_counts(counts)
    taken = [discounts(t) for t in counts_of_counts(lines, counts, adjusted)]
    probability, backoff = {}, defaultdict(lambda: 1.0)
    words = {gram[0] for gram in adjusted[0]} | {BOS}
    for n in range(1, order + 1):
        continuations = defaultdict(list)
        for gram, count in adjusted[n - 1].items():
            continuations[gram[:-1]].append((gram, count))
        for context, grams in continuations.items():
            total = sum(count for _, count in grams)
            cut = {gram: taken[n - 1][min(count, 3) - 1] if count else 0.0 for gram, count in grams}
            gamma = sum(cut.values()) / total
            backoff[context] = gamma
            for gram, count in grams:
                lower = probability[gram[1:]] if n > 1 else 1 / (len(words) - 1)
                probability[gram] = (count - cut[gram]) / total + gamma * lower
    probability[(BOS,)] = 1.0
    probability.setdefault((UNK,), backoff[()] / (len(words) - 1))
    return (
        {gram: log10(p) for gram, p in probability.items()},
        {gram: log10(backoff.get(gram, 1.0)) for n in range(order - 1) for gram in adjusted[n]},
    )


# The share of probability that an n-gram has of its own, as textbooks write it: c its count, n and t the sum and the
# number of the counts after its context, v the number of words; p the method's parameters for the order.
OWN = {
    "mle": lambda c, n, t, v, p: c / n,
    "add-k": lambda c, n, t, v, p: (c + p["k"]) / (n + p["k"] * v),
    "dirichlet": lambda c, n, t, v, p: c / (n + p["k"] * v),
    "wb": lambda c, n, t, v, p: c / (n + t),
    "jm": lambda c, n, t, v, p: p["weights"][min(n.bit_length(), len(p["weights"]) - 1)] * c / n,
    "abs": lambda c, n, t, v, p: (c - p["d"][0]) / n,
    "kn": lambda c, n, t, v, p: (c - p["d"][0]) / n,
    "mkn": lambda c, n, t, v, p: (c - p["d"][min(c, 3) - 1]) / n,
    "katz": lambda c, n, t, v, p: (c - p["d"][min(c, len(p["d"])) - 1]) / n,
}


def smoothed(lines, order, method, backoff, parameters):
    """Probabilities of every n-gram and weights of every context, by the definitions of Chen & Goodman 1998.

    Interpolated: p(w | h) = own + (1 - sum of own) p(w | h'). Backoff: own where seen, the rest over the unseen.
    """
    counts = ngrams(lines, order)
    if method in ("kn", "mkn"):
        values = adjusted_counts(counts)
    else:
        values = [dict(c) for c in counts]
        values[0][(BOS,)] = 0
        values[0].setdefault((UNK,), 0)
    size = len(values[0]) - 1
    probability, weight = {}, {}
    for n in range(1, order + 1):
        after = defaultdict(list)
        for gram, count in values[n - 1].items():
            if count:
                after[gram[:-1]].append((gram, count))
        for context, grams in after.items():
            total = sum(c for _, c in grams)
            rule = "dirichlet" if method == "add-k" and n == 1 else method  # the same, as the order below is uniform
            own = {g: OWN[rule](c, total, len(grams), size, parameters[n - 1]) for g, c in grams}
            if method == "katz" and math.isclose(math.fsum(own.values()), 1):
                own = {g: c / (total + 1) for g, c in grams}  # nothing left over: reserve one count
            lower = {g: probability[g[1:]] if n > 1 else 1 / size for g, _ in grams}
            rest = 1 - math.fsum(own.values())
            unseen = 1 - math.fsum(lower.values())
            interpolated = not backoff or n == 1 or unseen < 1e-9
            weight[context] = rest if interpolated else rest / unseen
            for g in own:
                probability[g] = own[g] + (rest * lower[g] if interpolated else 0.0)
        if n == 1:
            for g in values[0]:
                probability.setdefault(g, weight[()] / size)
            probability[(BOS,)] = 1.0
    return probability, weight


def stupid_backoff(lines, order, alpha):
    """Relative counts, and what is charged for each step back (Brants et al. 2007); not probabilities."""
    counts = ngrams(lines, order)
    total = sum(c for gram, c in counts[0].items() if gram != (BOS,))
    size = len(counts[0])  # <unk> instead of <s>
    score = {(BOS,): 1.0, (UNK,): alpha / size}
    for n, level in enumerate(counts, 1):
        for gram, count in level.items():
            if gram != (BOS,):
                score[gram] = count / (counts[n - 2][gram[:-1]] if n > 1 else total)
    return score, {gram[:-1]: alpha for level in counts[1:] for gram in level}


def left_out(lines, order, method, backoff, parameters):
    """Probability of every token with its own n-grams taken out of the counts, in order of the text.

    As many at once as the longest n-grams occur at least.
    """
    counts, found = ngrams(lines, order), []
    longest = {g: c for level in counts for g, c in level.items() if len(g) == order or g[0] == BOS}
    fewest = min(c for g, c in longest.items() if g != (BOS,))
    size = len(counts[0])
    for line in lines:
        tokens = [BOS, *line, EOS]
        for i in range(1, len(tokens)):
            grams = [tuple(tokens[i - n + 1 : i + 1]) for n in range(1, min(order, i + 1) + 1)]
            rest = [Counter(level) for level in counts]
            for n, gram in enumerate(grams):
                rest[n][gram] -= fewest
            rest = [Counter({g: c for g, c in level.items() if c}) for level in rest]
            found.append(_predicted(rest, grams[-1], method, backoff, parameters, size))
    return found


def _predicted(counts, gram, method, backoff, parameters, size):
    """p(last word of gram | the others) by recursion."""
    if method in ("kn", "mkn"):
        values = []
        for n in range(1, len(counts)):
            left = Counter(gram[1:] for gram in counts[n])
            values.append({g: counts[n - 1][g] if g[0] == BOS else left[g] for g in counts[n - 1]})
        values.append(dict(counts[-1]))
    else:
        values = [dict(level) for level in counts]
    values[0][(BOS,)] = 0

    def p(gram):
        n = len(gram)
        if n == 0:
            return 1 / size
        after = {g: c for g, c in values[n - 1].items() if g[:-1] == gram[:-1] and c}
        if not after:
            return p(gram[1:])
        total = sum(after.values())
        rule = "dirichlet" if method == "add-k" and n == 1 else method
        own = {g: OWN[rule](c, total, len(after), size, parameters[n - 1]) for g, c in after.items()}
        rest = 1 - math.fsum(own.values())
        unseen = 1 - math.fsum(p(g[1:]) for g in after)
        if backoff and n > 1 and unseen >= 1e-9:
            return own[gram] if gram in own else rest / unseen * p(gram[1:])
        return own.get(gram, 0.0) + rest * p(gram[1:])

    return p(gram)


def mixture_weights(rows, buckets, rounds):
    """Expectation maximisation of p_n = w_n,b x_n + (1 - w_n,b) p_{n-1}, with one imagined token for each side.

    rows: for each token its probability of order 0, and [(bucket, x)] or None by order.
    """
    orders = len(rows[0][1])
    weights = [[0.5] * buckets for _ in range(orders)]
    for _ in range(rounds):
        taken = [[1.0] * buckets for _ in range(orders)]
        offered = [[2.0] * buckets for _ in range(orders)]
        for base, row in rows:
            p, shares = base, []
            for n, seen in enumerate(row):
                own = weights[n][seen[0]] * seen[1] if seen else 0.0
                p = own + (1 - weights[n][seen[0]]) * p if seen else p
                shares.append(own / p)
            reach = 1.0
            for n in reversed(range(orders)):
                if row[n]:
                    taken[n][row[n][0]] += reach * shares[n]
                    offered[n][row[n][0]] += reach
                    reach *= 1 - shares[n]
        weights = [[t / o for t, o in zip(a, b, strict=True)] for a, b in zip(taken, offered, strict=True)]
    return weights


def good_turing(tally, most=7):
    """Discounts of Katz 1987 for counts 1 to K, and 0 above; None where no K will do."""
    for top in range(most, 0, -1):
        if 0 in tally[: top + 1]:
            continue
        cut = (top + 1) * tally[top] / tally[0]
        if cut >= 1:
            continue
        expected = [(r + 1) * tally[r] / tally[r - 1] for r in range(1, top + 1)]
        kept = [(e / r - cut) / (1 - cut) for r, e in enumerate(expected, 1)]
        if min(kept) > 0 and max(kept) < 1:
            return [r - r * d for r, d in enumerate(kept, 1)] + [0.0]
    return None


def log10(p):
    """As ARPA files show it: at most 0, and -99 for nothing at all."""
    return min(0.0, math.log10(p)) if p > 0 else -99.0


def score(log_p, backoff, order, history, word):
    """(log10 p(word | history), length of the n-gram used) by backing off."""
    known = word if (word,) in log_p else UNK
    history = tuple(w if (w,) in log_p else UNK for w in history)[-(order - 1) :] if order > 1 else ()
    while history and history not in backoff:
        history = history[1:]
    charged = 0.0
    while (*history, known) not in log_p:
        charged += backoff[history]
        history = history[1:]
    return charged + log_p[(*history, known)], len(history) + 1


def bit_string(records, widths):
    """Records of numbers as bytes, each number in so many bits, lowest bit first."""
    string = "".join(f"{n:0{w}b}"[::-1] for record in records for n, w in zip(record, widths, strict=True) if w)
    return bytes(int(string[i : i + 8][::-1], 2) for i in range(0, len(string), 8))
