"""The options of how to estimate a model, and how what came of them is shown."""

import functools
from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from . import common

if TYPE_CHECKING:
    from ..ngram.making import Made
    from ..ngram.model import NGramModel

_OPTIONS = (
    click.option("--order", type=int, default=3, show_default=True, help="Length of the longest n-grams."),
    click.option(
        "--smoothing", default="mkn", show_default=True,
        help="mkn, kn, abs, wb, jm, katz, add-k, mle, stupid, or what SRILM and NLTK call these.",
    ),
    click.option(
        "--backoff/--interpolate", default=None, help="The form, where a method has both.  [default: the usual one]"
    ),
    click.option("--discount", default="", help="Discounts for counts 1, 2, 3+, by order: '0.7 1 1.4 / 0.8 1.1 1.5'."),
    click.option("--k", default="", help="What add-k adds, by order: '0.1 0.01'.  [default: the likeliest]"),
    click.option("--lambda", "weights", default="", help="Jelinek-Mercer weights by order.  [default: by EM]"),
    click.option("--alpha", type=float, default=0.4, show_default=True, help="Factor of stupid backoff."),
    click.option(
        "--discount-fallback", is_flag=False, flag_value="0.5 1 1.5", metavar="[NUMBERS]",
        help="Where counts give no discounts, take these, as lmplz does.  [default: the likeliest]",
    ),
    click.option("--prune", default="", help="Leave out n-grams that occur at most so often, by order: '0 0 1'."),
    click.option(
        "--limit-vocab", type=click.Path(path_type=Path), help="Leave out n-grams with a word not in this list."
    ),
    click.option("--vocab-pad", type=int, default=0, help="Take the vocabulary to be at least so large."),
    click.option(
        "--interpolate-unigrams/--no-interpolate-unigrams", default=True, show_default=True,
        help="Share out the uniform distribution, or give <unk> all of it.",
    ),
)  # fmt: skip


def estimating(function: Callable) -> Callable:
    """Options of how to estimate; passed to the command as one `config`."""

    @functools.wraps(function)
    def wrapper(
        *args: Any,
        order: int,
        smoothing: str,
        backoff: bool | None,
        discount: str,
        k: str,
        weights: str,
        alpha: float,
        discount_fallback: str | None,
        prune: str,
        limit_vocab: Path | None,
        vocab_pad: int,
        interpolate_unigrams: bool,
        **rest: Any,
    ) -> Any:
        from ..ngram.config import TrainingConfig

        config = TrainingConfig(
            order=order,
            smoothing=smoothing,
            form=None if backoff is None else "backoff" if backoff else "interpolated",
            discounts=tuple(numbers("--discount", row) for row in discount.split("/")) if discount else (),
            k=numbers("--k", k),
            weights=numbers("--lambda", weights),
            alpha=alpha,
            discount_fallback=None if discount_fallback is None else numbers("--discount-fallback", discount_fallback),
            prune=tuple(int(n) for n in numbers("--prune", prune)),
            limit_vocab=_listed(limit_vocab) if limit_vocab else None,
            vocab_pad=vocab_pad,
            interpolate_unigrams=interpolate_unigrams,
        )
        return function(*args, config=config, **rest)

    return functools.reduce(lambda f, option: option(f), reversed(_OPTIONS), wrapper)


def numbers(option: str, text: str) -> tuple[float, ...]:
    """The numbers of an option, between blanks or commas."""
    from ..errors import UsageError

    try:
        return tuple(float(part) for part in text.replace(",", " ").split())
    except ValueError:
        raise UsageError(f"{option} '{text}' is not a list of numbers.", "An example: '0 1 1'.") from None


def _listed(path: Path) -> tuple[str, ...]:
    from ..text.vocabulary import SPECIALS, Vocabulary

    return tuple(Vocabulary.load_text(path).words()[len(SPECIALS) :])


def tell_training(report: dict[str, Any]) -> None:
    """Say what a training had to assume or leave out."""
    if fallbacks := report.get("fallbacks"):
        by_reason: dict[str, list[str]] = {}
        for order, reason in fallbacks.items():
            by_reason.setdefault(reason, []).append(order)
        said = "; ".join(f"order {', '.join(orders)}: {reason}" for reason, orders in by_reason.items())
        likeliest = "the likeliest for the text itself, each token left out in turn"
        taken = likeliest if report["fallbacks_tuned"] else "those of --discount-fallback"
        common.note(f"some counts give no discounts ({said}); took {taken}.")
    if dropped := report.get("dropped_marks"):
        common.note(f"{dropped:,} sentence marks (<s>, </s>) in the text were left out.")


def print_sizes(model: "NGramModel | Made", title: str) -> None:
    """A table of the model's orders: n-grams, and the parameters of its smoothing."""
    label, shown = _parameters(model.report, model.order)
    rows = [[n, size, shown[n - 1]] for n, size in enumerate(model.sizes, 1)]
    common.print_table(title, ["order", "n-grams", label], rows)


def _parameters(report: dict[str, Any], order: int) -> tuple[str, list[str]]:
    """The name of what the smoothing is set by, and its values for each order."""
    if rows := report.get("discounts"):
        names = {1: "discount", 3: "discounts 1 2 3+"}
        return names.get(len(rows[-1]), "discounts 1 2 …"), [" ".join(f"{d:.4f}" for d in row) for row in rows]
    if rows := report.get("lambda"):
        return "weights by context count 1 2- 4- 8- …", [" ".join(f"{w:.3f}" for w in row[1:13]) for row in rows]
    if rows := report.get("k"):
        return "k", [f"{k:.3g}" for k in rows]
    if "alpha" in report:
        return "alpha", [f"{report['alpha']:g}"] * order
    return "parameters", ["-"] * order
