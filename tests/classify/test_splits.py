"""Held-out parts and folds: each label gets its share, everything is somewhere, and seeds decide."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from textkit.classify.data import from_memory
from textkit.classify.splits import folds, held_out
from textkit.errors import DataError, UsageError

label_lists = st.lists(st.sampled_from("aaaaabbbcd"), min_size=4, max_size=60)


def corpus(labels):
    return from_memory([f"w{i}" for i in range(len(labels))], labels)


def counts(data, documents):
    return np.bincount(data.gold.take(documents).ids, minlength=len(data.labels))


@given(label_lists, st.sampled_from([0.1, 0.25, 0.5]), st.integers(0, 3))
def test_held_out_part_has_its_share_of_every_label(labels, share, seed):
    data = corpus(labels)
    if max(data.labels.counts) < 2:
        return
    train, held = held_out(data, share, seed)
    assert sorted([*train, *held]) == list(range(len(labels)))
    assert len(held) >= 1
    several = data.labels.counts * (data.labels.counts > 1)
    assert (counts(data, train) > 0).all()  # nothing of a label is lost to training
    if share * several.sum() >= 1:
        assert (np.abs(counts(data, held) - share * several) <= 1).all()
        assert abs(len(held) - share * several.sum()) <= 1


@given(label_lists, st.integers(2, 4), st.integers(0, 3))
def test_folds_share_every_label(labels, k, seed):
    data = corpus(labels)
    parts = folds(data, k, seed)
    assert sorted(n for _, held in parts for n in held) == list(range(len(labels)))
    for train, held in parts:
        assert sorted([*train, *held]) == list(range(len(labels)))
        assert (np.abs(counts(data, held) - data.labels.counts / k) < 1).all()


def test_the_seed_decides():
    data = corpus(list("ab" * 50))
    assert held_out(data, 0.2, 1)[1].tolist() == held_out(data, 0.2, 1)[1].tolist()
    assert held_out(data, 0.2, 1)[1].tolist() != held_out(data, 0.2, 2)[1].tolist()
    assert folds(data, 2, 1)[0][1].tolist() != folds(data, 2, 2)[0][1].tolist()


def test_documents_with_several_labels_go_by_the_rarest():
    labels = [["often", "rare"] if i % 10 == 0 else ["often"] for i in range(100)]
    data = corpus(labels)
    for _, held in folds(data, 5, 0):
        assert counts(data, held).tolist() == [20, 2]


@pytest.mark.parametrize("share", [0, 1, -1, float("nan")])
def test_impossible_shares(share):
    with pytest.raises(UsageError):
        held_out(corpus("ab"), share, 0)


def test_too_few_documents():
    with pytest.raises(DataError, match="too few"):
        held_out(corpus("abc"), 0.1, 0)
    with pytest.raises(DataError, match="3 labelled documents"):
        folds(corpus("abc"), 4, 0)
    with pytest.raises(UsageError):
        folds(corpus("abc"), 1, 0)
