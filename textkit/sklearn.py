"""The classifier as an estimator of scikit-learn: `TextClassifier`. Needs the extra `sklearn`."""

from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from functools import partial
from typing import Any

import numpy as np

from .classify.config import ClassifierConfig
from .classify.continuing import Memory
from .classify.data import LabelledCorpus, from_memory
from .classify.labelling import Ragged
from .classify.model import Classifier
from .errors import MissingExtraError, TextkitError
from .parallel import thread_count
from .text.tokenizer import Tokenizer

try:
    from sklearn.base import BaseEstimator, ClassifierMixin
    from sklearn.metrics import accuracy_score
    from sklearn.utils import check_consistent_length, check_random_state, column_or_1d
    from sklearn.utils.multiclass import check_classification_targets, type_of_target
    from sklearn.utils.validation import check_is_fitted
except ImportError:
    raise MissingExtraError("scikit-learn", "sklearn") from None

_SETTINGS = (
    "loss", "word_ngrams", "chars", "buckets", "min_count", "min_ngram_count", "dim", "epochs", "rate", "l2", "dropout",
    "smoothing", "validation", "patience",
)  # fmt: skip
_NOBODY = "\N{EMPTY SET}"  # the label of documents that have none where others have several


class TextClassifier(ClassifierMixin, BaseEstimator):
    """Labels for texts: `X` is a sequence of strings, there is no vectorizer before it.

    Labels `y` are one for each text, of any type that NumPy can sort; or where a text may have any number of them, an
    indicator matrix (n_samples, n_classes), or a list of sets.

    Args:
        model: "auto", "embedding" or "linear".
        loss, word_ngrams, chars, buckets, min_count, min_ngram_count, dim, epochs, rate, l2, dropout, smoothing,
            validation, patience: see `textkit.classify.config.ClassifierConfig`; None for what is usual there.
        settings: a dictionary of others of its settings.
        class_weight: None, "balanced", or a dictionary from classes to weights.
        tokenizer: a name ("word", "whitespace", "char", "regex:PATTERN") or a `Tokenizer`.
        random_state: None, a number, or a `RandomState`.
        n_jobs: threads, None for 1, -1 for all cores. With one thread a number as `random_state` makes equal models.

    Attributes:
        classes_: the labels in order, (n_classes,).
        model_: the `Classifier`; its labels are the classes as strings.
    """

    def __init__(
        self,
        model: str = "auto",
        *,
        loss: str | None = None,
        word_ngrams: int | None = None,
        chars: tuple[int, int] | None = None,
        buckets: int | None = None,
        min_count: int | None = None,
        min_ngram_count: int | None = None,
        dim: int | None = None,
        epochs: int | None = None,
        rate: float | None = None,
        l2: float | None = None,
        dropout: float | None = None,
        smoothing: float | None = None,
        validation: float | None = None,
        patience: int | None = None,
        settings: dict[str, Any] | None = None,
        class_weight: str | dict | None = None,
        tokenizer: str | Tokenizer = "word",
        random_state: Any = None,
        n_jobs: int | None = None,
    ) -> None:
        self.model = model
        self.loss = loss
        self.word_ngrams = word_ngrams
        self.chars = chars
        self.buckets = buckets
        self.min_count = min_count
        self.min_ngram_count = min_ngram_count
        self.dim = dim
        self.epochs = epochs
        self.rate = rate
        self.l2 = l2
        self.dropout = dropout
        self.smoothing = smoothing
        self.validation = validation
        self.patience = patience
        self.settings = settings
        self.class_weight = class_weight
        self.tokenizer = tokenizer
        self.random_state = random_state
        self.n_jobs = n_jobs

    _model: Classifier
    _memory: Memory | None  # of a linear model that partial_fit trains on
    _fitted: "Documents | None"  # what fit was given

    def __sklearn_tags__(self) -> Any:
        tags = super().__sklearn_tags__()
        tags.input_tags.one_d_array, tags.input_tags.two_d_array = True, False
        tags.input_tags.string = True
        tags.classifier_tags.multi_label = True
        return tags

    # --- training -------------------------------------------------------------------------------------------

    def fit(self, X: Any, y: Any, sample_weight: Any = None) -> "TextClassifier":
        """Train on texts and their labels.

        Args:
            sample_weight: of each text, (n_samples,), 0 or more.

        Raises:
            ValueError: what is no text, no label, or too little of them.
        """
        documents = self._checked(X, Targets.of, y, sample_weight)
        self._learn(documents.targets)
        self._model, self._memory, self._fitted = self._trained(documents), None, documents
        return self

    def partial_fit(self, X: Any, y: Any, classes: Any = None, sample_weight: Any = None) -> "TextClassifier":
        """Train on with further texts, after `fit` or earlier calls; what came before is not needed again.

        Texts come in parts of hundreds or more, for each part is fitted as closely as `fit` would. The first part
        decides what is tried out: `model="auto"`, and what the linear model's costs are. The linear model takes what
        it has learned as the prior of the next part, see `textkit.classify.continuing`, and after any number of parts
        is about as good as one `fit` of all texts. Memory grows with the words of all texts, not with the texts;
        only those of `fit` are kept until the first call after it, and go when the estimator is pickled.

        Args:
            classes: all labels that there will be, in the first call; without it those of the first call.

        Raises:
            ValueError: a label that was not among the classes; or after `fit` and pickling, of the linear model.
        """
        before = hasattr(self, "classes_")
        if before:
            if classes is not None and not np.array_equal(np.unique(classes), self.classes_):
                raise ValueError(f"classes={classes!r} differ from those of an earlier call, {self.classes_!r}.")
            classes = self.classes_
        of = Targets.of if classes is None else partial(Targets.within, classes=classes)
        documents = self._checked(X, of, y, sample_weight)
        if before and documents.targets.kind != self._kind:
            raise ValueError("y is of another kind than in an earlier call.")
        try:
            self._model, self._memory = self._trained_on(documents) if before else self._begun(documents)
        except TextkitError as error:
            raise ValueError(str(error)) from error
        self._learn(documents.targets)
        self._fitted = None
        return self

    def _begun(self, documents: "Documents") -> tuple[Classifier, Memory | None]:
        model = self._trained(documents, spare=True)
        return model, self._remembered(model, documents)

    def _remembered(self, model: Classifier, documents: "Documents") -> Memory | None:
        """What it takes to train a linear model on after these documents."""
        return (
            Memory.of(model, self._data(documents, model.labels), self._threads)
            if model.head.kind == "linear"
            else None
        )

    def _trained_on(self, documents: "Documents") -> tuple[Classifier, Memory | None]:
        model, memory, threads = self.model_, self._memory, self._threads
        data = self._data(documents, model.labels)
        if model.head.kind != "linear":
            seen = int(model.report["documents"]) + len(data)
            config = self._config(documents.targets).for_documents(seen)  # epochs of few documents would undo the rest
            config = config.with_(model="embedding", loss=model.head.loss)
            made = Classifier.train_on(data, config, threads=threads, base=model)
            made.report["documents"] = seen
            return made, None
        if len(data.labels) > len(model.labels):
            raise ValueError("y has texts without a label, as fit had none: begin with partial_fit.")
        if memory is None and self._fitted is not None:
            memory = self._remembered(model, self._fitted)
        if memory is None:
            raise ValueError(
                "a linear model goes on only with what there is to remember of the texts of fit, and that went when it "
                "was pickled: begin with partial_fit, or take model='embedding'."
            )
        parts, memory = memory.trained_on(model, data, threads)
        return Classifier.of(parts), memory

    def __getstate__(self) -> dict[str, Any]:
        state = {**super().__getstate__()}
        return {**state, "_fitted": None} if "_fitted" in state else state

    @staticmethod
    def _checked(X: Any, targets_of: Callable[..., "Targets"], y: Any, sample_weight: Any) -> "Documents":
        texts = checked_texts(X)
        return Documents(texts, targets_of(y, len(texts)), checked_weights(sample_weight, len(texts)))

    def _learn(self, targets: "Targets") -> None:
        self.classes_, self._kind = targets.classes, targets.kind

    @property
    def model_(self) -> Classifier:
        """The trained model."""
        check_is_fitted(self, "classes_")
        return self._model

    def _trained(self, documents: "Documents", spare: bool = False) -> Classifier:
        try:
            data = self._data(documents, documents.targets.names(spare))
            return Classifier.train_on(data, self._config(documents.targets), threads=self._threads)
        except TextkitError as error:
            raise ValueError(str(error)) from error

    def _data(self, documents: "Documents", labels: list[str]) -> LabelledCorpus:
        """Documents as numbers, with these labels in advance."""
        targets, weights = documents.targets, documents.weighted(self.class_weight)
        splitter = self.tokenizer if isinstance(self.tokenizer, Tokenizer) else Tokenizer(self.tokenizer)
        return from_memory(
            documents.texts, targets.names_of_each(), weights, splitter,
            known=labels, min_count=self._config(targets).min_count, threads=self._threads,
        )  # fmt: skip

    def _config(self, targets: "Targets") -> ClassifierConfig:
        given = {name: getattr(self, name) for name in _SETTINGS if getattr(self, name) is not None}
        given |= {"model": self.model, **(self.settings or {})}
        if targets.kind != "single":
            given.setdefault("loss", "ova")
        if self.class_weight == "balanced":
            given["class_weights"] = "balanced"
        elif not (self.class_weight is None or isinstance(self.class_weight, dict)):
            raise ValueError(f"class_weight={self.class_weight!r} is none: give 'balanced', a dictionary, or None.")
        given.setdefault("seed", int(check_random_state(self.random_state).randint(1 << 31)))
        return ClassifierConfig().with_(**given)

    @property
    def _threads(self) -> int:
        if self.n_jobs is None:
            return 1
        return max(1, thread_count(None) + 1 + self.n_jobs) if self.n_jobs < 0 else thread_count(self.n_jobs)

    # --- asking ---------------------------------------------------------------------------------------------

    def predict_proba(self, X: Any) -> np.ndarray:
        """Probabilities (n_samples, n_classes); they sum to one where a text has one label."""
        model, bags = self._encoded(X)
        p = model.probabilities(bags, self._threads).astype(np.float64)[:, : len(self.classes_)]
        if self._kind == "single":
            p /= np.maximum(p.sum(axis=1, keepdims=True), 1e-300)
        return p

    def decision_function(self, X: Any) -> np.ndarray:
        """Scores before they become probabilities, (n_samples, n_classes); of two exclusive classes (n_samples,)."""
        model, bags = self._encoded(X)
        scores = model.logits(bags, self._threads).astype(np.float64)[:, : len(self.classes_)]
        if self._kind == "single" and len(self.classes_) == 2:
            return scores[:, 1] - scores[:, 0]
        return scores

    def predict(self, X: Any) -> Any:
        """The label of each text; where it may have several, an indicator matrix, or a list of sets, as in training."""
        p = self.predict_proba(X)
        if self._kind == "single":
            return self.classes_[p.argmax(axis=1)]
        chosen = p >= 0.5
        return chosen.astype(np.int64) if self._kind == "indicator" else [set(self.classes_[row]) for row in chosen]

    def score(self, X: Any, y: Any, sample_weight: Any = None) -> float:
        """The share of texts whose labels are all right."""
        found = self.predict(X)
        if self._kind != "sets":
            return float(accuracy_score(y, found, sample_weight=sample_weight))
        right = [set(wanted) == labels for wanted, labels in zip(y, found, strict=True)]
        return float(np.average(right, weights=sample_weight))

    def _encoded(self, X: Any) -> tuple[Classifier, Ragged]:
        model = self.model_
        return model, model.encode(checked_texts(X), self._threads)


# --- what estimators are given ----------------------------------------------------------------------------


def checked_texts(X: Any) -> list[str]:
    """Texts as a list.

    Raises:
        ValueError: a single string, a table, nothing at all, or something that is no string.
    """
    if isinstance(X, str | bytes):
        raise ValueError("X is one string: give a sequence of texts.")
    if getattr(X, "ndim", 1) != 1 or not isinstance(X, Iterable):
        shape = getattr(X, "shape", None)
        raise ValueError(f"X is a {type(X).__name__} of shape {shape}: give a sequence of texts, such as one column.")
    texts = list(X)
    if not texts:
        raise ValueError("Found array with 0 sample(s): there must be a text.")
    for i, text in enumerate(texts):
        if not isinstance(text, str):
            raise ValueError(f"X[{i}] is no string but {text!r:.60}.")
    return texts


def checked_weights(given: Any, samples: int) -> np.ndarray | None:
    """Sample weights as float64 (n,), or None. Raises ValueError where they are none."""
    if given is None:
        return None
    weights = np.asarray(given, np.float64)
    if weights.ndim == 0:
        weights = np.full(samples, float(weights))
    if weights.shape != (samples,) or not np.isfinite(weights).all() or (weights < 0).any():
        raise ValueError(f"sample_weight must be {samples} numbers from 0 on; it has the shape {weights.shape}.")
    if not weights.any():
        raise ValueError("sample_weight is zero for every text.")
    return weights


@dataclass
class Targets:
    """Labels of texts.

    Attributes:
        kind: "single", "indicator" or "sets".
        classes: (n_classes,), in order.
        gold: numbers of classes, a list for each text.
    """

    kind: str
    classes: np.ndarray
    gold: list[list[int]]

    @classmethod
    def of(cls, y: Any, samples: int) -> "Targets":
        """Labels whose classes are those that occur; of an indicator matrix its columns.

        Raises:
            ValueError: what is no label, or not one for each text.
        """
        kind, y = _kind_of(y, samples)
        if kind == "indicator":
            return cls.within(y, samples, np.arange(y.shape[1]))
        labels = np.unique(y) if kind == "single" else _sorted({label for labels in y for label in labels})
        return cls.within(y, samples, labels)

    @classmethod
    def within(cls, y: Any, samples: int, classes: Any) -> "Targets":
        """Labels whose classes are known. Raises ValueError for another one."""
        kind, y = _kind_of(y, samples)
        classes = np.asarray(classes) if kind == "indicator" else _sorted(set(np.asarray(classes).tolist()))
        if kind == "indicator":
            if y.shape[1] != len(classes):
                raise ValueError(f"y has {y.shape[1]} columns, but there are {len(classes)} classes.")
            return cls(kind, classes, [np.flatnonzero(row).tolist() for row in y])
        numbers = {label: number for number, label in enumerate(classes.tolist())}
        lists = [[label] for label in y.tolist()] if kind == "single" else [list(labels) for labels in y]
        if unknown := {label for labels in lists for label in labels} - set(numbers):
            raise ValueError(f"y has labels that are not among the classes: {sorted(map(repr, unknown))[:5]}.")
        return cls(kind, classes, [sorted({numbers[label] for label in labels}) for labels in lists])

    def names(self, spare: bool = False) -> list[str]:
        """The classes as strings, and one more where a text has none of them, or with `spare` may have none."""
        names = [str(label) for label in self.classes.tolist()]
        if len(set(names)) < len(names) or not all(name.strip() for name in names):
            names = [repr(label) for label in self.classes.tolist()]
        return names + [_NOBODY] * (not all(self.gold) or (spare and self.kind != "single"))

    def names_of_each(self) -> list[list[str]]:
        """The names of each text's classes."""
        names = self.names()
        return [[names[number] for number in numbers] or [_NOBODY] for numbers in self.gold]


@dataclass
class Documents:
    """Texts with labels and weights."""

    texts: list[str]
    targets: Targets
    weights: np.ndarray | None

    def weighted(self, class_weight: str | dict | None) -> list[float] | None:
        """The weight of each text; of several classes the mean of theirs."""
        weights = self.weights
        if isinstance(class_weight, dict):
            labels = self.targets.classes.tolist()
            if unknown := [label for label in class_weight if label not in labels]:
                raise ValueError(f"class_weight has classes that are not in y: {unknown[:5]!r}.")
            of_class = np.array([class_weight.get(label, 1.0) for label in labels], np.float64)
            of_text = np.array([of_class[numbers].mean() if numbers else 1.0 for numbers in self.targets.gold])
            weights = of_text if weights is None else weights * of_text
        return None if weights is None else weights.tolist()


def _kind_of(y: Any, samples: int) -> tuple[str, Any]:
    """Which kind of labels these are, and the labels as an array, or as a list of sets."""
    if y is None:
        raise ValueError("This TextClassifier estimator requires y to be passed, but the target y is None.")
    several = isinstance(y, Sequence) and all(isinstance(labels, set | frozenset | list | tuple) for labels in y)
    if several and y and not _is_matrix(y):
        check_consistent_length(range(samples), y)
        return "sets", list(y)
    if type_of_target(y, input_name="y") == "multilabel-indicator":
        matrix = y.toarray() if hasattr(y, "toarray") else np.asarray(y)
        check_consistent_length(range(samples), matrix)
        return "indicator", matrix
    column = column_or_1d(y, warn=True)
    check_classification_targets(column)
    check_consistent_length(range(samples), column)
    return "single", column


def _is_matrix(y: Sequence[Any]) -> bool:
    """Whether lists are the rows of an indicator matrix."""
    if any(isinstance(labels, set | frozenset) for labels in y) or len({len(labels) for labels in y}) != 1:
        return False
    return len(y[0]) > 0 and all(isinstance(value, int | np.integer) and value in (0, 1) for row in y for value in row)


def _sorted(labels: set) -> np.ndarray:
    """Labels in order as an array; tuples and mixed types as objects."""
    ordered = sorted(labels)
    found = np.empty(len(ordered), object)
    found[:] = ordered
    same = {type(label) for label in ordered}
    return np.array(ordered) if same <= {str} or same <= {int} or same <= {bool} or same <= {float} else found
