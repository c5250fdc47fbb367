"""fastText's classifiers: its own predictions, digits and order, and our containers of them."""

import golden_fasttext as golden
import naive_fasttext as naive
import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from textkit.classify.foreign import read_classifier, table_sigmoid, top_like_fasttext
from textkit.classify.hashed import HashedFeatures
from textkit.classify.model import Classifier
from textkit.errors import DataError
from textkit.formats import fasttext
from textkit.formats.matrices import Dense
from textkit.text.corpus import encode_corpus
from textkit.text.reader import Lines
from textkit.text.tokenizer import Tokenizer

PREFIX = "__label__"


@pytest.fixture(scope="module", params=golden.SUPERVISED)
def model(request, tmp_path_factory):
    path = golden.unpacked(request.param, tmp_path_factory.mktemp("m"))
    return request.param, Classifier.load(path), naive.read(golden.content(request.param))


def answers(classifier, lines, k=-1, threshold=0.0):
    top = top_like_fasttext(classifier.head, classifier.encode(lines), k, threshold)
    return [
        [(PREFIX + classifier.labels[i], p) for i, p in zip(ids[:n], ps[:n], strict=True)]
        for ids, ps, n in zip(top.ids.tolist(), top.p.tolist(), top.counts.tolist(), strict=True)
    ]


def test_predictions_are_fasttexts(model):
    name, classifier, _ = model
    expected = golden.predictions(name)
    found = answers(classifier, golden.lines("test.txt"))
    assert [[label for label, _ in line] for line in found] == [[label for label, _ in line] for line in expected]
    for ours, theirs in zip(found, expected, strict=True):
        np.testing.assert_allclose([p for _, p in ours], [p for _, p in theirs], rtol=0, atol=1e-5)


def test_fewer_labels_and_a_threshold_take_the_first_of_them(model):
    name, classifier, _ = model
    lines = golden.lines("test.txt")[:100]
    every = answers(classifier, lines)
    best = answers(classifier, lines, k=1)
    assert [line[0][1] for line in every] == [line[0][1] for line in best]
    assert all(found[0] in line for found, line in zip(best, every, strict=True))
    likely = answers(classifier, lines, k=-1, threshold=0.3)
    for few, whole in zip(likely, every, strict=True):
        if name != "sup_hs.bin":  # equal ones may come in another order
            assert {label for label, _ in few} == {label for label, p in whole if p >= 0.3 + 1e-5}
        assert all(p >= 0.3 for _, p in few)


ODD = (
    "",
    "zzz",
    "zzz pya",
    "pya __label__alpha bryagü",
    "__label__new pya",
    "pya </s> bryagü",
    "\tpya\r bryagü\0x  ",
    "x" * 5000,
)


def test_odd_lines_are_answered_as_the_twin_does(model):
    _, classifier, twin = model
    for line, found in zip(ODD, answers(classifier, ODD), strict=True):
        expected = naive.probabilities(twin, line.encode())
        for label, p in found:
            assert p == pytest.approx(expected[label.encode()], abs=1e-5), line
        assert len(found) == sum(p >= 1.01e-5 for p in expected.values()) or len(found) == len(expected)


def test_rows_are_those_of_the_twin(model):
    _, classifier, twin = model
    lines = [*ODD, *golden.lines("test.txt")[:30]]
    bags = classifier.encode(lines)
    assert [bags[i].tolist() for i in range(len(lines))] == [naive.rows_of(twin, line.encode()) for line in lines]


def test_a_container_of_it_says_the_same(model, tmp_path):
    _, classifier, _ = model
    classifier.save(tmp_path / "own.model")
    again = Classifier.load(tmp_path / "own.model")
    lines = [*ODD, *golden.lines("test.txt")]
    np.testing.assert_array_equal(
        classifier.probabilities(classifier.encode(lines)), again.probabilities(again.encode(lines))
    )
    assert again.labels == classifier.labels


def test_probabilities_without_its_roundings_are_near(model):
    name, classifier, _ = model
    lines = golden.lines("test.txt")
    found = classifier.probabilities(classifier.encode(lines))
    for row, expected in zip(found, golden.predictions(name), strict=True):
        for label, p in expected:
            near = 0.008 if name in ("sup_ns.bin", "sup_ova.bin") else 1e-4  # the steps of its table
            assert row[classifier.labels.index(label.removeprefix(PREFIX))] == pytest.approx(p, abs=near)


def test_contributions_and_bias_sum_to_the_logit(model):
    _, classifier, _ = model
    bags = classifier.encode(golden.lines("test.txt")[:20])
    if classifier.head.loss == "hs":
        return
    logits = classifier.logits(bags)
    for document in range(20):
        for label in range(4):
            parts = classifier.head.contributions(bags[document], label)
            assert parts.sum() + classifier.head.bias(label) == pytest.approx(logits[document, label], abs=1e-4)


def test_rows_have_names(model):
    _, classifier, twin = model
    features = classifier.features
    assert features.name(1) == twin.words[1].decode()
    assert features.kind(1) == "word"
    if len(features) > len(twin.words):
        assert features.name(len(features) - 1).startswith("#")
        assert features.kind(len(features) - 1) == "bucket"


words = st.text(st.sampled_from("abcé<音"), min_size=1, max_size=4)


@given(
    known=st.lists(words, min_size=1, max_size=6, unique=True), lines=st.lists(st.lists(words, max_size=7), min_size=1),
    lengths=st.tuples(st.integers(0, 3), st.integers(0, 4)), order=st.integers(1, 4), buckets=st.integers(1, 30),
    kept=st.none() | st.integers(0, 29), end=st.booleans(),
)  # fmt: skip
def test_rows_of_any_settings_are_those_of_the_twin(known, lines, lengths, order, buckets, kept, end):
    entries = [*(["</s>"] if end else []), *known]
    pairs = None
    if kept is not None:
        chosen = np.arange(0, buckets, 2)[: kept + 1][::-1] if kept else np.zeros(0, int)
        pairs = np.stack([chosen, np.arange(len(chosen))], axis=1).astype(np.int32)
    settings = fasttext.Settings(2, word_ngrams=order, buckets=buckets, shortest=lengths[0], longest=lengths[1])
    names = [name.encode() for name in entries]
    counts = np.ones(len(names) + 1, np.int64)
    zeros = Dense.of(np.zeros((0, 2), np.float32))
    model = fasttext.FastText(settings, fasttext.Entries.of(names, [b"__label__x"], counts), 1, pairs, zeros, zeros)
    twin = naive.Model(
        {"word_ngrams": order, "buckets": buckets, "shortest": lengths[0], "longest": lengths[1]},
        names, [b"__label__x"], None, None if pairs is None else dict(pairs.tolist()), None, None,
    )  # fmt: skip
    texts = [" ".join(line) for line in lines]
    if not any(texts):
        texts.append("a")
    corpus = encode_corpus(Lines(texts), Tokenizer("whitespace"))
    bags = HashedFeatures.of(model, b"__label__").bags(corpus)
    assert [bags[i].tolist() for i in range(len(texts))] == [naive.rows_of(twin, text.encode()) for text in texts]


@given(x=st.floats(-20, 20, width=32))
def test_table_of_the_sigmoid_is_that_of_the_twin(x):
    assert table_sigmoid(np.array([x], np.float32))[0] == pytest.approx(naive.table_sigmoid(x), abs=1e-7)


def test_word_vectors_are_no_classifier(tmp_path):
    with pytest.raises(DataError, match="holds word vectors"):
        read_classifier(golden.unpacked("skipgram.bin", tmp_path))


def test_numbers_that_are_none_never_come_out(tmp_path):
    data = bytearray(golden.content("sup_softmax.bin"))
    data[-4:] = np.float32(np.nan).tobytes()
    (tmp_path / "output.bin").write_bytes(data)
    with pytest.raises(DataError, match="infinite or none"):
        read_classifier(tmp_path / "output.bin")
    data = bytearray(golden.content("sup_softmax.bin"))
    place = len(data) - 17 - 4 * 32 - 6922 * 32
    data[place : place + 6922 * 32] = np.full(6922 * 8, np.inf, np.float32).tobytes()
    (tmp_path / "input.bin").write_bytes(data)
    classifier = Classifier.load(tmp_path / "input.bin")
    with pytest.raises(DataError, match="rows with numbers"):
        classifier.predict("pya bryagü")


def test_commands_take_it_where_they_take_a_model(tmp_path, run):
    path = golden.unpacked("sup_softmax.bin", tmp_path)
    (tmp_path / "text.txt").write_text("\n".join(golden.lines("test.txt")) + "\n")
    done = run("classify", "predict", path, tmp_path / "text.txt")
    assert done.code == 0, done.err
    first = done.out.splitlines()[0].split("\t")
    assert first[0] == golden.predictions("sup_softmax.bin")[0][0][0].removeprefix(PREFIX)


def test_each_row_of_a_document_has_its_place_and_name(model):
    from textkit.classify.explain import explain, strongest
    from textkit.classify.occurrences import occurrences

    _, classifier, twin = model
    line = "zzz pya __label__alpha bryagü lan音té"
    encoded, tokens = classifier.encoded([line]), line.split(" ")
    found = occurrences(classifier.features, encoded, tokens)
    assert [each.row for each in found] == naive.rows_of(twin, line.encode())
    assert all(each.last > each.first for each in found)
    assert ("pya", 1, 2) in {(each.name, each.first, each.last) for each in found if each.kind == "word"} or (
        b"pya" not in twin.words
    )
    told = explain(classifier, line)[0]
    assert told.logit == pytest.approx(sum(share.contribution for share in told.shares) + told.bias, abs=1e-5)
    assert len(strongest(classifier, classifier.labels[0], 5)) == 5
