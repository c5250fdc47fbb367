"""`textkit ngram check` and `textkit ngram compare`."""

from pathlib import Path
from typing import TYPE_CHECKING

import click

from . import common
from .ngram import ARPA_TOKENIZER, MODEL, load, ngram

if TYPE_CHECKING:
    from ..ngram.compare import Comparison
    from ..text.reader import Reader
    from ..text.tokenizer import Tokenizer


@ngram.command()
@MODEL
@click.option(
    "--contexts",
    type=click.IntRange(min=1),
    default=20,
    show_default=True,
    help="How many of each length at random, and as many of those with most continuations.",
)
@click.option("--tolerance", type=float, default=1e-4, show_default=True, help="Largest difference from 1 to accept.")
@ARPA_TOKENIZER
@common.SEED
@common.THREADS
@common.JSON
def check(
    model: Path, contexts: int, tolerance: float, tokenizer: str, seed: int, threads: int | None, as_json: bool
) -> None:
    """Check that a model's probabilities sum to one over the vocabulary, after sampled contexts.

    \b
    textkit ngram check text.ngram
    """
    from ..errors import DataError
    from ..ngram.check import check_sums

    loaded = load(model, tokenizer)
    sums = check_sums(loaded, contexts, seed, threads)
    error = max(row.error for row in sums)
    proper = not str(loaded.report.get("smoothing")).startswith("stupid")
    if as_json:
        said = [row.as_dict() for row in sums]
        common.print_json(
            {"sums": said, "error": error, "normalised": error <= tolerance, "signature": loaded.signature}
        )
    else:
        header = ["context words", "checked", "least sum", "greatest sum", "worst context"]
        rows = [[s.length, s.contexts, f"{s.least:.7f}", f"{s.greatest:.7f}", s.worst] for s in sums]
        common.print_table(str(model), header, rows)
    if not proper:
        common.note("stupid backoff gives scores, not probabilities: they do not sum to one, nor are they meant to.")
    elif not error <= tolerance:
        raise DataError(
            f"the probabilities of {model} do not sum to one: the largest difference is {error:.2g}.",
            "Pruning without new backoffs, quantising and rounding do that; --tolerance says how much to accept.",
        )


@ngram.command()
@common.INPUTS
@click.option("--dev", type=click.Path(path_type=Path), required=True, help="Held-out text to measure on.")
@click.option("--tune", type=click.Path(path_type=Path), help="Another held-out text: also try parameters tuned on it.")
@click.option("--orders", default="2-5", show_default=True, help="Orders to try: 3, 2-5, 1,3,5.")
@click.option("--smoothing", default="", help="Methods to try, with commas between.  [default: all, in all forms]")
@common.OUTPUT
@click.option("--plot", type=click.Path(path_type=Path), help="Draw perplexity by order: FILE.svg, .png or .pdf.")
@common.tokenizing("word")
@common.choosing_words
@common.SKIP_SYMBOLS
@common.reading
@common.caching
@common.THREADS
@common.JSON
def compare(
    reader: "Reader",
    dev: Path,
    tune: Path | None,
    orders: str,
    smoothing: str,
    output: Path | None,
    plot: Path | None,
    tokenizer: "Tokenizer",
    min_count: int,
    max_vocab: int | None,
    skip_symbols: bool,
    cache: Path | None,
    threads: int | None,
    as_json: bool,
) -> None:
    """Compare smoothing methods and orders by the perplexity of held-out text, counting once.

    With --output the best one is kept as a model.

    \b
    textkit ngram compare text.train.txt --dev text.dev.txt
    textkit ngram compare text.txt --dev dev.txt --orders 1-6 --smoothing mkn,wb,jm --plot curves.svg
    """
    from ..ngram import compare as comparing
    from ..text.plots import check_plot

    chosen = comparing.read_orders(orders)
    configs = comparing.all_configs(name for name in smoothing.split(",") if name.strip())
    if plot:
        check_plot(plot)
    corpus = common.encode(
        reader, tokenizer, cache, threads, min_count=min_count, max_vocab=max_vocab, skip_unk=skip_symbols
    )
    held_out = common.encode_held_out(reader, dev, corpus, cache, threads)
    tuning = common.encode_held_out(reader, tune, corpus, cache, threads) if tune else None
    with common.progress_bar() as progress:
        comparer = comparing.Comparer(corpus, held_out, tuning, order=chosen[-1], threads=threads, progress=progress)
        comparison = comparer.compare(chosen, configs)
    _print_comparison(comparison, str(dev), as_json)
    if plot:
        comparing.perplexity_plot(comparison, plot)
    if output and comparison.best:
        comparer.model(comparison.best, configs).save(output)
    elif output:
        common.note(f"{output} was not written: no method gave every held-out token a probability.")


def _print_comparison(comparison: "Comparison", title: str, as_json: bool) -> None:
    if as_json:
        common.print_json(comparison.as_dict())
        return
    header = ["smoothing", "order", "perplexity", "without OOV", "n-grams", "MB", "seconds"]
    rows = [
        [
            row.smoothing + (", tuned" if row.tuned else ""),
            row.order,
            "-" if row.perplexity is None else f"{row.perplexity:.2f}",
            "-" if row.perplexity_without_oov is None else f"{row.perplexity_without_oov:.2f}",
            row.ngrams,
            f"{row.bytes / 1e6:.1f}",
            f"{row.seconds:.2f}",
        ]
        for row in comparison.candidates
    ]
    common.print_table(title, header, rows)
    rate = comparison.oov / comparison.tokens
    click.echo(f"held-out tokens\t{comparison.tokens:,}, {comparison.oov:,} of them unknown ({rate:.2%})")
    click.echo(f"counting\t{comparison.counting_seconds:.2f} s")
    if best := comparison.best:
        tuned = ", tuned" if best.tuned else ""
        click.echo(f"best\t{best.smoothing}{tuned}, order {best.order}: {best.title}, perplexity {best.perplexity:.2f}")
    if any(row.perplexity is None for row in comparison.candidates):
        common.note("stupid backoff gives scores, not probabilities, so it has no perplexity.")
