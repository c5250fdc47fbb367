"""The harness of the measurements: results survive a file, tables say what was measured."""

import importlib
import os
import sys
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from textkit.vectors.evaluation import spearman

ROOT = Path(__file__).parents[1]


@pytest.fixture(scope="module")
def bench():
    sys.path.insert(0, str(ROOT))
    yield lambda name: importlib.import_module(f"bench.{name}")
    sys.path.remove(str(ROOT))


@pytest.fixture
def outcome(bench):
    harness = bench("harness")
    runs = [
        harness.Runs("ours", "textkit x", [1.0, 3.0, 2.0], [2.0, 2.0, 2.0], [10**6, 3 * 10**6, 10**6]),
        harness.Runs("theirs", "peer x", [4.0, 4.0, 5.0], [4.0, 4.0, 4.0], [10**6] * 3),
    ]
    return harness.Outcome("a case", "MB", 10.0, runs, {"ours": "accuracy 0.9"})


def test_table_gives_medians_spread_and_ratio(outcome):
    rows = outcome.table().splitlines()[4:6]
    assert rows[0] == "| ours | 2.00 | 1.00–3.00 | 5 | 2.00 | 3 | 1.00 | accuracy 0.9 |"
    assert rows[1] == "| theirs | 4.00 | 4.00–5.00 | 2.5 | 4.00 | 1 | 2.00 |  |"


def test_results_come_back_from_their_file_and_the_last_of_a_case_counts(bench, outcome, tmp_path):
    results, table = bench("results"), bench("harness").Table("t", ["a", "b"], [["x", 1.5], ["y", None]], "note")
    path = tmp_path / "results.json"
    results.save(path, "case", table, {})
    results.save(path, "case", outcome, {"machine": results.machine()})
    results.save(path, "other", table, {})
    assert results.load(path) == {"case": outcome, "other": table}
    assert "| x | 1.5 |" in table.table() and "| y |  |" in table.table()


def test_race_alternates_and_stops_counting_when_time_is_up(bench, tmp_path, monkeypatch):
    harness = bench("harness")
    log = tmp_path / "log"
    contenders = [harness.Contender(n, ["sh", "-c", f"echo {n} >> {log}"]) for n in ("a", "b")]
    runs = harness.race(contenders, 2)
    assert log.read_text().split() == ["a", "b"] * 3
    assert [len(run.wall) for run in runs] == [2, 2] and runs[0].memory[0] > 0
    monkeypatch.setattr(harness, "BUDGET", 0.0)
    assert [len(run.wall) for run in harness.race(contenders, 5)] == [1, 1]


def test_failing_contender_is_told_with_what_it_said(bench):
    harness = bench("harness")
    with pytest.raises(SystemExit, match="peer failed: no such thing"):
        harness.race([harness.Contender("peer", ["sh", "-c", "echo no such thing >&2; exit 3"])], 1)


@pytest.mark.parametrize("size", [50, 5_000])
def test_text_is_cut_or_grown_at_the_end_of_a_line(bench, tmp_path, size):
    source, target = tmp_path / "text.txt", tmp_path / "sized.txt"
    source.write_text("the cat sat on the mat\na dog sat there, too\n" * 10)
    bench("texts").write(source, size, target)
    text = target.read_bytes()
    assert size <= len(text) and text.endswith(b"\n")
    assert (size > 450) or source.read_bytes().startswith(text)
    assert {b"cat", b"dog"} <= set(text.split())


def test_documents_are_filled_between_their_marks(bench, outcome, tmp_path):
    results, report = bench("results"), bench("report")
    path = tmp_path / "mine.json"
    results.save(path, "case", outcome, {"machine": results.machine(), "peers": {"gensim": "4"}})
    end = "<!-- bench end -->\n"
    text = f"before\n<!-- bench: mine summary -->\nold\n{end}<!-- bench: yours machine -->\n{end}"
    new = report.filled(text, ROOT / "README.md", {"mine": path})
    assert new.startswith("before\n<!-- bench: mine summary -->\n") and "old" not in new
    assert "| a case | 2.00 s | 3 | theirs 2 (2; 1) | accuracy 0.9 |" in new
    assert new.endswith("<!-- bench end -->\n<!-- bench: yours machine -->\n<!-- bench end -->\n")
    assert report.filled(new, ROOT / "README.md", {"mine": path}) == new


def test_pictures_are_drawn_and_the_same_each_time(bench, outcome, tmp_path):
    pytest.importorskip("matplotlib")
    harness, plots = bench("harness"), bench("plots")
    outcome.quality["theirs"] = "accuracy 0.8"
    growth = [["x", size, size, size, 100 + size] for size in (0.01, 1.0, 3.0, 10.0)]
    results = {
        "w2v_x": outcome,
        "scaling": harness.Table("s", ["command", "MB", "seconds", "processor s", "peak MB"], growth),
        "roofline": harness.Table("r", [], [["`k`", 1.0, 1.0, 1.0, 1.0, "5%", "20% of the cache", "", "bandwidth"]]),
    }
    written = plots.draw(results, tmp_path / "a", "mine")
    assert [path.name for path in written] == [f"mine-{k}.svg" for k in ("ratios", "quality", "scaling", "roofline")]
    again = plots.draw(results, tmp_path / "b", "mine")
    assert [path.read_bytes() for path in written] == [path.read_bytes() for path in again]


def test_exponent_of_a_power_is_found(bench):
    scaling = bench("scaling")
    rows = [["x", size, 0.0, 1 + 2 * size**1.5, 50 + size**0.5] for size in (1e-9, 3.0, 10.0, 100.0)]
    [(name, time, memory)] = scaling.exponents(rows)
    assert name == "x" and time == pytest.approx(1.5, abs=1e-3) and memory == pytest.approx(0.5, abs=1e-3)


@pytest.fixture(scope="module")
def calls(bench, tmp_path_factory):
    pytest.importorskip("numba")
    directory = tmp_path_factory.mktemp("tour")
    text = directory / "text.txt"
    text.write_text("the cat sat on the mat\na dog, 3.5 years old, sat there, too\nwhy\nwell, a cat\n" * 50)
    calls, tour = bench("calls"), bench("tour")
    with calls.recorded() as found:
        for task in tour.TASKS:
            task(text, directory)
    return found


@pytest.mark.skipif(os.environ.get("NUMBA_DISABLE_JIT") == "1", reason="nothing is compiled")
def test_recorded_calls_can_be_called_again_and_leave_their_arguments_alone(bench, calls):
    call = calls["counting.count_words"]
    counts = call.named()["counts"].copy()
    results = [call.again()[1] for _ in range(2)]
    assert results[0] == results[1]
    assert (call.named()["counts"] == counts).all() and call.again(2)[0] > 0
    assert len(call.kernel.signatures) == 1


@pytest.mark.skipif(os.environ.get("NUMBA_DISABLE_JIT") == "1", reason="nothing is compiled")
def test_each_formula_of_the_roofline_fits_its_kernel(bench, calls):
    for name, formula in bench("roofline").FORMULAS.items():
        work = formula(calls[name].named(), calls[name].again()[1])
        assert work.items > 0 and work.bytes > 0 and work.flops >= 0 and work.random >= 0, name


def test_guard_names_what_takes_longer_than_its_limit(bench):
    guard = bench("guard")
    usual = {"a": 1.0, "b": 2.0, "c": 3.0}
    assert guard.slow({"a": 1.5, "b": 4.0, "new": 9.0}, usual) == ["b takes 2.00 times as long as usual"]


@pytest.mark.parametrize(
    ("new", "old", "taken"),
    [(1.0, 0.5, True), (0.6, 0.5, False), (3.0, 1.0, False), (1.0, 9.0, True), (0.0, 9.0, False)],
)
def test_the_longest_call_that_is_not_too_long_is_kept(bench, new, old, taken):
    assert bench("calls").better(new, old, 2.0) is taken


@given(
    st.lists(st.tuples(st.integers(0, 4), st.integers(0, 4), st.integers(0, 3)), min_size=3, max_size=12).filter(
        lambda items: all(len({v[k] for v in items if v[2]}) > 1 for k in (0, 1))
    )
)
def test_resamples_are_scored_as_if_items_were_repeated(bench, items):
    resampling = bench("resampling")
    values, said, times = (np.array(column) for column in zip(*items, strict=True))
    weights = np.stack([np.ones(len(items)), times]).astype(np.float32)
    found = resampling.resampled(values.astype(float), said.astype(float), weights)
    assert found[1] == pytest.approx(spearman(values.repeat(times), said.repeat(times)))
    assert resampling.resampled(values, None, weights) == pytest.approx([values.mean(), values.repeat(times).mean()])


def test_weights_are_all_items_once_and_then_as_many_drawn(bench):
    weights = bench("resampling").weights_of(7)
    assert (weights[0] == 1).all() and (weights.sum(1) == 7).all() and len(np.unique(weights, axis=0)) > 300


def test_quality_is_measured_on_common_words_and_told_from_chance(bench, tmp_path):
    quality, words = bench("w2v_quality"), [f"w{i}" for i in range(60)]
    rng = np.random.default_rng(0)
    right, extra = rng.normal(size=(60, 8)), rng.normal(size=(2, 60, 8))
    units = right / np.linalg.norm(right, axis=1)[:, None]
    pairs = [(a, b) for a in range(0, 60, 2) for b in range(1, 60, 6)]
    judged = [f"w{a}\tw{b}\t{units[a] @ units[b]:.5f}\n" for a, b in pairs]
    (tmp_path / "pairs.txt").write_text("".join(judged) + "w0\tunknown\t1\n")
    trained = {
        name: [
            _vec(tmp_path / f"{name}{i}.vec", words[first:], right[first:] + noise * extra[i, first:]) for i in (0, 1)
        ]
        for name, noise, first in (("textkit", 0.1, 0), ("good", 0.1, 2), ("bad", 5.0, 0))
    }
    scores = quality._scores(trained, (tmp_path / "pairs.txt",))
    means = {name: found["pairs"][:, 0].mean() for name, found in scores.items()}
    assert means["textkit"] > 0.95 and means["good"] > 0.95 and means["bad"] < 0.5
    assert {len(model) for seeds in quality._alike(list(trained.values())) for model in seeds} == {58}
    *_, beside_best = quality._rows(scores)
    assert beside_best[0] == "textkit − best" and "**" not in beside_best[1]
    *_, beside_bad = quality._rows({name: scores[name] for name in ("textkit", "bad")})
    assert beside_bad[1].startswith("**+")


def _vec(path, words, vectors):
    lines = [f"{word} {' '.join(f'{x:.5f}' for x in row)}\n" for word, row in zip(words, vectors, strict=True)]
    path.write_text(f"{len(words)} {vectors.shape[1]}\n" + "".join(lines))
    return path
