"""Plain twins of the kernels that train vectors: Python numbers and NumPy float64, one formula after the other."""

import math

import numpy as np

GAP = -1


class Generator:
    """The random numbers of `kernels.random`, in plain integers."""

    def __init__(self, state):
        self.state = state

    def step(self):
        self.state = (self.state * 6364136223846793005 + 1442695040888963407) % 2**64
        return self.state

    def below(self, limit):
        return (self.step() >> 32) * limit >> 32

    def unit(self):
        return (self.step() >> 40) / 2**24

    def word(self, accept, alias):
        i = self.below(len(accept))
        return i if np.float32(self.unit()) < accept[i] else int(alias[i])


def sigmoid(x):
    return 1 / (1 + math.exp(-x))


def quick_sigmoid(x):
    """The kernels' sigmoid: tanh by its continued fraction x / (1 + x^2 / (3 + x^2 / (5 + ...))), seven levels deep."""
    half = max(-12, min(12, x)) / 2
    fraction = 13.0
    for odd in (11, 9, 7, 5, 3, 1):
        fraction = odd + half * half / fraction
    return 0.5 + half / fraction / 2


def subsample(ids, first, last, offsets, keep, rng):
    stream, line = [], max(i for i in range(len(offsets) - 1) if offsets[i] <= first)
    for i in range(first, last):
        if i >= offsets[line + 1]:
            stream.append(GAP)
            while i >= offsets[line + 1]:
                line += 1
        if rng.unit() < keep[ids[i]]:
            stream.append(ids[i])
    return stream


def sentences(stream):
    """Positions of the words between gaps."""
    lines = [[]]
    for i, word in enumerate(stream):
        if word == GAP:
            lines.append([])
        else:
            lines[-1].append(i)
    return lines


def skipgram_examples(stream, window, fixed, rng, units):
    """(input rows, target words) of each word, targets left of it from near to far, then those to the right."""
    reach = [window if fixed else 1 + rng.below(window) for _ in stream]
    examples = []
    for line in sentences(stream):
        for i in line:
            left = [k for k in reversed(line) if i - window <= k < i and i - k <= reach[k]]
            right = [k for k in line if i < k <= i + window and k - i <= reach[k]]
            if left or right:
                examples.append((units[stream[i]], [stream[k] for k in left + right]))
    return examples


def cbow_places(stream, window, fixed, rng, units):
    """Where each row of each example's input stands: 0 farthest left, 2 window - 1 farthest right."""
    found = []
    for line in sentences(stream):
        for i in line:
            reach = window if fixed else 1 + rng.below(window)
            around = [k for k in line if k != i and abs(k - i) <= reach]
            found += [window + k - i - (k > i) for k in around for _ in units[stream[k]]]
    return found


def cbow_examples(stream, window, fixed, rng, units):
    examples = []
    for line in sentences(stream):
        for i in line:
            reach = window if fixed else 1 + rng.below(window)
            rows = [row for k in line if k != i and abs(k - i) <= reach for row in units[stream[k]]]
            if rows:
                examples.append((rows, [stream[i]]))
    return examples


def placed(rows, places):
    """Rows with their places in the window, if they have any."""
    return zip(rows, places or [None] * len(rows), strict=True)


class Trainer:
    """Batches of sixteen examples on float64 matrices; `means` as for `kernels.sgd.negative_sampling`."""

    def __init__(self, w_in, w_out, means=(True, True), frozen=(), batch=16, weights=()):
        self.weights = np.array(weights, np.float64)  # a row for each place of the window, or none
        self.batch = batch
        self.w_in, self.w_out = w_in.astype(np.float64), w_out.astype(np.float64)
        self.means, self.frozen = means, set(frozen)

    def batches(self, examples):
        for start in range(0, len(examples), self.batch):
            yield examples[start : start + self.batch]

    def compose(self, rows, places=None):
        x = sum(
            self.w_in[row] if places is None else self.weights[p] * self.w_in[row] for row, p in placed(rows, places)
        )
        return x / len(rows) if self.means[0] else x

    def distribute(self, rows, dx, places=None):
        share = 1 / len(rows) if self.means[1] else 1
        for row, place in placed(rows, places):
            weight, old = 1 if places is None else self.weights[place].copy(), self.w_in[row].copy()
            if places is not None:
                self.weights[place] += share * dx * old
            if row not in self.frozen:
                self.w_in[row] += share * dx * weight

    def step(self, x, dx, rows, labels, rate):
        """All scores are taken before any row moves."""
        errors = [y - quick_sigmoid(x @ self.w_out[row]) for row, y in zip(rows, labels, strict=True)]
        for row, error in zip(rows, errors, strict=True):
            dx += rate * error * self.w_out[row]
            self.w_out[row] += rate * error * x

    def negative_sampling(self, examples, accept, alias, negatives, drawn, rate, rng):
        for batch in self.batches(examples):
            words = [rng.word(accept, alias) for _ in range(drawn)]
            xs = [self.compose(rows, *places) for rows, _, *places in batch]
            dxs = [np.zeros_like(x) for x in xs]
            for x, dx, (_, targets, *_) in zip(xs, dxs, batch, strict=True):
                self.step(x, dx, targets, [1] * len(targets), rate)
            for tile in range(0, drawn, 16):
                chosen = words[tile : tile + 16]
                before = self.w_out[chosen].copy()
                for x, dx, (_, targets, *_) in zip(xs, dxs, batch, strict=True):
                    for j, word in enumerate(chosen):
                        g = -rate * negatives / drawn * len(targets) * quick_sigmoid(x @ before[j])
                        dx += g * before[j]
                        self.w_out[word] += g * x
            for dx, (rows, _, *places) in zip(dxs, batch, strict=True):
                self.distribute(rows, dx, *places)

    def hierarchical_softmax(self, examples, paths, rate):
        for batch in self.batches(examples):
            xs = [self.compose(rows, *places) for rows, _, *places in batch]
            dxs = [np.zeros_like(x) for x in xs]
            for x, dx, (_, targets, *_) in zip(xs, dxs, batch, strict=True):
                for target in targets:
                    self.step(x, dx, *paths[target], rate)
            for dx, (rows, _, *places) in zip(dxs, batch, strict=True):
                self.distribute(rows, dx, *places)

    def skipgram_paths(self, stream, window, fixed, rng, units, paths, rate):
        """Words are composed when the first window reaches them and give back what they moved by after the last."""
        lines = {i: line for line in sentences(stream) for i in line}
        now, before = {}, {}
        for entering in range(len(stream) + 2 * window):
            if entering in lines:
                now[entering] = self.compose(units[stream[entering]])
                before[entering] = now[entering].copy()
            centre, leaving = entering - window, entering - 2 * window
            if centre in lines:
                reach = window if fixed else 1 + rng.below(window)
                line = lines[centre]
                members = [k for k in reversed(line) if centre - reach <= k < centre]
                members += [k for k in line if centre < k <= centre + reach]
                self.go_path(now, members, *paths[stream[centre]], rate)
            if leaving in lines:
                self.distribute(units[stream[leaving]], now[leaving] - before[leaving])

    def go_path(self, now, members, nodes, labels, rate):
        errors = {
            k: [y - quick_sigmoid(now[k] @ self.w_out[n]) for n, y in zip(nodes, labels, strict=True)] for k in members
        }
        for first in range(0, len(members), 4):
            group = members[first : first + 4]
            xs = {k: now[k].copy() for k in group}
            for j, node in enumerate(nodes):
                old = self.w_out[node].copy()
                for k in group:
                    now[k] += rate * errors[k][j] * old
                    self.w_out[node] += rate * errors[k][j] * xs[k]

    def full_softmax(self, examples, first_word, rate):
        for batch in self.batches(examples):
            xs = [self.compose(rows, *places) for rows, _, *places in batch]
            dxs = [np.zeros_like(x) for x in xs]
            for x, dx, (_, targets, *_) in zip(xs, dxs, batch, strict=True):
                scores = np.exp(self.w_out[first_word:] @ x)
                errors = -len(targets) * scores / scores.sum()
                for target in targets:
                    errors[target - first_word] += 1
                before = self.w_out[first_word:].copy()
                dx += rate * errors @ before
                self.w_out[first_word:] += rate * errors[:, None] * x
            for dx, (rows, _, *places) in zip(dxs, batch, strict=True):
                self.distribute(rows, dx, *places)


def huffman_codes(counts):
    """{symbol: number of choices} of some Huffman code, by the heap-free definition: join the two lightest."""
    nodes = [(count, [i]) for i, count in enumerate(counts)]
    depth = dict.fromkeys(range(len(counts)), 0)
    while len(nodes) > 1:
        nodes.sort(key=lambda node: node[0])
        (a, left), (b, right) = nodes[:2]
        for i in left + right:
            depth[i] += 1
        nodes = [*nodes[2:], (a + b, left + right)]
    return depth


def ngram_hash(gram: bytes) -> int:
    """fastText's FNV-1a: each byte is taken as a signed one."""
    value = 2166136261
    for byte in gram:
        signed = byte - 256 if byte >= 128 else byte
        value = ((value ^ (signed % 2**32)) * 16777619) % 2**32
    return value


def word_ngrams(word: str, shortest: int, longest: int):
    """Character n-grams of <word> in fastText's order, single brackets left out."""
    wrapped = f"<{word}>"
    return [
        wrapped[i : i + n]
        for i in range(len(wrapped))
        for n in range(shortest, longest + 1)
        if i + n <= len(wrapped) and not (n == 1 and (i == 0 or i + n == len(wrapped)))
    ]
