"""Scoring word by word, and looking into a model, against the plain backoff model."""

from collections import Counter
from itertools import pairwise

import naive_ngram
import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from textkit.kernels import trace
from textkit.ngram.model import NGramModel

WORDS = st.sampled_from(["a", "b", "c", "d", "e"])
TEXTS = st.lists(st.lists(WORDS, max_size=6), min_size=1, max_size=8).filter(any)
SENTENCES = st.lists(st.sampled_from(["a", "b", "c", "d", "e", "x"]), max_size=8)


def trained(lines, order):
    return NGramModel.train(lines, order=order, discount_fallback=(0.5, 1.0, 1.5), threads=1)


def described(model, level):
    """{n-gram: (log10 probability, backoff)} of a level, in the order of the model."""
    nodes = np.arange(model.sizes[level], dtype=np.int64)
    ids, numbers = np.empty((len(nodes), level + 1), np.int32), np.empty((len(nodes), 2), np.float64)
    trace.describe(nodes, level, *model.query_arrays, np.empty(level + 1, np.int64), ids, numbers)
    words = model.vocabulary.words()
    return {tuple(words[i] for i in row): tuple(pair) for row, pair in zip(ids.tolist(), numbers.tolist(), strict=True)}


@settings(max_examples=40)
@given(TEXTS, st.integers(1, 4), SENTENCES, st.booleans())
def test_scores_and_what_they_are_made_of(lines, order, sentence, long):
    model = trained(lines, order)
    log_p, backoff = naive_ngram.kneser_ney(lines, order)
    ids = np.append(model.vocabulary.ids(sentence), np.int32(2))
    nodes, scratch = np.array(model.start().nodes, np.int64), np.empty(order, np.int64)
    scores, orders = np.empty(len(ids), np.float32), np.empty(len(ids), np.int32)
    total = trace.score_words(ids, nodes, *model.query_arrays, scratch, scores, orders)
    repeats = 2500 // len(ids) if long else 2  # long: more than one batch
    stream = np.tile(np.concatenate([np.array([-1], np.int32), ids]), repeats)
    numbers = model.trace_stream(stream, 7).reshape(repeats, len(ids), 6)
    assert numbers[:, :, 0].tolist() == [[8 + line] * len(ids) for line in range(repeats)]
    assert (numbers[:, :, 1:] == numbers[:1, :, 1:]).all()
    assert numbers[0, :, 1].tolist() == scores.tolist()
    assert numbers[0, :, 2] == pytest.approx(-np.log2(10) * scores)
    assert numbers[0, :, 3].tolist() == orders.tolist()
    assert total == np.add.accumulate(scores)[-1]
    history = ["<s>"]
    for i, word in enumerate([*sentence, "</s>"]):
        expected, length = naive_ngram.score(log_p, backoff, order, history, word)
        known = word if (word,) in log_p else "<unk>"
        used = [w if (w,) in log_p else "<unk>" for w in [*history, word]][-length:]
        assert scores[i] == pytest.approx(expected, abs=2e-5)
        assert orders[i] == (1 if known == "<unk>" else length)
        assert numbers[0, i, 4] == pytest.approx(expected - log_p[tuple(used)], abs=2e-5)
        assert numbers[0, i, 5] == (known == "<unk>")
        history.append(word)


@settings(max_examples=40)
@given(TEXTS, st.integers(1, 4), SENTENCES, WORDS)
def test_minimal_states_change_no_score(lines, order, sentence, word):
    model = trained(lines, order)
    whole = np.array(model.start().nodes, np.int64)
    small, target = whole.copy(), np.empty(order, np.int64)
    for i in [*model.vocabulary.ids(sentence).tolist(), model.vocabulary.id(word)]:
        expected, matched = trace.score_word(i, whole, *model.query_arrays, target)
        whole = target.copy()
        assert trace.advance(i, small, *model.query_arrays, target) == (expected, matched)
        small = target.copy()
        assert all(s in (-1, w) for s, w in zip(small.tolist(), whole.tolist(), strict=True))


def test_a_minimal_state_forgets_what_nothing_follows():
    model = trained([["a", "b"], ["c", "b"]], 3)
    target = np.empty(3, np.int64)
    state = np.array(model.start().nodes, np.int64)
    trace.advance(model.vocabulary.id("unknown"), state, *model.query_arrays, target)
    assert target.tolist() == [-1, -1, -1]
    trace.advance(model.vocabulary.id("a"), state, *model.query_arrays, target)
    assert (target[0] >= 0, target[1] >= 0, target[2]) == (True, True, -1)


@settings(max_examples=40)
@given(TEXTS, st.integers(1, 4))
def test_describe_and_find_node(lines, order):
    model = trained(lines, order)
    log_p, backoff = naive_ngram.kneser_ney(lines, order)
    found = {}
    for level in range(order):
        entries = described(model, level)
        for node, ngram in enumerate(entries):
            ids = model.vocabulary.ids(ngram)
            assert trace.find_node(ids, *model.query_arrays[:2]) == node
        found.update(entries)
    assert found.keys() == log_p.keys()
    for ngram, (p, b) in found.items():
        assert p == pytest.approx(log_p[ngram], abs=1e-5)
        assert np.isnan(b) if len(ngram) == order else b == pytest.approx(backoff[ngram], abs=1e-5)


@given(TEXTS)
def test_describe_in_any_order(lines):
    model = trained(lines, 2)
    expected = list(described(model, 1).items())
    nodes = np.arange(len(expected), dtype=np.int64)[::-1].copy()
    ids, numbers = np.empty((len(nodes), 2), np.int32), np.empty((len(nodes), 2), np.float64)
    trace.describe(nodes, 1, *model.query_arrays, np.empty(2, np.int64), ids, numbers)
    assert [tuple(model.vocabulary.words(row)) for row in ids.tolist()] == [ngram for ngram, _ in expected[::-1]]


@given(TEXTS)
def test_a_missing_ngram_has_no_node(lines):
    model = trained(lines, 3)
    bigrams = described(model, 1)
    for pair in [(v, w) for v in "abcde" for w in "abcde" if v in model and w in model and (v, w) not in bigrams]:
        assert trace.find_node(model.vocabulary.ids(pair), *model.query_arrays[:2]) == -1
        assert trace.find_node(model.vocabulary.ids((*pair, "a")), *model.query_arrays[:2]) == -1


@settings(max_examples=40)
@given(TEXTS, st.integers(2, 4))
def test_continuations_are_adjusted_counts(lines, order):
    model = trained(lines, order)
    adjusted = naive_ngram.adjusted_counts(naive_ngram.ngrams(lines, order))
    for n in range(1, order):
        contexts = {ngram[:-1] for ngram in adjusted[n - 1] if ngram[0] != "<s>"}
        for context in contexts:
            tally = np.zeros(len(model.vocabulary), np.int64)
            trace.tally_continuations(model.vocabulary.ids(context), *model.query_arrays[:2], tally)
            expected = Counter({g[-1]: c for g, c in adjusted[n - 1].items() if g[:-1] == context and c})
            assert (
                Counter({w: c for w, c in zip(model.vocabulary.words(), tally.tolist(), strict=True) if c}) == expected
            )


@given(TEXTS)
def test_child_ranges_cut_a_level_into_contexts(lines):
    model = trained(lines, 2)
    data, layout, _ = model.query_arrays
    ranges = [trace.child_range(node, node + 1, data, layout, 0) for node in range(model.sizes[0])]
    assert ranges[0][0] == 0
    assert ranges[-1][1] == model.sizes[1]
    assert all(a[1] == b[0] for a, b in pairwise(ranges))
