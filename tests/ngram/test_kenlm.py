"""KenLM binary files as models: every kind scores as the ARPA file that it was built from, and can be one again."""

import lzma
import re
from pathlib import Path

import pytest

from textkit.errors import DataError
from textkit.ngram.model import NGramModel

GOLDEN = Path(__file__).parent.parent / "golden"
LARGE, SMALL = GOLDEN / "ngram", GOLDEN / "kenlm"


def unpacked(source, directory):
    path = directory / source.name.removesuffix(".xz")
    path.write_bytes(lzma.decompress(source.read_bytes()))
    return path


def arpa_lines(path):
    return sorted(path.read_bytes().splitlines())


@pytest.mark.parametrize("name", ["train.o3.probing", "train.o3.trie"])
def test_scores_and_arpa_are_those_of_the_arpa_file(tmp_path, name):
    xz = LARGE / f"{name}.xz"
    model = NGramModel.load(unpacked(xz, tmp_path) if xz.exists() else LARGE / name)
    reference = NGramModel.load(LARGE / "train.o3.arpa.xz")
    assert "smooth:kenlm" in model.signature
    assert model.vocabulary.words()[:3] == ["<unk>", "<s>", "</s>"]
    for line in (LARGE / "test.txt").read_text("utf-8").splitlines()[:100]:
        assert model.full_scores(line) == reference.full_scores(line)
    model.write_arpa(tmp_path / "again.arpa")
    reference.write_arpa(tmp_path / "reference.arpa")
    assert arpa_lines(tmp_path / "again.arpa") == arpa_lines(tmp_path / "reference.arpa")


def test_quantised_model_scores_as_query_does(tmp_path):
    model = NGramModel.load(unpacked(SMALL / "small.o4.qtrie.xz", tmp_path))
    lines = (SMALL / "small.o4.qtrie.query.txt").read_text("utf-8").splitlines()
    sentences = [line for line in lines if "\tTotal: " in line]
    assert len(sentences) == 15
    for sentence in sentences:
        expected = re.findall(r"([^\t]+)=(\d+) (\d+) ([-\d.e]+)(?=\t)", sentence)
        found = model.score_tokens([surface for surface, *_ in expected[:-1]])
        assert [word.order for word in found] == [int(order) for _, _, order, _ in expected]
        assert [word.log10_prob for word in found] == pytest.approx([float(p) for *_, p in expected], abs=2e-6)


def test_model_keeps_and_reloads(tmp_path):
    path = unpacked(SMALL / "small.o5.atrie.xz", tmp_path)
    model = NGramModel.load(path)
    model.save(tmp_path / "m.ngram")
    reloaded = NGramModel.load(tmp_path / "m.ngram")
    words = model.vocabulary.words()[3:9]
    assert reloaded.score_tokens(words) == model.score_tokens(words)
    assert reloaded.sizes == [139, 171, 158, 144, 130]


def test_file_without_sentence_marks_is_refused(tmp_path):
    path = unpacked(SMALL / "pruned.trie.xz", tmp_path)
    path.write_bytes(path.read_bytes().replace(b"\0</s>\0", b"\0<e s>\0"))
    with pytest.raises(DataError, match="no unigram </s>"):
        NGramModel.load(path)


def test_word_that_stands_there_twice_is_refused(tmp_path):
    path = unpacked(SMALL / "pruned.trie.xz", tmp_path)
    path.write_bytes(path.read_bytes().replace(b"\0a\0", b"\0b\0"))
    with pytest.raises(DataError, match="'b' is listed twice"):
        NGramModel.load(path)


def test_compressed_file_is_refused_with_a_cure():
    with pytest.raises(DataError, match=r"compressed KenLM binary file\. Decompress"):
        NGramModel.load(LARGE / "train.o3.probing.xz")


def test_commands_take_it_for_a_model(run, tmp_path):
    path = unpacked(SMALL / "small.o2.probing.xz", tmp_path)
    done = run("ngram", "info", path)
    assert done.code == 0
    assert done.out.splitlines()[1:3] == ["1\t139\t-", "2\t171\t-"]
    path.write_bytes(path.read_bytes()[:-100])
    done = run("ngram", "perplexity", path, LARGE / "test.txt")
    assert done.code == 1
    assert done.err[0].startswith(f"error: {path} is damaged")
    assert len(done.err) <= 2
