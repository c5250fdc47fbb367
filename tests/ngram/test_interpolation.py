"""Mixtures against the sums that define them, over every context and word of tiny models."""

import math
from collections import Counter

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from naive_models import BOS, Plain, histories, product, shared_prob

from textkit.errors import DataError, UsageError
from textkit.formats.backoff import BackoffTrie
from textkit.kernels import interpolation as kernels
from textkit.ngram import interpolation
from textkit.ngram.config import TrainingConfig
from textkit.ngram.interpolation import best_weights, hold_out, interpolate
from textkit.ngram.links import suffix_links
from textkit.ngram.model import NGramModel
from textkit.ngram.scoring import perplexity
from textkit.ngram.union import Union, UnionVocabulary
from textkit.text.corpus import encode_corpus
from textkit.text.reader import Lines
from textkit.text.tokenizer import Tokenizer
from textkit.text.vocabulary import EOS

FIRST, SECOND = st.sampled_from(["a", "b", "c"]), st.sampled_from(["c", "a", "d", "b"])


def texts(words):
    return st.lists(st.lists(words, max_size=5), min_size=1, max_size=6).filter(any)


def train(lines, order, tokenizer="whitespace", **settings):
    corpus = encode_corpus(Lines([" ".join(line) for line in lines]), Tokenizer(tokenizer), threads=1, **settings)
    return NGramModel.train(corpus, TrainingConfig(order=order), threads=1)


def united(models):
    """All words, those of the first model first."""
    return list(dict.fromkeys(word for model in models for word in model.vocabulary.words()))


PAIRS = st.tuples(texts(FIRST), st.integers(1, 3), texts(SECOND), st.integers(1, 3), st.floats(0, 1))


@settings(max_examples=30)
@given(PAIRS)
def test_linear_is_exact_where_listed_and_sums_to_one(pair):
    first, n, second, m, share = pair
    models = [train(first, n), train(second, m)]
    found = interpolate(models, [share], threads=1)
    words, plain, parts = united(models), Plain.of(found.model), [Plain.of(model) for model in models]
    assert found.model.vocabulary.words() == words
    assert {g for g in plain.p if len(g) > 1} == {g for part in parts for g in part.p if len(g) > 1}
    for gram, p in plain.p.items():
        if gram != (BOS,):
            mixed = [shared_prob(part, words, gram[:-1], gram[-1]) for part in parts]
            assert p == pytest.approx(share * mixed[0] + (1 - share) * mixed[1], rel=1e-4), gram
    for history in histories(words, max(n, m) - 1):
        assert plain.total(history) == pytest.approx(1.0, abs=1e-5), history


@settings(max_examples=30)
@given(PAIRS, st.floats(0, 1.5))
def test_log_linear_is_the_normalised_product_in_every_context(pair, weight):
    first, n, second, m, other = pair
    models = [train(first, n), train(second, m)]
    found = interpolate(models, [weight, other], threads=1, log_linear=True)
    words, plain, parts = united(models), Plain.of(found.model), [Plain.of(model) for model in models]
    for history in histories(words, max(n, m) - 1):
        expected = product(parts, words, [weight, other], history)
        for word, p in expected.items():
            assert plain.prob(history, word) == pytest.approx(p, rel=1e-3), (history, word)


@settings(max_examples=30)
@given(PAIRS, st.booleans())
def test_models_with_ngrams_of_the_unknown_word_sum_to_one(pair, log_linear):
    first, n, second, m, share = pair
    models = [train(lines, order, min_count=2) for lines, order in ((first, n), (second, m), (first + second, 2))]
    found = interpolate(models, [share / 2, 1 - share, share / 2], threads=1, log_linear=log_linear)
    plain = Plain.of(found.model)
    for history in histories(plain.words, 2):
        assert plain.total(history) == pytest.approx(1.0, abs=1e-5), history


@pytest.mark.parametrize("log_linear", [False, True])
def test_one_model_alone_is_itself(log_linear):
    model = train([list("abcab"), list("bca")], 3)
    found = interpolate([model], [1.0], threads=1, log_linear=log_linear).model
    assert found.sizes == model.sizes
    old, new = model.trie(), found.trie()
    assert np.array_equal(old.words, new.words)
    assert new.log_p == pytest.approx(old.log_p, abs=1e-6)
    assert new.backoff == pytest.approx(old.backoff, abs=1e-5)


TALK = [list("abab"), list("abba"), list("aab")] * 5
NEWS = [list("cdc"), list("dcdd"), list("acd")] * 5


def test_weights_follow_the_held_out_text():
    models = [train(TALK, 3), train(NEWS, 2)]
    dev = Lines(["a b a b", "a b b a", "c d c"])
    found = interpolate(models, None, dev, threads=1)
    assert sum(found.weights) == pytest.approx(1.0)
    assert found.weights[0] > 0.5
    assert found.mixed_perplexity < min(found.perplexities)
    # No other weights do better, token by token.
    held = hold_out(models, UnionVocabulary.of([m.vocabulary for m in models]), dev, 1)
    p = 10.0 ** held.scores[held.counted].astype(float)
    losses = {w: -np.log10(p @ [w, 1 - w]).mean() for w in np.linspace(0.001, 0.999, 999)}
    assert min(losses, key=losses.__getitem__) == pytest.approx(found.weights[0], abs=2e-3)
    assert best_weights(held)[1] == pytest.approx(found.weights[1])


def test_log_linear_weights_are_the_likeliest():
    models = [train(TALK, 3), train(NEWS, 2)]
    dev = Lines(["a b a b", "a b b a", "c d c"])
    found = interpolate(models, None, dev, threads=1, log_linear=True)
    best = perplexity(found.model, dev).perplexity
    for change in ([0.05, 0], [-0.05, 0], [0, 0.05], [0, -0.05], [0.03, -0.03]):
        moved = [w + c for w, c in zip(found.weights, change, strict=True)]
        other = interpolate(models, moved, threads=1, log_linear=True)
        assert perplexity(other.model, dev).perplexity > best


@settings(max_examples=30)
@given(texts(FIRST), st.integers(2, 4), texts(st.sampled_from(["a", "b", "c", "x"])))
def test_visits_are_of_the_longest_listed_contexts(lines, order, dev):
    model = train(lines, order)
    vocabulary, trie, plain = model.vocabulary, model.trie(), Plain.of(model)
    words, expected, stream = vocabulary.words(), Counter(), []
    nodes = [(w,) for w in words]
    for node in range(len(trie.backoff)):
        nodes += [(*nodes[node], words[trie.words[c]]) for c in range(trie.edges[node], trie.edges[node + 1])]
    for line in dev:
        known = [words[i] for i in vocabulary.ids(line)]
        for i, word in enumerate([*known, "</s>"]):
            expected[plain.state(["<s>", *known[:i]])] += word != "<unk>"
        stream += [-1, *vocabulary.ids(known).tolist(), EOS]
    visits, ids = np.zeros(len(trie.backoff), np.int64), np.array(stream, np.int32)
    links = suffix_links(trie, 1)
    kernels.count_visits(ids, ids > 0, trie.sizes[0], trie.words, trie.edges, links, visits)
    assert {nodes[i]: int(n) for i, n in enumerate(visits) if n} == {s: n for s, n in expected.items() if n}


def test_words_that_no_model_knows_do_not_count():
    models = [train(TALK, 2), train(NEWS, 2)]
    plain = interpolate(models, None, Lines(["a b", "c"]), threads=1)
    strange = interpolate(models, None, Lines(["a b", "c", "zz yy"]), threads=1)
    assert strange.perplexities != plain.perplexities  # their sentence ends do
    with pytest.raises(DataError, match="no model knows"):
        interpolation.hold_out(models, UnionVocabulary.of([m.vocabulary for m in models]), Lines([]), 1)


def test_saved_and_scored(tmp_path):
    found = interpolate([train(TALK, 3), train(NEWS, 4)], [0.5, 0.5]).model
    found.save(tmp_path / "m.ngram")
    found.write_arpa(tmp_path / "m.arpa")
    for name in ("m.ngram", "m.arpa"):
        loaded = NGramModel.load(tmp_path / name)
        assert loaded.sizes == found.sizes
        assert loaded.score("a b c d") == pytest.approx(found.score("a b c d"), abs=1e-6)
    assert found.report["models"][0].endswith(f"smooth:mkn|v:{found.signature.rsplit(':', 1)[1]}")
    assert "smooth:linear" in found.signature


@pytest.mark.parametrize(
    ("weights", "log_linear"),
    [([0.5, 0.6], False), ([-0.1, 1.1], False), ([0.1, 0.2, 0.7], False), ([math.nan, 1.0], True), ([1e9, 1.0], True)],
)
def test_impossible_weights(weights, log_linear):
    models = [train(TALK, 2), train(NEWS, 2)]
    with pytest.raises(UsageError, match="--weights"):
        interpolate(models, weights, log_linear=log_linear)


def test_models_must_split_text_alike():
    with pytest.raises(UsageError, match="different ways"):
        interpolate([train(TALK, 2), train(NEWS, 2, tokenizer="char")], [0.5, 0.5])


def test_damaged_models_are_refused():
    model = train(TALK, 3)
    trie = model.trie()
    broken = BackoffTrie(trie.sizes, trie.words, trie.log_p, trie.backoff, trie.edges[::-1].copy())
    with pytest.raises(DataError, match="damaged"):
        Union.of([trie, broken], UnionVocabulary.of([model.vocabulary] * 2), 1)
