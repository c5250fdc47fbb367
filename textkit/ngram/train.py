"""From an encoded corpus to a backoff model: count, smooth, prune."""

from dataclasses import dataclass
from typing import Any

import numpy as np

from ..formats.backoff import BackoffTrie, joined
from ..progress import Progress, Reporter, silent
from ..store import Store, slices
from ..text.corpus import EncodedCorpus
from ..text.vocabulary import SPECIALS, UNK, Vocabulary
from . import cutoffs, heldout, parameters, smoothing
from .config import TrainingConfig
from .counting import count_ngrams
from .counts import CountedText, NGramCounts


@dataclass(frozen=True)
class Estimated:
    """A model in plain arrays, and the report of how it came about.

    Attributes:
        counts: int32 (T,), occurrences of the n-gram of each node, where they are kept.
    """

    trie: BackoffTrie
    vocabulary: Vocabulary
    report: dict[str, Any]
    counts: np.ndarray | None = None


def estimate(
    text: EncodedCorpus | CountedText,
    config: TrainingConfig,
    threads: int,
    progress: Reporter = silent,
    dev: EncodedCorpus | None = None,
    store: Store | None = None,
) -> Estimated:
    """Estimate a model from an encoded corpus, which is counted first, or from counts of at least its order.

    Args:
        store: makes the arrays of n-grams, in memory if not given.

    Raises:
        DataError: a text too large for one run.
        UsageError: counts of a lower order.
    """
    if isinstance(text, CountedText):
        counts = text.counts.up_to(config.order)
    else:
        counts = count_ngrams(text, config.order, threads, progress, store)
    return estimate_from_counts(counts, text.vocabulary, config, threads, progress, dev, store)


def estimate_from_counts(
    counts: NGramCounts,
    vocabulary: Vocabulary,
    config: TrainingConfig,
    threads: int,
    progress: Reporter = silent,
    dev: EncodedCorpus | None = None,
    store: Store | None = None,
) -> Estimated:
    """Estimate a model by the configured smoothing; uses up the counts.

    Args:
        dev: text, encoded with this vocabulary, by whose likelihood the method's parameters are tuned.
    """
    store = store or Store()
    progress(Progress("smoothing", config.order, config.order, "orders"))
    allowed = _allowed(config, vocabulary)
    kept = cutoffs.kept_ngrams(counts, config.prune, allowed, store)
    evidence = parameters.Evidence(
        counts,
        config.method.adjusted,
        smoothing.vocabulary_size(kept[0], config.vocab_pad),
        config.interpolate_unigrams,
        heldout.find_places(counts, dev, heldout.MOST_PLACES, store.limit is not None) if dev else None,
        store,
        threads,
    )
    plan, settled = parameters.settle(config, evidence)
    estimates = smoothing.estimate(counts, evidence.values, plan, kept, threads, store)
    if any(config.prune) or allowed is not None:
        estimates = cutoffs.without_pruned(counts, estimates, kept, store)
        vocabulary = _renumbered(counts, vocabulary, store)
    report = {
        "smoothing": config.label + (",dev" if settled.get("settled") == "dev" else ""),
        "form": config.form or config.method.forms[0],
        **settled,
        "prune": list(config.prune),
        "limited": config.limit_vocab is not None,
        "tokens": counts.tokens,
        "lines": counts.lines,
        "dropped_marks": counts.dropped_marks,
    }
    del evidence, kept
    kept_counts = _all_counts(counts, store, threads) if config.keep_counts else None
    return Estimated(_trie(counts, estimates, store, threads), vocabulary, report, kept_counts)


def _all_counts(counts: NGramCounts, store: Store, threads: int) -> np.ndarray:
    """Occurrences of the n-grams of all orders, int32 (T,)."""
    return joined([level.counts for level in counts.levels], np.int32, store, threads)


def _trie(counts: NGramCounts, estimates: smoothing.Estimates, store: Store, threads: int) -> BackoffTrie:
    """The model as one trie. The levels go as they are joined: together they take as much memory as it does."""
    words = [level.words for level in counts.levels]
    edges = [level.edges for level in counts.levels[:-1] if level.edges is not None]
    counts.levels = []
    return BackoffTrie.from_levels(words, estimates.log_probabilities, estimates.log_backoffs, edges, store, threads)


def _allowed(config: TrainingConfig, vocabulary: Vocabulary) -> np.ndarray | None:
    """Which words may stay, bool (V,), or None for all."""
    if config.limit_vocab is None:
        return None
    allowed = np.zeros(len(vocabulary), np.bool_)
    allowed[vocabulary.ids(config.limit_vocab)] = True
    allowed[: len(SPECIALS)] = True
    return allowed


def _renumbered(counts: NGramCounts, vocabulary: Vocabulary, store: Store) -> Vocabulary:
    """The words that are left among the unigrams; gives every level their new ids."""
    left = counts.levels[0].words
    if len(left) == len(vocabulary):
        return vocabulary
    ids = np.full(len(vocabulary), UNK, np.int32)
    ids[left] = np.arange(len(left))
    for level in counts.levels:
        collector = store.collector(np.int32)
        for piece in slices(level.words):
            collector.append(ids[piece])
        level.words = collector.array()
    return vocabulary.subset(left)
