"""`textkit ngram` into models: list their n-grams, explain their scores."""

import json
from pathlib import Path
from typing import TYPE_CHECKING

import click

from . import common
from .ngram import ARPA_TOKENIZER, MODEL, load, ngram

if TYPE_CHECKING:
    from ..ngram.explain import Explanation


@ngram.command("list")
@MODEL
@click.argument("prefix", default="")
@click.option("--pattern", default="", help="Words with * ? [...], or /regular expressions/: 'the * of'.")
@click.option("--order", type=int, help="Only n-grams of so many words.")
@click.option("--sort", help="By probability, backoff or count, the largest first.  [default: as in the model]")
@click.option("--top", type=int, help="Only so many, by probability if --sort says nothing else.")
@common.OUTPUT
@ARPA_TOKENIZER
@common.THREADS
@common.JSON
def list_ngrams(
    model: Path,
    prefix: str,
    pattern: str,
    order: int | None,
    sort: str | None,
    top: int | None,
    output: Path | None,
    tokenizer: str,
    threads: int | None,
    as_json: bool,
) -> None:
    """List the n-grams of a model that begin with PREFIX, or all: log10 probability, backoff, and count if kept.

    \b
    textkit ngram list text.ngram "one of" --top 20
    textkit ngram list text.ngram --pattern "/.*ing/ the *" --order 3
    textkit ngram list text.ngram --order 2 --output bigrams.tsv.gz
    """
    from ..ngram.listing import Listing, listed_rows

    listing = Listing(prefix, pattern, order, sort, top)
    with common.progress_bar():
        common.write_pieces(listed_rows(load(model, tokenizer), listing, as_json, threads), output)


@ngram.command()
@MODEL
@click.argument("sentence")
@click.option("--counts", type=click.Path(path_type=Path), help="Counts of the training text, if the model has none.")
@ARPA_TOKENIZER
@common.JSON
def explain(model: Path, sentence: str, counts: Path | None, tokenizer: str, as_json: bool) -> None:
    """Show how the score of each word of SENTENCE comes about.

    The n-gram that is used, the contexts that were given up for it with their backoff weights and, if the model was
    trained with --keep-counts or a count file is given, the counts, discounts and weights that make up its probability.

    \b
    textkit ngram explain text.ngram "the cat sat"
    textkit ngram explain text.ngram "the cat sat" --counts text.counts
    """
    from ..ngram import explain as explaining
    from ..ngram.counts import load_counts
    from ..ngram.scoring import power_of_10

    loaded = load(model, tokenizer)
    with common.progress_bar():
        counted = load_counts(counts) if counts else None
        words = explaining.explain(loaded, sentence, counted)
    if as_json:
        for word in words:
            click.echo(json.dumps(word.as_dict(), ensure_ascii=False))
        return
    for word in words:
        _print_explanation(word)
    total = sum(word.log10_prob for word in words)
    click.echo(f"log10 probability {total:.6f}, perplexity {power_of_10(-total / len(words)):.6g}")
    if reason := explaining.why_no_terms(loaded, counted):
        common.note(f"no counts are shown, since {reason}.")


def _print_explanation(word: "Explanation") -> None:
    """A few lines for one word."""
    from ..ngram.scoring import power_of_10

    click.secho(word.word, bold=True, nl=False)
    oov = ", unknown" if word.oov else ""
    click.echo(f"{oov}  log10 p = {word.log10_prob:.6f}, p = {word.probability:.6g}, {word.bits:.4f} bits")
    for backoff in word.backoffs:
        weight = "is not in the model"
        if backoff.log10_weight is not None:
            weight = (
                f"does not know it: backoff 10^{backoff.log10_weight:.6f} = {power_of_10(backoff.log10_weight):.6g}"
            )
        click.echo(f"    '{' '.join(backoff.context)}' {weight}")
    probability = f"p = 10^{word.log10_ngram:.6f} = {power_of_10(word.log10_ngram):.6g}"
    count = "" if word.count is None else f", count {word.count:,}"
    click.echo(f"    {word.order}-gram '{' '.join(word.ngram)}': {probability}{count}")
    for term in word.terms:
        click.echo(
            f"      p({term.ngram[-1]}|{' '.join(term.ngram[:-1])}) = ({term.adjusted:,} - {term.discount:.6g}) / "
            f"{term.total:,} + {term.gamma:.6g} * {term.lower:.6g} = {term.own + term.gamma * term.lower:.6g}"
            f"    (count {term.count:,}, adjusted {term.adjusted:,})"
        )
