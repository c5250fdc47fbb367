"""Scored text as text again: rows or objects with added fields, or the kept records as they were."""

from collections.abc import Callable, Iterator
from contextlib import ExitStack
from dataclasses import dataclass, replace
from functools import partial

import numpy as np

from .. import files
from ..errors import UsageError
from ..parallel import ordered_map, thread_count
from ..progress import Progress, Reporter, silent
from ..text.blocks import RecordBlock
from ..text.output import DELIMITERS, Headers, header_with, joined, kept_of, lines_of, objects
from ..text.reader import Reader
from ..text.rows import json_rows, table_rows, written
from .model import NGramModel
from .scoring import BITS, score_block
from .selection import Judge, Selection, Spool

MEASURES = (
    "log10_prob", "perplexity", "perplexity_without_oov", "bits_per_character", "bits_per_byte", "tokens", "oov",
)  # fmt: skip
DIFFERENCE = "difference"
BUCKET_MARK = "{bucket}"


@dataclass(frozen=True)
class Scorer:
    """What to say of each line.

    Args:
        minus: a second model; `difference` is the cross-entropy in bits per token under the first model less that
            under this one, small for text that is like what the first was trained on (Moore & Lewis 2010).
        only: a measure to which the numbers are confined.
    """

    model: NGramModel
    minus: NGramModel | None = None
    only: str | None = None

    @property
    def names(self) -> tuple[str, ...]:
        """The columns of `numbers`."""
        if self.only:
            return (self.only,)
        return (*MEASURES, DIFFERENCE) if self.minus else MEASURES

    def confined(self, name: str) -> "Scorer":
        """The same with this measure only. Raises UsageError where there is none of this name."""
        return replace(self, only=self.names[self.column(name)])

    def column(self, name: str) -> int:
        """The number of a column. Raises UsageError where there is none of this name."""
        if name not in self.names:
            raise UsageError(f"there is no measure '{name}'.", f"Choose one of {', '.join(self.names)}.")
        return self.names.index(name)

    def numbers(self, found: RecordBlock) -> np.ndarray:
        """The measures of each record of a checked block, float64 (L, C)."""
        scores = score_block(self.model, found.text)
        measures = scores.measures()
        if self.minus:
            other = score_block(self.minus, found.text)
            measures[DIFFERENCE] = BITS * (other.log10_prob / other.tokens - scores.log10_prob / scores.tokens)
        return np.stack([measures[name] for name in self.names], axis=1)


# --- walking over a text ----------------------------------------------------------------------------------

Finish = Callable[[RecordBlock, np.ndarray, Judge], list[tuple[int, bytes]]]


def scored_rows(
    scorer: Scorer,
    reader: Reader,
    selection: Selection,
    as_json: bool = False,
    threads: int | None = None,
    progress: Reporter = silent,
) -> Iterator[bytes]:
    """Every record with its measures, in pieces of many.

    JSONL gives the same objects with added fields, tables the same rows with added columns, lines rows with the text
    as the last column; all of them objects where `as_json` is set.
    """
    names = (*scorer.names, "bucket") if selection.buckets else scorer.names
    column = scorer.column(selection.by)
    headers = Headers(lambda found: header_with(found, names))
    if not as_json and reader.sources[0].format == "lines":
        yield "\t".join((*names, "text\n")).encode()

    def finish(found: RecordBlock, numbers: np.ndarray, judge: Judge) -> list[tuple[int, bytes]]:
        if selection.buckets:
            numbers = np.column_stack([numbers, judge.buckets(numbers[:, column])])
        return [(0, _rows(found, numbers, names, as_json))]

    for found, pieces in _walk(scorer, reader, selection, finish, threads, progress):
        if not as_json:  # objects need not be of one kind
            yield headers.before(found)
        yield from (piece for _, piece in pieces)


def kept_records(
    scorer: Scorer, reader: Reader, selection: Selection, threads: int | None = None, progress: Reporter = silent
) -> Iterator[bytes]:
    """The records that a selection keeps, as they stand in their files, in pieces of many."""
    headers = Headers(lambda found: found.header)

    def finish(found: RecordBlock, numbers: np.ndarray, judge: Judge) -> list[tuple[int, bytes]]:
        return [(0, kept_of(found, judge.kept(numbers[:, 0])))]

    for found, pieces in _walk(scorer.confined(selection.by), reader, selection, finish, threads, progress):
        yield headers.before(found)
        yield from (piece for _, piece in pieces)


def save_buckets(
    scorer: Scorer, reader: Reader, selection: Selection, path: str, threads: int | None, progress: Reporter
) -> list[str]:
    """Write the records of each bucket, as they stand, to a file of its own; all of them appear, or none.

    Args:
        path: has {bucket} in it, where the bucket's number comes; its ending says how to compress.

    Returns:
        The files.
    """
    assert selection.buckets
    scorer = scorer.confined(selection.by)
    names = [path.replace(BUCKET_MARK, str(k)) for k in range(1, selection.buckets + 1)]

    def finish(found: RecordBlock, numbers: np.ndarray, judge: Judge) -> list[tuple[int, bytes]]:
        kept, buckets = judge.kept(numbers[:, 0]), judge.buckets(numbers[:, 0])
        return [(k, kept_of(found, kept & (buckets == k + 1))) for k in range(len(names))]

    with ExitStack() as stack:
        outputs = []
        for name in names:
            raw = stack.enter_context(files.atomic_write(name))
            outputs.append(stack.enter_context(files.compressed_writer(raw, name)))
        headers = Headers(lambda found: found.header)
        for found, pieces in _walk(scorer, reader, selection, finish, threads, progress):
            header = headers.before(found)
            for output in outputs:
                output.write(header)
            for k, piece in pieces:
                outputs[k].write(piece)
    return names


def _walk(
    scorer: Scorer, reader: Reader, selection: Selection, finish: Finish, threads: int | None, progress: Reporter
) -> Iterator[tuple[RecordBlock, list[tuple[int, bytes]]]]:
    """Every block with what `finish` makes of it; quantiles take a first walk, whose scores are kept in a file."""
    workers = thread_count(threads)

    def tell(stage: str, found: RecordBlock) -> None:
        progress(Progress(stage, found.text.done, reader.total_bytes, "bytes"))

    def work(item: tuple[RecordBlock, np.ndarray | None], judge: Judge) -> tuple[RecordBlock, list[tuple[int, bytes]]]:
        found, numbers = reader.clean_records(item[0]), item[1]
        return found, finish(found, scorer.numbers(found) if numbers is None else numbers, judge)

    if not selection.needs_ranks:
        live: Iterator[tuple[RecordBlock, None]] = ((found, None) for found in reader.record_blocks())
        for found, pieces in ordered_map(partial(work, judge=Judge(selection)), live, workers):
            tell("scoring", found)
            yield found, pieces
        return
    with Spool(scorer.column(selection.by)) as spool:
        for found, numbers in ordered_map(partial(_scored, scorer, reader), reader.record_blocks(), workers):
            tell("scoring", found)
            spool.append(numbers)
        judge = Judge(selection, spool.limits(selection.shares()))
        kept = zip(reader.record_blocks(), spool, strict=True)
        for found, pieces in ordered_map(partial(work, judge=judge), kept, workers):
            tell("writing", found)
            yield found, pieces


def _scored(scorer: Scorer, reader: Reader, found: RecordBlock) -> tuple[RecordBlock, np.ndarray]:
    return found, scorer.numbers(reader.clean_records(found))


def _rows(found: RecordBlock, numbers: np.ndarray, names: tuple[str, ...], as_json: bool) -> bytes:
    """A block of records with their numbers."""
    format = found.text.source.format
    if found.stored is None:
        data, spans = lines_of(found)
        if as_json:
            return json_rows(data, spans, numbers, ("text", *names), 0)
        data = np.where(data == ord("\t"), np.uint8(ord(" ")), data)
        return table_rows(data, spans, numbers, numbers.shape[1])
    if as_json or format == "jsonl":
        data, spans = joined(objects(found, names))
        keys = ["", *(f', "{name}": ' for name in names), "}\n"]
        return written(data, spans, numbers, keys, 0, True)
    data, spans = joined([record.rstrip(b"\r\n") for record in found.stored])
    delimiter = DELIMITERS[format]
    return written(data, spans, numbers, ["", *[delimiter] * len(names), "\n"], 0, False)
