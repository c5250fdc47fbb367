"""Backoff tries in as few bytes as they need: what a model file holds and the query kernels read."""

from dataclasses import dataclass
from itertools import pairwise
from typing import Any

import numpy as np

from ..errors import DataError
from ..formats.backoff import BackoffTrie
from ..kernels import bits
from ..parallel import ordered_map
from ..store import Store, give_back, slices

_PIECE = 1 << 16  # records packed at a time; a multiple of 8, so that pieces meet at whole bytes
_EXACT, _SIGNED = 31, 32  # bits of a stored float without and with its sign
_RANGE = {bits.WORD: (0, 31), bits.LOG_P: (1, 32), bits.BACKOFF: (0, 32), bits.EDGE: (0, 32)}


@dataclass(frozen=True)
class PackedTrie:
    """A backoff model as numbers of few bits, see `kernels.bits`.

    Attributes:
        data: uint8, the sections of all levels and some spare bytes.
        layout: int64 (order, 9).
        books: float32, the values of quantised numbers.
    """

    data: np.ndarray
    layout: np.ndarray
    books: np.ndarray

    @property
    def order(self) -> int:
        return len(self.layout)

    @property
    def sizes(self) -> list[int]:
        return self.layout[:, bits.SIZE].tolist()

    @property
    def code_width(self) -> int | None:
        """Bits of a quantised number, None where all are exact."""
        quantised = self.layout[:, bits.P_BOOK] >= 0
        return int(self.layout[quantised, bits.LOG_P].max()) if quantised.any() else None

    @classmethod
    def pack(
        cls,
        trie: BackoffTrie,
        threads: int,
        codes: "Quantised | None" = None,
        store: Store | None = None,
        spent: bool = False,
    ) -> "PackedTrie":
        """Pack a trie exactly, or with numbers quantised before; `store` makes the data, in memory if not given.

        Args:
            spent: nobody needs the trie afterwards, so that its memory goes to the packed one level by level.
        """
        bases = trie.bases.tolist()
        floats = [
            (_float_bits(trie.log_p[base:end]), _float_bits(trie.backoff[base:end])) for base, end in pairwise(bases)
        ]
        layout, size = _layout(trie.sizes, floats, codes.width if codes else None)
        data = (store or Store()).zeros(size, np.uint8)
        for level in range(trie.order):
            _pack_level(trie, codes, layout, level, data, threads)
            for values in (trie.words, trie.log_p, trie.backoff, trie.edges) if spent else ():
                give_back(values[bases[level] : bases[level + 1]])
        return cls(data, layout, codes.books if codes else np.zeros(0, np.float32))

    def unpack(self, threads: int, store: Store | None = None) -> BackoffTrie:
        """The same model as plain arrays, made by `store`, in memory if not given."""
        store, sizes = store or Store(), self.sizes
        bases = np.concatenate([[0], np.cumsum(sizes, dtype=np.int64)])
        inner = int(bases[-2])
        words, log_p = store.empty(int(bases[-1]), np.int32), store.empty(int(bases[-1]), np.float32)
        backoff, edges = store.empty(inner, np.float32), store.empty(inner + 1, np.uint32)
        edges[-1] = bases[-1] if inner else 0
        for level, (base, end) in enumerate(pairwise(bases.tolist())):
            parts = (words[base:end], log_p[base:end], backoff[base:end], edges[base:end])

            def work(part: tuple[int, int], level: int = level, shift: int = end, parts: tuple = parts) -> None:
                bits.unpack(self.data, self.layout, self.books, level, *part, shift, *parts)

            for _ in ordered_map(work, store.pieces(sizes[level], 16, threads), threads):
                pass
        return BackoffTrie(sizes, words, log_p, backoff, edges)

    def arrays(self) -> dict[str, np.ndarray]:
        """The arrays a container holds of it."""
        return {"trie.data": self.data, "trie.layout": self.layout, "trie.books": self.books}

    @classmethod
    def from_arrays(cls, arrays: dict[str, Any], vocabulary: int, name: object) -> "PackedTrie":
        """The inverse of `arrays`. Raises DataError where the levels do not lie inside the data."""
        try:
            found = cls(arrays["trie.data"], np.array(arrays["trie.layout"]), np.array(arrays["trie.books"]))
        except KeyError as missing:
            raise DataError(f"{name} is damaged: it has no array {missing}.") from None
        if not found._sound(vocabulary):
            raise DataError(f"{name} is damaged: its arrays do not fit together.")
        return found

    def _sound(self, vocabulary: int) -> bool:
        data, layout, books = self.data, self.layout, self.books
        if [a.dtype for a in (data, layout, books)] != [np.uint8, np.int64, np.float32]:
            return False
        if (data.ndim, books.ndim, layout.ndim) != (1, 1, 2) or layout.shape[1] != bits.FIELDS or not len(layout):
            return False
        limits_kept = all(
            ((layout[:, field] >= low) & (layout[:, field] <= high)).all() for field, (low, high) in _RANGE.items()
        )
        if not limits_kept or (layout[:, bits.SIZE] < 0).any() or layout[0, bits.SIZE] != vocabulary:
            return False
        if (layout[1:, bits.WORD] == 0).any() or (layout[:-1, [bits.BACKOFF, bits.EDGE]] == 0).any():
            return False
        return all(self._level_sound(level) for level in range(self.order))

    def _level_sound(self, level: int) -> bool:
        row = self.layout[level]
        words, records = _section_bytes(row, int(level < self.order - 1))
        ends = int(row[bits.WORDS]) + words, int(row[bits.RECORDS]) + records
        books = all(
            -1 <= row[book] and (row[book] < 0 or row[book] + (1 << int(row[width])) <= len(self.books))
            for book, width in ((bits.P_BOOK, bits.LOG_P), (bits.B_BOOK, bits.BACKOFF))
        )
        starts_sound = row[bits.WORDS] >= 0 and row[bits.RECORDS] >= 0 and row[bits.SIZE] < 1 << 32
        return books and starts_sound and max(ends) + bits.SPARE <= len(self.data)


@dataclass(frozen=True)
class Quantised:
    """Numbers replaced by codes.

    Attributes:
        log_p, backoff: uint32 codes by node, as long as those of the trie.
        width: bits of a code.
        books: float32, values of codes; each order but the first has 2**width for log_p, then for backoff.
    """

    log_p: np.ndarray
    backoff: np.ndarray
    width: int
    books: np.ndarray


def _section_bytes(row: np.ndarray, ending: int) -> tuple[int, int]:
    """Bytes of a level's words and of its records, of which `ending` more than n-grams."""
    size, stride = int(row[bits.SIZE]), int(row[[bits.LOG_P, bits.BACKOFF, bits.EDGE]].sum())
    return (size * int(row[bits.WORD]) + 7) // 8, ((size + ending) * stride + 7) // 8


def packed_bytes(sizes: list[int], signed_backoffs: bool, code_width: int | None = None) -> int:
    """Size of the packed data of a model with so many n-grams of each order, and of its codebooks if it has such.

    Args:
        signed_backoffs: some backoff weight is above 1.
        code_width: bits of quantised numbers.
    """
    backoff = _SIGNED if signed_backoffs else _EXACT
    books = 0 if code_width is None else 4 * max(2 * len(sizes) - 3, 0) << code_width
    return _layout(sizes, [(_EXACT, backoff)] * len(sizes), code_width)[1] + books


def _layout(sizes: list[int], floats: list[tuple[int, int]], code_width: int | None) -> tuple[np.ndarray, int]:
    """The layout of a packed trie, and the bytes it takes.

    Args:
        floats: bits of a log10 probability and of a backoff where they are stored as floats, by order.
    """
    layout = np.zeros((len(sizes), bits.FIELDS), np.int64)
    layout[:, [bits.P_BOOK, bits.B_BOOK]] = -1
    position = 0
    for level, size in enumerate(sizes):
        row, inner = layout[level], level < len(sizes) - 1
        row[bits.SIZE] = size
        row[bits.WORD] = max(1, (sizes[0] - 1).bit_length()) if level else 0
        row[bits.LOG_P] = floats[level][0]
        if inner:
            row[bits.BACKOFF] = floats[level][1]
            row[bits.EDGE] = max(1, sizes[level + 1].bit_length())
        if code_width is not None and level:
            row[bits.LOG_P], row[bits.P_BOOK] = code_width, 2 * (level - 1) << code_width
            if inner:
                row[bits.BACKOFF], row[bits.B_BOOK] = code_width, (2 * level - 1) << code_width
        row[bits.WORDS] = position
        row[bits.RECORDS] = position = position + _section_bytes(row, inner)[0]
        position += _section_bytes(row, inner)[1]
    return layout, position + bits.SPARE


def _float_bits(values: np.ndarray) -> int:
    return _EXACT if all((piece <= 0).all() for piece in slices(values)) else _SIGNED


def _pack_level(
    trie: BackoffTrie, codes: Quantised | None, layout: np.ndarray, level: int, data: np.ndarray, threads: int
) -> None:
    row, nothing = layout[level], np.zeros(0, np.uint32)
    base, end = trie.bases[level : level + 2].tolist()
    if level:
        columns = trie.words[base:end].view(np.uint32), nothing, nothing
        _pack(columns, np.array([row[bits.WORD], 0, 0]), 0, data[row[bits.WORDS] :], threads)
    quantised = codes if level else None
    log_p = quantised.log_p if quantised else trie.log_p.view(np.uint32)
    backoff = quantised.backoff if quantised else trie.backoff.view(np.uint32)
    inner = level < trie.order - 1
    columns = log_p[base:end], backoff[base:end], trie.edges[base : end + 1] if inner else nothing
    _pack(columns, row[[bits.LOG_P, bits.BACKOFF, bits.EDGE]], end, data[row[bits.RECORDS] :], threads)


def _pack(columns: tuple, widths: np.ndarray, shift: int, section: np.ndarray, threads: int) -> None:
    """Fill a section with columns side by side, see `kernels.bits.pack`."""
    total, stride = max(map(len, columns)), int(widths.sum())

    def work(first: int) -> None:
        last = min(first + _PIECE, total)
        size = ((last - first) * stride + 7) // 8
        out = np.empty(size + bits.SPARE, np.uint8)
        bits.pack(columns, widths, shift, first, last, out)
        section[first * stride // 8 :][:size] = out[:size]

    for _ in ordered_map(work, range(0, total, _PIECE), threads):
        pass
