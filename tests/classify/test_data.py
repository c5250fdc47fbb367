"""Labelled text as numbers: against a twin, and every kind of odd row."""

import gzip

import naive
import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from naive_labels import distinct, labelled_lines

from textkit.classify.data import LabelledCorpus, Ragged, from_memory, read_labelled
from textkit.classify.form import InputForm
from textkit.errors import DataError, UsageError
from textkit.text import blocks as block_module
from textkit.text.tokenizer import Tokenizer

WORDS = Tokenizer("whitespace")
lines_of_text = st.lists(
    st.lists(st.sampled_from(["__label__x", "__label__y", "__label__é", "a", "b", "c c"]), max_size=5).map(" ".join),
    min_size=1, max_size=12,
)  # fmt: skip


def documents(data: LabelledCorpus) -> list[tuple[list[str], list[str], tuple[str, int]]]:
    """Each document as its words, its labels, and where it stands."""
    words, names = data.text.vocabulary.words(), data.labels.names
    return [
        ([words[i] for i in data.text.line(k)], [names[i] for i in data.gold[k]], data.origin(k))
        for k in range(len(data))
    ]


@given(st.lists(lines_of_text, min_size=1, max_size=3), st.sampled_from([1, 20, 4096]), st.sampled_from([1, 3]))
def test_reading_equals_the_twin(tmp_path, contents, block, threads):
    expected, dropped, paths = [], [], []
    for i, lines in enumerate(contents):
        paths.append(path := tmp_path / f"{i}.txt")
        path.write_bytes("\n".join(lines).encode())
        for number, (text, labels, empty) in enumerate(labelled_lines(path.read_bytes(), b"__label__"), 1):
            words, names = naive.whitespace_split(text), [label.decode() for label in distinct(labels)]
            if labels and words:
                expected.append(([w.decode() for w in words], names, (str(path), number)))
            else:
                dropped.append((str(path), number, "no text" if labels else "empty row" if empty else "no label"))
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(block_module, "BLOCK", block)
        if not expected:
            with pytest.raises(DataError):
                read_labelled(paths, InputForm(), WORDS, threads=threads)
            return
        data = read_labelled(paths, InputForm(), WORDS, threads=threads)
    assert documents(data) == expected
    assert list(data.odd) == dropped
    assert data.odd.dropped == len(dropped)
    counts = {name: sum(name in labels for _, labels, _ in expected) for _, labels, _ in expected for name in labels}
    assert dict(zip(data.labels.names, data.labels.counts.tolist(), strict=True)) == counts
    assert data.labels.names == sorted(counts, key=lambda name: -counts[name])
    assert data.multilabel == any(len(labels) > 1 for _, labels, _ in expected)


def test_labels_go_by_count_and_then_by_appearance(tmp_path):
    (path := tmp_path / "a.txt").write_text("#c w\n#b w\n#b w #b\n#a w\nw #c\n#d w\n")
    data = read_labelled([path], InputForm(prefix="#"), WORDS)
    assert (data.labels.names, data.labels.counts.tolist()) == (["c", "b", "a", "d"], [2, 2, 1, 1])
    assert data.labels.numbers() == {"c": 0, "b": 1, "a": 2, "d": 3}


def test_test_data_takes_the_words_and_labels_of_a_model(tmp_path):
    (train := tmp_path / "a").write_text("__label__p good\n__label__n bad bad\n__label__q fine\n")
    (test := tmp_path / "b").write_text("__label__new bad\n__label__n good unseen\n__label__p \n__label__newer x\n")
    known = read_labelled([train], InputForm(), WORDS)
    labels = ["q", "p", "n"]
    data = read_labelled([test], InputForm(), WORDS, vocabulary=known.text.vocabulary, labels=labels)
    assert data.labels.names == ["q", "p", "n", "new", "newer"]
    assert data.labels.counts.tolist() == [0, 1, 1, 1, 1]
    assert data.known == 3
    assert data.gold.ids.tolist() == [3, 2, 1, 4]
    assert data.text.vocabulary is known.text.vocabulary
    assert data.text.line(1).tolist() == [known.text.vocabulary.id("good"), 0]
    assert list(data.odd) == [(str(test), 3, "no text")]  # but it is there: a model has to answer
    assert data.odd.dropped == 0


def test_what_cannot_be_decoded_is_left_out_and_told(tmp_path):
    (path := tmp_path / "a.gz").write_bytes(
        gzip.compress(
            b"__label__a one\n__label__a \xff\n\nno label\n\xff\n__label__b two\n__label__b\n__label__a three"
        )
    )
    data = read_labelled([path], InputForm(errors="skip"), WORDS)
    assert [line for _, _, (_, line) in documents(data)] == [1, 6, 8]
    assert [(line, reason) for _, line, reason in data.odd] == [
        (2, "not decodable"), (3, "empty row"), (4, "no label"), (5, "not decodable"), (7, "no text")
    ]  # fmt: skip
    assert data.odd.counts == {"no label": 1, "empty row": 1, "no text": 1, "not decodable": 2}
    assert "2 left out: not decodable" in str(data.odd)
    with pytest.raises(DataError, match="line 2"):
        read_labelled([path], InputForm(), WORDS)
    replaced = read_labelled([path], InputForm(errors="replace"), WORDS)
    assert [line for _, _, (_, line) in documents(replaced)] == [1, 2, 6, 8]


def test_a_long_document_is_kept_and_told(tmp_path):
    (path := tmp_path / "a").write_text("__label__a b\n" + "w " * 100_001 + "__label__a\n")
    data = read_labelled([path], InputForm(), WORDS)
    assert data.gold.ids.tolist() == [0, 0]
    assert list(data.odd) == [(str(path), 2, "over-long")]
    assert data.odd.dropped == 0


@pytest.mark.parametrize("content", ["", "\n\n", "no label here\n", "__label__ w\n"])
def test_without_a_label_there_is_advice(tmp_path, content):
    (path := tmp_path / "a").write_text(content)
    with pytest.raises(DataError) as caught:
        read_labelled([path], InputForm(), WORDS)
    assert ("no row of" in str(caught.value)) == bool(content)


@pytest.mark.parametrize(
    "settings", [{"prefix": ""}, {"prefix": "a b"}, {"prefix": " a"}, {"format": "x"}], ids=lambda s: str(s)
)
def test_impossible_forms(settings):
    with pytest.raises(UsageError):
        InputForm(**settings)


# --- from Python -----------------------------------------------------------------------------------------


def test_from_memory_equals_a_file(tmp_path):
    texts, labels = ["a b", "b\nc", "c", "a", "\n"], ["x", ["y", "x"], [], {"y"}, "z"]
    (path := tmp_path / "a").write_text("__label__x a b\n__label__y __label__x b c\nc\n__label__y a\n__label__z\n")
    data, read = from_memory(texts, labels, tokenizer=WORDS), read_labelled([path], InputForm(), WORDS)
    assert [(words, names) for words, names, _ in documents(data)] == [(w, n) for w, n, _ in documents(read)]
    assert data.lines.tolist() == read.lines.tolist() == [1, 2, 4]
    assert data.labels.names == read.labels.names == ["x", "y"]
    assert list(data.odd) == [("memory", 3, "no label"), ("memory", 5, "no text")]


def test_weights_stay_with_their_documents():
    data = from_memory(["a", "", "b", "c"], ["x", "x", [], "y"], [0.5, 1, 2, 3])
    assert data.weights.tolist() == [0.5, 3]
    assert data.weights.dtype == np.float32
    assert from_memory(["a"], ["x"]).weights is None


@pytest.mark.parametrize(
    ("arguments", "error", "message"),
    [
        ((["a"], []), UsageError, "1 texts, but 0 labels"),
        ((["a"], ["x"], []), UsageError, "but 0 weights"),
        (([1], ["x"]), UsageError, "1 is no string"),
        ((["a"], [[2]]), UsageError, "2 is no string"),
        ((["a"], ["x"], [-1]), DataError, "weight 1 is -1"),
        ((["a"], ["x"], [float("nan")]), DataError, "weight 1 is nan"),
        ((["a", "b"], [[], ""]), DataError, "has a label"),
        (([], []), DataError, "no token"),
    ],
)
def test_bad_lists(arguments, error, message):
    with pytest.raises(error, match=message):
        from_memory(*arguments)


# --- lists of numbers ------------------------------------------------------------------------------------


@given(st.lists(st.lists(st.integers(0, 9), max_size=4), max_size=8), st.data())
def test_ragged(lists, draw):
    ragged = Ragged.from_lists(lists)
    assert [numbers.tolist() for numbers in ragged] == lists
    assert ragged.sizes.tolist() == [len(numbers) for numbers in lists]
    chosen = draw.draw(st.lists(st.integers(0, len(lists) - 1), max_size=8)) if lists else []
    taken = ragged.take(np.array(chosen, np.int64))
    assert [numbers.tolist() for numbers in taken] == [lists[i] for i in chosen]
    assert (taken.ids.dtype, taken.offsets.dtype) == (np.int32, np.int64)
