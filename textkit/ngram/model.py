"""The n-gram model: a backoff model in flat memory-mapped arrays, with everything one can ask of it."""

import math
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import numpy as np

from .. import __version__, files
from ..errors import DataError, UsageError
from ..kernels import query
from ..parallel import thread_count
from ..progress import Progress, Reporter, silent
from ..text.corpus import EncodedCorpus
from ..text.tokenizer import Tokenizer
from ..text.vocabulary import BOS, EOS, SPECIALS, UNK, Vocabulary
from . import smoothing
from .counting import NGramCounts, count_ngrams

KIND = "ngram"
FORMAT_VERSION = 1
LONGEST_ORDER = 100
_ARRAYS = ("words", "log_p", "backoff", "edges")


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
class State:
    """What a model remembers of the text so far: the nodes of its last word, its last two words, …, or -1."""

    nodes: tuple[int, ...]


@dataclass(frozen=True)
class WordScore:
    """One scored token: its log10 probability, the order of the n-gram that gave it, and whether it is unknown."""

    word: str
    log10_prob: float
    order: int
    oov: bool


@dataclass
class NGramModel:
    """A backoff n-gram model.

    Attributes:
        sizes: number of n-grams of each order.
        words, log_p, backoff, edges: the trie, see `kernels.query`.
        report: how it came about: settings, discounts, size of the text.
    """

    sizes: list[int]
    vocabulary: Vocabulary
    tokenizer: Tokenizer
    words: np.ndarray
    log_p: np.ndarray
    backoff: np.ndarray
    edges: np.ndarray
    report: dict[str, Any] = field(default_factory=dict)

    @property
    def order(self) -> int:
        return len(self.sizes)

    @property
    def signature(self) -> str:
        """Everything that a score depends on, in one line."""
        method = self.report.get("smoothing", "arpa")
        return f"{self.tokenizer.signature}|order:{self.order}|smooth:{method}|v:{__version__}"

    # --- making and keeping -----------------------------------------------------------------------------

    @classmethod
    def train(
        cls,
        corpus: EncodedCorpus,
        config: TrainingConfig | None = None,
        *,
        threads: int | None = None,
        progress: Reporter = silent,
    ) -> "NGramModel":
        """Estimate an interpolated modified Kneser-Ney model, the same as lmplz's.

        Raises:
            DataError: a text too large for one run.
        """
        config, threads = config or TrainingConfig(), thread_count(threads)
        counts = count_ngrams(corpus, config.order, threads, progress)
        progress(Progress("smoothing", config.order, config.order, "orders"))
        adjusted = smoothing.adjusted_counts(counts)
        discounts = smoothing.estimate_discounts(smoothing.counts_of_counts(counts, adjusted), config.discount_fallback)
        allowed = _allowed(config, corpus.vocabulary)
        kept = smoothing.kept_ngrams(counts, config.prune, allowed)
        rule = smoothing.UnigramRule(config.interpolate_unigrams, config.vocab_pad)
        estimates = smoothing.interpolated_kneser_ney(counts, adjusted, discounts, kept, rule, threads)
        vocabulary = corpus.vocabulary
        if any(config.prune) or allowed is not None:
            estimates = smoothing.without_pruned(counts, estimates, kept)
            vocabulary = _renumbered(counts, vocabulary)
        report = {
            "smoothing": "mkn",
            "discounts": [list(d.values) for d in discounts],
            "fallbacks": {str(n): d.fallback for n, d in enumerate(discounts, 1) if d.fallback},
            "prune": list(config.prune),
            "tokens": corpus.tokens,
            "lines": corpus.lines,
            "dropped_marks": counts.dropped_marks,
        }
        return cls._assemble(counts, estimates, vocabulary, corpus.tokenizer, report)

    @classmethod
    def _assemble(
        cls,
        counts: NGramCounts,
        estimates: smoothing.Estimates,
        vocabulary: Vocabulary,
        tokenizer: Tokenizer,
        report: dict[str, Any],
    ) -> "NGramModel":
        levels = counts.levels
        bases = np.cumsum([0, *(len(level.words) for level in levels)])
        inner = levels[:-1]
        edges = [level.edges[:-1] + np.uint32(base) for level, base in zip(inner, bases[1:], strict=False)]  # type: ignore[index]
        return cls(
            [len(level.words) for level in levels],
            vocabulary,
            tokenizer,
            np.concatenate([level.words for level in levels]),
            np.concatenate(estimates.log_probabilities),
            np.concatenate(estimates.log_backoffs or [np.zeros(0, np.float32)]),
            np.concatenate([*edges, np.array([bases[-1]], np.uint32)]) if inner else np.zeros(1, np.uint32),
            report,
        )

    def save(self, path: str | Path) -> None:
        """Write the model as one container."""
        header = {
            "format_version": FORMAT_VERSION,
            "version": __version__,
            "signature": self.signature,
            "tokenizer": self.tokenizer.settings(),
            "sizes": self.sizes,
            "report": self.report,
        }
        files.save(path, KIND, header, {**self._trie(), **self.vocabulary.arrays()})

    def _trie(self) -> dict[str, np.ndarray]:
        return {name: getattr(self, name) for name in _ARRAYS}

    @classmethod
    def load(cls, path: str | Path, tokenizer: Tokenizer | None = None) -> "NGramModel":
        """Open a model: textkit's own by memory map, or an ARPA file (plain or compressed).

        Args:
            tokenizer: how an ARPA file's text was split, which it does not say; whitespace if not given.

        Raises:
            DataError: missing, damaged, or neither of the two.
        """
        path = Path(path)
        try:
            own = files.is_container(path)
        except OSError as error:
            raise DataError(f"cannot open {path}: {files.why(error)}.") from error
        if own:
            return cls._from_container(files.load(path, KIND))
        from .arpa import read_model

        return read_model(path, tokenizer or Tokenizer("whitespace"))

    @classmethod
    def _from_container(cls, container: files.Container) -> "NGramModel":
        header, arrays, path = container.header, container.arrays, container.path
        if header.get("format_version") != FORMAT_VERSION:
            raise DataError(
                f"{path} has model format {header.get('format_version')}, this textkit reads {FORMAT_VERSION}.",
                "Train it again, or use the version of textkit that wrote it.",
            )
        try:
            words, log_p, backoff, edges = (arrays[name] for name in _ARRAYS)
            sizes, report = [int(n) for n in header["sizes"]], dict(header["report"])
            tokenizer = Tokenizer.from_settings(header["tokenizer"])
        except (KeyError, TypeError, ValueError, UsageError) as error:
            raise DataError(f"{path} is damaged: its header lacks or spoils {error}.") from None
        vocabulary = Vocabulary.from_arrays(arrays, path)
        model = cls(sizes, vocabulary, tokenizer, words, log_p, backoff, edges, report)
        model._check(str(path))
        return model

    def _check(self, path: str) -> None:
        """Refuse arrays that do not fit together (what is inside them the kernels guard against)."""
        inner = sum(self.sizes[:-1])
        fits = (
            1 <= self.order <= LONGEST_ORDER
            and min(self.sizes) >= 0
            and self.sizes[0] == len(self.vocabulary)
            and self.words.shape == self.log_p.shape == (sum(self.sizes),)
            and self.backoff.shape == (inner,)
            and self.edges.shape == (inner + 1,)
            and [a.dtype for a in self._trie().values()] == [np.int32, np.float32, np.float32, np.uint32]
        )
        if not fits:
            raise DataError(f"{path} is damaged: its arrays do not fit together.")

    # --- scoring ----------------------------------------------------------------------------------------

    @property
    def query_arrays(self) -> tuple[Any, ...]:
        """Order, words, log_p, backoff, edges: what the kernels of `kernels.query` take."""
        return self.order, self.words, self.log_p, self.backoff, self.edges

    def start(self, bos: bool = True) -> State:
        """The state at the beginning of a sentence, or (bos=False) of no context at all."""
        return State((BOS if bos else -1, *[-1] * (self.order - 1)))

    def advance(self, state: State, ids: np.ndarray) -> tuple[np.ndarray, np.ndarray, State]:
        """Score ids after a state.

        Args:
            ids: int32 (n,) of this model's vocabulary.

        Returns:
            log10 probabilities float32 (n,), orders of the n-grams used int32 (n,), and the state afterwards.
        """
        nodes = np.array(state.nodes, np.int64)
        scores, matches = self.score_stream(np.ascontiguousarray(ids, np.int32), nodes)
        return scores, matches, State(tuple(nodes.tolist()))

    def score_stream(self, stream: np.ndarray, nodes: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
        """Score a stream of ids and line starts as `kernels.query.score_stream` does; releases the GIL.

        Args:
            stream: int32 (n,).
            nodes: int64 (order,), the state before, set to the state after.

        Returns:
            log10 probabilities float32 (n,) and orders of the n-grams used int32 (n,).
        """
        scores, matches = np.empty(len(stream), np.float32), np.empty(len(stream), np.int32)
        batch, scratch = np.empty(query.BATCH + 1, np.int32), np.empty((self.order, query.BATCH + 1), np.int64)
        query.score_stream(stream, nodes, *self.query_arrays, batch, scratch, scores, matches)
        return scores, matches

    def full_scores(self, text: str, bos: bool = True, eos: bool = True) -> list[WordScore]:
        """Every token of one sentence with its score; `eos` adds the end of the sentence."""
        tokens = self.tokenizer.tokenize(text)
        return self.score_tokens(tokens, bos, eos)

    def score_tokens(self, tokens: Sequence[str], bos: bool = True, eos: bool = True) -> list[WordScore]:
        """As `full_scores` for a sentence that is split already."""
        ids = self.vocabulary.ids(tokens)
        if eos:
            ids = np.append(ids, np.int32(EOS))
        scores, matches, _ = self.advance(self.start(bos), ids)
        names = [*tokens, "</s>"] if eos else tokens
        rows = zip(names, scores.tolist(), matches.tolist(), ids.tolist(), strict=True)
        return [WordScore(word, score, matched, i == UNK) for word, score, matched, i in rows]

    def score(self, text: str, bos: bool = True, eos: bool = True) -> float:
        """log10 probability of one sentence."""
        return math.fsum(word.log10_prob for word in self.full_scores(text, bos, eos))

    def perplexity(self, text: str) -> float:
        """Perplexity of one sentence, its end and unknown words included."""
        scores = self.full_scores(text)
        return float(10.0 ** (-math.fsum(word.log10_prob for word in scores) / len(scores)))

    # --- prediction -------------------------------------------------------------------------------------

    def distribution(self, state: State) -> np.ndarray:
        """log10 probability of every word after a state, float64 (V,); <s>, never predicted, has -inf."""
        out = np.empty(len(self.vocabulary), np.float64)
        query.next_distribution(np.array(state.nodes, np.int64), *self.query_arrays, out)
        out[BOS] = -np.inf
        return out

    def next_words(self, prefix: str = "", top: int = 10) -> list[tuple[str, float]]:
        """The most probable words after the beginning of a sentence, with their probabilities."""
        _, _, state = self.advance(self.start(), self.vocabulary.ids(self.tokenizer.tokenize(prefix)))
        log_p = self.distribution(state)
        best = np.argsort(-log_p, kind="stable")[:top].tolist()
        return [(self.vocabulary.word(i), float(10.0 ** log_p[i])) for i in best]

    def sample(
        self,
        prefix: str = "",
        *,
        rng: np.random.Generator,
        temperature: float = 1.0,
        top_k: int | None = None,
        top_p: float = 1.0,
        max_tokens: int = 100,
    ) -> Iterator[str]:
        """Continue the beginning of a sentence with random words until its end.

        Args:
            temperature: below 1 prefers probable words more than the model does; 0 takes the most probable.
            top_k: only so many most probable words.
            top_p: only the most probable words that together reach this probability.

        Yields:
            Tokens, those of the prefix not among them. The unknown word is never drawn.
        """
        if temperature < 0 or not 0 < top_p <= 1 or (top_k is not None and top_k < 1) or max_tokens < 1:
            raise UsageError(
                f"temperature {temperature}, top-k {top_k}, top-p {top_p}, max-tokens {max_tokens} make no sense.",
                "Temperature is at least 0, top-p above 0 and at most 1, the others at least 1.",
            )
        _, _, state = self.advance(self.start(), self.vocabulary.ids(self.tokenizer.tokenize(prefix)))
        for _ in range(max_tokens):
            log_p = self.distribution(state)
            log_p[UNK] = -np.inf
            word = draw(log_p * math.log(10.0), rng, temperature, top_k, top_p)
            if word == EOS:
                return
            yield self.vocabulary.word(word)
            _, _, state = self.advance(state, np.array([word], np.int32))


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


def draw(log_weights: np.ndarray, rng: np.random.Generator, temperature: float, top_k: int | None, top_p: float) -> int:
    """A random index by natural log weights float64 (V,), of which the probable ones are kept as asked."""
    if temperature == 0:
        return int(np.argmax(log_weights))
    scaled = log_weights / temperature
    weights = np.exp(scaled - scaled.max())
    if top_k is not None and top_k < len(weights):
        weights[weights < np.partition(weights, -top_k)[-top_k]] = 0.0
    if top_p < 1:
        order = np.argsort(-weights, kind="stable")
        reached = np.cumsum(weights[order]) / weights.sum()
        weights[order[int(np.searchsorted(reached, top_p)) + 1 :]] = 0.0
    sums = np.cumsum(weights)
    return int(np.searchsorted(sums, rng.random() * sums[-1], side="right"))
