"""Every smoothing method against its plain twin, and what must hold of all of them."""

import math
from dataclasses import replace
from itertools import pairwise

import naive_ngram
import numpy as np
import pytest
from hypothesis import assume, given, settings
from hypothesis import strategies as st
from tries import entries

from textkit.errors import UsageError
from textkit.ngram import discounts, heldout, tuning
from textkit.ngram.config import TrainingConfig
from textkit.ngram.counting import count_ngrams
from textkit.ngram.methods import METHODS, resolve
from textkit.ngram.model import NGramModel
from textkit.ngram.parameters import Evidence, settle
from textkit.ngram.smoothing import Terms, counts_of_counts, raw_counts
from textkit.ngram.train import estimate
from textkit.ngram.tuning import Tokens
from textkit.text.corpus import encode_corpus
from textkit.text.reader import Lines
from textkit.text.tokenizer import Tokenizer

WORDS = st.sampled_from(["a", "b", "c", "d", "e"])
TEXTS = st.lists(st.lists(WORDS, max_size=7), min_size=1, max_size=12).filter(any)
FORMS = [(method.name, form) for method in METHODS for form in method.forms]
PROPER = [pair for pair in FORMS if pair[0] != "stupid"]
ORDERS = st.sampled_from([1, 2, 3, 4, 10])


def encoded(lines, vocabulary=None, min_count=1):
    text = Lines([" ".join(line) for line in lines])
    return encode_corpus(text, Tokenizer("whitespace"), vocabulary=vocabulary, min_count=min_count, threads=1)


def estimated(lines, order, name, form=None, **settings):
    return estimate(encoded(lines), TrainingConfig(order=order, smoothing=name, form=form, **settings), 1)


def twin_parameters(name, report, order):
    """Parameters of the twin by order, from a model's report."""
    rows = [{} for _ in range(order)]
    for key, twin in (("discounts", "d"), ("k", "k"), ("lambda", "weights")):
        for row, value in zip(rows, report.get(key, []), strict=False):
            row[twin] = value
    return rows


@pytest.mark.parametrize(("name", "form"), PROPER)
@settings(max_examples=60)
@given(lines=TEXTS, order=ORDERS)
def test_equals_its_twin(name, form, lines, order):
    model = estimated(lines, order, name, form)
    backoff, parameters = form == "backoff", twin_parameters(name, model.report, order)
    own = "dirichlet" if name == "add-k" and not backoff else name
    expected, weights = naive_ngram.smoothed(lines, order, own, backoff, parameters)
    found = entries(model)
    assert found.keys() == expected.keys()
    for ngram, (log_p, log_backoff) in found.items():
        assert 10**log_p == pytest.approx(expected[ngram], rel=2e-5, abs=1e-9), ngram
        if log_backoff is not None:
            assert 10**log_backoff == pytest.approx(weights.get(ngram, 1.0), rel=2e-5, abs=1e-7), ngram


@given(lines=TEXTS, order=ORDERS, alpha=st.sampled_from([0.4, 0.1, 1.0]))
def test_stupid_backoff_equals_its_twin(lines, order, alpha):
    model = estimated(lines, order, "stupid", alpha=alpha)
    score, charged = naive_ngram.stupid_backoff(lines, order, alpha)
    found = entries(model)
    assert found.keys() == score.keys()
    for ngram, (log_p, log_backoff) in found.items():
        assert 10**log_p == pytest.approx(score[ngram], rel=1e-5), ngram
        assert log_backoff is None or 10**log_backoff == pytest.approx(charged.get(ngram, 1.0), rel=1e-5), ngram


@pytest.mark.parametrize(("name", "form"), PROPER)
@settings(max_examples=60)
@given(
    lines=TEXTS,
    order=st.integers(1, 4),
    prune=st.sampled_from([(), (0, 1), (1, 1, 2)]),
    prefix=st.lists(WORDS, max_size=4),
    bos=st.booleans(),
    interpolate=st.booleans(),
)
def test_sums_to_one_after_every_context(name, form, lines, order, prune, prefix, bos, interpolate):
    made = estimated(lines, order, name, form, prune=prune[:order], interpolate_unigrams=interpolate)
    model = NGramModel.from_trie(made.trie, made.vocabulary, Tokenizer("whitespace"), made.report, threads=1)
    _, _, state = model.advance(model.start(bos), model.vocabulary.ids(prefix))
    assert np.sum(10.0 ** model.distribution(state)) == pytest.approx(1.0, abs=1e-5)


@pytest.mark.parametrize("name", [method.name for method in METHODS])
@pytest.mark.parametrize("lines", [[["a"]], [[], []], [["a"] * 30], [["a", "b", "c"]]])
def test_tiny_texts_are_estimated_and_nothing_is_impossible(name, lines):
    for order in (1, 3, 10):
        if not any(lines):
            lines = [*lines, ["a"]]
        model = estimated(lines, order, name)
        assert np.isfinite(model.trie.log_p).all()
        assert name == "mle" or model.trie.log_p[0] > -9  # an unknown word is possible


LEAVING = [("mkn", False), ("mkn", True), ("kn", True), ("abs", False), ("abs", True), ("wb", False), ("wb", True)]
LEAVING += [("jm", False), ("dirichlet", False), ("add-k", True)]


@pytest.mark.parametrize(("name", "backoff"), LEAVING)
@settings(max_examples=40)
@given(lines=TEXTS, order=st.integers(1, 4), times=st.integers(1, 3))
def test_left_out_tokens_are_predicted_as_if_they_were_not_there(name, backoff, lines, order, times):
    lines = lines * times
    counts = count_ngrams(encoded(lines), order, 1)
    words = len(counts.levels[0].words) - 1
    terms, parameters = {
        "mkn": ([Terms((0.5, 0.9, 1.3))] * order, {"d": (0.5, 0.9, 1.3)}),
        "kn": ([Terms((0.3,))] * order, {"d": (0.3,)}),
        "abs": ([Terms((0.6,))] * order, {"d": (0.6,)}),
        "wb": ([Terms(per_type=1.0)] * order, {}),
        "jm": ([Terms(weights=(0.0, 0.2, 0.4, 0.9))] * order, {"weights": (0.0, 0.2, 0.4, 0.9)}),
        "dirichlet": ([Terms(per_context=0.3 * words)] * order, {"k": 0.3}),
        "add-k": ([Terms((-0.3 if n else 0.0,), per_context=0.3 * words) for n in range(order)], {"k": 0.3}),
    }[name]
    tokens = Evidence(counts, name in ("mkn", "kn"), words).tokens([len(t.discounts) for t in terms], backoff)
    expected = naive_ngram.left_out(lines, order, name, backoff, [parameters] * order)
    assert sorted(tokens.predict(terms).tolist()) == pytest.approx(sorted(expected), rel=1e-9)


@given(lines=TEXTS, order=st.integers(1, 4), most=st.integers(1, 9), rare=st.integers(1, 3))
def test_left_out_tokens_are_sampled_evenly(lines, order, most, rare):
    counts = count_ngrams(encoded(lines, min_count=rare), order, 1)
    every, some = heldout.leave_one_out(counts), heldout.leave_one_out(counts, most)
    total = every.entries.shape[1]
    assert total == counts.tokens + counts.lines
    step = -(-total // most)
    assert some.entries.tolist() == every.entries[:, step - 1 :: step].tolist()


@pytest.mark.parametrize(("name", "form"), [pair for pair in PROPER if pair[0] not in ("mle", "katz")])
@settings(max_examples=40)
@given(lines=TEXTS, held=st.lists(st.lists(st.sampled_from("abcdx"), max_size=5), min_size=1, max_size=4).filter(any))
def test_held_out_tokens_are_predicted_as_the_model_does(name, form, lines, held):
    made = estimated(lines, 3, name, form)
    model = NGramModel.from_trie(made.trie, made.vocabulary, Tokenizer("whitespace"), made.report, threads=1)
    counts, dev = count_ngrams(encoded(lines), 3, 1), encoded(held, made.vocabulary)
    config = TrainingConfig(order=3, smoothing=name, form=form)
    words = len(made.vocabulary) - 1
    terms = settle(config, Evidence(counts, config.method.adjusted, words))[0].terms
    evidence = Evidence(counts, config.method.adjusted, words, dev=heldout.find_places(counts, dev))
    found = evidence.tokens([len(t.discounts) for t in terms], form == "backoff").predict(terms)
    scores = [word.log10_prob for line in held for word in model.score_tokens(line)]
    assert np.log10(found) == pytest.approx(scores, abs=2e-5)


def synthetic(seed, order, bins, backoff=False, size=60):
    """Made-up held-out tokens whose facts could be those of a text."""
    rng = np.random.default_rng(seed)
    facts = []
    for n in range(order):
        types = rng.integers(0, 4, (size, bins)).astype(float)
        types[:, 0] += 1
        total = types @ np.arange(1, bins + 1) + rng.integers(0, 5, size)
        count = np.where(rng.random(size) < 0.5, np.minimum(rng.integers(1, 6, size), total), 0).astype(float)
        if n:
            total[rng.random(size) < 0.2] = 0
        facts.append(heldout.Facts(np.where(total > 0, count, 0), total, types))
        if n and backoff:
            below = facts[n - 1]
            facts[n] = replace(facts[n], covered=0.4 * below.total, covered_types=0.4 * below.types)
    return Tokens(facts, np.full(size, 0.01), 0.01, backoff)


def objective(tokens, terms):
    shares = [d / j for term in terms for j, d in enumerate(term.discounts, 1)]
    return float(np.sum(np.log(tokens.predict(terms)))) + float(np.sum(np.log(shares) + np.log(np.subtract(1, shares))))


@settings(max_examples=40)
@given(st.integers(0, 1000), st.integers(1, 3), st.sampled_from([1, 3]), st.booleans())
def test_tuned_discounts_are_a_maximum(seed, order, bins, backoff):
    tokens = synthetic(seed, order, bins, backoff)
    start = [Terms((0.5, 1.0, 1.5)[:bins])] * order
    best = tuning.tune_discounts(tokens, start, list(range(order)))
    reached = objective(tokens, best)
    assert reached >= objective(tokens, start) - 1e-2
    for n in range(order):
        for j in range(1, bins + 1):
            for moved in (0.1, -0.1):
                d = [*best[n].discounts]
                d[j - 1] += moved * j
                if 0 < d[j - 1] < j and all(b - a <= 1 for a, b in pairwise(d)):
                    other = [*best[:n], replace(best[n], discounts=tuple(d)), *best[n + 1 :]]
                    assert objective(tokens, other) <= reached + 1e-2
        assert all(b - a <= 1 + 1e-9 for a, b in pairwise(best[n].discounts))


def test_only_the_orders_asked_for_are_tuned():
    start = [Terms((0.5,))] * 3
    best = tuning.tune_discounts(synthetic(3, 3, 1), start, [1])
    assert [best[0], best[2]] == [start[0], start[2]]
    assert best[1] != start[1]


@settings(max_examples=40)
@given(st.integers(0, 1000), st.integers(1, 3))
def test_weights_equal_plain_expectation_maximisation(seed, order):
    tokens = synthetic(seed, order, 1)
    rows = []
    for i in range(len(tokens.base)):
        seen = [(int(f.total[i]).bit_length(), f.count[i] / f.total[i]) if f.total[i] else None for f in tokens.facts]
        rows.append((tokens.base[i], seen))
    expected = naive_ngram.mixture_weights(rows, tuning.BUCKETS, 400)
    found = tuning.tune_weights(tokens)

    def likelihood(weights):
        return np.mean(np.log(tokens.predict([Terms(weights=tuple(row)) for row in weights])))

    assert likelihood([term.weights for term in found]) == pytest.approx(likelihood(expected), abs=2e-3)


@settings(max_examples=40)
@given(st.integers(0, 1000))
def test_tuned_k_beats_a_grid(seed):
    tokens = synthetic(seed, 1, 1)
    (k,) = tuning.tune_k(tokens, lambda k, level: Terms(per_context=100 * k))

    def likelihood(k):
        return np.sum(np.log(tokens.predict([Terms(per_context=100 * k)])))

    assert likelihood(k) >= max(likelihood(10.0**power) for power in np.linspace(-6, 1, 30)) - 1e-2


@given(st.lists(st.integers(0, 60), min_size=9, max_size=9))
def test_good_turing_equals_its_twin(tally):
    expected = naive_ngram.good_turing(tally)
    if expected is None:
        with pytest.raises(ValueError, match=r"none occurs|do not fall"):
            discounts.good_turing(tally)
    else:
        assert discounts.good_turing(tally) == pytest.approx(tuple(expected))


def test_good_turing_by_hand():
    # r* = 2 * 40 / 100 = 0.8 and 3 * 20 / 40 = 1.5; K = 2, A = 3 * 20 / 100 = 0.6;
    # d = (0.8 / 1 - 0.6) / 0.4 = 0.5 and (1.5 / 2 - 0.6) / 0.4 = 0.375
    found = discounts.good_turing([100, 40, 20, 0, 0, 0, 0, 0, 0])
    assert found == pytest.approx((1 - 0.5, 2 - 2 * 0.375, 0.0))


@given(TEXTS)
def test_closed_form_discounts_equal_their_definitions(lines):
    counts = count_ngrams(encoded(lines), 2, 1)
    tally = counts_of_counts(raw_counts(counts), discounts.COUNTS)[1]
    plain = list(naive_ngram.ngrams(lines, 2)[1].values())
    assert tally == [plain.count(c) for c in range(1, discounts.COUNTS + 1)]
    assume(tally[0] and tally[1])
    assert discounts.single(tally) == (tally[0] / (tally[0] + 2 * tally[1]),)


@pytest.mark.parametrize(("name", "form"), [pair for pair in PROPER if pair[0] in ("mkn", "kn", "abs", "jm", "add-k")])
def test_tuning_on_dev_text_helps_there(name, form):
    rng = np.random.default_rng(1)
    make = lambda n: [[str(w) for w in rng.zipf(1.5, 8) if w < 200] for _ in range(n)]  # noqa: E731
    lines, held = make(300), make(100)
    corpus = encoded(lines)
    dev = encoded(held, corpus.vocabulary)

    def loss(model):
        whole = NGramModel.from_trie(model.trie, model.vocabulary, Tokenizer("whitespace"), {}, threads=1)
        return -sum(whole.score(" ".join(line)) for line in held)

    config = TrainingConfig(order=3, smoothing=name, form=form)
    tuned = estimate(corpus, config, 1, dev=dev)
    assert tuned.report["settled"] == "dev"
    assert loss(tuned) <= loss(estimate(corpus, config, 1)) + 1e-3


def test_names_of_other_programs_are_understood():
    expected = {
        "kndiscount": "mkn", "-ukndiscount": "kn", "wbdiscount": "wb", "cdiscount": "abs", "addsmooth": "add-k",
        "Good-Turing": "katz", "Kneser_Ney": "kn", "modified kneser ney": "mkn", "Lidstone": "add-k",
        "StupidBackoff": "stupid", "MLE": "mle", "jelinek-mercer": "jm",
    }  # fmt: skip
    assert {name: resolve(name)[0].name for name in expected} == expected
    assert TrainingConfig(smoothing="laplace").k == (1.0,)
    assert TrainingConfig(smoothing="dirichlet").form == "interpolated"
    with pytest.raises(UsageError, match="Did you mean wbdiscount"):
        resolve("wbdiscont")


@pytest.mark.parametrize(
    ("given_settings", "label"),
    [
        ({}, "mkn"),
        ({"form": "interpolated"}, "mkn"),
        ({"form": "backoff"}, "mkn,backoff"),
        ({"smoothing": "laplace"}, "add-k,k=1"),
        ({"smoothing": "dirichlet"}, "add-k,interpolated"),
        ({"smoothing": "abs", "discounts": ((0.7,), (0.8,))}, "abs,d=0.7+0.8"),
        ({"discounts": ((0.5, 1, 1.5),)}, "mkn,d=0.5/1/1.5"),
        ({"smoothing": "stupid"}, "stupid,alpha=0.4"),
        ({"smoothing": "jm", "weights": (0.25, 0.5)}, "jm,lambda=0.25+0.5"),
    ],
)
def test_labels_carry_what_was_asked(given_settings, label):
    assert TrainingConfig(**given_settings).label == label


@pytest.mark.parametrize(
    ("given_settings", "reason"),
    [
        ({"smoothing": "wb", "k": (1.0,)}, "--k has no meaning for the smoothing wb"),
        ({"discounts": ((1.5,),)}, "--discount 1.5 makes no sense"),
        ({"smoothing": "kn", "discounts": ((0.5, 1.0),)}, "one number an order"),
        ({"smoothing": "add-k", "k": (0.0,)}, "--k 0 makes no sense"),
        ({"smoothing": "add-k", "k": (math.nan,)}, "--k nan makes no sense"),
        ({"smoothing": "add-k", "k": (1e300,)}, "at most 1e9"),
        ({"smoothing": "kn", "discounts": ((math.nan,),)}, "--discount nan makes no sense"),
        ({"form": "backoff", "discounts": ((0.5, 1.0, 3.0),)}, "less in the backoff form"),
        ({"smoothing": "jm", "weights": (1.2,)}, "--lambda 1.2 makes no sense"),
        ({"smoothing": "jm", "form": "backoff"}, "the smoothing jm is always interpolated"),
        ({"smoothing": "stupid", "alpha": 0.0}, "--alpha 0 makes no sense"),
        ({"alpha": 0.5}, "--alpha has no meaning for the smoothing mkn"),
        ({"order": 1, "smoothing": "add-k", "k": (1.0, 2.0)}, "--k has 2 values for order 1"),
        ({"smoothing": "nonsense"}, "unknown smoothing 'nonsense'"),
    ],
)
def test_impossible_settings_are_refused(given_settings, reason):
    with pytest.raises(UsageError, match=reason):
        TrainingConfig(**given_settings)
