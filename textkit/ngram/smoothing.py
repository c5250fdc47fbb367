"""Modified Kneser-Ney smoothing: adjusted counts, discounts, probabilities (Chen & Goodman 1998, KenLM's lmplz)."""

from collections.abc import Sequence
from dataclasses import dataclass
from itertools import pairwise

import numpy as np

from ..errors import UsageError
from ..kernels import counting as count_kernels
from ..kernels import logs
from ..kernels import smoothing as kernels
from ..parallel import ordered_map, split_evenly
from ..text.vocabulary import BOS, SPECIALS, UNK
from .counting import Level, NGramCounts, find_ngram

DEFAULT_FALLBACK = (0.5, 1.0, 1.5)
_PIECES = 16


@dataclass(frozen=True)
class Discounts:
    """What is taken off the adjusted counts of one order.

    Attributes:
        values: for counts 1, 2, and 3 and more.
        fallback: why they could not be estimated from the counts, or "" where they were.
    """

    values: tuple[float, float, float]
    fallback: str = ""


def adjusted_counts(counts: NGramCounts) -> list[np.ndarray]:
    """Kneser-Ney counts of every level, int32.

    The highest order keeps its counts. Below it an n-gram counts the distinct words to its left, <s> among them;
    one that begins with <s> has no left and keeps its count, and <s> by itself counts nothing.
    """
    adjusted = []
    for level, above in zip(counts.levels, counts.levels[1:], strict=False):
        extensions = np.zeros(len(level.words), np.int32)
        count_kernels.count_left_extensions(above.suffixes, extensions)
        adjusted.append(extensions)
    adjusted.append(counts.levels[-1].counts.copy())
    begin, end = BOS, BOS + 1  # the entries that begin with <s> are a range of every level
    for level, values in zip(counts.levels, adjusted, strict=True):
        values[begin:end] = level.counts[begin:end]
        if level.edges is not None:
            begin, end = int(level.edges[begin]), int(level.edges[end])
    adjusted[0][BOS] = 0
    return adjusted


def counts_of_counts(counts: NGramCounts, adjusted: list[np.ndarray]) -> list[list[int]]:
    """How many n-grams of each order have adjusted count 1, 2, 3 and 4.

    As in lmplz, the proper suffixes of the last n-gram are tallied by their raw counts (it empties its buffers
    after the last one without adjusting).
    """
    tallies = []
    for values in adjusted:
        tally = np.zeros(5, np.int64)
        count_kernels.counts_of_counts(values, tally)
        tallies.append(tally)
    for length in range(1, counts.order):
        suffix = counts.last[-length:]
        if suffix[0] == BOS:
            break
        entry = find_ngram(counts.levels[:length], suffix)
        assert entry is not None
        true, raw = int(adjusted[length - 1][entry]), int(counts.levels[length - 1].counts[entry])
        if true < 5:
            tallies[length - 1][true] -= 1
        if raw < 5:
            tallies[length - 1][raw] += 1
    return [tally[1:].tolist() for tally in tallies]


def modified_discounts(tally: list[int]) -> tuple[float, float, float]:
    """The closed-form discounts from counts of counts t1 … t4 (Chen & Goodman 1998, equation 26).

        Y = t1 / (t1 + 2 t2),  D_j = j - (j + 1) Y t_{j+1} / t_j

    Raises:
        ValueError: where they cannot be computed or are out of range, with the reason.
    """
    for count, number in enumerate(tally[:3], 1):
        if number == 0:
            raise ValueError(f"none occurs {count} time{'s' * (count > 1)}")
    ratio = tally[0] / (tally[0] + 2 * tally[1])
    values = tuple(j - (j + 1) * ratio * tally[j] / tally[j - 1] for j in (1, 2, 3))
    for j, value in enumerate(values, 1):
        if not 0 <= value <= j:
            raise ValueError(f"the discount for count {j} would be {value:.3f}")
    return values  # type: ignore[return-value]


def estimate_discounts(tallies: list[list[int]], fallback: tuple[float, ...] = DEFAULT_FALLBACK) -> list[Discounts]:
    """Discounts for every order, `fallback` where the counts do not give them.

    Raises:
        UsageError: a fallback discount that is not between 0 and its count.
    """
    if not 1 <= len(fallback) <= 3 or not all(0 <= d <= j for j, d in enumerate(fallback, 1)):
        raise UsageError(
            f"--discount-fallback {' '.join(map(str, fallback))} makes no sense.",
            "Give up to three numbers, the first at most 1, the second at most 2, the third at most 3.",
        )
    padded = (*fallback, *[fallback[-1]] * 2)[:3]
    found = []
    for tally in tallies:
        try:
            found.append(Discounts(modified_discounts(tally)))
        except ValueError as reason:
            found.append(Discounts(padded, str(reason)))  # type: ignore[arg-type]
    return found


@dataclass
class Estimates:
    """log10 probabilities of all levels and log10 backoffs of all but the highest, float32, by level."""

    log_probabilities: list[np.ndarray]
    log_backoffs: list[np.ndarray]


@dataclass(frozen=True)
class UnigramRule:
    """How unigrams share in the uniform distribution.

    Args:
        interpolate: add its share to every word; if not, the unknown word gets all of it (as SRILM does).
        vocab_pad: take the vocabulary to be at least so large.
    """

    interpolate: bool = True
    vocab_pad: int = 0


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


def interpolated_kneser_ney(
    counts: NGramCounts,
    adjusted: list[np.ndarray],
    discounts: list[Discounts],
    kept: list[np.ndarray],
    rule: UnigramRule,
    threads: int,
) -> Estimates:
    """Estimate all orders from the unigrams up; each interpolates with the order below.

    Discounts and denominators are those of all n-grams; what the pruned ones had goes to the backoffs.
    """
    probabilities = _unigrams(adjusted[0], discounts[0], kept[0], rule)
    estimates = Estimates([_log10(probabilities, threads)], [])
    for n in range(1, counts.order):
        level, edges = counts.levels[n], counts.levels[n - 1].edges
        assert edges is not None
        found, gammas = np.empty(len(level.words), np.float32), np.empty(len(edges) - 1, np.float32)
        taken = np.array([0.0, *discounts[n].values])
        fixed = (edges, adjusted[n], kept[n], level.suffixes, probabilities, taken)

        def work(part: tuple[int, int], fixed: tuple = fixed, found: tuple = (found, gammas)) -> None:
            kernels.interpolate(*fixed, *part, *found)

        for _ in ordered_map(work, _by_children(edges, threads), threads):
            pass
        estimates.log_probabilities.append(_log10(found, threads))
        estimates.log_backoffs.append(_log10(gammas, threads))
        probabilities = found
    return estimates


def _log10(values: np.ndarray, threads: int) -> np.ndarray:
    """log10 of float32 values, at most 0."""
    out = np.empty(len(values), np.float32)

    def work(part: tuple[int, int]) -> None:
        scratch = np.empty(1024, np.int32)
        logs.log10_capped(values, *part, scratch, scratch.view(np.float32), out)

    for _ in ordered_map(work, split_evenly(len(values), threads * _PIECES), threads):
        pass
    return out


def _by_children(edges: np.ndarray, threads: int) -> list[tuple[int, int]]:
    """Ranges of contexts with about equally many continuations."""
    wanted = [a for a, _ in split_evenly(int(edges[-1]), threads * _PIECES)][1:]
    bounds = [0, *np.searchsorted(edges, np.array(wanted, edges.dtype)).tolist(), len(edges) - 1]
    return [(a, b) for a, b in pairwise(bounds) if a < b]


def _unigrams(adjusted: np.ndarray, discounts: Discounts, kept: np.ndarray, rule: UnigramRule) -> np.ndarray:
    """Unigram probabilities float32, interpolated with the uniform distribution over all words but <s>."""
    taken = np.array([0.0, *discounts.values])[np.minimum(adjusted, 3)]
    total = float(adjusted.sum(dtype=np.int64))
    gamma = float(np.where(kept, taken, adjusted).sum()) / total
    own = (adjusted - taken) / total
    share = gamma / max(rule.vocab_pad, int(kept.sum()) - 1)
    if rule.interpolate:
        probabilities = own + share
    else:
        probabilities = own
        probabilities[UNK] += gamma
    probabilities[BOS] = 1.0  # never predicted; its entry only carries a backoff weight
    return probabilities.astype(np.float32)


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
