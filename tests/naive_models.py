"""Plain twins of what is done to finished models: probabilities by dictionaries, sums over every context and word."""

import itertools
import math

import numpy as np

BOS, EOS, UNK = "<s>", "</s>", "<unk>"


class Plain:
    """A backoff model as dictionaries over tuples of words: probabilities and backoff weights, not logarithms."""

    def __init__(self, order, p, backoff):
        self.order, self.p, self.backoff = order, dict(p), dict(backoff)
        self.words = [gram[0] for gram in p if len(gram) == 1]

    @classmethod
    def of(cls, model):
        """Read off the arrays of an NGramModel."""
        words, trie, p, backoff = model.vocabulary.words(), model.trie(), {}, {}

        def walk(node, gram):
            p[gram] = 10.0 ** float(trie.log_p[node])
            if node < len(trie.backoff):
                backoff[gram] = 10.0 ** float(trie.backoff[node])
                for child in range(trie.edges[node], trie.edges[node + 1]):
                    walk(child, (*gram, words[trie.words[child]]))

        for node in range(len(words)):
            walk(node, (words[node],))
        return cls(model.order, p, backoff)

    def without(self, *grams):
        """The model without these n-grams, their contexts' backoffs made anew."""
        new = Plain(self.order, {g: p for g, p in self.p.items() if g not in grams}, self.backoff)
        for gram in grams:
            context = gram[:-1]
            children = new.children(context)
            above = 1 - sum(new.p[g] for g in children)
            below = 1 - sum(new.prob(g[1:-1], g[-1]) for g in children)
            new.backoff[context] = above / below if children else 1.0
            new.backoff.pop(gram, None)
        return new

    def children(self, context):
        """The n-grams that continue a context."""
        return [(*context, w) for w in self.words if (*context, w) in self.p]

    def predicted(self):
        """Every word that can come next."""
        return [w for w in self.words if w != BOS]

    def prob(self, history, word):
        """p(word | history) by backing off; all words are known."""
        history = tuple(history)[-(self.order - 1) :] if self.order > 1 else ()
        if (*history, word) in self.p:
            return self.p[(*history, word)]
        return self.backoff.get(history, 1.0) * self.prob(history[1:], word)

    def total(self, history):
        """Sum over all words."""
        return sum(self.prob(history, w) for w in self.predicted())

    def state(self, history):
        """The longest suffix of a history that is a context."""
        history = tuple(history)[-(self.order - 1) :] if self.order > 1 else ()
        while history and history not in self.p:
            history = history[1:]
        return history

    def stationary(self):
        """How often each state is left, per token, in text that the model writes."""
        states = [self.state([BOS])]
        steps = []
        for state in states:  # grows while it is walked through
            for word in self.predicted():
                after = self.state([BOS] if word == EOS else [*state, word])
                if after not in states:
                    states.append(after)
                steps.append((states.index(state), states.index(after), self.prob(state, word)))
        matrix = np.zeros((len(states), len(states)))
        for before, after, p in steps:
            matrix[before, after] += p
        matrix /= matrix.sum(axis=1, keepdims=True)
        half = (matrix + np.eye(len(states))) / 2  # half a step, so that no rhythm keeps it from settling
        return dict(zip(states, np.linalg.matrix_power(half, 1 << 20)[0].tolist(), strict=True))

    def events(self):
        """(state, word, how often) of everything that happens."""
        return [(s, w, m * self.prob(s, w)) for s, m in self.stationary().items() for w in self.predicted()]

    def relative_entropy(self, other):
        """D(self || other) in nats per token."""
        return sum(m * math.log(self.prob(s, w) / other.prob(s, w)) for s, w, m in self.events() if m > 0)

    def entropy(self):
        """Nats per token."""
        return -sum(m * math.log(self.prob(s, w)) for s, w, m in self.events() if m > 0)


def expected_count(events, gram):
    """How often an n-gram occurs."""
    return sum(m for s, w, m in events if (*s, w)[-len(gram) :] == gram)


def cost(model, events, gram, kept):
    """What leaving out one n-gram costs while the longer ones in `kept` are there."""
    context, word = gram[:-1], gram[-1]
    old, new = model.backoff[context], _backoff_without(model, gram)
    own = math.log(model.p[gram] / (new * model.prob(context[1:], word)))
    total = 0.0
    for state, w, m in events:
        text = (*state, w)
        longer = any(text[-n:] in kept for n in range(len(gram) + 1, len(text) + 1))
        if w == word and text[-len(gram) :] == gram and not longer:
            total += m * own
        elif state[len(state) - len(context) :] == context and (*context, w) not in model.p:
            total += m * math.log(old / new)
    return total


def _backoff_without(model, gram):
    rest = [g for g in model.children(gram[:-1]) if g != gram]
    return (1 - sum(model.p[g] for g in rest)) / (1 - sum(model.prob(g[1:-1], g[-1]) for g in rest))


def pruned(model, threshold):
    """The n-grams that stay: order by order from the highest, what costs enough or is needed."""
    events = model.events()
    kept = {gram for gram in model.p if len(gram) == 1}
    for n in range(model.order, 1, -1):
        needed = {g[:-1] for g in kept if len(g) == n + 1} | {g[1:] for g in kept if len(g) == n + 1}
        kept |= {
            gram
            for gram in model.p
            if len(gram) == n and (gram in needed or cost(model, events, gram, kept) >= math.log1p(threshold))
        }
    return kept


def mapped(model, gram):
    """An n-gram in the words that a model knows."""
    return tuple(w if (w,) in model.p else UNK for w in gram)


def shared_prob(model, words, history, word):
    """p(word | history) where the words that a model lacks share the probability of its unknown word."""
    strangers = sum((w,) not in model.p for w in words) + 1
    p = model.prob(mapped(model, history), mapped(model, [word])[0])
    return p / strangers if word == UNK or (word,) not in model.p else p


def product(models, words, weights, history):
    """{word: normalised product of the models' probabilities} after a history."""
    values = {
        w: math.prod(shared_prob(m, words, history, w) ** x for m, x in zip(models, weights, strict=True))
        for w in words
        if w != BOS
    }
    total = sum(values.values())
    return {w: v / total for w, v in values.items()}


def histories(words, longest):
    """Every sequence of words up to a length."""
    return [h for n in range(longest + 1) for h in itertools.product(words, repeat=n)]
