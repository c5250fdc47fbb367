"""Counts as things of their own: against plain dictionaries, in files, added up and taken away."""

import mmap
from collections import Counter

import naive_ngram
import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from textkit.errors import DataError, UsageError
from textkit.ngram import counting
from textkit.ngram.config import TrainingConfig
from textkit.ngram.counting import count_text
from textkit.ngram.counts import NEVER, CountedText
from textkit.ngram.merging import merge_counts
from textkit.ngram.model import NGramModel
from textkit.store import Store, release_pages
from textkit.text.corpus import encode_corpus
from textkit.text.reader import Lines
from textkit.text.tokenizer import Tokenizer
from textkit.text.vocabulary import Vocabulary

WORDS = st.sampled_from(["a", "b", "c", "d", "e", "f"])
TEXTS = st.lists(st.lists(WORDS, max_size=7), min_size=1, max_size=12).filter(any)


def encoded(lines, **settings):
    return encode_corpus(Lines([" ".join(line) for line in lines]), Tokenizer("whitespace"), threads=1, **settings)


def counted(lines, order, **settings):
    return count_text(encoded(lines, **settings), order, threads=1)


def table(text):
    """{n-gram: count} of every order, read off the levels."""
    words, levels = text.vocabulary.words(), text.counts.levels
    found = [Counter() for _ in levels]

    def walk(n, entry, ngram):
        found[n][ngram] = int(levels[n].counts[entry])
        if n + 1 < len(levels):
            for child in range(levels[n].edges[entry], levels[n].edges[entry + 1]):
                walk(n + 1, child, (*ngram, words[levels[n + 1].words[child]]))

    for entry in range(len(words)):
        if levels[0].counts[entry]:
            walk(0, entry, (words[entry],))
    return found


def same(one, other):
    """Whether two counts are equal in every array, words included."""
    arrays = [
        [t.counts.first, t.vocabulary.arena[: t.vocabulary.ends[-1]], t.vocabulary.ends]
        + [a for level in t.counts.levels for a in vars(level).values() if a is not None]
        for t in (one, other)
    ]
    sizes = [(t.counts.tokens, t.counts.lines, t.counts.dropped_marks, t.tokenizer) for t in (one, other)]
    return sizes[0] == sizes[1] and all(
        a.dtype == b.dtype and np.array_equal(a, b) for a, b in zip(*arrays, strict=True)
    )


@given(TEXTS, st.integers(1, 5))
def test_counts_equal_plain_counts(lines, order):
    text = counted(lines, order)
    assert table(text) == naive_ngram.ngrams(lines, order)
    assert text.vocabulary.words(text.counts.last) == list(naive_ngram.last_ngram(lines, order))


@given(st.lists(TEXTS, min_size=1, max_size=5), st.integers(1, 4), st.integers(1, 3))
def test_shards_counted_apart_are_the_counts_of_one_run(shards, order, threads):
    merged = merge_counts([counted(lines, order) for lines in shards], threads=threads)
    assert same(merged, counted([line for lines in shards for line in lines], order))


@given(st.lists(TEXTS, min_size=1, max_size=3), st.integers(1, 4), st.integers(1, 4), st.none() | st.integers(1, 4))
def test_rare_words_become_unknown_as_in_one_run(tmp_path_factory, shards, order, min_count, max_vocab):
    path, kept = tmp_path_factory.mktemp("m"), dict(min_count=min_count, max_vocab=max_vocab)
    lines = [line for lines in shards for line in lines]
    merged = merge_counts([counted(lines, order) for lines in shards], **kept)
    config = TrainingConfig(order)
    NGramModel.train(merged, config, threads=1).save(path / "merged")
    NGramModel.train(encoded(lines, **kept), config, threads=1).save(path / "one")
    assert (path / "merged").read_bytes() == (path / "one").read_bytes()


@given(TEXTS, TEXTS, st.integers(1, 4))
def test_taking_away_leaves_the_rest(rest, part, order):
    both = counted(rest + part, order)
    left = merge_counts([both, counted(part, order)], [1, -1])
    assert table(left) == naive_ngram.ngrams(rest, order)
    assert set(left.vocabulary.words()) == {"<unk>", "<s>", "</s>", *(word for line in rest for word in line)}
    assert (left.counts.levels[0].counts[3:-1] >= left.counts.levels[0].counts[4:]).all()
    assert same(merge_counts([left]), left)


@given(TEXTS, TEXTS, st.integers(1, 3), st.integers(1, 3), st.integers(1, 3))
def test_weights_repeat_a_text(one, other, first, second, order):
    weighted = merge_counts([counted(one, order), counted(other, order)], [first, second])
    assert same(weighted, counted(one * first + other * second, order))


def test_taking_away_what_is_not_there_is_refused():
    text, other = counted([["a", "b"], ["b"]], 2), counted([["b", "a"]], 2)
    with pytest.raises(DataError, match="a 2-gram is taken away more often than it is there"):
        merge_counts([text, other], [1, -1])
    with pytest.raises(DataError, match="a word is taken away more often"):
        merge_counts([other, text], [1, -1])
    with pytest.raises(DataError, match="nothing would be left"):
        merge_counts([text, text], [1, -1])


def test_sums_that_no_count_holds_are_refused():
    text = counted([["a", "a"]], 2)
    assert merge_counts([text], [2**30 - 1]).counts.levels[0].counts.max() == 2**31 - 2
    with pytest.raises(DataError, match="a word would have a count above 2,147,483,647"):
        merge_counts([text, text], [2**30, 1])
    many = merge_counts([counted([["a"]], 2), counted([["b"]], 2)], [2**30, 2**30 - 1])
    with pytest.raises(DataError, match="count above"):
        merge_counts([many], max_vocab=1, weights=[2])


@pytest.mark.parametrize(
    ("weights", "reason"), [([1], "1 weights for 2 files"), ([1, 0], "a weight of 0"), ([], "0 weights")]
)
def test_impossible_weights_are_wrong_usage(weights, reason):
    text = counted([["a"]], 2)
    with pytest.raises(UsageError, match=reason):
        merge_counts([text, text], weights)


def test_different_orders_and_tokenizers_are_wrong_usage():
    text = counted([["a"]], 2)
    with pytest.raises(UsageError, match="different orders: 2, 3"):
        merge_counts([text, counted([["a"]], 3)])
    other = count_text(encode_corpus(Lines(["a"]), Tokenizer("char"), threads=1), 2)
    with pytest.raises(UsageError, match="split in different ways"):
        merge_counts([text, other])
    with pytest.raises(UsageError, match="--order 3 cannot be had from counts of order 2"):
        text.counts.up_to(3)


@given(TEXTS, st.integers(1, 4), st.integers(1, 4))
def test_lower_orders_of_counts_are_the_counts_of_lower_orders(lines, order, lower):
    lower = min(order, lower)
    text, cut = counted(lines, lower), counted(lines, order)
    assert same(text, CountedText(cut.counts.up_to(lower), cut.vocabulary, cut.tokenizer))


def test_words_that_a_given_vocabulary_lists_stay():
    listed = Vocabulary.from_words(["z", "b", "a"])
    shards = [counted(lines, 2, vocabulary=listed) for lines in ([["a"]], [["b", "c"]])]
    merged = merge_counts(shards)
    assert same(merged, counted([["a"], ["b", "c"]], 2, vocabulary=listed))
    assert merged.counts.first.tolist()[3:] == [NEVER, 4, 1]
    with_more = merge_counts([*shards, counted([["d"]], 2)])
    assert with_more.vocabulary.words()[3:] == ["a", "b", "d", "z"]


@given(TEXTS, st.integers(1, 4))
def test_files_keep_everything(tmp_path_factory, lines, order):
    text, path = counted(lines, order), tmp_path_factory.mktemp("counts") / "x.counts"
    text.save(path)
    assert same(CountedText.load(path), text)


@given(st.lists(TEXTS, min_size=1, max_size=4), st.integers(1, 4), st.integers(1, 3), st.sampled_from([2, 100]))
def test_counting_in_runs_changes_nothing(shards, order, threads, most_runs):
    lines = [line for shard in shards for line in shard]
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(counting, "_MOST_RUNS", most_runs)
        limited = count_text(encoded(lines), order, threads, store=Store(limit=700))
    assert same(limited, counted(lines, order))


MANY = [[f"w{i * i % 97}", f"x{i % 13}", "y"] for i in range(2000)]


def test_runs_are_kept_in_scratch_files_that_have_no_name(tmp_path):
    store = Store(limit=20_000, directory=tmp_path)
    limited = count_text(encoded(MANY), 3, 2, store=store)
    assert isinstance(limited.counts.levels[2].words.base.obj, mmap.mmap)
    assert list(tmp_path.iterdir()) == []
    assert same(limited, counted(MANY, 3))
    release_pages()
    assert same(limited, counted(MANY, 3))


def test_a_full_disk_is_told(tmp_path):
    store = Store(limit=20_000, directory=tmp_path / "file" / "x")
    (tmp_path / "file").write_text("")
    with pytest.raises(DataError, match=r"cannot keep n-grams in .*: Not a directory"):
        count_text(encoded(MANY), 3, 1, store=store)
