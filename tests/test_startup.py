"""Help: instant, and complete for every command and option."""

import json
import subprocess
import sys

import click
import pytest

from textkit.cli.main import textkit

HEAVY = (
    "numpy", "numba", "llvmlite", "regex", "rich", "safetensors", "matplotlib", "requests", "pooch", "usearch",
    "sklearn",
)  # fmt: skip


def commands(command: click.Command = textkit, path: tuple[str, ...] = ()) -> dict[tuple[str, ...], click.Command]:
    """Every command and group by its words."""
    found = {path: command}
    if isinstance(command, click.Group):
        for name, below in command.commands.items():
            found |= commands(below, (*path, name))
    return found


COMMANDS = commands()
NAMES = [" ".join(path) or "textkit" for path in COMMANDS]

SHOW_ALL_HELP = """
import contextlib, io, json, sys
from textkit.cli.main import textkit
texts = {}
for path in json.loads(sys.argv[1]):
    with contextlib.redirect_stdout(io.StringIO()) as shown, contextlib.suppress(SystemExit):
        textkit.main([*path, "--help"], prog_name="textkit")
    texts[" ".join(path)] = shown.getvalue()
print(json.dumps({"texts": texts, "loaded": sorted(sys.modules)}))
"""


@pytest.fixture(scope="module")
def shown() -> dict:
    arguments = [sys.executable, "-c", SHOW_ALL_HELP, json.dumps([list(path) for path in COMMANDS])]
    return json.loads(subprocess.run(arguments, capture_output=True, check=True, text=True).stdout)


def test_help_of_every_command_loads_nothing_heavy(shown):
    assert "textkit.cli.main" in shown["loaded"]
    assert not [name for name in shown["loaded"] if name.split(".")[0] in HEAVY]
    assert all(text.startswith("Usage: textkit") for text in shown["texts"].values()), shown["texts"]
    assert len(shown["texts"]) == len(COMMANDS) > 10


@pytest.mark.parametrize(("path", "command"), COMMANDS.items(), ids=NAMES)
def test_command_and_all_its_options_have_help(path, command):
    assert command.help
    assert len(command.help.split("\n\n")[0]) > 20
    context = click.Context(command, info_name="x")
    for option in command.get_params(context):
        if isinstance(option, click.Option):
            assert option.help, f"{option.opts} has no help"


@pytest.mark.parametrize(
    ("path", "command"),
    [item for item in COMMANDS.items() if not isinstance(item[1], click.Group)],
    ids=[name for name, command in zip(NAMES, COMMANDS.values(), strict=True) if not isinstance(command, click.Group)],
)
def test_help_of_every_command_holds_an_example(path, command):
    _, mark, example = (command.help or "").partition("\b")
    assert mark, "no example behind a \\b line"
    assert f"textkit {' '.join(path)}" in example


def test_importing_the_package_is_cheap():
    code = "import sys, textkit; print(textkit.__version__, *sorted(sys.modules))"
    version, *loaded = subprocess.run(
        [sys.executable, "-c", code], capture_output=True, check=True, text=True
    ).stdout.split()
    assert version[0].isdigit()
    assert not [name for name in loaded if name.split(".")[0] in (*HEAVY, "click")]


def test_names_of_the_package_are_found_when_asked_for():
    import textkit as package

    for name in package.__all__:
        assert getattr(package, name) is not None
        assert name in dir(package)
    with pytest.raises(AttributeError, match="nonsense"):
        package.nonsense  # noqa: B018
