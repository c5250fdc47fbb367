"""Docstrings of Python sources by a scan for strings, several times faster than parsing whole files.

A docstring is a string that stands alone right behind the colon that ends a `def` or `class` header, or at the top of
a file. Everything else in the file is passed over, which is what makes it fast.
"""

import ast
import inspect
import re
import warnings
from collections.abc import Iterator
from pathlib import Path

_STRING = (
    r"[rRuU]?(?:\"{3}(?:[^\\\"]|\\.|\"(?!\"\"))*\"{3}|'{3}(?:[^\\']|\\.|'(?!''))*'{3}"
    r"|\"(?:[^\\\"\n]|\\.)*\"|'(?:[^\\'\n]|\\.)*')"
)
_HEADER = re.compile(r"^[ \t]*(?:async[ \t]+def|def|class)\b", re.MULTILINE)
# What a header is made of: its colon is the first that no bracket, string or comment holds.
_IN_HEADER = re.compile(rf"#[^\n]*|[bBfFtT]?{_STRING}|[(\[{{]|[)\]}}]|:", re.DOTALL)
_BLANK = re.compile(r"(?:[ \t\f]|\\?\n|\#[^\n]*)*")
_DOCSTRING = re.compile(rf"(?:{_STRING}(?:[ \t]|\\\n)*)+(?=[;\#\n]|\Z)", re.DOTALL)


def docstrings_in(path: Path) -> Iterator[str]:
    """The docstrings of a source file from top to bottom, their indentation removed; none of an unreadable file."""
    try:
        source = path.read_text("utf-8")
    except (OSError, UnicodeDecodeError):
        return  # a file only this Python's own tests or tools can read
    place = 1 if source.startswith("\ufeff") else 0
    while True:
        found = _DOCSTRING.match(source, _after_blank(source, place))
        if found:
            place = found.end()  # code that a docstring shows is no code
            if text := _value(found.group()):
                yield inspect.cleandoc(text)
        header = _HEADER.search(source, place)
        if not header:
            return
        place = _colon(source, header.end())


def _colon(source: str, start: int) -> int:
    """The place behind the colon of the header whose first word ends at `start`."""
    depth = 0
    for token in _IN_HEADER.finditer(source, start):
        first = token.group()[0]
        if first == ":" and depth == 0:
            return token.end()
        depth += (first in "([{") - (first in ")]}")
    return len(source)


def _after_blank(source: str, start: int) -> int:
    found = _BLANK.match(source, start)
    return found.end() if found else start


def _value(literal: str) -> str:
    """What a string literal means; adjacent ones are joined. Empty if it cannot be read."""
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")  # about escapes that do not exist, in other people's strings
            value = ast.literal_eval(f"({literal})")
    except (SyntaxError, ValueError):
        return ""
    return value if isinstance(value, str) else ""
