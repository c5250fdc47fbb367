"""Models from and to ARPA files."""

from dataclasses import dataclass
from pathlib import Path

import numpy as np

from .. import files
from ..errors import DataError
from ..formats import arpa
from ..kernels import trie
from ..parallel import thread_count
from ..text.tokenizer import PADDING, Tokenizer
from ..text.vocabulary import BOS, SPECIALS, UNK, Vocabulary, WordTable
from .model import NGramModel

UNKNOWN_LOG_P = -100.0  # KenLM's value for a file without <unk>


def write_model(model: NGramModel, path: str | Path, threads: int | None = None) -> None:
    """Write a model as an ARPA file, compressed if the name ends in .gz, .bz2, .xz or .zst."""
    vocabulary = model.vocabulary
    plain = arpa.Trie(
        model.sizes, vocabulary.arena, vocabulary.ends, model.words, model.log_p, model.backoff, model.edges
    )
    with files.atomic_write(path) as raw, files.compressed_writer(raw, path) as stream:
        arpa.write(stream, plain, thread_count(threads))


@dataclass
class _Listed:
    """The n-grams of one order as listed: ids int32 (E, n), numbers float32 (E, 2)."""

    ngrams: np.ndarray
    numbers: np.ndarray


def read_model(path: str | Path, tokenizer: Tokenizer) -> NGramModel:
    """Read an ARPA file, plain or compressed, of any toolkit.

    N-grams whose context or suffix is not listed (SRILM's pruning leaves such) get these as entries that change no
    probability. A missing <unk> gets log10 probability -100.

    Raises:
        DataError: not a sound ARPA file, no <s> or </s>, or an n-gram listed twice.
    """
    reader = arpa.Reader(path)
    table = WordTable()
    start = Vocabulary.from_words([])
    table.add_words(start.arena, start.ends)
    listed: list[list[tuple[np.ndarray, np.ndarray]]] = [[] for _ in reader.sizes]
    vocabulary: Vocabulary | None = None
    for entries in reader.entries():
        if entries.order == 1:
            ids, _ = table.intern(entries.buffer, entries.spans, len(entries.spans))
        else:
            vocabulary = vocabulary or _vocabulary(table)
            ids, _ = vocabulary.look_up(entries.buffer, entries.spans, len(entries.spans))
            _refuse_unlisted(path, entries, ids, vocabulary)
        listed[entries.order - 1].append((ids.reshape(-1, entries.order), entries.numbers))
    vocabulary = vocabulary or _vocabulary(table)
    levels = [
        _Listed(
            np.concatenate([ids for ids, _ in parts] or [np.zeros((0, n), np.int32)]),
            np.concatenate([numbers for _, numbers in parts] or [np.zeros((0, 2), np.float32)]),
        )
        for n, parts in enumerate(listed, 1)
    ]
    levels[0] = _unigrams(path, levels[0], vocabulary)
    return _assembled(path, levels, vocabulary, tokenizer)


def _vocabulary(table: WordTable) -> Vocabulary:
    ends = table.ends[: table.words + 1].copy()
    arena = np.zeros(int(ends[-1]) + PADDING, np.uint8)
    arena[: int(ends[-1])] = table.arena[: int(ends[-1])]
    return Vocabulary(arena, ends, np.zeros(table.words, np.int64))


def _refuse_unlisted(path: str | Path, entries: arpa.Entries, ids: np.ndarray, vocabulary: Vocabulary) -> None:
    for i in np.flatnonzero(ids == UNK).tolist():
        word = entries.buffer[entries.spans[i, 0] : entries.spans[i, 1]].tobytes().decode("utf-8", "replace")
        if word != SPECIALS[UNK]:
            raise DataError(f"{path}: the word '{word}' of a {entries.order}-gram is not among the unigrams.")


def _unigrams(path: str | Path, level: _Listed, vocabulary: Vocabulary) -> _Listed:
    ids = level.ngrams[:, 0]
    times = np.bincount(ids, minlength=len(vocabulary))
    if (times > 1).any():
        raise DataError(f"{path}: '{vocabulary.word(int(np.argmax(times)))}' is listed twice among the unigrams.")
    for special in SPECIALS[1:]:
        if not times[vocabulary.id(special)]:
            raise DataError(f"{path}: no unigram {special}.", "Models need sentence marks.")
    numbers = np.zeros((len(vocabulary), 2), np.float32)
    numbers[UNK, 0] = UNKNOWN_LOG_P
    numbers[ids] = level.numbers
    return _Listed(np.arange(len(vocabulary), dtype=np.int32)[:, None], numbers)


class _Builder:
    """A trie that grows by one order at a time."""

    def __init__(self, unigrams: _Listed) -> None:
        self.sizes = [len(unigrams.ngrams)]
        self.words, self.log_p = unigrams.ngrams[:, 0], unigrams.numbers[:, 0]
        self.edges = np.zeros(1, np.uint32)
        self.backoff = np.zeros(0, np.float32)
        self._top_backoffs = unigrams.numbers[:, 1]

    def _find(self, ngrams: np.ndarray, column: int) -> np.ndarray:
        nodes = np.empty(len(ngrams), np.int64)
        trie.descend(ngrams, column, ngrams.shape[1] - 1, self.words, self.edges, nodes)
        return nodes

    def lacking(self, ngrams: np.ndarray) -> np.ndarray:
        """Contexts and suffixes int32 (M, n - 1) of these n-grams that are not in the trie."""
        contexts, suffixes = self._find(ngrams, 0), self._find(ngrams, 1)
        return np.unique(np.concatenate([ngrams[contexts < 0, :-1], ngrams[suffixes < 0, 1:]]), axis=0)

    def add(self, path: str | Path, level: _Listed, vocabulary: Vocabulary) -> None:
        """Put the next order on top. Raises DataError for an n-gram listed twice."""
        contexts = self._find(level.ngrams, 0)
        order = np.lexsort((level.ngrams[:, -1], contexts))
        contexts, ngrams, numbers = contexts[order], level.ngrams[order], level.numbers[order]
        same = np.flatnonzero((contexts[1:] == contexts[:-1]) & (ngrams[1:, -1] == ngrams[:-1, -1]))
        if len(same):
            twice = " ".join(vocabulary.words(ngrams[same[0]].tolist()))
            raise DataError(f"{path}: the {ngrams.shape[1]}-gram '{twice}' is listed twice.")
        total = len(self.words)
        edges = total + np.searchsorted(contexts, np.arange(total - self.sizes[-1], total))
        self.edges = np.concatenate([self.edges[:-1], edges, [total + len(ngrams)]]).astype(np.uint32)
        self.backoff = np.concatenate([self.backoff, self._top_backoffs])
        self.words = np.concatenate([self.words, ngrams[:, -1]])
        self.log_p = np.concatenate([self.log_p, numbers[:, 0]])
        self.sizes.append(len(ngrams))
        self._top_backoffs = numbers[:, 1]

    def model(self, vocabulary: Vocabulary, tokenizer: Tokenizer) -> NGramModel:
        """The orders so far as a model."""
        arrays = (self.words, self.log_p, self.backoff, self.edges)
        words, log_p, backoff, edges = map(np.ascontiguousarray, arrays)
        report = {"smoothing": "arpa"}
        return NGramModel(list(self.sizes), vocabulary, tokenizer, words, log_p, backoff, edges, report)


def _assembled(path: str | Path, levels: list[_Listed], vocabulary: Vocabulary, tokenizer: Tokenizer) -> NGramModel:
    """Sort the levels into a trie; where one lacks an n-gram that a longer one needs, add it and start over."""
    builder = _Builder(levels[0])
    n = 2
    while n <= len(levels):
        missing = builder.lacking(levels[n - 1].ngrams)
        if len(missing):
            blanks = _blanks(builder.model(vocabulary, tokenizer), missing)
            levels[n - 2] = _Listed(
                np.concatenate([levels[n - 2].ngrams, missing]), np.concatenate([levels[n - 2].numbers, blanks])
            )
            builder, n = _Builder(levels[0]), 2
        else:
            builder.add(path, levels[n - 1], vocabulary)
            n += 1
    return builder.model(vocabulary, tokenizer)


def _blanks(model: NGramModel, missing: np.ndarray) -> np.ndarray:
    """Numbers float32 (M, 2) for n-grams that are not listed: what backing off gives them, and no backoff weight."""
    numbers = np.zeros((len(missing), 2), np.float32)
    for i, ngram in enumerate(missing):
        begins = ngram[0] == BOS
        numbers[i, 0] = model.advance(model.start(bos=begins), ngram[1:] if begins else ngram)[0][-1]
    return numbers
