"""`textkit classify tune`."""

import time
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from . import common
from .classify_common import FILE, classify, labelled_input, read
from .classify_settings import settings

if TYPE_CHECKING:
    from ..classify.form import InputForm
    from ..classify.tune import Tuned
    from ..text.tokenizer import Tokenizer

_UNITS = {"s": 1.0, "m": 60.0, "h": 3600.0}


@classify.command()
@common.INPUTS
@common.OUTPUT
@click.option("--time", "limit", default="5m", show_default=True, help="Time for all of it: 90s, 5m, 1h.")
@click.option(
    "--metric",
    default="accuracy",
    show_default=True,
    help="accuracy, micro-f1, macro-f1, weighted-f1, f1:LABEL, log-loss, precision-at-recall:0.8[:LABEL] or "
    "recall-at-precision:0.95[:LABEL].",
)
@click.option("--max-size", metavar="10M", help="Bytes that the model may have; larger ones are quantised.")
@click.option("--log", type=FILE, help="Keep trials in this file, and go on from those that are there.")
@settings
@common.tokenizing("word")
@labelled_input
@common.THREADS
@common.JSON
def tune(
    inputs: tuple[str, ...],
    output: Path | None,
    limit: str,
    metric: str,
    max_size: str | None,
    log: Path | None,
    chosen: dict[str, Any],
    tokenizer: "Tokenizer",
    form: "InputForm",
    threads: int | None,
    as_json: bool,
) -> None:
    """Find settings that suit a labelled text, within a time, and train with them.

    Settings that are given stay as they are. Says what mattered.

    \b
    textkit classify tune reviews.txt --time 5m --output reviews.model
    textkit classify tune mail.txt --metric recall-at-precision:0.99:spam --max-size 5M --log trials.jsonl -o mail.model
    """
    from ..classify.config import ClassifierConfig
    from ..classify.goals import Goal
    from ..classify.tune import Tuner

    config = ClassifierConfig(**chosen)
    seconds, target = duration(limit), output or common.default_output(inputs, ".model")
    size = common.byte_size("--max-size", max_size) if max_size else None
    began = time.monotonic()
    data = read(inputs, form, tokenizer, threads, min_count=config.min_count)
    goal = Goal.read(metric, data.labels.names)
    with common.progress_bar() as progress:
        tuned = Tuner(data, config, goal, seconds, frozenset(chosen), size, log, threads, progress, began).run()
    tuned.model.save(target)
    _tell(tuned, target, metric, as_json)


def duration(text: str) -> float:
    """Seconds of 90s, 5m, 1h or a plain number of seconds. Raises UsageError for anything else."""
    from ..errors import UsageError

    try:
        return float(text.rstrip("smh")) * _UNITS[text[-1] if text[-1:] in _UNITS else "s"]
    except ValueError:
        raise UsageError(f"--time '{text}' makes no sense.", "Examples: 90s, 5m, 1h.") from None


def _tell(tuned: "Tuned", target: Path, metric: str, as_json: bool) -> None:
    importance = tuned.importance()
    if as_json:
        described: dict[str, Any] = {
            "written": str(target), "metric": metric, "best": vars(tuned.best), "first": vars(tuned.first),
            "trials": [vars(trial) for trial in tuned.trials], "seconds": tuned.seconds,
            "importance": [{"setting": name, "share": part, "means": dict(means)} for name, part, means in importance],
        }  # fmt: skip
        common.print_json(described)
        return
    rows = [
        [name, _shown(tuned.first.settings.get(name)), _shown(value)] for name, value in tuned.best.settings.items()
    ]
    rows.append([metric, _shown(tuned.first.score), _shown(tuned.best.score)])
    rows.append(["bytes", str(tuned.first.size), str(tuned.best.size)])
    rows.append(["of the documents", f"{tuned.first.share:.0%}", f"{tuned.best.share:.0%}"])
    title = f"{target}: {target.stat().st_size:,} bytes, {len(tuned.trials)} trials in {tuned.seconds:.1f} s"
    common.print_table(title, ["setting", "to begin with", "chosen"], rows)
    mattered = [
        [name, f"{share:.0%}", ", ".join(f"{value}: {mean:.4f}" for value, mean in means)]
        for name, share, means in importance
    ]
    if mattered:
        header = ["setting", "of the variance", "mean of each value"]
        common.print_table("what mattered, on the smallest share of documents", header, mattered)


def _shown(value: Any) -> str:
    if isinstance(value, list):
        return "-".join(map(str, value))
    return "-" if value is None else f"{value:.4g}" if isinstance(value, float) else str(value)
