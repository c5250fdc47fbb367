"""Text classification beside fastText with equal settings: training, one long pass, predicting, many labels."""

import itertools
import json
import re
import shutil
import subprocess
import zlib
from collections.abc import Callable, Iterator
from pathlib import Path

from .harness import TEXTKIT, Contender, Outcome, Settings, race, skipped

DIM, BUCKETS, EPOCHS, RATE, THREADS = 10, 10_000_000, 5, 1.0, 2
TIMES = 10  # the text for one pass, and the documents to predict, so many times over
LABELS, PIECE, SEEN = 100_000, 20, 2_000  # many labels: pieces of so many words; the first ones are asked for


def classify_train(settings: Settings) -> Outcome | None:
    """Bigrams in ten million buckets, five epochs."""
    return _trained("train a classifier", settings, settings.labelled, EPOCHS)


def classify_once(settings: Settings) -> Outcome | None:
    """The same on ten times the text, one epoch."""
    if not settings.labelled:
        return None
    text = settings.scratch / "times.txt"
    _repeat(settings.labelled, text, lambda line: line)
    return _trained(f"train on {TIMES} times the text", settings, text, 1)


def classify_labels(settings: Settings) -> Outcome | None:
    """Hierarchical softmax over a hundred thousand labels."""
    if not settings.labelled:
        return None
    text, test = settings.scratch / "labels.txt", settings.scratch / "seen.txt"
    text.write_text("".join(_pieces(settings.labelled)), encoding="utf-8")
    test.write_text("".join(itertools.islice(_pieces(settings.labelled), SEEN)), encoding="utf-8")
    return _trained(f"train with {LABELS:,} labels, hierarchical softmax", settings, text, 1, "hs", test)


def classify_predict(settings: Settings) -> Outcome | None:
    """Labels and probabilities of many documents, by the models of `classify_train`, and textkit's by default."""
    program = _program()
    if not settings.labelled or not settings.labelled_test or not program:
        return None
    text = settings.scratch / "predict.txt"
    _repeat(settings.labelled_test, text, lambda line: line.partition(" ")[2])
    ours, usual, theirs = (settings.scratch / name for name in ("train.model", "usual.model", "train.bin"))
    for command in (
        _ours(settings.labelled, ours, EPOCHS),
        [*TEXTKIT, "classify", "train", str(settings.labelled), "-o", str(usual)],
        _theirs(program, settings.labelled, theirs, EPOCHS),
    ):
        subprocess.run(command, check=True, capture_output=True)
    ways = {
        "textkit, equal model": [*TEXTKIT, "classify", "predict", str(ours), str(text)],
        "textkit, model by default": [*TEXTKIT, "classify", "predict", str(usual), str(text)],
        "fasttext predict-prob": [program, "predict-prob", str(theirs), str(text)],
    }
    out = str(settings.scratch / "predicted")
    runs = race([Contender(name, command, stdout=out) for name, command in ways.items()], settings.runs)
    return Outcome(f"predict {TIMES} times the test", "MB", text.stat().st_size / 1e6, runs, {})


def _trained(
    case: str, settings: Settings, text: Path | None, epochs: int, loss: str = "softmax", test: Path | None = None
) -> Outcome | None:
    program, test = _program(), test or settings.labelled_test
    if not text or not test or not program:
        return None
    ours, theirs = settings.scratch / "raced.model", settings.scratch / "raced.bin"
    runs = race([
        Contender("textkit classify train", _ours(text, ours, epochs, loss)),
        Contender("fasttext supervised", _theirs(program, text, theirs, epochs, loss)),
    ], settings.runs)  # fmt: skip
    quality = {
        "textkit classify train": f"accuracy {_accuracy(ours, test):.4f}",
        "fasttext supervised": f"P@1 {_precision(program, theirs, test)}",
    }
    return Outcome(f"{case}, {epochs} epochs", "MB", text.stat().st_size * epochs / 1e6, runs, quality)


def _program() -> str | None:
    program = shutil.which("fasttext")
    if not program:
        skipped("fasttext", "install fastText and put it on PATH")
    return program


def _ours(text: Path, model: Path, epochs: int, loss: str = "softmax") -> list[str]:
    return [
        *TEXTKIT, "classify", "train", str(text), "-o", str(model), "--tokenizer", "whitespace", "--model", "embedding",
        "--dim", str(DIM), "--word-ngrams", "2", "--buckets", str(BUCKETS), "--epochs", str(epochs), "--rate",
        str(RATE), "--loss", loss, "--no-validation", "--threads", str(THREADS),
    ]  # fmt: skip


def _theirs(program: str, text: Path, model: Path, epochs: int, loss: str = "softmax") -> list[str]:
    return [
        program, "supervised", "-input", str(text), "-output", str(model.with_suffix("")), "-dim", str(DIM),
        "-wordNgrams", "2", "-bucket", str(BUCKETS), "-epoch", str(epochs), "-lr", str(RATE), "-loss", loss, "-thread",
        str(THREADS), "-verbose", "0",
    ]  # fmt: skip


def _repeat(source: Path, target: Path, change: Callable[[str], str]) -> None:
    with source.open(encoding="utf-8") as lines:
        text = "".join(change(line) for line in lines)
    with target.open("w", encoding="utf-8") as out:
        for _ in range(TIMES):
            out.write(text)


def _pieces(source: Path) -> Iterator[str]:
    """Pieces of the text, each labelled by its first two words: one of many labels."""
    with source.open(encoding="utf-8") as lines:
        for line in lines:
            words = line.split()[1:]
            for i in range(0, len(words) - PIECE, PIECE):
                number = zlib.crc32(" ".join(words[i : i + 2]).encode()) % LABELS
                yield f"__label__{number} {' '.join(words[i : i + PIECE])}\n"


def _accuracy(model: Path, test: Path) -> float:
    """The share of documents whose best label is the one that the file gives."""
    done = subprocess.run(
        [*TEXTKIT, "classify", "test", str(model), str(test), "--json"], check=True, capture_output=True, text=True
    )
    return float(json.loads(done.stdout)["accuracy"]["value"])


def _precision(program: str, model: Path, test: Path) -> str:
    done = subprocess.run([program, "test", str(model), str(test)], check=True, capture_output=True, text=True)
    return re.search(r"P@1\t([\d.]+)", done.stdout).group(1)  # type: ignore[union-attr]
