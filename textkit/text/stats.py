"""What is in a corpus: its size, how its vocabulary grows, and how much of it how many words cover."""

from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

import numpy as np

from ..errors import DataError
from ..kernels import words
from .corpus import EncodedCorpus
from .plots import check_plot, drawing
from .vocabulary import SPECIALS, Vocabulary

_STEPS = (1, 2, 5)


@dataclass(frozen=True)
class CorpusStats:
    """Figures of a corpus.

    Attributes:
        growth: (tokens read, different words among them), the type-token curve.
        coverage: (most frequent words, share of all tokens they make up).
        frequent: (word, count, share of all tokens).
        once: words that occur once.
    """

    lines: int
    tokens: int
    types: int
    once: int
    characters: int
    bytes: int
    empty_lines: int
    longest_line: int
    growth: list[tuple[int, int]]
    coverage: list[tuple[int, float]]
    frequent: list[tuple[str, int, float]]

    def as_dict(self) -> dict[str, Any]:
        """For JSON."""
        return asdict(self)


@dataclass(frozen=True)
class Unknown:
    """How much of a corpus a vocabulary does not know."""

    types: int
    tokens: int
    type_rate: float
    token_rate: float
    examples: list[tuple[str, int]]


def corpus_stats(corpus: EncodedCorpus, top: int = 20) -> CorpusStats:
    """All figures of a corpus that was encoded with its own whole vocabulary."""
    counts = corpus.vocabulary.counts[len(SPECIALS) :]
    lengths = np.diff(corpus.offsets)
    frequent = [
        (word, int(count), int(count) / corpus.tokens)
        for word, count in zip(
            corpus.vocabulary.words(range(len(SPECIALS), min(len(SPECIALS) + top, len(corpus.vocabulary)))),
            counts, strict=False,
        )
    ]  # fmt: skip
    reached = np.cumsum(counts)
    return CorpusStats(
        lines=corpus.lines,
        tokens=corpus.tokens,
        types=len(counts),
        once=int((counts == 1).sum()),
        characters=corpus.characters,
        bytes=corpus.bytes,
        empty_lines=int((lengths == 0).sum()),
        longest_line=int(lengths.max(initial=0)),
        growth=_growth(corpus),
        coverage=[(size, float(reached[size - 1]) / corpus.tokens) for size in _round_numbers(len(counts), 100)],
        frequent=frequent,
    )


def _round_numbers(last: int, first: int) -> list[int]:
    """100, 200, 500, 1000, … below `last`, and `last`."""
    scales = (10**power for power in range(len(str(last)) + 1))
    found = [step * scale for scale in scales for step in _STEPS if first <= step * scale < last]
    return [*found, last] if last else []


def _growth(corpus: EncodedCorpus) -> list[tuple[int, int]]:
    first = np.full(len(corpus.vocabulary), corpus.tokens, np.int64)
    words.first_occurrences(np.asarray(corpus.ids), first)
    first = np.sort(first[len(SPECIALS) :])
    return [(size, int(np.searchsorted(first, size))) for size in _round_numbers(corpus.tokens, 100)]


def unknown_words(corpus: EncodedCorpus, known: Vocabulary, examples: int = 10) -> Unknown:
    """What of a corpus is not in the vocabulary `known`."""
    listed = corpus.vocabulary.words()[len(SPECIALS) :]
    counts = corpus.vocabulary.counts[len(SPECIALS) :]
    missing = known.ids(listed) == 0
    tokens = int(counts[missing].sum())
    shown = np.flatnonzero(missing)[:examples].tolist()
    return Unknown(
        types=int(missing.sum()),
        tokens=tokens,
        type_rate=float(missing.mean()) if len(missing) else 0.0,
        token_rate=tokens / corpus.tokens,
        examples=[(listed[i], int(counts[i])) for i in shown],
    )


def zipf_plot(corpus: EncodedCorpus, path: Path) -> None:
    """Draw counts by rank on logarithmic axes, beside Zipf's 1 / rank; the format is that of the file's ending.

    Raises:
        MissingExtraError: matplotlib is not installed.
        UsageError: an ending that is no kind of picture.
        DataError: a corpus without a word.
    """
    check_plot(path)
    counts = corpus.vocabulary.counts[len(SPECIALS) :]
    if len(counts) == 0:
        raise DataError("there is no word in the corpus to plot.")
    ranks = np.unique(np.geomspace(1, len(counts), 400).astype(np.int64))
    with drawing(path) as axes:
        axes.loglog(ranks, counts[ranks - 1], label="this corpus")
        axes.loglog(ranks, counts[0] / ranks, "--", color="grey", label="1 / rank")
        title = f"{corpus.tokens:,} tokens, {len(counts):,} types"
        axes.set(xlabel="rank of the word", ylabel="occurrences", title=title)
        axes.legend(frameon=False)
