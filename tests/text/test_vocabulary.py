"""Vocabularies: order, limits, text files, and refusal of nonsense."""

import gzip
import time

import naive
import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from textkit.errors import DataError, UsageError
from textkit.text import blocks as block_module
from textkit.text.corpus import count_vocabulary, encode_corpus
from textkit.text.reader import Lines
from textkit.text.tokenizer import Tokenizer
from textkit.text.vocabulary import BOS, EOS, SPECIALS, UNK, Vocabulary

WHITESPACE = Tokenizer("whitespace")
_words = st.sampled_from(
    ["a", "b", "c", "dd", "é", "<s>", "<unk>", "a-rather-long-word", "a-rather-long-worm", "a\x01"]
)
lines_of_words = st.lists(st.lists(_words, max_size=8), max_size=12).filter(any)


def counted(lines: list[list[str]], **settings) -> list[tuple[bytes, int]]:
    vocabulary = count_vocabulary(Lines([" ".join(line) for line in lines]), WHITESPACE, **settings)
    assert vocabulary.words([UNK, BOS, EOS]) == list(SPECIALS)
    return [(w.encode(), n) for w, n in zip(vocabulary.words(), vocabulary.counts.tolist(), strict=True)][3:]


@given(
    lines=lines_of_words,
    threads=st.sampled_from([1, 2, 3]),
    block=st.sampled_from([1, 9, 4096]),
    min_count=st.integers(1, 3),
    max_vocab=st.none() | st.integers(1, 4),
)
def test_order_and_limits_for_any_threads_and_blocks(lines, threads, block, min_count, max_vocab):
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(block_module, "BLOCK", block)
        found = counted(lines, min_count=min_count, max_vocab=max_vocab, threads=threads)
    as_bytes = [[word.encode() for word in line] for line in lines]
    assert found == naive.vocabulary(as_bytes, min_count, max_vocab)


def test_order_by_example():
    assert counted([["b", "a", "c"], ["c", "a"], ["d"]]) == [(b"a", 2), (b"c", 2), (b"b", 1), (b"d", 1)]


def test_order_does_not_depend_on_which_thread_is_first(monkeypatch):
    monkeypatch.setattr(block_module, "BLOCK", 1)
    lines = ["x y", "first second", *["second first"] * 8]

    class Uneven(Lines):
        def clean(self, block):
            time.sleep(0.2 if b"first second" in block.data[: block.size].tobytes() else 0.01)
            return block

    words = count_vocabulary(Uneven(lines), WHITESPACE, threads=2).words()
    assert words[3:] == ["first", "second", "x", "y"]


def test_left_out_words_count_as_unknown():
    vocabulary = count_vocabulary(Lines(["a a a b b c <unk>"]), WHITESPACE, min_count=2, max_vocab=1)
    assert list(vocabulary) == [*SPECIALS, "a"]
    assert vocabulary.counts.tolist() == [4, 0, 0, 3]


@pytest.mark.parametrize("limits", [{"min_count": 0}, {"max_vocab": 0}])
def test_impossible_limits_are_refused(limits):
    with pytest.raises(UsageError):
        counted([["a"]], **limits)
    with pytest.raises(UsageError):
        encode_corpus(Lines(["a"]), WHITESPACE, **limits)


def test_no_token_is_refused():
    with pytest.raises(DataError, match="no token"):
        count_vocabulary(Lines(["", " \t "]), WHITESPACE)


def test_ids_words_and_membership():
    vocabulary = Vocabulary.from_words(["a", "é", "long-word-here"], [5, 2, 1])
    assert len(vocabulary) == 6
    assert vocabulary.ids(["é", "no", "", "long-word-here", "<s>", "long-word-hers"]).tolist() == [4, 0, 0, 5, 1, 0]
    assert vocabulary.id("a") == 3
    assert ["a" in vocabulary, "<unk>" in vocabulary, "no" in vocabulary, 3 in vocabulary] == [True, True, False, False]
    assert vocabulary.words([5, 0]) == ["long-word-here", "<unk>"]
    assert vocabulary.word(4) == "é"
    assert vocabulary.ids([]).tolist() == []
    for number in (-1, 6):
        with pytest.raises(IndexError):
            vocabulary.word(number)


def test_duplicates_are_refused(tmp_path):
    with pytest.raises(DataError, match="'b' stands in the vocabulary twice"):
        Vocabulary.from_words(["a", "b", "c", "b"])
    with pytest.raises(DataError, match="'<s>'"):
        Vocabulary.from_words(["<s>"])
    (path := tmp_path / "words.tsv").write_text("a\t1\nb\t1\na\t2\n")
    with pytest.raises(DataError, match="line 3: 'a' is listed twice"):
        Vocabulary.load_text(path)


# --- text files -----------------------------------------------------------------------------------------

_any_word = st.text(st.characters(exclude_categories=["Cs"], exclude_characters="\n\r\t\0 "), min_size=1, max_size=12)


@given(st.dictionaries(_any_word, st.integers(0, 2**62), min_size=1, max_size=12))
def test_text_round_trip(tmp_path, listed):
    listed = {word: count for word, count in listed.items() if word not in SPECIALS} or {"x": 1}
    for name in ("words.tsv", "words.tsv.gz"):
        Vocabulary.from_words(listed, list(listed.values())).save_text(tmp_path / name)
        again = Vocabulary.load_text(tmp_path / name)
        assert again.words()[3:] == list(listed)
        assert again.counts.tolist() == [0, 0, 0, *listed.values()]
    assert gzip.decompress((tmp_path / "words.tsv.gz").read_bytes()) == (tmp_path / "words.tsv").read_bytes()


def test_words_that_are_not_utf8_survive(tmp_path):
    vocabulary = Vocabulary.from_words(["b\udcffd"], [3])
    vocabulary.save_text(tmp_path / "w")
    assert (tmp_path / "w").read_bytes() == b"b\xffd\t3\n"
    assert Vocabulary.load_text(tmp_path / "w").words() == vocabulary.words()


def test_plain_word_list_with_specials_and_blank_lines(tmp_path):
    (path := tmp_path / "w").write_bytes(b"a\r\n<unk>\t7\n\nb\n")
    vocabulary = Vocabulary.load_text(path)
    assert list(vocabulary) == [*SPECIALS, "a", "b"]
    assert vocabulary.counts.tolist() == [0] * 5


@pytest.mark.parametrize(
    "data",
    [
        b"",
        b"\n<s>\t1\n",
        b"a\tmany\n",
        b"a\t-1\n",
        b"a\t99999999999999999999\n",
        b"a\t" + b"9" * 5000 + b"\n",
        gzip.compress(b"a\t1\n" * 9)[:15],
    ],
    ids=["empty", "only-specials", "no-number", "negative", "beyond-64-bits", "5000-digits", "truncated"],
)
def test_bad_word_list_is_refused(tmp_path, data):
    (path := tmp_path / "w").write_bytes(data)
    with pytest.raises(DataError) as caught:
        Vocabulary.load_text(path)
    assert str(path) in str(caught.value)
    assert "\n" not in str(caught.value)


def test_missing_word_list(tmp_path):
    for path in (tmp_path / "no.tsv", tmp_path):
        with pytest.raises(DataError, match="cannot read the vocabulary"):
            Vocabulary.load_text(path)


# --- arrays ---------------------------------------------------------------------------------------------


def test_arrays_round_trip():
    vocabulary = Vocabulary.from_words(["a", "bb"], [2, 1])
    again = Vocabulary.from_arrays(vocabulary.arrays(), "x")
    assert list(again) == list(vocabulary)
    assert again.ids(["bb", "a", "c"]).tolist() == [4, 3, 0]


def _slots_full(arrays):
    arrays["vocab.index"] |= 1


DAMAGE = {
    "missing": lambda a: a.pop("vocab.ends"),
    "wrong type": lambda a: a.update({"vocab.counts": a["vocab.counts"].astype(np.int32)}),
    "too few ends": lambda a: a.update({"vocab.ends": a["vocab.ends"][:-1]}),
    "two-dimensional index": lambda a: a.update({"vocab.index": a["vocab.index"].reshape(1, -1)}),
    "scalar counts": lambda a: a.update({"vocab.counts": np.int64(3).reshape(())}),
    "two-dimensional arena": lambda a: a.update({"vocab.arena": a["vocab.arena"].reshape(1, -1)}),
    "no specials": lambda a: a.update({"vocab.counts": a["vocab.counts"][:2], "vocab.ends": a["vocab.ends"][:3]}),
    "start": lambda a: a["vocab.ends"].__setitem__(0, 5),
    "falling ends": lambda a: a["vocab.ends"].__setitem__(2, 1 << 30),
    "last end": lambda a: a["vocab.ends"].__setitem__(-1, 1 << 30),
    "no free slot": _slots_full,
}


@pytest.mark.parametrize("damage", DAMAGE.values(), ids=DAMAGE)
def test_damaged_arrays_are_refused(damage):
    arrays = {name: array.copy() for name, array in Vocabulary.from_words(["a", "bb"], [2, 1]).arrays().items()}
    damage(arrays)
    with pytest.raises(DataError, match=r"model\.bin is damaged"):
        Vocabulary.from_arrays(arrays, "model.bin")


def test_entries_of_a_damaged_index_are_never_followed_outside():
    arrays = Vocabulary.from_words(["a", "bb"], [2, 1]).arrays()
    index = arrays["vocab.index"]
    index[index != 0] |= np.uint64(0xFFFF)  # ids that do not exist
    again = Vocabulary.from_arrays(arrays, "x")
    assert again.ids(["a", "bb", "c"]).tolist() == [0, 0, 0]
