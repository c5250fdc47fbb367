"""The commands of the README's section on classification, run as they stand there."""

import csv
import gzip
import json
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


SUBSTITUTES = {"5m": "2s"}


@pytest.fixture
def inputs(run, tmp_path, monkeypatch):
    """The files that the other commands of the section name, made of what comes along."""
    monkeypatch.chdir(tmp_path)

    def made(name: str) -> list[tuple[str, str]]:
        lines = run("corpus", "make", name, "--size", "150K").out.splitlines()
        return [tuple(line.removeprefix("__label__").split(" ", 1)) for line in lines]

    def write(name: str, rows: list[tuple[str, str]]) -> None:
        Path(name).write_text("".join(f"__label__{label} {text}\n" for label, text in rows))

    topics, mail = made("topics"), made("imbalanced")
    for name, rows in {"reviews": topics, "train": topics[:400], "test": topics[390:], "held-out": topics[:99]}.items():
        write(f"{name}.txt", rows)
    write("mail.txt", [("ham" if label == "ordinary" else "spam", text) for label, text in mail])
    Path("new.txt").write_text("".join(f"{text}\n" for _, text in topics[:50]))
    with Path("new.csv").open("w") as stream:
        csv.writer(stream).writerows([("title", "body"), *(text.split(" ", 1) for _, text in topics[:50])])
    with Path("news.csv").open("w") as stream:
        rows = [(label, *text.split(" ", 1), 1) for label, text in topics]
        csv.writer(stream).writerows([("topic", "title", "body", "trust"), *rows])
    for name in ("tags", "new"):
        with gzip.open(f"{name}.jsonl.gz", "wt") as stream:
            stream.writelines(json.dumps({"text": text, "tags": [label]}) + "\n" for label, text in topics)
    for number, (label, text) in enumerate(topics[:200]):
        folder = Path("aclImdb/train") / label
        folder.mkdir(parents=True, exist_ok=True)
        (folder / f"{number}.txt").write_text(text)
    hashed = ["--model", "embedding", "--buckets", 2000, "--end-mark", "--tokenizer", "whitespace"]
    for arguments in (
        ["train", "reviews.txt", *hashed, "-o", "languages.model"],
        ["export", "languages.model", "lid.176.bin", "--format", "fasttext"],
        ["quantize", "languages.model", "--size", "100K", "-o", "lid.176.ftz"],
    ):
        done = run("classify", *arguments)
        assert done.code == 0, (arguments, done.err)


def test_other_commands_of_classification(run, inputs):
    section = README.split("\n## Text classification\n")[1].split("\n## ")[0]
    shell = re.findall(r"```(?:sh)?\n(textkit .*?)```", section, re.DOTALL)
    commands = [line.split("  #")[0].strip() for block in shell for line in block.splitlines()]
    others = [command for command in commands if all(command not in block for block in BLOCKS)]
    assert len(others) > 15
    for command in others:
        arguments = [SUBSTITUTES.get(word, word) for word in shlex.split(command)[1:]]
        if arguments[1] == "tune" and "--time" not in arguments:
            arguments += ["--time", "2s"]
        Path("news.model").unlink(missing_ok=True)  # the name that is taken where none is given
        done = run(*arguments)
        assert done.code == 0, (command, done.err)
