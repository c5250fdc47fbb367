"""Word vectors: text in, vectors saved, beside word2vec, gensim and fastText with equal settings."""

import json
import shutil
import subprocess
import sys
from dataclasses import dataclass
from pathlib import Path

from .harness import TEXTKIT, Contender, Outcome, Settings, has, race, skipped

PEERS = str(Path(__file__).with_name("peers.py"))
WINDOW, SAMPLE, THREADS = 5, 1e-4, 2


@dataclass(frozen=True)
class Shape:
    """What all programs are told to train."""

    model: str = "skipgram"
    hierarchical: bool = False
    dim: int = 100
    negatives: int = 5
    min_count: int = 5

    def __str__(self) -> str:
        parts = ["skip-gram" if self.model == "skipgram" else "CBOW"]
        parts += ["hierarchical softmax" if self.hierarchical else "negative sampling"]
        usual = {"dim": "dimension {}", "negatives": "{} negatives", "min_count": "words that occur {} times or more"}
        parts += [text.format(getattr(self, n)) for n, text in usual.items() if getattr(self, n) != getattr(Shape, n)]
        return ", ".join(parts)


def textkit(settings: Settings, target: Path, shape: Shape, *more: str) -> Contender:
    """Training with the settings that all have in common, and more options."""
    command = [
        *TEXTKIT, "w2v", "train", str(settings.text), "--output", str(target), "--tokenizer", "whitespace",
        "--no-cache", "--epochs", str(settings.epochs), "--threads", str(THREADS), "--model", shape.model,
        "--min-count", str(shape.min_count), "--dim", str(shape.dim),
        *(["--loss", "hs"] if shape.hierarchical else ["--negatives", str(shape.negatives)]), *more,
    ]  # fmt: skip
    return Contender("textkit w2v train", command)


def word2vec(settings: Settings, target: Path, shape: Shape) -> Contender | None:
    program = shutil.which("word2vec")
    if not program:
        skipped("word2vec", "build word2vec.c and put it on PATH")
        return None
    command = [
        program, "-train", str(settings.text), "-output", str(target), "-binary", "1", "-size", str(shape.dim),
        "-window", str(WINDOW), "-sample", str(SAMPLE), "-min-count", str(shape.min_count), "-threads", str(THREADS),
        "-iter", str(settings.epochs), "-cbow", str(int(shape.model == "cbow")), "-hs", str(int(shape.hierarchical)),
        "-negative", "0" if shape.hierarchical else str(shape.negatives),
    ]  # fmt: skip
    return Contender("word2vec.c", command)


def gensim(settings: Settings, target: Path, shape: Shape, seed: int = 1) -> Contender | None:
    if not has(settings.peer_python, "gensim"):
        skipped("gensim", "pip install gensim")
        return None
    told = {
        "sg": int(shape.model == "skipgram"), "hs": int(shape.hierarchical), "vector_size": shape.dim,
        "negative": 0 if shape.hierarchical else shape.negatives, "min_count": shape.min_count, "window": WINDOW,
        "sample": SAMPLE, "epochs": settings.epochs, "workers": THREADS, "seed": seed,
    }  # fmt: skip
    numbers = [f"{name}={number}" for name, number in told.items()]
    command = [settings.peer_python, PEERS, "gensim", str(settings.text), str(target), *numbers]
    return Contender("gensim, corpus_file", command)


def fasttext(settings: Settings, target: Path, shape: Shape, longest: int, *more: str) -> Contender | None:
    program = shutil.which("fasttext")
    if not program:
        skipped("fasttext", "install fastText and put it on PATH")
        return None
    command = [
        program, shape.model, "-input", str(settings.text), "-output", str(target.with_suffix("")),
        "-dim", str(shape.dim), "-ws", str(WINDOW), "-neg", str(shape.negatives), "-t", str(SAMPLE),
        "-minCount", str(shape.min_count), "-epoch", str(settings.epochs), "-thread", str(THREADS),
        "-minn", "3" if longest else "0", "-maxn", str(longest), *more,
    ]  # fmt: skip
    return Contender("fastText", command)


def _quality(settings: Settings, files: dict[str, Path]) -> dict[str, str]:
    """Scores on the evaluation files that were given."""
    found = {}
    for name, vectors in files.items():
        if not settings.evaluate:
            break
        asked = [*TEXTKIT, "w2v", "evaluate", str(vectors), *map(str, settings.evaluate), "--json"]
        scores = json.loads(subprocess.run(asked, check=True, capture_output=True).stdout)
        parts = [
            f"{Path(file).stem} {(s[-1]['accuracy'] if isinstance(s, list) else s['spearman']) or 0:.3f}"
            for file, s in scores.items()
        ]
        found[name] = ", ".join(parts)
    return found


def _raced(case: str, settings: Settings, contenders: list[tuple[Contender | None, Path]]) -> Outcome | None:
    present = [(c, path) for c, path in contenders if c]
    if len(present) < 2:
        print(f"skipped: {case}: no peer is installed", file=sys.stderr)
        return None
    runs = race([c for c, _ in present], settings.runs)
    quality = _quality(settings, {c.name: path for c, path in present})
    return Outcome(f"{case}, {settings.epochs} epochs", "MB", settings.megabytes * settings.epochs, runs, quality)


def _all(settings: Settings, shape: Shape) -> Outcome | None:
    """A race of all programs that can train this."""
    paths = [settings.scratch / f"vectors.{name}" for name in ("w2v", "c.bin", "gensim.bin", "fasttext.vec")]
    contenders = [
        (textkit(settings, paths[0], shape), paths[0]), (word2vec(settings, paths[1], shape), paths[1]),
        (gensim(settings, paths[2], shape), paths[2]),
    ]  # fmt: skip
    if not shape.hierarchical:  # fastText has no vectors by hierarchical softmax that others have, too
        contenders.append((fasttext(settings, paths[3], shape, 0), paths[3]))
    return _raced(str(shape), settings, contenders)


def w2v_skipgram(settings: Settings) -> Outcome | None:
    """Skip-gram by negative sampling."""
    return _all(settings, Shape())


def w2v_cbow(settings: Settings) -> Outcome | None:
    """CBOW by negative sampling."""
    return _all(settings, Shape("cbow"))


def w2v_hierarchical(settings: Settings) -> Outcome | None:
    """Skip-gram by hierarchical softmax."""
    return _all(settings, Shape(hierarchical=True))


def w2v_cbow_hierarchical(settings: Settings) -> Outcome | None:
    """CBOW by hierarchical softmax."""
    return _all(settings, Shape("cbow", hierarchical=True))


def w2v_wide(settings: Settings) -> Outcome | None:
    """Skip-gram with long vectors."""
    return _all(settings, Shape(dim=300))


def w2v_cbow_wide(settings: Settings) -> Outcome | None:
    """CBOW with long vectors."""
    return _all(settings, Shape("cbow", dim=300))


def w2v_negatives(settings: Settings) -> Outcome | None:
    """Skip-gram with many negatives."""
    return _all(settings, Shape(negatives=20))


def w2v_vocabulary(settings: Settings) -> Outcome | None:
    """Skip-gram with every word."""
    return _all(settings, Shape(min_count=1))


def w2v_subword(settings: Settings) -> Outcome | None:
    """Skip-gram with n-grams of characters."""
    paths, shape = [settings.scratch / f"sub.{name}" for name in ("w2v", "fasttext.vec")], Shape()
    return _raced("skip-gram with n-grams of 3 to 6 characters", settings, [
        (textkit(settings, paths[0], shape, "--subword", "3-6"), paths[0]),
        (fasttext(settings, paths[1], shape, 6), paths[1]),
    ])  # fmt: skip
