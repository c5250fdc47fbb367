"""Records of JSONL, CSV and TSV files: the field that holds the text, and what stands in the file."""

import csv
import json
import re
import sys
from collections.abc import Iterable, Iterator
from typing import Any, NamedTuple

from ..errors import DataError

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
    path = field.split(".")
    for number, line in enumerate(lines, 1):
        if line.strip("\ufeff \t\r\n"):
            line = line.lstrip("\ufeff")
            yield _json_text(name, number, field, path, line), line


def _json_text(name: str, number: int, field: str, path: list[str], line: str) -> str:
    try:
        value = json.loads(line)
    except (ValueError, RecursionError) as error:
        raise DataError(
            f"{name}, line {number}: not JSON ({error}).", "If this is plain text, say --format lines."
        ) from None
    for key in path:
        if not isinstance(value, dict) or key not in value:
            seen = ", ".join(map(str, value)) if isinstance(value, dict) else type(value).__name__
            raise DataError(
                f"{name}, line {number}: no field '{field}' (there is: {seen:.200}).",
                "Name the field that holds the text with --field.",
            )
        value = value[key]
    if not isinstance(value, str):
        raise DataError(f"{name}, line {number}: field '{field}' is not text but {value!r:.60}.")
    return value


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


def _table_rows(name: str, format: str, field: str, text: Iterable[str]) -> Iterator[tuple[str | None, str]]:
    csv.field_size_limit(min(sys.maxsize, 2**31 - 1))
    quoting: Any = {"delimiter": "\t", "quoting": csv.QUOTE_NONE} if format == "tsv" else {}
    lines = _Remembered(text)
    rows = csv.reader(lines, **quoting)
    try:
        header = [column.lstrip("\ufeff") for column in next(rows, [])]
        if field not in header:
            raise DataError(
                f"{name} has no column '{field}' (its first line names: {', '.join(header):.200}).",
                "Name the column that holds the text with --field, or say --format lines.",
            )
        yield None, lines.look().lstrip("\ufeff")
        column = header.index(field)
        for row in rows:
            stored = lines.look()
            if row:
                if len(row) <= column:
                    raise DataError(
                        f"{name}, line {rows.line_num}: {len(row)} columns, '{field}' is the "
                        f"{column + 1}th of {len(header)}."
                    )
                yield row[column], stored
    except csv.Error as error:
        raise DataError(f"{name}, line {rows.line_num}: {error}.") from None
