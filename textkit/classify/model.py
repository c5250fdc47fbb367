"""The classifier: text in, labels with probabilities out."""

import itertools
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, fields
from pathlib import Path
from typing import Any

import numpy as np

from .. import __version__, files
from ..errors import DataError, UsageError
from ..formats.fasttext import is_fasttext
from ..progress import Reporter, silent
from ..text.corpus import EncodedCorpus, encode_corpus
from ..text.reader import Lines
from ..text.tokenizer import Tokenizer
from ..text.vocabulary import Vocabulary
from .calibration import Calibration
from .config import ClassifierConfig
from .data import LabelledCorpus, from_memory, read_labelled
from .embedding import EmbeddingHead
from .features import Features
from .foreign import read_classifier
from .form import InputForm
from .hashed import HashedFeatures
from .labelling import Ragged
from .linear import LinearHead
from .matrix_head import MatrixHead
from .parts import Head, Parts
from .small_linear import SmallLinearHead
from .starting import settings_for
from .train import trained

KIND = "classifier"
FORMAT_VERSION = 1

Prediction = list[tuple[str, float]]


@dataclass
class Classifier(Parts):
    """A trained model that can be asked and kept."""

    def __post_init__(self) -> None:
        self.head.temperature = self.calibrated_by.temperature

    @classmethod
    def of(cls, parts: Parts) -> "Classifier":
        """The model of these parts."""
        return cls(**{field.name: getattr(parts, field.name) for field in fields(parts)})

    @property
    def calibrated_by(self) -> Calibration:
        """The calibration; one that does nothing if the model has none. Raises DataError if it is damaged."""
        return Calibration.from_dict(self.calibration, len(self.labels))

    # --- training and keeping -------------------------------------------------------------------------------

    @classmethod
    def train(
        cls,
        source: str | Path | Sequence[str | Path] | LabelledCorpus | Iterable[tuple[str, Any]],
        *,
        tokenizer: Tokenizer | str = "word",
        form: InputForm | None = None,
        threads: int | None = None,
        progress: Reporter = silent,
        base: "Classifier | None" = None,
        vectors: str | Path | None = None,
        **settings: Any,
    ) -> "Classifier":
        """Train on labelled text.

        Args:
            source: a file or files (see `read_labelled`), pairs of a text and its label or labels, or a corpus.
            base: a model to train on, with new words and labels; its tokenizer and settings hold.
            vectors: a file of word vectors in any format to begin with; `dim` must be theirs.
            settings: those of `ClassifierConfig`.

        Raises:
            UsageError: an impossible setting. DataError: text that cannot be used.
        """
        config = settings_for(base, settings) if base else ClassifierConfig().with_(**settings)
        splitter = Tokenizer(tokenizer) if isinstance(tokenizer, str) else tokenizer
        splitter, labels = (base.tokenizer, base.labels) if base else (splitter, None)
        data = _labelled(source, splitter, form or InputForm(), config, labels, threads, progress)
        path = None if vectors is None else Path(vectors)
        return cls.train_on(data, config, threads=threads, progress=progress, base=base, vectors=path)

    @classmethod
    def train_on(
        cls,
        data: LabelledCorpus,
        config: ClassifierConfig,
        rows: np.ndarray | None = None,
        held: np.ndarray | None = None,
        progress: Reporter = silent,
        threads: int | None = None,
        base: "Classifier | None" = None,
        vectors: Path | None = None,
    ) -> "Classifier":
        """Train on documents that are read already.

        Args:
            rows: int64, numbers of the documents to train on; all (but the held-out ones) if None.
            held: documents to choose the best epoch on; by default a share of them, see `config.validation`.
            base: a model to train on; `data` must have been read with its labels given in advance, and `config` must
                have its features, see `starting.settings_for`.
            vectors: a file of word vectors in any format to begin with; their words join the vocabulary.
        """
        return cls.of(trained(data, config, rows, held, progress, threads, base, vectors))

    @property
    def signature(self) -> str:
        """What predictions depend on, in one line."""
        config, head = self.config, self.head
        how = f"{head.kind}|loss:{head.loss}|ngrams:{config.word_ngrams}|labels:{len(self.labels)}"
        return f"{self.tokenizer.signature}|classifier:{how}|v:{__version__}"

    def container(self) -> tuple[str, dict[str, Any], dict[str, np.ndarray]]:
        """(kind, header, arrays) of the file that `save` writes."""
        names, label_ends = _packed(self.labels)
        arrays = {"labels.names": names, "labels.ends": label_ends, "labels.counts": self.label_counts}
        header = {
            "format_version": FORMAT_VERSION,
            "version": __version__,
            "signature": self.signature,
            "tokenizer": self.tokenizer.settings(),
            "config": self.config.settings(),
            "head": self.head.settings(),
            "calibration": self.calibration,
            "report": self.report,
        }
        return KIND, header, {**arrays, **self.features.arrays(), **self.head.arrays()}

    def save(self, path: str | Path) -> None:
        """Write one container."""
        files.save(path, *self.container())

    @classmethod
    def load(cls, path: str | Path) -> "Classifier":
        """Open a model by memory map: textkit's own, or one of fastText (.bin, .ftz).

        Raises:
            DataError: missing, damaged, or in no known format.
        """
        if not files.is_container(path) and is_fasttext(path):
            return cls.of(read_classifier(path))
        container = files.load(path, KIND)
        return cls.from_container(container.header, container.arrays, path)

    @classmethod
    def from_container(
        cls, header: dict[str, Any], arrays: dict[str, np.ndarray], name: object = "the model"
    ) -> "Classifier":
        """The inverse of `container`; `name` is for messages. Raises DataError where it makes no sense."""
        if header.get("format_version") != FORMAT_VERSION:
            raise DataError(f"{name} has format {header.get('format_version')}, this textkit reads {FORMAT_VERSION}.")
        try:
            config = ClassifierConfig.from_settings(header["config"])
            tokenizer = Tokenizer.from_settings(header["tokenizer"])
            labels = _unpacked(arrays["labels.names"], arrays["labels.ends"])
            features: Features | HashedFeatures
            if "hashed.own" in arrays:
                features = HashedFeatures.from_arrays(arrays, name)
            else:
                features = Features.from_arrays(arrays, config.features, name)
            head = head_from_arrays(arrays, header["head"], len(features))
            counts, calibration, report = arrays["labels.counts"], header["calibration"], header["report"]
        except (KeyError, TypeError, ValueError, UsageError) as error:
            raise DataError(f"{name} is damaged: it lacks or spoils {error}.") from None
        if not len(labels) == head.labels == len(counts):
            raise DataError(f"{name} is damaged: its labels do not fit its weights.")
        return cls(labels, counts, tokenizer, features, head, config, calibration, report)

    def __reduce__(self) -> tuple[Any, ...]:
        """Pickled as what `save` writes; arrays that come back read-only are copied, for kernels take no such."""
        _, header, arrays = self.container()
        return _unpickled, (header, arrays)

    # --- asking ---------------------------------------------------------------------------------------------

    @property
    def vocabulary(self) -> Vocabulary:
        """The words that have rows."""
        return self.features.vocabulary

    def encoded(self, texts: Iterable[str], threads: int | None = None) -> EncodedCorpus:
        """Texts, one document each, as numbers; newlines in them only separate words."""
        lines = list(texts)
        if not any(text.strip() for text in lines):  # nothing that could be a token, which is an error elsewhere
            offsets = np.zeros(len(lines) + 1, np.int64)
            return EncodedCorpus(np.zeros(0, np.int32), offsets, self.vocabulary, self.tokenizer, 0, 0)
        vocabulary = None if self.features.open else self.vocabulary
        return encode_corpus(Lines(lines), self.tokenizer, vocabulary=vocabulary, threads=threads)

    def encode(self, texts: Iterable[str], threads: int | None = None) -> Ragged:
        """The features of each text."""
        return self.features.bags(self.encoded(texts, threads), threads=threads)

    def logits(self, bags: Ragged, threads: int | None = None) -> np.ndarray:
        """The score of each document and label, float32 (L, C)."""
        return self.head.logits(bags, threads)

    def probabilities(self, bags: Ragged, threads: int | None = None) -> np.ndarray:
        """Probabilities, float32 (L, C), calibrated where the model is."""
        return self.head.probabilities(self.logits(bags, threads))

    def predict(
        self, text: str | Iterable[str], k: int = 1, threshold: float = 0.0, threads: int | None = None
    ) -> Prediction | list[Prediction]:
        """The best labels with their probabilities of a text, or of each of several.

        Args:
            k: at most so many, -1 for all.
            threshold: none less probable.
        """
        if isinstance(text, str):
            return self.predict_many([text], k, threshold, threads)[0]
        return self.predict_many(text, k, threshold, threads)

    def predict_many(
        self, texts: Iterable[str], k: int = 1, threshold: float = 0.0, threads: int | None = None
    ) -> list[Prediction]:
        """As `predict`, of several texts."""
        if k == 0 or k < -1:
            raise UsageError(f"k = {k} makes no sense.", "Give 1 or more, or -1 for all labels.")
        top = self.head.top(self.encode(texts, threads), k, threshold, threads)
        return [
            [(self.labels[i], p) for i, p in zip(ids[:n], ps[:n], strict=True)]
            for ids, ps, n in zip(top.ids.tolist(), top.p.tolist(), top.counts.tolist(), strict=True)
        ]


HEADS: dict[str, Any] = {head.kind: head for head in (EmbeddingHead, LinearHead, MatrixHead, SmallLinearHead)}


def head_from_arrays(arrays: dict[str, Any], settings: Any, rows: int) -> Head:
    """The head of a container. Raises DataError for an unknown kind or arrays that do not fit."""
    kind = settings.get("kind")
    if kind not in HEADS:
        raise DataError(f"the model's head is of the unknown kind '{kind}'.", "Was it made by a later textkit?")
    return HEADS[kind].from_arrays(arrays, settings, rows)


def _unpickled(header: dict[str, Any], arrays: dict[str, np.ndarray]) -> Classifier:
    plain = {name: a if type(a) is np.ndarray and a.flags.writeable else np.array(a) for name, a in arrays.items()}
    return Classifier.from_container(header, plain)


def _labelled(
    source: Any,
    tokenizer: Tokenizer,
    form: InputForm,
    config: ClassifierConfig,
    known: list[str] | None,
    threads: int | None,
    progress: Reporter,
) -> LabelledCorpus:
    """Whatever was given as labelled documents."""
    if isinstance(source, LabelledCorpus):
        return source
    if isinstance(source, str | Path):
        source = [source]
    items = list(source)
    if items and all(isinstance(item, str | Path) for item in items):
        return read_labelled(
            items, form, tokenizer, labels=known, min_count=config.min_count, threads=threads, progress=progress
        )
    texts, labels = [item[0] for item in items], [item[1] for item in items]
    return from_memory(texts, labels, tokenizer=tokenizer, known=known, min_count=config.min_count, threads=threads)


def _packed(names: list[str]) -> tuple[np.ndarray, np.ndarray]:
    """Strings as bytes one after the other, and where each ends."""
    encoded = [name.encode("utf-8", "surrogateescape") for name in names]
    ends = np.cumsum([0, *map(len, encoded)], dtype=np.int64)
    return np.frombuffer(b"".join(encoded), np.uint8), ends


def _unpacked(data: np.ndarray, ends: np.ndarray) -> list[str]:
    raw, edges = data.tobytes(), ends.tolist()
    if edges[-1] != len(raw) or sorted(edges) != edges:
        raise ValueError("its labels")
    return [raw[a:b].decode("utf-8", "surrogateescape") for a, b in itertools.pairwise(edges)]
