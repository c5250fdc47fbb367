"""The linear model: its head, its settings, scikit-learn's optimum."""

import numpy as np
import pytest
from textkit.corpora import builtin

from textkit import files
from textkit.classify.ascent import Examples, Solver
from textkit.classify.config import ClassifierConfig
from textkit.classify.data import from_memory
from textkit.classify.labelling import Ragged
from textkit.classify.linear_fitting import LinearFitter
from textkit.classify.model import Classifier
from textkit.classify.sparse import Counted, scale_of
from textkit.errors import DataError, UsageError


def topics(count, name="topics", seed=0):
    """Pairs of a text and its labels."""
    lines = [line for _, line in zip(range(count), builtin(name).make(seed), strict=False)]
    found = []
    for line in lines:
        words = line.split(" ")
        labels = [word.removeprefix("__label__") for word in words if word.startswith("__label__")]
        found.append((" ".join(words[len(labels) :]), labels))
    return found


def trained(name="topics", **settings):
    return Classifier.train(topics(400, name), model="linear", threads=1, **settings)


CASES = [("topics", {}), ("topics", {"loss": "ova"}), ("multilabel", {}), ("imbalanced", {"class_weights": "balanced"}),
         ("imbalanced", {"loss": "ova", "class_weights": "balanced", "weighting": "idf"})]  # fmt: skip


@pytest.mark.parametrize(("name", "settings"), CASES)
def test_it_learns_and_survives_a_file(name, settings, tmp_path):
    model = trained(name, **settings)
    assert model.head.kind == "linear"
    assert model.config.cost == model.report["cost"]
    tests = topics(300, name, 1)
    found = model.predict([text for text, _ in tests])
    assert np.mean([best[0][0] in labels for best, (_, labels) in zip(found, tests, strict=True)]) > 0.8
    model.save(tmp_path / "m.model")
    again = Classifier.load(tmp_path / "m.model")
    assert again.predict([text for text, _ in tests]) == found
    assert "linear" in again.signature


@pytest.mark.parametrize(("name", "settings"), [*CASES, ("two", {})])
def test_contributions_and_bias_sum_to_the_logit(name, settings):
    if name == "two":
        pairs = [(text, labels) for text, labels in topics(900) if labels[0] in ("sport", "money")]
        model = Classifier.train(pairs, model="linear", cost=5.0, threads=1)
        assert model.head.matrix.shape[1] == 1
    else:
        model = trained(name, cost=5.0, **settings)
    bags = model.encode([f"{text} {text} team" for text, _ in topics(5, "topics", 3)] + ["", "zzz"])
    logits = model.logits(bags)
    for document in range(len(bags)):
        for label in range(len(model.labels)):
            total = model.head.contributions(bags[document], label).sum() + model.head.bias(label)
            assert total == pytest.approx(logits[document, label], abs=1e-4)
    one = np.array([int(np.argmax(model.head.scale))], np.int32)
    assert model.head.contributions(one, 0)[0] == pytest.approx(model.head.weights(0)[one[0]], rel=1e-5)


def test_the_optimum_is_that_of_scikit_learn():
    linear_model = pytest.importorskip("sklearn.linear_model")
    sparse = pytest.importorskip("scipy.sparse")
    data = from_memory(*zip(*topics(300), strict=True))
    fitter = LinearFitter(data, ClassifierConfig(model="linear"), np.arange(len(data)), threads=1)
    for labels in (8, 2):
        gold = data.gold.ids % labels
        counted = fitter.counted
        scale = scale_of(counted, Ragged(gold, data.gold.offsets), len(fitter.features), labels, "idf")
        examples = Examples(
            counted, counted.values(scale), Ragged(gold, data.gold.offsets), np.ones(len(data), np.float32), len(scale)
        )
        solver = Solver(examples, labels, "softmax", np.ones(labels, np.float32))
        solver.run(3.0, 0, tolerance=1e-7, most=2000)
        shape = len(data), len(scale)
        x = sparse.csr_matrix((examples.values, counted.rows, counted.offsets), shape=shape)
        x = sparse.hstack([x, np.ones((len(data), 1))]).tocsr()  # the bias is the weight of a feature of 1
        peer = linear_model.LogisticRegression(C=3.0, fit_intercept=False, tol=1e-8, max_iter=5000).fit(x, gold)
        matrix, biases = solver.weights()
        found = np.vstack([matrix, biases]).T
        np.testing.assert_allclose(found, peer.coef_, atol=5e-3 * np.abs(peer.coef_).max())


def test_one_label_and_documents_of_one_word():
    model = Classifier.train([("only this", "yes"), ("and that", "yes")], model="linear")
    assert model.predict("anything") == [("yes", pytest.approx(1.0))]
    assert model.head.contributions(np.array([3], np.int32), 0).tolist() == [0.0]
    assert model.head.bias(0) == 0
    assert Classifier.train([("a", "x"), ("b", "y")], model="linear").predict("a")[0][0] == "x"


def test_weights_of_documents_and_labels_count():
    texts = ["up"] * 4 + ["down"] * 4 + ["both"] * 4
    labels = ["a"] * 4 + ["b"] * 4 + ["a", "a", "a", "b"]

    def p(weights=None, **settings):
        data = from_memory(texts, labels, weights)
        model = Classifier.train_on(
            data, ClassifierConfig(model="linear", cost=10.0, validation=0.0, **settings), threads=1
        )
        return dict(model.predict("both", k=-1))["a"]

    assert p() > 0.6
    assert p([1.0] * 11 + [9.0]) < 0.4
    assert p([0.0] * 12) == pytest.approx(0.5)
    assert p(class_weights="balanced") < p()


def test_the_same_seed_gives_the_same_file(tmp_path):
    for name in ("a", "b"):
        model = trained()
        model.report = {}
        model.save(tmp_path / name)
    assert (tmp_path / "a").read_bytes() == (tmp_path / "b").read_bytes()


def test_costs_are_chosen_by_the_same_documents_whatever_the_threads():
    data = from_memory(*zip(*topics(300), strict=True))
    config, documents = ClassifierConfig(model="linear"), np.arange(len(data))
    one, two = (LinearFitter(data, config, documents, None, t).tried(config.costs) for t in (1, 2))
    assert one == two


def test_probabilities_are_sensible():
    model, tests = trained(), topics(1000, "topics", 5)
    p = model.probabilities(model.encode([text for text, _ in tests]))
    right = np.array([p[i, model.labels.index(labels[0])] for i, (_, labels) in enumerate(tests)])
    best = p.max(1)
    hits = np.isclose(best, right)
    assert abs(best.mean() - hits.mean()) < 0.06


def test_what_cannot_be_is_said():
    with pytest.raises(UsageError, match="no loss hs"):
        trained(loss="hs")
    with pytest.raises(UsageError, match="--weighting 'x'"):
        ClassifierConfig(weighting="x")
    with pytest.raises(UsageError, match="--cost"):
        ClassifierConfig(cost=-1.0)
    data = from_memory(["a b", "c d"] * 10, ["x", "y"] * 10, [3e38] * 20)
    with pytest.raises(DataError, match=r"overflow|no numbers"):
        Classifier.train_on(data, ClassifierConfig(model="linear", cost=1e6, validation=0.0))


@pytest.mark.parametrize("spoil", ["matrix", "biases", "scale"])
def test_damaged_files_are_refused(spoil, tmp_path):
    trained(cost=1.0).save(path := tmp_path / "m.model")
    container = files.load(path)
    arrays = {**container.arrays, f"head.{spoil}": container.arrays[f"head.{spoil}"][:-1]}
    files.save(path, container.kind, container.header, arrays)
    with pytest.raises(DataError, match="damaged"):
        Classifier.load(path)


def test_counts_of_parts_are_parts_of_counts():
    bags = Ragged.from_lists([[1, 1, 2], [], [5], [2, 5, 5]])
    whole, part = Counted.of(bags), Counted.of(bags.take(np.array([3, 1])))
    taken = whole.take(np.array([3, 1]))
    for name in ("rows", "offsets", "counts"):
        np.testing.assert_array_equal(getattr(taken, name), getattr(part, name))
