"""Run commands in turn and compare them: whole processes, wall time, processor time, peak memory."""

import importlib.util
import os
import shlex
import statistics
import subprocess
import sys
import time
from dataclasses import dataclass, field
from functools import cache
from pathlib import Path

TEXTKIT = [sys.executable, "-m", "textkit"]
BUDGET = 120.0  # seconds after which a case is content with fewer runs


@dataclass(frozen=True)
class Settings:
    """What to measure with: the text, a directory for outputs, the number of runs, the peers' Python.

    For word vectors also how many epochs, and files of analogies or word pairs to measure their quality on; for
    classification `labelled` and `labelled_test`, files with `__label__x` at the beginning of each line.
    """

    text: Path
    scratch: Path
    runs: int
    peer_python: str
    epochs: int = 1
    evaluate: tuple[Path, ...] = ()
    labelled: Path | None = None
    labelled_test: Path | None = None

    @property
    def megabytes(self) -> float:
        return self.text.stat().st_size / 1e6


@cache
def has(python: str, module: str) -> bool:
    """Whether a Python can import a module."""
    if python == sys.executable:
        return importlib.util.find_spec(module) is not None
    return subprocess.run([python, "-c", f"import {module}"], capture_output=True, check=False).returncode == 0


@cache
def skipped(name: str, how: str) -> None:
    """Say that a peer is missing, and how to get it; once."""
    print(f"skipped: {name} is not installed; get it with: {how}", file=sys.stderr)


@dataclass(frozen=True)
class Contender:
    """One way to do a job: a shell-free command, its input and output files if it uses the standard ones.

    `settings` says what was chosen where the command itself does not show it; `writes` are files that it makes, which
    are removed before each run.
    """

    name: str
    command: list[str]
    stdin: str | None = None
    stdout: str | None = None
    settings: str = ""
    writes: tuple[Path, ...] = ()

    def shown(self) -> str:
        """The command as one line, of paths only the last part, and the settings that it does not show."""
        line = " ".join(_short(part) for part in self.command)
        return line + (f" ({self.settings})" if self.settings else "")


def _short(part: str) -> str:
    if " " in part:  # a line for the shell
        return " ".join(_short(piece.strip('"')) for piece in part.split())
    return shlex.quote(Path(part).name) if part.startswith(("/", ".")) and "/" in part else part


@dataclass
class Runs:
    """What the runs of one contender took: seconds and bytes."""

    name: str
    command: str = ""
    wall: list[float] = field(default_factory=list)
    cpu: list[float] = field(default_factory=list)
    memory: list[int] = field(default_factory=list)

    @property
    def seconds(self) -> float:
        return statistics.median(self.wall)

    @property
    def megabytes(self) -> float:
        return max(self.memory) / 1e6


def run_once(contender: Contender) -> tuple[float, float, int]:
    """(wall seconds, processor seconds, peak bytes of the largest process)."""
    for path in contender.writes:
        path.unlink(missing_ok=True)
    stdin = Path(contender.stdin).open("rb") if contender.stdin else subprocess.DEVNULL
    stdout = Path(contender.stdout).open("wb") if contender.stdout else subprocess.DEVNULL
    began = time.perf_counter()
    process = subprocess.Popen(contender.command, stdin=stdin, stdout=stdout, stderr=subprocess.PIPE)
    complaint = process.stderr.read() if process.stderr else b""
    _, status, usage = os.wait4(process.pid, 0)
    wall = time.perf_counter() - began
    process.returncode = os.waitstatus_to_exitcode(status)
    for stream in (stdin, stdout, process.stderr):
        if hasattr(stream, "close"):
            stream.close()
    if process.returncode:
        raise SystemExit(f"{contender.name} failed: {complaint.decode(errors='replace')[-500:]}")
    return wall, usage.ru_utime + usage.ru_stime, usage.ru_maxrss * (1 if sys.platform == "darwin" else 1024)


def race(contenders: list[Contender], runs: int, warmup: int = 1) -> list[Runs]:
    """All contenders in turn, again and again, so that a slow minute of the machine hits all alike.

    Fewer runs are counted, but one at least, where they take longer than `BUDGET`.
    """
    began = time.perf_counter()
    results = [Runs(contender.name, contender.shown()) for contender in contenders]
    for number in range(warmup + runs):
        if number > warmup and time.perf_counter() - began > BUDGET:
            break
        for contender, result in zip(contenders, results, strict=True):
            wall, cpu, memory = run_once(contender)
            if number >= warmup:
                result.wall.append(wall)
                result.cpu.append(cpu)
                result.memory.append(memory)
    return results


@dataclass
class Outcome:
    """A finished case: the first contender is textkit."""

    case: str
    unit: str
    amount: float
    runs: list[Runs]
    quality: dict[str, str]

    def table(self) -> str:
        """Markdown: time, rate, memory, and how many times as long as textkit each one takes."""
        ours = self.runs[0].seconds
        lines = [
            f"### {self.case}",
            "",
            f"| program | seconds | spread | {self.unit}/s | processor s | peak MB | time / textkit's | quality |",
            "|---|---|---|---|---|---|---|---|",
        ]
        for run in self.runs:
            spread = f"{min(run.wall):.2f}–{max(run.wall):.2f}"
            rate = self.amount / run.seconds
            lines.append(
                f"| {run.name} | {run.seconds:.2f} | {spread} | {rate:.3g} | {statistics.median(run.cpu):.2f} "
                f"| {run.megabytes:.0f} | {run.seconds / ours:.2f} | {self.quality.get(run.name, '')} |"
            )
        return "\n".join([*lines, ""])

    def commands(self) -> str:
        """Markdown: what was run, a line each."""
        return "\n".join([*(f"- {run.name}: `{run.command}`" for run in self.runs if run.command), ""])


@dataclass
class Table:
    """Figures that compare nothing with a peer."""

    case: str
    columns: list[str]
    rows: list[list[str | float | None]]
    note: str = ""

    def table(self) -> str:
        """Markdown."""
        lines = [f"### {self.case}", "", row(self.columns), row(["---"] * len(self.columns))]
        lines += [row(["" if cell is None else _figure(cell) for cell in cells]) for cells in self.rows]
        return "\n".join([*lines, "", *([self.note, ""] if self.note else [])])


def row(cells: list[str]) -> str:
    """A row of a Markdown table."""
    return f"| {' | '.join(cells)} |"


def _figure(cell: str | float) -> str:
    if isinstance(cell, str):
        return cell
    return f"{cell:.0f}" if abs(cell) >= 100 or cell == int(cell) else f"{cell:.3g}"
