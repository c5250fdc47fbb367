"""Figures of a corpus against counting by hand."""

import xml.etree.ElementTree as ET
from collections import Counter

import pytest
from hypothesis import given
from hypothesis import strategies as st

from textkit.errors import TextkitError
from textkit.text.corpus import encode_corpus
from textkit.text.reader import Lines
from textkit.text.stats import corpus_stats, unknown_words, zipf_plot
from textkit.text.tokenizer import Tokenizer
from textkit.text.vocabulary import SPECIALS, Vocabulary

WHITESPACE = Tokenizer("whitespace")
_words = st.sampled_from(["a", "b", "c", "dé", "e", "<s>"]) | st.integers(0, 400).map(str)
line_lists = st.lists(st.lists(_words, max_size=30), min_size=1, max_size=20).filter(any)


@given(line_lists, st.integers(0, 5))
def test_figures_equal_plain_counting(lines, top):
    figures = corpus_stats(encode_corpus(Lines([" ".join(line) for line in lines]), WHITESPACE, threads=1), top)
    tokens = [word for line in lines for word in line]
    counts = Counter(word for word in tokens if word not in SPECIALS)
    assert (figures.lines, figures.tokens, figures.types) == (len(lines), len(tokens), len(counts))
    assert figures.once == sum(n == 1 for n in counts.values())
    text = "".join(" ".join(line) + "\n" for line in lines)
    assert (figures.characters, figures.bytes) == (len(text), len(text.encode()))
    assert figures.empty_lines == sum(not line for line in lines)
    assert figures.longest_line == max(map(len, lines))
    assert figures.frequent == [(w, n, n / len(tokens)) for w, n in counts.most_common(top)]
    seen = [len(set(tokens[:size]) - set(SPECIALS)) for size, _ in figures.growth]
    assert figures.growth[-1][0] == len(tokens)
    assert [types for _, types in figures.growth] == seen
    best = sorted(counts.values(), reverse=True)
    assert figures.coverage == [(size, pytest.approx(sum(best[:size]) / len(tokens))) for size, _ in figures.coverage]
    assert [size for size, _ in figures.coverage] == [s for s in (100, 200) if s < len(best)] + [len(best)][: len(best)]
    assert figures.as_dict()["types"] == len(counts)


def test_growth_is_told_at_round_numbers():
    figures = corpus_stats(encode_corpus(Lines([" ".join(str(i % 150) for i in range(1234))]), WHITESPACE))
    assert figures.growth == [(100, 100), (200, 150), (500, 150), (1000, 150), (1234, 150)]
    assert [size for size, _ in figures.coverage] == [100, 150]


@given(line_lists, st.lists(_words, min_size=1, max_size=30, unique=True))
def test_unknown_words_equal_plain_counting(lines, known):
    tokens = [word for line in lines for word in line]
    listed = [word for word in known if word not in SPECIALS]
    if set(tokens) <= set(SPECIALS):
        return
    corpus = encode_corpus(Lines([" ".join(line) for line in lines]), WHITESPACE, threads=1)
    found = unknown_words(corpus, Vocabulary.from_words(listed), examples=3)
    counts = Counter(word for word in tokens if word not in SPECIALS)
    missing = {word: n for word, n in counts.items() if word not in listed}
    assert (found.types, found.tokens) == (len(missing), sum(missing.values()))
    assert found.type_rate == pytest.approx(len(missing) / len(counts))
    assert found.token_rate == pytest.approx(sum(missing.values()) / len(tokens))
    assert found.examples == Counter(missing).most_common(3)


def test_text_of_sentence_marks_only_has_figures():
    corpus = encode_corpus(Lines(["<s> </s>"]), WHITESPACE)
    figures = corpus_stats(corpus)
    assert (figures.tokens, figures.types, figures.coverage, figures.frequent) == (2, 0, [], [])
    found = unknown_words(corpus, Vocabulary.from_words(["a"]))
    assert (found.types, found.type_rate, found.token_rate) == (0, 0.0, 0.0)


def test_zipf_plot_is_drawn(tmp_path):
    pytest.importorskip("matplotlib")
    corpus = encode_corpus(Lines(["the cat saw the dog and the bird"]), WHITESPACE)
    zipf_plot(corpus, tmp_path / "zipf.svg")
    assert ET.parse(tmp_path / "zipf.svg").getroot().tag.endswith("svg")
    zipf_plot(corpus, tmp_path / "zipf.png")
    assert (tmp_path / "zipf.png").read_bytes().startswith(b"\x89PNG")


@pytest.mark.parametrize(
    ("text", "name"), [("a b", "zipf.xyz"), ("<s> </s>", "zipf.svg")], ids=["unknown ending", "no word"]
)
def test_plot_that_cannot_be_drawn_is_refused(tmp_path, text, name):
    pytest.importorskip("matplotlib")
    with pytest.raises(TextkitError):
        zipf_plot(encode_corpus(Lines([text]), WHITESPACE), tmp_path / name)
    assert list(tmp_path.iterdir()) == []
