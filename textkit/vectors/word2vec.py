"""`Word2Vec.train`: from text to word vectors in one call."""

import json
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import numpy as np

from .. import files
from ..errors import UsageError
from ..progress import Reporter, silent
from ..text.corpus import EncodedCorpus, Text, count_vocabulary, encode_corpus
from ..text.reader import Lines, Reader
from ..text.tokenizer import Tokenizer
from ..text.vocabulary import SPECIALS, Vocabulary
from .config import Config
from .evaluation import score
from .model import WordVectors
from .training import Callback, Matrices, State, Trainer

Sentences = Iterable[str] | Iterable[list[str]]


class Word2Vec:
    """Trains word vectors; each way of calling gives a `WordVectors`."""

    @classmethod
    def train(
        cls,
        text: str | Path | Sentences | Text | EncodedCorpus,
        *,
        config: Config | None = None,
        tokenizer: Tokenizer | None = None,
        threads: int | None = None,
        progress: Reporter = silent,
        callback: Callback | None = None,
        **settings: Any,
    ) -> WordVectors:
        """Train on a file, on strings or lists of tokens, on a `Reader`, or on an encoded corpus.

        Args:
            config: all settings; or give single ones by name (`dim=200, window=8`), see `Config`.
            tokenizer: how to split text; white space where not given.
            callback: told the state of training some twenty times; True ends it.

        Raises:
            UsageError: settings that make no sense. DataError: text that cannot be used.
        """
        config = replace(config or Config(), **settings)
        if not isinstance(text, EncodedCorpus):
            tokenizer = tokenizer or Tokenizer("whitespace")
            text = encode_corpus(
                as_text(text), tokenizer, min_count=config.min_count, max_vocab=config.max_vocab, threads=threads,
                sparing=True, progress=progress,
            )  # fmt: skip
        trainer = Trainer(text, config, threads)
        trainer.run(progress, callback=callback)
        return finished(trainer)


def as_text(text: str | Path | Sentences | Text) -> Text:
    """What `encode_corpus` takes: a path is read as a file, lists of tokens become lines."""
    if isinstance(text, str | Path):
        return Reader([str(text)])
    if hasattr(text, "blocks"):
        return text  # type: ignore[return-value]
    return Lines(_Joined(text))  # type: ignore[arg-type]


class _Joined:
    """Lists of tokens as lines of text; restartable if they are."""

    def __init__(self, sentences: Sentences) -> None:
        self.sentences = sentences

    def __iter__(self) -> Any:
        return (s if isinstance(s, str) else " ".join(s) for s in self.sentences)


def finished(trainer: Trainer, training: bool = True) -> WordVectors:
    """The vectors of a trainer that has run, with what training on needs."""
    matrices, corpus, config = trainer.matrices, trainer.corpus, trainer.config
    assert matrices is not None
    dim = config.dim
    report = {
        "tokens": corpus.tokens,
        "lines": corpus.lines,
        "epochs": trainer.epochs,
        "words_trained": trainer.words_trained,
        "rate": trainer.rate,
        "history": trainer.history,
        "complaints": trainer.complaints,
    }
    with_ngrams = config.subwords is not None
    return WordVectors(
        corpus.vocabulary,
        matrices.words(trainer.units)[:, :dim],
        corpus.tokenizer,
        report,
        config,
        matrices.syn_out[:, :dim] if training else None,
        matrices.syn_in[:, :dim] if with_ngrams else None,
        matrices.buckets if with_ngrams else None,
        matrices.weights[:, :dim] if training and config.position_weights else None,
    )


def grown_vocabulary(
    model: WordVectors,
    text: Text,
    min_count: int,
    *,
    threads: int | None = None,
    progress: Reporter = silent,
) -> Vocabulary:
    """The model's words, in their places, and behind them the new ones of a text; counts are those of the text.

    A text that cannot be read twice must be encoded by the caller.
    """
    new = count_vocabulary(text, model.tokenizer, min_count=min_count, threads=threads, progress=progress)
    known = model.vocabulary.words()[len(SPECIALS) :]
    there = set(known)
    counts = dict(zip(new.words(), new.counts.tolist(), strict=True))
    added = [w for w in new.words()[len(SPECIALS) :] if w not in there]
    return Vocabulary.from_words([*known, *added], [counts.get(w, 0) for w in (*known, *added)])


def started_from(trainer: Trainer, model: WordVectors, freeze: bool = False) -> list[str]:
    """Give a trainer the vectors of a model before it runs: words by name, n-grams by bucket.

    Output vectors go over too where both were trained by negative sampling or softmax (the nodes of two Huffman trees
    are not the same).

    Args:
        freeze: the rows taken over stay as they are.

    Returns:
        What could not be taken over, for the user.

    Raises:
        UsageError: other dimensions.
    """
    matrices, dim = trainer.matrices, trainer.config.dim
    assert matrices is not None
    if model.dim != dim:
        raise UsageError(f"the vectors have {model.dim} dimensions, not {dim}.", f"Train with --dim {model.dim}.")
    words = trainer.corpus.vocabulary.words()[len(SPECIALS) :]
    numbers = model.vocabulary.ids(words)
    here = np.flatnonzero(numbers >= len(SPECIALS)) + len(SPECIALS)
    there = numbers[here - len(SPECIALS)]
    remarks = []
    source = model.vectors if model.rows is None or trainer.config.subwords is None else model.rows
    matrices.syn_in[here, :dim] = source[there]
    matrices.frozen[here] = freeze
    if source is model.rows and model.rows is not None and model.buckets is not None:
        _take_ngrams(matrices, model, freeze)
    if model.weights is not None and model.weights.shape == (len(matrices.weights), dim):
        matrices.weights[:, :dim] = model.weights
    kinds = {trainer.config.loss, model.config.loss if model.config else "none"}
    if model.output is not None and "hs" not in kinds:
        matrices.syn_out[here, :dim] = model.output[there]
    else:
        remarks.append("output vectors begin at zero: the model has none that fit.")
    if missing := len(words) - len(here):
        remarks.append(f"{missing:,} of {len(words):,} words are new.")
    return remarks


def _take_ngrams(matrices: Matrices, model: WordVectors, freeze: bool) -> None:
    assert model.rows is not None and model.buckets is not None
    _, ours, theirs = np.intersect1d(matrices.buckets, model.buckets, assume_unique=True, return_indices=True)
    first = len(matrices.syn_in) - len(matrices.buckets)
    matrices.syn_in[first + ours, : matrices.dim] = model.rows[len(model.vocabulary) + theirs]
    matrices.frozen[first + ours] = freeze


@dataclass
class Watcher:
    """A callback that evaluates during training and stops when nothing gets better.

    Args:
        evaluate: files of analogies or word pairs; their mean score counts.
        patience: how many measurements without a better score end the training; None to go on.
    """

    trainer: Trainer
    evaluate: Sequence[Path]
    patience: int | None = None

    def __post_init__(self) -> None:
        self.best, self.since = -1.0, 0
        if self.patience is not None and (self.patience < 1 or not self.evaluate):
            raise UsageError(
                "--patience needs --evaluate and at least 1.", "An example: --evaluate pairs.txt --patience 3"
            )

    def __call__(self, state: State) -> bool:
        self.trainer.words_trained = state.words
        model = finished(self.trainer, training=False)
        scores = {Path(path).stem: score(model, path) for path in self.evaluate}
        self.trainer.history[-1] |= scores
        mean = float(np.nan_to_num(list(scores.values())).mean())
        self.since = 0 if mean > self.best else self.since + 1
        self.best = max(self.best, mean)
        return self.patience is not None and self.since >= self.patience


def write_log(model: WordVectors, path: Path) -> None:
    """Settings and course of a training as JSON."""
    log = {"signature": model.signature, "config": model.config.settings() if model.config else None, **model.report}
    with files.atomic_write(path) as stream:
        stream.write(json.dumps(log, ensure_ascii=False, indent=1).encode() + b"\n")
