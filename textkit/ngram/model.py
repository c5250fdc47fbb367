"""The n-gram model: a backoff model in flat memory-mapped arrays, with everything one can ask of it."""

import math
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import numpy as np

from .. import __version__, files
from ..errors import DataError, UsageError
from ..formats.backoff import BackoffTrie
from ..kernels import query
from ..parallel import thread_count
from ..progress import Reporter, silent
from ..text.corpus import EncodedCorpus
from ..text.tokenizer import Tokenizer
from ..text.vocabulary import BOS, EOS, UNK, Vocabulary
from .foreign import read_foreign, write_arpa
from .packed import PackedTrie
from .train import LONGEST_ORDER, TrainingConfig, estimate

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
    """

    packed: PackedTrie
    vocabulary: Vocabulary
    tokenizer: Tokenizer
    report: dict[str, Any] = field(default_factory=dict)

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
        method = self.report.get("smoothing", "arpa")
        return f"{self.tokenizer.signature}|order:{self.order}|smooth:{method}|v:{__version__}"

    # --- making and keeping -----------------------------------------------------------------------------

    @classmethod
    def train(
        cls,
        corpus: EncodedCorpus,
        config: TrainingConfig | None = None,
        *,
        dev: EncodedCorpus | None = None,
        threads: int | None = None,
        progress: Reporter = silent,
    ) -> "NGramModel":
        """Estimate a model, see `train.estimate`."""
        estimated = estimate(corpus, config or TrainingConfig(), thread_count(threads), progress, dev)
        return cls.from_trie(estimated.trie, estimated.vocabulary, corpus.tokenizer, estimated.report, threads=threads)

    @classmethod
    def from_trie(
        cls,
        trie: BackoffTrie,
        vocabulary: Vocabulary,
        tokenizer: Tokenizer,
        report: dict[str, Any],
        *,
        threads: int | None = None,
    ) -> "NGramModel":
        """A model of plain arrays, whatever made them."""
        return cls(PackedTrie.pack(trie, thread_count(threads)), vocabulary, tokenizer, report)

    def trie(self, threads: int | None = None) -> BackoffTrie:
        """The model as plain arrays, 8 to 16 bytes an n-gram."""
        return self.packed.unpack(thread_count(threads))

    def write_arpa(self, path: str | Path, threads: int | None = None) -> None:
        """Write an ARPA file, compressed if the name ends in .gz, .bz2, .xz or .zst."""
        write_arpa(self.trie(threads), self.vocabulary, path, threads)

    def save(self, path: str | Path) -> None:
        """Write the model as one container."""
        header = {
            "format_version": FORMAT_VERSION,
            "version": __version__,
            "signature": self.signature,
            "tokenizer": self.tokenizer.settings(),
            "report": self.report,
        }
        files.save(path, KIND, header, {**self.packed.arrays(), **self.vocabulary.arrays(with_counts=False)})

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
        try:
            own = files.is_container(path)
        except OSError as error:
            raise DataError(f"cannot open {path}: {files.why(error)}.") from error
        if own:
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
        return cls(packed, vocabulary, tokenizer, report)

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
        places = min(query.BATCH, len(stream)) + 1
        batch, scratch = np.empty(places, np.int32), np.empty((3, places), np.int64)
        found = np.empty((self.order, places), np.int64)
        query.score_stream(stream, nodes, *self.query_arrays, batch, scratch, found, scores, matches)
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
