"""The search structure of KenLM's tries (lm/trie.hh, lm/quantize.hh, lm/bhiksha.cc).

A node stands for an n-gram; its children have one more word in front. Nodes of one order lie in bit-packed records one
after the other: word, probability and backoff (or their codes), and where the children begin; the next record says
where they end. Quantised tries keep the values of the codes in tables in front. Compressed pointers are split: the low
bits stay in the record, the high ones follow from an array of the first records that have them.
"""

from dataclasses import dataclass

import numpy as np

from ..kernels import kenlm as kernels
from .backoff import Listed
from .cursor import Cursor
from .kenlm_file import ARRAY_TRIE, QUANTIZED_ARRAY_TRIE, QUANTIZED_TRIE, Header, cleaned

_QUANTIZER_VERSION, _POINTERS_VERSION = 2, 0
_LARGEST_CODE = 25  # bits
_FLOAT_BITS = 31, 32  # a probability has no sign, a backoff has
_UNIGRAM = np.dtype([("log_p", "<f4"), ("backoff", "<f4"), ("next", "<u8")])
_SIGN = np.uint32(1 << 31)


@dataclass(frozen=True)
class _Records:
    """Where the records of one order are.

    Attributes:
        data: uint8, the records and at least 8 bytes behind the last one.
        count: how many there are, without the last one, which only ends the children of the one before.
        next_bits: low bits of the pointers in the records.
        offsets: uint64, first records with each value of the high bits; None where nothing is split.
        tables: float32, values of the codes of probabilities and backoffs; None where the records hold floats.
        bits: widths of probability and backoff in the records.
    """

    data: np.ndarray
    count: int
    word_bits: int
    bits: tuple[int, int]
    next_bits: int
    offsets: np.ndarray | None
    tables: tuple[np.ndarray, np.ndarray] | None

    def field(self, offset: int, bits: int, count: int) -> np.ndarray:
        """One field of the first `count` records as uint64."""
        values = np.zeros(count, np.uint64)
        if bits:
            width = self.word_bits + sum(self.bits) + self.next_bits
            kernels.read_fields(self.data, width, offset, bits, values)
        return values

    def words(self) -> np.ndarray:
        """The word of each record."""
        return self.field(0, self.word_bits, self.count)

    def numbers(self) -> np.ndarray:
        """Log10 probabilities and backoffs, float32 (E, 2)."""
        p_bits, b_bits = self.bits
        numbers = np.zeros((self.count, 2), np.float32)
        if self.tables is None:
            probabilities = self.field(self.word_bits, p_bits, self.count).astype(np.uint32) | _SIGN
            numbers[:, 0] = probabilities.view(np.float32)
            if b_bits:
                backoffs = self.field(self.word_bits + p_bits, b_bits, self.count)
                numbers[:, 1] = backoffs.astype(np.uint32).view(np.float32)
        else:
            numbers[:, 0] = self.tables[0][self.field(self.word_bits + b_bits, p_bits, self.count)]
            if b_bits:
                numbers[:, 1] = self.tables[1][self.field(self.word_bits, b_bits, self.count)]
        return numbers

    def pointers(self) -> np.ndarray:
        """Where the children of each record begin, and where those of the last one end: int64 (E + 1,)."""
        low = self.field(self.word_bits + sum(self.bits), self.next_bits, self.count + 1).astype(np.int64)
        if self.offsets is None:
            return low
        high = np.searchsorted(self.offsets, np.arange(self.count + 1, dtype=np.uint64), side="right") - 1
        return high << self.next_bits | low


@dataclass(frozen=True)
class Layout:
    """The parts of the search structure in the file, none of them copied yet."""

    unigrams: np.ndarray
    records: list[_Records]


def layout(cursor: Cursor, header: Header) -> Layout:
    """Find all parts, and thereby make sure that the file holds them."""
    counts = header.counts
    tables = _tables(cursor, len(counts)) if header.kind in (QUANTIZED_TRIE, QUANTIZED_ARRAY_TRIE) else None
    unigrams = cursor.take(_UNIGRAM.itemsize * (counts[0] + 2), "unigrams").view(_UNIGRAM)
    records, array_bits = [], None
    for n in range(2, len(counts) + 1):
        entries = counts[n - 1]
        next_bits, offsets = 0, None
        if n < len(counts):
            next_bits = counts[n].bit_length()
            if header.kind in (ARRAY_TRIE, QUANTIZED_ARRAY_TRIE):
                array_bits = _array_bits(cursor) if array_bits is None else array_bits
                next_bits, offsets = _offsets(cursor, entries + 1, counts[n], array_bits)
        values = tables[n - 2] if tables else None
        sizes = (_code_bits(values[0]), _code_bits(values[1])) if values else _FLOAT_BITS
        bits = sizes if n < len(counts) else (sizes[0], 0)
        word_bits = counts[0].bit_length()
        size = ((1 + entries) * (word_bits + sum(bits) + next_bits) + 7) // 8 + 8
        data = cursor.take(size, f"{n}-grams")
        records.append(_Records(data, entries, word_bits, bits, next_bits, offsets, values))
    return Layout(unigrams, records)


def _code_bits(table: np.ndarray) -> int:
    return len(table).bit_length() - 1


def _tables(cursor: Cursor, order: int) -> list[tuple[np.ndarray, np.ndarray]]:
    """Values of the codes for orders from 2 up; the highest order has no backoffs."""
    version, p_bits, b_bits = cursor.take(8, "quantisation")[:3].tolist()
    if version != _QUANTIZER_VERSION or not (1 <= p_bits <= _LARGEST_CODE and 1 <= b_bits <= _LARGEST_CODE):
        raise cursor.damaged(f"its quantisation is of version {version} with {p_bits} and {b_bits} bits")
    tables = []
    for n in range(2, order + 1):
        values = cursor.take(4 << p_bits, "quantisation").view("<f4")
        tables.append((values, cursor.take(4 << b_bits, "quantisation").view("<f4") if n < order else values[:1]))
    return tables


def _array_bits(cursor: Cursor) -> int:
    """The setting of build_binary -a, which leads the first compressed pointers."""
    version, bits = cursor.take(2, "compressed pointers").tolist()
    cursor.position -= 2
    if version != _POINTERS_VERSION:
        raise cursor.damaged(f"its compressed pointers are of version {version}")
    return bits


def _offsets(cursor: Cursor, pointers: int, largest: int, array_bits: int) -> tuple[int, np.ndarray]:
    """Low bits of compressed pointers, and the array for the high ones; so many of each as cost the least space."""
    needed = largest.bit_length()
    costs = [(largest >> (needed - high)) * 64 - pointers * high for high in range(min(needed, array_bits) + 1)]
    high = costs.index(min(costs))
    count = (largest >> (needed - high)) + 1
    begin = cursor.position
    region = cursor.take(8 * (1 + count) + 7, "compressed pointers")
    skip = -begin % 8 + 8  # a header, aligned in the file
    return needed - high, region[skip : skip + 8 * count].view("<u8")


def levels(cursor: Cursor, layout: Layout, vocabulary_size: int) -> list[Listed]:
    """All n-grams, order by order; those of one order in the trie's order, which is by their words from the last."""
    unigrams = layout.unigrams[: vocabulary_size + 1]
    pointers = unigrams["next"].astype(np.int64)
    numbers = np.stack([unigrams["log_p"][:-1], unigrams["backoff"][:-1]], axis=1)
    found = [Listed(np.arange(vocabulary_size, dtype=np.int32)[:, None], cleaned(cursor, numbers))]
    for n, records in enumerate(layout.records, 2):
        words = records.words()
        if len(words) and words.max() >= vocabulary_size:
            raise cursor.damaged(f"one of its {n}-grams has word {words.max():,} of {vocabulary_size:,}")
        ngrams = np.empty((records.count, n), np.int32)
        ngrams[:, 0] = words
        ngrams[:, 1:] = found[-1].ngrams[_parents(cursor, pointers, records.count)]
        found.append(Listed(ngrams, cleaned(cursor, records.numbers())))
        if n <= len(layout.records):
            pointers = records.pointers()
    return found


def _parents(cursor: Cursor, pointers: np.ndarray, children: int) -> np.ndarray:
    if pointers[0] or pointers[-1] != children or (pointers[1:] < pointers[:-1]).any():
        raise cursor.damaged("the pointers of its trie make no sense")
    return np.repeat(np.arange(len(pointers) - 1), np.diff(pointers))
