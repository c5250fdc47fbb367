"""fastText's files and features: the list of words, and the rows of the input matrix that a line is made of."""

import numpy as np

from .jit import kernel, leaf, load_f32, load_u64, prefetch, store_u64
from .subwords import chain, character_buckets, hash_bytes, signed

_TAIL = 10  # the NUL, the count (8 bytes) and the kind of an entry
_SPREAD = np.uint64(0x9E3779B97F4A7C15)
_HALF = np.uint64(32)
_AHEAD = 8
FREE = -1
UNKNOWN, LABEL = -1, -2


@kernel
def measure_entries(data, position, entries):
    """Walk over entries: bytes up to a NUL, int64 count, uint8 kind.

    Returns (position behind them, bytes of all words), the position -1 where the data ends before the entries do or
    a word is empty.
    """
    stop, total = len(data), 0
    for _ in range(entries):
        start = position
        while position < stop and data[position] != 0:
            position += 1
        if position == start or position + _TAIL > stop:
            return -1, total
        total += position - start
        position += _TAIL
    return position, total


@kernel
def copy_entries(data, position, arena, ends, counts, kinds):
    """Entries that were measured: words into arena uint8, ends int64 (n + 1,), counts int64 (n,), kinds uint8 (n,)."""
    size = 0
    ends[0] = 0
    for entry in range(len(counts)):
        while data[position] != 0:
            arena[size] = data[position]
            size += 1
            position += 1
        ends[entry + 1] = size
        counts[entry] = np.int64(load_u64(data, position + 1))
        kinds[entry] = data[position + 9]
        position += _TAIL


@kernel
def write_entries(arena, ends, counts, words, first, out):
    """The inverse: entries from `first` on, as many as fit; those behind `words` are labels. Returns (next, bytes)."""
    size, entry = 0, first
    while entry < len(counts):
        start, end = ends[entry], ends[entry + 1]
        if size + (end - start) + _TAIL > len(out):
            break
        for i in range(start, end):
            out[size] = arena[i]
            size += 1
        out[size] = 0
        store_u64(out, size + 1, np.uint64(counts[entry]))
        out[size + 9] = np.uint8(entry >= words)
        size += _TAIL
        entry += 1
    return entry, size


@leaf
def kept_home(bucket, size):
    """Where a bucket is looked for first in a table of `size` places."""
    return np.int64((((np.uint64(bucket) * _SPREAD) >> _HALF) * np.uint64(size)) >> _HALF)


@kernel
def fill_kept(pairs, places, numbers):
    """A hash table of pairs int32 (P, 2), bucket and row: places int32 (S,), FREE before, S > P; numbers int32 (S,)."""
    for i in range(len(pairs)):
        slot = kept_home(pairs[i, 0], len(places))
        while places[slot] != FREE and places[slot] != pairs[i, 0]:
            slot = slot + 1 if slot + 1 < len(places) else 0
        places[slot], numbers[slot] = pairs[i, 0], pairs[i, 1]


@leaf
def kept_row(bucket, places, numbers):
    """The row behind the words of a bucket: its own number where nothing was pruned, -1 where it is gone."""
    if len(numbers) == 0:
        return bucket if len(places) == 0 else np.int64(-1)
    slot = kept_home(bucket, len(places))
    while places[slot] != bucket:
        if places[slot] == FREE:
            return np.int64(-1)
        slot = slot + 1 if slot + 1 < len(places) else 0
    return np.int64(numbers[slot])


@leaf
def put_bucket(rows, count, words, bucket, places, numbers):
    """rows[count] = the row of a bucket, where it is kept and there is room, behind those of words. The new count."""
    row = kept_row(bucket, places, numbers)
    if row < 0:
        return count
    if count < len(rows):
        rows[count] = words + row
    return count + 1


@kernel
def word_rows(arena, ends, end_mark, known, words, lengths, buckets, places, numbers, hashes, starts, rows, found):
    """What each of V words is made of: its own row where it has one, then those of its n-grams of characters.

    known int32 (V,): a row below `words`, UNKNOWN or LABEL. The word numbered `end_mark` has no n-grams, a label has
    nothing. hashes uint64 (V,) out: `signed`; starts int64 (V + 1,), rows int32 out; found int64 is scratch.
    Returns the number of rows, and of n-grams of the word that has the most: where there is no room for either, call
    again with more.
    """
    shortest, longest = lengths
    count, most = np.int64(0), np.int64(0)
    starts[0] = 0
    for word in range(len(known)):
        start, end = ends[word], ends[word + 1]
        hashes[word] = signed(hash_bytes(arena, start, end))
        if known[word] >= 0:
            if count < len(rows):
                rows[count] = known[word]
            count += 1
        if longest > 0 and word != end_mark and known[word] != LABEL:
            size = character_buckets(arena, start, end, shortest, longest, buckets, found, 0, len(found))
            most = max(most, size)
            for k in range(min(size, len(found))):
                count = put_bucket(rows, count, words, found[k], places, numbers)
        starts[word + 1] = count
    return count, most


@kernel
def document_rows(
    ids, offsets, documents, end_mark, known, hashes, unit_starts, unit_rows, longest, buckets, words, places, numbers,
    chained, starts, rows,
):  # fmt: skip
    """The rows of documents as fastText has them: those of their words and the end mark, then of n-grams of words.

    Labels do not count; what stands behind an end mark that is spelt out is passed over. Of unknown words the hashes
    count. ids int32 (N,), offsets int64 (L + 1,), documents int64 (n,); known, hashes, units: see `word_rows`. chained
    uint64 is scratch for the longest document and one more. starts int64 (n + 1,), rows int32 out.
    Returns the number of rows; where there is no room for them, call again with more.
    """
    count = np.int64(0)
    starts[0] = 0
    for i in range(len(documents)):
        size, place, stop = 0, offsets[documents[i]], offsets[documents[i] + 1]
        while place <= stop:
            word = np.int64(ids[place]) if place < stop else np.int64(end_mark)
            place = stop + 1 if word == end_mark else place + 1
            if known[word] == LABEL:
                continue
            for k in range(unit_starts[word], unit_starts[word + 1]):
                if count < len(rows):
                    rows[count] = unit_rows[k]
                count += 1
            chained[size] = hashes[word]
            size += 1
        for a in range(size):
            value = chained[a]
            for b in range(a + 1, min(a + longest, size)):
                value = chain(value, chained[b])
                bucket = np.int64(value % np.uint64(buckets))
                count = put_bucket(rows, count, words, bucket, places, numbers)
        starts[i + 1] = count
    return count


@kernel
def mean_rows(data, width, starts, rows, first, last, out):
    """out[d] = the mean of the matrix rows that documents first to last are made of; zeros for one without any.

    data uint8: rows of `width` float32, however aligned. starts int64 (L + 1,), rows int32, out float32 (L, width).
    """
    for document in range(first, last):
        begin, end = starts[document], starts[document + 1]
        out[document, :] = 0
        for i in range(begin, end):
            if i + _AHEAD < end:
                prefetch(data, 4 * width * np.int64(rows[i + _AHEAD]))
            position = 4 * width * np.int64(rows[i])
            for d in range(width):
                out[document, d] += load_f32(data, position + 4 * d)
        scale = np.float32(1.0 / max(end - begin, 1))
        for d in range(width):
            out[document, d] *= scale


@kernel
def take_rows(data, width, rows, out):
    """out[i] = row rows[i] of a matrix as in `mean_rows`; out float32 (n, width)."""
    for i in range(len(rows)):
        position = 4 * width * np.int64(rows[i])
        for d in range(width):
            out[i, d] = load_f32(data, position + 4 * d)
