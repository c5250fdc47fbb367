"""The harness of the measurements: results survive a file, tables say what was measured."""

import importlib
import sys
from pathlib import Path

import pytest

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
