"""What stands beside the text of documents: labels as numbers, and rows that are odd."""

import threading
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field

import numpy as np

from ..kernels import labels as kernels
from ..kernels import scan
from ..kernels.words import first_occurrences
from ..text.blocks import Block
from ..text.tokenizer import PADDING, text_buffer
from ..text.vocabulary import WordTable

NO_LABEL, EMPTY, NO_TEXT, UNDECODABLE, MALFORMED, BAD_WEIGHT, OVER_LONG = REASONS = (
    "no label", "empty row", "no text", "not decodable", "no record", "bad weight", "over-long",
)  # fmt: skip


@dataclass
class LabelSet:
    """The labels of a text.

    Attributes:
        names: without prefix; those given in advance first, the others by count, the most frequent first.
        counts: int64 (C,), documents of each.
    """

    names: list[str]
    counts: np.ndarray

    def __len__(self) -> int:
        return len(self.names)

    def numbers(self) -> dict[str, int]:
        """The number of each name."""
        return {name: number for number, name in enumerate(self.names)}


def is_everything(documents: np.ndarray, count: int) -> bool:
    """Whether these are all of so many documents, in order."""
    return len(documents) == count and bool((np.diff(documents) > 0).all())


@dataclass
class Ragged:
    """Lists of numbers, one for each document.

    Attributes:
        ids: int32 (M,), all lists one after the other.
        offsets: int64 (L + 1,), list i is ids[offsets[i]:offsets[i + 1]].
    """

    ids: np.ndarray
    offsets: np.ndarray

    @classmethod
    def from_lists(cls, lists: Sequence[Sequence[int]]) -> "Ragged":
        """The lists of Python numbers."""
        sizes = np.array([0, *map(len, lists)], np.int64)
        return cls(np.array([n for numbers in lists for n in numbers], np.int32), np.cumsum(sizes))

    def __len__(self) -> int:
        return len(self.offsets) - 1

    def __getitem__(self, document: int) -> np.ndarray:
        return self.ids[self.offsets[document] : self.offsets[document + 1]]

    @property
    def sizes(self) -> np.ndarray:
        """The length of each list, int64 (L,)."""
        return np.diff(self.offsets)

    def take(self, documents: np.ndarray) -> "Ragged":
        """The lists of these documents in this order; `documents` are numbers, or bool (L,)."""
        documents = np.arange(len(self))[documents]
        sizes = self.sizes[documents]
        offsets = np.concatenate([np.zeros(1, np.int64), np.cumsum(sizes)])
        where = np.repeat(self.offsets[documents] - offsets[:-1], sizes) + np.arange(offsets[-1])
        return Ragged(self.ids[where], offsets)


@dataclass
class OddRows:
    """Rows that were left out, or kept although something is the matter with them.

    Attributes:
        names: of the files.
        files: int32 (R,), lines: int64 (R,) from 1, reasons: uint8 (R,), places in REASONS; in the order of the text.
        kept: reasons for which rows stay in the corpus.
    """

    names: list[str]
    files: np.ndarray
    lines: np.ndarray
    reasons: np.ndarray
    kept: tuple[str, ...] = (OVER_LONG,)

    @classmethod
    def of(
        cls, names: list[str], found: list[tuple[np.ndarray, np.ndarray, np.ndarray]], kept: tuple[str, ...]
    ) -> "OddRows":
        """From pieces (files, lines, reasons) in any order."""
        dtypes = (np.int32, np.int64, np.uint8)
        columns = [np.concatenate([np.zeros(0, t), *(f[i] for f in found)]).astype(t) for i, t in enumerate(dtypes)]
        order = np.lexsort((columns[2], columns[1], columns[0]))
        files, lines, reasons = (column[order] for column in columns)
        return cls(names, files, lines, reasons, kept)

    def __len__(self) -> int:
        return len(self.lines)

    def __iter__(self) -> Iterator[tuple[str, int, str]]:
        """(file, line, reason) of each."""
        for file, line, reason in zip(self.files.tolist(), self.lines.tolist(), self.reasons.tolist(), strict=True):
            yield self.names[file], line, REASONS[reason]

    @property
    def counts(self) -> dict[str, int]:
        """Rows by reason, those that there are."""
        counts = np.bincount(self.reasons, minlength=len(REASONS)).tolist()
        return {reason: count for reason, count in zip(REASONS, counts, strict=True) if count}

    @property
    def dropped(self) -> int:
        """How many rows are not in the corpus."""
        return sum(count for reason, count in self.counts.items() if reason not in self.kept)

    def __str__(self) -> str:
        return ", ".join(
            f"{count:,} {'kept' if reason in self.kept else 'left out'}: {reason}"
            for reason, count in self.counts.items()
        )


@dataclass
class Taken:
    """What some consecutive rows of one source say besides their text.

    Attributes:
        file: number of the source.
        ids: int32, labels of all documents, numbered by a LabelTable.
        ends: int64 (documents,), the number of ids up to the end of each.
        lines: int64 (documents,), where each stands, from 0 in this piece.
        total: lines of the piece.
        odd: (reason, lines) of what is odd.
        weights: float32 (documents,), or None.
    """

    file: int
    ids: np.ndarray
    ends: np.ndarray
    lines: np.ndarray
    total: int
    odd: list[tuple[str, np.ndarray]] = field(default_factory=list)
    weights: np.ndarray | None = None


@dataclass
class NumberedBlock(Block):
    """A block that knows its place in the text."""

    number: int = 0


class LabelTable:
    """Numbers labels as they come, from any thread.

    Args:
        known: labels that have numbers already: 0, 1, …
    """

    def __init__(self, known: Sequence[str] = ()) -> None:
        self._table, self._lock, self.known = WordTable(), threading.Lock(), len(known)
        self.intern_names([known])

    def intern(self, buffer: np.ndarray, spans: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
        """Ids of the labels at spans int32 (n, 2), and for each empty span the number of ids before it."""
        with self._lock:
            ids, ends = self._table.intern(buffer, spans, len(spans))
        return ids, ends.astype(np.int64)

    def intern_names(self, lists: Sequence[Sequence[str]]) -> tuple[np.ndarray, np.ndarray]:
        """The same for labels of documents as strings, which are not empty."""
        encoded = [[name.encode("utf-8", "surrogateescape") for name in names] + [b""] for names in lists]
        flat = [name for names in encoded for name in names]
        spans = np.zeros((len(flat), 2), np.int32)
        spans[:, 1] = np.cumsum([len(name) for name in flat], dtype=np.int64)
        spans[1:, 0] = spans[:-1, 1]
        return self.intern(text_buffer(b"".join(flat)), spans)

    def settle(self, gold: Ragged) -> tuple[LabelSet, Ragged]:
        """The final labels, and `gold` renumbered, each label once a document."""
        words = self._table.words
        gold = distinct(gold, np.arange(words, dtype=np.int32), words)
        counts, first = np.bincount(gold.ids, minlength=words), np.full(words, len(gold.ids))
        first_occurrences(gold.ids, first)
        order = np.lexsort((first, -counts))
        order = order[(order >= self.known) & (counts[order] > 0)]  # a label may have had only rows that went
        order = np.concatenate([np.arange(self.known), order])
        mapping = np.zeros(words, np.int32)
        mapping[order] = np.arange(len(order))
        return LabelSet(self._names(order), counts[order]), distinct(gold, mapping, len(order))

    def _names(self, numbers: np.ndarray) -> list[str]:
        data, ends = self._table.arena.tobytes(), self._table.ends.tolist()
        return [data[ends[i] : ends[i + 1]].decode("utf-8", "surrogateescape") for i in numbers.tolist()]


def distinct(lists: Ragged, mapping: np.ndarray, size: int) -> Ragged:
    """The lists by new numbers below `size`, each number once a list."""
    out, offsets = np.empty(len(lists.ids), np.int32), np.empty(len(lists.offsets), np.int64)
    count = kernels.distinct_lists(lists.ids, lists.offsets, mapping, np.full(size, -1, np.int64), out, offsets)
    return Ragged(out[:count].copy(), offsets)


def take_labels(
    data: np.ndarray, size: int, prefix: bytes, keep_all: bool = False
) -> tuple[np.ndarray, int, np.ndarray, tuple]:
    """Lines data[:size] without their labels; lines without a label go, unless all are to be kept.

    Returns:
        The text of the labelled lines and its size; spans of labels int32 (n, 2) in `data`, an empty one behind those
        of each line; and the numbers of labelled lines, of lines without, and which of the latter hold nothing.
    """
    lines = scan.count_marks(data, size)[0] + 1
    out = np.empty(size + 1 + PADDING, np.uint8)
    spans = np.empty((size // (len(prefix) + 1) + lines + 1, 2), np.int32)
    kept, dropped, empty = np.empty(lines, np.int32), np.empty(lines, np.int32), np.empty(lines, np.bool_)
    n_bytes, n_spans, n_kept, n_dropped = kernels.take_labels(
        data, size, text_buffer(prefix), len(prefix), keep_all, out, spans, kept, dropped, empty
    )
    out[n_bytes : n_bytes + PADDING] = 0
    lines_found = kept[:n_kept], dropped[:n_dropped], empty[:n_dropped]
    return out[: n_bytes + PADDING], n_bytes, spans[:n_spans], lines_found


def joined(pieces: list[Taken]) -> tuple[Ragged, np.ndarray, np.ndarray, np.ndarray | None, list[tuple]]:
    """Pieces in the order of the text as one.

    Returns:
        Provisional labels; file int32 (L,) and line int64 (L,) from 1 of each document; weights float32 (L,) or None;
        and what is odd as (files, lines, reasons).
    """
    files, lines, odd = [np.zeros(0, np.int32)], [np.zeros(0, np.int64)], []
    ids, ends, n_ids = [np.zeros(0, np.int32)], [np.zeros(1, np.int64)], 0
    before, last = 1, -1
    for piece in pieces:
        before, last = before if piece.file == last else 1, piece.file
        files.append(np.full(len(piece.lines), piece.file, np.int32))
        lines.append(piece.lines + before)
        ids.append(piece.ids)
        ends.append(piece.ends + n_ids)
        n_ids += len(piece.ids)
        for reason, rows in piece.odd:
            odd.append((np.full(len(rows), piece.file), rows + before, np.full(len(rows), REASONS.index(reason))))
        before += piece.total
    gold = Ragged(np.concatenate(ids), np.concatenate(ends))
    return gold, np.concatenate(files), np.concatenate(lines), _weights(pieces), odd


def _weights(pieces: list[Taken]) -> np.ndarray | None:
    if all(piece.weights is None for piece in pieces):
        return None
    ones = (np.ones(len(p.lines), np.float32) if p.weights is None else p.weights for p in pieces)
    return np.concatenate(list(ones))
