"""What may be wrong with labelled text: repeated rows, leaks, labels written in two ways, wrong labels, odd rows."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np

from ..errors import UsageError
from ..progress import Progress, Reporter, silent
from .config import ClassifierConfig
from .data import LabelledCorpus
from .duplicates import Groups, nearly_same, same
from .label_names import Alike, alike
from .mislabels import OutOfFold, Suspects, out_of_fold, suspects

KINDS = ("duplicate", "near-duplicate", "leak", "label-name", "mislabelled", "over-long")
_LONG, _TIMES = 1_000, 20  # an over-long row has more tokens than this, and more than so many times the median
_LARGE, _MANY = 200_000, 300  # documents and labels for which a linear model takes long
_FEW = 5  # documents of a label from which little can be learned


class Issue(NamedTuple):
    """Something about one row."""

    file: str
    line: int
    kind: str
    note: str


@dataclass(frozen=True)
class CheckConfig:
    """How to check.

    Args:
        similar: from which share of common runs of words two documents are near duplicates.
        folds: of cross-validation to find wrong labels; 0 for none.
        model: settings of what to cross-validate; by default a linear model, of very many documents or labels, which
            take it long, one of embeddings.

    Raises:
        UsageError: an impossible value.
    """

    similar: float = 0.8
    folds: int = 5
    model: ClassifierConfig | None = None
    seed: int = 0

    def __post_init__(self) -> None:
        if not 0 < self.similar <= 1:
            raise UsageError(f"--similar {self.similar:g} makes no sense.", "Give more than 0, and 1 at most.")
        if self.folds < 0 or self.folds == 1:
            raise UsageError(f"--folds {self.folds} makes no sense.", "Give 2 or more, or 0 to leave it out.")

    def model_for(self, data: LabelledCorpus) -> ClassifierConfig:
        """What to cross-validate on these documents."""
        large = len(data) > _LARGE or len(data.labels) > _MANY
        return self.model or ClassifierConfig(model="embedding" if large else "linear", seed=self.seed)


@dataclass
class Check:
    """What was found.

    Attributes:
        inputs: int64 (L,), which input each document is of.
        exact, near: documents that are the same, and with them those that nearly are.
        names: labels that may be one.
        probabilities: out of fold, or None where there was no cross-validation.
        suspects: probably wrong labels.
        median: tokens of a document.
    """

    data: LabelledCorpus
    inputs: np.ndarray
    exact: Groups
    near: Groups
    names: list[Alike]
    probabilities: OutOfFold | None
    suspects: Suspects
    median: int

    @cached_property
    def contradictions(self) -> np.ndarray:
        """Documents that are the same as an earlier one but have other labels, int64."""
        gold = self.data.gold
        found = [d for d in self.exact.followers.tolist() if set(gold[d]) != set(gold[int(self.exact.leader[d])])]
        return np.array(found, np.int64)

    @cached_property
    def leaks(self) -> np.ndarray:
        """Documents that (nearly) stand in another input too, int64, ascending."""
        pairs = np.unique(np.stack([self.near.leader, self.inputs], axis=1), axis=0)
        several = np.bincount(pairs[:, 0], minlength=len(self.data)) > 1
        return np.flatnonzero(several[self.near.leader])

    @cached_property
    def survivors(self) -> np.ndarray:
        """Of documents that (nearly) are the same the one to keep: the first in the last input that has it, int64."""
        leader, order = self.near.leader, np.lexsort((np.arange(len(self.data)), -self.inputs, self.near.leader))
        first = np.flatnonzero(np.diff(leader[order], prepend=-1))
        return np.sort(order[first])

    @cached_property
    def long(self) -> np.ndarray:
        """Over-long documents, int64."""
        return np.flatnonzero(np.diff(self.data.text.offsets) > max(_LONG, _TIMES * self.median))

    @cached_property
    def near_only(self) -> np.ndarray:
        """Near duplicates of an earlier document that are not the same as it."""
        return np.setdiff1d(self.near.followers, self.exact.followers, assume_unique=True)

    def issues(self) -> Iterator[Issue]:
        """Everything about single rows, kind by kind."""
        names = self.data.labels.names
        yield from (Issue(file, line, reason.replace(" ", "-"), "") for file, line, reason in self.data.odd)
        other = set(self.contradictions.tolist())
        for document in self.exact.followers.tolist():
            note = f"of {self._place(self.exact.leader[document])}" + (", with other labels" * (document in other))
            yield self._issue(document, "duplicate", note)
        for document in self.near_only.tolist():
            yield self._issue(document, "near-duplicate", f"of {self._place(self.near.leader[document])}")
        for document in self.leaks.tolist():
            yield self._issue(document, "leak", f"stands in another file too: {self._elsewhere(document)}")
        for document, note in self._misnamed():
            yield self._issue(document, "label-name", note)
        s = self.suspects
        for document, given, better, p, q in zip(
            s.documents.tolist(), s.given.tolist(), s.suggested.tolist(), s.given_p, s.suggested_p, strict=True
        ):
            had = f"{names[given]} has p = {p:.3f}" if given >= 0 else ""
            would = f"{names[better]} has p = {q:.3f}" if better >= 0 else ""
            yield self._issue(document, "mislabelled", ", ".join(part for part in (had, would) if part))
        for document in self.long.tolist():
            size = len(self.data.text.line(document))
            yield self._issue(document, "over-long", f"{size:,} tokens; the median is {self.median:,}")

    def _issue(self, document: int, kind: str, note: str) -> Issue:
        return Issue(*self.data.origin(document), kind, note)

    def _place(self, document: int) -> str:
        file, line = self.data.origin(int(document))
        return f"{file}:{line}"

    @cached_property
    def _members(self) -> dict[int, list[int]]:
        return {int(self.near.leader[group[0]]): group.tolist() for group in self.near.lists()}

    def _elsewhere(self, document: int) -> str:
        own, group = self.inputs[document], self._members[int(self.near.leader[document])]
        return next(self._place(other) for other in group if self.inputs[other] != own)

    def _misnamed(self) -> Iterator[tuple[int, str]]:
        """Documents with the rarer of two labels that may be one."""
        numbers, gold = self.data.labels.numbers(), self.data.gold
        owner = np.repeat(np.arange(len(self.data)), gold.sizes)
        for pair in self.names:
            for document in owner[gold.ids == numbers[pair.rare]].tolist():
                yield document, f"{pair.rare} may be {pair.frequent}: {pair.reason}"

    def summary(self) -> dict[str, Any]:
        """Figures of everything."""
        labels, counts = self.data.labels, self.data.labels.counts[self.data.labels.counts > 0]
        cross = {} if self.probabilities is None else {"cross-validated loss": round(self.probabilities.loss, 4)}
        return {
            "documents": len(self.data),
            "rows left out": self.data.odd.dropped,
            **{f"rows: {reason}": count for reason, count in self.data.odd.counts.items()},
            "labels": len(labels),
            "most frequent label, share": round(float(counts.max() / len(self.data)), 4),
            "most frequent to rarest": round(float(counts.max() / counts.min()), 1),
            f"labels with fewer than {_FEW} documents": int((counts < _FEW).sum()),
            "duplicates": len(self.exact.followers),
            "duplicates with other labels": len(self.contradictions),
            "near duplicates": len(self.near_only),
            "documents that stand in several files": len(self.leaks),
            "labels that may be one": len(self.names),
            "probably mislabelled": len(self.suspects),
            **cross,
            "over-long documents": len(self.long),
        }


def check(
    data: LabelledCorpus,
    inputs: Sequence[str | Path],
    config: CheckConfig | None = None,
    threads: int | None = None,
    progress: Reporter = silent,
) -> Check:
    """Look for everything.

    Args:
        inputs: the files or directories that `data` was read from, to tell leaks from one into another.
    """
    config = config or CheckConfig()
    progress(Progress("looking for duplicates", 0, None, "documents"))
    exact, near = same(data.text), nearly_same(data.text, config.similar, threads)
    probabilities, wrong = (
        None,
        Suspects(*(np.zeros(0, t) for t in (np.int64, np.int32, np.int32, np.float32, np.float32))),
    )
    if config.folds and len(data.labels) > 1 and len(data) >= config.folds:
        probabilities = out_of_fold(data, config.model_for(data), config.folds, config.seed, threads, progress)
        wrong = suspects(data, probabilities)
    median = int(np.median(np.diff(data.text.offsets)))
    return Check(
        data, input_of_each(data, inputs), exact, near, alike(data.labels), probabilities, wrong, median,
    )  # fmt: skip


def input_of_each(data: LabelledCorpus, inputs: Sequence[str | Path]) -> np.ndarray:
    """Which of the inputs each document is of, int64 (L,); files that come from a pattern are inputs of their own."""
    numbers = {Path(given): number for number, given in enumerate(inputs)}
    own = np.empty(len(data.odd.names), np.int64)
    for file, name in enumerate(data.odd.names):
        path = Path(name)
        known = (numbers[p] for p in (path, *path.parents) if p in numbers)
        own[file] = next(known, len(inputs) + file)
    return own[data.files]
