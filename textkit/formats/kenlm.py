"""KenLM binary files (build_binary probing and trie, quantised and pointer-compressed too) as lists of n-grams."""

from dataclasses import dataclass
from pathlib import Path

import numpy as np

from ..errors import DataError
from ..progress import Reporter, silent
from . import kenlm_probing, kenlm_trie
from .backoff import Listed
from .cursor import Cursor
from .kenlm_file import TRIES, Header, is_kenlm, open_file

__all__ = ["Listing", "is_kenlm", "read"]

_PADDING = 16  # spare bytes that the scanners may look at


@dataclass(frozen=True)
class Listing:
    """A backoff model as listed in a file.

    Attributes:
        arena, ends: the words, word i is arena[ends[i]:ends[i + 1]] (uint8 with spare bytes behind; int64 (V + 1,)).
            They are numbered as in the file, <unk> being 0.
        levels: the n-grams of each order, from unigrams up; the unigrams are the words in turn.
    """

    arena: np.ndarray
    ends: np.ndarray
    levels: list[Listed]


def read(path: str | Path, threads: int = 1, progress: Reporter = silent) -> Listing:
    """Read any KenLM binary file that holds its words.

    Memory grows with the model: 4 n + 8 bytes per n-gram of order n; while one order is read, as much again for a
    trie, and about 200 bytes per n-gram of that order for a probing model, whose n-grams have to be searched for, see
    `kenlm_probing`.

    Raises:
        DataError: missing, unfinished, cut off, damaged, of another version, or built without its words.
    """
    cursor, header = open_file(path)
    if not header.has_words:
        raise DataError(
            f"{path} was built without its words (build_binary -v), so nobody can say what its n-grams are.",
            "Build it again without -v, or give the ARPA file that it was built from.",
        )
    if header.kind in TRIES:
        size = _trie_vocabulary(cursor, header)
        levels = kenlm_trie.layout(cursor, header)
        arena, ends = _words(cursor, size)
        return Listing(arena, ends, kenlm_trie.levels(cursor, levels, size))
    size = _probing_vocabulary(cursor, header)
    tables = kenlm_probing.layout(cursor, header)
    arena, ends = _words(cursor, size)
    return Listing(arena, ends, kenlm_probing.levels(cursor, tables, size, threads, progress))


def _trie_vocabulary(cursor: Cursor, header: Header) -> int:
    """Pass over the sorted hashes of the words; the number of words, <unk> included."""
    size = 1 + int(cursor.take(8, "vocabulary").view("<u8")[0])
    cursor.take(8 * header.counts[0], "vocabulary")
    if size > header.counts[0]:
        raise cursor.damaged(f"it has {size:,} words, but its header says {header.counts[0]:,}")
    return size


def _probing_vocabulary(cursor: Cursor, header: Header) -> int:
    """Pass over the hash table of the words; the number of words, <unk> included."""
    version, size = (int(number) for number in cursor.take(8, "vocabulary").view("<u4"))
    cursor.take(12 * kenlm_probing.buckets(header.counts[0], header.multiplier), "vocabulary")
    if version or not 1 <= size <= header.counts[0] + 1:  # an ARPA file without <unk> does not count it
        raise cursor.damaged(f"it has {size:,} words, but its header says {header.counts[0]:,}")
    return size


def _words(cursor: Cursor, size: int) -> tuple[np.ndarray, np.ndarray]:
    """Arena and ends of the words that the rest of the file holds."""
    text = cursor.take(len(cursor.data) - cursor.position, "words")
    if text[:6].tobytes() != b"<unk>\0":
        raise cursor.damaged("its words are not where they should be")
    stops = np.flatnonzero(text == 0)
    if len(stops) != size or stops[-1] != len(text) - 1:
        raise cursor.damaged(f"it should end with {size:,} words, but there are {len(stops):,}")
    ends = np.zeros(size + 1, np.int64)
    ends[1:] = stops - np.arange(size)
    if (np.diff(ends) <= 0).any():
        raise cursor.damaged("one of its words is empty")
    arena = np.zeros(int(ends[-1]) + _PADDING, np.uint8)
    arena[: int(ends[-1])] = text[text != 0]
    return arena, ends
