"""Does any kernel take much longer than it did? `python -m bench.guard` fails if so.

Each kernel is called with arguments recorded on a text that is the same everywhere, and timed beside plain loops that
are compiled in the same run; what counts is the ratio of the two, which `guard.json` holds. Processor time of the
thread, the best of many, so that other work on the machine and its speed matter little.
"""

import argparse
import json
import math
import sys
import tempfile
from pathlib import Path

import numba
import numpy as np

from .calls import Call, recorded
from .tour import TASKS

EXPECTED = Path(__file__).with_name("guard.json")
TEXT_BYTES = 1_000_000
LIMIT = 1.6  # times the usual ratio
ROUNDS = 25
ATTEMPTS = 4  # of a kernel that seems slow
SHORTEST = 50e-6  # seconds; what takes less cannot be told from the clock's own
LONGEST = 2e-3  # of a call if there is a choice: short calls find quiet moments
FLOATING = ("sgd", "losses", "embedding", "linear")  # modules that are measured against arithmetic on rows


@numba.njit
def _classes(buffer, table):
    """A byte at a time through a table, each step waiting for the one before."""
    state = np.int64(0)
    for byte in buffer:
        state = np.int64(table[(state ^ byte) & 255])
    return state


@numba.njit
def _scatter(places, table):
    """Counts at places all over a table."""
    for place in places:
        table[place] += 1


@numba.njit(fastmath=True)
def _rows(matrix, numbers, x):
    """The inner product with a row, and the row moved by it."""
    for n in numbers:
        row = matrix[n]
        score = np.float32(0)
        for d in range(row.shape[0]):
            score += row[d] * x[d]
        for d in range(row.shape[0]):
            row[d] += np.float32(1e-9) * score * x[d]


def _references() -> dict[str, Call]:
    random = np.random.default_rng(0)
    text = random.integers(0, 256, 100_000).astype(np.uint8)
    places = random.integers(0, 1 << 20, 100_000)
    matrix = random.random((4096, 128), np.float32)
    arguments = {
        "bytes": (_classes, (text, random.permutation(256).astype(np.uint8))),
        "places": (_scatter, (places, np.zeros(1 << 20, np.int32))),
        "rows": (_rows, (matrix, random.integers(0, 4096, 4000), matrix[0])),
    }
    calls = {name: Call(kernel, some) for name, (kernel, some) in arguments.items()}
    for call in calls.values():
        call.again()
    return calls


def ratio(call: Call, references: dict[str, Call], times: int = 1) -> float | None:
    """A kernel's time in times of the plain loops; None if it is too short to be timed."""
    module = call.name.partition(".")[0]
    beside = [references["rows"]] if module in FLOATING else [references["bytes"], references["places"]]
    best = [math.inf] * (1 + len(beside))
    for _ in range(ROUNDS):
        taken = [call.again(times)[0], *(reference.again()[0] for reference in beside)]
        best = [min(pair) for pair in zip(best, taken, strict=True)]
    unit = math.exp(sum(math.log(seconds) for seconds in best[1:]) / len(beside))
    return best[0] / unit if best[0] >= SHORTEST else None


def measured(calls: dict[str, Call], usual: dict[str, float] | None = None, times: int = 1) -> dict[str, float]:
    """The ratios of all kernels that are not too short; the best of a few attempts if `usual` is not given or less."""
    references, found = _references(), {}
    for name, call in sorted(calls.items()):
        for _ in range(ATTEMPTS):
            if (value := ratio(call, references, times)) is None:
                break
            found[name] = min(value, found.get(name, math.inf))
            if usual is not None and not slow({name: found[name]}, usual):
                break
    return found


def calls_of(wanted: dict[str, int] | None = None) -> dict[str, Call]:
    """Calls of kernels while the library works on the text of the guard."""
    from textkit.corpora import builtin

    with tempfile.TemporaryDirectory() as name:
        text = Path(name) / "atlas.txt"
        text.write_text("".join(f"{line}\n" for line in builtin("atlas").lines(TEXT_BYTES, 0)), encoding="utf-8")
        with recorded(wanted, LONGEST) as calls:
            for task in TASKS:
                task(text, Path(name))
    return calls


def slow(found: dict[str, float], usual: dict[str, float]) -> list[str]:
    """The kernels that take more than LIMIT times as long as usual, with how much."""
    factors = {name: value / usual[name] for name, value in found.items() if name in usual}
    return [f"{name} takes {factor:.2f} times as long as usual" for name, factor in factors.items() if factor > LIMIT]


def main() -> None:
    """Measure; write what is usual, or compare with it."""
    parser = argparse.ArgumentParser(prog="python -m bench.guard", description=__doc__)
    parser.add_argument("--write", action="store_true", help="take today's ratios for the usual ones")
    parser.add_argument("--prove", action="store_true", help="call each kernel twice: all of them must be noticed")
    arguments = parser.parse_args()
    if arguments.write:
        calls = calls_of()
        found = {name: [calls[name].number, round(value, 4)] for name, value in measured(calls).items()}
        EXPECTED.write_text(_lines(found), encoding="utf-8")
        return
    expected = json.loads(EXPECTED.read_text(encoding="utf-8"))
    calls = calls_of({name: number for name, (number, _) in expected.items()})
    usual = {name: value for name, (_, value) in expected.items()}
    sys.exit(_prove(calls, usual) if arguments.prove else _check(calls, usual))


def _lines(found: dict[str, list]) -> str:
    return "{\n" + ",\n".join(f" {json.dumps(name)}: {json.dumps(pair)}" for name, pair in found.items()) + "\n}\n"


def _check(calls: dict[str, Call], usual: dict[str, float]) -> str | int:
    """What to exit with: 0, or what is slow."""
    late = slow(measured(calls, usual), usual)
    print(f"{len(calls)} kernels, {len(late)} of them slow; no longer called: {usual.keys() - calls.keys() or 'none'}")
    hint = "If that is meant, or the calls grew, write new ratios: python -m bench.guard --write"
    return "\n".join([*late, hint]) if late else 0


def _prove(calls: dict[str, Call], usual: dict[str, float]) -> str | int:
    """Whether a kernel that takes twice as long is noticed: each is called twice."""
    doubled = measured(calls, usual, times=2)
    missed = [name for name in doubled if not slow({name: doubled[name]}, usual)]
    print(f"{len(doubled) - len(missed)} of {len(doubled)} kernels called twice were noticed")
    return f"not noticed: {', '.join(missed)}" if missed else 0


if __name__ == "__main__":
    main()
