"""Scoring whole texts: streaming, on all threads, in the order of the text, in memory bounded by the longest line."""

import math
from collections.abc import Iterator
from dataclasses import asdict, dataclass
from typing import Any

import numpy as np

from ..errors import DataError
from ..kernels import tables
from ..parallel import ordered_map, thread_count
from ..progress import Progress, Reporter, silent
from ..text.blocks import Block, whole_lines
from ..text.corpus import Text
from .batch import LineScores, encode_lines, score_lines
from .model import NGramModel, WordScore

BITS = math.log2(10.0)


@dataclass
class BlockScores(LineScores):
    """Scores of some consecutive lines, and the block they are.

    Attributes:
        spans: int64 (L, 2), bytes of the block that each line is, without its end.
        characters: int64 (L,), of each line without its end.
        block_characters: of the block with its line ends.
    """

    spans: np.ndarray
    characters: np.ndarray
    block_characters: int
    block: Block

    def measures(self) -> dict[str, np.ndarray]:
        """What is said of each line by name, float64 (L,); the end of a line counts as one character and byte."""
        bits, known = -BITS * self.log10_prob, np.maximum(self.tokens - self.oov, 1)
        return {
            "log10_prob": self.log10_prob,
            "perplexity": powers_of_10(-self.log10_prob / self.tokens),
            "perplexity_without_oov": powers_of_10((self.oov_log10_prob - self.log10_prob) / known),
            "bits_per_character": bits / (self.characters + 1),
            "bits_per_byte": bits / (self.spans[:, 1] - self.spans[:, 0] + 1),
            "tokens": self.tokens.astype(np.float64),
            "oov": self.oov.astype(np.float64),
        }


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
        return score_block(model, text.clean(block))

    for scores in ordered_map(score, whole_lines(text.blocks()), thread_count(threads)):
        progress(Progress("scoring", scores.block.done, text.total_bytes, "bytes"))
        yield scores


def score_block(model: NGramModel, block: Block) -> BlockScores:
    """Score every line of a checked block of whole lines."""
    encoded = encode_lines(model, block)
    scores = score_lines(model, encoded)
    spans, characters = np.empty((len(scores.tokens), 2), np.int64), np.empty(len(scores.tokens), np.int64)
    tables.measure_lines(block.data, block.size, spans, characters)
    return BlockScores(
        **vars(scores), spans=spans, characters=characters, block_characters=encoded.characters, block=block
    )


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
        characters += scores.block_characters
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
        bits_per_token=-log10_prob * BITS / tokens,
        bits_per_character=-log10_prob * BITS / characters if characters else math.nan,
        bits_per_byte=-log10_prob * BITS / size if size else math.nan,
    )


@dataclass(frozen=True)
class LineRecord:
    """One scored line; the measures are those of `BlockScores.measures`."""

    text: str
    log10_prob: float
    perplexity: float
    perplexity_without_oov: float
    bits_per_character: float
    bits_per_byte: float
    tokens: int
    oov: int


def line_records(
    model: NGramModel, text: Text, *, threads: int | None = None, progress: Reporter = silent
) -> Iterator[LineRecord]:
    """Every line of a text with its score, in order; to write many of them take `scored.scored_rows`."""
    for scores in score_text(model, text, threads=threads, progress=progress):
        columns = [column.tolist() for column in scores.measures().values()]
        for line, *values, tokens, oov in zip(scores.block.lines(), *columns, strict=True):
            yield LineRecord(line, *values, tokens=int(tokens), oov=int(oov))  # type: ignore[misc]


def power_of_10(exponent: float) -> float:
    """10 ** exponent, infinite where that is too large."""
    return 10.0**exponent if not exponent >= 308 else math.inf


def powers_of_10(exponents: np.ndarray) -> np.ndarray:
    """As `power_of_10`, float64 (n,)."""
    return np.where(exponents < 308, 10.0 ** np.minimum(exponents, 308), np.inf)


def word_scores(model: NGramModel, text: Text) -> Iterator[list[WordScore]]:
    """Every token of every line with its score, line by line; to write many of them take `words.word_rows`."""
    for block in whole_lines(text.blocks()):
        for line in text.clean(block).lines():
            yield model.full_scores(line)
