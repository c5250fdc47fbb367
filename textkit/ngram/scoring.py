"""Scoring whole texts: streaming, on all threads, in the order of the text, in memory bounded by the longest line."""

import math
from collections.abc import Iterator
from dataclasses import asdict, dataclass
from typing import Any

import numpy as np

from ..errors import DataError
from ..kernels import query
from ..parallel import ordered_map, thread_count
from ..progress import Progress, Reporter, silent
from ..text.corpus import Text, encode_block
from ..text.reader import Block, whole_lines
from ..text.vocabulary import EOS
from .model import NGramModel, WordScore

_BITS = math.log2(10.0)


@dataclass
class BlockScores:
    """Scores of some consecutive lines; arrays have one element a line.

    Attributes:
        log10_prob: float64, of all tokens and the end of the line.
        oov_log10_prob: float64, the part of it that unknown tokens have.
        tokens: int64, the end of the line included.
        oov: int64, how many are unknown.
        block: the text itself, whole lines.
    """

    log10_prob: np.ndarray
    oov_log10_prob: np.ndarray
    tokens: np.ndarray
    oov: np.ndarray
    characters: int
    block: Block


@dataclass(frozen=True)
class Perplexity:
    """Summary of a scored text, as KenLM's query defines it: each line counts its end as one token.

    Attributes:
        perplexity: 10 ** -(log10_prob / tokens), unknown words included.
        perplexity_without_oov: the same over the tokens that are known.
        bits_per_token, bits_per_character, bits_per_byte: cross-entropy; characters and bytes of the text with
            its newlines, which makes models with different vocabularies comparable.
    """

    lines: int
    tokens: int
    oov: int
    oov_rate: float
    log10_prob: float
    perplexity: float
    perplexity_without_oov: float
    bits_per_token: float
    bits_per_character: float
    bits_per_byte: float

    def as_dict(self) -> dict[str, Any]:
        """For JSON; what is not a finite number becomes None."""
        return {k: (None if isinstance(v, float) and not math.isfinite(v) else v) for k, v in asdict(self).items()}


def score_text(
    model: NGramModel, text: Text, *, threads: int | None = None, progress: Reporter = silent
) -> Iterator[BlockScores]:
    """Score every line of a text."""

    def score(block: Block) -> BlockScores:
        return _score_block(model, text.clean(block))

    for scores in ordered_map(score, whole_lines(text.blocks()), thread_count(threads)):
        progress(Progress("scoring", scores.block.done, text.total_bytes, "bytes"))
        yield scores


def _score_block(model: NGramModel, block: Block) -> BlockScores:
    encoded = encode_block(block, model.tokenizer, model.vocabulary.look_up)
    offsets = np.concatenate([[0], encoded.lines, [len(encoded.ids)] if encoded.open else []]).astype(np.int64)
    lines = len(offsets) - 1
    totals, unknown = np.zeros((lines, 2), np.float64), np.zeros(lines, np.int64)
    stream = np.empty(len(encoded.ids) + 2 * lines, np.int32)
    query.line_stream(encoded.ids, offsets, 0, lines, EOS, stream)
    scores, _ = model.score_stream(stream, np.array(model.start().nodes, np.int64))
    query.sum_lines(stream, scores, totals, unknown)
    return BlockScores(totals[:, 0], totals[:, 1], np.diff(offsets) + 1, unknown, encoded.characters, block)


def perplexity(model: NGramModel, text: Text, *, threads: int | None = None, progress: Reporter = silent) -> Perplexity:
    """Perplexity of a text.

    Raises:
        DataError: there is no line in it.
    """
    return summarize(score_text(model, text, threads=threads, progress=progress))


def summarize(scored: Iterator[BlockScores]) -> Perplexity:
    """Add up scored blocks."""
    log10_prob = lost = 0.0
    lines = tokens = oov = characters = size = 0
    for scores in scored:
        log10_prob += float(scores.log10_prob.sum())
        lost += float(scores.oov_log10_prob.sum())
        lines += len(scores.tokens)
        tokens += int(scores.tokens.sum())
        oov += int(scores.oov.sum())
        characters += scores.characters
        size += scores.block.size
    if lines == 0:
        raise DataError("there is no line of text to score.", "Is the file empty?")
    known = tokens - oov
    return Perplexity(
        lines=lines,
        tokens=tokens,
        oov=oov,
        oov_rate=oov / tokens,
        log10_prob=log10_prob,
        perplexity=power_of_10(-log10_prob / tokens),
        perplexity_without_oov=power_of_10(-(log10_prob - lost) / known) if known else math.nan,
        bits_per_token=-log10_prob * _BITS / tokens,
        bits_per_character=-log10_prob * _BITS / characters if characters else math.nan,
        bits_per_byte=-log10_prob * _BITS / size if size else math.nan,
    )


@dataclass(frozen=True)
class LineRecord:
    """One scored line."""

    log10_prob: float
    perplexity: float
    tokens: int
    oov: int
    text: str

    def as_dict(self) -> dict[str, Any]:
        """For JSON."""
        return {**asdict(self), "perplexity": self.perplexity if math.isfinite(self.perplexity) else None}

    def as_row(self) -> str:
        """Tab-separated, the text last with its tabs as spaces."""
        text = self.text.replace("\t", " ")
        return f"{self.log10_prob:.6f}\t{self.perplexity:.6g}\t{self.tokens}\t{self.oov}\t{text}"


def line_records(
    model: NGramModel, text: Text, *, threads: int | None = None, progress: Reporter = silent
) -> Iterator[LineRecord]:
    """Every line of a text with its score, in order."""
    for scores in score_text(model, text, threads=threads, progress=progress):
        rows = (scores.log10_prob.tolist(), scores.tokens.tolist(), scores.oov.tolist(), scores.block.lines())
        for log10_prob, tokens, oov, line in zip(*rows, strict=True):
            yield LineRecord(log10_prob, power_of_10(-log10_prob / tokens), tokens, oov, line)


def power_of_10(exponent: float) -> float:
    """10 ** exponent, infinite where that is too large."""
    return 10.0**exponent if exponent < 308 else math.inf


def word_scores(model: NGramModel, text: Text) -> Iterator[list[WordScore]]:
    """Every token of every line with its score, line by line."""
    for block in whole_lines(text.blocks()):
        for line in text.clean(block).lines():
            yield model.full_scores(line)
