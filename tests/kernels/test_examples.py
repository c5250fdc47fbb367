"""Subsampling, windows and examples against their twins; the alias table against its distribution."""

import naive_vectors as naive
import numpy as np
from hypothesis import given
from hypothesis import strategies as st

from textkit.kernels import examples, sampling

seeds = st.integers(0, 2**64 - 1)
streams = st.lists(st.sampled_from([naive.GAP, 3, 4, 5, 6, 7]), max_size=40)


def state(seed):
    return np.array([seed], np.uint64)


def units_of(words):
    """Word w is made of rows w, 10 w and 10 w + 1, or of its own alone if it is odd."""
    rows = {w: [w, 10 * w, 10 * w + 1] if w % 2 == 0 else [w] for w in range(words)}
    starts = np.cumsum([0, *(len(rows[w]) for w in range(words))]).astype(np.int64)
    return rows, (starts, np.concatenate([rows[w] for w in range(words)]).astype(np.int32))


def room(size, window, places=False):
    many = 3 * 2 * window * size + 1
    return (
        np.zeros(size + 1, np.int64), np.empty(many, np.int32), np.zeros(size + 1, np.int64), np.empty(many, np.int32),
        np.empty(many if places else 0, np.int32),
    )  # fmt: skip


def unpacked(count, found):
    in_starts, in_rows, out_starts, out_rows, _ = (array.tolist() for array in found)
    return [
        (in_rows[in_starts[e] : in_starts[e + 1]], out_rows[out_starts[e] : out_starts[e + 1]]) for e in range(count)
    ]


@given(stream=streams, window=st.integers(1, 4), fixed=st.booleans(), seed=seeds)
def test_skipgram_examples_are_those_of_the_twin(stream, window, fixed, seed):
    rows, units = units_of(8)
    found, given_stream = room(len(stream), window), np.array(stream, np.int32)
    reach = np.empty(len(stream), np.int32)
    count = examples.skipgram_examples(given_stream, len(stream), window, fixed, state(seed), reach, units, found)
    assert unpacked(count, found) == naive.skipgram_examples(stream, window, fixed, naive.Generator(seed), rows)


@given(stream=streams, window=st.integers(1, 4), fixed=st.booleans(), seed=seeds, places=st.booleans())
def test_cbow_examples_are_those_of_the_twin(stream, window, fixed, seed, places):
    rows, units = units_of(8)
    found, given_stream = room(len(stream), window, places), np.array(stream, np.int32)
    count = examples.cbow_examples(given_stream, len(stream), window, fixed, state(seed), units, found)
    assert unpacked(count, found) == naive.cbow_examples(stream, window, fixed, naive.Generator(seed), rows)
    if places:
        expected = naive.cbow_places(stream, window, fixed, naive.Generator(seed), rows)
        assert found[4][: found[0][count]].tolist() == expected


@given(
    lines=st.lists(st.lists(st.integers(0, 5), max_size=6), min_size=1, max_size=6),
    share=st.tuples(st.floats(0, 1), st.floats(0, 1)),
    seed=seeds,
)
def test_subsampling_is_that_of_the_twin(lines, share, seed):
    ids = np.array([i for line in lines for i in line], np.int32)
    offsets = np.cumsum([0, *map(len, lines)]).astype(np.int64)
    first, last = sorted(int(s * len(ids)) for s in share)
    if first == len(ids):
        return
    keep = np.array([0, 0.1, 0.4, 0.6, 0.9, 1], np.float32)
    stream, line = np.empty(2 * len(ids) + 1, np.int32), int(np.searchsorted(offsets, first, side="right")) - 1
    size = sampling.subsample(ids, first, last, offsets, line, keep, state(seed), stream)
    assert stream[:size].tolist() == naive.subsample(ids, first, last, offsets, keep, naive.Generator(seed))


def filled(weights):
    probabilities = np.array(weights, np.float64) / sum(weights)
    accept, alias = np.empty(len(weights), np.float32), np.empty(len(weights), np.int32)
    sampling.fill_alias(probabilities * len(weights), accept, alias, np.empty(len(weights), np.int64))
    return probabilities, accept, alias


@given(weights=st.lists(st.one_of(st.just(0.0), st.floats(1e-6, 1e6)), min_size=1, max_size=50).filter(any))
def test_alias_table_holds_exactly_the_distribution(weights):
    probabilities, accept, alias = filled(weights)
    held = accept.astype(np.float64)
    np.add.at(held, alias, 1.0 - accept)
    np.testing.assert_allclose(held / len(weights), probabilities, atol=1e-6)
    assert (held[np.array(weights) == 0] == 0).all()


@given(weights=st.lists(st.floats(0.1, 5), min_size=1, max_size=9), seed=seeds)
def test_draws_are_those_of_the_twin(weights, seed):
    _, accept, alias = filled(weights)
    out, rng = np.empty(50, np.int32), naive.Generator(seed)
    sampling.draw_words(state(seed), accept, alias, out)
    assert out.tolist() == [rng.word(accept, alias) for _ in range(50)]
