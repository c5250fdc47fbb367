"""`textkit ngram train --smoothing …`, `check` and `compare` as a user runs them."""

import json

import pytest


@pytest.fixture
def text(tmp_path):
    path = tmp_path / "text.txt"
    path.write_text("the cat sat\nthe dog sat on the mat\nthe cat ran\na bird sang\n" * 5)
    return path


@pytest.fixture
def dev(tmp_path):
    path = tmp_path / "dev.txt"
    path.write_text("the bird sat\na cat flew\nthe dog ran\n")
    return path


def train(run, text, tmp_path, *options):
    return run("ngram", "train", text, "-o", tmp_path / "m.ngram", "--no-cache", "--json", *options)


@pytest.mark.parametrize(
    ("options", "label"),
    [
        (["--smoothing", "witten-bell"], "wb"),
        (["--smoothing", "kndiscount", "--backoff"], "mkn,backoff"),
        (["--smoothing", "lidstone", "--k", "0.5 0.1"], "add-k,k=0.5+0.1"),
        (["--smoothing", "abs", "--discount", "0.7 / 0.8"], "abs,d=0.7+0.8"),
        (["--discount", "0.5,1,1.5"], "mkn,d=0.5/1/1.5"),
        (["--smoothing", "jm", "--lambda", "0.3"], "jm,lambda=0.3"),
        (["--smoothing", "stupid", "--alpha", "0.3"], "stupid,alpha=0.3"),
    ],
)
def test_smoothing_is_chosen_and_stands_in_the_signature(run, text, tmp_path, options, label):
    done = train(run, text, tmp_path, *options)
    assert done.code == 0, done.err
    said = json.loads(done.out)
    assert said["smoothing"] == label
    assert f"|smooth:{label}|" in said["signature"]
    assert json.loads(run("ngram", "info", tmp_path / "m.ngram", "--json").out)["smoothing"] == label


@pytest.mark.parametrize(
    ("options", "reason"),
    [
        (["--smoothing", "wittenbel"], "unknown smoothing 'wittenbel'"),
        (["--smoothing", "wb", "--k", "1"], "--k has no meaning for the smoothing wb"),
        (["--discount", "2"], "--discount 2.0 makes no sense"),
        (["--discount", "0.5/x"], "--discount 'x' is not a list of numbers"),
        (["--discount", "/"], "--discount  makes no sense"),
        (["--smoothing", "katz", "--interpolate"], "the smoothing katz is always backoff"),
    ],
)
def test_impossible_smoothing_is_wrong_usage(run, text, tmp_path, options, reason):
    done = train(run, text, tmp_path, *options)
    assert done.code == 2
    assert reason in done.err[-1]
    assert not (tmp_path / "m.ngram").exists()


def test_parameters_are_tuned_on_dev_text(run, text, dev, tmp_path):
    said = json.loads(train(run, text, tmp_path, "--smoothing", "add-k", "--dev", dev).out)
    assert (said["settled"], said["smoothing"]) == ("dev", "add-k,dev")
    assert len(said["k"]) == 3
    untouched = train(run, text, tmp_path, "--smoothing", "wb", "--dev", dev)
    assert untouched.err == ["note: --dev changed nothing: the smoothing wb leaves nothing to tune."]
    missing = train(run, text, tmp_path, "--dev", tmp_path / "missing.txt")
    assert missing.code == 1
    assert "missing.txt" in missing.err[-1]


def test_info_shows_the_parameters(run, text, tmp_path):
    for options, header in (
        (["--smoothing", "jm"], "weights by context count 1 2- 4- 8- …"),
        (["--smoothing", "add-k"], "k"),
        (["--smoothing", "kn"], "discount"),
        (["--smoothing", "stupid"], "alpha"),
        (["--smoothing", "wb"], "parameters"),
    ):
        assert train(run, text, tmp_path, *options).code == 0
        assert run("ngram", "info", tmp_path / "m.ngram").out.splitlines()[0] == f"order\tn-grams\t{header}"


def test_skip_symbols_leaves_out_the_unknown_word(run, tmp_path):
    (tmp_path / "text.txt").write_text("a <unk> b\n<unk> <s> a </s>\n")
    (tmp_path / "same.txt").write_text("a b\na\n")
    arpas = []
    for name, options in (("text", ["--skip-symbols"]), ("same", []), ("text", [])):
        arpa = tmp_path / f"{len(arpas)}.arpa"
        source = tmp_path / f"{name}.txt"
        done = run("ngram", "train", source, "--tokenizer", "whitespace", "--no-cache", "--arpa", arpa, *options)
        assert done.code == 0
        arpas.append(arpa.read_text())
    assert arpas[0] == arpas[1] != arpas[2]


def test_check_passes_models_and_refuses_what_does_not_sum_to_one(run, text, tmp_path):
    train(run, text, tmp_path, "--arpa", tmp_path / "m.arpa")
    done = run("ngram", "check", tmp_path / "m.ngram")
    assert (done.code, done.err) == (0, [])
    assert done.out.splitlines()[0] == "context words\tchecked\tleast sum\tgreatest sum\tworst context"
    assert [line.split("\t")[0] for line in done.out.splitlines()[1:]] == ["0", "1", "2"]
    said = json.loads(run("ngram", "check", tmp_path / "m.arpa", "--json").out)
    assert said["normalised"] and said["error"] < 1e-5
    lines = (tmp_path / "m.arpa").read_text().split("\n")
    spoilt = [line.replace("-", "-1", 1) if "\tthe cat\t" in line else line for line in lines]
    (tmp_path / "bad.arpa").write_text("\n".join(spoilt))
    bad = run("ngram", "check", tmp_path / "bad.arpa")
    assert bad.code == 1
    assert "do not sum to one" in bad.err[-1]
    assert run("ngram", "check", tmp_path / "bad.arpa", "--tolerance", 1).code == 0


def test_check_says_that_stupid_backoff_does_not_sum_to_one(run, text, tmp_path):
    train(run, text, tmp_path, "--smoothing", "stupid")
    done = run("ngram", "check", tmp_path / "m.ngram")
    assert done.code == 0
    assert done.err == [
        "note: stupid backoff gives scores, not probabilities: they do not sum to one, nor are they meant to."
    ]


def test_compare_prints_a_table_and_names_the_best(run, text, dev, tmp_path):
    options = ["--orders", "1-2", "--smoothing", "mkn,wb,stupid", "--no-cache"]
    done = run("ngram", "compare", text, "--dev", dev, *options, "--plot", tmp_path / "p.svg", "-o", tmp_path / "best")
    assert done.code == 0, done.err
    rows = [line.split("\t") for line in done.out.splitlines()]
    assert rows[0] == ["smoothing", "order", "perplexity", "without OOV", "n-grams", "MB", "seconds"]
    assert [row[:2] for row in rows[1:7]] == [[s, o] for o in "12" for s in ("mkn", "wb", "stupid,alpha=0.4")]
    assert rows[3][2] == "-"
    assert rows[7] == ["held-out tokens", "12, 1 of them unknown (8.33%)"]
    name, order = rows[9][1].split(":")[0].split(", order ")
    best = min((row for row in rows[1:7] if row[2] != "-"), key=lambda row: float(row[2]))
    assert [name, order] == best[:2]
    scored = json.loads(run("ngram", "perplexity", tmp_path / "best", dev, "--json").out)
    assert f"{scored['perplexity']:.2f}" == best[2]
    assert "<svg" in (tmp_path / "p.svg").read_text()


def test_compare_without_a_best_writes_no_model(run, text, dev, tmp_path):
    options = ["--smoothing", "mle,stupid", "--orders", 2, "--no-cache", "-o", tmp_path / "best"]
    done = run("ngram", "compare", text, "--dev", dev, *options)
    assert done.code == 0
    assert [line.split("\t")[2] for line in done.out.splitlines()[1:3]] == ["inf", "-"]
    assert (
        done.err[-1] == f"note: {tmp_path / 'best'} was not written: no method gave every held-out token a probability."
    )
    assert not (tmp_path / "best").exists()


def test_compare_as_json_with_tuned_candidates(run, text, dev):
    done = run("ngram", "compare", text, "--dev", dev, "--tune", dev, "--orders", 2, "--no-cache", "--json")
    said = json.loads(done.out)
    assert said["best"]["perplexity"] == min(row["perplexity"] for row in said["candidates"] if row["perplexity"])
    assert {row["tuned"] for row in said["candidates"]} == {True, False}
    assert [row["perplexity"] for row in said["candidates"] if row["smoothing"] == "mle"] == [None]


@pytest.mark.parametrize(
    ("options", "code", "reason"),
    [
        (["--orders", "x"], 2, "--orders 'x' is not a list of orders"),
        (["--smoothing", "mkn,foo"], 2, "unknown smoothing 'foo'"),
        (["--plot", "x.docx"], 2, "plots cannot be written as .docx"),
        (["--tune", "missing.txt"], 1, "missing.txt"),
    ],
)
def test_compare_refuses_impossible_options_at_once(run, text, dev, options, code, reason):
    done = run("ngram", "compare", text, "--dev", dev, "--no-cache", *options)
    assert done.code == code
    assert reason in done.err[-1]
    assert done.out == ""


def test_compare_needs_held_out_text(run, text):
    assert run("ngram", "compare", text).code == 2
