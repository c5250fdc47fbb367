"""The model from Python: training from any kind of text, scoring many, words and states."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from textkit import NGramModel
from textkit.errors import DataError, UsageError
from textkit.ngram.config import TrainingConfig
from textkit.text.reader import Reader

LINES = ["the cat sat", "the dog sat", "", "a cat ran"]
SETTINGS = {"order": 3, "discount_fallback": (0.5, 1.0, 1.5)}


@pytest.fixture(scope="module")
def model():
    return NGramModel.train(LINES, **SETTINGS)


def test_every_kind_of_text_trains_the_same_model(tmp_path, model):
    path = tmp_path / "text.txt"
    path.write_text("\n".join(LINES) + "\n")
    given_as = {
        "name": str(path), "path": path, "paths": [path], "reader": Reader([path]), "generator": (x for x in LINES),
        "tokens": [line.split() for line in LINES],
    }  # fmt: skip
    expected = model.score_many(LINES).tolist()
    for name, text in given_as.items():
        trained = NGramModel.train(text, **SETTINGS)
        assert trained.score_many(LINES).tolist() == expected, name
        assert trained.tokenizer.name == ("whitespace" if name == "tokens" else "word")
        assert trained.sizes == model.sizes


def test_settings_go_over_a_configuration():
    trained = NGramModel.train(LINES, TrainingConfig(order=2), order=4, tokenizer="char", min_count=2)
    assert (trained.order, trained.tokenizer.name) == (4, "char")
    assert "d" not in trained
    assert "t" in trained
    with pytest.raises(TypeError):
        NGramModel.train(LINES, oder=2)
    with pytest.raises(UsageError, match="tokenizer"):
        NGramModel.train(LINES, tokenizer="wrod")


@pytest.mark.parametrize("text", [[], [""], [[]], ["", " "]], ids=str)
def test_text_without_a_token(text):
    with pytest.raises(DataError):
        NGramModel.train(text)


@settings(max_examples=50)
@given(st.lists(st.lists(st.sampled_from(["the", "cat", "sat", "ran", "bird"]), max_size=6).map(" ".join), max_size=9))
def test_many_are_scored_as_one_by_one(model, texts):
    expected = [model.score(text) for text in texts]
    assert model.score_many(texts, threads=2) == pytest.approx(expected, abs=1e-5)
    ids = [model.vocabulary.ids(text.split()) for text in texts]
    offsets = np.cumsum([0, *map(len, ids)])
    assert model.score_ids(np.concatenate([np.zeros(0, np.int32), *ids]), offsets) == pytest.approx(expected, abs=1e-5)


def test_a_text_with_newlines_is_one_sentence(model):
    assert model.score_many(["the cat\nsat"]).tolist() == model.score_many(["the cat sat"]).tolist()


@pytest.mark.parametrize(
    ("ids", "offsets", "reason"),
    [
        ([99], [0, 1], "outside the vocabulary"),
        ([-1], [0, 1], "outside the vocabulary"),
        ([3, 3], [0, 3], "offsets"),
        ([3, 3], [2, 1, 2], "offsets"),
        ([3, 3], [-1, 2], "offsets"),
        ([3], [], "offsets"),
    ],
)
def test_impossible_ids(model, ids, offsets, reason):
    with pytest.raises(UsageError, match=reason):
        model.score_ids(np.array(ids), np.array(offsets, np.int64))


def test_words_and_states(model):
    assert "cat" in model
    assert "bird" not in model
    assert 3 not in model
    assert model.vocabulary.id("cat") > 2
    state, found = model.start(), []
    for word in ["the", "bird", "sat", "</s>"]:
        scored, state = model.score_word(state, word)
        found.append(scored)
    expected = model.full_scores("the bird sat")
    assert [(w.word, w.order, w.oov) for w in found] == [(w.word, w.order, w.oov) for w in expected]
    assert [w.log10_prob for w in found] == [w.log10_prob for w in expected]
    assert model.score_word(model.start(bos=False), "cat")[0].order == 1


def test_samples_by_seed(model):
    assert list(model.sample(rng=3)) == list(model.sample(rng=3))
    assert list(model.sample("the cat", rng=np.random.default_rng(1), temperature=0)) == ["sat"]
    assert isinstance(list(model.sample()), list)
