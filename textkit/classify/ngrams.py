"""N-grams of words as rows: exactly by a counted dictionary, hashed to buckets, or not at all."""

from dataclasses import dataclass, field
from functools import cached_property
from queue import SimpleQueue
from typing import Any

import numpy as np

from ..kernels import features as kernels
from ..parallel import ordered_map, split_evenly
from ..store import drop_pages
from ..text.corpus import EncodedCorpus
from ..text.vocabulary import UNK, Vocabulary
from .feature_config import FeatureConfig

_PARTS = 8  # of the documents for each thread, or more: none has more than about so many words
_PART = 1 << 20
_WORD_BITS, _WORD_MASK = np.uint64(32), np.uint64((1 << 32) - 1)
_NO_TABLE = np.zeros(0, np.uint64), np.array([2, 32, 0, (1 << 64) - 1], np.uint64)  # see `kernels.find_packed`
_NO_CODE = (1 << 32) - 1  # of the unknown word: the sum of it and of any other is no bucket
_NO_HOMES = np.zeros(0, np.int64)


@dataclass
class Spelling:
    """Documents as the words of a model: what n-grams are counted in."""

    text: EncodedCorpus
    documents: np.ndarray
    mapping: np.ndarray
    end_mark: int

    def arguments(self, documents: np.ndarray) -> tuple[Any, ...]:
        """What kernels take, for some of the documents."""
        return self.text.ids, self.text.offsets, documents, self.mapping, self.end_mark

    @property
    def sizes(self) -> np.ndarray:
        """Words of each document, with room for an end mark."""
        return self.text.sizes(self.documents) + 1

    def parts(self, count: int) -> list[np.ndarray]:
        """The documents in a few runs."""
        return [self.documents[a:b] for a, b in split_evenly(len(self.documents), count)]


class NoNgrams:
    """Words alone."""

    def __len__(self) -> int:
        return 0

    def words(self, number: int) -> str:
        """The name of an n-gram, of which there is none."""
        raise IndexError(f"there is no row {number} behind the words")

    def bags(self, documents: tuple[Any, ...], tokens: np.ndarray, starts: np.ndarray, out: np.ndarray) -> None:
        """See `kernels.features.exact_bags`."""
        kernels.exact_bags(*documents, *_NO_TABLE, 1, tokens, _NO_HOMES, starts, out)

    def arrays(self) -> dict[str, np.ndarray]:
        """Nothing to keep."""
        return {}


@dataclass
class ExactNgrams:
    """A dictionary of n-grams: each is the row of its beginning and its last word.

    Attributes:
        first: the row of the first n-gram.
        order: words of the longest.
        left: int32 (G,), the row of the n-gram without its last word (a bigram's: its first word).
        right: int32 (G,), the last word.
        counts: int64 (G,), in the training documents.
    """

    first: int
    order: int
    left: np.ndarray
    right: np.ndarray
    counts: np.ndarray = field(default_factory=lambda: np.zeros(0, np.int64))

    @classmethod
    def fit(cls, spell: Spelling, first: int, order: int, min_count: int, threads: int) -> "ExactNgrams":
        """Count the n-grams of the documents, shorter ones first, and keep those that occur `min_count` times.

        They are numbered by order, then by count, the most frequent first. Memory: 8 bytes a word of the documents,
        and 32 to 64 for each different n-gram while it is counted.
        """
        stream = np.empty(int(spell.sizes.sum()) + len(spell.documents), np.int32)
        size = kernels.document_stream(*spell.arguments(spell.documents), stream)
        words = stream[:size]
        rows = np.full(size, kernels.NONE, np.int32)
        rows[1:] = np.where(words[:-1] == UNK, kernels.NONE, words[:-1])
        lefts, rights, totals = [np.zeros(0, np.int32)], [np.zeros(0, np.int32)], [np.zeros(0, np.int64)]
        row = first
        for n in range(2, order + 1):
            keys, counts = _counted(rows, words, min_count, threads)
            if len(keys) == 0:
                break
            lefts.append((keys >> _WORD_BITS).astype(np.int32))
            rights.append(((keys & _WORD_MASK) - np.uint64(1)).astype(np.int32))
            totals.append(counts)
            if n < order:
                found = np.empty(size, np.int32)
                kernels.find_pairs(rows, words, *_packed(lefts[-1], rights[-1], row, first), found)
                rows[1:] = found[:-1]
            row += len(keys)
        return cls(first, order, np.concatenate(lefts), np.concatenate(rights), np.concatenate(totals))

    def __len__(self) -> int:
        return len(self.left)

    @cached_property
    def table(self) -> tuple[np.ndarray, np.ndarray]:
        """The hash table of pairs and their rows, and its layout, see `kernels.find_packed`; made when first needed."""
        return _packed(self.left, self.right, self.first, self.first)

    def words(self, number: int) -> tuple[int, ...]:
        """The words of an n-gram, by its number among the n-grams."""
        found = [int(self.right[number])]
        row = int(self.left[number])
        while row >= self.first:
            found.append(int(self.right[row - self.first]))
            row = int(self.left[row - self.first])
        return (row, *reversed(found))

    def bags(self, documents: tuple[Any, ...], tokens: np.ndarray, starts: np.ndarray, out: np.ndarray) -> None:
        """See `kernels.features.exact_bags`."""
        kernels.exact_bags(*documents, *self.table, self.order, tokens, np.empty(len(tokens), np.int64), starts, out)

    def arrays(self) -> dict[str, np.ndarray]:
        """What the container holds."""
        if len(self.counts) == len(self):
            return {"ngrams.left": self.left, "ngrams.right": self.right, "ngrams.counts": self.counts}
        narrow = np.uint16 if self.first + len(self) <= 1 << 16 else np.int32  # a model made small
        return {"ngrams.left": self.left.astype(narrow), "ngrams.right": self.right.astype(narrow)}

    @classmethod
    def from_arrays(cls, arrays: dict[str, Any], first: int, order: int) -> "ExactNgrams":
        """The inverse of `arrays`. Raises KeyError or ValueError for what makes no sense."""
        left, right = arrays["ngrams.left"], arrays["ngrams.right"]
        counts = arrays.get("ngrams.counts", np.zeros(0, np.int64))
        rows = np.arange(first, first + len(left))
        if left.dtype == right.dtype == np.uint16:
            left, right = left.astype(np.int32), right.astype(np.int32)
        if not (left.shape == right.shape and left.dtype == right.dtype == np.int32 and len(counts) in (0, len(left))):
            raise ValueError("their sizes differ")
        if len(left) and not ((left >= 0) & (left < rows) & (right >= 0) & (right < first)).all():
            raise ValueError("one is made of what is not there")
        return cls(first, order, left, right, counts)


def _counted(rows: np.ndarray, words: np.ndarray, min_count: int, threads: int) -> tuple[np.ndarray, np.ndarray]:
    """The pairs that are frequent enough as keys with their counts, the most frequent first, then by key."""

    def count(part: int) -> tuple[np.ndarray, np.ndarray]:
        table, used, done = np.zeros((1 << 16, 2), np.uint64), 0, 0
        while True:
            done, used = kernels.count_pairs(rows, words, done, part, threads, table, used)
            if done == len(words):
                break
            keys, counts = _contents(table)
            table = np.zeros((4 * len(table), 2), np.uint64)
            kernels.enter_pairs(keys, counts, table)
        keys, counts = _contents(table)
        kept = counts >= min_count
        return keys[kept], counts[kept]

    found = list(ordered_map(count, range(threads), threads))
    keys = np.concatenate([f[0] for f in found])
    counts = np.concatenate([f[1] for f in found]).astype(np.int64)
    order = np.lexsort((keys, -counts))
    return keys[order], counts[order]


def _contents(table: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    held = table[:, 0] != 0
    return np.ascontiguousarray(table[held, 0]), np.ascontiguousarray(table[held, 1])


def _packed(left: np.ndarray, right: np.ndarray, row: int, words: int) -> tuple[np.ndarray, np.ndarray]:
    """A table that gives each pair the next row from `row` on, and its layout; `words` have lower rows than n-grams.

    Memory: 16 to 32 bytes a pair where both numbers and the row go into 64 bits together, else twice that.
    """
    if len(left) == 0:
        return _NO_TABLE
    word_bits, row_bits = words.bit_length(), (row + len(left) - 1).bit_length()
    step = 1 if int(left.max()).bit_length() + word_bits + row_bits <= 64 else 2
    layout = [1, word_bits, row_bits, (1 << row_bits) - 1] if step == 1 else [2, 32, 0, (1 << 64) - 1]
    table = np.zeros(step << max(4, int(2 * len(left) - 1).bit_length()), np.uint64)
    kernels.pack_pairs(left, right, row, np.array(layout, np.uint64), table)
    return table, np.array(layout, np.uint64)


@dataclass
class BucketNgrams:
    """N-grams hashed to buckets, of which those that the training documents touched have rows.

    Attributes:
        first: the row of the first touched bucket.
        order: words of the longest n-gram.
        buckets: how many there are.
        touched: uint32 (ceil(B / 32),), a bit for each.
        hashes: uint64 (V,), of the words.
    """

    first: int
    order: int
    buckets: int
    touched: np.ndarray
    hashes: np.ndarray

    def __post_init__(self) -> None:
        whole = np.zeros(_bit_words(self.buckets), np.uint32)
        whole[: len(self.touched)] = self.touched
        self.ranked = np.empty(len(whole), np.uint64)
        self.count = int(kernels.rank_bits(whole, self.ranked))
        self.hashed = _hashed(self.hashes, self.buckets)

    @classmethod
    def fit(
        cls,
        spell: Spelling,
        vocabulary: Vocabulary,
        first: int,
        config: FeatureConfig,
        seen: np.ndarray | None,
        threads: int,
    ) -> "BucketNgrams":
        """Touch the buckets of the documents' n-grams, besides those `seen` already (bool (B,)).

        Memory: a bit for each bucket and thread.
        """
        assert config.buckets is not None
        hashes = word_hashes(vocabulary)
        hashed, free = _hashed(hashes, config.buckets), SimpleQueue[np.ndarray]()
        marks = [np.zeros(_bit_words(config.buckets), np.uint32) for _ in range(threads)]
        for mine in marks:
            free.put(mine)

        def mark(documents: np.ndarray) -> None:
            longest = int(spell.text.sizes(documents).max()) + 1
            mine = free.get()
            kernels.mark_buckets(
                *spell.arguments(documents), hashed, config.word_ngrams, np.empty(longest, np.int32), mine
            )
            free.put(mine)

        if config.word_ngrams > 1:
            parts = max(_PARTS * threads, int(spell.sizes.sum()) // _PART)
            for _ in ordered_map(mark, spell.parts(parts), threads):
                drop_pages(spell.text.ids)
        touched = np.bitwise_or.reduce(marks)[: -(-config.buckets // 32)]
        if config.buckets % 32:
            touched[-1] &= np.uint32((1 << config.buckets % 32) - 1)
        if seen is not None:
            touched |= _bits(seen)
        return cls(first, config.word_ngrams, config.buckets, touched, hashes)

    def __len__(self) -> int:
        return self.count

    def rows_of(self, buckets: np.ndarray) -> np.ndarray:
        """The rows of buckets, int64; NONE for those that were never touched."""
        words, bits = self.ranked[buckets >> 5], np.uint64(1) << (buckets & 31).astype(np.uint64)
        before = (words >> np.uint64(32)).astype(np.int64) + np.bitwise_count(words & (bits - np.uint64(1)))
        return np.where(words & bits, self.first + before, kernels.NONE)

    def numbers(self) -> np.ndarray:
        """The bucket of each row, int64, ascending."""
        return np.flatnonzero(np.unpackbits(self.touched.view(np.uint8), bitorder="little"))

    def only(self, keep: np.ndarray) -> "BucketNgrams":
        """Without the touched buckets where `keep`, bool (count,), is False."""
        hits = np.zeros(self.buckets, np.uint8)
        hits[self.numbers()[keep]] = 1
        return BucketNgrams(self.first, self.order, self.buckets, _bits(hits), self.hashes)

    def words(self, number: int) -> str:
        """The name of a bucket, by its number among those touched."""
        ranks = self.ranked >> np.uint64(32)
        word = int(np.searchsorted(ranks, np.uint64(number), side="right")) - 1
        bits = int(self.touched[word])
        for _ in range(number - int(ranks[word])):
            bits &= bits - 1
        return f"#{32 * word + (bits & -bits).bit_length() - 1}"

    def bags(self, documents: tuple[Any, ...], tokens: np.ndarray, starts: np.ndarray, out: np.ndarray) -> None:
        """See `kernels.features.hashed_bags`."""
        kernels.hashed_bags(*documents, self.hashed, self.ranked, self.order, self.first, tokens, starts, out)

    def arrays(self) -> dict[str, np.ndarray]:
        """What the container holds."""
        return {"ngrams.touched": self.touched}

    @classmethod
    def from_arrays(
        cls, arrays: dict[str, Any], vocabulary: Vocabulary, first: int, config: FeatureConfig
    ) -> "BucketNgrams":
        """The inverse of `arrays`. Raises KeyError or ValueError for what makes no sense."""
        touched = arrays["ngrams.touched"]
        assert config.buckets is not None
        if touched.dtype != np.uint32 or touched.shape != (-(-config.buckets // 32),):
            raise ValueError("there are not as many buckets as the settings say")
        return cls(first, config.word_ngrams, config.buckets, touched, word_hashes(vocabulary))


def _bits(hits: np.ndarray) -> np.ndarray:
    """Bytes that are not 0 as bits of uint32."""
    packed = np.packbits(hits, bitorder="little")
    bits = np.zeros(4 * (-(-len(hits) // 32)), np.uint8)
    bits[: len(packed)] = packed
    return bits.view(np.uint32)


def _bit_words(buckets: int) -> int:
    """Words of 32 bits that hold one for each bucket and one more."""
    return buckets // 32 + 1


def _hashed(hashes: np.ndarray, buckets: int) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """See `kernels.features.hashed_bags`."""
    moduli = np.array([buckets, ((1 << 64) - 1) // buckets], np.uint64)
    return hashes, pair_codes(hashes, buckets), moduli


def pair_codes(hashes: np.ndarray, buckets: int) -> np.ndarray:
    """What a word adds to the bucket of a pair as its first and as its second word, uint32 (V, 2).

    fastText divides A + B, A the hash of the first word times M and B that of the second one, as 64 bits without sign.
    Where A is further from 0 than any B, which is nearly always, the sum wraps round exactly where B is negative: the
    remainders of A and of B with its sign can be added. With a word whose hash is nearly 0 there are no codes.
    """
    signed = hashes.view(np.int64)
    if (np.abs(signed[UNK + 1 :]) * int(kernels.MULTIPLIER) <= 1 << 31).any():
        return np.zeros((0, 2), np.uint32)
    codes = np.empty((len(hashes), 2), np.uint32)
    codes[:, 0] = hashes * kernels.MULTIPLIER % np.uint64(buckets)
    codes[:, 1] = signed % buckets
    codes[UNK] = _NO_CODE
    return codes


def word_hashes(vocabulary: Vocabulary) -> np.ndarray:
    """fastText's hash of each word, sign-extended, uint64 (V,)."""
    hashes = np.empty(len(vocabulary), np.uint64)
    kernels.hash_words(vocabulary.arena, vocabulary.ends, hashes)
    return hashes
