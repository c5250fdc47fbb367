"""The texts to measure on: those that come with textkit, or one's own, cut or grown to a size.

`python -m bench.texts FROM SIZE TO` makes such a text. All of it is made by other processes: what this one holds in
memory would be counted as the peak of each program that it starts.
"""

import subprocess
import sys
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

from .harness import TEXTKIT, Settings

USUAL = 20_000_000
WALKERS = 4096
JUMPS = 0.3  # share of steps that go on behind another occurrence of the word
LEAPS = 0.4  # share of steps that go on anywhere
GROWTH = 0.8  # of the vocabulary by the text, as exponent


def bundled(name: str, directory: Path) -> Path:
    """One of the texts that come with textkit as a file."""
    path = directory / f"{name}.txt"
    if not path.exists():
        make = [*TEXTKIT, "corpus", "make", name, "-o", str(path)]
        subprocess.run(make, check=True, capture_output=True)
    return path


def of_case(case: str, settings: Settings, own: bool, size: int | None) -> Settings:
    """The settings with the text that a case wants.

    Args:
        own: whether `settings.text` was given by the user; word vectors are otherwise measured on the atlas, whose
            analogies are known, and classification on the labelled docstrings.
        size: bytes to cut or grow the text to; the documentation is otherwise grown to 20 MB, since 2 MB would
            measure little but the start of the programs.
    """
    if case.startswith("classify"):
        return settings if settings.labelled else _labelled(settings)
    if case.startswith(("w2v", "vectors")) and not own:
        settings = replace(settings, text=bundled("atlas", settings.scratch))
    elif not own:
        size = size or USUAL
    if case.startswith("w2v") and not settings.evaluate and (not own or case == "w2v_quality"):
        settings = replace(settings, evaluate=(_questions(settings.scratch),))
    return replace(settings, text=sized(settings.text, size, settings.scratch)) if size else settings


def _questions(directory: Path) -> Path:
    path = directory / "atlas-questions.txt"
    if not path.exists():
        code = f"from textkit.corpora import atlas; atlas.write_analogies({str(path)!r})"
        subprocess.run([sys.executable, "-c", code], check=True)
    return path


def _labelled(settings: Settings) -> Settings:
    """Nine of ten docstrings for training, the last tenth for testing."""
    train, test = settings.scratch / "labelled.train.txt", settings.scratch / "labelled.test.txt"
    lines = bundled("pydocs-labelled", settings.scratch).read_text(encoding="utf-8").splitlines(keepends=True)
    border = len(lines) * 9 // 10
    train.write_text("".join(lines[:border]), encoding="utf-8")
    test.write_text("".join(lines[border:]), encoding="utf-8")
    return replace(settings, labelled=train, labelled_test=test)


def sized(path: Path, size: int, directory: Path) -> Path:
    """The text's beginning, or the text grown."""
    target = directory / f"{path.stem}.{size}.txt"
    if not target.exists():
        subprocess.run([sys.executable, "-m", "bench.texts", str(path), str(size), str(target)], check=True)
    return target


def write(path: Path, size: int, target: Path) -> None:
    """Write `size` bytes of a text, up to the end of a line, or all of it and then more of its kind."""
    with path.open("rb") as text, target.open("wb") as out:
        while (left := size - out.tell()) > 0 and (piece := text.read(min(left, 1 << 24))):
            out.write(piece)
        if out.tell() == size:
            out.write(text.readline())
            return
        for words in grown(path, size / path.stat().st_size):
            out.write(words)
            if out.tell() >= size:
                out.write(b"\n")
                return


def grown(path: Path, times: float) -> Iterator[bytes]:
    """Text without end out of a text: walks through it that jump from a word to another occurrence of the word.

    Sequences of words repeat and are new about as often as in natural text; of the words that occur once, several
    forms are made, so that the vocabulary grows with a power of the text.
    """
    import numpy as np

    from textkit.text.corpus import encode_corpus
    from textkit.text.reader import Reader
    from textkit.text.tokenizer import Tokenizer

    corpus = encode_corpus(Reader([path]), Tokenizer("whitespace"))
    words = [corpus.vocabulary.word(i).encode() + b" " for i in range(len(corpus.vocabulary))]
    end = len(words)
    ids = np.insert(corpus.ids.astype(np.int64), corpus.offsets[1:], end)
    counts = np.bincount(ids, minlength=end + 1)
    starts, places = np.cumsum(counts) - counts, np.argsort(ids, kind="stable")
    forms = max(1, round(times**GROWTH))
    rare = np.flatnonzero(counts == 1)
    first_form = np.zeros(end + 1, np.int64)
    first_form[rare] = end + 1 + np.arange(len(rare)) * forms
    words += [b"\n", *(words[i][:-1] + b"%d " % k for i in rare.tolist() for k in range(forms))]
    random, at = np.random.default_rng(0), np.arange(WALKERS) * (len(ids) // WALKERS)
    while True:
        steps = np.empty((WALKERS, 1000), np.int64)
        for step in steps.T:
            here = ids[at]
            again = places[starts[here] + (random.random(WALKERS) * counts[here]).astype(np.int64)]
            lot = random.random(WALKERS)
            at = np.where(lot < JUMPS, again, np.where(lot > 1 - LEAPS, random.integers(0, len(ids), WALKERS), at))
            at = (at + 1) % len(ids)
            step[:] = np.where(counts[here] == 1, first_form[here] + random.integers(0, forms, WALKERS), here)
        for walk in steps:
            yield b"".join(map(words.__getitem__, walk.tolist()))


if __name__ == "__main__":
    write(Path(sys.argv[1]), int(sys.argv[2]), Path(sys.argv[3]))
