"""Measure textkit beside the programs people use otherwise; without arguments all of it, on text that comes along."""

import argparse
import sys
import tempfile
from pathlib import Path

from . import harness, results, texts
from .cases import CASES
from .harness import Outcome, Settings


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(prog="python -m bench", description=__doc__)
    parser.add_argument("cases", nargs="*", metavar="CASE", help=f"any of {', '.join(CASES)}; all if none is named")
    parser.add_argument("--corpus", "--text", type=Path, help="the text; what comes with textkit if not given")
    parser.add_argument("--size", help="how much of the text, or to what size to grow it, as 10M")
    parser.add_argument("--labelled", type=Path, nargs=2, metavar=("TRAIN", "TEST"), help="files for classification")
    parser.add_argument("--runs", type=int, default=3, help="counted runs of each program, after one that is not")
    parser.add_argument("--peer-python", default=sys.executable, help="a Python that has the peers installed")
    parser.add_argument("--scratch", type=Path, help="directory for outputs; a temporary one if not given")
    parser.add_argument("--json", type=Path, help="put the figures into this file, beside those of other cases")
    parser.add_argument("--budget", type=float, default=harness.BUDGET, help="seconds after which fewer runs do")
    parser.add_argument("--epochs", type=int, help="of word vectors (1; 3 on the text that comes along)")
    parser.add_argument(
        "--evaluate",
        type=Path,
        nargs="*",
        default=[],
        help="analogies or word pairs, for quality, or directories of them",
    )
    return parser


def main() -> None:
    """Parse, run the cases, print Markdown."""
    parser = _parser()
    arguments = parser.parse_args()
    if unknown := set(arguments.cases) - set(CASES):
        parser.error(f"no case {', '.join(sorted(unknown))}; there are {', '.join(CASES)}")
    harness.BUDGET = arguments.budget
    with tempfile.TemporaryDirectory() as directory:
        scratch = arguments.scratch or Path(directory)
        scratch.mkdir(parents=True, exist_ok=True)
        _run(arguments, scratch)


def _files(paths: list[Path]) -> tuple[Path, ...]:
    """The files, and the .txt and .tsv ones of directories."""
    inside = [[path] if path.is_file() else sorted([*path.glob("*.txt"), *path.glob("*.tsv")]) for path in paths]
    return tuple(path for some in inside for path in some)


def _run(arguments: argparse.Namespace, scratch: Path) -> None:
    from textkit.cli.common import byte_size

    size = byte_size("--size", arguments.size) if arguments.size else None
    train, test = arguments.labelled or (None, None)
    general = Settings(
        arguments.corpus or texts.bundled("pydocs", scratch), scratch, arguments.runs, arguments.peer_python,
        arguments.epochs or (1 if arguments.corpus else 3), _files(arguments.evaluate), train, test,
    )  # fmt: skip
    context = {"machine": results.machine(), "peers": results.peers(arguments.peer_python)}
    print(", ".join(f"{name} {value}" for name, value in (context["machine"] | context["peers"]).items()), "\n")
    for name in arguments.cases or CASES:
        settings = texts.of_case(name, general, bool(arguments.corpus), size)
        if result := CASES[name](settings):
            print(result.table(), flush=True)
            if isinstance(result, Outcome):
                print(result.commands(), flush=True)
            if arguments.json:
                measured_on = settings.labelled if name.startswith("classify") else settings.text
                about = {"text": measured_on.name, "text_megabytes": measured_on.stat().st_size / 1e6}
                results.save(arguments.json, name, result, context | about)


if __name__ == "__main__":
    main()
