"""N-gram models beside KenLM's programs, which are looked for on PATH."""

import re
import shutil
import subprocess
from pathlib import Path

from .harness import TEXTKIT, Contender, Outcome, Settings, race, skipped

PEERS = str(Path(__file__).with_name("peers.py"))
_PROGRAMS = ("lmplz", "build_binary", "query")


def _kenlm() -> bool:
    if missing := [name for name in _PROGRAMS if not shutil.which(name)]:
        skipped(", ".join(missing), "build KenLM from its repository and put its bin directory on PATH")
    return not missing


def _train(settings: Settings, order: int) -> list[str]:
    return [*TEXTKIT, "ngram", "train", str(settings.text), "--order", str(order), "--tokenizer", "whitespace",
            "--no-cache"]  # fmt: skip


def _lmplz(settings: Settings, order: int) -> str:
    return f'lmplz -o {order} --discount_fallback < "{settings.text}" > "{_file(settings, order, "lmplz.arpa")}"'


def _file(settings: Settings, order: int, name: str) -> Path:
    return settings.scratch / f"o{order}.{name}"


def _text_to_arpa(settings: Settings, order: int) -> Outcome | None:
    if not _kenlm():
        return None
    ours, theirs = _file(settings, order, "textkit.arpa"), _file(settings, order, "lmplz.arpa")
    contenders = [
        Contender("textkit ngram train --arpa", [*_train(settings, order), "--arpa", str(ours)], writes=(ours,)),
        Contender("lmplz", ["sh", "-c", _lmplz(settings, order)], writes=(theirs,)),
    ]
    runs = race(contenders, settings.runs)
    quality = {c.name: _sizes(path) for c, path in zip(contenders, (ours, theirs), strict=True)}
    return Outcome(f"text to ARPA, order {order}", "MB", settings.megabytes, runs, quality)


def _sizes(path: Path) -> str:
    with path.open("rb") as stream:
        head = stream.read(4096).decode("utf-8", "replace")
    return " ".join(re.findall(r"^ngram \d+=(\d+)$", head, re.MULTILINE)) + " n-grams"


def _text_to_model(settings: Settings, order: int) -> Outcome | None:
    """The files are left for the cases that use models."""
    if not _kenlm():
        return None
    ours, probing, trie = (_file(settings, order, name) for name in ("ngram", "probing", "trie"))
    arpa = _file(settings, order, "lmplz.arpa")
    contenders = [
        Contender("textkit ngram train", [*_train(settings, order), "-o", str(ours)], writes=(ours,)),
        Contender(
            "lmplz, build_binary probing",
            ["sh", "-c", f'{_lmplz(settings, order)} && build_binary probing "{arpa}" "{probing}"'],
            writes=(arpa, probing),
        ),
    ]
    runs = race(contenders, settings.runs)
    subprocess.run(["build_binary", "trie", str(arpa), str(trie)], check=True, capture_output=True)
    size = {path: f"{path.stat().st_size / 1e6:.1f} MB" for path in (ours, probing, trie)}
    quality = {contenders[0].name: size[ours], contenders[1].name: f"{size[probing]} (as a trie {size[trie]})"}
    return Outcome(f"text to model, order {order}", "MB", settings.megabytes, runs, quality)


def arpa_3(settings: Settings) -> Outcome | None:
    """Text to ARPA file, order 3."""
    return _text_to_arpa(settings, 3)


def arpa_5(settings: Settings) -> Outcome | None:
    """Text to ARPA file, order 5."""
    return _text_to_arpa(settings, 5)


def ready_3(settings: Settings) -> Outcome | None:
    """Text to a model that can be queried at once, order 3."""
    return _text_to_model(settings, 3)


def ready_5(settings: Settings) -> Outcome | None:
    """Text to a model that can be queried at once, order 5."""
    return _text_to_model(settings, 5)


def _question(settings: Settings, text: Path, name: str) -> Outcome | None:
    models = {kind: _file(settings, 3, kind) for kind in ("ngram", "probing", "trie")}
    if not _kenlm() or not all(path.exists() for path in models.values()):
        print("skipped: run the case ready_3 first, in the same --scratch directory")
        return None
    outputs = {kind: settings.scratch / f"{kind}.perplexity" for kind in models}
    ours = [*TEXTKIT, "ngram", "perplexity", str(models["ngram"]), str(text)]
    contenders = [Contender("textkit ngram perplexity", ours, stdout=str(outputs["ngram"]))] + [
        Contender(f"query, {kind}", ["query", "-v", "summary", str(models[kind])], str(text), str(outputs[kind]))
        for kind in ("probing", "trie")
    ]
    runs = race(contenders, settings.runs)
    quality = {}
    for contender, path in zip(contenders, outputs.values(), strict=True):
        figures = re.findall(r"(?:perplexity|including OOVs:)\t([\d.]+)", path.read_text())
        quality[contender.name] = f"perplexity {float(figures[0]):.4f}"
    return Outcome(name, "MB", text.stat().st_size / 1e6, runs, quality)


def score_3(settings: Settings) -> Outcome | None:
    """Score the whole text with the order 3 models of `ready_3`."""
    return _question(settings, settings.text, "score text, order 3")


def _each(settings: Settings, option: str, level: str, name: str) -> Outcome | None:
    """Scores of each line or word of the text, written out."""
    ours, probing = _file(settings, 3, "ngram"), _file(settings, 3, "probing")
    if not _kenlm() or not (ours.exists() and probing.exists()):
        print("skipped: run the case ready_3 first, in the same --scratch directory")
        return None
    text, out = str(settings.text), str(settings.scratch / "scored")
    command = [*TEXTKIT, "ngram", "score", str(ours), text, *option.split()]
    contenders = [
        Contender("textkit ngram score", command, stdout=out),
        Contender(f"query -v {level}, probing", ["query", "-v", level, str(probing)], text, out),
    ]
    if subprocess.run([settings.peer_python, "-c", "import kenlm"], capture_output=True, check=False).returncode:
        skipped("kenlm", "pip install kenlm")
    else:
        peer = [settings.peer_python, PEERS, f"kenlm_{level}", text, str(probing)]
        contenders.append(Contender("kenlm in Python", peer, stdout=out))
    return Outcome(name, "MB", settings.megabytes, race(contenders, settings.runs), {})


def lines_3(settings: Settings) -> Outcome | None:
    """Write the score of each line, with the order 3 models of `ready_3`."""
    return _each(settings, "", "sentence", "scores of lines, order 3")


def words_3(settings: Settings) -> Outcome | None:
    """Write the score of each word, with the order 3 models of `ready_3`."""
    return _each(settings, "--per-word", "word", "scores of words, order 3")


def open_3(settings: Settings) -> Outcome | None:
    """Open the order 3 models of `ready_3` and score one line."""
    line = settings.scratch / "line.txt"
    with settings.text.open("rb") as text:
        line.write_bytes(text.readline())
    return _question(settings, line, "open a model and score a line, order 3")
