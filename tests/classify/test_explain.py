"""Explanations add up, and every feature is found where it stands."""

import golden_fasttext as golden
import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from textkit.classify import explain
from textkit.classify.bucket_names import bucket_names
from textkit.classify.model import Classifier
from textkit.classify.occurrences import occurrences, pieces
from textkit.errors import UsageError
from textkit.text.subwords import Ngrams
from textkit.text.vocabulary import SPECIALS

WORDS = ["not", "a", "good", "bad", "film", "plot", "at", "all", "über"]
KINDS = {
    "words": {"word_ngrams": 1},
    "exact": {"word_ngrams": 3},
    "hashed": {"word_ngrams": 3, "buckets": 50},
    "characters": {"word_ngrams": 2, "chars": (2, 4)},
    "hashed characters": {"word_ngrams": 2, "chars": (1, 3), "buckets": 200},
    "end mark": {"word_ngrams": 2, "end_mark": True, "buckets": 90},
    "several labels": {"loss": "ova"},
    "negative sampling": {"loss": "ns"},
    "hierarchical": {"loss": "hs"},
    "linear": {"model": "linear"},
}


def test_a_text_too_long_to_be_told_word_by_word(monkeypatch):
    monkeypatch.setattr(explain, "LONGEST", 5)
    model = Classifier.train([("a b", "x"), ("c d", "y")], model="linear")
    assert explain.explain(model, "a b c d a")[0].tokens
    with pytest.raises(UsageError, match="6 words"):
        explain.explain(model, "a b c d a b")


def documents(count=60):
    rng = np.random.default_rng(1)
    for _ in range(count):
        words = rng.choice(WORDS, 6).tolist()
        yield " ".join(words), "pos" if "good" in words else "neg" if "bad" in words else "none"


@pytest.fixture(scope="module")
def models():
    """Each kind of model, trained when it is asked for."""
    made = {}

    def model(kind):
        if kind not in made:
            settings = {"model": "embedding", "min_ngram_count": 1, "epochs": 3, "dim": 5, **KINDS[kind]}
            made[kind] = Classifier.train(list(documents()), threads=1, **settings)
        return made[kind]

    return model


texts = st.lists(st.sampled_from([*WORDS, "unseen", "words"]), max_size=9).map(" ".join)


@pytest.mark.parametrize("kind", KINDS)
@settings(max_examples=25)
@given(text=texts)
def test_shares_and_bias_sum_to_the_logit(models, kind, text):
    model = models(kind)
    logits = model.logits(model.encode([text], threads=1), threads=1)[0]
    for found in explain.explain(model, text, model.labels):
        total = found.bias + sum(share.contribution for share in found.shares)
        assert total == pytest.approx(found.logit, abs=1e-5)
        if model.head.loss != "hs":
            assert found.logit == pytest.approx(float(logits[model.labels.index(found.label)]), abs=1e-4)
        assert [token.text for token in found.tokens] == text.split()
        if not model.config.end_mark:  # the mark's share belongs to no word
            assert found.bias + sum(token.contribution for token in found.tokens) == pytest.approx(total, abs=1e-5)


@pytest.mark.parametrize("kind", KINDS)
@settings(max_examples=25)
@given(text=texts)
def test_every_feature_has_its_place_and_its_name(models, kind, text):
    model, words = models(kind), text.split()
    found = occurrences(model.features, model.encoded([text], threads=1), words)
    assert [each.row for each in found] == model.encode([text], threads=1).ids.tolist()
    for each in found:
        covered = [*words, "</s>"][each.first : each.last]
        assert covered
        if each.kind == "characters":
            assert len(covered) == 1
            assert each.name in f"<{covered[0]}>"
        else:
            assert each.name == " ".join(covered)
        stored = model.features.name(each.row)
        assert stored == each.name or stored.startswith("#")


def test_features_of_another_order_are_named_without_place(models, monkeypatch):
    model = models("exact")
    text = "not a good film"
    encoded = model.encoded([text], threads=1)
    bags = type(model.features).bags

    def reversed_bags(self, *arguments, **settings):
        found = bags(self, *arguments, **settings)
        found.ids = found.ids[::-1].copy()
        return found

    monkeypatch.setattr(type(model.features), "bags", reversed_bags)
    found = occurrences(model.features, encoded, text.split())
    assert [each.row for each in found] == model.features.bags(encoded).ids.tolist()
    assert {each.name for each in found} >= {"good", "a good"}
    assert all(each.first == each.last for each in found)
    assert not any(token.known for token in explain.explain(model, text)[0].tokens)


def test_words_that_nobody_has_seen_leave_the_bias(models):
    found = explain.explain(models("exact"), "qwertz asdf")[0]
    assert found.shares == []
    assert found.logit == found.bias
    assert [token.known for token in found.tokens] == [False, False]


def test_difference_of_two_labels(models):
    model = models("exact")
    single = {each.label: each for each in explain.explain(model, "a good plot", ["pos", "neg"])}
    found = explain.explain(model, "a good plot", ["pos"], "neg")[0]
    assert found.against == "neg"
    assert found.logit == pytest.approx(single["pos"].logit - single["neg"].logit, abs=1e-5)


def test_most_probable_label_is_explained(models):
    model = models("exact")
    found = explain.explain(model, "not a good film")[0]
    (label, p), *_ = model.predict("not a good film")
    assert (found.label, found.probability) == (label, pytest.approx(p, rel=1e-5))
    assert found.shares[0].feature == max(found.shares, key=lambda share: abs(share.contribution)).feature


@pytest.mark.parametrize("kind", ["words", "exact", "characters", "hierarchical", "linear"])
def test_strongest_features_are_those_that_add_most_alone(models, kind):
    model = models(kind)
    best = explain.strongest(model, "pos", 10_000)
    assert [weight.weight for weight in best] == sorted((weight.weight for weight in best), reverse=True)
    names = {weight.feature: weight.weight for weight in best if weight.kind == "word"}
    assert {"good", "bad"} <= set(names)
    assert names["good"] > names["bad"]
    assert "<unk>" not in names
    if kind in ("words", "exact"):
        alone = explain.explain(model, "good", ["pos"])[0]
        assert alone.shares[0].contribution == pytest.approx(names["good"], rel=1e-4)
    opposed = explain.strongest(model, "pos", 3, against="neg")
    assert "good" in [weight.feature for weight in opposed]


def test_buckets_are_named_by_the_characters_that_fall_into_them(models):
    model = models("hashed characters")
    words = [model.vocabulary.word(i) for i in range(len(SPECIALS), len(model.vocabulary))]
    ngrams, inside = Ngrams(*model.config.chars, model.config.buckets), {}
    for word in words:
        for name, bucket in zip(pieces(word, *model.config.chars), ngrams.of_word(word).tolist(), strict=True):
            inside.setdefault(bucket, set()).add(name)
    named = [w.feature for w in explain.strongest(model, "pos", 10_000) if w.kind == "bucket"]
    assert len(named) == len(model.features.ngrams)
    spelled = dict(name.split(" ", 1) for name in named if " " in name)
    assert spelled.keys() == {f"#{bucket}" for bucket in inside}
    for number, names in spelled.items():
        shown = names.split(" | ")
        assert set(shown) <= inside[int(number[1:])]
        assert len(shown) == min(len(inside[int(number[1:])]), 3)
    assert bucket_names(models("hashed").features, [1, 2]) == {}


def test_unknown_label_is_told_with_a_suggestion(models):
    with pytest.raises(UsageError, match=r"no label 'poss'. Did you mean pos\?"):
        explain.explain(models("words"), "good", ["poss"])
    with pytest.raises(UsageError, match="It has "):
        explain.strongest(models("words"), "qqqq")


def test_pieces_of_a_word():
    assert list(pieces("ab", 1, 3)) == ["<a", "<ab", "a", "ab", "ab>", "b", "b>"]
    assert list(pieces("é", 3, 4)) == ["<é>"]


@pytest.fixture(scope="module", params=golden.SUPERVISED)
def theirs(request, tmp_path_factory):
    """A classifier of fastText."""
    return Classifier.load(golden.unpacked(request.param, tmp_path_factory.mktemp("golden")))


def test_models_of_fasttext_are_explained_as_exactly(theirs):
    for line in [*golden.lines("test.txt")[:20], "qwertz unseen", ""]:
        text = " ".join(word for word in line.split() if not word.startswith("__label__"))
        encoded = theirs.encoded([text], threads=1)
        found = occurrences(theirs.features, encoded, text.split())
        for each in found:
            covered = [*text.split(), "</s>"][each.first : each.last]
            assert each.name == " ".join(covered) or each.name in f"<{covered[0]}>"
            stored = theirs.features.name(each.row)
            assert stored == each.name or stored.startswith("#")
        logits = theirs.logits(theirs.encode([text], threads=1), threads=1)[0]
        for number, label in enumerate(theirs.labels):
            share = explain.explain(theirs, text, [label])[0]
            assert share.bias + sum(s.contribution for s in share.shares) == pytest.approx(share.logit, abs=1e-5)
            if theirs.head.loss != "hs":
                assert share.logit == pytest.approx(float(logits[number]), abs=1e-4)


def test_strongest_features_of_fasttexts_labels(theirs):
    best = explain.strongest(theirs, theirs.labels[0], 5)
    assert len(best) == 5
    alone = theirs.head.weights(0)
    assert best[0].weight == pytest.approx(float(alone.max()))


@pytest.mark.parametrize("settings", [{"buckets": 500}, {"buckets": 500, "chars": (2, 3), "end_mark": True}])
def test_marks_and_labels_spelled_out_do_no_harm(settings, tmp_path):
    from textkit.classify.exporting import write_fasttext

    made = Classifier.train(list(documents()), model="embedding", epochs=1, tokenizer="whitespace", **settings)
    for model in (made, _exported(made, tmp_path, write_fasttext)):
        for text in ("a good </s> film", "a __label__pos film", "</s>", "<unk> a film"):
            found = explain.explain(model, text)[0]
            assert found.bias + sum(s.contribution for s in found.shares) == pytest.approx(found.logit, abs=1e-5)


def _exported(model, directory, write):
    write(model, directory / "m.bin")
    return Classifier.load(directory / "m.bin")
