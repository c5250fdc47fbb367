"""Models written as the ending of a file's name says, and what their reports tell of changes."""

from pathlib import Path
from typing import Any

from ..errors import UsageError
from .model import NGramModel

COMPRESSED = (".gz", ".bz2", ".xz", ".zst", ".zstd")


def is_arpa_name(path: str | Path) -> bool:
    """Whether a file of this name is to be ARPA (True) or textkit's own (False).

    Raises:
        UsageError: the name ends in neither way.
    """
    name = Path(path).name.lower()
    for ending in COMPRESSED:
        if name.endswith(f".arpa{ending}"):
            return True
    if not name.endswith((".arpa", ".ngram")):
        raise UsageError(
            f"--output {path} does not say what to write.",
            "End it in .ngram for a textkit model, or in .arpa, .arpa.gz, .arpa.xz, … for an ARPA file.",
        )
    return name.endswith(".arpa")


def save_as(model: NGramModel, path: str | Path, threads: int | None = None) -> None:
    """Write a model as the ending says: .ngram, or .arpa with .gz, .bz2, .xz or .zst behind it if wanted."""
    if is_arpa_name(path):
        model.write_arpa(path, threads)
    else:
        model.save(path)


def changed(report: dict[str, Any], change: str) -> dict[str, Any]:
    """The report, and with it the signature, of a model to which something was done."""
    return {**report, "smoothing": f"{report.get('smoothing', 'arpa')}+{change}"}
