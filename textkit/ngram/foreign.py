"""Models from and to the files of other programs."""

from pathlib import Path

import numpy as np

from .. import files
from ..direct import past_cache
from ..errors import DataError
from ..formats import arpa, kenlm
from ..formats.backoff import BackoffTrie, Listed, assemble
from ..parallel import thread_count
from ..progress import Reporter, silent
from ..text.vocabulary import SPECIALS, UNK, Vocabulary, WordTable

UNKNOWN_LOG_P = -100.0  # KenLM's value for a file without <unk>


def write_arpa(trie: BackoffTrie, vocabulary: Vocabulary, path: str | Path, threads: int | None = None) -> None:
    """Write a model as an ARPA file, compressed if the name ends in .gz, .bz2, .xz or .zst."""
    with files.atomic_write(path) as raw, past_cache(raw) as file, files.compressed_writer(file, path) as stream:
        arpa.write(stream, trie, vocabulary.arena, vocabulary.ends, thread_count(threads))


def read_foreign(
    path: str | Path, threads: int | None = None, progress: Reporter = silent
) -> tuple[BackoffTrie, Vocabulary, str]:
    """Read an ARPA file or a KenLM binary file, whichever it is; the last result says which: "arpa" or "kenlm"."""
    if kenlm.is_kenlm(path):
        return *read_kenlm(path, threads, progress), "kenlm"
    return *read_arpa(path), "arpa"


def read_arpa(path: str | Path) -> tuple[BackoffTrie, Vocabulary]:
    """Read an ARPA file, plain or compressed, of any toolkit.

    N-grams whose context or suffix is not listed are completed, see `formats.backoff.assemble`. A missing <unk> gets
    log10 probability -100.

    Raises:
        DataError: not a sound ARPA file, no <s> or </s>, or an n-gram listed twice.
    """
    reader = arpa.Reader(path)
    table = _word_table()
    listed: list[list[tuple[np.ndarray, np.ndarray]]] = [[] for _ in reader.sizes]
    vocabulary: Vocabulary | None = None
    for entries in reader.entries():
        if entries.order == 1:
            ids, _ = table.intern(entries.buffer, entries.spans, len(entries.spans))
        else:
            vocabulary = vocabulary or Vocabulary.from_table_as_is(table)
            ids, _ = vocabulary.look_up(entries.buffer, entries.spans, len(entries.spans))
            _refuse_unlisted(path, entries, ids)
        listed[entries.order - 1].append((ids.reshape(-1, entries.order), entries.numbers))
    vocabulary = vocabulary or Vocabulary.from_table_as_is(table)
    levels = [
        Listed(
            np.concatenate([ids for ids, _ in parts] or [np.zeros((0, n), np.int32)]),
            np.concatenate([numbers for _, numbers in parts] or [np.zeros((0, 2), np.float32)]),
        )
        for n, parts in enumerate(listed, 1)
    ]
    return sorted_model(path, levels, vocabulary), vocabulary


def read_kenlm(
    path: str | Path, threads: int | None = None, progress: Reporter = silent
) -> tuple[BackoffTrie, Vocabulary]:
    """Read a KenLM binary file: probing, trie, quantised trie, pointer-compressed trie.

    Raises:
        DataError: see `formats.kenlm.read`; no <s> or </s>.
    """
    listing = kenlm.read(path, thread_count(threads), progress)
    table = _word_table()
    ids = table.add_words(listing.arena, listing.ends)
    levels = [Listed(ids[level.ngrams], level.numbers) for level in listing.levels]
    del listing
    vocabulary = Vocabulary.from_table_as_is(table)
    return sorted_model(path, levels, vocabulary), vocabulary


def sorted_model(path: str | Path, levels: list[Listed], vocabulary: Vocabulary) -> BackoffTrie:
    """A trie of listed n-grams whose ids are of this vocabulary.

    Raises:
        DataError: no <s> or </s>, or an n-gram listed twice.
    """

    def refuse(ngram: list[int]) -> DataError:
        return DataError(f"{path}: the {len(ngram)}-gram '{' '.join(vocabulary.words(ngram))}' is listed twice.")

    levels[0] = _unigrams(path, levels[0], vocabulary)
    return assemble(levels, refuse)


def _word_table() -> WordTable:
    """A table that holds the special words under their ids."""
    table, start = WordTable(), Vocabulary.from_words([])
    table.add_words(start.arena, start.ends)
    return table


def _refuse_unlisted(path: str | Path, entries: arpa.Entries, ids: np.ndarray) -> None:
    for i in np.flatnonzero(ids == UNK).tolist():
        word = entries.buffer[entries.spans[i, 0] : entries.spans[i, 1]].tobytes().decode("utf-8", "replace")
        if word != SPECIALS[UNK]:
            raise DataError(f"{path}: the word '{word}' of a {entries.order}-gram is not among the unigrams.")


def _unigrams(path: str | Path, level: Listed, vocabulary: Vocabulary) -> Listed:
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
    return Listed(np.arange(len(vocabulary), dtype=np.int32)[:, None], numbers)
