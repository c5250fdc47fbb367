"""The documentation of this Python: found by a scan that agrees with the parser, and nothing but prose."""

import ast
import sys
import sysconfig
import warnings
from collections import Counter
from pathlib import Path

import pytest
from textkit.corpora import builtin, pydocs
from textkit.corpora.docstrings import docstrings_in


def parsed_docstrings(path: Path) -> list[str]:
    """What the scan must find, by the parser of Python."""
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        tree = ast.parse(path.read_text("utf-8"))
    kinds = (ast.Module, ast.ClassDef, ast.FunctionDef, ast.AsyncFunctionDef)
    nodes = [node for node in ast.walk(tree) if isinstance(node, kinds) and ast.get_docstring(node)]
    return [
        ast.get_docstring(node) or "" for node in sorted(nodes, key=lambda n: (n.body[0].lineno, n.body[0].col_offset))
    ]


LIBRARY = Path(sysconfig.get_path("stdlib"))


SOURCES = ["argparse.py", "enum.py", "_pydecimal.py", "inspect.py", "typing.py", "email", "xml", "asyncio"]


@pytest.mark.parametrize("name", SOURCES)
def test_the_scan_agrees_with_the_parser(name):
    place = LIBRARY / name
    paths = sorted(place.rglob("*.py")) if place.is_dir() else [place]
    assert [list(docstrings_in(path)) for path in paths] == [parsed_docstrings(path) for path in paths]
    assert any(docstrings_in(path) for path in paths)


NASTY = '''\
#!/usr/bin/env python3
# coding: utf-8

r"""Top \\d."""; x = 1

def plain(a: int = len("):"), *, b={"x": 1}) -> "dict[str, int]":  # a comment: with a colon
    # one more
    \'\'\'Single
        quotes.\'\'\'

class Empty: pass

class Inside:
    "Short."
    text = """
def not_code():
    pass
"""
    async def waits(self): """One line."""

def joined():
    "two " "parts"

def formatted():
    f"""Not a docstring."""

def encoded():
    b"""Neither."""

def number():
    """Not alone.""".strip()

def escapes():
    """Tab\\tand \\"quotes\\" and a lambda: no."""
    return lambda x: "not this"

def shows():
    """Example:

    def nested():
        \'\'\'Not a docstring of its own.\'\'\'
    """
'''


def test_the_scan_of_unusual_sources(tmp_path):
    (tmp_path / "nasty.py").write_text(NASTY, "utf-8")
    found = list(docstrings_in(tmp_path / "nasty.py"))
    assert found == parsed_docstrings(tmp_path / "nasty.py")
    assert found[:3] == ["Top \\d.", "Single\nquotes.", "Short."]


@pytest.mark.parametrize(
    "content",
    [b"", b"\xff\xfe\x00", b"def broken(", b'def f():\n    "\\N{no such name}"\n', b'"""never closed'],
)
def test_unreadable_sources_have_no_docstrings(tmp_path, content):
    (tmp_path / "source.py").write_bytes(content)
    assert list(docstrings_in(tmp_path / "source.py")) == []
    assert list(docstrings_in(tmp_path / "missing.py")) == []


def test_pydocs_is_english_prose_of_this_python():
    lines = list(builtin("pydocs").lines())
    assert sum(len(line.encode()) + 1 for line in lines) > 1_400_000
    assert len(set(lines)) == len(lines)
    assert not any(line.startswith((">>>", ".. ", "---")) for line in lines)
    share = sum(line.lower().split().count("the") for line in lines) / sum(len(line.split()) for line in lines)
    assert 0.03 < share < 0.12
    assert lines == list(builtin("pydocs").lines())


def test_nothing_is_run_and_no_tests_are_read():
    assert not {"antigravity", "this", "idlelib", "turtledemo"} & set(sys.modules)
    names = {path.relative_to(LIBRARY).as_posix() for path in pydocs._sources(LIBRARY)}
    assert "json/decoder.py" in names
    assert not [name for name in names if {"test", "tests", "site-packages", "idle_test"} & set(name.split("/"))]


def test_labelled_docstrings_have_known_families_of_some_size():
    lines = list(builtin("pydocs-labelled").lines())
    labels = Counter(line.split()[0].removeprefix("__label__") for line in lines)
    optional = {"editor", "windows"}  # some systems install Python without tkinter and IDLE
    assert set(pydocs.FAMILIES) - optional <= set(labels) <= set(pydocs.FAMILIES)
    assert min(labels.values()) > 100
    assert max(labels.values()) < 0.2 * labels.total()
    assert len({line.split(" ", 1)[1] for line in lines}) == len(lines)
    assert len({line.split()[0] for line in lines[:100]}) > 6  # shuffled


def test_families_share_no_module():
    modules = Counter(module for family in pydocs.FAMILIES.values() for module in family)
    assert max(modules.values()) == 1


def test_modules_in_c_are_asked_and_missing_ones_passed_over():
    found = list(pydocs._compiled("math"))
    assert found[0].startswith("This module provides access to the mathematical functions")
    assert list(pydocs._compiled("no_such_module")) == []


def test_prose_of_keeps_sentences_and_drops_markup():
    text = """Return the *first* item of a ``list`` that
    is true, see `any` and :func:`all`.

    >>> first([0, 1])
    1

    ======
    x = [1, 2]

    .. note:: this is a directive of some kind

    +-----+-----+
    | one | two |

    :param iterable: what to look through for it

    short one

    A strange \x01 paragraph with a control character"""
    assert list(pydocs.prose_of(text)) == ["Return the first item of a list that is true, see any and all."]


def test_python_without_its_topics(monkeypatch):
    whole = len(list(pydocs.paragraphs()))
    monkeypatch.setitem(sys.modules, "pydoc_data.topics", None)
    assert 3000 < len(list(pydocs.paragraphs())) < whole
