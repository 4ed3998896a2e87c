"""Draw a transfer: a network trained in one dimension predicts in several dimensions."""

from __future__ import annotations

import os
from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING

import numpy as np
from jaxtyping import Float

from ginjax.checkpoint import DataContract
from ginjax.geometric import MultiImage
from ginjax.ml.draw._canvas import add_legend, new_figure, set_heading, set_titles
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

if TYPE_CHECKING:
    from matplotlib.artist import Artist
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure
    from matplotlib.gridspec import GridSpec

Prediction = tuple[MultiImage, MultiImage, MultiImage]
"""Input, truth and prediction of one sample in physical units."""

_WITH_INPUT = 5.0
"""From this width in inches on, there is room for the input too."""


def draw_transfer(
    path: str | os.PathLike[str],
    title: str,
    predictions: Sequence[Prediction],
    *,
    contracts: Sequence[DataContract] = (),
    width: Width = "two",
    force: bool = False,
) -> None:
    """Write the picture of `transfer_figure`.

    **Arguments:**

    - `path`: the file to write, see `save_picture`.
    - `title`, `predictions`, `contracts`, `width`: as in `transfer_figure`.
    - `force`: replace an existing file.
    """
    save_picture(path, transfer_figure(title, predictions, contracts=contracts, width=width), force=force)


def transfer_figure(
    title: str,
    predictions: Sequence[Prediction],
    *,
    contracts: Sequence[DataContract] = (),
    width: Width = "two",
) -> Figure:
    """Draw one row for each dimension: input, truth, prediction, difference.

    The first field is drawn as in `draw_forecast`, with the same colour range in all dimensions. In two and three dimensions the
    input is left out if there is no room. The difference has its own scale. Above it is the error of this sample, over all
    fields together, relative to the truth.

    **Arguments:**

    - `title`: title of the whole picture; none if empty.
    - `predictions`: one for each dimension.
    - `contracts`: what is known about the data of each dimension; may be empty.
    - `width`: "one" or "two" journal columns, or a number of millimetres.

    **Returns:** the figure.
    """
    known = [contracts[i] if i < len(contracts) else None for i in range(len(predictions))]
    rows = [_Row(prediction, contract) for prediction, contract in zip(predictions, known, strict=True)]
    columns = 4 if inches(width) >= _WITH_INPUT else 3
    side = (inches(width) - 0.5) / columns - 0.08
    heights = [0.8 * side if row.D == 1 else side * row.aspect for row in rows]
    planes = [row for row in rows if row.D > 1]
    with in_style():
        figure = new_figure(width, sum(heights) + 0.33 * len(rows) + (0.55 if planes else 0.15))
        set_heading(figure, title)
        grid = figure.add_gridspec(len(rows), columns, height_ratios=heights)
        lengths = bool(planes) and planes[0].order > 0
        same, own = _scales(planes if lengths else rows, lengths)
        # A vector is drawn with its sign in one dimension, and as its length in more.
        lines = [row for row in rows if row.D == 1]
        line_own = _scales(lines, False)[1] if lengths else own
        shown = [each for row in (lines if lengths else rows) for each in row.shades[:2]]
        line = curve_scale(shown, [row.shades[2] for row in lines] or shown)
        handles: dict[str, Artist] = {}
        placed: list[list[Axes]] = []
        for i, row in enumerate(rows):
            if row.D == 1:
                handles |= _draw_curves(figure, grid, i, row, line, line_own)
            else:
                placed.append(_draw_planes(figure, grid, i, row, same, own))
        if planes:
            order, name = planes[0].order, planes[0].name
            labels = planes[0].labels
            fields = [each for row in planes for each in row.shades[:3]]
            add_colour_bar(
                figure, [a for axes in placed for a in axes[:-1]], same, labels.field(name, order), fields
            )
            differences = [row.shades[3] for row in planes]
            add_colour_bar(
                figure, [axes[-1] for axes in placed], own, labels.difference(name, order), differences
            )
        else:
            figure.axes[-1].set_ylabel(rows[-1].labels.difference(rows[-1].name, 0))
        add_legend(figure, handles)
    return figure


def _scales(rows: Sequence[_Row], lengths: bool) -> tuple[Scale, Scale]:
    """The scales of fields and of differences."""
    return (
        Scale.of([each for row in rows for each in row.shades[:2]], lengths=lengths),
        Scale.of([row.shades[3] for row in rows], lengths=lengths),
    )


class _Row:
    """One dimension: the first field of input, truth, prediction and difference, with labels."""

    def __init__(self, prediction: Prediction, contract: DataContract | None):
        self.D = prediction[0].D
        self.labels = Labels.of(contract, self.D)
        self.name = contract.predicted[0].name if contract is not None and contract.predicted else "field"
        before, truth, guess = (_first_field(image) for image in prediction)
        with np.errstate(invalid="ignore", over="ignore"):
            self.fields = before, truth, guess, guess - truth
        self.order = truth.ndim - self.D
        self.shades = [shade(each, self.D) for each in self.fields]
        self.error = sample_error(*prediction[1:])

    @property
    def aspect(self) -> float:
        """The height of a panel divided by its width."""
        nx, ny = self.shades[0].shape[:2]
        return min(ny / nx, 3.0)

    @property
    def titles(self) -> Mapping[str, str]:
        """The titles of the panels."""
        place = self.labels.slice_shown(self.fields[0].shape[: self.D])
        where = f"{self.D}D{', ' if place else ''}{place}"
        relative = f", {self.error:.1%} of truth" if np.isfinite(self.error) else ""
        return {
            "where": where,
            "input": self.labels.time(0),
            "truth": self.labels.time(1),
            "difference": f"difference{relative}",
        }


def sample_error(truth: MultiImage, guess: MultiImage) -> float:
    """The norm of the error over all components of a sample, relative to the truth; NaN if the truth is zero."""
    error = sum(float(np.sum((np.asarray(guess[key]) - np.asarray(truth[key])) ** 2)) for key in truth)
    size = sum(float(np.sum(np.asarray(block) ** 2)) for block in truth.values())
    return (error / size) ** 0.5 if size > 0 else float("nan")


def _draw_curves(
    figure: Figure, grid: GridSpec, i: int, row: _Row, same: Scale, own: Scale
) -> dict[str, Artist]:
    left = figure.add_subplot(grid[i, :-1])
    right = figure.add_subplot(grid[i, -1])
    before, truth, guess, difference = row.shades
    curves = {"input": before, "truth": truth, "prediction": guess}
    handles = draw_curves(left, curves, row.labels, same)
    draw_curves(right, {"difference": difference}, row.labels, own)
    left.set_ylabel(row.labels.field(row.name, 0))
    said = row.titles
    set_titles(
        figure,
        [left, right],
        [
            f"{said['where']}: input at {said['input']}, truth and prediction at {said['truth']}"
            + remarks(guess, 1, same),
            said["difference"],
        ],
        grows=False,
    )
    for axis in (left, right):
        axis.grid(True)
    return handles


def _draw_planes(figure: Figure, grid: GridSpec, i: int, row: _Row, same: Scale, own: Scale) -> list[Axes]:
    first = 0 if grid.ncols == 4 else 1
    axes = [figure.add_subplot(grid[i, j]) for j in range(grid.ncols)]
    arrows, own_arrows = longest_arrow(row.fields[:2], row.D), longest_arrow(row.fields[3:], row.D)
    for axis, values in zip(axes[:-1], row.fields[first:3], strict=True):
        draw_plane(axis, values, row.labels, same, arrows)
    draw_plane(axes[-1], row.fields[3], row.labels, own, own_arrows)
    said = row.titles
    titles = [
        f"input, {said['input']}",
        f"truth, {said['truth']}",
        f"prediction{remarks(row.fields[2], row.D, same)}",
        said["difference"],
    ][first:]
    set_titles(figure, axes, [f"{said['where']}: {titles[0]}", *titles[1:]])
    for axis in axes[1:]:
        axis.set_ylabel("")
        axis.tick_params(labelleft=False)
    return axes


def _first_field(image: MultiImage) -> Float[np.ndarray, "*field"]:
    """The first channel of the first block."""
    return np.asarray(next(iter(image.values())), np.float64)[0]
