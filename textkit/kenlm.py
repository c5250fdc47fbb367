"""The interface of the kenlm Python module, so that code written for it runs with one changed import.

    from textkit import kenlm

Models are whatever `NGramModel.load` reads. As in kenlm, text is split at ASCII white space as bytes, whatever
tokenizer the model was trained with, and sums are those of float32.
"""

import os
from collections.abc import Iterator
from functools import total_ordering
from typing import Any

import numpy as np

from .errors import TextkitError
from .kernels import trace
from .ngram.model import NGramModel
from .text.tokenizer import Tokenizer
from .text.vocabulary import BOS, EOS, UNK

_REMEMBERED = 1 << 20  # words whose ids are kept at hand


def _as_bytes(text: str | bytes) -> bytes:
    if isinstance(text, bytes):
        return text
    if isinstance(text, str):
        return text.encode("utf8")
    raise TypeError(f"Cannot convert {type(text)} to string")


class LoadMethod:
    """Ways to load a file; accepted, and all the same here: files are mapped into memory."""

    LAZY, POPULATE_OR_LAZY, POPULATE_OR_READ, READ, PARALLEL_READ = range(5)


class ARPALoadComplain:
    """What to say about ARPA files; accepted, nothing is said."""

    ALL, EXPENSIVE, NONE = range(3)


class Config:
    """Options of loading, which make no difference here."""

    def __init__(self) -> None:
        self.load_method = LoadMethod.POPULATE_OR_READ
        self.show_progress = True
        self.arpa_complain = ARPALoadComplain.ALL


class FullScoreReturn:
    """One scored word: its log10 probability, the order of the n-gram used, and whether it is unknown."""

    __slots__ = ("log_prob", "ngram_length", "oov")

    def __init__(self, log_prob: float, ngram_length: int, oov: bool) -> None:
        self.log_prob, self.ngram_length, self.oov = log_prob, ngram_length, oov

    def __repr__(self) -> str:
        return f"FullScoreReturn({self.log_prob!r}, {self.ngram_length!r}, {self.oov!r})"


@total_ordering
class State:
    """What a model remembers of the words before; equal where all that follows scores equally by the same n-grams."""

    __slots__ = ("_nodes",)

    def __init__(self) -> None:
        self._nodes: np.ndarray | None = None  # int64 (order,), see `kernels.query`; None is no context

    @property
    def _key(self) -> tuple[int, ...]:
        nodes = [] if self._nodes is None else self._nodes.tolist()
        return tuple(node for node in nodes if node >= 0)

    def __eq__(self, other: object) -> bool:
        return self._key == other._key if isinstance(other, State) else NotImplemented

    def __lt__(self, other: "State") -> bool:
        return (len(self._key), self._key) < (len(other._key), other._key)

    def __hash__(self) -> int:
        return hash(self._key)

    def __copy__(self) -> "State":
        copied = State()
        copied._nodes = self._nodes  # never written to, only replaced
        return copied

    def __deepcopy__(self, memo: Any) -> "State":
        return self.__copy__()


class Model:
    """A language model.

    Args:
        path: a textkit model, an ARPA file or whatever else `NGramModel.load` reads.

    Raises:
        OSError: it cannot be read.
    """

    def __init__(self, path: str | bytes, config: Config | None = None) -> None:
        self.path = os.path.abspath(_as_bytes(path))
        try:
            self.model = NGramModel.load(os.fsdecode(self.path), Tokenizer("whitespace"))
        except TextkitError as error:
            raise OSError(f"Cannot read model '{path!s}' ({error})") from error
        self._arrays = self.model.query_arrays
        self._ids: dict[bytes, int] = {}

    @property
    def order(self) -> int:
        """Length of the longest n-grams."""
        return self.model.order

    def _index(self, word: bytes) -> int:
        found = self._ids.get(word)
        if found is None:
            if len(self._ids) >= _REMEMBERED:
                self._ids.clear()
            found = self._ids[word] = self.model.vocabulary.id(word.decode("utf-8", "surrogateescape"))
        return found

    def _scored(self, sentence: str | bytes, bos: bool, eos: bool) -> tuple[list[int], float, np.ndarray, np.ndarray]:
        """The ids of a sentence's words, the float32 sum of their scores, the scores, and the orders used."""
        words = _as_bytes(sentence).split()
        ids: list[Any] = list(map(self._ids.get, words))  # the usual case without a call for each word
        if None in ids:
            ids = list(map(self._index, words))
        if eos:
            ids.append(EOS)
        scores, orders = np.empty(len(ids), np.float32), np.empty(len(ids), np.int32)
        state, scratch = self._start(bos), np.empty(self.order, np.int64)
        total = trace.score_words(np.array(ids, np.int32), state, *self._arrays, scratch, scores, orders)
        return ids, float(total), scores, orders

    def _start(self, bos: bool) -> np.ndarray:
        nodes = np.full(self.order, -1, np.int64)
        if bos:
            nodes[0] = BOS
        return nodes

    def score(self, sentence: str | bytes, bos: bool = True, eos: bool = True) -> float:
        """log10 probability of a sentence, of its end too (eos), after its beginning (bos)."""
        return self._scored(sentence, bos, eos)[1]

    def perplexity(self, sentence: str | bytes) -> float:
        """Perplexity of a sentence, its end and unknown words included."""
        words = len(_as_bytes(sentence).split()) + 1
        return float(10.0 ** (-self.score(sentence) / words))

    def full_scores(
        self, sentence: str | bytes, bos: bool = True, eos: bool = True
    ) -> Iterator[tuple[float, int, bool]]:
        """(log10 probability, order of the n-gram used, whether unknown) of every word."""
        ids, _, scores, orders = self._scored(sentence, bos, eos)
        for number, score, order in zip(ids, scores.tolist(), orders.tolist(), strict=True):
            yield score, order, number == UNK

    def BeginSentenceWrite(self, state: State) -> None:
        """Set a state to the beginning of a sentence."""
        nodes = self._start(True)
        trace.minimize(nodes, *self._arrays)
        state._nodes = nodes

    def NullContextWrite(self, state: State) -> None:
        """Set a state to no context at all."""
        state._nodes = self._start(False)

    def _advance(self, in_state: State, number: int, out_state: State) -> tuple[float, int]:
        nodes = self._start(False) if in_state._nodes is None else in_state._nodes
        target = np.empty(self.order, np.int64)
        score, order = trace.advance(number, nodes, *self._arrays, target)
        out_state._nodes = target
        return score, order

    def BaseScore(self, in_state: State, word: str, out_state: State) -> float:
        """log10 probability of a word after a state; out_state, which may be the same, becomes the state behind it."""
        return float(self._advance(in_state, self._index(_as_bytes(word)), out_state)[0])

    def BaseFullScore(self, in_state: State, word: str, out_state: State) -> FullScoreReturn:
        """As `BaseScore`, with the order used and whether the word is unknown."""
        number = self._index(_as_bytes(word))
        score, order = self._advance(in_state, number, out_state)
        return FullScoreReturn(float(score), order, number == UNK)

    def __contains__(self, word: str | bytes) -> bool:
        return self._index(_as_bytes(word)) != UNK

    def __repr__(self) -> str:
        return f"<Model from {os.path.split(self.path)[1]!r}>"

    def __reduce__(self) -> tuple[type, tuple[bytes]]:
        return type(self), (self.path,)


class LanguageModel(Model):
    """The name that old programs use."""
