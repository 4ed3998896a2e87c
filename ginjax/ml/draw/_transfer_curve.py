"""Draw a transfer curve: error against the number of high-dimensional samples."""

from __future__ import annotations

import os
from collections.abc import Sequence
from typing import TYPE_CHECKING

import numpy as np

from ginjax.ml.draw._bands import range_of
from ginjax.ml.draw._canvas import (
    add_legend,
    arranged,
    arranged_rows,
    logarithmic,
    new_figure,
    panel_height,
    set_labels,
    set_titles,
)
from ginjax.ml.draw._save import save_picture
from ginjax.ml.draw._style import Width, in_style, inches
from ginjax.ml.forecast import NO_CHANGE
from ginjax.ml.transfer import METHODS, Method, Point

if TYPE_CHECKING:
    from matplotlib.artist import Artist
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

_LOOKS: dict[Method, tuple[str, str, str]] = {
    "converted": ("converted + tuned", "#0072b2", "o-"),
    "calibrated": ("calibrated, not tuned", "#e69f00", "D-."),
    "scratch": ("from scratch, equal time", "#d55e00", "s--"),
    "inflated": ("plain CNN inflated + tuned", "#009e73", "^:"),
}

_SPREAD = "standard deviation over seeds"


def draw_transfer_curve(
    path: str | os.PathLike[str], points: Sequence[Point], *, width: Width = "two"
) -> None:
    """Write the picture of `transfer_curve_figure`, replacing an existing file.

    **Arguments:**

    - `path`: the file to write, see `save_picture`.
    - `points`, `width`: as in `transfer_curve_figure`.
    """
    save_picture(path, transfer_curve_figure(points, width=width), force=True)


def transfer_curve_figure(points: Sequence[Point], *, width: Width = "two") -> Figure:
    """Draw one row for each equation and one column for each pair of dimensions, as far as the width allows.

    Both axes are logarithmic, with 0 samples to the left of 1. Panels of an equation have the same error axis. Bands are the
    standard deviation over seeds, if there are several; the grey line is the forecast that nothing changes.

    **Arguments:**

    - `points`: from `summarise`.
    - `width`: "one" or "two" journal columns, or a number of millimetres.

    **Returns:** the figure.
    """
    pdes = list(dict.fromkeys(point.pde for point in points))
    pairs = sorted({(point.from_dim, point.to_dim) for point in points})
    with in_style():
        rows = len(pdes) * arranged_rows(inches(width), len(pairs))
        figure = new_figure(width, rows * panel_height(inches(width), len(pairs)) + 0.1)
        handles: dict[str, Artist] = {}
        for group, pde in zip(arranged(figure, len(pdes), len(pairs)), pdes, strict=True):
            set_titles(figure, group, [f"{pde}, {low}D → {high}D" for low, high in pairs])
            own = [point for point in points if point.pde == pde]
            for axis, (low, high) in zip(group, pairs, strict=True):
                here = [p for p in own if (p.from_dim, p.to_dim) == (low, high)]
                if here:
                    handles |= _draw_panel(axis, here)
                    logarithmic(axis.yaxis, *_range(own))
                    set_labels(axis, f"{high}D trajectories", "one-step nRMSE")
                else:
                    axis.set_axis_off()
                    axis.set_title("")
            _label_outer(group)
        if any(point.spread for point in points):
            handles |= _spread_key()
        add_legend(figure, handles)
    return figure


def _label_outer(group: Sequence[Axes]) -> None:
    """Keep the label of the error only on the first panel of a row."""
    for axis in group:
        spec = axis.get_subplotspec()
        if spec is not None and spec.colspan.start > 0:
            axis.set_ylabel("")
            axis.tick_params(labelleft=False)


def _spread_key() -> dict[str, Artist]:
    from matplotlib.patches import Patch

    return {_SPREAD: Patch(color="0.4", alpha=0.3, lw=0)}


def _range(points: Sequence[Point]) -> tuple[float, float]:
    """The range of all curves of an equation, with their bands."""
    ends = [
        np.array([p.mean, p.mean + (p.spread or 0.0), max(p.mean - (p.spread or 0.0), p.mean / 3)])
        for p in points
    ]
    return range_of([*ends, np.array([p.persistence for p in points])], decades=6.0)


def _draw_panel(axis: Axes, points: Sequence[Point]) -> dict[str, Artist]:
    """Draw the curves of one panel; return them by their names in the legend."""
    counts = sorted({point.samples for point in points})
    # 0 samples are drawn one doubling to the left of 1.
    place = {count: np.log2(count) if count else -1.0 for count in counts}
    handles: dict[str, Artist] = {}
    for method in METHODS:
        label, colour, style = _LOOKS[method]
        line = sorted((p for p in points if p.method == method), key=lambda p: p.samples)
        if not line:
            continue
        x = [place[p.samples] for p in line]
        mean, spread = np.array([p.mean for p in line]), np.array([p.spread or 0.0 for p in line])
        (handles[label],) = axis.plot(x, mean, style, color=colour)
        axis.fill_between(
            x, np.maximum(mean - spread, mean / 10), mean + spread, color=colour, alpha=0.18, lw=0
        )
    handles[NO_CHANGE] = axis.axhline(points[0].persistence, color="0.5", lw=1, ls=(0, (6, 2)))
    axis.set_xticks([place[count] for count in counts], [str(count) for count in counts])
    return handles
