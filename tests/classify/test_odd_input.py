"""Training and asking with what is at the edge: one document, one word, a very long line, very many labels."""

import numpy as np
import pytest

from textkit.classify.data import from_memory
from textkit.classify.features import FeatureConfig, Features
from textkit.classify.model import Classifier
from textkit.errors import DataError

ONCE = {"model": "embedding", "epochs": 2, "threads": 2}


@pytest.mark.parametrize("loss", ["softmax", "hs", "ns", "ova"])
def test_one_document_of_one_word(loss):
    model = Classifier.train([("word", "label")], loss=loss, **ONCE)
    assert model.predict("word")[0][0] == "label"
    assert model.predict("other", k=-1)[0][0] == "label"


def test_no_document_is_an_error():
    with pytest.raises(DataError):
        Classifier.train([], **ONCE)


@pytest.mark.parametrize("buckets", [None, 1000])
def test_a_very_long_line(buckets):
    words = np.random.default_rng(0).integers(0, 5000, 1_000_000)
    long = " ".join(map(str, words.tolist()))
    model = Classifier.train([(long, "long"), ("1 2 3", "short")] * 2, buckets=buckets, min_ngram_count=5, **ONCE)
    assert np.isfinite(model.head.input).all()
    assert len(model.predict([long, "1 2"])) == 2
    assert len(model.encode([long])[0]) >= len(words)


@pytest.mark.parametrize("loss", ["hs", "ns"])
def test_very_many_labels(loss):
    rows = [(f"w{i} v{i % 7}", f"label {i}") for i in range(20_000)]
    model = Classifier.train(rows, loss=loss, dim=4, validation=0.0, **ONCE)
    assert len(model.labels) == 20_000
    found = model.predict(["w3 v3", "w9 v2"], k=3)
    assert [len(best) for best in found] == [3, 3]
    top = model.head.top(model.encode(["w3"] * 500), 2)
    assert top.ids.shape == (500, 2)


def test_labels_without_a_training_document():
    data = from_memory(["a b", "c d"] * 30, ["x", "y"] * 30, known=["never", "x"])
    model = Classifier.train_on(data, Classifier.train(data, **ONCE).config, threads=1)
    assert model.labels == ["never", "x", "y"]
    assert model.predict("a b")[0][0] == "x"


def test_the_same_word_over_and_over():
    model = Classifier.train([("a " * 500, "x"), ("b", "y")] * 5, rate=5.0, **ONCE)
    assert np.isfinite(model.logits(model.encode(["a " * 2000]))).all()


def test_all_ngrams_too_rare_leaves_the_words():
    text = from_memory(["a b c d"], ["x"]).text
    features = Features.fit(text, None, FeatureConfig(3, min_ngram_count=9))
    assert len(features.ngrams) == 0
    assert len(features.bags(text)[0]) == 4
