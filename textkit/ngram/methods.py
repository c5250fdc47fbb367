"""The smoothing methods: what each is made of, and the names it goes by."""

import difflib
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from ..errors import UsageError
from . import discounts

INTERPOLATED, BACKOFF = "interpolated", "backoff"


@dataclass(frozen=True)
class Method:
    """A smoothing method.

    Attributes:
        name: in options, reports and signatures.
        title: in tables.
        forms: INTERPOLATED, BACKOFF or both, the usual one first.
        aliases: what other programs and people call it.
        adjusted: whether lower orders count the words to the left of an n-gram (Kneser-Ney), not its occurrences.
        discounts: closed form of the discounts of one order from its counts of counts; None for no discounts.
        bins: how many discounts there are where they are not in closed form, for counts 1, 2, … and more.
        per_type, reserve: see `smoothing.Terms`.
        parameter: the option that sets what the method leaves open, or "".
        normalised: whether the probabilities after every context sum to one.
    """

    name: str
    title: str
    forms: tuple[str, ...]
    aliases: tuple[str, ...]
    adjusted: bool = False
    discounts: Callable[[list[int]], tuple[float, ...]] | None = None
    bins: int = 1
    per_type: float = 0.0
    reserve: float = 0.0
    parameter: str = ""
    normalised: bool = True


METHODS = (
    Method(
        "mkn", "modified Kneser-Ney", (INTERPOLATED, BACKOFF),
        ("modified-kneser-ney", "kndiscount", "improved-kneser-ney", "modkn", "lmplz"),
        True, discounts.modified, bins=3, parameter="discount",
    ),
    Method(
        "kn", "Kneser-Ney", (INTERPOLATED, BACKOFF), ("kneser-ney", "ukndiscount", "ukn", "kneserneyinterpolated"),
        True, discounts.single, parameter="discount",
    ),
    Method(
        "abs", "absolute discounting", (INTERPOLATED, BACKOFF),
        ("absolute", "absolute-discounting", "cdiscount", "absolutediscountinginterpolated"),
        False, discounts.single, parameter="discount",
    ),
    Method(
        "wb", "Witten-Bell", (INTERPOLATED, BACKOFF), ("witten-bell", "wbdiscount", "wittenbellinterpolated"),
        per_type=1.0,
    ),
    Method("jm", "Jelinek-Mercer", (INTERPOLATED,), ("jelinek-mercer", "count-lm", "em"), parameter="lambda"),
    Method(
        "katz", "Katz, Good-Turing", (BACKOFF,), ("good-turing", "gt", "gtdiscount", "katz-backoff"),
        False, discounts.good_turing, reserve=1.0,  # it leaves nothing over where all counts are high
    ),
    Method("add-k", "add-k", (BACKOFF, INTERPOLATED), ("addk", "lidstone", "addsmooth", "additive"), parameter="k"),
    Method("mle", "maximum likelihood", (BACKOFF,), ("ml", "unsmoothed", "none", "maximum-likelihood")),
    Method(
        "stupid", "stupid backoff", (BACKOFF,), ("stupid-backoff", "stupidbackoff", "sb"),
        parameter="alpha", normalised=False,
    ),
)  # fmt: skip

# Names that say more than the method: Laplace adds one, a Dirichlet prior is add-k shared out by the order below.
_SPECIAL: dict[str, tuple[str, dict[str, Any]]] = {
    "laplace": ("add-k", {"k": (1.0,)}),
    "add-one": ("add-k", {"k": (1.0,)}),
    "dirichlet": ("add-k", {"form": INTERPOLATED}),
}
_BY_NAME = {name: method for method in METHODS for name in (method.name, *method.aliases)}


def resolve(name: str) -> tuple[Method, dict[str, Any]]:
    """The method of this name, and the settings that the name implies ("laplace": k = 1).

    Raises:
        UsageError: no such method; names those there are and the nearest.
    """
    asked = name.strip().lower().lstrip("-").replace("_", "-").replace(" ", "-")
    base, implied = _SPECIAL.get(asked, (asked, dict[str, Any]()))
    if base in _BY_NAME:
        return _BY_NAME[base], implied
    near = difflib.get_close_matches(asked, [*_BY_NAME, *_SPECIAL], 1)
    meant = f"Did you mean {near[0]}? " if near else ""
    raise UsageError(f"unknown smoothing '{name}'.", f"{meant}Choose from {', '.join(m.name for m in METHODS)}.")
