"""The picture of a transfer curve: error against the number of high-dimensional samples."""

from __future__ import annotations

import os
from collections.abc import Sequence

import numpy as np

from ginjax.checkpoint import atomic_write
from ginjax.ml._transfer_study import METHODS, Method, Point

_LOOKS: dict[Method, tuple[str, str, str]] = {
    "converted": ("converted + tuned", "#0b6e4f", "o-"),
    "scratch": ("from scratch, equal time", "#c1440e", "s--"),
    "inflated": ("plain CNN inflated + tuned", "#6a5acd", "^:"),
}


def draw_transfer_curve(path: str | os.PathLike[str], points: Sequence[Point]) -> None:
    """Draw a row for each equation and a column for each pair of dimensions; a file that is there is replaced.

    Both axes are logarithmic, with 0 samples left of 1; panels of a row share theirs for the error. Bands are the standard deviation over seeds; the grey line
    is predicting no change.

    **Arguments:**

    - `path`: the PNG file to write.
    - `points`: from `summarise`.
    """
    from matplotlib.backends.backend_agg import FigureCanvasAgg
    from matplotlib.figure import Figure

    pdes = list(dict.fromkeys(point.pde for point in points))
    pairs = sorted({(point.from_dim, point.to_dim) for point in points})
    figure = Figure(figsize=(3.3 * len(pairs) + 0.6, 2.2 * len(pdes) + 0.8), layout="constrained")
    FigureCanvasAgg(figure)
    axes = figure.subplots(len(pdes), len(pairs), squeeze=False, sharey="row")
    for row, pde in zip(axes, pdes, strict=True):
        for axis, (low, high) in zip(row, pairs, strict=True):
            here = [p for p in points if (p.pde, p.from_dim, p.to_dim) == (pde, low, high)]
            if here:
                _draw_panel(axis, here)
                axis.set_title(f"{pde}, {low}D → {high}D", fontsize=9)
            else:
                axis.set_axis_off()
        row[0].set_ylabel("one-step nRMSE", fontsize=8)
    for axis in axes[-1]:
        axis.set_xlabel("high-dimensional samples (trajectories)", fontsize=8)
    handles = {
        label: line
        for axis in axes.flat
        for line, label in zip(*axis.get_legend_handles_labels(), strict=True)
    }
    figure.legend(handles.values(), handles.keys(), loc="outside upper center", ncols=4, fontsize=8)
    atomic_write(
        path,
        lambda stream: figure.savefig(stream, format="png", dpi=110, metadata={"Software": None}),
        force=True,
    )


def _draw_panel(axis, points: Sequence[Point]) -> None:
    from matplotlib.ticker import LogLocator, NullFormatter

    counts = sorted({point.samples for point in points})
    # The logarithm of 0 is put one doubling left of 1.
    place = {count: np.log2(count) if count else -1.0 for count in counts}
    for method in METHODS:
        label, colour, style = _LOOKS[method]
        line = sorted((p for p in points if p.method == method), key=lambda p: p.samples)
        if not line:
            continue
        x = [place[p.samples] for p in line]
        mean, spread = (np.array([getattr(p, name) for p in line]) for name in ("mean", "spread"))
        axis.plot(x, mean, style, color=colour, label=label, lw=1.3, ms=4)
        axis.fill_between(
            x, np.maximum(mean - spread, mean / 10), mean + spread, color=colour, alpha=0.2, lw=0
        )
    axis.axhline(points[0].persistence, color="0.5", lw=1, ls="-.", label="predicting no change")
    axis.set_yscale("log")
    axis.yaxis.set_major_locator(LogLocator(subs=(1, 2, 5)))
    axis.yaxis.set_major_formatter(lambda value, _: f"{value:g}")
    axis.yaxis.set_minor_formatter(NullFormatter())
    axis.set_xticks([place[count] for count in counts], [str(count) for count in counts])
    axis.grid(alpha=0.3)
    axis.tick_params(labelsize=7, which="both")
