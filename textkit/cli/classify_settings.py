"""Options of how a classifier is trained, for the commands that train one."""

import functools
from collections.abc import Callable
from typing import Any

import click

from . import common

_SETTINGS = (
    click.option("--model", help="embedding, linear or auto: what is better on held-out data.  [default: auto]"),
    click.option("--loss", help="softmax, hs, ns or ova (several labels).  [default: softmax or ova, as labels are]"),
    click.option("--word-ngrams", type=int, help="Longest n-grams of words.  [default: 2]"),
    click.option("--chars", metavar="3-6", help="Also n-grams of so many characters of each word."),
    click.option("--buckets", type=int, help="Hash n-grams to so many numbers.  [default: keep them exactly]"),
    click.option("--min-count", type=int, help="Leave out rarer words.  [default: 1]"),
    click.option("--min-ngram-count", type=int, help="Leave out rarer n-grams.  [default: 2]"),
    click.option("--end-mark", is_flag=True, default=None, help="The end of a document is a word, as in fastText."),
    click.option("--dim", type=int, help="Numbers per feature of the embedding.  [default: 15]"),
    click.option("--epochs", type=int, help="Passes over the documents at most.  [default: 10, of few documents more]"),
    click.option("--rate", type=float, help="Learning rate at the beginning.  [default: 0.5]"),
    click.option("--rate-floor", "floor", type=float, help="Never below this share of it.  [default: 0]"),
    click.option("--decay", help="linear, cosine or constant.  [default: linear]"),
    click.option("--negatives", type=int, help="With --loss ns: drawn labels per label.  [default: 5]"),
    click.option("--no-bias", "bias", flag_value=False, type=bool, default=None, help="No bias for labels."),
    click.option("--class-weights", help="none or balanced.  [default: none]"),
    click.option("--cost", type=float, help="Linear: weight of errors beside small weights.  [default: tried out]"),
    click.option("--weighting", help="Linear: information or idf.  [default: information]"),
    click.option("--l2", type=float, help="How strongly weights of the embedding are drawn to 0.  [default: 0]"),
    click.option("--dropout", type=float, help="Share of features left out at random in training.  [default: 0]"),
    click.option("--smoothing", type=float, help="Label smoothing.  [default: 0]"),
    click.option("--validation", type=float, help="Share of documents to choose an epoch on.  [default: 0.1, or 0]"),
    click.option("--no-validation", "validation", flag_value=0.0, help="Train on all documents to the last epoch."),
    click.option("--patience", type=int, help="Stop after so many epochs with nothing better.  [default: 3, or more]"),
    click.option("--seed", type=int, help="Start of the random numbers.  [default: 0]"),
)  # fmt: skip
_NAMES = (
    "model", "loss", "word_ngrams", "chars", "buckets", "min_count", "min_ngram_count", "end_mark", "dim", "epochs",
    "rate", "floor", "decay", "negatives", "bias", "class_weights", "cost", "weighting", "l2", "dropout", "smoothing",
    "validation", "patience", "seed",
)  # fmt: skip


def settings(function: Callable) -> Callable:
    """Options of training; those that were given are passed as `chosen`, a dictionary of settings."""

    @functools.wraps(function)
    def wrapper(*args: Any, **given: Any) -> Any:
        chosen = {name: given.pop(name) for name in _NAMES}
        return function(*args, chosen=_chosen(**chosen), **given)

    return functools.reduce(lambda f, option: option(f), reversed(_SETTINGS), wrapper)


def _chosen(chars: str | None, **given: Any) -> dict[str, Any]:
    chosen = {name: value for name, value in given.items() if value is not None}
    return {**chosen, "chars": common.lengths("--chars", chars)} if chars else chosen
