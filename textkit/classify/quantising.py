"""Smaller classifiers: the features that matter most, their vectors as codes of codebooks, as many as a size allows."""

from collections.abc import Callable
from dataclasses import dataclass, replace
from typing import Any

import numpy as np

from .. import files
from ..errors import UsageError
from ..formats import fasttext
from ..text.corpus import EncodedCorpus
from .characters import ExactPieces
from .data import LabelledCorpus
from .embedding import EmbeddingHead
from .exporting import as_hashed, fasttext_model
from .features import Features
from .hashed import HashedFeatures
from .labelling import Ragged
from .model import Classifier
from .ngrams import BucketNgrams, ExactNgrams
from .pruning import pruned
from .small_heads import Small, codable, coded_head, draft_head, moved, width_of_rows

WIDTHS = (1, 2, 4)  # coordinates of a row that share a byte
_TRIES = 8  # to meet a size
_CLOSE = 0.99  # of the size is near enough
_DOCUMENTS = 1 << 13
_CHOOSERS = 4_000  # documents to choose a width by
_MANY_LABELS = 2_000  # from so many on, labels' vectors are coded, too


@dataclass(frozen=True)
class Smaller:
    """How to make a model smaller.

    Args:
        size: bytes that the file may have; None for all features.
        features: keep so many at most; None for as many as fit.
        width: coordinates of a row that share a byte: 1, 2 or 4; None tries all where there is text to choose by.
        norms: a byte for the length of each row; None for rows of more than two numbers.
        output: code the labels' vectors, too; None from 2,000 labels on.
        fasttext: the size is that of a .ftz file.
        seed: of the codebooks.

    Raises:
        UsageError: an impossible value.
    """

    size: int | None = None
    features: int | None = None
    width: int | None = None
    norms: bool | None = None
    output: bool | None = None
    fasttext: bool = False
    seed: int = 0

    def __post_init__(self) -> None:
        if self.width is not None and not 1 <= self.width <= 1024:
            raise UsageError(f"--width {self.width} makes no sense.", "2 is usual.")
        if self.features is not None and self.features < 1:
            raise UsageError(f"--features {self.features} makes no sense.", "Keep at least one.")


def quantised(
    classifier: Classifier, how: Smaller, text: EncodedCorpus | None = None, threads: int | None = None
) -> Classifier:
    """A smaller model.

    Features are kept by how far they move labels apart and how often they occur. Of several widths that one is taken
    whose model says most nearly what the whole one says of the text.

    Args:
        text: some documents, without labels, to choose the width and to fit the sharpness of probabilities by.

    Raises:
        UsageError: a model that is quantised already, or a size that it cannot have.
    """
    base = _base(classifier)
    head = codable(base.head)
    base, dim = replace(base, head=head), width_of_rows(head)
    how = replace(how, norms=dim > 2 if how.norms is None else how.norms)
    usual = [width for width in WIDTHS if width <= dim] if text is not None else [min(2, dim)]
    chosen = [min(how.width, dim)] if how.width else usual
    order, made = np.argsort(-importance(base), kind="stable"), []
    documents = np.arange(0 if text is None else text.lines)
    documents = documents[:: max(1, len(documents) // _CHOOSERS)]
    expected = None
    if text is not None:
        expected = classifier.probabilities(classifier.features.bags(text, documents, threads))
    for width in chosen:
        model, distance = _fitting(base, order, replace(how, width=width), threads), 0.0
        if text is not None and expected is not None:
            bags = model.features.bags(text, documents, threads)
            model, distance = _sharpened(model, bags, expected, threads)
        made.append((distance, model))
    return min(made, key=lambda found: found[0])[1]


def _base(classifier: Classifier) -> Classifier:
    """The model in a form that features can be taken out of."""
    features = classifier.features
    hashed = isinstance(features, Features) and isinstance(features.ngrams, BucketNgrams)
    return as_hashed(classifier) if hashed and isinstance(classifier.head, EmbeddingHead) else classifier


def importance(classifier: Classifier) -> np.ndarray:
    """How much each feature matters, float32 (R,): how far it moves labels apart, times the root of its count."""
    return moved(codable(classifier.head)) * np.sqrt(_counts(classifier.features)).astype(np.float32)


def _counts(features: Features | HashedFeatures) -> np.ndarray:
    """How often each feature occurred in training, float64 (R,); 1 for those of which that is not known."""
    counts = np.ones(len(features), np.float64)
    if isinstance(features, Features):
        counts[: len(features.vocabulary)] = features.vocabulary.counts
        if isinstance(features.ngrams, ExactNgrams) and len(features.ngrams.counts):
            counts[features.ngrams.first :] = features.ngrams.counts
    return np.maximum(counts, 1)


# --- one width -----------------------------------------------------------------------------------------------


def _fitting(base: Classifier, order: np.ndarray, how: Smaller, threads: int | None) -> Classifier:
    """The model with as many of the best features as the size allows."""
    most = len(order) if how.features is None else min(how.features, len(order))
    if how.size is not None:
        size_of = fasttext_size if how.fasttext else file_size
        most = _count_that_fits(lambda count: size_of(_coded(base, order[:count], how, 1, draft=True)), most, how.size)
    return _coded(base, order[:most], how, threads)


def _count_that_fits(size_of: Callable[[int], int], most: int, limit: int) -> int:
    """The largest number of features, nearly, whose model has at most `limit` bytes, by the rule of false position."""
    low, high = (0, size_of(0)), (most, size_of(most))
    if high[1] <= limit:
        return most
    if low[1] >= limit:
        raise UsageError(
            f"the model cannot have {limit:,} bytes: without any feature it has {low[1]:,}.",
            "Give a larger --size; or train with fewer dimensions, or without --buckets.",
        )
    for _ in range(_TRIES):
        count = low[0] + int((high[0] - low[0]) * (limit - low[1]) / (high[1] - low[1]))
        count = min(max(count, low[0] + 1), high[0] - 1)
        if count <= low[0]:
            break
        tried = count, size_of(count)
        low, high = (tried, high) if tried[1] <= limit else (low, tried)
        if low[1] >= _CLOSE * limit:
            break
    return max(low[0], 1)


def _coded(base: Classifier, rows: np.ndarray, how: Smaller, threads: int | None, draft: bool = False) -> Classifier:
    """The model with these features, as codes; a `draft` has the right size and codes of nothing."""
    head = codable(base.head)
    assert how.width is not None
    features, old = base.features, np.arange(len(rows))
    if len(rows) < len(base.features):
        features, old = pruned(base.features, rows)
    output = how.output if how.output is not None else head.labels >= _MANY_LABELS
    width, norms = how.width, bool(how.norms)
    small: Small
    if draft:
        small = draft_head(head, len(old), width=width, norms=norms, output=output)
    else:
        weights = np.sqrt(_counts(base.features)[old]).astype(np.float32)
        small = coded_head(
            head, old, weights, width=width, norms=norms, output=output, seed=how.seed, threads=threads
        )  # fmt: skip
    report = {**base.report, "quantised": {"features": len(old), "of": len(base.features), "width": how.width}}
    return replace(base, features=_light(features), head=small, report=report)


def _light(features: Features | HashedFeatures) -> Features | HashedFeatures:
    """Without counts, which only training needs, and tables that are made again when they are needed."""
    if isinstance(features, HashedFeatures):
        return features
    pieces, ngrams = features.pieces, features.ngrams
    if isinstance(pieces, ExactPieces):
        pieces = ExactPieces(pieces.lengths, pieces.names.words_alone())
    if isinstance(ngrams, ExactNgrams):
        ngrams = replace(ngrams, counts=np.zeros(0, np.int64))
    return replace(features, vocabulary=features.vocabulary.words_alone(), pieces=pieces, ngrams=ngrams)


def file_size(classifier: Classifier) -> int:
    """Bytes of the container that a model would be saved as."""
    kind, header, arrays = classifier.container()
    lead, _ = files.plan(kind, header, {name: (array.dtype, array.shape) for name, array in arrays.items()})
    return len(lead) + sum(array.nbytes for array in arrays.values())


def fasttext_size(classifier: Classifier) -> int:
    """Bytes of the .ftz that a model with hashed features would be written as."""
    return fasttext.file_size(fasttext_model(as_hashed(classifier)))


# --- probabilities -------------------------------------------------------------------------------------------


def _sharpened(model: Classifier, bags: Ragged, expected: np.ndarray, threads: int | None) -> tuple[Classifier, float]:
    """The model with its outputs scaled so that it says most nearly what is expected, and how far it is from that.

    Without the features that say nothing, those that say much are a larger part of the mean.
    """
    head = model.head
    assert isinstance(head, Small)
    best, scaled = np.inf, head
    for factor in np.geomspace(0.25, 2.0, 19).astype(np.float32):
        trial = head.scaled(float(factor))
        distance = divergence(expected, trial.probabilities(trial.logits(bags, threads)))
        if distance < best:
            best, scaled = distance, trial
    return replace(model, head=scaled), float(best)


def divergence(expected: np.ndarray, found: np.ndarray) -> float:
    """Mean relative entropy of each label's yes and no, in nats a document; probabilities float32 (L, C)."""
    p, q = (np.clip(each.astype(np.float64), 1e-7, 1 - 1e-7) for each in (expected, found))
    return float((p * np.log(p / q) + (1 - p) * np.log((1 - p) / (1 - q))).sum(1).mean())


# --- what it costs -------------------------------------------------------------------------------------------


@dataclass(frozen=True)
class Loss:
    """What a smaller model says of labelled documents, beside the one it was made from.

    Attributes:
        accuracy: the share of documents whose most probable label is one of theirs, before and after.
        log_loss: the mean of -log p of the documents' labels, before and after.
        agreement: the share of documents that get the same label from both.
    """

    accuracy: tuple[float, float]
    log_loss: tuple[float, float]
    agreement: float

    def as_dict(self) -> dict[str, Any]:
        """For JSON."""
        return {
            "accuracy": self.accuracy[1], "accuracy_before": self.accuracy[0], "log_loss": self.log_loss[1],
            "log_loss_before": self.log_loss[0], "agreement": self.agreement,
        }  # fmt: skip


def losses(before: Classifier, after: Classifier, data: LabelledCorpus, threads: int | None = None) -> Loss:
    """Ask both models about the same documents; labels that they do not know count as missed."""
    gold, known = data.gold, len(before.labels)
    owner = np.repeat(np.arange(len(gold)), gold.sizes)
    told, answers = [], []
    for model in (before, after):
        best, right, sums = np.empty(len(data), np.int64), np.zeros(len(data), bool), 0.0
        for first in range(0, len(data), _DOCUMENTS):
            documents = np.arange(first, min(first + _DOCUMENTS, len(data)))
            p = model.probabilities(model.features.bags(data.text, documents, threads), threads)
            best[documents] = p.argmax(1)
            mine = slice(*gold.offsets[[first, documents[-1] + 1]])
            labels, rows = gold.ids[mine], owner[mine]
            there = labels < known
            sums -= float(np.log(np.maximum(p[rows[there] - first, labels[there]].astype(np.float64), 1e-7)).sum())
        np.logical_or.at(right, owner, gold.ids == best[owner])
        answers.append(best)
        told.append((float(right.mean()), sums / max(1, int(np.count_nonzero(gold.ids < known)))))
    (a, b), same = zip(*told, strict=True), float((answers[0] == answers[1]).mean())
    return Loss(a, b, same)
