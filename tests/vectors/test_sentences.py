"""Vectors of sentences of a whole text: those of each line by itself."""

import numpy as np
import pytest

from textkit import Word2Vec
from textkit.text import blocks
from textkit.text.reader import Lines, Reader
from textkit.vectors.model import WordVectors
from textkit.vectors.sentences import sentence_vectors

WORDS = ["sea", "ship", "sail", "star", "sky", "night"]
LINES = [
    "sea ship sail",
    "",
    "star",
    "nothing known",
    "sky <unk> night </s>",
    "  sea\tsea ",
    "seas ships unsailed",
    "sea",
]
rng = np.random.default_rng(3)


def plain(dim):
    return WordVectors.from_words(WORDS, rng.normal(size=(len(WORDS), dim)).astype(np.float32))


def with_ngrams():
    text = [" ".join(rng.choice(WORDS, 6)) for _ in range(200)]
    return Word2Vec.train(text, dim=12, min_count=1, epochs=1, subwords=(2, 3), buckets=500, threads=1)


def with_specials():
    vectors = rng.normal(size=(8, 5)).astype(np.float32)
    return WordVectors.from_words([*WORDS, "<unk>", "</s>"], vectors)


MODELS = {"16": lambda: plain(16), "37": lambda: plain(37), "n-grams": with_ngrams, "specials": with_specials}


@pytest.mark.parametrize("name", MODELS)
@pytest.mark.parametrize("threads", [1, 2])
def test_vectors_are_those_of_each_line(name, threads):
    model = MODELS[name]()
    found = np.concatenate([vectors for _, vectors in sentence_vectors(model, Lines(LINES), threads)])
    assert found.dtype == np.float32
    np.testing.assert_allclose(found, [model.sentence(line) for line in LINES], atol=1e-6)
    assert found[2].any()
    assert found[3].any() == (name == "n-grams")


def test_lines_of_many_blocks_stay_in_order(tmp_path, monkeypatch):
    monkeypatch.setattr(blocks, "BLOCK", 64)
    model, path = plain(20), tmp_path / "text.txt"
    lines = [" ".join(rng.choice([*WORDS, "other"], rng.integers(0, 40))) for _ in range(50)]
    path.write_text("\n".join(lines))  # the last line has no end
    found = list(sentence_vectors(model, Reader([str(path)]), 2))
    assert len(found) > 5
    assert [line for block, _ in found for line in block.lines()] == lines
    np.testing.assert_allclose(np.concatenate([v for _, v in found]), [model.sentence(s) for s in lines], atol=1e-6)


def test_no_text_has_no_vectors():
    assert [len(vectors) for _, vectors in sentence_vectors(plain(4), Lines([]))] in ([], [0])
