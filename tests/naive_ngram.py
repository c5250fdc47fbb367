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
