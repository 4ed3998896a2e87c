"""The picture of a forecast: truth, prediction, difference."""

from __future__ import annotations

import os
from collections.abc import Mapping
from typing import TYPE_CHECKING

import numpy as np
from jaxtyping import Float, Shaped

from ginjax.ml.draw._canvas import new_figure, panels, save_png, set_heading, set_titles
from ginjax.ml.draw._field_panel import draw_colour_bar, draw_field, shown_limits, slice_shown
from ginjax.ml.forecast import Fields

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure


def draw_forecast(
    path: str | os.PathLike[str],
    title: str,
    samples: Mapping[int, tuple[Fields, Fields]],
    D: int,
    *,
    force: bool = False,
) -> None:
    """Write the picture of `forecast_figure`.

    **Arguments:**

    - `path`: the PNG file to write.
    - `title`, `samples`, `D`: as in `forecast_figure`.
    - `force`: replace a file that is there.
    """
    save_png(path, forecast_figure(title, samples, D), force=force)


def forecast_figure(title: str, samples: Mapping[int, tuple[Fields, Fields]], D: int) -> Figure:
    """Draw one row for each step and field: truth, prediction, difference.

    Scalars in one dimension are curves, in two images, in three the central slice. A vector is its length in colour
    with arrows along the axes shown; a tensor is its norm. Truth and prediction have the scale of the truth, the
    difference has its own.

    **Arguments:**

    - `title`: of the whole picture.
    - `samples`: by step, the fields `(*spatial, D, ..., D)` of the truth and of the prediction.
    - `D`: number of spatial axes.

    **Returns:** the figure.
    """
    rows = [(step, name) for step, (truth, _) in samples.items() for name in truth]
    figure = new_figure((10.5, (2.2 if D == 1 else 2.9) * len(rows) + 0.4))
    set_heading(figure, title)
    for row, (step, name) in zip(panels(figure, len(rows), 3), rows, strict=True):
        truth, guess = (np.asarray(each[name], np.float64) for each in samples[step])
        where = f"{name}, step {step}{slice_shown(truth, D)}"
        set_titles(figure, row, [f"{where}: {what}" for what in ("truth", "prediction", "difference")])
        _draw_row(figure, row, truth, guess, D)
    return figure


def _draw_row(
    figure: Figure,
    row: Shaped[np.ndarray, " columns"],
    truth: Float[np.ndarray, "*field"],
    guess: Float[np.ndarray, "*field"],
    D: int,
) -> None:
    with np.errstate(invalid="ignore"):
        difference = guess - truth
    same, own = shown_limits(truth, D), shown_limits(difference, D)
    axes: list[Axes] = list(row)
    for axis, values, limits in zip(axes, (truth, guess, difference), (same, same, own), strict=True):
        draw_field(axis, values, D, limits)
    if D > 1:
        draw_colour_bar(figure, axes[0], axes[:2])
        draw_colour_bar(figure, axes[2], axes[2:])
