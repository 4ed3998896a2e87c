"""The picture of a training: loss and learning rate against steps."""

from __future__ import annotations

import os
from collections.abc import Mapping, Sequence
from typing import Any

from ginjax.checkpoint import atomic_write


def draw_curve(
    path: str | os.PathLike[str], title: str, rows: Sequence[Mapping[str, Any]], *, best_step: int = -1
) -> None:
    """Draw training and validation loss, and below them the learning rate; a file that is there is replaced.

    **Arguments:**

    - `path`: the PNG file to write.
    - `title`: of the picture.
    - `rows`: of the log, from `read_log`.
    - `best_step`: the step whose model was kept, if it was not the last.
    """
    from matplotlib.backends.backend_agg import FigureCanvasAgg
    from matplotlib.figure import Figure

    figure = Figure(figsize=(7, 4.5), layout="constrained")
    FigureCanvasAgg(figure)
    upper, lower = figure.subplots(2, 1, sharex=True, height_ratios=(3, 1))
    upper.set_title(title, fontsize=10)
    for name, label, style in (("loss", "training", "-"), ("validation", "validation", "o-")):
        points = [(row["step"], row[name]) for row in rows if row.get(name) is not None]
        if points:
            upper.plot(*zip(*points, strict=True), style, label=label, lw=1.2, ms=3)
    if best_step >= 0:
        upper.axvline(best_step, color="0.6", lw=0.8, ls="--", label="kept")
    upper.set_yscale("log")
    upper.set_ylabel("loss")
    upper.legend(fontsize=8)
    upper.grid(alpha=0.3)
    rates = [(row["step"], row["learning_rate"]) for row in rows if row.get("learning_rate") is not None]
    if rates:
        lower.plot(*zip(*rates, strict=True), color="0.3", lw=1.2)
    lower.set_ylabel("learning rate")
    lower.set_xlabel("step")
    lower.ticklabel_format(axis="y", style="sci", scilimits=(-2, 2))
    lower.grid(alpha=0.3)
    atomic_write(
        path,
        lambda stream: figure.savefig(stream, format="png", dpi=110, metadata={"Software": None}),
        force=True,
    )
