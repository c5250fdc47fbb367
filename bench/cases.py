"""The comparisons of text and words, and the list of all comparisons."""

import os
from pathlib import Path

from . import ngram, w2v
from .harness import TEXTKIT, Contender, Outcome, Settings, has, race, skipped

PEERS = str(Path(__file__).with_name("peers.py"))


def _count(settings: Settings, tokenizer: str, peers: list[str]) -> Outcome:
    ours = [
        Contender(
            f"textkit {tokenizer}, {threads} thread{'s' * (threads > 1)}",
            [*TEXTKIT, "corpus", "vocab", str(settings.text), "--tokenizer", tokenizer, "--threads", str(threads)],
            stdout=str(settings.scratch / f"{tokenizer}{threads}.tsv"),
        )
        for threads in sorted({1, os.cpu_count() or 1}, reverse=True)
    ]
    others = []
    for peer in peers:
        module = {"split": "collections"}.get(peer, peer)
        if has(settings.peer_python, module):
            command = [settings.peer_python, PEERS, peer, str(settings.text)]
            others.append(Contender(peer, command, stdout=str(settings.scratch / f"{peer}.tsv")))
        else:
            skipped(peer, f"pip install {module}")
    runs = race([*ours, *others], settings.runs)
    types = {c.name: f"{_lines(c.stdout):,} types" for c in [*ours, *others] if c.stdout}
    return Outcome(f"count words, {tokenizer}", "MB", settings.megabytes, runs, types)


def _lines(path: str) -> int:
    with open(path, "rb") as stream:
        return sum(1 for _ in stream)


def count_whitespace(settings: Settings) -> Outcome:
    """Text to word counts, split at white space."""
    return _count(settings, "whitespace", ["split"])


def count_word(settings: Settings) -> Outcome:
    """Text to word counts, words and punctuation."""
    return _count(settings, "word", ["regex", "tokenizers"])


CASES = {
    f.__name__: f
    for f in (
        count_whitespace, count_word, ngram.arpa_3, ngram.arpa_5, ngram.ready_3, ngram.ready_5, ngram.score_3,
        ngram.open_3, ngram.lines_3, ngram.words_3, w2v.w2v_skipgram, w2v.w2v_cbow, w2v.w2v_hierarchical,
        w2v.w2v_subword,
    )
}  # fmt: skip
