"""`textkit classify` into models: why a label, and what is in a model."""

import sys
from pathlib import Path
from typing import TYPE_CHECKING

import click

from . import common
from .classify_common import FILE, classify

if TYPE_CHECKING:
    from ..classify.explain import Explanation
    from ..classify.model import Classifier

# Background colours of a terminal, from strongly against to strongly for.
_SHADES = ((160, 15), (217, 0), (224, 0), None, (189, 0), (111, 0), (26, 15))


@classify.command()
@click.argument("model", type=FILE)
@click.argument("text", required=False)
@click.option("--label", "labels", multiple=True, help="Explain this label.  [default: the most probable one]")
@click.option("--against", help="Explain the difference to this label.")
@click.option("--top", type=click.IntRange(1), default=30, show_default=True, help="So many features.")
@click.option("--html", type=click.Path(path_type=Path), help="Write a page with the coloured text.")
@common.JSON
def explain(
    model: Path,
    text: str | None,
    labels: tuple[str, ...],
    against: str | None,
    top: int,
    html: Path | None,
    as_json: bool,
) -> None:
    """Show what each word and n-gram of TEXT adds to a label's score. Without TEXT: a label's strongest features.

    The parts and the bias sum to the score exactly. TEXT may be - for standard input.

    \b
    textkit classify explain reviews.model "not a bad film"
    textkit classify explain reviews.model "not a bad film" --label pos --against neg --html why.html
    textkit classify explain reviews.model --label pos --top 50
    """
    from ..classify import explain as explaining
    from ..classify.model import Classifier
    from ..errors import UsageError

    loaded = Classifier.load(model)
    if text is None:
        if not labels:
            raise UsageError("there is neither a text nor a label to explain.", "Give a text, or --label.")
        _show_strongest(loaded, labels, against, top, as_json)
        return
    if text == "-":
        text = sys.stdin.buffer.read().decode("utf-8", "surrogateescape")
    found = explaining.explain(loaded, text, list(labels) or None, against)
    if html:
        from ..classify.html import explanation_page

        explanation_page(found, html, str(model), top)
    if as_json:
        common.print_json([each.as_dict() for each in found])
        return
    for each in found:
        _show_explanation(each, top)


def _show_strongest(model: "Classifier", labels: tuple[str, ...], against: str | None, top: int, as_json: bool) -> None:
    from ..classify.explain import strongest

    found = {label: strongest(model, label, top, against=against) for label in labels}
    if as_json:
        common.print_json({label: [vars(weight) for weight in weights] for label, weights in found.items()})
        return
    for label, weights in found.items():
        rows = [[weight.feature, weight.kind, f"{weight.weight:.4f}"] for weight in weights]
        title = label if against is None else f"{label} against {against}"
        common.print_table(title, ["feature", "kind", f"weight for {title}"], rows)


def _show_explanation(found: "Explanation", top: int) -> None:
    against = f" against {found.against}" if found.against else ""
    largest = max((abs(token.contribution) for token in found.tokens), default=0.0) or 1.0
    click.echo(" ".join(_coloured(token.text, token.contribution / largest, token.known) for token in found.tokens))
    rows = [[share.feature, share.kind, share.count, f"{share.contribution:+.4f}"] for share in found.shares[:top]]
    if rest := found.shares[top:]:
        rows.append(
            [f"{len(rest):,} others", "", sum(s.count for s in rest), f"{sum(s.contribution for s in rest):+.4f}"]
        )
    rows += [["(bias)", "", "", f"{found.bias:+.4f}"], [f"({found.score})", "", "", f"{found.logit:+.4f}"]]
    common.print_table(
        f"{found.label}{against}, p = {found.probability:.4f}",
        ["feature", "kind", "times", f"adds to {found.label}{against}"],
        rows,
    )
    if found.tokens and not any(token.known for token in found.tokens):
        common.note("the model knows no word of this text: only the bias speaks.")


def _coloured(word: str, strength: float, known: bool) -> str:
    """Red against the label, blue for it; unknown words dim. Colours go when the output is no terminal."""
    if not known:
        return click.style(word, dim=True)
    middle = len(_SHADES) // 2
    shade = _SHADES[middle + round(strength * middle)]
    return word if shade is None else click.style(word, bg=shade[0], fg=shade[1])


@classify.command()
@click.argument("model", type=FILE)
@common.JSON
def info(model: Path, as_json: bool) -> None:
    """Describe a model: settings, size, labels, how training went, calibration.

    \b
    textkit classify info reviews.model
    """
    from ..classify.describing import describe
    from ..classify.model import Classifier

    described = describe(Classifier.load(model), model)
    if as_json:
        common.print_json(described)
        return
    labels, settings = described.pop("label_counts"), described.pop("config")
    rows = [[name.replace("_", " "), _shown(value)] for name, value in described.items() if _short(value)]
    common.print_table(str(model), ["what", "value"], rows)
    common.print_table("settings", ["setting", "value"], [[name, _shown(value)] for name, value in settings.items()])
    shown = list(labels.items())[:30]
    common.print_table("labels", ["label", "training documents"], [list(item) for item in shown])
    if len(labels) > len(shown):
        common.note(f"{len(labels) - len(shown):,} more labels; --json shows all.")


def _short(value: object) -> bool:
    return not isinstance(value, list | dict)


def _shown(value: object) -> object:
    return "-" if value is None else str(value) if isinstance(value, bool | tuple | list) else value
