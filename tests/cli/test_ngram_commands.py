"""`textkit ngram …` and `textkit demo` as a user runs them."""

import gzip
import json
from pathlib import Path

import pytest

MEASURES = "log10_prob\tperplexity\tperplexity_without_oov\tbits_per_character\tbits_per_byte\ttokens\toov"
GOLDEN = Path(__file__).parent.parent / "golden" / "ngram"


@pytest.fixture
def text(tmp_path):
    path = tmp_path / "text.txt"
    path.write_text("the cat sat\nthe dog sat\nthe cat ran\n" * 5)
    return path


@pytest.fixture
def model(run, text, tmp_path):
    path = tmp_path / "text.ngram"
    assert run("ngram", "train", text, "-o", path, "--no-cache").code == 0
    return path


def test_train_prints_sizes_and_tells_assumed_discounts(run, text, tmp_path):
    options = ["--output", tmp_path / "m.ngram", "--order", 2, "--no-cache"]
    chosen = run("ngram", "train", text, *options)
    assert chosen.code == 0
    said = "note: some counts give no discounts (order 1: none occurs 3 times; order 2: none occurs 1 time); took "
    assert chosen.err == [said + "the likeliest for the text itself, each token left out in turn."]
    done = run("ngram", "train", text, *options, "--discount-fallback")
    assert done.code == 0
    assert done.out.splitlines()[:2] == ["order\tn-grams\tdiscounts 1 2 3+", "1\t8\t0.5000 1.0000 1.5000"]
    assert done.err == [said + "those of --discount-fallback."]


def test_train_json_says_everything(run, text, tmp_path):
    done = run("ngram", "train", text, "-o", tmp_path / "m", "--arpa", tmp_path / "m.arpa", "--json", "--no-cache")
    said = json.loads(done.out)
    assert said["ngrams"] == {"1": 8, "2": 8, "3": 8}
    assert said["written"] == [str(tmp_path / "m"), str(tmp_path / "m.arpa")]
    assert said["signature"].startswith("tok:word|case:keep|norm:none|digits:keep|order:3|smooth:mkn|v:")


def test_train_without_output_names_the_model_and_keeps_what_is_there(run, text, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    again = ["ngram", "train", text, "--no-cache"]
    (tmp_path / "text.ngram").write_bytes(b"mine")
    refused = run(*again)
    assert (refused.code, refused.err[-1][:40]) == (2, "error: text.ngram exists already. Say wi")
    assert (tmp_path / "text.ngram").read_bytes() == b"mine"
    (tmp_path / "text.ngram").unlink()
    assert run(*again).code == 0
    assert (tmp_path / "text.ngram").exists()


@pytest.mark.parametrize(
    ("options", "reason"),
    [
        (["--order", "0"], "--order 0 makes no sense"),
        (["--discount-fallback", "2 1 1"], "--discount-fallback 2.0 1.0 1.0 makes no sense"),
        (["--discount-fallback", "x"], "--discount-fallback 'x' is not a list of numbers"),
        (["--tokenizer", "wrod"], "unknown tokenizer 'wrod'"),
        (["--tokenizer", "regex:("], "does not compile"),
        (["--min-count", "0"], "--min-count 0 makes no sense"),
        (["--threads", "0"], "--threads 0 makes no sense"),
    ],
)
def test_impossible_settings_are_wrong_usage(run, text, tmp_path, options, reason):
    done = run("ngram", "train", text, "-o", tmp_path / "m", "--no-cache", *options)
    assert done.code == 2
    assert reason in done.err[-1]
    assert not (tmp_path / "m").exists()


def test_perplexity_of_a_golden_model(run):
    done = run("ngram", "perplexity", GOLDEN / "train.o3.arpa.xz", GOLDEN / "test.txt", "--json")
    said = json.loads(done.out)
    assert said["perplexity"] == pytest.approx(366.895, rel=1e-5)
    assert said["perplexity_without_oov"] == pytest.approx(290.1785, rel=1e-5)
    assert (said["oov"], said["tokens"], said["lines"]) == (250, 5358, 500)


def test_perplexity_per_word_and_per_line(run, model, tmp_path):
    (tmp_path / "new.txt").write_text("the cat flew\n")
    words = run("ngram", "perplexity", model, tmp_path / "new.txt", "--per-word").out.splitlines()
    assert words[0] == "line\tword\tlog10_prob\tbits\torder\tbackoff\toov"
    assert [line.split("\t")[1] for line in words[1:5]] == ["the", "cat", "flew", "</s>"]
    assert [line.split("\t")[6] for line in words[1:5]] == ["0", "0", "1", "0"]
    lines = run("ngram", "perplexity", model, tmp_path / "new.txt", "--per-line").out.splitlines()
    assert lines[0] == f"{MEASURES}\ttext"
    assert lines[1].split("\t")[5:] == ["4", "1", "the cat flew"]


def test_score_reads_standard_input_and_keeps_order(run, model):
    sentences = ["the dog ran", "", "the cat sat"]
    done = run("ngram", "score", model, "-", "--json", stdin="\n".join(sentences).encode())
    records = [json.loads(line) for line in done.out.splitlines()]
    assert [r["text"] for r in records] == sentences
    assert [r["tokens"] for r in records] == [4, 1, 4]
    assert records[2]["log10_prob"] > records[0]["log10_prob"]


def test_score_reads_compressed_json_lines(run, model, tmp_path):
    path = tmp_path / "pages.jsonl.gz"
    path.write_bytes(gzip.compress(b'{"page": {"body": "the cat\\nsat"}}\n'))
    done = run("ngram", "score", model, path, "--field", "page.body")
    record = json.loads(done.out)
    assert record["page"] == {"body": "the cat\nsat"}
    assert record["tokens"] == 4


def test_generate_is_repeatable_by_seed(run, model):
    first, again, other = (run("ngram", "generate", model, "-n", 8, "--seed", seed).out for seed in (1, 1, 2))
    assert first == again != other
    assert len(first.splitlines()) == 8
    assert run("ngram", "generate", model, "--temperature", 0, "-n", 1).out == "the cat sat\n"
    assert run("ngram", "generate", model, "--top-p", 0).code == 2


def test_next_words(run, model):
    said = json.loads(run("ngram", "next", model, "the", "--top", 2, "--json").out)
    assert [row["word"] for row in said] == ["cat", "dog"]
    assert run("ngram", "next", model, "the", "--top", 1).out.splitlines()[0] == "word\tprobability"


def test_info_of_models_and_arpa_files(run, model):
    assert json.loads(run("ngram", "info", model, "--json").out)["tokens"] == 45
    out = run("ngram", "info", GOLDEN / "train.o2.arpa.xz").out
    assert "2\t35408\t-" in out
    assert "signature\ttok:whitespace|case:keep|norm:none|digits:keep|order:2|smooth:arpa|v:" in out


def test_a_second_run_reuses_the_encoded_corpus(run, text, tmp_path):
    cache = tmp_path / "cache"
    for name in ("a", "b"):
        assert run("ngram", "train", text, "-o", tmp_path / name, "--cache-dir", cache).code == 0
    assert len(list(cache.glob("*.corpus"))) == 1
    assert (tmp_path / "a").read_bytes() == (tmp_path / "b").read_bytes()


def test_demo_shows_its_tables_and_keeps_files_if_asked(run, tmp_path):
    done = run("demo", "--output", tmp_path / "tryout")
    assert done.code == 0
    for shown in ("pydocs.train.txt", "perplexity\t", "unknown words", "Return the number of items in a list ."):
        assert shown in done.out
    assert {path.name for path in (tmp_path / "tryout").iterdir()} == {
        "pydocs.train.txt",
        "pydocs.dev.txt",
        "pydocs.ngram",
    }
    figures = dict(line.split("\t")[:2] for line in done.out.splitlines() if line.count("\t") == 1)
    assert 20 < float(figures["perplexity"]) < 300
