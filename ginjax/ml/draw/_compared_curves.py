"""Draw the losses of several trainings against steps, in one picture."""

from __future__ import annotations

import os
from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any

import numpy as np

from ginjax.errors import ArgumentError
from ginjax.ml.draw._bands import range_of
from ginjax.ml.draw._canvas import add_legend, logarithmic, new_figure, panels, set_heading, set_labels
from ginjax.ml.draw._save import save_picture
from ginjax.ml.draw._smoothed import FEW, smoothed
from ginjax.ml.draw._style import Width, in_style, looks_of

if TYPE_CHECKING:
    from matplotlib.artist import Artist
    from matplotlib.figure import Figure

Rows = Sequence[Mapping[str, Any]]

_NOISY = "loss"
"""The quantity that is measured on single batches."""

_PANELS = (("loss", "training loss", ""), ("validation", "validation", "o"))


def draw_compared_curves(
    path: str | os.PathLike[str],
    title: str,
    logs: Mapping[str, Rows],
    *,
    width: Width = "two",
    force: bool = False,
) -> None:
    """Write the picture of `compared_curves_figure`.

    **Arguments:**

    - `path`: the file to write, see `save_picture`.
    - `title`, `logs`, `width`: as in `compared_curves_figure`.
    - `force`: replace an existing file.
    """
    save_picture(path, compared_curves_figure(title, logs, width=width), force=force)


def compared_curves_figure(title: str, logs: Mapping[str, Rows], *, width: Width = "two") -> Figure:
    """Draw the training losses of several trainings over each other, and their validation below.

    The losses of the log are pale, their running means strong.

    **Arguments:**

    - `title`: title of the picture; none if empty.
    - `logs`: by the name of each training, the rows of its log, from `read_log`.
    - `width`: "one" or "two" journal columns, or a number of millimetres.

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
    with in_style():
        figure = new_figure(width, 0.2 + 1.9 * len(shown))
        set_heading(figure, title)
        handles: dict[str, Artist] = {}
        axes = panels(figure, len(shown), 1, sharex=True)[:, 0]
        looks = looks_of(logs)
        for axis, (name, label, marker) in zip(axes, shown, strict=True):
            curves: list[np.ndarray] = []
            for run, rows in logs.items():
                points = [(row["step"], row[name]) for row in rows if row.get(name) is not None]
                if points:
                    colour, line = looks[run]
                    steps, values = (np.array(each, np.float64) for each in zip(*points, strict=True))
                    if name == _NOISY and len(values) >= FEW:
                        axis.plot(steps, values, color=colour, lw=0.5, alpha=0.25)
                        values, _ = smoothed(values)
                    (drawn,) = axis.plot(steps, values, linestyle=line, color=colour, marker=marker, ms=2.5)
                    handles.setdefault(run, drawn)
                    curves.append(values)
            if any((each > 0).any() for each in curves):
                logarithmic(axis.yaxis, *range_of(curves))
            set_labels(axis, y=label)
        set_labels(axes[-1], "step")
        add_legend(figure, handles)
    return figure
