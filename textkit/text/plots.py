"""Pictures, drawn with matplotlib where that is installed."""

import io
import warnings
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import IO, Any

from .. import files
from ..errors import MissingExtraError, UsageError


def check_plot(path: Path) -> str:
    """The kind of picture that a file name stands for, by its ending; svg where there is none.

    Raises:
        MissingExtraError: matplotlib is not installed.
        UsageError: an ending that is no kind of picture.
    """
    try:
        import matplotlib
    except ImportError:
        raise MissingExtraError("matplotlib", "plot") from None
    matplotlib.use("Agg")
    from matplotlib.backend_bases import FigureCanvasBase

    kind = path.suffix.lstrip(".").lower() or "svg"
    if kind not in FigureCanvasBase.get_supported_filetypes():
        raise UsageError(f"plots cannot be written as .{kind}.", "Name a file that ends in .svg, .png or .pdf.")
    return kind


@contextmanager
def drawing(path: Path, size: tuple[float, float] = (7, 4.5)) -> Iterator[Any]:
    """Axes of a figure of so many inches to draw on; written to the file at the end. Raises as `check_plot`."""
    kind = check_plot(path)
    from matplotlib.figure import Figure

    figure = Figure(figsize=size, layout="constrained")
    yield figure.subplots()
    with files.atomic_write(path) as stream:
        _save(figure, stream, kind)


def svg(draw: Callable[[Any], None], size: tuple[float, float] = (5, 4)) -> bytes:
    """A picture to put into a page: `draw` gets the axes. The same drawing gives the same bytes.

    Raises:
        MissingExtraError: matplotlib is not installed.
    """
    check_plot(Path("page.svg"))
    import matplotlib
    from matplotlib.figure import Figure

    figure, stream = Figure(figsize=size, layout="constrained"), io.BytesIO()
    draw(figure.subplots())
    # Letters stay letters, which is smaller; the names of parts come from what they are, not from chance.
    with matplotlib.rc_context({"svg.fonttype": "none", "svg.hashsalt": "textkit"}):
        _save(figure, stream, "svg", {"Date": None})
    return stream.getvalue()


def _save(figure: Any, stream: IO[bytes], kind: str, metadata: dict[str, Any] | None = None) -> None:
    with warnings.catch_warnings():
        warnings.filterwarnings("ignore", message="Glyph .* missing")  # letters that the font lacks show as boxes
        figure.savefig(stream, format=kind, dpi=150, metadata=metadata)
