"""From documents as word ids to bags: the rows of the input matrix that each document is the mean of.

A document's tokens are numbers of words that have rows; UNKNOWN (0) has none and n-grams do not reach across it.
N-grams are rows of two kinds. Hashed ones are buckets, numbered among those that the training text touched. Exact ones
are numbered by a dictionary of pairs (row of the n-gram without its last word, last word), so that none collide.
"""

import numpy as np

from .jit import high_product, kernel, leaf, one_bits, prefetch
from .subwords import mix_byte, wrapped_byte

UNKNOWN, NONE = 0, -1
MULTIPLIER = np.uint64(116049371)  # of fastText, which numbers the same n-grams alike
_BASIS, _SIGN_BIT = np.uint64(2166136261), np.uint64(0x80000000)
_SIGNED = np.uint64(0xFFFFFFFF00000000)
_SPREAD = np.uint64(0x9E3779B97F4A7C15)
_ONE, _FIVE, _THIRTY_TWO, _LOW_FIVE = np.uint64(1), np.uint64(5), np.uint64(32), np.uint64(31)
_AHEAD = 12


@kernel
def hash_words(arena, ends, hashes):
    """The hash of each word as fastText has it: 32-bit FNV-1a, sign-extended; hashes uint64 (V,)."""
    for word in range(len(hashes)):
        value = _BASIS
        for i in range(ends[word], ends[word + 1]):
            value = mix_byte(value, np.int64(arena[i]))
        if value & _SIGN_BIT:
            value |= _SIGNED
        hashes[word] = value


@leaf
def read_document(ids, first, last, mapping, end_mark, tokens):
    """The words of ids[first:last] as numbers with rows; returns how many.

    mapping int32 is empty where the text's ids are those numbers; `end_mark` is put at the end where it is not NONE.
    """
    size = last - first
    if len(mapping) == 0:
        for i in range(size):
            tokens[i] = ids[first + i]
    else:
        for i in range(size):
            tokens[i] = mapping[ids[first + i]]
    if end_mark != NONE:
        tokens[size] = end_mark
        size += 1
    return size


@leaf
def add_words(ids, first, last, mapping, end_mark, units, out, size):
    """Append the rows of each word; `units` (starts, rows) where a word is several rows, else empty."""
    starts, rows = units
    if len(starts) == 0:
        for i in range(last - first):
            row = ids[first + i] if len(mapping) == 0 else mapping[ids[first + i]]
            out[size] = row
            size += row != UNKNOWN
    else:
        for i in range(first, last):
            for unit in range(starts[ids[i]], starts[ids[i] + 1]):
                out[size] = rows[unit]
                size += 1
    if end_mark != NONE:
        out[size] = end_mark
        size += 1
    return size


@leaf
def remainder(value, modulus, inverse):
    """value % modulus by one multiplication, where inverse = (2 ** 64 - 1) // modulus (Barrett's reduction)."""
    rest = value - high_product(value, inverse) * modulus  # below 3 times the modulus
    if rest >= modulus:
        rest -= modulus
    if rest >= modulus:
        rest -= modulus
    return rest


@leaf
def bucket_row(bucket, ranked):
    """(number of a bucket among those that are touched, 1), or (anything, 0) where it is not: no branch to be guessed.

    ranked uint64 (B // 32 + 1,): a bit for each of 32 buckets, and above them the number of those touched before.
    """
    word = ranked[bucket >> _FIVE]
    place = bucket & _LOW_FIVE
    before = one_bits(word & ((_ONE << place) - _ONE))
    return np.int64(word >> _THIRTY_TWO) + before, np.int64((word >> place) & _ONE)


@leaf
def set_bit(touched, bucket):
    """Set a bucket's bit; touched uint32."""
    touched[bucket >> _FIVE] |= np.uint32(_ONE << (bucket & _LOW_FIVE))


@kernel
def rank_bits(touched, ranked):
    """Put a touched uint32 (n,) together with ranks to what `bucket_row` asks; returns the number touched."""
    count = np.uint64(0)
    for i in range(len(touched)):
        ranked[i] = (count << _THIRTY_TWO) | np.uint64(touched[i])
        count += np.uint64(one_bits(np.uint64(touched[i])))
    return np.int64(count)


@leaf
def pair_buckets(tokens, n, codes, modulus):
    """Put the bucket of each pair of a document's words in the place of its first one: `modulus` for pairs without.

    codes uint32 (V, 2): what a word adds as the first and as the second, see `classify.ngrams.pair_codes`. The sum is
    below twice the modulus: one subtraction, which wraps round where it is not to be, and no branch to be guessed.
    """
    for i in range(n - 1):
        bucket = np.uint64(codes[tokens[i], 0]) + np.uint64(codes[tokens[i + 1], 1])
        tokens[i] = np.int64(min(min(bucket, bucket - modulus), modulus))


@kernel(refcounts=False)
def mark_buckets(ids, offsets, documents, mapping, end_mark, hashed, order, tokens, touched):
    """Set the bit of the bucket of each n-gram of two to `order` words in the documents.

    hashed = (hashes, codes, moduli), see `hashed_bags`; touched uint32 (B // 32 + 1,), where the bit behind those of
    the buckets may be set, too; tokens int32 scratch of the longest document.
    """
    hashes, codes, moduli = hashed
    modulus, inverse = moduli[0], moduli[1]
    for d in range(len(documents)):
        first, last = offsets[documents[d]], offsets[documents[d] + 1]
        n = read_document(ids, first, last, mapping, end_mark, tokens)
        if order == 2 and len(codes) > 0:
            pair_buckets(tokens, n, codes, modulus)
            for i in range(n - 1):
                set_bit(touched, np.uint64(tokens[i]))
            continue
        for i in range(n - 1):
            if tokens[i] == UNKNOWN:
                continue
            value = hashes[tokens[i]]
            for k in range(i + 1, min(i + order, n)):
                if tokens[k] == UNKNOWN:
                    break
                value = value * MULTIPLIER + hashes[tokens[k]]
                set_bit(touched, remainder(value, modulus, inverse))


@leaf
def hashed_pairs(tokens, n, codes, ranked, modulus, first_row, out, size):
    """Append the rows of the buckets of a document's pairs of words, which are put in the tokens' place."""
    pair_buckets(tokens, n, codes, modulus)
    for i in range(n - 1):
        row, there = bucket_row(np.uint64(tokens[i]), ranked)
        out[size] = first_row + row
        size += there
    return size


@kernel(refcounts=False)
def hashed_bags(
    ids, offsets, documents, mapping, end_mark, units, hashed, ranked, order, first_row, tokens, starts, out
):  # fmt: skip
    """Rows of each document: its words in turn, then its n-grams by the place where they begin.

    ids int32 (N,), offsets int64, documents int64 (n,); hashed = (hashes uint64 (V,), codes or none, see
    `pair_buckets`, moduli uint64 (2,): the buckets and their inverse); ranked see `bucket_row`; tokens int32 scratch of
    the longest document; starts int64 (n + 1,) and out int32 are filled.
    """
    hashes, codes, moduli = hashed
    modulus, inverse, size = moduli[0], moduli[1], np.int64(0)
    starts[0] = 0
    for d in range(len(documents)):
        first, last = offsets[documents[d]], offsets[documents[d] + 1]
        size = add_words(ids, first, last, mapping, end_mark, units, out, size)
        if order > 1:
            n = read_document(ids, first, last, mapping, end_mark, tokens)
        if order == 2 and len(codes) > 0:
            size = hashed_pairs(tokens, n, codes, ranked, modulus, first_row, out, size)
        elif order > 1:
            for i in range(n - 1):
                if tokens[i] == UNKNOWN:
                    continue
                value = hashes[tokens[i]]
                for k in range(i + 1, min(i + order, n)):
                    if tokens[k] == UNKNOWN:
                        break
                    value = value * MULTIPLIER + hashes[tokens[k]]
                    row, there = bucket_row(remainder(value, modulus, inverse), ranked)
                    out[size] = first_row + row
                    size += there
        starts[d + 1] = size


@kernel
def count_words(ids, offsets, documents, counts):
    """counts[id] += 1 for each word of the documents; counts int64 (V,)."""
    for d in range(len(documents)):
        for i in range(offsets[documents[d]], offsets[documents[d] + 1]):
            counts[ids[i]] += 1


@kernel
def spell_pieces(arena, ends, first, last, shortest, longest, buffer, starts, spans):
    """Write words first to last in angle brackets to a buffer, and where their n-grams of characters lie in it.

    N-grams are of `shortest` to `longest` UTF-8 characters; a single bracket is none. buffer uint8; starts int64
    (last - first + 1,); spans int32 (room, 2). Returns the number of n-grams; those beyond the room are left out.
    """
    size, count = np.int64(0), np.int64(0)
    starts[0] = 0
    for word in range(first, last):
        start, end = ends[word], ends[word + 1]
        length = end - start + 2
        for i in range(length):
            buffer[size + i] = wrapped_byte(arena, start, end, i)
        for i in range(length):
            if buffer[size + i] & 0xC0 == 0x80:
                continue
            j, n = i, 1
            while j < length and n <= longest:
                j += 1
                while j < length and buffer[size + j] & 0xC0 == 0x80:
                    j += 1
                if n >= shortest and not (n == 1 and (i == 0 or j == length)):
                    if count < spans.shape[0]:
                        spans[count, 0], spans[count, 1] = size + i, size + j
                    count += 1
                n += 1
        size += length
        starts[word - first + 1] = count
    return count


# --- the exact dictionary ----------------------------------------------------------------------------------


@leaf
def pair_key(left, right):
    """A row and a word as one number, never 0."""
    return (np.uint64(left) << _THIRTY_TWO) | np.uint64(right + 1)


@leaf
def slot_of(key, size):
    """Where a key's search begins in a table of a power of two slots."""
    value = key * _SPREAD
    value ^= value >> _THIRTY_TWO
    value *= _SPREAD
    return np.int64((value >> _THIRTY_TWO) & np.uint64(size - 1))


@leaf
def find_slot(table, key):
    """The slot that holds the key, or the free one where it belongs; table uint64 (S, 2) of key and value."""
    slot = slot_of(key, table.shape[0])
    while table[slot, 0] != np.uint64(0) and table[slot, 0] != key:
        slot += 1
        if slot == table.shape[0]:
            slot = 0
    return slot


@kernel
def document_stream(ids, offsets, documents, mapping, end_mark, out):
    """The documents' words one after the other, UNKNOWN after each; returns their number."""
    size = np.int64(0)
    for d in range(len(documents)):
        first, last = offsets[documents[d]], offsets[documents[d] + 1]
        size += read_document(ids, first, last, mapping, end_mark, out[size:])
        out[size] = UNKNOWN
        size += 1
    return size


@kernel
def count_pairs(rows, words, start, part, parts, table, used):
    """Count the pairs (rows[i], words[i]) from place `start` on whose key falls into this part of `parts`.

    rows int32, NONE where no n-gram ends before the word. Stops where the table is half full.
    Returns (place reached, keys in the table).
    """
    size, share = len(words), np.uint64(parts)
    for i in range(start, size):
        if rows[i] == NONE or words[i] == UNKNOWN:
            continue
        key = pair_key(rows[i], words[i])
        if np.int64(((key * _SPREAD) >> _THIRTY_TWO) * share >> _THIRTY_TWO) != part:
            continue
        if 2 * used >= table.shape[0]:
            return i, used
        slot = find_slot(table, key)
        if table[slot, 0] == np.uint64(0):
            table[slot, 0] = key
            used += 1
        table[slot, 1] += _ONE
    return size, used


@kernel
def enter_pairs(keys, values, table):
    """Put keys with their values into a table; of a key given twice the last value counts."""
    for i in range(len(keys)):
        slot = find_slot(table, keys[i])
        table[slot, 0] = keys[i]
        table[slot, 1] = values[i]


@leaf
def packed_key(left, right, layout):
    """As `pair_key`, of as many bits as the layout has for a word."""
    return (np.uint64(left) << layout[1]) | np.uint64(right + 1)


@leaf
def find_packed(table, layout, key, slot):
    """The place in a packed table that holds the key, or the free one where it belongs, from a slot on.

    table uint64 (S * step,); layout uint64 (4,): step, 1 where a slot is a key and behind it in its lowest bits the
    row, 2 where it is a key and then a row, for what does not go into 64 bits; bits of a word in a key; bits of a row
    behind it; and their mask, of the whole row where it stands alone.
    """
    at = slot * np.int64(layout[0])
    while table[at] != np.uint64(0) and table[at] >> layout[2] != key:
        at += np.int64(layout[0])
        if at == table.shape[0]:
            at = 0
    return at


@leaf
def packed_row(table, layout, at):
    """The row at a place that holds one."""
    return np.int64(table[at + np.int64(layout[0]) - 1] & layout[3])


@leaf
def packed_slots(table, layout):
    """How many slots a packed table has."""
    return table.shape[0] >> np.int64(layout[0] - _ONE)


@kernel
def pack_pairs(lefts, rights, first, layout, table):
    """Give each pair the next row from `first` on; lefts and rights int32 (n,), table uint64 all zeros."""
    slots, near = packed_slots(table, layout), np.int64(0)
    for i in range(len(lefts)):
        near = min(i + _AHEAD, len(lefts) - 1)
        prefetch(table, slot_of(packed_key(lefts[near], rights[near], layout), slots) * np.int64(layout[0]))
        key = packed_key(lefts[i], rights[i], layout)
        at = find_packed(table, layout, key, slot_of(key, slots))
        table[at] = key << layout[2]
        table[at + np.int64(layout[0]) - 1] |= np.uint64(first + i)


@kernel
def find_pairs(rows, words, table, layout, found):
    """found[i] = the row of the pair (rows[i], words[i]), or NONE; see `find_packed`."""
    size, slots = len(words), packed_slots(table, layout)
    for i in range(size):
        near = i + _AHEAD
        if near < size and rows[near] != NONE:
            prefetch(table, slot_of(packed_key(rows[near], words[near], layout), slots) * np.int64(layout[0]))
        found[i] = NONE
        if rows[i] != NONE and words[i] != UNKNOWN and slots > 0:
            key = packed_key(rows[i], words[i], layout)
            at = find_packed(table, layout, key, slot_of(key, slots))
            if table[at] != np.uint64(0):
                found[i] = packed_row(table, layout, at)


@leaf
def exact_pairs(tokens, n, table, layout, homes, out, size):
    """Append the rows of a document's pairs of words.

    All are hashed before the first is looked up, so that each slot is asked for early; `homes` int64 holds the slots.
    """
    slots = packed_slots(table, layout)
    for i in range(n - 1):
        homes[i] = slot_of(packed_key(tokens[i], tokens[i + 1], layout), slots)
    for i in range(n - 1):
        prefetch(table, homes[min(i + _AHEAD, n - 2)] * np.int64(layout[0]))
        if tokens[i] == UNKNOWN or tokens[i + 1] == UNKNOWN:
            continue
        at = find_packed(table, layout, packed_key(tokens[i], tokens[i + 1], layout), homes[i])
        out[size] = packed_row(table, layout, at)
        size += table[at] != np.uint64(0)
    return size


@kernel(refcounts=False)
def exact_bags(ids, offsets, documents, mapping, end_mark, units, table, layout, order, tokens, homes, starts, out):
    """As `hashed_bags`, with n-grams by a packed table, see `find_packed`; homes int64 is as long as tokens."""
    size, slots = np.int64(0), packed_slots(table, layout)
    starts[0] = 0
    for d in range(len(documents)):
        first, last = offsets[documents[d]], offsets[documents[d] + 1]
        size = add_words(ids, first, last, mapping, end_mark, units, out, size)
        if order == 2 and slots > 0:
            n = read_document(ids, first, last, mapping, end_mark, tokens)
            size = exact_pairs(tokens, n, table, layout, homes, out, size)
        elif order > 2 and slots > 0:
            n = read_document(ids, first, last, mapping, end_mark, tokens)
            for i in range(n - 1):
                if i + _AHEAD + 1 < n:
                    key = packed_key(tokens[i + _AHEAD], tokens[i + _AHEAD + 1], layout)
                    prefetch(table, slot_of(key, slots) * np.int64(layout[0]))
                row = np.int64(tokens[i])
                if row == UNKNOWN:
                    continue
                for k in range(i + 1, min(i + order, n)):
                    if tokens[k] == UNKNOWN:
                        break
                    key = packed_key(row, tokens[k], layout)
                    at = find_packed(table, layout, key, slot_of(key, slots))
                    if table[at] == np.uint64(0):
                        break
                    row = packed_row(table, layout, at)
                    out[size] = row
                    size += 1
        starts[d + 1] = size
