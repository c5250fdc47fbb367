"""KenLM binary files of every kind against the ARPA files that they were built from, and files that only pretend."""

import lzma
import struct
import tracemalloc
from functools import cache
from itertools import pairwise
from pathlib import Path

import naive_kenlm
import numpy as np
import pytest

from textkit.errors import DataError
from textkit.formats import arpa, kenlm, kenlm_file, kenlm_probing
from textkit.kernels import kenlm as kernels

GOLDEN = Path(__file__).parent.parent / "golden"
LARGE, SMALL = GOLDEN / "ngram", GOLDEN / "kenlm"
KINDS = {"small.o2.probing": 0, "small.o4.rest": 1, "pruned.trie": 2, "small.o4.qtrie": 3, "small.o5.atrie": 4}
HEADER = struct.Struct("<88sB3xfiB3xI")  # sanity block, order, multiplier, type, has words, version


def unpacked(source: Path, directory: Path) -> Path:
    path = directory / source.name.removesuffix(".xz")
    path.write_bytes(lzma.decompress(source.read_bytes()) if source.suffix == ".xz" else source.read_bytes())
    return path


@cache
def listed_in_arpa(path: Path) -> dict[tuple[bytes, ...], tuple[float, float]]:
    entries = {}
    for piece in arpa.Reader(path).entries():
        data = piece.buffer.tobytes()
        words = [data[a:b] for a, b in piece.spans.tolist()]
        for i, numbers in enumerate(piece.numbers.tolist()):
            entries[tuple(words[i * piece.order : (i + 1) * piece.order])] = tuple(numbers)
    return entries


def listed(listing: kenlm.Listing) -> dict[tuple[bytes, ...], tuple[float, float]]:
    data = listing.arena.tobytes()
    words = [data[a:b] for a, b in pairwise(listing.ends.tolist())]
    entries = {}
    for n, level in enumerate(listing.levels, 1):
        assert (level.ngrams.dtype, level.numbers.dtype) == (np.int32, np.float32)
        assert (level.ngrams.shape[1], level.numbers.shape) == (n, (len(level.ngrams), 2))
        for ngram, numbers in zip(level.ngrams.tolist(), level.numbers.tolist(), strict=True):
            entries[tuple(words[i] for i in ngram)] = tuple(numbers)
    assert len(entries) == sum(len(level.ngrams) for level in listing.levels)
    return entries


EXACT = [
    (LARGE, "train.o3.probing.xz", "train.o3.arpa.xz"),
    (LARGE, "train.o3.trie", "train.o3.arpa.xz"),
    (SMALL, "small.o2.probing.xz", "small.o2.arpa.xz"),
    (SMALL, "small.o2.atrie.xz", "small.o2.arpa.xz"),
    (SMALL, "small.o4.rest.xz", "small.o4.arpa.xz"),
    (SMALL, "small.o5.atrie.xz", "small.o5.arpa.xz"),
]


@pytest.mark.parametrize(("directory", "binary", "text"), EXACT, ids=[case[1] for case in EXACT])
@pytest.mark.parametrize("threads", [1, 3])
def test_lists_what_the_arpa_file_lists(tmp_path, directory, binary, text, threads):
    path = unpacked(directory / binary, tmp_path)
    assert kenlm.is_kenlm(path)
    assert listed(kenlm.read(path, threads)) == listed_in_arpa(directory / text)


@pytest.mark.parametrize(
    ("directory", "binary", "text", "codes"),
    [
        (LARGE, "train.o3.qtrie", "train.o3.arpa.xz", (1 << 8, 1 << 8)),
        (SMALL, "small.o4.qtrie.xz", "small.o4.arpa.xz", (1 << 5, 1 << 3)),
    ],
    ids=["q8-b8-a22", "q5-b3"],
)
def test_quantised_values_are_the_nearest_of_their_table(tmp_path, directory, binary, text, codes):
    found = listed(kenlm.read(unpacked(directory / binary, tmp_path)))
    expected = listed_in_arpa(directory / text)
    assert found.keys() == expected.keys()
    for n in range(1, max(map(len, expected)) + 1):
        ngrams = [ngram for ngram in expected if len(ngram) == n]
        for column in (0, 1):
            true = np.array([expected[ngram][column] for ngram in ngrams])
            got = np.array([found[ngram][column] for ngram in ngrams])
            if n == 1:
                assert got.tolist() == true.tolist()
                continue
            if column:  # 0 has a code of its own, and so has -0
                assert ((got == 0) == (true == 0)).all()
                true, got = true[true != 0], got[true != 0]
            values = np.unique(got)
            assert len(values) <= codes[column] - 2 * column
            if len(values):
                nearest = np.abs(true[:, None] - values).min(axis=1)
                assert np.abs(true - got) == pytest.approx(nearest, abs=1e-6)


@pytest.mark.parametrize("binary", ["pruned.probing.xz", "pruned.trie.xz"])
def test_blanks_for_pruned_suffixes_are_listed_with_what_backing_off_gives(tmp_path, binary):
    """An ARPA file without <unk> and without "b c </s>" and "c </s>", which a longer n-gram ends with."""
    found = listed(kenlm.read(unpacked(SMALL / binary, tmp_path)))
    expected = {
        **listed_in_arpa(SMALL / "pruned.arpa"),
        (b"<unk>",): (-100.0, 0.0),
        (b"c", b"</s>"): (-0.5 - 0.35, 0.0),
        (b"b", b"c", b"</s>"): (-0.5 - 0.35, 0.0),
    }
    assert found.keys() == expected.keys()
    for ngram, numbers in expected.items():
        assert found[ngram] == pytest.approx(numbers, abs=1e-6), ngram


def test_keys_are_kenlms(tmp_path):
    path = unpacked(SMALL / "small.o4.rest.xz", tmp_path)
    cursor, header = kenlm_file.open_file(path)
    cursor.take(8 + 12 * kenlm_probing.buckets(header.counts[0], header.multiplier), "")
    tables = kenlm_probing.layout(cursor, header)
    for table, level in zip(tables[1:], kenlm.read(path).levels[1:], strict=True):
        expected = sorted(naive_kenlm.key(ngram) for ngram in level.ngrams.tolist())
        assert sorted(table["key"][table["key"] != 0].tolist()) == expected


def test_ngrams_with_equal_keys_are_both_listed(tmp_path, monkeypatch):
    """No two n-grams of a file this small collide, so one is found twice by trying all pairs once more."""
    path = unpacked(SMALL / "small.o4.rest.xz", tmp_path)
    expected = kenlm.read(path)
    match = kernels.match

    def twice(strips, lefts, rights, keys, shift, starts, filled, found, spare):
        extra = match(strips, lefts, rights, keys, shift, starts, filled, found, spare)
        if len(keys) == len(expected.levels[-1].ngrams):
            spare[extra] = (2, *found[2])
            extra += 1
        return extra

    monkeypatch.setattr(kernels, "match", twice)
    levels = kenlm.read(path).levels
    assert [len(level.ngrams) for level in levels[:-1]] == [len(level.ngrams) for level in expected.levels[:-1]]
    assert levels[-1].ngrams[2].tolist() == levels[-1].ngrams[3].tolist()
    assert np.delete(levels[-1].ngrams, 2, axis=0).tolist() == expected.levels[-1].ngrams.tolist()
    assert np.delete(levels[-1].numbers, 2, axis=0).tolist() == expected.levels[-1].numbers.tolist()


def test_progress_counts_every_pair(tmp_path):
    events = []
    kenlm.read(unpacked(SMALL / "small.o2.probing.xz", tmp_path), 1, events.append)
    assert [(event.stage, event.done == event.total, event.unit) for event in events] == [
        ("recovering 2-grams", True, "pairs")
    ]


def test_hopeless_probing_models_are_refused(tmp_path, monkeypatch):
    monkeypatch.setattr(kenlm_probing, "_PAIRS_LIMIT", 100)
    with pytest.raises(DataError, match=r"pairs of shorter ones would have to be tried.*as a trie"):
        kenlm.read(unpacked(SMALL / "small.o2.probing.xz", tmp_path))


def changed(data: bytes, order=None, multiplier=None, kind=None, words=None, version=None, counts=None) -> bytes:
    sanity, *fields = HEADER.unpack_from(data)
    given = (order, multiplier, kind, words, version)
    fields = [old if new is None else new for old, new in zip(fields, given, strict=True)]
    data = HEADER.pack(sanity, *fields) + data[HEADER.size :]
    for n, count in (counts or {}).items():
        at = HEADER.size + 8 * (n - 1)
        data = data[:at] + struct.pack("<Q", count) + data[at + 8 :]
    return data


LIES = {
    "empty": (lambda d: b"", "empty"),
    "text": (lambda d: b"\\data\\\n", "no KenLM"),
    "unfinished": (lambda d: b"mmap lm http://kheafield.com/code incomplete\n" + bytes(100), "unfinished"),
    "old": (lambda d: d.replace(b"version 5", b"version 4", 1), "old version"),
    "other machine": (lambda d: d[:56] + d[56:88][::-1] + d[88:], "another kind"),
    "only magic": (lambda d: d[:60], "cut off"),
    "no counts": (lambda d: d[:110], "cut off"),
    "order 0": (lambda d: changed(d, order=0), "order 0"),
    "order 255": (lambda d: changed(d, order=255), "order 255"),
    "multiplier": (lambda d: changed(d, multiplier=float("nan")), "multiplier"),
    "unknown kind": (lambda d: changed(d, kind=6), "not known"),
    "another version": (lambda d: changed(d, version=7), "not known"),
    "no words": (lambda d: changed(d, words=0), "built without its words"),
    "no unigrams": (lambda d: changed(d, counts={1: 0}), "header says"),
    "2 ** 63 unigrams": (lambda d: changed(d, counts={1: 1 << 63}), "header says"),
    "2 billion unigrams": (lambda d: changed(d, counts={1: (1 << 31) - 1}), "should take"),
    "2 billion bigrams": (lambda d: changed(d, counts={2: 1 << 31}), "should take"),
    "more bigrams": (lambda d: changed(d, counts={2: 300}), "damaged"),
    "one word less": (lambda d: d[: d.rindex(b"\0", 0, -1) + 1], "end with"),
    "no last NUL": (lambda d: d[:-1], "end with"),
    "an empty word": (lambda d: d[: d.rindex(b"\0", 0, -1) + 1] + b"\0", "empty"),
}


@pytest.mark.parametrize("lie", LIES)
@pytest.mark.parametrize("binary", KINDS)
def test_lies_are_refused_in_one_line(tmp_path, binary, lie):
    path = unpacked(SMALL / f"{binary}.xz", tmp_path)
    lied, message = LIES[lie]
    path.write_bytes(lied(path.read_bytes()))
    tracemalloc.start()
    try:
        with pytest.raises(DataError, match=message) as error:
            kenlm.read(path)
        assert tracemalloc.get_traced_memory()[1] < 5 << 20
    finally:
        tracemalloc.stop()
    assert "\n" not in str(error.value)


def test_lying_multiplier_is_refused(tmp_path):
    path = unpacked(SMALL / "small.o2.probing.xz", tmp_path)
    path.write_bytes(changed(path.read_bytes(), multiplier=9e5))
    with pytest.raises(DataError, match="vocabulary should take"):
        kenlm.read(path)


@pytest.mark.parametrize("binary", KINDS)
def test_kinds_of_the_small_files(tmp_path, binary):
    assert kenlm_file.open_file(unpacked(SMALL / f"{binary}.xz", tmp_path))[1].kind == KINDS[binary]


def test_kinds_do_not_pass_for_one_another(tmp_path):
    for binary, kind in KINDS.items():
        path = unpacked(SMALL / f"{binary}.xz", tmp_path)
        data = path.read_bytes()
        for other in range(6):
            if other != kind:
                path.write_bytes(changed(data, kind=other, version=int(other >= 2)))
                with pytest.raises(DataError):
                    kenlm.read(path)


@pytest.mark.parametrize("binary", KINDS)
@pytest.mark.parametrize("seed", range(8))
def test_damage_raises_nothing_but_data_errors(tmp_path, binary, seed):
    path = unpacked(SMALL / f"{binary}.xz", tmp_path)
    whole, random, refused = path.read_bytes(), np.random.default_rng(seed), 0
    for _ in range(40):
        data = bytearray(whole)
        if random.random() < 0.3:
            del data[random.integers(len(data)) :]
        for _ in range(random.integers(0, 4)):
            place = random.integers(min(len(data), 200 if random.random() < 0.5 else 1 << 30) or 1)
            data[place : place + 1] = bytes([random.integers(256)])
        path.write_bytes(data)
        try:
            for level in kenlm.read(path).levels:
                assert np.isfinite(level.numbers).all()
        except DataError:
            refused += 1
    assert refused > 10


@pytest.mark.parametrize("size", range(0, 240, 7))
def test_truncated_files_are_refused(tmp_path, size):
    for binary in KINDS:
        path = unpacked(SMALL / f"{binary}.xz", tmp_path)
        path.write_bytes(path.read_bytes()[:size])
        with pytest.raises(DataError):
            kenlm.read(path)


def test_file_without_words_is_refused_with_a_cure(tmp_path):
    with pytest.raises(DataError, match=r"without its words \(build_binary -v\).*without -v, or give the ARPA"):
        kenlm.read(unpacked(SMALL / "small.o4.nowords.xz", tmp_path))


def test_missing_file_and_directory(tmp_path):
    for path in (tmp_path / "none", tmp_path):
        with pytest.raises(DataError, match="cannot"):
            kenlm.read(path)
