"""Public corpora and evaluation sets that can be fetched by name; the list itself is `catalogue.toml`."""

import difflib
import re
import tomllib
from collections.abc import Mapping
from dataclasses import dataclass
from functools import cache
from importlib.resources import files
from types import MappingProxyType
from urllib.parse import urlsplit

from textkit.errors import UsageError

_ENDING = re.compile(r"(?:\.(?:tar|tsv|txt|csv))?\.[A-Za-z0-9]+$")


@dataclass(frozen=True)
class Entry:
    """One file that somebody publishes.

    Attributes:
        name: what to call it on the command line.
        kind: "text", "labelled", "analogies", "similarity" or "treebank".
        url: where its publisher, or the nearest to one, keeps it.
        licence: as the publisher states it.
        size_bytes: of the file as downloaded; None where it is not known or changes.
        sha256: of the file as downloaded; None where nobody has published one.
    """

    name: str
    title: str
    kind: str
    url: str
    licence: str
    size_bytes: int | None = None
    sha256: str | None = None
    note: str = ""

    @property
    def filename(self) -> str:
        """The name to keep it under: `name` with the ending of the URL, such as `text8.zip`."""
        ending = _ENDING.search(urlsplit(self.url).path.rsplit("/", 1)[-1])
        return self.name + (ending.group() if ending else "")


@cache
def catalogue() -> Mapping[str, Entry]:
    """All entries by name, in the order of the list."""
    table = tomllib.loads((files(__package__) / "catalogue.toml").read_text("utf-8"))
    return MappingProxyType({name: Entry(name=name, **fields) for name, fields in table.items()})


def entry(name: str) -> Entry:
    """The entry of this name. Raises UsageError where there is none."""
    known = catalogue()
    if name not in known:
        close = difflib.get_close_matches(name, known, 1)
        guess = f"Did you mean {close[0]}? " if close else ""
        raise UsageError(f"no public corpus is called '{name}'.", f"{guess}There are: {', '.join(known)}.")
    return known[name]
