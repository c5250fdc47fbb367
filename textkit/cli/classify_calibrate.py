"""`textkit classify calibrate`, and what a calibration looks like."""

from pathlib import Path
from typing import TYPE_CHECKING

import click

from . import common
from .classify_common import FILE, SHOW, classify, labelled_input, read_for

if TYPE_CHECKING:
    from ..classify.calibration import Calibration
    from ..classify.form import InputForm


@classify.command()
@click.argument("model", type=FILE)
@common.INPUTS
@click.option("--target", metavar="max-f1|precision:0.95", help="Also find a threshold for each label, to this end.")
@click.option("--abstain", default="", metavar="NAME", help="What to say where no label reaches its threshold.")
@click.option("-o", "--output", type=FILE, help="Write the calibrated model here.  [default: over the model]")
@SHOW
@common.SEED
@labelled_input
@common.THREADS
@common.JSON
def calibrate(
    model: Path,
    inputs: tuple[str, ...],
    form: "InputForm",
    target: str | None,
    abstain: str,
    output: Path | None,
    show: int,
    seed: int,
    threads: int | None,
    as_json: bool,
) -> None:
    """Make a model's probabilities mean what they say, by labelled text that it was not trained on.

    A temperature for the probabilities; with --target a threshold for each label. What thresholds reach is measured
    by cross-validation. Both are kept in the model; predict and test go by them.

    \b
    textkit classify calibrate reviews.model reviews.dev.txt
    textkit classify calibrate tags.model tags.dev.txt --target max-f1
    textkit classify calibrate mail.model mail.dev.txt --target precision:0.98 --abstain unsure -o sure.model
    """
    from ..classify.calibrating import Calibrator
    from ..classify.calibration import Target
    from ..classify.model import Classifier
    from ..errors import UsageError
    from ..files import is_container

    calibrator = Calibrator(Target.read(target) if target else None, abstain, seed, threads)
    loaded = Classifier.load(model)
    if not (output or is_container(model)):
        raise UsageError(
            f"{model} is not in textkit's own format, the only one that keeps a calibration.", "Say --output."
        )
    data = read_for(loaded, inputs, form, threads)
    with common.progress_bar() as calibrator.progress:
        made = calibrator.calibrate(loaded, data)
    made.save(output or model)
    found = made.calibrated_by
    if as_json:
        common.print_json({**found.as_dict(), "labels": made.labels, "written": str(output or model)})
    else:
        show_calibration(found, made.labels, show)


def show_calibration(found: "Calibration", labels: list[str], show: int) -> None:
    """Temperature, figures before and after, thresholds."""
    from ..classify.calibration import NEVER

    figures = {name: pair for name, pair in found.measured.items() if isinstance(pair, list)}
    rows = [[name, *("-" if value is None else f"{value:.4f}" for value in pair)] for name, pair in figures.items()]
    documents = found.measured.get("documents", 0)
    title = f"temperature {found.temperature:.4f}, by {documents:,} documents"
    common.print_table(title, ["measure", "before", "after"], rows)
    if found.thresholds is not None and show:
        rows = [
            [label, "never given" if p >= NEVER else f"{p:.4f}"]
            for label, p in zip(labels[:show], found.thresholds, strict=False)
        ]
        common.print_table(f"thresholds for {found.target}", ["label", "threshold"], rows)
    before, after = figures.get("calibration error", [0, 0])
    if after > before + 0.005:
        common.note("the calibration error grew: are some labels wrong, or too few documents? The log loss fell.")
