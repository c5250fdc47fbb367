"""fastText's files: read as the twin reads them, written byte for byte, and refused where they lie."""

import struct
import subprocess
import sys

import golden_fasttext as golden
import naive_fasttext as naive
import numpy as np
import pytest

from textkit.errors import DataError
from textkit.formats import fasttext
from textkit.formats.matrices import Coded, Dense, Picked, whole


@pytest.mark.parametrize("name", golden.MODELS)
def test_models_are_read_as_the_twin_reads_them(name, tmp_path):
    model = fasttext.read(golden.unpacked(name, tmp_path))
    twin = naive.read(golden.content(name))
    assert model.entries.names() == [*twin.words, *twin.labels]
    assert model.entries.counts.tolist() == twin.counts
    assert {key: getattr(model.settings, key) for key in ("dim", "buckets", "shortest", "longest", "word_ngrams")} == {
        key: twin.args[key] for key in ("dim", "buckets", "shortest", "longest", "word_ngrams")
    }
    assert (None if model.kept is None else dict(model.kept.tolist())) == twin.kept
    for matrix, expected in ((model.input, twin.input), (model.output, twin.output)):
        np.testing.assert_allclose(matrix.take(np.arange(len(expected))), expected, rtol=1e-6, atol=1e-9)


@pytest.mark.parametrize("name", golden.MODELS)
def test_models_are_written_byte_for_byte(name, tmp_path):
    model = fasttext.read(golden.unpacked(name, tmp_path))
    fasttext.write(tmp_path / "copy", model)
    assert (tmp_path / "copy").read_bytes() == golden.content(name)


def test_compressed_models_are_read_too():
    path = golden.GOLDEN / "sup_softmax.bin.xz"
    assert fasttext.is_fasttext(path)
    assert not fasttext.is_fasttext(golden.GOLDEN / "test.txt")
    assert fasttext.read(path).labels == 4


@pytest.mark.parametrize("name", ["sup_softmax.bin", "q_plain.ftz", "q_qnorm.ftz"])
def test_means_are_those_of_the_rows(name, tmp_path):
    matrix = fasttext.read(golden.unpacked(name, tmp_path)).input
    rng = np.random.default_rng(1)
    rows = rng.integers(0, matrix.shape[0], 40, dtype=np.int32)
    starts = np.array([0, 1, 1, 17, 40], np.int64)
    out = np.full((4, matrix.shape[1]), 7, np.float32)
    matrix.means(starts, rows, 0, 4, out)
    for i in (0, 2, 3):
        expected = matrix.take(rows[starts[i] : starts[i + 1]]).astype(np.float64).mean(0)
        np.testing.assert_allclose(out[i], expected, rtol=1e-5, atol=1e-7)
    assert not out[1].any()


def test_rows_are_picked_in_any_order_and_lacking_ones_are_zeros():
    matrix = np.arange(12, dtype=np.float32).reshape(4, 3)
    picked = Picked(Dense.of(matrix), np.array([2, -1, 0], np.int32))
    assert picked[1:].tolist() == [[0, 0, 0], [0, 1, 2]]
    assert np.asarray(picked).tolist() == [[6, 7, 8], [0, 0, 0], [0, 1, 2]]
    assert picked.shape == (3, 3)


def test_numbers_that_are_none_are_noticed_when_a_matrix_is_taken_whole():
    with pytest.raises(DataError, match="infinite or none"):
        whole(Dense.of(np.array([[1, np.nan]], np.float32)))


# --- what is wrong with a file -------------------------------------------------------------------------

WHOLE = golden.content("sup_softmax.bin")
PRUNED = golden.content("q_cutoff.ftz")
DICTIONARY = 64


def changed(data, place, form, *values):
    data = bytearray(data)
    struct.pack_into("<" + form, data, place, *values)
    return bytes(data)


def matrix_place(data):
    """Where the input matrix begins."""
    source = naive.Bytes(data)
    source.place = DICTIONARY
    size, _, _ = source.take("3i")
    _, pruned = source.take("2q")
    for _ in range(size):
        source.text()
        source.take("qb")
    return source.place + 8 * max(pruned, 0)


INPUT, CODED_INPUT = matrix_place(WHOLE), matrix_place(PRUNED)


@pytest.mark.parametrize(
    ("data", "reason"),
    [
        (b"", "cannot map"),
        (WHOLE[:20], "cut off"),
        (b"\0" * 200, "no fastText model"),
        (changed(WHOLE, 4, "i", 13), "newer version"),
        (changed(WHOLE, 8, "i", 0), "dim 0"),
        (changed(WHOLE, 8, "i", 1 << 30), "dim 1073741824"),
        (changed(WHOLE, 28, "i", -3), "word-ngrams -3"),
        (changed(WHOLE, 32, "i", 5), "loss 5"),
        (changed(WHOLE, 36, "i", 0), "model 0"),
        (changed(WHOLE, 40, "i", 0), "0 buckets"),
        (changed(WHOLE, 40, "i", 2001), "input matrix is"),
        (changed(WHOLE, DICTIONARY, "i", 1 << 30), "words"),
        (changed(WHOLE, DICTIONARY, "3i", (1 << 30) + 4, 1 << 30, 4), "dictionary should have"),
        (changed(WHOLE, DICTIONARY, "3i", -5, -9, 4), "dictionary says"),
        (changed(WHOLE, DICTIONARY, "3i", 4926, 4921, 5), "labels do not stand behind"),
        (changed(WHOLE, DICTIONARY + 20, "q", 1 << 50), "list of n-grams"),
        (changed(WHOLE, DICTIONARY + 20, "q", 0), "input matrix is|not coded"),
        (changed(WHOLE, DICTIONARY + 33, "q", -1), "impossible counts"),
        (changed(WHOLE, INPUT + 1, "q", 1 << 60), "input matrix says"),
        (changed(WHOLE, INPUT + 1, "q", 1 << 36), "input matrix should take"),
        (changed(WHOLE, INPUT + 9, "q", -8), "input matrix says"),
        (WHOLE[:-1], "cut off"),
        (WHOLE[: INPUT + 40], "cut off"),
        (changed(PRUNED, CODED_INPUT + 2, "q", 1 << 35), "codes"),
        (changed(PRUNED, CODED_INPUT + 18, "i", -1), "codes|codebook"),
        (changed(PRUNED, CODED_INPUT - 4, "i", 500), "rows that are not there"),
        (PRUNED[:-200], "cut off"),
    ],
)
def test_bad_files_are_refused_in_one_line(data, reason, tmp_path):
    path = tmp_path / "bad.bin"
    path.write_bytes(data)
    with pytest.raises(DataError, match=reason) as caught:
        fasttext.read(path)
    assert "\n" not in str(caught.value)


def test_centroids_that_are_no_numbers_are_refused(tmp_path):
    codes = 500 * 4 + 500 * 4
    place = CODED_INPUT + 1 + 1 + 16 + 4 + codes + 16
    assert struct.unpack_from("<4i", PRUNED, place - 16)[0] == 8
    path = tmp_path / "nan.ftz"
    path.write_bytes(changed(PRUNED, place, "f", float("nan")))
    with pytest.raises(DataError, match="codebook has numbers"):
        fasttext.read(path)


@pytest.mark.parametrize("name", ["sup_softmax.bin", "q_cutoff.ftz"])
def test_files_cut_off_anywhere_are_refused(name, tmp_path):
    data, path = golden.content(name), tmp_path / "cut"
    for size in sorted({*range(1, 130), *range(130, len(data), len(data) // 60)}):
        path.write_bytes(data[:size])
        with pytest.raises(DataError):
            fasttext.read(path)


def test_lying_sizes_take_no_memory(tmp_path):
    lies = [
        changed(WHOLE, DICTIONARY, "3i", (1 << 31) - 1, (1 << 31) - 5, 4),
        changed(WHOLE, DICTIONARY + 20, "q", 1 << 40),
        changed(WHOLE, INPUT + 1, "q", 1 << 39),
        changed(PRUNED, CODED_INPUT + 18, "i", (1 << 31) - 1),
    ]
    for i, lie in enumerate(lies):
        (tmp_path / f"{i}.bin").write_bytes(lie)
    code = (
        "import resource, sys\nfrom textkit.errors import DataError\nfrom textkit.formats import fasttext\n"
        "resource.setrlimit(resource.RLIMIT_AS, (6 << 30, resource.RLIM_INFINITY))\n"
        "for path in sys.argv[1:]:\n"
        "    try:\n        fasttext.read(path)\n        raise SystemExit('not refused')\n"
        "    except DataError:\n        pass\n"
    )
    paths = sorted(map(str, tmp_path.glob("*.bin")))
    subprocess.run([sys.executable, "-c", code, *paths], check=True)


def test_models_of_version_11_ignore_their_character_ngrams(tmp_path):
    data = changed(golden.content("sup_hs.bin"), 4, "i", 11)
    path = tmp_path / "old.bin"
    path.write_bytes(data)
    assert fasttext.read(path).settings.longest == 0


def test_coded_and_dense_tell_their_shapes(tmp_path):
    coded = fasttext.read(golden.unpacked("q_qnorm.ftz", tmp_path)).input
    assert isinstance(coded, Coded)
    assert coded.shape == (6922, 8)
    assert coded.book.parts == 4
