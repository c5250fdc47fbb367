"""Word vectors: words, their vectors, and what one asks of them."""

import difflib
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field, replace
from functools import cached_property
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from .. import __version__, files
from ..errors import DataError, UsageError
from ..parallel import ordered_map, split_evenly, thread_count
from ..text.subwords import Ngrams
from ..text.tokenizer import Tokenizer
from ..text.vocabulary import SPECIALS, UNK, Vocabulary
from .config import Config

if TYPE_CHECKING:
    from ..formats.matrices import Picked

KIND = "vectors"
FORMAT_VERSION = 1
STORAGES = ("float32", "float16", "int8")
_ROWS, _FEWEST_ROWS = 1 << 15, 1 << 10  # rows whose similarities are computed at a time
_COSINES = 1 << 22  # similarities at a time, so that of many queries they do not fill the memory
_SAVED = 1 << 12  # rows written at a time
_NEAR_SPELLINGS = 3

Neighbour = tuple[str, float]


@dataclass
class WordVectors:
    """Words with a vector each.

    Attributes:
        vocabulary: the words; <unk>, <s> and </s> come first and have rows of zeros where they have no vector.
        vectors: float32 (V, D), memory-mapped where they come from a file of textkit.
        tokenizer: how the training text was split, and how `sentence` splits.
        report: how they came about.
        config: the settings of their training, or None.
        output: float32 (V, D), the other matrix, for training on; None where it was not kept.
        rows: float32 (V + B, D), for subword models: rows of words and of n-grams that occurred. Of fastText's models
            this and `output` stay in the file.
        buckets: int64 (B,), ascending, which n-grams those are.
        weights: float32 (2 window, D), of places in the window of CBOW, for training on; None where there are none.
    """

    vocabulary: Vocabulary
    vectors: np.ndarray
    tokenizer: Tokenizer = field(default_factory=lambda: Tokenizer("whitespace"))
    report: dict[str, Any] = field(default_factory=dict)
    config: Config | None = None
    output: "np.ndarray | Picked | None" = None
    rows: "np.ndarray | Picked | None" = None
    buckets: np.ndarray | None = None
    weights: np.ndarray | None = None

    # --- making and keeping -----------------------------------------------------------------------------

    @classmethod
    def from_words(cls, words: Sequence[str], vectors: np.ndarray, **more: Any) -> "WordVectors":
        """Vectors (n, D) of n words, in this order; of a word given twice the first counts.

        Raises:
            DataError: no word, or numbers that are not finite.
        """
        first = {word: i for i, word in reversed(list(enumerate(words)))}
        ordinary = sorted(i for word, i in first.items() if word not in SPECIALS and word)
        if not first:
            raise DataError("there is no word vector in the input.")
        vocabulary = Vocabulary.from_words([words[i] for i in ordinary])
        matrix = np.zeros((len(vocabulary), vectors.shape[1]), np.float32)
        matrix[len(SPECIALS) :] = vectors[ordinary]
        for row, word in enumerate(SPECIALS):
            if word in first:
                matrix[row] = vectors[first[word]]
        if not np.isfinite(matrix).all():
            bad = vocabulary.word(int(np.flatnonzero(~np.isfinite(matrix).all(1))[0]))
            raise DataError(f"the vector of '{bad}' has numbers that are not finite.", "Is the file damaged?")
        return cls(vocabulary, matrix, **more)

    def trained_on(self, **settings: Any) -> Config:
        """How to train these vectors on: as they were trained, without a limit of time, but for these settings."""
        before = replace(self.config or Config(), dim=self.dim, budget=None)
        return replace(before, **settings)

    @property
    def signature(self) -> str:
        """What the vectors depend on, in one line."""
        config = self.config
        how = "imported" if config is None else f"{config.model}|loss:{config.loss}|window:{config.window}"
        return f"{self.tokenizer.signature}|vectors:{how}|dim:{self.dim}|v:{__version__}"

    def save(self, path: str | Path, storage: str = "float32", training: bool = True) -> float:
        """Write one container.

        Args:
            storage: "float32", "float16" (half the size) or "int8" (a quarter; each vector scaled by its largest
                number).
            training: keep what training on needs: output vectors, rows of n-grams.

        Returns:
            The mean cosine between vectors as they are and as stored: 1 where nothing is lost.

        Raises:
            UsageError: unknown storage.
        """
        if storage not in STORAGES:
            raise UsageError(f"unknown storage '{storage}'.", f"Choose one of {', '.join(STORAGES)}.")
        arrays: dict[str, Any] = {**_stored("vectors", self.vectors, storage), **self.vocabulary.arrays()}
        if self.rows is not None and self.buckets is not None:
            arrays |= {**_stored("rows", self.rows, storage), "buckets": self.buckets}
        if training and self.output is not None:
            arrays |= _stored("output", self.output, storage)
        if training and self.weights is not None:
            arrays["weights"] = np.ascontiguousarray(self.weights)
        header = {
            "format_version": FORMAT_VERSION,
            "version": __version__,
            "signature": self.signature,
            "tokenizer": self.tokenizer.settings(),
            "config": self.config.settings() if self.config else None,
            "report": self.report,
        }
        files.save(path, KIND, header, arrays)
        return 1.0 if storage == "float32" else _kept(self.vectors, _restored(arrays, "vectors"))

    @classmethod
    def load(cls, path: str | Path, layout: str = "auto") -> "WordVectors":
        """Open vectors: textkit's own by memory map, or any format of `formats.vectors`.

        Args:
            layout: which, where the file itself does not show it; see `formats.vectors.LAYOUTS`.

        Raises:
            DataError: missing, damaged, or in no known format.
        """
        path = Path(path)
        if files.is_container(path):
            return cls._from_container(files.load(path, KIND))
        from ..formats import vectors as formats
        from ..formats.fasttext import is_fasttext

        if layout == "fasttext" or (layout == "auto" and is_fasttext(path)):
            from .foreign import read_fasttext

            return cls(**read_fasttext(path))
        words, matrix = formats.read(path, layout)
        return cls.from_words(words, matrix, report={"source": str(path)})

    @classmethod
    def _from_container(cls, container: files.Container) -> "WordVectors":
        header, arrays, path = container.header, container.arrays, container.path
        if header.get("format_version") != FORMAT_VERSION:
            raise DataError(
                f"{path} has vector format {header.get('format_version')}, this textkit reads {FORMAT_VERSION}.",
                "Train them again, or use the version of textkit that wrote them.",
            )
        vocabulary = Vocabulary.from_arrays(arrays, path)
        try:
            config = Config.from_settings(header["config"]) if header.get("config") else None
            model = cls(
                vocabulary,
                _restored(arrays, "vectors"),
                Tokenizer.from_settings(header["tokenizer"]),
                dict(header["report"]),
                config,
                _restored(arrays, "output") if _has(arrays, "output") else None,
                _restored(arrays, "rows") if _has(arrays, "rows") else None,
                arrays.get("buckets"),
                _restored(arrays, "weights") if _has(arrays, "weights") else None,
            )
        except (KeyError, TypeError, ValueError, UsageError) as error:
            raise DataError(f"{path} is damaged: its header or arrays lack or spoil {error}.") from None
        model._check(str(path))
        return model

    def _check(self, path: str) -> None:
        """Refuse arrays that do not fit together."""
        size, dim = len(self.vocabulary), self.vectors.shape[-1]
        fits = self.vectors.shape == (size, dim) and dim > 0
        fits = fits and (self.output is None or self.output.shape == (size, dim))
        fits = fits and (self.weights is None or self.weights.shape[1] == dim)
        fits = fits and ((self.rows is None) == (self.buckets is None))
        if self.rows is not None and self.buckets is not None:
            fits = fits and self.rows.shape == (size + len(self.buckets), dim) and self.buckets.dtype == np.int64
            fits = fits and self.config is not None and self.config.subwords is not None
            fits = fits and bool((np.diff(self.buckets) > 0).all())
        if not fits:
            raise DataError(f"{path} is damaged: its arrays do not fit together.")

    def first(self, top: int | None) -> "WordVectors":
        """The most frequent words alone, for use; all of them if None."""
        if top is None:
            return self
        kept = np.concatenate([np.arange(len(SPECIALS)), self.numbers[self.numbers >= len(SPECIALS)][:top]])
        subset = self.vocabulary.subset(kept)
        return WordVectors(subset, self.vectors[kept], self.tokenizer, self.report, self.config)

    # --- words and vectors ------------------------------------------------------------------------------

    @property
    def dim(self) -> int:
        return int(self.vectors.shape[1])

    def __len__(self) -> int:
        return len(self.numbers)

    @cached_property
    def numbers(self) -> np.ndarray:
        """Rows that belong to words, int64: all but specials without a vector."""
        first = np.flatnonzero(self.vectors[: len(SPECIALS)].any(1))
        return np.concatenate([first, np.arange(len(SPECIALS), len(self.vocabulary))])

    @cached_property
    def words(self) -> list[str]:
        """All words that have a vector, in the order of their rows."""
        return self.vocabulary.words(self.numbers.tolist())

    def _number(self, word: str) -> int | None:
        """The row of a word, or None."""
        number = self.vocabulary.id(word) if word else UNK
        if number == UNK and word != SPECIALS[UNK]:
            return None
        return number if number >= len(SPECIALS) or self.vectors[number].any() else None

    def __contains__(self, word: object) -> bool:
        return isinstance(word, str) and self._number(word) is not None

    def __getitem__(self, word: str) -> np.ndarray:
        """The vector of a word, float32 (D,); of an unseen one by its n-grams where the model has them.

        Raises:
            UsageError: the word has no vector; the message names words that are spelt like it.
        """
        vector = self.find(word)
        if vector is None:
            near = self.spelt_like(word)
            hint = f"Did you mean {', '.join(near)}?" if near else "See all words with: textkit w2v export --words"
            raise UsageError(f"the word '{word}' has no vector.", hint)
        return vector

    def get_vector(self, word: str, norm: bool = False) -> np.ndarray:
        """As `model[word]`; of length 1 if `norm`."""
        return unit(self[word]) if norm else self[word]

    def _composed(self, word: str) -> np.ndarray | None:
        """The mean of the word's n-grams that occurred in training; None if there is none."""
        if self.rows is None or self.buckets is None or self.config is None or self.config.subwords is None or not word:
            return None
        hashed = Ngrams(*self.config.subwords, self.config.buckets).of_word(word)
        places = np.searchsorted(self.buckets, hashed)
        places = places[self.buckets[np.minimum(places, len(self.buckets) - 1)] == hashed] if len(self.buckets) else []
        if len(places) == 0:
            return None
        vector = np.asarray(self.rows[len(self.vocabulary) + places].mean(0, dtype=np.float32))
        if not np.isfinite(vector).all():
            raise DataError(f"the n-grams of '{word}' have rows that are not finite.", "Is the model damaged?")
        return vector

    def spelt_like(self, word: str, count: int = _NEAR_SPELLINGS) -> list[str]:
        """Words that are spelt like this one, the likeliest first."""
        candidates = [w for w in (word.lower(), word.capitalize(), word.upper()) if w != word and w in self]
        near = [w for w in self.words[:100_000] if abs(len(w) - len(word)) <= 2 and w[:1].lower() == word[:1].lower()]
        found = dict.fromkeys([*candidates, *difflib.get_close_matches(word, near, count, 0.7)])
        return list(found)[:count]

    @cached_property
    def lengths(self) -> np.ndarray:
        """The Euclidean length of each row, float32 (V,); 1 for rows of zeros."""
        lengths = np.empty(len(self.vectors), np.float32)
        for a in range(0, len(lengths), _ROWS):
            lengths[a : a + _ROWS] = np.linalg.norm(self.vectors[a : a + _ROWS], axis=1)
        lengths[lengths == 0] = 1
        return lengths

    # --- similarity -------------------------------------------------------------------------------------

    def similarity(self, a: str, b: str) -> float:
        """The cosine of two words' vectors."""
        return float(unit(self[a]) @ unit(self[b]))

    def similar(
        self,
        positive: str | Iterable[str] = (),
        negative: Iterable[str] = (),
        *,
        top: int = 10,
        restrict: int | None = None,
        threads: int | None = None,
    ) -> list[Neighbour]:
        """The words whose vectors point most nearly the way of the sum of the positive minus the negative ones.

        Args:
            restrict: only among so many most frequent words.

        Raises:
            UsageError: no word, or one that has no vector.
        """
        positive, negative = _listed(positive), _listed(negative)
        if not (positive or negative):
            raise UsageError("there is no word to compare with.")
        query = sum((unit(self[w]) for w in positive), np.zeros(self.dim, np.float32))
        query = query - sum((unit(self[w]) for w in negative), np.zeros(self.dim, np.float32))
        return self.nearest(query[None], [[*positive, *negative]], top=top, restrict=restrict, threads=threads)[0]

    def nearest(
        self,
        queries: np.ndarray,
        without: Sequence[Sequence[str]] | None = None,
        *,
        top: int = 10,
        restrict: int | None = None,
        threads: int | None = None,
    ) -> list[list[Neighbour]]:
        """The nearest words of many vectors (n, D) at once: exact, by blocks of rows on several threads.

        Args:
            without: for each query, words to leave out.
        """
        unit = queries / np.maximum(np.linalg.norm(queries, axis=1, keepdims=True), 1e-30)
        left_out = [{self._number(w) for w in ws} for ws in without] if without else [set()] * len(queries)
        spare = max((len(ws) for ws in left_out), default=0) + len(SPECIALS)
        numbers, scores = self._best(unit.astype(np.float32), top + spare, restrict, threads)
        found: list[list[Neighbour]] = []
        absent = set(range(len(SPECIALS))) - set(self.numbers[: len(SPECIALS)].tolist())
        for row, values, skipped in zip(numbers.tolist(), scores.tolist(), left_out, strict=True):
            kept = [(n, s) for n, s in zip(row, values, strict=True) if n not in skipped and n not in absent][:top]
            found.append([(self.vocabulary.word(n), s) for n, s in kept])
        return found

    def _best(
        self, unit: np.ndarray, count: int, restrict: int | None, threads: int | None
    ) -> tuple[np.ndarray, np.ndarray]:
        """Rows with the largest cosines to each unit vector, best first, and those cosines."""
        total = len(self.vectors) if restrict is None else min(len(self.vectors), restrict + len(SPECIALS))
        lengths = self.lengths

        def search(edge: tuple[int, int]) -> tuple[np.ndarray, np.ndarray]:
            a, b = edge
            away = opposite @ self.vectors[a:b].T
            away /= lengths[a:b]
            kept = min(count, b - a)
            places = np.argpartition(away, kept - 1, axis=1)[:, :kept]
            return places + a, -np.take_along_axis(away, places, 1)

        opposite, rows = -unit, min(_ROWS, max(_FEWEST_ROWS, _COSINES // max(1, len(unit))))
        parts = split_evenly(total, max(1, -(-total // rows)))
        found = list(ordered_map(search, parts, min(thread_count(threads), len(parts))))
        numbers, scores = (np.concatenate([part[i] for part in found], axis=1) for i in range(2))
        order = np.argsort(-scores, axis=1, kind="stable")[:, :count]
        return np.take_along_axis(numbers, order, 1), np.take_along_axis(scores, order, 1)

    def analogy(self, a: str, b: str, c: str, *, top: int = 10, method: str = "add") -> list[Neighbour]:
        """What is to c as b is to a: "add" for 3CosAdd (b - a + c), "mul" for 3CosMul (Levy & Goldberg 2014).

        Raises:
            UsageError: a word that has no vector, or an unknown method.
        """
        if method == "add":
            return self.similar([b, c], [a], top=top)
        if method != "mul":
            raise UsageError(f"unknown method '{method}'.", "Choose add or mul.")
        units = np.stack([unit(self[w]) for w in (a, b, c)])
        cosines = ((units @ self.vectors.T) / self.lengths + 1) / 2
        scores = cosines[1] * cosines[2] / (cosines[0] + 1e-3)
        asked = {self._number(w) for w in (a, b, c)}
        allowed = np.array([n for n in self.numbers.tolist() if n not in asked])
        order = allowed[np.argsort(-scores[allowed], kind="stable")[:top]]
        return [(self.vocabulary.word(n), float(scores[n])) for n in order.tolist()]

    def odd_one_out(self, words: Sequence[str]) -> list[Neighbour]:
        """The words with their cosine to the mean of all of them, the one that fits least first.

        Raises:
            UsageError: fewer than three words.
        """
        if len(words) < 3:
            raise UsageError(f"{len(words)} words are too few to tell the odd one out.", "Give three or more.")
        units = np.stack([unit(self[w]) for w in words])
        scores = units @ unit(units.mean(0))
        return sorted(zip(words, scores.tolist(), strict=True), key=lambda pair: pair[1])

    def sentence(self, text: str) -> np.ndarray:
        """The mean of the unit vectors of a text's words that have one, float32 (D,); zeros if none has."""
        units = [unit(v) for token in self.tokenizer.tokenize(text) if (v := self.find(token)) is not None]
        return np.asarray(np.mean(np.stack(units), axis=0)) if units else np.zeros(self.dim, np.float32)

    def find(self, word: str) -> np.ndarray | None:
        """As `model[word]`, but None where there is no vector."""
        number = self._number(word)
        return self._composed(word) if number is None else np.asarray(self.vectors[number])


def _listed(words: str | Iterable[str]) -> list[str]:
    return [words] if isinstance(words, str) else list(words)


def unit(vector: np.ndarray) -> np.ndarray:
    """The vector with length 1, float32; zeros stay."""
    length = float(np.linalg.norm(vector))
    return (vector / length if length else vector).astype(np.float32)


def _stored(name: str, matrix: "np.ndarray | Picked", storage: str) -> "dict[str, np.ndarray | files.Stream]":
    if storage == "float32":
        pieces = (np.asarray(matrix[a : a + _SAVED], np.float32) for a in range(0, len(matrix), _SAVED))
        return {name: files.Stream(np.float32, matrix.shape, pieces)}
    matrix = np.asarray(matrix)
    if storage == "float16":
        return {name: matrix.astype(np.float16)}
    scales = np.abs(matrix).max(1).astype(np.float32) / 127
    scales[scales == 0] = 1
    return {name: np.rint(matrix / scales[:, None]).astype(np.int8), f"{name}.scales": scales}


def _has(arrays: dict[str, np.ndarray], name: str) -> bool:
    return name in arrays


def _restored(arrays: dict[str, np.ndarray], name: str) -> np.ndarray:
    """A matrix as float32, as it was before `_stored`; without a copy if it was stored so."""
    matrix = arrays[name]
    if matrix.ndim != 2 or matrix.dtype not in (np.float32, np.float16, np.int8):
        raise ValueError(name)
    if matrix.dtype == np.int8:
        scales = arrays[f"{name}.scales"]
        if scales.shape != (len(matrix),):
            raise ValueError(f"{name}.scales")
        return matrix.astype(np.float32) * scales[:, None]
    return matrix.astype(np.float32, copy=False)


def _kept(before: np.ndarray, after: np.ndarray) -> float:
    """The mean cosine of rows that are not zero."""
    lengths = np.linalg.norm(before, axis=1) * np.linalg.norm(after, axis=1)
    used = lengths > 0
    return float((np.einsum("nd,nd->n", before[used], after[used]) / lengths[used]).mean()) if used.any() else 1.0
