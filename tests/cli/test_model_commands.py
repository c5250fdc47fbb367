"""`textkit ngram prune`, `quantize`, `interpolate` and `convert` as a user runs them."""

import gzip
import json
from pathlib import Path

import pytest

from textkit.ngram.model import NGramModel

GOLDEN = Path(__file__).parent.parent / "golden" / "ngram"


@pytest.fixture
def golden(run, tmp_path):
    path = tmp_path / "golden.ngram"
    assert run("ngram", "convert", GOLDEN / "train.o3.arpa.xz", "-o", path).code == 0
    return path


def figures(out):
    return dict(line.split("\t") for line in out.splitlines() if line.count("\t") == 1)


def test_convert_there_and_back(run, golden, tmp_path):
    assert run("ngram", "convert", golden, "-o", tmp_path / "m.arpa.gz").code == 0
    assert run("ngram", "convert", tmp_path / "m.arpa.gz", "-o", tmp_path / "again.ngram").code == 0
    text = gzip.decompress((tmp_path / "m.arpa.gz").read_bytes())
    assert text.startswith(b"\\data\\\nngram 1=")
    assert (tmp_path / "again.ngram").read_bytes() == golden.read_bytes()


def test_prune_shows_what_it_costs(run, golden, tmp_path):
    done = run(
        "ngram", "prune", golden, "--threshold", "1e-4", "--dev", GOLDEN / "test.txt", "-o", tmp_path / "p.ngram"
    )
    assert done.code == 0, done.err
    lines, said = done.out.splitlines(), figures(done.out)
    assert lines[0] == "order\tn-grams before\tafter\tkept"
    assert lines[1].split("\t")[1:] == [lines[1].split("\t")[1]] * 2 + ["1"]
    assert float(said["perplexity before"]) == pytest.approx(366.895, rel=1e-4)
    assert float(said["perplexity after"]) > float(said["perplexity before"])
    assert float(said["expected perplexity after"]) > float(said["expected perplexity before"])
    assert int(said["bytes"].replace(",", "")) == (tmp_path / "p.ngram").stat().st_size < golden.stat().st_size
    assert sum(NGramModel.load(tmp_path / "p.ngram").sizes) < sum(NGramModel.load(golden).sizes)


def test_prune_to_a_size_and_quantised(run, golden, tmp_path):
    words = golden.stat().st_size // 3
    sizes = []
    for more in ([], ["--quantize", "8"]):
        done = run("ngram", "prune", golden, "--max-size", words, *more, "-o", tmp_path / "p.ngram", "--json")
        assert done.code == 0, done.err
        said = json.loads(done.out)
        assert 0.8 * words < said["bytes"] <= words
        sizes.append(sum(row["after"] for row in said["rows"]))
    assert sizes[0] < sizes[1]  # smaller numbers leave room for more n-grams


def test_prune_to_a_number_of_ngrams_of_an_arpa_file(run, tmp_path):
    path = tmp_path / "p.arpa.xz"
    done = run("ngram", "prune", GOLDEN / "train.o3.arpa.xz", "--max-ngrams", 30000, "-o", path, "--json")
    assert 29000 < sum(NGramModel.load(path).sizes) <= 30000
    assert sum(row["after"] for row in json.loads(done.out)["rows"]) == sum(NGramModel.load(path).sizes)


def test_quantize_shows_errors_and_perplexities(run, golden, tmp_path):
    done = run("ngram", "quantize", golden, "--dev", GOLDEN / "test.txt", "-o", tmp_path / "q.ngram")
    assert done.code == 0, done.err
    lines, said = done.out.splitlines(), figures(done.out)
    assert lines[0] == "order\tlog10 of\tvalues\tmean error\tlargest error"
    assert [line.split("\t")[:2] for line in lines[1:4]] == [["2", "log_p"], ["2", "backoff"], ["3", "log_p"]]
    assert float(said["perplexity after"]) == pytest.approx(float(said["perplexity before"]), rel=2e-3)
    assert (tmp_path / "q.ngram").stat().st_size < 0.75 * golden.stat().st_size


def test_train_quantises_as_quantize_does(run, tmp_path):
    train = ("ngram", "train", GOLDEN / "test.txt", "--tokenizer", "whitespace", "--no-cache", "-o")
    assert run(*train, tmp_path / "whole.ngram").code == 0
    assert run(*train, tmp_path / "small.ngram", "--quantize", 6).code == 0
    assert run("ngram", "quantize", tmp_path / "whole.ngram", "--bits", 6, "-o", tmp_path / "q.ngram").code == 0
    assert (tmp_path / "q.ngram").read_bytes() == (tmp_path / "small.ngram").read_bytes()
    done = run(*train, tmp_path / "none.ngram", "--quantize", 0)
    assert (done.code, (tmp_path / "none.ngram").exists()) == (2, False)


def test_interpolate_finds_weights(run, golden, tmp_path):
    other, mixed = tmp_path / "other.ngram", tmp_path / "mixed.ngram"
    train = ("ngram", "train", GOLDEN / "tiny.txt", "--tokenizer", "whitespace", "--order", 2, "--no-cache")
    assert run(*train, "-o", other).code == 0
    done = run("ngram", "interpolate", golden, other, "--dev", GOLDEN / "test.txt", "-o", mixed)
    assert done.code == 0, done.err
    rows = [line.split("\t") for line in done.out.splitlines()[1:3]]
    assert [row[0] for row in rows] == [str(golden), str(other)]
    assert float(rows[0][1]) > 0.8
    said = figures(done.out)
    assert float(said["perplexity, probabilities mixed"]) <= float(rows[0][2])
    assert int(said["3-grams"].replace(",", "")) == NGramModel.load(mixed).sizes[2]
    given = run("ngram", "interpolate", golden, other, "--weights", "0.9,0.1", "--log-linear", "-o", mixed, "--json")
    assert [row["weight"] for row in json.loads(given.out)["rows"]] == [0.9, 0.1]


BAD = {
    "no limit": (["prune", "MODEL", "-o", "x.ngram"], 2, "nothing says how much"),
    "no room": (["prune", "MODEL", "--max-size", "1K", "-o", "x.ngram"], 2, "no room for the model's"),
    "no ngrams": (["prune", "MODEL", "--max-ngrams", "0", "-o", "x.ngram"], 2, "max-ngrams"),
    "size": (["prune", "MODEL", "--max-size", "infG", "-o", "x.ngram"], 2, "--max-size 'infG' makes no sense"),
    "threshold": (["prune", "MODEL", "--threshold", "-1", "-o", "x.ngram"], 2, "--threshold -1 makes no sense"),
    "not a number": (["prune", "MODEL", "--threshold", "nan", "-o", "x.ngram"], 2, "--threshold nan makes no sense"),
    "size of ARPA": (["prune", "MODEL", "--max-size", "1M", "-o", "x.arpa"], 2, "for textkit models"),
    "bits": (["prune", "MODEL", "--threshold", "1", "--quantize", "0", "-o", "x.ngram"], 2, "0 bits make no codebook"),
    "no output": (["quantize", "MODEL"], 2, "--output"),
    "one bit": (["quantize", "MODEL", "--bits", "1", "-o", "x.ngram"], 2, "1 bits make no codebook"),
    "ending": (["convert", "MODEL", "-o", "x.bin"], 2, "does not say what to write"),
    "compressed model": (["convert", "MODEL", "-o", "x.ngram.gz"], 2, "does not say what to write"),
    "no model": (["convert", "gone.ngram", "-o", "x.arpa"], 1, "cannot open gone.ngram"),
    "no directory": (["convert", "MODEL", "-o", "gone/x.arpa"], 1, "gone"),
    "alone": (["interpolate", "MODEL", "--weights", "1", "-o", "x.ngram"], 2, "one model makes no mixture"),
    "no weights": (["interpolate", "MODEL", "MODEL", "-o", "x.ngram"], 2, "nothing says how to weigh"),
    "weights": (["interpolate", "MODEL", "MODEL", "--weights", "a,b", "-o", "x.ngram"], 2, "not a list of numbers"),
    "too many": (["interpolate", "MODEL", "MODEL", "--weights", "1 2 3", "-o", "x.ngram"], 2, "of 2 models"),
    "empty dev": (["interpolate", "MODEL", "MODEL", "--dev", "empty", "-o", "x.ngram"], 1, "no model knows a word"),
    "no dev": (["interpolate", "MODEL", "MODEL", "--dev", "gone.txt", "-o", "x.ngram"], 1, "gone.txt"),
}


@pytest.mark.parametrize("name", BAD)
def test_bad_calls_end_in_one_line_and_leave_nothing(run, golden, tmp_path, monkeypatch, name):
    monkeypatch.chdir(tmp_path)
    (tmp_path / "empty").write_text("")
    arguments, code, reason = BAD[name]
    done = run("ngram", *[str(golden) if a == "MODEL" else a for a in arguments])
    assert (done.code, reason in done.err[-1]) == (code, True), done.err
    assert not list(tmp_path.glob("x.*"))
