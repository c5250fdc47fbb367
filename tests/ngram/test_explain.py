"""Explanations: every number can be worked out again from the others."""

import math
from collections import Counter
from dataclasses import replace

import naive_ngram
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from textkit.errors import UsageError
from textkit.ngram.counting import count_text
from textkit.ngram.explain import explain, why_no_terms
from textkit.ngram.model import NGramModel
from textkit.text.corpus import encode_corpus
from textkit.text.reader import Lines
from textkit.text.tokenizer import Tokenizer

WORDS = st.sampled_from(["a", "b", "c", "d"])
TEXTS = st.lists(st.lists(WORDS, max_size=6), min_size=1, max_size=8).filter(any)
SENTENCES = st.lists(st.sampled_from(["a", "b", "c", "d", "x"]), max_size=7)


def trained(lines, order, **settings):
    return NGramModel.train(lines, order=order, discount_fallback=(0.5, 1.0, 1.5), threads=1, **settings)


@settings(max_examples=80)
@given(TEXTS, st.integers(1, 4), SENTENCES)
def test_everything_adds_up(lines, order, sentence):
    model = trained(lines, order, keep_counts=True)
    found = explain(model, " ".join(sentence))
    counts = naive_ngram.ngrams(lines, order)
    adjusted = naive_ngram.adjusted_counts(counts)
    for word, scored in zip(found, model.score_tokens(sentence), strict=True):
        assert (word.word, word.oov) == (scored.word, scored.oov)
        assert word.log10_prob == pytest.approx(scored.log10_prob, abs=1e-5)
        charged = sum(b.log10_weight for b in word.backoffs if b.log10_weight is not None)
        assert word.log10_prob == pytest.approx(word.log10_ngram + charged)
        assert word.order == len(word.ngram) == len(word.terms)
        assert word.bits == pytest.approx(-math.log2(word.probability))
        assert 10**word.log10_ngram == pytest.approx(word.terms[0].probability)
        for term in word.terms:
            n = len(term.ngram)
            after = {g: c for g, c in adjusted[n - 1].items() if g[:-1] == term.ngram[:-1]}
            assert term.count == Counter(counts[n - 1])[term.ngram]
            assert term.adjusted == after.get(term.ngram, 0)
            assert term.total == sum(after.values())
            assert term.own == pytest.approx((term.adjusted - term.discount) / term.total)
            assert term.own + term.gamma * term.lower == pytest.approx(term.probability, rel=1e-4)
        for upper, lower in zip(word.terms, word.terms[1:], strict=False):
            assert upper.lower == pytest.approx(lower.probability)


@settings(max_examples=40)
@given(TEXTS, st.integers(1, 4), SENTENCES, st.integers(1, 2))
def test_a_count_file_explains_what_kept_counts_do(lines, order, sentence, min_count):
    text = "\n".join(" ".join(line) for line in lines)
    corpus = encode_corpus(Lines(text.split("\n")), Tokenizer("whitespace"))
    counted = count_text(corpus, order + 1, threads=1)
    model = trained(lines, order, keep_counts=True, min_count=min_count)
    assert explain(replace(model, counts=None), " ".join(sentence), counted) == explain(model, " ".join(sentence))


def test_a_count_file_explains_a_pruned_model():
    lines = [["a", "b", "c"], ["a", "b"], ["c", "b", "c"]]
    counted = count_text(encode_corpus(Lines(map(" ".join, lines)), Tokenizer("whitespace")), 3, threads=1)
    model = trained(lines, 3, prune=(0, 0, 1))
    assert "--counts" in why_no_terms(model)
    assert why_no_terms(model, counted) == ""
    for word in explain(model, "a b c", counted):
        for term in word.terms:
            assert term.own + term.gamma * term.lower == pytest.approx(term.probability, rel=1e-4)


def test_counts_of_another_text_are_refused():
    counted = count_text(encode_corpus(Lines(["a b"]), Tokenizer("whitespace")), 2, threads=1)
    with pytest.raises(UsageError, match="the counts are of 2 tokens, the model of 4"):
        explain(trained([["a", "b"], ["a", "c"]], 2), "a", counted)


def test_by_hand():
    model = trained([["a", "b"], ["a", "b"], ["c", "b"]], 2, keep_counts=True)
    a, b, end = explain(model, "a b")
    assert (a.ngram, a.backoffs, a.count) == (("<s>", "a"), [], 2)
    # "a b" occurs twice after the only context "a"; "b" has two different words before it, of 5 bigram types
    assert [(t.count, t.adjusted, t.total, t.discount) for t in b.terms] == [(2, 2, 2, 1.5), (3, 2, 5, 1.0)]
    assert b.terms[1].own == pytest.approx(0.2)
    assert b.terms[1].gamma == pytest.approx((0.5 + 1.0 + 0.5 + 0.5) / 5)  # a 1, b 2, c 1, </s> 1
    assert b.terms[1].lower == pytest.approx(1 / 5, rel=1e-5)  # a b c </s> <unk>
    assert end.ngram == ("b", "</s>")


def test_backoffs_are_named():
    model = trained([["a", "b"], ["c", "b"]], 3)
    _, unknown = explain(model, "x")[0], explain(model, "a x")[1]
    assert [b.context for b in unknown.backoffs] == [("<s>", "a"), ("a",)]
    assert unknown.ngram == ("<unk>",)
    after = explain(model, "x b")[1]
    assert [(b.context, b.log10_weight is None) for b in after.backoffs] == [
        (("<s>", "<unk>"), True),
        (("<unk>",), False),
    ]
    assert after.count is None
    assert after.terms == []


def test_why_there_are_no_terms(tmp_path):
    lines = [["a", "b"], ["a", "b"], ["c", "b"]]
    assert "--keep-counts" in why_no_terms(trained(lines, 2))
    assert "pruned" in why_no_terms(trained(lines, 2, keep_counts=True, prune=(0, 1)))
    assert "pruned" in why_no_terms(trained(lines, 2, keep_counts=True, limit_vocab=("a", "b")))
    model = trained(lines, 2, keep_counts=True)
    assert why_no_terms(model) == ""
    model.report["form"] = "backoff"
    assert "interpolated" in why_no_terms(model)
    model.report["smoothing"] = "wb"
    assert "smoothing is wb" in why_no_terms(model)


def test_counts_are_kept_in_the_file(tmp_path):
    model = trained([["a", "b"], ["a", "b"]], 2, keep_counts=True, prune=(0, 1))
    model.save(tmp_path / "m.ngram")
    loaded = NGramModel.load(tmp_path / "m.ngram")
    assert loaded.counts.tolist() == model.counts.tolist()
    assert len(loaded.counts) == sum(loaded.sizes)
    trained([["a"]], 2).save(tmp_path / "none.ngram")
    assert NGramModel.load(tmp_path / "none.ngram").counts is None
