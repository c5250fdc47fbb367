"""Work that grows with documents times labels: how long it will take, and which options take less."""

from .config import ClassifierConfig
from .data import LabelledCorpus
from .embedding import searching
from .parts import Head

MANY = 1 << 31  # pairs of document and label in an epoch from which on a loss over all labels is not sensible
_TRAINING, _TESTING = 8e-9, 60e-9  # seconds a pair of document and label: an epoch, a test
_ASCENT = 2e-7  # seconds a word and label: all passes at all costs of a linear model
_DIMENSIONS, _TOLD = 16, 60.0  # numbers of a vector that a step takes together; seconds from which on it is told


def loss_for(labels: int, documents: int, several: bool) -> str:
    """The usual loss of an embedding: over all labels where these are not too many.

    Args:
        several: documents have several labels.
    """
    many = labels * documents > MANY
    return ("ns" if many else "ova") if several else ("hs" if many else "softmax")


def training_note(data: LabelledCorpus, config: ClassifierConfig) -> str | None:
    """What to say before a training that is going to take long for its many labels, or None."""
    labels, documents = len(data.labels), len(data)
    if config.model == "linear":
        seconds, better = _ASCENT * data.text.tokens * labels, "--model embedding"
    elif config.model == "embedding" and (config.loss or loss_for(1, 1, data.multilabel)) in ("softmax", "ova"):
        epochs = config.for_documents(documents).epochs or 1
        seconds = _TRAINING * epochs * documents * labels * max(1, config.dim / _DIMENSIONS)
        better = "--loss ns" if data.multilabel else "--loss hs (or ns)"
    else:
        return None
    if seconds < _TOLD:
        return None
    return (
        f"each of {documents:,} documents is compared with all of {labels:,} labels: about {_minutes(seconds)} of a "
        f"core for training. {better} takes far less."
    )


def testing_note(head: Head, documents: int) -> str | None:
    """The same before a test."""
    labels, seconds = head.labels, _TESTING * documents * head.labels
    if seconds < _TOLD or searching(head):
        return None
    return (
        f"{documents:,} documents times {labels:,} labels are about {_minutes(seconds)} of a core. A part of the "
        "documents would do (textkit corpus sample), or a model that was trained with --loss hs."
    )


def _minutes(seconds: float) -> str:
    return f"{seconds / 60:,.0f} minutes" if seconds < 7200 else f"{seconds / 3600:,.0f} hours"
