"""Kernels of the sparse linear model against their twins, and what they find against gradients of the objective."""

import math

import naive_linear as naive
import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from textkit.classify.ascent import Ascent, Examples, Solver
from textkit.classify.labelling import Ragged
from textkit.classify.sparse import GAINS, Counted, scale_of
from textkit.kernels import linear
from textkit.kernels.jit import JIT_DISABLED

FEATURES = 12
bags_of = st.lists(st.lists(st.integers(0, FEATURES - 1), max_size=12), min_size=1, max_size=10)


@given(bags_of, st.integers(1, 3))
def test_features_are_counted_as_by_hand(bags, threads):
    found = Counted.of(Ragged.from_lists(bags), threads)
    for i, bag in enumerate(bags):
        part = slice(found.offsets[i], found.offsets[i + 1])
        assert dict(zip(found.rows[part].tolist(), found.counts[part].tolist(), strict=True)) == naive.counted(bag)
        assert found.rows[part].tolist() == list(naive.counted(bag))


@given(st.lists(st.integers(0, 2**31 - 1), max_size=300))
def test_any_numbers_fit_into_the_table(rows):
    found = Counted.of(Ragged.from_lists([rows, rows[:3]]), 1)
    assert found.rows[: found.offsets[1]].tolist() == list(naive.counted(rows))


@given(bags_of, st.sampled_from(["idf", "information"]), st.integers(1, 4), st.randoms(use_true_random=False))
def test_vectors_are_their_twins(bags, weighting, labels, draws):
    gold = [sorted({draws.randrange(labels) for _ in range(2)}) for _ in bags]
    counted = Counted.of(Ragged.from_lists(bags), 1)
    scale = scale_of(counted, Ragged.from_lists(gold), FEATURES, labels, weighting)
    expected = naive.scale(bags, gold, FEATURES, labels, weighting)
    np.testing.assert_allclose(scale, expected, rtol=1e-4, atol=1e-3)
    values = counted.values(scale)
    for i, bag in enumerate(bags):
        part = slice(counted.offsets[i], counted.offsets[i + 1])
        np.testing.assert_allclose(values[part], list(naive.vector(bag, scale).values()), rtol=1e-5, atol=1e-6)


@given(bags_of, st.integers(0, 3), st.integers(1, 3), st.integers(0, 99))
def test_scores_of_bags_are_those_of_the_twin(bags, columns, known, seed):
    rng, whole = np.random.default_rng(seed), Ragged.from_lists([[1] * 7, *bags])
    scale = rng.uniform(0, 3, FEATURES).astype(np.float32) * (rng.random(FEATURES) < 0.8)
    weights, biases = (rng.normal(0, 1, shape).astype(np.float32) for shape in ((FEATURES, columns), columns))
    times, out = np.zeros(FEATURES, np.int32), np.full((len(bags), columns), 9, np.float32)
    linear.score_bags(
        whole.ids, whole.offsets, 1, len(whole), GAINS[:, :known].copy(), scale, weights.reshape(-1), biases, times,
        out.reshape(-1),
    )  # fmt: skip
    for bag, scores in zip(bags, out, strict=True):
        expected = biases + sum((value * weights[row] for row, value in naive.vector(bag, scale).items()), 0)
        np.testing.assert_allclose(scores, expected, rtol=1e-4, atol=1e-5)
    assert not times.any()


@given(st.floats(-80, 80), st.floats(0, 500))
def test_logistic_step_solves_its_equation(pull, reach):
    q = linear.solve_logistic(pull, reach)
    assert q == pytest.approx(naive.logistic_step(pull, reach), abs=1e-4)


@given(st.floats(-700, 700))
def test_omega(u):
    w = linear.omega(u)
    assert w > 0
    assert abs(w + math.log(w) - u) < 3e-5 * (1 + abs(u))


@settings(max_examples=40)
@given(st.lists(st.floats(-30, 30, width=32), min_size=2, max_size=6), st.floats(0.01, 300))
def test_softmax_step_solves_its_equations(pull, reach):
    size = len(pull)
    z, q = np.array([*pull, 99.0], np.float32), np.zeros(size + 1, np.float32)
    linear.solve_softmax(z, reach, linear.log_sum(z, size), q, size)
    assert q[:size].sum() == pytest.approx(1, abs=1e-5)
    np.testing.assert_allclose(q[:size], naive.softmax_step(z[:size].astype(float), reach), atol=2e-3)
    assert q[size] == 0


def example(labels, several, count=14, seed=0):
    """Examples, their dense vectors with the bias's 1 behind, aims and costs."""
    rng = np.random.default_rng(seed)
    bags = [rng.integers(0, FEATURES, rng.integers(1, 8)).tolist() for _ in range(count)]
    gold = [sorted(set(rng.integers(0, labels, 1 + several * int(rng.integers(2))).tolist())) for _ in bags]
    weights = rng.uniform(0.5, 2, count).astype(np.float32)
    counted = Counted.of(Ragged.from_lists(bags), 1)
    scale = scale_of(counted, Ragged.from_lists(gold), FEATURES, labels, "idf")
    examples = Examples(counted, counted.values(scale), Ragged.from_lists(gold), weights, FEATURES)
    x = np.zeros((count, FEATURES + 1))
    x[:, -1] = 1
    aims = np.zeros((count, labels))
    for i, bag in enumerate(bags):
        for row, value in naive.vector(bag, scale).items():
            x[i, row] = value
        aims[i, gold[i]] = 1 / len(gold[i])
    return examples, x, aims, weights


@pytest.mark.parametrize("labels", [2, 3, 17])
def test_a_pass_is_that_of_the_twin(labels):
    examples, x, aims, weights = example(labels, several=False)
    logistic = labels == 2
    problem = Ascent(examples, labels, examples.target(1, True) if logistic else None)
    order, part = np.random.default_rng(1).permutation(len(x)), (0, len(x))
    told = problem._pass(order, weights * np.float32(5), part)
    v, q = np.zeros((FEATURES + 1, 1 if logistic else labels)), aims[:, 1:].copy() if logistic else aims.copy()
    for i in order:
        naive.step(v, q, i, x[i], 5 * float(weights[i]), logistic)
    np.testing.assert_allclose(problem.v.reshape(FEATURES + 1, -1)[:, : v.shape[1]], v, atol=2e-2)
    np.testing.assert_allclose(problem.q[:, : v.shape[1]], q, atol=3e-3)
    assert told[0] > 0
    assert told[1] > 0
    assert not problem.v.reshape(FEATURES + 1, -1)[:, labels:].any()


@pytest.mark.parametrize(("labels", "loss", "several"), [(2, "softmax", False), (4, "softmax", False), (3, "ova", True),
                                                         (5, "softmax", True), (2, "softmax", True)])  # fmt: skip
def test_the_gradient_is_zero_where_it_ends(labels, loss, several):
    examples, x, aims, weights = example(labels, several)
    solver = Solver(examples, labels, loss, np.ones(labels, np.float32))
    solver.run(8.0, 0, tolerance=1e-7, most=100 if JIT_DISABLED else 3000)
    matrix, biases = solver.weights()
    found, costs = np.vstack([matrix, biases]).astype(float), 8.0 * weights
    if loss == "ova":
        aims = (aims > 0).astype(float)
    if labels == 2 and loss == "softmax":
        aims = aims[:, 1:]
    logistic = loss == "ova" or labels == 2

    def value(w):
        return naive.objective(w, x, aims, costs, logistic)

    largest = np.abs(naive.slope(value, np.zeros_like(found))).max()
    assert np.abs(naive.slope(value, found)).max() < (0.05 if JIT_DISABLED else 5e-3) * largest
    assert value(found) < value(found * 0.99)
    assert value(found) < value(found * 1.01)


def test_threads_find_the_same_minimum():
    examples, *_ = example(2, False, 60)
    found = []
    for threads in (1, 2):
        solver = Solver(examples, 2, "softmax", np.ones(2, np.float32))
        solver.run(5.0, 0, tolerance=1e-6, most=200, threads=threads)
        found.append(solver.weights()[0])
    np.testing.assert_allclose(found[0], found[1], atol=0.05 * np.abs(found[0]).max())


def test_what_threads_lost_is_made_good():
    examples, *_ = example(4, False)
    problem = Ascent(examples, 4)
    problem.run(3.0, 0, most=3)
    right = problem.v.copy()
    problem.v[:] = 7
    problem._settle(examples.weights * np.float32(3))
    shaped = problem.v.reshape(-1, problem.columns)[:, :4]
    np.testing.assert_allclose(shaped, right.reshape(-1, problem.columns)[:, :4], atol=1e-4)
