"""Reports and explanations as one HTML page each that needs nothing else: no script, no picture beside it."""

import base64
from collections.abc import Callable, Iterable, Sequence
from html import escape
from pathlib import Path
from string import Template
from typing import Any

from .. import files
from ..text.plots import svg
from .explain import Explanation
from .report import ConfusedPair, Matrix, Report

MOST_LABELS = 1000  # rows of the table of labels


def report_page(report: Report, path: Path, title: str) -> None:
    """Write a report with plots. Raises MissingExtraError without matplotlib."""
    write_page(path, title, [*_figures(report), *_plots(report), *_labels(report), *_confusions(report)])


def explanation_page(found: Sequence[Explanation], path: Path, title: str, top: int = 30) -> None:
    """Write explanations with the text coloured: blue speaks for the label, red against it."""
    parts = []
    for each in found:
        against = f" against {each.against}" if each.against else ""
        parts.append(f"<h2>{escape(each.label + against)}, p = {each.probability:.4f}</h2>")
        parts.append(_coloured(each))
        rows: list[Sequence[Any]] = [(s.feature, s.kind, s.count, s.contribution) for s in each.shares[:top]]
        if rest := each.shares[top:]:
            rows.append((f"{len(rest):,} others", "", sum(s.count for s in rest), sum(s.contribution for s in rest)))
        rows += [("bias", "", None, each.bias), (each.score, "", None, each.logit)]
        parts.append(table(["feature", "kind", "times", "adds"], rows))
    write_page(path, title, parts)


def _coloured(found: Explanation) -> str:
    largest = max((abs(token.contribution) for token in found.tokens), default=0.0) or 1.0
    spans = []
    for token in found.tokens:
        colour = "40,120,200" if token.contribution > 0 else "200,60,40"
        shade = f"background:rgba({colour},{abs(token.contribution) / largest * 0.8:.3f})"
        note = f'title="{token.contribution:+.4f}"' if token.known else 'class="unknown" title="unknown"'
        spans.append(f'<span style="{shade}" {note}>{escape(token.text)}</span>')
    return f'<p class="text">{" ".join(spans)}</p>'


def write_page(path: Path, title: str, parts: Iterable[str]) -> None:
    """Write a page made of these pieces of HTML."""
    with files.atomic_write(path) as stream:
        stream.write(_PAGE.substitute(title=escape(title), body="\n".join(parts)).encode())


def table(header: Sequence[str], rows: Iterable[Sequence[Any]]) -> str:
    """A table; numbers are aligned right."""
    head = "".join(f"<th>{escape(name)}</th>" for name in header)
    lines = "\n".join(f"<tr>{''.join(map(_cell, row))}</tr>" for row in rows)
    return f"<table><thead><tr>{head}</tr></thead><tbody>\n{lines}\n</tbody></table>"


def _cell(value: Any) -> str:
    if value is None:
        return "<td></td>"
    if isinstance(value, int | float):
        return f'<td class="n">{value:,}</td>' if isinstance(value, int) else f'<td class="n">{value:.4f}</td>'
    return f"<td>{escape(str(value))}</td>"


def _figures(report: Report) -> list[str]:
    settings = [(name, str(value)) for name, value in report.settings.items()]
    counts = [("documents", report.documents), ("labels", report.labels), ("given", report.rule)]
    parts = [table(["", ""], [*settings, *counts])]
    header = ["measure", "value", "95 % interval", f"always '{report.baseline.label}'"]
    parts += ["<h2>Figures</h2>", table(header, report.summary())]
    parts.append(table(["average", "precision", "recall", "F1"], report.average_rows()))
    if report.folds:
        parts += ["<h2>Folds</h2>", table(["fold", "accuracy"], enumerate(report.folds, 1))]
    if report.unknown:
        parts += ["<h2>Labels unknown to the model</h2>", table(["label", "documents"], report.unknown.items())]
    return parts


def _labels(report: Report) -> list[str]:
    rows = [
        [r.label, r.support, r.given, r.precision, r.recall, r.f1, r.roc_auc, r.average_precision]
        for r in report.per_label[:MOST_LABELS]
    ]
    header = ["label", "documents", "given", "precision", "recall", "F1", "ROC-AUC", "average precision"]
    more = len(report.per_label) - len(rows)
    return ["<h2>Labels</h2>", table(header, rows), f"<p>and {more:,} rarer ones</p>" if more else ""]


def _confusions(report: Report) -> list[str]:
    parts = ["<h2>Confusion matrix</h2>", _matrix(report.matrix)]
    if report.confused:
        parts += ["<h2>Most confused</h2>", *map(_pair, report.confused)]
    return parts


def _matrix(matrix: Matrix) -> str:
    """Each row shaded by its own sum, so that rare labels show as well as frequent ones."""
    used = [i for i in range(len(matrix.labels) + 2) if i < len(matrix.labels) or any(r[i] for r in matrix.counts)]
    names = [*matrix.labels, "other", "none"]
    head = "<th>right \\ given</th>" + "".join(f"<th>{escape(names[i])}</th>" for i in used)
    lines = []
    for i, row in enumerate(matrix.counts):
        total = max(sum(row), 1)
        cells = "".join(
            f'<td class="n {"hit" if i == j else "miss"}" style="--s:{row[j] / total:.3f}">{row[j]:,}</td>'
            for j in used
        )
        lines.append(f"<tr><th>{escape(matrix.labels[i])}</th>{cells}</tr>")
    return f'<div class="wide"><table class="matrix"><tr>{head}</tr>\n' + "\n".join(lines) + "\n</table></div>"


def _pair(pair: ConfusedPair) -> str:
    items = "".join(
        f'<li><span class="where">{escape(e.file)}:{e.line:,}, p = {e.p:.3f}</span> {escape(e.text)}</li>'
        for e in pair.examples
    )
    given = "no label" if pair.given is None else pair.given
    name = f"{escape(pair.gold)} → {escape(given)}: {pair.count:,} ({pair.share:.1%})"
    return f"<details open><summary>{name}</summary><ol>{items}</ol></details>"


def _plots(report: Report) -> list[str]:
    drawings: list[tuple[str, Callable[[Any], None]]] = [
        ("Reliability", lambda axes: _reliability(report, axes)),
        ("Thresholds", lambda axes: _thresholds(report, axes)),
    ]
    if report.curves:
        drawings += [
            ("ROC", lambda axes: _curves(report, axes, "roc")),
            ("Precision and recall", lambda axes: _curves(report, axes, "precision_recall")),
        ]
    if report.learning_curve:
        drawings.append(("Learning curve", lambda axes: _learning(report, axes)))
    return ['<div class="plots">', *(_image(name, svg(draw)) for name, draw in drawings), "</div>"]


def _image(name: str, picture: bytes) -> str:
    # As an image, each picture keeps its own names of parts.
    data = base64.b64encode(picture).decode()
    return f'<figure><figcaption>{name}</figcaption><img alt="{name}" src="data:image/svg+xml;base64,{data}"></figure>'


def _reliability(report: Report, axes: Any) -> None:
    axes.plot([0, 1], [0, 1], color="grey", linewidth=1)
    axes.plot([b["probability"] for b in report.bins], [b["right"] for b in report.bins], marker="o")
    axes.set(xlabel="probability", ylabel="share that is right", xlim=(0, 1), ylim=(0, 1.02))
    shares = axes.twinx()
    total = sum(b["count"] for b in report.bins)
    width = report.bins[0]["to"] - report.bins[0]["from"]
    lefts, heights = [b["from"] for b in report.bins], [b["count"] / total for b in report.bins]
    shares.bar(lefts, heights, width, align="edge", alpha=0.15, color="grey")
    shares.set(ylabel="share of all", ylim=(0, 1.02))


def _thresholds(report: Report, axes: Any) -> None:
    x = [t.threshold for t in report.thresholds]
    for name in ("precision", "recall", "f1"):
        axes.plot(x, [getattr(t, name) for t in report.thresholds], label=name.replace("f1", "F1"))
    if all(t.per_document <= 1 for t in report.thresholds):
        axes.plot(x, [t.per_document for t in report.thresholds], "--", color="grey", label="answered")
    axes.set(xlabel="labels more probable than this are given", xlim=(0, 1), ylim=(0, 1.02))
    axes.legend(frameon=False)


def _curves(report: Report, axes: Any, kind: str) -> None:
    for curve in report.curves:
        area = curve.roc_auc if kind == "roc" else curve.average_precision
        # A leading underscore would hide a name from the legend, dollars would make formulas of it.
        name = f" {curve.name[:30]} ({area:.3f})".replace("$", r"\$")
        axes.plot(*zip(*getattr(curve, kind), strict=True), label=name)
    names = ("share of the others given", "share of the right ones found") if kind == "roc" else ("recall", "precision")
    axes.set(xlabel=names[0], ylabel=names[1], xlim=(0, 1), ylim=(0, 1.02))
    axes.legend(frameon=False, fontsize="small")


def _learning(report: Report, axes: Any) -> None:
    points = report.learning_curve
    for name in ("accuracy", "macro_f1"):
        axes.plot([p.documents for p in points], [getattr(p, name) for p in points], marker="o", label=name)
    axes.set(xlabel="training documents", xlim=(0, None))
    axes.legend(["accuracy", "macro F1"], frameon=False)


_PAGE = Template("""<!doctype html>
<html lang="en"><meta charset="utf-8"><meta name="viewport" content="width=device-width"><title>$title</title>
<style>
body{font:15px/1.45 system-ui,sans-serif;margin:2em auto;max-width:70em;padding:0 1em;color:#222;background:#fff}
table{border-collapse:collapse;margin:1em 0}
th,td{padding:.2em .7em;text-align:left;border-bottom:1px solid #ddd;font-weight:normal}
th{color:#666;font-size:.9em}
.n{text-align:right;font-variant-numeric:tabular-nums}
.wide{overflow-x:auto}
.matrix{font-size:.85em}.matrix td{--c:200,60,40;background:rgba(var(--c),calc(var(--s)*.9))}
.matrix .hit{--c:40,120,200}
.plots{display:flex;flex-wrap:wrap;gap:1em}
figure{margin:0;flex:1 1 25em;max-width:34em}figure img{width:100%}figcaption{font-weight:600}
details{margin:.6em 0}summary{font-weight:600;cursor:pointer}
.where{color:#888;font-size:.85em}
.text{font-size:1.15em;line-height:1.9}
.unknown{color:#999;text-decoration:underline dotted}.text span{border-radius:3px;padding:.1em .15em}
</style>
<h1>$title</h1>
$body
</html>
""")
