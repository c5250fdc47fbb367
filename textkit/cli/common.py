"""Options that many commands share, and how results and progress are shown."""

import functools
import json
import sys
import time
from collections.abc import Callable, Iterable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

if TYPE_CHECKING:
    from ..ngram.counts import CountedText
    from ..progress import Progress, Reporter
    from ..store import Store
    from ..text.corpus import EncodedCorpus
    from ..text.reader import Reader
    from ..text.tokenizer import Tokenizer

LEAST_MEMORY = 10**7
INPUTS = click.argument("inputs", nargs=-1, required=True, metavar="TEXT...")
OUTPUT = click.option("-o", "--output", type=click.Path(path_type=Path), help="File to write.")
JSON = click.option("--json", "as_json", is_flag=True, help="Print results as JSON.")
SKIP_SYMBOLS = click.option(
    "--skip-symbols", is_flag=True, help="Also leave out <unk> where the text has it; <s> and </s> always are left out."
)
SEED = click.option("--seed", type=int, default=0, show_default=True, help="Start of the random numbers.")
MEMORY = click.option(
    "--memory",
    metavar="2G",
    help="Memory for n-grams, others go to scratch files; program and vocabulary come on top.  [default: no limit]",
)
SCRATCH = click.option(
    "--cache-dir", type=click.Path(path_type=Path), help="Where scratch files go.  [default: TMPDIR]"
)
THREADS = click.option("--threads", type=int, help="Threads to use.  [default: all cores]")


def options(*options: Callable) -> Callable[[Callable], Callable]:
    """One decorator for several options; they appear in this order in the help."""
    return lambda function: functools.reduce(lambda f, option: option(f), reversed(options), function)


_READING = (
    click.option("--format", default="auto", show_default=True, help="auto, lines, jsonl, csv or tsv."),
    click.option("--field", default="text", show_default=True, help="JSON key (a.b for nested) or column of the text."),
    click.option("--encoding", default="utf-8", show_default=True, help="Of the text; 'bytes' takes it as it is."),
    click.option("--errors", default="strict", show_default=True, help="Undecodable text: strict, replace, skip."),
)
_TOKENIZING = (
    click.option("--lowercase", is_flag=True, help="Lower all letters."),
    click.option("--normalize", metavar="nfc|nfkc", help="Unicode normal form."),
    click.option("--zero-digits", is_flag=True, help="Show every digit as 0."),
)
_CHOOSING_WORDS = (
    click.option("--min-count", type=int, default=1, show_default=True, help="Leave out rarer words."),
    click.option("--max-vocab", type=int, help="Keep only so many most frequent words."),
)
_CACHING = (
    click.option("--cache-dir", type=click.Path(path_type=Path), help="Where encoded corpora are kept for reuse."),
    click.option("--no-cache", is_flag=True, help="Do not keep or reuse the encoded corpus."),
)


def reading(function: Callable) -> Callable:
    """Options of how to read text; passed to the command as one `reader`, made from its inputs."""

    @functools.wraps(function)
    def wrapper(*args: Any, inputs: tuple, format: str, field: str, encoding: str, errors: str, **rest: Any) -> Any:
        from ..text.reader import Reader

        return function(*args, reader=Reader(inputs, format, field, encoding, errors), **rest)

    return options(*_READING)(wrapper)


def held_out(function: Callable) -> Callable:
    """Options of held-out text and how to read it; passed as `dev`, a reader or None."""

    @functools.wraps(function)
    def wrapper(*args: Any, dev: tuple, format: str, field: str, encoding: str, errors: str, **rest: Any) -> Any:
        from ..text.reader import Reader

        return function(*args, dev=Reader(dev, format, field, encoding, errors) if dev else None, **rest)

    text = click.option("--dev", multiple=True, metavar="TEXT", help="Held-out text.")
    return options(text, *_READING)(wrapper)


def tokenizing(default: str) -> Callable[[Callable], Callable]:
    """Options of how to tokenize; passed as one `tokenizer`."""

    def decorate(function: Callable) -> Callable:
        @functools.wraps(function)
        def wrapper(
            *args: Any, tokenizer: str, lowercase: bool, normalize: str | None, zero_digits: bool, **rest: Any
        ) -> Any:
            from ..text.tokenizer import Tokenizer

            return function(*args, tokenizer=Tokenizer(tokenizer, lowercase, normalize, zero_digits), **rest)

        name = click.option(
            "--tokenizer", default=default, show_default=True, help="whitespace, word, char or regex:PATTERN."
        )
        return options(name, *_TOKENIZING)(wrapper)

    return decorate


choosing_words = options(*_CHOOSING_WORDS)


def caching(function: Callable) -> Callable:
    """Options of the cache; passed as `cache`, the directory to use or None."""

    @functools.wraps(function)
    def wrapper(*args: Any, cache_dir: Path | None, no_cache: bool, **rest: Any) -> Any:
        from ..files import user_cache

        return function(*args, cache=None if no_cache else cache_dir or user_cache() / "corpora", **rest)

    return options(*_CACHING)(wrapper)


def encode(
    reader: "Reader", tokenizer: "Tokenizer", cache: Path | None, threads: int | None, **settings: Any
) -> "EncodedCorpus":
    """Encode a corpus with progress on the screen, and say how many lines were left out."""
    from ..text.corpus import encode_corpus

    with progress_bar() as progress:
        corpus = encode_corpus(reader, tokenizer, cache=cache, threads=threads, progress=progress, **settings)
    tell_skipped(reader)
    return corpus


def encode_held_out(
    reader: "Reader", path: Path, text: "EncodedCorpus | CountedText", cache: Path | None, threads: int | None
) -> "EncodedCorpus":
    """Encode another text, read in the same way, with the tokenizer and words of a first one."""
    return encode(replace(reader, inputs=(path,)), text.tokenizer, cache, threads, vocabulary=text.vocabulary)


def limited(memory: str | None, cache: Path | None) -> "Store":
    """Where n-grams are kept, by --memory; scratch files go to the cache directory, without one to the system's.

    Raises:
        UsageError: too little to work with.
    """
    from ..errors import UsageError
    from ..store import Store

    limit = byte_size("--memory", memory) if memory else None
    if limit is not None and limit < LEAST_MEMORY:
        raise UsageError(f"--memory {memory} is too little.", f"Give {LEAST_MEMORY // 10**6}M or more.")
    return Store(limit, cache)


def default_output(inputs: "Sequence[str | Path]", ending: str) -> Path:
    """A name for what is made of these inputs. Raises UsageError where such a file is there already."""
    from ..errors import UsageError

    name = Path(str(inputs[0])).name.split(".")[0] or "model"
    path = Path(f"{name if name != '-' else 'model'}{ending}")
    if path.exists():
        raise UsageError(f"{path} exists already.", "Say with --output where to write; what is there is replaced then.")
    return path


def tell_skipped(reader: "Reader") -> None:
    """Say how many lines `--errors skip` left out."""
    if reader.skipped_lines:
        note(f"left out {reader.skipped_lines:,} lines that are not valid {reader.encoding}.")


def write_pieces(pieces: Iterable[bytes], output: Path | None) -> int:
    """Pieces of bytes to a file, or to standard output. Returns their number."""
    from ..text.lines import write_lines

    if output:
        return write_lines(pieces, output)
    written = 0
    for piece in pieces:
        sys.stdout.buffer.write(piece)
        sys.stdout.buffer.flush()  # somebody may wait for it
        written += 1
    return written


def byte_size(option: str, text: str) -> int:
    """A number of bytes as people write it: 500K, 10M, 2G."""
    from ..errors import UsageError

    units = {"K": 10**3, "M": 10**6, "G": 10**9}
    unit = units.get(text[-1:].upper(), 1)
    try:
        size = int(float(text[:-1] if unit > 1 else text) * unit)
    except (ValueError, OverflowError):
        size = 0
    if size < 1:
        raise UsageError(f"{option} '{text}' makes no sense.", "Examples: 500K, 10M, 2G.")
    return size


def lengths(option: str, text: str) -> tuple[int, int]:
    """A range of lengths as people write it: 3-6, or 3 alone."""
    from ..errors import UsageError

    first, dash, last = text.partition("-")
    try:
        return int(first), int(last if dash else first)
    except ValueError:
        raise UsageError(f"{option} '{text}' is not a range of lengths.", "An example: 3-6.") from None


def note(message: str) -> None:
    """A remark on standard error."""
    click.secho("note: ", fg="yellow", nl=False, err=True)
    click.echo(message, err=True)


def print_json(value: Any) -> None:
    """One JSON document on standard output."""
    click.echo(json.dumps(value, ensure_ascii=False, indent=2))


def print_table(title: str, header: list[str], rows: Sequence[Sequence[Any]]) -> None:
    """A table: drawn on a terminal, tab-separated with a header line in a pipe. Numbers are aligned right."""
    if not sys.stdout.isatty():
        for row in [header, *rows]:
            click.echo("\t".join(map(str, row)))
        return
    from rich import box
    from rich.console import Console
    from rich.table import Table
    from rich.text import Text

    table = Table(box=box.SIMPLE_HEAD)
    numeric = [all(_is_number(row[i]) for row in rows) for i in range(len(header))]
    for name, right in zip(header, numeric, strict=True):
        table.add_column(name, justify="right" if right else "left", overflow="fold")
    for row in rows:
        table.add_row(*[Text(_shown(cell)) for cell in row])
    console = Console()
    console.print(Text(title, style="bold"))  # not as the table's own title, which it would wrap to its width
    console.print(table)


def _is_number(cell: Any) -> bool:
    if isinstance(cell, str):
        return cell in ("", "-") or cell.replace(",", "").lstrip("+-")[:1].isdigit()
    return isinstance(cell, int | float)


def _shown(cell: Any) -> str:
    return f"{cell:,}" if isinstance(cell, int) else f"{cell:.6g}" if isinstance(cell, float) else str(cell)


@contextmanager
def progress_bar() -> "Iterator[Reporter]":
    """A reporter that draws progress with rate and time left on standard error, if that is a terminal.

    Says once when kernels have to be compiled, whether drawn or not: the first run takes longer.
    """
    from ..kernels.jit import on_first_compilation

    on_first_compilation(_tell_compiling)
    if not sys.stderr.isatty():
        yield lambda event: None
        return
    from rich.console import Console
    from rich.progress import BarColumn, Progress, TextColumn, TimeRemainingColumn

    columns = (
        TextColumn("{task.description}"),
        BarColumn(),
        TextColumn("{task.percentage:>3.0f}%"),
        TextColumn("{task.fields[rate]}"),
        TimeRemainingColumn(),
    )
    drawn = _Drawn(Progress(*columns, console=Console(stderr=True), transient=True))
    try:
        yield drawn.report
    finally:
        drawn.bars.stop()


@functools.cache
def _tell_compiling() -> None:
    note("compiling kernels (first run of this command on this machine) …")


class _Drawn:
    """One bar, renamed from stage to stage; what is done within half a second is not worth a bar."""

    def __init__(self, bars: Any) -> None:
        self.bars, self.task, self.stage = bars, None, ""
        self.begun = self.started = time.monotonic()

    def report(self, event: "Progress") -> None:
        now = time.monotonic()
        if event.stage != self.stage:
            self.stage, self.started = event.stage, now
            if self.task is not None:
                self.bars.remove_task(self.task)
            self.task = self.bars.add_task(event.stage, total=event.total, rate="")
        elapsed = now - self.started
        rate = f"{event.done / 1e6 / elapsed:.0f} MB/s" if event.unit == "bytes" and elapsed > 0 else ""
        if event.unit == "words" and elapsed > 0:
            rate = f"{event.done / 1e6 / elapsed:.2f} M words/s, {event.note}"
        self.bars.update(self.task, completed=event.done, rate=rate)
        if now - self.begun > 0.5:
            self.bars.start()
