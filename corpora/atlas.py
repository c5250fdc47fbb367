"""A text of any size whose sentences carry true facts and regular word forms.

Word vectors trained on it can be checked: `analogies` lists the questions that its sentences answer. Names of several
words are joined by hyphens, so that each is one token; case tells words apart (the element sign `He` and the pronoun).
"""

import csv
import random
from collections.abc import Iterator
from functools import cache
from importlib.resources import files
from pathlib import Path

from textkit.errors import DataError

from . import atlas_data as data
from . import atlas_templates as templates

Row = dict[str, str]
Analogy = tuple[str, str, str, str, str]

# Element signs that are also English words or single letters: in the text, but not asked about.
_AMBIGUOUS_SIGNS = {"He", "Be", "In", "As", "At", "No", "Am", "Po"}


@cache
def countries() -> list[Row]:
    """One row a country: country, land (with its article), capital, people, language, currency, continent, river.

    A river "-" is none. Countries whose capital is disputed are left out.
    """
    table = (files(__package__) / "countries.tsv").read_text("utf-8")
    rows = list(csv.DictReader(table.splitlines(), delimiter="\t"))
    with_article = {"Netherlands", "Philippines"}
    return [
        row | {"land": f"the {row['country']}" if row["country"] in with_article else row["country"]} for row in rows
    ]


def sentences(seed: int = 0) -> Iterator[str]:
    """Sentences without end; the same seed gives the same ones with every Python."""
    draw = random.Random(seed).random  # the one method whose results no version of Python changes
    deck = [(frames, rows) for share, frames, rows in _subjects() for _ in range(share)]
    while True:
        frames, rows = deck[int(draw() * len(deck))]
        yield frames[int(draw() * len(frames))].format_map(rows[int(draw() * len(rows))])


def generate(size_bytes: int, seed: int = 0) -> Iterator[str]:
    """Sentences until they make at least `size_bytes` bytes of UTF-8, line ends included."""
    written = 0
    for sentence in sentences(seed):
        if written >= size_bytes:
            return
        written += len(sentence.encode()) + 1
        yield sentence


def _subjects() -> list[tuple[int, tuple[str, ...], list[Row]]]:
    """(share in per cent, sentences, what to fill them with); the shares grow with rows times sentences."""
    order = [*_pairs(data.MONTHS), *_pairs(data.WEEKDAYS)]
    return [
        (22, templates.COUNTRY, countries()),
        (5, templates.RIVER, [row for row in countries() if row["river"] != "-"]),
        (10, templates.ELEMENT, data.ELEMENTS),
        (3, templates.UNIT, data.UNITS),
        (4, templates.ANIMAL, data.ANIMALS),
        (1, templates.YOUNG, data.YOUNG),
        (5, templates.FAMILY, data.FAMILY),
        (5, templates.TRADE, data.TRADES),
        (9, templates.ADJECTIVE, data.ADJECTIVES),
        (5, templates.ADVERB, data.ADVERBS),
        (5, templates.OPPOSITE, data.OPPOSITES),
        (15, templates.VERB, data.VERBS),
        (10, templates.PLURAL, data.PLURALS),
        (1, templates.ORDER, order),
    ]


def _pairs(names: list[str]) -> list[Row]:
    """Each name with the next one, the last with the first."""
    return [{"first": a, "second": b} for a, b in zip(names, names[1:] + names[:1], strict=True)]


def _relations() -> dict[str, tuple[list[Row], str, str]]:
    """Section → rows, and the two columns that are asked about."""
    return {
        "capital-of-country": (countries(), "country", "capital"),
        "people-of-country": (countries(), "country", "people"),
        "currency-of-country": (_unshared(countries(), "currency"), "country", "currency"),
        "language-of-country": (_unshared(countries(), "language"), "country", "language"),
        "river-of-country": (_unshared(countries(), "river"), "country", "river"),
        "symbol-of-element": (_clear_elements(), "name", "symbol"),
        "unit-of-quantity": (data.UNITS, "quantity", "unit"),
        "young-of-animal": ([*data.ANIMALS, *data.YOUNG], "species", "young"),
        "male-and-female-animal": (data.ANIMALS, "male", "female"),
        "man-and-woman": (data.FAMILY, "he", "she"),
        "place-of-work": (data.TRADES, "worker", "place"),
        "gram-comparative": (data.ADJECTIVES, "base", "more"),
        "gram-superlative": (data.ADJECTIVES, "base", "most"),
        "gram-adverb": (data.ADVERBS, "adjective", "adverb"),
        "gram-opposite": (data.OPPOSITES, "a", "b"),
        "gram-past": (data.VERBS, "base", "past"),
        "gram-third-person": (data.VERBS, "base", "third"),
        "gram-ing": (data.VERBS, "base", "ing"),
        "gram-plural": (data.PLURALS, "one", "many"),
    }


def _clear_elements() -> list[Row]:
    return [row for row in data.ELEMENTS if len(row["symbol"]) > 1 and row["symbol"] not in _AMBIGUOUS_SIGNS]


def _unshared(rows: list[Row], key: str) -> list[Row]:
    """Rows whose value of `key` no other row has and that is not the people's own name: a question has one answer."""
    values = [row[key] for row in rows]
    return [row for row in rows if values.count(row[key]) == 1 and row[key] not in ("-", row["people"])]


def analogies(neighbours: int = 8) -> Iterator[Analogy]:
    """(section, a, b, c, d): a is to b as c is to d. Each pair is asked about with the `neighbours` next ones."""
    for section, (rows, left, right) in _relations().items():
        pairs = list(dict.fromkeys((row[left], row[right]) for row in rows if row[left] != row[right]))
        for i, (a, b) in enumerate(pairs):
            for k in range(1, min(neighbours, len(pairs) - 1) + 1):
                c, d = pairs[(i + k) % len(pairs)]
                if len({a, b, c, d}) == 4:
                    yield section, a, b, c, d


def questions() -> Iterator[str]:
    """The analogies as lines of the usual questions file: `: section`, then four words a line."""
    last = None
    for section, *words in analogies():
        if section != last:
            yield f": {section}"
            last = section
        yield " ".join(words)


def write_analogies(path: str | Path) -> None:
    """Write `questions` to a UTF-8 file. Raises DataError if it cannot be written."""
    try:
        Path(path).write_text("".join(f"{line}\n" for line in questions()), "utf-8")
    except OSError as error:
        raise DataError(f"{path}: cannot be written: {error.strerror or error}.", "Choose another file.") from error
