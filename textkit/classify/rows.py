"""Documents one by one, as records of tables and JSON, files in folders and Python hold them."""

import re
from collections.abc import Iterable, Iterator
from typing import Any, NamedTuple

import numpy as np

from ..errors import DataError
from ..text import records
from ..text.inputs import Source
from ..text.reader import RAW_ENCODING
from ..text.records import MISSING
from ..text.tokenizer import text_buffer
from .form import InputForm
from .labelling import BAD_WEIGHT, EMPTY, MALFORMED, NO_LABEL, NO_TEXT, UNDECODABLE, LabelTable, NumberedBlock, Taken

_LONE_SURROGATE = re.compile("[\ud800-\udc7f\udd00-\udfff]")  # can be written in JSON
_STRAY = re.compile("[\udc80-\udcff]")  # stands for an undecodable byte


class Row(NamedTuple):
    """One document before it is encoded: its text, its labels, its line from 0, its weight, and what is odd."""

    text: str
    labels: list[str]
    line: int
    weight: float | None = None
    odd: str = ""


def checked_row(text: str, labels: list[str], line: int, weight: float | None = None) -> Row:
    """A row, with what is odd about its labels and its weight; empty labels are none."""
    odd = ""
    labels = [label for label in labels if label and not label.isspace()]
    if not labels:
        odd = NO_LABEL if text.strip() else EMPTY
    elif weight is not None and not 0 <= weight < float("inf"):
        odd = BAD_WEIGHT
    return Row(text, labels, line, weight, odd)


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
    data = "".join(f"{_one_line(text)}\n" for text in texts).encode("utf-8", "surrogateescape")
    return NumberedBlock(text_buffer(data), len(data), source, 0, done, number)


def _one_line(text: str) -> str:
    return text.replace("\n", " ").replace("\r", " ") if "\n" in text or "\r" in text else text


class RowReader:
    """Rows of tables and JSON, by the columns or keys of a form."""

    def __init__(self, form: InputForm) -> None:
        self.form = form

    def rows(self, name: str, format: str, text: Iterable[str]) -> Iterator[Row]:
        """The rows of a file.

        Raises:
            DataError: a column that there is not, or, unless `errors` is "skip", what is no row.
        """
        for found in self._objects(name, text) if format == "jsonl" else self._cells(name, format, text):
            yield decoded(name, found, self.form) if not found.odd else found

    def _objects(self, name: str, text: Iterable[str]) -> Iterator[Row]:
        for number, line in records.json_lines(text):
            try:
                yield self._object(name, number, records.parsed(name, number, line))
            except DataError as error:
                yield self._malformed(number, error)

    def _object(self, name: str, number: int, value: Any) -> Row:
        text = records.joined_text(value, self.form.text)
        label = records.looked_up(value, self.form.label)
        weight = records.looked_up(value, self.form.weight) if self.form.weight else None
        labels = self._labels(label)
        if labels is None or not (isinstance(text, str) or text is MISSING or text is None):
            wrong = text if labels else label
            raise DataError(f"{name}, line {number}: {wrong!r:.60} is neither text nor label.", _ADVICE)
        if not isinstance(text, str):
            return Row("", [], number - 1, None, NO_TEXT)
        return checked_row(text, labels, number - 1, self._weight(weight))

    def _labels(self, value: Any) -> list[str] | None:
        """The labels of a JSON value or a cell; None where it is something else."""
        if isinstance(value, str):
            return [value] if self.form.separator is None else [v.strip() for v in value.split(self.form.separator)]
        if value is MISSING or value is None:
            return []
        if isinstance(value, bool):
            return [str(value).lower()]
        if isinstance(value, int | float):
            return [str(value)]
        if isinstance(value, list):
            parts = [self._labels(part) for part in value if not isinstance(part, list)]
            if len(parts) == len(value) and all(part is not None for part in parts):
                return [label for part in parts for label in part or ()]
        return None

    def _weight(self, value: Any) -> float | None:
        """The number of a cell, NaN where there is none."""
        if self.form.weight is None:
            return None
        try:
            return float("nan") if isinstance(value, bool) else float(value)
        except (TypeError, ValueError, OverflowError):
            return float("nan")

    def _cells(self, name: str, format: str, text: Iterable[str]) -> Iterator[Row]:
        form = self.form
        table = records.Table(name, format, text, form.columns)
        texts = table.columns(form.text, "--text-column")
        (label,) = table.columns(form.label, "--label-column")[:1]
        weight = [table.columns(column, "--weight-column")[0] for column in form.columns[2:]]
        needed = max(*texts, label, *weight) + 1
        for row, _ in table:
            if len(row) < needed:
                message = f"{name}, line {table.line}: {len(row)} columns, at least {needed} are needed."
                yield self._malformed(table.line, DataError(message, _ADVICE))
                continue
            joined = row[texts[0]] if len(texts) == 1 else " ".join(row[column] for column in texts)
            number = self._weight(row[weight[0]]) if weight else None
            yield checked_row(joined, self._labels(row[label]) or [], table.line - 1, number)

    def _malformed(self, line: int, error: DataError) -> Row:
        if self.form.errors != "skip":
            raise DataError(error.message, _ADVICE)
        return Row("", [], line - 1, None, MALFORMED)


_ADVICE = "Mend the row, or leave such rows out with --errors skip."


def decoded(name: str, row: Row, form: InputForm) -> Row:
    """A row whose undecodable bytes, kept apart as surrogates, are treated as `form.errors` says."""
    if not any(map(_has_surrogates, (row.text, *row.labels))):
        return row
    text, *labels = (_LONE_SURROGATE.sub("\ufffd", string) for string in (row.text, *row.labels))
    if form.encoding != RAW_ENCODING and any(_STRAY.search(string) for string in (text, *labels)):
        if form.errors == "skip":
            return row._replace(odd=UNDECODABLE)
        if form.errors == "strict":
            raise DataError(
                f"{name}, line {row.line + 1}: not valid {form.encoding}.",
                "Say the --encoding (for example latin-1), or --errors replace or skip.",
            )
        text, *labels = (_STRAY.sub("\ufffd", string) for string in (text, *labels))
    return row._replace(text=text, labels=labels)


def _has_surrogates(string: str) -> bool:
    if string.isascii():
        return False
    try:
        string.encode()
    except UnicodeEncodeError:
        return True
    return False
