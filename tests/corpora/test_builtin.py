"""The texts that are made here: what all of them promise, and what each kind of labelled text does."""

import hashlib
import math
import subprocess
import sys
from collections import Counter, defaultdict

import pytest
from textkit.corpora import BUILTIN, builtin

from textkit.errors import UsageError

GENERATED = ["atlas", "topics", "multilabel", "imbalanced"]


@pytest.mark.parametrize("name", [name for name in BUILTIN if name != "prose"])
@pytest.mark.parametrize("wanted", [1, 100_000])
def test_size_is_reached_by_the_last_line_only(name, wanted):
    sizes = [len(line.encode()) + 1 for line in builtin(name).lines(wanted, seed=3)]
    assert sum(sizes) >= wanted > sum(sizes[:-1])


@pytest.mark.parametrize("name", BUILTIN)
def test_lines_are_clean_and_labelled_as_announced(name):
    lines = list(builtin(name).lines(100_000, seed=3))
    assert lines
    for line in lines:
        assert line.strip() == line and line
        assert line.isprintable()  # so no line end of any kind, and no lone surrogate: it is valid UTF-8
        assert line.startswith("__label__") == builtin(name).labelled
        labels, text = [w for w in line.split() if w.startswith("__label__")], line.split()[-1]
        assert line.startswith(" ".join(labels)) and not text.startswith("__label__")


@pytest.mark.parametrize("name", GENERATED)
def test_generated_texts_have_a_usual_size(name):
    usual = builtin(name).default_size
    assert usual <= sum(len(line.encode()) + 1 for line in builtin(name).lines()) < usual + 2000
    assert builtin("pydocs").default_size is None


@pytest.mark.parametrize("name", [*GENERATED, "pydocs-labelled"])
def test_seeds_repeat_and_differ(name):
    first, again, other = ("\n".join(builtin(name).lines(20_000, seed)) for seed in (1, 1, 2))
    assert first == again != other


@pytest.mark.parametrize(
    ("name", "sha256"),
    [
        ("atlas", "b863094abdfbbf4592b36868f03ae6b6579bb735d0ced58ca7305217d2e6c34b"),
        ("topics", "dc650715c52fe10a704affa82a0b582a101d566a77cc1779ab7c39baedbdcec4"),
        ("multilabel", "e5960591866b400c2f455eacd63ba1d0eef12adf36d2f89214ad9178af01cece"),
        ("imbalanced", "7c58f75877e1bf2a0c2bd1c1fbb26d279afcac430d0a25ec4b11e04dda61ba16"),
    ],
)
def test_generated_texts_are_the_same_on_every_machine(name, sha256):
    text = "\n".join(builtin(name).lines(50_000, 7)).encode()
    assert hashlib.sha256(text).hexdigest() == sha256


def test_unknown_name_suggests_a_close_one_and_lists_all():
    with pytest.raises(UsageError, match=r"Did you mean atlas\?.*pydocs, pydocs-labelled, prose") as caught:
        builtin("atlsa")
    assert caught.value.exit_code == 2
    with pytest.raises(UsageError) as caught:
        builtin("qqq")
    assert "Did you mean" not in str(caught.value)


def test_importing_the_package_is_cheap():
    code = "import sys, textkit.corpora, textkit.corpora.catalogue, textkit.corpora.download; print(*sys.modules)"
    loaded = subprocess.run([sys.executable, "-c", code], capture_output=True, check=True, text=True).stdout.split()
    heavy = {"numpy", "numba", "regex", "rich", "click", "requests", "pooch", "urllib3"}
    assert not heavy & {name.split(".")[0] for name in loaded}


def test_prose_is_about_thirty_kilobytes_of_different_paragraphs():
    lines = list(builtin("prose").lines())
    assert 25_000 < sum(len(line.encode()) + 1 for line in lines) < 60_000
    assert len(set(lines)) == len(lines) > 50
    words = Counter(word for line in lines for word in line.lower().split())
    assert len(words) > 1500
    text = "\n".join(lines)
    assert not [mark for mark in "'\"-;?!:(,.12357" if mark not in text]


def test_labels_have_their_shares():
    counts = Counter(line.split()[0] for line in builtin("imbalanced").lines(1_000_000, 5))
    total = counts.total()
    assert counts["__label__ordinary"] / total == pytest.approx(0.94, abs=0.02)
    assert counts["__label__urgent"] / total == pytest.approx(0.05, abs=0.01)
    assert counts["__label__critical"] / total == pytest.approx(0.01, abs=0.006)
    several = Counter(line.count("__label__") for line in builtin("multilabel").lines(300_000, 5))
    assert set(several) == {1, 2, 3}
    assert min(several.values()) > 0.05 * several.total()
    topics = Counter(line.split()[0] for line in builtin("topics").lines(300_000))
    assert len(topics) == 8
    assert min(topics.values()) > 0.1 * topics.total()


def test_labels_of_a_line_differ():
    for line in builtin("multilabel").lines(100_000, 2):
        labels = [word for word in line.split() if word.startswith("__label__")]
        assert len(set(labels)) == len(labels)


def naive_bayes_accuracy(lines: list[str]) -> float:
    """Share of the last fifth of lines that naive Bayes over words gets right, after the other four."""
    pairs = [line.split(" ", 1) for line in lines]
    seen, unseen = pairs[: len(pairs) * 4 // 5], pairs[len(pairs) * 4 // 5 :]
    words, labels = defaultdict(Counter), Counter(label for label, _ in seen)
    for label, text in seen:
        words[label].update(text.split())
    types = len(set().union(*words.values()))
    totals = {label: count.total() for label, count in words.items()}

    def score(label: str, text: str) -> float:
        likelihood = sum(math.log((words[label][w] + 1) / (totals[label] + types)) for w in text.split())
        return math.log(labels[label]) + likelihood

    right = sum(max(labels, key=lambda label: score(label, text)) == true for true, text in unseen)
    return right / len(unseen)


def test_topics_can_be_learned_but_not_without_mistakes():
    assert 0.9 < naive_bayes_accuracy(list(builtin("topics").lines(500_000, 1))) < 0.97


def test_families_of_docstrings_can_be_learned():
    assert naive_bayes_accuracy(list(builtin("pydocs-labelled").lines(600_000))) > 0.45
