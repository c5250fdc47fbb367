"""From an encoded corpus to a backoff model: count, smooth, prune."""

from dataclasses import dataclass
from typing import Any

import numpy as np

from ..errors import UsageError
from ..formats.backoff import BackoffTrie
from ..progress import Progress, Reporter, silent
from ..text.corpus import EncodedCorpus
from ..text.vocabulary import SPECIALS, UNK, Vocabulary
from . import smoothing
from .counting import NGramCounts, count_ngrams

LONGEST_ORDER = 100


@dataclass(frozen=True)
class TrainingConfig:
    """How to estimate a model.

    Args:
        order: length of the longest n-grams.
        discount_fallback: discounts for counts 1, 2 and 3+ of orders whose counts do not give them.
        prune: leave out n-grams that occur at most so often, by order (the last one for all further orders);
            discounts and backoffs are those of the whole text.
        limit_vocab: leave out n-grams with any other word than these.
        interpolate_unigrams: give every word its share of the uniform distribution, not the unknown one all of it.
        vocab_pad: take the vocabulary to be at least so large, which lowers that share.
    """

    order: int = 3
    discount_fallback: tuple[float, ...] = smoothing.DEFAULT_FALLBACK
    prune: tuple[int, ...] = ()
    limit_vocab: tuple[str, ...] | None = None
    interpolate_unigrams: bool = True
    vocab_pad: int = 0

    def __post_init__(self) -> None:
        if not 1 <= self.order <= LONGEST_ORDER:
            raise UsageError(f"--order {self.order} makes no sense.", f"Give 1 to {LONGEST_ORDER}; 3 to 5 is usual.")


@dataclass(frozen=True)
class Estimated:
    """A model in plain arrays, and the report of how it came about."""

    trie: BackoffTrie
    vocabulary: Vocabulary
    report: dict[str, Any]


def estimate(corpus: EncodedCorpus, config: TrainingConfig, threads: int, progress: Reporter = silent) -> Estimated:
    """Count an encoded corpus and estimate a model from the counts.

    Raises:
        DataError: a text too large for one run.
    """
    counts = count_ngrams(corpus, config.order, threads, progress)
    return estimate_from_counts(counts, corpus.vocabulary, config, threads, progress)


def estimate_from_counts(
    counts: NGramCounts, vocabulary: Vocabulary, config: TrainingConfig, threads: int, progress: Reporter = silent
) -> Estimated:
    """Estimate an interpolated modified Kneser-Ney model, the same as lmplz's; uses up the counts."""
    progress(Progress("smoothing", config.order, config.order, "orders"))
    adjusted = smoothing.adjusted_counts(counts)
    discounts = smoothing.estimate_discounts(smoothing.counts_of_counts(counts, adjusted), config.discount_fallback)
    allowed = _allowed(config, vocabulary)
    kept = smoothing.kept_ngrams(counts, config.prune, allowed)
    rule = smoothing.UnigramRule(config.interpolate_unigrams, config.vocab_pad)
    estimates = smoothing.interpolated_kneser_ney(counts, adjusted, discounts, kept, rule, threads)
    if any(config.prune) or allowed is not None:
        estimates = smoothing.without_pruned(counts, estimates, kept)
        vocabulary = _renumbered(counts, vocabulary)
    report = {
        "smoothing": "mkn",
        "discounts": [list(d.values) for d in discounts],
        "fallbacks": {str(n): d.fallback for n, d in enumerate(discounts, 1) if d.fallback},
        "prune": list(config.prune),
        "tokens": counts.tokens,
        "lines": counts.lines,
        "dropped_marks": counts.dropped_marks,
    }
    trie = BackoffTrie.from_levels(
        [level.words for level in counts.levels],
        estimates.log_probabilities,
        estimates.log_backoffs,
        [level.edges for level in counts.levels[:-1] if level.edges is not None],
    )
    return Estimated(trie, vocabulary, report)


def _allowed(config: TrainingConfig, vocabulary: Vocabulary) -> np.ndarray | None:
    """Which words may stay, bool (V,), or None for all."""
    if config.limit_vocab is None:
        return None
    allowed = np.zeros(len(vocabulary), np.bool_)
    allowed[vocabulary.ids(config.limit_vocab)] = True
    allowed[: len(SPECIALS)] = True
    return allowed


def _renumbered(counts: NGramCounts, vocabulary: Vocabulary) -> Vocabulary:
    """The words that are left among the unigrams; gives every level their new ids."""
    left = counts.levels[0].words
    if len(left) == len(vocabulary):
        return vocabulary
    ids = np.full(len(vocabulary), UNK, np.int32)
    ids[left] = np.arange(len(left))
    for level in counts.levels:
        level.words = ids[level.words]
    return vocabulary.subset(left)
