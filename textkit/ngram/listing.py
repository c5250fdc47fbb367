"""Listing the n-grams of a model: by prefix, by pattern, the best of them, in order."""

import fnmatch
import re
from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np

from ..errors import DataError, UsageError
from ..kernels import tables, trace
from ..parallel import ordered_map, thread_count
from ..text.rows import json_rows, table_rows
from ..text.tokenizer import PADDING
from ..text.vocabulary import SPECIALS, UNK
from .model import NGramModel

PIECE = 1 << 16  # n-grams looked at together
KEYS = ("probability", "backoff", "count")


@dataclass(frozen=True)
class Listing:
    """Which n-grams to list, and how.

    Args:
        prefix: words that they begin with.
        pattern: words that they consist of, each with * and ? and [...] as in file names, or /regular expression/.
        order: their length; all lengths if not given.
        sort: "probability", "backoff" or "count", the largest first; by default the order of the model.
        top: only so many, by probability if `sort` says nothing else.
    """

    prefix: str = ""
    pattern: str = ""
    order: int | None = None
    sort: str | None = None
    top: int | None = None

    def __post_init__(self) -> None:
        if self.sort not in (None, *KEYS):
            raise UsageError(f"cannot sort by '{self.sort}'.", f"Choose one of {', '.join(KEYS)}.")
        if self.top is not None and self.top < 1:
            raise UsageError(f"--top {self.top} makes no sense.", "Give 1 or more.")
        words = len(self.pattern.split())
        if self.order is not None and words and words != self.order:
            raise UsageError(f"the pattern has {words} words, and --order is {self.order}.", "Leave out --order.")


@dataclass
class Found:
    """Some n-grams.

    Attributes:
        levels, nodes: int64 (n,), order - 1 and number within the order.
        numbers: float64 (n, C): order, log10 probability, log10 backoff, and the count where the model has counts.
        data, spans: the words of each, set apart by spaces: uint8, and int64 (n, 2) of its bytes.
    """

    levels: np.ndarray
    nodes: np.ndarray
    numbers: np.ndarray
    data: np.ndarray
    spans: np.ndarray

    def __len__(self) -> int:
        return len(self.nodes)

    def take(self, chosen: np.ndarray) -> "Found":
        """Those with these numbers, in this order."""
        return Found(self.levels[chosen], self.nodes[chosen], self.numbers[chosen], self.data, self.spans[chosen])

    def texts(self) -> list[str]:
        """Their words."""
        raw = self.data.tobytes()
        return [raw[a:b].decode("utf-8", "surrogateescape") for a, b in self.spans.tolist()]


def column_names(model: NGramModel) -> tuple[str, ...]:
    """The columns of a listing."""
    return ("ngram", "order", "log10_prob", "backoff", *(["count"] if model.counts is not None else []))


def listed_rows(model: NGramModel, listing: Listing, as_json: bool, threads: int | None = None) -> Iterator[bytes]:
    """The listing as tab-separated rows with a header, or as JSON objects, in pieces of many."""
    names = column_names(model)
    if not as_json:
        yield "\t".join(names).encode() + b"\n"
    for found in listed(model, listing, threads):
        if as_json:
            yield json_rows(found.data, found.spans, found.numbers, names, 0)
        else:
            yield table_rows(found.data, found.spans, found.numbers, 0)


def listed(model: NGramModel, listing: Listing, threads: int | None = None) -> Iterator[Found]:
    """The n-grams of a listing in pieces; sorted ones are gathered first, and `top` keeps only so many.

    Raises:
        UsageError: an order that the model does not have, or counts asked of one without them.
    """
    _check(model, listing)
    masks = _masks(model, listing.pattern)
    levels = [listing.order - 1] if listing.order else [len(masks) - 1] if masks else range(model.order)
    prefix = word_ids(model, listing.prefix)
    pieces = (piece for level in levels for piece in _pieces(model, prefix, level))
    found = ordered_map(lambda piece: _matching(model, *piece, masks), pieces, thread_count(threads))
    key = listing.sort or ("probability" if listing.top else None)
    if key is None:
        yield from (piece for piece in found if len(piece))
        return
    column = KEYS.index(key) + 1
    yield from _sorted(model, found, column, listing.top)


def word_ids(model: NGramModel, text: str) -> np.ndarray:
    """The ids of a text's words, int32; <s>, </s> and <unk> may be among them. -1 for an unknown word."""
    words: list[str] = []
    for part in text.split():
        words += [part] if part in SPECIALS else model.tokenizer.tokenize(part)
    ids = model.vocabulary.ids(words)
    unknown = [i == UNK and word != SPECIALS[UNK] for i, word in zip(ids.tolist(), words, strict=True)]
    return np.where(unknown, np.int32(-1), ids).astype(np.int32)


def _check(model: NGramModel, listing: Listing) -> None:
    longest = max(listing.order or 1, len(listing.pattern.split()))
    if longest > model.order or (listing.order is not None and listing.order < 1):
        raise UsageError(f"the model has n-grams of 1 to {model.order} words, not of {listing.order or longest}.")
    if listing.sort == "count" and model.counts is None:
        raise UsageError("the model has no counts to sort by.", "Train it with --keep-counts.")


def _masks(model: NGramModel, pattern: str) -> list[np.ndarray | None]:
    """Which words of the vocabulary each word of a pattern matches, bool (V,); None for all."""
    masks: list[np.ndarray | None] = []
    words: list[str] | None = None
    for part in pattern.split():
        if part == "*":
            masks.append(None)
            continue
        expression = part[1:-1] if len(part) > 2 and part[0] == part[-1] == "/" else fnmatch.translate(part)
        try:
            matches = re.compile(expression).fullmatch
        except re.error as error:
            raise UsageError(f"the pattern '{part}' does not compile: {error}.") from None
        words = words or model.vocabulary.words()
        masks.append(np.fromiter((matches(word) is not None for word in words), np.bool_, len(words)))
    return masks


def _pieces(model: NGramModel, prefix: np.ndarray, level: int) -> Iterator[tuple[int, np.ndarray]]:
    """All n-grams of a level that begin with some words, as (level, nodes int64)."""
    data, layout, _ = model.query_arrays
    begin, end = 0, model.sizes[level]
    if len(prefix):
        if len(prefix) > level + 1 or (prefix < 0).any():
            return
        begin = int(trace.find_node(prefix, data, layout))
        if begin < 0:
            return
        end = begin + 1
        for below in range(len(prefix) - 1, level):
            begin, end = trace.child_range(begin, end, data, layout, below)
    for first in range(begin, end, PIECE):
        yield level, np.arange(first, min(first + PIECE, end), dtype=np.int64)


def _matching(model: NGramModel, level: int, nodes: np.ndarray, masks: list[np.ndarray | None]) -> Found:
    """Those n-grams of a level whose words match."""
    ids, numbers = np.empty((len(nodes), level + 1), np.int32), np.empty((len(nodes), 2), np.float64)
    trace.describe(nodes, level, *model.query_arrays, np.empty(level + 1, np.int64), ids, numbers)
    if (ids < 0).any() or (ids >= len(model.vocabulary)).any():
        raise DataError("the model is damaged: it has n-grams of words that are not in its vocabulary.")
    kept = np.ones(len(nodes), np.bool_)
    for position, mask in enumerate(masks):
        if mask is not None:
            kept &= mask[ids[:, position]]
    nodes, ids, numbers = nodes[kept], ids[kept], numbers[kept]
    columns = [np.full(len(nodes), level + 1.0), numbers[:, 0], numbers[:, 1]]
    if model.counts is not None:
        columns.append(model.counts[sum(model.sizes[:level]) + nodes].astype(np.float64))
    arena, ends = model.vocabulary.arena, model.vocabulary.ends
    data = np.empty(int((ends[ids + 1] - ends[ids] + 1).sum()) + PADDING, np.uint8)
    spans = np.empty((len(nodes), 2), np.int64)
    tables.join_words(ids, arena, ends, data, spans)
    return Found(np.full(len(nodes), level), nodes, np.stack(columns, axis=1), data, spans)


def _sorted(model: NGramModel, pieces: Iterator[Found], column: int, top: int | None) -> Iterator[Found]:
    """All n-grams of some pieces, those with the largest numbers first; memory for `top`, or for all of them."""
    held: list[Found] = []
    size = 0
    for piece in pieces:
        held.append(piece)
        size += len(piece)
        if top is not None and size > max(8 * top, PIECE):
            held = [_best(_united(held), column, top)]
            size = len(held[0])
    if held:
        best = _best(_united(held), column, top)
        for first in range(0, len(best), PIECE):
            yield best.take(np.arange(first, min(first + PIECE, len(best))))


def _best(found: Found, column: int, top: int | None) -> Found:
    keys = np.nan_to_num(-found.numbers[:, column], nan=np.inf)
    chosen = found.take(np.argsort(keys, kind="stable")[:top])
    return _united([chosen]) if top else chosen  # lets go of the text of the others


def _united(pieces: list[Found]) -> Found:
    """Pieces as one, with no more text than its spans need."""
    texts, spans, position = [], [], 0
    for piece in pieces:
        lengths = piece.spans[:, 1] - piece.spans[:, 0]
        bounds = position + np.concatenate([[0], np.cumsum(lengths)])
        raw = piece.data.tobytes()
        texts += [raw[a:b] for a, b in piece.spans.tolist()]
        spans.append(np.stack([bounds[:-1], bounds[1:]], axis=1))
        position = int(bounds[-1])
    data = np.frombuffer(b"".join(texts) + bytes(PADDING), np.uint8).copy()
    return Found(
        np.concatenate([piece.levels for piece in pieces]),
        np.concatenate([piece.nodes for piece in pieces]),
        np.concatenate([piece.numbers for piece in pieces]),
        data,
        np.concatenate(spans).astype(np.int64),
    )
