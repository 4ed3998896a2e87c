"""The picture of a transfer curve: error against the number of high-dimensional samples."""

from __future__ import annotations

import os
from collections.abc import Sequence
from typing import TYPE_CHECKING

import numpy as np

from ginjax.ml.draw._canvas import (
    add_legend,
    new_figure,
    panels,
    plain_logarithm,
    save_png,
    set_labels,
    set_titles,
)
from ginjax.ml.forecast import NO_CHANGE
from ginjax.ml.transfer import METHODS, Method, Point

if TYPE_CHECKING:
    from matplotlib.artist import Artist
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

_LOOKS: dict[Method, tuple[str, str, str]] = {
    "converted": ("converted + tuned", "#0b6e4f", "o-"),
    "calibrated": ("calibrated, not tuned", "#b8860b", "D-."),
    "scratch": ("from scratch, equal time", "#c1440e", "s--"),
    "inflated": ("plain CNN inflated + tuned", "#6a5acd", "^:"),
}


def draw_transfer_curve(path: str | os.PathLike[str], points: Sequence[Point]) -> None:
    """Write the picture of `transfer_curve_figure`; a file that is there is replaced.

    **Arguments:**

    - `path`: the PNG file to write.
    - `points`: from `summarise`.
    """
    save_png(path, transfer_curve_figure(points), force=True)


def transfer_curve_figure(points: Sequence[Point]) -> Figure:
    """Draw a row for each equation and a column for each pair of dimensions.

    Both axes are logarithmic, with 0 samples left of 1; panels of a row share theirs for the error. Bands are the
    standard deviation over seeds; the grey line is the forecast that nothing changes.

    **Arguments:**

    - `points`: from `summarise`.

    **Returns:** the figure.
    """
    pdes = list(dict.fromkeys(point.pde for point in points))
    pairs = sorted({(point.from_dim, point.to_dim) for point in points})
    figure = new_figure((3.3 * len(pairs) + 0.6, 2.2 * len(pdes) + 0.5))
    axes = panels(figure, len(pdes), len(pairs), sharey="row")
    handles: dict[str, Artist] = {}
    for row, pde in zip(axes, pdes, strict=True):
        set_titles(figure, row, [f"{pde}, {low}D → {high}D" for low, high in pairs])
        for axis, (low, high) in zip(row, pairs, strict=True):
            here = [p for p in points if (p.pde, p.from_dim, p.to_dim) == (pde, low, high)]
            if here:
                handles |= _draw_panel(axis, here)
            else:
                axis.set_axis_off()
                axis.set_title("")
        set_labels(row[0], y="one-step nRMSE")
    for axis in axes[-1]:
        set_labels(axis, "high-dimensional samples (trajectories)")
    add_legend(figure, handles, "upper")
    return figure


def _draw_panel(axis: Axes, points: Sequence[Point]) -> dict[str, Artist]:
    """The curves of one panel, by what the legend calls them."""
    counts = sorted({point.samples for point in points})
    # The logarithm of 0 is put one doubling left of 1.
    place = {count: np.log2(count) if count else -1.0 for count in counts}
    handles: dict[str, Artist] = {}
    for method in METHODS:
        label, colour, style = _LOOKS[method]
        line = sorted((p for p in points if p.method == method), key=lambda p: p.samples)
        if not line:
            continue
        x = [place[p.samples] for p in line]
        mean, spread = (np.array([getattr(p, name) for p in line]) for name in ("mean", "spread"))
        (handles[label],) = axis.plot(x, mean, style, color=colour, lw=1.3, ms=4)
        axis.fill_between(
            x, np.maximum(mean - spread, mean / 10), mean + spread, color=colour, alpha=0.2, lw=0
        )
    handles[NO_CHANGE] = axis.axhline(points[0].persistence, color="0.5", lw=1, ls="-.")
    axis.set_yscale("log")
    plain_logarithm(axis.yaxis)
    axis.set_xticks([place[count] for count in counts], [str(count) for count in counts])
    axis.grid(alpha=0.3)
    return handles
