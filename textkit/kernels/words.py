"""The word table: an open-addressing hash from the bytes of a word to its id.

Arrays of a table with W words:
    index    uint64 (S,)    S > W: half of the word's hash (32 bits) and id + 1 (32 bits), 0 where free
    arena    uint8  (A,)    the words, one after the other, and at least 8 spare bytes
    ends     int64  (W+1,)  word i is arena[ends[i]:ends[i + 1]]
Words are compared byte by byte where half a hash agrees, so that no two are ever merged.
A token's place in the index, then that of the word in the arena, then the word are asked for some tokens ahead, each
in turn, so that a rare word costs no waiting.
"""

import numpy as np

from .floats import digit_count, put_digits
from .jit import kernel, leaf, load_u64, prefetch

_MULTIPLIER = np.uint64(0x9E3779B97F4A7C15)
_MIXER = np.uint64(0xD6E8FEB86659FD93)
_ZERO = np.uint64(0)
_BYTE = np.uint64(8)
_WORD_BITS = np.uint64(64)
_HALF = np.uint64(32)
_LOW_32 = np.uint64(0xFFFFFFFF)
_ALL = np.uint64(0xFFFFFFFFFFFFFFFF)
_AHEAD = 16


@leaf
def load_tail(buffer, position, length):
    """The first `length` (1 to 8) bytes at `position` as a uint64, zero above."""
    return load_u64(buffer, position) & (_ALL >> (_WORD_BITS - _BYTE * np.uint64(length)))


@leaf
def mix(value):
    """Spread the bits of a uint64 over all others (multiply and fold)."""
    value *= _MULTIPLIER
    value ^= value >> _HALF
    value *= _MIXER
    return value ^ (value >> _HALF)


@kernel(refcounts=False)
def key_of(buffer, start, end):
    """The key of a word: its bytes if there are at most 8, else a hash of them."""
    if end - start <= 8:
        return load_tail(buffer, start, end - start)
    value = np.uint64(end - start)
    position = start
    while position + 8 < end:
        value = mix(value ^ load_u64(buffer, position))
        position += 8
    return mix(value ^ load_tail(buffer, position, end - position))


@leaf
def hash_of(key, length):
    """The hash of a word with this key and length."""
    return mix(key + np.uint64(length))


@leaf
def home(hashed, size):
    """The slot where the search begins: the upper half of the hash, scaled to the size of the index."""
    return np.int64(((hashed >> _HALF) * np.uint64(size)) >> _HALF)


@kernel(refcounts=False)
def same_bytes(a, start_a, b, start_b, length):
    """Whether a[start_a:][:length] equals b[start_b:][:length]."""
    while length > 8:
        if load_u64(a, start_a) != load_u64(b, start_b):
            return False
        start_a += 8
        start_b += 8
        length -= 8
    return length == 0 or load_tail(a, start_a, length) == load_tail(b, start_b, length)


@leaf
def index_entry(hashed, word):
    """What `index` holds of a word: the low half of its hash, so that few others are compared, and id + 1."""
    return hashed << _HALF | np.uint64(word + 1)


@leaf
def next_candidate(hashed, slot, index):
    """From a slot on: the first that holds a word with this half of the hash, or a free one."""
    while index[slot] != _ZERO and (index[slot] >> _HALF) != (hashed & _LOW_32):
        slot += 1
        if slot == index.shape[0]:
            slot = 0
    return slot


@leaf
def find_indexed(buffer, start, end, key, hashed, slot, index, arena, ends):
    """The word that equals buffer[start:end], searched from a slot of `index` on, or -1."""
    length = end - start
    while True:
        slot = next_candidate(hashed, slot, index)
        word = np.int64(index[slot] & _LOW_32) - 1
        if word < 0 or word + 1 >= ends.shape[0]:
            return -1
        if ends[word + 1] - ends[word] == length:
            if length <= 8:
                if load_tail(arena, ends[word], length) == key:
                    return word
            elif same_bytes(buffer, start, arena, ends[word], length):
                return word
        slot += 1
        if slot == index.shape[0]:
            slot = 0


@kernel(refcounts=False)
def hash_tokens(buffer, spans, n_spans, size, keys, hashes, slots):
    """Keys, hashes and home slots of a batch of tokens, and of line ends something harmless."""
    for i in range(n_spans):
        start, end = np.int64(spans[i, 0]), np.int64(spans[i, 1])
        keys[i] = key_of(buffer, start, end) if start < end else _ZERO
        hashes[i] = hash_of(keys[i], end - start)
        slots[i] = home(hashes[i], size)


@kernel(refcounts=False)
def enter(hashed, word, index):
    """Put a word that is not there into the index."""
    slot = home(hashed, index.shape[0])
    while index[slot] != _ZERO:
        slot += 1
        if slot == index.shape[0]:
            slot = 0
    index[slot] = index_entry(hashed, word)


@kernel(refcounts=False)
def intern(buffer, spans, n_spans, keys, hashes, slots, index, arena, ends, counts, words, missing, ids, lines):
    """Give each token its id; words not seen before are added, or if `missing` is not -1 they get that id.

    buffer uint8, spans int32 (>= n_spans, 2), keys uint64, hashes uint64 and slots int64 (>= n_spans,) scratch,
    counts int64 (W capacity,) raised by one per token unless the table is fixed, ids int32 (>= n_spans,) and lines
    int32 (>= n_spans,) out: ids of tokens, and for each line end the number of ids before it. Stops early when the
    table is full (half of its slots, or no room in arena or ends).
    Returns (spans done, words in the table, ids written, lines written).
    """
    hash_tokens(buffer, spans, n_spans, index.shape[0], keys, hashes, slots)
    n_ids, n_lines = 0, 0
    for i in range(n_spans):
        if i + 3 * _AHEAD < n_spans:
            prefetch(index, slots[i + 3 * _AHEAD])
        if i + 2 * _AHEAD < n_spans:
            ahead = i + 2 * _AHEAD
            slots[ahead] = next_candidate(hashes[ahead], slots[ahead], index)
            prefetch(ends, np.int64(index[slots[ahead]] & _LOW_32))
        if i + _AHEAD < n_spans:
            near = np.int64(index[slots[i + _AHEAD]] & _LOW_32) - 1
            if 0 <= near < ends.shape[0]:
                prefetch(arena, ends[near])
        start, end = np.int64(spans[i, 0]), np.int64(spans[i, 1])
        if start == end:
            lines[n_lines] = n_ids
            n_lines += 1
            continue
        word = find_indexed(buffer, start, end, keys[i], hashes[i], slots[i], index, arena, ends)
        if word < 0 and missing >= 0:
            word = missing
        elif word < 0:
            word, used = words, ends[words]
            full = 2 * words >= index.shape[0] or words + 1 >= ends.shape[0]
            if full or used + (end - start) + 8 > arena.shape[0]:
                return i, words, n_ids, n_lines
            for k in range(end - start):
                arena[used + k] = buffer[start + k]
            words += 1
            ends[words] = used + (end - start)
            enter(hashes[i], word, index)
        if missing < 0:
            counts[word] += 1
        ids[n_ids] = word
        n_ids += 1
    return n_spans, words, n_ids, n_lines


@kernel(refcounts=False)
def fill_index(index, arena, ends, words, distinct):
    """Enter the first `words` words of an arena into an empty index.

    Returns the first that is there already, or -1; words known to be `distinct` are not compared.
    """
    for word in range(words):
        start, end = ends[word], ends[word + 1]
        key = key_of(arena, start, end)
        hashed = hash_of(key, end - start)
        if not distinct:
            slot = home(hashed, index.shape[0])
            if find_indexed(arena, start, end, key, hashed, slot, index, arena, ends) >= 0:
                return word
        enter(hashed, word, index)
    return -1


@kernel(refcounts=False)
def write_counts(arena, ends, counts, word, out):
    """Write lines `word TAB count` from word number `word` on, as many as fit. Returns (next word, bytes written)."""
    size = 0
    while word < counts.shape[0]:
        start, end = ends[word], ends[word + 1]
        if size + (end - start) + 24 > out.shape[0]:
            break
        for i in range(start, end):
            out[size] = arena[i]
            size += 1
        out[size] = 9
        size = put_digits(out, size + 1, counts[word], digit_count(max(counts[word], 1)))
        out[size] = 10
        size += 1
        word += 1
    return word, size


@kernel(refcounts=False)
def gather_words(arena, ends, order, out_arena, out_ends):
    """Copy the words order[0], order[1], … into a new arena in that order."""
    size = 0
    out_ends[0] = 0
    for i in range(order.shape[0]):
        for k in range(ends[order[i]], ends[order[i] + 1]):
            out_arena[size] = arena[k]
            size += 1
        out_ends[i + 1] = size


@kernel(refcounts=False)
def remap(ids, mapping):
    """ids[i] = mapping[ids[i]] in place."""
    for i in range(ids.shape[0]):
        ids[i] = mapping[ids[i]]


@kernel(refcounts=False)
def lower_first(ids, base, known, first):
    """first[id] = min(first[id], base + i) where an id from `known` on stands at i; int64 (W,), large at first."""
    for i in range(ids.shape[0]):
        if ids[i] >= known and base + i < first[ids[i]]:
            first[ids[i]] = base + i


@kernel(refcounts=False)
def first_occurrences(ids, first):
    """first[id] = where id stands first; `first` int64 (V,) starts at len(ids)."""
    size = ids.shape[0]
    for i in range(size):
        if first[ids[i]] == size:
            first[ids[i]] = i


@kernel(refcounts=False)
def digest(buffer, size, state):
    """Fold buffer[:size] into the two 64-bit words of `state`: a fast fingerprint, not a cryptographic one."""
    a, b = state[0], state[1]
    position = 0
    while position + 8 <= size:
        word = load_u64(buffer, position)
        a = (a ^ word) * _MULTIPLIER
        a ^= a >> _HALF
        b = (b + word) * _MIXER
        b ^= b >> np.uint64(29)
        position += 8
    if position < size:
        word = load_tail(buffer, position, size - position)
        a = (a ^ word) * _MULTIPLIER
        a ^= a >> _HALF
        b = (b + word) * _MIXER
        b ^= b >> np.uint64(29)
    state[0], state[1] = a ^ np.uint64(size), b
