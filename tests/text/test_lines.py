"""Lines as they are: tokenized, split, sampled, without duplicates."""

import gzip
from collections import Counter

import naive
import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from textkit.errors import DataError, UsageError
from textkit.text import blocks as block_module
from textkit.text import lines as lines_module
from textkit.text.reader import Lines, Reader
from textkit.text.tokenizer import Tokenizer

texts = st.lists(st.sampled_from(["a", "it's", "é", "漢", " ", "\n", "\r\n", "word " * 5, "\ufeff"]), max_size=25).map(
    "".join
)


def labelled(label: str, count: int) -> list[bytes]:
    return [f"__label__{label} {label}{i}\n".encode() for i in range(count)]


def shares_of(found: list[tuple[int, bytes]]) -> list[int]:
    counts = Counter(part for part, _ in found)
    return [counts[part] for part in range(3)]


# --- tokenize -------------------------------------------------------------------------------------------


@pytest.mark.parametrize("name", ["word", "char"])
@given(
    contents=st.lists(texts, min_size=1, max_size=3),
    block=st.sampled_from([1, 5, 4096]),
    threads=st.sampled_from([1, 3]),
)
@example(contents=["a b", "c"], block=1, threads=3)
def test_tokenized_text_keeps_its_lines(tmp_path, name, contents, block, threads):
    tokenizer, expected = Tokenizer(name), b""
    for i, text in enumerate(contents):
        (tmp_path / f"{i}.txt").write_bytes(text.encode())
        for line in naive.text_lines(text.removeprefix("\ufeff").encode()):
            expected += naive.join_tokens([tokenizer.reference_tokens(line)]) + b"\n"
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(block_module, "BLOCK", block)
        patch.setattr(block_module, "LONG_LINE", 2 * block)
        text = Reader([tmp_path / f"{i}.txt" for i in range(len(contents))])
        assert b"".join(lines_module.tokenized(text, tokenizer, threads)) == expected


@given(texts, st.sampled_from([1, 5, 4096]))
def test_raw_lines(tmp_path, text, block):
    (path := tmp_path / "a.txt").write_bytes(text.encode())
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(block_module, "BLOCK", block)
        patch.setattr(block_module, "LONG_LINE", 2 * block)
        found = list(lines_module.raw_lines(Reader([path])))
    assert found == [line + b"\n" for line in naive.text_lines(text.removeprefix("\ufeff").encode())]


# --- split ----------------------------------------------------------------------------------------------


def test_shares_are_exact_in_every_run_of_a_hundred_lines():
    found = list(lines_module.split_parts([b"x\n"] * 1000, [98, 1, 1], seed=1))
    for start in range(0, 1000, 100):
        assert shares_of(found[start : start + 100]) == [98, 1, 1]


def test_shares_are_exact_for_each_label():
    lines = labelled("a", 1000) + labelled("b", 100) + labelled("c", 10)
    mixed = [lines[i * 773 % len(lines)] for i in range(len(lines))]
    found = list(lines_module.split_parts(mixed, [80, 10, 10], seed=3))
    for label, expected in ((b"a", [800, 100, 100]), (b"b", [80, 10, 10]), (b"c", [8, 1, 1])):
        assert shares_of([(part, line) for part, line in found if b" " + label in line]) == expected


@given(
    shares=st.lists(st.integers(0, 20), min_size=1, max_size=3).filter(any),
    count=st.integers(0, 300),
    seed=st.integers(0, 9),
)
def test_parts_united_are_the_input_and_shares_hold_everywhere(shares, count, seed):
    lines = [f"{i}\n".encode() for i in range(count)]
    found = list(lines_module.split_parts(iter(lines), shares, seed))
    assert [line for _, line in found] == lines
    run = max(1, round(sum(shares) / min(filter(None, shares))))
    for end in range(run, count, run):
        for part, share in enumerate(shares):
            dealt = sum(p == part for p, _ in found[:end])
            assert abs(dealt - end * share / sum(shares)) <= 1.5
            assert share or not dealt


def test_split_is_seeded_and_mixes():
    lines = [f"{i}\n".encode() for i in range(300)]
    splits = [list(lines_module.split_parts(lines, [80, 10, 10], seed)) for seed in (5, 5, 6)]
    assert splits[0] == splits[1] != splits[2]
    places = {i % 10 for i, (part, _) in enumerate(splits[0]) if part == 2}
    assert len(places) > 3


@pytest.mark.parametrize("shares", [[], [0, 0], [-1, 2], [float("nan"), 1, 1], [float("inf"), 1, 1]], ids=str)
def test_impossible_shares_are_refused(shares):
    with pytest.raises(UsageError, match="make no sense"):
        list(lines_module.split_parts([b"a\n"], shares, 0))


@given(st.lists(st.sampled_from([b"__label__x", b"__label__y", b"w", b"__label"]), max_size=5))
def test_labels_of_a_line(words):
    line = b" ".join(words) + b"\n"
    assert lines_module.labels_of(line) == tuple(word for word in words if word.startswith(b"__label__"))


def test_split_files(tmp_path):
    lines = [f"{i}\n".encode() for i in range(100)]
    counts = lines_module.split_files(lines, str(tmp_path / "t"), [80, 10, 10], 0)
    assert counts == {str(tmp_path / f"t.{part}.txt"): n for part, n in (("train", 80), ("dev", 10), ("test", 10))}
    written = [(tmp_path / f"t.{part}.txt").read_bytes().splitlines(True) for part in ("train", "dev", "test")]
    assert [len(part) for part in written] == [80, 10, 10]
    assert sorted(line for part in written for line in part) == sorted(lines)
    assert all(part == sorted(part, key=int) for part in written)
    assert list(lines_module.split_files(lines, str(tmp_path / "z"), [1, 1], 0, ".txt.gz")) == [
        str(tmp_path / "z.train.txt.gz"),
        str(tmp_path / "z.dev.txt.gz"),
    ]
    assert gzip.decompress((tmp_path / "z.dev.txt.gz").read_bytes()).count(b"\n") == 50


def test_failed_split_writes_no_file(tmp_path):
    def lines():
        yield b"a\n"
        raise DataError("broken")

    with pytest.raises(DataError, match="broken"):
        lines_module.split_files(lines(), str(tmp_path / "t"), [1, 1, 1], 0)
    assert list(tmp_path.iterdir()) == []
    (tmp_path / "t.dev.txt").mkdir()
    with pytest.raises(DataError, match="is a directory"):
        lines_module.split_files([b"a\n"], str(tmp_path / "t"), [1, 1, 1], 0)
    assert [path.name for path in tmp_path.iterdir()] == ["t.dev.txt"]


# --- sample, dedup --------------------------------------------------------------------------------------


@given(total=st.integers(0, 40), count=st.integers(1, 20), seed=st.integers(0, 5))
def test_sample_is_some_lines_in_order(total, count, seed):
    lines = [b"%d\n" % i for i in range(total)]
    found = lines_module.sampled(iter(lines), count, seed)
    assert len(found) == min(count, total)
    assert found == sorted(set(found), key=int)
    assert set(found) <= set(lines)
    assert found == lines_module.sampled(iter(lines), count, seed)


def test_every_line_is_as_likely_in_a_sample():
    drawn = Counter(
        line for seed in range(600) for line in lines_module.sampled((b"%d" % i for i in range(20)), 5, seed)
    )
    assert len(drawn) == 20
    assert all(90 < n < 215 for n in drawn.values()), drawn  # 150 expected, standard deviation 10.6


def test_thinned_keeps_about_its_rate():
    lines = [b"%d\n" % i for i in range(10_000)]
    found = list(lines_module.thinned(lines, 0.3, 1))
    assert 2_850 < len(found) < 3_150
    assert found == sorted(set(found), key=int)
    assert found == list(lines_module.thinned(lines, 0.3, 1)) != list(lines_module.thinned(lines, 0.3, 2))
    assert list(lines_module.thinned(lines, 0.0, 1)) == []
    assert list(lines_module.thinned(lines, 1.0, 1)) == lines


@given(st.lists(st.binary(max_size=2)))
def test_distinct_keeps_first_appearances(lines):
    assert list(lines_module.distinct(lines)) == list(dict.fromkeys(lines))


def test_written_lines_are_compressed_as_named(tmp_path):
    assert lines_module.write_lines([b"a\n", b"b\n"], tmp_path / "x.gz") == 2
    assert gzip.decompress((tmp_path / "x.gz").read_bytes()) == b"a\nb\n"


def test_lines_from_strings_can_be_tokenized():
    assert b"".join(lines_module.tokenized(Lines(["it's,", "", "b"]), Tokenizer("word"))) == b"it's ,\n\nb\n"
