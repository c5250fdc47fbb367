"""Where labelled text comes from: each kind of source is text to encode, which notes labels on the way."""

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import replace
from pathlib import Path
from typing import IO, Any, Protocol

import numpy as np

from .. import files
from ..errors import DataError, UsageError
from ..kernels import scan
from ..text.blocks import BLOCK, Block, whole_lines
from ..text.inputs import Source, files_below
from ..text.reader import Reader
from .form import InputForm
from .labelling import (
    BAD_WEIGHT,
    EMPTY,
    NO_LABEL,
    UNDECODABLE,
    LabelTable,
    NumberedBlock,
    Taken,
    take_labels,
)
from .rows import Row, RowReader, block_of, checked_row, decoded, noted

_RAW = InputForm(encoding="bytes")


class LabelledText(Protocol):
    """Text to encode, which notes labels on the way: `taken` of each block, by its number in the text.

    Attributes:
        names: of the sources.
        file_each: whether each document is a file, and what is noted as its line the number of the file.
        advice: what to try where there is nothing to be found.
    """

    names: list[str]
    table: LabelTable
    taken: dict[int, Taken]
    file_each: bool
    advice: str

    @property
    def total_bytes(self) -> int | None: ...

    def blocks(self) -> Iterator[Block]: ...

    def clean(self, block: Block) -> Block: ...


def opened(inputs: Sequence[str | Path], form: InputForm, table: LabelTable) -> LabelledText:
    """The text of these inputs. Raises UsageError where directories and files are given together."""
    if form.format == "folders":
        return Folders(inputs, form, table)
    if form.format == "auto":
        folders = [_holds_folders(Path(given)) for given in inputs]
        if folders and all(folders):
            return Folders(inputs, form, table)
        if any(folders):
            raise UsageError(
                f"{inputs[folders.index(True)]} holds a folder for each label, but other inputs do not.",
                "Read them one by one, or say --format.",
            )
    return LabelledFiles(inputs, form, table)


def _holds_folders(path: Path) -> bool:
    return path.is_dir() and any(below.is_dir() and not below.name.startswith(".") for below in path.iterdir())


class LabelledFiles:
    """Files with labels in their lines or in columns; of the latter labels are noted while blocks are made."""

    file_each = False

    def __init__(self, inputs: Sequence[str | Path], form: InputForm, table: LabelTable) -> None:
        self.reader = Reader(inputs, form.reader_format, form.text, form.encoding, form.errors)
        self.form, self.table, self.taken = form, table, dict[int, Taken]()
        self.names = [source.name for source in self.reader.sources]
        self.numbers = {source: number for number, source in enumerate(self.reader.sources)}
        if all(source.format == "lines" for source in self.reader.sources):
            self.advice = f"Labels are words that begin with {form.prefix}; say --label-prefix or --format."
        else:
            self.advice = f"Texts are sought in '{form.text}', labels in '{form.label}': --text-column, --label-column."

    @property
    def total_bytes(self) -> int | None:
        return self.reader.total_bytes

    def blocks(self) -> Iterator[Block]:
        """Blocks of whole lines, with labels still in them; of columns only the texts."""
        for number, (source, found, taken) in enumerate(self.reader.walk(self._pieces)):
            if taken is None:
                yield NumberedBlock(found.data, found.size, source, found.offset, found.done, number)
            else:
                self.taken[number] = taken
                yield replace(found, number=number)

    def _pieces(self, source: Source, raw: IO[bytes], before: int) -> Iterator[tuple[Source, Any, Taken | None]]:
        if source.format == "lines":
            for block in whole_lines(self.reader.source_blocks(source, raw, before)):
                yield source, block, None
            return
        text = self.reader.as_text(files.decompressed(raw))
        first, file = 0, self.numbers[source]
        try:
            for rows in batches(RowReader(self.form).rows(source.name, source.format, text)):
                total = rows[-1].line + 1 - first
                yield (
                    source,
                    block_of(rows, source, 0, before + raw.tell()),
                    noted(rows, first, total, file, self.table),
                )
                first += total
        except UnicodeError as error:
            raise self.reader.not_decodable(source, error) from None
        finally:
            text.detach()

    def clean(self, block: Block) -> Block:
        """The text of the labelled lines; their labels are noted."""
        assert isinstance(block, NumberedBlock)
        if block.source.format != "lines":
            return block
        bad = self.reader.undecodable_lines(block) if self.reader.errors == "skip" else np.zeros(0, np.int64)
        checked = self.reader.clean(block)
        data, size, spans, (kept, dropped, empty) = take_labels(checked.data, checked.size, self.form.prefix.encode())
        ids, ends = self.table.intern(checked.data, spans)
        total = scan.count_marks(block.data, block.size)[0] + int(block.open)
        lines = np.delete(np.arange(total), bad)
        odd = [(UNDECODABLE, bad), (EMPTY, lines[dropped[empty]]), (NO_LABEL, lines[dropped[~empty]])]
        self.taken[block.number] = Taken(self.numbers[block.source], ids, ends, lines[kept], total, odd)
        return replace(block, data=data, size=size)


def batches(rows: Iterable[Row]) -> Iterator[list[Row]]:
    """Consecutive rows in lists of about BLOCK characters."""
    batch: list[Row] = []
    held = 0
    for row in rows:
        batch.append(row)
        held += len(row.text) + 100
        if held >= BLOCK:
            yield batch
            batch, held = [], 0
    if batch:
        yield batch


class Folders:
    """Directories that hold one folder for each label; each file below one is a document.

    Raises:
        DataError: a directory does not exist, or holds no file.
    """

    file_each = True
    advice = "Put the files of each label into a folder of its own."

    def __init__(self, inputs: Sequence[str | Path], form: InputForm, table: LabelTable) -> None:
        self.form, self.table, self.taken = form, table, dict[int, Taken]()
        self.files: list[tuple[Path, list[str]]] = []
        for given in map(Path, inputs):
            if not given.is_dir():
                raise DataError(f"{given} is no directory.", "Give directories that hold a folder for each label.")
            for path in sorted(files_below(given)):
                self.files.append((path, list(path.relative_to(given).parts[:-1][:1])))
        if not self.files:
            raise DataError(f"no files in {', '.join(map(str, inputs))}.")
        self.names = [str(path) for path, _ in self.files]
        self.total_bytes = sum(path.stat().st_size for path, _ in self.files)

    def blocks(self) -> Iterator[Block]:
        """The files, each as one line."""
        source, first, done = Source("folders", Path(), "folders"), 0, 0
        for number, rows in enumerate(batches(self._row(i) for i in range(len(self.files)))):
            self.taken[number] = noted(rows, first, len(rows), 0, self.table)
            done += sum(path.stat().st_size for path, _ in self.files[first : first + len(rows)])
            first += len(rows)
            yield block_of(rows, source, number, done)

    def _row(self, i: int) -> Row:
        path, labels = self.files[i]
        reader = Reader([path], "lines", encoding=self.form.encoding, errors=self.form.errors)
        text = " ".join(reader.lines())
        row = checked_row(text, labels, i)
        return row._replace(odd=UNDECODABLE) if reader.skipped_lines else decoded(self.names[i], row, self.form)

    def clean(self, block: Block) -> Block:
        """The block itself."""
        return block


class MemoryText:
    """Lists of Python as text.

    Args:
        labels: for each text a string, or several.
        weights: for each text, or None.
    """

    BATCH = 10_000  # documents in a block
    file_each, names, advice, total_bytes = False, ["memory"], "Give each text a label.", None

    def __init__(self, texts: list[str], labels: list, weights: Iterable[float] | None, table: LabelTable) -> None:
        self.texts, self.labels, self.table = texts, labels, table
        self.weights = None if weights is None else list(weights)
        self.taken = dict[int, Taken]()
        for name, others in (("labels", labels), ("weights", self.weights)):
            if others is not None and len(others) != len(texts):
                raise UsageError(f"there are {len(texts):,} texts, but {len(others):,} {name}.", "Give one for each.")

    def blocks(self) -> Iterator[Block]:
        """The texts, each as one line."""
        source = Source("memory", Path(), "memory")
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
        found = decoded("memory", checked_row(text, labels, i, self.weights[i] if self.weights else None), _RAW)
        if found.odd == BAD_WEIGHT:
            raise DataError(f"weight {i + 1} is {found.weight}.", "Weights are finite numbers from 0 on.")
        return found

    def clean(self, block: Block) -> Block:
        """The block itself."""
        return block
