"""`textkit corpus`: look at text, cut it up, make it, fetch it."""

import sys
from dataclasses import asdict
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from . import common

if TYPE_CHECKING:
    from ..text.reader import Reader
    from ..text.tokenizer import Tokenizer
    from ..text.vocabulary import Vocabulary


@click.group()
def corpus() -> None:
    """Text corpora: tokenize, count, describe, split, sample, dedup, make, download."""


@corpus.command()
@common.INPUTS
@common.OUTPUT
@common.tokenizing("word")
@common.reading
@common.THREADS
def tokenize(reader: "Reader", tokenizer: "Tokenizer", output: Path | None, threads: int | None) -> None:
    """Write the text with its tokens set apart by spaces, line by line.

    \b
    textkit corpus tokenize text.txt > tokens.txt
    zcat text.gz | textkit corpus tokenize - --lowercase
    """
    from ..text.lines import tokenized

    with common.progress_bar():
        common.write_pieces(tokenized(reader, tokenizer, threads), output)
    common.tell_skipped(reader)


@corpus.command()
@common.INPUTS
@common.OUTPUT
@common.tokenizing("word")
@common.choosing_words
@common.reading
@common.THREADS
def vocab(
    reader: "Reader",
    tokenizer: "Tokenizer",
    output: Path | None,
    min_count: int,
    max_vocab: int | None,
    threads: int | None,
) -> None:
    """Count words; write them as word<TAB>count, the most frequent first.

    \b
    textkit corpus vocab text.txt --min-count 5 --output words.tsv
    """
    from ..text.corpus import count_vocabulary

    with common.progress_bar() as progress:
        counted = count_vocabulary(
            reader, tokenizer, min_count=min_count, max_vocab=max_vocab, threads=threads, progress=progress
        )
    common.tell_skipped(reader)
    if output:
        counted.save_text(output)
    else:
        counted.write_text(sys.stdout.buffer)
        sys.stdout.buffer.flush()


@corpus.command()
@common.INPUTS
@click.option("--top", type=click.IntRange(0), default=20, show_default=True, help="How many frequent words to show.")
@click.option(
    "--against", type=click.Path(path_type=Path), help="Out-of-vocabulary rate against a vocabulary or model."
)
@click.option("--plot", type=click.Path(path_type=Path), help="Draw counts by rank (Zipf) into a .svg, .png or .pdf.")
@common.tokenizing("word")
@common.reading
@common.caching
@common.THREADS
@common.JSON
def stats(
    reader: "Reader",
    tokenizer: "Tokenizer",
    top: int,
    against: Path | None,
    plot: Path | None,
    cache: Path | None,
    threads: int | None,
    as_json: bool,
) -> None:
    """Describe a corpus: tokens, types, growth and coverage of the vocabulary, frequent words.

    \b
    textkit corpus stats text.txt --against words.tsv --plot zipf.svg
    """
    from ..text.stats import corpus_stats, unknown_words, zipf_plot

    known = _vocabulary(against) if against else None
    encoded = common.encode(reader, tokenizer, cache, threads)
    figures = corpus_stats(encoded, top)
    unknown = unknown_words(encoded, known) if known else None
    if plot:
        zipf_plot(encoded, plot)
    if as_json:
        common.print_json({**figures.as_dict(), **({"unknown": asdict(unknown)} if unknown else {})})
        return
    names = ("lines", "empty_lines", "longest_line", "tokens", "types", "once", "characters", "bytes")
    common.print_table("corpus", ["what", "number"], [[n.replace("_", " "), getattr(figures, n)] for n in names])
    common.print_table("growth of the vocabulary", ["tokens", "types"], [list(row) for row in figures.growth])
    rows = [[size, f"{share:.2%}"] for size, share in figures.coverage]
    common.print_table("coverage", ["most frequent types", "of all tokens"], rows)
    rows = [[word, count, f"{share:.3%}"] for word, count, share in figures.frequent]
    common.print_table("most frequent", ["word", "count", "share"], rows)
    if unknown:
        summary = [
            ["types", unknown.types, f"{unknown.type_rate:.3%}"],
            ["tokens", unknown.tokens, f"{unknown.token_rate:.3%}"],
        ]
        common.print_table(f"not in {against}", ["", "number", "rate"], summary)
        common.print_table("most frequent of these", ["word", "count"], [list(row) for row in unknown.examples])


def _vocabulary(path: Path) -> "Vocabulary":
    """The vocabulary of a word list or of any textkit model."""
    from .. import files
    from ..text.vocabulary import Vocabulary

    if files.is_container(path):
        return Vocabulary.from_arrays(files.load(path).arrays, path)
    return Vocabulary.load_text(path)


@corpus.command()
@common.INPUTS
@click.option(
    "--shares", default="98/1/1", show_default=True, help="Of train, dev and test; two numbers: no test part."
)
@click.option("-o", "--output", help="Beginning of the files' names.  [default: the input's]")
@common.SEED
@common.reading
@common.JSON
def split(reader: "Reader", shares: str, output: str | None, seed: int, as_json: bool) -> None:
    """Split lines at random into train, dev and test files.

    Lines that carry labels (__label__x) are split by the shares for each label.

    \b
    textkit corpus split reviews.txt --shares 80/10/10     # reviews.train.txt, reviews.dev.txt, reviews.test.txt
    """
    from ..text.lines import raw_lines, split_files

    prefix = output or _stem(str(reader.inputs[0]))
    reader.format = "lines" if reader.format == "auto" else reader.format
    counts = split_files(raw_lines(reader), prefix, _shares(shares), seed)
    common.tell_skipped(reader)
    if as_json:
        common.print_json(counts)
    else:
        common.print_table("split", ["file", "lines"], [[name, count] for name, count in counts.items()])


def _stem(name: str) -> str:
    base = "text" if name == "-" else name
    for ending in (".gz", ".bz2", ".xz", ".zst", ".txt"):
        base = base.removesuffix(ending)
    return base


def _shares(text: str) -> list[float]:
    from ..errors import UsageError

    try:
        shares = [float(part) for part in text.replace(",", "/").split("/")]
    except ValueError:
        shares = []
    if len(shares) not in (2, 3):
        raise UsageError(f"--shares '{text}' makes no sense.", "An example: 98/1/1.")
    return shares


@corpus.command()
@common.INPUTS
@common.OUTPUT
@click.option("-n", "--count", type=click.IntRange(1), help="Exactly so many lines.")
@click.option("--rate", type=click.FloatRange(0, 1), help="Each line with this probability.")
@common.SEED
@common.reading
def sample(reader: "Reader", output: Path | None, count: int | None, rate: float | None, seed: int) -> None:
    """Write random lines in the order of the text.

    \b
    textkit corpus sample text.txt -n 1000 > some.txt
    """
    from ..errors import UsageError
    from ..text.lines import raw_lines, sampled, thinned

    if (count is None) == (rate is None):
        raise UsageError("say either --count or --rate.", "An example: --count 1000.")
    reader.format = "lines" if reader.format == "auto" else reader.format
    lines = raw_lines(reader)
    common.write_pieces(sampled(lines, count, seed) if count is not None else thinned(lines, rate or 0.0, seed), output)
    common.tell_skipped(reader)


@corpus.command()
@common.INPUTS
@common.OUTPUT
@common.reading
def dedup(reader: "Reader", output: Path | None) -> None:
    """Write each different line once, where it stands first.

    \b
    textkit corpus dedup *.txt.gz --output once.txt.gz
    """
    from ..text.lines import distinct, raw_lines

    total = 0

    def counted() -> Any:
        nonlocal total
        for line in raw_lines(reader):
            total += 1
            yield line

    reader.format = "lines" if reader.format == "auto" else reader.format
    kept = common.write_pieces(distinct(counted()), output)
    common.tell_skipped(reader)
    common.note(f"kept {kept:,} of {total:,} lines.")


@corpus.command()
@click.argument("name", required=False)
@click.option("--size", help="About how much: 500K, 10M, 2G.  [default: the text's usual size]")
@common.OUTPUT
@common.SEED
def make(name: str | None, size: str | None, output: Path | None, seed: int) -> None:
    """Write a text that is made or gathered here, no download needed. Without NAME: list them.

    \b
    textkit corpus make pydocs --output pydocs.txt
    textkit corpus make atlas --size 10M > atlas.txt
    """
    from ..corpora import BUILTIN, builtin

    if name is None:
        rows = [[text.name, text.description] for text in BUILTIN.values()]
        common.print_table("texts that can be made here", ["name", "what it is"], rows)
        return
    lines = builtin(name).lines(common.byte_size("--size", size) if size else None, seed)
    common.write_pieces((f"{line}\n".encode() for line in lines), output)


@corpus.command()
@click.argument("name", required=False)
@click.option("--list", "listing", is_flag=True, help="Show what there is, with sizes and licences.")
@click.option("--directory", type=click.Path(path_type=Path), help="Where to keep it.  [default: the user's cache]")
@common.JSON
def download(name: str | None, listing: bool, directory: Path | None, as_json: bool) -> None:
    """Fetch a public corpus or evaluation set by name, once; prints where it is.

    Interrupted downloads are taken up where they stopped, and checked against the known checksum.

    \b
    textkit corpus download --list
    textkit corpus download text8
    """
    from dataclasses import asdict as fields

    from ..corpora.catalogue import catalogue, entry

    if listing or name is None:
        if as_json:
            common.print_json([fields(known) for known in catalogue().values()])
            return
        rows = [[e.name, e.kind, _size(e.size_bytes), e.licence, e.title] for e in catalogue().values()]
        common.print_table("public corpora", ["name", "kind", "size", "licence", "what it is"], rows)
        return
    from ..corpora.download import download as fetch
    from ..progress import Progress

    with common.progress_bar() as progress:
        path = fetch(entry(name), directory, lambda done, total: progress(Progress(name, done, total, "bytes")))
    click.echo(path)


def _size(size: int | None) -> str:
    return "?" if size is None else f"{size / 1e6:,.1f} MB"
