"""Draw a forecast: truth, prediction, difference."""

from __future__ import annotations

import os
from collections.abc import Mapping
from typing import TYPE_CHECKING

import numpy as np
from jaxtyping import Float

from ginjax.checkpoint import DataContract
from ginjax.ml.draw._canvas import add_legend, new_figure, panels, set_heading, set_titles
from ginjax.ml.draw._colours import Scale
from ginjax.ml.draw._field_panel import (
    add_colour_bar,
    curve_scale,
    draw_curves,
    draw_plane,
    longest_arrow,
    remarks,
    shade,
)
from ginjax.ml.draw._labels import Labels
from ginjax.ml.draw._save import save_picture
from ginjax.ml.draw._style import Width, in_style, inches
from ginjax.ml.forecast import Fields

if TYPE_CHECKING:
    from matplotlib.artist import Artist
    from matplotlib.figure import Figure

Sample = tuple[Float[np.ndarray, "*field"], Float[np.ndarray, "*field"], Float[np.ndarray, "*field"]]
"""Truth, prediction, and prediction minus truth."""


def draw_forecast(
    path: str | os.PathLike[str],
    title: str,
    samples: Mapping[int, tuple[Fields, Fields]],
    D: int,
    *,
    contract: DataContract | None = None,
    width: Width = "two",
    force: bool = False,
) -> None:
    """Write the picture of `forecast_figure`.

    **Arguments:**

    - `path`: the file to write, see `save_picture`.
    - `title`, `samples`, `D`, `contract`, `width`: as in `forecast_figure`.
    - `force`: replace an existing file.
    """
    save_picture(path, forecast_figure(title, samples, D, contract=contract, width=width), force=force)


def forecast_figure(
    title: str,
    samples: Mapping[int, tuple[Fields, Fields]],
    D: int,
    *,
    contract: DataContract | None = None,
    width: Width = "two",
) -> Figure:
    """Draw one row for each field and step: truth, prediction, difference.

    In one dimension, truth and prediction are curves in one panel. In two dimensions they are drawn in colours, in three as
    the central slice. A vector is shown as its length in colour, with arrows along the shown axes; a tensor as its norm. In all
    rows a field has the colour range of its truth; predicted values outside of it are hatched. Its difference has another range.

    **Arguments:**

    - `title`: title of the whole picture; none if empty.
    - `samples`: by step, the fields `(*spatial, D, ..., D)` of the truth and of the prediction.
    - `D`: number of spatial axes.
    - `contract`: what is known about the data: names of axes, units, spacing and time step.
    - `width`: "one" or "two" journal columns, or a number of millimetres.

    **Returns:** the figure.
    """
    labels = Labels.of(contract, D)
    names = list(next(iter(samples.values()))[0])
    place = labels.slice_shown(np.shape(next(iter(samples.values()))[0][names[0]])[:D])
    with in_style():
        figure = new_figure(width, 0.1)
        set_heading(figure, ", ".join(each for each in (title, place) if each))
        draw = _draw_curves if D == 1 else _draw_planes
        draw(figure, labels, {name: _of_field(samples, name) for name in names}, inches(width))
    return figure


def _of_field(samples: Mapping[int, tuple[Fields, Fields]], name: str) -> dict[int, Sample]:
    found = {}
    for step, (truth, guess) in samples.items():
        t, g = (np.asarray(each[name], np.float64) for each in (truth, guess))
        with np.errstate(invalid="ignore", over="ignore"):
            found[step] = t, g, g - t
    return found


def _draw_curves(
    figure: Figure, labels: Labels, fields: Mapping[str, Mapping[int, Sample]], width: float
) -> None:
    rows = [(name, step) for name, steps in fields.items() for step in steps]
    figure.set_figheight(figure.get_figheight() + len(rows) * min(1.6, max(1.1, 0.28 * width)) + 0.2)
    axes = panels(figure, len(rows), 2, sharex=True)
    handles: dict[str, Artist] = {}
    for row, (name, step) in zip(axes, rows, strict=True):
        truth, guess, difference = fields[name][step]
        same = curve_scale(*([each[i] for each in fields[name].values()] for i in range(2)))
        own = Scale.of([difference for _, _, difference in fields[name].values()])
        handles |= draw_curves(row[0], {"truth": truth, "prediction": guess}, labels, same)
        draw_curves(row[1], {"difference": difference}, labels, own)
        row[0].set_ylabel(labels.field(name, 0))
        row[1].set_ylabel(labels.difference(name, 0))
        where = labels.time(step)
        set_titles(
            figure, row, [where + remarks(guess, 1, same), f"difference{relative_size(difference, truth)}"]
        )
    label_outer(axes)
    add_legend(figure, handles)


def _draw_planes(
    figure: Figure, labels: Labels, fields: Mapping[str, Mapping[int, Sample]], width: float
) -> None:
    D, rows = labels.contract.D, sum(map(len, fields.values()))
    truth = next(iter(next(iter(fields.values())).values()))[0]
    nx, ny = shade(truth, D).shape
    side = (width - 0.5) / 3 - 0.08
    figure.set_figheight(
        figure.get_figheight() + rows * (side * min(ny / nx, 3.0) + 0.22) + len(fields) * 0.72 + 0.05
    )
    axes = figure.subplots(rows, 3, squeeze=False)
    at = 0
    for name, steps in fields.items():
        block = axes[at : at + len(steps)]
        at += len(steps)
        _draw_field(figure, block, labels, name, steps)


def _draw_field(
    figure: Figure, axes: np.ndarray, labels: Labels, name: str, steps: Mapping[int, Sample]
) -> None:
    D = labels.contract.D
    truths, guesses, differences = ([sample[i] for sample in steps.values()] for i in range(3))
    order = truths[0].ndim - D
    same = Scale.of([shade(each, D) for each in truths], lengths=order > 0)
    own = Scale.of([shade(each, D) for each in differences], lengths=order > 0)
    arrows, own_arrows = longest_arrow(truths, D), longest_arrow(differences, D)
    for row, (step, (truth, guess, difference)) in zip(axes, steps.items(), strict=True):
        for axis, values in zip(row, (truth, guess), strict=False):
            draw_plane(axis, values, labels, same, arrows)
        draw_plane(row[2], difference, labels, own, own_arrows)
        set_titles(
            figure,
            row,
            [
                f"truth, {labels.time(step)}",
                f"prediction{remarks(guess, D, same)}",
                f"difference{relative_size(difference, truth)}",
            ],
        )
    label_outer(axes)
    shown = [shade(each, D) for each in (*truths, *guesses)]
    add_colour_bar(figure, list(axes[:, :2].flat), same, labels.field(name, order), shown)
    add_colour_bar(
        figure,
        list(axes[:, 2]),
        own,
        labels.difference(name, order),
        (shade(each, D) for each in differences),
    )


def relative_size(difference: Float[np.ndarray, "*field"], truth: Float[np.ndarray, "*field"]) -> str:
    """The size of a difference relative to the truth, over the whole field, for a title; empty if it is not defined."""
    with np.errstate(over="ignore", invalid="ignore"):
        size = np.linalg.norm(truth.ravel())
        ratio = np.linalg.norm(difference.ravel()) / size if size > 0 else np.nan
    if not np.isfinite(ratio):
        return ""
    if ratio > 10:
        return f", {ratio:.2g} times truth"
    return f", {ratio:.1%} of truth" if ratio == 0 or ratio >= 5e-4 else ", under 0.1% of truth"


def label_outer(axes: np.ndarray) -> None:
    """Keep labels and numbers of spatial axes only on the outermost panels of a block."""
    planes = axes.shape[1] > 2
    for i, row in enumerate(axes):
        for j, axis in enumerate(row):
            if i < len(axes) - 1:
                axis.set_xlabel("")
                axis.tick_params(labelbottom=False)
            if planes and j:
                axis.set_ylabel("")
                axis.tick_params(labelleft=False)
