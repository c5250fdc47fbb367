"""How long each kernel takes to compile: `python -m bench.compiling TEXT` prints it as JSON.

With an empty kernel cache, once through the library.
"""

import json
import os
import subprocess
import sys
import tempfile
import time
from pathlib import Path
from typing import Any

from .harness import Settings, Table
from .texts import sized

TEXT_BYTES = 200_000


def measured(text: Path) -> dict[str, float]:
    """Seconds by kernel, without what compiling its callees took that are kernels themselves."""
    from numba.core import event

    from .calls import name_of
    from .tour import TASKS

    found: dict[str, float] = {}
    stack: list[list[float]] = []

    class Clock(event.Listener):
        def on_start(self, event: Any) -> None:
            stack.append([time.perf_counter(), 0.0])

        def on_end(self, event: Any) -> None:
            began, inner = stack.pop()
            whole = time.perf_counter() - began
            if stack:
                stack[-1][1] += whole
            kernel = event.data["dispatcher"]
            if kernel.py_func.__module__.startswith("textkit."):
                found[name_of(kernel)] = found.get(name_of(kernel), 0.0) + whole - inner

    event.register("numba:compile", Clock())
    with tempfile.TemporaryDirectory() as name:
        for task in TASKS:
            task(text, Path(name))
    return found


def compiling(settings: Settings) -> Table:
    """Seconds that compiling takes, kernel by kernel."""
    text = sized(settings.text, TEXT_BYTES, settings.scratch)
    with tempfile.TemporaryDirectory() as cache:
        done = subprocess.run(
            [sys.executable, "-m", "bench.compiling", str(text)],
            env={**os.environ, "TEXTKIT_CACHE_DIR": cache}, check=True, capture_output=True,
        )  # fmt: skip
    found = sorted(json.loads(done.stdout).items(), key=lambda pair: -pair[1])
    rows: list[list[str | float | None]] = [[f"`{name}`", round(seconds, 2)] for name, seconds in found[:20]]
    rest = found[20:]
    rows.append([f"{len(rest)} more", round(sum(seconds for _, seconds in rest), 2)])
    note = f"{len(found)} functions in {sum(seconds for _, seconds in found):.1f} s, small ones pasted in included."
    return Table("compile time", ["kernel", "seconds"], rows, note)


if __name__ == "__main__":
    json.dump(measured(Path(sys.argv[1])), sys.stdout)
