"""The kenlm interface, against what the kenlm package answered (tests/golden/ngram/kenlm.o3.json)."""

import copy
import json
import pickle
import threading
from pathlib import Path

import pytest

from textkit import kenlm

GOLDEN = Path(__file__).parent / "golden" / "ngram"
EXPECTED = json.loads((GOLDEN / "kenlm.o3.json").read_text(encoding="utf-8"))


@pytest.fixture(scope="module")
def model():
    return kenlm.Model(str(GOLDEN / "train.o3.arpa.xz"))


@pytest.mark.parametrize("case", EXPECTED["sentences"], ids=lambda case: ascii(case["text"])[:20])
def test_sentences_score_the_same_to_the_last_bit(model, case):
    text = case["text"]
    assert [model.score(text, bos=b, eos=e) for b in (True, False) for e in (True, False)] == case["score"]
    assert model.score(text.encode()) == case["score"][0]
    assert model.perplexity(text) == case["perplexity"]
    assert [list(row) for row in model.full_scores(text)] == case["full_scores"]
    assert [list(row) for row in model.full_scores(text, bos=False, eos=False)] == case["fragment"]


def test_kenlm_binary_files_score_the_same():
    loaded = kenlm.LanguageModel(str(GOLDEN / "train.o3.trie"))
    for case in EXPECTED["sentences"]:
        assert loaded.score(case["text"]) == case["score"][0]
        assert [list(row) for row in loaded.full_scores(case["text"])] == case["full_scores"]


def test_states_score_the_same_and_are_equal_where_kenlm_says_so(model):
    seen = {}
    for case, expected in zip(EXPECTED["sentences"], EXPECTED["states"], strict=False):
        before, after = kenlm.State(), kenlm.State()
        model.NullContextWrite(before)
        rows = []
        for word in case["text"].split():
            assert model.BaseScore(before, word, kenlm.State()) == expected[len(rows)][0]
            found = model.BaseFullScore(before, word, after)
            number = seen.setdefault(copy.copy(after), len(seen))
            rows.append([found.log_prob, found.ngram_length, found.oov, number])
            before, after = after, before
        assert rows == expected


def test_words(model):
    assert {word: word in model for word in EXPECTED["words"]} == EXPECTED["words"]
    assert b"<s>" in model
    for case in EXPECTED["sentences"]:
        known = [not oov for _, _, oov in case["fragment"]]
        words = case["text"].encode().split()
        assert [word in model for word in words] == known


def test_order_names_and_pickles(model):
    assert model.order == EXPECTED["order"]
    assert repr(model) == "<Model from b'train.o3.arpa.xz'>"
    assert model.path == str(GOLDEN / "train.o3.arpa.xz").encode()
    again = pickle.loads(pickle.dumps(model))
    assert again.score("x") == model.score("x")
    assert issubclass(kenlm.LanguageModel, kenlm.Model)


def test_states_compare(model):
    begin, null, fresh = kenlm.State(), kenlm.State(), kenlm.State()
    model.BeginSentenceWrite(begin)
    model.NullContextWrite(null)
    assert null == fresh
    assert begin != null
    assert null < begin <= copy.copy(begin)
    assert {begin: 1}[copy.deepcopy(begin)] == 1
    assert begin != "state"
    model.BaseScore(begin, "word", begin)  # in and out may be the same
    assert begin == null  # after an unknown word


def test_configuration_is_accepted():
    config = kenlm.Config()
    config.load_method = kenlm.LoadMethod.LAZY
    config.arpa_complain = kenlm.ARPALoadComplain.NONE
    config.show_progress = False
    assert kenlm.Model(str(GOLDEN / "train.o2.arpa.xz"), config).order == 2


def test_a_model_that_is_none_is_an_os_error(tmp_path):
    (tmp_path / "no.arpa").write_text("hello")
    for name in ("no.arpa", "missing"):
        with pytest.raises(OSError, match="Cannot read model"):
            kenlm.Model(str(tmp_path / name))
    with pytest.raises(TypeError):
        kenlm.Model(3)


def test_what_is_no_sentence(model):
    with pytest.raises(TypeError, match="Cannot convert"):
        model.score(3)


def test_remembered_words_are_bounded(monkeypatch):
    model = kenlm.Model(str(GOLDEN / "train.o3.arpa.xz"))
    monkeypatch.setattr(kenlm, "_REMEMBERED", 3)
    case = EXPECTED["sentences"][0]
    assert model.score(case["text"]) == case["score"][0]
    assert len(model._ids) <= 3


def test_threads_share_a_model(model):
    cases = EXPECTED["sentences"]
    wrong = []

    def work():
        wrong.extend(case for case in cases * 20 if model.score(case["text"]) != case["score"][0])

    threads = [threading.Thread(target=work) for _ in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert not wrong
