"""Word vectors from fastText's .bin files, with the n-grams that unseen words are made of."""

from pathlib import Path
from typing import Any

import numpy as np

from ..formats import fasttext
from ..formats.hashing import word_vectors
from ..formats.matrices import Picked
from ..text.vocabulary import SPECIALS, Vocabulary
from .config import LARGEST_DIM, LARGEST_WINDOW, LOSSES, MODELS, Config

LARGEST = 1 << 20  # as many epochs, or as small a count, as a file may ask for


def read_fasttext(path: str | Path) -> dict[str, Any]:
    """What a `WordVectors` is made of, from a fastText model: words with their vectors, rows of n-grams.

    Vectors of words are computed here; all other rows stay in the file until they are asked for.

    Raises:
        DataError: a damaged file, or vectors that are not finite.
    """
    model = fasttext.read(path)
    names = [word.decode("utf-8", "surrogateescape") for word in model.entries.words_only()]
    ordinary = [i for i, name in enumerate(names) if name not in SPECIALS]
    vocabulary = Vocabulary.from_words([names[i] for i in ordinary], model.entries.counts[ordinary].tolist())
    numbers = np.full(len(vocabulary), -1, np.int32)
    numbers[len(SPECIALS) :] = ordinary
    for row, special in enumerate(SPECIALS):
        if special in names:
            numbers[row] = names.index(special)
            vocabulary.counts[row] = model.entries.counts[numbers[row]]
    composed = word_vectors(model)
    vectors = composed[np.maximum(numbers, 0)] if len(composed) else np.zeros((len(numbers), model.settings.dim), "f4")
    vectors[numbers < 0] = 0
    found: dict[str, Any] = {"vocabulary": vocabulary, "vectors": vectors, "config": _config(model.settings)}
    found["report"] = {"source": str(path), "tokens": model.tokens, "history": []}
    if not model.supervised and model.settings.loss != "hs":  # the nodes of another tree would be of no use
        found["output"] = Picked(model.output, numbers)
    if found["config"].subwords:
        found["buckets"], places = _buckets(model)
        found["rows"] = Picked(model.input, np.concatenate([numbers, (model.entries.words + places).astype(np.int32)]))
    return found


def _buckets(model: fasttext.FastText) -> tuple[np.ndarray, np.ndarray]:
    """Buckets that have rows, int64 ascending, and their rows behind those of the words."""
    if model.kept is None:
        every = np.arange(model.settings.buckets)
        return every, every
    buckets, first = np.unique(model.kept[:, 0], return_index=True)
    return buckets.astype(np.int64), model.kept[first, 1]


def _config(settings: fasttext.Settings) -> Config:
    """The nearest settings there are here."""

    def bounded(value: int, most: int) -> int:
        return min(max(value, 1), most)

    longest = settings.longest
    subwords = (max(settings.shortest, 1), min(longest, 100)) if longest >= max(settings.shortest, 1) else None
    return Config.like(
        "fasttext",
        model=settings.model if settings.model in MODELS else "cbow",
        loss=settings.loss if settings.loss in LOSSES else "ns",
        dim=bounded(settings.dim, LARGEST_DIM),
        window=bounded(settings.window, LARGEST_WINDOW),
        epochs=bounded(settings.epochs, LARGEST // 2),
        min_count=bounded(settings.min_count, LARGEST),
        negatives=bounded(settings.negatives, 10_000),
        sample=settings.sample if 0 <= settings.sample < 1 else 0.0,
        subwords=subwords,
        buckets=max(settings.buckets, 1),
    )
