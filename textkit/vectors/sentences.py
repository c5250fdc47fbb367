"""Vectors of sentences, of a whole text: the mean of the unit vectors of a line's words."""

from collections.abc import Iterator

import numpy as np

from ..kernels.embedding import hidden_vectors
from ..kernels.features import NONE
from ..kernels.simd import aligned_rows
from ..parallel import ordered_map, thread_count
from ..text.blocks import Block, whole_lines
from ..text.corpus import Text, encode_lines
from ..text.vocabulary import SPECIALS, UNK, Vocabulary, word_numbers
from .model import WordVectors, unit


def sentence_vectors(model: WordVectors, text: Text, threads: int | None = None) -> Iterator[tuple[Block, np.ndarray]]:
    """The vectors of all lines, block by block: as `WordVectors.sentence`, on all cores.

    Memory is that of some blocks and of the vectors of their words and lines.

    Returns:
        Pairs of a checked block and float32 (L, D) of its lines; zeros for lines without a known word.
    """

    def of(block: Block) -> tuple[Block, np.ndarray]:
        block = text.clean(block)
        return block, _vectors_of(model, block)

    return ordered_map(of, whole_lines(text.blocks()), thread_count(threads))


def _vectors_of(model: WordVectors, block: Block) -> np.ndarray:
    lines = encode_lines(block, model.tokenizer)
    units, known = _units(model, lines.vocabulary)
    stays = known[lines.ids]
    starts = np.concatenate([np.zeros(1, np.int64), np.cumsum(stays)])[lines.offsets]
    out = np.zeros((lines.lines, units.shape[1]), np.float32)
    hidden_vectors(starts, lines.ids[stays], units.reshape(-1), units.shape[1], NONE, out.reshape(-1))
    return np.ascontiguousarray(out[:, : model.dim])


def _units(model: WordVectors, words: Vocabulary) -> tuple[np.ndarray, np.ndarray]:
    """The unit vector of each word, float32 (W, D padded), and whether it has one, bool (W,)."""
    units, numbers = aligned_rows(len(words), model.dim), word_numbers(words, model.vocabulary)
    if len(numbers) == 0:
        numbers = np.arange(len(words), dtype=np.int32)
    known = numbers != UNK
    known[: len(SPECIALS)] = False  # they have vectors in some models; the word <unk> itself may
    rows = np.asarray(model.vectors[numbers[known]], np.float32)
    lengths = np.linalg.norm(rows, axis=1)
    units[known, : model.dim] = rows / np.where(lengths > 0, lengths, 1)[:, None]
    others = np.flatnonzero(~known) if model.buckets is not None else np.arange(len(SPECIALS))
    for number in others.tolist():
        if (vector := model.find(words.word(number))) is not None:
            units[number, : model.dim], known[number] = unit(vector), True
    return units, known
