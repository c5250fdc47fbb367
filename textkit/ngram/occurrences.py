"""How often n-grams stand in the training text: by the counts that a model keeps, or by a count file."""

from typing import Protocol

import numpy as np

from ..errors import UsageError
from ..kernels import trace
from ..store import Store, slices
from ..text.vocabulary import BOS, Vocabulary
from .counts import CountedText, find_ngram
from .merging import renumbered
from .model import NGramModel

_WORDS = 1 << 14  # looked up at a time


class Occurrences(Protocol):
    """Counts of n-grams, given as ids of a model's vocabulary."""

    def of(self, ngram: list[int]) -> int:
        """Occurrences of an n-gram."""

    def after(self, context: list[int]) -> np.ndarray:
        """Occurrences of every word after a context, int64 (V,); <s>, which is never predicted, has none."""

    def neighbours(self, context: list[int]) -> np.ndarray:
        """For every word w the number of distinct words before the n-gram context + w, int64 (V,)."""


class KeptCounts:
    """The counts that a model keeps of its own n-grams."""

    def __init__(self, model: NGramModel) -> None:
        assert model.counts is not None
        self.model, self.counts = model, model.counts
        self.data, self.layout, self.books = model.query_arrays
        self.bases = np.concatenate([[0], np.cumsum(model.sizes)])

    def of(self, ngram: list[int]) -> int:
        node = int(trace.find_node(np.array(ngram, np.int32), self.data, self.layout))
        return int(self.counts[self.bases[len(ngram) - 1] + node]) if node >= 0 else 0

    def after(self, context: list[int]) -> np.ndarray:
        found, level = np.zeros(len(self.model.vocabulary), np.int64), len(context)
        if not context:
            found[:] = np.maximum(self.counts[: len(found)], 0)
            found[BOS] = 0
            return found
        node = int(trace.find_node(np.array(context, np.int32), self.data, self.layout))
        begin, end = trace.child_range(node, node + 1, self.data, self.layout, level - 1)
        nodes = np.arange(begin, end, dtype=np.int64)
        ids, numbers = np.empty((len(nodes), level + 1), np.int32), np.empty((len(nodes), 2), np.float64)
        path = np.empty(level + 1, np.int64)
        trace.describe(nodes, level, self.data, self.layout, self.books, path, ids, numbers)
        sound = ids[:, -1] < len(found)  # in a damaged file they may not be
        found[ids[sound, -1]] = np.maximum(self.counts[self.bases[level] + nodes[sound]], 0)
        return found

    def neighbours(self, context: list[int]) -> np.ndarray:
        found = np.zeros(len(self.model.vocabulary), np.int64)
        trace.tally_continuations(np.array(context, np.int32), self.data, self.layout, found)
        return found


class FiledCounts:
    """The counts of a file, brought to the words of a model.

    Raises:
        UsageError: counts of another text than the model's, or of a lower order.
    """

    def __init__(self, model: NGramModel, text: CountedText) -> None:
        counts, report = text.counts.up_to(model.order), model.report
        for name, counted in (("tokens", counts.tokens), ("lines", counts.lines)):
            if report.get(name, counted) != counted:
                raise UsageError(
                    f"the counts are of {counted:,} {name}, the model of {report[name]:,}.",
                    "Give the counts of the text that the model was trained on.",
                )
        if text.tokenizer.signature != model.tokenizer.signature:
            raise UsageError(
                f"the counts are of text split by {text.tokenizer.signature}, the model's by "
                f"{model.tokenizer.signature}.",
                "Count the text again with the tokenizer of the model.",
            )
        self.size = len(model.vocabulary)
        self.levels = renumbered(counts.levels, _ids(text.vocabulary, model.vocabulary), self.size, Store())

    def of(self, ngram: list[int]) -> int:
        entry = find_ngram(self.levels, ngram)
        return 0 if entry is None else int(self.levels[len(ngram) - 1].counts[entry])

    def after(self, context: list[int]) -> np.ndarray:
        begin, end = self._range(context)
        level, found = self.levels[len(context)], np.zeros(self.size, np.int64)
        found[level.words[begin:end]] = level.counts[begin:end]
        found[BOS] = 0
        return found

    def neighbours(self, context: list[int]) -> np.ndarray:
        begin, end = self._range(context)
        words, suffixes = self.levels[len(context)].words[begin:end], self.levels[len(context) + 1].suffixes
        assert suffixes is not None
        times, found = np.zeros(end - begin, np.int64), np.zeros(self.size, np.int64)
        for piece in slices(suffixes):
            inside = piece[(piece >= begin) & (piece < end)] - np.uint32(begin)
            times += np.bincount(inside, minlength=end - begin)
        found[words] = times
        found[BOS] = 0
        return found

    def _range(self, context: list[int]) -> tuple[int, int]:
        """Which n-grams of the next level begin with a context."""
        if not context:
            return 0, self.size
        entry = find_ngram(self.levels, context)
        edges = self.levels[len(context) - 1].edges
        if entry is None or edges is None:
            return 0, 0
        return int(edges[entry]), int(edges[entry + 1])


def _ids(words: Vocabulary, vocabulary: Vocabulary) -> np.ndarray:
    """Ids in one vocabulary of the words of another, int32; <unk>'s for what it lacks."""
    found = []
    for i in range(0, len(words), _WORDS):
        ends = words.ends[i : i + _WORDS + 1]
        spans = (np.stack([ends[:-1], ends[1:]], axis=1) - ends[0]).astype(np.int32)
        found.append(vocabulary.look_up(words.arena[ends[0] :], spans, len(spans))[0])
    return np.concatenate(found)
