"""The atlas: its facts are right, its sentences carry them, and its questions have one answer each."""

from collections import Counter

import pytest
from textkit.corpora import atlas, atlas_data, atlas_templates, builtin

from textkit.errors import DataError


def test_generate_is_what_the_registry_gives():
    assert list(atlas.generate(30_000, 4)) == list(builtin("atlas").lines(30_000, 4))
    assert list(atlas.generate(0)) == []


def test_every_analogy_is_answered_in_the_text():
    counts = Counter(word for line in atlas.generate(3_000_000) for word in line.split())
    questions = list(atlas.analogies())
    words = {word for _, *four in questions for word in four}
    assert not [word for word in words if counts[word] < 10]
    assert len(questions) > 8000
    assert all(len({a, b, c, d}) == 4 for _, a, b, c, d in questions)
    assert all(" " not in word for word in words)


def test_an_analogy_has_one_answer():
    answers: dict[tuple, set] = {}
    for section, a, b, c, d in atlas.analogies():
        answers.setdefault((section, a, b, c), set()).add(d)
    assert all(len(found) == 1 for found in answers.values())


def test_answers_of_a_section_differ():
    for section in {section for section, *_ in atlas.analogies()}:
        pairs = {(a, b) for s, a, b, _, _ in atlas.analogies() if s == section}
        assert len({b for _, b in pairs}) == len({a for a, _ in pairs}) == len(pairs), section


@pytest.mark.parametrize(
    ("section", "pair"),
    [
        ("capital-of-country", ("Kenya", "Nairobi")), ("capital-of-country", ("Australia", "Canberra")),
        ("currency-of-country", ("Poland", "złoty")), ("language-of-country", ("Iran", "Persian")),
        ("river-of-country", ("Portugal", "Tagus")), ("people-of-country", ("Peru", "Peruvian")),
        ("symbol-of-element", ("iron", "Fe")), ("symbol-of-element", ("gold", "Au")),
        ("unit-of-quantity", ("force", "newton")), ("young-of-animal", ("swan", "cygnet")),
        ("male-and-female-animal", ("stallion", "mare")), ("man-and-woman", ("king", "queen")),
        ("place-of-work", ("baker", "bakery")),
        ("gram-past", ("sing", "sang")), ("gram-past", ("walk", "walked")),
        ("gram-third-person", ("watch", "watches")), ("gram-third-person", ("laugh", "laughs")),
        ("gram-plural", ("knife", "knives")), ("gram-plural", ("apple", "apples")),
        ("gram-comparative", ("busy", "busier")), ("gram-superlative", ("thin", "thinnest")),
        ("gram-ing", ("write", "writing")), ("gram-adverb", ("happy", "happily")),
        ("gram-opposite", ("legal", "illegal")),
    ],
)  # fmt: skip
def test_known_facts_are_among_the_questions(section, pair):
    assert any((s, a, b) == (section, *pair) for s, a, b, _, _ in atlas.analogies())


def test_countries_are_complete_and_told_apart():
    rows = atlas.countries()
    assert len(rows) >= 90
    assert all(
        value and value.strip() == value and " " not in value for row in rows for value in list(row.values())[:7]
    )
    assert len({row["country"] for row in rows}) == len({row["capital"] for row in rows}) == len(rows)
    assert {row["continent"] for row in rows} == {"Africa", "America", "Asia", "Europe", "Oceania"}
    assert [row["country"] for row in rows] == sorted(row["country"] for row in rows)


def test_elements_are_numbered_in_order():
    numbers = {element["name"]: element["number"] for element in atlas_data.ELEMENTS}
    assert len(numbers) == len({element["symbol"] for element in atlas_data.ELEMENTS}) == 118
    assert (numbers["hydrogen"], numbers["gold"], numbers["uranium"], numbers["oganesson"]) == (
        "1",
        "79",
        "92",
        "118",
    )


COMPANIONS = {
    "ANIMALS": "home",
    "YOUNG": "home",
    "FAMILY": "place",
    "TRADES": "tool",
    "ADJECTIVES": "thing",
    "ADVERBS": "who",
    "OPPOSITES": "thing",
    "VERBS": "with",
    "PLURALS": "place",
}


@pytest.mark.parametrize(("table", "companion"), COMPANIONS.items())
def test_companions_belong_to_one_thing(table, companion):
    rows = getattr(atlas_data, table)
    assert len({row[companion] for row in rows}) == len(rows) >= 10


def test_every_frame_can_be_filled_by_every_row_and_is_tokenized():
    for _, frames, rows in atlas._subjects():
        for frame in frames:
            assert frame.split()[-1] in {".", "!", "?"}
            assert all("{" not in frame.format_map(row) for row in rows)
    assert all(isinstance(getattr(atlas_templates, name), tuple) for name in dir(atlas_templates) if name.isupper())


def test_sentences_of_a_country_say_only_its_own_facts():
    facts = [{row[key] for key in ("country", "capital")} for row in atlas.countries()]
    owner = {word: i for i, words in enumerate(facts) for word in words}
    for line in atlas.generate(500_000, 3):
        assert len({owner[word] for word in line.split() if word in owner}) <= 1, line


def test_questions_file_has_the_usual_layout(tmp_path):
    atlas.write_analogies(tmp_path / "questions.txt")
    lines = (tmp_path / "questions.txt").read_text("utf-8").splitlines()
    assert lines[0] == ": capital-of-country"
    assert lines[1] == "Albania Tirana Algeria Algiers"
    sections = [line for line in lines if line.startswith(": ")]
    assert len(sections) == len(set(sections)) == 19
    assert all(line.startswith(": ") or len(line.split()) == 4 for line in lines)


def test_questions_that_cannot_be_written(tmp_path):
    with pytest.raises(DataError, match="cannot be written"):
        atlas.write_analogies(tmp_path / "none" / "questions.txt")
