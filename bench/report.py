"""Put results into the documents: `python -m bench.report bench/results/bundled.json …`.

Text between `<!-- bench: NAME KIND -->` and `<!-- bench end -->` in bench/README.md and README.md is written anew, NAME
being the name of a file of results; KIND is `tables`, `summary`, `plots`, `machine` or a case. Pictures go to
bench/plots.
"""

import json
import re
import sys
from pathlib import Path

from . import results
from .harness import Outcome, row
from .plots import Results, draw, races

ROOT = Path(__file__).parents[1]
DOCUMENTS = (ROOT / "bench" / "README.md", ROOT / "bench" / "TABLES.md", ROOT / "README.md")
MARK = re.compile(r"(<!-- bench: (\S+) (\w+) -->\n).*?(<!-- bench end -->)", re.DOTALL)


def tables(found: Results) -> str:
    """Every table, the commands under those that compare."""
    parts = []
    for result in found.values():
        parts.append(result.table())
        if isinstance(result, Outcome):
            parts.append(result.commands())
    return "\n".join(parts)


def summary(found: Results) -> str:
    """A line for each case: textkit's time and memory, and its peers' in times of textkit's, with theirs."""
    lines = [row(["", "textkit", "peak MB", "others: times as long (processor time; MB)", "quality"]), row(["---"] * 5)]
    for race in races(found).values():
        ours, *rest = race.runs
        others = [
            f"{run.name} {run.seconds / ours.seconds:.2g} ({min(run.cpu) / min(ours.cpu):.2g}; {run.megabytes:.0f})"
            for run in rest
            if not run.name.startswith("textkit")
        ]
        good = race.quality.get(ours.name, "")
        theirs = {run.name: race.quality.get(run.name, good) for run in rest if not run.name.startswith("textkit")}
        told = "; ".join([good, *(f"{name}: {value}" for name, value in theirs.items() if value != good)])
        lines.append(row([race.case, f"{ours.seconds:.2f} s", f"{ours.megabytes:.0f}", ", ".join(others), told]))
    return "\n".join([*lines, ""])


def machine(path: Path) -> str:
    """On what it was measured, of the newest result."""
    record = max(json.loads(path.read_text(encoding="utf-8")).values(), key=lambda result: result["date"])
    m, peers = record["machine"], ", ".join(f"{name} {value}" for name, value in record["peers"].items())
    return (
        f"{m['cpu']}, {m['cores']} cores, {m['vectors']}, {m['memory']}, {m['system']}, Python {m['python']}, NumPy "
        f"{m['numpy']}, Numba {m['numba']}; {peers}; {record['date']}.\n"
    )


def plots(found: Results, name: str, document: Path) -> str:
    """The pictures, as a document sees them."""
    written = draw(found, ROOT / "bench" / "plots", name)
    return "".join(f"![{path.stem}]({path.relative_to(document.parent)})\n\n" for path in written)


def filled(text: str, document: Path, files: dict[str, Path]) -> str:
    """A document with its marked parts written anew, as far as the files have their results."""

    def part(match: re.Match) -> str:
        begin, name, kind, end = match.groups()
        if name not in files:
            return match[0]
        found = results.load(files[name])
        if kind == "machine":
            body = machine(files[name])
        elif kind == "plots":
            body = plots(found, name, document)
        elif kind in found:
            body = found[kind].table().partition("\n")[2]
        elif kind in ("tables", "summary"):
            body = {"tables": tables, "summary": summary}[kind](found)
        else:
            return match[0]
        return f"{begin}\n{body.rstrip()}\n\n{end}"

    return MARK.sub(part, text)


def main() -> None:
    """Write the tables and pictures of the files that are named."""
    files = {Path(path).stem: Path(path) for path in sys.argv[1:]}
    if not files:
        sys.exit(__doc__)
    for document in DOCUMENTS:
        document.write_text(filled(document.read_text(encoding="utf-8"), document, files), encoding="utf-8")


if __name__ == "__main__":
    main()
