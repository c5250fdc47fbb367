"""What starting costs: imports, cold and warm start of each command on a small text."""

import os
import statistics
import subprocess
import sys
import tempfile
import time
from pathlib import Path

from .harness import TEXTKIT, Contender, Outcome, Settings, Table, has, race, skipped

WARM = 3
IMPORTS = {"numpy": "numpy", "gensim": "gensim.models", "scikit-learn": "sklearn.feature_extraction.text",
           "nltk": "nltk", "tokenizers": "tokenizers"}  # fmt: skip


def imports(settings: Settings) -> Outcome:
    """`textkit --help`, and what only importing a library costs."""
    contenders = [
        Contender("textkit --help", [*TEXTKIT, "--help"]),
        Contender("textkit ngram --help", [*TEXTKIT, "ngram", "--help"]),
        Contender("python", [sys.executable, "-c", ""]),
        Contender("import textkit", [sys.executable, "-c", "import textkit"]),
        Contender("import textkit.ngram.model", [sys.executable, "-c", "import textkit.ngram.model"]),
    ]
    for package, module in IMPORTS.items():
        if has(settings.peer_python, module.partition(".")[0]):
            contenders.append(Contender(f"import {package}", [settings.peer_python, "-c", f"import {module}"]))
        else:
            skipped(package, f"pip install {package}")
    return Outcome("start and imports", "starts", 1, race(contenders, max(5, settings.runs)), {})


def commands(text: Path, labelled: Path, directory: Path) -> dict[str, list[str]]:
    """Every command that does work on a text, in an order in which each finds its inputs."""
    t, x = str(text), str(labelled)
    model, small, counts, words = (str(directory / f"s.{kind}") for kind in ("ngram", "small.ngram", "counts", "w2v"))
    classifier = str(directory / "s.classifier")
    found = {
        "--help": ["--help"],
        "corpus tokenize": ["corpus", "tokenize", t],
        "corpus vocab": ["corpus", "vocab", t],
        "corpus stats": ["corpus", "stats", t, "--no-cache"],
        "corpus split": ["corpus", "split", t, "-o", str(directory / "split")],
        "corpus sample": ["corpus", "sample", t, "-n", "100"],
        "corpus dedup": ["corpus", "dedup", t],
        "ngram train": ["ngram", "train", t, "-o", model, "--no-cache"],
        "ngram perplexity": ["ngram", "perplexity", model, t],
        "ngram score": ["ngram", "score", model, t],
        "ngram generate": ["ngram", "generate", model],
        "ngram next": ["ngram", "next", model, "the"],
        "ngram list": ["ngram", "list", model, "the", "--top", "5"],
        "ngram explain": ["ngram", "explain", model, "the cat"],
        "ngram info": ["ngram", "info", model],
        "ngram count": ["ngram", "count", t, "-o", counts, "--no-cache"],
        "ngram merge": ["ngram", "merge", counts, counts, "-o", str(directory / "sum.counts")],
        "ngram prune": ["ngram", "prune", model, "--threshold", "1e-6", "-o", small],
        "ngram quantize": ["ngram", "quantize", model, "-o", str(directory / "q.ngram")],
        "ngram interpolate": ["ngram", "interpolate", model, small, "--weights", ".5,.5",
                              "-o", str(directory / "m.ngram")],
        "ngram check": ["ngram", "check", small],
        "w2v train": ["w2v", "train", t, "-o", words, "--epochs", "1", "--no-cache"],
        "w2v similar": ["w2v", "similar", words, "the"],
        "w2v info": ["w2v", "info", words],
    }  # fmt: skip
    if (Path(__file__).parents[1] / "textkit" / "classify").is_dir():
        found["classify train"] = ["classify", "train", x, "-o", classifier]
        found["classify predict"] = ["classify", "predict", classifier, x]
        found["classify test"] = ["classify", "test", classifier, x]
    return found


def startup(settings: Settings) -> Table:
    """Seconds with an empty kernel cache for each command, and with a full one."""
    rows: list[list[str | float | None]] = []
    with tempfile.TemporaryDirectory() as name:
        directory = Path(name)
        text, labelled = directory / "sample.txt", directory / "labelled.txt"
        text.write_bytes(_beginning(settings.text))
        _make_labelled(labelled)
        for command, arguments in commands(text, labelled, directory).items():
            cache = directory / "caches" / command.replace(" ", "-")
            cold = _seconds(arguments, cache)
            warm = statistics.median(_seconds(arguments, cache) for _ in range(WARM))
            rows.append([f"`{command}`", round(cold, 3), round(warm, 3)])
    note = "Cold is the first run ever on a machine, each with an empty kernel cache; warm the median of three."
    return Table("commands on 1 MB of text", ["command", "cold s", "warm s"], rows, note)


def _beginning(path: Path) -> bytes:
    with path.open("rb") as stream:
        return stream.read(1_000_000).rsplit(b"\n", 1)[0] + b"\n"


def _make_labelled(path: Path) -> None:
    from textkit.corpora import builtin

    path.write_text("".join(f"{line}\n" for line in builtin("topics").lines()), encoding="utf-8")


def _seconds(arguments: list[str], cache: Path) -> float:
    environment = {**os.environ, "TEXTKIT_CACHE_DIR": str(cache)}
    began = time.perf_counter()
    done = subprocess.run([*TEXTKIT, *arguments], env=environment, check=False, capture_output=True, text=True)
    if done.returncode:
        raise SystemExit(f"textkit {' '.join(arguments)} failed: {done.stderr[-500:]}")
    return time.perf_counter() - began
