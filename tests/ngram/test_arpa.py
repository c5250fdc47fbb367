"""ARPA files of other toolkits, and files that only pretend."""

import io

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from textkit.errors import DataError
from textkit.formats import arpa
from textkit.ngram.config import TrainingConfig
from textkit.ngram.model import NGramModel
from textkit.text.corpus import encode_corpus
from textkit.text.reader import Lines
from textkit.text.tokenizer import Tokenizer

GOOD = """
# a comment
\\data\\
ngram 1=4
ngram 2=2

\\1-grams:
-1.5\t<unk>
0\t<s>\t-0.5
-0.5\t</s>
-0.25\ta\t-0.125

\\2-grams:
-0.1\t<s> a
-0.2\ta </s>

\\end\\
"""


def load(tmp_path, text):
    path = tmp_path / "m.arpa"
    path.write_text(text, encoding="utf-8")
    return NGramModel.load(path)


def test_reads_a_small_file(tmp_path):
    model = load(tmp_path, GOOD)
    assert model.sizes == [4, 2]
    assert model.score("a") == pytest.approx(-0.1 - 0.2)
    assert model.score("x") == pytest.approx(-0.5 - 1.5 - 0.5)
    assert model.score("a a") == pytest.approx(-0.1 + (-0.125 - 0.25) - 0.2)


def test_spaces_windows_line_ends_and_no_final_newline(tmp_path):
    text = GOOD.replace("\t", " ").replace("\n", "\r\n").rstrip()
    assert load(tmp_path, text).score("a") == pytest.approx(-0.3)


def test_missing_unknown_word_scores_minus_100(tmp_path):
    text = GOOD.replace("-1.5\t<unk>\n", "").replace("ngram 1=4", "ngram 1=3")
    assert load(tmp_path, text).score("x") == pytest.approx(-0.5 - 100 - 0.5)


def test_ngrams_without_their_context_or_suffix_are_completed(tmp_path):
    """SRILM's pruning leaves n-grams whose suffix or context is gone; backing off must still find the way."""
    text = (
        GOOD.replace("ngram 2=2", "ngram 2=2\nngram 3=2")
        .replace("-0.2\ta </s>", "-0.2\ta </s>\t0")
        .replace("\\end\\", "\\3-grams:\n-0.01\ta a </s>\n-0.02\t</s> a a\n\n\\end\\")
    )
    model = load(tmp_path, text)
    # p(a | <s> a) backs off to p(a | a) = bow(a) p(a), which is now an entry of its own and changes nothing.
    words = model.score_tokens(["a", "a"])
    assert [w.log10_prob for w in words] == pytest.approx([-0.1, -0.125 - 0.25, -0.01])
    assert model.sizes == [4, 4, 2]


BROKEN = {
    "no header": (GOOD.replace("\\data\\", "\\dta\\"), "neither"),
    "empty": ("", "neither"),
    "counts lie": (GOOD.replace("ngram 1=4", "ngram 1=5"), "header says"),
    "huge counts": (GOOD.replace("ngram 2=2", "ngram 2=99999999999999"), "header says"),
    "orders out of turn": (GOOD.replace("ngram 2=2", "ngram 3=2"), "2-grams should stand here"),
    "cut off": (GOOD[: GOOD.index("\\2-grams")], "2-grams"),
    "cut off inside": (GOOD[: GOOD.index("a </s>")], "fewer than 2 words"),
    "no end": (GOOD.replace("\\end\\\n", ""), "end"),
    "text after the end": (GOOD + "more\n", "after"),
    "positive probability": (GOOD.replace("-0.1\t", "0.1\t"), "positive"),
    "nan": (GOOD.replace("-0.1\t", "nan\t"), "number was expected"),
    "too large": (GOOD.replace("-0.1\t", "-1e39\t"), "too large"),
    "word missing": (GOOD.replace("<s> a", "a"), "fewer than 2 words"),
    "word too many": (GOOD.replace("<s> a", "<s> a a a"), "number was expected|more than"),
    "unlisted word": (GOOD.replace("<s> a", "<s> b"), "'b' of a 2-gram"),
    "twice": (GOOD.replace("a </s>", "<s> a"), "listed twice"),
    "unigram twice": (GOOD.replace("<unk>", "a"), "listed twice"),
    "no sentence end": (GOOD.replace("</s>", "b"), "no unigram </s>"),
    "backoff at the top": (GOOD.replace("a </s>", "a </s>\t-0.5"), "highest order"),
}


@pytest.mark.parametrize("name", BROKEN)
def test_broken_files_are_refused_with_a_reason(tmp_path, name):
    text, reason = BROKEN[name]
    with pytest.raises(DataError, match=reason):
        load(tmp_path, text)


@settings(deadline=None, max_examples=200)
@given(st.integers(0, len(GOOD)), st.integers(0, 20), st.binary(max_size=12))
def test_any_damage_is_an_error_or_a_model(tmp_path_factory, at, cut, junk):
    path = tmp_path_factory.mktemp("arpa") / "m.arpa"
    data = GOOD.encode()
    path.write_bytes(data[:at] + junk + data[at + cut :])
    try:
        NGramModel.load(path).score("a x")
    except DataError as error:
        assert str(path) in str(error)


def test_words_with_spaces_cannot_be_written(tmp_path):
    corpus = encode_corpus(Lines(["a b, c"]), Tokenizer("regex:[^,]+"))
    model = NGramModel.train(corpus, TrainingConfig(order=2))
    with pytest.raises(DataError, match="'a b' has white space"):
        model.write_arpa(tmp_path / "m.arpa")
    assert not list(tmp_path.iterdir())


def test_many_blocks(tmp_path, monkeypatch):
    from textkit.formats import arpa

    lines = [f"w{i % 7} w{i % 3} w{i % 5}" for i in range(300)]
    model = NGramModel.train(encode_corpus(Lines(lines), Tokenizer("whitespace")), TrainingConfig(order=4))
    model.write_arpa(tmp_path / "one.arpa")
    monkeypatch.setattr(arpa, "_BLOCK", 50)
    monkeypatch.setattr(arpa, "_ENTRIES", 3)
    NGramModel.load(tmp_path / "one.arpa").write_arpa(tmp_path / "two.arpa")
    assert sorted((tmp_path / "one.arpa").read_text().split("\n")) == sorted(
        (tmp_path / "two.arpa").read_text().split("\n")
    )


def naive_lines(model):
    """The n-gram lines of a model, in plain Python."""
    trie, words = model.trie(), model.vocabulary.words()

    def shown(value):
        return np.format_float_positional(value, unique=True, trim="-") if value else "0"

    def lines(node, context, order):
        text = [*context, words[trie.words[node]]]
        backoff = f"\t{shown(trie.backoff[node])}" if order < trie.order else ""
        found[order - 1].append(f"{shown(trie.log_p[node])}\t{' '.join(text)}{backoff}")
        if order < trie.order:
            for child in range(trie.edges[node], trie.edges[node + 1]):
                lines(child, text, order + 1)

    found = [[] for _ in range(trie.order)]
    for node in range(trie.sizes[0]):
        lines(node, [], 1)
    return found


@settings(deadline=None, max_examples=60)
@given(
    st.lists(st.lists(st.sampled_from(["a", "bb", "a-word-of-some-length", "ß" * 20]), max_size=6), min_size=1).filter(
        any
    ),
    st.integers(1, 5),
    st.sampled_from([1, 3, 1 << 15]),
    st.sampled_from([1, 4, 1 << 10]),
)
def test_lines_are_those_of_plain_python(lines, order, entries, shown):
    model = NGramModel.train(lines, order=order, discount_fallback=(0.5, 1.0, 1.5), threads=1)
    stream = io.BytesIO()
    with pytest.MonkeyPatch.context() as patched:
        patched.setattr(arpa, "_ENTRIES", entries)  # where pieces begin, and which backoffs are remembered
        patched.setattr(arpa, "_SHOWN", shown)
        arpa.write(stream, model.trie(), model.vocabulary.arena, model.vocabulary.ends, 2)
    sections = stream.getvalue().decode().split("-grams:\n")[1:]
    written = [[line for line in section.splitlines() if line and line[0] != "\\"] for section in sections]
    assert written == naive_lines(model)
