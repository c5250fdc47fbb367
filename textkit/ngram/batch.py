"""Many lines scored at once: arrays in, arrays out, without the GIL."""

from dataclasses import dataclass
from typing import Any, Protocol

import numpy as np

from ..kernels import query
from ..parallel import ordered_map, thread_count
from ..text.blocks import Block, whole_lines
from ..text.corpus import Text, encode_block
from ..text.tokenizer import Tokenizer
from ..text.vocabulary import EOS, Vocabulary


class LookUp(Protocol):
    """`Vocabulary.look_up`, or what stands in for it."""

    def __call__(self, buffer: np.ndarray, spans: np.ndarray, n_spans: int) -> tuple[np.ndarray, np.ndarray]: ...


class Scorer(Protocol):
    """What of an `NGramModel` is used here."""

    tokenizer: Tokenizer
    vocabulary: Vocabulary

    def start(self) -> Any:
        """The state in front of a line."""

    def score_stream(self, stream: np.ndarray, nodes: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
        """Scores and lengths of matches of a stream of ids."""


@dataclass
class LineScores:
    """Scores of some lines; arrays have one element a line.

    Attributes:
        log10_prob: float64, of all tokens and the end of the line.
        oov_log10_prob: float64, the part of it that unknown tokens have.
        tokens: int64, the end of the line included.
        oov: int64, how many are unknown.
    """

    log10_prob: np.ndarray
    oov_log10_prob: np.ndarray
    tokens: np.ndarray
    oov: np.ndarray


@dataclass
class EncodedLines:
    """Lines as ids of a model: ids int32 (N,), offsets int64 (L + 1,) of the lines in them."""

    ids: np.ndarray
    offsets: np.ndarray
    characters: int

    def stream(self) -> np.ndarray:
        """The ids as `kernels.query` scores them, with line starts and ends, int32 (N + 2 L,)."""
        lines = len(self.offsets) - 1
        stream = np.empty(len(self.ids) + 2 * lines, np.int32)
        query.line_stream(self.ids, self.offsets, 0, lines, EOS, stream)
        return stream


def encode_lines(model: Scorer, block: Block, look_up: LookUp | None = None) -> EncodedLines:
    """A checked block of whole lines as ids; `look_up` may stand in for that of the model's vocabulary."""
    encoded = encode_block(block, model.tokenizer, look_up or model.vocabulary.look_up)
    offsets = np.concatenate([[0], encoded.lines, [len(encoded.ids)] if encoded.open else []]).astype(np.int64)
    return EncodedLines(encoded.ids, offsets, encoded.characters)


def score_lines(model: Scorer, lines: EncodedLines) -> LineScores:
    """Score every line from <s> to </s>."""
    count = len(lines.offsets) - 1
    stream = lines.stream()
    scores, _ = model.score_stream(stream, np.array(model.start().nodes, np.int64))
    totals, unknown = np.zeros((count, 2), np.float64), np.zeros(count, np.int64)
    query.sum_lines(stream, scores, totals, unknown)
    return LineScores(totals[:, 0], totals[:, 1], np.diff(lines.offsets) + 1, unknown)


def score_texts(model: Scorer, text: Text, threads: int | None = None) -> np.ndarray:
    """log10 probabilities of all lines of a text, float64 (L,)."""

    def score(block: Block) -> np.ndarray:
        return score_lines(model, encode_lines(model, text.clean(block))).log10_prob

    return np.concatenate([np.zeros(0), *ordered_map(score, whole_lines(text.blocks()), thread_count(threads))])
