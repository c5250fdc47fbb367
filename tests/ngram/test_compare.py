"""Comparing methods: the same figures as training each model and scoring the text with it."""

import math

import numpy as np
import pytest

from textkit.errors import UsageError
from textkit.ngram.check import check_sums
from textkit.ngram.compare import Comparer, all_configs, perplexity_plot, read_orders
from textkit.ngram.config import TrainingConfig
from textkit.ngram.methods import METHODS
from textkit.ngram.model import NGramModel
from textkit.ngram.scoring import perplexity
from textkit.text.corpus import encode_corpus
from textkit.text.reader import Lines
from textkit.text.tokenizer import Tokenizer


def made_text(seed, lines):
    rng = np.random.default_rng(seed)
    return Lines([" ".join(f"w{w}" for w in rng.zipf(1.6, 9) if w < 90) for _ in range(lines)])


TRAIN, DEV, TUNE = made_text(1, 150), made_text(2, 40), made_text(3, 40)


def encoded(text, vocabulary=None):
    return encode_corpus(text, Tokenizer("whitespace"), vocabulary=vocabulary, threads=1)


@pytest.fixture(scope="module")
def comparer():
    corpus = encoded(TRAIN)
    dev, tune = (encoded(text, corpus.vocabulary) for text in (DEV, TUNE))
    return Comparer(corpus, dev, tune, order=3, threads=2)


def test_every_candidate_does_as_its_model(comparer, tmp_path):
    configs = all_configs()
    comparison = comparer.compare([1, 2, 3], configs)
    assert len({(c.smoothing, c.order, c.tuned) for c in comparison.candidates}) == len(comparison.candidates)
    assert {c.smoothing.split(",")[0] for c in comparison.candidates} == {m.name for m in METHODS}
    assert sum(c.tuned for c in comparison.candidates) == 3 * (3 * 2 + 1 + 2)
    for candidate in comparison.candidates:
        model = comparer.model(candidate, configs)
        assert sum(model.sizes) == candidate.ngrams
        model.save(tmp_path / "m.ngram")
        assert 0 <= (tmp_path / "m.ngram").stat().st_size - candidate.bytes < 4096
        scored = perplexity(model, DEV)
        assert (scored.tokens, scored.oov) == (comparison.tokens, comparison.oov)
        if candidate.perplexity is None:
            assert candidate.smoothing.startswith("stupid")
        elif candidate.impossible:
            assert candidate.perplexity == math.inf
            assert scored.log10_prob < -99
            assert candidate.smoothing == "mle"
        else:
            assert candidate.log10_prob == pytest.approx(scored.log10_prob, rel=1e-5)
            assert candidate.perplexity == pytest.approx(scored.perplexity, rel=1e-5)
            assert candidate.perplexity_without_oov == pytest.approx(scored.perplexity_without_oov, rel=1e-5)


def test_the_best_has_the_least_perplexity_and_is_a_proper_model(comparer):
    comparison = comparer.compare([1, 2, 3], all_configs())
    best = comparison.best
    assert best is not None
    assert best.perplexity == min(c.perplexity for c in comparison.candidates if c.perplexity is not None)
    said = comparison.as_dict()
    assert said["best"]["smoothing"] == best.smoothing
    assert said["oov_rate"] == pytest.approx(comparison.oov / comparison.tokens)
    assert all(row["perplexity"] is None or math.isfinite(row["perplexity"]) for row in said["candidates"])


def test_plot_is_written(comparer, tmp_path):
    perplexity_plot(comparer.compare([1, 2], all_configs(["mkn", "stupid", "mle"])), tmp_path / "curves.svg")
    assert "<svg" in (tmp_path / "curves.svg").read_text()


@pytest.mark.parametrize(
    ("text", "orders"), [("3", [3]), ("2-5", [2, 3, 4, 5]), ("5,1, 3", [1, 3, 5]), ("1-2,2", [1, 2])]
)
def test_orders_are_read(text, orders):
    assert read_orders(text) == orders


@pytest.mark.parametrize("text", ["", "x", "3-", "-3", "0", "5-2", "101", "1-9999999999", "²"])
def test_what_is_no_order_is_refused(text):
    with pytest.raises(UsageError, match="--orders"):
        read_orders(text)


@pytest.mark.parametrize("name", [m.name for m in METHODS])
def test_check_tells_probabilities_from_scores(name):
    model = NGramModel.train(encoded(TRAIN), TrainingConfig(order=3, smoothing=name), threads=1)
    sums = check_sums(model, contexts=30)
    assert [s.length for s in sums] == [0, 1, 2]
    assert sums[0].contexts == 1 and sums[1].contexts > 20 and sums[2].contexts > 20
    error = max(s.error for s in sums)
    assert error < 1e-5 if name != "stupid" else error > 0.1


def test_check_finds_the_worst_context():
    model = NGramModel.train(encoded(Lines(["a b", "a c", "b a"])), TrainingConfig(order=2), threads=1)
    trie = model.trie()
    node = model.vocabulary.id("b")
    assert check_sums(NGramModel.train(encoded(Lines(["a b"])), TrainingConfig(order=1), threads=1))[0].error < 1e-6
    trie.backoff[node] += 0.3
    broken = NGramModel.from_trie(trie, model.vocabulary, model.tokenizer, {}, threads=1)
    (_, words) = check_sums(broken)
    assert words.worst == "b"
    assert words.error > 0.05
    assert check_sums(broken, seed=1)[1] == words  # few contexts: all are looked at
