"""Small classifiers: bytes and accuracy of quantised models, beside `fasttext quantize` at about the same sizes."""

import json
import re
import shutil
import subprocess
import sys
from pathlib import Path

from .harness import TEXTKIT, Settings, Table, skipped

SIZES = (1_000_000, 200_000, 50_000)
DIM, BUCKETS, EPOCHS, RATE, THREADS = 10, 2_000_000, 5, 0.5, 2
CUTOFFS = (100_000, 20_000, 5_000)  # of fastText: features that are left
COLUMNS = ["model", "bytes", "accuracy"]


def classify_size(settings: Settings) -> Table | None:
    """One trained model of each program, made smaller and smaller."""
    if not settings.labelled or not settings.labelled_test:
        print("skipped: classify_size: give --labelled TRAIN TEST", file=sys.stderr)
        return None
    embedding = ["--model", "embedding"]
    rows = [*_textkit(settings, "default", []), *_textkit(settings, "embedding", embedding)]
    rows += _textkit(settings, "hashed", [*embedding, "--buckets", str(BUCKETS), "--end-mark"])
    rows += _fasttext(settings)
    note = (
        f"Accuracy on {settings.labelled_test.name}; fastText: dim {DIM}, bigrams, {BUCKETS:,} buckets, {EPOCHS} "
        f"epochs, rate {RATE}, then quantize -qnorm -retrain -cutoff N. textkit sees the test text without its labels."
    )
    return Table("smaller classifiers", COLUMNS, rows, note)


def _run(*command: object) -> str:
    return subprocess.run([str(part) for part in command], check=True, capture_output=True, text=True).stdout


def _textkit(settings: Settings, name: str, options: list[str]) -> list[list[str | float | None]]:
    whole = settings.scratch / f"{name}.model"
    _run(
        *TEXTKIT, "classify", "train", settings.labelled, "-o", whole, "--tokenizer", "whitespace",
        "--threads", THREADS, *options,
    )  # fmt: skip
    rows: list[list[str | float | None]] = []
    for size in SIZES:
        small = whole.with_suffix(f".{size}")
        told = json.loads(
            _run(*TEXTKIT, "classify", "quantize", whole, "-o", small, "--size", size, "--test", settings.labelled_test,
                 "--threads", THREADS, "--json")
        )  # fmt: skip
        if not rows:
            rows.append([f"textkit, {name}", f"{whole.stat().st_size:,}", f"{told['accuracy_before']:.4f}"])
        named = f"quantize --size {size:,}: {told['features']:,} features"
        rows.append([named, f"{told['bytes']:,}", f"{told['accuracy']:.4f}"])
    return rows


def _fasttext(settings: Settings) -> list[list[str | float | None]]:
    program = shutil.which("fasttext")
    if not program:
        skipped("fasttext", "install fastText and put it on PATH")
        return []
    base = settings.scratch / "fasttext"
    options = "-dim", DIM, "-bucket", BUCKETS, "-epoch", EPOCHS, "-lr", RATE, "-thread", THREADS
    _run(program, "supervised", "-input", settings.labelled, "-output", base, "-wordNgrams", 2, *options)
    whole = base.with_suffix(".bin")
    rows: list[list[str | float | None]] = [
        ["fastText", f"{whole.stat().st_size:,}", _accuracy(program, whole, settings)]
    ]
    for cutoff in CUTOFFS:
        _run(program, "quantize", "-input", settings.labelled, "-output", base, "-qnorm", "-retrain", "-cutoff", cutoff,
             "-epoch", EPOCHS, "-lr", RATE, "-thread", THREADS)  # fmt: skip
        small = base.with_suffix(".ftz")
        rows.append([f"quantize -cutoff {cutoff:,}", f"{small.stat().st_size:,}", _accuracy(program, small, settings)])
    return rows


def _accuracy(program: str, model: Path, settings: Settings) -> str:
    return re.search(r"P@1\t([\d.]+)", _run(program, "test", model, settings.labelled_test)).group(1)  # type: ignore[union-attr]
