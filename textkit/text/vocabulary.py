"""The vocabulary: words and their ids, counted in one pass, most frequent first."""

import io
from collections.abc import Iterable, Iterator, Sequence
from functools import cached_property
from pathlib import Path
from typing import Any

import numpy as np

from .. import files
from ..errors import DataError, UsageError
from ..kernels import words
from .tokenizer import PADDING

SPECIALS = ("<unk>", "<s>", "</s>")
UNK, BOS, EOS = 0, 1, 2


class WordTable:
    """A growing set of words with ids in the order of their first appearance, and their counts.

    Not for two threads at once: each worker fills its own, `add_table` unites them.
    """

    def __init__(self) -> None:
        self.words = self.noted = 0
        self.latest = -1  # base of the latest block that was noted, when there were `noted` words
        self._allocate(1 << 12, 1 << 16)

    def _allocate(self, capacity: int, arena: int) -> None:
        self.index = np.zeros(2 * capacity, np.uint64)
        self.arena = np.zeros(arena, np.uint8)
        self.ends = np.zeros(capacity + 1, np.int64)
        self.counts = np.zeros(capacity, np.int64)
        self.first = np.full(capacity, np.iinfo(np.int64).max)

    def _grow(self, longest: int) -> None:
        old = dict(vars(self))
        used, count = int(self.ends[self.words]), self.words
        capacity, arena = len(self.counts), len(self.arena)
        if count >= capacity:
            capacity *= 2
        while used + longest + PADDING > arena // 2:
            arena *= 2
        self._allocate(capacity, arena)
        self.arena[:used] = old["arena"][:used]
        self.ends[: count + 1] = old["ends"][: count + 1]
        self.counts[:count] = old["counts"][:count]
        self.first[:count] = old["first"][:count]
        if len(self.index) == len(old["index"]):
            self.index = old["index"]
        else:
            words.fill_index(self.index, self.arena, self.ends, count, True)

    def intern(self, buffer: np.ndarray, spans: np.ndarray, n_spans: int) -> tuple[np.ndarray, np.ndarray]:
        """Ids (int32) of the tokens, and for each line end the number of ids before it; new words are added."""
        ids, lines = np.empty(n_spans, np.int32), np.empty(n_spans, np.int32)
        scratch = np.empty(n_spans, np.uint64), np.empty(n_spans, np.uint64), np.empty(n_spans, np.int64)
        done = n_ids = n_lines = 0
        while done < n_spans:
            more, self.words, new_ids, new_lines = words.intern(
                buffer, spans[done:], n_spans - done, *scratch, self.index, self.arena, self.ends, self.counts,
                self.words, -1, ids[n_ids:], lines[n_lines:],
            )  # fmt: skip
            lines[n_lines : n_lines + new_lines] += n_ids
            done, n_ids, n_lines = done + more, n_ids + new_ids, n_lines + new_lines
            if done < n_spans:
                self._grow(int(spans[done, 1]) - int(spans[done, 0]))
        return ids[:n_ids], lines[:n_lines]

    def note_first(self, ids: np.ndarray, base: int) -> None:
        """Remember where words appeared first; `base` is the place of ids[0]. Blocks may come in any order."""
        known = self.noted if base > self.latest else 0  # a word of earlier blocks was first there
        if known < self.words:
            words.lower_first(ids, base, known, self.first)
        self.latest, self.noted = max(base, self.latest), self.words

    def add_words(self, arena: np.ndarray, ends: np.ndarray) -> np.ndarray:
        """Ids here of the words in another table's arena, added where missing; counts stay as they are."""
        total = len(ends) - 1
        mapping = np.empty(total, np.int32)
        counts = self.counts.copy()
        step = 1 << 14
        for i in range(0, total, step):
            edges = ends[i : i + step + 1]
            spans = np.stack([edges[:-1], edges[1:]], axis=1) - edges[0]
            mapping[i : i + step], _ = self.intern(arena[edges[0] :], spans.astype(np.int32), len(spans))
        self.counts[: len(counts)] = counts
        self.counts[len(counts) :] = 0
        return mapping

    def add_table(self, other: "WordTable") -> np.ndarray:
        """Unite with another table: counts are added, first appearances kept. Returns its ids' ids here."""
        known = self.words
        mapping = self.add_words(other.arena, other.ends[: other.words + 1])
        self.counts[known : self.words] = 0
        self.counts[mapping] += other.counts[: other.words]
        self.first[mapping] = np.minimum(self.first[mapping], other.first[: other.words])
        return mapping


class Vocabulary:
    """Words and ids: <unk> 0, <s> 1, </s> 2, then by count, the most frequent first.

    Args:
        arena: uint8, the words' bytes one after the other with PADDING spare ones.
        ends: int64 (V + 1,), word i is arena[ends[i]:ends[i + 1]].
        counts: int64 (V,), occurrences in the text that the vocabulary comes from.
        index: the hash table over them, see `kernels.words`; made when needed where it is not given.
    """

    def __init__(
        self, arena: np.ndarray, ends: np.ndarray, counts: np.ndarray, index: np.ndarray | None = None
    ) -> None:
        self.arena, self.ends, self.counts = arena, ends, counts
        self.alone = False  # whether a container holds nothing but the words
        if index is not None:
            self.index = index

    @cached_property
    def index(self) -> np.ndarray:
        """The hash table, made when a word is first looked up. Raises DataError for a word that is there twice."""
        index = np.zeros(int(len(self) * 1.25) + 8, np.uint64)
        duplicate = words.fill_index(index, self.arena, self.ends, len(self), False)
        if duplicate >= 0:
            raise DataError(f"the word '{self.word(duplicate)}' stands in the vocabulary twice.")
        return index

    @classmethod
    def from_words(cls, listed: Iterable[str], counts: Sequence[int] | None = None) -> "Vocabulary":
        """A vocabulary of these words in this order behind the specials. Raises DataError for a word given twice."""
        encoded = [w.encode("utf-8", "surrogateescape") for w in (*SPECIALS, *listed)]
        ends = np.zeros(len(encoded) + 1, np.int64)
        ends[1:] = np.cumsum([len(w) for w in encoded])
        arena = np.zeros(int(ends[-1]) + PADDING, np.uint8)
        arena[: int(ends[-1])] = np.frombuffer(b"".join(encoded), np.uint8)
        numbers = np.zeros(len(encoded), np.int64)
        if counts is not None:
            numbers[len(SPECIALS) :] = counts
        vocabulary = cls(arena, ends, numbers)
        vocabulary.index  # noqa: B018 - refuses duplicates
        return vocabulary

    @classmethod
    def from_table(
        cls, table: WordTable, min_count: int = 1, max_vocab: int | None = None
    ) -> "tuple[Vocabulary, np.ndarray]":
        """Keep a table's frequent words in the vocabulary's order.

        Args:
            table: its first words are the SPECIALS.
            min_count: leave out rarer words.
            max_vocab: keep at most so many words, the specials not counted.

        Returns:
            The vocabulary, and for each id of the table the id in it (int32; <unk> for words left out).
        """
        if min_count < 1:
            raise UsageError(f"--min-count {min_count} makes no sense.", "Give 1 or more.")
        if max_vocab is not None and max_vocab < 1:
            raise UsageError(f"--max-vocab {max_vocab} makes no sense.", "Give 1 or more.")
        counts, first = table.counts[: table.words], table.first[: table.words]
        order = np.lexsort((first, -counts))
        order = order[(order >= len(SPECIALS)) & (counts[order] >= min_count)][:max_vocab]
        order = np.concatenate([np.arange(len(SPECIALS)), order])
        arena, ends = _gathered(table.arena, table.ends, order)
        mapping = np.full(table.words, UNK, np.int32)
        mapping[order] = np.arange(len(order))
        kept = np.zeros(len(order), np.int64)
        np.add.at(kept, mapping, counts)  # what is left out counts for <unk>
        return cls(arena, ends, kept), mapping

    @classmethod
    def from_table_as_is(cls, table: WordTable) -> "Vocabulary":
        """All words of a table whose first are the SPECIALS, in the order of their ids there; counts are 0."""
        ends = table.ends[: table.words + 1].copy()
        arena = np.zeros(int(ends[-1]) + PADDING, np.uint8)
        arena[: int(ends[-1])] = table.arena[: int(ends[-1])]
        return cls(arena, ends, np.zeros(table.words, np.int64))

    def subset(self, numbers: np.ndarray) -> "Vocabulary":
        """The words with these ids, in this order, as a vocabulary of their own; the specials must lead."""
        arena, ends = _gathered(self.arena, self.ends, numbers)
        return Vocabulary(arena, ends, self.counts[numbers])

    def __len__(self) -> int:
        return len(self.counts)

    def word(self, number: int) -> str:
        """The word with this id. Raises IndexError where there is none."""
        if not 0 <= number < len(self):
            raise IndexError(f"id {number} is not in a vocabulary of {len(self)} words")
        return self.arena[self.ends[number] : self.ends[number + 1]].tobytes().decode("utf-8", "surrogateescape")

    def words(self, numbers: Iterable[int] | None = None) -> list[str]:
        """The words with these ids, or all in the order of their ids."""
        data = self.arena.tobytes()
        ends = self.ends.tolist()
        chosen = range(len(self)) if numbers is None else numbers
        return [data[ends[i] : ends[i + 1]].decode("utf-8", "surrogateescape") for i in chosen]

    def __iter__(self) -> Iterator[str]:
        return iter(self.words())

    def ids(self, tokens: Sequence[str]) -> np.ndarray:
        """Ids of tokens, int32; <unk> for those that are not there."""
        encoded = [t.encode("utf-8", "surrogateescape") for t in tokens]
        data = np.zeros(sum(map(len, encoded)) + PADDING, np.uint8)
        data[: len(data) - PADDING] = np.frombuffer(b"".join(encoded), np.uint8)
        spans = np.zeros((len(encoded), 2), np.int32)
        spans[:, 1] = np.cumsum([len(t) for t in encoded]) if encoded else 0
        spans[1:, 0] = spans[:-1, 1]
        result = np.full(len(encoded), UNK, np.int32)
        result[spans[:, 0] < spans[:, 1]] = self.look_up(data, spans, len(encoded))[0]
        return result

    def id(self, word: str) -> int:
        """The id of a word, <unk>'s for one that is not there."""
        return int(self.ids([word])[0])

    def __contains__(self, word: object) -> bool:
        return isinstance(word, str) and (word == SPECIALS[UNK] or self.id(word) != UNK)

    def look_up(self, buffer: np.ndarray, spans: np.ndarray, n_spans: int) -> tuple[np.ndarray, np.ndarray]:
        """As `WordTable.intern`, without adding: ids (int32) and the number of ids before each line end."""
        ids, lines = np.empty(n_spans, np.int32), np.empty(n_spans, np.int32)
        scratch = np.empty(n_spans, np.uint64), np.empty(n_spans, np.uint64), np.empty(n_spans, np.int64)
        _, _, n_ids, n_lines = words.intern(
            buffer, spans, n_spans, *scratch, self.index, self.arena, self.ends, self.counts, len(self), UNK, ids, lines
        )
        return ids[:n_ids], lines[:n_lines]

    def words_alone(self) -> "Vocabulary":
        """The same words, which take little room in a container: it holds neither counts nor index of them."""
        vocabulary = Vocabulary(self.arena, self.ends, np.zeros(len(self), np.int64))
        vocabulary.alone = True
        return vocabulary

    def arrays(self, with_counts: bool = True) -> dict[str, np.ndarray]:
        """The arrays a container holds of it."""
        narrow = int(self.ends[-1]) < 1 << 32
        ends = self.ends.astype(np.uint32) if narrow else self.ends
        found = {"vocab.arena": self.arena, "vocab.ends": ends}
        if self.alone:
            return found
        found["vocab.index"] = self.index
        return {**found, "vocab.counts": self.counts} if with_counts else found

    @classmethod
    def from_arrays(cls, arrays: dict[str, Any], name: object) -> "Vocabulary":
        """The inverse of `arrays`; without counts they are 0. `name` of the file is for messages.

        Raises:
            DataError: what is there makes no sense.
        """
        try:
            arena, ends = arrays["vocab.arena"], arrays["vocab.ends"]
        except KeyError as missing:
            raise DataError(f"{name} is damaged: it has no array {missing}.") from None
        index = arrays.get("vocab.index", np.zeros(1, np.uint64))
        counts = arrays.get("vocab.counts", np.zeros(max(len(ends) - 1, 0), np.int64))
        shapes = arena.ndim == counts.ndim == index.ndim == 1 and ends.shape == (len(counts) + 1,)
        types = [a.dtype for a in (arena, counts, index)] == [np.uint8, np.int64, np.uint64]
        if (
            not (shapes and types and ends.dtype in (np.uint32, np.int64) and len(counts) >= len(SPECIALS))
            or ends[0] != 0
            or not (ends[1:] > ends[:-1]).all()
            or int(ends[-1]) + PADDING > len(arena)
            or not (index == 0).any()
        ):
            raise DataError(f"{name} is damaged: its vocabulary makes no sense.")
        vocabulary = cls(arena, ends.astype(np.int64), counts, index if "vocab.index" in arrays else None)
        vocabulary.alone = "vocab.index" not in arrays
        return vocabulary

    def save_text(self, path: str | Path) -> None:
        """Write `word<TAB>count` lines, most frequent first, without the specials."""
        with files.atomic_write(path) as raw, files.compressed_writer(raw, path) as stream:
            self.write_text(stream)

    def write_text(self, stream: Any) -> None:
        """The lines of `save_text` to an open binary stream."""
        out = np.empty(max(1 << 20, 2 * int(np.diff(self.ends).max())), np.uint8)
        word = len(SPECIALS)
        while word < len(self):
            word, size = words.write_counts(self.arena, self.ends, self.counts, word, out)
            stream.write(out[:size].data)

    @classmethod
    def load_text(cls, path: str | Path) -> "Vocabulary":
        """Read `word<TAB>count` lines, or words alone; also compressed. Specials are passed over.

        Raises:
            DataError: unreadable, a count that is no number, a word listed twice.
        """
        try:
            with open(path, "rb") as raw:
                text = io.TextIOWrapper(files.decompressed(raw), "utf-8", "surrogateescape", newline="\n")
                return cls._from_lines(path, text)
        except files.decompression_errors() as error:
            raise DataError(f"cannot read the vocabulary {path}: {error}.") from error

    @classmethod
    def _from_lines(cls, path: str | Path, lines: Iterable[str]) -> "Vocabulary":
        seen: dict[str, int] = {}
        for number, line in enumerate(lines, 1):
            word, tab, count = line.rstrip("\r\n").rpartition("\t")
            if not tab:
                word, count = count, ""
            if not word or word in SPECIALS:
                continue
            if word in seen:
                raise DataError(f"{path}, line {number}: '{word}' is listed twice.")
            if count and not (count.isdecimal() and len(count) < 20 and int(count) < 1 << 63):
                raise DataError(f"{path}, line {number}: '{count:.40}' is not a count.", "Lines are word<TAB>count.")
            seen[word] = int(count or 0)
        if not seen:
            raise DataError(f"the vocabulary {path} holds no word.")
        return cls.from_words(seen, list(seen.values()))


def _gathered(arena: np.ndarray, ends: np.ndarray, numbers: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Arena and ends of the words with these numbers, in this order."""
    numbers = np.asarray(numbers, np.int64)
    chosen, size = np.zeros(len(numbers) + 1, np.int64), int((ends[numbers + 1] - ends[numbers]).sum())
    words_of = np.zeros(size + PADDING, np.uint8)
    words.gather_words(arena, ends, numbers, words_of, chosen)
    return words_of, chosen


def word_numbers(text: Vocabulary, model: Vocabulary) -> np.ndarray:
    """For each id of a text's vocabulary the model's, int32, UNK where it has none; empty where they are the same."""
    if text is model or (np.array_equal(text.ends, model.ends) and np.array_equal(text.arena, model.arena)):
        return np.zeros(0, np.int32)
    found = np.full(len(text), UNK, np.int32)
    size = len(text) - len(SPECIALS)
    if size:
        edges = text.ends[len(SPECIALS) :]
        for first in range(0, size, 1 << 16):
            part = edges[first : first + (1 << 16) + 1]
            spans = (np.stack([part[:-1], part[1:]], axis=1) - part[0]).astype(np.int32)
            ids, _ = model.look_up(text.arena[part[0] :], spans, len(spans))
            found[len(SPECIALS) + first : len(SPECIALS) + first + len(spans)] = ids
    return found
