"""Measures against plain twins, and against scikit-learn where that is installed."""

import math

import naive_metrics as naive
import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from scored import collected, made, ragged

from textkit.classify import metrics, ranking, significance
from textkit.classify.metrics import NONE, Outcome
from textkit.classify.scores import Rule, most_probable

RNG = np.random.default_rng(3)


def lists(found):
    return [found.ids[a:b].tolist() for a, b in zip(found.offsets[:-1], found.offsets[1:], strict=True)]


label_sets = st.lists(st.integers(0, 4), max_size=3, unique=True)
outcomes = st.lists(st.tuples(label_sets, label_sets), min_size=1, max_size=12)


@given(outcomes)
def test_counts_and_mistakes_are_those_of_the_twin(pairs):
    chosen, gold = [a for a, _ in pairs], [b for _, b in pairs]
    outcome = Outcome(ragged(chosen), ragged(gold), 5)
    counts = outcome.counts()
    expected = naive.counts(chosen, gold, 5)
    assert list(zip(counts.hits, counts.chosen, counts.gold, strict=True)) == expected
    assert counts.f1.tolist() == [naive.f1(*each) for each in expected]
    assert outcome.exact.tolist() == [set(a) == set(b) for a, b in pairs]
    found = metrics.confusions(outcome, 99)
    keys = zip(found.gold.tolist(), found.chosen.tolist(), strict=True)
    assert dict(zip(keys, found.counts.tolist(), strict=True)) == naive.confusions(chosen, gold)
    assert (np.diff(found.counts) <= 0).all()
    for right, wrong, documents in zip(found.gold, found.chosen, found.documents, strict=True):
        for document in documents.tolist():
            assert right in gold[document]
            assert right not in chosen[document]
            assert wrong == NONE or (wrong in chosen[document] and wrong not in gold[document])


@given(outcomes, st.integers(0, 2**31))
def test_weights_count_documents_as_often(pairs, seed):
    weights = np.random.default_rng(seed).integers(0, 3, len(pairs))
    outcome = Outcome(ragged([a for a, _ in pairs]), ragged([b for _, b in pairs]), 5)
    repeated = outcome.of(np.repeat(np.arange(len(pairs)), weights))
    weighed, counted = outcome.counts(weights.astype(np.float64)), repeated.counts()
    for name in ("hits", "chosen", "gold"):
        assert getattr(weighed, name).tolist() == getattr(counted, name).tolist()


@given(outcomes)
def test_labels_that_are_nowhere_change_nothing(pairs):
    outcome = Outcome(ragged([a for a, _ in pairs]), ragged([b for _, b in pairs]), 5)
    compact = outcome.compact()
    assert compact.labels == len({label for pair in pairs for labels in pair for label in labels})
    for average in ("micro", "macro", "weighted"):
        assert getattr(compact.counts(), average) == getattr(outcome.counts(), average)
    assert (compact.exact == outcome.exact).all()


@given(outcomes)
def test_matrix_holds_hits_on_its_diagonal_and_mistakes_beside_it(pairs):
    chosen, gold = [a for a, _ in pairs], [b for _, b in pairs]
    matrix = metrics.confusion_matrix(Outcome(ragged(chosen), ragged(gold), 5), np.array([0, 1, 2]))
    mistakes, hits = naive.confusions(chosen, gold), [each[0] for each in naive.counts(chosen, gold, 5)]
    for right in range(3):
        row = [mistakes.get((right, wrong), 0) for wrong in range(5)]
        row[right] = hits[right]
        assert matrix[right].tolist() == [*row[:3], row[3] + row[4], mistakes.get((right, NONE), 0)]


def test_averages_by_hand():
    # Label 0: chosen 2, right 1, both 1. Label 1: chosen 1, right 2, both 1. Label 2 is nowhere.
    counts = Outcome(ragged([[0], [0], [1]]), ragged([[0], [1], [1]]), 3).counts()
    assert counts.micro == metrics.PRF(2 / 3, 2 / 3, 2 / 3)
    assert counts.macro == metrics.PRF(0.75, 0.75, pytest.approx(2 / 3))
    assert counts.weighted == metrics.PRF(pytest.approx(5 / 6), pytest.approx(2 / 3), pytest.approx(2 / 3))


def test_precision_and_recall_at_k_by_hand():
    top = np.array([[2, 0, 1], [1, 2, 0]], np.int32)
    first, second, third = metrics.at_ranks(top, ragged([[0], [1, 2]]), [1, 2, 7])
    assert (first.k, first.precision, first.recall) == (1, 1 / 2, 1 / 3)
    assert (second.k, second.precision, second.recall) == (2, 3 / 4, 1.0)
    assert (third.k, third.precision, third.recall) == (3, 1 / 2, 1.0)


def test_fasttext_drops_what_it_does_not_know():
    # Documents: right, unknown label only, a known and an unknown one, no known feature.
    outcome = Outcome(ragged([[0], [0], [1], [0]]), ragged([[0], [2], [1, 2], [0]]), 3)
    found = metrics.fasttext_counts(outcome, 2, np.array([4, 4, 4, 0]))
    assert found == metrics.FastTextCounts(2, 1.0, 1.0)
    assert outcome.counts().micro.recall == 3 / 5


@pytest.mark.parametrize(("exclusive", "labels"), [(True, 4), (True, 2), (False, 4)])
def test_measures_of_probabilities_are_those_of_the_twin(exclusive, labels):
    p, truth, gold = made(exclusive, 120, labels)
    scores = collected(p, gold, exclusive)
    assert scores.log_loss() == pytest.approx(naive.log_loss(p.astype(float), gold, exclusive), rel=1e-6)
    assert scores.brier() == pytest.approx(naive.brier(p.astype(float), gold, exclusive), rel=1e-6)
    best = p.argmax(1)
    pairs = (p.max(1), truth[np.arange(len(p)), best]) if exclusive else (p.ravel(), truth.ravel())
    expected = naive.calibration_error(pairs[0].tolist(), pairs[1].tolist())
    assert scores.pairs.error == pytest.approx(expected, rel=1e-6)
    areas = scores.ranking()
    for column, label in enumerate(scores.column_labels.tolist()):
        assert areas.roc_auc[column] == pytest.approx(naive.roc_auc(p[:, label].tolist(), truth[:, label].tolist()))
        expected = naive.average_precision(p[:, label].tolist(), truth[:, label].tolist())
        assert areas.average_precision[column] == pytest.approx(expected)


@given(st.integers(1, 9), st.integers(0, 2**31), st.sampled_from([1, 2, None]), st.booleans())
def test_blocks_of_any_size_keep_the_same(block, seed, k, by_label):
    p, _, gold = made(False, 23, 5, seed)
    rule = Rule(k, np.array([0.5, 0.4, 0.3, 0.2, 0.9], np.float32) if by_label else 0.5)
    floor = rule.threshold if by_label else np.full(5, 0.5)
    scores = collected(p, gold, False, rule, block)
    best = np.argsort(-p, 1, kind="stable")
    assert (scores.top == best[:, :5]).all()
    expected = [[c for c in row[:k] if p[i, c] >= floor[c]] for i, row in enumerate(best.tolist())]
    assert [sorted(each) for each in lists(scores.chosen)] == [sorted(each) for each in expected]
    assert scores.log_loss() == pytest.approx(naive.log_loss(p.astype(float), gold, False), rel=1e-6)


def test_most_probable_of_many_labels():
    p = RNG.random((7, 500)).astype(np.float32)
    assert (most_probable(p, 3) == np.argsort(-p, 1)[:, :3]).all()
    assert most_probable(np.full((1, 30), 0.5, np.float32), 2).tolist() == [[0, 1]]


def test_documents_with_unknown_labels_count_as_wrong_but_not_for_probabilities():
    p, _, gold = made(True, 50)
    whole = collected(p, gold, True)
    changed = [[4], *gold[1:]]
    scores = collected(p, changed, True)
    assert scores.outcome().labels == 5
    assert not scores.outcome().exact[0]
    assert math.isnan(scores.losses()[0])
    assert np.allclose(scores.losses()[1:], whole.losses()[1:])


def test_threshold_curve_is_that_of_counting_again():
    p, truth, gold = made(False)
    for point in collected(p, gold, False).threshold_curve():
        taken = p > point.threshold
        assert point.precision == pytest.approx(truth[taken].mean() if taken.any() else 0.0, abs=1e-9)
        assert point.recall == pytest.approx((taken & truth).sum() / truth.sum(), abs=1e-9)
        assert point.per_document == pytest.approx(taken.sum() / len(p))


def test_columns_stay_within_their_share_of_memory(monkeypatch):
    monkeypatch.setattr("textkit.classify.scores.COLUMNS", 150)
    p, _, gold = made(False, 50, 4)
    scores = collected(p, gold, False)
    assert scores.columns.shape == (50, 3)
    assert scores.ranking().roc_auc.shape == (3,)


def test_curves_run_from_corner_to_corner():
    p, _, gold = made(True, 3000)
    drawn = collected(p, gold, True).curves(["a", "b", "c", "d"], 2)
    assert [curve.name for curve in drawn] == ["a", "b"]
    for curve in drawn:
        assert (curve.roc[0], curve.roc[-1]) == ((0, 0), (1, 1))
        assert curve.precision_recall[-1][0] == 1
        assert len(curve.roc) <= ranking.DRAWN + 2


def test_probabilities_that_are_none_are_refused():
    from textkit.errors import DataError

    with pytest.raises(DataError, match="probabilities"):
        collected(np.array([[np.nan, 0.5]], np.float32), [[0]], True)


@given(st.integers(0, 40), st.integers(0, 40))
def test_mcnemar_is_the_twin(a, b):
    assert significance.mcnemar(a, b) == pytest.approx(naive.mcnemar(a, b), rel=1e-9)


def test_mcnemar_of_large_numbers_stays_a_number():
    assert 0 <= significance.mcnemar(400_000, 600_000) < 1e-300
    assert significance.mcnemar(500_000, 500_500) == pytest.approx(0.617, abs=0.01)


def test_wilson_interval_by_hand():
    found = significance.wilson(8, 10)
    assert (found.value, round(found.low, 4), round(found.high, 4)) == (0.8, 0.4902, 0.9433)
    assert significance.wilson(0, 10).low == 0
    assert significance.wilson(10, 10).high == 1


def test_intervals_hold_the_truth_as_often_as_they_say():
    rng, held = np.random.default_rng(5), 0
    for trial in range(60):
        chosen = [[int(x)] for x in rng.random(150) < 0.7]  # right with probability 0.7
        outcome = Outcome(ragged(chosen), ragged([[1]] * 150), 2)
        interval = significance.bootstrap(outcome, significance.accuracy, trial, 200)
        held += interval.low <= 0.7 <= interval.high
    assert held >= 50


def test_a_better_model_is_told_from_chance():
    gold = RNG.integers(0, 3, 600)
    good = np.where(RNG.random(600) < 0.85, gold, (gold + 1) % 3)
    poor = np.where(RNG.random(600) < 0.7, gold, (gold + 1) % 3)

    def outcome(chosen):
        return Outcome(ragged(chosen[:, None].tolist()), ragged(gold[:, None].tolist()), 3)

    found = significance.differences(outcome(poor), outcome(good))
    assert [each.name for each in found] == ["accuracy", "micro F1", "macro F1"]
    for each in found:
        assert each.significant
        assert each.low > 0
        assert each.low < each.second - each.first < each.high
    same = significance.differences(outcome(good), outcome(good))
    assert all(each.p == 1 and not each.significant for each in same)
    assert significance.differences(outcome(poor), outcome(good)) == found


class TestScikitLearn:
    """Equality with the measures people know."""

    @pytest.fixture(autouse=True)
    def metrics_of_scikit_learn(self):
        self.sk = pytest.importorskip("sklearn.metrics")

    @pytest.fixture(params=["single", "multi"])
    def case(self, request):
        exclusive = request.param == "single"
        p, truth, gold = made(exclusive)
        scores = collected(p, gold, exclusive, Rule(1) if exclusive else Rule(None, 0.5))
        chosen = p >= 0.5
        if exclusive:
            chosen = np.eye(4, dtype=bool)[p.argmax(1)]
        return p, truth, chosen, scores

    @pytest.mark.parametrize("average", ["micro", "macro", "weighted"])
    def test_averages(self, case, average):
        _, truth, chosen, scores = case
        expected = self.sk.precision_recall_fscore_support(truth, chosen, average=average, zero_division=0)[:3]
        found = getattr(scores.outcome().counts(), average)
        assert (found.precision, found.recall, found.f1) == pytest.approx(expected)

    def test_accuracy_and_hamming_loss(self, case):
        _, truth, chosen, scores = case
        assert scores.outcome().accuracy == pytest.approx(self.sk.accuracy_score(truth, chosen))
        assert scores.outcome().hamming_loss == pytest.approx(self.sk.hamming_loss(truth, chosen))

    def test_areas(self, case):
        p, truth, _, scores = case
        for average in ("macro", "micro"):
            areas = scores.ranking()
            assert getattr(areas, f"{average}_roc_auc") == pytest.approx(
                self.sk.roc_auc_score(truth, p, average=average)
            )
            expected = self.sk.average_precision_score(truth, p, average=average)
            assert getattr(areas, f"{average}_average_precision") == pytest.approx(expected)

    def test_of_one_label_a_document(self):
        p, truth, gold = made(True)
        scores, right, chosen = collected(p, gold, True), truth.argmax(1), p.argmax(1)
        outcome = scores.outcome()
        normalised = p.astype(float) / p.astype(float).sum(1, keepdims=True)
        assert scores.log_loss() == pytest.approx(self.sk.log_loss(right, normalised), rel=1e-5)
        assert outcome.matthews() == pytest.approx(self.sk.matthews_corrcoef(right, chosen))
        expected = self.sk.confusion_matrix(right, chosen)
        assert (metrics.confusion_matrix(outcome, np.arange(4))[:, :4] == expected).all()
        assert scores.brier() == pytest.approx(((p - truth) ** 2).sum(1).mean(), rel=1e-6)

    def test_brier_of_two_labels(self):
        p, truth, gold = made(True, 200, 2)
        expected = self.sk.brier_score_loss(truth[:, 1], p[:, 1])
        assert collected(p, gold, True).brier() == pytest.approx(expected, rel=1e-5)
