"""`textkit ngram count` and `merge`: counts as files of their own."""

import time
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING

import click

from . import common
from .ngram import ngram, show_counts

if TYPE_CHECKING:
    from ..ngram.counts import CountedText
    from ..text.reader import Reader
    from ..text.tokenizer import Tokenizer

COUNTS = click.argument("counts", nargs=-1, required=True, type=click.Path(path_type=Path), metavar="COUNTS...")


@ngram.command()
@common.INPUTS
@click.option("--order", type=int, default=3, show_default=True, help="Length of the longest n-grams.")
@common.OUTPUT
@common.tokenizing("word")
@common.SKIP_SYMBOLS
@common.reading
@common.caching
@common.MEMORY
@common.THREADS
@common.JSON
def count(
    reader: "Reader",
    order: int,
    output: Path | None,
    tokenizer: "Tokenizer",
    skip_symbols: bool,
    cache: Path | None,
    memory: str | None,
    threads: int | None,
    as_json: bool,
) -> None:
    """Count n-grams, to add up, take away or train from later.

    All words are kept; choose some of them when you train: ngram train X.counts --min-count 2.

    \b
    textkit ngram count text.txt --order 5 --output text.counts
    textkit ngram train text.counts more.counts --output text.ngram
    """
    from ..ngram.counting import count_text

    began = time.perf_counter()
    store, target = common.limited(memory, cache), output or common.default_output(reader.inputs, ".counts")
    corpus = common.encode(reader, tokenizer, cache, threads, skip_unk=skip_symbols)
    with common.progress_bar() as progress:
        counted = count_text(corpus, order, threads, progress, store)
        counted.save(target)
    _show(counted, target, began, as_json)


@ngram.command()
@COUNTS
@click.option("--weight", default="", metavar="1,2,-1", help="How often each file counts: whole numbers, one for each.")
@click.option("--order", type=int, help="Use n-grams up to this length.  [default: all]")
@click.option("-o", "--output", type=click.Path(path_type=Path), required=True, help="File to write.")
@common.SCRATCH
@common.MEMORY
@common.THREADS
@common.JSON
def merge(
    counts: Sequence[Path],
    weight: str,
    order: int | None,
    output: Path,
    cache_dir: Path | None,
    memory: str | None,
    threads: int | None,
    as_json: bool,
) -> None:
    """Add up counts, which is the same as counting all the text in one run.

    A file can count several times, or with a negative weight be taken away: counts of lines that a larger text no
    longer has. Taking away more than there is is refused. To mix 0.3 of one text and 0.7 of another give 3,7.

    \b
    textkit ngram merge monday.counts tuesday.counts --output both.counts
    textkit ngram merge all.counts withdrawn.counts --weight 1,-1 --output rest.counts
    """
    from ..ngram.counts import load_counts
    from ..ngram.merging import merge_counts

    began = time.perf_counter()
    weights = _whole_numbers(weight) if weight else None
    store = common.limited(memory, cache_dir)
    texts = [load_counts(path, order, store.limit is not None) for path in counts]
    with common.progress_bar() as progress:
        merged = merge_counts(texts, weights, threads=threads, progress=progress, store=store)
        merged.save(output)
    _show(merged, output, began, as_json)


def _whole_numbers(text: str) -> list[int]:
    from ..errors import UsageError

    try:
        return [int(part) for part in text.replace(",", " ").split()]
    except ValueError:
        raise UsageError(
            f"--weight '{text}' is not a list of whole numbers.", "For shares of 0.3 and 0.7 give 3,7."
        ) from None


def _show(counted: "CountedText", path: Path, began: float, as_json: bool) -> None:
    seconds = time.perf_counter() - began
    if dropped := counted.counts.dropped_marks:
        common.note(f"{dropped:,} sentence marks (<s>, </s>) in the text were left out.")
    show_counts(counted, f"{path} ({seconds:.1f} s)", {"written": str(path), "seconds": seconds}, as_json)
