"""The n-gram model: a backoff model in flat memory-mapped arrays, with everything one can ask of it."""

import math
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any

import numpy as np

from .. import __version__, files
from ..errors import DataError, UsageError
from ..formats.backoff import BackoffTrie
from ..kernels import query, trace
from ..parallel import thread_count
from ..progress import Reporter, silent
from ..store import Store, streamed
from ..text.corpus import EncodedCorpus
from ..text.reader import Lines
from ..text.sources import Source, encoded
from ..text.tokenizer import Tokenizer
from ..text.vocabulary import BOS, EOS, UNK, Vocabulary
from . import batch
from .config import TrainingConfig
from .counts import LONGEST_ORDER, CountedText
from .foreign import read_foreign, write_arpa
from .merging import merge_counts
from .packed import PackedTrie
from .train import Estimated, estimate

KIND = "ngram"
FORMAT_VERSION = 2


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
        packed: its n-grams with their probabilities and backoff weights.
        report: how it came about: settings, discounts, size of the text.
        counts: int32 (T,), how often the n-gram of each node stands in the training text, if that was kept.
    """

    packed: PackedTrie
    vocabulary: Vocabulary
    tokenizer: Tokenizer
    report: dict[str, Any] = field(default_factory=dict)
    counts: np.ndarray | None = None

    @property
    def order(self) -> int:
        return self.packed.order

    @property
    def sizes(self) -> list[int]:
        """Number of n-grams of each order."""
        return self.packed.sizes

    @property
    def signature(self) -> str:
        """Everything that a score depends on, in one line."""
        return signature_of(self.tokenizer, self.order, self.report)

    # --- making and keeping -----------------------------------------------------------------------------

    @classmethod
    def train(
        cls,
        text: EncodedCorpus | CountedText | Source,
        config: TrainingConfig | None = None,
        *,
        dev: EncodedCorpus | Source | None = None,
        tokenizer: Tokenizer | str | None = None,
        min_count: int = 1,
        max_vocab: int | None = None,
        threads: int | None = None,
        progress: Reporter = silent,
        store: Store | None = None,
        **settings: Any,
    ) -> "NGramModel":
        """Estimate a model, see `train.estimate`.

        NGramModel.train("text.txt", order=5)
        NGramModel.train(["the cat sat", "the dog ran"], tokenizer="whitespace")
        NGramModel.train([["the", "cat", "sat"], ["the", "dog", "ran"]])

        Args:
            text: an encoded corpus; counts; or what `text.sources.as_text` takes: the name of a file, or an iterable of
                paths, of lines, or of lists of tokens.
            tokenizer: by default "word"; lists of tokens are not split again. It and the next two are for text that
                is not encoded yet.
            min_count, max_vocab: which words to keep; the others become <unk>.
            dev: text by whose likelihood what is not given is tuned.
            store: makes arrays of n-grams, see `train.estimate`.
            settings: those of `TrainingConfig`, over those of `config`.

        Raises:
            DataError: text that cannot be read, or without a token.
        """
        config = replace(config or TrainingConfig(), **settings)
        reading: dict[str, Any] = {"threads": threads, "progress": progress}
        words: dict[str, Any] = {"min_count": min_count, "max_vocab": max_vocab}
        known: EncodedCorpus | CountedText
        if isinstance(text, CountedText):
            known = text if words == {"min_count": 1, "max_vocab": None} else merge_counts([text], **words, store=store)
        else:
            known = encoded(text, tokenizer, **words, **reading)
        if dev is not None:
            dev = encoded(dev, known.tokenizer, vocabulary=known.vocabulary, **reading)
        threads, store = thread_count(threads), store or Store()
        estimated = estimate(known, config, threads, progress, dev, store)
        return cls.from_estimate(estimated, known.tokenizer, threads, store)

    @classmethod
    def from_estimate(
        cls, estimated: Estimated, tokenizer: Tokenizer, threads: int, store: Store | None = None
    ) -> "NGramModel":
        """The model that an estimate gives; uses up its trie. `store` makes the arrays, in memory if not given."""
        packed = PackedTrie.pack(estimated.trie, threads, store=store, spent=True)
        return cls(packed, estimated.vocabulary, tokenizer, estimated.report, estimated.counts)

    @classmethod
    def from_trie(
        cls,
        trie: BackoffTrie,
        vocabulary: Vocabulary,
        tokenizer: Tokenizer,
        report: dict[str, Any],
        *,
        counts: np.ndarray | None = None,
        threads: int | None = None,
    ) -> "NGramModel":
        """A model of plain arrays, whatever made them."""
        return cls(PackedTrie.pack(trie, thread_count(threads)), vocabulary, tokenizer, report, counts)

    def trie(self, threads: int | None = None, store: Store | None = None) -> BackoffTrie:
        """The model as plain arrays, 8 to 16 bytes an n-gram, made by `store` (in memory if not given)."""
        return self.packed.unpack(thread_count(threads), store)

    def write_arpa(self, path: str | Path, threads: int | None = None, store: Store | None = None) -> None:
        """Write an ARPA file, compressed if the name ends in .gz, .bz2, .xz or .zst; `store` as for `trie`."""
        write_arpa(self.trie(threads, store), self.vocabulary, path, threads)

    def save(self, path: str | Path) -> None:
        """Write the model as one container."""
        header = {
            "format_version": FORMAT_VERSION,
            "version": __version__,
            "signature": self.signature,
            "tokenizer": self.tokenizer.settings(),
            "report": self.report,
        }
        arrays: dict[str, np.ndarray] = self.packed.arrays()
        if self.counts is not None:
            arrays["trie.counts"] = self.counts
        saved = {name: streamed(array) if array.ndim == 1 else array for name, array in arrays.items()}
        files.save(path, KIND, header, {**saved, **self.vocabulary.arrays(with_counts=False)})

    @classmethod
    def load(
        cls,
        path: str | Path,
        tokenizer: Tokenizer | None = None,
        *,
        threads: int | None = None,
        progress: Reporter = silent,
    ) -> "NGramModel":
        """Open a model: textkit's own by memory map, an ARPA file (plain or compressed), or a KenLM binary file.

        A KenLM probing model takes its time, since it holds no n-grams but their hashes, see `formats.kenlm_probing`.

        Args:
            tokenizer: how the text of the latter two was split, which they do not say; whitespace if not given.

        Raises:
            DataError: missing, damaged, or none of the three.
        """
        path = Path(path)
        if files.is_container(path):
            return cls._from_container(files.load(path, KIND))
        trie, vocabulary, kind = read_foreign(path, threads, progress)
        tokenizer = tokenizer or Tokenizer("whitespace")
        return cls.from_trie(trie, vocabulary, tokenizer, {"smoothing": kind}, threads=threads)

    @classmethod
    def _from_container(cls, container: files.Container) -> "NGramModel":
        header, path = container.header, container.path
        if header.get("format_version") != FORMAT_VERSION:
            raise DataError(
                f"{path} has model format {header.get('format_version')}, this textkit reads {FORMAT_VERSION}.",
                "Train it again, or use the version of textkit that wrote it.",
            )
        try:
            report, tokenizer = dict(header["report"]), Tokenizer.from_settings(header["tokenizer"])
        except (KeyError, TypeError, ValueError, UsageError) as error:
            raise DataError(f"{path} is damaged: its header lacks or spoils {error}.") from None
        vocabulary = Vocabulary.from_arrays(container.arrays, path)
        packed = PackedTrie.from_arrays(container.arrays, len(vocabulary), path)
        if packed.order > LONGEST_ORDER:
            raise DataError(f"{path} is damaged: its order is {packed.order}.")
        counts = container.arrays.get("trie.counts")
        if counts is not None and (counts.dtype, counts.shape) != (np.int32, (sum(packed.sizes),)):
            raise DataError(f"{path} is damaged: its counts do not fit its n-grams.")
        return cls(packed, vocabulary, tokenizer, report, counts)

    # --- scoring ----------------------------------------------------------------------------------------

    @property
    def query_arrays(self) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
        """What the kernels of `kernels.query` take."""
        return self.packed.data, self.packed.layout, self.packed.books

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
        query.score_stream(stream, nodes, *self.query_arrays, *self._scratch(len(stream)), scores, matches)
        return scores, matches

    def trace_stream(self, stream: np.ndarray, lines: int = 0) -> np.ndarray:
        """Score a stream that begins with a line start, and say what each score is made of.

        Args:
            stream: int32 (n,), ids and line starts.
            lines: how many lines there were before.

        Returns:
            Of each token float64 (tokens, 6): number of the line, log10 probability, surprisal in bits, order of the
            n-gram used, log10 of the backoff weights in the score, 1 for the unknown word.
        """
        scores, matches = np.empty(len(stream), np.float32), np.empty(len(stream), np.int32)
        nodes, numbers = np.array(self.start().nodes, np.int64), np.empty((len(stream), 6), np.float64)
        scratch = self._scratch(len(stream))
        size = trace.trace_stream(stream, nodes, *self.query_arrays, *scratch, scores, matches, lines, numbers)
        return numbers[:size]

    def _scratch(self, size: int) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
        """The arrays batch, scratch and nodes of `kernels.query.score_stream`."""
        places = min(query.BATCH, size) + 1
        return np.empty(places, np.int32), np.empty((3, places), np.int64), np.empty((self.order, places), np.int64)

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

    def score_many(self, texts: Iterable[str], threads: int | None = None) -> np.ndarray:
        """log10 probabilities of many sentences, float64 (n,); on all cores, without the GIL."""
        return batch.score_texts(self, Lines(texts), threads)

    def score_ids(self, ids: np.ndarray, offsets: np.ndarray) -> np.ndarray:
        """log10 probabilities of sentences that are ids already, float64 (n,); releases the GIL.

        Args:
            ids: int32 (N,) of this model's vocabulary.
            offsets: int64 (n + 1,), sentence i is ids[offsets[i]:offsets[i + 1]].

        Raises:
            UsageError: ids or offsets out of range.
        """
        ids, offsets = np.ascontiguousarray(ids, np.int32), np.ascontiguousarray(offsets, np.int64)
        if len(ids) and not 0 <= ids.min() <= ids.max() < len(self.vocabulary):
            raise UsageError(f"there are ids outside the vocabulary of {len(self.vocabulary):,} words.")
        if not len(offsets) or offsets[0] < 0 or offsets[-1] > len(ids) or (np.diff(offsets) < 0).any():
            raise UsageError("the offsets do not cut the ids into sentences.", "They rise from 0 to the number of ids.")
        return batch.score_lines(self, batch.EncodedLines(ids, offsets, 0)).log10_prob

    def score_word(self, state: State, word: str) -> tuple[WordScore, State]:
        """Score one word after a state: the score, and the state behind the word. Start with `start()`."""
        number, nodes = self.vocabulary.id(word), np.empty(self.order, np.int64)
        score, order = trace.score_word(number, np.array(state.nodes, np.int64), *self.query_arrays, nodes)
        return WordScore(word, float(score), order, number == UNK), State(tuple(nodes.tolist()))

    def __contains__(self, word: object) -> bool:
        """Whether a word is in the vocabulary."""
        return word in self.vocabulary

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
        rng: np.random.Generator | int | None = None,
        temperature: float = 1.0,
        top_k: int | None = None,
        top_p: float = 1.0,
        max_tokens: int = 100,
    ) -> Iterator[str]:
        """Continue the beginning of a sentence with random words until its end.

        Args:
            rng: random numbers, or the seed of them.
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
        rng = np.random.default_rng(rng)
        _, _, state = self.advance(self.start(), self.vocabulary.ids(self.tokenizer.tokenize(prefix)))
        for _ in range(max_tokens):
            log_p = self.distribution(state)
            log_p[UNK] = -np.inf
            word = draw(log_p * math.log(10.0), rng, temperature, top_k, top_p)
            if word == EOS:
                return
            yield self.vocabulary.word(word)
            _, _, state = self.advance(state, np.array([word], np.int32))


def signature_of(tokenizer: Tokenizer, order: int, report: dict[str, Any]) -> str:
    """Everything that the scores of a model depend on, in one line."""
    return f"{tokenizer.signature}|order:{order}|smooth:{report.get('smoothing', 'arpa')}|v:{__version__}"


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
