"""What all tests share: the readable twins on the import path, and one set of Hypothesis settings."""

import io
import os
import signal
import sys
from dataclasses import dataclass
from pathlib import Path

import pytest
from hypothesis import HealthCheck, settings

# Tests are collected by path (--import-mode=importlib), so `import naive` needs this directory on the path.
sys.path.insert(0, str(Path(__file__).parent))

JIT_DISABLED = bool(int(os.environ.get("NUMBA_DISABLE_JIT") or 0))

settings.register_profile(
    "textkit",
    deadline=None,  # the first call of a kernel may compile it
    max_examples=20 if JIT_DISABLED else 200,
    database=None,
    print_blob=True,
    suppress_health_check=[HealthCheck.function_scoped_fixture, HealthCheck.too_slow],
)
settings.load_profile("textkit")


@dataclass
class Finished:
    """A finished command: exit code, standard output, and the lines of standard error."""

    code: int
    out: str
    err: list[str]


@pytest.fixture
def run(capfdbinary, monkeypatch):
    """Run the program in this process: `run("corpus", "vocab", path, stdin=b"…")`."""
    from textkit.cli.main import run as main

    def run(*arguments: object, stdin: bytes = b"") -> Finished:
        monkeypatch.setattr("sys.stdin", io.TextIOWrapper(io.BytesIO(stdin)))
        capfdbinary.readouterr()
        code = 0
        try:
            main([str(argument) for argument in arguments])
        except SystemExit as stop:
            code = int(stop.code or 0)
        captured = capfdbinary.readouterr()
        err = captured.err.decode().splitlines()
        # Said when the kernel cache is cold, which no test depends on.
        return Finished(
            code,
            captured.out.decode(errors="surrogateescape"),
            [line for line in err if not line.startswith("note: compiling")],
        )

    return run


def pytest_sessionstart() -> None:
    """Hear Ctrl-C, here and in the programs started by tests, also where a shell runs the tests in the background.

    Such a shell has SIGINT ignored, which programs inherit; with a handler set, those started here begin as usual.
    """
    signal.signal(signal.SIGINT, signal.default_int_handler)
