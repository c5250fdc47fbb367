"""Cold and warm start of each command on a small text: `python -m bench startup`."""

import os
import subprocess
import tempfile
import time
from pathlib import Path

from .harness import TEXTKIT


def commands(text: Path, model: Path) -> dict[str, list[str]]:
    """Every command that does work on a text, in an order in which each finds its inputs."""
    t, m = str(text), str(model)
    return {
        "--help": ["--help"],
        "corpus tokenize": ["corpus", "tokenize", t],
        "corpus vocab": ["corpus", "vocab", t],
        "corpus stats": ["corpus", "stats", t, "--no-cache"],
        "corpus split": ["corpus", "split", t, "-o", str(text.with_suffix(""))],
        "corpus sample": ["corpus", "sample", t, "-n", "100"],
        "corpus dedup": ["corpus", "dedup", t],
        "ngram train": ["ngram", "train", t, "-o", m, "--no-cache"],
        "ngram perplexity": ["ngram", "perplexity", m, t],
        "ngram score": ["ngram", "score", m, t],
        "ngram generate": ["ngram", "generate", m],
        "ngram next": ["ngram", "next", m, "the"],
        "ngram info": ["ngram", "info", m],
    }


def measure(sample: Path) -> str:
    """A Markdown table of seconds with an empty kernel cache for each command, and with a full one (best of 3)."""
    lines = ["| command, 1 MB of text | cold s | warm s |", "|---|---|---|"]
    with tempfile.TemporaryDirectory() as directory:
        text = Path(directory) / "sample.txt"
        with sample.open("rb") as stream:
            text.write_bytes(stream.read(1_000_000).rsplit(b"\n", 1)[0] + b"\n")
        for name, arguments in commands(text, Path(directory) / "sample.ngram").items():
            cold = _seconds(arguments, Path(directory) / name.replace(" ", "-"))
            warm = min(_seconds(arguments, Path(directory) / name.replace(" ", "-")) for _ in range(3))
            lines.append(f"| `{name}` | {cold:.2f} | {warm:.2f} |")
    return "\n".join(lines)


def _seconds(arguments: list[str], cache: Path) -> float:
    environment = {**os.environ, "TEXTKIT_CACHE_DIR": str(cache)}
    began = time.perf_counter()
    subprocess.run([*TEXTKIT, *arguments], env=environment, check=True, capture_output=True)
    return time.perf_counter() - began
