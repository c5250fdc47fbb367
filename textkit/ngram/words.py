"""Every token of a text with its score, as rows."""

from collections.abc import Iterator

import numpy as np

from ..kernels import tables as kernels
from ..parallel import ordered_map, thread_count
from ..progress import Progress, Reporter, silent
from ..text.blocks import Block, RecordBlock
from ..text.reader import Reader
from ..text.rows import json_rows, table_rows
from ..text.tokenizer import PADDING, text_buffer
from .batch import encode_lines
from .model import NGramModel

WORD_COLUMNS = ("line", "word", "log10_prob", "bits", "order", "backoff", "oov")
_ROWS = 1 << 16  # written at a time, since each is given more room than it takes


def word_rows(
    model: NGramModel, reader: Reader, as_json: bool, threads: int | None = None, progress: Reporter = silent
) -> Iterator[bytes]:
    """Every token of every line with its score, in pieces of many rows.

    Columns: number of the line (or record), token, log10 probability, surprisal in bits, order of the n-gram used,
    log10 of the backoff weights in the score, and 1 for an unknown word.
    """

    def work(numbered: tuple[int, RecordBlock]) -> tuple[RecordBlock, list[bytes]]:
        before, found = numbered[0], reader.clean_records(numbered[1])
        numbers, data, spans = _scored_tokens(model, found.text, before)
        parts = [(spans[i : i + _ROWS], numbers[i : i + _ROWS]) for i in range(0, len(numbers), _ROWS)]
        if as_json:
            return found, [json_rows(data, *part, WORD_COLUMNS, 1) for part in parts]
        return found, [table_rows(data, *part, 1) for part in parts]

    if not as_json:
        yield "\t".join(WORD_COLUMNS).encode() + b"\n"
    for found, pieces in ordered_map(work, _numbered(reader), thread_count(threads)):
        progress(Progress("scoring", found.text.done, reader.total_bytes, "bytes"))
        yield from pieces


def _numbered(reader: Reader) -> Iterator[tuple[int, RecordBlock]]:
    """Every block with the number of records before it."""
    before = 0
    for found in reader.record_blocks():
        if reader.errors == "skip":  # lines that are left out have no number
            found = reader.clean_records(found)
        yield before, found
        block = found.text
        before += int(np.count_nonzero(block.data[: block.size] == 10)) + int(block.open)


def _scored_tokens(model: NGramModel, block: Block, before: int) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Numbers float64 (n, 6), data and spans of the tokens of a block with `before` lines before it."""
    tokens = _Tokens(model)
    encoded = encode_lines(model, block, tokens)
    stream = encoded.stream()
    numbers = model.trace_stream(stream, before)
    if block.open:
        tokens(block.data, np.zeros((1, 2), np.int32), 1)
    return numbers, *tokens.joined()


class _Tokens:
    """Looks up tokens, and keeps their texts and the ends of lines."""

    def __init__(self, model: NGramModel) -> None:
        self.look_up, self.mark = model.vocabulary.look_up, text_buffer(b"</s>")
        self.size, self.texts, self.spans = 0, list[np.ndarray](), list[np.ndarray]()

    def __call__(self, buffer: np.ndarray, spans: np.ndarray, n_spans: int) -> tuple[np.ndarray, np.ndarray]:
        lengths = spans[:n_spans, 1] - spans[:n_spans, 0]
        room = int(lengths.sum()) + len(self.mark) * int(np.count_nonzero(lengths == 0)) + PADDING
        text, places = np.empty(room, np.uint8), np.empty((n_spans, 2), np.int64)
        size = kernels.gather_tokens(buffer, spans, n_spans, self.mark, text, places)
        self.texts.append(text[:size])
        self.spans.append(places + self.size)
        self.size += size
        return self.look_up(buffer, spans, n_spans)

    def joined(self) -> tuple[np.ndarray, np.ndarray]:
        """All texts, with PADDING spare bytes, and where each is in them, int64 (n, 2)."""
        spans = np.concatenate([np.zeros((0, 2), np.int64), *self.spans])
        return np.concatenate([*self.texts, np.zeros(PADDING, np.uint8)]), spans
