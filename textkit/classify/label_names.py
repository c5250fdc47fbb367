"""Labels that may be the same one written in two ways."""

import re
import unicodedata
from collections.abc import Callable, Iterator
from dataclasses import dataclass

from .labelling import LabelSet

RARE = 0.1  # a slip of the pen is rarer than this share of what was meant
_FIRST = 5  # names with a key to compare with
_SHORTEST = 4  # characters of a name in which a wrong one tells


@dataclass(frozen=True)
class Alike:
    """Two labels: the rarer one may be the other, `reason` says why."""

    rare: str
    frequent: str
    rare_count: int
    frequent_count: int
    reason: str


def alike(labels: LabelSet) -> list[Alike]:
    """Labels that differ in case, blanks or marks alone, or rare ones that differ in one character of a frequent one.

    Names that differ in digits alone are taken to be meant so. Each rare one is told once.
    """
    counts = dict(zip(labels.names, labels.counts.tolist(), strict=True))
    names = sorted((name for name in counts if counts[name]), key=lambda name: (-counts[name], name))
    found: dict[str, tuple[str, str]] = {}
    for frequent, rare in _sharing(names, lambda name: [_plain(name)]):
        found.setdefault(rare, (frequent, "only case, blanks or marks differ"))
    for frequent, rare in _sharing(names, lambda name: _shortened(name.casefold())):
        if counts[rare] <= RARE * counts[frequent] and one_edit(frequent.casefold(), rare.casefold()):
            found.setdefault(rare, (frequent, "one character differs"))
    return [Alike(rare, often, counts[rare], counts[often], why) for rare, (often, why) in found.items()]


def _sharing(names: list[str], keys: Callable[[str], list[str]]) -> Iterator[tuple[str, str]]:
    """Each name behind those before it that share a key with it, the first ones of each key."""
    known: dict[str, list[int]] = {}
    for place, name in enumerate(names):
        of_name = set(keys(name))
        for other in sorted({other for key in of_name for other in known.get(key, ())[:_FIRST]}):
            yield names[other], name
        for key in of_name:
            known.setdefault(key, []).append(place)


def _plain(name: str) -> str:
    """A name without what people write in different ways."""
    folded = unicodedata.normalize("NFKD", name).casefold()
    kept = "".join(c for c in folded if c.isalnum())
    return kept or folded


def _shortened(name: str) -> list[str]:
    """A name, and what is left of it without one of its characters; nothing of a short one."""
    if len(name) < _SHORTEST:
        return []
    return [name, *(name[:i] + name[i + 1 :] for i in range(len(name)))]


def one_edit(a: str, b: str) -> bool:
    """Whether one character is added, left out, replaced, or two neighbours are exchanged; not of digits alone."""
    if a == b or re.sub(r"\d+", "0", a) == re.sub(r"\d+", "0", b):
        return False
    start = 0
    while start < min(len(a), len(b)) and a[start] == b[start]:
        start += 1
    x, y = a[start:], b[start:]
    return x[1:] == y or y[1:] == x or x[1:] == y[1:] or (x[:2] == y[1::-1] and x[2:] == y[2:])
