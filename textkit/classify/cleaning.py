"""Labelled files again, without some of their rows."""

from collections.abc import Collection, Iterable, Iterator, Sequence
from pathlib import Path
from typing import IO

from .. import files
from ..errors import UsageError
from ..text import records
from ..text.blocks import whole_lines
from ..text.inputs import Source
from ..text.reader import Reader
from .check import KINDS, Check, Issue
from .form import InputForm

_REPEATED = ("duplicate", "near-duplicate", "leak")
ODD = "odd"  # rows that are no documents: without label or text, not decodable, …


def chosen_kinds(text: str) -> frozenset[str]:
    """Kinds of issues from "duplicate,leak". Raises UsageError for one that is none."""
    kinds = frozenset(text.split(","))
    if unknown := sorted(kinds - {*KINDS, ODD}):
        raise UsageError(f"there is no kind of row '{unknown[0]}'.", f"Choose of {', '.join((*KINDS, ODD))}.")
    return kinds


def targets(output: Path, inputs: Sequence[str]) -> list[tuple[str, Path]]:
    """Which inputs to write again, and where: the first one, or with {name} in the output each by its own name.

    Raises:
        UsageError: two of them would be one file, or an input would be written over.
    """
    if "{name}" not in output.name:
        return [(inputs[0], output)]
    pairs = [(given, output.with_name(output.name.replace("{name}", Path(given).name))) for given in inputs]
    paths = [path.resolve() for _, path in pairs]
    if len(set(paths)) < len(paths) or {Path(given).resolve() for given in inputs} & set(paths):
        raise UsageError(
            f"--output {output} names two files alike, or one of the inputs.", "Give them names of their own."
        )
    return pairs


def cleaned(found: Check, given: str | Path, form: InputForm, kinds: Collection[str]) -> Iterator[bytes]:
    """The rows of one input as they stand there, in UTF-8, without those that have an issue of these kinds.

    Of rows that are the same, in one or in several inputs, one always stays, see `Check.survivors`.

    Raises:
        UsageError: a directory of documents, which are no rows.
    """
    if Path(given).is_dir():
        raise UsageError(f"{given} is a directory.", "Without --drop, --output gets a list of what was found.")
    kept = {found.data.origin(document) for document in found.survivors.tolist()}
    bad = {
        (issue.file, issue.line)
        for issue in found.issues()
        if kind_of(issue) in kinds and not (issue.kind in _REPEATED and (issue.file, issue.line) in kept)
    }
    reader = Reader([given], form.reader_format, form.text, form.encoding, form.errors)
    for name, line, stored in reader.walk(lambda source, raw, before: _stored(reader, form, source, raw, before)):
        if (name, line) not in bad:
            yield stored if stored.endswith(b"\n") else stored + b"\n"


def kind_of(issue: Issue) -> str:
    """The kind of an issue, ODD for what is no document."""
    return issue.kind if issue.kind in KINDS else ODD


def _stored(
    reader: Reader, form: InputForm, source: Source, raw: IO[bytes], before: int
) -> Iterator[tuple[str, int, bytes]]:
    """Each row of a source with its line; the header of a table is line 0."""
    if source.format == "lines":
        blocks = (
            block.data[: block.size].tobytes() for block in whole_lines(reader.source_blocks(source, raw, before))
        )
        lines = (line for data in blocks for line in data.removesuffix(b"\n").split(b"\n"))
        yield from ((source.name, number, line) for number, line in enumerate(lines, 1))
        return
    text = reader.as_text(files.decompressed(raw))
    try:
        for number, row in _rows(form, source, text):
            yield source.name, number, row.encode("utf-8", "surrogateescape")
    except UnicodeError as error:
        raise reader.not_decodable(source, error) from None
    finally:
        text.detach()


def _rows(form: InputForm, source: Source, text: Iterable[str]) -> Iterator[tuple[int, str]]:
    if source.format == "jsonl":
        yield from records.json_lines(text)
        return
    table = records.Table(source.name, source.format, text, form.columns)
    if table.stored_header:
        yield 0, table.stored_header
    for _, stored in table:
        yield table.line, stored
