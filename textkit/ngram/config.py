"""How to estimate a model: the settings, and which of them go together."""

from collections.abc import Callable
from dataclasses import dataclass

from ..errors import UsageError
from .counts import check_order
from .methods import BACKOFF, Method, resolve

DEFAULT_ALPHA = 0.4  # Brants et al. 2007


@dataclass(frozen=True)
class TrainingConfig:
    """How to estimate a model.

    Parameters by order are for order 1, 2, …; the last one stands for all further orders.

    Args:
        order: length of the longest n-grams.
        discount_fallback: discounts for counts 1, 2 and 3+ of orders whose counts do not give them; if None, such
            orders take those that make the training text most likely when each token is left out in turn.
        prune: leave out n-grams that occur at most so often, by order; discounts and backoffs are those of the whole
            text.
        limit_vocab: leave out n-grams with any other word than these.
        interpolate_unigrams: give every word its share of the uniform distribution, not the unknown one all of it.
        vocab_pad: take the vocabulary to be at least so large, which lowers that share.
        smoothing: a method of `methods.METHODS`, by any of its names.
        form: "interpolated" or "backoff", where the method has both.
        discounts: discounts by order, each a tuple by count (up to three for mkn), instead of estimated ones.
        k: what add-k smoothing adds, by order.
        weights: Jelinek-Mercer weights of each order's own counts, by order.
        alpha: the factor of stupid backoff.
        keep_counts: keep the occurrences of every n-gram in the model, to list and explain; 4 bytes each.
    """

    order: int = 3
    discount_fallback: tuple[float, ...] | None = None
    prune: tuple[int, ...] = ()
    limit_vocab: tuple[str, ...] | None = None
    interpolate_unigrams: bool = True
    vocab_pad: int = 0
    smoothing: str = "mkn"
    form: str | None = None
    discounts: tuple[tuple[float, ...], ...] = ()
    k: tuple[float, ...] = ()
    weights: tuple[float, ...] = ()
    alpha: float = DEFAULT_ALPHA
    keep_counts: bool = False

    def __post_init__(self) -> None:
        check_order(self.order)
        method, implied = resolve(self.smoothing)
        for name, value in implied.items():  # "laplace" means k = 1, unless told otherwise
            if not getattr(self, name):
                object.__setattr__(self, name, value)
        object.__setattr__(self, "smoothing", method.name)
        _check(method, self)

    @property
    def method(self) -> Method:
        """The smoothing method."""
        return resolve(self.smoothing)[0]

    @property
    def backoff(self) -> bool:
        """Whether the order below serves only for what was not seen."""
        return (self.form or self.method.forms[0]) == BACKOFF

    @property
    def label(self) -> str:
        """The method and what was asked of it, as in a model's signature: "mkn", "add-k,k=0.1", "kn,backoff".

        The signature of a model whose parameters were tuned has ",dev", too.
        """
        asked = [self.method.name]
        if self.backoff != (self.method.forms[0] == BACKOFF):
            asked.append(self.form or "")
        given = {"d": ["/".join(f"{d:g}" for d in row) for row in self.discounts], "k": self.k, "lambda": self.weights}
        asked += [
            f"{name}={'+'.join(v if isinstance(v, str) else f'{v:g}' for v in row)}"
            for name, row in given.items()
            if row
        ]
        if self.method.parameter == "alpha":
            asked.append(f"alpha={self.alpha:g}")
        return ",".join(asked)


def _check(method: Method, config: TrainingConfig) -> None:
    """Refuse parameters that the method does not take, or that are out of range.

    Raises:
        UsageError: which and why.
    """
    given = {"discount": config.discounts, "k": config.k, "lambda": config.weights}
    for name, values in given.items():
        if values and name != method.parameter:
            raise UsageError(f"--{name} has no meaning for the smoothing {method.name}.", _takes(method))
        if len(values) > config.order:
            raise UsageError(f"--{name} has {len(values)} values for order {config.order}.", "One an order, at most.")
    if method.parameter != "alpha" and config.alpha != DEFAULT_ALPHA:
        raise UsageError(f"--alpha has no meaning for the smoothing {method.name}.", _takes(method))
    if config.form and config.form not in method.forms:
        raise UsageError(f"the smoothing {method.name} is always {method.forms[0]}.", "Leave the form out.")
    _in_range("--k", config.k, lambda k: 0 < k <= 1e9, "above 0, at most 1e9")
    _in_range("--lambda", config.weights, lambda w: 0 <= w <= 1, "from 0 to 1")
    _in_range("--alpha", (config.alpha,), lambda a: 0 < a <= 1, "above 0, at most 1")
    for row in config.discounts:
        _check_discounts("--discount", row, method.bins, config.backoff)
    if config.discount_fallback is not None:
        _check_discounts("--discount-fallback", config.discount_fallback, 3, config.backoff)


def _takes(method: Method) -> str:
    return f"It takes --{method.parameter}." if method.parameter else "It has no parameters."


def _in_range(option: str, values: tuple[float, ...], sound: Callable[[float], bool], said: str) -> None:
    for value in values:
        if not sound(value):
            raise UsageError(f"{option} {value:g} makes no sense.", f"Give numbers {said}.")


def _check_discounts(option: str, row: tuple[float, ...], bins: int, backoff: bool) -> None:
    sound = all(0 <= d <= j and not (backoff and d == j) for j, d in enumerate(row, 1))
    if not 1 <= len(row) <= bins or not sound:
        limits = "the first at most 1, the second at most 2, the third at most 3" if bins > 1 else "from 0 to 1"
        raise UsageError(
            f"{option} {' '.join(map(str, row))} makes no sense.",
            f"Give {'up to three numbers' if bins > 1 else 'one number an order'}, {limits}"
            f"{', and less in the backoff form' if backoff else ''}.",
        )
