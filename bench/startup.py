"""What starting costs: imports, cold and warm start of each command on a small text."""

import os
import subprocess
import sys
import tempfile
import time
from pathlib import Path

from .harness import TEXTKIT, Contender, Outcome, Settings, Table, has, race, skipped

WARM = 2
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


def commands(text: Path, labelled: Path, directory: Path) -> list[str]:
    """Commands with their arguments, in an order in which each finds its inputs."""
    t, x, d = text, labelled, directory
    lines = f"""
        --help
        demo
        corpus make atlas --size 1M -o {d}/atlas
        corpus tokenize {t}
        corpus vocab {t}
        corpus stats {t} --no-cache
        corpus split {t} -o {d}/split
        corpus sample {t} -n 100
        corpus dedup {t}
        ngram train {t} -o {d}/m --no-cache
        ngram perplexity {d}/m {t}
        ngram score {d}/m {t}
        ngram generate {d}/m
        ngram next {d}/m the
        ngram list {d}/m the --top 5
        ngram explain {d}/m the
        ngram info {d}/m
        ngram count {t} -o {d}/c --no-cache
        ngram merge {d}/c {d}/c -o {d}/cc
        ngram compare {t} --dev {d}/atlas --orders 2 --smoothing mkn,wb --no-cache
        ngram convert {d}/m -o {d}/m.arpa
        ngram prune {d}/m --threshold 1e-6 -o {d}/p.ngram
        ngram quantize {d}/m -o {d}/q.ngram
        ngram interpolate {d}/m {d}/p.ngram --weights .5,.5 -o {d}/i.ngram
        ngram check {d}/p.ngram
        w2v train {t} -o {d}/w --epochs 1 --no-cache
        w2v phrases {t} -o {d}/joined
        w2v similar {d}/w the
        w2v analogy {d}/w the a an
        w2v odd-one-out {d}/w the a an
        w2v distance {d}/w the a
        w2v sentence {d}/w {t}
        w2v cluster {d}/w --classes 10
        w2v compare {d}/w {d}/w
        w2v export {d}/w -o {d}/w.vec
        w2v info {d}/w
        classify train {x} -o {d}/l
        classify predict {d}/l {x}
        classify test {d}/l {x}
        classify explain {d}/l --label sport
        classify calibrate {d}/l {x} -o {d}/k
        classify info {d}/l
    """
    return [line.strip() for line in lines.strip().splitlines()]


def _name(command: str) -> str:
    """The words that name it."""
    first, *rest = command.split()
    return " ".join([first, *rest[:1]]) if first in ("corpus", "ngram", "w2v", "classify") else first


def startup(settings: Settings) -> Table:
    """Seconds with an empty kernel cache for each command, and with a full one."""
    rows: list[list[str | float | None]] = []
    with tempfile.TemporaryDirectory() as name:
        directory = Path(name)
        text, labelled = directory / "sample.txt", directory / "labelled.txt"
        text.write_bytes(_beginning(settings.text))
        _make_labelled(labelled)
        for command in commands(text, labelled, directory):
            cache = directory / "caches" / str(len(rows))
            cold = _seconds(command, cache)
            warm = min(_seconds(command, cache) for _ in range(WARM))
            rows.append([f"`{_name(command)}`", round(cold, 2), round(warm, 2)])
    note = "Cold is the first run ever on a machine, each with an empty kernel cache; warm the better of two runs."
    return Table("commands on 1 MB of text", ["command", "cold s", "warm s"], rows, note)


def _beginning(path: Path) -> bytes:
    with path.open("rb") as stream:
        return stream.read(1_000_000).rsplit(b"\n", 1)[0] + b"\n"


def _make_labelled(path: Path) -> None:
    from textkit.corpora import builtin

    path.write_text("".join(f"{line}\n" for line in builtin("topics").lines()), encoding="utf-8")


def _seconds(command: str, cache: Path) -> float:
    environment = {**os.environ, "TEXTKIT_CACHE_DIR": str(cache)}
    began = time.perf_counter()
    done = subprocess.run([*TEXTKIT, *command.split()], env=environment, check=False, capture_output=True, text=True)
    if done.returncode:
        raise SystemExit(f"textkit {command} failed: {done.stderr[-500:]}")
    return time.perf_counter() - began
