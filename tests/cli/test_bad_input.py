"""Whatever is wrong with the input: one `error:` line, exit code 1 or 2, and nothing half-written."""

import gzip
import os
import random
import subprocess
import sys
from pathlib import Path

import pytest

TOKENIZING = ["tokenize", "vocab", "stats", "train"]
ALL = [*TOKENIZING, "split", "sample", "dedup", "perplexity", "score"]
PROSE = "the cat saw the dog\nthe dog saw the bird\na bird saw a cat\n" * 5


def assert_refused(done, codes=(1,), *, words: str = "") -> None:
    """One line on standard error, and no sign of a program error."""
    assert done.code in codes
    assert len(done.err) == 1, done.err
    assert done.err[0].startswith("error: ")
    assert not done.err[0].startswith("error: unexpected"), done.err
    assert "Traceback" not in done.err[0] + done.out
    assert words in done.err[0]


@pytest.fixture(scope="module")
def models(tmp_path_factory) -> Path:
    """A directory with one small model in both forms."""
    from textkit.cli.main import textkit

    directory = tmp_path_factory.mktemp("models")
    (directory / "prose.txt").write_text(PROSE)
    output = ["-o", str(directory / "prose.ngram"), "--arpa", str(directory / "prose.arpa")]
    textkit.main(["ngram", "train", str(directory / "prose.txt"), "--no-cache", *output], standalone_mode=False)
    return directory


@pytest.fixture
def command(run, tmp_path, models):
    """Run one command over inputs, with its output (if it has any) in the directory `out`."""
    (tmp_path / "out").mkdir()

    def command(name: str, *arguments: object):
        out = tmp_path / "out" / "x"
        settings = {
            "tokenize": ["corpus", "tokenize", "-o", out],
            "vocab": ["corpus", "vocab", "-o", out],
            "stats": ["corpus", "stats", "--cache-dir", tmp_path / "out"],
            "split": ["corpus", "split", "-o", out],
            "sample": ["corpus", "sample", "-n", "2", "-o", out],
            "dedup": ["corpus", "dedup", "-o", out],
            "train": ["ngram", "train", "-o", out, "--cache-dir", tmp_path / "out"],
            "perplexity": ["ngram", "perplexity", models / "prose.ngram"],
            "score": ["ngram", "score", models / "prose.ngram"],
        }
        return run(*settings[name], *arguments)

    yield command
    assert list((tmp_path / "out").iterdir()) == [], "something was written"


@pytest.fixture
def write(tmp_path):
    def write(name: str, data: bytes) -> Path:
        (tmp_path / name).write_bytes(data)
        return tmp_path / name

    return write


BINARY = random.Random(0).randbytes(5000)


@pytest.mark.parametrize("name", ALL)
@pytest.mark.parametrize(
    ("data", "words"),
    [
        (BINARY, "is not valid UTF-8"),
        ("Größe\n".encode("latin-1"), "line 1, byte 3 of the line"),
        (b"fine\n" * 3 + "Größe\n".encode("utf-16"), "line 4, byte 1 of the line"),
        (gzip.compress(BINARY)[:2000], "is damaged"),
    ],
    ids=["binary", "latin-1", "utf-16", "truncated gzip"],
)
def test_unreadable_text(command, write, name, data, words):
    assert_refused(command(name, write("text.txt", data)), words=words)


@pytest.mark.parametrize("name", ALL)
def test_missing_text(command, tmp_path, name):
    assert_refused(command(name, tmp_path / "no.txt"), words="no.txt does not exist")
    assert_refused(command(name, tmp_path / "out"), words="no files in")
    assert_refused(command(name, tmp_path / "*.none"), words="no file matches")


@pytest.mark.parametrize("name", ["vocab", "stats", "train"])
@pytest.mark.parametrize("data", [b"", b"\n\n \n", b"\xef\xbb\xbf", b"\0\0\n"], ids=["empty", "blank", "bom", "nul"])
def test_text_without_a_token(command, write, name, data):
    assert_refused(command(name, write("text.txt", data)), words="no token")


@pytest.mark.parametrize("name", ALL)
@pytest.mark.parametrize(
    ("arguments", "data", "words"),
    [
        (["--format", "jsonl"], b'{"text": "x"}\n{oops\n', "line 2: not JSON"),
        (["--format", "jsonl", "--field", "a.b"], b'{"a": {}}\n', "no field 'a.b'"),
        (["--format", "csv"], b"a,b\n1,2\n", "no column 'text'"),
        (["--encoding", "utf-16"], b"abc", "not valid utf-16"),
    ],
    ids=["bad json", "no field", "no column", "encoding"],
)
def test_bad_records(command, write, name, arguments, data, words):
    assert_refused(command(name, write("text", data), *arguments), words=words)


@pytest.mark.parametrize("name", ALL)
@pytest.mark.parametrize(
    "arguments", [["--format", "xml"], ["--encoding", "klingon"], ["--errors", "ignore"]], ids=lambda a: a[0]
)
def test_impossible_reading_options(command, write, name, arguments):
    assert_refused(command(name, write("text", b"a b\n"), *arguments), (2,), words=f"'{arguments[1]}'")


@pytest.mark.parametrize("name", TOKENIZING)
@pytest.mark.parametrize(
    "arguments",
    [["--tokenizer", "nonsense"], ["--tokenizer", "regex:("], ["--normalize", "nfd"], ["--threads", "0"]],
    ids=lambda a: "=".join(a),
)
def test_impossible_tokenizing_options(command, write, name, arguments):
    assert_refused(command(name, write("text", b"a b\n"), *arguments), (2,))


@pytest.mark.parametrize(
    ("name", "arguments"),
    [
        ("split", ["--shares", "100"]),
        ("split", ["--shares", "a/b/c"]),
        ("split", ["--shares", "-1/1/1"]),
        ("split", ["--shares", "0/0/0"]),
        ("split", ["--shares", "nan/1/1"]),
        ("split", ["--shares", "inf/1/1"]),
        ("sample", ["--rate", "0.5"]),
        ("vocab", ["--min-count", "0"]),
        ("vocab", ["--max-vocab", "0"]),
        ("train", ["--order", "0"]),
        ("train", ["--min-count", "0"]),
        ("train", ["--discount-fallback", "x"]),
    ],
    ids=lambda value: value if isinstance(value, str) else "=".join(value),
)
def test_impossible_values(command, write, name, arguments):
    assert_refused(command(name, write("text", PROSE.encode()), *arguments), (2,))


def test_unreadable_word_list(run, write, tmp_path):
    text = write("text", b"a b\n")
    for against in (
        tmp_path / "no",
        tmp_path,
        write("empty", b""),
        write("bad", b"a\tb\n"),
        write("cut", gzip.compress(b"a\n")[:12]),
    ):
        assert_refused(run("corpus", "stats", text, "--no-cache", "--against", against))


# --- outputs --------------------------------------------------------------------------------------------

WRITING = {
    "tokenize": ["corpus", "tokenize", "TEXT", "-o", "OUT"],
    "vocab": ["corpus", "vocab", "TEXT", "-o", "OUT"],
    "split": ["corpus", "split", "TEXT", "-o", "OUT/x"],
    "sample": ["corpus", "sample", "TEXT", "-n", "1", "-o", "OUT"],
    "dedup": ["corpus", "dedup", "TEXT", "-o", "OUT"],
    "train": ["ngram", "train", "TEXT", "--no-cache", "-o", "OUT"],
    "arpa": ["ngram", "train", "TEXT", "--no-cache", "--arpa", "OUT"],
    "score": ["ngram", "score", "MODEL", "TEXT", "-o", "OUT"],
    "keep": ["ngram", "score", "MODEL", "TEXT", "--keep-percentile", "50", "-o", "OUT"],
    "buckets": ["ngram", "score", "MODEL", "TEXT", "--buckets", "2", "-o", "OUT{bucket}"],
    "list": ["ngram", "list", "MODEL", "-o", "OUT"],
    "cache": ["corpus", "stats", "TEXT", "--cache-dir", "OUT"],
}


@pytest.mark.parametrize("name", WRITING)
def test_unwritable_output(run, tmp_path, models, name):
    (tmp_path / "file").write_bytes(b"old")
    before = sorted(tmp_path.rglob("*"))
    places = [tmp_path / "file" / "x", tmp_path / "no" / "x"]
    if name not in ("split", "buckets", "cache"):
        places.append(tmp_path)
    if name == "cache":
        places = [tmp_path / "file", tmp_path / "file" / "x"]
    for place in places:
        words = {"TEXT": str(models / "prose.txt"), "MODEL": str(models / "prose.ngram"), "OUT": str(place)}
        arguments = [
            word.replace("OUT", words["OUT"]) if "OUT" in word else words.get(word, word) for word in WRITING[name]
        ]
        assert_refused(run(*arguments))
        assert sorted(tmp_path.rglob("*")) == before
    assert (tmp_path / "file").read_bytes() == b"old"


@pytest.mark.skipif(not Path("/dev/full").exists(), reason="needs /dev/full")
@pytest.mark.parametrize("name", ["tokenize", "vocab", "dedup", "train", "arpa", "score", "keep", "list"])
def test_full_output(run, models, name):
    words = {"TEXT": str(models / "prose.txt"), "MODEL": str(models / "prose.ngram"), "OUT": "/dev/full"}
    arguments = [words.get(word, word) for word in WRITING[name]]
    assert_refused(run(*arguments), words="No space left")


def test_failure_keeps_the_old_output(run, tmp_path, write):
    (tmp_path / "old").write_text("old")
    assert_refused(run("corpus", "tokenize", write("bad", b"a\n" * 9 + b"\xff"), "-o", tmp_path / "old"))
    assert (tmp_path / "old").read_text() == "old"


@pytest.mark.skipif(os.name != "posix", reason="needs a POSIX shell")
def test_closed_standard_input_is_one_error():
    command = f'"{sys.executable}" -m textkit corpus tokenize - <&-'
    done = subprocess.run(command, shell=True, capture_output=True, text=True)
    err = [line for line in done.stderr.splitlines() if not line.startswith("note:")]
    assert done.returncode == 1
    assert len(err) == 1
    assert "standard input" in err[0]


# --- models ---------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    "action",
    [["perplexity", "TEXT"], ["score", "TEXT"], ["next", "the"], ["generate"], ["info"], ["list"], ["explain", "a"]],
    ids=lambda a: a[0],
)
def test_models_that_are_none(run, models, tmp_path, write, action):
    arguments = [str(models / "prose.txt") if word == "TEXT" else word for word in action[1:]]
    whole, arpa = (models / "prose.ngram").read_bytes(), (models / "prose.arpa").read_bytes()
    bad = {
        "missing": tmp_path / "no.ngram",
        "directory": tmp_path,
        "empty": write("empty", b""),
        "text": models / "prose.txt",
        "binary": write("binary", BINARY),
        "cut in the length": write("cut1", whole[:5]),
        "cut in the header": write("cut2", whole[:100]),
        "cut in the arrays": write("cut3", whole[:-50]),
        "ARPA cut in its head": write("cut4.arpa", arpa[:20]),
        "ARPA cut in the middle": write("cut5.arpa", arpa[: len(arpa) // 2]),
        "ARPA without its end": write("cut6.arpa", arpa.rstrip()[:-4]),
        "ARPA cut in a gzip": write("cut7.arpa.gz", gzip.compress(arpa)[:-20]),
    }
    for what, path in bad.items():
        done = run("ngram", action[0], path, *arguments)
        assert done.code == 1, what
        assert_refused(done)
        assert done.out == "", what


def test_other_container_is_no_model(run, models, tmp_path):
    run("corpus", "stats", models / "prose.txt", "--cache-dir", tmp_path)
    (corpus,) = tmp_path.iterdir()
    assert_refused(run("ngram", "perplexity", corpus, models / "prose.txt"), words="holds a corpus")


def test_model_damaged_anywhere_in_its_header_is_used_or_refused(run, models, tmp_path):
    whole = (models / "prose.ngram").read_bytes()
    header = 8 + int.from_bytes(whole[:8], "little")
    rng = random.Random(0)
    for _ in range(150):
        damaged = bytearray(whole)
        damaged[rng.randrange(header)] = rng.choice(b'0123456789"{}[],:-\\ux \xff')
        (tmp_path / "damaged").write_bytes(damaged)
        done = run("ngram", "info", tmp_path / "damaged")
        if done.code:
            assert_refused(done)


def test_model_damaged_anywhere_in_its_arrays_is_used_or_refused(run, models, tmp_path):
    """Whatever numbers it holds, nothing is read outside its arrays."""
    run("ngram", "train", models / "prose.txt", "-o", tmp_path / "whole", "--keep-counts", "--no-cache")
    whole = (tmp_path / "whole").read_bytes()
    header = 8 + int.from_bytes(whole[:8], "little")
    rng = random.Random(0)
    for number in range(60):
        damaged = bytearray(whole)
        for _ in range(rng.choice([1, 20, 200])):
            damaged[rng.randrange(header, len(whole))] = rng.choice([0, 255, rng.randrange(256)])
        (tmp_path / "damaged").write_bytes(damaged)
        asked = (["list"], ["explain", "the cat saw a bird"], ["score", models / "prose.txt", "--per-word"])[number % 3]
        done = run("ngram", asked[0], tmp_path / "damaged", *asked[1:])
        if done.code:
            assert_refused(done)


@pytest.mark.parametrize(
    "arguments",
    [["--top-p", "0"], ["--temperature", "-1"], ["--max-tokens", "-1"], ["--top-k", "0"]],
    ids=lambda a: a[0],
)
def test_impossible_drawing_options(run, models, arguments):
    assert_refused(run("ngram", "generate", models / "prose.ngram", *arguments), (2,))
