"""Labelled text as numbers: read once, in parallel; a part of it is an array of document numbers.

Memory: ids and line ends as for any encoded corpus, beyond that 20 bytes a document and 4 a label; of the text itself
only the blocks under way.
"""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace
from pathlib import Path

import numpy as np

from ..errors import DataError
from ..progress import Reporter, silent
from ..store import return_freed_memory, trim_memory
from ..text.corpus import EncodedCorpus, encode_corpus
from ..text.tokenizer import Tokenizer
from ..text.vocabulary import Vocabulary
from .form import InputForm
from .labelling import NO_TEXT, OVER_LONG, REASONS, LabelSet, LabelTable, OddRows, Ragged, joined
from .sources import LabelledText, MemoryText, opened

_IN_MEMORY = 32 << 20  # bytes of ids; a longer text is trained on by parts of it, see `visiting`
OVER_LONG_TOKENS = 100_000  # a document of more tokens is odd


@dataclass
class LabelledCorpus:
    """Documents with their labels.

    Attributes:
        text: line i is document i, without its labels.
        gold: label numbers of each document.
        weights: float32 (L,), or None where all are 1.
        files: int32 (L,), lines: int64 (L,) from 1: where each document stands; `odd.names` are the files.
        odd: rows that were left out, and rows that are kept but odd.
        known: how many of the labels were given in advance; the others are new.
    """

    text: EncodedCorpus
    labels: LabelSet
    gold: Ragged
    weights: np.ndarray | None
    files: np.ndarray
    lines: np.ndarray
    odd: OddRows
    known: int = 0

    def __len__(self) -> int:
        return len(self.gold)

    def origin(self, document: int) -> tuple[str, int]:
        """File and line of a document."""
        return self.odd.names[int(self.files[document])], int(self.lines[document])

    @property
    def multilabel(self) -> bool:
        """Whether some document has several labels."""
        return len(self.gold.ids) > len(self)


def read_labelled(
    inputs: Sequence[str | Path],
    form: InputForm,
    tokenizer: Tokenizer,
    *,
    vocabulary: Vocabulary | None = None,
    labels: Sequence[str] | None = None,
    min_count: int = 1,
    threads: int | None = None,
    progress: Reporter = silent,
) -> LabelledCorpus:
    """Labelled files as numbers.

    Args:
        inputs: files, directories, patterns, or "-" for standard input.
        vocabulary: use these words, as for test data: then documents without text are kept, for a model must answer
            there too; otherwise words are counted, and such documents are left out.
        labels: they get the numbers 0, 1, … whether they occur or not; others get numbers behind them.
        min_count: rarer words become <unk>.

    Raises:
        DataError: unreadable text, or no labelled document with a token in it.
    """
    table = LabelTable(labels or ())
    return collect(
        opened(inputs, form, table),
        tokenizer,
        vocabulary=vocabulary,
        min_count=min_count,
        threads=threads,
        progress=progress,
    )


def from_memory(
    texts: Iterable[str],
    labels: Iterable[str | Iterable[str]],
    weights: Iterable[float] | None = None,
    tokenizer: Tokenizer | None = None,
    *,
    vocabulary: Vocabulary | None = None,
    known: Sequence[str] | None = None,
    min_count: int = 1,
    threads: int | None = None,
) -> LabelledCorpus:
    """The same from Python: for each text its label, or several. `known` are labels given in advance.

    Raises:
        UsageError: not as many labels or weights as texts.
        DataError: no text has a label and a token, or a weight is negative or no number.
    """
    text = MemoryText(list(texts), list(labels), weights, LabelTable(known or ()))
    tokenizer = tokenizer or Tokenizer()
    return collect(text, tokenizer, vocabulary=vocabulary, min_count=min_count, threads=threads, progress=silent)


def collect(
    text: LabelledText,
    tokenizer: Tokenizer,
    *,
    vocabulary: Vocabulary | None,
    min_count: int,
    threads: int | None,
    progress: Reporter,
) -> LabelledCorpus:
    """Encode a labelled text, and put together what its blocks noted."""
    try:
        encoded = encode_corpus(
            text, tokenizer, vocabulary=vocabulary, min_count=min_count, threads=threads, in_memory=_IN_MEMORY,
            progress=progress,
        )  # fmt: skip
    except DataError as error:
        raise _explained(text, error) from None
    if long := 4 * encoded.tokens > _IN_MEMORY:
        return_freed_memory()
        trim_memory()
    gold, files, lines, weights, odd = joined([text.taken.pop(number) for number in sorted(text.taken)])
    if long:
        trim_memory()
    sizes = encoded.sizes(np.arange(encoded.lines))
    for reason, such in ((NO_TEXT, sizes == 0), (OVER_LONG, sizes > OVER_LONG_TOKENS)):
        odd.append((files[such], lines[such], np.full(int(such.sum()), REASONS.index(reason))))
    if vocabulary is None and not (stays := sizes > 0).all():
        encoded = replace(encoded, offsets=np.concatenate([encoded.offsets[:-1][stays], encoded.offsets[-1:]]))
        gold, files, lines = gold.take(stays), files[stays], lines[stays]
        weights = None if weights is None else weights[stays]
    if text.file_each:
        files, lines = (lines - 1).astype(np.int32), np.ones_like(lines)
        odd = [((rows - 1).astype(np.int32), np.ones_like(rows), reasons) for _, rows, reasons in odd]
    labels, gold = text.table.settle(gold)
    kept = (OVER_LONG,) if vocabulary is None else (OVER_LONG, NO_TEXT)
    return LabelledCorpus(
        encoded, labels, gold, weights, files, lines, OddRows.of(text.names, odd, kept), text.table.known
    )


def _explained(text: LabelledText, error: DataError) -> DataError:
    """Where no row is labelled, that is what to say."""
    if not text.taken or any(len(taken.lines) for taken in text.taken.values()):
        return error
    return DataError(f"no row of {', '.join(text.names):.200} has a label.", text.advice)
