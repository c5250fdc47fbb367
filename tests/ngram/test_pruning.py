"""Relative-entropy pruning against sums over every context and word of tiny models."""

import math

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from naive_models import Plain, cost, expected_count, histories, pruned

from textkit.errors import DataError, UsageError
from textkit.formats.backoff import BackoffTrie
from textkit.ngram import flow, pruning, refitting
from textkit.ngram.config import TrainingConfig
from textkit.ngram.links import powers_of_10, suffix_links
from textkit.ngram.model import NGramModel
from textkit.ngram.pruning import Limits, prune, pruned_model
from textkit.ngram.quantisation import quantised_model
from textkit.progress import silent
from textkit.text.corpus import encode_corpus
from textkit.text.reader import Lines
from textkit.text.tokenizer import Tokenizer

WORDS = st.sampled_from(["a", "b", "c"])
TEXTS = st.lists(st.lists(WORDS, max_size=6), min_size=1, max_size=8).filter(any)


def train(lines, order, **settings):
    corpus = encode_corpus(Lines([" ".join(line) for line in lines]), Tokenizer("whitespace"), threads=1, **settings)
    return NGramModel.train(corpus, TrainingConfig(order=order), threads=1)


def ngrams(model):
    """Every n-gram in the order of the nodes."""
    words, trie = model.vocabulary.words(), model.trie()
    found = [(w,) for w in words]
    for context in range(len(trie.backoff)):
        for child in range(trie.edges[context], trie.edges[context + 1]):
            found.append((*found[context], words[trie.words[child]]))
    return found


@pytest.fixture
def exactly(monkeypatch):
    """Let the flow settle to the last digits."""
    monkeypatch.setattr(flow, "_SETTLED", 1e-13)
    monkeypatch.setattr(flow, "_STEPS", 3000)
    monkeypatch.setattr(refitting, "_ROUNDS", 60)


@settings(max_examples=20)
@given(TEXTS, st.integers(1, 4))
def test_suffix_links(lines, order):
    model = train(lines, order)
    grams = ngrams(model)
    links = suffix_links(model.trie(), threads=1).tolist()
    assert all(grams[link] == gram[1:] for gram, link in zip(grams, links, strict=True) if len(gram) > 1)


@settings(max_examples=20)
@given(TEXTS, st.integers(1, 4))
def test_expected_counts(exactly, lines, order):
    model = train(lines, order)
    trie = model.trie()
    found = flow.expected_flow(trie, suffix_links(trie, 1), powers_of_10(trie.log_p, 1))
    events = Plain.of(model).events()
    for gram, count in zip(ngrams(model), found.counts.tolist(), strict=True):
        if gram != ("<s>",):
            assert count == pytest.approx(expected_count(events, gram), abs=1e-6), gram


@settings(max_examples=15)
@given(TEXTS, st.integers(2, 4))
def test_costs_are_the_relative_entropy_of_leaving_one_out(exactly, lines, order):
    model = train(lines, order)
    plain, pruner = Plain.of(model), pruning._Pruner(model.trie(), 1, silent)
    events, grams = plain.events(), ngrams(model)
    costs = {gram: cost(plain, events, gram, ()) for gram in grams if len(gram) > 1}
    for node in range(model.sizes[0], len(grams)):
        gram = grams[node]
        needing = [costs[g] for g in costs if _inside(gram, g)]
        assert pruner.cost[node] == pytest.approx(max(needing), abs=1e-6)
        if len(gram) == order:
            assert costs[gram] == pytest.approx(plain.relative_entropy(plain.without(gram)), abs=1e-6)


def _inside(gram, longer):
    return any(longer[i : i + len(gram)] == gram for i in range(len(longer) - len(gram) + 1))


@settings(max_examples=20)
@given(st.lists(st.lists(WORDS, min_size=1, max_size=6), min_size=4, max_size=9), st.integers(2, 4), st.floats(0.2, 1))
def test_keeps_what_the_plain_twin_keeps_and_sums_to_one(exactly, lines, order, share):
    model = train(lines, order)
    plain = Plain.of(model)
    costs = sorted(cost(plain, plain.events(), gram, ()) for gram in plain.p if len(gram) > 1)
    threshold = max(costs[int(share * (len(costs) - 1))], 1e-6) + 1e-9
    found = prune(model.trie(), threshold, refit=False)
    small = NGramModel.from_trie(found.trie, model.vocabulary, model.tokenizer, {})
    other = Plain.of(small)
    low, high = pruned(plain, threshold - 1e-6), pruned(plain, threshold + 1e-6)
    if low == high:
        assert set(other.p) == low
    for gram, p in other.p.items():
        assert p == plain.p[gram]
    for history in histories(model.vocabulary.words(), order - 1):
        assert other.total(history) == pytest.approx(plain.total(history), abs=1e-5), history
    assert found.relative_entropy == pytest.approx(plain.relative_entropy(other), abs=1e-6)
    assert found.entropy == pytest.approx(plain.entropy(), abs=1e-6)
    assert found.expected_perplexities[0] == pytest.approx(math.exp(plain.entropy()), rel=1e-5)


@settings(max_examples=20)
@given(st.lists(st.lists(WORDS, min_size=1, max_size=6), min_size=4, max_size=9), st.integers(2, 4), st.floats(0.2, 1))
def test_refitted_ngrams_are_met_as_often_as_before(exactly, lines, order, share):
    model = train(lines, order)
    plain, trie = Plain.of(model), model.trie()
    costs = pruning._Pruner(trie, 1, silent).cost[trie.sizes[0] :]
    threshold = max(float(np.expm1(np.quantile(costs[np.isfinite(costs)], share))), 0.0) + 1e-9
    whole, events = plain.stationary(), plain.events()
    stolcke, found = (prune(trie, threshold, refit=refit) for refit in (False, True))
    assert found.trie.sizes == stolcke.trie.sizes
    other = Plain.of(NGramModel.from_trie(found.trie, model.vocabulary, model.tokenizer, {}))
    for history in histories(model.vocabulary.words(), order - 1):
        assert other.total(history) == pytest.approx(1.0, abs=1e-5), history
    assert found.relative_entropy == pytest.approx(plain.relative_entropy(other), abs=1e-6)
    assert found.relative_entropy <= stolcke.relative_entropy + 1e-6
    for gram in other.p:
        if len(gram) < order and gram != ("<s>",):
            met = sum(m * other.prob(s, gram[-1]) for s, m in whole.items() if (*s, gram[-1])[-len(gram) :] == gram)
            assert met == pytest.approx(expected_count(events, gram), abs=5e-4), gram


def test_a_bigram_by_hand():
    """Of p(b | a) = 0.9 and p(b) = 0.5 with words b and </s>: without 'a b' the backoff of a becomes 1."""
    trie = BackoffTrie(
        [5, 2],
        np.array([0, 1, 2, 3, 4, 3, 4], np.int32),
        np.log10(np.array([1e-9, 1, 0.25, 0.25, 0.5, 1.0, 0.9])).astype(np.float32),
        np.log10(np.array([1, 1, 1, 0.2, 1])).astype(np.float32),
        np.array([5, 5, 6, 6, 7, 7], np.uint32),  # <s> a, a b
    )
    found = prune(trie, 0.99)
    assert found.trie.sizes == [5, 0]
    assert found.trie.backoff.tolist() == [0.0] * 5


LINES = [list("abcab"), list("bca"), list("aab"), list("cabca"), list("bb")] * 3


def test_nothing_goes_at_threshold_zero_and_all_but_words_at_a_large_one():
    model = train(LINES, 3)
    trie = model.trie()
    same = prune(trie, 0.0)
    assert (same.trie.sizes, same.relative_entropy) == (trie.sizes, 0.0)
    assert np.array_equal(same.trie.log_p, trie.log_p)
    assert np.array_equal(same.trie.backoff, trie.backoff)
    assert prune(trie, 100.0).trie.sizes == [trie.sizes[0], 0, 0]


def test_limits_the_strictest_wins(tmp_path):
    model = train([*LINES, *[[w, f"x{i}", w] for i in range(200) for w in "abc"]], 3)
    total = sum(model.sizes)
    for limit in (total - 1, total // 2, model.sizes[0]):
        small, found = pruned_model(model, Limits(max_ngrams=limit), threads=1)
        assert sum(small.sizes) <= limit
        assert found.threshold > 0
    loose = pruned_model(model, Limits(threshold=1e-4), threads=2)[0]
    both = pruned_model(model, Limits(threshold=1e-4, max_ngrams=total), threads=2)[0]
    assert loose.sizes == both.sizes != model.sizes
    model.save(tmp_path / "whole.ngram")
    size = (tmp_path / "whole.ngram").stat().st_size - 2000
    small = pruned_model(model, Limits(max_size=size), threads=1)[0]
    small.save(tmp_path / "small.ngram")
    assert (tmp_path / "small.ngram").stat().st_size <= size
    assert sum(small.sizes) < total
    assert "|smooth:mkn+pruned:" in small.signature


def test_only_models_made_for_backing_off_are_refitted():
    """Text in which 'b' always follows 'a', and 'c' and 'd' follow everything: 'b' is frequent, but new nowhere."""
    lines = [["a", "b", w, "a", "b", v] for w in "cdef" for v in "cdef"] * 4
    kneser_ney = train(lines, 3)
    found = prune(kneser_ney.trie(), 100.0)  # all but the words
    assert found.refitted
    refitted = NGramModel.from_trie(found.trie, kneser_ney.vocabulary, kneser_ney.tokenizer, {})
    small = [Plain.of(model).p["b",] for model in (kneser_ney, refitted)]
    assert small[0] < 0.1
    assert small[1] == pytest.approx(2 / 7, abs=0.01)  # of seven tokens a line, ends included, two are 'b'
    assert not prune(kneser_ney.trie(), 100.0, refit=False).refitted
    words = np.log10(np.array([0.01, 1, 2 / 7, 0.3, 0.3, 0.1, 0.1])).astype(np.float32)
    marginal = BackoffTrie(
        [7, 1], np.array([0, 1, 2, 3, 4, 5, 6, 3], np.int32), np.append(words, np.float32(-0.3)),
        np.array([0, math.log10((1 - 10**-0.3) / 0.7), 0, 0, 0, 0, 0], np.float32),
        np.array([7, 7] + [8] * 6, np.uint32),
    )  # fmt: skip
    assert not prune(marginal, 1.0).refitted


def test_quantised_models_stay_quantised():
    model, _ = quantised_model(train(LINES, 3), 5)
    for limits, width in ((Limits(1e-3), 5), (Limits(1e-3, bits=3), 3)):
        small = pruned_model(model, limits)[0]
        assert (small.packed.code_width, small.sizes) == (width, pruned_model(train(LINES, 3), Limits(1e-3))[0].sizes)
        assert f"+pruned:0.001+quantized:{width}|" in small.signature
    assert train(LINES, 3).packed.code_width is None


def test_perplexity_grows_with_the_threshold():
    model = train(LINES, 3)
    grown = [prune(model.trie(), t).relative_entropy for t in (0.0, 1e-3, 1e-2, 1e-1, 1.0)]
    assert grown == sorted(grown)
    assert grown[0] < grown[-1]


@pytest.mark.parametrize("limits", [Limits(max_ngrams=3), Limits(max_size=100), Limits(threshold=-1.0), Limits(bits=0)])
def test_impossible_limits(limits):
    with pytest.raises(UsageError):
        pruned_model(train(LINES, 2), limits)


@pytest.mark.parametrize("threshold", [math.nan, math.inf])
def test_thresholds_that_are_no_numbers(threshold):
    with pytest.raises(UsageError, match="--threshold"):
        prune(train(LINES, 2).trie(), threshold)


def test_damaged_models_are_refused():
    trie = train(LINES, 3).trie()
    first = trie.sizes[0]
    words, edges = trie.words.copy(), trie.edges.copy()
    words[first : first + 2] = words[first + 1 : first - 1 : -1]
    edges[3], edges[4] = edges[4], edges[3]
    for broken in (
        BackoffTrie(trie.sizes, words, trie.log_p, trie.backoff, trie.edges),
        BackoffTrie(trie.sizes, trie.words, trie.log_p, trie.backoff, edges),
        BackoffTrie(trie.sizes, trie.words, trie.log_p, trie.backoff, trie.edges + np.uint32(1)),
        BackoffTrie(trie.sizes, np.full_like(words, 10**6), trie.log_p, trie.backoff, trie.edges),
    ):
        with pytest.raises(DataError, match="damaged"):
            prune(broken, 0.1)
