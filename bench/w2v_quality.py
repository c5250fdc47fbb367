"""Quality of word vectors beside gensim, word2vec.c and fastText: over seeds, with intervals that tell it from chance.

Every program's vectors are cut to the words that all of them have, in the same order, so that answers are looked for
among the same words, and are measured by textkit's own evaluation. The interval of a difference is that of a paired
bootstrap over the questions or pairs of words: in each resample all programs are measured on the same ones.
"""

from collections.abc import Callable
from dataclasses import dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING

from .harness import Contender, Settings, Table, run_once
from .resampling import resampled, weights_of
from .w2v import Shape, fasttext, gensim, textkit, word2vec

if TYPE_CHECKING:
    import numpy as np

    from textkit.vectors.model import WordVectors

EPOCHS = 1, 5
INTERVAL = 2.5, 97.5  # percentiles
PRESET = "textkit --like "
_SHAPES = Shape(), Shape("cbow"), Shape(hierarchical=True), Shape("cbow", hierarchical=True)
TASKS = {str(shape): shape for shape in _SHAPES}
NGRAMS = "skip-gram with n-grams"

Scores = dict[str, "np.ndarray"]  # of each measure: (seeds, 1 + resamples), first what was measured on all items


@dataclass(frozen=True)
class Program:
    """One way to train: `make(settings, target, seed)` gives the command, or None where it is not installed."""

    name: str
    make: Callable[[Settings, Path, int], Contender | None]
    seeded: bool = True


def w2v_quality(settings: Settings) -> Table:
    """Means over seeds, their spread, and the differences to other programs with what chance could make of them.

    Vectors of other programs that lie in the scratch directory from an earlier run on this text are not made again.
    """
    rows: list[list[str | float | None]] = []
    for task in (*TASKS, NGRAMS):
        for epochs in EPOCHS:
            own = replace(settings, epochs=epochs)
            trained: dict[str, list[Path]] = {}
            for program in _programs(task):
                peer = program.name.removeprefix(PRESET)  # a preset without its model tells nothing
                if (peer == program.name or peer in trained) and (paths := _trained(own, task, program)):
                    trained[program.name] = paths
            scores = _scores(trained, settings.evaluate)
            rows += [[task, epochs, *row] for row in _rows(scores)]
    note = (
        f"Mean over seeds ({settings.runs}; word2vec.c takes none) ± their standard deviation; differences with the "
        "95 % interval of a paired bootstrap over the items of each test, bold where it lies on one side of 0. The "
        "best of the others is the one with the highest mean in that column."
    )
    columns = ["model", "epochs", "program", *(path.stem for path in settings.evaluate)]
    return Table("Quality of word vectors", columns, rows, note)


# --- training -------------------------------------------------------------------------------------------


def _programs(task: str) -> list[Program]:
    """textkit as it is, the others, and textkit with each one's defaults."""
    if task == NGRAMS:
        return [
            _ours("textkit", Shape(), "--subword", "3-6"),
            Program("fastText", lambda s, target, seed: fasttext(s, target, Shape(), 6, "-seed", str(seed))),
            _ours(f"{PRESET}fastText", Shape(), "--like", "fasttext"),
        ]
    shape = TASKS[task]
    return [
        _ours("textkit", shape),
        Program("gensim", lambda s, target, seed: gensim(s, target, shape, seed)),
        _ours(f"{PRESET}gensim", shape, "--sample", "1e-4", "--like", "gensim"),
        Program("word2vec.c", lambda s, target, seed: word2vec(s, target, shape), seeded=False),
        _ours(f"{PRESET}word2vec.c", shape, "--sample", "1e-4", "--like", "word2vec"),
    ]


def _ours(name: str, shape: Shape, *options: str) -> Program:
    return Program(name, lambda s, target, seed: textkit(s, target, shape, *options, "--seed", str(seed)))


def _trained(settings: Settings, task: str, program: Program) -> list[Path]:
    """Vectors of each seed; none where the program is not there."""
    seeds = range(1, settings.runs + 1 if program.seeded else 2)
    made = [_vectors(settings, task, program, seed) for seed in seeds]
    return [path for path in made if path]


def _vectors(settings: Settings, task: str, program: Program, seed: int) -> Path | None:
    names = ("-".join(name.replace(",", "").split()) for name in (task, program.name))
    parts = settings.text.stem, *names, settings.epochs, seed, "vec"
    target = settings.scratch / ".".join(map(str, parts))
    if target.exists() and not program.name.startswith("textkit"):
        return target
    unfinished = settings.scratch / "unfinished.vec"
    contender = program.make(settings, unfinished, seed)
    if contender is None:
        return None
    run_once(contender)
    unfinished.rename(target)
    return target


# --- measuring ------------------------------------------------------------------------------------------


def _scores(trained: dict[str, list[Path]], tests: tuple[Path, ...]) -> dict[str, Scores]:
    """Each program's scores."""
    import numpy as np

    models = dict(zip(trained, _alike(list(trained.values())), strict=True))
    found: dict[str, Scores] = {name: {} for name in models}
    for path in tests:
        items = {name: [_items(model, path) for model in seeds] for name, seeds in models.items()}
        weights = None
        for name, seeds in items.items():
            there = ~np.isnan(seeds[0][0])
            weights = weights_of(int(there.sum())) if weights is None else weights
            found[name][path.stem] = np.stack([
                resampled(values[there], given if given is None else given[there], weights) for values, given in seeds
            ])  # fmt: skip
    return found


def _alike(paths: list[list[Path]]) -> "list[list[WordVectors]]":
    """All vectors, cut to the words in common."""
    from textkit.text.vocabulary import SPECIALS
    from textkit.vectors.model import WordVectors

    models = [[WordVectors.load(path) for path in seeds] for seeds in paths]
    common = set.intersection(*(set(seeds[0].vocabulary.words()) for seeds in models))
    words = [word for word in models[0][0].vocabulary.words()[len(SPECIALS) :] if word in common]
    return [[WordVectors.from_words(words, m.vectors[m.vocabulary.ids(words)]) for m in seeds] for seeds in models]


def _items(model: "WordVectors", path: Path) -> "tuple[np.ndarray, np.ndarray | None]":
    """(right answers, None) or (cosines, what people said), NaN for items with unknown words."""
    import numpy as np

    from textkit.vectors import evaluation

    if evaluation.is_questions(path):
        questions = [question for _, section in evaluation.read_questions(path) for question in section]
        right = evaluation.answered(model, questions).astype(float)
        return np.where(right < 0, np.nan, right), None
    pairs = evaluation.read_pairs(path)
    return evaluation.pair_cosines(model, pairs), np.array([value for _, _, value in pairs])


# --- the table ------------------------------------------------------------------------------------------


def _rows(scores: dict[str, Scores]) -> list[list[str]]:
    """A row for each program, then the differences: textkit to the best of the others, its presets to their models."""
    rows = [[name, *(_mean(values) for values in found.values())] for name, found in scores.items()]
    others = [name for name in scores if not name.startswith("textkit")]
    if not others:
        return rows
    best = {m: max(others, key=lambda name, m=m: scores[name][m][:, 0].mean()) for m in scores["textkit"]}
    rows.append(["textkit − best", *(_difference(v, scores[best[m]][m]) for m, v in scores["textkit"].items())])
    for peer in others:
        if preset := scores.get(PRESET + peer):
            rows.append([f"--like − {peer}", *(_difference(v, scores[peer][m]) for m, v in preset.items())])
    return rows


def _mean(values: "np.ndarray") -> str:
    seeds = values[:, 0]
    return f"{seeds.mean():.3f}" + (f" ± {seeds.std(ddof=1):.3f}" if len(seeds) > 1 else "")


def _difference(ours: "np.ndarray", theirs: "np.ndarray") -> str:
    import numpy as np

    gap = ours.mean(0) - theirs.mean(0)
    low, high = np.percentile(gap[1:], INTERVAL)
    mark = "**" if low > 0 or high < 0 else ""
    return f"{mark}{gap[0]:+.3f}{mark} ({low:+.3f} to {high:+.3f})"
