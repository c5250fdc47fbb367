"""Vectors in use: neighbours, analogies, evaluation, classes, comparison, phrases, maps; keeping and opening them."""

import itertools
import json
import sys
from pathlib import Path

import naive_vectors as naive
import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from textkit import UsageError, Word2Vec, WordVectors
from textkit.errors import DataError, MissingExtraError
from textkit.text.corpus import encode_corpus
from textkit.text.reader import Lines
from textkit.text.tokenizer import Tokenizer
from textkit.vectors import cluster, comparison, evaluation, phrases, plots

WORDS = ["king", "queen", "man", "woman", "apple", "pear"]
# Axes: royal, male, fruit.
VECTORS = np.array([[1, 1, 0], [1, -1, 0], [0.1, 1, 0], [0.1, -1, 0], [0, 0.1, 1], [0, 0, 1]], np.float32)


@pytest.fixture
def model():
    return WordVectors.from_words(WORDS, VECTORS)


def test_neighbours_are_the_largest_cosines_in_order(model):
    units = VECTORS / np.linalg.norm(VECTORS, axis=1, keepdims=True)
    cosines = units @ units[0]
    expected = [WORDS[i] for i in np.argsort(-cosines, kind="stable") if i != 0]
    found = model.similar("king", top=5)
    assert [w for w, _ in found] == expected
    np.testing.assert_allclose([s for _, s in found], sorted(np.delete(cosines, 0))[::-1], atol=1e-6)


@given(rows=st.integers(1, 60), queries=st.integers(1, 5), top=st.integers(1, 70), seed=st.integers(0, 99))
def test_batches_of_queries_are_answered_as_by_sorting(rows, queries, top, seed):
    rng = np.random.default_rng(seed)
    vectors = rng.normal(size=(rows, 4)).astype(np.float32)
    model = WordVectors.from_words([f"w{i}" for i in range(rows)], vectors)
    asked = rng.normal(size=(queries, 4)).astype(np.float32)
    found = model.nearest(asked, top=top)
    units = vectors / np.linalg.norm(vectors, axis=1, keepdims=True)
    for query, answer in zip(asked, found, strict=True):
        order = np.argsort(-(units @ query), kind="stable")[:top]
        assert [w for w, _ in answer] == [f"w{i}" for i in order]


def test_index_finds_nearly_all_of_the_exact_neighbours():
    from textkit.vectors.approximate import ApproximateIndex

    rng = np.random.default_rng(4)
    names = [f"w{i}" for i in range(500)]
    model = WordVectors.from_words(names, rng.normal(size=(500, 16)).astype(np.float32))
    exact = model.nearest(model.vectors[3:53], [[w] for w in names[:50]], top=10)
    found = ApproximateIndex(model, threads=1).nearest(names[:50], top=10)
    shared = [len({w for w, _ in a} & {w for w, _ in b}) for a, b in zip(exact, found, strict=True)]
    assert sum(shared) >= 0.9 * 500
    assert all(len(row) == 10 and name not in dict(row) for name, row in zip(names, found, strict=False))
    assert found[0][0][1] == pytest.approx(model.similarity(names[0], found[0][0][0]), abs=1e-3)


def test_restrict_looks_only_at_frequent_words(model):
    assert {w for w, _ in model.similar("king", restrict=3)} == {"queen", "man"}


def test_blocks_of_rows_and_threads_change_nothing(model, monkeypatch):
    whole = model.similar("king", top=5)
    monkeypatch.setattr("textkit.vectors.model._ROWS", 2)
    assert [w for w, _ in model.similar("king", top=5, threads=3)] == [w for w, _ in whole]


@pytest.mark.parametrize("method", ["add", "mul"])
def test_analogies(model, method):
    assert model.analogy("man", "king", "woman", top=1, method=method)[0][0] == "queen"
    assert not {"man", "king", "woman"} & {w for w, _ in model.analogy("man", "king", "woman", method=method)}


def test_odd_one_out_and_similarity(model):
    assert model.odd_one_out(["apple", "king", "pear"])[0][0] == "king"
    assert model.similarity("king", "king") == pytest.approx(1)
    with pytest.raises(UsageError, match="too few"):
        model.odd_one_out(["apple", "pear"])


def test_words_that_are_not_there_are_told_with_others_spelt_like_them(model):
    with pytest.raises(UsageError, match=r"'qeen' has no vector. Did you mean queen\?"):
        model["qeen"]
    with pytest.raises(UsageError, match="Did you mean apple"):
        model["Apple"]
    assert "Apple" not in model
    assert "apple" in model
    assert "<unk>" not in model
    assert "" not in model
    assert len(model) == 6
    assert model.words == WORDS


def test_special_words_of_other_programs_have_vectors():
    model = WordVectors.from_words(["</s>", "a", "<unk>", "a"], np.eye(4, dtype=np.float32))
    assert set(model.words) == {"</s>", "a", "<unk>"}
    assert model["<unk>"].tolist() == [0, 0, 1, 0]
    assert model["a"].tolist() == [0, 1, 0, 0]  # of a word given twice the first counts
    assert {w for w, _ in model.similar("a")} == {"</s>", "<unk>"}


def test_numbers_that_are_not_finite_are_refused():
    with pytest.raises(DataError, match="vector of 'b'"):
        WordVectors.from_words(["a", "b"], np.array([[1], [np.nan]], np.float32))
    with pytest.raises(DataError, match="no word vector"):
        WordVectors.from_words([], np.zeros((0, 3), np.float32))


@pytest.mark.parametrize(("storage", "least"), [("float32", 1.0), ("float16", 0.9999999), ("int8", 0.9999)])
def test_saved_vectors_come_back(model, tmp_path, storage, least):
    assert model.save(tmp_path / "m.w2v", storage) >= least
    again = WordVectors.load(tmp_path / "m.w2v")
    assert again.words == WORDS
    np.testing.assert_allclose(
        again.vectors, model.vectors, atol={"float32": 0, "float16": 1e-3, "int8": 5e-3}[storage]
    )
    assert again.similar("man", top=1)[0][0] == model.similar("man", top=1)[0][0]


def test_damaged_models_are_refused(model, tmp_path):
    model.save(tmp_path / "m.w2v")
    whole = (tmp_path / "m.w2v").read_bytes()
    for size in range(0, len(whole), 37):
        (tmp_path / "cut.w2v").write_bytes(whole[:size])
        with pytest.raises(DataError):
            WordVectors.load(tmp_path / "cut.w2v")
    with pytest.raises(DataError, match="cannot open"):
        WordVectors.load(tmp_path / "none.w2v")
    model.vectors = model.vectors[:-1]
    model.save(tmp_path / "bad.w2v")
    with pytest.raises(DataError, match="do not fit together"):
        WordVectors.load(tmp_path / "bad.w2v")


def test_unseen_words_get_the_mean_of_their_ngrams(tmp_path):
    lines = [["walking", "talking", "singing"], ["walker", "talker", "singer"]] * 40
    model = Word2Vec.train(lines, dim=8, min_count=1, epochs=2, subwords=(3, 4), buckets=1000, threads=1)
    model.save(tmp_path / "m.w2v")
    again = WordVectors.load(tmp_path / "m.w2v")
    hashed = [naive.ngram_hash(g.encode()) % 1000 for g in naive.word_ngrams("stalking", 3, 4)]
    places = {b: i for i, b in enumerate(model.buckets.tolist())}
    rows = [model.rows[len(model.vocabulary) + places[h]] for h in hashed if h in places]
    np.testing.assert_allclose(again["stalking"], np.mean(rows, axis=0), atol=1e-6)
    number = model.vocabulary.id("walker")
    own = [naive.ngram_hash(g.encode()) % 1000 for g in naive.word_ngrams("walker", 3, 4)]
    parts = [model.rows[number], *(model.rows[len(model.vocabulary) + places[h]] for h in own)]
    np.testing.assert_allclose(again["walker"], np.mean(parts, axis=0), atol=1e-6)
    with pytest.raises(UsageError, match="'xyz' has no vector"):
        again["xyz"]


def test_sentence_is_the_mean_of_unit_vectors(model):
    unit = VECTORS / np.linalg.norm(VECTORS, axis=1, keepdims=True)
    np.testing.assert_allclose(model.sentence("king unknown apple"), (unit[0] + unit[4]) / 2, atol=1e-6)
    assert not model.sentence("nothing known").any()


# --- evaluation -----------------------------------------------------------------------------------------


def test_analogy_file_by_section_with_coverage(model, tmp_path):
    path = tmp_path / "q.txt"
    path.write_text(
        ": family\nman king woman queen\nMan King Woman Queen\nman king woman unknown\n: fruit\nking king apple pear\n"
    )
    family, fruit, total = evaluation.analogies(model, path)
    assert (family.name, family.questions, family.covered, family.correct) == ("family", 3, 2, 2)
    assert (fruit.questions, fruit.covered) == (1, 1)
    assert (total.name, total.questions, total.covered) == ("all", 4, 3)
    assert evaluation.analogies(model, path, restrict=3)[-1].covered == 0
    assert evaluation.is_questions(path)
    assert evaluation.analogies(model, path, method="mul")[0].correct == 2


def test_pairs_are_correlated_by_rank(model, tmp_path):
    path = tmp_path / "pairs.tsv"
    path.write_text(
        "word1\tword2\tmean\nking\tqueen\t5\napple\tpear\t10\nking\tman\t8\nking\tunknown\t3\nking\tapple\t1\n"
    )
    found = evaluation.similarities(model, path)
    cosines = [model.similarity(*p) for p in [("king", "queen"), ("apple", "pear"), ("king", "man"), ("king", "apple")]]
    ranks = np.argsort(np.argsort(cosines))
    assert (found.pairs, found.covered) == (5, 4)
    assert found.spearman == pytest.approx(np.corrcoef(ranks, [1, 3, 2, 0])[0, 1])
    assert found.pearson == pytest.approx(np.corrcoef(cosines, [5, 10, 8, 1])[0, 1])
    assert found.low <= found.spearman <= found.high
    assert not evaluation.is_questions(path)


@given(pairs=st.lists(st.tuples(st.integers(0, 5), st.integers(0, 5)), max_size=12))
def test_spearman_gives_ties_their_mean_rank(pairs):
    x, y = (np.array([p[i] for p in pairs], float) for i in range(2))

    def ranks(values):
        return np.array([(values < v).sum() + ((values == v).sum() + 1) / 2 for v in values])

    expected = np.nan
    if len(pairs) > 1 and len(set(x)) > 1 and len(set(y)) > 1:
        expected = np.corrcoef(ranks(x), ranks(y))[0, 1]
    assert evaluation.spearman(x, y) == pytest.approx(expected, nan_ok=True)


@pytest.mark.parametrize(
    ("read", "content", "reason"),
    [
        (evaluation.read_questions, ": a\none two three\n", "line 2: 3 words"),
        (evaluation.read_questions, ": a\n", "no analogy question"),
        (evaluation.read_pairs, "a b 1\nc d x\n", "line 2: not two words and a number"),
        (evaluation.read_pairs, "a b 1\n", "fewer than two pairs"),
    ],
)
def test_bad_evaluation_files_are_refused(read, content, reason, tmp_path):
    (tmp_path / "f").write_text(content)
    with pytest.raises(DataError, match=reason):
        read(tmp_path / "f")


# --- classes, comparison --------------------------------------------------------------------------------


def test_classes_are_the_groups_that_are_there():
    rng = np.random.default_rng(1)
    centres = np.eye(3, dtype=np.float32)
    vectors = np.concatenate([centres[i] + rng.normal(0, 0.05, (n, 3)) for i, n in enumerate((30, 20, 10))])
    model = WordVectors.from_words([f"w{i}" for i in range(60)], vectors.astype(np.float32))
    _, assigned = cluster.classes(model, 3)
    assert assigned.tolist() == [0] * 30 + [1] * 20 + [2] * 10  # the largest first
    assert len(set(cluster.classes(model, 60)[1].tolist())) == 60
    with pytest.raises(UsageError, match="61 classes"):
        cluster.classes(model, 61)


def test_comparison_sees_through_a_rotation_and_finds_the_word_that_moved():
    rng = np.random.default_rng(2)
    vectors = rng.normal(size=(50, 6)).astype(np.float32)
    turn = np.linalg.qr(rng.normal(size=(6, 6)))[0].astype(np.float32)
    first = WordVectors.from_words([f"w{i}" for i in range(50)], vectors)
    turned = vectors @ turn
    turned[7] = -turned[7]
    second = WordVectors.from_words([f"w{i}" for i in range(50)], turned)
    found = comparison.compare(first, second, neighbours=5)
    assert found.words[int(found.drift.argmax())] == "w7"
    assert np.delete(found.drift, 7).max() < 0.1
    assert found.overlap[7] < 0.5 < np.delete(found.overlap, 7).mean()
    same = comparison.compare(first, first)
    assert abs(same.drift).max() < 1e-5
    assert (same.overlap == 1).all()
    with pytest.raises(DataError, match="in common"):
        comparison.compare(first, WordVectors.from_words(["other"], np.ones((1, 6), np.float32)))


# --- phrases --------------------------------------------------------------------------------------------


def encoded(lines):
    return encode_corpus(Lines(lines), Tokenizer("whitespace"))


def test_phrases_are_scored_as_word2phrase_scores_them():
    lines = ["new york is big", "new york is new", "old york is far"] * 2
    corpus = encoded(lines)
    found = phrases.find_phrases(corpus, phrases.PhraseConfig(threshold=0, min_count=2))
    words = [line.split() for line in lines]
    total, count = 24, {w: sum(line.count(w) for line in words) for line in words for w in line}
    pairs = [pair for line in words for pair in itertools.pairwise(line)]
    expected = {
        f"{a}_{b}": (pairs.count((a, b)) - 2) / (count[a] * count[b]) * total
        for a, b in set(pairs) if pairs.count((a, b)) > 2
    }  # fmt: skip
    assert dict(zip(found.words, found.scores.tolist(), strict=True)) == pytest.approx(expected)
    assert list(found.scores) == sorted(found.scores, reverse=True)


def test_npmi_of_words_that_are_always_together_is_one():
    corpus = encoded(["a b c", "a b d", "x y", "y x"] * 3)
    found = phrases.find_phrases(corpus, phrases.PhraseConfig("npmi", min_count=1, threshold=0.99))
    assert found.words == ["a_b"]
    assert found.scores[0] == pytest.approx(1)


lines = st.lists(st.lists(st.sampled_from("abc"), max_size=8).map(" ".join), min_size=1, max_size=5).filter(any)


@given(lines=lines, joined=st.sets(st.tuples(st.sampled_from("abc"), st.sampled_from("abc")), max_size=4))
def test_pairs_are_joined_from_left_to_right_in_lines(lines, joined):
    corpus = encoded(lines)
    present = [(a, b) for a, b in sorted(joined) if a in corpus.vocabulary and b in corpus.vocabulary]
    ids = np.array([corpus.vocabulary.ids(list(p)) for p in present], np.int32).reshape(-1, 2)
    names = [f"{a}_{b}" for a, b in present]
    zeros = np.zeros(len(present))
    found = phrases.join_phrases(corpus, phrases.Phrases(ids, zeros.astype(np.int64), zeros, names))
    expected = []
    for line in lines:
        words, out = line.split(), []
        while words:
            if tuple(words[:2]) in present:
                out.append(f"{words[0]}_{words[1]}")
                words = words[2:]
            else:
                out.append(words[0])
                words = words[1:]
        expected.append(" ".join(out).encode() + b"\n")
    assert list(phrases.lines_of(found)) == expected
    assert found.vocabulary.counts.sum() == len(found.ids)


def test_second_pass_makes_longer_phrases():
    corpus = encoded(
        ["new york city is far", "a city of steel", "new ideas", "york is old"] * 5 + ["new york city"] * 40
    )
    joined, passes = phrases.with_phrases(corpus, phrases.PhraseConfig(threshold=0.5, min_count=5, passes=2))
    assert len(passes) == 2
    assert any(w.count("_") == 2 for w in joined.vocabulary.words())
    with pytest.raises(UsageError, match="unknown score"):
        phrases.PhraseConfig("x")
    with pytest.raises(UsageError, match="joiner"):
        phrases.PhraseConfig(joiner=" ")


# --- maps -----------------------------------------------------------------------------------------------


@pytest.mark.parametrize("method", ["auto", "tsne", "pca"])
def test_map_puts_groups_apart(method):
    if method == "tsne":
        pytest.importorskip("sklearn")
    rng = np.random.default_rng(3)
    centres = rng.normal(size=(2, 10))
    vectors = np.concatenate([centres[i] + rng.normal(0, 0.1, (20, 10)) for i in range(2)]).astype(np.float32)
    words, places = plots.word_map(WordVectors.from_words([f"w{i}" for i in range(40)], vectors), top=40, method=method)
    assert len(words) == 40
    first, second = places[:20], places[20:]
    apart = np.linalg.norm(first.mean(0) - second.mean(0))
    assert apart > 2 * max(first.std(), second.std())


def test_map_without_scikit_learn(monkeypatch):
    monkeypatch.setitem(sys.modules, "sklearn", None)
    monkeypatch.setitem(sys.modules, "sklearn.manifold", None)
    model = WordVectors.from_words(
        ["a", "b", "c", "d"], np.random.default_rng(1).normal(size=(4, 3)).astype(np.float32)
    )
    monkeypatch.setattr(plots, "find_spec", lambda name: None)
    assert (plots.word_map(model, method="auto")[1] == plots.word_map(model, method="pca")[1]).all()
    with pytest.raises(MissingExtraError, match="scikit-learn"):
        plots.word_map(model, method="tsne")


def test_map_page_holds_everything_and_no_word_can_break_it(tmp_path):
    words = ["</script>", "a&b", "c"]
    model = WordVectors.from_words(words, np.eye(3, dtype=np.float32))
    chosen, places = plots.word_map(model, words)
    plots.map_page(model, chosen, places, tmp_path / "map.html", "3 <words>")
    page = (tmp_path / "map.html").read_text()
    assert page.count("</script>") == 1
    assert "3 &lt;words>" in page
    data = page.split("const points=")[1].split(";\n")[0]
    assert [p["w"] for p in json.loads(data)] == words
    assert "http" not in page.replace("http://www.w3.org/2000/svg", "")


def test_pictures_are_drawn(model, tmp_path):
    chosen, places = plots.word_map(model, WORDS, method="pca")
    plots.map_image(chosen, places, tmp_path / "map.png")
    assert (tmp_path / "map.png").read_bytes()[:4] == b"\x89PNG"
    plots.loss_plot([{"words": i, "loss": 1 / (i + 1), "rate": 0.1} for i in range(3)], tmp_path / "loss.svg")
    assert b"<svg" in (tmp_path / "loss.svg").read_bytes()
    with pytest.raises(DataError, match="no loss"):
        plots.loss_plot([{"words": 1, "rate": 0.1}], tmp_path / "none.svg")
    with pytest.raises(UsageError, match=r"cannot be written as \.xyz"):
        plots.map_image(chosen, places, tmp_path / "map.xyz")
    with pytest.raises(UsageError, match="map of 2 words"):
        plots.word_map(model, WORDS[:2])
    assert not Path(tmp_path / "map.xyz").exists()
