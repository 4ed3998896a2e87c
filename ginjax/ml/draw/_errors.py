"""The picture of errors against the step of a rollout."""

from __future__ import annotations

import os
from typing import TYPE_CHECKING

import numpy as np

from ginjax.ml.draw._canvas import (
    add_legend,
    looks_of,
    new_figure,
    panels,
    save_png,
    set_heading,
    set_labels,
    set_titles,
    whole_numbers,
)
from ginjax.ml.forecast import NO_CHANGE, PERSISTENCE, RolloutStudy
from ginjax.ml.score import metric_label

if TYPE_CHECKING:
    from matplotlib.artist import Artist
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure


def draw_errors(
    path: str | os.PathLike[str], title: str, study: RolloutStudy, *, force: bool = False
) -> None:
    """Write the picture of `errors_figure`.

    **Arguments:**

    - `path`: the PNG file to write.
    - `title`, `study`: as in `errors_figure`.
    - `force`: replace a file that is there.
    """
    save_png(path, errors_figure(title, study), force=force)


def errors_figure(title: str, study: RolloutStudy) -> Figure:
    """Draw every metric against the step of the rollout, one row for each field.

    **Arguments:**

    - `title`: of the whole picture.
    - `study`: what was found.

    **Returns:** the figure.
    """
    fields = list(study.spectra)
    metrics = list(next(iter(next(iter(study.errors.values())).values())))
    figure = new_figure((3.5 * len(metrics), 2.6 * len(fields) + 0.3))
    set_heading(figure, title)
    axes = panels(figure, len(fields), len(metrics), sharex=True)
    handles: dict[str, Artist] = {}
    for row, field in zip(axes, fields, strict=True):
        set_titles(figure, row, [f"{field}: {metric_label(metric)}" for metric in metrics])
        for axis, metric in zip(row, metrics, strict=True):
            handles |= _draw_panel(axis, study, field, metric)
    for axis in axes[-1]:
        set_labels(axis, "step")
        whole_numbers(axis.xaxis)
    add_legend(figure, handles)
    return figure


def _draw_panel(axis: Axes, study: RolloutStudy, field: str, metric: str) -> dict[str, Artist]:
    """The curves of one panel, by what the legend calls them."""
    steps = np.arange(1, study.steps + 1)
    handles: dict[str, Artist] = {}
    for name, (colour, line) in looks_of(study.errors).items():
        values = study.errors[name][field][metric]
        shown = np.isfinite(values) & (values > 0)
        called = NO_CHANGE if name == PERSISTENCE else name
        (handles[called],) = axis.plot(
            steps[shown], values[shown], line, color=colour, lw=1.3, marker="o", ms=2.5
        )
        lost = study.lost_at[name]
        if lost is not None:
            handles[f"{called} blows up"] = axis.axvline(lost, color=colour, lw=0.8, ls=":")
    axis.set_yscale("log")
    axis.grid(alpha=0.3, which="both")
    return handles
