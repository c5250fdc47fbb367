"""Parts of labelled documents as arrays of document numbers: held-out documents and folds, stratified and seeded.

Documents are laid in a row, those of one stratum side by side in random order, and dealt out like cards. So each part
gets its share of every stratum, and of all documents, to within one. The stratum of a document with several labels
is the rarest of them: the rare ones are the ones that chance would deal out badly.
"""

import numpy as np

from ..errors import DataError, UsageError
from .data import LabelledCorpus
from .labelling import Ragged


def held_out(data: LabelledCorpus, share: float, seed: int) -> tuple[np.ndarray, np.ndarray]:
    """A stratified split.

    Args:
        share: of the documents to hold out, above 0 and below 1. The only document of a label is never held out.

    Returns:
        The numbers of the documents to train on and of those held out, int64, ascending.

    Raises:
        UsageError: an impossible share.
        DataError: too few documents.
    """
    if not 0 < share < 1:
        raise UsageError(f"a share of {share:g} to hold out makes no sense.", "Give more than 0 and less than 1.")
    strata = stratum_of_each(data.gold, data.labels.counts)
    row = shuffled_by(strata, seed)
    row = row[np.bincount(strata)[strata[row]] > 1]
    if len(row) < 2:
        raise DataError(
            f"{len(data):,} labelled documents are too few to hold some out.",
            "There must be two of some label; give more, or a file of their own to validate with.",
        )
    edges = np.floor(np.arange(len(row) + 1) * (max(1.0, share * len(row)) / len(row)) + 0.5)
    held = np.sort(row[np.diff(edges) > 0])
    return np.setdiff1d(np.arange(len(data)), held, assume_unique=True), held


def folds(data: LabelledCorpus, k: int, seed: int) -> list[tuple[np.ndarray, np.ndarray]]:
    """`k` pairs as `held_out` gives, in which each document is held out once.

    Raises:
        UsageError: fewer than 2 folds.
        DataError: more folds than documents.
    """
    if k < 2:
        raise UsageError(f"{k} folds make no sense.", "Give 2 or more.")
    if k > len(data):
        raise DataError(f"{len(data):,} labelled documents cannot make {k} folds.", "Ask for fewer folds.")
    row = shuffled_by(stratum_of_each(data.gold, data.labels.counts), seed)
    fold = np.empty(len(row), np.int64)
    fold[row] = np.arange(len(row)) % k
    return [(np.flatnonzero(fold != i), np.flatnonzero(fold == i)) for i in range(k)]


def stratum_of_each(gold: Ragged, counts: np.ndarray) -> np.ndarray:
    """The rarest label of each document, int64 (L,)."""
    rank = np.empty(len(counts), np.int64)
    order = np.argsort(-counts, kind="stable")
    rank[order] = np.arange(len(counts))
    return order[np.maximum.reduceat(rank[gold.ids], gold.offsets[:-1])]


def shuffled_by(strata: np.ndarray, seed: int) -> np.ndarray:
    """All documents in random order, those of a stratum side by side."""
    order = np.random.default_rng(seed).permutation(len(strata))
    return order[np.argsort(strata[order], kind="stable")]


def to_train_on(data: LabelledCorpus, rows: np.ndarray | None, held: np.ndarray | None) -> np.ndarray:
    """Numbers of the documents to train on, int64: those that were given, else all that are not held out."""
    if rows is not None:
        return np.asarray(rows, np.int64)
    everything = np.arange(len(data))
    return everything if held is None else np.setdiff1d(everything, held)
