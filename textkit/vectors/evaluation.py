"""How good vectors are: analogy questions by section, and word pairs judged by people."""

import math
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np

from ..errors import DataError
from .model import WordVectors

_BATCH = 512
_RESAMPLES = 1000
RESTRICT = 30_000  # as compute-accuracy.c: answers are looked for among so many most frequent words


@dataclass
class Section:
    """Analogy questions of one kind.

    Attributes:
        questions: in the file.
        covered: whose four words all have vectors among those looked at.
        correct: of these, answered by the right word first.
    """

    name: str
    questions: int = 0
    covered: int = 0
    correct: int = 0

    @property
    def accuracy(self) -> float:
        """Correct answers by covered questions, or NaN."""
        return self.correct / self.covered if self.covered else math.nan

    def as_dict(self) -> dict[str, Any]:
        accuracy = None if math.isnan(self.accuracy) else self.accuracy
        return {**vars(self), "accuracy": accuracy}


def read_questions(path: str | Path) -> list[tuple[str, list[tuple[str, str, str, str]]]]:
    """Sections of an analogies file: `: name` lines, then four words a line.

    Raises:
        DataError: unreadable, a line of another form, no question.
    """
    sections: list[tuple[str, list[tuple[str, str, str, str]]]] = []
    for number, line in _lines(path):
        if line.startswith(":"):
            sections.append((line[1:].strip(), []))
            continue
        words = line.split()
        if len(words) != 4:
            raise DataError(f"{path}, line {number}: {len(words)} words, not the four of an analogy: '{line:.60}'.")
        if not sections:
            sections.append(("questions", []))
        sections[-1][1].append((words[0], words[1], words[2], words[3]))
    if not any(questions for _, questions in sections):
        raise DataError(f"{path} holds no analogy question.")
    return sections


def analogies(
    model: WordVectors, path: str | Path, *, restrict: int = RESTRICT, method: str = "add", threads: int | None = None
) -> list[Section]:
    """Answer the questions of a file, the last element of the result being the sum of all sections.

    A word that is not there is looked for in lower case too. The three words of a question are no answers to it.

    Args:
        method: "add" (3CosAdd) or "mul" (3CosMul).
    """
    found = []
    for name, questions in read_questions(path):
        right = answered(model, questions, restrict=restrict, method=method)
        found.append(Section(name, len(questions), int((right >= 0).sum()), int((right == 1).sum())))
    total = Section("all")
    for section in found:
        total.questions += section.questions
        total.covered += section.covered
        total.correct += section.correct
    return [*found, total]


def answered(
    model: WordVectors, questions: Sequence[Sequence[str]], *, restrict: int = RESTRICT, method: str = "add"
) -> np.ndarray:
    """Each question by itself, int8 (n,): 1 for a right answer, 0 for a wrong one, -1 where a word is missing."""
    rows = np.array([[_row(model, word, restrict) for word in q] for q in questions], np.int64).reshape(-1, 4)
    known = np.flatnonzero(rows.min(1) >= 0)
    right = np.full(len(rows), -1, np.int8)
    for i in range(0, len(known), _BATCH):
        asked = rows[known[i : i + _BATCH]]
        right[known[i : i + _BATCH]] = _answers(model, asked, restrict, method) == asked[:, 3]
    return right


def _row(model: WordVectors, word: str, restrict: int) -> int:
    """The row of a word or of its lower case, -1 where there is none among the first."""
    for form in (word, word.lower()):
        number = model._number(form)
        if number is not None and number < restrict + 3:
            return number
    return -1


def _answers(model: WordVectors, questions: np.ndarray, restrict: int, method: str) -> np.ndarray:
    """The row answering each question, int64 (n,)."""
    size = min(len(model.vectors), restrict + 3)
    lengths = model.lengths[:size, None]
    units = np.asarray(model.vectors[questions[:, :3]] / model.lengths[questions[:, :3]][..., None])
    if method == "add":
        targets = units[:, 1] - units[:, 0] + units[:, 2]
        scores = targets @ (model.vectors[:size].T / lengths.T)
    else:
        a, b, c = ((units[:, i] @ (model.vectors[:size].T / lengths.T) + 1) / 2 for i in range(3))
        scores = b * c / (a + 1e-3)
    np.put_along_axis(scores, questions[:, :3], -np.inf, 1)
    return scores.argmax(1)


@dataclass
class Agreement:
    """How similarities of vectors agree with those people gave to pairs of words.

    Attributes:
        pairs: in the file; covered: of these with two vectors.
        spearman, pearson: correlations over the covered pairs; low, high: the 95 % bootstrap interval of spearman.
    """

    name: str
    pairs: int
    covered: int
    spearman: float
    pearson: float
    low: float
    high: float

    def as_dict(self) -> dict[str, Any]:
        return {k: None if isinstance(v, float) and math.isnan(v) else v for k, v in vars(self).items()}


def read_pairs(path: str | Path) -> list[tuple[str, str, float]]:
    """Word pairs with a number, set apart by tabs or blanks; a first line without a number is a title.

    Raises:
        DataError: unreadable, a line of another form, fewer than two pairs.
    """
    pairs = []
    for number, line in _lines(path):
        fields = line.split("\t") if "\t" in line else line.split()
        try:
            pairs.append((fields[0].strip(), fields[1].strip(), float(fields[2])))
        except (IndexError, ValueError):
            if number > 1:
                raise DataError(
                    f"{path}, line {number}: not two words and a number: '{line:.60}'.",
                    "An example: tiger<TAB>cat<TAB>7.35",
                ) from None
    if len(pairs) < 2:
        raise DataError(f"{path} holds fewer than two pairs of words.")
    return pairs


def similarities(model: WordVectors, path: str | Path, *, seed: int = 0) -> Agreement:
    """Correlate the cosines of word pairs with people's judgements; unseen words count by their n-grams if they can."""
    pairs = read_pairs(path)
    cosines, given = pair_cosines(model, pairs), np.array([value for _, _, value in pairs])
    there = ~np.isnan(cosines)
    x, y = given[there], cosines[there]
    rng = np.random.default_rng(seed)
    drawn = [spearman(x[i], y[i]) for i in rng.integers(0, max(len(x), 1), (_RESAMPLES, len(x)))] if len(x) > 1 else []
    low, high = np.nanpercentile(drawn, [2.5, 97.5]) if drawn and not np.isnan(drawn).all() else (math.nan, math.nan)
    return Agreement(Path(path).stem, len(pairs), len(x), spearman(x, y), pearson(x, y), float(low), float(high))


def pair_cosines(model: WordVectors, pairs: Sequence[tuple[str, str, float]]) -> np.ndarray:
    """Each pair's cosine, float64 (n,), NaN where a word is missing; that of a vector of zeros is 0."""
    found = np.full(len(pairs), math.nan)
    for i, (*words, _) in enumerate(pairs):
        first, second = (model.find(w) if w in model else model.find(w.lower()) for w in words)
        if first is not None and second is not None:
            lengths = float(np.linalg.norm(first) * np.linalg.norm(second))
            found[i] = float(first @ second) / lengths if lengths else 0.0
    return found


def pearson(x: np.ndarray, y: np.ndarray) -> float:
    """The correlation of two samples, NaN where one of them does not vary."""
    if len(x) < 2:
        return math.nan
    a, b = x - x.mean(), y - y.mean()
    size = math.sqrt(float(a @ a) * float(b @ b))
    return float(a @ b) / size if size else math.nan


def spearman(x: np.ndarray, y: np.ndarray) -> float:
    """The rank correlation of two samples; equal values share their mean rank."""
    return pearson(_ranks(x), _ranks(y))


def _ranks(values: np.ndarray) -> np.ndarray:
    if len(values) == 0:
        return values
    _, where, counts = np.unique(values, return_inverse=True, return_counts=True)
    last = np.cumsum(counts)
    return (last - (counts - 1) / 2)[where]


def is_questions(path: str | Path) -> bool:
    """Whether a file holds analogies rather than word pairs: its first line is a section's name or four words."""
    for _, line in _lines(path):
        fields = line.split()
        return line.startswith(":") or (len(fields) == 4 and "\t" not in line and not _numeric(fields[2:]))
    raise DataError(f"{path} is empty.")


def _numeric(fields: Sequence[str]) -> bool:
    try:
        return bool([float(f) for f in fields[:1]])
    except ValueError:
        return False


def _lines(path: str | Path) -> Iterable[tuple[int, str]]:
    from ..text.reader import Reader

    for number, line in enumerate(Reader([str(path)], format="lines").lines(), 1):
        if line.strip() and not line.startswith("#"):
            yield number, line.strip()


def score(model: WordVectors, path: str | Path) -> float:
    """One number for a file of either kind: the accuracy over all questions, or the rank correlation."""
    return analogies(model, path)[-1].accuracy if is_questions(path) else similarities(model, path).spearman
