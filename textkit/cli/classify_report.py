"""`textkit classify` on labelled text: test, compare, evaluate."""

import sys
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from . import common
from .classify_common import FILE, SHOW, classify, labelled_input, read, read_for
from .classify_settings import settings

if TYPE_CHECKING:
    from ..classify.form import InputForm
    from ..classify.report import Report
    from ..text.tokenizer import Tokenizer

WIDEST_MATRIX = 12  # labels that a table has room for

MODEL = click.argument("model", type=FILE)
K = click.option("-k", "--k", type=int, help="Give so many labels at most, -1 for any number.  [default: as the model]")
THRESHOLD = click.option("--threshold", type=float, help="Give no label that is less probable.")
HTML = click.option("--html", type=FILE, help="Also write a page with plots, which needs nothing else.")
PAIRS = click.option("--pairs", type=click.IntRange(0), default=10, show_default=True, help="Confused pairs to show.")
EXAMPLES = click.option("--examples", type=click.IntRange(0), default=2, show_default=True, help="Documents of each.")


@classify.command()
@MODEL
@common.INPUTS
@K
@THRESHOLD
@click.option("--like-fasttext", is_flag=True, help="Print N, P@k and R@k as fastText counts them.")
@SHOW
@PAIRS
@EXAMPLES
@HTML
@common.SEED
@labelled_input
@common.THREADS
@common.JSON
def test(
    model: Path,
    inputs: tuple[str, ...],
    form: "InputForm",
    k: int | None,
    threshold: float | None,
    like_fasttext: bool,
    show: int,
    pairs: int,
    examples: int,
    html: Path | None,
    seed: int,
    threads: int | None,
    as_json: bool,
) -> None:
    """Measure a model on labelled text.

    Accuracy, precision, recall and F1 with their confidence intervals beside what the most frequent label would get,
    the quality of the probabilities, a table of labels, and which labels are confused, with examples.

    \b
    textkit classify test reviews.model reviews.test.txt
    textkit classify test reviews.model reviews.test.txt --html report.html
    textkit classify test tags.model tags.test.txt --k 3 --threshold 0.1 --json
    """
    from ..classify.choice import Choice
    from ..classify.effort import testing_note
    from ..classify.evaluation import Evaluator
    from ..classify.model import Classifier
    from ..text.plots import check_plot

    if html:
        check_plot(html.with_suffix(".svg"))
    loaded = Classifier.load(model)
    if like_fasttext:
        k, threshold = k or 1, threshold or 0.0
    evaluator = Evaluator(Choice(k, threshold), form, pairs, examples, seed, threads)
    data = read_for(loaded, inputs, form, threads)
    if told := testing_note(loaded.head, len(data)):
        common.note(told)
    with common.progress_bar() as evaluator.progress:
        report = evaluator.test(loaded, data)
    if like_fasttext:
        counts = report.fasttext
        click.echo(f"N\t{counts.documents}\nP@{k}\t{counts.precision:.3g}\nR@{k}\t{counts.recall:.3g}")
    else:
        show_report(report, f"{model} on {', '.join(inputs)}", show, as_json)
    if html:
        write_page(report, html, f"{model} on {', '.join(inputs)}")


def write_page(report: "Report", path: Path, title: str) -> None:
    """The report as HTML."""
    from ..classify.html import report_page

    report_page(report, path, title)


def show_report(report: "Report", title: str, show: int, as_json: bool) -> None:
    """A report as tables, or as JSON."""
    if as_json:
        common.print_json(report.as_dict())
        return
    rows = [
        [name, f"{value:.4f}", interval, "" if base is None else f"{base:.4f}"]
        for name, value, interval, base in report.summary()
    ]
    header = ["measure", "value", "95 % interval", f"always '{report.baseline.label}'"]
    common.print_table(f"{title}: {report.documents:,} documents, given: {report.rule}", header, rows)
    rows = [[name, *(f"{value:.4f}" for value in values)] for name, *values in report.average_rows()]
    common.print_table("averages over labels, and of the k best", ["", "precision", "recall", "F1"], rows)
    _show_labels(report, show)
    _show_confused(report)
    if report.unknown:
        unknown = [[label, count] for label, count in list(report.unknown.items())[:show]]
        common.print_table("labels that the model does not know", ["label", "documents"], unknown)
        common.note(f"{len(report.unknown):,} labels are unknown to the model; they count as never found.")
    _show_runs(report)


def _show_labels(report: "Report", show: int) -> None:
    rows = [
        [r.label, r.support, r.given, f"{r.precision:.4f}", f"{r.recall:.4f}", f"{r.f1:.4f}"]
        for r in report.per_label[:show]
    ]
    if rows:
        common.print_table("labels", ["label", "documents", "given", "precision", "recall", "F1"], rows)
    if 0 < len(rows) < len(report.per_label):
        common.note(f"{len(report.per_label) - len(rows):,} more labels; --show says how many to print.")


def _show_confused(report: "Report") -> None:
    matrix, between = report.matrix, "\n" if sys.stdout.isatty() else "; "
    if 1 < report.labels <= WIDEST_MATRIX:
        rows = [[label, *counts] for label, counts in zip(matrix.labels, matrix.counts, strict=True)]
        common.print_table("right labels against given ones", ["", *matrix.labels, "(other)", "(none)"], rows)
    pairs = [
        [
            pair.gold,
            "-" if pair.given is None else pair.given,
            f"{pair.count:,}",
            f"{pair.share:.1%}",
            between.join(f"{e.file}:{e.line}: {e.text}" for e in pair.examples),
        ]
        for pair in report.confused
    ]
    if pairs:
        header = ["right label", "given", "documents", "of the label's", "examples"]
        common.print_table("most confused", header, pairs)


@classify.command()
@click.argument("first", type=FILE)
@click.argument("second", type=FILE)
@common.INPUTS
@K
@THRESHOLD
@common.SEED
@labelled_input
@common.THREADS
@common.JSON
def compare(
    first: Path,
    second: Path,
    inputs: tuple[str, ...],
    form: "InputForm",
    k: int | None,
    threshold: float | None,
    seed: int,
    threads: int | None,
    as_json: bool,
) -> None:
    """Compare two models on the same labelled text, and say whether chance explains the difference.

    McNemar's exact test for accuracy, a paired bootstrap for F1.

    \b
    textkit classify compare old.model new.model reviews.test.txt
    """
    from ..classify.choice import Choice
    from ..classify.comparison import compare as compare_outcomes
    from ..classify.evaluation import scored
    from ..classify.model import Classifier

    choice, found = Choice(k, threshold), []
    for path in (first, second):
        model = Classifier.load(path)
        data = read_for(model, inputs, form, threads)
        with common.progress_bar() as progress:
            scores = scored(model, data, choice.rule(model), threads=threads, progress=progress)
        found.append((scores.outcome(), data.labels.names))
    comparison = compare_outcomes(found[0], found[1], seed)
    if as_json:
        common.print_json({"first": str(first), "second": str(second), **comparison.as_dict()})
        return
    rows = [
        [d.name, f"{d.first:.4f}", f"{d.second:.4f}", f"{d.second - d.first:+.4f}", f"{d.low:+.4f} to {d.high:+.4f}",
         f"{d.p:.3g}", d.test]
        for d in comparison.differences
    ]  # fmt: skip
    header = ["measure", str(first), str(second), "difference", "95 % interval", "p", "test"]
    common.print_table(f"{comparison.documents:,} documents", header, rows)
    rows = [
        [name.replace("_", " "), getattr(comparison, name)] for name in ("both", "only_first", "only_second", "neither")
    ]
    common.print_table("documents that are right", ["by", "documents"], rows)
    for sentence in comparison.in_words(str(first), str(second)):
        click.echo(sentence)


@classify.command()
@common.INPUTS
@click.option("--held-out", type=float, default=0.2, show_default=True, help="Share of the documents to test on.")
@click.option("--folds", type=int, help="Test each document by models of the others, in so many parts.")
@click.option("--learning-curve", is_flag=True, help="Also train on growing parts of the documents.")
@K
@THRESHOLD
@SHOW
@PAIRS
@EXAMPLES
@HTML
@settings
@common.tokenizing("word")
@labelled_input
@common.THREADS
@common.JSON
def evaluate(
    inputs: tuple[str, ...],
    form: "InputForm",
    held_out: float,
    folds: int | None,
    learning_curve: bool,
    k: int | None,
    threshold: float | None,
    show: int,
    pairs: int,
    examples: int,
    html: Path | None,
    chosen: dict[str, Any],
    tokenizer: "Tokenizer",
    threads: int | None,
    as_json: bool,
) -> None:
    """See how well labelled text can be classified: split it, train, and test on what was held out.

    The parts have the same shares of each label. Takes the options of `classify train`.

    \b
    textkit classify evaluate reviews.txt
    textkit classify evaluate reviews.txt --folds 5
    textkit classify evaluate reviews.txt --learning-curve --model linear
    """
    from dataclasses import replace

    from ..classify.choice import Choice
    from ..classify.config import ClassifierConfig
    from ..classify.effort import training_note
    from ..classify.evaluation import Evaluator
    from ..text.plots import check_plot

    if html:
        check_plot(html.with_suffix(".svg"))
    config = ClassifierConfig(**chosen)
    evaluator = Evaluator(Choice(k, threshold), form, pairs, examples, config.seed, threads)
    data = read(inputs, form, tokenizer, threads)
    if told := training_note(data, config):
        common.note(told)
    with common.progress_bar() as evaluator.progress:
        report = evaluator.folds(data, config, folds) if folds else evaluator.held_out(data, config, held_out)
        if learning_curve:
            report = replace(report, learning_curve=evaluator.learning_curve(data, config, held_out))
    show_report(report, ", ".join(inputs), show, as_json)
    if html:
        write_page(report, html, ", ".join(inputs))


def _show_runs(report: "Report") -> None:
    """The accuracy of each fold, and the learning curve."""
    from statistics import mean, stdev

    if folds := report.folds:
        rows = [[str(number), f"{accuracy:.4f}"] for number, accuracy in enumerate(folds, 1)]
        rows += [["mean", f"{mean(folds):.4f}"], ["standard deviation", f"{stdev(folds):.4f}"]]
        common.print_table("folds", ["fold", "accuracy"], rows)
    if points := report.learning_curve:
        rows = [[f"{p.documents:,}", f"{p.accuracy:.4f}", f"{p.macro_f1:.4f}", f"{p.seconds:.1f}"] for p in points]
        common.print_table("learning curve", ["training documents", "accuracy", "macro F1", "seconds"], rows)
