"""Tokenizers by name: text to token spans, the same for training text and for every later text.

Each named tokenizer is a byte scanner in `kernels.scan`; what it has to do is defined by `reference_tokens`,
written with the `regex` package, and a property test holds the two equal on any bytes.
"""

import unicodedata
from collections.abc import Callable, Iterator
from dataclasses import asdict, dataclass
from functools import cached_property
from typing import Any

import numpy as np

from ..errors import UsageError
from ..kernels import scan
from . import unicode

PADDING = 16  # spare bytes behind every text buffer, so that kernels may load whole words
_BATCH = 1 << 13  # spans per batch: with its ids and keys, a batch stays in the second-level cache

NAMES = ("whitespace", "word", "char", "regex:PATTERN")
SPACE_MARK = "\u2581"  # what the char tokenizer shows for white space inside a line

_C = unicode.WORD_CLASSES
_EXTEND = rf"[{_C[scan.MARK]}{_C[scan.JOINER]}]"
_SPECIAL = "".join(_C[k] for k in (scan.OTHER, scan.HIRAGANA, scan.KATAKANA, scan.MARK, scan.JOINER))
_LETTER = rf"[\p{{L}}--[{_SPECIAL}]]"
_DIGIT = rf"[\p{{N}}--[{_SPECIAL}]]"
_LETTER_OR_DIGIT = rf"[{_LETTER}{_DIGIT}]"

# The definition of the `word` tokenizer.
WORD_PATTERN = rf"""(?V1x)
  (?: {_LETTER_OR_DIGIT} {_EXTEND}* )+                        # a word or number, and further such pieces
  (?: (?: {_C[scan.APOSTROPHE]} (?={_LETTER})                               # don't, 90's
        | {_C[scan.HYPHEN]} (?: (?<={_LETTER}{_EXTEND}*.) (?={_DIGIT}) | (?={_LETTER}) )   # e-mail, B-2
        | {_C[scan.POINT]} (?<={_DIGIT}{_EXTEND}*.) (?={_DIGIT})            # 3.14, 1,000
        | {_C[scan.CONNECTOR]} (?={_LETTER_OR_DIGIT})                       # snake_case
      ) (?: {_LETTER_OR_DIGIT} {_EXTEND}* )+ )*
| {_C[scan.HIRAGANA]} [{_C[scan.HIRAGANA]}{_EXTEND}]*
| {_C[scan.KATAKANA]} [{_C[scan.KATAKANA]}{_EXTEND}]*
| [^{_C[scan.IGNORED]}] {_EXTEND}*                            # Han characters and punctuation, one by one
"""


@dataclass(frozen=True)
class Tokenizer:
    """A tokenizer with its text clean-up; equal settings give equal tokens on every machine.

    Args:
        name: "whitespace" (bytes, as lmplz splits), "word", "char", or "regex:PATTERN" (each match is a token).
        lowercase: lower each character by itself.
        normalize: "nfc", "nfkc" or None.
        zero_digits: show every decimal digit as 0.

    Raises:
        UsageError: unknown name or normal form, or a pattern `regex` cannot compile.
    """

    name: str = "word"
    lowercase: bool = False
    normalize: str | None = None
    zero_digits: bool = False

    def __post_init__(self) -> None:
        if self.normalize not in (None, "nfc", "nfkc"):
            raise UsageError(f"unknown normal form '{self.normalize}'.", "Choose nfc or nfkc.")
        if self.name.startswith("regex:"):
            self._pattern  # noqa: B018 - compiled here so that a bad pattern is refused at once
        elif self.name not in NAMES:
            raise UsageError(f"unknown tokenizer '{self.name}'.", f"Choose one of {', '.join(NAMES)}.")

    @cached_property
    def _pattern(self) -> Any:
        import regex

        try:
            return regex.compile(self.name.removeprefix("regex:"))
        except regex.error as error:
            raise UsageError(f"the tokenizer's pattern does not compile: {error}.") from None

    @property
    def signature(self) -> str:
        """The settings in one line, as stored in every model."""
        case, digits = "lower" if self.lowercase else "keep", "0" if self.zero_digits else "keep"
        return f"tok:{self.name}|case:{case}|norm:{self.normalize or 'none'}|digits:{digits}"

    @property
    def needs_whole_lines(self) -> bool:
        """Whether a line cut at a space could be split into other tokens than the whole one."""
        return self.name not in ("whitespace", "word")

    def settings(self) -> dict[str, Any]:
        """The constructor's arguments, for JSON headers."""
        return asdict(self)

    @classmethod
    def from_settings(cls, settings: Any) -> "Tokenizer":
        """The inverse of `settings`. Raises UsageError where they make no sense."""
        try:
            return cls(**settings)
        except TypeError:
            raise UsageError(f"the stored tokenizer settings make no sense: {settings!r}") from None

    def prepare(self, buffer: np.ndarray, size: int) -> tuple[np.ndarray, int]:
        """The cleaned-up text of buffer[:size] and its size; the same buffer where nothing is to be done."""
        if self.normalize:
            buffer, size = _normalized(buffer, size, self.normalize.upper())
        if self.lowercase or self.zero_digits:
            tables = unicode.character_map(self.lowercase, self.zero_digits)
            buffer, size = _rewritten(scan.map_characters, buffer, size, tables)
        if self.name == "char":
            buffer, size = _rewritten(scan.mark_spaces, buffer, size, unicode.space_classes())
        return buffer, size

    def batches(self, buffer: np.ndarray, size: int) -> Iterator[tuple[np.ndarray, np.ndarray, int]]:
        """Spans of the tokens and line ends of buffer[:size].

        Args:
            buffer: uint8, at least size + PADDING long; whole lines, or cut at an ASCII space.

        Yields:
            (buffer that the spans point into, spans int32 (S, 2), number of spans); the arrays are reused.
        """
        buffer, size = self.prepare(buffer, size)
        if self.name.startswith("regex:"):
            yield self._matched(buffer, size)
            return
        scanner, tables = self._scanner
        spans = np.empty((_BATCH, 2), np.int32)
        position = 0
        while position < size:
            position, count = scanner(buffer, position, size, spans, *tables)
            yield buffer, spans, count

    @property
    def _scanner(self) -> tuple[Callable[..., tuple[int, int]], tuple[np.ndarray, ...]]:
        if self.name == "word":
            return scan.scan_word, unicode.word_classes()
        return {"whitespace": scan.scan_whitespace, "char": scan.scan_char}[self.name], ()

    def _matched(self, buffer: np.ndarray, size: int) -> tuple[np.ndarray, np.ndarray, int]:
        """Tokens of the user's pattern, laid one after the other into a buffer of their own."""
        text = buffer[:size].tobytes().decode("utf-8", "surrogateescape")
        lines = text.split("\n")
        tokens: list[bytes] = []
        for i, line in enumerate(lines):
            tokens += [t for m in self._pattern.finditer(line) if (t := m.group().encode("utf-8", "surrogateescape"))]
            if i + 1 < len(lines):
                tokens.append(b"")
        ends = np.cumsum([len(token) for token in tokens], dtype=np.int64)
        spans = np.zeros((len(tokens), 2), np.int32)
        spans[:, 1] = ends
        spans[1:, 0] = ends[:-1]
        return text_buffer(b"".join(tokens)), spans, len(tokens)

    def tokenize(self, text: str) -> list[str]:
        """The tokens of one text; a newline in it only separates."""
        data = text.encode("utf-8", "surrogateescape")
        tokens = []
        for buffer, spans, count in self.batches(text_buffer(data), len(data)):
            raw = buffer.tobytes()
            tokens += [raw[a:b].decode("utf-8", "surrogateescape") for a, b in spans[:count].tolist() if a < b]
        return tokens

    def reference_tokens(self, line: bytes) -> list[bytes]:
        """What this tokenizer is defined to do with one line, in terms of the `regex` package; slow."""
        import regex

        text = line.decode("utf-8", "surrogateescape")
        if self.normalize:
            text = unicodedata.normalize(self.normalize.upper(), text)  # type: ignore[arg-type]
        if self.lowercase:
            text = "".join(character.lower() for character in text)
        if self.zero_digits:
            text = regex.sub(r"\p{Nd}", "0", text)
        if self.name == "whitespace":
            tokens = regex.findall(r"[^\x00\t\n\r ]+", text)
        elif self.name == "char":
            tokens = list(regex.sub(r"\s+", SPACE_MARK, regex.sub(r"^\s+|\s+$", "", text)))
        elif self.name == "word":
            tokens = regex.findall(WORD_PATTERN, text)
        else:
            tokens = [match.group() for match in self._pattern.finditer(text) if match.group()]
        return [token.encode("utf-8", "surrogateescape") for token in tokens]


def text_buffer(data: bytes) -> np.ndarray:
    """`data` as a uint8 array with PADDING spare bytes behind it."""
    buffer = np.zeros(len(data) + PADDING, np.uint8)
    buffer[: len(data)] = np.frombuffer(data, np.uint8)
    return buffer


def _normalized(buffer: np.ndarray, size: int, form: str) -> tuple[np.ndarray, int]:
    text = buffer[:size].tobytes().decode("utf-8", "surrogateescape")
    if unicodedata.is_normalized(form, text):  # type: ignore[arg-type]
        return buffer, size
    data = unicodedata.normalize(form, text).encode("utf-8", "surrogateescape")  # type: ignore[arg-type]
    return text_buffer(data), len(data)


def _rewritten(
    rewrite: Callable[..., int], buffer: np.ndarray, size: int, tables: tuple[np.ndarray, ...]
) -> tuple[np.ndarray, int]:
    out = np.zeros(3 * size + PADDING, np.uint8)
    return out, rewrite(buffer, size, out, *tables)
