"""Features against plain Python: which there are, their names, and the bags of documents."""

from collections import Counter
from itertools import pairwise

import naive_classify as naive
import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from textkit.classify.feature_config import FeatureConfig
from textkit.classify.features import Features
from textkit.classify.ngrams import _packed, pair_codes
from textkit.errors import DataError, UsageError
from textkit.kernels import features as kernels
from textkit.kernels.jit import kernel
from textkit.text.corpus import encode_corpus
from textkit.text.reader import Lines
from textkit.text.tokenizer import Tokenizer
from textkit.text.vocabulary import SPECIALS

WORDS = st.sampled_from(["a", "b", "ab", "ba", "bé", "c"])
TEXTS = st.lists(st.lists(WORDS, min_size=1, max_size=7), min_size=1, max_size=6)
NEAR_ZERO = ["acczpwi", "aecrekt"]  # whose hashes are 4 and -2
HASHED = st.lists(st.lists(WORDS | st.sampled_from(NEAR_ZERO), min_size=1, max_size=7), min_size=1, max_size=6)


@kernel
def pair_buckets(tokens, n, codes, modulus):
    """The leaf, as something to call."""
    kernels.pair_buckets(tokens, n, codes, modulus)


def encoded(documents):
    return encode_corpus(Lines([" ".join(words) for words in documents]), Tokenizer("whitespace"), threads=1)


def names(features, bag):
    return [features.name(int(row)) for row in bag]


@settings(max_examples=60)
@given(
    documents=TEXTS, others=TEXTS, order=st.integers(1, 4), min_count=st.integers(1, 2), min_ngrams=st.integers(1, 3),
    end_mark=st.booleans(), threads=st.sampled_from([1, 2]),
)  # fmt: skip
def test_exact_bags_hold_words_and_frequent_ngrams(
    documents, others, order, min_count, min_ngrams, end_mark, threads
):  # fmt: skip
    counts = Counter(word for words in documents for word in words)
    if max(counts.values()) < min_count:
        return
    config = FeatureConfig(order, min_count=min_count, min_ngram_count=min_ngrams, end_mark=end_mark)
    features = Features.fit(encoded(documents), None, config, threads)

    def spelled(words):
        known = [word if counts[word] >= min_count else None for word in words]
        return [*known, "</s>"] if end_mark else known

    kept = naive.kept_grams(map(spelled, documents), order, min_ngrams)
    for text in (documents, others):
        bags = features.bags(encoded(text), threads=threads)
        for words, bag in zip(text, [bags[i] for i in range(len(text))], strict=True):
            present = spelled(words)
            expected = [word for word in present if word is not None]
            expected += [" ".join(gram) for gram in naive.grams(present, order) if gram in kept]
            assert names(features, bag) == expected
    first = len(features.vocabulary)
    assert len(features) == first + len(kept)
    listed = [tuple(features.name(row).split()) for row in range(first, len(features))]
    assert sorted(listed) == sorted(kept)
    assert listed == sorted(listed, key=lambda gram: (len(gram), -kept[gram]))
    assert all(features.kind(row) == "n-gram" for row in range(first, len(features)))
    again = Features.from_arrays(features.arrays(), config)
    np.testing.assert_array_equal(again.bags(encoded(others)).ids, features.bags(encoded(others)).ids)


@settings(max_examples=60)
@given(
    documents=TEXTS | HASHED, others=HASHED, order=st.integers(2, 4), buckets=st.sampled_from([1, 7, 64, 1000]),
    end_mark=st.booleans(), chars=st.sampled_from([None, (1, 3)]), threads=st.sampled_from([1, 3]),
)  # fmt: skip
def test_hashed_bags_hold_the_buckets_that_the_training_text_touched(
    documents, others, order, buckets, end_mark, chars, threads
):  # fmt: skip
    config = FeatureConfig(order, chars, buckets, end_mark=end_mark)
    features = Features.fit(encoded(documents), None, config, threads)
    known = {word for words in documents for word in words}
    assert len(features.ngrams.hashed[1]) == (0 if known & set(NEAR_ZERO) else len(features.vocabulary))
    end = ["</s>"] if end_mark else []

    def of_characters(word):
        return [naive.fnv(piece.encode()) % 2**32 % buckets for piece in naive.pieces(word, *chars)] if chars else []

    touched = {b for words in documents for b in naive.buckets_of([*words, *end], order, buckets)}
    touched |= {b for words in documents for word in words for b in of_characters(word)}
    for text in (documents, others):
        bags = features.bags(encoded(text))
        for words, bag in zip(text, [bags[i] for i in range(len(text))], strict=True):
            expected = []
            for word in words:
                expected += [word] * (word in known)
                expected += [f"#{b}" for b in of_characters(word) if b in touched]
            spelled = [word if word in known else None for word in words]
            found = naive.buckets_of([*spelled, *end], order, buckets)
            expected += [*end, *(f"#{b}" for b in found if b in touched)]
            assert names(features, bag) == expected
    assert len(features) == len(features.vocabulary) + len(touched)
    assert features.ngrams.numbers().tolist() == sorted(touched)
    again = Features.from_arrays(features.arrays(), config)
    np.testing.assert_array_equal(again.bags(encoded(others)).ids, features.bags(encoded(others)).ids)


HASHES = st.integers(-(1 << 31), (1 << 31) - 1) | st.integers(-40, 40)


@given(
    listed=st.lists(HASHES, min_size=2, max_size=9), buckets=st.integers(1, (1 << 31) - 1), unknown=st.integers(0, 9)
)
def test_buckets_of_pairs_are_those_of_the_64_bit_hash(listed, buckets, unknown):
    hashes = np.array([0, *listed], np.int64).view(np.uint64)
    codes = pair_codes(hashes, buckets)
    if any(abs(h) * int(kernels.MULTIPLIER) <= 1 << 31 for h in listed):
        assert len(codes) == 0
        return
    tokens = [*range(1, len(hashes))]
    tokens[unknown % len(tokens)] = kernels.UNKNOWN
    found = np.array(tokens, np.int32)
    pair_buckets(found, len(tokens), codes, np.uint64(buckets))
    expected = [
        (int(hashes[a]) * int(kernels.MULTIPLIER) + int(hashes[b])) % 2**64 % buckets if a and b else buckets
        for a, b in pairwise(tokens)
    ]
    assert found[:-1].tolist() == expected


@settings(max_examples=60)
@given(documents=TEXTS, others=TEXTS, shortest=st.integers(1, 3), more=st.integers(0, 2), min_count=st.integers(1, 2))
def test_characters_are_named_and_seen_in_unknown_words(documents, others, shortest, more, min_count):
    lengths = shortest, shortest + more
    config = FeatureConfig(1, lengths, min_ngram_count=min_count)
    features = Features.fit(encoded(documents), None, config, 1)
    counts = Counter(p for words in documents for word in words for p in naive.pieces(word, *lengths))
    known = {word for words in documents for word in words}
    bags = features.bags(encoded(others))
    for words, bag in zip(others, [bags[i] for i in range(len(others))], strict=True):
        expected = []
        for word in words:
            expected += [word] * (word in known)
            expected += [p for p in naive.pieces(word, *lengths) if counts[p] >= min_count]
        assert names(features, bag) == expected
    assert {features.kind(row) for row in range(len(features.vocabulary), len(features))} <= {"characters"}
    again = Features.from_arrays(features.arrays(), config)
    np.testing.assert_array_equal(again.bags(encoded(others)).ids, features.bags(encoded(others)).ids)


@given(documents=TEXTS, data=st.data())
def test_only_what_is_in_the_training_documents_has_rows(documents, data):
    rows = data.draw(st.lists(st.integers(0, len(documents) - 1), min_size=1, unique=True))
    config = FeatureConfig(2, min_ngram_count=1)
    part = Features.fit(encoded(documents), np.array(rows), config, 1)
    alone = Features.fit(encoded([documents[i] for i in sorted(rows)]), None, config, 1)
    listed = [{f.name(row): f.kind(row) for row in range(len(SPECIALS), len(f))} for f in (part, alone)]
    assert listed[0] == listed[1]
    assert part.vocabulary.counts[len(SPECIALS) :].sum() == sum(len(documents[i]) for i in rows)


def test_no_frequent_word_is_an_error():
    with pytest.raises(DataError, match="no word occurs 3 times"):
        Features.fit(encoded([["a", "b"], ["a"]]), None, FeatureConfig(min_count=3))


@pytest.mark.parametrize(
    "settings", [{"word_ngrams": 0}, {"buckets": -1}, {"chars": (3, 2)}, {"min_count": 0}, {"min_ngram_count": 0}]
)
def test_impossible_settings_are_refused(settings):
    with pytest.raises(UsageError, match="makes no sense"):
        FeatureConfig(**settings)


@given(st.data(), st.sampled_from([30, 1 << 30]))
def test_a_table_of_pairs_gives_each_its_row(data, most):
    numbers, words = st.integers(1, most), st.integers(1, 29)
    pairs = data.draw(st.lists(st.tuples(numbers, words), unique=True, max_size=40))
    lefts, rights = (np.array([pair[i] for pair in pairs], np.int32) for i in (0, 1))
    table, layout = _packed(lefts, rights, most, 30)
    assert int(layout[0]) == (1 if pairs and max(p[0] for p in pairs) < 1 << 28 else 2)
    asked = pairs + data.draw(st.lists(st.tuples(numbers, words), max_size=20)) + [(-1, 3), (2, 0)]
    found = np.empty(len(asked), np.int32)
    kernels.find_pairs(*(np.array([pair[i] for pair in asked], np.int32) for i in (0, 1)), table, layout, found)
    rows = {pair: most + i for i, pair in enumerate(pairs)}
    assert found.tolist() == [rows.get(pair, -1) for pair in asked]
