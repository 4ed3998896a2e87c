"""The picture of a training: loss and learning rate against steps."""

from __future__ import annotations

import os
from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any

from ginjax.ml.draw._canvas import add_legend, new_figure, panels, save_png, set_heading, set_labels

if TYPE_CHECKING:
    from matplotlib.artist import Artist
    from matplotlib.figure import Figure


def draw_curve(
    path: str | os.PathLike[str], title: str, rows: Sequence[Mapping[str, Any]], *, best_step: int = -1
) -> None:
    """Write the picture of `curve_figure`; a file that is there is replaced.

    **Arguments:**

    - `path`: the PNG file to write.
    - `title`, `rows`, `best_step`: as in `curve_figure`.
    """
    save_png(path, curve_figure(title, rows, best_step=best_step), force=True)


def curve_figure(title: str, rows: Sequence[Mapping[str, Any]], *, best_step: int = -1) -> Figure:
    """Draw training and validation loss, of a tuning the error by which it is judged, and below them the learning rate.

    **Arguments:**

    - `title`: of the picture.
    - `rows`: of the log, from `read_log`.
    - `best_step`: the step whose model was kept, if it was not the last.

    **Returns:** the figure.
    """
    figure = new_figure((7, 4.3))
    set_heading(figure, title)
    (upper,), (lower,) = panels(figure, 2, 1, sharex=True, height_ratios=(3, 1))
    handles: dict[str, Artist] = {}
    # Only a tuning looks before its first step, and looks at errors of roll-outs.
    tuning = any(row["step"] == 0 and row.get("validation") is not None for row in rows)
    looked = "roll-outs (nRMSE)" if tuning else "validation"
    for name, label, style in (("loss", "training", "-"), ("validation", looked, "o-")):
        points = [(row["step"], row[name]) for row in rows if row.get(name) is not None]
        if points:
            (handles[label],) = upper.plot(*zip(*points, strict=True), style, lw=1.2, ms=3)
    if best_step >= 0:
        handles["kept"] = upper.axvline(best_step, color="0.6", lw=0.8, ls="--")
    if any((row.get(name) or 0) > 0 for row in rows for name in ("loss", "validation")):
        upper.set_yscale("log")
    set_labels(upper, y="loss, error" if tuning else "loss")
    rates = [(row["step"], row["learning_rate"]) for row in rows if row.get("learning_rate") is not None]
    if rates:
        lower.plot(*zip(*rates, strict=True), color="0.3", lw=1.2)
    set_labels(lower, "step", "learning rate")
    lower.ticklabel_format(axis="y", style="sci", scilimits=(-2, 2))
    for axis in (upper, lower):
        axis.grid(alpha=0.3)
    add_legend(figure, handles)
    return figure
