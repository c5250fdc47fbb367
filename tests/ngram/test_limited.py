"""Limited memory: nothing of a model depends on it, and no large array stays in memory."""

import mmap

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from textkit.formats.backoff import joined
from textkit.ngram.config import TrainingConfig
from textkit.ngram.counting import count_ngrams, count_text
from textkit.ngram.gather import gather
from textkit.ngram.heldout import find_places
from textkit.ngram.merging import merge_counts
from textkit.ngram.model import NGramModel
from textkit.store import Store, release_pages
from textkit.text.corpus import encode_corpus
from textkit.text.reader import Lines
from textkit.text.tokenizer import Tokenizer

WORDS = st.sampled_from(["a", "b", "c", "d", "e", "f"])
TEXTS = st.lists(st.lists(WORDS, max_size=7), min_size=1, max_size=12).filter(any)
MANY = [[f"w{i * i % 97}", f"x{i * i % 13}", "y", f"z{i % 53}"] for i in range(2000)]
CONFIGS = [
    TrainingConfig(order=3),
    TrainingConfig(order=4, prune=(0, 0, 1)),
    TrainingConfig(order=3, prune=(1, 2), discount_fallback=(0.5, 1.0, 1.5)),
    TrainingConfig(order=2, limit_vocab=("y", "x1", "w3", "a")),
    TrainingConfig(order=3, smoothing="wb"),
    TrainingConfig(order=3, smoothing="wb", form="backoff"),
    TrainingConfig(order=3, smoothing="katz"),
    TrainingConfig(order=3, smoothing="stupid"),
    TrainingConfig(order=3, smoothing="jm"),
    TrainingConfig(order=3, smoothing="add-k", form="backoff"),
    TrainingConfig(order=1),
]


def encoded(lines):
    return encode_corpus(Lines([" ".join(line) for line in lines]), Tokenizer("whitespace"), threads=1)


def saved(model, path, store=None):
    model.save(path / "m")
    model.write_arpa(path / "a", store=store)
    return (path / "m").read_bytes(), (path / "a").read_bytes()


@given(TEXTS, st.integers(1, 4), st.integers(1, 3), st.sampled_from(["mkn", "wb", "katz"]))
def test_a_limit_changes_nothing_of_a_model(tmp_path_factory, lines, order, threads, smoothing):
    path, corpus, store = tmp_path_factory.mktemp("m"), encoded(lines), Store(limit=700)
    config = TrainingConfig(order, smoothing=smoothing)
    limited = NGramModel.train(corpus, config, threads=threads, store=store)
    assert saved(limited, path, store) == saved(NGramModel.train(corpus, config, threads=1), path)


@pytest.mark.parametrize("config", CONFIGS, ids=lambda c: f"{c.smoothing}{c.order}{c.prune}")
def test_a_limit_changes_nothing_of_a_larger_model(tmp_path, config):
    corpus, store = encoded(MANY), Store(limit=20_000, directory=tmp_path / "scratch")
    limited = NGramModel.train(corpus, config, threads=2, store=store)
    assert list((tmp_path / "scratch").iterdir()) == []
    assert saved(limited, tmp_path, store) == saved(NGramModel.train(corpus, config, threads=1), tmp_path)


def test_a_limit_changes_nothing_of_training_from_counts(tmp_path):
    corpora = [encoded(MANY[:900]), encoded(MANY[900:])]
    texts = [count_text(corpus, 3) for corpus in corpora]
    store = Store(limit=20_000)
    limited = NGramModel.train(merge_counts(texts, store=store, min_count=2), store=store)
    assert saved(limited, tmp_path) == saved(NGramModel.train(merge_counts(texts, min_count=2)), tmp_path)


def test_a_limit_changes_nothing_of_tuning_on_other_text(tmp_path):
    corpus = encoded(MANY[:900])
    dev = encode_corpus(
        Lines([*map(" ".join, MANY[900:]), "<s> a </s>", ""]), corpus.tokenizer, vocabulary=corpus.vocabulary
    )
    config = TrainingConfig(3)
    models = [NGramModel.train(corpus, config, dev=dev, threads=1, store=store) for store in (Store(20_000), None)]
    assert saved(models[0], tmp_path) == saved(models[1], tmp_path)


def test_places_of_a_text_are_every_so_many_of_all():
    corpus = encoded(MANY[:900])
    counts = count_ngrams(corpus, 3, 1)
    every = find_places(counts, corpus)
    assert every.entries.shape[1] == corpus.tokens + corpus.lines
    for most in (1, 7, 1000, every.entries.shape[1]):
        some, wanted = find_places(counts, corpus, most, limited=True), every.sample(most)
        assert np.array_equal(some.entries, wanted.entries)
        assert np.array_equal(some.contexts, wanted.contexts)


@given(
    st.lists(st.integers(-(2**31), 2**31 - 1), min_size=1, max_size=50),
    st.lists(st.integers(0, 49), max_size=60),
    st.sampled_from([np.uint32, np.float32, np.float64]),
    st.sampled_from([None, 1, 64, 160]),
)
def test_gather_takes_values_by_index(values, places, dtype, limit):
    values, indices = np.array(values).astype(dtype), np.array(places, np.uint32) % np.uint32(len(values))
    found = gather(values, indices, Store(limit), 2)
    assert found.dtype == dtype
    assert np.array_equal(found, values[indices])


def test_a_store_keeps_small_arrays_in_memory_and_large_ones_in_files():
    store = Store(limit=102_400)
    assert store.empty(25, np.int32).base is None
    large = store.zeros(1000, np.int32)
    assert isinstance(large.base.obj, mmap.mmap)
    assert not large.any()
    large[:] = range(1000)
    release_pages()
    assert large.tolist() == list(range(1000))
    kept = store.keep([np.arange(n, dtype=t) for n, t in ((1000, np.int32), (3, np.uint8), (0, bool), (9, np.int64))])
    assert [(a.dtype, len(a), int(a.sum())) for a in kept] == [
        (np.int32, 1000, 499500), (np.uint8, 3, 3), (np.bool_, 0, 0), (np.int64, 9, 36)
    ]  # fmt: skip
    assert joined([], np.int32, store, 1).tolist() == []
    assert joined([np.arange(900), np.arange(5)], np.int64, store, 2)[-6:].tolist() == [899, 0, 1, 2, 3, 4]
