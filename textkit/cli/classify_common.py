"""Options that all commands of `textkit classify` share: how labelled text is written, and what is odd in it."""

import functools
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from . import common

if TYPE_CHECKING:
    from ..classify.data import LabelledCorpus
    from ..classify.form import InputForm
    from ..text.tokenizer import Tokenizer

FORM = (
    click.option(
        "--format", default="auto", show_default=True, help="auto, labels (in lines), csv, tsv, jsonl or folders."
    ),
    click.option("--text-column", default="text", show_default=True, help="Column(s) or JSON key of the text."),
    click.option("--label-column", default="label", show_default=True, help="Column or JSON key of the label(s)."),
    click.option("--weight-column", help="Column or JSON key of the weight, if there is one."),
    click.option("--label-prefix", default="__label__", show_default=True, help="What labels in lines begin with."),
    click.option("--separator", help="Between several labels in one column."),
    click.option("--encoding", default="utf-8", show_default=True, help="Of the text; 'bytes' takes it as it is."),
    click.option("--errors", default="strict", show_default=True, help="Undecodable text: strict, replace, skip."),
)
LIST_ODD = click.option(
    "--list-odd", type=click.Path(path_type=Path), metavar="FILE", help="Write file, line and reason of every odd row."
)


def forming(function: Callable) -> Callable:
    """Options of how labelled text is written, passed as `form`."""

    @functools.wraps(function)
    def wrapper(
        *args: Any,
        format: str,
        text_column: str,
        label_column: str,
        weight_column: str | None,
        label_prefix: str,
        separator: str | None,
        encoding: str,
        errors: str,
        **rest: Any,
    ) -> Any:
        from ..classify.form import InputForm

        columns = (text_column, label_column, weight_column)
        form = InputForm(format, *columns, label_prefix, separator, encoding, errors)
        return function(*args, form=form, **rest)

    return common.options(*FORM)(wrapper)


@dataclass(frozen=True)
class LabelledInput:
    """Labelled files as a command was told to read them."""

    inputs: Sequence[str | Path]
    form: "InputForm"
    list_odd: Path | None = None

    def other(self, *inputs: str | Path) -> "LabelledInput":
        """Other files of the same form."""
        return replace(self, inputs=inputs, list_odd=None)

    def read(self, tokenizer: "Tokenizer", threads: int | None = None, **settings: Any) -> "LabelledCorpus":
        """The files as numbers, with progress on the screen; says what is odd, and lists it if asked to.

        Args:
            settings: vocabulary, labels, min_count of `read_labelled`.
        """
        from ..classify.data import read_labelled

        with common.progress_bar() as progress:
            data = read_labelled(self.inputs, self.form, tokenizer, threads=threads, progress=progress, **settings)
        tell_odd(data, self.list_odd)
        return data


def labelled(function: Callable) -> Callable:
    """Files (the argument `inputs`) and options of how labelled text is written, passed as `source`."""

    @functools.wraps(function)
    def wrapper(*args: Any, inputs: tuple, form: "InputForm", list_odd: Path | None, **rest: Any) -> Any:
        return function(*args, source=LabelledInput(inputs, form, list_odd), **rest)

    return forming(LIST_ODD(wrapper))


def tell_odd(data: "LabelledCorpus", listed: Path | None) -> None:
    """Say how many rows were left out or are odd, and why; write each to the file `listed`."""
    from ..text.lines import write_lines

    if listed:
        rows = (f"{name}\t{line}\t{reason}\n" for name, line, reason in data.odd)
        write_lines((row.encode("utf-8", "surrogateescape") for row in rows), listed)
    if len(data.odd):
        common.note(f"of {len(data) + data.odd.dropped:,} rows {data.odd}" + ("." if listed else " (see --list-odd)."))
