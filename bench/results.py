"""Results as JSON: what was measured, where, with which versions. Runs of single cases add up in one file."""

import json
import os
import platform
import subprocess
import sys
import time
from dataclasses import asdict
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path

from .harness import Outcome, Runs, Table

PACKAGES = ("textkit", "numpy", "numba", "llvmlite")
PEER_PACKAGES = ("gensim", "scikit-learn", "tokenizers", "nltk", "kenlm", "regex", "numpy")


def machine() -> dict[str, str]:
    """What the figures were measured on."""
    info = Path("/proc/cpuinfo")
    fields = dict(_fields(info.read_text().split("\n\n")[0])) if info.exists() else {}
    widths = [name for name in ("avx512f", "avx2", "avx", "asimd") if name in fields.get("flags", "").split()]
    found = {
        "cpu": fields.get("model name") or platform.processor() or platform.machine(),
        "cores": str(os.cpu_count()),
        "vectors": widths[0] if widths else "",
        "cache": fields.get("cache size", ""),
        "memory": f"{os.sysconf('SC_PAGE_SIZE') * os.sysconf('SC_PHYS_PAGES') / 2**30:.0f} GB",
        "python": platform.python_version(),
        "system": f"{platform.system()} {platform.release().split('-')[0]}",
    }
    return found | {name: _version(name) for name in PACKAGES}


def _fields(text: str) -> list[tuple[str, str]]:
    pairs = (line.partition(":") for line in text.splitlines())
    return [(name.strip(), value.strip()) for name, _, value in pairs]


def _version(package: str) -> str:
    try:
        return version(package)
    except PackageNotFoundError:
        return ""


def peers(python: str) -> dict[str, str]:
    """Versions of the peers that are Python packages, where they are installed."""
    code = f"""
import json
from importlib.metadata import PackageNotFoundError, version
found = {{}}
for name in {PEER_PACKAGES}:
    try:
        found[name] = version(name)
    except PackageNotFoundError:
        pass
print(json.dumps(found))"""
    return json.loads(subprocess.run([python, "-c", code], check=True, capture_output=True).stdout)


def save(path: Path, name: str, result: Outcome | Table, context: dict) -> None:
    """Put one result into a file of results, in place of an earlier one of the same case."""
    record = json.loads(path.read_text(encoding="utf-8")) if path.exists() else {}
    kind = "race" if isinstance(result, Outcome) else "table"
    record[name] = {"kind": kind, **asdict(result), "date": time.strftime("%Y-%m-%d"), **context}
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(json.dumps(record, indent=1) + "\n", encoding="utf-8")


def load(path: Path) -> dict[str, Outcome | Table]:
    """The results of a file by case."""
    record = json.loads(path.read_text(encoding="utf-8"))
    return {name: _result(values) for name, values in record.items()}


def _result(values: dict) -> Outcome | Table:
    if values["kind"] == "table":
        return Table(*(values[name] for name in ("case", "columns", "rows", "note")))
    runs = [Runs(**run) for run in values["runs"]]
    return Outcome(values["case"], values["unit"], values["amount"], runs, values["quality"])


if __name__ == "__main__":
    json.dump({"machine": machine(), "peers": peers(sys.executable)}, sys.stdout, indent=1)
