"""The comparisons, each a function of the settings that returns an Outcome, or None where no peer is installed."""

import importlib.util
import os
import re
import shutil
import subprocess
import sys
from dataclasses import dataclass
from pathlib import Path

from .harness import Contender, Outcome, race

TEXTKIT = [sys.executable, "-m", "textkit"]
PEERS = str(Path(__file__).with_name("peers.py"))


@dataclass(frozen=True)
class Settings:
    """What to measure with: the text, a directory for outputs, the number of runs, the peers' Python."""

    text: Path
    scratch: Path
    runs: int
    peer_python: str

    @property
    def megabytes(self) -> float:
        return self.text.stat().st_size / 1e6


def _has(python: str, module: str) -> bool:
    if python == sys.executable:
        return importlib.util.find_spec(module) is not None
    return subprocess.run([python, "-c", f"import {module}"], capture_output=True, check=False).returncode == 0


def _skipped(name: str, how: str) -> None:
    print(f"skipped: {name} is not installed; get it with: {how}", file=sys.stderr)


def _count(settings: Settings, tokenizer: str, peers: list[str]) -> Outcome:
    ours = [
        Contender(
            f"textkit {tokenizer}, {threads} thread{'s' * (threads > 1)}",
            [*TEXTKIT, "corpus", "vocab", str(settings.text), "--tokenizer", tokenizer, "--threads", str(threads)],
            stdout=str(settings.scratch / f"{tokenizer}{threads}.tsv"),
        )
        for threads in sorted({1, os.cpu_count() or 1}, reverse=True)
    ]
    others = []
    for peer in peers:
        module = {"split": "collections"}.get(peer, peer)
        if _has(settings.peer_python, module):
            command = [settings.peer_python, PEERS, peer, str(settings.text)]
            others.append(Contender(peer, command, stdout=str(settings.scratch / f"{peer}.tsv")))
        else:
            _skipped(peer, f"pip install {module}")
    runs = race([*ours, *others], settings.runs)
    types = {c.name: f"{_lines(c.stdout):,} types" for c in [*ours, *others] if c.stdout}
    return Outcome(f"count words, {tokenizer}", "MB", settings.megabytes, runs, types)


def _lines(path: str) -> int:
    with open(path, "rb") as stream:
        return sum(1 for _ in stream)


def count_whitespace(settings: Settings) -> Outcome:
    """Text to word counts, split at white space."""
    return _count(settings, "whitespace", ["split"])


def count_word(settings: Settings) -> Outcome:
    """Text to word counts, words and punctuation."""
    return _count(settings, "word", ["regex", "tokenizers"])


def _text_to_arpa(settings: Settings, order: int) -> Outcome | None:
    lmplz = shutil.which("lmplz")
    if not lmplz:
        _skipped("lmplz", "build KenLM from its repository and put its bin directory on PATH")
        return None
    ours, theirs = settings.scratch / f"ours{order}.arpa", settings.scratch / f"lmplz{order}.arpa"
    train = [*TEXTKIT, "ngram", "train", str(settings.text), "--order", str(order), "--tokenizer", "whitespace"]
    contenders = [
        Contender("textkit ngram train", [*train, "--no-cache", "--arpa", str(ours)]),
        Contender("lmplz", [lmplz, "-o", str(order), "--discount_fallback", "--arpa", str(theirs)], str(settings.text)),
    ]
    runs = race(contenders, settings.runs)
    quality = {name: _sizes(path) for name, path in (("textkit ngram train", ours), ("lmplz", theirs))}
    return Outcome(f"text to ARPA, order {order}", "MB", settings.megabytes, runs, quality)


def _sizes(path: Path) -> str:
    with path.open("rb") as stream:
        head = stream.read(4096).decode("utf-8", "replace")
    return " ".join(re.findall(r"^ngram \d+=(\d+)$", head, re.MULTILINE)) + " n-grams"


def arpa_3(settings: Settings) -> Outcome | None:
    """Text to ARPA file, order 3."""
    return _text_to_arpa(settings, 3)


def arpa_5(settings: Settings) -> Outcome | None:
    """Text to ARPA file, order 5."""
    return _text_to_arpa(settings, 5)


def ready_3(settings: Settings) -> Outcome | None:
    """Text to a model that can be queried at once, order 3."""
    lmplz, build = shutil.which("lmplz"), shutil.which("build_binary")
    if not lmplz or not build:
        _skipped("lmplz and build_binary", "build KenLM from its repository and put its bin directory on PATH")
        return None
    model, binary, arpa = (settings.scratch / name for name in ("ours.ngram", "kenlm.bin", "kenlm.arpa"))
    train = [*TEXTKIT, "ngram", "train", str(settings.text), "--tokenizer", "whitespace", "--no-cache"]
    script = f'"{lmplz}" -o 3 --discount_fallback < "$0" > "$1" && "{build}" probing "$1" "$2"'
    contenders = [
        Contender("textkit ngram train", [*train, "-o", str(model)]),
        Contender("lmplz, build_binary probing", ["sh", "-c", script, str(settings.text), str(arpa), str(binary)]),
    ]
    runs = race(contenders, settings.runs)
    quality = {c.name: f"{p.stat().st_size / 1e6:.0f} MB" for c, p in zip(contenders, (model, binary), strict=True)}
    return Outcome("text to model, order 3", "MB", settings.megabytes, runs, quality)


def query_3(settings: Settings) -> Outcome | None:
    """Score the whole text with an order 3 model (of `ready_3`)."""
    query, binary, model = shutil.which("query"), settings.scratch / "kenlm.bin", settings.scratch / "ours.ngram"
    if not query or not binary.exists() or not model.exists():
        _skipped("query", "build KenLM and run the case ready_3 first")
        return None
    contenders = [
        Contender("textkit ngram perplexity", [*TEXTKIT, "ngram", "perplexity", str(model), str(settings.text)],
                  stdout=str(settings.scratch / "ours.ppl")),
        Contender("query, probing", [query, "-v", "summary", str(binary)], str(settings.text),
                  str(settings.scratch / "kenlm.ppl")),
    ]  # fmt: skip
    runs = race(contenders, settings.runs)
    quality = {}
    for contender, name in zip(contenders, ("ours.ppl", "kenlm.ppl"), strict=True):
        figures = re.findall(r"(?:perplexity|including OOVs:)\t([\d.]+)", (settings.scratch / name).read_text())
        quality[contender.name] = f"perplexity {float(figures[0]):.4f}"
    return Outcome("score text, order 3", "MB", settings.megabytes, runs, quality)


CASES = {f.__name__: f for f in (count_whitespace, count_word, arpa_3, arpa_5, ready_3, query_3)}
