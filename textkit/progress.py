"""Progress events: the library reports through a callable, `cli` decides how to show it."""

from collections.abc import Callable
from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Progress:
    """One report of a running stage.

    Attributes:
        stage: what is being done, e.g. "reading".
        done: units finished so far in this stage.
        total: units in the whole stage, or None where nobody can know (a pipe).
        unit: "bytes", "tokens", "n-grams" …
        note: more to show, such as the learning rate and the loss.
    """

    stage: str
    done: int
    total: int | None
    unit: str
    note: str = ""


Reporter = Callable[[Progress], None]


def silent(_event: Progress) -> None:
    """The reporter of callers who want none."""
