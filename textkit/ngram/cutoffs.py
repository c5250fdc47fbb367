"""Count cutoffs: which n-grams stay in a model (lmplz's --prune and --limit_vocab_file)."""

from collections.abc import Sequence
from itertools import pairwise

import numpy as np

from ..errors import UsageError
from ..text.vocabulary import SPECIALS
from .counting import Level, NGramCounts
from .smoothing import Estimates


def kept_ngrams(counts: NGramCounts, thresholds: Sequence[int], allowed: np.ndarray | None = None) -> list[np.ndarray]:
    """Which n-grams stay, bool (E,) by level: those that occur more often than their order's threshold.

    Args:
        thresholds: one for each order; orders without one take the last. None may be below the one before, so
            that what stays has its context and suffix.
        allowed: bool (V,), words that may stay; n-grams with another word go.

    Raises:
        UsageError: thresholds that are negative, fall, or are more than orders.
    """
    thresholds = list(thresholds) or [0]
    if len(thresholds) > counts.order or thresholds[0] < 0 or any(b < a for a, b in pairwise(thresholds)):
        raise UsageError(
            f"--prune {' '.join(map(str, thresholds))} makes no sense for order {counts.order}.",
            "Give at most one number for each order, none below the one before; an example: '0 0 1'.",
        )
    thresholds += [thresholds[-1]] * (counts.order - len(thresholds))
    kept: list[np.ndarray] = []
    for n, level in enumerate(counts.levels):
        stays = level.counts > thresholds[n] if thresholds[n] else np.ones(len(level.words), np.bool_)
        if allowed is not None:
            stays &= allowed[level.words]
        if n:
            edges = counts.levels[n - 1].edges
            assert edges is not None
            stays &= np.repeat(kept[-1], np.diff(edges))
        else:
            stays[: len(SPECIALS)] = True
        kept.append(stays)
    return kept


def without_pruned(counts: NGramCounts, estimates: Estimates, kept: list[np.ndarray]) -> Estimates:
    """Take the pruned n-grams out of the levels of `counts`, in place, and out of the estimates.

    Words keep their ids, though those of pruned unigrams are gone from every level.
    """
    edges = []
    for level, stays, above in zip(counts.levels, kept, kept[1:], strict=False):
        assert level.edges is not None
        before = np.zeros(len(above) + 1, np.uint32)
        np.cumsum(above, out=before[1:])
        edges.append(np.append(before[level.edges[:-1]][stays], before[-1:]))
    counts.levels = [
        Level(level.words[stays], level.counts[stays], None, edge)
        for level, stays, edge in zip(counts.levels, kept, [*edges, None], strict=True)
    ]
    return Estimates(
        [values[stays] for values, stays in zip(estimates.log_probabilities, kept, strict=True)],
        [values[stays] for values, stays in zip(estimates.log_backoffs, kept, strict=False)],
    )
