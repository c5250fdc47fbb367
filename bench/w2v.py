"""Word vectors: text in, vectors saved, beside word2vec, gensim and fastText with equal settings."""

import json
import shutil
import subprocess
import sys
from pathlib import Path

from .harness import TEXTKIT, Contender, Outcome, Settings, has, race, skipped

PEERS = str(Path(__file__).with_name("peers.py"))
DIM, WINDOW, NEGATIVES, SAMPLE, MIN_COUNT, THREADS = 100, 5, 5, 1e-4, 5, 2


def textkit(settings: Settings, target: Path, *more: str) -> Contender:
    """Training with the settings that all have in common, and more options."""
    command = [
        *TEXTKIT, "w2v", "train", str(settings.text), "--output", str(target), "--tokenizer", "whitespace",
        "--no-cache",
        "--epochs", str(settings.epochs), "--threads", str(THREADS), "--min-count", str(MIN_COUNT), *more,
    ]  # fmt: skip
    return Contender("textkit w2v train", command)


def word2vec(settings: Settings, target: Path, cbow: bool, hs: bool) -> Contender | None:
    program = shutil.which("word2vec")
    if not program:
        skipped("word2vec", "build word2vec.c and put it on PATH")
        return None
    command = [
        program, "-train", str(settings.text), "-output", str(target), "-binary", "1", "-size", str(DIM),
        "-window", str(WINDOW), "-sample", str(SAMPLE), "-min-count", str(MIN_COUNT), "-threads", str(THREADS),
        "-iter", str(settings.epochs), "-cbow", str(int(cbow)), "-hs", str(int(hs)),
        "-negative", "0" if hs else str(NEGATIVES),
    ]  # fmt: skip
    return Contender("word2vec.c", command)


def gensim(settings: Settings, target: Path, cbow: bool, hs: bool, seed: int = 1) -> Contender | None:
    if not has(settings.peer_python, "gensim"):
        skipped("gensim", "pip install gensim")
        return None
    job = f"gensim-{'cbow' if cbow else 'skipgram'}-{'hs' if hs else 'ns'}"
    numbers = map(str, (settings.epochs, THREADS, seed))
    command = [settings.peer_python, PEERS, job, str(settings.text), str(target), *numbers]
    return Contender("gensim, corpus_file", command)


def fasttext(settings: Settings, target: Path, model: str, longest: int, *more: str) -> Contender | None:
    program = shutil.which("fasttext")
    if not program:
        skipped("fasttext", "install fastText and put it on PATH")
        return None
    command = [
        program, model, "-input", str(settings.text), "-output", str(target.with_suffix("")), "-dim", str(DIM),
        "-ws", str(WINDOW), "-neg", str(NEGATIVES), "-t", str(SAMPLE), "-minCount", str(MIN_COUNT),
        "-epoch", str(settings.epochs), "-thread", str(THREADS), "-minn", "3" if longest else "0",
        "-maxn", str(longest), *more,
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


def w2v_skipgram(settings: Settings) -> Outcome | None:
    """Skip-gram by negative sampling."""
    paths = [settings.scratch / f"sg.{name}" for name in ("w2v", "c.bin", "gensim.bin", "fasttext.vec")]
    return _raced("skip-gram, negative sampling", settings, [
        (textkit(settings, paths[0]), paths[0]), (word2vec(settings, paths[1], False, False), paths[1]),
        (gensim(settings, paths[2], False, False), paths[2]), (fasttext(settings, paths[3], "skipgram", 0), paths[3]),
    ])  # fmt: skip


def w2v_cbow(settings: Settings) -> Outcome | None:
    """CBOW by negative sampling."""
    paths = [settings.scratch / f"cbow.{name}" for name in ("w2v", "c.bin", "gensim.bin", "fasttext.vec")]
    return _raced("CBOW, negative sampling", settings, [
        (textkit(settings, paths[0], "--model", "cbow"), paths[0]),
        (word2vec(settings, paths[1], True, False), paths[1]), (gensim(settings, paths[2], True, False), paths[2]),
        (fasttext(settings, paths[3], "cbow", 0), paths[3]),
    ])  # fmt: skip


def w2v_hierarchical(settings: Settings) -> Outcome | None:
    """Skip-gram by hierarchical softmax."""
    paths = [settings.scratch / f"hs.{name}" for name in ("w2v", "c.bin", "gensim.bin")]
    return _raced("skip-gram, hierarchical softmax", settings, [
        (textkit(settings, paths[0], "--loss", "hs"), paths[0]),
        (word2vec(settings, paths[1], False, True), paths[1]), (gensim(settings, paths[2], False, True), paths[2]),
    ])  # fmt: skip


def w2v_subword(settings: Settings) -> Outcome | None:
    """Skip-gram with n-grams of characters."""
    paths = [settings.scratch / f"sub.{name}" for name in ("w2v", "fasttext.vec")]
    return _raced("skip-gram with n-grams of 3 to 6 characters", settings, [
        (textkit(settings, paths[0], "--subword", "3-6"), paths[0]),
        (fasttext(settings, paths[1], "skipgram", 6), paths[1]),
    ])  # fmt: skip
