"""`textkit ngram count`, `merge`, and training from counts, as a user runs them."""

import json

import numpy as np
import pytest

from textkit import files
from textkit.ngram.counts import CountedText


@pytest.fixture
def shards(run, tmp_path):
    """Two texts and their count files."""
    texts = ["the cat sat\nthe dog sat\n" * 3, "a dog ran\nthe dog ran\n" * 2]
    paths = [tmp_path / f"{i}.txt" for i in range(2)]
    for path, text in zip(paths, texts, strict=True):
        path.write_text(text)
        assert run("ngram", "count", path, "-o", path.with_suffix(".counts"), "--no-cache").code == 0
    return paths, [path.with_suffix(".counts") for path in paths]


def test_count_prints_sizes(run, shards, tmp_path):
    (text, _), _ = shards
    done = run("ngram", "count", text, "--order", 2, "-o", tmp_path / "x", "--no-cache")
    assert done.out.splitlines() == ["order\tn-grams", "1\t7", "2\t6", "tokens\t18", "lines\t6"]
    said = json.loads(run("ngram", "count", text, "-o", tmp_path / "x", "--no-cache", "--json").out)
    assert (said["order"], said["ngrams"], said["tokens"]) == (3, {"1": 7, "2": 6, "3": 6}, 18)
    assert said["tokenizer"].startswith("tok:word|")


@pytest.mark.parametrize("options", [[], ["--min-count", "3"], ["--max-vocab", "2"], ["--order", "2"]])
def test_shards_train_the_same_model_as_the_text(run, shards, tmp_path, options):
    texts, counts = shards
    assert run("ngram", "train", *texts, "-o", tmp_path / "one", "--no-cache", *options).code == 0
    assert run("ngram", "train", *counts, "-o", tmp_path / "many", *options).code == 0
    assert run("ngram", "merge", *counts, "-o", tmp_path / "merged.counts").code == 0
    assert run("ngram", "train", tmp_path / "merged.counts", "-o", tmp_path / "merged", *options).code == 0
    assert (tmp_path / "one").read_bytes() == (tmp_path / "many").read_bytes() == (tmp_path / "merged").read_bytes()


def test_merged_counts_are_the_counts_of_the_text(run, shards, tmp_path):
    texts, counts = shards
    assert run("ngram", "count", *texts, "-o", tmp_path / "all", "--no-cache").code == 0
    done = run("ngram", "merge", *counts, "-o", tmp_path / "merged")
    assert done.out.splitlines()[1:] == ["1\t9", "2\t10", "3\t10", "tokens\t30", "lines\t10"]
    assert (tmp_path / "all").read_bytes() == (tmp_path / "merged").read_bytes()
    assert run("ngram", "merge", tmp_path / "all", counts[1], "--weight", "1,-1", "-o", tmp_path / "less").code == 0
    assert (tmp_path / "less").read_bytes() == counts[0].read_bytes()
    cut = json.loads(run("ngram", "merge", *counts, "--order", 2, "-o", tmp_path / "cut", "--json").out)
    assert cut["ngrams"] == {"1": 9, "2": 10}


@pytest.mark.parametrize(
    ("arguments", "code", "reason"),
    [
        (["merge", "0.counts", "1.counts", "-o", "x", "--weight", "1"], 2, "1 weights for 2 files"),
        (["merge", "0.counts", "1.counts", "-o", "x", "--weight", "1,0.5"], 2, "not a list of whole numbers"),
        (["merge", "0.counts", "1.counts", "-o", "x", "--weight", "1,-1"], 1, "taken away more often than it is there"),
        (["merge", "0.counts", "0.counts", "-o", "x", "--weight", "1,-1"], 1, "nothing would be left"),
        (["merge", "0.counts", "1.counts", "-o", "x", "--weight", "2000000000,1"], 1, "above 2,147,483,647"),
        (["merge", "0.counts", "-o", "x", "--order", "4"], 2, "cannot be had from counts of order 3"),
        (["merge", "0.txt", "-o", "x"], 1, "not a textkit file"),
        (["merge", "none", "-o", "x"], 1, "cannot open none"),
        (["train", "0.counts", "1.txt", "-o", "x"], 2, "holds counts, others are text"),
        (["train", "0.counts", "--order", "4", "-o", "x"], 2, "cannot be had from counts of order 3"),
        (["train", "0.counts", "--tokenizer", "char", "-o", "x"], 2, "was counted with tok:word"),
        (["train", "0.counts", "--min-count", "0", "-o", "x"], 2, "--min-count 0 makes no sense"),
        (["perplexity", "0.counts", "0.txt"], 1, "holds a ngram-counts"),
        (["count", "0.txt", "--order", "0", "-o", "x"], 2, "--order 0 makes no sense"),
        (["count", "0.txt", "--memory", "lots", "-o", "x"], 2, "--memory 'lots' makes no sense"),
        (["count", "0.txt", "--memory", "1e999G", "-o", "x"], 2, "--memory '1e999G' makes no sense"),
        (["count", "0.txt", "--memory", "1M", "-o", "x"], 2, "--memory 1M is too little"),
        (["count", "0.txt", "--order", "101", "-o", "x"], 2, "--order 101 makes no sense"),
    ],
)
def test_what_cannot_be_is_refused(run, shards, tmp_path, monkeypatch, arguments, code, reason):
    monkeypatch.chdir(tmp_path)
    done = run("ngram", *arguments)
    assert (done.code, len(done.err)) == (code, 1)
    assert reason in done.err[0]
    assert not (tmp_path / "x").exists()


def spoil(name, change):
    def spoiled(header, arrays):
        arrays[name] = change(arrays[name].copy())

    return spoiled


def put(place, value):
    def change(array):
        array[place] = value
        return array

    return change


@pytest.mark.parametrize(
    "change",
    [
        spoil("2.words", put(0, 99)),
        spoil("2.words", put(0, -1)),
        spoil("3.suffixes", put(0, 2**32 - 1)),
        spoil("3.suffixes", put(0, 3)),
        spoil("3.counts", put(0, 0)),
        spoil("3.counts", put(0, 2**31 - 1)),
        spoil("2.edges", put(1, 2**32 - 1)),
        spoil("2.edges", put(-1, 0)),
        spoil("2.edges", lambda edges: edges[:-1]),
        spoil("1.counts", put(slice(None), 0)),
        spoil("1.counts", lambda counts: counts.astype(np.int64)),
        spoil("first", lambda first: first[:2]),
        spoil("vocab.arena", put(0, 65)),
        lambda header, arrays: arrays.pop("2.edges"),
        lambda header, arrays: header.update(order=7),
        lambda header, arrays: header.update(order="x"),
        lambda header, arrays: header.update(order=0),
        lambda header, arrays: header.update(order=10**9),
        lambda header, arrays: header.update(tokens=-1),
        lambda header, arrays: header.update(format_version=9),
        lambda header, arrays: header.pop("tokenizer"),
    ],
)
def test_damaged_count_files_are_refused(run, shards, tmp_path, change):
    _, (path, _) = shards
    container = files.load(path)
    header, arrays = container.header, dict(container.arrays)
    change(header, arrays)
    files.save(tmp_path / "bad", container.kind, header, arrays)
    done = run("ngram", "train", tmp_path / "bad", "-o", tmp_path / "x")
    assert (done.code, len(done.err)) == (1, 1)
    assert "is damaged" in done.err[0] or "count format 9" in done.err[0]
    assert not (tmp_path / "x").exists()


def test_a_cut_off_count_file_is_refused(run, shards, tmp_path):
    _, (path, _) = shards
    (tmp_path / "bad").write_bytes(path.read_bytes()[:-9])
    done = run("ngram", "merge", tmp_path / "bad", "-o", tmp_path / "x")
    assert (done.code, len(done.err)) == (1, 1)


def test_merging_in_limited_memory_gives_the_same_file(run, shards, tmp_path):
    _, paths = shards
    scratch = tmp_path / "scratch"
    run("ngram", "merge", *paths, "-o", tmp_path / "all")
    done = run("ngram", "merge", *paths, "-o", tmp_path / "limited", "--memory", "10M", "--cache-dir", scratch)
    assert (done.code, (tmp_path / "limited").read_bytes()) == (0, (tmp_path / "all").read_bytes())
    assert run("ngram", "merge", *paths, "-o", tmp_path / "x", "--memory", "9").code == 2


def test_info_of_a_count_file(run, shards):
    _, (path, _) = shards
    said = json.loads(run("ngram", "info", path, "--json").out)
    counted = CountedText.load(path).counts
    assert said["ngrams"] == {str(n): len(level.words) for n, level in enumerate(counted.levels, 1)}
    assert (said["tokens"], said["lines"]) == (counted.tokens, counted.lines)
    assert f"tokens\t{counted.tokens:,}" in run("ngram", "info", path).out


def test_explain_by_a_count_file(run, tmp_path):
    (tmp_path / "a.txt").write_text("the cat sat\nthe dog sat\n")
    run("ngram", "count", tmp_path / "a.txt", "-o", tmp_path / "a.counts")
    run("ngram", "train", tmp_path / "a.txt", "-o", tmp_path / "a.ngram")
    run("ngram", "train", tmp_path / "a.txt", "-o", tmp_path / "kept.ngram", "--keep-counts")
    given = run("ngram", "explain", tmp_path / "a.ngram", "the cat", "--counts", tmp_path / "a.counts")
    assert given.out == run("ngram", "explain", tmp_path / "kept.ngram", "the cat").out
    assert run("ngram", "explain", tmp_path / "a.ngram", "x", "--counts", tmp_path / "a.txt").code == 1
