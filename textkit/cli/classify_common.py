"""The group `textkit classify` and what its commands share: how labelled text is written, and what is odd in it."""

import functools
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from . import common

if TYPE_CHECKING:
    from ..classify.data import LabelledCorpus
    from ..classify.form import InputForm
    from ..classify.model import Classifier
    from ..text.tokenizer import Tokenizer

FILE = click.Path(path_type=Path)
SHOW = click.option("--show", type=click.IntRange(0), default=30, show_default=True, help="So many labels in tables.")
_LISTED = "textkit.list_odd"
_FORM = (
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
    click.option(
        "--list-odd", type=click.Path(path_type=Path), metavar="FILE", help="List odd rows: file, line and reason."
    ),
)


@click.group()
def classify() -> None:
    """Text classification: train, test, predict, explain, and more.

    A labelled file has one document a line, its labels in it as words that begin with __label__.
    """


def labelled_input(function: Callable) -> Callable:
    """Options of how labelled text is written, passed as `form`; `--list-odd` is kept for `read`."""

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
        list_odd: Path | None,
        **rest: Any,
    ) -> Any:
        from ..classify.form import InputForm

        click.get_current_context().meta[_LISTED] = list_odd
        columns = (text_column, label_column, weight_column)
        return function(*args, form=InputForm(format, *columns, label_prefix, separator, encoding, errors), **rest)

    return common.options(*_FORM)(wrapper)


def read(
    inputs: "Sequence[str | Path]",
    form: "InputForm",
    tokenizer: "Tokenizer",
    threads: int | None = None,
    list_odd: bool = True,
    **settings: Any,
) -> "LabelledCorpus":
    """Labelled files as numbers, with progress on the screen; says what is odd.

    Args:
        list_odd: write the odd rows to the file of `--list-odd`; for one of several readings of a command.
        settings: vocabulary, labels, min_count of `read_labelled`.
    """
    from ..classify.data import read_labelled

    with common.progress_bar() as progress:
        data = read_labelled(inputs, form, tokenizer, threads=threads, progress=progress, **settings)
    tell_odd(data, list_odd)
    return data


def read_for(
    model: "Classifier", inputs: "Sequence[str | Path]", form: "InputForm", threads: int | None = None
) -> "LabelledCorpus":
    """Labelled files in the words and labels of a model; see `read`."""
    words = None if model.features.open else model.vocabulary
    return read(inputs, form, model.tokenizer, threads, vocabulary=words, labels=model.labels)


def tell_odd(data: "LabelledCorpus", list_odd: bool = True) -> None:
    """Say how many rows were left out or are odd, and why; write each to the file of `--list-odd`."""
    from ..text.lines import write_lines

    listed: Path | None = click.get_current_context().meta.get(_LISTED) if list_odd else None
    if listed:
        rows = (f"{name}\t{line}\t{reason}\n" for name, line, reason in data.odd)
        write_lines((row.encode("utf-8", "surrogateescape") for row in rows), listed)
    if len(data.odd):
        common.note(f"of {len(data) + data.odd.dropped:,} rows {data.odd}" + ("." if listed else " (see --list-odd)."))
