"""Text that comes with textkit: made or gathered on the spot, so that everything can be tried without a download.

`BUILTIN` lists what there is; `builtin(name).lines(size, seed)` yields it line by line.
"""

import difflib
from collections.abc import Callable, Iterator
from dataclasses import dataclass

from textkit.errors import UsageError


@dataclass(frozen=True)
class Builtin:
    """One text that can be made here.

    Attributes:
        description: one line on what it is.
        labelled: whether lines begin with `__label__x` labels.
        make: (size in bytes or None for its usual size, seed) → lines without their ends.
    """

    name: str
    description: str
    labelled: bool
    make: Callable[[int | None, int], Iterator[str]]

    def lines(self, size: int | None = None, seed: int = 0) -> Iterator[str]:
        """The text line by line; at least `size` bytes with the newlines, where it can be of any size."""
        return self.make(size, seed)


def _pydocs(size: int | None, seed: int) -> Iterator[str]:
    from .pydocs import paragraphs

    return _at_most(paragraphs(), size)


def _pydocs_labelled(size: int | None, seed: int) -> Iterator[str]:
    from .pydocs import labelled

    return _at_most(labelled(), size)


def _prose(size: int | None, seed: int) -> Iterator[str]:
    from importlib.resources import files

    texts = sorted((f for f in (files(__name__) / "prose").iterdir() if f.name.endswith(".txt")), key=lambda f: f.name)
    lines = (line for text in texts for line in text.read_text("utf-8").splitlines() if line.strip())
    return _at_most(lines, size)


def _atlas(size: int | None, seed: int) -> Iterator[str]:
    from .atlas import sentences

    return _at_most(sentences(seed), 5_000_000 if size is None else size)


def _topics(size: int | None, seed: int) -> Iterator[str]:
    from .labelled import topics

    return _at_most(topics(seed), 1_000_000 if size is None else size)


def _multilabel(size: int | None, seed: int) -> Iterator[str]:
    from .labelled import multilabel

    return _at_most(multilabel(seed), 1_000_000 if size is None else size)


def _imbalanced(size: int | None, seed: int) -> Iterator[str]:
    from .labelled import imbalanced

    return _at_most(imbalanced(seed), 1_000_000 if size is None else size)


def _at_most(lines: Iterator[str], size: int | None) -> Iterator[str]:
    """Lines up to the first that reaches `size` bytes."""
    written = 0
    for line in lines:
        if size is not None and written >= size:
            return
        written += len(line.encode()) + 1
        yield line


BUILTIN = {
    text.name: text
    for text in (
        Builtin("pydocs", "the documentation of this Python's standard library, about 2 MB of English", False, _pydocs),
        Builtin("pydocs-labelled", "docstrings labelled with the family of their module", True, _pydocs_labelled),
        Builtin("prose", "30 KB of stories and explanations written for this project", False, _prose),
        Builtin(
            "atlas", "true facts and regular word forms in sentences, of any size, for word vectors", False, _atlas
        ),
        Builtin("topics", "eight topics, one label a line, of any size", True, _topics),
        Builtin("multilabel", "one to three labels a line, of any size", True, _multilabel),
        Builtin("imbalanced", "three labels with shares of 94, 5 and 1 per cent, of any size", True, _imbalanced),
    )
}


def builtin(name: str) -> Builtin:
    """The text of this name. Raises UsageError where there is none."""
    if name not in BUILTIN:
        close = difflib.get_close_matches(name, BUILTIN, 1)
        guess = f"Did you mean {close[0]}? " if close else ""
        raise UsageError(f"there is no text '{name}'.", f"{guess}There are: {', '.join(BUILTIN)}.")
    return BUILTIN[name]
