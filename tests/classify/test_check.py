"""What is found in labelled text: repeated rows, leaks, names, wrong labels; and files without them."""

import gzip
import random
from dataclasses import replace

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from textkit.classify import effort, mislabels
from textkit.classify.check import Check, CheckConfig, check, input_of_each
from textkit.classify.cleaning import chosen_kinds, cleaned
from textkit.classify.config import ClassifierConfig
from textkit.classify.data import from_memory, read_labelled
from textkit.classify.duplicates import nearly_same, same
from textkit.classify.form import InputForm
from textkit.classify.label_names import alike, one_edit
from textkit.classify.labelling import LabelSet
from textkit.classify.mislabels import OutOfFold, out_of_fold, suspects
from textkit.errors import UsageError
from textkit.text.tokenizer import Tokenizer

WORDS = Tokenizer("whitespace")
FAST = ClassifierConfig(model="embedding", epochs=5, validation=0.0)


def corpus(texts, labels=None):
    return from_memory(texts, labels or ["x"] * len(texts), tokenizer=WORDS)


# --- duplicates --------------------------------------------------------------------------------------------


@given(st.lists(st.lists(st.sampled_from("abc"), min_size=1, max_size=3).map(" ".join), min_size=1, max_size=20))
def test_the_same_documents(texts):
    found = same(corpus(texts).text)
    assert found.leader.tolist() == [texts.index(text) for text in texts]
    assert found.followers.tolist() == [i for i, text in enumerate(texts) if texts.index(text) < i]
    groups = [[i for i, other in enumerate(texts) if other == text] for text in dict.fromkeys(texts)]
    assert sorted(group.tolist() for group in found.lists()) == sorted(group for group in groups if len(group) > 1)


def test_near_duplicates():
    rng = random.Random(1)
    words = [f"w{i}" for i in range(500)]
    texts = [" ".join(rng.choices(words, k=60)) for _ in range(200)]
    for i in range(50):  # a copy with another word at its end, and one with a third of it replaced
        texts.append(texts[i].rsplit(" ", 1)[0] + " other")
        texts.append(texts[i][: len(texts[i]) // 3] + " " + " ".join(rng.choices(words, k=40)))
    found = nearly_same(corpus(texts).text, 0.8, threads=2)
    assert found.leader.tolist() == [*range(200), *(k for i in range(50) for k in (i, 201 + 2 * i))]
    assert [group.tolist() for group in found.lists()][:2] == [[0, 200], [1, 202]]


def test_near_duplicates_hold_together_by_chains_and_with_the_same():
    base = [f"a{i}" for i in range(40)]
    texts = [" ".join(base[:40]), " ".join([*base[2:], *"xy"]), " ".join([*base[4:], *"xyzu"]), "b", "b"]
    found = nearly_same(corpus(texts).text, 0.85)
    assert found.leader.tolist() == [0, 0, 0, 3, 3]
    assert nearly_same(corpus(texts).text, 1.0).leader.tolist() == [0, 1, 2, 3, 3]


# --- names of labels ---------------------------------------------------------------------------------------


def names(**counts):
    found = alike(LabelSet(list(counts), np.array(list(counts.values()))))
    return {(pair.rare, pair.frequent) for pair in found}


def test_names_that_may_be_one():
    assert names(cooking=100, Cooking=90, cookign=2, coking=3, looking=80) == {
        ("Cooking", "cooking"), ("cookign", "cooking"), ("coking", "cooking")
    }  # fmt: skip
    assert names(a_b=5, ab=7, cd=1) == {("a_b", "ab")}
    found = alike(LabelSet(["film noir", "film-noir", "Film_Noir ", "war", "far"], np.array([9, 3, 1, 50, 1])))
    assert {(pair.rare, pair.frequent) for pair in found} >= {("film-noir", "film noir"), ("Film_Noir ", "film noir")}
    assert all(pair.frequent != "war" for pair in found)  # too short to tell


@pytest.mark.parametrize(
    ("a", "b", "expected"),
    [
        ("sports", "sport", True), ("sports", "sprots", True), ("sports", "spxrts", True), ("sports", "xsports", True),
        ("sports", "sports", False), ("sports", "spoxxs", False), ("class10", "class11", False),
        ("1234", "1235", False), ("sports", "srpots", False), ("", "a", True), ("ab", "ba", True),
    ],
)  # fmt: skip
def test_one_edit(a, b, expected):
    assert one_edit(a, b) == one_edit(b, a) == expected


def test_many_labels_are_no_burden():
    found = alike(LabelSet([f"label {i:x} of many" for i in range(20_000)], np.arange(20_000, 0, -1)))
    assert isinstance(found, list)


# --- wrong labels ------------------------------------------------------------------------------------------


def test_confident_learning_by_hand():
    data = corpus(list("abcdef"), ["x", "x", "x", "y", "y", "y"])
    p_x = np.array([0.9, 0.8, 0.1, 0.2, 0.3, 0.95], np.float32)
    best = np.where(p_x[:, None] > 0.5, [[0, 1]], [[1, 0]]).astype(np.int32)
    best_p = np.sort(np.stack([p_x, 1 - p_x], axis=1), axis=1)[:, ::-1].astype(np.float32)
    given_p = np.where(np.arange(6) < 3, p_x, 1 - p_x).astype(np.float32)
    found = suspects(data, OutOfFold(given_p, best, best_p))
    # Mean p of x among x is 0.6, of y among y 0.517: c has y with 0.9, f has x with 0.95.
    assert found.documents.tolist() == [5, 2]
    assert (found.given.tolist(), found.suggested.tolist()) == ([1, 0], [0, 1])
    assert found.given_p.tolist() == pytest.approx([0.05, 0.1])
    assert found.suggested_p.tolist() == pytest.approx([0.95, 0.9])


def test_wrong_labels_are_found():
    rng = random.Random(3)
    labels = [rng.choice("xyz") for _ in range(300)]
    texts = [f"{label}1 {label}{rng.randrange(3)} w{rng.randrange(50)}" for label in labels]
    wrong = sorted(rng.sample(range(300), 9))
    given_labels = ["xyz"[("xyz".index(label) + 1) % 3] if i in wrong else label for i, label in enumerate(labels)]
    data = corpus(texts, given_labels)
    found = out_of_fold(data, FAST, 3, threads=1)
    assert found.gold_p.dtype == np.float32
    told = suspects(data, found)
    assert set(told.documents[:9].tolist()) == set(wrong)
    assert [data.labels.names[k] for k in told.suggested[:9]] == [labels[d] for d in told.documents[:9].tolist()]


def test_labels_that_are_lacking_or_too_many():
    texts = [f"{'a ' * ('x' in labels)}{'b ' * ('y' in labels)}c" for labels in ["x", "y", "xy", ""] * 60]
    given_labels = [[*labels, "z"] for labels in ["x", "y", "xy", ""] * 60]
    given_labels[0], given_labels[1] = ["x", "y", "z"], ["z"]  # the first has one too many, the second lacks one
    data = corpus(texts, given_labels)
    told = suspects(data, out_of_fold(data, FAST, 3, threads=1))
    first = list(zip(told.documents.tolist(), told.given.tolist(), told.suggested.tolist(), strict=True))[:2]
    y = data.labels.numbers()["y"]
    assert sorted(first) == [(0, y, -1), (1, -1, y)]


def test_the_default_model_is_linear_and_embeddings_where_that_takes_long():
    data = corpus(["a b", "c d"] * 4, ["x", "y"] * 4)
    assert CheckConfig(seed=3).model_for(data) == ClassifierConfig(model="linear", seed=3)
    many = corpus(["a"] * 301, [f"label {i}" for i in range(301)])
    assert CheckConfig().model_for(many).model == "embedding"
    assert CheckConfig(model=FAST).model_for(many) is FAST
    found = out_of_fold(data, ClassifierConfig(), 2, threads=1)
    assert found.gold_p.shape == (8,)


def test_very_many_labels_are_searched_for(monkeypatch):
    data = corpus([f"w{i % 9} v{i % 9}" for i in range(90)], [f"label {i % 9}" for i in range(90)])
    hs = ClassifierConfig(model="embedding", epochs=5, validation=0.0, loss="hs")
    whole = out_of_fold(data, hs, 3, threads=1)
    monkeypatch.setattr(mislabels, "_MANY", 1)
    found = out_of_fold(data, hs, 3, threads=1)
    np.testing.assert_allclose(found.gold_p, whole.gold_p, rtol=1e-3)
    np.testing.assert_allclose(found.best_p, whole.best_p, rtol=1e-3)
    monkeypatch.setattr(effort, "MANY", 1)
    chosen = out_of_fold(data, replace(hs, loss=None), 3, threads=1)
    assert (chosen.gold_p == found.gold_p).all()


# --- everything --------------------------------------------------------------------------------------------


@pytest.fixture
def files(tmp_path):
    (tmp_path / "train.txt").write_text(
        "__label__pos a good film\n__label__neg a bad film\n__label__pos a good film\n__label__neg a good film\n"
        "no label\n\n__label__pos stands there too\n" + "__label__neg lon" + "g " * 1500 + "\n__label__POS other\n"
    )
    (tmp_path / "test.txt").write_text("__label__pos stands there too\n__label__neg new\n")
    return [tmp_path / "train.txt", tmp_path / "test.txt"]


def found_in(files, folds=0, **form) -> Check:
    data = read_labelled(files, InputForm(**form), WORDS)
    return check(data, files, CheckConfig(folds=folds, model=FAST))


def test_issues(files):
    found = found_in(files)
    issues = [(issue.file == str(files[0]), issue.line, issue.kind) for issue in found.issues()]
    assert issues == [
        (True, 5, "no-label"), (True, 6, "empty-row"), (True, 3, "duplicate"), (True, 4, "duplicate"),
        (False, 1, "duplicate"), (True, 7, "leak"), (False, 1, "leak"), (True, 9, "label-name"), (True, 8, "over-long"),
    ]  # fmt: skip
    notes = {(issue.line, issue.kind): issue.note for issue in found.issues()}
    assert notes[4, "duplicate"] == f"of {files[0]}:1, with other labels"
    assert notes[3, "duplicate"] == f"of {files[0]}:1"
    assert notes[7, "leak"].endswith(f"{files[1]}:1")
    summary = found.summary()
    assert summary["duplicates"] == 3
    assert summary["duplicates with other labels"] == 1
    assert summary["documents that stand in several files"] == 2
    assert summary["rows: empty row"] == 1
    assert summary["labels with fewer than 5 documents"] == 3


def test_cleaned_lines(files):
    found = found_in(files)
    lines = files[0].read_bytes().splitlines(keepends=True)
    kept = b"".join(cleaned(found, files[0], InputForm(), chosen_kinds("duplicate,leak,odd")))
    assert kept == b"".join(line for i, line in enumerate(lines, 1) if i not in (3, 4, 5, 6, 7))
    assert b"".join(cleaned(found, files[0], InputForm(), chosen_kinds("mislabelled"))) == b"".join(lines)


@pytest.mark.parametrize(
    ("name", "content", "kept"),
    [
        ("t.csv", 'label,text\nx,"a\nb"\n\nx,"a\nb"\nx,c', 'label,text\nx,"a\nb"\nx,c\n'),
        ("t.tsv", "x\ta\nx\ta\ny\tb\n", "x\ta\ny\tb\n"),
        ("t.jsonl", '{"text": "a", "label": "x"}\n\n{"text": "a",  "label": "x"}\n{"label": 3, "text": "é"}',
         '{"text": "a", "label": "x"}\n{"label": 3, "text": "é"}\n'),
    ],
)  # fmt: skip
def test_cleaned_records(tmp_path, name, content, kept):
    (path := tmp_path / f"{name}.gz").write_bytes(gzip.compress(content.encode()))
    form = {"text": "2", "label": "1"} if name == "t.tsv" else {}
    found = found_in([path], **form)
    assert b"".join(cleaned(found, path, InputForm(**form), {"duplicate"})).decode() == kept


def test_folders_have_no_rows_but_leak(tmp_path):
    for part, label, text in (("train", "x", "a b"), ("train", "y", "c"), ("test", "x", "a b"), ("test", "y", "d")):
        (path := tmp_path / part / label).mkdir(parents=True, exist_ok=True)
        (path / "1.txt").write_text(text)
    inputs = [tmp_path / "train", tmp_path / "test"]
    found = found_in(inputs)
    assert input_of_each(found.data, inputs).tolist() == [0, 0, 1, 1]
    assert found.leaks.tolist() == [0, 2]
    with pytest.raises(UsageError, match="is a directory"):
        list(cleaned(found, inputs[0], InputForm(), {"leak"}))


@pytest.mark.parametrize("settings", [{"similar": 0}, {"similar": 1.1}, {"folds": 1}, {"folds": -1}], ids=str)
def test_impossible_settings(settings):
    with pytest.raises(UsageError):
        CheckConfig(**settings)
    with pytest.raises(UsageError, match="no kind of row 'leek'"):
        chosen_kinds("duplicate,leek")
