"""The search structure of KenLM's probing models (lm/search_hashed.hh), and how n-grams are got back from it.

There is a hash table for each order above 1; its entries hold, in place of the n-gram w1 … wn, a key of 64 bits:

    key(w1) = w1,    key(w1 … wn) = (key(w2 … wn) * A) xor ((1 + w1) * B)    modulo 2**64

The n-gram without its first word and the one without its last are always in the order below, or KenLM would not have
built the file. So from one order to the next, every pair (w1 m, m wn) of n-grams that overlap in m is tried, and those
whose key is in the table are its n-grams. Signs tell which n-grams are continued to either side; only these are tried.

The number of pairs is the cost: V * V for bigrams, and for trigrams, over all words, the product of the numbers of
different words before and behind it. It is counted before the search begins.
"""

from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np

from ..errors import DataError
from ..kernels import kenlm as kernels
from ..parallel import ordered_map
from ..progress import Progress, Reporter
from .backoff import Listed
from .cursor import Cursor
from .kenlm_file import REST_PROBING, Header, cleaned

_KEY_FACTOR = np.uint64(8978948897894561157)
_WORD_FACTOR = np.uint64(17894857484156487943)
_PAIRS_LIMIT = 10**13
_STRIP = 512  # n-grams whose pairs are tried in one go
_PIECE = 1 << 28  # pairs between reports of progress
_SPARE = 1 << 10


def buckets(entries: int, multiplier: float) -> int:
    """Buckets of a hash table for so many entries, in KenLM's float32 arithmetic."""
    return max(entries + 1, int(np.float32(multiplier) * np.float32(entries)))


def layout(cursor: Cursor, header: Header) -> list[np.ndarray]:
    """The unigrams and the hash tables of the higher orders as structured arrays in the file, none copied yet."""
    rest = [("rest", "<f4")] if header.kind == REST_PROBING else []
    weights = [("log_p", "<f4"), ("backoff", "<f4"), *rest]
    entry, longest = np.dtype([("key", "<u8"), *weights]), np.dtype([("key", "<u8"), ("log_p", "<f4")])
    tables = [cursor.take((header.counts[0] + 1) * np.dtype(weights).itemsize, "unigrams").view(np.dtype(weights))]
    for n, count in enumerate(header.counts[1:], 2):
        dtype = entry if n < len(header.counts) else longest
        size = buckets(count, header.multiplier) * dtype.itemsize
        tables.append(cursor.take(size, f"{n}-grams").view(dtype))
    return tables


@dataclass
class _Order:
    """The n-grams of one order by ascending keys, (E,) each; those of one key stand together.

    Attributes:
        key: uint64.
        first: int32, the first word.
        rest: int64, place of the n-gram without its first word in the order below.
        context: int64, place of the n-gram without its last word there.
        numbers: float32 (E, 2).
        grows_left, grows_right: whether it can be the end or the beginning of a longer one.
    """

    key: np.ndarray
    first: np.ndarray
    rest: np.ndarray
    context: np.ndarray
    numbers: np.ndarray
    grows_left: np.ndarray
    grows_right: np.ndarray


def levels(
    cursor: Cursor, tables: list[np.ndarray], vocabulary_size: int, threads: int, progress: Reporter
) -> list[Listed]:
    """All n-grams, order by order.

    Where two n-grams have the same key, KenLM takes both to be there, and so both are listed.

    Raises:
        DataError: too many pairs to try, or keys that no n-gram gives.
    """
    search = _Search(cursor, threads, progress)
    words = np.arange(vocabulary_size, dtype=np.int32)
    nowhere = np.zeros(vocabulary_size, np.int64)
    top = _Order(words.astype(np.uint64), words, nowhere, nowhere, *_weights(cursor, tables[0][:vocabulary_size]))
    lower, found = top, [Listed(words[:, None], top.numbers)]
    for n, table in enumerate(tables[1:], 2):
        used = table[table["key"] != 0]
        lower, top = top, search.order(n, used[np.argsort(used["key"])], lower, top)
        found.append(Listed(np.column_stack([top.first, found[-1].ngrams[top.rest]]), top.numbers))
    return found


def _weights(cursor: Cursor, table: np.ndarray) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Numbers of a table, and whether the signs say that its entries can grow to the left and to the right."""
    numbers = np.zeros((len(table), 2), np.float32)
    numbers[:, 0] = table["log_p"]
    if "backoff" in (table.dtype.names or ()):
        numbers[:, 1] = table["backoff"]
    bits = numbers.view(np.uint32)
    sign = np.uint32(1 << 31)  # a backoff of -0 is one that is never used
    return cleaned(cursor, numbers), bits[:, 0] < sign, bits[:, 1] != sign


@dataclass(frozen=True)
class _Search:
    """Getting back one order after the other."""

    cursor: Cursor
    threads: int
    progress: Reporter

    def order(self, n: int, used: np.ndarray, lower: _Order, below: _Order) -> _Order:
        """The n-grams of order n, from the entries of its table by ascending keys and the two orders below."""
        keys = used["key"].astype(np.uint64)
        if (keys[1:] == keys[:-1]).any():
            raise self.cursor.damaged(f"a key of its {n}-grams is there twice")
        beginnings = (below.first.astype(np.uint64) + np.uint64(1)) * _WORD_FACTOR
        ends = below.key * _KEY_FACTOR
        # Where n-grams share a key, the first of them stands for all as the middle of longer ones.
        middles = np.searchsorted(lower.key, lower.key[below.rest])
        lefts = np.flatnonzero(below.grows_right)
        lefts = lefts[np.lexsort((beginnings[lefts], middles[lefts]))]
        rights = np.flatnonzero(below.grows_left)
        rights = rights[np.lexsort((ends[rights], below.context[rights]))]
        strips = _strips(middles[lefts], below.context[rights])
        self._refuse_hopeless(n, strips)
        pairs, spare = self._matched(n, beginnings[lefts], ends[rights], keys, strips)
        missing = int((pairs[:, 0] < 0).sum())
        if missing or len(spare) > _SPARE:
            raise self.cursor.damaged(f"{len(keys):,} keys of its {n}-grams fit no n-grams, or too many")
        place = np.concatenate([np.arange(len(keys)), spare[:, 0]])
        left, right = np.concatenate([pairs, spare[:, 1:]]).T
        order = np.argsort(place, kind="stable")
        place, left, right = place[order], lefts[left[order]], rights[right[order]]
        context = np.searchsorted(below.key, below.key[left])
        return _Order(keys[place], below.first[left], right, context, *_weights(self.cursor, used[place]))

    def _refuse_hopeless(self, n: int, strips: np.ndarray) -> None:
        pairs = int(_costs(strips).sum())
        if pairs > _PAIRS_LIMIT:
            raise DataError(
                f"{self.cursor.path} is a probing model, which keeps no n-grams but their hashes; to get its {n}-grams "
                f"back, {pairs:,} pairs of shorter ones would have to be tried, which takes hours.",
                "Give the ARPA file that it was built from, or the same model built as a trie.",
            )

    def _matched(
        self, n: int, lefts: np.ndarray, rights: np.ndarray, keys: np.ndarray, strips: np.ndarray
    ) -> tuple[np.ndarray, np.ndarray]:
        """For each key the places of its pair in lefts and rights (int64 (E, 2), -1 if none), and further pairs."""
        bits = max(1, len(keys).bit_length() - 1)  # one or two keys in a bucket
        shift = np.uint64(64 - bits)
        starts, filled = np.empty((1 << bits) + 1, np.int64), np.zeros(1 << bits, np.uint64)
        kernels.fill_filter(keys, shift, starts, filled)
        pairs = np.full((len(keys), 2), -1, np.int64)

        def match(piece: np.ndarray) -> tuple[int, np.ndarray]:
            spare = np.zeros((_SPARE + 1, 3), np.int64)
            # Two threads write to one row only when they find two n-grams of one key at the same moment.
            extra = kernels.match(piece, lefts, rights, keys, shift, starts, filled, pairs, spare)
            return int(_costs(piece).sum()), spare[: min(extra, len(spare))]

        done, total, spares = 0, int(_costs(strips).sum()), [np.zeros((0, 3), np.int64)]
        for cost, spare in ordered_map(match, _pieces(strips), self.threads):
            done += cost
            spares.append(spare)
            self.progress(Progress(f"recovering {n}-grams", done, total, "pairs"))
        return pairs, np.concatenate(spares)


def _strips(middles_left: np.ndarray, middles_right: np.ndarray) -> np.ndarray:
    """Ranges to be paired, int64 (S, 4), see `kernels.kenlm.match`: both sides have the same middle.

    Both arrays ascend.
    """
    middle, begins, sizes = np.unique(middles_right, return_index=True, return_counts=True)
    first = np.searchsorted(middles_left, middle)
    last = np.searchsorted(middles_left, middle, side="right")
    shared = first < last
    begins, sizes, first, last = begins[shared], sizes[shared], first[shared], last[shared]
    parts = -(-sizes // _STRIP)
    group = np.repeat(np.arange(len(parts)), parts)
    start = begins[group] + (np.arange(len(group)) - np.repeat(np.cumsum(parts) - parts, parts)) * _STRIP
    stop = np.minimum(start + _STRIP, (begins + sizes)[group])
    return np.stack([start, stop, first[group], last[group]], axis=1)


def _costs(strips: np.ndarray) -> np.ndarray:
    """Pairs of each strip."""
    return (strips[:, 1] - strips[:, 0]) * (strips[:, 3] - strips[:, 2])


def _pieces(strips: np.ndarray) -> Iterator[np.ndarray]:
    """Strips in groups of about `_PIECE` pairs."""
    costs = np.cumsum(_costs(strips))
    edges = np.searchsorted(costs, np.arange(_PIECE, int(costs[-1]) if len(costs) else 0, _PIECE))
    yield from (piece for piece in np.split(strips, edges) if len(piece))
