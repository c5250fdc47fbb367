"""Phrases: neighbouring words that occur together more often than chance has it, joined to one token."""

from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np

from ..errors import UsageError
from ..kernels import phrases as kernels
from ..text.corpus import EncodedCorpus
from ..text.vocabulary import SPECIALS, Vocabulary

SCORES = ("count", "npmi")
THRESHOLDS = {"count": 100.0, "npmi": 0.5}
_BLOCK = 1 << 22


@dataclass(frozen=True)
class PhraseConfig:
    """What makes two words a phrase.

    Args:
        score: "count" for (count(a b) - min_count) / (count(a) count(b)) * words, as word2phrase has it; "npmi" for
            normalised pointwise mutual information, from -1 to 1 (Bouma 2009).
        threshold: the score that joins; 100 for "count" and 0.5 for "npmi" if not given.
        min_count: pairs, and words in them, that are rarer are left alone.
        passes: a phrase of the first pass can become part of a longer one in the second, and so on.
        joiner: what stands between the words of a phrase.

    Raises:
        UsageError: an unknown score or an impossible number.
    """

    score: str = "count"
    threshold: float | None = None
    min_count: int = 5
    passes: int = 1
    joiner: str = "_"

    def __post_init__(self) -> None:
        if self.score not in SCORES:
            raise UsageError(f"unknown score '{self.score}'.", f"Choose one of {', '.join(SCORES)}.")
        if not (1 <= self.passes <= 10 and self.min_count >= 1):
            raise UsageError(
                f"--passes {self.passes} with --min-count {self.min_count} makes no sense.",
                "1 to 10 passes, 1 or more.",
            )
        if not self.joiner or any(c.isspace() for c in self.joiner):
            raise UsageError(f"the joiner {self.joiner!r} is empty or has blanks in it.", "An underscore is usual.")

    @property
    def limit(self) -> float:
        return THRESHOLDS[self.score] if self.threshold is None else self.threshold


@dataclass
class Phrases:
    """The phrases of one pass, the highest score first.

    Attributes:
        pairs: int32 (P, 2), ids of the two words.
        counts: int64 (P,), how often they stand together; scores: float64 (P,).
        words: the phrases, joined.
    """

    pairs: np.ndarray
    counts: np.ndarray
    scores: np.ndarray
    words: list[str]


def find_phrases(corpus: EncodedCorpus, config: PhraseConfig) -> Phrases:
    """Score all neighbouring words of a corpus. Memory grows with the number of different pairs."""
    vocabulary, size = corpus.vocabulary, len(corpus.vocabulary)
    keys, counts = _pair_counts(corpus, size)
    first, second = keys // size, keys % size
    frequent = vocabulary.counts >= config.min_count
    frequent[: len(SPECIALS)] = False
    kept = (counts >= config.min_count) & frequent[first] & frequent[second]
    first, second, counts = first[kept], second[kept], counts[kept]
    total = float(vocabulary.counts[len(SPECIALS) :].sum())
    each = vocabulary.counts.astype(np.float64)
    if config.score == "count":
        scores = (counts - config.min_count) / (each[first] * each[second]) * total
    else:
        joint = counts / total
        with np.errstate(divide="ignore", invalid="ignore"):
            scores = np.log(joint * total * total / (each[first] * each[second])) / -np.log(joint)
        scores = np.nan_to_num(scores, nan=1.0, posinf=1.0)
    joined = scores > config.limit
    order = np.flatnonzero(joined)[np.lexsort((-counts[joined], -scores[joined]))]
    pairs = np.stack([first[order], second[order]], axis=1).astype(np.int32)
    names = vocabulary.words()
    words = [f"{names[a]}{config.joiner}{names[b]}" for a, b in pairs.tolist()]
    return Phrases(pairs, counts[order], scores[order], words)


def _pair_counts(corpus: EncodedCorpus, size: int) -> tuple[np.ndarray, np.ndarray]:
    """Keys first * size + second of all neighbouring words in lines, ascending, and how often each occurs."""
    ids, starts = corpus.ids, corpus.offsets[1:-1]
    parts = []
    for a in range(0, max(len(ids) - 1, 0), _BLOCK):
        b = min(a + _BLOCK, len(ids) - 1)
        keys = ids[a:b].astype(np.int64) * size + ids[a + 1 : b + 1]
        inside = np.ones(b - a, bool)
        ends = starts[(starts > a) & (starts <= b)] - a - 1
        inside[ends] = False
        parts.append(np.unique(keys[inside], return_counts=True))
        if len(parts) > 16:
            parts = [_merged(parts)]
    return _merged(parts)


def _merged(parts: list[tuple[np.ndarray, np.ndarray]]) -> tuple[np.ndarray, np.ndarray]:
    if not parts:
        return np.zeros(0, np.int64), np.zeros(0, np.int64)
    keys, where = np.unique(np.concatenate([k for k, _ in parts]), return_inverse=True)
    counts = np.zeros(len(keys), np.int64)
    np.add.at(counts, where, np.concatenate([c for _, c in parts]))
    return keys, counts


def join_phrases(corpus: EncodedCorpus, phrases: Phrases) -> EncodedCorpus:
    """The corpus with its phrases as single tokens, each joined pair from left to right in every line.

    A word or phrase that is in the vocabulary already keeps its id.
    """
    vocabulary = corpus.vocabulary
    known = vocabulary.ids(phrases.words)
    new = [w for w, n in zip(phrases.words, known.tolist(), strict=True) if n == 0]
    listed = list(dict.fromkeys(new))
    grown = Vocabulary.from_words([*vocabulary.words()[len(SPECIALS) :], *listed])
    numbers = grown.ids(phrases.words).astype(np.int32)
    keys = phrases.pairs[:, 0].astype(np.int64) * len(vocabulary) + phrases.pairs[:, 1]
    order = np.argsort(keys)
    ids, offsets = np.empty(len(corpus.ids), np.int32), np.empty(len(corpus.offsets), np.int64)
    size = kernels.join_pairs(
        corpus.ids, corpus.offsets, keys[order], numbers[order], np.int64(len(vocabulary)), ids, offsets
    )
    ids = ids[:size]
    grown.counts[:] = np.bincount(ids, minlength=len(grown))
    return EncodedCorpus(ids, offsets, grown, corpus.tokenizer, corpus.characters, corpus.bytes)


def with_phrases(corpus: EncodedCorpus, config: PhraseConfig) -> tuple[EncodedCorpus, list[Phrases]]:
    """All passes; ends early where one finds nothing."""
    passes = []
    for _ in range(config.passes):
        found = find_phrases(corpus, config)
        if not found.words:
            break
        passes.append(found)
        corpus = join_phrases(corpus, found)
    return corpus, passes


def lines_of(corpus: EncodedCorpus) -> Iterator[bytes]:
    """The corpus as lines of tokens set apart by spaces."""
    words = [w.encode("utf-8", "surrogateescape") for w in corpus.vocabulary.words()]
    for number in range(corpus.lines):
        yield b" ".join([words[i] for i in corpus.line(number).tolist()]) + b"\n"
