"""`textkit classify train`."""

import time
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from . import common
from .classify_calibrate import show_calibration
from .classify_common import FILE, classify, labelled_input, read
from .classify_settings import settings

if TYPE_CHECKING:
    from ..classify.calibrating import Calibrator
    from ..classify.config import ClassifierConfig
    from ..classify.form import InputForm
    from ..text.tokenizer import Tokenizer


@classify.command()
@common.INPUTS
@common.OUTPUT
@settings
@click.option("--from", "base", type=FILE, help="Train this model on: its features, weights, labels and tokenizer.")
@click.option("--vectors", type=FILE, help="Begin with word vectors of this file, in any format; --dim is theirs.")
@click.option("--freeze", is_flag=True, help="With --vectors: leave them as they are.")
@click.option("--calibrate", is_flag=True, help="Hold a part out, and fit the probabilities to it.")
@click.option("--target", metavar="max-f1|precision:0.95", help="With --calibrate: find thresholds to this end, too.")
@click.option("--abstain", default="", metavar="NAME", help="With --target: what to say below all thresholds.")
@common.tokenizing("word")
@labelled_input
@common.THREADS
@common.JSON
def train(
    inputs: tuple[str, ...],
    output: Path | None,
    chosen: dict[str, Any],
    base: Path | None,
    vectors: Path | None,
    freeze: bool,
    calibrate: bool,
    target: str | None,
    abstain: str,
    tokenizer: "Tokenizer",
    form: "InputForm",
    threads: int | None,
    as_json: bool,
) -> None:
    """Train a classifier on labelled text.

    \b
    textkit classify train reviews.txt --output reviews.model
    textkit classify train reviews.txt --model embedding --word-ngrams 3 --dim 30 -o reviews.model
    textkit classify train more.txt --from reviews.model -o both.model
    textkit classify train mail.txt --calibrate --target precision:0.98 --abstain unsure
    """
    from ..classify.effort import training_note
    from ..classify.model import Classifier
    from ..classify.starting import settings_for
    from ..errors import UsageError

    if (target or abstain) and not calibrate:
        raise UsageError("--target and --abstain are for --calibrate.", "Say --calibrate, too.")
    began = time.perf_counter()
    path = output or common.default_output(inputs, ".model")
    start = Classifier.load(base) if base else None
    if freeze:
        chosen["freeze"] = True
    config = settings_for(start, chosen) if start else _config(vectors, chosen)
    tokenizer, labels = (start.tokenizer, start.labels) if start else (tokenizer, None)
    data = read(inputs, form, tokenizer, threads, min_count=config.min_count, labels=labels)
    if told := training_note(data, config):
        common.note(told)
    with common.progress_bar() as progress:
        train_on = _calibrator(target, abstain, config.seed).train if calibrate else Classifier.train_on
        model = train_on(data, config, progress=progress, threads=threads, base=start, vectors=vectors)
    model.save(path)
    for complaint in model.report.get("complaints", ()):
        common.note(complaint)
    _tell(model, path, time.perf_counter() - began, as_json)


def _calibrator(target: str | None, abstain: str, seed: int) -> "Calibrator":
    from ..classify.calibrating import Calibrator
    from ..classify.calibration import Target

    return Calibrator(Target.read(target) if target else None, abstain, seed)


def _config(vectors: Path | None, chosen: dict[str, Any]) -> "ClassifierConfig":
    """Settings for a new model, with the dimensions of the vectors that it begins with."""
    from ..classify.config import ClassifierConfig

    if vectors and "dim" not in chosen:
        from ..classify.starting import read_vectors

        chosen = {**chosen, "dim": read_vectors(vectors)[1].shape[1]}
    return ClassifierConfig(**{"model": "embedding", **chosen} if vectors else chosen)


def _tell(model: Any, target: Path, seconds: float, as_json: bool) -> None:
    report = model.report
    if as_json:
        described = {"signature": model.signature, "labels": len(model.labels), "calibration": model.calibration}
        common.print_json({**described, **report, "written": str(target), "seconds": seconds})
        return
    rows = [[name.replace("_", " "), report[name]] for name in ("documents", "held_out", "features") if name in report]
    rows.insert(1, ["labels", len(model.labels)])
    last = report["history"][-1] if report.get("history") else {}
    if "accuracy" in last:
        best = max(report["history"], key=lambda entry: entry["accuracy"])
        rows.append(["held-out accuracy", f"{best['accuracy']:.4f}"])
    if "cost" in report:
        rows.append(["cost", report["cost"]])
    if "choice" in report:
        rows.append(["model", report["choice"]])
    elif "held_out_accuracy" in report:
        rows.append(["held-out accuracy", f"{report['held_out_accuracy']:.4f}"])
    common.print_table(f"{target} ({seconds:.1f} s)", ["what", "value"], rows)
    if model.calibration:
        show_calibration(model.calibrated_by, model.labels, 30)
