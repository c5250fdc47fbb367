"""Where labelled text comes from: each kind of source is text to encode, which notes labels on the way."""

from collections.abc import Iterable, Iterator
from dataclasses import dataclass, replace
from pathlib import Path
from typing import NamedTuple, Protocol

import numpy as np

from ..errors import DataError, UsageError
from ..text.reader import Block, Reader, Source, whole_lines
from ..text.tokenizer import text_buffer
from .labelling import BAD_WEIGHT, EMPTY, NO_LABEL, UNDECODABLE, LabelTable, Taken, take_labels


class LabelledText(Protocol):
    """Text to encode, which notes labels on the way: `taken` of each block, by its number in the text.

    `advice` is what to try where there is nothing to be found.
    """

    names: list[str]
    table: LabelTable
    taken: dict[int, Taken]
    advice: str

    @property
    def total_bytes(self) -> int | None: ...

    def blocks(self) -> Iterator[Block]: ...

    def clean(self, block: Block) -> Block: ...


@dataclass
class NumberedBlock(Block):
    """A block that knows its place in the text."""

    number: int = 0


class LabelLines:
    """Lines with labels in them, as text without."""

    def __init__(self, reader: Reader, prefix: str, table: LabelTable) -> None:
        self.reader, self.prefix, self.table = reader, prefix.encode(), table
        self.taken = dict[int, Taken]()
        self.names = [source.name for source in reader.sources]
        self.numbers = {source: number for number, source in enumerate(reader.sources)}
        self.advice = f"Labels are words that begin with {prefix}; say --prefix, or --format."

    @property
    def total_bytes(self) -> int:
        return self.reader.total_bytes

    def blocks(self) -> Iterator[Block]:
        """Whole lines: a label may stand anywhere in them."""
        for number, block in enumerate(whole_lines(self.reader.blocks())):
            yield NumberedBlock(block.data, block.size, block.source, block.offset, block.done, number)

    def clean(self, block: Block) -> Block:
        """The text of the labelled lines; their labels are noted."""
        assert isinstance(block, NumberedBlock)
        bad = self.reader.undecodable_lines(block) if self.reader.errors == "skip" else np.zeros(0, np.int64)
        checked = self.reader.clean(block)
        data, size, spans, (kept, dropped, empty) = take_labels(checked.data, checked.size, self.prefix)
        ids, ends = self.table.intern(checked.data, spans)
        total = int(np.count_nonzero(block.data[: block.size] == 10)) + int(block.open)
        lines = np.delete(np.arange(total), bad)
        file = self.numbers[block.source]
        odd = [(UNDECODABLE, bad), (EMPTY, lines[dropped[empty]]), (NO_LABEL, lines[dropped[~empty]])]
        self.taken[block.number] = Taken(file, ids, ends, lines[kept], total, odd)
        return replace(block, data=data, size=size)


class Row(NamedTuple):
    """One document before it is encoded: its text, its labels, its line from 0, and what is the matter with it."""

    text: str
    labels: list[str]
    line: int
    weight: float | None
    odd: str


def row(text: str, labels: list[str], line: int, weight: float | None = None) -> Row:
    """A row, with what is odd about its labels and its weight; empty labels are none."""
    odd = ""
    labels = [label for label in labels if label]
    if not labels:
        odd = NO_LABEL if text.strip() else EMPTY
    elif weight is not None and not 0 <= weight < float("inf"):
        odd = BAD_WEIGHT
    return Row(text, labels, line, weight, odd)


class MemoryText:
    """Lists of Python as text.

    Args:
        labels: for each text a string, or several.
        weights: for each text, or None.
    """

    BATCH = 10_000  # documents in a block
    names, advice, total_bytes = ["memory"], "Give each text a label.", None

    def __init__(self, texts: list[str], labels: list, weights: Iterable[float] | None, table: LabelTable) -> None:
        self.texts, self.labels, self.table = texts, labels, table
        self.weights = None if weights is None else list(weights)
        self.taken = dict[int, Taken]()
        for name, others in (("labels", labels), ("weights", self.weights)):
            if others is not None and len(others) != len(texts):
                raise UsageError(f"there are {len(texts):,} texts, but {len(others):,} {name}.", "Give one for each.")

    def blocks(self) -> Iterator[Block]:
        """The texts, each as one line."""
        source = Source("memory", Path(), "lines")
        for number, start in enumerate(range(0, len(self.texts), self.BATCH)):
            rows = [self._row(i) for i in range(start, min(start + self.BATCH, len(self.texts)))]
            self.taken[number] = noted(rows, start, len(rows), 0, self.table)
            yield block_of(rows, source, number)

    def _row(self, i: int) -> Row:
        text, given = self.texts[i], self.labels[i]
        labels = [given] if isinstance(given, str) else list(given)
        for name in (text, *labels):
            if not isinstance(name, str):
                raise UsageError(f"{name!r:.60} is no string.", "Texts are strings, labels strings or lists of them.")
        found = row(text, labels, i, None if self.weights is None else self.weights[i])
        if found.odd == BAD_WEIGHT:
            raise DataError(f"weight {i + 1} is {found.weight}.", "Weights are finite numbers from 0 on.")
        return found

    def clean(self, block: Block) -> Block:
        """The block itself."""
        return block


def noted(rows: list[Row], first: int, total: int, file: int, table: LabelTable) -> Taken:
    """What rows say besides their text; they are `total` lines from line `first` of a source on."""
    kept = [row for row in rows if not row.odd]
    ids, ends = table.intern_names([row.labels for row in kept])
    odd: dict[str, list[int]] = {}
    for row in rows:
        if row.odd:
            odd.setdefault(row.odd, []).append(row.line - first)
    lines = np.array([row.line - first for row in kept], np.int64)
    weights = None
    if any(row.weight is not None for row in kept):
        weights = np.array([1.0 if row.weight is None else row.weight for row in kept], np.float32)
    reasons = [(reason, np.array(places, np.int64)) for reason, places in odd.items()]
    return Taken(file, ids, ends, lines, total, reasons, weights)


def block_of(rows: list[Row], source: Source, number: int, done: int = 0) -> NumberedBlock:
    """The text of the rows that stay, each as one line."""
    texts = [row.text for row in rows if not row.odd]
    data = "".join(f"{_one_line(text)}\n" for text in texts).encode("utf-8", "surrogatepass")
    return NumberedBlock(text_buffer(data), len(data), source, 0, done, number)


def _one_line(text: str) -> str:
    return text.replace("\n", " ").replace("\r", " ") if "\n" in text or "\r" in text else text
