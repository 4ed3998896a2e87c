"""The picture of a transfer: trained in one dimension, predicting in two and three."""

from __future__ import annotations

import os
from collections.abc import Sequence
from typing import TYPE_CHECKING

import numpy as np
from jaxtyping import Float, Shaped

from ginjax.geometric import MultiImage
from ginjax.ml.draw._canvas import new_figure, panels, save_png, set_heading, set_titles
from ginjax.ml.draw._field_panel import draw_colour_bar, draw_field, shared_limits, shown_limits

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

Prediction = tuple[MultiImage, MultiImage, MultiImage]
"""Input, truth and prediction of one sample in physical units."""


def draw_transfer(
    path: str | os.PathLike[str], title: str, predictions: Sequence[Prediction], *, force: bool = False
) -> None:
    """Write the picture of `transfer_figure`.

    **Arguments:**

    - `path`: the PNG file to write.
    - `title`, `predictions`: as in `transfer_figure`.
    - `force`: replace a file that is there.
    """
    save_png(path, transfer_figure(title, predictions), force=force)


def transfer_figure(title: str, predictions: Sequence[Prediction]) -> Figure:
    """Draw one row for each dimension: input, truth, prediction, difference.

    The first field is drawn as in `draw_forecast`. The difference has a scale of its own, and above it stands the
    error of this sample, all fields together, relative to the truth.

    **Arguments:**

    - `title`: of the whole picture.
    - `predictions`: one for each dimension.

    **Returns:** the figure.
    """
    figure = new_figure((12.4, 2.7 * len(predictions) + 0.5))
    set_heading(figure, title)
    for row, prediction in zip(panels(figure, len(predictions), 4), predictions, strict=True):
        set_titles(figure, row, _titles(prediction))
        _draw_row(figure, row, prediction)
    return figure


def sample_error(truth: MultiImage, guess: MultiImage) -> float:
    """Norm of the error of one sample over all its components, relative to that of the truth; NaN where it has none."""
    error = sum(float(np.sum((np.asarray(guess[key]) - np.asarray(truth[key])) ** 2)) for key in truth)
    size = sum(float(np.sum(np.asarray(block) ** 2)) for block in truth.values())
    return (error / size) ** 0.5 if size > 0 else float("nan")


def _titles(prediction: Prediction) -> list[str]:
    before, truth, guess = prediction
    where = "3D slice" if before.D == 3 else f"{before.D}D"
    error = sample_error(truth, guess)
    relative = f", {error:.1%} of truth" if np.isfinite(error) else ""
    return [
        f"{where}: {what}"
        for what in ("input", "truth one step later", "prediction", f"difference{relative}")
    ]


def _draw_row(figure: Figure, row: Shaped[np.ndarray, " columns"], prediction: Prediction) -> None:
    D = prediction[0].D
    before, truth, guess = (_first_field(image) for image in prediction)
    difference = guess - truth
    # A good prediction differs by so little that on the scale of the fields its difference would be blank.
    same, own = shared_limits((before, truth, guess), D), shown_limits(difference, D)
    axes: list[Axes] = list(row)
    for axis, values in zip(axes, (before, truth, guess), strict=False):
        draw_field(axis, values, D, same)
    draw_field(axes[3], difference, D, own)
    if D > 1:
        draw_colour_bar(figure, axes[0], axes[:3])
        draw_colour_bar(figure, axes[3], axes[3:])


def _first_field(image: MultiImage) -> Float[np.ndarray, "*field"]:
    """The first channel of the first block."""
    return np.asarray(next(iter(image.values())), np.float64)[0]
