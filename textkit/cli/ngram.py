"""`textkit ngram`: the group, train and info; what uses a model is in `ngram_use`."""

import time
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from . import common

if TYPE_CHECKING:
    from ..ngram.model import NGramModel
    from ..text.reader import Reader
    from ..text.tokenizer import Tokenizer

MODEL = click.argument("model", type=click.Path(path_type=Path))
ARPA_TOKENIZER = click.option(
    "--tokenizer",
    default="whitespace",
    show_default=True,
    help="For files of other programs, which do not say how to split text.",
)


@click.group()
def ngram() -> None:
    """N-gram language models: train, perplexity, score, generate.

    Wherever a MODEL is asked for, an ARPA file (also compressed) or a KenLM binary file will do.
    """


@ngram.command()
@common.INPUTS
@click.option("--order", type=int, default=3, show_default=True, help="Length of the longest n-grams.")
@common.OUTPUT
@click.option("--arpa", type=click.Path(path_type=Path), help="Also write the model as an ARPA file (.gz, .xz, … too).")
@click.option("--discount-fallback", default="0.5 1 1.5", show_default=True, help="Where counts give no discounts.")
@click.option("--prune", default="", help="Leave out n-grams that occur at most so often, by order: '0 0 1'.")
@click.option("--limit-vocab", type=click.Path(path_type=Path), help="Leave out n-grams with a word not in this list.")
@click.option("--vocab-pad", type=int, default=0, help="Take the vocabulary to be at least so large.")
@click.option(
    "--interpolate-unigrams/--no-interpolate-unigrams",
    default=True,
    show_default=True,
    help="Share out the uniform distribution, or give <unk> all of it.",
)
@common.tokenizing("word")
@common.choosing_words
@common.reading
@common.caching
@common.THREADS
@common.JSON
def train(
    reader: "Reader",
    order: int,
    output: Path | None,
    arpa: Path | None,
    discount_fallback: str,
    prune: str,
    limit_vocab: Path | None,
    vocab_pad: int,
    interpolate_unigrams: bool,
    tokenizer: "Tokenizer",
    min_count: int,
    max_vocab: int | None,
    cache: Path | None,
    threads: int | None,
    as_json: bool,
) -> None:
    """Train an interpolated modified Kneser-Ney model.

    \b
    textkit ngram train text.txt --order 3 --output text.ngram
    textkit ngram train *.txt.gz --order 5 --tokenizer whitespace --arpa text.arpa
    """
    from ..ngram.model import NGramModel, TrainingConfig

    began = time.perf_counter()
    config = TrainingConfig(
        order,
        _numbers("--discount-fallback", discount_fallback),
        tuple(int(n) for n in _numbers("--prune", prune)),
        _listed(limit_vocab) if limit_vocab else None,
        interpolate_unigrams,
        vocab_pad,
    )
    target = output or (None if arpa else _default_output(reader))
    corpus = common.encode(reader, tokenizer, cache, threads, min_count=min_count, max_vocab=max_vocab)
    with common.progress_bar() as progress:
        model = NGramModel.train(corpus, config, threads=threads, progress=progress)
        if target:
            model.save(target)
        if arpa:
            model.write_arpa(arpa, threads)
    _tell_training(model)
    written = [str(path) for path in (target, arpa) if path]
    if as_json:
        common.print_json({**_description(model), "written": written, "seconds": time.perf_counter() - began})
    else:
        _print_sizes(model, f"{', '.join(written)} ({time.perf_counter() - began:.1f} s)")


def _listed(path: Path) -> tuple[str, ...]:
    from ..text.vocabulary import SPECIALS, Vocabulary

    return tuple(Vocabulary.load_text(path).words()[len(SPECIALS) :])


def _numbers(option: str, text: str) -> tuple[float, ...]:
    from ..errors import UsageError

    try:
        return tuple(float(part) for part in text.replace(",", " ").split())
    except ValueError:
        raise UsageError(f"{option} '{text}' is not a list of numbers.", "An example: '0 1 1'.") from None


def _default_output(reader: "Reader") -> Path:
    from ..errors import UsageError

    name = Path(str(reader.inputs[0])).name.split(".")[0] or "model"
    path = Path(f"{name if name != '-' else 'model'}.ngram")
    if path.exists():
        raise UsageError(f"{path} exists already.", "Say with --output where to write; what is there is replaced then.")
    return path


def _tell_training(model: "NGramModel") -> None:
    for order, reason in model.report["fallbacks"].items():
        used = " ".join(f"{d:g}" for d in model.report["discounts"][int(order) - 1])
        common.note(f"order {order}: discounts {used} were assumed, since of its n-grams {reason}.")
    if dropped := model.report["dropped_marks"]:
        common.note(f"{dropped:,} sentence marks (<s>, </s>) in the text were left out.")


def _description(model: "NGramModel") -> dict[str, Any]:
    return {
        "order": model.order,
        "ngrams": {str(n): size for n, size in enumerate(model.sizes, 1)},
        "vocabulary": len(model.vocabulary),
        "signature": model.signature,
        **model.report,
    }


def _print_sizes(model: "NGramModel", title: str) -> None:
    discounts = model.report.get("discounts", [])
    rows = []
    for n, size in enumerate(model.sizes, 1):
        given = " ".join(f"{d:.4f}" for d in discounts[n - 1]) if discounts else "-"
        rows.append([n, size, given])
    common.print_table(title, ["order", "n-grams", "discounts 1 2 3+"], rows)


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
    """What a model is: sizes, discounts, tokenizer, training text.

    \b
    textkit ngram info text.ngram
    """
    loaded = load(model, tokenizer)
    if as_json:
        common.print_json(_description(loaded))
        return
    _print_sizes(loaded, str(model))
    click.echo(f"signature\t{loaded.signature}")
    for name in ("tokens", "lines"):
        if name in loaded.report:
            click.echo(f"training {name}\t{loaded.report[name]:,}")
