"""Time and memory against the size of the text and the number of threads."""

import math
import os
from pathlib import Path

from .harness import TEXTKIT, Contender, Runs, Settings, Table, race
from .texts import bundled, sized

SIZES = (1, 3, 10, 30, 100, 300, 1000)  # MB, up to the size of the text
START = 10_000  # bytes: a text whose time is that of starting
LONG = 20.0  # seconds; a command that takes longer runs once
LARGE = 3  # MB from which on points enter the fit


def commands(settings: Settings, megabytes: float) -> dict[str, list[str]]:
    """The main commands on a text of so many MB, and what they need made before."""
    size = int(megabytes * 1e6)
    t, x = sized(settings.text, size, settings.scratch), sized(_topics(settings), size, settings.scratch)
    model, labels = settings.scratch / "scaling.ngram", settings.scratch / "scaling.classifier"
    if not model.exists():
        some = sized(settings.text, 10_000_000, settings.scratch)
        settings_of_model = ["--order", "3", "--tokenizer", "whitespace", "--no-cache", "-o", str(model)]
        race([Contender("model", [*TEXTKIT, "ngram", "train", str(some), *settings_of_model])], 1, 0)
    out = str(settings.scratch / "scaling.out")
    return {
        "corpus vocab": ["corpus", "vocab", str(t), "-o", out],
        "ngram train --order 3": ["ngram", "train", str(t), "--order", "3", "--no-cache", "-o", out],
        "ngram perplexity": ["ngram", "perplexity", str(model), str(t)],
        "w2v train --epochs 1": ["w2v", "train", str(t), "--epochs", "1", "--no-cache", "-o", out],
        "classify train --model embedding": ["classify", "train", str(x), "--model", "embedding", "--epochs", "5",
                                             "--no-validation", "-o", str(labels)],
    }  # fmt: skip


def _topics(settings: Settings) -> Path:
    """Labelled text of any size."""
    return settings.labelled or bundled("topics", settings.scratch)


def sizes_of(settings: Settings) -> list[float]:
    """The sizes that the text can be cut to, in MB."""
    return [size for size in SIZES if size <= settings.megabytes * 1.02]


def scaling(settings: Settings) -> Table:
    """Seconds and peak memory of the main commands for texts of 1 MB, 3 MB, 10 MB and so on."""
    rows: list[list[str | float | None]] = []
    for megabytes in [START / 1e6, *sizes_of(settings)]:
        for name, arguments in commands(settings, megabytes).items():
            run = _run(name, [*TEXTKIT, *arguments], settings)
            rows.append([name, megabytes, round(run.seconds, 3), round(min(run.cpu), 3), round(run.megabytes, 1)])
    fits = [f"`{name}` {time:.2f} and {memory:.2f}" for name, time, memory in exponents(rows)]
    note = (
        f"Exponents of processor time and of memory, what {START // 1000} KB take being taken away, fitted to texts "
        f"from {LARGE} MB on: {', '.join(fits)}."
    )
    return Table("size of the text", ["command", "MB", "seconds", "processor s", "peak MB"], rows, note)


def _run(name: str, command: list[str], settings: Settings) -> Runs:
    first = race([Contender(name, command)], 1, 0)[0]
    if first.seconds > LONG:
        return first
    return race([Contender(name, command)], settings.runs, 0)[0]


def exponents(rows: list[list]) -> list[tuple[str, float, float]]:
    """By command the exponents with which processor time and memory grow, nan where there are too few points."""
    found = []
    for name in dict.fromkeys(row[0] for row in rows):
        (*_, start, least), *points = (row for row in rows if row[0] == name)
        time = exponent([(size, cpu - start) for _, size, _, cpu, _ in points if size >= LARGE])
        memory = exponent([(size, peak - least) for _, size, _, _, peak in points if size >= LARGE])
        found.append((name, time, memory))
    return found


def exponent(points: list[tuple[float, float]]) -> float:
    """The slope of the line of least squares through the logarithms; nan for fewer than two points."""
    logs = [(math.log(x), math.log(y)) for x, y in points if y > 0]
    if len(logs) < 2:
        return math.nan
    middle = sum(x for x, _ in logs) / len(logs)
    return sum((x - middle) * y for x, y in logs) / sum((x - middle) ** 2 for x, _ in logs)


def threads(settings: Settings) -> Table:
    """Seconds of the main commands with 1, 2, 4 … threads."""
    cores = os.cpu_count() or 1
    counts = sorted({cores, *(2**i for i in range(cores.bit_length()))})
    rows: list[list[str | float | None]] = []
    for name, arguments in commands(settings, max(sizes_of(settings))).items():
        ways = [Contender(str(n), [*TEXTKIT, *arguments, "--threads", str(n)]) for n in counts]
        runs = race(ways, settings.runs)
        rows += [[name, n, round(r.seconds, 3), round(runs[0].seconds / r.seconds, 2)]
                 for n, r in zip(counts, runs, strict=True)]  # fmt: skip
    return Table("threads", ["command", "threads", "seconds", "times as fast as one"], rows)
