"""Records of JSONL, CSV and TSV files: the field that holds the text, and what stands in the file."""

import csv
import itertools
import json
import re
import sys
from collections.abc import Iterable, Iterator, Sequence
from typing import Any, NamedTuple

from ..errors import DataError

MISSING = object()  # what there is under a key that there is not
_LONE_SURROGATE = re.compile("[\ud800-\udc7f\udd00-\udfff]")


class Record(NamedTuple):
    """One record.

    Attributes:
        line: its text in UTF-8, as one line with its newline; empty for the header of a table.
        stored: what stands in the file, in UTF-8, with its line end.
    """

    line: bytes
    stored: bytes


def read(name: str, format: str, field: str, text: Iterable[str]) -> Iterator[Record]:
    """All records of the lines of a file called `name`; `format` is "jsonl", "csv" or "tsv".

    `field` names the text: a column, or a key ("a.b" for nested ones); several, with commas between, are joined.

    Raises:
        DataError: with the line, for a record without that field, or what is no record.
    """
    rows = _json_rows(name, field, text) if format == "jsonl" else _table_rows(name, format, field, text)
    for value, stored in rows:
        raw = stored.encode("utf-8", "surrogateescape")
        raw = raw if raw.endswith((b"\n", b"\r")) else raw + b"\n"
        line = b"" if value is None else _encoded(value)
        if b"\n" in line or b"\r" in line:
            line = line.replace(b"\n", b" ").replace(b"\r", b" ")
        yield Record(b"" if value is None else line + b"\n", raw)


def batches(records: Iterable[Record], size: int) -> Iterator[list[Record]]:
    """Consecutive records in lists of about `size` bytes."""
    batch: list[Record] = []
    held = 0
    for record in records:
        batch.append(record)
        held += len(record.stored)
        if held >= size:
            yield batch
            batch, held = [], 0
    if batch:
        yield batch


def _json_rows(name: str, field: str, lines: Iterable[str]) -> Iterator[tuple[str, str]]:
    for number, line in json_lines(lines):
        yield _json_text(name, number, field, parsed(name, number, line)), line


def json_lines(lines: Iterable[str]) -> Iterator[tuple[int, str]]:
    """The lines that are not blank with their numbers from 1."""
    for number, line in enumerate(lines, 1):
        if line.strip("\ufeff \t\r\n"):
            yield number, line.lstrip("\ufeff")


def parsed(name: str, number: int, line: str) -> Any:
    """What a line of a JSONL file holds. Raises DataError where that is no JSON."""
    try:
        return json.loads(line)
    except (ValueError, RecursionError) as error:
        raise DataError(
            f"{name}, line {number}: not JSON ({error}).", "If this is plain text, say --format lines."
        ) from None


def looked_up(value: Any, field: str) -> Any:
    """What stands in a JSON object under a key, "a.b" for nested ones; MISSING if there is nothing."""
    for key in field.split("."):
        if not isinstance(value, dict) or key not in value:
            return MISSING
        value = value[key]
    return value


def joined_text(value: Any, field: str) -> Any:
    """The text under a key, or under several, set apart by commas, with spaces between; else what is there instead."""
    found = looked_up(value, field)
    if found is not MISSING or "," not in field:
        return found
    parts = [looked_up(value, part) for part in field.split(",")]
    wrong = [part for part in parts if not isinstance(part, str)]
    return wrong[0] if wrong else " ".join(parts)


def _json_text(name: str, number: int, field: str, value: Any) -> str:
    text = joined_text(value, field)
    if text is MISSING:
        raise DataError(
            f"{name}, line {number}: no field '{field}' (there is: {seen_in(value):.200}).",
            "Name the field that holds the text with --field.",
        )
    if not isinstance(text, str):
        raise DataError(f"{name}, line {number}: field '{field}' is not text but {text!r:.60}.")
    return text


def seen_in(value: Any) -> str:
    """The keys of an object, or what else a JSON value is."""
    return ", ".join(map(str, value)) if isinstance(value, dict) else type(value).__name__


def _encoded(text: str) -> bytes:
    try:
        return text.encode()
    except UnicodeEncodeError:
        # A lone surrogate can be written in JSON but is no text; those of undecodable bytes are judged by the reader.
        return _LONE_SURROGATE.sub("\ufffd", text).encode("utf-8", "surrogateescape")


class _Remembered:
    """Lines, and those drawn since the last look."""

    def __init__(self, lines: Iterable[str]) -> None:
        self.lines, self.drawn = iter(lines), list[str]()

    def __iter__(self) -> "_Remembered":
        return self

    def __next__(self) -> str:
        line = next(self.lines)
        self.drawn.append(line)
        return line

    def look(self) -> str:
        """What was drawn since the last look."""
        drawn = "".join(self.drawn)
        self.drawn.clear()
        return drawn


class Table:
    """A CSV or TSV file that is walked once.

    Args:
        fields: what will be asked for. Where these are numbers, and not all of them names, they count columns
            from 1, and the first line is a row like the others.

    Attributes:
        line: where the latest row begins, from 1.
        header: names of the columns; without a header their numbers.
        stored_header: the header as it stands in the file; empty where there is none.
    """

    def __init__(self, name: str, format: str, text: Iterable[str], fields: Sequence[str]) -> None:
        csv.field_size_limit(min(sys.maxsize, 2**31 - 1))
        quoting: Any = {"delimiter": "\t", "quoting": csv.QUOTE_NONE} if format == "tsv" else {}
        self.name, self.line, self._lines = name, 1, _Remembered(text)
        self._reader = csv.reader(self._lines, **quoting)
        self._rows = self._read()
        first, stored = next(self._rows, ([], ""))
        first, self.stored_header = [column.lstrip("\ufeff") for column in first], stored.lstrip("\ufeff")
        self.header = first
        parts = [part for field in fields for part in field.split(",")]
        if all(part.isdecimal() for part in parts) and not set(parts) <= set(first):
            self.header, self.stored_header = [str(i + 1) for i in range(len(first))], ""
            self._rows = itertools.chain([(first, stored.lstrip("\ufeff"))] if first else [], self._rows)

    def _read(self) -> Iterator[tuple[list[str], str]]:
        last = 0
        try:
            for row in self._reader:
                self.line, last = last + 1, self._reader.line_num
                stored = self._lines.look()
                if row:
                    yield row, stored
        except csv.Error as error:
            raise DataError(f"{self.name}, line {self._reader.line_num}: {error}.") from None

    def columns(self, field: str, option: str) -> list[int]:
        """Places of the columns that `field` names: one, or several with commas between.

        Raises:
            DataError: there is no such column; `option` is how to name another.
        """
        parts = [field] if field in self.header else field.split(",")
        for part in parts:
            if part not in self.header:
                raise DataError(
                    f"{self.name} has no column '{part}' (its first line names: {', '.join(self.header):.200}).",
                    f"Name the column with {option}, or choose another --format.",
                )
        return [self.header.index(part) for part in parts]

    def __iter__(self) -> Iterator[tuple[list[str], str]]:
        """Each row, and what stands in the file."""
        return self._rows


def _table_rows(name: str, format: str, field: str, text: Iterable[str]) -> Iterator[tuple[str | None, str]]:
    table = Table(name, format, text, [field])
    columns = table.columns(field, "--field")
    if table.stored_header:
        yield None, table.stored_header
    for row, stored in table:
        if len(row) <= max(columns):
            raise DataError(
                f"{name}, line {table.line}: {len(row)} columns, '{field}' is the "
                f"{max(columns) + 1}th of {len(table.header)}."
            )
        yield " ".join(row[column] for column in columns), stored
