"""Accuracy of classification with no option set, beside tuned scikit-learn and fastText's best of four.

`python bench/classify_quality.py sklearn TRAIN TEST` is the peer as a program: prints its accuracy.
"""

import json
import re
import shutil
import subprocess
import sys
from pathlib import Path

if __package__:
    from .harness import TEXTKIT, Settings, Table, has, skipped
    from .texts import bundled

SMALL = (200, 1000, 5000)  # first so many documents of the training file
COSTS = (1, 3, 10, 30, 100)
FASTTEXT = (("0.25", "5"), ("0.5", "10"), ("1.0", "25"), ("0.5", "50"))  # learning rate, epochs
BUNDLED = ("topics", "imbalanced", "pydocs-labelled")


def classify_quality(settings: "Settings") -> "Table":
    """Train with no option set, on the labelled files, their beginnings, and what comes along."""
    rows: list[list[str | float | None]] = []
    for name, train, test in _tasks(settings):
        found = (_textkit(train, test), _sklearn(settings, train, test), _fasttext(train, test))
        rows.append([name, _lines(train), *(None if f is None else f"{f:.4f}" for f in found)])
    columns = ["task", "documents", "textkit", "scikit-learn, tuned", "fastText, best of four"]
    note = (
        "scikit-learn: TF-IDF of words and bigrams, sublinear, logistic regression, C of "
        f"{', '.join(map(str, COSTS))} by three folds of the training documents. fastText: bigrams, dim 20, the best "
        "of four learning rates and epochs on the test documents themselves."
    )
    return Table("Classification: accuracy with no option set", columns, rows, note)


def _tasks(settings: "Settings") -> "list[tuple[str, Path, Path]]":
    """(name, training file, test file)."""
    assert settings.labelled and settings.labelled_test
    found = []
    lines = settings.labelled.read_text(encoding="utf-8").splitlines(keepends=True)
    for size in (*(size for size in SMALL if size < len(lines)), len(lines)):
        train = settings.scratch / f"quality.{size}.txt"
        train.write_text("".join(lines[:size]), encoding="utf-8")
        found.append((settings.labelled.name, train, settings.labelled_test))
    for name in BUNDLED:
        lines = bundled(name, settings.scratch).read_text(encoding="utf-8").splitlines(keepends=True)
        train, test = settings.scratch / f"{name}.train.txt", settings.scratch / f"{name}.test.txt"
        train.write_text("".join(lines[len(lines) * 3 // 10 :]), encoding="utf-8")
        test.write_text("".join(lines[: len(lines) * 3 // 10]), encoding="utf-8")
        found.append((name, train, test))
    return found


def _lines(path: Path) -> float:
    return path.read_bytes().count(b"\n")


def _textkit(train: Path, test: Path) -> float:
    model = train.with_suffix(".model")
    _run([*TEXTKIT, "classify", "train", str(train), "-o", str(model)])
    report = json.loads(_run([*TEXTKIT, "classify", "test", str(model), str(test), "--json"]))
    return float(report["accuracy"]["value"])


def _sklearn(settings: "Settings", train: Path, test: Path) -> float | None:
    if not has(settings.peer_python, "sklearn"):
        skipped("scikit-learn", "pip install scikit-learn")
        return None
    return float(_run([settings.peer_python, "-W", "ignore", __file__, "sklearn", str(train), str(test)]))


def _fasttext(train: Path, test: Path) -> float | None:
    program = shutil.which("fasttext")
    if not program:
        skipped("fastText", "the Debian package fasttext")
        return None
    files = [path.with_suffix(".lower") for path in (train, test)]
    for path, lowered in zip((train, test), files, strict=True):
        lowered.write_text("".join(_lowered(line) for line in path.open(encoding="utf-8")), encoding="utf-8")
    found = []
    for rate, epochs in FASTTEXT:
        model = str(train.with_suffix(""))
        options = ["-wordNgrams", "2", "-dim", "20", "-bucket", "500000", "-lr", rate, "-epoch", epochs, "-thread", "2"]
        _run([program, "supervised", "-input", str(files[0]), "-output", model, *options, "-verbose", "0"])
        predicted = _run([program, "predict", f"{model}.bin", str(files[1])]).split()
        gold = [line.split(" ", 1)[0] for line in files[1].open(encoding="utf-8")]
        found.append(sum(a == b for a, b in zip(predicted, gold, strict=True)) / len(gold))
    return max(found)


def _lowered(line: str) -> str:
    """Words and punctuation apart, in lower case, behind the label."""
    label, text = line.split(" ", 1)
    words = re.findall(r"\w+|[^\w\s]", text.lower())
    return f"{label} {' '.join(words)}\n"


def _run(command: list[str]) -> str:
    return subprocess.run(command, check=True, capture_output=True, text=True).stdout


def sklearn_accuracy(train: str, test: str) -> float:
    """The tuned peer."""
    from sklearn.feature_extraction.text import TfidfVectorizer
    from sklearn.linear_model import LogisticRegression
    from sklearn.model_selection import GridSearchCV

    files = [[line.split(" ", 1) for line in Path(path).open(encoding="utf-8")] for path in (train, test)]
    (gold, texts), (test_gold, test_texts) = (zip(*rows, strict=True) for rows in files)
    solver = "liblinear" if len(set(gold)) == 2 else "lbfgs"
    vectors = TfidfVectorizer(ngram_range=(1, 2), sublinear_tf=True, token_pattern=r"\w+|[^\w\s]")
    x = vectors.fit_transform(texts)
    search = GridSearchCV(LogisticRegression(solver=solver, max_iter=300), {"C": COSTS}, cv=3)
    return float(search.fit(x, gold).score(vectors.transform(test_texts), test_gold))


if __name__ == "__main__":
    print(sklearn_accuracy(*sys.argv[2:]))
