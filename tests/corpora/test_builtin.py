"""The texts that are made here: what they promise, and that what they say is so."""

import hashlib
from collections import Counter

import pytest
from textkit.corpora import BUILTIN, atlas, builtin, pydocs

from textkit.errors import UsageError


@pytest.mark.parametrize("name", [name for name in BUILTIN if name != "prose"])
def test_lines_are_clean_and_of_the_size_asked_for(name):
    lines = list(builtin(name).lines(100_000, seed=3))
    size = sum(len(line.encode()) + 1 for line in lines)
    assert 100_000 <= size < 130_000
    assert all(line.strip() == line and line and "\n" not in line for line in lines)
    assert all(line.startswith("__label__") for line in lines) == builtin(name).labelled


@pytest.mark.parametrize("name", ["atlas", "topics", "multilabel", "imbalanced"])
def test_seeds_repeat_and_differ(name):
    first, again, other = ("\n".join(builtin(name).lines(20_000, seed)) for seed in (1, 1, 2))
    assert first == again != other


def test_atlas_is_the_same_on_every_machine():
    text = "\n".join(builtin("atlas").lines(50_000, 7)).encode()
    assert hashlib.sha256(text).hexdigest() == "3b1a2009dee3de1fbeacc914e6d5e5c4b567630c1a2e217c177b2c5a5d7a572a"


def test_unknown_name_suggests_a_close_one():
    with pytest.raises(UsageError, match="Did you mean atlas"):
        builtin("atlsa")


def test_every_analogy_is_answered_in_the_text():
    words = {word for line in builtin("atlas").lines(3_000_000) for word in line.split()}
    questions = list(atlas.analogies())
    missing = {word for _, *four in questions for word in four} - words
    assert not missing
    assert len(questions) > 5000
    assert all(len({a, b, c, d}) == 4 for _, a, b, c, d in questions)


def test_an_analogy_has_one_answer():
    answers: dict[tuple, set] = {}
    for section, a, b, c, d in atlas.analogies():
        answers.setdefault((section, a, b, c), set()).add(d)
    assert all(len(found) == 1 for found in answers.values())


@pytest.mark.parametrize(
    ("section", "pair"),
    [
        ("capital-of-country", ("Kenya", "Nairobi")), ("currency-of-country", ("Poland", "złoty")),
        ("symbol-of-element", ("iron", "Fe")), ("gram-past", ("sing", "sang")), ("gram-plural", ("knife", "knives")),
        ("gram-comparative", ("happy", "happier")), ("gram-ing", ("write", "writing")),
    ],
)  # fmt: skip
def test_known_facts_are_among_the_questions(section, pair):
    assert any((s, a, b) == (section, *pair) for s, a, b, _, _ in atlas.analogies())


def test_questions_have_the_usual_layout():
    lines = list(atlas.questions())
    assert lines[0] == ": capital-of-country"
    assert all(line.startswith(": ") or len(line.split()) == 4 for line in lines)


def test_elements_are_numbered_in_order():
    from textkit.corpora.atlas_data import ELEMENTS

    numbers = {element["name"]: element["number"] for element in ELEMENTS}
    assert len(numbers) == 118
    assert (numbers["hydrogen"], numbers["gold"], numbers["uranium"], numbers["oganesson"]) == ("1", "79", "92", "118")


def test_labels_have_their_shares():
    counts = Counter(line.split()[0] for line in builtin("imbalanced").lines(1_000_000, 5))
    total = counts.total()
    assert counts["__label__ordinary"] / total == pytest.approx(0.94, abs=0.02)
    assert counts["__label__critical"] / total == pytest.approx(0.01, abs=0.006)
    several = Counter(line.count("__label__") for line in builtin("multilabel").lines(300_000, 5))
    assert set(several) == {1, 2, 3}
    assert len({line.split()[0] for line in builtin("topics").lines(100_000)}) == 8


def test_pydocs_is_english_prose_of_this_python():
    lines = list(builtin("pydocs").lines())
    assert sum(len(line) for line in lines) > 800_000
    assert len(set(lines)) == len(lines)
    assert not any(line.startswith(">>>") for line in lines)
    share = sum(line.lower().split().count("the") for line in lines) / sum(len(line.split()) for line in lines)
    assert 0.03 < share < 0.12
    labels = Counter(line.split()[0] for line in builtin("pydocs-labelled").lines())
    assert len(labels) == len(pydocs.FAMILIES)
    assert min(labels.values()) > 30


def test_prose_of_keeps_sentences_and_drops_markup():
    text = """Return the *first* item of a ``list`` that
    is true, see `any`.

    >>> first([0, 1])
    1

    ======
    x = [1, 2]

    short one"""
    assert list(pydocs.prose_of(text)) == ["Return the first item of a list that is true, see any."]


def test_python_without_its_topics(monkeypatch):
    monkeypatch.setitem(__import__("sys").modules, "pydoc_data.topics", None)
    assert len(list(pydocs.paragraphs())) > 3000
