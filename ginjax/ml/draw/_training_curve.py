"""Draw the loss and the learning rate of a training against steps."""

from __future__ import annotations

import os
from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any

import numpy as np
from jaxtyping import Float

from ginjax.ml.draw._bands import range_of
from ginjax.ml.draw._canvas import add_legend, logarithmic, new_figure, panels, set_heading, set_labels
from ginjax.ml.draw._save import save_picture
from ginjax.ml.draw._smoothed import FEW, smoothed
from ginjax.ml.draw._style import Width, in_style

if TYPE_CHECKING:
    from matplotlib.artist import Artist
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

_TRAINING, _VALIDATION = "#0072b2", "#d55e00"


def draw_curve(
    path: str | os.PathLike[str],
    title: str,
    rows: Sequence[Mapping[str, Any]],
    *,
    best_step: int = -1,
    width: Width = "two",
) -> None:
    """Write the picture of `curve_figure`, replacing an existing file.

    **Arguments:**

    - `path`: the file to write, see `save_picture`.
    - `title`, `rows`, `best_step`, `width`: as in `curve_figure`.
    """
    save_picture(path, curve_figure(title, rows, best_step=best_step, width=width), force=True)


def curve_figure(
    title: str, rows: Sequence[Mapping[str, Any]], *, best_step: int = -1, width: Width = "two"
) -> Figure:
    """Draw training and validation loss, and below them the learning rate.

    For a tuning, the validation is the error of the rollouts by which it is judged. The training loss of the log is pale,
    its running mean strong.

    **Arguments:**

    - `title`: title of the picture; none if empty.
    - `rows`: rows of the log, from `read_log`.
    - `best_step`: the step whose model was kept, if it was not the last.
    - `width`: "one" or "two" journal columns, or a number of millimetres.

    **Returns:** the figure.
    """
    with in_style():
        figure = new_figure(width, 3.0)
        set_heading(figure, title)
        (upper,), (lower,) = panels(figure, 2, 1, sharex=True, height_ratios=(3, 1))
        # Only a tuning validates before its first step, and its validation is the error of rollouts.
        tuning = any(row["step"] == 0 and row.get("validation") is not None for row in rows)
        handles = _draw_losses(upper, rows, "rollouts (nRMSE)" if tuning else "validation")
        if best_step >= 0:
            handles["kept"] = upper.axvline(best_step, color="0.4", lw=0.8, ls=(0, (1, 1.5)))
        set_labels(upper, y="loss, error" if tuning else "loss")
        steps, rates = _column(rows, "learning_rate")
        if len(steps):
            lower.plot(steps, rates, color="0.3")
        set_labels(lower, "step", "learning rate")
        lower.yaxis.set_major_formatter(lambda value, _: f"{value:g}")
        lower.set_ylim(bottom=0.0)
        add_legend(figure, handles)
    return figure


def _draw_losses(axis: Axes, rows: Sequence[Mapping[str, Any]], looked: str) -> dict[str, Artist]:
    handles: dict[str, Artist] = {}
    judged: list[Float[np.ndarray, " points"]] = []
    steps, losses = _column(rows, "loss")
    raw = None
    if 0 < len(steps) < FEW:
        (handles["training"],) = axis.plot(steps, losses, color=_TRAINING)
        judged.append(losses)
    elif len(steps):
        mean, count = smoothed(losses)
        (raw,) = axis.plot(steps, losses, color=_TRAINING, lw=0.6, alpha=0.35)
        (handles[f"training, mean of {count} points"],) = axis.plot(steps, mean, color=_TRAINING, lw=1.3)
        judged.append(mean)
        handles["training"] = raw
    steps, errors = _column(rows, "validation")
    if len(steps):
        (handles[looked],) = axis.plot(steps, errors, color=_VALIDATION, ls="--", marker="o", ms=2.5)
        judged.append(errors)
    if any((each > 0).any() for each in judged):
        low, high = range_of(judged, decades=8.0)
        logarithmic(axis.yaxis, low / 1.6, high * 1.6)
    return handles


def _column(
    rows: Sequence[Mapping[str, Any]], name: str
) -> tuple[Float[np.ndarray, " points"], Float[np.ndarray, " points"]]:
    points = [(row["step"], row[name]) for row in rows if row.get(name) is not None]
    return np.array([x for x, _ in points], np.float64), np.array([y for _, y in points], np.float64)
