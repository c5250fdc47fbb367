"""Character n-grams: fastText's hash and order, by check values, its own output, and a twin."""

from pathlib import Path

import naive_vectors as naive
import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from textkit.text.subwords import Ngrams, subword_units
from textkit.text.vocabulary import SPECIALS, Vocabulary

GOLDEN = Path(__file__).parent.parent / "golden" / "fasttext"
EVERY = (1 << 31) - 1


@pytest.mark.parametrize(("gram", "value"), [("<he", 1133188580), ("é", 1023043777), ("hello", 1335831723)])
def test_hash_has_the_known_values(gram, value):
    assert naive.ngram_hash(gram.encode()) == value


@given(word=st.text(min_size=1, max_size=12), lengths=st.tuples(st.integers(1, 4), st.integers(0, 3)))
def test_ngrams_are_those_of_the_twin(word, lengths):
    word = word.encode("utf-8", "ignore").decode() or "x"
    shortest, longest = lengths[0], sum(lengths)
    expected = [naive.ngram_hash(g.encode()) % 1000 for g in naive.word_ngrams(word, shortest, longest)]
    assert Ngrams(shortest, longest, 1000).of_word(word).tolist() == expected


def test_ngrams_and_their_order_are_fasttexts():
    lines = (GOLDEN / "skipgram.ngrams.txt").read_text("utf-8").splitlines()
    grams = [line.rsplit(" ", 9)[0] for line in lines]
    first = grams.index("<é")  # the second of two words
    assert naive.word_ngrams(_word_of(grams[:first]), 2, 4) == grams[:first]
    assert naive.word_ngrams("é", 2, 4) == grams[first:]


def _word_of(grams):
    """The word whose n-grams of up to four letters these are."""
    wrapped, *longest = [gram for gram in grams if len(gram) == 4]
    return (wrapped + "".join(gram[3] for gram in longest)).strip("<>")


@given(words=st.lists(st.text(st.characters(min_codepoint=97, max_codepoint=100), min_size=1, max_size=6), unique=True))
def test_units_are_the_word_and_the_rows_of_its_ngrams(words):
    vocabulary = Vocabulary.from_words(words)
    starts, rows, buckets = subword_units(vocabulary, Ngrams(2, 3, EVERY))
    assert (np.diff(buckets) > 0).all()
    assert starts[len(SPECIALS)] == len(SPECIALS)
    for i, word in enumerate(words, len(SPECIALS)):
        own, *others = rows[starts[i] : starts[i + 1]].tolist()
        assert own == i
        hashed = [naive.ngram_hash(g.encode()) % EVERY for g in naive.word_ngrams(word, 2, 3)]
        assert buckets[np.array(others, np.int64) - len(vocabulary)].tolist() == hashed
