"""Count cutoffs: which n-grams stay in a model (lmplz's --prune and --limit_vocab_file)."""

from collections.abc import Sequence
from itertools import pairwise

import numpy as np

from ..errors import UsageError
from ..store import Store, release_pages
from ..text.vocabulary import SPECIALS
from .counts import Level, NGramCounts
from .smoothing import Estimates

_PIECE = 1 << 18  # n-grams or contexts at a time


def kept_ngrams(
    counts: NGramCounts, thresholds: Sequence[int], allowed: np.ndarray | None = None, store: Store | None = None
) -> list[np.ndarray]:
    """Which n-grams stay, bool (E,) by level: those that occur more often than their order's threshold.

    Args:
        thresholds: one for each order; orders without one take the last. None may be below the one before, so
            that what stays has its context and suffix.
        allowed: bool (V,), words that may stay; n-grams with another word go.
        store: makes the arrays, in memory if not given.

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
    store = store or Store()
    kept: list[np.ndarray] = []
    for n, level in enumerate(counts.levels):
        stays = store.empty(len(level.words), np.bool_)
        for piece in map(slice, *_cuts(len(stays))):
            stays[piece] = level.counts[piece] > thresholds[n] if thresholds[n] else True
            if allowed is not None:
                stays[piece] &= allowed[level.words[piece]]
            release_pages()
        if n and (any(thresholds) or allowed is not None):
            _drop_with_context(stays, kept[-1], counts.levels[n - 1].edges)
        elif not n:
            stays[: len(SPECIALS)] = True
        kept.append(stays)
    return kept


def _cuts(size: int) -> tuple[list[int], list[int]]:
    """Where pieces of an array of this size begin and end."""
    begins = list(range(0, size, _PIECE))
    return begins, [*begins[1:], size]


def _drop_with_context(stays: np.ndarray, contexts_stay: np.ndarray, edges: np.ndarray | None) -> None:
    """What has lost its context goes."""
    assert edges is not None
    for first, last in zip(*_cuts(len(contexts_stay)), strict=True):
        part = edges[first : last + 1]
        stays[int(part[0]) : int(part[-1])] &= np.repeat(contexts_stay[first:last], np.diff(part))
        release_pages()


def without_pruned(
    counts: NGramCounts, estimates: Estimates, kept: list[np.ndarray], store: Store | None = None
) -> Estimates:
    """Take the pruned n-grams out of the levels of `counts`, in place, and out of the estimates.

    Words keep their ids, though those of pruned unigrams are gone from every level. `store` makes the new arrays.
    """
    store = store or Store()
    edges = [
        _edges_between(level.edges, stays, above, store)
        for level, (stays, above) in zip(counts.levels, pairwise(kept), strict=False)
    ]
    counts.levels = [
        Level(_selected(level.words, stays, store), _selected(level.counts, stays, store), None, edge)
        for level, stays, edge in zip(counts.levels, kept, [*edges, None], strict=True)
    ]
    return Estimates(
        [_selected(values, stays, store) for values, stays in zip(estimates.log_probabilities, kept, strict=True)],
        [_selected(values, stays, store) for values, stays in zip(estimates.log_backoffs, kept, strict=False)],
    )


def _edges_between(edges: np.ndarray | None, stays: np.ndarray, above: np.ndarray, store: Store) -> np.ndarray:
    """Edges of the contexts that stay to their continuations that stay."""
    assert edges is not None
    collector, base = store.collector(np.uint32), 0
    for first, last in zip(*_cuts(len(stays)), strict=True):
        part = edges[first : last + 1]
        before = np.zeros(int(part[-1]) - int(part[0]) + 1, np.uint32)
        np.cumsum(above[int(part[0]) : int(part[-1])], out=before[1:])
        collector.append((before[part[:-1] - part[0]] + np.uint32(base))[stays[first:last]])
        base += int(before[-1])
        release_pages()
    collector.append(np.array([base], np.uint32))
    return collector.array()


def _selected(values: np.ndarray, stays: np.ndarray, store: Store) -> np.ndarray:
    collector = store.collector(values.dtype)
    for piece in map(slice, *_cuts(len(values))):
        collector.append(values[piece][stays[piece]])
        release_pages()
    return collector.array()
