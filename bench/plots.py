"""Pictures of results as SVG: how many times as long the others take, speed beside quality, growth, roofline."""

import re
from pathlib import Path
from typing import Any

from .harness import Outcome, Table
from .scaling import exponents

Results = dict[str, Outcome | Table]
QUALITIES = ("accuracy", "atlas-questions", "questions-words")  # of several measures the one that is drawn


def draw(results: Results, directory: Path, name: str) -> list[Path]:
    """All pictures that the results have figures for."""
    import matplotlib

    matplotlib.use("svg")
    # The same results give the same bytes.
    matplotlib.rcParams.update({"svg.hashsalt": "textkit", "svg.fonttype": "none", "font.size": 9})
    from matplotlib import pyplot

    directory.mkdir(parents=True, exist_ok=True)
    written = []
    for kind, plot in (("ratios", ratios), ("quality", quality), ("scaling", scaling), ("roofline", roofline)):
        if figure := plot(results, pyplot):
            written.append(directory / f"{name}-{kind}.svg")
            figure.savefig(written[-1], metadata={"Date": None}, bbox_inches="tight")
            pyplot.close(figure)
    return written


def races(results: Results) -> dict[str, Outcome]:
    """The comparisons with others."""
    found = {name: r for name, r in results.items() if isinstance(r, Outcome)}
    return {name: r for name, r in found.items() if any(not run.name.startswith("textkit") for run in r.runs)}


def ratios(results: Results, pyplot: Any) -> Any:
    """A bar for each case and peer: its time in times of textkit's, on a logarithmic axis."""
    bars = [
        (f"{race.case}: {run.name}", run.seconds / race.runs[0].seconds)
        for name, race in races(results).items()
        if name != "imports"
        for run in race.runs
        if not run.name.startswith("textkit")
    ]
    if not bars:
        return None
    figure, axes = pyplot.subplots(figsize=(8, 0.5 + 0.2 * len(bars)))
    names, values = zip(*reversed(bars), strict=True)
    colours = ["#2a7f62" if value >= 1 else "#b5533c" for value in values]
    axes.barh(range(len(values)), [value - 1 for value in values], left=1, color=colours, height=0.7)
    axes.set(
        xscale="log",
        yticks=range(len(names)),
        yticklabels=names,
    )
    axes.set_xlabel("time / textkit's (right of 1: textkit is faster)")
    for place, value in enumerate(values):
        axes.text(value, place, f" {value:.2g} " if value < 10 else f" {value:.0f} ", va="center",
                  ha="left" if value >= 1 else "right")  # fmt: skip
    axes.axvline(1, color="black", linewidth=0.8)
    axes.margins(x=0.15, y=0.01)
    return figure


def scores(text: str) -> list[tuple[str, float]]:
    """The measures of quality in a line such as "wordsim353 0.61, atlas-questions 0.86", those of `QUALITIES` first."""
    found = [(name, float(value)) for name, value in re.findall(r"([\w.-]*[A-Za-z][\w.-]*) (\d*\.\d+)", text)]
    return sorted(found, key=lambda measure: measure[0] not in QUALITIES)


def quality(results: Results, pyplot: Any) -> Any:
    """For each case with a measure of quality a field: rate across, quality upwards, a point for each program."""
    fields = []
    for name, race in races(results).items():
        if not name.startswith(("w2v", "classify")):
            continue
        found = {run.name: scores(race.quality.get(run.name, ""))[:1] for run in race.runs}
        if sum(map(bool, found.values())) > 1:
            fields.append((race, {n: some[0] for n, some in found.items() if some}))
    if not fields:
        return None
    columns = min(3, len(fields))
    lines = -(-len(fields) // columns)
    figure, grid = pyplot.subplots(lines, columns, figsize=(3.4 * columns, 2.7 * lines), squeeze=False)
    for axes, (race, found) in zip(grid.flat, fields, strict=False):
        for run in race.runs:
            if run.name in found:
                measure, value = found[run.name]
                ours = run.name.startswith("textkit")
                at = (race.amount / run.seconds, value)
                axes.scatter(*at, color="#2a7f62" if ours else "#777777")
                axes.annotate(run.name, at, xytext=(3, 4), textcoords="offset points", fontsize=7)
        axes.set(xlabel=f"{race.unit}/s", ylabel=measure)
        axes.set_title(race.case, fontsize=8)
        axes.margins(0.3)
        axes.set_xlim(left=0)
    for axes in list(grid.flat)[len(fields) :]:
        axes.set_axis_off()
    figure.tight_layout()
    return figure


def scaling(results: Results, pyplot: Any) -> Any:
    """Time and memory by the size of the text on logarithmic axes, with the fitted exponents."""
    table = results.get("scaling")
    if not isinstance(table, Table):
        return None
    figure, (left, right) = pyplot.subplots(1, 2, figsize=(9, 3.6))
    for name, time, memory in exponents(table.rows):
        points = [row for row in table.rows if row[0] == name][1:]
        sizes = [row[1] for row in points]
        left.plot(sizes, [row[3] for row in points], marker=".", label=f"{name} ({time:.2f})")
        right.plot(sizes, [row[4] for row in points], marker=".", label=f"{name} ({memory:.2f})")
    for axes, label in ((left, "processor seconds"), (right, "peak MB")):
        axes.set(xscale="log", yscale="log", xlabel="MB of text", ylabel=label)
        axes.legend(fontsize=7, title="exponent", title_fontsize=7)
        axes.grid(alpha=0.3)
    figure.tight_layout()
    return figure


def roofline(results: Results, pyplot: Any) -> Any:
    """The kernels by operations or accesses a byte under what the machine can do."""
    table = results.get("roofline")
    if not isinstance(table, Table):
        return None
    shares = [(row[0].strip("`"), *(float(cell.split("%")[0] or 0) for cell in row[5:8])) for row in table.rows]
    figure, axes = pyplot.subplots(figsize=(8, 0.5 + 0.38 * len(shares)))
    for place, (_, *values) in enumerate(reversed(shares)):
        for k, (value, colour) in enumerate(zip(values, ("#2a7f62", "#3b6ea5", "#b58a3c"), strict=True)):
            axes.barh(place + 0.25 - 0.25 * k, value, height=0.24, color=colour,
                      label=("arithmetic", "bandwidth", "random access")[k] if place == 0 else None)  # fmt: skip
    axes.set(yticks=range(len(shares)), yticklabels=[name for name, *_ in reversed(shares)], xlim=(0, 100))
    axes.set_xlabel("per cent of what one core can do, one thread")
    axes.legend(fontsize=8)
    return figure
