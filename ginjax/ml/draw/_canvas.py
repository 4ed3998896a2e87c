"""Shared parts of all pictures: figures, panels, titles, axes, legends."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from typing import TYPE_CHECKING, Any

import numpy as np
from jaxtyping import Shaped

from ginjax.ml.draw._style import DPI, HEADING, LABEL, PANEL, Width, in_style, inches
from ginjax.ml.draw._wrapped import width_of, wrapped

if TYPE_CHECKING:
    from matplotlib.artist import Artist
    from matplotlib.axes import Axes
    from matplotlib.axis import Axis
    from matplotlib.figure import Figure

_LINE = 1.25 / 72
"""Height in inches of a line of text in a font size of one point."""

_NARROW = 1.15
"""Smallest width in inches of a panel with curves."""


def new_figure(width: Width, height: float) -> Figure:
    """Make an empty figure, `height` inches high, that needs no screen and never parses names as mathematics."""
    from matplotlib.backends.backend_agg import FigureCanvasAgg
    from matplotlib.layout_engine import ConstrainedLayoutEngine

    from ginjax.ml.draw._literal_figure import LiteralFigure

    layout = ConstrainedLayoutEngine(h_pad=0.05, w_pad=0.04, hspace=0.02, wspace=0.02)
    with in_style():
        figure = LiteralFigure(figsize=(inches(width), height), dpi=DPI, layout=layout)
        FigureCanvasAgg(figure)
    return figure


def panels(figure: Figure, rows: int, columns: int, **shared: Any) -> Shaped[np.ndarray, "rows columns"]:
    """Make panels for curves, with grid lines."""
    axes = figure.subplots(rows, columns, squeeze=False, **shared)
    for axis in axes.flat:
        axis.grid(True)
    return axes


def arranged(figure: Figure, groups: int, each: int, **shared: Any) -> list[list[Axes]]:
    """Make panels for groups of curves: each group has its own rows, with as many panels per row as are wide enough.

    **Arguments:**

    - `figure`: the figure, whose height must suit the rows, see `arranged_rows`.
    - `groups`, `each`: number of groups, and of panels in each group.

    **Returns:** by group, its panels.
    """
    columns, rows = columns_of(figure.get_figwidth(), each), arranged_rows(figure.get_figwidth(), each)
    axes = panels(figure, groups * rows, columns, **shared)
    found = []
    for group in range(groups):
        flat = list(axes[group * rows : (group + 1) * rows].flat)
        for spare in flat[each:]:
            spare.remove()
        found.append(flat[:each])
    return found


def columns_of(width: float, each: int) -> int:
    """The number of panels that fit side by side into a width in inches."""
    return max(1, min(each, int(width / _NARROW)))


def arranged_rows(width: float, each: int) -> int:
    """The number of rows that some panels need."""
    return -(-each // columns_of(width, each))


def panel_height(width: float, each: int) -> float:
    """The height in inches of a panel with its title and axis labels, in proportion to its width."""
    return min(3.2, max(1.5, 0.62 * width / columns_of(width, each) + 0.45))


def logarithmic(axis: Axis, low: float, high: float) -> None:
    """Make an axis logarithmic over a range, with plain numbers for few decades and powers of ten for many."""
    from matplotlib.ticker import LogFormatterSciNotation, LogLocator, NullFormatter

    horizontal = axis is axis.axes.xaxis
    (axis.axes.set_xscale if horizontal else axis.axes.set_yscale)("log")
    (axis.axes.set_xlim if horizontal else axis.axes.set_ylim)(low, high)
    decades = np.log10(high / low)
    if decades <= 2.5:
        axis.set_major_locator(
            LogLocator(subs=(1, 2, 5) if decades > 0.6 else tuple(map(float, range(1, 10))))
        )
        axis.set_major_formatter(lambda value, _: f"{value:g}")
    else:
        axis.set_major_locator(LogLocator(numticks=6))
        axis.set_major_formatter(LogFormatterSciNotation())
    axis.set_minor_formatter(NullFormatter())


def set_labels(axis: Axes, x: str = "", y: str = "") -> None:
    """Label one or both axes; an empty label changes nothing."""
    if x:
        axis.set_xlabel(x)
    if y:
        axis.set_ylabel(y)


def whole_numbers(axis: Axis) -> None:
    """Put only whole numbers along an axis that counts."""
    from matplotlib.ticker import MaxNLocator

    axis.set_major_locator(MaxNLocator("auto", steps=[1, 2, 5, 10], integer=True))


def set_heading(figure: Figure, text: str, *, grows: bool = True) -> None:
    """Put a text above the whole picture, which grows by its lines; nothing for an empty text."""
    if not text:
        return
    shown = wrapped(figure, text, figure.get_figwidth() - 0.2, HEADING)
    figure.suptitle(shown, fontsize=HEADING)
    if grows:
        grow(figure, (shown.count("\n") + 1.5) * HEADING)


def set_titles(figure: Figure, row: Sequence[Axes], titles: Iterable[str], *, grows: bool = True) -> None:
    """Put a text above each panel of a row; the picture grows by the lines beyond the first."""
    whole = figure.get_figwidth() - 0.35
    shown = [
        wrapped(figure, title, whole * _share(axis) - 0.12, PANEL)
        for axis, title in zip(row, titles, strict=True)
    ]
    for axis, title in zip(row, shown, strict=True):
        axis.set_title(title, fontsize=PANEL)
    if grows:
        grow(figure, max(title.count("\n") for title in shown) * PANEL)


def _share(axis: Axes) -> float:
    """The fraction of the width of a figure that a panel has."""
    spec = axis.get_subplotspec()
    return 1.0 if spec is None else len(spec.colspan) / spec.get_gridspec().ncols


def add_legend(figure: Figure, handles: Mapping[str, Artist]) -> None:
    """Add a legend of lines or areas in rows below all panels; the picture grows by it."""
    if not handles:
        return
    room, beside = figure.get_figwidth() - 0.2, 0.5  # inches for the line beside a name
    names = [wrapped(figure, name, room - beside, LABEL) for name in handles]
    widest = max(width_of(figure, line, LABEL) for name in names for line in name.split("\n"))
    columns = max(1, min(len(names), int(room / (widest + beside))))
    outside: Any = "outside lower center"  # Any, because the type checker knows only places inside
    # matplotlib leaves out names that begin with an underscore, so names are put in afterwards.
    with in_style():
        legend = figure.legend(
            list(handles.values()),
            [str(i) for i in range(len(names))],
            loc=outside,
            ncols=columns,
            fontsize=LABEL,
            columnspacing=1.2,
            handlelength=2.4,
        )
    for text, name in zip(legend.get_texts(), names, strict=True):
        text.set_text(name)
    # A legend is filled column by column, and its rows are as high as its highest column.
    rows = -(-len(names) // columns)
    heights = [sum(1.25 + n.count("\n") for n in names[i : i + rows]) for i in range(0, len(names), rows)]
    grow(figure, (max(heights) + 0.8) * LABEL)


def grow(figure: Figure, points: float) -> None:
    """Make a figure higher by lines of text whose font sizes add up to `points`."""
    figure.set_figheight(figure.get_figheight() + points * _LINE)
