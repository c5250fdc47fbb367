"""Classifiers as fastText has them: hashed n-grams, whole lines, no bias of labels."""

from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import numpy as np

from .. import files
from ..errors import DataError, UsageError
from ..formats import fasttext
from ..formats.hashing import UNKNOWN, Hashing
from ..formats.matrices import Coded, Dense
from ..text.vocabulary import EOS, SPECIALS
from .embedding import EmbeddingHead
from .features import Features
from .form import PREFIX
from .hashed import HashedFeatures
from .matrix_head import MatrixHead
from .model import Classifier
from .ngrams import BucketNgrams, NoNgrams

_ROWS = 1 << 14
_EXACT = 1e-5  # how far biases may be off where they are folded into rows, relative to the largest
_LARGEST = (1 << 31) - 1


def as_hashed(classifier: Classifier) -> Classifier:
    """The same model with features as fastText has them, those alone that training touched.

    Predictions are the same but for words that it does not know: here n-grams with such words are hashed, too.

    Raises:
        UsageError: a model whose features are kept exactly, or that is no embedding.
    """
    features, head = classifier.features, classifier.head
    if isinstance(features, HashedFeatures):
        return classifier
    if not isinstance(head, EmbeddingHead):
        raise UsageError("fastText has no linear models.", "Train with --model embedding --buckets 2000000.")
    if not isinstance(features.ngrams, BucketNgrams) and (features.config.word_ngrams > 1 or features.pieces):
        raise UsageError(
            "fastText hashes n-grams, this model keeps them exactly.", "Train with --buckets 2000000 --end-mark."
        )
    rows, output, _ = _unbiased(head)
    hashed, numbers = _hashed(features)
    own = Dense.of(rows[numbers])
    return replace(classifier, features=hashed, head=MatrixHead(head.loss, own, output, head.counts))


def _hashed(features: Features) -> tuple[HashedFeatures, np.ndarray]:
    """Features as fastText has them, and for each of their rows the old one, int64."""
    vocabulary, config, ngrams = features.vocabulary, features.config, features.ngrams
    words = np.arange(len(SPECIALS), len(vocabulary))
    listed = np.concatenate([[EOS], words]) if config.end_mark else words
    own = np.full(len(vocabulary), UNKNOWN, np.int32)
    own[listed] = np.arange(len(listed))
    kept, behind = None, np.zeros(0, np.int64)
    if isinstance(ngrams, BucketNgrams):
        behind = ngrams.first + np.arange(len(ngrams))
        kept = np.stack([ngrams.numbers(), np.arange(len(ngrams))], axis=1).astype(np.int32)
    assert isinstance(ngrams, BucketNgrams | NoNgrams)
    buckets = (config.buckets or 0) if kept is not None else 0
    hashing = Hashing.with_kept(len(listed), config.chars or (0, 0), config.word_ngrams, buckets, kept)
    hashed = HashedFeatures(config, vocabulary, own, hashing, kept, b"")
    return hashed, np.concatenate([listed, behind])


def _unbiased(head: EmbeddingHead) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """(rows, output, a row without meaning) with biases in the rows: their mean adds the same to all documents' logits.

    Where no vector gives all labels their bias, rows become longer by a 1 that the biases are the weights of.
    """
    rows = head.rows.take(np.arange(head.rows.shape[0])) if isinstance(head, MatrixHead) else head.input
    if not head.biased:
        return rows, head.output, np.zeros(head.dim, np.float32)
    weights, biases = head.output[:, : head.dim].astype(np.float64), head.biases.astype(np.float64)
    # Of a softmax only differences count, so that any number may be added to all biases.
    free = np.ones((len(weights), int(head.loss == "softmax")))
    found = np.linalg.lstsq(np.hstack([weights, free]), biases, rcond=None)[0]
    missed = np.abs(np.hstack([weights, free]) @ found - biases).max()
    if missed <= _EXACT * np.abs(biases).max():
        added = found[: head.dim].astype(np.float32)
        return rows + added, np.ascontiguousarray(head.output[:, : head.dim]), added
    return np.hstack([rows, np.ones((len(rows), 1), np.float32)]), head.output, np.eye(head.dim + 1, dtype="f4")[-1]


# --- files -------------------------------------------------------------------------------------------------


def write_fasttext(classifier: Classifier, path: str | Path) -> list[str]:
    """Write a model that fastText opens: coded ones as it writes .ftz, all others as .bin.

    Returns:
        In which cases fastText will answer differently, for the user.

    Raises:
        UsageError: a model that fastText cannot have. DataError: a label or word that it cannot have.
    """
    remarks, hashed = _remarks(classifier), as_hashed(classifier)
    fasttext.write(path, fasttext_model(hashed), _streams(classifier, hashed))
    return remarks


def fasttext_model(classifier: Classifier) -> fasttext.FastText:
    """A model with hashed features as fastText has it; of rows that are not coded those of lacking buckets lack."""
    features, head = classifier.features, classifier.head
    assert isinstance(features, HashedFeatures)
    assert isinstance(head, MatrixHead)
    order = np.argsort(-head.counts, kind="stable")
    kept = features.kept if isinstance(head.rows, Coded) else None
    tokens = max(1, int(features.vocabulary.counts.sum()))
    settings, entries = _settings(classifier, head.dim), _entries(classifier, order)
    return fasttext.FastText(settings, entries, tokens, kept, head.rows, _output(head, order))


def _streams(before: Classifier, classifier: Classifier) -> dict[str, files.Stream]:
    """The input matrix with rows for all buckets, where it has only some."""
    features, head = classifier.features, classifier.head
    assert isinstance(features, HashedFeatures)
    assert isinstance(head, MatrixHead)
    if features.kept is None or isinstance(head.rows, Coded):
        return {}
    empty = _unbiased(before.head)[2] if isinstance(before.head, EmbeddingHead) else np.zeros(head.dim, np.float32)
    shape = features.hashing.words + features.hashing.buckets, head.dim
    return {"input": files.Stream(np.float32, shape, _all_buckets(features, head.rows, empty))}


def _remarks(classifier: Classifier) -> list[str]:
    features, found = classifier.features, []
    if classifier.calibration:
        found.append("fastText knows no calibration: its probabilities are those before it.")
    if classifier.tokenizer.settings() != {**classifier.tokenizer.settings(), "name": "whitespace", "lowercase": False,
                                           "normalize": None, "zero_digits": False}:  # fmt: skip
        found.append("fastText splits text at white space alone: give it the output of textkit corpus tokenize.")
    if isinstance(features, Features):
        if isinstance(features.ngrams, BucketNgrams) and not isinstance(classifier.head, MatrixHead):
            found.append("n-grams that training never met count in fastText, as zeros: it will be less sure of those.")
        if not features.config.end_mark:
            found.append("fastText takes the end of a line for a word: train with --end-mark for the same numbers.")
    return found


def _settings(classifier: Classifier, dim: int) -> fasttext.Settings:
    config, features = classifier.config.for_documents(0), classifier.features
    assert isinstance(features, HashedFeatures) and config.epochs is not None
    hashing = features.hashing
    return fasttext.Settings(
        dim, epochs=config.epochs, min_count=min(config.min_count, _LARGEST), negatives=config.negatives,
        word_ngrams=hashing.word_ngrams, loss=classifier.head.loss, buckets=hashing.buckets,
        shortest=hashing.lengths[0], longest=hashing.lengths[1],
    )  # fmt: skip


def _entries(classifier: Classifier, order: np.ndarray) -> fasttext.Entries:
    features = classifier.features
    assert isinstance(features, HashedFeatures)
    numbers = np.argsort(np.where(features.own >= 0, features.own, _LARGEST), kind="stable")[: features.hashing.words]
    words = [word.encode("utf-8", "surrogateescape") for word in features.vocabulary.words(numbers.tolist())]
    prefix = features.prefix.decode() or PREFIX
    labels = [f"{prefix}{classifier.labels[i]}".encode("utf-8", "surrogateescape") for i in order.tolist()]
    for name in (*words, *labels):
        if any(blank.encode() in name for blank in fasttext.BLANKS):
            shown = name.decode("utf-8", "replace")
            raise DataError(f"fastText can have no blank in a word or label, as in '{shown}'.", "Give it another name.")
    counts = np.concatenate([features.vocabulary.counts[numbers], classifier.label_counts[order]])
    return fasttext.Entries.of(words, labels, np.maximum(counts, 1))


def _output(head: MatrixHead, order: np.ndarray) -> Dense | Coded:
    """The output matrix as fastText has it: labels by count; the nodes of a tree the other way round, and one more."""
    if head.loss != "hs":
        if head.coded_output is not None and (np.diff(order) == 1).all():
            return head.coded_output
        return Dense.of(head.output[order])
    output = np.zeros((head.labels, head.dim), np.float32)
    output[: len(head.output)] = -head.output
    return Dense.of(output)


def _all_buckets(features: HashedFeatures, matrix: Dense | Coded, empty: np.ndarray) -> Iterator[np.ndarray]:
    """Rows of words, then of all buckets."""
    words, kept = features.hashing.words, features.kept
    assert kept is not None
    for first in range(0, words, _ROWS):
        yield matrix.take(np.arange(first, min(first + _ROWS, words)))
    kept = kept[np.argsort(kept[:, 0])]
    for first in range(0, features.hashing.buckets, _ROWS):
        block = np.tile(empty, (min(_ROWS, features.hashing.buckets - first), 1))
        a, b = np.searchsorted(kept[:, 0], (first, first + len(block)))
        block[kept[a:b, 0] - first] = matrix.take(words + kept[a:b, 1])
        yield block
