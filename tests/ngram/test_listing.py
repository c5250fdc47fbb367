"""Listing n-grams: which, in which order, with which numbers."""

import json

import naive_ngram
import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from textkit.errors import UsageError
from textkit.ngram import listing as listings
from textkit.ngram.listing import Listing, listed, listed_rows
from textkit.ngram.model import NGramModel

WORDS = st.sampled_from(["a", "b", "ab", "c"])
TEXTS = st.lists(st.lists(WORDS, max_size=6), min_size=1, max_size=8).filter(any)
LINES = [["a", "b", "c"], ["a", "b"], ["ab", "c", "b"], ["a", "c"]]


def trained(lines, order=3, **settings):
    return NGramModel.train(lines, order=order, discount_fallback=(0.5, 1.0, 1.5), threads=1, **settings)


def ngrams(model, prefix="", **settings):
    return [text for found in listed(model, Listing(prefix, **settings), threads=2) for text in found.texts()]


@settings(max_examples=60)
@given(TEXTS, st.integers(1, 4), st.lists(WORDS, max_size=3), st.booleans())
def test_prefixes_and_numbers(lines, order, prefix, counted):
    model = trained(lines, order, keep_counts=counted)
    log_p, backoff = naive_ngram.kneser_ney(lines, order)
    counts = {" ".join(g): c for level in naive_ngram.ngrams(lines, order) for g, c in level.items()}
    expected = {" ".join(g) for g in log_p if g[: len(prefix)] == tuple(prefix)}
    found = [
        json.loads(line) for piece in listed_rows(model, Listing(" ".join(prefix)), True) for line in piece.splitlines()
    ]
    assert {row["ngram"] for row in found} == expected
    assert len(found) == len(expected)
    for row in found:
        words = tuple(row["ngram"].split())
        assert row["order"] == len(words)
        assert row["log10_prob"] == pytest.approx(log_p[words], abs=1e-5)
        assert row["backoff"] == (None if len(words) == order else pytest.approx(backoff[words], abs=1e-5))
        assert row.get("count") == (counts.get(row["ngram"], 0) if counted else None)


@given(TEXTS, st.integers(1, 20), st.sampled_from([1, 3, 1 << 16]))
def test_top_is_the_beginning_of_all_sorted(lines, top, piece):
    model = trained(lines)
    before, listings.PIECE = listings.PIECE, piece
    try:
        everything = [
            (float(n[1]), t) for f in listed(model, Listing()) for n, t in zip(f.numbers, f.texts(), strict=True)
        ]
        assert ngrams(model, sort="probability") == [t for _, t in sorted(everything, key=lambda pair: -pair[0])]
        assert ngrams(model, top=top) == ngrams(model, sort="probability")[:top]
    finally:
        listings.PIECE = before


def test_patterns():
    model = trained(LINES)
    assert sorted(ngrams(model, pattern="a*")) == ["a", "ab"]
    assert sorted(ngrams(model, pattern="a *")) == ["a b", "a c"]
    assert sorted(ngrams(model, pattern="/a|ab/ ? *", order=3)) == ["a b </s>", "a b c", "a c </s>", "ab c b"]
    assert sorted(ngrams(model, pattern="[bc] c")) == ["b c"]
    assert ngrams(model, pattern="/x+/") == []
    assert sorted(ngrams(model, "a", order=2)) == ["a b", "a c"]
    assert ngrams(model, "<s> ab", order=3) == ["<s> ab c"]
    assert ngrams(model, "unknown") == []
    assert ngrams(model, "a b c b") == []
    assert ngrams(model, "<unk>") == ["<unk>"]


def test_sorted_by_count():
    model = trained(LINES, keep_counts=True)
    assert ngrams(model, sort="count", order=1)[:3] == ["<s>", "</s>", "a"]
    rows = b"".join(listed_rows(model, Listing(order=1, top=2, sort="count"), False)).decode().splitlines()
    assert rows[0] == "ngram\torder\tlog10_prob\tbackoff\tcount"
    assert [row.split("\t")[4] for row in rows[1:]] == ["4", "4"]


@pytest.mark.parametrize(
    ("settings", "reason"),
    [
        ({"order": 4}, "n-grams of 1 to 3 words"),
        ({"order": 0}, "n-grams of 1 to 3 words"),
        ({"pattern": "a b c d"}, "n-grams of 1 to 3 words"),
        ({"pattern": "a b", "order": 3}, "the pattern has 2 words"),
        ({"pattern": "/(/"}, "does not compile"),
        ({"sort": "length"}, "cannot sort by 'length'"),
        ({"sort": "count"}, "no counts"),
        ({"top": 0}, "--top 0"),
    ],
    ids=str,
)
def test_impossible_listings(settings, reason):
    with pytest.raises(UsageError, match=reason):
        ngrams(trained(LINES), **settings)


def test_words_outside_the_vocabulary_are_no_crash():
    from textkit.errors import DataError

    model = trained(LINES)
    model.vocabulary = model.vocabulary.subset(np.arange(4))
    with pytest.raises(DataError, match="damaged"):
        ngrams(model)
