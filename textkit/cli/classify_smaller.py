"""`textkit classify` from model to model: quantise, and write for fastText."""

from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from . import common
from .classify_common import FILE, classify, labelled_input, read_for

if TYPE_CHECKING:
    from ..classify.form import InputForm
    from ..classify.model import Classifier
    from ..classify.quantising import Loss


@classify.command()
@click.argument("model", type=FILE)
@common.OUTPUT
@click.option("--size", metavar="1M", help="What the file may have, in bytes, or with K, M or G.")
@click.option("--features", type=int, help="Keep at most so many features.")
@click.option("--width", type=int, help="Numbers of a feature that share a byte.  [default: the best of 1, 2 and 4]")
@click.option("--norms/--no-norms", default=None, help="A byte for the length of each feature's vector, or none.")
@click.option("--quantize-output/--keep-output", default=None,
              help="Quantise the labels' vectors, too.  [default: from 2,000 labels on]")  # fmt: skip
@click.option("--test", "tests", multiple=True, metavar="FILE", help="Labelled text to choose and to measure by.")
@common.SEED
@labelled_input
@common.THREADS
@common.JSON
def quantize(
    model: Path,
    output: Path | None,
    size: str | None,
    features: int | None,
    width: int | None,
    norms: bool | None,
    quantize_output: bool | None,
    tests: tuple[str, ...],
    form: "InputForm",
    seed: int,
    threads: int | None,
    as_json: bool,
) -> None:
    """Make a model small: fewer features, each in a few bytes; says what that costs on labelled text.

    A model of hashed n-grams may be written as fastText's .ftz.

    \b
    textkit classify quantize reviews.model --size 1M --test held-out.txt --output small.model
    textkit classify quantize hashed.model --size 500K --output small.ftz
    """
    from ..classify.exporting import write_fasttext
    from ..classify.model import Classifier
    from ..classify.quantising import Smaller, losses, quantised

    limit = common.byte_size("--size", size) if size else None
    target = output or model.with_suffix(".small" + model.suffix)
    how = Smaller(limit, features, width, norms, quantize_output, target.suffix == ".ftz", seed)
    loaded = Classifier.load(model)
    data = read_for(loaded, tests, form, threads) if tests else None
    with common.progress_bar():
        small = quantised(loaded, how, data.text if data else None, threads)
        measured = losses(loaded, small, data, threads) if data else None
    if target.suffix == ".ftz":
        for remark in write_fasttext(small, target):
            common.note(remark)
    else:
        small.save(target)
    _tell(model, target, (loaded, small), measured, as_json)


def _tell(
    model: Path, target: Path, both: "tuple[Classifier, Classifier]", measured: "Loss | None", as_json: bool
) -> None:
    sizes = model.stat().st_size, target.stat().st_size
    counts = len(both[0].features), len(both[1].features)
    if as_json:
        found: dict[str, Any] = {"written": str(target), "bytes": sizes[1], "features": counts[1]}
        common.print_json({**found, **({} if measured is None else measured.as_dict())})
        return
    rows: list[list[Any]] = [["bytes", *sizes], ["features", *counts]]
    if measured is not None:
        rows.append(["accuracy", *(f"{x:.4f}" for x in measured.accuracy)])
        rows.append(["log loss", *(f"{x:.4f}" for x in measured.log_loss)])
        rows.append(["same label", "", f"{measured.agreement:.4f}"])
    common.print_table(str(target), ["what", "before", "after"], rows)


@classify.command()
@click.argument("model", type=FILE)
@click.argument("output", type=FILE)
@click.option("--format", "target", default="auto", show_default=True,
              help="fasttext or textkit; auto goes by the ending: .bin and .ftz are fastText's.")  # fmt: skip
def export(model: Path, output: Path, target: str) -> None:
    """Write a model for fastText, or one of fastText's as textkit's own.

    fastText has embeddings of hashed n-grams: train with --model embedding --buckets 2000000 --end-mark --tokenizer
    whitespace. A .ftz is what quantize makes of such a model.

    \b
    textkit classify export reviews.model reviews.bin --format fasttext
    textkit classify export lid.176.ftz languages.model
    """
    from ..classify.exporting import write_fasttext
    from ..classify.model import Classifier
    from ..errors import UsageError

    if target not in ("auto", "fasttext", "textkit"):
        raise UsageError(f"unknown format '{target}'.", "Choose fasttext or textkit.")
    loaded = Classifier.load(model)
    if target == "fasttext" or (target == "auto" and output.suffix in (".bin", ".ftz")):
        for remark in write_fasttext(loaded, output):
            common.note(remark)
    else:
        loaded.save(output)
    common.note(f"{output}: {output.stat().st_size:,} bytes, {len(loaded.labels):,} labels.")
