"""Vector files of other programs: golden files, round trips, and everything that can be wrong with one."""

import lzma
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from textkit.errors import DataError, UsageError
from textkit.formats import vectors as formats

GOLDEN = Path(__file__).parent.parent / "golden"
W2V = GOLDEN / "word2vec"


def test_word2vec_text_and_binary_are_the_same_vectors():
    words, text = formats.read(W2V / "w2v.txt")
    same, binary = formats.read(W2V / "w2v.bin")
    assert words == same
    assert words[:3] == ["</s>", "bu", "ga"]
    assert text.shape == (3423, 8)
    np.testing.assert_allclose(text, binary, atol=5.1e-7)


def test_binary_is_written_byte_for_byte_as_word2vec_writes_it(tmp_path):
    words, vectors = formats.read(W2V / "w2v.bin")
    formats.write(tmp_path / "copy.bin", "auto", words, vectors)
    assert (tmp_path / "copy.bin").read_bytes() == (W2V / "w2v.bin").read_bytes()


def test_fasttext_vec_is_read_also_compressed():
    path = GOLDEN / "fasttext" / "skipgram.vec.xz"
    words, vectors = formats.read(path)
    second = lzma.open(path, "rt").read().splitlines()[1].split()
    assert words[0] == second[0]
    assert vectors[0].tolist() == [np.float32(x) for x in second[1:]]
    assert len(words) == len(set(words)) == 3423


names = st.text(st.characters(exclude_characters=" \t\n\r\0", exclude_categories=["Cs"]), min_size=1, max_size=8)
floats = st.floats(width=32, allow_nan=False, allow_infinity=False, min_value=-(2.0**99), max_value=2.0**99)


@pytest.mark.parametrize(
    ("layout", "name"),
    [
        ("text", "v.txt"), ("text", "v.vec.gz"), ("binary", "v.bin"), ("binary-gensim", "v2.bin"), ("npy", "v.npy"),
        ("glove", "v.glove"), ("projector", "v.tsv"),
    ],
)  # fmt: skip
@given(data=st.data())
def test_every_layout_comes_back_as_it_was(layout, name, data, tmp_path_factory):
    words = data.draw(st.lists(names, min_size=1, max_size=6, unique=True))
    dim = data.draw(st.integers(2, 5))
    rows = st.lists(floats, min_size=dim, max_size=dim)
    vectors = np.array(data.draw(st.lists(rows, min_size=len(words), max_size=len(words))), np.float32)
    path = tmp_path_factory.mktemp("v") / name
    written = formats.write(path, layout, words, vectors)
    assert all(file.exists() for file in written)
    # Not told by its beginning alone: a file without header, which could be anything.
    told = layout if layout in ("glove", "projector", "binary", "binary-gensim") else "auto"
    again, back = formats.read(path, told)
    assert again == words
    np.testing.assert_array_equal(back + 0.0, vectors + 0.0)


def test_layout_is_told_by_the_beginning(tmp_path):
    words, vectors = ["one", "two", "three"], np.arange(12, dtype=np.float32).reshape(3, 4) / 7
    for layout in ("text", "binary", "binary-gensim", "glove", "npy", "projector"):
        path = tmp_path / (layout + (".tsv" if layout == "projector" else ".x"))
        formats.write(path, layout, words, vectors)
        again, back = formats.read(path)
        assert again == words, layout
        np.testing.assert_array_equal(back, vectors)


def test_words_with_blanks_and_no_utf8_are_kept(tmp_path):
    path = tmp_path / "glove.txt"
    path.write_bytes(b"at 0.5 1\n. . . 2 3\n\xff\xfe\xc2\xa0x 4 5 \r\n")
    words, vectors = formats.read(path)
    assert words == ["at", ". . .", "\udcff\udcfe\u00a0x"]
    assert vectors.tolist() == [[0.5, 1], [2, 3], [4, 5]]


@pytest.mark.parametrize(
    ("content", "reason"),
    [
        (b"", "is empty"),
        (b"\n", "no word vectors"),
        (b"only words here\n", "no word vectors"),
        (b"3 2\na 1 2\nb 3 4\n", "says it has 3 vectors, but has 2"),
        (b"2 2\na 1 2\nb x 4\n", "line 3: a field that is no number"),
        (b"2 2\na 1 2\nb 4\n", "line 3: fewer than 2 numbers"),
        (b"a 1 2\nb 1e999 2\n", "line 2: a field that is no number"),
        (b"99999999999999 300\n" + b"\0" * 500, "too short for the 99,999,999,999,999 vectors"),
        (b"2 999999\nabc", "dimensions"),
        (b"2 0\nabc", "dimensions"),
        (b"2 4\n" + b"\1" * 100, "no word where vector 1 should begin"),
        (b"\x93NUMPY\x01\x00garbage", "NumPy"),
        (b"\x1f\x8bnot gzip at all", "cannot read"),
    ],
)
def test_bad_files_are_refused_in_one_line(content, reason, tmp_path):
    path = tmp_path / "bad.vec"
    path.write_bytes(content)
    with pytest.raises(DataError, match=reason) as caught:
        formats.read(path)
    assert "\n" not in str(caught.value)


def test_cut_off_binary_is_refused_at_every_length(tmp_path):
    whole = (W2V / "w2v.bin").read_bytes()[:400]
    header = b"9 8\n"
    whole = header + whole.partition(b"\n")[2]
    for size in range(len(header), 40 * 8, 13):
        (tmp_path / "cut.bin").write_bytes(whole[:size])
        with pytest.raises(DataError):
            formats.read(tmp_path / "cut.bin", "binary")


def test_what_cannot_be_written_is_refused(tmp_path):
    vectors = np.zeros((1, 2), np.float32)
    with pytest.raises(DataError, match="has a blank in it"):
        formats.write(tmp_path / "v.vec", "auto", ["two words"], vectors)
    with pytest.raises(DataError, match="line break"):
        formats.write(tmp_path / "v.npy", "auto", ["a\nb"], vectors)
    with pytest.raises(UsageError, match="names no layout"):
        formats.write(tmp_path / "v.xyz", "auto", ["a"], vectors)
    with pytest.raises(UsageError, match="unknown layout"):
        formats.read(tmp_path / "v", "wrong")
    assert not (tmp_path / "v.vec").exists()


def test_missing_words_beside_an_array_are_told(tmp_path):
    np.save(tmp_path / "v.npy", np.zeros((2, 2), np.float32))
    with pytest.raises(DataError, match=r"v\.words\.txt"):
        formats.read(tmp_path / "v.npy")
    (tmp_path / "v.words.txt").write_text("a\n")
    with pytest.raises(DataError, match="does not fit 1 words"):
        formats.read(tmp_path / "v.npy")
