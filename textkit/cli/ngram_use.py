"""`textkit ngram` on text: perplexity, score, generate, next."""

import json
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING

import click

from . import common
from .ngram import ARPA_TOKENIZER, MODEL, load, ngram

if TYPE_CHECKING:
    from ..text.reader import Reader


@ngram.command()
@MODEL
@common.INPUTS
@click.option("--per-line", is_flag=True, help="A row for each line, too.")
@click.option("--per-word", is_flag=True, help="A row for each token, too: order of its n-gram, backoff, surprisal.")
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
    from ..ngram import scored, scoring
    from ..ngram.selection import Selection
    from ..ngram.words import word_rows

    loaded = load(model, tokenizer)
    reader = replace(reader, once=not (per_word or per_line))
    if per_word:
        common.write_pieces(word_rows(loaded, reader, as_json, threads), None)
    elif per_line:
        scorer = scored.Scorer(loaded)
        common.write_pieces(scored.scored_rows(scorer, reader, Selection(), as_json, threads), None)
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


@ngram.command()
@MODEL
@common.INPUTS
@common.OUTPUT
@click.option("--per-word", is_flag=True, help="A row for each token: order of its n-gram, backoff, surprisal.")
@click.option("--minus", type=click.Path(path_type=Path), help="Also the difference to this model, in bits per token.")
@click.option("--by", help="Measure that the options below go by.  [default: perplexity, or difference with --minus]")
@click.option("--keep-below", type=float, help="Write the lines whose measure is smaller, as they are.")
@click.option("--keep-above", type=float, help="Write the lines whose measure is larger, as they are.")
@click.option("--keep-percentile", type=float, help="Write the best so many per cent of the lines, as they are.")
@click.option("--buckets", type=int, help="Number the lines by quantile: 1, the best, to N (3: head, middle, tail).")
@ARPA_TOKENIZER
@common.reading
@common.THREADS
@common.JSON
def score(
    model: Path,
    reader: "Reader",
    output: Path | None,
    per_word: bool,
    minus: Path | None,
    by: str | None,
    keep_below: float | None,
    keep_above: float | None,
    keep_percentile: float | None,
    buckets: int | None,
    tokenizer: str,
    threads: int | None,
    as_json: bool,
) -> None:
    """Score every line, in order, or keep the lines that score well.

    The output follows the input: lines give tab-separated rows, JSONL the same objects with added fields, CSV and TSV
    the same rows with added columns. Lines kept by a --keep option are written unchanged. With --buckets and
    {bucket} in the name of --output, the lines of each bucket go unchanged to a file of their own.

    \b
    textkit ngram score text.ngram lines.txt > scored.tsv
    zcat pages.gz | textkit ngram score text.ngram - --json
    textkit ngram score text.ngram crawl.jsonl.gz --keep-percentile 30 --output clean.jsonl.gz
    textkit ngram score in.ngram crawl.jsonl --minus out.ngram --keep-below 0 --output selected.jsonl
    textkit ngram score text.ngram pages.txt --buckets 3 --output "pages.{bucket}.txt"
    """
    from ..errors import UsageError
    from ..ngram import scored
    from ..ngram.selection import Selection
    from ..ngram.words import word_rows

    by = by or (scored.DIFFERENCE if minus else "perplexity")
    selection = Selection(by, keep_below, keep_above, keep_percentile, buckets)
    split = bool(output) and scored.BUCKET_MARK in str(output)
    if per_word and (minus or buckets or selection.filters):
        raise UsageError("--per-word goes with none of --minus, --keep-… and --buckets.", "Leave one of them out.")
    if split and not buckets:
        raise UsageError(f"'{output}' names buckets, but there are none.", "Say --buckets, for example 3.")
    if as_json and (selection.filters or split):
        raise UsageError("--json changes lines, and kept lines are written as they are.", "Leave out --json.")
    if buckets and selection.filters and not split:
        raise UsageError(
            "--buckets adds a column, and kept lines are written as they are.",
            "Put {bucket} into the name of --output, or leave one out.",
        )
    reader = replace(reader, once=not selection.needs_ranks)
    scorer = scored.Scorer(load(model, tokenizer), load(minus, tokenizer) if minus else None)
    with common.progress_bar() as progress:
        if split:
            scored.save_buckets(scorer, reader, selection, str(output), threads, progress)
        elif per_word:
            common.write_pieces(word_rows(scorer.model, reader, as_json, threads, progress), output)
        elif selection.filters:
            common.write_pieces(scored.kept_records(scorer, reader, selection, threads, progress), output)
        else:
            common.write_pieces(scored.scored_rows(scorer, reader, selection, as_json, threads, progress), output)
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
