"""`textkit demo`: the main job, from raw text to a model in use, on text that is already here."""

import tempfile
import time
from pathlib import Path
from typing import TYPE_CHECKING

import click

from . import common

if TYPE_CHECKING:
    from ..ngram.model import NGramModel
    from ..text.corpus import EncodedCorpus
    from ..text.reader import Reader

_SENTENCES = (
    "Return the number of items in a list .",
    "list a in items of number the Return .",
    "Colourless green ideas .",
)


@click.command()
@click.option("-o", "--output", type=click.Path(path_type=Path), help="Keep the text and the model in this directory.")
@common.THREADS
@common.SEED
def demo(output: Path | None, threads: int | None, seed: int) -> None:
    """Train a trigram model on the documentation of this Python's standard library, and use it.

    \b
    textkit demo
    textkit demo --output tryout     # keeps the text and the model
    """
    if output:
        output.mkdir(parents=True, exist_ok=True)
        _run(output, threads, seed)
        return
    with tempfile.TemporaryDirectory(prefix="textkit-demo-") as directory:
        _run(Path(directory), threads, seed)


def _run(directory: Path, threads: int | None, seed: int) -> None:
    from ..corpora import builtin
    from ..text.lines import split_files
    from ..text.reader import Reader
    from ..text.tokenizer import Tokenizer

    began = time.perf_counter()
    lines = (line.encode() + b"\n" for line in builtin("pydocs").lines(None, seed))
    counts = split_files(lines, str(directory / "pydocs"), [98, 2], seed)
    train, held_out = counts
    rows = [[Path(name).name, number, Path(name).stat().st_size] for name, number in counts.items()]
    common.print_table("text: the documentation of Python's standard library", ["file", "lines", "bytes"], rows)
    corpus = common.encode(Reader([train]), Tokenizer("word"), None, threads)
    _model(directory / "pydocs.ngram", corpus, Reader([held_out]), threads, seed)
    click.echo(f"\n{time.perf_counter() - began:.1f} s in all.")


def _model(path: Path, corpus: "EncodedCorpus", held_out: "Reader", threads: int | None, seed: int) -> None:
    from ..ngram.model import NGramModel
    from ..ngram.scoring import perplexity

    with common.progress_bar() as progress:
        model = NGramModel.train(corpus, threads=threads, progress=progress)
        model.save(path)
        found = perplexity(model, held_out, threads=threads, progress=progress)
    sizes = list(enumerate(model.sizes, 1))
    common.print_table(f"trigram model of {corpus.tokens:,} tokens", ["order", "n-grams"], sizes)
    measures = [
        ("perplexity", f"{found.perplexity:.1f}"),
        ("perplexity without unknown words", f"{found.perplexity_without_oov:.1f}"),
        ("bits per character", f"{found.bits_per_character:.3f}"),
        ("unknown words", f"{found.oov_rate:.2%}"),
        ("tokens", f"{found.tokens:,}"),
    ]
    common.print_table("on held-out lines", ["measure", "value"], measures)
    _use(model, seed)


def _use(model: "NGramModel", seed: int) -> None:
    from ..ngram.generate import sentences

    scored = [(text, f"{model.score(text):.2f}", f"{model.perplexity(text):.0f}") for text in _SENTENCES]
    common.print_table("sentences scored", ["sentence", "log10 probability", "perplexity"], scored)
    drawn = [(text,) for text in sentences(model, 5, seed=seed, temperature=0.6, max_tokens=25)]
    common.print_table("sentences drawn", ["sentence"], drawn)
