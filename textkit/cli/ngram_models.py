"""`textkit ngram` on finished models: prune, quantize, interpolate, convert."""

from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from . import common
from .ngram import ARPA_TOKENIZER, MODEL, QUANTIZE, load, ngram

if TYPE_CHECKING:
    from ..ngram.interpolation import Interpolated
    from ..ngram.model import NGramModel
    from ..text.reader import Reader

OUTPUT = click.option(
    "-o", "--output", type=click.Path(path_type=Path), required=True, help="File to write: .ngram, .arpa, .arpa.gz, …"
)


@ngram.command()
@MODEL
@OUTPUT
@click.option("--threshold", type=float, help="Prune what changes the perplexity by less than this share: 1e-8.")
@click.option("--max-ngrams", type=click.IntRange(1), help="Keep at most so many n-grams, of all orders together.")
@click.option("--max-size", help="Largest model file: 50M.")
@QUANTIZE
@click.option(
    "--refit/--no-refit", default=None, help="Fit the shorter n-grams to what is left.  [default: in Kneser-Ney models]"
)
@common.held_out
@ARPA_TOKENIZER
@common.THREADS
@common.JSON
def prune(
    model: Path,
    output: Path,
    threshold: float | None,
    max_ngrams: int | None,
    max_size: str | None,
    bits: int | None,
    refit: bool | None,
    dev: "Reader | None",
    tokenizer: str,
    threads: int | None,
    as_json: bool,
) -> None:
    """Make a model smaller by leaving out the n-grams that matter least (relative-entropy pruning).

    Of several limits the strictest holds. With --dev the perplexity before and after is shown. In
    Kneser-Ney models the probabilities of shorter n-grams are fitted to their new use.

    \b
    textkit ngram prune text.ngram --threshold 1e-8 --output small.ngram
    textkit ngram prune text.arpa.gz --max-size 50M --quantize 8 --dev held-out.txt --output small.ngram
    """
    from ..errors import UsageError
    from ..ngram.conversion import is_arpa_name, save_as
    from ..ngram.pruning import Limits, pruned_model

    if threshold is None and max_ngrams is None and max_size is None:
        raise UsageError(
            "nothing says how much to prune.", "Give --threshold 1e-8, --max-ngrams 1000000 or --max-size 50M."
        )
    if is_arpa_name(output) and (max_size or bits is not None):
        raise UsageError("--max-size and --quantize are for textkit models.", "Let --output end in .ngram.")
    size = common.byte_size("--max-size", max_size) if max_size else None
    limits = Limits(threshold or 0.0, max_ngrams, size, bits, refit)
    whole = load(model, tokenizer)
    with common.progress_bar() as progress:
        small, pruned = pruned_model(whole, limits, threads=threads, progress=progress)
        save_as(small, output, threads)
    figures = {
        "threshold": pruned.threshold,
        "shorter n-grams refitted": "yes" if pruned.refitted else "no",
        "relative entropy, nats per token": pruned.relative_entropy,
        **_compared("expected perplexity", *pruned.expected_perplexities),
        **_measured(whole, small, dev, threads),
        "bytes": output.stat().st_size,
    }
    rows = [[n, a, b, b / max(a, 1)] for n, (a, b) in enumerate(zip(whole.sizes, small.sizes, strict=True), 1)]
    _show(str(output), ["order", "n-grams before", "after", "kept"], rows, figures, as_json)


@ngram.command()
@MODEL
@OUTPUT
@click.option("--bits", type=int, default=8, show_default=True, help="Of each number, 2 to 16.")
@common.held_out
@ARPA_TOKENIZER
@common.THREADS
@common.JSON
def quantize(
    model: Path,
    output: Path,
    bits: int,
    dev: "Reader | None",
    tokenizer: str,
    threads: int | None,
    as_json: bool,
) -> None:
    """Make a model smaller by rounding its probabilities and backoffs to one of few values.

    Contexts then sum to one only within the errors shown; unigrams stay exact. With --dev the perplexity before and
    after is shown.

    \b
    textkit ngram quantize text.ngram --bits 8 --dev held-out.txt --output small.ngram
    """
    from ..ngram.conversion import save_as
    from ..ngram.quantisation import quantised_model

    whole = load(model, tokenizer)
    small, errors = quantised_model(whole, bits, threads=threads)
    save_as(small, output, threads)
    rows = [[e.order, e.number, e.values, e.mean, e.largest] for e in errors]
    figures = {**_measured(whole, small, dev, threads), "bytes": output.stat().st_size}
    _show(str(output), ["order", "log10 of", "values", "mean error", "largest error"], rows, figures, as_json)


@ngram.command()
@click.argument("models", nargs=-1, required=True, type=click.Path(path_type=Path), metavar="MODEL...")
@OUTPUT
@click.option("--weights", help="One for each model: 0.7,0.3. Without them --dev finds the best.")
@click.option("--log-linear", is_flag=True, help="Multiply powers of the probabilities instead of adding shares.")
@common.held_out
@ARPA_TOKENIZER
@common.THREADS
@common.JSON
def interpolate(
    models: tuple[Path, ...],
    output: Path,
    weights: str | None,
    log_linear: bool,
    dev: "Reader | None",
    tokenizer: str,
    threads: int | None,
    as_json: bool,
) -> None:
    """Mix models into one; orders and vocabularies may differ.

    A word that one model does not know gets an equal share of what this model gives to its unknown word.

    \b
    textkit ngram interpolate news.ngram talk.ngram --dev held-out.txt --output mixed.ngram
    textkit ngram interpolate a.arpa b.ngram --weights 0.7,0.3 --log-linear --output mixed.arpa.gz
    """
    from ..errors import UsageError
    from ..ngram.conversion import is_arpa_name, save_as
    from ..ngram.interpolation import interpolate as mix

    is_arpa_name(output)
    if len(models) < 2:
        raise UsageError("one model makes no mixture.", "Name two models or more.")
    if weights is None and dev is None:
        raise UsageError("nothing says how to weigh the models.", "Give --weights 0.7,0.3 or --dev TEXT.")
    given = _weights(weights) if weights is not None else None
    loaded = [load(path, tokenizer) for path in models]
    with common.progress_bar() as progress:
        found = mix(loaded, given, dev, log_linear=log_linear, threads=threads, progress=progress)
        save_as(found.model, output, threads)
    rows = [
        [str(path), weight, *found.perplexities[i : i + 1]]
        for i, (path, weight) in enumerate(zip(models, found.weights, strict=True))
    ]
    figures = {
        **({"perplexity, probabilities mixed": found.mixed_perplexity} if found.mixed_perplexity else {}),
        **_perplexity_of(found, dev, threads),
        **{f"{n}-grams": size for n, size in enumerate(found.model.sizes, 1)},
        "bytes": output.stat().st_size,
    }
    _show(str(output), ["model", "weight", *(["perplexity"] if dev else [])], rows, figures, as_json)


@ngram.command()
@MODEL
@OUTPUT
@ARPA_TOKENIZER
@common.THREADS
def convert(model: Path, output: Path, tokenizer: str, threads: int | None) -> None:
    """Write a model in the form that the ending of --output names.

    \b
    textkit ngram convert text.ngram --output text.arpa.gz
    textkit ngram convert text.arpa.xz --tokenizer word --output text.ngram
    """
    from ..ngram.conversion import is_arpa_name, save_as

    is_arpa_name(output)
    save_as(load(model, tokenizer), output, threads)


def _weights(text: str) -> list[float]:
    from ..errors import UsageError

    try:
        return [float(part) for part in text.replace(",", " ").split()]
    except ValueError:
        raise UsageError(f"--weights '{text}' is not a list of numbers.", "An example: 0.7,0.3.") from None


def _compared(name: str, before: float, after: float) -> dict[str, float]:
    return {f"{name} before": before, f"{name} after": after}


def _measured(whole: "NGramModel", small: "NGramModel", dev: "Reader | None", threads: int | None) -> dict[str, float]:
    """Perplexities of held-out text, if there is one."""
    from ..ngram.scoring import perplexity

    if dev is None:
        return {}
    before, after = (perplexity(model, dev, threads=threads) for model in (whole, small))
    common.tell_skipped(dev)
    return {
        **_compared("perplexity", before.perplexity, after.perplexity),
        **_compared("perplexity without OOV", before.perplexity_without_oov, after.perplexity_without_oov),
    }


def _perplexity_of(found: "Interpolated", dev: "Reader | None", threads: int | None) -> dict[str, float]:
    from ..ngram.scoring import perplexity

    if dev is None:
        return {}
    return {"perplexity of the new model": perplexity(found.model, dev, threads=threads).perplexity_without_oov}


def _show(title: str, header: list[str], rows: list[list], figures: dict[str, Any], as_json: bool) -> None:
    """The table of a result and its figures."""
    if as_json:
        named = [dict(zip(header, row, strict=True)) for row in rows]
        common.print_json({"output": title, "rows": named, **figures})
        return
    common.print_table(title, header, [[f"{c:.6g}" if isinstance(c, float) else c for c in row] for row in rows])
    for name, value in figures.items():
        shown = f"{value:,}" if isinstance(value, int) else f"{value:.6g}" if isinstance(value, float) else value
        click.echo(f"{name}\t{shown}")
