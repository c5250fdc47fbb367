"""Agreement with lmplz and query, by files they wrote."""

import io
import lzma
import re
from pathlib import Path

import pytest

from textkit.ngram.config import TrainingConfig
from textkit.ngram.model import NGramModel
from textkit.ngram.scoring import perplexity, word_scores
from textkit.text.corpus import encode_corpus
from textkit.text.reader import Reader
from textkit.text.tokenizer import Tokenizer

GOLDEN = Path(__file__).parent.parent / "golden" / "ngram"
WHITESPACE = Tokenizer("whitespace")

CASES = [
    ("train", 1, "train.o1"),
    ("train", 2, "train.o2"),
    ("train", 3, "train.o3"),
    ("train", 5, "train.o5.fallback"),
    ("tiny", 3, "tiny.o3.fallback"),
    ("lastword", 3, "lastword.o3"),
]


def read_arpa(stream):
    """{order: declared size}, {n-gram: (log10 p, backoff or None)} of an ARPA file."""
    sizes, entries = {}, {}
    for line in stream:
        if line.startswith(b"ngram "):
            order, size = line[6:].split(b"=")
            sizes[int(order)] = int(size)
        elif b"\t" in line:
            fields = line.rstrip(b"\n").split(b"\t")
            entries[fields[1]] = (float(fields[0]), float(fields[2]) if len(fields) > 2 else None)
    return sizes, entries


def golden_arpa(name):
    with lzma.open(GOLDEN / f"{name}.arpa.xz") as stream:
        return read_arpa(stream)


def assert_same_model(path, name, tolerance):
    sizes, entries = read_arpa(io.BytesIO(path.read_bytes()))
    expected_sizes, expected = golden_arpa(name)
    assert sizes == expected_sizes
    assert entries.keys() == expected.keys()
    for ngram, (log_p, backoff) in expected.items():
        assert entries[ngram][0] == pytest.approx(log_p, abs=tolerance), ngram
        if backoff is None:
            assert entries[ngram][1] is None, ngram
        else:
            assert entries[ngram][1] == pytest.approx(backoff, abs=tolerance), ngram


def trained(text, order, threads=2, **settings):
    corpus = encode_corpus(Reader([GOLDEN / f"{text}.txt"]), WHITESPACE, threads=threads)
    settings = {"discount_fallback": (0.5, 1.0, 1.5), **settings}
    return NGramModel.train(corpus, TrainingConfig(order=order, **settings), threads=threads)


@pytest.mark.parametrize(("text", "order", "name"), CASES)
def test_training_agrees_with_lmplz(text, order, name, tmp_path):
    trained(text, order).write_arpa(tmp_path / "model.arpa")
    assert_same_model(tmp_path / "model.arpa", name, tolerance=1e-5)


@pytest.mark.parametrize(
    ("settings", "name"),
    [
        ({"prune": (0, 0, 1)}, "train.o3.prune001"),
        ({"prune": (1, 1, 2)}, "train.o3.prune112"),
        ({"interpolate_unigrams": False}, "train.o3.nouni"),
    ],
)
def test_lmplz_options_mean_the_same(settings, name, tmp_path):
    trained("train", 3, **settings).write_arpa(tmp_path / "model.arpa")
    assert_same_model(tmp_path / "model.arpa", name, tolerance=1e-5)


@pytest.mark.parametrize("name", [name for _, _, name in CASES])
def test_reading_and_writing_an_arpa_file_changes_nothing(name, tmp_path):
    NGramModel.load(GOLDEN / f"{name}.arpa.xz").write_arpa(tmp_path / "again.arpa")
    assert_same_model(tmp_path / "again.arpa", name, tolerance=5e-7)


def golden_query(order):
    """Of each line [(word, matched order, log10 p)] and total; and the four summary figures."""
    lines, summary = [], {}
    for line in (GOLDEN / f"test.o{order}.query.txt").read_text(encoding="utf-8").split("\n"):
        if "Total: " in line:
            *words, total = line.split("\t")
            rows = [word.rsplit("=", 1) for word in words]
            rows = [(w, int(v.split()[1]), float(v.split()[2])) for w, v in rows]
            lines.append((rows, float(re.search(r"Total: (\S+)", total)[1])))
        elif ":\t" in line:
            name, value = line.split(":\t")
            summary[name] = float(value)
    return lines, summary


@pytest.mark.parametrize("order", [2, 3, 5])
def test_scores_agree_with_query(order):
    model = NGramModel.load(GOLDEN / f"train.o{order}{'.fallback' if order == 5 else ''}.arpa.xz")
    lines, summary = golden_query(order)
    reader = Reader([GOLDEN / "test.txt"])
    scored = list(word_scores(model, reader))
    assert len(scored) == len(lines)
    for words, (expected, total) in zip(scored, lines, strict=True):
        assert [(w.word, w.order) for w in words] == [(word, length) for word, length, _ in expected]
        assert [w.log10_prob for w in words] == pytest.approx([p for _, _, p in expected], abs=2e-5)
        assert sum(w.log10_prob for w in words) == pytest.approx(total, abs=1e-4)
    found = perplexity(model, reader)
    assert found.perplexity == pytest.approx(summary["Perplexity including OOVs"], rel=1e-4)
    assert found.perplexity_without_oov == pytest.approx(summary["Perplexity excluding OOVs"], rel=1e-4)
    assert (found.oov, found.tokens) == (summary["OOVs"], summary["Tokens"])


def test_threads_do_not_change_the_model(tmp_path):
    for threads in (1, 3):
        trained("train", 4, threads).save(tmp_path / f"{threads}.ngram")
    assert (tmp_path / "1.ngram").read_bytes() == (tmp_path / "3.ngram").read_bytes()
