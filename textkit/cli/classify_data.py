"""`textkit classify` on text: predict."""

from pathlib import Path
from typing import TYPE_CHECKING

import click

from . import common
from .classify import FILE, classify

if TYPE_CHECKING:
    from ..text.reader import Reader


@classify.command()
@click.argument("model", type=FILE)
@common.INPUTS
@common.OUTPUT
@click.option("-k", "--k", type=int, help="So many labels at most, -1 for all.  [default: as the model is used to]")
@click.option("--threshold", type=float, help="No label that is less probable.")
@click.option("--labels-only", is_flag=True, help="No probabilities.")
@click.option("--label-prefix", default="__label__", show_default=True, help="Words in lines that are no text.")
@click.option("--like-fasttext", is_flag=True, help="Write what fastText's predict-prob (or predict) would.")
@common.reading
@common.THREADS
@common.JSON
def predict(
    model: Path,
    reader: "Reader",
    output: Path | None,
    k: int | None,
    threshold: float | None,
    labels_only: bool,
    label_prefix: str,
    like_fasttext: bool,
    threads: int | None,
    as_json: bool,
) -> None:
    """Label text, in order, in the form of the input.

    Lines give label, tab, probability; JSONL the same objects with added keys, CSV and TSV the same rows with added
    columns. Labels that stand in the lines themselves are not looked at.

    \b
    textkit classify predict reviews.model new.txt
    textkit classify predict reviews.model new.jsonl.gz --field body --output labelled.jsonl.gz
    textkit classify predict tags.model new.txt --k 3 --threshold 0.1 --json
    """
    from ..classify import stream
    from ..classify.model import Classifier
    from ..errors import UsageError

    if like_fasttext and as_json:
        raise UsageError("--like-fasttext and --json are two forms of output.", "Leave one of them out.")
    choice = stream.Choice(1 if like_fasttext and k is None else k, threshold)
    predictor = stream.Predictor(Classifier.load(model), choice, label_prefix)
    writer: stream.Writer | stream.LikeFasttext = stream.LikeFasttext(predictor, labels_only)
    if not like_fasttext:
        writer = stream.Writer(predictor, reader.sources[0].format, as_json, labels_only)
    with common.progress_bar() as progress:
        common.write_pieces(stream.predicted(writer, reader, threads, progress), output)
    common.tell_skipped(reader)
