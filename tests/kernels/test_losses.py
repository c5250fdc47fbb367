"""Each loss of the classifier against its plain formula, and one step against that formula's numerical gradient."""

import naive_classify as naive
import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from textkit.classify.objectives import LabelTree, Objective
from textkit.kernels import embedding
from textkit.kernels.simd import LANES, aligned_rows

ROWS, DIM, RATE = 9, 3, 2e-4


def matrices(labels, seed, bias):
    """(input, output) padded float32, and the same as float64 without the padding."""
    rng = np.random.default_rng(seed)
    width = DIM + bias
    w_in, w_out = aligned_rows(ROWS, width), aligned_rows(labels, width)
    w_in[:, :DIM] = rng.normal(0, 1, (ROWS, DIM))
    w_out[:, :width] = rng.normal(0, 1, (labels, width))
    return w_in, w_out, w_in[:, :width].astype(np.float64), w_out[:, :width].astype(np.float64)


def train(objective, w_in, w_out, bags, golds, *, bias, rate=RATE, l2=0.0, smoothing=0.0, weights=(), frozen=(), rng=7):
    starts = np.cumsum([0, *map(len, bags)]).astype(np.int64)
    rows = np.array([row for bag in bags for row in bag], np.int32)
    gold_starts = np.cumsum([0, *map(len, golds)]).astype(np.int64)
    gold = np.array([label for labels in golds for label in labels], np.int32)
    mask = np.zeros(ROWS if frozen else 0, np.uint8)
    mask[list(frozen)] = 1
    state, dim = np.array([rng], np.uint64), w_in.shape[1]
    scratch = (*aligned_rows(2, dim), np.empty(len(objective.counts) + LANES, np.float32))
    return embedding.train(
        (starts, rows), np.arange(len(bags)), np.array(weights, np.float32), gold, gold_starts,
        (w_in.reshape(-1), w_out.reshape(-1), mask), dim, DIM if bias else -1, objective.code, objective.shape,
        objective.paths, objective.alias, objective.positive, state,
        np.array([rate, l2, smoothing], np.float32), scratch,
    )  # fmt: skip


def plain_loss(objective, gold, smoothing, bag, bias, state):
    """The loss of one document as a function of both matrices."""
    drawn = None
    if objective.loss == "ns":
        drawn, _ = naive.drawn_labels(gold, objective.negatives, objective.alias, state)

    def loss(w_in, w_out):
        x = naive.hidden(w_in, bag, DIM if bias else -1)
        if objective.loss == "softmax":
            return naive.softmax_loss(x, w_out, gold, smoothing)
        if objective.loss == "ova":
            return naive.ova_loss(x, w_out, gold, smoothing, objective.positive)
        if objective.loss == "hs":
            return naive.tree_loss(x, w_out, gold, smoothing, objective.paths)
        return naive.sampled_loss(x, w_out, gold, smoothing, drawn)

    return loss


bags = st.lists(st.integers(0, ROWS - 1), min_size=1, max_size=6)


@pytest.mark.parametrize("loss", ["softmax", "hs", "ns", "ova"])
@settings(max_examples=25)
@given(
    data=st.data(), bag=bags, labels=st.integers(1, 5), seed=st.integers(0, 99), bias=st.booleans(),
    smoothing=st.sampled_from([0.0, 0.2]), l2=st.sampled_from([0.0, 0.3]), weight=st.sampled_from([None, 2.5]),
)  # fmt: skip
def test_a_step_follows_the_numerical_gradient(loss, data, bag, labels, seed, bias, smoothing, l2, weight):
    gold = data.draw(st.lists(st.integers(0, labels - 1), min_size=1, max_size=2, unique=True))
    positive = np.linspace(1, 3, labels).astype(np.float32) if loss == "ova" else np.zeros(0, np.float32)
    objective = Objective(loss, np.arange(labels, 0, -1), 3, positive)
    w_in, w_out, plain_in, plain_out = matrices(objective.outputs, seed, bias)
    plain = plain_loss(objective, gold, smoothing, bag, bias, seed)
    factor = weight or 1.0
    found, total = train(
        objective, w_in, w_out, [bag], [gold], bias=bias, l2=l2, smoothing=smoothing, rng=seed,
        weights=[] if weight is None else [weight],
    )  # fmt: skip
    assert total == factor
    assert found == pytest.approx(factor * plain(plain_in, plain_out), rel=5e-3, abs=1e-3)  # rows move meanwhile

    gradient_in, gradient_out = naive.gradients(plain, plain_in, plain_out)
    if bias:
        gradient_in[:, DIM] = 0  # the 1 of the bias is no row's
    moved_in = (w_in[:, : DIM + bias] - plain_in) / -(RATE * factor)
    moved_out = (w_out[:, : DIM + bias] - plain_out) / -(RATE * factor)
    occurs = np.bincount(bag, minlength=ROWS)[:, None]
    np.testing.assert_allclose(moved_in, gradient_in + l2 * occurs * plain_in, atol=2e-2)
    if l2 == 0:
        np.testing.assert_allclose(moved_out, gradient_out, atol=2e-2)
    elif loss in ("softmax", "ova"):  # all rows move, and shrink, once
        np.testing.assert_allclose(moved_out, gradient_out + l2 * plain_out, atol=2e-2)
    assert not w_in[:, DIM:].any()
    assert not w_out[:, DIM + bias :].any()


def test_one_label_is_no_endless_draw():
    objective = Objective("ns", np.array([4]), 5)
    w_in, w_out, *_ = matrices(1, 0, True)
    loss, weight = train(objective, w_in, w_out, [[1, 2]], [[0]], bias=True)
    assert weight == 1
    assert loss > 0


def test_every_label_right_leaves_nothing_to_draw():
    objective = Objective("ns", np.array([4, 2]), 5)
    w_in, w_out, *_ = matrices(2, 0, True)
    assert train(objective, w_in, w_out, [[1, 2]], [[0, 1]], bias=True)[1] == 1


def test_documents_without_features_labels_or_weight_change_nothing():
    objective = Objective("softmax", np.array([4, 2]))
    w_in, w_out, *_ = matrices(2, 0, True)
    before = w_in.copy(), w_out.copy()
    assert train(objective, w_in, w_out, [[], [1], [2]], [[0], [], [1]], bias=True, weights=[1, 1, 0]) == (0, 0)
    np.testing.assert_array_equal(w_in, before[0])
    np.testing.assert_array_equal(w_out, before[1])


def test_frozen_rows_stay():
    objective = Objective("softmax", np.array([4, 2]))
    w_in, w_out, *_ = matrices(2, 0, True)
    before = w_in.copy()
    train(objective, w_in, w_out, [[1, 2, 3]], [[0]], bias=True, frozen=[1, 3])
    np.testing.assert_array_equal(w_in[[1, 3]], before[[1, 3]])
    assert (w_in[2] != before[2]).any()


@given(counts=st.lists(st.integers(1, 50), min_size=2, max_size=9), seed=st.integers(0, 99))
def test_the_tree_s_probabilities_are_products_of_decisions_and_sum_to_one(counts, seed):
    tree = LabelTree(np.array(counts))
    scores = np.random.default_rng(seed).normal(0, 3, (2, len(counts) - 1)).astype(np.float32)
    out = np.empty((2, 2 * len(counts) - 1), np.float32)
    embedding.tree_log_probabilities(scores, tree.parents, tree.turns, out)
    for row, given_scores in zip(out, scores, strict=True):
        leaves = row[: len(counts)]
        np.testing.assert_allclose(
            leaves, naive.tree_log_probabilities(given_scores, tree.parents, tree.turns), atol=1e-4
        )
        assert np.exp(leaves).sum() == pytest.approx(1, abs=1e-5)


@given(listed=st.lists(bags, max_size=5), seed=st.integers(0, 99))
def test_hidden_vectors_and_sums_of_shares_are_means(listed, seed):
    listed = [[], *listed]
    w_in, w_out, plain_in, plain_out = matrices(4, seed, True)
    starts = np.cumsum([0, *map(len, listed)]).astype(np.int64)
    rows = np.array([row for bag in listed for row in bag], np.int32)
    out = np.zeros((len(listed), w_in.shape[1]), np.float32)
    embedding.hidden_vectors(starts, rows, w_in.reshape(-1), w_in.shape[1], -1, out.reshape(-1))
    shares = np.ascontiguousarray(w_in @ w_out.T)
    sums = np.zeros((len(listed), 4), np.float32)
    embedding.sum_scores(starts, rows, shares, sums)
    for bag, x, scores in zip(listed, out, sums, strict=True):
        mean = plain_in[bag].mean(0) if bag else np.zeros(plain_in.shape[1])
        np.testing.assert_allclose(x[: DIM + 1], mean, atol=1e-5)
        np.testing.assert_allclose(scores, plain_out[:, :DIM] @ mean[:DIM], atol=1e-4)


@given(listed=st.lists(bags, min_size=1, max_size=5), seed=st.integers(0, 99))
def test_gathered_bags_lose_features_at_random(listed, seed):
    starts = np.cumsum([0, *map(len, listed)]).astype(np.int64)
    rows = np.array([row for bag in listed for row in bag], np.int32)
    order = np.random.default_rng(seed).permutation(len(listed))
    for dropout in (np.float32(0), np.float32(0.5)):
        generator = naive.Generator(seed)
        expected = [[r for r in listed[d] if dropout == 0 or generator.unit() >= dropout] for d in order]
        found_starts, found = np.zeros(len(listed) + 1, np.int64), np.empty(len(rows), np.int32)
        state = np.array([seed], np.uint64)
        embedding.gather_bags(rows, starts, order, dropout, state, found_starts, found)
        assert found_starts.tolist() == np.cumsum([0, *map(len, expected)]).tolist()
        assert found[: found_starts[-1]].tolist() == [r for bag in expected for r in bag]


@given(counts=st.lists(st.integers(1, 50), min_size=2, max_size=12), seed=st.integers(0, 99), k=st.integers(1, 12))
def test_the_search_of_the_tree_finds_the_best_of_all_labels(counts, seed, k):
    tree, rng = LabelTree(np.array(counts)), np.random.default_rng(seed)
    labels, k = len(counts), min(k, len(counts))
    hidden = rng.normal(0, 1, (3, DIM)).astype(np.float32)
    output, biases = (rng.normal(0, 2, shape).astype(np.float32) for shape in ((labels - 1, DIM), labels - 1))
    ids, scores = np.full((3, k), -1, np.int32), np.full((3, k), -np.inf, np.float32)
    found, stack, reached = np.zeros(3, np.int64), np.empty(labels + 1, np.int64), np.empty(labels + 1, np.float32)
    for threshold in (0.0, 0.2):
        least = np.float32(np.log(threshold) if threshold else -np.inf)
        embedding.tree_top(hidden, output, biases, tree.children, least, stack, reached, ids, scores, found)
        for d in range(3):
            leaves = naive.tree_log_probabilities(output @ hidden[d] + biases, tree.parents, tree.turns)
            every = np.array(leaves)[tree.place]
            best = [i for i in np.argsort(-every, kind="stable") if every[i] >= least][:k]
            assert ids[d, : found[d]].tolist() == best
            np.testing.assert_allclose(scores[d, : found[d]], every[best], atol=1e-4)


@given(counts=st.lists(st.integers(1, 50), min_size=2, max_size=12), seed=st.integers(0, 99))
def test_a_path_of_the_tree_tells_what_all_of_it_does(counts, seed):
    tree, rng, labels = LabelTree(np.array(counts)), np.random.default_rng(seed), len(counts)
    hidden = rng.normal(0, 1, (3, DIM)).astype(np.float32)
    output, biases = (rng.normal(0, 2, shape).astype(np.float32) for shape in ((labels - 1, DIM), labels - 1))
    documents, asked = rng.integers(0, 3, 20), rng.integers(0, labels, 20).astype(np.int32)
    out = np.empty(20, np.float32)
    embedding.path_log_probabilities(hidden, output, biases, tree.paths, documents, asked, out)
    for d, label, found in zip(documents, asked, out, strict=True):
        leaves = naive.tree_log_probabilities(output @ hidden[d] + biases, tree.parents, tree.turns)
        assert found == pytest.approx(leaves[tree.place[label]], abs=1e-4)
