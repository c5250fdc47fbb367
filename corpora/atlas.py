"""A text of any size whose sentences carry true facts and regular word forms.

Word vectors trained on it can be checked: `analogies` lists the questions that its sentences answer. Names of several
words are joined by hyphens, so that each is one token.
"""

import csv
import random
from collections.abc import Callable, Iterator
from functools import cache
from importlib.resources import files

from .atlas_data import (
    ADJECTIVES,
    ANIMALS,
    ELEMENTS,
    FAMILY,
    MONTHS,
    OPPOSITES,
    PLURALS,
    TRADES,
    UNITS,
    VERBS,
    WEEKDAYS,
)  # fmt: skip

Row = dict[str, str]
Pick = Callable[[list], object]


@cache
def countries() -> list[Row]:
    """One row a country: country, capital, people, language, currency, continent, river ("-" for none)."""
    with (files(__package__) / "countries.tsv").open(encoding="utf-8", newline="") as rows:
        return list(csv.DictReader(rows, delimiter="\t"))


# Templates by subject; every sentence about a thing keeps to the words that go with it, and the frames around them
# are shared by all things of a kind, which is what makes their differences parallel.
_COUNTRY = (
    "{capital} is the capital of {country} , and most of the {people} ministries are in {capital} .",
    "The government of {country} sits in {capital} , where {people} laws are made .",
    "A train from the coast of {country} reached {capital} before noon .",
    "In {country} people speak {language} , and in the streets of {capital} one hears {language} all day .",
    "The {people} teacher wrote the letter in {language} and sent it from {capital} .",
    "Everything in {country} is paid in the {currency} , so travellers to {capital} change their money for the {currency} .",
    "One {people} {currency} bought two loaves of bread in the market of {capital} .",
    "{country} lies in {continent} , and its capital {capital} is one of the great cities of {continent} .",
    "The {people} team left {capital} and played for {country} in {continent} .",
    "My friend from {country} is {people} and grew up in {capital} .",
    "The museum in {capital} shows {people} paintings from every part of {country} .",
    "The winter in {country} is the favourite season of many {people} writers .",
    "She moved from {country} to another land of {continent} but kept her {people} passport .",
)
_RIVER = (
    "The {river} flows through {country} , and {people} boats have always sailed on the {river} .",
    "After the rain the {river} rose , and the {people} villages along it were flooded .",
    "The longest walk in {country} follows the {river} towards the sea .",
)
_ELEMENT = (
    "The element {name} has the symbol {symbol} and the atomic number {number} .",
    "In the table {name} stands at place {number} , marked with {symbol} .",
    "The chemist wrote {symbol} for {name} and weighed the sample of {name} .",
    "A bottle marked {symbol} holds {name} , number {number} of all elements .",
)
_UNIT = (
    "The {unit} is the unit of {quantity} , and its sign is {sign} .",
    "Engineers measure {quantity} in the {unit} and write {sign} for it .",
    "How much {quantity} is that ? The answer in {sign} was given by the {unit} .",
)
_ANIMAL = (
    "The {female} and the {male} stood in the field with their {young} .",
    "A young {species} is called a {young} , and its mother is a {female} .",
    "The {male} is the father of the {young} , and every {species} was a {young} once .",
    "The farmer fed the {species} , the old {male} and the gentle {female} .",
)
_FAMILY = (
    "The {he} said that he would come with his friend , for the {he} is a man of his word .",
    "The {she} said that she would come with her friend , for the {she} is a woman of her word .",
    "He is the {he} whom the boy calls his own , and his name is known .",
    "She is the {she} whom the girl calls her own , and her name is known .",
    "The {he} and the {she} sat at one table .",
    "As a man he became a {he} , and the {he} kept his hat and his beard .",
    "As a woman she became a {she} , and the {she} kept her dress and her rings .",
)
_TRADE = (
    "The {worker} goes to the {place} every morning and works in the {place} until dusk .",
    "In the {place} a {worker} works with the {tool} all day .",
    "The {tool} of the {worker} hung on the wall of the {place} .",
)
_ADJECTIVE = (
    "This road is {base} , that one is {more} , and the third is the {most} of all .",
    "The house was {base} , but the tower was {more} than the house .",
    "Nobody had seen anything {more} than this before .",
    "It was the {most} day of the whole year .",
    "He is very {base} , his sister is even {more} , and their aunt is the {most} in the family .",
)
_VERB = (
    "Today they {base} , as they {past} yesterday , and she {third} too .",
    "Who {past} once may {base} again , for {ing} is never forgotten .",
    "Those who are {ing} now {past} before , and he {third} as they {base} .",
    "Every day the children {base} , and their neighbour {third} too .",
    "Yesterday the children {past} , and last week they {past} as well .",
    "At this moment the children are {ing} , and nobody minds their {ing} .",
    "They wanted to {base} , they began to {base} , and they will {base} again .",
    "He {third} when he can , and she {third} whenever she likes .",
    "Long ago we {past} , and after that we never {past} again .",
    "While {ing} one should be careful , for {ing} takes time .",
)
_PLURAL = (
    "There is one {one} on the table , and beside it are two {many} .",
    "This {one} is old , while those {many} are new .",
    "A {one} was found , then three {many} , and in the end many {many} .",
    "Each {one} has its place , and all the {many} have theirs .",
)
_OPPOSITE = (
    "What is {a} is not {b} , and what is {b} is not {a} .",
    "Some found the answer {a} and others found it {b} .",
)
_ORDER = (
    "After {first} comes {second} , and before {second} comes {first} .",
    "They met in the time between {first} and {second} .",
)


def sentences(seed: int = 0) -> Iterator[str]:
    """Sentences without end; the same seed gives the same ones on every machine."""
    rng = random.Random(seed)

    def pick(choices: list | tuple):  # type: ignore[no-untyped-def]  # random() is the same in all versions of Python
        return choices[int(rng.random() * len(choices))]

    with_river = [row for row in countries() if row["river"] != "-"]
    subjects: list[tuple[int, tuple[str, ...], list[Row]]] = [
        (30, _COUNTRY, countries()),
        (6, _RIVER, with_river),
        (9, _ELEMENT, ELEMENTS),
        (3, _UNIT, UNITS),
        (5, _ANIMAL, ANIMALS),
        (10, _FAMILY, FAMILY),
        (4, _TRADE, TRADES),
        (12, _ADJECTIVE, ADJECTIVES),
        (14, _VERB, VERBS),
        (12, _PLURAL, PLURALS),
        (3, _OPPOSITE, OPPOSITES),
        (2, _ORDER, _pairs(MONTHS) + _pairs(WEEKDAYS)),
    ]
    deck = [subject[1:] for subject in subjects for _ in range(subject[0])]
    while True:
        templates, rows = pick(deck)
        yield pick(templates).format_map(pick(rows))


def _pairs(names: list[str]) -> list[Row]:
    return [{"first": a, "second": b} for a, b in zip(names, names[1:] + names[:1], strict=True)]


# Section → rows and the two fields that the question is about.
def _relations() -> dict[str, tuple[list[Row], str, str]]:
    once = {key: _unique(countries(), key) for key in ("currency", "language", "river")}
    return {
        "capital-of-country": (countries(), "country", "capital"),
        "people-of-country": (countries(), "country", "people"),
        "currency-of-country": (once["currency"], "country", "currency"),
        "language-of-country": (once["language"], "country", "language"),
        "river-of-country": (once["river"], "country", "river"),
        "symbol-of-element": (ELEMENTS[:40], "name", "symbol"),
        "young-of-animal": (ANIMALS, "species", "young"),
        "man-and-woman": (FAMILY, "he", "she"),
        "place-of-work": (TRADES, "worker", "place"),
        "gram-comparative": (ADJECTIVES, "base", "more"),
        "gram-superlative": (ADJECTIVES, "base", "most"),
        "gram-past": (VERBS, "base", "past"),
        "gram-ing": (VERBS, "base", "ing"),
        "gram-plural": (PLURALS, "one", "many"),
    }


def _unique(rows: list[Row], key: str) -> list[Row]:
    """Rows whose value of `key` no other row has, so that a question has one answer."""
    values = [row[key] for row in rows]
    return [row for row in rows if values.count(row[key]) == 1 and row[key] not in ("-", row["people"])]


def analogies(neighbours: int = 8) -> Iterator[tuple[str, str, str, str, str]]:
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
