"""`textkit corpus`: exact output and exit codes, and how the program ends when it is stopped."""

import gzip
import json
import os
import signal
import subprocess
import sys
import time

import pytest

TEXT = "Don't stop!\n\nÄrger: 3.14 stop\n"


@pytest.fixture
def text(tmp_path):
    (path := tmp_path / "text.txt").write_text(TEXT, "utf-8")
    return path


# --- tokenize, vocab ------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("options", "expected"),
    [
        ([], "Don't stop !\n\nÄrger : 3.14 stop\n"),
        (["--lowercase", "--zero-digits"], "don't stop !\n\närger : 0.00 stop\n"),
        (["--tokenizer", "whitespace"], TEXT),
        (["--tokenizer", "char"], "D o n ' t ▁ s t o p !\n\nÄ r g e r : ▁ 3 . 1 4 ▁ s t o p\n"),
        (["--tokenizer", r"regex:\p{Lu}\w+", "--threads", "2"], "Don\n\nÄrger\n"),
    ],
)
def test_tokenize(run, text, options, expected):
    done = run("corpus", "tokenize", text, *options)
    assert (done.code, done.out, done.err) == (0, expected, [])


def test_tokenize_standard_input_and_many_files(run, text):
    done = run("corpus", "tokenize", "-", text, "-", stdin=gzip.compress(b"it's,"))
    assert done.out == "it's ,\nDon't stop !\n\nÄrger : 3.14 stop\nit's ,\n"


def test_tokenize_into_a_compressed_file(run, text, tmp_path):
    done = run("corpus", "tokenize", text, "--output", tmp_path / "out.gz")
    assert (done.code, done.out, done.err) == (0, "", [])
    assert gzip.decompress((tmp_path / "out.gz").read_bytes()).decode() == "Don't stop !\n\nÄrger : 3.14 stop\n"


def test_empty_text_has_no_tokens(run, tmp_path):
    (tmp_path / "empty").write_bytes(b"")
    for command in ("tokenize", "dedup"):
        assert (run("corpus", command, tmp_path / "empty").code, run("corpus", command, tmp_path / "empty").out) == (
            0,
            "",
        )


def test_vocab(run, text, tmp_path):
    expected = "stop\t2\nDon't\t1\n!\t1\nÄrger\t1\n:\t1\n3.14\t1\n"
    done = run("corpus", "vocab", text)
    assert (done.code, done.out, done.err) == (0, expected, [])
    assert run("corpus", "vocab", text, "--min-count", 2).out == "stop\t2\n"
    assert run("corpus", "vocab", text, "--max-vocab", 2).out == "stop\t2\nDon't\t1\n"
    assert run("corpus", "vocab", text, "-o", tmp_path / "v").out == ""
    assert (tmp_path / "v").read_text("utf-8") == expected


@pytest.mark.parametrize("command", ["tokenize", "vocab", "dedup"])
def test_skipped_lines_are_told(run, tmp_path, command):
    (tmp_path / "a").write_bytes(b"a\n\xff\nb\n\xfe")
    done = run("corpus", command, tmp_path / "a", "--errors", "skip")
    assert done.code == 0
    assert done.err[0] == "note: left out 2 lines that are not valid utf-8."


# --- stats ----------------------------------------------------------------------------------------------


def test_stats_as_json(run, text, tmp_path):
    (tmp_path / "words.tsv").write_text("stop\t9\n!\n")
    done = run("corpus", "stats", text, "--json", "--no-cache", "--top", 1, "--against", tmp_path / "words.tsv")
    assert (done.code, done.err) == (0, [])
    assert json.loads(done.out) == {
        "lines": 3, "tokens": 7, "types": 6, "once": 5, "characters": 30, "bytes": 31, "empty_lines": 1,
        "longest_line": 4, "growth": [[7, 6]], "coverage": [[6, 1.0]], "frequent": [["stop", 2, 2 / 7]],
        "unknown": {
            "types": 4, "tokens": 4, "type_rate": 4 / 6, "token_rate": 4 / 7,
            "examples": [["Don't", 1], ["Ärger", 1], [":", 1], ["3.14", 1]],
        },
    }  # fmt: skip


def test_stats_as_tables_in_a_pipe(run, text):
    done = run("corpus", "stats", text, "--no-cache", "--top", 2)
    assert done.out.splitlines() == [
        "what\tnumber", "lines\t3", "empty lines\t1", "longest line\t4", "tokens\t7", "types\t6", "once\t5",
        "characters\t30", "bytes\t31", "tokens\ttypes", "7\t6", "most frequent types\tof all tokens", "6\t100.00%",
        "word\tcount\tshare", "stop\t2\t28.571%", "Don't\t1\t14.286%",
    ]  # fmt: skip


def test_stats_uses_the_cache_directory_it_is_given(run, text, tmp_path):
    first, second = (run("corpus", "stats", text, "--cache-dir", tmp_path / "cache") for _ in range(2))
    assert first == second
    assert [path.suffix for path in (tmp_path / "cache").iterdir()] == [".corpus"]


def test_stats_plot(run, text, tmp_path):
    pytest.importorskip("matplotlib")
    assert run("corpus", "stats", text, "--no-cache", "--plot", tmp_path / "zipf.svg").code == 0
    assert b"<svg" in (tmp_path / "zipf.svg").read_bytes()


# --- split, sample, dedup -------------------------------------------------------------------------------


@pytest.fixture
def numbers(tmp_path):
    (path := tmp_path / "n.txt").write_text("".join(f"{i}\n" for i in range(100)))
    return path


def test_split(run, numbers, tmp_path):
    done = run("corpus", "split", numbers, "--shares", "80/10/10", "--seed", 7)
    files = [str(tmp_path / f"n.{part}.txt") for part in ("train", "dev", "test")]
    assert (done.code, done.err) == (0, [])
    assert done.out == f"file\tlines\n{files[0]}\t80\n{files[1]}\t10\n{files[2]}\t10\n"
    parts = [(tmp_path / f"n.{part}.txt").read_text().split() for part in ("train", "dev", "test")]
    assert sorted(int(line) for part in parts for line in part) == list(range(100))
    again = run("corpus", "split", numbers, "--shares", "8,1,1", "--seed", 7, "-o", tmp_path / "z", "--json")
    assert json.loads(again.out) == {
        str(tmp_path / f"z.{p}.txt"): n for p, n in (("train", 80), ("dev", 10), ("test", 10))
    }
    assert (tmp_path / "z.dev.txt").read_text().split() == parts[1]


def test_split_into_two_and_from_standard_input(run, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    done = run("corpus", "split", "-", "--shares", "1/1", stdin=b"a\nb\nc\nd\n")
    assert done.out == "file\tlines\ntext.train.txt\t2\ntext.dev.txt\t2\n"
    assert sorted(path.name for path in tmp_path.iterdir()) == ["text.dev.txt", "text.train.txt"]


def test_sample(run, numbers, tmp_path):
    done = run("corpus", "sample", numbers, "-n", 5, "--seed", 1)
    found = [int(line) for line in done.out.split()]
    assert (done.code, len(found), found) == (0, 5, sorted(set(found)))
    assert run("corpus", "sample", numbers, "-n", 5, "--seed", 1).out == done.out
    assert run("corpus", "sample", numbers, "-n", 5, "--seed", 2).out != done.out
    assert run("corpus", "sample", numbers, "-n", 1000).out == numbers.read_text()
    assert run("corpus", "sample", numbers, "--rate", 0).out == ""
    assert run("corpus", "sample", numbers, "--rate", 1, "-o", tmp_path / "all").out == ""
    assert (tmp_path / "all").read_text() == numbers.read_text()


def test_dedup(run, tmp_path):
    (tmp_path / "a").write_bytes(b"x\ny\nx")
    done = run("corpus", "dedup", tmp_path / "a", "-", stdin=b"y\nz\n\n\n")
    assert (done.code, done.out, done.err) == (0, "x\ny\nz\n\n", ["note: kept 4 of 7 lines."])


def test_lines_of_tables_stay_whole_unless_a_format_is_given(run, tmp_path):
    (tmp_path / "a.csv").write_text("text,n\nx,1\nx,2\nx,1\n")
    assert run("corpus", "dedup", tmp_path / "a.csv").out == "text,n\nx,1\nx,2\n"
    assert run("corpus", "dedup", tmp_path / "a.csv", "--format", "csv").out == "x\n"


# --- how it ends ----------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    "arguments",
    [
        ["corpus", "tokenize", "TEXT"],
        ["corpus", "vocab", "TEXT", "--tokenizer", "whitespace"],
        ["corpus", "dedup", "TEXT"],
        ["corpus", "stats", "TEXT", "--no-cache", "--json", "--top", "99999"],
        ["corpus", "--help"],
    ],
    ids=lambda arguments: arguments[1],
)
def test_closed_pipe_ends_quietly(tmp_path, arguments):
    (tmp_path / "text").write_text("".join(f"line{i}\n" for i in range(60_000)))
    arguments = [str(tmp_path / "text") if argument == "TEXT" else argument for argument in arguments]
    with subprocess.Popen(
        [sys.executable, "-m", "textkit", *arguments], stdout=subprocess.PIPE, stderr=subprocess.PIPE
    ) as process:
        process.stdout.close()  # as `| head -0` does; the output is larger than a pipe holds
        err = [line for line in process.stderr.read().decode().splitlines() if not line.startswith("note:")]
        assert (process.wait(), err) == (0, [])


def test_first_lines_arrive_before_the_pipe_is_closed(tmp_path):
    (tmp_path / "text").write_text("one two, three\n" * 100_000)
    with subprocess.Popen(
        [sys.executable, "-m", "textkit", "corpus", "tokenize", str(tmp_path / "text")],
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
    ) as process:
        assert process.stdout.readline() == b"one two , three\n"
        process.stdout.close()
        assert process.wait() == 0


@pytest.mark.skipif(os.name != "posix", reason="signals differ")
def test_interrupt_ends_with_130_one_line_and_no_temporary_file(tmp_path):
    (scratch := tmp_path / "scratch").mkdir()
    arguments = [sys.executable, "-m", "textkit", "corpus", "tokenize", "-", "-o", str(tmp_path / "out")]
    with subprocess.Popen(
        arguments, stdin=subprocess.PIPE, stderr=subprocess.PIPE, env={**os.environ, "TMPDIR": str(scratch)}
    ) as process:
        deadline = time.monotonic() + 60
        while not list(scratch.glob("textkit-stdin-*")) and time.monotonic() < deadline:
            time.sleep(0.02)
        process.send_signal(signal.SIGINT)
        assert process.wait(timeout=60) == 130
        err = [line for line in process.stderr.read().decode().splitlines() if line and not line.startswith("note:")]
    assert err == ["error: interrupted."]
    assert sorted(path.name for path in tmp_path.rglob("*")) == ["scratch"]


@pytest.mark.skipif(not os.path.exists("/dev/full"), reason="needs /dev/full")  # noqa: PTH110
def test_full_standard_output_is_one_error(text):
    with open("/dev/full", "wb") as full:
        done = subprocess.run(
            [sys.executable, "-m", "textkit", "corpus", "tokenize", str(text)], stdout=full, stderr=subprocess.PIPE
        )
    err = [line for line in done.stderr.decode().splitlines() if not line.startswith("note:")]
    assert done.returncode == 1
    assert len(err) == 1
    assert "No space left" in err[0]


def test_version_and_wrong_usage(run):
    assert run("--version").out.startswith("textkit, version ")
    for arguments in (
        ["nonsense"],
        ["corpus", "tokenize"],
        ["corpus", "stats", "x", "--top", "many"],
        ["corpus", "vocab", "x", "--no"],
    ):
        done = run(*arguments)
        assert (done.code, done.out) == (2, "")
        assert done.err[-1].startswith("Error: ")
