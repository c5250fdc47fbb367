"""Readable twins of the kernels: the same results in plain Python, slow and without tricks."""

from collections.abc import Iterable, Sequence

# --- text -----------------------------------------------------------------------------------------------


def whitespace_split(line: bytes) -> list[bytes]:
    """Words as lmplz sees them: what stands between NUL, TAB, LF, CR and SPACE."""
    for delimiter in b"\0\t\n\r":
        line = line.replace(bytes([delimiter]), b" ")
    return [word for word in line.split(b" ") if word]


def character_length(data: bytes, position: int) -> int:
    """Bytes of the UTF-8 character at `position`, 0 if there is none: what Python's strict decoder takes."""
    for length in (1, 2, 3, 4):
        try:
            if len(data[position : position + length].decode("utf-8")) == 1:
                return length
        except UnicodeDecodeError:
            pass
    return 0


def first_invalid(data: bytes) -> int:
    """The first position that begins no well-formed character, or the length of the data."""
    position = 0
    while position < len(data):
        length = character_length(data, position)
        if length == 0:
            return position
        position += length
    return len(data)


def characters(data: bytes) -> list[str | int]:
    """The characters of the data; a byte that belongs to none stands alone, as a number."""
    found: list[str | int] = []
    position = 0
    while position < len(data):
        length = character_length(data, position)
        found.append(data[position : position + length].decode() if length else data[position])
        position += max(1, length)
    return found


def map_characters(data: bytes, images: dict[str, str]) -> bytes:
    """Each character replaced by its image, if it has one; stray bytes stay."""
    return b"".join(bytes([c]) if isinstance(c, int) else images.get(c, c).encode() for c in characters(data))


def intern(tokens: Iterable[bytes], known: Sequence[bytes] = ()) -> tuple[list[int], list[bytes]]:
    """Ids by first appearance behind the known words; returns the ids and all words."""
    ids = {word: i for i, word in enumerate(known)}
    return [ids.setdefault(token, len(ids)) for token in tokens], list(ids)


def look_up(tokens: Iterable[bytes], known: Sequence[bytes], missing: int) -> list[int]:
    """Ids in a fixed list of words."""
    return [known.index(token) if token in known else missing for token in tokens]


def join_tokens(lines: Sequence[Sequence[bytes]]) -> bytes:
    """Tokens set apart by one space, lines by one newline."""
    return b"\n".join(b" ".join(line) for line in lines)


def remap(ids: Sequence[int], mapping: Sequence[int]) -> list[int]:
    """Each id by what the mapping has for it."""
    return [mapping[i] for i in ids]


def first_occurrences(ids: Sequence[int], size: int) -> list[int]:
    """Where each id below `size` stands first; len(ids) for those that do not occur."""
    return [list(ids).index(i) if i in ids else len(ids) for i in range(size)]


def gather_words(listed: Sequence[bytes], order: Sequence[int]) -> list[bytes]:
    """The words in another order."""
    return [listed[i] for i in order]


_MASK = (1 << 64) - 1


def mix(value: int) -> int:
    """The multiply-and-fold hash step of the word table, modulo 2 ** 64."""
    value = value * 0x9E3779B97F4A7C15 & _MASK
    value ^= value >> 32
    value = value * 0xD6E8FEB86659FD93 & _MASK
    return value ^ value >> 32


def text_lines(data: bytes) -> list[bytes]:
    """The lines of a file, without their newlines; a missing newline at the end adds none."""
    lines = data.split(b"\n")
    return lines[:-1] if lines[-1] == b"" else lines


def vocabulary(
    lines: Iterable[Sequence[bytes]], min_count: int = 1, max_vocab: int | None = None
) -> list[tuple[bytes, int]]:
    """Words with counts, most frequent first, at equal counts in order of appearance; the specials are apart."""
    counts: dict[bytes, int] = {}
    for line in lines:
        for word in line:
            counts[word] = counts.get(word, 0) + 1
    kept = [(w, n) for w, n in counts.items() if n >= min_count and w not in (b"<unk>", b"<s>", b"</s>")]
    return sorted(kept, key=lambda item: -item[1])[:max_vocab]


def encode(lines: Iterable[Sequence[bytes]], words: Sequence[bytes]) -> tuple[list[int], list[int]]:
    """Ids (behind <unk> 0, <s> 1, </s> 2) and line offsets."""
    known = [b"<unk>", b"<s>", b"</s>", *words]
    ids, offsets = [], [0]
    for line in lines:
        ids += look_up(line, known, 0)
        offsets.append(len(ids))
    return ids, offsets
