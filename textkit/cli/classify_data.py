"""`textkit classify` on text: predict, check."""

from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING

import click

from . import common
from .classify_common import FILE, classify, labelled_input, read

if TYPE_CHECKING:
    from ..classify.check import Check
    from ..classify.form import InputForm
    from ..text.reader import Reader
    from ..text.tokenizer import Tokenizer


@classify.command()
@click.argument("model", type=FILE)
@common.INPUTS
@common.OUTPUT
@click.option("-k", "--k", type=int, help="So many labels at most, -1 for all.  [default: as the model is used to]")
@click.option("--threshold", type=float, help="No label that is less probable.")
@click.option("--labels-only", is_flag=True, help="No probabilities.")
@click.option("--label-prefix", default="__label__", show_default=True, help="Words in lines that are no text.")
@click.option("--like-fasttext", is_flag=True, help="Write what fastText's predict-prob (or predict) would.")
@common.reading
@common.THREADS
@common.JSON
def predict(
    model: Path,
    reader: "Reader",
    output: Path | None,
    k: int | None,
    threshold: float | None,
    labels_only: bool,
    label_prefix: str,
    like_fasttext: bool,
    threads: int | None,
    as_json: bool,
) -> None:
    """Label text, in order, in the form of the input.

    Lines give label, tab, probability; JSONL the same objects with added keys, CSV and TSV the same rows with added
    columns. Labels that stand in the lines themselves are not looked at.

    \b
    textkit classify predict reviews.model new.txt
    textkit classify predict reviews.model new.jsonl.gz --field body --output labelled.jsonl.gz
    textkit classify predict tags.model new.txt --k 3 --threshold 0.1 --json
    """
    from ..classify import stream
    from ..classify.choice import Choice
    from ..classify.model import Classifier
    from ..errors import UsageError

    if like_fasttext and as_json:
        raise UsageError("--like-fasttext and --json are two forms of output.", "Leave one of them out.")
    classifier, reader = Classifier.load(model), replace(reader, once=True)
    writer: stream.Writer | stream.LikeFasttext
    if like_fasttext:
        choice = Choice(1 if k is None else k, threshold)
        writer = stream.LikeFasttext(stream.FasttextPredictor(classifier, choice, label_prefix), labels_only)
    else:
        predictor = stream.Predictor(classifier, Choice(k, threshold), label_prefix)
        writer = stream.Writer(predictor, reader.sources[0].format, as_json, labels_only)
    with common.progress_bar() as progress:
        common.write_pieces(stream.predicted(writer, reader, threads, progress), output)
    common.tell_skipped(reader)


@classify.command()
@common.INPUTS
@common.OUTPUT
@click.option("--drop", metavar="KINDS", help="Write the first input to --output without such rows: duplicate,leak.")
@click.option("--similar", type=float, default=0.8, show_default=True, help="Runs of words near duplicates share.")
@click.option("--folds", type=int, default=5, show_default=True, help="To find wrong labels; 0 to leave that out.")
@click.option("--show", type=click.IntRange(0), default=10, show_default=True, help="Examples of each kind.")
@common.tokenizing("word")
@labelled_input
@common.SEED
@common.THREADS
@common.JSON
def check(
    inputs: tuple[str, ...],
    output: Path | None,
    drop: str | None,
    similar: float,
    folds: int,
    show: int,
    tokenizer: "Tokenizer",
    form: "InputForm",
    seed: int,
    threads: int | None,
    as_json: bool,
) -> None:
    """Look for what may be wrong with labelled text, before or after training.

    Rows that are the same or nearly so after tokenizing, rows that stand in several of the files (a test set that
    leaked into the training set), labels written in two ways, labels that models trained on other rows contradict,
    rare labels, and rows without text, without label or far too long. With --output everything is listed (file, line,
    kind, note); with --drop the first file, or with {name} in --output each, is written without rows of these kinds:
    duplicate, near-duplicate, leak, label-name, mislabelled, over-long, odd.

    \b
    textkit classify check train.txt test.txt
    textkit classify check train.csv test.csv --label-column topic --output issues.tsv
    textkit classify check train.txt test.txt --drop duplicate,leak --output clean.txt
    """
    from ..classify import check as checking
    from ..classify.cleaning import chosen_kinds, cleaned, targets
    from ..errors import UsageError

    kinds = chosen_kinds(drop) if drop else None
    if kinds and not output:
        raise UsageError("--drop writes a file.", "Say with --output which.")
    config = checking.CheckConfig(similar, folds, seed=seed)
    data = read(inputs, form, tokenizer, threads)
    with common.progress_bar() as progress:
        found = checking.check(data, inputs, config, threads, progress)
    if output and kinds:
        written = targets(output, inputs)
        for given, path in written:
            common.write_pieces(cleaned(found, given, form, kinds), path)
        if len(written) < len(inputs):
            common.note(f"of {len(inputs)} files the first is written; --output clean.{{name}} writes all of them.")
    elif output:
        rows = ("\t".join((i.file, str(i.line), i.kind, i.note)) + "\n" for i in found.issues())
        common.write_pieces((row.encode("utf-8", "surrogateescape") for row in rows), output)
    if as_json:
        issues = [issue._asdict() for issue in found.issues()]
        common.print_json({"summary": found.summary(), "issues": issues})
        return
    _show(found, show)


def _show(found: "Check", count: int) -> None:
    """Figures, and some examples of each kind."""
    rows = [[what, value] for what, value in found.summary().items() if value or what == "documents"]
    common.print_table("labelled text", ["what", "value"], rows)
    labels = found.data.labels
    by_count = sorted(zip(labels.names, labels.counts.tolist(), strict=True), key=lambda item: -item[1])
    shares = [[name, n, f"{n / len(found.data):.2%}"] for name, n in by_count[:count]]
    common.print_table("labels", ["label", "documents", "share"], shares)
    shown: dict[str, list[list[object]]] = {}
    for issue in found.issues():
        examples = shown.setdefault(issue.kind, [])
        if len(examples) < count:
            examples.append([f"{issue.file}:{issue.line}", issue.note])
    for kind, examples in shown.items():
        if examples:
            common.print_table(kind, ["row", kind], examples)
