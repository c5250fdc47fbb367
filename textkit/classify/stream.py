"""Labels for a stream of text: block by block, in parallel, in order, in the form of the input.

Memory: a few blocks of text with their features at a time, whatever the length of the input.
"""

import json
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field, replace
from functools import cached_property

import numpy as np

from ..errors import UsageError
from ..kernels import labels as kernels
from ..kernels.floats import POWERS, find_decimals
from ..kernels.tables import NUMBER_ROOM
from ..parallel import ordered_map, thread_count
from ..progress import Progress, Reporter, silent
from ..store import keep_freed_memory
from ..text.blocks import Block, RecordBlock
from ..text.corpus import encode_lines
from ..text.output import DELIMITERS, Headers, header_with, joined, objects
from ..text.reader import Reader
from ..text.tokenizer import PADDING, text_buffer
from .choice import Choice
from .foreign import top_like_fasttext
from .labelling import Ragged, take_labels
from .model import Classifier
from .probabilities import Top

_NAMES = ("predicted", "probability")
_SCORES = 1 << 22  # labels that are kept of some documents at a time
_MOST_COLUMNS = 100
_NOTHING = text_buffer(b"")


@dataclass
class Predictor:
    """A model and what to say of each document.

    Args:
        prefix: words that begin with it are labels and no text; None where lines have none.
    """

    model: Classifier
    choice: Choice = field(default_factory=Choice)
    prefix: str | None = None

    def __post_init__(self) -> None:
        rule = self.choice.rule(self.model)
        self.floor = np.zeros(0, np.float32) if isinstance(rule.threshold, float) else rule.threshold
        self.k, self.threshold = rule.k or -1, float(np.min(rule.threshold))
        given = self.choice.k is not None or self.choice.threshold is not None
        self.abstain = "" if given else self.model.calibrated_by.abstain

    def top(self, text: Block) -> Iterator[Top]:
        """The labels of each line of a checked block, of some lines at a time."""
        if self.prefix is not None:
            data, size, _, _ = take_labels(text.data, text.size, self.prefix.encode(), True)
            text = replace(text, data=data, size=size)
        model = self.model
        words = None if model.features.open else model.vocabulary
        bags = model.features.bags(encode_lines(text, model.tokenizer, words), threads=1)
        step = max(1, _SCORES // (len(model.labels) if self.k < 0 else self.k))
        for first in range(0, len(bags), step):
            part = Ragged(bags.ids, bags.offsets[first : first + step + 1])
            yield self._best(part)

    def _best(self, bags: Ragged) -> Top:
        return self._confined(self.model.head.top(bags, self.k, self.threshold, 1))

    def _confined(self, top: Top) -> Top:
        """Without labels below their own threshold."""
        if len(self.floor) == 0:
            return top
        keep = (top.p >= self.floor[top.ids]) & (np.arange(top.ids.shape[1]) < top.counts[:, None])
        order = np.argsort(~keep, axis=1, kind="stable")
        ids, p = np.take_along_axis(top.ids, order, 1), np.take_along_axis(top.p, order, 1)
        return Top(ids, p, keep.sum(1))


def packed(texts: Sequence[str]) -> tuple[np.ndarray, np.ndarray]:
    """Texts one after the other, uint8 with spare bytes, and their ends after a leading 0, int64."""
    encoded = [text.encode("utf-8", "surrogateescape") for text in texts]
    return text_buffer(b"".join(encoded)), np.cumsum([0, *map(len, encoded)], dtype=np.int64)


@dataclass(frozen=True)
class Marks:
    """What stands around labels and probabilities, see `kernels.write_lists`."""

    before: str = ""
    label: str = ""
    between: str = "\t"
    behind: str = ""
    separator: str = "\t"
    lacking: str = ""
    end: str = "\n"

    @cached_property
    def packed(self) -> tuple[np.ndarray, np.ndarray]:
        """As kernels take them."""
        return packed([self.before, self.label, self.between, self.behind, self.separator, self.lacking, self.end])


@dataclass
class Writer:
    """Writes records with their labels, in the form of the input.

    Lines give their labels alone, each with its probability, set apart by tabs; tables the same rows with added cells;
    JSONL the same objects with added keys.

    Args:
        format: of the input: "lines", "jsonl", "csv" or "tsv".
        as_json: write objects whatever the input.
        labels_only: no probabilities.
    """

    predictor: Predictor
    format: str
    as_json: bool = False
    labels_only: bool = False

    def __post_init__(self) -> None:
        if self.table and self.predictor.k != 1 and self.columns > _MOST_COLUMNS:
            raise UsageError(f"a table cannot have {self.columns} labels a row.", "Say --k, or --json.")

    @property
    def table(self) -> bool:
        """Whether rows get more cells."""
        return not self.as_json and self.format in DELIMITERS

    @property
    def columns(self) -> int:
        """Labels that a row of a table has room for."""
        k, labels = self.predictor.k, len(self.predictor.model.labels)
        return labels if k < 0 else min(k, labels)

    @property
    def names(self) -> tuple[str, ...]:
        """Columns that are added to a table, or the keys of an object."""
        names = _NAMES[:1] if self.labels_only else _NAMES
        if self.table and self.predictor.k != 1:
            return tuple(f"{name}_{i}" for i in range(1, self.columns + 1) for name in names)
        return names

    @cached_property
    def marks(self) -> Marks:
        """What stands around labels and probabilities."""
        bare = self.labels_only
        if self.table:
            delimiter = DELIMITERS[self.format]
            between = "" if bare else delimiter
            return Marks(delimiter, between=between, separator=delimiter, lacking=between)
        if not self.as_json and self.format == "lines":
            return Marks(between="" if bare else "\t", lacking=self.predictor.abstain)
        if self.predictor.k == 1:
            probability = "" if bare else ', "probability": '
            absent = json.dumps(self.predictor.abstain or None, ensure_ascii=False)
            lacking = absent if bare else f"{absent}{probability}null"
            return Marks(', "predicted": ', "", probability, "", "", lacking, "}\n")
        if bare:
            return Marks(', "predicted": [', between="", separator=", ", end="]}\n")
        return Marks(', "predicted": [', '{"label": ', ', "probability": ', "}", ", ", "", "]}\n")

    @cached_property
    def packed_labels(self) -> tuple[np.ndarray, np.ndarray]:
        """The labels as they are written, one after the other, and their ends."""
        return packed([self._written(label) for label in self.predictor.model.labels])

    def _written(self, label: str) -> str:
        if not self.table and (self.as_json or self.format == "jsonl"):
            return json.dumps(label, ensure_ascii=False)
        if self.format == "csv" and any(c in label for c in ',"\r\n'):
            return '"' + label.replace('"', '""') + '"'
        return label if self.format == "csv" else label.translate({9: " ", 10: " ", 13: " "})

    def header(self, found: RecordBlock) -> bytes:
        """The header of the output."""
        return header_with(found, self.names) if self.table else b""

    def write(self, found: RecordBlock) -> bytes:
        """A checked block with its labels."""
        alone = found.stored is None and not self.as_json
        data, spans = (_NOTHING, None) if alone else self._texts(found)
        pieces, first = [], 0
        for top in self.predictor.top(found.text):
            last = first + len(top.counts)
            pieces.append(self.rows(data, _no_spans(last - first) if spans is None else spans[first:last], top))
            first = last
        return b"".join(pieces)

    def _texts(self, found: RecordBlock) -> tuple[np.ndarray, np.ndarray]:
        """What is written before the labels of each record."""
        if found.stored is None:
            return joined([_opened(line) for line in found.text.lines()])
        if self.table:
            return joined([record.rstrip(b"\r\n") for record in found.stored])
        return joined(objects(found, self.names))

    def rows(self, data: np.ndarray, spans: np.ndarray, top: Top) -> bytes:
        """Documents with their labels; `spans` int64 (L, 2) of `data` is what stands before those."""
        (labels, ends), (marks, mark_ends) = self.packed_labels, self.marks.packed
        width = 0 if not self.table and self.predictor.k != 1 else self.columns
        p = np.zeros((len(top.p), 0)) if self.labels_only else top.p.astype(np.float64)
        some = np.arange(top.ids.shape[1]) < top.counts[:, None]
        longest = int(mark_ends[-1]) + (0 if self.labels_only else NUMBER_ROOM)
        room = int((spans[:, 1] - spans[:, 0]).sum()) + int(np.diff(ends)[top.ids[some]].sum()) + PADDING
        room += longest * int(np.maximum(top.counts, width).sum() + len(spans))
        out = np.empty(room, np.uint8)
        size = kernels.write_lists(
            top.ids,
            p,
            top.counts,
            *find_decimals(p.reshape(-1)),
            data,
            spans,
            labels,
            ends,
            width,
            marks,
            mark_ends,
            POWERS,
            out,
        )
        return out[:size].tobytes()


def _no_spans(count: int) -> np.ndarray:
    return np.zeros((count, 2), np.int64)


def _opened(line: str) -> bytes:
    return json.dumps({"text": line}, ensure_ascii=False)[:-1].encode("utf-8", "surrogateescape")


class FasttextPredictor(Predictor):
    """Gives the labels that fastText gives, with its probabilities."""

    def _best(self, bags: Ragged) -> Top:
        return top_like_fasttext(self.model.head, bags, self.k, self.threshold, 1)


@dataclass
class LikeFasttext:
    """Writes what fastText's `predict-prob` does: one line for each, labels with their prefix, blanks between.

    Probabilities have six digits and all its roundings, see `foreign.top_like_fasttext`.
    """

    predictor: FasttextPredictor
    labels_only: bool = False

    def __post_init__(self) -> None:
        prefix = self.predictor.prefix or ""
        self.labels = [label if label.startswith(prefix) else prefix + label for label in self.predictor.model.labels]

    def header(self, found: RecordBlock) -> bytes:
        """Nothing."""
        return b""

    def write(self, found: RecordBlock) -> bytes:
        """A checked block as lines of labels."""
        lines = []
        for top in self.predictor.top(found.text):
            for ids, p, n in zip(top.ids.tolist(), top.p.tolist(), top.counts.tolist(), strict=True):
                pairs = zip(ids[:n], p[:n], strict=True)
                lines.append(" ".join(self.labels[i] + ("" if self.labels_only else f" {x:.6g}") for i, x in pairs))
        return "".join(f"{line}\n" for line in lines).encode("utf-8", "surrogateescape")


def predicted(
    writer: Writer | LikeFasttext, reader: Reader, threads: int | None = None, progress: Reporter = silent
) -> Iterator[bytes]:
    """Every record with its labels, in pieces of many; lines that come slowly are answered at once."""
    headers = Headers(writer.header)
    keep_freed_memory()

    def work(found: RecordBlock) -> tuple[RecordBlock, bytes]:
        found = reader.clean_records(found)
        return found, writer.write(found)

    for found, piece in ordered_map(
        work, reader.record_blocks(), thread_count(threads), lambda found: found.text.pause
    ):
        yield headers.before(found)
        yield piece
        progress(Progress("labelling", found.text.done, reader.total_bytes, "bytes"))
