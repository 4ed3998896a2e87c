"""Pictures of fields: truth, prediction, difference."""

from __future__ import annotations

import os
from collections.abc import Mapping
from typing import Any

import numpy as np

from ginjax.checkpoint import atomic_write
from ginjax.ml._rollout import Fields

_ARROWS = 14
"""About how many arrows along an axis."""


def draw_forecast(
    path: str | os.PathLike[str],
    title: str,
    samples: Mapping[int, tuple[Fields, Fields]],
    D: int,
    *,
    force: bool = False,
) -> None:
    """Draw one row for each step and field: truth, prediction, difference.

    Scalars in one dimension are curves, in two images, in three the central slice. A vector is its length in colour
    with arrows along the axes shown; a tensor is its norm. Truth and prediction have the scale of the truth, the
    difference has its own.

    **Arguments:**

    - `path`: the PNG file to write.
    - `title`: of the whole picture.
    - `samples`: by step, the fields `(*spatial, D, ..., D)` of the truth and of the prediction.
    - `D`: number of spatial axes.
    - `force`: replace a file that is there.
    """
    rows = [(step, name) for step, (truth, _) in samples.items() for name in truth]
    figure = new_figure((10.5, 2.7 * len(rows) + 0.4))
    figure.suptitle(title, fontsize=11)
    axes = figure.subplots(len(rows), 3, squeeze=False)
    for row, (step, name) in zip(axes, rows, strict=True):
        truth, guess = (np.asarray(each[name], np.float64) for each in samples[step])
        _draw_row(figure, row, name, step, truth, guess, D)
    save_png(path, figure, force=force)


def save_png(path: str | os.PathLike[str], figure: Any, *, force: bool) -> None:
    """Write a figure; the same figure gives the same bytes."""
    atomic_write(
        path,
        lambda stream: figure.savefig(stream, format="png", dpi=110, metadata={"Software": None}),
        force=force,
    )


def draw_field(axis: Any, values: np.ndarray, D: int, limits: tuple[float, float]) -> None:
    """One field on one axis: a curve, an image, or the length of a vector with arrows."""
    if D == 1:
        axis.plot(values.reshape(len(values), -1), lw=1.2)
        margin = 0.05 * (limits[1] - limits[0])
        axis.set_ylim(limits[0] - margin, limits[1] + margin)
        axis.set_xlabel("grid point", fontsize=8)
        return
    plane = _central(values, D)
    order = values.ndim - D
    shade = plane if order == 0 else _lengths(plane)
    colours = "RdBu_r" if limits[0] < 0 else "viridis"
    axis.imshow(shade.T, origin="lower", cmap=colours, vmin=limits[0], vmax=limits[1])
    if order == 1:
        every = [max(1, round(side / _ARROWS)) for side in plane.shape[:2]]
        places = [np.arange(step // 2, side, step) for side, step in zip(plane.shape[:2], every, strict=True)]
        arrows = plane[np.ix_(*places)]
        # The longest arrow as long as their distance, whatever the unit of the field.
        lengths = np.hypot(arrows[..., 0], arrows[..., 1])
        longest = float(lengths[np.isfinite(lengths)].max(initial=0.0)) or 1.0
        scale = longest / max(every)
        axis.quiver(
            *places, arrows[..., 0].T, arrows[..., 1].T,
            angles="xy", scale_units="xy", scale=scale, color="white", width=0.006,
        )  # fmt: skip
    axis.set_xlabel("x", fontsize=8)
    axis.set_ylabel("y", fontsize=8)


def shown_limits(values: np.ndarray, D: int) -> tuple[float, float]:
    """The range of what is shown: about zero for scalars of both signs, from zero for lengths."""
    plane = _central(values, D)
    if values.ndim > D and D > 1:
        lengths = _lengths(plane)
        return 0.0, float(lengths[np.isfinite(lengths)].max(initial=0.0)) or 1.0
    finite = plane[np.isfinite(plane)]
    low, high = (float(finite.min()), float(finite.max())) if finite.size else (0.0, 0.0)
    if low < 0:
        most = max(-low, high)
        return -most, most
    if low < high:
        return low, high
    return (0.0, high) if high > 0 else (-1.0, 1.0)


def new_figure(size: tuple[float, float]) -> Any:
    """An empty figure that is drawn without a screen, `size` in inches."""
    from matplotlib.backends.backend_agg import FigureCanvasAgg
    from matplotlib.figure import Figure

    figure = Figure(figsize=size, layout="constrained")
    FigureCanvasAgg(figure)
    return figure


def _draw_row(
    figure: Any, row: Any, name: str, step: int, truth: np.ndarray, guess: np.ndarray, D: int
) -> None:
    where = f", z = {truth.shape[2] // 2}" if D == 3 else ""
    with np.errstate(invalid="ignore"):
        difference = guess - truth
    limits = shown_limits(truth, D), shown_limits(difference, D)
    for axis, values, scale, what in zip(
        row,
        (truth, guess, difference),
        (limits[0], limits[0], limits[1]),
        ("truth", "prediction", "difference"),
        strict=True,
    ):
        draw_field(axis, values, D, scale)
        axis.set_title(f"{name}, step {step}{where}: {what}", fontsize=9)
        axis.tick_params(labelsize=7)
    if D > 1:
        for beside, shown in ((list(row[:2]), row[0]), (row[2], row[2])):
            bar = figure.colorbar(shown.images[0], ax=beside, shrink=0.85)
            bar.ax.tick_params(labelsize=7)


def _central(values: np.ndarray, D: int) -> np.ndarray:
    """The first two spatial axes, the others at their middle."""
    return values[(slice(None),) * min(D, 2) + tuple(n // 2 for n in values.shape[2:D])]


def _lengths(plane: np.ndarray) -> np.ndarray:
    """The norm over the components at each point of a plane."""
    return np.sqrt(np.square(plane).reshape(*plane.shape[:2], -1).sum(axis=-1))
