"""The estimator of scikit-learn: its conventions, by scikit-learn's own checks and by hand."""

import pickle
import subprocess
import sys

import numpy as np
import pytest

pytest.importorskip("sklearn")

from sklearn.base import clone
from sklearn.exceptions import NotFittedError, SkipTestWarning
from sklearn.metrics import f1_score, log_loss
from sklearn.model_selection import GridSearchCV, cross_val_score
from sklearn.pipeline import Pipeline
from sklearn.preprocessing import FunctionTransformer
from sklearn.utils import check_X_y
from sklearn.utils.estimator_checks import check_estimator, parametrize_with_checks
from sklearn.utils.validation import check_is_fitted, validate_data

from textkit.classify.model import Classifier
from textkit.sklearn import Documents, TextClassifier
from textkit.text.tokenizer import Tokenizer

WORDS = {"war": "tank army", "love": "kiss heart", "sea": "ship wave"}


def texts_of(names, extra=3):
    return [f"{WORDS.get(name, name)} the w{i % extra}" for i, name in enumerate(names)]


LABELS = [name for name in WORDS for _ in range(15)]
TEXTS = texts_of(LABELS)


def estimator(**settings):
    return TextClassifier(
        **{"model": "embedding", "random_state": 0, "validation": 0.0, "min_ngram_count": 1, **settings}
    )


@pytest.fixture(scope="module")
def fitted():
    return estimator().fit(TEXTS, LABELS)


# --- one label a text --------------------------------------------------------------------------------------


def test_fit_predict_and_attributes(fitted):
    assert fitted.classes_.tolist() == ["love", "sea", "war"]
    assert fitted.predict(["kiss", "tank army"]).tolist() == ["love", "war"]
    p = fitted.predict_proba(TEXTS)
    assert (p.shape, p.dtype) == ((45, 3), np.float64)
    assert p.sum(1) == pytest.approx(1)
    assert fitted.decision_function(TEXTS).shape == (45, 3)
    assert (fitted.decision_function(TEXTS).argmax(1) == p.argmax(1)).all()
    assert fitted.score(TEXTS, LABELS) == 1
    assert log_loss(LABELS, p) < 0.5
    assert isinstance(fitted.model_, Classifier)
    assert fitted.model_.labels == ["love", "sea", "war"]


@pytest.mark.parametrize("classes", [[3, 1, 2], [2.0, 1.0, -1.0], [True, False], ["", "b", "c"], ["1", "01", "1.0"]])
def test_labels_of_every_type(classes):
    y = np.array([classes[i % len(classes)] for i in range(45)])
    texts = [f"t{i % len(classes)} t{i % len(classes)}" for i in range(45)]
    found = estimator().fit(texts, y)
    assert found.classes_.dtype == y.dtype
    assert found.predict(texts).tolist() == y.tolist()
    assert found.predict(texts).dtype == y.dtype


def test_two_classes_have_one_score():
    found = estimator().fit(TEXTS[:30], LABELS[:30])
    scores = found.decision_function(TEXTS[:30])
    assert scores.shape == (30,)
    assert (found.classes_[(scores > 0).astype(int)] == found.predict(TEXTS[:30])).all()


@pytest.mark.parametrize("kind", [list, tuple, np.array, lambda x: np.array(x, object)])
def test_kinds_of_sequences(kind):
    assert estimator().fit(kind(TEXTS), kind(LABELS)).score(kind(TEXTS), kind(LABELS)) == 1


def test_sample_weights_count(fitted):
    texts, labels = ["a b"] * 20, ["x", "y"] * 10
    heavy = estimator().fit(texts, labels, sample_weight=[1, 9] * 10).predict_proba(["a b"])[0]
    assert heavy[1] > 0.7
    none = estimator().fit(TEXTS, LABELS, sample_weight=None).predict_proba(TEXTS)
    assert none == pytest.approx(estimator().fit(TEXTS, LABELS, sample_weight=np.ones(45)).predict_proba(TEXTS))
    assert none == pytest.approx(fitted.predict_proba(TEXTS))


def test_class_weights_count():
    texts, labels = ["a b"] * 20, ["x"] * 15 + ["y"] * 5
    plain, balanced, chosen = (
        estimator(class_weight=weight).fit(texts, labels).predict_proba(["a b"])[0, 1]
        for weight in (None, "balanced", {"y": 9})
    )
    assert plain < 0.4 < balanced < 0.6 < chosen
    with pytest.raises(ValueError, match="class_weight"):
        estimator(class_weight="odd").fit(texts, labels)
    with pytest.raises(ValueError, match="not in y"):
        estimator(class_weight={"z": 2}).fit(texts, labels)


def test_random_state():
    first, second = (estimator(random_state=3).fit(TEXTS, LABELS).predict_proba(TEXTS) for _ in range(2))
    assert (first == second).all()
    other = estimator(random_state=4).fit(TEXTS, LABELS).predict_proba(TEXTS)
    assert (first != other).any()
    generator = estimator(random_state=np.random.RandomState(3)).fit(TEXTS, LABELS)
    assert generator.score(TEXTS, LABELS) == 1


@pytest.mark.parametrize("jobs", [None, 1, 2, -1])
def test_jobs(jobs):
    assert estimator(n_jobs=jobs).fit(TEXTS, LABELS).score(TEXTS, LABELS) == 1


def test_tokenizers_and_settings():
    found = estimator(tokenizer=Tokenizer("word", lowercase=True), settings={"end_mark": True}, chars=(2, 3), dim=4)
    found.fit([text.upper() for text in TEXTS], LABELS)
    assert found.score(TEXTS, LABELS) == 1
    assert found.model_.config.end_mark
    assert (found.model_.config.dim, found.model_.config.chars) == (4, (2, 3))


# --- several labels a text ---------------------------------------------------------------------------------

SEVERAL = [{"war"}, {"love", "sea"}, {"war", "sea"}, set(), {"love"}] * 12
MANY = [" ".join(WORDS[name] for name in sorted(labels)) + " the" for labels in SEVERAL]


def test_list_of_sets():
    found = estimator().fit(MANY, SEVERAL)
    assert found.classes_.tolist() == ["love", "sea", "war"]
    assert found.predict(MANY) == SEVERAL
    assert found.score(MANY, SEVERAL) == 1
    assert found.score(MANY, [set()] * 60) == pytest.approx(0.2)
    assert found.predict_proba(MANY).shape == (60, 3)


@pytest.mark.parametrize("sparse", [False, True])
def test_indicator_matrix(sparse):
    matrix = np.array([[name in labels for name in sorted(WORDS)] for labels in SEVERAL], int)
    y = matrix
    if sparse:
        y = pytest.importorskip("scipy.sparse").csr_matrix(matrix)
    found = estimator().fit(MANY, y)
    assert found.classes_.tolist() == [0, 1, 2]
    assert (found.predict(MANY) == matrix).all()
    assert found.decision_function(MANY).shape == found.predict_proba(MANY).shape == (60, 3)
    assert ((found.decision_function(MANY) > 0) == matrix).all()
    assert f1_score(matrix, found.predict(MANY), average="macro") == 1
    assert found.score(MANY, matrix) == 1


# --- the ways of scikit-learn -------------------------------------------------------------------------------


def test_clone_and_parameters(fitted):
    copy = clone(fitted.set_params(class_weight=None))
    assert copy.get_params() == fitted.get_params()
    assert not hasattr(copy, "classes_")
    with pytest.raises(NotFittedError):
        copy.predict(TEXTS)
    with pytest.raises(ValueError, match="Invalid parameter"):
        copy.set_params(nonsense=1)


def test_pickle(fitted):
    copy = pickle.loads(pickle.dumps(fitted))
    assert (copy.predict_proba(TEXTS) == fitted.predict_proba(TEXTS)).all()
    assert len(pickle.dumps(fitted)) < 200_000  # the texts are not in it


def test_grid_search_pipeline_and_cross_validation():
    lower = FunctionTransformer(lambda texts: [text.lower() for text in texts])
    pipeline = Pipeline([("lower", lower), ("classify", estimator())])
    search = GridSearchCV(pipeline, {"classify__dim": [2, 5], "classify__word_ngrams": [1]}, cv=3)
    search.fit([text.upper() for text in TEXTS], LABELS)
    assert search.best_score_ == 1
    assert search.predict(["KISS heart"]).tolist() == ["love"]
    assert cross_val_score(estimator(), TEXTS, LABELS, cv=3).mean() == 1
    scores = cross_val_score(estimator(), TEXTS, LABELS, cv=3, scoring="neg_log_loss", n_jobs=2)
    assert (scores > -0.7).all()


def parts_of(texts, labels, size):
    order = np.random.default_rng(0).permutation(len(texts))
    texts, labels = [texts[i] for i in order], [labels[i] for i in order]
    return [(texts[i : i + size], labels[i : i + size]) for i in range(0, len(texts), size)]


@pytest.mark.parametrize("model", ["linear", "embedding", "auto"])
def test_partial_fit(model):
    grown, seen = estimator(model=model), 0
    for texts, labels in parts_of(TEXTS, LABELS, 15):
        assert grown.partial_fit(texts, labels, classes=sorted(WORDS)) is grown
        seen += len(texts)
        assert grown.model_.report["documents"] == grown.model_.label_counts.sum() == seen
        held = [value for value in vars(grown).values() if isinstance(value, Documents)]
        assert not held  # no text is kept
    assert grown.score(TEXTS, LABELS) > 0.9
    before = grown.predict_proba(TEXTS)
    copy = pickle.loads(pickle.dumps(grown))
    assert (copy.predict_proba(TEXTS) == before).all()
    for each in (grown, copy):
        each.partial_fit(["kiss kiss bang"] * 3, ["war"] * 3, sample_weight=[50] * 3)
    assert (copy.predict_proba(TEXTS) == grown.predict_proba(TEXTS)).all()
    assert grown.predict(["kiss kiss bang"]) == ["war"]
    with pytest.raises(ValueError, match="not among the classes"):
        grown.partial_fit(["a"], ["peace"])
    with pytest.raises(ValueError, match="differ"):
        grown.partial_fit(["a"], ["war"], classes=["war"])
    with pytest.raises(ValueError, match="another kind"):
        grown.partial_fit(["a"], np.array([[0, 1, 1]]))


def test_partial_fit_goes_on_from_fit():
    (texts, labels), (more, others), *_ = parts_of(TEXTS, LABELS, 20)
    fitted = estimator(model="linear").fit(texts, labels)
    begun = estimator(model="linear").partial_fit(texts, labels)
    assert (fitted.predict_proba(TEXTS) == begun.predict_proba(TEXTS)).all()
    lost = pickle.loads(pickle.dumps(fitted))
    fitted.partial_fit(more, others), begun.partial_fit(more, others)
    assert (fitted.predict_proba(TEXTS) == begun.predict_proba(TEXTS)).all()
    with pytest.raises(ValueError, match="begin with partial_fit"):
        lost.partial_fit(more, others)
    embedded = pickle.loads(pickle.dumps(estimator().fit(texts, labels)))
    assert embedded.partial_fit(more, others).model_.report["documents"] == 40


def test_partial_fit_knows_classes_that_come_later():
    grown = estimator().partial_fit(TEXTS[:30], LABELS[:30], classes=["love", "sea", "war", "xmas"])
    assert grown.predict_proba(["kiss"]).shape == (1, 4)
    grown.partial_fit(["ho ho ho snow"] * 5, ["xmas"] * 5)
    assert grown.predict(["ho ho ho"]) == ["xmas"]


@pytest.mark.parametrize("model", ["linear", "embedding"])
def test_partial_fit_of_several_labels(model):
    sets = estimator(model=model).partial_fit(MANY[:30], SEVERAL[:30]).partial_fit(MANY[30:], SEVERAL[30:])
    assert sets.score(MANY, SEVERAL) > 0.9
    sets.partial_fit(["nothing at all here"] * 20, [set()] * 20)
    assert sets.predict(["nothing at all"]) == [set()]


# --- what it refuses ---------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("X", "y", "message"),
    [
        ("one text", ["a"], "one string"),
        ([], [], "0 sample"),
        ([["a"], ["b"]], ["x", "y"], "is no string"),
        (np.array([["a"], ["b"]]), ["x", "y"], "shape"),
        ([1, 2], ["x", "y"], "is no string"),
        (["a", None], ["x", "y"], "is no string"),
        (["a", "b"], ["x"], "inconsistent"),
        (["a", "b"], None, "target y is None"),
        (["a", "b"], [0.1, 0.7], "continuous"),
        (["", " "], ["x", "y"], "no token"),
    ],
)
def test_bad_input(X, y, message):
    with pytest.raises(ValueError, match=message):
        estimator().fit(X, y)


@pytest.mark.parametrize("weight", [[1], [-1, 1], [float("nan"), 1], [[1], [1]], [0, 0]])
def test_bad_weights(weight):
    with pytest.raises(ValueError, match="sample_weight"):
        estimator().fit(["a", "b"], ["x", "y"], sample_weight=weight)


@pytest.mark.parametrize("settings", [{"dim": 0}, {"settings": {"odd": 1}}, {"tokenizer": "odd"}, {"loss": "odd"}])
def test_bad_settings_are_refused_in_fit_only(settings):
    made = estimator(**settings)
    with pytest.raises(ValueError):
        made.fit(TEXTS, LABELS)


def test_asking_with_nothing(fitted):
    with pytest.raises(ValueError, match="0 sample"):
        fitted.predict([])
    assert fitted.predict(["", "unknown words"]).shape == (2,)


# --- scikit-learn's own checks -----------------------------------------------------------------------------


class NumbersAsText(TextClassifier):
    """Rows of a table as text, so that checks that only know numbers apply: each cell is some words."""

    def __sklearn_tags__(self):
        tags = super().__sklearn_tags__()
        tags.input_tags.two_d_array, tags.input_tags.one_d_array, tags.input_tags.string = True, False, False
        return tags

    def _texts(self, X, reset):
        X = validate_data(self, X, reset=reset)
        steps = np.clip(np.round(X * 2), -20, 20).astype(int)
        return [" ".join(f"f{j}>{k}" for j, n in enumerate(row) for k in range(-20, n + 1)) for row in steps.tolist()]

    def fit(self, X, y, sample_weight=None):
        if y is None:
            raise ValueError("requires y to be passed, but the target y is None")
        X, y = check_X_y(X, y, multi_output=True)
        return super().fit(self._texts(X, True), y, sample_weight)

    def partial_fit(self, X, y, classes=None, sample_weight=None):
        return super().partial_fit(self._texts(X, not hasattr(self, "classes_")), y, classes, sample_weight)

    def _encoded(self, X):
        check_is_fitted(self, "classes_")
        return super()._encoded(self._texts(X, False))


EXPECTED_FAILURES = {
    "check_sample_weight_equivalence_on_dense_data": "stochastic steps: a weight of 2 is one step, not two",
}


@parametrize_with_checks(
    [NumbersAsText("embedding", tokenizer="whitespace", word_ngrams=1, random_state=0, validation=0.0)],
    expected_failed_checks=lambda estimator: EXPECTED_FAILURES,
)
def test_checks_of_scikit_learn(estimator, check):
    check(estimator)


def test_scikit_learn_knows_that_it_takes_text():
    with pytest.warns(SkipTestWarning, match="string=True"):
        check_estimator(TextClassifier())


def test_without_scikit_learn_the_error_says_what_to_do():
    code = "import sys; sys.modules['sklearn'] = None\nimport textkit.sklearn"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=False)
    assert "pip install 'textkit[sklearn]'" in done.stderr
