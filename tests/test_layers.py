"""Who may import whom: the table of layers, held against the imports of every module."""

import ast
import graphlib
import sys
from pathlib import Path

import pytest

import textkit

ROOT = Path(textkit.__file__).parent
BASE = {"direct", "errors", "files", "parallel", "progress", "store"}
TASKS = {"ngram", "vectors", "classify"}
# Part of the package -> the parts it may import besides itself. `textkit` stands for the version in __init__.py.
ALLOWED = {
    "errors": set(),
    "progress": set(),
    "files": {"errors"},
    "direct": set(),
    "parallel": {"errors", "store"},
    "store": {"files", "errors"},
    "kernels": {"files"},
    "formats": {"kernels", *BASE},
    "text": {"kernels", "textkit", *BASE},
    "training": {"text", "kernels", *BASE},
    "corpora": {"text", "kernels", "textkit", *BASE},
    **{task: {"training", "formats", "text", "kernels", "textkit", *BASE} for task in TASKS},
    "sklearn": {"classify", "text", "kernels", *BASE},
    "kenlm": {"ngram", "text", "kernels", *BASE},
    "cli": {"training", "formats", "text", "kernels", "corpora", "textkit", *TASKS, *BASE},
    "__main__": {"cli"},
    "__init__": {*BASE, *TASKS, "text"},
}
KERNEL_LIBRARIES = {"numpy", "numba", "llvmlite"}
SCREEN_LIBRARIES = {"click", "rich"}

# The corpora package lies beside textkit/ in the repository.
_PLACES = {ROOT: (), ROOT.parent / "corpora": ("corpora",)}
MODULES = {
    ".".join((*prefix, *path.relative_to(place).with_suffix("").parts)): path
    for place, prefix in _PLACES.items()
    for path in sorted(place.rglob("*.py"))
}


def imports(name: str, path: Path, source: str | None = None) -> set[tuple[str, ...]]:
    """Every module that is imported anywhere in a file, by its full dotted name in parts."""
    package = ("textkit", *name.split("."))[:-1]
    found: set[tuple[str, ...]] = set()
    for node in ast.walk(ast.parse(source or path.read_text("utf-8"))):
        if isinstance(node, ast.Import):
            found |= {tuple(alias.name.split(".")) for alias in node.names}
        elif isinstance(node, ast.ImportFrom):
            start = package[: len(package) - node.level + 1] if node.level else ()
            base = (*start, *(node.module.split(".") if node.module else ()))
            # `from .. import files` names a module; `from ..files import save` names something in one.
            found |= {(*base, alias.name) if base == ("textkit",) else base for alias in node.names}
    return found


def parts_used(found: set[tuple[str, ...]]) -> set[str]:
    own = {names[1] for names in found if names[0] == "textkit" and len(names) > 1}
    return {"textkit" if part.startswith("__") or part not in ALLOWED else part for part in own}


@pytest.mark.parametrize("name", MODULES)
def test_module_imports_only_layers_below_it(name):
    part = name.split(".")[0]
    assert part in ALLOWED, f"{name} belongs to no layer: give it a row"
    allowed = {*ALLOWED[part], part}
    assert parts_used(imports(name, MODULES[name])) <= allowed


def modules_used(name: str, source: str | None = None) -> set[str]:
    """The modules of the package that one imports anywhere, by their names in MODULES."""
    package = name.split(".")[:-1]
    found: set[str] = set()
    for node in ast.walk(ast.parse(source or MODULES[name].read_text("utf-8"))):
        if isinstance(node, ast.ImportFrom) and node.level:
            start = [*package[: len(package) - node.level + 1], *(node.module or "").split(".")]
            base = ".".join(part for part in start if part)
            found |= {base, *(f"{base}.{alias.name}" for alias in node.names)}
    return found & set(MODULES) - {name}


@pytest.mark.parametrize("part", ["classify", "cli"])
def test_modules_of_a_part_import_one_another_in_no_circle(part):
    own = [name for name in MODULES if name.startswith(f"{part}.") and not name.endswith("__init__")]
    graph = {name: {used for used in modules_used(name) if used in own} for name in own}
    assert len(list(graphlib.TopologicalSorter(graph).static_order())) == len(own) > 10  # raises CycleError
    assert modules_used("classify.model", "def f():\n    from . import starting\n    from .data import x") == {
        "classify.starting", "classify.data",
    }  # fmt: skip


@pytest.mark.parametrize("name", [name for name in MODULES if name.startswith("kernels.")])
def test_kernels_import_only_arrays_and_the_compiler(name):
    found = imports(name, MODULES[name])
    foreign = {names[0] for names in found} - {"textkit", *sys.stdlib_module_names}
    assert foreign <= KERNEL_LIBRARIES
    if name != "kernels.jit":
        assert {names[1] for names in found if names[0] == "textkit"} <= {"kernels"}
        assert {names[0] for names in found} & sys.stdlib_module_names <= {"math"}


@pytest.mark.parametrize("name", [name for name in MODULES if not name.startswith("cli.")])
def test_library_neither_prints_nor_knows_the_screen(name):
    assert not {names[0] for names in imports(name, MODULES[name])} & SCREEN_LIBRARIES
    calls = [n.func for n in ast.walk(ast.parse(MODULES[name].read_text("utf-8"))) if isinstance(n, ast.Call)]
    assert not [call for call in calls if isinstance(call, ast.Name) and call.id in ("print", "input")]
    written = [call for call in calls if isinstance(call, ast.Attribute) and call.attr == "write"]
    assert not [call for call in written if ast.unparse(call.value).startswith(("sys.stdout", "sys.stderr"))]


def test_the_walk_over_imports_sees_every_form():
    source = "import click.core\nfrom .. import files, __version__\nfrom ..text.corpus import x\nfrom . import jit\n"
    source += "def f():\n    from ..cli import main\n    from textkit import errors\n"
    found = imports("kernels.scan", Path(), source)
    assert parts_used(found) == {"files", "textkit", "text", "kernels", "cli", "errors"}
    assert ("click", "core") in found
    assert {"kernels.jit", "text.reader", "cli.main", "__init__"} <= set(MODULES)
