"""Shared parts of all pictures: sizes, colours, legends, names shown as they are, saving."""

from __future__ import annotations

import os
import re
import warnings
from collections.abc import Iterable, Iterator, Mapping, Sequence
from itertools import islice
from typing import TYPE_CHECKING, Any

import numpy as np
from jaxtyping import Shaped

from ginjax.checkpoint import atomic_write
from ginjax.ml.forecast import PERSISTENCE

if TYPE_CHECKING:
    from matplotlib.artist import Artist
    from matplotlib.axes import Axes
    from matplotlib.axis import Axis
    from matplotlib.figure import Figure

DPI = 110
HEADING, PANEL, LABEL, TICK = 11.0, 9.0, 8.0, 7.0
"""Sizes of letters in points: of the whole picture, of a panel, along axes and in legends, of numbers."""

_LINE = 1.25 / 72
"""Height in inches of a line of letters of one point."""

_MOST_LINES = 12
"""More lines of one text than this are cut off."""

_LOOKS = {
    "truth": ("0.1", "-"),
    "model": ("C0", "-"),
    PERSISTENCE: ("0.55", "--"),
    "from scratch": ("C1", "-"),
}
_FREE_COLOURS = ("C2", "C3", "C4", "C5", "C6", "C8", "C9")


def new_figure(size: tuple[float, float]) -> Figure:
    """An empty figure that is drawn without a screen and parses no name as mathematics, `size` in inches."""
    from matplotlib.backends.backend_agg import FigureCanvasAgg
    from matplotlib.layout_engine import ConstrainedLayoutEngine

    from ginjax.ml.draw._literal_figure import LiteralFigure

    figure = LiteralFigure(figsize=size, dpi=DPI, layout=ConstrainedLayoutEngine(h_pad=0.06))
    FigureCanvasAgg(figure)
    return figure


def save_png(path: str | os.PathLike[str], figure: Figure, *, force: bool) -> None:
    """Write a figure whole or not at all; the same figure gives the same bytes."""
    atomic_write(
        path,
        lambda stream: figure.savefig(stream, format="png", dpi=DPI, metadata={"Software": None}),
        force=force,
    )


def panels(figure: Figure, rows: int, columns: int, **shared: Any) -> Shaped[np.ndarray, "rows columns"]:
    """Axes with small numbers."""
    axes = figure.subplots(rows, columns, squeeze=False, **shared)
    for axis in axes.flat:
        small_numbers(axis)
    return axes


def small_numbers(axis: Axes) -> None:
    """Numbers along both axes in their size."""
    axis.tick_params(labelsize=TICK, which="both")
    for each in (axis.xaxis, axis.yaxis):
        each.get_offset_text().set_fontsize(TICK)


def plain_logarithm(axis: Axis) -> None:
    """Numbers of a logarithmic axis over few decades written out: 0.05, 20."""
    from matplotlib.ticker import LogLocator, NullFormatter

    axis.set_major_locator(LogLocator(subs=(1, 2, 5)))
    axis.set_major_formatter(lambda value, _: f"{value:g}")
    axis.set_minor_formatter(NullFormatter())


def set_labels(axis: Axes, x: str = "", y: str = "") -> None:
    """Name one or both axes; what is empty is left as it is."""
    if x:
        axis.set_xlabel(x, fontsize=LABEL)
    if y:
        axis.set_ylabel(y, fontsize=LABEL)


def whole_numbers(axis: Axis) -> None:
    """No numbers between the whole ones of an axis that counts."""
    from matplotlib.ticker import MaxNLocator

    axis.set_major_locator(MaxNLocator("auto", steps=[1, 2, 5, 10], integer=True))


def set_heading(figure: Figure, text: str, *, grow: bool = True) -> None:
    """Put a text above the whole picture, which grows by the lines beyond the first."""
    shown = wrapped(figure, text, figure.get_figwidth() - 0.3, HEADING)
    figure.suptitle(shown, fontsize=HEADING)
    if grow:
        _grow(figure, shown.count("\n") * HEADING * _LINE)


def set_titles(figure: Figure, row: Sequence[Axes], titles: Iterable[str], *, grow: bool = True) -> None:
    """Put a text above each panel of a row; the picture grows by the lines beyond the first."""
    room = figure.get_figwidth() / len(row) - 0.7  # a colour bar may stand between two panels
    shown = [wrapped(figure, title, room, PANEL) for title in titles]
    for axis, title in zip(row, shown, strict=True):
        axis.set_title(title, fontsize=PANEL)
    if grow:
        _grow(figure, max(title.count("\n") for title in shown) * PANEL * _LINE)


def add_legend(figure: Figure, handles: Mapping[str, Artist], place: str = "lower") -> None:
    """Name lines or areas in a row outside of all panels, `place` "upper" or "lower"; the picture grows by it."""
    if not handles:
        return
    room, beside = figure.get_figwidth() - 0.3, 0.6  # inches for the line beside a name
    names = [wrapped(figure, name, room - beside, LABEL) for name in handles]
    widest = max(_width(figure, line, LABEL) for name in names for line in name.split("\n"))
    columns = max(1, min(len(names), int(room / (widest + beside))))
    outside: Any = f"outside {place} center"  # any word to the type checker, which knows places inside only
    # matplotlib leaves names out that begin with an underscore, so that they are put in afterwards.
    legend = figure.legend(
        list(handles.values()),
        [str(i) for i in range(len(names))],
        loc=outside,
        ncols=columns,
        fontsize=LABEL,
    )
    for text, name in zip(legend.get_texts(), names, strict=True):
        text.set_text(name)
    # A legend is filled column by column, and its rows are as high as its fullest column.
    rows = -(-len(names) // columns)
    heights = [sum(1.25 + n.count("\n") for n in names[i : i + rows]) for i in range(0, len(names), rows)]
    _grow(figure, (max(heights) + 0.8) * LABEL * _LINE)


def looks_of(names: Iterable[str]) -> dict[str, tuple[str, str]]:
    """Colour and line style of each forecast: those known have their own, the others what is left."""
    looks: dict[str, tuple[str, str]] = {}
    for name in names:
        free = _FREE_COLOURS[sum(each not in _LOOKS for each in looks) % len(_FREE_COLOURS)]
        looks[name] = _LOOKS.get(name, (free, "-"))
    return looks


def wrapped(figure: Figure, text: str, inches: float, size: float) -> str:
    """A text in lines that fit into a width, broken between words where that is possible.

    The lines put together again are the text; only what is far too long ends in an ellipsis.
    """
    from ginjax.ml.draw._literal_figure import visible

    lines = list(islice(_lines(figure, visible(text), inches, size), _MOST_LINES + 1))
    if len(lines) > _MOST_LINES:
        lines = [*lines[: _MOST_LINES - 1], lines[_MOST_LINES - 1][:-1] + "…"]
    return "\n".join(lines)


def _lines(figure: Figure, text: str, inches: float, size: float) -> Iterator[str]:
    for paragraph in text.split("\n"):
        line = ""
        for word in re.findall(r"^\s+|\S+\s*", paragraph):
            together = (line + word).rstrip()
            if line and _fitting(figure, together, inches, size) < len(together):
                yield line
                line = ""
            line += word
            while (fitting := _fitting(figure, line, inches, size)) < len(line.rstrip()):
                yield line[:fitting]
                line = line[fitting:]
        yield line


def _fitting(figure: Figure, line: str, inches: float, size: float) -> int:
    """How many letters at the beginning of a line fit, at least one."""

    def fits(letters: int) -> bool:
        return _width(figure, line[:letters], size) <= inches

    low, high = 1, 2
    while high < len(line) and fits(high):  # what is without end is not measured as a whole
        low, high = high, 2 * high
    high = min(high, len(line))
    if fits(high):
        return high
    while high - low > 1:
        middle = (low + high) // 2
        low, high = (middle, high) if fits(middle) else (low, middle)
    return low


def _width(figure: Any, text: str, size: float) -> float:
    """The width of one line of text in inches."""
    from matplotlib.font_manager import FontProperties

    with warnings.catch_warnings():
        warnings.filterwarnings("ignore", message=r"Glyph .* missing from font", category=UserWarning)
        width, _, _ = figure.canvas.get_renderer().get_text_width_height_descent(
            text, FontProperties(size=size), ismath=False
        )
    return width / figure.dpi


def _grow(figure: Figure, inches: float) -> None:
    figure.set_figheight(figure.get_figheight() + inches)
