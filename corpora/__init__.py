"""Text that comes with textkit: made or gathered on the spot, so that everything can be tried without a download.

`BUILTIN` lists what there is; `builtin(name).lines(size_bytes, seed)` yields it line by line. Public corpora that can
be fetched are in `catalogue`, and `download` fetches them.
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
        default_size: bytes made where no size is asked for; None for all there is.
        make: seed → lines without their ends; what is generated goes on for ever.
    """

    name: str
    description: str
    labelled: bool
    default_size: int | None
    make: Callable[[int], Iterator[str]]

    def lines(self, size_bytes: int | None = None, seed: int = 0) -> Iterator[str]:
        """The text line by line, up to the line that reaches the size.

        Args:
            size_bytes: of UTF-8 with the line ends; None for `default_size`. Gathered texts end where they end.
            seed: chooses among generated texts, and the order of `pydocs-labelled`; the others are always the same.
        """
        return _up_to(self.make(seed), self.default_size if size_bytes is None else size_bytes)


def _up_to(lines: Iterator[str], size: int | None) -> Iterator[str]:
    written = 0
    for line in lines:
        if size is not None and written >= size:
            return
        written += len(line.encode()) + 1
        yield line


def _pydocs(_seed: int) -> Iterator[str]:
    from .pydocs import paragraphs

    return paragraphs()


def _pydocs_labelled(seed: int) -> Iterator[str]:
    from .pydocs import labelled

    return iter(labelled(seed))


def _prose(_seed: int) -> Iterator[str]:
    from importlib.resources import files

    texts = sorted((f for f in (files(__name__) / "prose").iterdir() if f.name.endswith(".txt")), key=lambda f: f.name)
    return (line for text in texts for line in text.read_text("utf-8").splitlines() if line.strip())


def _atlas(seed: int) -> Iterator[str]:
    from .atlas import sentences

    return sentences(seed)


def _topics(seed: int) -> Iterator[str]:
    from .labelled import topics

    return topics(seed)


def _multilabel(seed: int) -> Iterator[str]:
    from .labelled import multilabel

    return multilabel(seed)


def _imbalanced(seed: int) -> Iterator[str]:
    from .labelled import imbalanced

    return imbalanced(seed)


_MEGABYTE = 1_000_000
_TEXTS = (
    Builtin("pydocs", "the documentation of this Python's standard library, about 2 MB", False, None, _pydocs),
    Builtin("pydocs-labelled", "docstrings labelled with the family of their module", True, None, _pydocs_labelled),
    Builtin("prose", "30 KB of stories and explanations written for this project", False, None, _prose),
    Builtin(
        "atlas",
        "true facts and regular word forms, of any size, for word vectors",
        False,
        5 * _MEGABYTE,
        _atlas,
    ),
    Builtin("topics", "eight topics, one label a line, of any size", True, _MEGABYTE, _topics),
    Builtin("multilabel", "one to three labels a line, of any size", True, _MEGABYTE, _multilabel),
    Builtin("imbalanced", "labels with shares of 94, 5 and 1 per cent, of any size", True, _MEGABYTE, _imbalanced),
)
BUILTIN = {text.name: text for text in _TEXTS}


def builtin(name: str) -> Builtin:
    """The text of this name. Raises UsageError where there is none."""
    if name not in BUILTIN:
        close = difflib.get_close_matches(name, BUILTIN, 1)
        guess = f"Did you mean {close[0]}? " if close else ""
        raise UsageError(f"there is no text '{name}'.", f"{guess}There are: {', '.join(BUILTIN)}.")
    return BUILTIN[name]
