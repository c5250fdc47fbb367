"""Codebooks and quantised models."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.extra import numpy as arrays

from textkit.errors import UsageError
from textkit.kernels.quantisation import nearest
from textkit.ngram.config import TrainingConfig
from textkit.ngram.model import NGramModel
from textkit.ngram.quantisation import codebook, encode, quantised_model
from textkit.store import Store
from textkit.text.corpus import encode_corpus
from textkit.text.reader import Lines
from textkit.text.tokenizer import Tokenizer

VALUES = arrays.arrays(np.float32, st.integers(1, 60), elements=st.floats(-8, 0, width=32))


@given(VALUES, st.integers(1, 3))
def test_codes_are_of_the_nearest_value(values, bits):
    book = np.sort(np.unique(values)[: 1 << bits])
    book = np.concatenate([book, np.full((1 << bits) - len(book), book[-1])])
    codes = np.zeros(len(values), np.uint32)
    mean, largest = encode(values, book, codes, threads=1)
    distances = np.abs(values[:, None].astype(float) - book.astype(float))
    assert np.abs(values - book[codes]) == pytest.approx(distances.min(axis=1), abs=1e-6)
    assert mean == pytest.approx(distances.min(axis=1).mean(), abs=1e-6)
    assert largest == pytest.approx(distances.min(axis=1).max(), abs=1e-6)


def test_codes_by_hand():
    values, codes = np.array([-3, -1.6, -1.4, 0], np.float32), np.zeros(4, np.uint32)
    book = np.array([-3, -2, -1, 0], np.float32)
    total, largest = nearest(values, 0, 4, np.array([-2.5, -1.5, -0.5], np.float32), book, codes)
    assert codes.tolist() == [0, 1, 2, 3]
    assert (total, largest) == (pytest.approx(0.8), pytest.approx(0.4))


@given(VALUES, st.integers(2, 16))
def test_few_values_are_kept_exactly(values, size):
    book = codebook(values, size)
    assert len(book) <= size
    assert (np.diff(book) > 0).all()
    if len(np.unique(values)) <= size:
        assert book.tolist() == np.unique(values).tolist()


@settings(max_examples=50)
@given(st.integers(0, 1000), st.sampled_from([4, 16, 256]))
def test_codebooks_are_better_than_bins_and_keep_zero(seed, size):
    values = -np.random.default_rng(seed).exponential(1.0, 4000).astype(np.float32)
    values[::7], values[5] = 0.0, -99.0
    book = codebook(values, size)
    assert 0.0 in book
    assert -99.0 in book
    codes = np.zeros(len(values), np.uint32)
    padded = np.concatenate([book, np.full(size - len(book), book[-1])])
    mean, largest = encode(values, padded, codes, threads=1)
    rest = values[(values > -90) & (values < 0)].astype(float)
    bins = np.array([part.mean() for part in np.array_split(np.sort(rest), size - 2)])
    squares = np.abs(rest[:, None] - bins).min(axis=1) ** 2
    assert ((book[codes] - values) ** 2).sum() <= squares.sum() * 1.05
    assert largest <= np.ptp(rest)
    assert mean < largest


LINES = [list("abcab"), list("bca"), list("aab"), list("cabca"), list("bb")] * 3


def train(order):
    corpus = encode_corpus(Lines([" ".join(line) for line in LINES]), Tokenizer("whitespace"))
    return NGramModel.train(corpus, TrainingConfig(order=order))


@pytest.mark.parametrize("order", [1, 2, 4])
@pytest.mark.parametrize("bits", [2, 5, 8, 16])
def test_a_quantised_file_gives_the_nearest_numbers(tmp_path, order, bits):
    model = train(order)
    small, errors = quantised_model(model, bits, threads=2)
    small.save(tmp_path / "q.ngram")
    loaded = NGramModel.load(tmp_path / "q.ngram")
    before, after = model.trie(), loaded.trie()
    assert loaded.signature == small.signature
    assert f"+quantized:{bits}|" in small.signature
    words = before.sizes[0]
    assert np.array_equal(before.words, after.words)
    assert np.array_equal(before.edges, after.edges)
    assert np.array_equal(before.log_p[:words], after.log_p[:words])
    assert (after.backoff[before.backoff == 0] == 0).all()
    by_name = {(e.order, e.number): e for e in errors}
    assert len(by_name) == max(2 * (order - 1) - 1, 0)
    for n in range(2, order + 1):
        level = slice(before.bases[n - 1], before.bases[n])
        wrong = np.abs(before.log_p[level] - after.log_p[level])
        assert by_name[n, "log_p"].largest == pytest.approx(wrong.max(), abs=1e-6)
        assert by_name[n, "log_p"].mean == pytest.approx(wrong.mean(), abs=1e-6)
        assert len(np.unique(after.log_p[level])) <= 1 << bits
    if bits == 16:
        assert after.log_p == pytest.approx(before.log_p, abs=1e-6)


def test_quantising_again_changes_nothing():
    once, _ = quantised_model(train(3), 4)
    twice, errors = quantised_model(once, 4)
    assert np.array_equal(once.trie().log_p, twice.trie().log_p)
    assert all(error.largest == 0 for error in errors)


@pytest.mark.parametrize("bits", [-1, 0, 1, 17, 64])
def test_impossible_widths(bits):
    with pytest.raises(UsageError, match="bits make no codebook"):
        quantised_model(train(2), bits)


@settings(deadline=None, max_examples=30)
@given(st.integers(0, 1 << 30), st.integers(1, 6000), st.integers(0, 3))
def test_limited_memory_gives_the_same_codebook(seed, size, decimals):
    values = -np.abs(np.random.default_rng(seed).normal(size=size)).round(decimals).astype(np.float32)
    assert codebook(values, 16, Store(limit=4096)).tolist() == codebook(values, 16).tolist()
