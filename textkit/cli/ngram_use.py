"""`textkit ngram` on text: perplexity, score, generate, next."""

import json
from pathlib import Path
from typing import TYPE_CHECKING

import click

from . import common
from .ngram import ARPA_TOKENIZER, MODEL, load, ngram

if TYPE_CHECKING:
    from ..ngram.model import NGramModel
    from ..text.reader import Reader


@ngram.command()
@MODEL
@common.INPUTS
@click.option("--per-line", is_flag=True, help="A row for each line, too.")
@click.option("--per-word", is_flag=True, help="A row for each token, too.")
@ARPA_TOKENIZER
@common.reading
@common.THREADS
@common.JSON
def perplexity(
    model: Path, reader: "Reader", per_line: bool, per_word: bool, tokenizer: str, threads: int | None, as_json: bool
) -> None:
    """Perplexity of text under a model, with and without unknown words.

    \b
    textkit ngram perplexity text.ngram held-out.txt
    """
    from ..ngram import scoring

    loaded = load(model, tokenizer)
    if per_word:
        _print_words(loaded, reader, as_json)
    elif per_line:
        _print_lines(loaded, reader, threads, as_json)
    with common.progress_bar() as progress:
        summary = scoring.perplexity(loaded, reader, threads=threads, progress=progress)
    common.tell_skipped(reader)
    if as_json:
        click.echo(json.dumps({**summary.as_dict(), "signature": loaded.signature}))
        return
    labels = {
        "perplexity": f"{summary.perplexity:.6g}",
        "perplexity without OOV": f"{summary.perplexity_without_oov:.6g}",
        "bits per token": f"{summary.bits_per_token:.4f}",
        "bits per character": f"{summary.bits_per_character:.4f}",
        "bits per byte": f"{summary.bits_per_byte:.4f}",
        "tokens (with line ends)": f"{summary.tokens:,}",
        "OOV tokens": f"{summary.oov:,}",
        "OOV rate": f"{summary.oov_rate:.3%}",
        "lines": f"{summary.lines:,}",
        "log10 probability": f"{summary.log10_prob:.6g}",
    }
    common.print_table(str(model), ["measure", "value"], [[name, value] for name, value in labels.items()])


def _print_words(model: "NGramModel", reader: "Reader", as_json: bool) -> None:
    from ..ngram.scoring import word_scores

    for scores in word_scores(model, reader):
        for word in scores:
            if as_json:
                click.echo(json.dumps(word.__dict__, ensure_ascii=False))
            else:
                click.echo(f"{word.word}\t{word.log10_prob:.6f}\t{word.order}{'	OOV' if word.oov else ''}")
        if not as_json:
            click.echo()


def _print_lines(model: "NGramModel", reader: "Reader", threads: int | None, as_json: bool) -> None:
    from ..ngram.scoring import line_records

    if not as_json:
        click.echo("log10_prob\tperplexity\ttokens\toov\ttext")
    for record in line_records(model, reader, threads=threads):
        click.echo(json.dumps(record.as_dict(), ensure_ascii=False) if as_json else record.as_row())


@ngram.command()
@MODEL
@common.INPUTS
@ARPA_TOKENIZER
@common.reading
@common.THREADS
@common.JSON
def score(model: Path, reader: "Reader", tokenizer: str, threads: int | None, as_json: bool) -> None:
    """Score every line, in order: log10 probability, perplexity, tokens, unknown tokens, and the text.

    \b
    textkit ngram score text.ngram lines.txt > scored.tsv
    zcat pages.gz | textkit ngram score text.ngram - --json
    """
    _print_lines(load(model, tokenizer), reader, threads, as_json)
    common.tell_skipped(reader)


@ngram.command()
@MODEL
@click.option("-n", "--count", type=click.IntRange(1), default=5, show_default=True, help="How many sentences.")
@click.option("--prefix", default="", help="Beginning of each sentence.")
@click.option(
    "--temperature",
    type=float,
    default=1.0,
    show_default=True,
    help="Below 1: more probable words; 0: the most probable.",
)
@click.option("--top-k", type=int, help="Draw from so many most probable words only.")
@click.option(
    "--top-p", type=float, default=1.0, show_default=True, help="Draw from words that make up this probability."
)
@click.option("--max-tokens", type=int, default=50, show_default=True, help="End a sentence after so many.")
@ARPA_TOKENIZER
@common.SEED
@common.JSON
def generate(
    model: Path,
    count: int,
    prefix: str,
    temperature: float,
    top_k: int | None,
    top_p: float,
    max_tokens: int,
    tokenizer: str,
    seed: int,
    as_json: bool,
) -> None:
    """Draw random sentences from a model.

    \b
    textkit ngram generate text.ngram --prefix "In the beginning" --temperature 0.8 --seed 7
    """
    from ..ngram.generate import sentences

    settings = {"temperature": temperature, "top_k": top_k, "top_p": top_p, "max_tokens": max_tokens}
    for sentence in sentences(load(model, tokenizer), count, prefix=prefix, seed=seed, **settings):  # type: ignore[arg-type]
        click.echo(json.dumps({"text": sentence}, ensure_ascii=False) if as_json else sentence)


@ngram.command("next")
@MODEL
@click.argument("prefix", default="")
@click.option("--top", type=click.IntRange(1), default=10, show_default=True, help="How many words.")
@ARPA_TOKENIZER
@common.JSON
def next_words(model: Path, prefix: str, top: int, tokenizer: str, as_json: bool) -> None:
    """The most probable next words after PREFIX, the beginning of a sentence.

    \b
    textkit ngram next text.ngram "one of the"
    """
    found = load(model, tokenizer).next_words(prefix, top)
    if as_json:
        common.print_json([{"word": word, "probability": probability} for word, probability in found])
    else:
        common.print_table(prefix or "<s>", ["word", "probability"], [[w, f"{p:.6f}"] for w, p in found])
