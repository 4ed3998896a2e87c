"""The picture of several trainings: their losses against steps, in one picture."""

from __future__ import annotations

import os
from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any

from ginjax.errors import ArgumentError
from ginjax.ml.draw._canvas import (
    add_legend,
    looks_of,
    new_figure,
    panels,
    save_png,
    set_heading,
    set_labels,
)

if TYPE_CHECKING:
    from matplotlib.artist import Artist
    from matplotlib.figure import Figure

Rows = Sequence[Mapping[str, Any]]

_PANELS = (("loss", "training loss", "-"), ("validation", "validation", "o-"))


def draw_compared_curves(
    path: str | os.PathLike[str], title: str, logs: Mapping[str, Rows], *, force: bool = False
) -> None:
    """Write the picture of `compared_curves_figure`.

    **Arguments:**

    - `path`: the file to write.
    - `title`, `logs`: as in `compared_curves_figure`.
    - `force`: replace a file that is there.
    """
    save_png(path, compared_curves_figure(title, logs), force=force)


def compared_curves_figure(title: str, logs: Mapping[str, Rows]) -> Figure:
    """Draw the training losses of several trainings over each other, and below them what they were validated by.

    **Arguments:**

    - `title`: of the picture.
    - `logs`: by the name of each training, the rows of its log, from `read_log`.

    **Returns:** the figure.

    **Raises:** `ArgumentError` if there is nothing to draw.
    """
    shown = [
        each
        for each in _PANELS
        if any(row.get(each[0]) is not None for rows in logs.values() for row in rows)
    ]
    if not shown:
        raise ArgumentError("logs of the trainings", got="no losses", expected="at least one")
    figure = new_figure((7, 1.3 + 2.2 * len(shown)))
    set_heading(figure, title)
    handles: dict[str, Artist] = {}
    axes = panels(figure, len(shown), 1, sharex=True)[:, 0]
    looks = looks_of(logs)
    for axis, (name, label, style) in zip(axes, shown, strict=True):
        values: list[float] = []
        for run, rows in logs.items():
            points = [(row["step"], row[name]) for row in rows if row.get(name) is not None]
            if points:
                colour, dashes = looks[run]
                line = style if dashes == "-" else style.replace("-", dashes)
                (drawn,) = axis.plot(*zip(*points, strict=True), line, color=colour, lw=1.2, ms=3)
                handles.setdefault(run, drawn)
                values += [value for _, value in points]
        if any(value > 0 for value in values):
            axis.set_yscale("log")
        set_labels(axis, y=label)
        axis.grid(alpha=0.3)
    set_labels(axes[-1], "step")
    add_legend(figure, handles)
    return figure
