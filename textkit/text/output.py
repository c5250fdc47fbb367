"""Records written again with something added: the form of the output is that of the input."""

import csv
import io
import json
from collections.abc import Callable, Iterable
from typing import Any

import numpy as np

from ..errors import DataError
from ..kernels import tables as kernels
from .blocks import RecordBlock
from .tokenizer import PADDING, text_buffer

DELIMITERS = {"csv": ",", "tsv": "\t"}


class Headers:
    """Sees to it that one output gets one header, and that the inputs fit together."""

    def __init__(self, header: Callable[[RecordBlock], bytes]) -> None:
        self.header, self.first = header, None

    first: tuple[str, str, bytes] | None

    def before(self, found: RecordBlock) -> bytes:
        """What to write before a block: the header before the first.

        Raises:
            DataError: an input of another format, or a table with other columns.
        """
        source = found.text.source
        if self.first is None:
            self.first = (source.name, source.format, found.header.rstrip(b"\r\n"))
            return self.header(found)
        if self.first[1:] != (source.format, found.header.rstrip(b"\r\n")):
            raise DataError(
                f"{source.name} has another format or other columns than {self.first[0]}: "
                "they do not fit into one output.",
                "Give them one by one.",
            )
        return b""


def header_with(found: RecordBlock, names: tuple[str, ...]) -> bytes:
    """The header of a table with more columns; nothing where there is none."""
    delimiter = DELIMITERS.get(found.text.source.format)
    if delimiter is None or not found.header:
        return b""
    return found.header.rstrip(b"\r\n") + delimiter.join(("", *names)).encode() + b"\n"


def lines_of(found: RecordBlock) -> tuple[np.ndarray, np.ndarray]:
    """The lines of a block without their ends: data and spans int64 (L, 2)."""
    block = found.text
    lines = int(np.count_nonzero(block.data[: block.size] == 10)) + int(block.open)
    spans = np.empty((lines, 2), np.int64)
    kernels.measure_lines(block.data, block.size, spans, np.empty(lines, np.int64))
    return block.data, spans


def joined(records: list[bytes]) -> tuple[np.ndarray, np.ndarray]:
    """Records one after the other: data and spans int64 (L, 2)."""
    ends = np.cumsum([0, *map(len, records)], dtype=np.int64)
    return text_buffer(b"".join(records)), np.stack([ends[:-1], ends[1:]], axis=1)


def objects(found: RecordBlock, names: tuple[str, ...]) -> list[bytes]:
    """Each record as a JSON object without its last brace and without fields of these names."""
    assert found.stored is not None
    if found.text.source.format != "jsonl":
        return [_opened(row) for row in _table_objects(found)]
    everything = b"".join(found.stored)
    taken = [name for name in (f'"{name}"'.encode() for name in names) if name in everything]
    opened = []
    for record in found.stored:
        if any(name in record for name in taken):
            fields = json.loads(record.decode("utf-8", "surrogateescape"))
            opened.append(_opened({key: value for key, value in fields.items() if key not in names}))
        else:
            opened.append(record.rstrip()[:-1])
    return opened


def _opened(fields: dict) -> bytes:
    return json.dumps(fields, ensure_ascii=False)[:-1].encode("utf-8", "surrogateescape")


def _table_objects(found: RecordBlock) -> Iterable[dict]:
    delimiter = DELIMITERS[found.text.source.format]
    quoting: Any = csv.QUOTE_NONE if delimiter == "\t" else csv.QUOTE_MINIMAL
    text = b"".join([found.header, *(found.stored or [])]).decode("utf-8", "surrogateescape")
    lines = io.StringIO(text, newline="")
    if found.header:
        return csv.DictReader(lines, delimiter=delimiter, quoting=quoting)
    rows = csv.reader(lines, delimiter=delimiter, quoting=quoting)
    return ({str(i): cell for i, cell in enumerate(row, 1)} for row in rows)


def kept_of(found: RecordBlock, kept: np.ndarray) -> bytes:
    """The kept records of a block as they are."""
    if found.stored is not None:
        return b"".join(record for record, stays in zip(found.stored, kept.tolist(), strict=True) if stays)
    block = found.text
    bounds = np.concatenate([[0], np.flatnonzero(block.data[: block.size] == 10) + 1, [block.size] * int(block.open)])
    out = np.empty(block.size + PADDING, np.uint8)
    size = kernels.copy_kept(block.data, bounds.astype(np.int64), kept, out)
    text = out[:size].tobytes()
    return text + b"\n" if block.open and len(kept) and kept[-1] else text
