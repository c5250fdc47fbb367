"""Long texts in parts, and rows of frequent words once for each thread."""

from itertools import pairwise

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from textkit.classify import bagging, data, visiting
from textkit.classify.bagging import BagSource
from textkit.classify.config import ClassifierConfig
from textkit.classify.data import read_labelled
from textkit.classify.features import Features
from textkit.classify.form import InputForm
from textkit.classify.model import Classifier
from textkit.classify.replicas import Replicas, replicated
from textkit.classify.training import Trainer
from textkit.classify.visiting import Order
from textkit.kernels.simd import aligned_rows
from textkit.text.tokenizer import Tokenizer

SMALL = {"BLOCK": 8, "PART": 32, "WHOLE": 50}


@pytest.fixture
def small_parts(monkeypatch):
    for name, value in SMALL.items():
        monkeypatch.setattr(visiting, name, value)
    monkeypatch.setattr(bagging, "_COPIED", 10)
    monkeypatch.setattr(bagging, "_KEPT", 0)
    monkeypatch.setattr(data, "_IN_MEMORY", 0)


def in_file(tmp_path, documents=40):
    """Labelled documents, which are mapped from a file under `small_parts`."""
    rng = np.random.default_rng(1)
    marks = [["good", "fine"], ["bad", "poor"]]
    rows = [
        [f"__label__{i % 2}", *rng.choice(marks[i % 2], 2), *rng.choice(list("abc"), i % 7)] for i in range(documents)
    ]
    (path := tmp_path / "rows.txt").write_text("\n".join(map(" ".join, rows)))
    return read_labelled([path], InputForm(), Tokenizer("whitespace"), threads=2)


def turns(order):
    return [order.members(part)[order.shuffled(part)].tolist() for part in range(order.parts)]


@given(sizes=st.lists(st.integers(0, 20), max_size=60), seed=st.integers(0, 3))
def test_each_document_has_one_turn(sizes, seed):
    with pytest.MonkeyPatch.context() as patch:
        for name, value in SMALL.items():
            patch.setattr(visiting, name, value)
        order = Order(np.array(sizes, np.int64), (seed, 0))
        found = turns(order)
        assert sorted(number for part in found for number in part) == list(range(len(sizes)))
        assert [len(part) for part in found] == np.diff(order.edges).tolist()
        assert found == turns(Order(np.array(sizes, np.int64), (seed, 0)))
        if sum(sizes) <= SMALL["WHOLE"]:
            assert order.parts == 1
            return
        starts = np.cumsum([0, *sizes])
        for part in range(order.parts):
            members = order.members(part)
            assert (np.diff(members) > 0).all()
            blocks = {int(starts[number]) // SMALL["BLOCK"] for number in members.tolist()}
            assert len(blocks) <= SMALL["PART"] // SMALL["BLOCK"]


def test_parts_are_made_of_blocks_from_all_over_and_differ_by_epoch():
    order, other = (Order(np.full(1 << 17, 256), (0, epoch)) for epoch in (0, 1))
    assert order.parts == (1 << 25) // visiting.PART
    numbers = order.members(3)
    assert np.ptp(numbers) > 1 << 16
    assert not np.array_equal(numbers, other.members(3))


@pytest.mark.parametrize("dropout", [0.0, 0.5])
def test_bags_of_parts_are_those_of_the_documents(dropout, tmp_path, small_parts):
    labelled = in_file(tmp_path)
    config = ClassifierConfig(buckets=100, dropout=dropout, epochs=2)
    features = Features.fit(labelled.text, None, config.features, 2)
    documents = np.arange(len(labelled))[::-1].copy()
    expected = features.bags(labelled.text, documents)
    source = BagSource(features, labelled.text, documents, config, 1)
    rng = np.ones(1, np.uint64)
    for epoch in (0, 1):
        seen, thinned = [], 0
        for first, last in pairwise([0, 3, 20, 33, 40]):
            for places, (starts, rows) in source.visits(epoch, first, last, rng):
                seen += places.tolist()
                for i, place in enumerate(places.tolist()):
                    found, whole = rows[starts[i] : starts[i + 1]].tolist(), expected[place].tolist()
                    thinned += found != whole
                    assert found == whole or (dropout and set(found) <= set(whole) and len(found) <= len(whole))
        assert sorted(seen) == list(range(40))
        assert bool(thinned) == bool(dropout)
        assert len({key for key in source.parts if key[0] == epoch}) <= 3


def test_a_text_in_a_file_is_trained_on_as_in_memory(tmp_path, small_parts, monkeypatch):
    def trained(threads=1, **settings):
        return Classifier.train_on(
            in_file(tmp_path),
            ClassifierConfig(model="embedding", epochs=12, validation=0.0, buckets=100, **settings),
            threads=threads,
        )

    mapped = trained()
    monkeypatch.setattr(data, "_IN_MEMORY", 1 << 20)
    np.testing.assert_array_equal(trained().head.input, mapped.head.input)
    texts = in_file(tmp_path)
    for threads in (1, 3):
        model = trained(threads)
        found = model.logits(model.features.bags(texts.text)).argmax(1)
        assert np.mean(found == texts.gold.ids) > 0.9


# --- rows of frequent words ---------------------------------------------------------------------------------


def test_few_rows_are_replicated_where_steps_are_short_or_threads_alone():
    assert replicated(words=5000, step_rows=1 << 16, threads=1) == 0
    assert replicated(words=5000, step_rows=1 << 16, threads=2) == 1024
    assert replicated(words=500, step_rows=1 << 16, threads=2) == 500
    assert replicated(words=5000, step_rows=640, threads=2) == 10


@settings(max_examples=30)
@given(
    rows=st.integers(1, 5), hot=st.integers(0, 5), data=st.data(),
    changes=st.lists(st.lists(st.tuples(st.integers(0, 4), st.integers(-9, 9)), max_size=6), min_size=3, max_size=3),
)  # fmt: skip
def test_what_threads_change_in_their_copies_adds_up(rows, hot, data, changes):
    hot, threads = min(hot, rows), 3
    matrix = aligned_rows(rows + threads * hot, 5)
    matrix[:] = np.arange(matrix.size).reshape(matrix.shape)
    expected = matrix[:rows].copy()
    replicas = Replicas(matrix, hot, threads)
    lent = [(replicas.lent(bag := np.array([r % rows for r, _ in steps], np.int32)), bag) for steps in changes]
    named = []
    for steps, (context, bag) in zip(changes, lent, strict=True):
        context.__enter__()
        for (row, by), copied in zip(steps, bag.tolist(), strict=True):
            assert (copied >= rows) == (row % rows < hot)
            matrix[copied] += by
            expected[row % rows] += by
            named.append(copied)
    order = data.draw(st.permutations(range(threads)))
    for i in order:
        lent[i][0].__exit__(None, None, None)
    np.testing.assert_array_equal(matrix[:rows], expected)


def test_frozen_rows_stay_with_several_threads(tmp_path):
    labelled = in_file(tmp_path, 400)
    config = ClassifierConfig(model="embedding", epochs=3, dim=4)
    features = Features.fit(labelled.text, None, config.features)
    vectors = np.arange(4 * len(features.vocabulary), dtype=np.float32).reshape(-1, 4) / 100

    def begin(matrices):
        matrices.begin_with(np.arange(len(vectors)), vectors, True)

    trainer = Trainer(labelled, features, config, np.arange(400), threads=2, start=begin)
    trainer.hot = 3  # steps of so few words are given none by themselves
    trainer._begin()
    head = trainer.run()
    np.testing.assert_array_equal(head.input[: len(vectors)], vectors)
    assert (head.input[len(vectors) :] != 0).any()
    assert len(head.input) == len(features)
