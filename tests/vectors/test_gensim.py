"""Vectors written here open in gensim, and the reverse; skipped where gensim is not installed."""

import numpy as np
import pytest

from textkit.formats import vectors as formats
from textkit.vectors.model import WordVectors

KeyedVectors = pytest.importorskip("gensim.models").KeyedVectors

WORDS = ["the", "naïve", "北京", "New_York"]
MATRIX = np.random.default_rng(1).normal(size=(4, 7)).astype(np.float32)


@pytest.mark.parametrize("layout", ["text", "binary", "binary-gensim"])
def test_gensim_reads_what_is_written_here(tmp_path, layout):
    model = WordVectors.from_words(WORDS, MATRIX)
    formats.write(tmp_path / "v", layout, WORDS, MATRIX)
    theirs = KeyedVectors.load_word2vec_format(str(tmp_path / "v"), binary=layout != "text")
    assert theirs.index_to_key == WORDS
    np.testing.assert_allclose(theirs.vectors, MATRIX, rtol=1e-6)
    same = [word for word, _ in theirs.most_similar("the", topn=3)]
    assert [word for word, _ in model.similar("the", top=3)] == same


@pytest.mark.parametrize("binary", [False, True])
def test_what_gensim_writes_is_read_here(tmp_path, binary):
    theirs = KeyedVectors(vector_size=7)
    theirs.add_vectors(WORDS, MATRIX)
    theirs.save_word2vec_format(str(tmp_path / "v"), binary=binary)
    model = WordVectors.load(tmp_path / "v")
    assert model.words == WORDS
    np.testing.assert_allclose([model[w] for w in WORDS], MATRIX, rtol=1e-6)
