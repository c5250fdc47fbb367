"""Temperature and thresholds: the best there are, by trying all."""

import naive_metrics as naive
import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from scored import collected, made, ragged

from textkit.classify import calibration
from textkit.classify.calibration import NEVER, Calibration, Pairs, Target
from textkit.classify.scores import Rule
from textkit.errors import DataError, UsageError


def logits_of(exclusive, documents, labels, scale, seed=0):
    rng = np.random.default_rng(seed)
    truth = rng.random((documents, labels)) < 0.4
    if exclusive:
        truth = np.eye(labels, dtype=bool)[rng.integers(0, labels, documents)]
    logits = scale * (rng.normal(0, 1, truth.shape) + truth)
    return logits.astype(np.float32), [np.flatnonzero(row).tolist() for row in truth]


@pytest.mark.parametrize("exclusive", [True, False])
@pytest.mark.parametrize("scale", [0.2, 1.0, 9.0])
def test_temperature_is_where_the_loss_is_least(exclusive, scale):
    logits, gold = logits_of(exclusive, 300, 3, scale)
    blocks = [(logits[:100], ragged(gold[:100])), (logits[100:], ragged(gold[100:]))]
    found = calibration.fit_temperature(lambda: blocks, exclusive)
    least = naive.loss_at(logits.tolist(), gold, found, exclusive)
    for factor in (0.97, 1.03):
        assert naive.loss_at(logits.tolist(), gold, found * factor, exclusive) > least
    doubled = [(2 * block, right) for block, right in blocks]
    assert calibration.fit_temperature(lambda: doubled, exclusive) == pytest.approx(2 * found, rel=1e-4)


def test_temperature_of_a_model_that_knows_nothing_or_all_stays_within_bounds():
    logits, gold = logits_of(True, 50, 3, 1.0)
    perfect = np.eye(3, dtype=np.float32)[[each[0] for each in gold]]
    assert calibration.fit_temperature(lambda: [(perfect, ragged(gold))], True) == pytest.approx(0.01, rel=0.01)
    assert calibration.fit_temperature(lambda: [(-perfect, ragged(gold))], True) == pytest.approx(100, rel=0.01)
    unknown = ragged([[7]] * 50)
    assert 0.01 <= calibration.fit_temperature(lambda: [(logits, unknown)], True) <= 100


@given(
    st.lists(st.tuples(st.integers(0, 9), st.booleans()), min_size=1, max_size=20),
    st.integers(0, 6), st.sampled_from([None, 0.5, 0.8, 1.0]),
)  # fmt: skip
def test_threshold_of_one_label_is_the_best_of_all(pairs, missed, precision):
    p = np.array([x / 10 + 0.05 for x, _ in pairs], np.float32)
    right = np.array([t for _, t in pairs])
    gold = int(right.sum()) + missed
    found = calibration._thresholds(np.zeros(len(p), np.int32), p, right, np.array([gold]), Target(precision))
    value, taken = naive.best_threshold(p.tolist(), right.tolist(), gold, precision)
    assert np.count_nonzero(p >= np.float32(found[0])) == taken
    assert (found[0] == NEVER) == (value == 0)


def test_each_label_has_its_own_threshold_and_rare_ones_share():
    p, _, gold = made(False, 400, 4)
    gold = [[c for c in each if c != 3] for each in gold]
    gold[0] = sorted({*gold[0], 3})  # one document of label 3
    pairs = Pairs.of(collected(p, gold, False))
    found = calibration.fit_thresholds(pairs, Target())
    gold_counts = np.bincount([c for each in gold for c in each], minlength=4)
    for label in range(3):
        right = [label in each for each in gold]
        _, taken = naive.best_threshold(p[:, label].tolist(), right, int(gold_counts[label]))
        assert np.count_nonzero(p[:, label] >= found[label]) == taken
    everything = [c in each for each in gold for c in range(4)]
    _, taken = naive.best_threshold(p.ravel().tolist(), everything, sum(everything))
    assert np.count_nonzero(p >= found[3]) == taken


def test_no_pair_is_left_out_where_labels_are_absent():
    empty = np.zeros(0)
    found = calibration._thresholds(empty.astype(np.int32), empty, empty.astype(bool), np.array([0, 2]), Target())
    assert found.tolist() == [NEVER, NEVER]
    found = calibration._thresholds(
        np.array([2], np.int32), np.array([0.5]), np.array([True]), np.array([0, 1, 1, 1]), Target()
    )
    assert found.tolist() == [NEVER, NEVER, 0.25, NEVER]


@pytest.mark.parametrize("precision", [0.6, 0.9])
def test_asked_precision_is_kept_on_other_documents(precision):
    p, _, gold = made(True, 4000)
    outcome = calibration.honest_outcome(Pairs.of(collected(p, gold, True)), Target(precision))
    assert outcome.counts().micro.precision == pytest.approx(precision, abs=0.04) or precision < 0.7
    assert outcome.counts().micro.precision >= precision - 0.04
    assert 0 < outcome.answered.mean() <= 1


def test_thresholds_raise_f1_of_several_labels():
    p, _, gold = made(False, 2000)
    scores = collected(p, gold, False, Rule(None, 0.5))
    chosen = calibration.honest_outcome(Pairs.of(scores), Target())
    assert chosen.counts().macro.f1 > scores.outcome().counts().macro.f1


def test_calibration_is_stored_whole():
    kept = Calibration(1.5, (0.25, 0.5), "max-f1", "other", {"log_loss": [0.5, 0.4]})
    assert Calibration.from_dict(kept.as_dict(), 2) == kept
    assert Calibration.from_dict(None, 2) == Calibration()
    for damage in ({"temperature": 0}, {"temperature": "x"}, {"thresholds": [1.0]}, {"thresholds": 3}, [1]):
        with pytest.raises(DataError, match="calibration"):
            Calibration.from_dict(damage, 2)


def test_targets():
    assert Target.read("max-f1") == Target()
    assert Target.read("precision:95%") == Target.read("precision:0.95") == Target(0.95)
    assert str(Target.read("precision:95%")) == "precision:0.95"
    for wrong in ("f1", "precision", "precision:2", "precision:nan", "recall:0.5", "max-f1:2"):
        with pytest.raises(UsageError, match="--target"):
            Target.read(wrong)
