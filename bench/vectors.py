"""Word vectors in use: opening them, asking for neighbours, beside gensim and plain NumPy."""

import subprocess
from pathlib import Path

from .harness import TEXTKIT, Contender, Outcome, Settings, has, race, skipped

USES = str(Path(__file__).with_name("uses.py"))
QUERIES = 1000


def _models(settings: Settings) -> dict[str, Path]:
    """The same vectors as a file of textkit, in word2vec's binary format, and as gensim maps them."""
    ours, binary = settings.scratch / "use.w2v", settings.scratch / "use.bin"
    train = ["w2v", "train", str(settings.text), "-o", str(ours), "--epochs", "1", "--min-count", "1"]
    train += ["--tokenizer", "whitespace"]
    export = ["w2v", "export", str(ours), "-o", str(binary), "--format", "binary"]
    for command in (train, export):
        subprocess.run([*TEXTKIT, *command], check=True, capture_output=True)
    found = {"textkit": ours, "binary": binary}
    if has(settings.peer_python, "gensim"):
        found["gensim"] = settings.scratch / "use.kv"
        convert = [settings.peer_python, USES, "convert_gensim", str(binary), str(found["gensim"])]
        subprocess.run(convert, check=True, capture_output=True)
    else:
        skipped("gensim", "pip install gensim")
    return found


def _used(settings: Settings, job: str, what: str, unit: str, amount: float) -> Outcome:
    models = _models(settings)
    ways = [
        ("textkit", "textkit", "memory-mapped file of textkit"),
        ("gensim, mapped", "gensim", "KeyedVectors.load, mmap='r'"),
        ("gensim, word2vec file", "binary", "load_word2vec_format"),
        ("numpy", "binary", "own reader, one matrix product for all queries"),
    ]
    contenders = []
    for name, model, how in ways:
        if model not in models or (name.startswith("gensim") and "gensim" not in models):
            continue
        python = TEXTKIT[0] if name == "textkit" else settings.peer_python
        command = [python, USES, f"{job}_{name.split(',')[0]}", str(models[model]), str(QUERIES)]
        answers = settings.scratch / f"{job}.{name}"
        contenders.append(Contender(name, command, stdout=str(answers), settings=how))
    runs = race(contenders, settings.runs)
    expected = _answers(contenders[0])
    quality = {c.name: f"{_share(expected, _answers(c)):.3f} of textkit's answers" for c in contenders}
    return Outcome(what, unit, amount, runs, quality)


def _answers(contender: Contender) -> list[set[str]]:
    return [set(line.split("\t")) for line in Path(contender.stdout or "").read_text(encoding="utf-8").splitlines()]


def _share(expected: list[set[str]], found: list[set[str]]) -> float:
    pairs = zip(expected, found, strict=True)
    return sum(len(a & b) for a, b in pairs) / sum(map(len, expected))


def vectors_open(settings: Settings) -> Outcome:
    """Open vectors and ask for the neighbours of one word, the whole process."""
    return _used(settings, "open", "open vectors, ask one word", "runs", 1)


def vectors_neighbours(settings: Settings) -> Outcome:
    """The ten nearest words of each of the thousand most frequent words, the whole process."""
    return _used(settings, "neighbours", f"ten nearest words of {QUERIES:,} words", "words", QUERIES)
