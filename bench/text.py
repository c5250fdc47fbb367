"""Text to tokens, counts and numbers beside what Python programs use for it."""

import json
import os
from pathlib import Path

from .harness import TEXTKIT, Contender, Outcome, Settings, has, race, skipped

PEERS = str(Path(__file__).with_name("peers.py"))
MODULES = {"split": "collections", "treebank": "nltk", "wordpunct": "nltk", "countvectorizer": "sklearn"}
PACKAGES = {"sklearn": "scikit-learn"}


def _ours(settings: Settings, command: str, tokenizer: str) -> list[Contender]:
    """The command with all threads and, where that is another thing, with one."""
    return [
        Contender(
            f"textkit {tokenizer}, {threads} thread{'s' * (threads > 1)}",
            [*TEXTKIT, "corpus", command, str(settings.text), "--tokenizer", tokenizer, "--threads", str(threads)],
            stdout=str(settings.scratch / f"{command}.{tokenizer}{threads}"),
        )
        for threads in sorted({1, os.cpu_count() or 1}, reverse=True)
    ]


def _theirs(settings: Settings, job: str, peers: dict[str, str]) -> list[Contender]:
    """Those that are installed, each with what it does."""
    found = []
    for peer, what in peers.items():
        module = MODULES.get(peer, peer)
        if has(settings.peer_python, module):
            command = [settings.peer_python, PEERS, f"{job}_{peer}", str(settings.text)]
            found.append(Contender(peer, command, stdout=str(settings.scratch / f"{job}.{peer}"), settings=what))
        else:
            skipped(module, f"pip install {PACKAGES.get(module, module)}")
    return found


def _lines(path: str) -> int:
    with open(path, "rb") as stream:
        return sum(1 for _ in stream)


def _tokens(path: str) -> int:
    with open(path, "rb") as stream:
        return sum(len(line.split()) for line in stream)


def _tokenize(settings: Settings, tokenizer: str, peers: dict[str, str]) -> Outcome:
    contenders = [*_ours(settings, "tokenize", tokenizer), *_theirs(settings, "tokenize", peers)]
    runs = race(contenders, settings.runs)
    found = {c.name: f"{_tokens(c.stdout):,} tokens" for c in contenders if c.stdout}
    return Outcome(f"write the tokens of a text, {tokenizer}", "MB", settings.megabytes, runs, found)


def _count(settings: Settings, tokenizer: str, peers: dict[str, str]) -> Outcome:
    contenders = [*_ours(settings, "vocab", tokenizer), *_theirs(settings, "count", peers)]
    runs = race(contenders, settings.runs)
    types = {c.name: f"{_lines(c.stdout):,} types" for c in contenders if c.stdout}
    return Outcome(f"count words, {tokenizer}", "MB", settings.megabytes, runs, types)


def tokenize_whitespace(settings: Settings) -> Outcome:
    """Write the tokens of a text, split at white space."""
    return _tokenize(settings, "whitespace", {"split": "str.split of each line"})


def tokenize_word(settings: Settings) -> Outcome:
    """Write the tokens of a text, words and punctuation."""
    peers = {
        "tokenizers": "Whitespace pre-tokenizer of each line",
        "wordpunct": "wordpunct_tokenize of each line",
        "treebank": "NLTKWordTokenizer of each line",
    }
    return _tokenize(settings, "word", peers)


def count_whitespace(settings: Settings) -> Outcome:
    """Text to word counts, split at white space."""
    return _count(settings, "whitespace", {"split": "str.split of each line, collections.Counter"})


def count_word(settings: Settings) -> Outcome:
    """Text to word counts, words and punctuation."""
    peers = {
        "regex": "findall of each line, collections.Counter",
        "tokenizers": "Whitespace pre-tokenizer of each line, collections.Counter",
        "wordpunct": "nltk's wordpunct_tokenize of each line, FreqDist",
    }
    return _count(settings, "word", peers)


def vocabulary(settings: Settings) -> Outcome:
    """Text to a vocabulary and the whole text as numbers of its words."""
    target = str(settings.scratch / "encoded")
    ours = [
        Contender(
            "textkit corpus stats --no-cache",
            [*TEXTKIT, "corpus", "stats", str(settings.text), "--no-cache", "--json"],
            stdout=f"{target}.textkit",
        )
    ]
    peers = {
        "tokenizers": "WordLevelTrainer on the file, encode_batch_fast of 10,000 lines at a time: all threads",
        "countvectorizer": "scikit-learn's CountVectorizer, one number of a line and word",
    }
    contenders = [*ours, *_theirs(settings, "encode", peers)]
    runs = race(contenders, settings.runs)
    found = {}
    for contender in contenders:
        figures = json.loads(Path(contender.stdout or "").read_text())
        found[contender.name] = f"{figures['types']:,} types, {figures['tokens']:,} tokens"
    return Outcome("text to vocabulary and numbers", "MB", settings.megabytes, runs, found)
