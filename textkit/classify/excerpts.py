"""How documents of a labelled text begin, read again where they stand: for examples in reports."""

from collections.abc import Sequence
from pathlib import Path

import numpy as np

from ..text.lines import raw_lines
from ..text.reader import Reader
from .data import LabelledCorpus
from .form import InputForm

LENGTH = 200  # characters shown


class TextExcerpts:
    """Finds file, line and beginning of documents.

    Args:
        documents: int64, the numbers in the text of those documents that are counted from 0 here; all if None.
    """

    def __init__(self, data: LabelledCorpus, form: InputForm, documents: np.ndarray | None = None) -> None:
        self.data, self.form, self.documents = data, form, documents

    def __call__(self, wanted: Sequence[int]) -> dict[int, tuple[str, int, str]]:
        """See `report.Excerpts`. Files are read up to the last line that is wanted."""
        numbers = {place: place if self.documents is None else int(self.documents[place]) for place in wanted}
        places = {number: self.data.origin(number) for number in numbers.values()}
        lines = {
            name: self._lines(name, {line for n, line in places.values() if n == name}) for name, _ in places.values()
        }
        found = {}
        for place, number in numbers.items():
            name, line = places[number]
            text = lines[name].get(line) or " ".join(
                self.data.text.vocabulary.words(self.data.text.line(number).tolist())
            )
            found[place] = (name, line, text[:LENGTH] + " …" * (len(text) > LENGTH))
        return found

    def _lines(self, name: str, wanted: set[int]) -> dict[int, str]:
        """Lines of a file by number, without their labels; none where it cannot be read again, as standard input."""
        if not wanted or not Path(name).is_file():
            return {}
        found, last = {}, max(wanted)
        for number, line in enumerate(
            raw_lines(Reader([name], "lines", encoding=self.form.encoding, errors="replace")), 1
        ):
            if number in wanted:
                words = line.decode("utf-8", "replace").split()
                found[number] = " ".join(word for word in words if not word.startswith(self.form.prefix))
            if number >= last:
                break
        return found
