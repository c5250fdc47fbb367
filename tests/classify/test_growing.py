"""Training a model on, and beginning with pretrained vectors."""

import naive_classify as naive
import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from textkit.classify.features import FeatureConfig, Features
from textkit.classify.growing import grown, with_words
from textkit.classify.model import Classifier
from textkit.errors import UsageError
from textkit.formats import vectors as formats
from textkit.text.corpus import encode_corpus
from textkit.text.reader import Lines
from textkit.text.tokenizer import Tokenizer

TEXTS = st.lists(st.lists(st.sampled_from("abcdef"), min_size=1, max_size=7), min_size=1, max_size=5)


def encoded(documents):
    return encode_corpus(Lines([" ".join(words) for words in documents]), Tokenizer("whitespace"), threads=1)


def names(features):
    return [(features.kind(row), features.name(row)) for row in range(len(features))]


@settings(max_examples=80)
@given(first=TEXTS, second=TEXTS, third=TEXTS, order=st.integers(1, 4), chars=st.sampled_from([None, (1, 2)]))
def test_exact_features_of_both_texts_with_their_counts(first, second, third, order, chars):
    config = FeatureConfig(order, chars, min_ngram_count=1)
    old = Features.fit(encoded(first), None, config, 1)
    for text in (second, third):  # a grown one grows again
        before = names(old)
        both = grown(old, Features.fit(encoded(text), None, config, 1))
        listed = names(both.features)
        assert [listed[row] for row in both.rows] == before
        assert len(set(listed)) == len(listed)
        old = both.features
    together = Features.fit(encoded([*first, *second, *third]), None, config, 1)
    assert set(names(old)) == set(names(together))
    if order > 1:
        counts = naive.kept_grams([*first, *second, *third], order, 1)
        begin = len(old) - len(old.ngrams)
        found = {tuple(old.name(begin + i).split()): int(c) for i, c in enumerate(old.ngrams.counts)}
        assert found == counts
    text = encoded([*third, *first])
    spelled = [[sorted(f.name(r) for r in bag) for bag in _bags(f, text)] for f in (old, together)]
    assert spelled[0] == spelled[1]


def _bags(features, text):
    bags = features.bags(text)
    return [bags[i] for i in range(len(bags))]


@settings(max_examples=40)
@given(first=TEXTS, second=TEXTS, buckets=st.sampled_from([7, 64, 1000]), chars=st.sampled_from([None, (1, 2)]))
def test_buckets_of_both_texts(first, second, buckets, chars):
    config = FeatureConfig(3, chars, buckets)
    old, new = (Features.fit(encoded(text), None, config, 1) for text in (first, second))
    both = grown(old, new)
    listed = names(both.features)
    assert [listed[row] for row in both.rows] == names(old)
    assert set(listed) == {*names(old), *names(new)}


@given(first=TEXTS, words=st.lists(st.sampled_from(["a", "z", "y"]), unique=True), buckets=st.sampled_from([None, 50]))
def test_more_words_move_the_rows_behind_them(first, words, buckets):
    old = Features.fit(encoded(first), None, FeatureConfig(3, (1, 2), buckets, min_ngram_count=1), 1)
    more = with_words(old, words)
    listed = names(more.features)
    assert [listed[row] for row in more.rows] == names(old)
    assert {("word", word) for word in words} <= set(listed)
    assert len(set(listed)) == len(listed)


GREEK = [("alpha beta", "greek"), ("uno dos", "spanish")] * 20
MORE = [("gamma delta", "greek"), ("un deux", "french")] * 20


@pytest.mark.parametrize("loss", ["softmax", "hs", "ns", "ova"])
@pytest.mark.parametrize("more", [{}, {"buckets": 100}])
def test_a_model_learns_new_words_and_labels_and_keeps_the_old(loss, more):
    common = {"epochs": 30, "validation": 0.0, "threads": 1}
    first = Classifier.train(GREEK, model="embedding", loss=loss, min_ngram_count=1, **common, **more)
    second = Classifier.train(MORE + GREEK[:4], base=first, **common)
    assert second.labels == ["greek", "spanish", "french"]
    assert second.head.loss == loss
    assert second.label_counts.tolist() == [20 + 22, 20 + 2, 20]
    for text, label in (*GREEK[:2], *MORE[:2]):
        assert second.predict(text)[0][0] == label
    if loss == "hs":
        assert "tree" in second.report["complaints"][0]


def test_a_model_trained_on_begins_where_it_was():
    first = Classifier.train(GREEK, model="embedding", epochs=10, validation=0.0, threads=1)
    second = Classifier.train(GREEK, base=first, epochs=1, rate=1e-9, validation=0.0, threads=1)
    for text, _ in GREEK[:2]:
        np.testing.assert_allclose(
            second.probabilities(second.encode([text])), first.probabilities(first.encode([text])), atol=1e-4
        )


def test_another_model_is_not_trained_on():
    first = Classifier.train(GREEK, model="embedding", epochs=1, threads=1)
    with pytest.raises(UsageError, match="--dim 99"):
        Classifier.train(GREEK, base=first, dim=99)


@pytest.fixture
def pretrained(tmp_path):
    path = tmp_path / "words.vec"
    vectors = np.random.default_rng(0).normal(0, 1, (3, 4)).astype(np.float32)
    formats.write(path, "text", ["alpha", "omega", "uno"], vectors)
    return path, vectors


def test_pretrained_vectors_are_begun_with_and_can_be_frozen(pretrained):
    path, vectors = pretrained
    common = {"model": "embedding", "dim": 4, "epochs": 3, "threads": 1, "validation": 0.0}
    frozen, moved = (Classifier.train(GREEK, vectors=path, freeze=freeze, **common) for freeze in (True, False))
    ids = frozen.vocabulary.ids(["alpha", "omega", "uno"])
    np.testing.assert_array_equal(frozen.head.input[ids], vectors)
    assert (frozen.head.input[frozen.vocabulary.ids(["beta"])] != 0).any()
    ids = moved.vocabulary.ids(["alpha", "omega", "uno"])
    assert (moved.head.input[ids[0]] != vectors[0]).any()
    np.testing.assert_array_equal(moved.head.input[ids[1]], vectors[1])  # not in the text
    assert moved.predict("omega")  # a word only the vectors know is a feature


def test_vectors_of_another_dimension_are_refused(pretrained):
    with pytest.raises(UsageError, match="--dim 4"):
        Classifier.train(GREEK, model="embedding", vectors=pretrained[0], dim=5)
