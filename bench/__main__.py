"""`python -m bench [CASE …] --text FILE`: measure textkit beside the programs people use otherwise."""

import argparse
import sys
import tempfile
from pathlib import Path

from . import startup
from .cases import CASES
from .harness import Settings, machine, save


def main() -> None:
    """Parse, run the cases, print Markdown."""
    parser = argparse.ArgumentParser(prog="python -m bench", description=__doc__)
    known = [*CASES, "startup"]
    parser.add_argument("cases", nargs="*", metavar="CASE", help=f"any of {', '.join(known)}; all if none is named")
    parser.add_argument("--text", type=Path, help="the text to measure on; the documentation of Python if not given")
    parser.add_argument("--runs", type=int, default=3, help="counted runs of each program, after one that is not")
    parser.add_argument("--peer-python", default=sys.executable, help="a Python that has the peers installed")
    parser.add_argument("--scratch", type=Path, help="directory for outputs; a temporary one if not given")
    parser.add_argument("--json", type=Path, help="also write all figures here")
    parser.add_argument("--epochs", type=int, default=1, help="of word vectors")
    parser.add_argument("--evaluate", type=Path, nargs="*", default=[], help="analogies or word pairs, for quality")
    arguments = parser.parse_args()
    if unknown := set(arguments.cases) - set(known):
        parser.error(f"no case {', '.join(sorted(unknown))}; there are {', '.join(known)}")
    with tempfile.TemporaryDirectory() as directory:
        scratch = arguments.scratch or Path(directory)
        settings = Settings(
            arguments.text or _bundled(scratch), scratch, arguments.runs, arguments.peer_python, arguments.epochs,
            tuple(arguments.evaluate),
        )  # fmt: skip
        print(f"{machine()}, text of {settings.megabytes:.1f} MB\n")
        outcomes = []
        for name in arguments.cases or known:
            if name == "startup":
                print(startup.measure(settings.text), flush=True)
            elif outcome := CASES[name](settings):
                outcomes.append(outcome)
                print(outcome.table(), flush=True)
        if arguments.json:
            save(outcomes, arguments.json)


def _bundled(scratch: Path) -> Path:
    from textkit.corpora import builtin

    path = scratch / "pydocs.txt"
    path.write_text("".join(f"{line}\n" for line in builtin("pydocs").lines(None, 0)), encoding="utf-8")
    return path


if __name__ == "__main__":
    main()
