"""Training runs: what they learn, that they repeat, and that an interrupted one ends as an uninterrupted one."""

import itertools
import os
import signal
import subprocess
import sys
import time
from pathlib import Path
from types import SimpleNamespace

import numpy as np
import pytest

from textkit import UsageError, Word2Vec, WordVectors, training
from textkit.errors import DataError
from textkit.text.corpus import encode_corpus
from textkit.text.reader import Lines
from textkit.text.tokenizer import Tokenizer
from textkit.training import Plan, Schedule, run
from textkit.vectors.config import Config
from textkit.vectors.training import Trainer
from textkit.vectors.word2vec import finished, grown_vocabulary, started_from

rng = np.random.default_rng(5)
# Two topics whose words stand only with one another.
SENTENCES = [
    [f"{topic}{i}" for i in rng.integers(0, 12, 8)] for topic in rng.choice(["fish", "star"], 1500)
]  # fmt: skip
SMALL = {"dim": 20, "min_count": 1, "epochs": 4, "sample": 0, "seed": 3}
KINDS = [{"model": model, "loss": loss} for model in ("skipgram", "cbow") for loss in ("ns", "hs", "softmax")] + [
    {"subwords": (3, 4), "buckets": 5000},
    {"model": "cbow", "combine": "sum", "rate": 0.02},
]


def corpus(sentences=SENTENCES):
    return encode_corpus(Lines([" ".join(s) for s in sentences]), Tokenizer("whitespace"))


def told_apart(model) -> bool:
    """Whether the nearest words of a word are of its own topic."""
    near = [model.similar(word, top=5) for word in ("fish3", "star3")]
    return all(w.startswith(topic) for topic, found in zip(("fish", "star"), near, strict=True) for w, _ in found)


@pytest.mark.parametrize("threads", [1, 2])
@pytest.mark.parametrize("kind", KINDS, ids=str)
def test_every_model_tells_topics_apart_and_lowers_its_loss(kind, threads):
    model = Word2Vec.train(SENTENCES, threads=threads, **{**SMALL, "epochs": 15, "rate": 0.1, **kind})
    assert told_apart(model)
    losses = [entry["loss"] for entry in model.report["history"]]
    if threads == 1:  # with more, two runs differ, and so small a text is learnt at the first measurement
        assert losses[-1] < losses[0]


@pytest.mark.parametrize("kind", KINDS, ids=str)
def test_one_thread_with_a_seed_repeats_bit_by_bit(kind):
    first, second = (Word2Vec.train(SENTENCES, threads=1, **{**SMALL, **kind}) for _ in range(2))
    assert (first.vectors == second.vectors).all()
    other = Word2Vec.train(SENTENCES, threads=1, **{**SMALL, **kind, "seed": 4})
    assert (first.vectors != other.vectors).any()


class Stop(Exception):
    """Raised in the midst of a run."""


@pytest.mark.parametrize(
    "kind",
    [
        {},
        {"model": "cbow"},
        {"loss": "hs"},
        {"subwords": (3, 4)},
        {"model": "cbow", "position_weights": True, "subwords": (3, 4)},
    ],
    ids=str,
)
def test_resumed_run_equals_an_uninterrupted_one(kind, tmp_path):
    text, config = corpus(), Config(**{**SMALL, **kind})
    whole = Trainer(text, config, threads=1).run()
    path, pauses = tmp_path / "state", []

    def interrupt(state):
        pauses.append(state)
        if len(pauses) == 5:
            raise Stop

    with pytest.raises(Stop):
        Trainer(text, config, threads=1).run(callback=interrupt, checkpoint=path, checkpoint_seconds=0)
    assert path.exists()
    resumed = Trainer(text, config, threads=1)
    again = resumed.run(checkpoint=path, resume=True)
    assert (again.syn_in == whole.syn_in).all()
    assert (again.syn_out == whole.syn_out).all()
    assert (again.weights == whole.weights).all()
    assert not path.exists()
    assert resumed.history[0]["words"] < pauses[0].words * 1.5  # its history begins with the first run's


def test_checkpoint_of_other_settings_is_refused(tmp_path):
    trainer = Trainer(corpus(), Config(**SMALL), threads=1)
    trainer.save_checkpoint(tmp_path / "state", 3)
    other = Trainer(corpus(), Config(**{**SMALL, "window": 3}), threads=1)
    with pytest.raises(DataError, match="other settings"):
        other.run(checkpoint=tmp_path / "state", resume=True)
    with pytest.raises(DataError, match="another text"):
        Trainer(corpus(SENTENCES[:-1]), Config(**SMALL)).run(checkpoint=tmp_path / "state", resume=True)


SCRIPT = """
import sys
from textkit.cli.main import run
run(["w2v", "train", sys.argv[1], "-o", sys.argv[2], "--tokenizer", "whitespace", "--epochs", "400", "--min-count", "1",
     "--threads", "1", "--no-cache", "--dim", "20", *sys.argv[3:]])
"""


@pytest.mark.parametrize("how", [signal.SIGKILL, signal.SIGINT])
def test_stopped_training_resumes_to_the_same_file(tmp_path, how):
    (tmp_path / "text.txt").write_text("\n".join(" ".join(s) for s in SENTENCES))

    def command(output, *more):
        return [sys.executable, "-c", SCRIPT, str(tmp_path / "text.txt"), str(tmp_path / output), *more]

    often = command("killed.w2v", "--checkpoint-every", "0")
    process = subprocess.Popen(often, cwd=Path(__file__).parent, stderr=subprocess.PIPE, text=True)
    checkpoint, began = tmp_path / "killed.w2v.checkpoint", time.monotonic()
    while not checkpoint.exists() and process.poll() is None and time.monotonic() - began < 100:
        time.sleep(0.02)
    os.kill(process.pid, how)
    said = process.communicate(timeout=100)[1]
    assert checkpoint.exists()
    if how == signal.SIGINT:
        assert process.returncode == 130
        assert said.splitlines()[-2].endswith("the same command with --resume goes on.")
    assert not (tmp_path / "killed.w2v").exists()
    subprocess.run(command("killed.w2v", "--resume"), check=True, capture_output=True)
    subprocess.run(command("whole.w2v"), check=True, capture_output=True)
    killed, whole = (WordVectors.load(tmp_path / name) for name in ("killed.w2v", "whole.w2v"))
    assert (killed.vectors == whole.vectors).all()
    assert (killed.output == whole.output).all()
    assert not checkpoint.exists()


def test_rate_that_is_too_high_is_lowered_and_said():
    model = Word2Vec.train(SENTENCES, threads=1, **{**SMALL, "rate": 500.0})
    assert model.report["rate"] < 500
    assert "began anew" in model.report["complaints"][0]
    assert len(model.report["complaints"]) == 1
    assert np.isfinite(model.vectors).all()
    assert told_apart(Word2Vec.train(SENTENCES, threads=1, **{**SMALL, "rate": 500.0, "epochs": 15}))


@pytest.mark.parametrize(
    ("kind", "rate"),
    [
        *zip(KINDS, itertools.cycle((50.0, 5.0, 1.0))),
        ({"model": "cbow", "combine": "mean-compat"}, 50.0),
        ({"model": "cbow", "position_weights": True}, 5.0),
        ({"model": "cbow", "loss": "hs", "position_weights": True}, 50.0),
        ({"model": "cbow", "subwords": (3, 4), "buckets": 5000}, 50.0),
        ({"loss": "hs", "subwords": (3, 4), "buckets": 5000}, 5.0),
        ({"dim": 300}, 5.0),
        ({"dim": 300, "model": "cbow", "loss": "hs"}, 50.0),
    ],
    ids=str,
)
def test_no_setting_diverges(kind, rate):
    model = Word2Vec.train(SENTENCES[:700], threads=1, **{**SMALL, "epochs": 15, **kind, "rate": rate})
    used = model.report["rate"]
    assert used <= 5 and (used == rate or f"began anew at {used:g}" in model.report["complaints"][0])
    assert np.isfinite(model.vectors).all() and told_apart(model)
    assert model.report["history"][-1]["loss"] < model.report["history"][0]["loss"]


def test_single_word_is_no_divergence():
    model = Word2Vec.train([["a"] * 500], threads=1, loss="softmax", dim=4, epochs=2)
    assert model.report["complaints"] == []


def test_callback_ends_training_and_sees_its_course():
    seen = []

    def stop(state):
        seen.append(state)
        return len(seen) == 3

    model = Word2Vec.train(SENTENCES, callback=stop, threads=1, **SMALL)
    assert len(seen) == 3
    assert 0 < seen[0].words < seen[2].words < seen[2].total
    assert model.report["words_trained"] == seen[2].words
    assert seen[0].rate > seen[2].rate


def test_training_goes_on_with_new_words(tmp_path):
    base = Word2Vec.train(SENTENCES, threads=1, **SMALL)
    more = [[w.replace("star", "moon") for w in s] for s in SENTENCES if s[0].startswith("star")]
    text = Lines([" ".join(s) for s in more] + ["fish1 fish2"])
    vocabulary = grown_vocabulary(base, text, 1)
    assert vocabulary.words()[: len(base.vocabulary)] == base.vocabulary.words()
    trainer = Trainer(encode_corpus(text, base.tokenizer, vocabulary=vocabulary), Config(**SMALL), threads=1)
    remarks = started_from(trainer, base)
    assert remarks == ["12 of 36 words are new."]
    before = trainer.matrices.syn_in.copy()
    trainer.run()
    model = finished(trainer)
    number = model.vocabulary.id("star3")
    assert (model.vectors[number] == base["star3"]).all()  # does not occur in the new text
    assert (trainer.matrices.syn_in != before).any()
    assert all(w.startswith("moon") for w, _ in model.similar("moon3", top=3))


def test_weights_of_places_are_learned_kept_and_trained_on(tmp_path):
    settings = {**SMALL, "model": "cbow", "position_weights": True, "window": 2}
    model = Word2Vec.train(SENTENCES, threads=1, **settings)
    assert told_apart(model)
    assert model.weights.shape == (4, 20)
    assert (model.weights != 1).all()
    model.save(tmp_path / "m.w2v")
    again = WordVectors.load(tmp_path / "m.w2v")
    assert (again.weights == model.weights).all()
    trainer = Trainer(corpus(), Config(**settings), threads=1)
    started_from(trainer, again)
    assert (trainer.matrices.weights[:, :20] == model.weights).all()
    with pytest.raises(UsageError, match="no position weights"):
        Config(position_weights=True)


def test_frozen_vectors_stay(tmp_path):
    base = WordVectors.from_words(["fish1", "star1", "elsewhere"], np.ones((3, 20), np.float32))
    trainer = Trainer(corpus(), Config(**SMALL), threads=2)
    remarks = started_from(trainer, base, freeze=True)
    assert remarks[1] == "22 of 24 words are new."
    trainer.run()
    model = finished(trainer)
    assert (model["fish1"] == 1).all()
    assert (model["fish2"] != 1).any()


def test_vectors_of_another_size_are_refused():
    with pytest.raises(UsageError, match="3 dimensions, not 20"):
        started_from(Trainer(corpus(), Config(**SMALL)), WordVectors.from_words(["fish1"], np.ones((1, 3), np.float32)))


@pytest.mark.parametrize(
    ("settings", "reason"),
    [
        ({"dim": 0}, "--dim 0"), ({"window": 0}, "--window 0"), ({"model": "x"}, "unknown model 'x'"),
        ({"loss": "x"}, "unknown loss"), ({"rate": -1.0}, "learning rate of -1.0"), ({"decay": "x"}, "unknown decay"),
        ({"subwords": (4, 3)}, "--subword 4-3"), ({"negatives": 0}, "--negatives 0"), ({"sample": -1.0}, "--sample"),
        ({"rate": float("nan")}, "learning rate of nan"), ({"budget": 0.0}, "--time-budget"), ({"seed": -1}, "--seed"),
        ({"combine": "x"}, "unknown combination"), ({"epochs": -1}, "--epochs -1"),
    ],
)  # fmt: skip
def test_settings_that_make_no_sense_are_refused(settings, reason):
    with pytest.raises(UsageError, match=reason):
        Config(**settings)


def test_presets_are_those_of_the_programs():
    word2vec, fasttext = Config.like("word2vec"), Config.like("fasttext", dim=50)
    assert (word2vec.model, word2vec.sample, word2vec.rate, word2vec.combine) == (
        "cbow",
        1e-3,
        0.05,
        "mean-compat",
    )
    assert Config.like("word2vec", model="skipgram").rate == 0.025
    assert (fasttext.subwords, fasttext.exponent, fasttext.dim, fasttext.rate) == ((3, 6), 0.5, 50, 0.05)
    assert Config.like("gensim").rate == 0.025
    with pytest.raises(UsageError, match="unknown preset 'spacy'"):
        Config.like("spacy")


def test_rate_falls_with_the_words_to_train_on_unless_it_is_given():
    config = Config()
    usual = config.rate_for(4_000_000)
    assert config.rate_for(64_000_000) == pytest.approx(usual / 2) and config.rate_for(1e12) == usual / 4
    assert usual < config.rate_for(2_000_000) < config.rate_for(1) == usual * 1.5
    assert Config(rate=0.3).rate_for(1e9) == 0.3
    few, many = (Trainer(corpus(), Config(**{**SMALL, "epochs": e}), threads=1) for e in (50, 5000))
    tokens = 8 * len(SENTENCES)
    assert (few.rate, many.rate) == tuple(config.rate_for(tokens * e) for e in (50, 5000)) and few.rate > many.rate
    thinned = Trainer(corpus(), Config(**{**SMALL, "epochs": 5000, "sample": 1e-3}), threads=1)
    assert many.rate < thinned.rate


def test_no_word_that_is_frequent_enough_is_told():
    with pytest.raises(DataError, match="no word occurs 5 times in a text of 2 tokens"):
        Word2Vec.train([["a", "b"]])


def test_schedules():
    linear, cosine = Schedule(0.1, 0.01), Schedule(0.1, 0.0, "cosine")
    assert [linear.at(f) for f in (0, 0.5, 1)] == pytest.approx([0.1, 0.05, 0.001])
    assert [cosine.at(f) for f in (0, 0.5, 1)] == pytest.approx([0.1, 0.05, 0])
    assert Schedule(0.1, decay="constant").at(1) == 0.1


@pytest.mark.parametrize(("threads", "rests"), [(1, [7, 14, 21, 28, 35, 42, 49, 50]), (3, [9, 18, 27, 36, 45, 50])])
def test_runs_do_every_step_once_and_rest_when_no_worker_waits(threads, rests):
    done, rested = [], []
    assert run(Plan(50, Schedule(1.0), threads, pauses=7), lambda s, r: done.append(s), lambda s: False,
               lambda s: rested.append(s)) == 50  # fmt: skip
    assert sorted(done) == list(range(50))
    assert rested == rests


def test_budget_ends_a_run_and_lowers_the_rate_with_time(monkeypatch):
    rates = []
    monkeypatch.setattr(training, "time", SimpleNamespace(monotonic=lambda: 7.0 + len(rates)))  # a second a step

    def work(step, rate):
        rates.append(rate)

    reached = run(Plan(10_000, Schedule(1.0, 0.0), 1, budget=30), work, lambda s: False, lambda s: False)
    assert reached == len(rates)
    assert 30 <= reached <= 40  # steps that were handed out are finished
    assert rates[0] > 0.9
    assert rates[-1] < 0.1


def test_failing_step_is_raised():
    def work(step, rate):
        raise ValueError("no")

    with pytest.raises(ValueError, match="no"):
        run(Plan(5, Schedule(1.0), 2), work, lambda s: False, lambda s: False)
