"""What all KenLM binary files share: the header.

Layout (KenLM lm/binary_format.cc, format version 5; integers and floats little-endian):
    magic text padded to 56 bytes; float32 0, 1, -0.5; uint32 1, 2**32 - 1, 0; uint64 1
    uint8 order, 3 spare bytes, float32 probing multiplier, int32 type, uint8 has words, 3 spare, uint32 search version
    uint64 number of n-grams of each order, padded to a multiple of 8
    the vocabulary's hashes, the search structure, and the words in the order of their ids, each with a NUL behind it
"""

import struct
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from ..errors import DataError
from .cursor import Cursor

PROBING, REST_PROBING, TRIE, QUANTIZED_TRIE, ARRAY_TRIE, QUANTIZED_ARRAY_TRIE = range(6)
TRIES = (TRIE, QUANTIZED_TRIE, ARRAY_TRIE, QUANTIZED_ARRAY_TRIE)

_FAMILY = b"mmap lm http://kheafield.com/code "
_MAGIC = _FAMILY + b"format version 5\n"
_SANITY = struct.pack("<56s3f3IQ", _MAGIC, 0.0, 1.0, -0.5, 1, 0xFFFFFFFF, 0, 1)
_PARAMETERS = struct.Struct("<B3xfiB3xI")
_ORDER_LIMIT = 100
_MULTIPLIER_LIMIT = 1e6
_CURE = "Copy it again, or build it again with build_binary; an ARPA file will do too."


@dataclass(frozen=True)
class Header:
    """What the header says, held against what is possible but not yet against the size of the file."""

    kind: int
    multiplier: float
    has_words: bool
    counts: list[int]


def is_kenlm(path: str | Path) -> bool:
    """Whether a file starts as a KenLM binary file does, of any version, finished or not."""
    with open(path, "rb") as stream:
        return stream.read(len(_FAMILY)) == _FAMILY


def open_file(path: str | Path) -> tuple[Cursor, Header]:
    """Map a file and read its header; the cursor stands behind it.

    Raises:
        DataError: no KenLM binary file of the version that is in use since 2012, or one that contradicts itself.
    """
    cursor = Cursor.open(path, _CURE)
    _refuse_others(cursor, cursor.data[: len(_SANITY)].tobytes())
    cursor.take(len(_SANITY), "header")
    order, multiplier, kind, has_words, version = _PARAMETERS.unpack(cursor.take(_PARAMETERS.size, "header").tobytes())
    if not 2 <= order <= _ORDER_LIMIT:
        raise cursor.damaged(f"its header says order {order}")
    if not PROBING <= kind <= QUANTIZED_ARRAY_TRIE or version != (kind in TRIES):
        raise DataError(
            f"{path} holds a KenLM data structure that is not known here (type {kind}, version {version}).",
            "Build it again with build_binary probing or trie.",
        )
    if not 1.0 <= multiplier <= _MULTIPLIER_LIMIT:
        raise cursor.damaged(f"its header says a probing multiplier of {multiplier:g}")
    counts = [int(count) for count in cursor.take(8 * order, "header").view("<u8")]
    if not 0 < counts[0] < 2**31 or max(counts) >= 2**32:
        raise cursor.damaged(f"its header says {max(counts):,} n-grams of one order")
    cursor.take(-cursor.position % 8, "header")
    return cursor, Header(kind, multiplier, bool(has_words), counts)


def _refuse_others(cursor: Cursor, head: bytes) -> None:
    path = cursor.path
    if head == _SANITY:
        return
    if not head.startswith(_FAMILY):
        raise DataError(f"{path} is no KenLM binary file.")
    if head[len(_FAMILY) :].startswith(b"incomplete"):
        raise DataError(f"{path} is unfinished: build_binary stopped before its end.", "Run build_binary again.")
    if len(head) == len(_SANITY) and not head.startswith(_MAGIC):
        raise DataError(f"{path} is of an old version of KenLM's format.", "Build it again with a newer build_binary.")
    raise DataError(f"{path} is cut off, damaged, or from a machine of another kind (32-bit, big-endian).", _CURE)


def cleaned(cursor: Cursor, numbers: np.ndarray) -> np.ndarray:
    """Numbers float32 (E, 2) as an ARPA file has them: KenLM's marks in signs and negative zeros taken away.

    Raises:
        DataError: infinite, or not numbers.
    """
    if not np.isfinite(numbers).all():
        raise cursor.damaged("a probability or backoff is infinite or not a number")
    signed = np.stack([-np.abs(numbers[:, 0]), numbers[:, 1]], axis=1)
    return signed + np.float32(0)  # makes -0 a 0
