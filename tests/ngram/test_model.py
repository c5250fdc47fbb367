"""The model against its plain twin, and what one can ask of it."""

import math

import naive_ngram
import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from tries import entries

from textkit.errors import DataError, UsageError
from textkit.ngram.config import TrainingConfig
from textkit.ngram.generate import sentences
from textkit.ngram.model import NGramModel, draw
from textkit.ngram.scoring import line_records, perplexity
from textkit.text import blocks
from textkit.text.corpus import encode_corpus
from textkit.text.reader import Lines, Reader
from textkit.text.tokenizer import Tokenizer
from textkit.text.vocabulary import BOS, EOS, UNK

WORDS = st.sampled_from(["a", "b", "c", "d", "e"])
TEXTS = st.lists(st.lists(WORDS, max_size=7), min_size=1, max_size=12).filter(any)


def train(lines, order, tokenizer="whitespace", **settings):
    text = Lines([" ".join(line) for line in lines])
    corpus = encode_corpus(text, Tokenizer(tokenizer), threads=1, **settings)
    config = TrainingConfig(order=order, discount_fallback=(0.5, 1.0, 1.5))
    return NGramModel.train(corpus, config, threads=1)


@settings(deadline=None, max_examples=150)
@given(TEXTS, st.integers(1, 5))
def test_equals_plain_kneser_ney(lines, order):
    log_p, backoff = naive_ngram.kneser_ney(lines, order)
    found = entries(train(lines, order))
    assert found.keys() == log_p.keys()
    for ngram, (p, b) in found.items():
        assert p == pytest.approx(log_p[ngram], abs=1e-5), ngram
        if len(ngram) < order:
            assert b == pytest.approx(backoff[ngram], abs=1e-5), ngram


@settings(deadline=None, max_examples=100)
@given(TEXTS, st.integers(1, 5), st.lists(st.sampled_from(["a", "b", "c", "d", "e", "x"]), max_size=9))
def test_scores_equal_plain_backing_off(lines, order, sentence):
    model = train(lines, order)
    log_p, backoff = naive_ngram.kneser_ney(lines, order)
    history = ["<s>"]
    for word, found in zip([*sentence, "</s>"], model.score_tokens(sentence), strict=True):
        expected, length = naive_ngram.score(log_p, backoff, order, history, word)
        assert found.log10_prob == pytest.approx(expected, abs=2e-5)
        assert found.oov == (word == "x" or (word,) not in log_p)
        assert found.order == (1 if found.oov else length)
        history.append(word)


@settings(deadline=None, max_examples=60)
@given(TEXTS, st.integers(1, 4), st.lists(WORDS, max_size=5))
def test_next_words_sum_to_one_and_equal_scores(lines, order, prefix):
    model = train(lines, order)
    _, _, state = model.advance(model.start(), model.vocabulary.ids(prefix))
    log_p = model.distribution(state)
    assert np.sum(10.0**log_p) == pytest.approx(1.0, abs=1e-5)
    assert log_p[BOS] == -np.inf
    for word in [UNK, EOS, *range(3, len(model.vocabulary))]:
        score, _, _ = model.advance(state, np.array([word]))
        assert log_p[word] == pytest.approx(float(score[0]), abs=1e-5)


@settings(deadline=None, max_examples=40)
@given(TEXTS, st.integers(1, 4))
def test_arpa_round_trip_is_exact(tmp_path_factory, lines, order):
    model, path = train(lines, order), tmp_path_factory.mktemp("arpa") / "m.arpa.gz"
    model.write_arpa(path)
    assert entries(NGramModel.load(path)) == entries(model)


def test_save_and_load(tmp_path):
    model = train([["a", "b"], ["b", "c"]], 3, tokenizer="word", min_count=1)
    model.save(tmp_path / "m.ngram")
    loaded = NGramModel.load(tmp_path / "m.ngram")
    assert entries(loaded) == entries(model)
    assert (loaded.tokenizer, loaded.report, loaded.signature) == (model.tokenizer, model.report, model.signature)
    assert loaded.signature == f"tok:word|case:keep|norm:none|digits:keep|order:3|smooth:mkn|v:{_version()}"


def _version():
    import textkit

    return textkit.__version__


def test_rare_words_become_the_unknown_word():
    model = train([["a", "b"], ["a", "c"], ["a", "d"]], 2, min_count=2)
    assert model.vocabulary.words() == ["<unk>", "<s>", "</s>", "a"]
    scores = model.score_tokens(["a", "never"])
    assert [w.oov for w in scores] == [False, True, False]
    assert 10 ** scores[1].log10_prob > 0.5  # three of three words after "a" were unknown


def test_sentence_marks_in_text_are_left_out_and_counted():
    model = train([["a", "<s>", "b", "</s>"]], 2)
    assert model.report["dropped_marks"] == 2
    assert ("a", "b") in entries(model)


@pytest.mark.parametrize("order", [0, 101])
def test_impossible_orders_are_refused(order):
    with pytest.raises(UsageError, match="--order"):
        TrainingConfig(order=order)


def test_order_ten_on_short_lines():
    model = train([["a"], [], ["b", "a"]], 10)
    assert model.sizes == [5, 5, 3, 1, 0, 0, 0, 0, 0, 0]
    assert model.score("b a") == pytest.approx(sum(w.log10_prob for w in model.full_scores("b a")))


def test_generation_is_repeatable_and_follows_the_text():
    model = train([["a", "b", "c"]] * 5 + [["a", "c"]], 3)
    assert list(sentences(model, 5, seed=3)) == list(sentences(model, 5, seed=3))
    assert list(sentences(model, 20, seed=3)) != list(sentences(model, 20, seed=4))
    assert set(sentences(model, 20, temperature=0)) == {"a b c"}
    assert all(text.startswith("a c") for text in sentences(model, 5, prefix="a c"))
    assert len(next(iter(sentences(model, 1, max_tokens=1))).split()) <= 1


def test_char_model_generates_spaces():
    text = Lines(["ab ab", "ab ab"])
    model = NGramModel.train(encode_corpus(text, Tokenizer("char")), TrainingConfig(order=4))
    assert next(iter(sentences(model, 1, temperature=0))) == "ab ab"


def test_draw_keeps_what_is_asked_for():
    weights = np.log([0.5, 0.3, 0.15, 0.05])
    rng = np.random.default_rng(0)
    assert {draw(weights, rng, 1.0, 2, 1.0) for _ in range(200)} == {0, 1}
    assert {draw(weights, rng, 1.0, None, 0.7) for _ in range(200)} == {0, 1}
    assert {draw(weights, rng, 1.0, None, 1.0) for _ in range(400)} == {0, 1, 2, 3}
    drawn = np.bincount([draw(weights, rng, 1.0, None, 1.0) for _ in range(4000)]) / 4000
    assert drawn == pytest.approx([0.5, 0.3, 0.15, 0.05], abs=0.04)
    with pytest.raises(UsageError):
        next(train([["a"]], 2).sample(rng=rng, temperature=-1.0))


def test_perplexity_by_hand():
    model = train([["a", "b"], ["a"], ["c"]], 2)
    text = Lines(["a b", "x"])
    found = perplexity(model, text)
    scores = [*model.full_scores("a b"), *model.full_scores("x")]
    total = sum(w.log10_prob for w in scores)
    known = sum(w.log10_prob for w in scores if not w.oov)
    assert (found.lines, found.tokens, found.oov) == (2, 5, 1)
    assert found.perplexity == pytest.approx(10 ** (-total / 5))
    assert found.perplexity_without_oov == pytest.approx(10 ** (-known / 4))
    assert found.bits_per_character == pytest.approx(-total * math.log2(10) / len("a b\nx\n"))
    assert [r.text for r in line_records(model, text)] == ["a b", "x"]
    assert sum(r.log10_prob for r in line_records(model, text)) == pytest.approx(total)


def test_perplexity_of_nothing_is_an_error():
    with pytest.raises(DataError, match="no line"):
        perplexity(train([["a"]], 2), Lines([]))


def test_a_line_in_many_blocks_is_scored_as_one(monkeypatch, tmp_path):
    path = tmp_path / "t.txt"
    path.write_text("a b a b c a b\nb a\na b b b")
    model = train([["a", "b"], ["b", "a"], ["c"]], 3)
    expected = [(r.text, r.log10_prob) for r in line_records(model, Reader([path]))]
    monkeypatch.setattr(blocks, "BLOCK", 4)
    monkeypatch.setattr(blocks, "LONG_LINE", 4)
    assert [(r.text, r.log10_prob) for r in line_records(model, Reader([path]))] == expected
