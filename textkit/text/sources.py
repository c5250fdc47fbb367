"""What Python programs pass as text: names of files, lines, or lists of tokens."""

import itertools
from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import Any

from ..errors import DataError, UsageError
from .corpus import EncodedCorpus, Text, encode_corpus
from .reader import Lines, Reader
from .tokenizer import Tokenizer

Source = str | Path | Text | Iterable[str] | Iterable[Path] | Iterable[list[str]] | Iterable[tuple[str, ...]]


def as_text(given: Source) -> tuple[Text, bool]:
    """Text of any kind, and whether it is split into tokens already.

    Args:
        given: a `Reader` or `Lines`; the name of a file, directory or glob pattern; an iterable of `Path`s; or an
            iterable of lines as strings, or of lists of tokens, which is walked once and need not fit into memory.

    Raises:
        UsageError: something else.
    """
    if isinstance(given, str | Path):
        return Reader([given]), False
    if hasattr(given, "blocks"):
        return given, False  # type: ignore[return-value]
    try:
        items = iter(given)  # type: ignore[arg-type]
    except TypeError:
        raise _no_text(given) from None
    first = next(items, None)
    if first is None:
        raise DataError("there is no line in the text.", "Is the list or iterator empty?")
    rest: Iterator[Any] = itertools.chain([first], items)
    if isinstance(first, Path):
        return Reader(list(rest)), False
    if isinstance(first, str):
        return Lines(rest), False
    if isinstance(first, list | tuple):
        return Lines(map(_spaced, rest)), True
    raise _no_text(first)


def encoded(given: EncodedCorpus | Source, tokenizer: Tokenizer | str | None, **settings: Any) -> EncodedCorpus:
    """Text of any kind as an encoded corpus; one that is encoded already is left as it is.

    Args:
        tokenizer: "word" by default, "whitespace" for lists of tokens.
        settings: those of `encode_corpus`.
    """
    if isinstance(given, EncodedCorpus):
        return given
    text, split = as_text(given)
    tokenizer = tokenizer or ("whitespace" if split else "word")
    return encode_corpus(text, Tokenizer(tokenizer) if isinstance(tokenizer, str) else tokenizer, **settings)


def _spaced(tokens: list[str]) -> str:
    """Tokens as a line for the whitespace tokenizer."""
    for token in tokens:
        if not isinstance(token, str) or not token or any(c in token for c in "\0\t\n\r "):
            raise DataError(
                f"{token!r} is no token: tokens are strings without white space.",
                "Give whole lines as strings, and say which tokenizer to use.",
            )
    return " ".join(tokens)


def _no_text(given: object) -> UsageError:
    return UsageError(
        f"a {type(given).__name__} is no text.", "Give the name of a file, an iterable of lines, or of lists of tokens."
    )
