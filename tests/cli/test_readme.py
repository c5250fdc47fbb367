"""The commands of the README's section on reports, run as they stand there."""

import re
import shlex
from pathlib import Path

import pytest

README = (Path(__file__).parents[2] / "README.md").read_text("utf-8")


def blocks(title: str) -> list[list[str]]:
    """The commands of each block of shell under a heading, without the remarks."""
    section = README.split(f"### {title}\n")[1].split("\n#")[0]
    found = re.findall(r"```sh\n(.*?)```", section, re.DOTALL)
    return [[line.split("  #")[0].strip() for line in block.splitlines()] for block in found]


BLOCKS = blocks("How good it is, and why")


@pytest.mark.parametrize("commands", BLOCKS, ids=["one label", "several labels"])
def test_commands_do_what_the_readme_says(run, monkeypatch, tmp_path, commands):
    monkeypatch.chdir(tmp_path)
    for command in commands:
        words, _, target = command.partition(" > ")
        name, *arguments = shlex.split(words)
        assert name == "textkit"
        if arguments[:2] == ["corpus", "make"]:
            arguments += ["--size", "150K"]  # enough for the words to repeat
        done = run(*arguments)
        assert done.code == 0, (command, done.err)
        assert done.out or arguments[:2] == ["corpus", "make"]
        if target:
            Path(target).write_text(done.out)
    written = {path.name for path in tmp_path.iterdir()}
    assert {"report.html", "topics.model"} <= written or {"tags.json", "tags.model"} <= written
