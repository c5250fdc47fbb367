"""Models made small, and models for fastText: what they say, what they weigh, and what fastText says of them."""

import shutil
import subprocess

import golden_fasttext as golden
import numpy as np
import pytest

from textkit.classify.config import ClassifierConfig
from textkit.classify.data import from_memory
from textkit.classify.exporting import as_hashed, write_fasttext
from textkit.classify.foreign import top_like_fasttext
from textkit.classify.matrix_head import MatrixHead
from textkit.classify.model import Classifier
from textkit.classify.pruning import pruned
from textkit.classify.quantising import Smaller, divergence, file_size, importance, losses, quantised
from textkit.errors import DataError, UsageError
from textkit.text.tokenizer import Tokenizer

needs_fasttext = pytest.mark.skipif(shutil.which("fasttext") is None, reason="the fasttext command is not installed")
LINES = [line.split(" ", 1) for line in golden.lines("test.txt") if " " in line]
TEXTS = [" ".join(word for word in line[1].split(" ") if "__label__" not in word) for line in LINES]
LABELS = [line[0].removeprefix("__label__") for line in LINES]
HASHED = {"buckets": 5000, "end_mark": True, "min_ngram_count": 1}
KINDS = {
    "exact": {}, "words": {"word_ngrams": 1}, "pieces": {"chars": (2, 3)}, "hashed": HASHED,
    "hashed pieces": {**HASHED, "chars": (2, 4), "word_ngrams": 3}, "hs": {**HASHED, "loss": "hs"},
    "linear": {"model": "linear"}, "linear ova": {"model": "linear", "loss": "ova", "chars": (2, 3)},
    "linear hashed": {"model": "linear", "buckets": 5000},
    "ova": {**HASHED, "loss": "ova", "dim": 2}, "ns": {**HASHED, "loss": "ns", "bias": False},
}  # fmt: skip


def trained(**settings):
    given = {"model": "embedding", "dim": 6, "epochs": 3, "validation": 0.0, "rate": 0.3, **settings}
    data = from_memory(TEXTS, LABELS, tokenizer=Tokenizer("whitespace"))
    return Classifier.train_on(data, ClassifierConfig(**given), threads=1)


@pytest.fixture(scope="module", params=KINDS)
def model(request):
    return request.param, trained(**KINDS[request.param])


def said(classifier, texts=TEXTS):
    return classifier.probabilities(classifier.encode(texts))


def text_of(classifier):
    return classifier.encoded(TEXTS)


# --- smaller -----------------------------------------------------------------------------------------------


def test_all_features_as_codes_say_nearly_the_same(model):
    _, whole = model
    small = quantised(whole, Smaller(width=1))
    assert np.abs(said(small) - said(whole)).max() < 0.05
    assert (said(small).argmax(1) == said(whole).argmax(1)).mean() > 0.97


def test_a_size_is_kept_and_filled(model, tmp_path):
    name, whole = model
    for size in (60_000, 80_000) if name == "linear hashed" else (30_000, 60_000):  # there all words stay
        small = quantised(whole, Smaller(size=size), text_of(whole))
        small.save(tmp_path / "small.model")
        written = (tmp_path / "small.model").stat().st_size
        assert written <= size
        assert written == file_size(small)
        assert written > 0.9 * size or len(small.features) == len(whole.features)
        again = Classifier.load(tmp_path / "small.model")
        np.testing.assert_array_equal(said(again), said(small))
        assert (said(small).argmax(1) == said(whole).argmax(1)).mean() > 0.5


def test_pruned_features_are_the_same_features_with_fewer_rows(model):
    _, whole = model
    whole = as_hashed(whole) if whole.config.buckets and whole.head.kind != "linear" else whole
    rng = np.random.default_rng(5)
    features, old = pruned(whole.features, rng.permutation(len(whole.features))[:300])
    new = {int(row): i for i, row in enumerate(old)}
    assert len(features) == len(old)
    for i, row in enumerate(old.tolist()):
        assert features.name(i) == whole.features.name(row)
        assert features.kind(i) == whole.features.kind(row)
    few, all_ = (each.bags(whole.encoded(TEXTS[:50])) for each in (features, whole.features))
    for document in range(50):
        assert few[document].tolist() == [new[row] for row in all_[document].tolist() if row in new]


def test_what_moves_labels_apart_most_stays():
    whole = trained()
    weights = importance(whole)
    small = quantised(whole, Smaller(features=40))
    names = {small.features.name(row) for row in range(3, len(small.features))}
    best = {whole.features.name(int(row)) for row in np.argsort(-weights)[:40]}
    assert best <= names | {"<unk>", "<s>", "</s>"}


def test_two_labels_need_one_number_a_feature():
    data = from_memory(TEXTS, ["a" if label == "alpha" else "b" for label in LABELS], tokenizer=Tokenizer("whitespace"))
    config = ClassifierConfig(model="embedding", dim=6, epochs=3, validation=0.0)
    whole = Classifier.train_on(data, config, threads=1)
    small = quantised(whole, Smaller())
    assert small.head.dim == 1
    assert np.abs(said(small) - said(whole)).max() < 0.02


def test_loss_is_measured():
    whole = trained()
    data = from_memory([*TEXTS, "qqq"], [*LABELS, "new"], tokenizer=Tokenizer("whitespace"), known=whole.labels)
    found = losses(whole, quantised(whole, Smaller(features=100)), data)
    p = said(whole, [*TEXTS, "qqq"])
    right = [whole.labels[int(i)] for i in p.argmax(1)]
    expected = np.mean([a == b for a, b in zip(right, [*LABELS, "new"], strict=True)])
    assert found.accuracy[0] == pytest.approx(expected)
    assert found.log_loss[0] == pytest.approx(
        -np.mean([np.log(p[i, whole.labels.index(x)]) for i, x in enumerate(LABELS)]), rel=1e-4
    )
    assert 0 < found.agreement <= 1
    assert found.accuracy[1] <= 1
    assert divergence(p, p) == pytest.approx(0, abs=1e-9)


def test_impossible_wishes_are_refused():
    whole = trained()
    with pytest.raises(UsageError, match="without any feature"):
        quantised(whole, Smaller(size=500))
    with pytest.raises(UsageError, match="quantised already"):
        quantised(quantised(whole, Smaller(features=50)), Smaller(features=20))
    for wrong in ({"width": 0}, {"features": 0}):
        with pytest.raises(UsageError):
            Smaller(**wrong)


def test_damaged_small_models_are_refused(tmp_path):
    from textkit import files

    quantised(trained(), Smaller(features=50)).save(tmp_path / "small")
    good = files.load(tmp_path / "small")
    for name, array in good.arrays.items():
        if not name.startswith(("head", "ngrams")) or not array.size:
            continue
        for wrong in (array[:-1], array.astype(np.float64), array[None]):
            files.save(tmp_path / "bad", good.kind, good.header, {**good.arrays, name: wrong})
            with pytest.raises(DataError):
                Classifier.load(tmp_path / "bad")
    bad = {**good.arrays, "head.rows.centroids": np.full_like(good.arrays["head.rows.centroids"], np.nan)}
    files.save(tmp_path / "bad", good.kind, good.header, bad)
    with pytest.raises(DataError):
        Classifier.load(tmp_path / "bad")


# --- for fastText ------------------------------------------------------------------------------------------


def test_hashed_models_go_to_fasttext_and_back_without_loss(model, tmp_path):
    name, whole = model
    if (not whole.config.buckets and name != "words") or whole.head.kind == "linear":
        with pytest.raises(UsageError, match=r"keeps them exactly|no linear models"):
            write_fasttext(whole, tmp_path / "m.bin")
        return
    write_fasttext(whole, tmp_path / "m.bin")
    back = Classifier.load(tmp_path / "m.bin")
    order = [back.labels.index(label) for label in whole.labels]
    np.testing.assert_allclose(said(back)[:, order], said(whole), atol=2e-5)  # all n-grams of training have rows


@needs_fasttext
@pytest.mark.parametrize("kind", ["hashed", "hashed pieces", "hs", "ova", "ns"])
def test_fasttext_predicts_what_we_do(kind, tmp_path):
    whole = trained(**KINDS[kind])
    small = quantised(whole, Smaller(features=1500, fasttext=True))
    for name, ours in (("m.bin", whole), ("m.ftz", small)):
        write_fasttext(ours, tmp_path / name)
        printed = subprocess.run(
            ["fasttext", "predict-prob", str(tmp_path / name), "-", "4"],
            input="\n".join(TEXTS) + "\n", capture_output=True, text=True, check=True,
        ).stdout.splitlines()  # fmt: skip
        top = top_like_fasttext(ours.head, ours.encode(TEXTS), 4)
        assert len(printed) == len(TEXTS)
        for line, ids, p, n in zip(printed, top.ids, top.p, top.counts, strict=True):
            theirs = dict(zip(line.split(" ")[::2], map(float, line.split(" ")[1::2]), strict=True))
            for i, x in zip(ids[:n].tolist(), p[:n].tolist(), strict=True):
                step = 0.008 if kind in ("ova", "ns") else 5e-5  # a step of fastText's table of the sigmoid
                assert theirs[f"__label__{ours.labels[i]}"] == pytest.approx(x, abs=step)


@needs_fasttext
def test_fasttext_writes_the_same_words_of_our_test(tmp_path):
    whole = trained(**HASHED)
    write_fasttext(whole, tmp_path / "m.bin")
    lines = [f"__label__{label} {text}" for label, text in zip(LABELS, TEXTS, strict=True)]
    (tmp_path / "test.txt").write_text("\n".join(lines) + "\n")
    shown = subprocess.run(
        ["fasttext", "test", str(tmp_path / "m.bin"), str(tmp_path / "test.txt")],
        capture_output=True,
        text=True,
        check=True,
    ).stdout
    accuracy = float(
        np.mean([whole.labels[int(i)] == label for i, label in zip(said(whole).argmax(1), LABELS, strict=True)])
    )
    assert f"P@1\t{accuracy:.3g}" in shown


def test_what_fasttext_cannot_have_is_told(tmp_path):
    whole = trained(**{**HASHED, "end_mark": False})
    remarks = write_fasttext(whole, tmp_path / "m.bin")
    assert any("--end-mark" in remark for remark in remarks)
    data = from_memory(TEXTS, [f"two words {label}" for label in LABELS], tokenizer=Tokenizer("whitespace"))
    config = ClassifierConfig(model="embedding", dim=2, epochs=1, validation=0.0, **HASHED)
    with pytest.raises(DataError, match="no blank"):
        write_fasttext(Classifier.train_on(data, config, threads=1), tmp_path / "m.bin")
    assert isinstance(as_hashed(whole).head, MatrixHead)


def test_commands(tmp_path, run):
    whole = trained(**HASHED)
    whole.save(tmp_path / "m.model")
    lines = [f"__label__{label} {text}" for label, text in zip(LABELS, TEXTS, strict=True)]
    (tmp_path / "test.txt").write_text("\n".join(lines) + "\n")
    done = run("classify", "quantize", tmp_path / "m.model", "--size", "40K", "--test", tmp_path / "test.txt")
    assert done.code == 0, done.err
    assert "same label" in done.out
    assert (tmp_path / "m.small.model").stat().st_size <= 40_000
    done = run("classify", "quantize", tmp_path / "m.model", "--size", "40K", "-o", tmp_path / "m.ftz", "--json")
    assert done.code == 0, done.err
    assert 36_000 < (tmp_path / "m.ftz").stat().st_size <= 40_000
    for target in ("m.bin", "own.model"):
        done = run("classify", "export", tmp_path / "m.model", tmp_path / target)
        assert done.code == 0, done.err
    done = run("classify", "export", tmp_path / "m.ftz", tmp_path / "again.ftz")
    assert done.code == 0, done.err
    assert (tmp_path / "again.ftz").read_bytes() == (tmp_path / "m.ftz").read_bytes()
    wrong = run("classify", "export", tmp_path / "m.model", tmp_path / "x", "--format", "onnx")
    assert wrong.code == 2
    assert run("classify", "quantize", tmp_path / "m.model", "--size", "100").code == 2
    for name in ("m.ftz", "m.small.model"):
        assert run("classify", "test", tmp_path / name, tmp_path / "test.txt").code == 0
        assert run("classify", "explain", tmp_path / name, TEXTS[0]).code == 0
        assert run("classify", "info", tmp_path / name).code == 0
    done = run("classify", "calibrate", tmp_path / "m.ftz", tmp_path / "test.txt", "-o", tmp_path / "calibrated.model")
    assert done.code == 0, done.err
