"""`textkit ngram`: the group, train and info; what uses a model is in `ngram_use`."""

import time
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from . import common, estimating

if TYPE_CHECKING:
    from ..ngram.config import TrainingConfig
    from ..ngram.counts import CountedText
    from ..ngram.making import Made
    from ..ngram.model import NGramModel
    from ..store import Store
    from ..text.reader import Reader
    from ..text.tokenizer import Tokenizer

MODEL = click.argument("model", type=click.Path(path_type=Path))
ARPA_TOKENIZER = click.option(
    "--tokenizer",
    default="whitespace",
    show_default=True,
    help="For files of other programs, which do not say how to split text.",
)
QUANTIZE = click.option("--quantize", "bits", type=int, metavar="BITS", help="Round the numbers to BITS; 8 is usual.")


@click.group()
def ngram() -> None:
    """N-gram language models: train, perplexity, score, generate.

    Wherever a MODEL is asked for, an ARPA file (also compressed) or a KenLM binary file will do.
    """


@ngram.command()
@common.INPUTS
@estimating.estimating
@common.OUTPUT
@click.option("--arpa", type=click.Path(path_type=Path), help="Also write the model as an ARPA file (.gz, .xz, … too).")
@click.option("--dev", type=click.Path(path_type=Path), help="Text by whose likelihood to tune what is not given.")
@click.option("--keep-counts", is_flag=True, help="Keep the counts of n-grams in the model, for list and explain.")
@QUANTIZE
@common.tokenizing("word")
@common.choosing_words
@common.SKIP_SYMBOLS
@common.reading
@common.caching
@common.MEMORY
@common.THREADS
@common.JSON
def train(
    reader: "Reader",
    config: "TrainingConfig",
    output: Path | None,
    arpa: Path | None,
    dev: Path | None,
    keep_counts: bool,
    bits: int | None,
    tokenizer: "Tokenizer",
    min_count: int,
    max_vocab: int | None,
    skip_symbols: bool,
    cache: Path | None,
    memory: str | None,
    threads: int | None,
    as_json: bool,
) -> None:
    """Train a model from text or from counts (ngram count), by interpolated modified Kneser-Ney or another smoothing.

    \b
    textkit ngram train text.txt --order 3 --output text.ngram
    textkit ngram train *.txt.gz --order 5 --tokenizer whitespace --arpa text.arpa
    textkit ngram train text.txt --smoothing witten-bell
    textkit ngram train text.txt --smoothing add-k --dev held-out.txt
    textkit ngram train monday.counts tuesday.counts --output both.ngram
    """
    from ..ngram.making import make_files

    began = time.perf_counter()
    config = replace(config, keep_counts=keep_counts)
    store, target = (
        common.limited(memory, cache),
        output or (None if arpa else common.default_output(reader.inputs, ".ngram")),
    )
    text = _counted(reader, tokenizer, config.order, min_count, max_vocab, threads, store) or common.encode(
        reader, tokenizer, cache, threads, min_count=min_count, max_vocab=max_vocab, skip_unk=skip_symbols
    )
    held_out = common.encode_held_out(reader, dev, text, cache, threads) if dev else None
    with common.progress_bar() as progress:
        made = make_files(
            text, config, target, arpa, bits=bits, dev=held_out, threads=threads, progress=progress, store=store
        )
    estimating.tell_training(made.report)
    if dev and made.report.get("settled") != "dev":
        common.note(f"--dev changed nothing: the smoothing {config.label} leaves nothing to tune.")
    written = [str(path) for path in (target, arpa) if path]
    if as_json:
        common.print_json({**_description(made), "written": written, "seconds": time.perf_counter() - began})
    else:
        estimating.print_sizes(made, f"{', '.join(written)} ({time.perf_counter() - began:.1f} s)")


def _counted(
    reader: "Reader",
    tokenizer: "Tokenizer",
    order: int,
    min_count: int,
    max_vocab: int | None,
    threads: int | None,
    store: "Store",
) -> "CountedText | None":
    """The counts that the inputs are, added up; None where they are text."""
    from ..errors import UsageError
    from ..ngram.counts import is_count_file, load_counts
    from ..ngram.merging import merge_counts

    paths = [Path(str(given)) for given in reader.inputs]
    counted = [path for path in paths if is_count_file(path)]
    if not counted:
        return None
    if len(counted) < len(paths):
        raise UsageError(f"{counted[0]} holds counts, others are text.", "Count the text first: textkit ngram count.")
    texts = [load_counts(path, order, store.limit is not None) for path in paths]
    given = click.get_current_context().get_parameter_source("tokenizer")
    if given is click.core.ParameterSource.COMMANDLINE and tokenizer != texts[0].tokenizer:
        raise UsageError(
            f"{paths[0]} was counted with {texts[0].tokenizer.signature}.", "Leave --tokenizer out, or count again."
        )
    return merge_counts(texts, min_count=min_count, max_vocab=max_vocab, threads=threads, store=store)


def _description(model: "Made") -> dict[str, Any]:
    return {
        "order": model.order,
        "ngrams": {str(n): size for n, size in enumerate(model.sizes, 1)},
        "vocabulary": model.words,
        "signature": model.signature,
        **model.report,
    }


def show_counts(counted: "CountedText", title: str, more: dict[str, Any], as_json: bool) -> None:
    """What counts are; `more` goes into the JSON."""
    counts = counted.counts
    rows = [[n, len(level.words)] for n, level in enumerate(counts.levels, 1)]
    about = {"tokens": counts.tokens, "lines": counts.lines, "tokenizer": counted.tokenizer.signature}
    if as_json:
        common.print_json({"order": counts.order, "ngrams": {str(n): size for n, size in rows}, **about, **more})
        return
    common.print_table(title, ["order", "n-grams"], rows)
    click.echo(f"tokens\t{counts.tokens:,}\nlines\t{counts.lines:,}")


def load(path: Path, tokenizer: str) -> "NGramModel":
    """Open the MODEL of a command."""
    from ..ngram.model import NGramModel
    from ..text.tokenizer import Tokenizer

    with common.progress_bar() as progress:
        return NGramModel.load(path, Tokenizer(tokenizer), progress=progress)


@ngram.command()
@MODEL
@ARPA_TOKENIZER
@common.JSON
def info(model: Path, tokenizer: str, as_json: bool) -> None:
    """What a model or a count file is: sizes, discounts, tokenizer, training text.

    \b
    textkit ngram info text.ngram
    textkit ngram info text.counts
    """
    from ..ngram.counts import is_count_file, load_counts
    from ..ngram.making import Made

    if is_count_file(model):
        with common.progress_bar():
            counted = load_counts(model)
        show_counts(counted, str(model), {}, as_json)
        if not as_json:
            click.echo(f"tokenizer\t{counted.tokenizer.signature}")
        return
    opened = load(model, tokenizer)
    loaded = Made(opened.sizes, len(opened.vocabulary), opened.signature, opened.report)
    if as_json:
        common.print_json(_description(loaded))
        return
    estimating.print_sizes(loaded, str(model))
    click.echo(f"signature\t{loaded.signature}")
    for name in ("tokens", "lines"):
        if name in loaded.report:
            click.echo(f"training {name}\t{loaded.report[name]:,}")
