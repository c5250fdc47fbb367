"""How near the main kernels come to what the machine can do; `python -m bench.roofline TEXT` prints it as JSON.

The probe measures one core: float32 arithmetic (a matrix product by the BLAS of NumPy), bandwidth (a copy) and reads
at random places that do not wait for each other, both in memory and within the second-level cache. Each kernel is
called again with arguments recorded on the text; what it has to do is counted by the formulas below, from its
arguments, as the least that the algorithm needs: each byte read and written once, each row of a matrix that an update
needs once in each direction.
"""

import json
import os
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any, NamedTuple

from .harness import Settings, Table
from .texts import sized

TEXT_BYTES = 5_000_000
ROUNDS = 7
LANES = 16  # rows that the kernels of word vectors keep side by side


class Work(NamedTuple):
    """What one call does: items of text, floating-point operations, bytes, accesses at random places."""

    items: int
    flops: float
    bytes: float
    random: float


def _scan(a: dict, result: Any) -> Work:
    end, count = result
    size = end - a["position"]
    return Work(size, 0, size + 8 * count, 0)


def _intern(a: dict, result: Any) -> Work:
    """Span, key, hash and slot, written and read; then index, end, bytes and count of the word."""
    n = result[0]
    return Work(n, 0, n * (8 + 2 * 24 + 8 + 8 + 8 + 16 + 4), 4 * n)


def _group(a: dict, result: Any) -> Work:
    n = a["last"] - a["first"]
    return Work(n, 0, n * (4 + 16 + 8), 2 * n)


def _left(a: dict, result: Any) -> Work:
    n = a["last"] - a["first"]
    return Work(n, 0, n * (8 + 4 + 4 + 16), 2 * n)


def _deal(a: dict, result: Any) -> Work:
    n = a["last"] - a["first"]
    return Work(n, 0, n * (8 + 4 + 16 + 8), 2 * n)


def _interpolate(a: dict, result: Any) -> Work:
    """Two sums over each context, then a product and a sum for each entry."""
    entries = int(a["edges"][a["last"]]) - int(a["edges"][a["first"]])
    contexts = a["last"] - a["first"]
    return Work(entries, 6 * entries + 7 * contexts, entries * (5 + 4 + 4 + 4 + 4) + 8 * contexts, entries)


def _score(a: dict, result: Any) -> Work:
    """At each place and order above the first: the edges of the context, the word searched, its probability."""
    n, order = a["stream"].shape[0], a["layout"].shape[0]
    lookups = n * (order - 1)
    return Work(n, n * order, 12 * n + 3 * 8 * lookups, n + 3 * lookups)


def _negative_sampling(a: dict, result: Any) -> Work:
    """Score, move of the row and gradient of the input: six operations for each number of a row that is met."""
    in_starts, out_starts = a["examples"][0], a["examples"][2]
    count, dim = a["count"], len(a["scratch"][0]) // LANES
    entering, targets = int(in_starts[count]), int(out_starts[count])
    drawn = -(-count // a["batch"]) * len(a["drawn"])
    met = targets + count * len(a["drawn"])
    rows = 2 * entering + 2 * targets + 2 * drawn
    return Work(targets, dim * (6 * met + 2 * entering), 4 * dim * rows, rows / 2)


def _hierarchical(a: dict, result: Any) -> Work:
    in_starts, _, out_starts, out_rows, *_ = a["examples"]
    count, dim = a["count"], len(a["scratch"][0]) // LANES
    starts = a["paths"][0]
    words = out_rows[: out_starts[count]]
    met, entering = int((starts[words + 1] - starts[words]).sum()), int(in_starts[count])
    return Work(len(words), dim * (6 * met + 2 * entering), 8 * dim * (met + entering), met + entering)


def _paths(a: dict, result: Any) -> Work:
    """Each word meets the path of each centre within reach, on the average as many as the window and one more."""
    starts, dim = a["paths"][0], len(a["matrices"][1]) // (len(a["paths"][0]) - 1)
    words = a["stream"][: a["size"]]
    words = words[words >= 0]
    nodes, contexts = int((starts[words + 1] - starts[words]).sum()), a["window"] + 1
    rows = nodes + len(words)
    return Work(len(words) * contexts, 6 * dim * nodes * contexts, 8 * dim * rows, rows)


def _classifier(a: dict, result: Any) -> Work:
    """The mean of the features' rows; score, step and gradient for each label; the features' rows moved."""
    features, dim = int(a["bags"][0][len(a["documents"])]), a["dim"]
    outputs = len(a["documents"]) * int(a["shape"][0])
    return Work(features, dim * (3 * features + 6 * outputs), 8 * dim * (features + outputs), features)


def _linear(a: dict, result: Any) -> Work:
    """All labels' scores from each feature, then a step of all its weights."""
    documents, columns = a["order"][a["first"] : a["last"]], len(a["scratch"][0])
    features = int((a["offsets"][documents + 1] - a["offsets"][documents]).sum())
    return Work(features, 4 * columns * features, features * (8 + 12 * columns), 2 * features)


def _decimals(a: dict, result: Any) -> Work:
    n = len(a["values"])
    return Work(n, 0, n * (4 + 8 + 4), 0)


def _write(a: dict, result: Any) -> Work:
    entry, size = result
    n = entry - a["entry"]
    return Work(n, 0, n * (4 + 8 + 24 + 8) + 2 * size, 2 * n)


FORMULAS: dict[str, Callable[[dict, Any], Work]] = {
    "scan.scan_whitespace": _scan,
    "scan.scan_word": _scan,
    "words.intern": _intern,
    "counting.group_by_word": _group,
    "counting.left_words": _left,
    "counting.deal_left": _deal,
    "smoothing.interpolate": _interpolate,
    "query.score_stream": _score,
    "floats.decimals": _decimals,
    "arpa.write_entries": _write,
    "sgd.negative_sampling": _negative_sampling,
    "sgd.hierarchical_softmax": _hierarchical,
    "windows.skipgram_paths": _paths,
    "embedding.train": _classifier,
    "linear.joint_pass": _linear,
}


def probe() -> dict[str, float]:
    """What one core can do in a second: float32 operations, bytes copied (read and written), random reads."""
    import numba
    import numpy as np

    @numba.njit(fastmath=True)
    def gather(table: Any, places: Any) -> Any:
        total = np.int64(0)
        for place in places:
            total += table[place]
        return total

    a, b = np.ones((1024, 1024), np.float32), np.ones((1024, 1024), np.float32)
    found = {"arithmetic": 2 * 1024**3 / _best(lambda: np.matmul(a, b))}
    for where, length in (("memory", 1 << 25), ("cache", 1 << 16)):
        source = np.ones(length, np.int64)
        target = np.empty_like(source)
        places = np.random.default_rng(0).integers(0, length, 1 << 22)
        gather(source, places[:1])
        found |= {
            f"bandwidth, {where}": 2 * source.nbytes / _best(lambda s=source, t=target: np.copyto(t, s)),
            f"random access, {where}": len(places) / _best(lambda s=source, p=places: gather(s, p)),
        }
    return found


def _best(job: Callable[[], Any]) -> float:
    taken = []
    for _ in range(ROUNDS):
        began = time.thread_time()
        job()
        taken.append(time.thread_time() - began)
    return min(taken[1:])


def measured(text: Path) -> dict[str, Any]:
    """The probe, and for each kernel of `FORMULAS` what it does in a second."""
    from .calls import recorded
    from .tour import TASKS

    with tempfile.TemporaryDirectory() as name, recorded() as calls:
        for task in TASKS:
            task(text, Path(name))
    kernels = {}
    for name, formula in FORMULAS.items():
        taken, result = min((calls[name].again() for _ in range(ROUNDS)), key=lambda pair: pair[0])
        kernels[name] = [float(amount) / taken for amount in formula(calls[name].named(), result)]
    return {"probe": probe(), "kernels": kernels}


def roofline(settings: Settings) -> Table:
    """The main kernels beside what a core of the machine can do."""
    text = sized(settings.text, TEXT_BYTES, settings.scratch)
    done = subprocess.run(
        [sys.executable, "-m", "bench.roofline", str(text)],
        env={**os.environ, "OPENBLAS_NUM_THREADS": "1", "MKL_NUM_THREADS": "1"},
        check=True, capture_output=True,
    )  # fmt: skip
    figures = json.loads(done.stdout)
    top = figures["probe"]
    rows: list[list[str | float | None]] = []
    for name, (items, *amounts) in figures["kernels"].items():
        limits = [_limit(kind, amount, top) for kind, amount in zip(KINDS, amounts, strict=True)]
        shares = [amount / top[limit] for amount, limit in zip(amounts, limits, strict=True)]
        told = [f"{share:.0%}{' of the cache' * ('cache' in limit)}" if share else ""
                for share, limit in zip(shares, limits, strict=True)]  # fmt: skip
        nearest = limits[shares.index(max(shares))]
        rows.append([f"`{name}`", items / 1e6, amounts[0] / 1e9, amounts[1] / 1e9, amounts[2] / 1e6, *told, nearest])
    columns = ["kernel, one thread", "M items/s", "GFLOP/s", "GB/s", "M random/s", "of arithmetic", "of bandwidth",
               "of random access", "nearest limit"]  # fmt: skip
    note = (
        f"One core: {top['arithmetic'] / 1e9:.0f} GFLOP/s in a float32 matrix product, "
        f"{top['bandwidth, memory'] / 1e9:.1f} GB/s read and written in a copy in memory and "
        f"{top['bandwidth, cache'] / 1e9:.0f} in the cache, "
        f"{top['random access, memory'] / 1e6:.0f} million random reads a second of 256 MB and "
        f"{top['random access, cache'] / 1e6:.0f} of half a MB. Items are bytes for the scanners, tokens, n-grams, or "
        "targets of word vectors. What does more than memory could is compared with the cache."
    )
    return Table("roofline", columns, rows, note)


KINDS = ("arithmetic", "bandwidth", "random access")


def _limit(kind: str, amount: float, top: dict[str, float]) -> str:
    """What a kernel is to be compared with: memory, or the cache if it does more than memory could."""
    if kind == "arithmetic":
        return kind
    return f"{kind}, {'memory' if amount <= top[f'{kind}, memory'] else 'cache'}"


if __name__ == "__main__":
    json.dump(measured(Path(sys.argv[1])), sys.stdout)
