"""`textkit ngram score`, `list` and `explain` as a user runs them."""

import bz2
import csv
import gzip
import io
import json
import math
import subprocess
import sys
from pathlib import Path

import pytest

from textkit.ngram.model import NGramModel
from textkit.text import blocks as block_module

GOLDEN = Path(__file__).parent.parent / "golden" / "ngram"
TEXT = "the cat sat\nthe dog sat\nthe cat ran\n" * 5
LINES = ["the dog ran", "", 'a "bird" \\ flew', "the cat sat", "the\tcat ran"]
MEASURES = [
    "log10_prob",
    "perplexity",
    "perplexity_without_oov",
    "bits_per_character",
    "bits_per_byte",
    "tokens",
    "oov",
]


@pytest.fixture(scope="module")
def model(tmp_path_factory):
    path = tmp_path_factory.mktemp("model") / "m.ngram"
    NGramModel.train(TEXT.splitlines(), order=3, tokenizer="whitespace", keep_counts=True).save(path)
    return path


@pytest.fixture(params=[1 << 20, 20], ids=["one block", "many blocks"])
def block_size(request, monkeypatch):
    monkeypatch.setattr(block_module, "BLOCK", request.param)


def expected(model):
    """Of each line {measure: value} worked out from the scores of its words."""
    loaded, found = NGramModel.load(model), []
    for line in LINES:
        words = loaded.full_scores(line)
        total, lost = sum(w.log10_prob for w in words), sum(w.log10_prob for w in words if w.oov)
        tokens, oov = len(words), sum(w.oov for w in words)
        bits = -total * math.log2(10)
        found.append(
            dict(
                zip(
                    MEASURES,
                    [total, 10 ** (-total / tokens), 10 ** (-(total - lost) / (tokens - oov)),
                     bits / (len(line) + 1), bits / (len(line.encode()) + 1), tokens, oov],
                    strict=True,
                )
            )
        )  # fmt: skip
    return found


def assert_measures(rows, model):
    for row, wanted in zip(rows, expected(model), strict=True):
        assert {name: float(row[name]) for name in MEASURES} == pytest.approx(wanted, rel=1e-5)


def test_lines_give_rows(run, model, tmp_path, block_size):
    (tmp_path / "x.txt").write_bytes("\r\n".join(LINES).encode())
    out = run("ngram", "score", model, tmp_path / "x.txt").out
    rows = [dict(zip([*MEASURES, "text"], line.split("\t"), strict=True)) for line in out.splitlines()[1:]]
    assert out.splitlines()[0].split("\t") == [*MEASURES, "text"]
    assert [row["text"] for row in rows] == [line.replace("\t", " ") for line in LINES]
    assert_measures(rows, model)


def test_lines_give_objects(run, model, tmp_path, block_size):
    (tmp_path / "x.txt.gz").write_bytes(gzip.compress("\n".join(LINES).encode()))
    rows = [json.loads(line) for line in run("ngram", "score", model, tmp_path / "x.txt.gz", "--json").out.splitlines()]
    assert [row["text"] for row in rows] == LINES
    assert_measures(rows, model)


def test_objects_keep_their_fields(run, model, tmp_path, block_size):
    records = [{"id": i, "doc": {"body": line}, "n": [1, {"x": "}"}]} for i, line in enumerate(LINES)]
    (tmp_path / "x.jsonl").write_text("".join(json.dumps(record) + " \n\n" for record in records))
    out = run("ngram", "score", model, tmp_path / "x.jsonl", "--field", "doc.body", "-o", tmp_path / "y.jsonl.bz2")
    assert (out.code, out.out) == (0, "")
    rows = [json.loads(line) for line in bz2.decompress((tmp_path / "y.jsonl.bz2").read_bytes()).splitlines()]
    assert [{k: row[k] for k in ("id", "doc", "n")} for row in rows] == records
    assert_measures(rows, model)
    again = run("ngram", "score", model, tmp_path / "y.jsonl.bz2", "--field", "doc.body", "--format", "jsonl")
    assert [json.loads(line) for line in again.out.splitlines()] == rows  # replaced, not there twice
    assert again.out.count('"tokens"') == len(LINES)


@pytest.mark.parametrize("ending", ["csv", "tsv"])
def test_tables_keep_their_columns(run, model, tmp_path, ending, block_size):
    quoting = {"delimiter": "\t", "quoting": csv.QUOTE_NONE, "quotechar": None} if ending == "tsv" else {}
    lines = [line.replace("\t", " ") for line in LINES] if ending == "tsv" else LINES
    stream = io.StringIO()
    writer = csv.writer(stream, **quoting)
    writer.writerows([["id", "text", "more"], *[[i, line, "x"] for i, line in enumerate(lines)]])
    (tmp_path / f"x.{ending}").write_bytes(stream.getvalue().encode())
    done = run("ngram", "score", model, tmp_path / f"x.{ending}")
    rows = list(csv.DictReader(io.StringIO(done.out, newline=""), **quoting))
    assert list(rows[0]) == ["id", "text", "more", *MEASURES]
    assert [(row["id"], row["text"], row["more"]) for row in rows] == [
        (str(i), line, "x") for i, line in enumerate(lines)
    ]
    assert_measures(rows, model)
    objects = [json.loads(x) for x in run("ngram", "score", model, tmp_path / f"x.{ending}", "--json").out.splitlines()]
    assert [row["text"] for row in objects] == lines
    assert_measures(objects, model)


def test_a_table_without_rows_keeps_its_header(run, model, tmp_path):
    (tmp_path / "x.csv").write_text("text,n\n")
    assert run("ngram", "score", model, tmp_path / "x.csv").out == ",".join(["text,n", *MEASURES]) + "\n"


def test_nothing_gives_nothing(run, model):
    assert run("ngram", "score", model, "-").out == "\t".join([*MEASURES, "text\n"])
    assert run("ngram", "score", model, "-", "--keep-percentile", 10).out == ""
    assert run("ngram", "score", model, "-", "--per-word", "--json").out == ""


def test_words(run, model, tmp_path, block_size):
    (tmp_path / "x.txt").write_text("\n".join(LINES))
    out = run("ngram", "score", model, tmp_path / "x.txt", "--per-word").out.splitlines()
    loaded = NGramModel.load(model)
    wanted = [(i, word) for i, line in enumerate(LINES, 1) for word in loaded.full_scores(line)]
    assert out[0].split("\t") == ["line", "word", "log10_prob", "bits", "order", "backoff", "oov"]
    for row, (number, word) in zip(out[1:], wanted, strict=True):
        line, token, log10_prob, bits, order, _, oov = row.split("\t")
        assert (int(line), token, int(order), int(oov)) == (number, word.word, word.order, word.oov)
        assert float(log10_prob) == pytest.approx(word.log10_prob, abs=1e-6)
        assert float(bits) == pytest.approx(-word.log10_prob * math.log2(10), rel=1e-5)
    as_json = run("ngram", "score", model, tmp_path / "x.txt", "--per-word", "--json").out.splitlines()
    rows = [json.loads(line) for line in as_json]
    assert [[str(v) for v in row.values()][:2] for row in rows] == [row.split("\t")[:2] for row in out[1:]]


@pytest.mark.parametrize("tokenizer", ["word", "char", "regex:[a-z]+"])
def test_words_of_other_tokenizers(run, tmp_path, tokenizer):
    trained = NGramModel.train(TEXT.splitlines(), order=2, tokenizer=tokenizer)
    trained.save(tmp_path / "m.ngram")
    (tmp_path / "x.txt").write_text("don't cat, sat\n\nthe c-a-t")
    out = run("ngram", "score", tmp_path / "m.ngram", tmp_path / "x.txt", "--per-word", "--json").out
    lines = (tmp_path / "x.txt").read_text().split("\n")
    wanted = [word for line in lines for word in [*trained.tokenizer.tokenize(line), "</s>"]]
    assert [json.loads(line)["word"] for line in out.splitlines()] == wanted


def test_backoffs_are_what_query_adds(run):
    out = run("ngram", "score", GOLDEN / "train.o3.arpa.xz", GOLDEN / "test.txt", "--per-word", "--json").out
    words = [json.loads(line) for line in out.splitlines()]
    loaded = NGramModel.load(GOLDEN / "train.o3.arpa.xz")
    for word in words[:300]:
        if word["order"] == 3:
            assert word["backoff"] == 0
        elif word["order"] == 1:
            own = loaded.score_tokens([] if word["word"] == "</s>" else [word["word"]], False, word["word"] == "</s>")
            assert word["log10_prob"] - word["backoff"] == pytest.approx(own[0].log10_prob, abs=1e-5)


# --- keeping ----------------------------------------------------------------------------------------------


def kept(run, model, tmp_path, *options, data=None, name="x.txt"):
    (tmp_path / name).write_bytes(data if data is not None else "\n".join(LINES).encode() + b"\n")
    done = run("ngram", "score", model, tmp_path / name, *options)
    assert done.code == 0, done.err
    return done.out


def ranked(model, measure="perplexity"):
    """Line numbers, the best first."""
    values = [row[measure] for row in expected(model)]
    return sorted(range(len(LINES)), key=values.__getitem__)


@pytest.mark.parametrize("percent", [1, 20, 40, 59, 100])
def test_the_best_lines_stay_as_they_are(run, model, tmp_path, percent, block_size):
    best = set(ranked(model)[: math.ceil(percent / 100 * len(LINES))])
    wanted = "".join(line + "\n" for i, line in enumerate(LINES) if i in best)
    assert kept(run, model, tmp_path, "--keep-percentile", percent) == wanted


def test_limits(run, model, tmp_path, block_size):
    values = [row["bits_per_byte"] for row in expected(model)]
    limit = sorted(values)[2] + 1e-4
    below = kept(run, model, tmp_path, "--keep-below", limit, "--by", "bits_per_byte").splitlines()
    above = kept(run, model, tmp_path, "--keep-above", limit, "--by", "bits_per_byte").splitlines()
    assert below == [line for line, value in zip(LINES, values, strict=True) if value < limit]
    assert sorted(below + above) == sorted(LINES)


def test_standard_input_is_walked_twice(run, model):
    done = run("ngram", "score", model, "-", "--keep-percentile", 40, stdin="\r\n".join(LINES).encode())
    best = sorted(ranked(model)[:2])
    assert done.out == "".join(LINES[i] + ("\r\n" if i < len(LINES) - 1 else "\n") for i in best)


@pytest.mark.parametrize(
    ("name", "data"),
    [
        ("x.jsonl", b"".join(json.dumps({"z": 1, "text": line}).encode() + b"  \r\n" for line in LINES)),
        ("x.csv", b'text,n\r\nthe dog ran,1\r\n,"2\n"\r\n"a ""bird"" \\ flew",3\r\nthe cat sat,4\nthe\tcat ran,5\n'),
    ],
)  # fmt: skip
def test_records_stay_as_they_are(run, model, tmp_path, name, data, block_size):
    assert kept(run, model, tmp_path, "--keep-percentile", 100, name=name, data=data).encode() == data
    best = ranked(model)[0]
    done = kept(run, model, tmp_path, "--keep-percentile", 20, name=name, data=data)
    if name.endswith("csv"):
        assert list(csv.reader(io.StringIO(done, newline=""))) == [["text", "n"], [LINES[best], str(best + 1)]]
    else:
        assert done.encode() == data.splitlines(keepends=True)[best]


def test_buckets(run, model, tmp_path, block_size):
    out = kept(run, model, tmp_path, "--buckets", 5, "--json")
    numbers = [json.loads(line)["bucket"] for line in out.splitlines()]
    assert sorted(range(len(LINES)), key=numbers.__getitem__) == ranked(model)
    out = kept(run, model, tmp_path, "--buckets", 2)
    assert out.splitlines()[0].split("\t")[-2:] == ["bucket", "text"]


def test_a_file_for_each_bucket(run, model, tmp_path, block_size):
    out = kept(run, model, tmp_path, "--buckets", 2, "-o", tmp_path / "part.{bucket}.txt.gz")
    assert out == ""
    parts = [gzip.decompress((tmp_path / f"part.{k}.txt.gz").read_bytes()).decode().splitlines() for k in (1, 2)]
    best = set(ranked(model)[:3])
    assert parts[0] == [line for i, line in enumerate(LINES) if i in best]
    assert parts[1] == [line for i, line in enumerate(LINES) if i not in best]


def test_difference_of_two_models(run, model, tmp_path, block_size):
    other = NGramModel.train(["a bird flew", "a bird sang"] * 3, order=2, tokenizer="char")
    other.save(tmp_path / "other.ngram")
    out = kept(run, model, tmp_path, "--minus", tmp_path / "other.ngram", "--json")
    loaded = NGramModel.load(model)
    for row, line in zip(map(json.loads, out.splitlines()), LINES, strict=True):
        mine, theirs = loaded.full_scores(line), other.full_scores(line)
        bits = [-sum(w.log10_prob for w in words) / len(words) * math.log2(10) for words in (mine, theirs)]
        assert row["difference"] == pytest.approx(bits[0] - bits[1], abs=1e-4)
    selected = kept(run, model, tmp_path, "--minus", tmp_path / "other.ngram", "--keep-below", 0).splitlines()
    rows = [json.loads(line) for line in out.splitlines()]
    assert selected == [row["text"] for row in rows if row["difference"] < 0]


@pytest.mark.parametrize(
    ("options", "words"),
    [
        (["--by", "length"], "no measure 'length'"),
        (["--by", "difference"], "no measure 'difference'"),
        (["--keep-percentile", "0"], "--keep-percentile 0"),
        (["--keep-below", "nan"], "no number"),
        (["--buckets", "1"], "--buckets 1"),
        (["--per-word", "--keep-below", "3"], "--per-word"),
        (["--json", "--keep-below", "3"], "--json"),
        (["--buckets", "3", "--keep-below", "3"], "--buckets"),
        (["-o", "x.{bucket}.txt"], "names buckets"),
    ],
    ids=str,
)
def test_impossible_combinations(run, model, tmp_path, options, words):
    (tmp_path / "x.txt").write_text("a\n")
    done = run("ngram", "score", model, tmp_path / "x.txt", *options)
    assert done.code == 2
    assert len(done.err) == 1
    assert words in done.err[0]
    assert done.out == ""


# --- list and explain -------------------------------------------------------------------------------------


def test_list(run, model, tmp_path):
    out = run("ngram", "list", model, "the cat", "--order", 3, "--sort", "count").out.splitlines()
    assert out[0] == "ngram\torder\tlog10_prob\tbackoff\tcount"
    assert [line.split("\t")[0] for line in out[1:]] == ["the cat sat", "the cat ran"]
    assert [line.split("\t")[3:] for line in out[1:]] == [["", "5"], ["", "5"]]
    run("ngram", "list", model, "--pattern", "/[cd].*/", "--json", "-o", tmp_path / "l.jsonl.gz")
    rows = [json.loads(line) for line in gzip.decompress((tmp_path / "l.jsonl.gz").read_bytes()).splitlines()]
    assert sorted(row["ngram"] for row in rows) == ["cat", "dog"]
    everything = run("ngram", "list", model).out.splitlines()
    assert len(everything) == 1 + sum(NGramModel.load(model).sizes)
    assert run("ngram", "list", model, "--top", 1).out.count("\n") == 2


def test_explain(run, model):
    done = run("ngram", "explain", model, "the bird sat")
    assert done.code == 0
    assert "'<s> the' does not know it: backoff 10^" in done.out
    assert "3-gram '<s> the'" not in done.out
    assert "(count 15, adjusted " in done.out
    assert done.out.splitlines()[-1].startswith("log10 probability -")
    rows = [json.loads(line) for line in run("ngram", "explain", model, "the bird sat", "--json").out.splitlines()]
    assert [row["word"] for row in rows] == ["the", "bird", "sat", "</s>"]
    term = rows[0]["terms"][0]
    assert term["own"] + term["gamma"] * term["lower"] == pytest.approx(term["probability"], rel=1e-5)


def test_explain_without_counts_says_why(run):
    done = run("ngram", "explain", GOLDEN / "train.o3.arpa.xz", "x")
    assert len(done.err) == 1
    assert "the model keeps no counts: train it with --keep-counts, or give a file of them" in done.err[0]


def test_training_keeps_counts_if_asked(run, tmp_path):
    (tmp_path / "t.txt").write_text(TEXT)
    for name, option in (("with", ["--keep-counts"]), ("without", [])):
        run("ngram", "train", tmp_path / "t.txt", "-o", tmp_path / name, "--no-cache", *option)
    assert NGramModel.load(tmp_path / "with").counts[1] == 15
    assert NGramModel.load(tmp_path / "without").counts is None


# --- bad input --------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("name", "data", "words"),
    [
        ("x.jsonl", b'{"text": "a"}\n' * 3 + b'{"text": \n{"text": "b"}\n', "line 4: not JSON"),
        ("x.jsonl", b'{"text": "a"}\n[1]\n', "line 2: no field 'text'"),
        ("x.jsonl", b'{"text": "a"}\n{"text": 3}\n', "line 2: field 'text' is not text"),
        ("x.csv", b"n,text\n1,a\n2\n", "line 3: 1 columns"),
        ("x.tsv", b"n\n1\n", "no column 'text'"),
        ("x.txt", b"a\n\xff\xfe\0\n", "line 2, byte 1"),
    ],
)
@pytest.mark.parametrize("options", [[], ["--keep-percentile", "50"], ["--per-word"]], ids=["add", "keep", "words"])
def test_bad_records_stop_and_leave_nothing(run, model, tmp_path, name, data, words, options):
    (tmp_path / name).write_bytes(data)
    done = run("ngram", "score", model, tmp_path / name, "-o", tmp_path / "out", *options)
    assert (done.code, len(done.err)) == (1, 1)
    assert words in done.err[0]
    assert [path.name for path in tmp_path.iterdir()] == [name]


def test_inputs_that_do_not_fit_together(run, model, tmp_path):
    (tmp_path / "a.csv").write_text("text,n\na,1\n")
    (tmp_path / "b.csv").write_text("n,text\n1,a\n")
    (tmp_path / "c.jsonl").write_text('{"text": "a"}\n')
    for second in ("b.csv", "c.jsonl"):
        done = run("ngram", "score", model, tmp_path / "a.csv", tmp_path / second, "-o", tmp_path / "out")
        assert done.code == 1
        assert f"{second} has another format or other columns" in done.err[0]
        assert not (tmp_path / "out").exists()
    assert run("ngram", "score", model, tmp_path / "a.csv", tmp_path / "a.csv").out.count("perplexity,") == 1
    objects = run("ngram", "score", model, *(tmp_path / name for name in ("a.csv", "b.csv", "c.jsonl")), "--json").out
    assert [json.loads(line).get("n") for line in objects.splitlines()] == ["1", "1", None]


def test_skipped_lines_are_told_and_gone(run, model, tmp_path, block_size):
    (tmp_path / "x.txt").write_bytes(b"the cat\n\xff\nthe dog\n")
    done = run("ngram", "score", model, tmp_path / "x.txt", "--errors", "skip", "--keep-percentile", 100)
    assert done.out == "the cat\nthe dog\n"
    assert done.err == ["note: left out 1 lines that are not valid utf-8."]
    words = run(
        "ngram", "score", model, tmp_path / "x.txt", "--errors", "skip", "--per-word", "--json"
    ).out.splitlines()
    assert [json.loads(word)["line"] for word in words] == [1, 1, 1, 2, 2, 2]


def test_a_huge_line(run, model, tmp_path):
    (tmp_path / "x.txt").write_text("the cat sat on " * 1_400_000 + "\nthe cat sat\n")
    rows = [line.split("\t") for line in run("ngram", "score", model, tmp_path / "x.txt").out.splitlines()]
    assert [int(row[5]) for row in rows[1:]] == [4 * 1_400_000 + 1, 4]
    assert len(rows[1][7]) == 15 * 1_400_000


def test_a_closed_pipe_ends_quietly(model, tmp_path):
    (tmp_path / "x.txt").write_text("the cat sat\n" * 200_000)
    for command in (
        ["score", model, tmp_path / "x.txt"],
        ["score", model, tmp_path / "x.txt", "--keep-percentile", "90"],
    ):
        arguments = [sys.executable, "-m", "textkit", "ngram", *map(str, command)]
        with subprocess.Popen(arguments, stdout=subprocess.PIPE, stderr=subprocess.PIPE) as process:
            process.stdout.readline()
            process.stdout.close()
            err = process.stderr.read().decode()
        assert [line for line in err.splitlines() if not line.startswith("note:")] == []
        assert process.returncode == 0
