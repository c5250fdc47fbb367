"""From an encoded corpus to a backoff model: count, smooth, prune."""

from dataclasses import dataclass
from typing import Any

import numpy as np

from ..formats.backoff import BackoffTrie
from ..progress import Progress, Reporter, silent
from ..store import Store, slices
from ..text.corpus import EncodedCorpus
from ..text.vocabulary import SPECIALS, UNK, Vocabulary
from . import cutoffs, heldout, parameters, smoothing
from .counting import count_ngrams
from .counts import CountedText, NGramCounts, check_order
from .methods import BACKOFF, Method, resolve


@dataclass(frozen=True)
class TrainingConfig:
    """How to estimate a model.

    Parameters by order are for order 1, 2, …; the last one stands for all further orders.

    Args:
        order: length of the longest n-grams.
        discount_fallback: discounts for counts 1, 2 and 3+ of orders whose counts do not give them; if None, such
            orders take those that make the training text most likely when each token is left out in turn.
        prune: leave out n-grams that occur at most so often, by order; discounts and backoffs are those of the whole
            text.
        limit_vocab: leave out n-grams with any other word than these.
        interpolate_unigrams: give every word its share of the uniform distribution, not the unknown one all of it.
        vocab_pad: take the vocabulary to be at least so large, which lowers that share.
        smoothing: a method of `methods.METHODS`, by any of its names.
        form: "interpolated" or "backoff", where the method has both.
        discounts: discounts by order, each a tuple by count (up to three for mkn), instead of estimated ones.
        k: what add-k smoothing adds, by order.
        weights: Jelinek-Mercer weights of each order's own counts, by order.
        alpha: the factor of stupid backoff.
        keep_counts: keep the occurrences of every n-gram in the model, to list and explain; 4 bytes each.
    """

    order: int = 3
    discount_fallback: tuple[float, ...] | None = None
    prune: tuple[int, ...] = ()
    limit_vocab: tuple[str, ...] | None = None
    interpolate_unigrams: bool = True
    vocab_pad: int = 0
    smoothing: str = "mkn"
    form: str | None = None
    discounts: tuple[tuple[float, ...], ...] = ()
    k: tuple[float, ...] = ()
    weights: tuple[float, ...] = ()
    alpha: float = parameters.DEFAULT_ALPHA
    keep_counts: bool = False

    def __post_init__(self) -> None:
        check_order(self.order)
        method, implied = resolve(self.smoothing)
        for name, value in implied.items():  # "laplace" means k = 1, unless told otherwise
            if not getattr(self, name):
                object.__setattr__(self, name, value)
        object.__setattr__(self, "smoothing", method.name)
        parameters.check(method, self)

    @property
    def method(self) -> Method:
        """The smoothing method."""
        return resolve(self.smoothing)[0]

    @property
    def backoff(self) -> bool:
        """Whether the order below serves only for what was not seen."""
        return (self.form or self.method.forms[0]) == BACKOFF

    @property
    def label(self) -> str:
        """The method and what was asked of it, as in a model's signature: "mkn", "add-k,k=0.1", "kn,backoff".

        The signature of a model whose parameters were tuned has ",dev", too.
        """
        asked = [self.method.name]
        if self.backoff != (self.method.forms[0] == BACKOFF):
            asked.append(self.form or "")
        given = {"d": ["/".join(f"{d:g}" for d in row) for row in self.discounts], "k": self.k, "lambda": self.weights}
        asked += [
            f"{name}={'+'.join(v if isinstance(v, str) else f'{v:g}' for v in row)}"
            for name, row in given.items()
            if row
        ]
        if self.method.parameter == "alpha":
            asked.append(f"alpha={self.alpha:g}")
        return ",".join(asked)


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
        heldout.find_places(counts, dev) if dev else None,
        store,
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
    trie = BackoffTrie.from_levels(
        [level.words for level in counts.levels],
        estimates.log_probabilities,
        estimates.log_backoffs,
        [level.edges for level in counts.levels[:-1] if level.edges is not None],
        store,
    )
    kept_counts = store.joined([level.counts for level in counts.levels]) if config.keep_counts else None
    return Estimated(trie, vocabulary, report, kept_counts)


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
