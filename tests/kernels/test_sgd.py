"""Training kernels against their twins, and their steps against numerical gradients of the losses they descend."""

import itertools
import math

import naive_vectors as naive
import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from textkit.kernels import heldout, huffman, paths, sgd
from textkit.kernels.simd import LANES, aligned_rows, padded
from textkit.vectors.objectives import HierarchicalSoftmax, NegativeSampling, PathScratch, PathSkipgram, Scratch

WORDS, FIRST = 12, 3
ROWS = 20


def matrix(rows, dim, seed):
    out = aligned_rows(rows, dim)
    out[:, :dim] = np.random.default_rng(seed).normal(0, 0.2, (rows, dim))
    return out


def packed(listed):
    """Examples as the arrays of the kernels; places of the input rows, if they have any, come third in each."""
    ins, outs = [example[0] for example in listed], [example[1] for example in listed]
    arrays = []
    for runs in (ins, outs):
        arrays += [
            np.cumsum([0, *map(len, runs)]).astype(np.int64),
            np.array([i for run in runs for i in run], np.int32),
        ]
    return *arrays, np.array([place for _, _, *places in listed for run in places for place in run], np.int32)


def arrays(dim, frozen=()):
    mask = np.zeros(ROWS, np.uint8)
    mask[list(frozen)] = 1
    return matrix(ROWS, dim, 1), matrix(WORDS, dim, 2), mask


NO_WEIGHTS = np.zeros(0, np.float32)


def flat(w_in, w_out, mask, weights=NO_WEIGHTS):
    return w_in.reshape(-1), w_out.reshape(-1), mask, weights.reshape(-1)


example_lists = st.lists(
    st.tuples(
        st.lists(st.integers(FIRST, ROWS - 1), min_size=1, max_size=4),
        st.lists(st.integers(FIRST, WORDS - 1), min_size=1, max_size=11),
    ),
    min_size=1,
    max_size=40,
)
means = st.tuples(st.booleans(), st.booleans())
dims = st.sampled_from([1, 7, 16, 33])
COUNTS = np.array([0, 0, 0, *range(50, 50 - WORDS + FIRST, -1)], np.int64)


def check(w_in, w_out, twin, dim):
    np.testing.assert_allclose(w_in, twin.w_in, atol=1e-4)
    np.testing.assert_allclose(w_out, twin.w_out, atol=1e-4)
    assert not w_in[:, dim:].any()
    assert not w_out[:, dim:].any()


@settings(max_examples=60)
@given(
    listed=example_lists,
    means=means,
    dim=dims,
    negatives=st.sampled_from([1, 5, 20]),
    seed=st.integers(0, 2**40),
    batch=st.sampled_from([1, 5, 16]),
)
def test_negative_sampling_is_its_twin(listed, means, dim, negatives, seed, batch):
    w_in, w_out, mask = arrays(dim, frozen=[4, 15])
    twin = naive.Trainer(w_in, w_out, means, frozen=[4, 15], batch=batch)
    objective = NegativeSampling(COUNTS, 0.75, negatives)
    own, drawn = objective.scratch(dim, 11), np.empty(-(-negatives // 16) * 16, np.int64)
    sgd.negative_sampling(
        len(listed), batch, packed(listed), means, 1, flat(w_in, w_out, mask), (objective.accept, objective.alias),
        np.float32(negatives), np.float32(0.05), np.array([seed], np.uint64), own.batch,
        (own.sizes, own.labels), drawn,
    )  # fmt: skip
    twin.negative_sampling(
        listed, objective.accept, objective.alias, negatives, len(drawn), 0.05, naive.Generator(seed)
    )
    check(w_in, w_out, twin, dim)


def paths_of(objective):
    starts, nodes, labels = objective.paths
    runs = [slice(starts[w], starts[w + 1]) for w in range(WORDS)]
    return {w: (nodes[run].tolist(), labels[run].tolist()) for w, run in enumerate(runs)}


@settings(max_examples=60)
@given(listed=example_lists, means=means, dim=dims)
def test_hierarchical_softmax_is_its_twin(listed, means, dim):
    w_in, w_out, mask = arrays(dim, frozen=[4])
    twin = naive.Trainer(w_in, w_out, means, frozen=[4])
    objective = HierarchicalSoftmax(COUNTS)
    own = objective.scratch(dim, 11)
    sgd.hierarchical_softmax(
        len(listed), packed(listed), means, flat(w_in, w_out, mask), objective.paths, np.float32(0.05), own.batch,
        own.sizes, own.nodes, own.upper,
    )  # fmt: skip
    twin.hierarchical_softmax(listed, paths_of(objective), 0.05)
    check(w_in, w_out, twin, dim)


words = st.sampled_from([naive.GAP, *range(FIRST, WORDS)])
UNITS = {w: [w, w + 4, w + 8][: 1 + w % 3] for w in range(WORDS)}


def path_step(stream, window, fixed, seed, rate, w_in, w_out, mask):
    """Train on a stream; returns the objective."""
    objective = PathSkipgram(COUNTS, window, fixed)
    starts = np.cumsum([0, *map(len, UNITS.values())]).astype(np.int64)
    units = starts, np.concatenate(list(UNITS.values())).astype(np.int32)
    own, rng = objective.scratch(w_in.shape[1], 0), np.array([seed], np.uint64)
    objective.train_stream(np.array(stream, np.int32), units, flat(w_in, w_out, mask), rate, rng, own)
    return objective


@settings(max_examples=60)
@given(
    stream=st.lists(words, max_size=40), window=st.integers(1, 12), fixed=st.booleans(), dim=dims,
    seed=st.integers(0, 2**40),
)  # fmt: skip
def test_paths_of_windows_are_their_twin(stream, window, fixed, dim, seed):
    w_in, w_out, mask = arrays(dim, frozen=[4])
    twin = naive.Trainer(w_in, w_out, (True, False), frozen=[4])
    objective = path_step(stream, window, fixed, seed, 0.05, w_in, w_out, mask)
    twin.skipgram_paths(stream, window, fixed, naive.Generator(seed), UNITS, paths_of(objective), 0.05)
    check(w_in, w_out, twin, dim)


def test_copies_of_upper_nodes_come_back_to_the_matrix():
    stream = [int(w) for w in np.random.default_rng(3).integers(FIRST, WORDS, 3 * paths.VISITS)]
    w_in, w_out, mask = arrays(7)
    twin = naive.Trainer(w_in, w_out, (True, False))
    objective = path_step(stream, 2, False, 5, 0.05, w_in, w_out, mask)
    twin.skipgram_paths(stream, 2, False, naive.Generator(5), UNITS, paths_of(objective), 0.05)
    check(w_in, w_out, twin, 7)


def test_what_two_threads_move_a_node_by_adds_up():
    shared = matrix(WORDS, 7, 1)
    began, flat_shared = shared.copy(), shared.reshape(-1)
    uppers = [PathScratch(7, 2, 5).upper for _ in range(2)]
    for own, base, *_ in uppers:
        paths.take(own, base, 2, flat_shared, 9, LANES)
    for i, (own, _, *_) in enumerate(uppers):
        own[2 * LANES : 2 * LANES + 7] += i + 1
    for own, base, *_ in uppers:
        paths.exchange(own, base, 2, flat_shared, 9, LANES)
    np.testing.assert_allclose(shared[9, :7], began[9, :7] + 3, atol=1e-5)
    np.testing.assert_array_equal(np.delete(shared, 9, 0), np.delete(began, 9, 0))
    np.testing.assert_array_equal(uppers[1][0][2 * LANES : 3 * LANES], shared[9])


def test_paths_of_a_window_go_down_the_numerical_gradient():
    w_in, w_out, mask = arrays(5)
    before_in, before_out = w_in.copy(), w_out.copy()
    paths = paths_of(path_step([5, 7, 8], 1, True, 0, RATE, w_in, w_out, mask))

    def loss(a, b):
        pairs = [(5, 7), (8, 7), (7, 5), (7, 8)]  # a context word is to predict the centre
        return sum(choice_loss(a, b, UNITS[word], *paths[centre]) for word, centre in pairs)

    for spot in [(5, 0), (7, 3), (8, 4)]:  # the word's own row; each of its rows gets the whole gradient
        whole = len(UNITS[spot[0]]) * gradient(lambda w: loss(w, before_out), before_in, spot)
        assert moved(before_in, w_in)[spot] == pytest.approx(whole, abs=4e-3)
    for spot in [(7, 0), (3, 2), (8, 4)]:
        expected = gradient(lambda w: loss(before_in, w), before_out, spot)
        assert moved(before_out, w_out)[spot] == pytest.approx(expected, abs=4e-3)


@settings(max_examples=60)
@given(listed=example_lists, means=means, dim=dims)
def test_full_softmax_is_its_twin(listed, means, dim):
    w_in, w_out, mask = arrays(dim)
    twin = naive.Trainer(w_in, w_out, means)
    own = Scratch(dim, WORDS)
    sgd.full_softmax(
        len(listed), packed(listed), means, flat(w_in, w_out, mask), FIRST, np.float32(0.05), own.batch,
        own.sizes[:WORDS],
    )  # fmt: skip
    twin.full_softmax(listed, FIRST, 0.05)
    check(w_in, w_out, twin, dim)


placed_lists = st.lists(
    st.tuples(
        st.lists(st.tuples(st.integers(FIRST, ROWS - 1), st.integers(0, 3)), min_size=1, max_size=4),
        st.lists(st.integers(FIRST, WORDS - 1), min_size=1, max_size=2),
    ).map(lambda pair: ([row for row, _ in pair[0]], pair[1], [place for _, place in pair[0]])),
    min_size=1,
    max_size=40,
)


@settings(max_examples=60)
@given(listed=placed_lists, means=means, dim=dims)
def test_weights_of_places_are_their_twin(listed, means, dim):
    w_in, w_out, mask = arrays(dim, frozen=[4])
    weights = matrix(4, dim, 3)
    twin = naive.Trainer(w_in, w_out, means, frozen=[4], weights=weights)
    own = Scratch(dim, WORDS)
    sgd.full_softmax(
        len(listed), packed(listed), means, flat(w_in, w_out, mask, weights), FIRST, np.float32(0.05), own.batch,
        own.sizes[:WORDS],
    )  # fmt: skip
    twin.full_softmax(listed, FIRST, 0.05)
    check(w_in, w_out, twin, dim)
    np.testing.assert_allclose(weights, twin.weights, atol=1e-4)


def test_weights_of_places_go_down_the_numerical_gradient():
    dim, rows, targets, places = 5, [4, 9, 15], [7], [0, 1, 3]
    w_in, w_out, mask = arrays(dim)
    weights = matrix(4, dim, 3)
    before_in, before_weights = w_in.copy(), weights.copy()
    own = Scratch(dim, WORDS)

    def loss(a, d):
        x = (d[places] * a[rows]).mean(0)
        scores = w_out_before[FIRST:] @ x
        return math.log(np.exp(scores).sum()) - scores[targets[0] - FIRST]

    w_out_before = w_out.copy()
    sgd.full_softmax(
        1, packed([(rows, targets, places)]), (True, True), flat(w_in, w_out, mask, weights), FIRST, np.float32(RATE),
        own.batch, own.sizes[:WORDS],
    )  # fmt: skip
    for spot in [(0, 0), (1, 3), (3, 4)]:
        expected = gradient(lambda d: loss(before_in, d), before_weights, spot)
        assert moved(before_weights, weights)[spot] == pytest.approx(expected, abs=1e-4)
    assert (weights[2] == before_weights[2]).all()
    for spot in [(4, 0), (9, 3), (15, 4)]:
        expected = gradient(lambda a: loss(a, before_weights), before_in, spot)
        assert moved(before_in, w_in)[spot] == pytest.approx(expected, abs=1e-4)


def softmax_loss(w_in, w_out, rows, targets):
    x = w_in[rows].mean(0)
    scores = w_out[FIRST:] @ x
    return sum(math.log(np.exp(scores).sum()) - scores[t - FIRST] for t in targets)


def choice_loss(w_in, w_out, rows, nodes, labels):
    x = w_in[rows].mean(0)
    return -sum(math.log(naive.sigmoid((2 * y - 1) * (w_out[n] @ x))) for n, y in zip(nodes, labels, strict=True))


def gradient(loss, weights, spot, h=1e-5):
    up, down = weights.astype(np.float64), weights.astype(np.float64)
    up[spot] += h
    down[spot] -= h
    return (loss(up) - loss(down)) / (2 * h)


RATE = 1e-2


def moved(before, after):
    """What a step of rate RATE did to a matrix, by its rate: the gradient it went down."""
    return (before - after).astype(np.float64) / RATE


@pytest.mark.parametrize("kind", ["softmax", "hs"])
def test_steps_go_down_the_numerical_gradient(kind):
    dim, rows, targets = 5, [4, 9, 15], [7]
    w_in, w_out, mask = arrays(dim)
    before_in, before_out = w_in.copy(), w_out.copy()
    listed = packed([(rows, targets)])
    own = Scratch(dim, WORDS)
    if kind == "softmax":
        sgd.full_softmax(
            1, listed, (True, True), flat(w_in, w_out, mask), FIRST, np.float32(RATE), own.batch, own.sizes[:WORDS]
        )

        def loss(a, b):
            return softmax_loss(a, b, rows, targets)
    else:
        objective = HierarchicalSoftmax(COUNTS)
        choices = objective.scratch(dim, 1)
        sgd.hierarchical_softmax(
            1,
            listed,
            (True, True),
            flat(w_in, w_out, mask),
            objective.paths,
            np.float32(RATE),
            own.batch,
            choices.sizes,
            choices.nodes,
            choices.upper,
        )

        def loss(a, b):
            return choice_loss(a, b, rows, *paths_of(objective)[targets[0]])

    for spot in [(4, 0), (9, 3), (15, 4), (5, 1)]:
        expected = gradient(lambda w: loss(w, before_out), before_in, spot)
        assert moved(before_in, w_in)[spot] == pytest.approx(expected, abs=3e-3)
    for spot in [(7, 0), (3, 2), (0, 1), (8, 4)]:
        expected = gradient(lambda w: loss(before_in, w), before_out, spot)
        assert moved(before_out, w_out)[spot] == pytest.approx(expected, abs=3e-3)


def test_negative_sampling_goes_down_the_numerical_gradient():
    dim, rows, target, negatives = 5, [4, 9], 7, 5
    w_in, w_out, mask = arrays(dim)
    before_in, before_out = w_in.copy(), w_out.copy()
    counts = COUNTS.copy()
    counts[target] = 0  # so that it is not drawn, and its row moves for one reason
    objective = NegativeSampling(counts, 0.75, negatives)
    own, drawn = objective.scratch(dim, 11), np.empty(-(-negatives // 16) * 16, np.int64)
    sgd.negative_sampling(
        1, 16, packed([(rows, [target])]), (True, True), 1, flat(w_in, w_out, mask),
        (objective.accept, objective.alias), np.float32(negatives), np.float32(RATE), np.array([5], np.uint64),
        own.batch, (own.sizes, own.labels), drawn,
    )  # fmt: skip

    def loss(a, b):
        x = a[rows].mean(0)
        others = sum(math.log(naive.sigmoid(-(b[w] @ x))) for w in drawn.tolist())
        return -math.log(naive.sigmoid(b[target] @ x)) - negatives / len(drawn) * others

    for spot in [(4, 0), (9, 3), (6, 1)]:
        expected = gradient(lambda w: loss(w, before_out), before_in, spot)
        # The positive row has moved before the negatives are scored, but not what they see.
        assert moved(before_in, w_in)[spot] == pytest.approx(expected, abs=4e-3)
    for spot in [(target, 0), (3, 2), (8, 4)]:
        expected = gradient(lambda w: loss(before_in, w), before_out, spot)
        assert moved(before_out, w_out)[spot] == pytest.approx(expected, abs=4e-3)


@given(counts=st.lists(st.integers(1, 1000), min_size=1, max_size=60))
def test_huffman_tree_is_optimal_and_its_codes_are_a_tree(counts):
    ordered = np.array(sorted(counts, reverse=True), np.int64)
    size = len(ordered)
    weights, parents = np.empty(2 * size - 1, np.int64), np.empty(2 * size - 1, np.int64)
    bits, lengths = np.zeros(2 * size - 1, np.uint8), np.empty(size, np.int64)
    huffman.build_tree(ordered, weights, parents, bits, 0)
    huffman.path_lengths(parents, lengths)
    best = naive.huffman_codes(ordered.tolist())
    assert (lengths * ordered).sum() == sum(best[i] * c for i, c in enumerate(ordered.tolist()))
    starts = np.concatenate([[0], np.cumsum(lengths)]).astype(np.int64)
    nodes, labels = np.empty(starts[-1], np.int32), np.empty(starts[-1], np.float32)
    huffman.fill_paths(parents, bits, starts, nodes, labels)
    codes = [tuple(labels[a:b]) for a, b in itertools.pairwise(starts)]
    assert len(set(codes)) == size
    # Words with the same code up to a node are at the same node there: labels lead the way from the root.
    where = {}
    for word, code in enumerate(codes):
        for depth in range(len(code)):
            assert where.setdefault(code[:depth], nodes[starts[word] + depth]) == nodes[starts[word] + depth]


@given(scores=st.lists(st.floats(-30, 30), min_size=LANES, max_size=LANES))
def test_sigmoid_is_close_to_the_true_one(scores):
    from textkit.kernels.jit import kernel
    from textkit.kernels.simd import load, store

    @kernel
    def apply(values):
        store(values, 0, sgd.sigmoid(load(values, 0)))

    apply = test_sigmoid_is_close_to_the_true_one.__dict__.setdefault("apply", apply)
    values = np.array(scores, np.float32)
    apply(values)
    true = [naive.sigmoid(s) for s in scores]
    np.testing.assert_allclose(values, true, atol=2e-3)
    inner = np.abs(scores) <= 4
    np.testing.assert_allclose(values[inner], np.array(true)[inner], atol=1e-5)


def test_rows_are_aligned_and_padded():
    assert [padded(d) for d in (1, 16, 17, 100)] == [16, 16, 32, 112]
    rows = aligned_rows(3, 100)
    assert rows.shape == (3, 112)
    assert rows.ctypes.data % 64 == 0


@given(listed=example_lists, mean=st.booleans(), placed=st.booleans(), seed=st.integers(0, 100))
@settings(max_examples=30)
def test_inputs_and_products_of_held_out_examples(listed, mean, placed, seed):
    dim, rng = 7, np.random.default_rng(seed)
    w_in, w_out, _ = arrays(dim)
    weights = matrix(4, dim, 3)
    starts, rows, _, targets, _ = packed(listed)
    places = rng.integers(0, 4, len(rows) if placed else 0).astype(np.int32)
    x = aligned_rows(len(listed), dim)
    heldout.inputs(starts, rows, places, w_in.reshape(-1), weights.reshape(-1), mean, LANES, x.reshape(-1))
    for e, run in enumerate(itertools.pairwise(starts)):
        span = slice(*run)
        parts = w_in[rows[span]] * (weights[places[span]] if placed else 1)
        np.testing.assert_allclose(x[e], parts.sum(0) / (len(parts) if mean else 1), atol=1e-5)
    which, out = rng.integers(0, len(x), len(targets)).astype(np.int32), np.empty(len(targets), np.float32)
    heldout.products(x.reshape(-1), which, w_out.reshape(-1), targets, LANES, out)
    np.testing.assert_allclose(out, (x[which] * w_out[targets]).sum(1), atol=1e-5)
