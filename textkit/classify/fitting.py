"""From labelled documents to the embedding: choose what to hold out, make features, train a head."""

import time
from pathlib import Path

import numpy as np

from ..errors import DataError
from ..progress import Reporter, silent
from .config import ClassifierConfig
from .data import LabelledCorpus
from .features import Features
from .parts import Parts
from .splits import held_out, to_train_on
from .starting import from_model, from_vectors
from .training import Trainer

_USUAL = 0.1  # share of documents to choose an epoch on
_MOST_HELD = 2_000  # of them
_FEWEST_HELD = 20
_FEWEST_CHOOSING = 200  # fewer choose worse than the last of the usual epochs is


def fit_embedding(
    data: LabelledCorpus,
    config: ClassifierConfig,
    rows: np.ndarray | None = None,
    held: np.ndarray | None = None,
    progress: Reporter = silent,
    threads: int | None = None,
    base: Parts | None = None,
    vectors: Path | None = None,
) -> Parts:
    """The parts of a classifier with an `EmbeddingHead`.

    Args:
        base: a model to train on; `data` was read with its labels in advance.
        vectors: a file of vectors to begin with.
    """
    began = time.monotonic()
    if held is None and rows is None:
        documents, held = _split(data, config)
    else:
        documents = to_train_on(data, rows, held)
    if len(documents) == 0:
        raise DataError("there is no document to train on.")
    config = config.for_documents(len(documents))
    features = Features.fit(data.text, documents, config.features, threads)
    start = None
    if base is not None:
        start = from_model(base, features, data.labels.names)
    elif vectors is not None:
        start = from_vectors(features, vectors, config)
    features = start.features if start else features
    trainer = Trainer(data, features, config, documents, held, threads, start.begin if start else None)
    head = trainer.run(progress)
    report = {
        "documents": len(documents),
        "held_out": 0 if held is None else len(held),
        "words": trainer.source.words,
        "features": len(features),
        "rate": config.rate * trainer.rate_scale,
        "history": trainer.history,
        "complaints": [*(start.remarks if start else []), *trainer.complaints],
        "seconds": round(time.monotonic() - began, 3),
    }
    counts = trainer.objective.counts.copy()
    if base is not None:
        counts[: len(base.label_counts)] += base.label_counts
    return Parts(list(data.labels.names), counts, data.text.tokenizer, features, head, config, None, report)


def _split(data: LabelledCorpus, config: ClassifierConfig) -> tuple[np.ndarray, np.ndarray | None]:
    """All documents in two: to train on, and to choose an epoch on."""
    share, count = config.validation, len(data)
    if share is None:
        share = min(_USUAL, _MOST_HELD / max(count, 1))
        fewest = _FEWEST_CHOOSING if config.epochs is None else _FEWEST_HELD
        share = share if share * count >= fewest else 0.0
    if share == 0 or config.epochs == 1:
        return np.arange(count), None
    return held_out(data, share, config.seed)
