"""`textkit w2v …` as a user runs it."""

import json
import re

import numpy as np
import pytest

RNG = np.random.default_rng(7)
LINES = [
    " ".join(f"{topic}{i}" for i in RNG.integers(0, 10, 8)) for topic in RNG.choice(["fish", "star"], 1200)
]  # fmt: skip
QUICK = ["--min-count", 1, "--epochs", 10, "--rate", 0.1, "--dim", 16, "--sample", 0, "--no-cache", "--threads", 1]


@pytest.fixture
def text(tmp_path):
    path = tmp_path / "text.txt"
    path.write_text("\n".join(LINES) + "\n")
    return path


@pytest.fixture(scope="module")
def trained(tmp_path_factory):
    from textkit.cli.main import textkit

    directory = tmp_path_factory.mktemp("w2v")
    (directory / "text.txt").write_text("\n".join(LINES) + "\n")
    arguments = ["w2v", "train", directory / "text.txt", "-o", directory / "m.w2v", *QUICK]
    textkit.main([str(a) for a in arguments], standalone_mode=False)
    return directory / "m.w2v"


def table(out):
    return [line.split("\t") for line in out.splitlines()]


def test_train_prints_what_was_made(run, text, tmp_path):
    done = run("w2v", "train", text, "-o", tmp_path / "m.w2v", *QUICK)
    assert done.code == 0
    assert done.err == []
    assert table(done.out)[:6] == [
        ["what", "value"], ["words", "20"], ["dimensions", "16"], ["tokens of text", "9600"], ["epochs", "10"],
        ["words trained on", "96000"],
    ]  # fmt: skip
    assert table(done.out)[6] == ["learning rate", "0.1"]
    assert not (tmp_path / "m.w2v.checkpoint").exists()


def test_rate_is_given_or_chosen(run, text, tmp_path):
    train = ["w2v", "train", text, "-o", tmp_path / "m.w2v", "--epochs", 1, "--dim", 4, "--no-cache"]
    for options, rate in (
        (("--rate", "0.03"), "0.03"), (("--rate", "auto"), "0.09"), (("--like", "gensim"), "0.025"),
        (("--like", "gensim", "--rate", "auto"), "0.075"),
    ):  # fmt: skip
        assert ["learning rate", rate] in table(run(*train, *options).out)
    done = run(*train, "--rate", "much")
    assert done.code == 2 and done.err == ["error: --rate much is no number. Give one such as 0.05, or auto."]


def test_train_json_log_and_plot(run, text, tmp_path):
    log, plot = tmp_path / "log.json", tmp_path / "loss.svg"
    done = run("w2v", "train", text, "-o", tmp_path / "m.w2v", *QUICK, "--json", "--log", log, "--plot", plot)
    said, logged = json.loads(done.out), json.loads(log.read_text())
    assert (said["words"], said["dim"], said["written"]) == (20, 16, str(tmp_path / "m.w2v"))
    assert said["history"][-1]["loss"] < said["history"][0]["loss"]
    assert logged["config"]["dim"] == 16
    assert logged["history"] == said["history"]
    assert b"<svg" in plot.read_bytes()


@pytest.mark.parametrize(
    "options",
    [["--model", "cbow"], ["--loss", "hs"], ["--loss", "softmax"], ["--subword", "3-4"], ["--like", "gensim"],
     ["--model", "cbow", "--cbow-mean-compat"], ["--decay", "cosine"], ["--fixed-window"], ["--storage", "float16"]],
    ids=" ".join,
)  # fmt: skip
def test_every_way_to_train_gives_a_model(run, text, tmp_path, options):
    assert run("w2v", "train", text, "-o", tmp_path / "m.w2v", *QUICK, *options).code == 0
    found = table(run("w2v", "similar", tmp_path / "m.w2v", "fish1", "--top", 3).out)[1:]
    assert len(found) == 3


def test_similar_words_of_one_of_many_and_of_standard_input(run, trained):
    one = table(run("w2v", "similar", trained, "fish1", "--top", 4).out)
    assert one[0] == ["word", "cosine"]
    assert len(one) == 5
    assert all(word.startswith("fish") for word, _ in one[1:])
    many = table(run("w2v", "similar", trained, "-", "--top", 2, stdin=b"fish1 star1\n").out)
    assert [row[0] for row in many] == ["query", "fish1", "fish1", "star1", "star1"]
    near = table(run("w2v", "similar", trained, "fish1", "star1", "--top", 2, "--approximate").out)
    assert {row[0] for row in near[1:]} == {"fish1", "star1"}
    together = json.loads(run("w2v", "similar", trained, "fish1", "fish2", "-n", "star1", "--together", "--json").out)
    assert together[0]["query"] == "fish1 fish2 -star1"
    assert together[0]["similar"][0]["word"].startswith("fish")


def test_unknown_word_is_told_with_a_suggestion(run, trained):
    done = run("w2v", "similar", trained, "fsh1")
    assert done.code == 2
    assert done.out == ""
    assert re.fullmatch(r"error: the word 'fsh1' has no vector. Did you mean fish1\?", done.err[0])


def test_analogy_odd_one_out_and_distance(run, trained):
    assert len(table(run("w2v", "analogy", trained, "fish1", "fish2", "star1", "--top", 2).out)) == 3
    assert run("w2v", "analogy", trained, "fish1", "fish2", "star1", "--method", "x").code == 2
    assert table(run("w2v", "odd-one-out", trained, "fish1", "star2", "fish3").out)[1][0] == "star2"
    rows = table(run("w2v", "distance", trained, "fish1", "fish1", "star1").out)
    assert rows[1] == ["fish1", "fish1", "1.0000", "0.0"]
    assert run("w2v", "distance", trained, "fish1").code == 2


def test_sentence_vectors(run, trained, tmp_path):
    done = run("w2v", "sentence", trained, "-", stdin=b"fish1 fish2\nunknown\n")
    first, second = ([float(x) for x in line.split(" ")] for line in done.out.splitlines())
    assert len(first) == len(second) == 16
    assert any(first)
    assert not any(second)
    target = tmp_path / "vectors.jsonl"
    run("w2v", "sentence", trained, "-", "--json", "--output", target, stdin='fish1 fish2\nsay "é"\n'.encode())
    objects = [json.loads(line) for line in target.read_text("utf-8").splitlines()]
    assert objects == [{"text": "fish1 fish2", "vector": first}, {"text": 'say "é"', "vector": [0] * 16}]


def test_cluster_prints_classes(run, trained):
    rows = [line.split(" ") for line in run("w2v", "cluster", trained, "--classes", 2, "--sorted").out.splitlines()]
    assert len(rows) == 20
    assert len({word[:4] + number for word, number in rows}) == 2
    assert [number for _, number in rows] == sorted(number for _, number in rows)


def test_evaluate_both_kinds_of_files(run, trained, tmp_path):
    (tmp_path / "q.txt").write_text(": topic\nfish1 fish2 star1 star2\nx y z w\n")
    (tmp_path / "p.tsv").write_text("fish1\tfish2\t9\nstar1\tstar2\t8\nfish1\tstar1\t1\n")
    rows = table(run("w2v", "evaluate", trained, tmp_path / "q.txt", tmp_path / "p.tsv").out)
    assert rows[0] == ["section", "questions", "covered", "correct", "accuracy"]
    assert rows[1][:3] == ["topic", "2", "1"]
    assert rows[3] == ["pairs", "covered", "spearman", "95 % from", "to", "pearson"]
    assert rows[4][:2] == ["3", "3"]
    said = json.loads(run("w2v", "evaluate", trained, tmp_path / "q.txt", "--json").out)
    assert said["q.txt"][-1]["questions"] == 2


def test_evaluation_during_training_and_early_stop(run, text, tmp_path):
    (tmp_path / "p.tsv").write_text("fish1\tfish2\t9\nstar1\tstar2\t8\nfish1\tstar1\t1\n")
    watch = ["--evaluate", tmp_path / "p.tsv", "--patience", 2]
    done = run("w2v", "train", text, "-o", tmp_path / "m.w2v", *QUICK, "--epochs", 200, *watch, "--json")
    said = json.loads(done.out)
    assert all("p" in entry for entry in said["history"])
    assert said["words_trained"] < 200 * 9504
    assert run("w2v", "train", text, "-o", tmp_path / "m.w2v", "--patience", 2, "--no-cache").code == 2


def test_compare(run, trained):
    rows = table(run("w2v", "compare", trained, trained, "--top", 3).out)
    assert rows[0] == ["most changed", "drift", "overlap"]
    assert len(rows) == 4
    assert rows[1][2] == "1.000"


@pytest.mark.parametrize("name", ["m.vec", "m.bin", "m.glove", "m.npy", "m.tsv", "m.vec.gz", "half.w2v"])
def test_exported_vectors_answer_alike(run, trained, tmp_path, name):
    done = run("w2v", "export", trained, "-o", tmp_path / name, "--storage", "float16")
    assert done.code == 0
    assert "20 words" in done.err[0]
    before = [row[0] for row in table(run("w2v", "similar", trained, "fish1", "--top", 4).out)]
    after = [row[0] for row in table(run("w2v", "similar", tmp_path / name, "fish1", "--top", 4).out)]
    assert before == after


def test_export_of_words_and_of_few(run, trained, tmp_path):
    assert len(run("w2v", "export", trained, "--words").out.splitlines()) == 20
    run("w2v", "export", trained, "-o", tmp_path / "few.vec", "--top", 3)
    assert (tmp_path / "few.vec").read_text().splitlines()[0] == "3 16"
    assert run("w2v", "export", trained).code == 2


def test_info(run, trained):
    said = json.loads(run("w2v", "info", trained, "--json").out)
    assert (said["words"], said["dim"], said["tokens"], said["config"]["epochs"]) == (20, 16, 9600, 10)
    assert said["signature"].startswith("tok:word|case:keep|norm:none|digits:keep|vectors:skipgram|loss:ns")
    assert ["words", "20"] in table(run("w2v", "info", trained).out)


def test_plot_page_and_picture(run, trained, tmp_path):
    assert run("w2v", "plot", trained, "-o", tmp_path / "m.html").code == 0
    assert "fish1" in (tmp_path / "m.html").read_text()
    assert run("w2v", "plot", trained, "fish1", "fish2", "star1", "-o", tmp_path / "m.svg", "--method", "pca").code == 0
    assert b"<svg" in (tmp_path / "m.svg").read_bytes()
    assert run("w2v", "plot", trained).code == 2


def test_phrases(run, tmp_path):
    path = tmp_path / "t.txt"
    path.write_text("new york is big\nold town is far\nit is what it is\n" * 20)
    done = run("w2v", "phrases", path, "--threshold", 3, "--no-cache")
    assert done.out.splitlines()[:2] == ["new_york is big", "old_town is far"]
    listed = table(run("w2v", "phrases", path, "--threshold", 3, "--list", "--no-cache").out)
    assert ["1", "old_town", "20", "9.75"] in listed
    run("w2v", "phrases", path, "--threshold", 3, "--no-cache", "-o", tmp_path / "out.txt")
    assert (tmp_path / "out.txt").read_text() == done.out


def test_training_on_with_a_model_and_from_vectors(run, text, trained, tmp_path):
    (tmp_path / "more.txt").write_text("\n".join(line.replace("star", "moon") for line in LINES))
    done = run("w2v", "train", tmp_path / "more.txt", "--from", trained, "-o", tmp_path / "both.w2v", *QUICK)
    assert done.err == ["note: 10 of 30 words are new."]
    assert table(done.out)[1] == ["words", "30"]
    assert run("w2v", "export", trained, "-o", tmp_path / "v.vec").code == 0
    frozen = ["--init", tmp_path / "v.vec", "--freeze"]
    done = run("w2v", "train", text, *frozen, "-o", tmp_path / "f.w2v", *QUICK)
    assert "output vectors begin at zero" in done.err[0]
    first = run("w2v", "similar", trained, "fish1").out
    assert run("w2v", "similar", tmp_path / "f.w2v", "fish1").out == first
    other = run("w2v", "train", text, *frozen, "-o", tmp_path / "g.w2v", "--no-cache", "--dim", 8, "--min-count", 1)
    assert (other.code, "16 dimensions, not 8" in other.err[0]) == (2, True)


def test_missing_directory_is_told_before_training(run, tmp_path):
    done = run("w2v", "train", tmp_path / "none.txt", "-o", tmp_path / "none" / "m.w2v")
    assert (done.code, done.out) == (1, "")
    assert f"{tmp_path / 'none'} is no directory" in done.err[0]


def test_training_on_keeps_the_settings_of_the_model(run, text, tmp_path):
    cbow = ["--model", "cbow", "--subword", "3-4", "--position-weights"]
    run("w2v", "train", text, "-o", tmp_path / "a.w2v", *cbow, *QUICK)
    run("w2v", "train", text, "--from", tmp_path / "a.w2v", "-o", tmp_path / "b.w2v", "--epochs", 1, "--no-cache")
    before, after = (dict(table(run("w2v", "info", tmp_path / f"{name}.w2v").out)[1:]) for name in "ab")
    assert (before["epochs"], after["epochs"]) == ("10", "1")
    kept = ("model", "dim", "min_count", "subwords", "position_weights")
    assert [after[name] for name in kept] == [before[name] for name in kept]
    assert after["subwords"] == "(3, 4)"


@pytest.mark.parametrize(
    ("options", "reason"),
    [
        (["--dim", 0], "--dim 0 makes no sense"), (["--model", "x"], "unknown model 'x'"),
        (["--subword", "x"], "not a range of lengths"), (["--like", "x"], "unknown preset 'x'"),
        (["--rate", "nan"], "learning rate of nan"), (["--min-count", 9999], "no word occurs 9999 times"),
        (["--storage", "x"], "unknown storage 'x'"), (["--from", "none.w2v"], "cannot open none.w2v"),
 (["--evaluate", "none.txt"], "none.txt"),
    ],
)  # fmt: skip
def test_bad_calls_are_refused_in_one_line(run, text, tmp_path, options, reason):
    done = run("w2v", "train", text, "-o", tmp_path / "m.w2v", "--no-cache", *options)
    assert done.code in (1, 2)
    assert len(done.err) == 1
    assert reason in done.err[0]
    assert list(tmp_path.iterdir()) == [text]


@pytest.mark.parametrize("content", [b"", b"\0\1\2\3" * 50, b"1 2\n", b"not vectors\n", b"a 1 2\nb 1\n"])
def test_models_that_are_none_are_refused_in_one_line(run, tmp_path, content):
    (tmp_path / "bad").write_bytes(content)
    done = run("w2v", "similar", tmp_path / "bad", "word")
    assert (done.code, len(done.err)) == (1, 1)
    assert done.err[0].startswith("error: ")
    assert not done.err[0].startswith("error: unexpected")


@pytest.mark.parametrize("content", [b"", b"\n\n\n", b"\xff\xfe\0", b"x" * 100_000])
def test_text_that_is_none_is_refused_in_one_line(run, tmp_path, content):
    (tmp_path / "bad.txt").write_bytes(content)
    done = run("w2v", "train", tmp_path / "bad.txt", "-o", tmp_path / "m.w2v", "--no-cache")
    assert (done.code, len(done.err)) == (1, 1)
    assert list(tmp_path.iterdir()) == [tmp_path / "bad.txt"]
