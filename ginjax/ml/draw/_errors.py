"""Draw errors against time."""

from __future__ import annotations

import os
from typing import TYPE_CHECKING

import numpy as np
from jaxtyping import Float

from ginjax.ml.draw._bands import band_key, draw_band, range_of
from ginjax.ml.draw._canvas import (
    add_legend,
    arranged,
    arranged_rows,
    logarithmic,
    new_figure,
    panel_height,
    set_heading,
    set_labels,
    set_titles,
    whole_numbers,
)
from ginjax.ml.draw._labels import Labels
from ginjax.ml.draw._save import save_picture
from ginjax.ml.draw._style import Width, in_style, inches, looks_of
from ginjax.ml.forecast import NO_CHANGE, PERSISTENCE, RolloutStudy
from ginjax.ml.score import metric_label

if TYPE_CHECKING:
    from matplotlib.artist import Artist
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

_HIGHEST = 10.0
"""Errors are shown up to so many times the largest error of predicting no change, or 1 if that is larger."""

_MARKED = 32
"""Up to so many steps, each step has a marker."""


def draw_errors(
    path: str | os.PathLike[str],
    title: str,
    study: RolloutStudy,
    *,
    width: Width = "two",
    force: bool = False,
) -> None:
    """Write the picture of `errors_figure`.

    **Arguments:**

    - `path`: the file to write, see `save_picture`.
    - `title`, `study`, `width`: as in `errors_figure`.
    - `force`: replace an existing file.
    """
    save_picture(path, errors_figure(title, study, width=width), force=force)


def errors_figure(title: str, study: RolloutStudy, *, width: Width = "two") -> Figure:
    """Draw every metric against time, one panel for each metric and field, with the spread over trajectories as bands.

    Errors far above that of predicting no change are outside of the panel. A vertical line marks where a forecast blows up.

    **Arguments:**

    - `title`: title of the whole picture; none if empty.
    - `study`: the results of the rollouts.
    - `width`: "one" or "two" journal columns, or a number of millimetres.

    **Returns:** the figure.
    """
    fields = list(study.spectra)
    metrics = list(next(iter(next(iter(study.errors.values())).values())))
    contract = study.contract
    labels = Labels.of(contract, 1 if contract is None else contract.D)
    rows = len(fields) * arranged_rows(inches(width), len(metrics))
    with in_style():
        figure = new_figure(width, panel_height(inches(width), len(metrics)) * rows + 0.1)
        set_heading(figure, title)
        groups = arranged(figure, len(fields), len(metrics), sharex=True)
        handles: dict[str, Artist] = {}
        for group, field in zip(groups, fields, strict=True):
            set_titles(figure, group, [f"{field}: {metric_label(metric)}" for metric in metrics])
            for axis, metric in zip(group, metrics, strict=True):
                handles |= _draw_panel(axis, study, labels, field, metric)
        for axis in _lowest(groups):
            set_labels(axis, labels.time_axis)
            axis.tick_params(labelbottom=True)
        if any(len(each) > 1 for each in _all_rows(study)):
            handles |= band_key(study.trajectories)
        add_legend(figure, handles)
    return figure


def _lowest(groups: list[list[Axes]]) -> list[Axes]:
    """The panels with no other panel below them."""
    lowest: dict[int, Axes] = {}
    for group in groups:
        for axis in group:
            spec = axis.get_subplotspec()
            if spec is not None:
                lowest[spec.colspan.start] = axis
    return list(lowest.values())


def _all_rows(study: RolloutStudy) -> list[np.ndarray]:
    return [
        rows
        for fields in study.errors_by_trajectory.values()
        for metrics in fields.values()
        for rows in metrics.values()
    ]


def _draw_panel(
    axis: Axes, study: RolloutStudy, labels: Labels, field: str, metric: str
) -> dict[str, Artist]:
    """Draw the curves of one panel; return them by their names in the legend."""
    times = labels.times(np.arange(1, study.steps + 1))
    marker = "o" if study.steps <= _MARKED else ""
    handles: dict[str, Artist] = {}
    edges: list[Float[np.ndarray, " points"]] = []
    curves = {name: np.asarray(study.errors[name][field][metric]) for name in study.errors}
    for name, (colour, line) in looks_of(study.errors).items():
        values = curves[name]
        shown = np.isfinite(values) & (values > 0)
        called = NO_CHANGE if name == PERSISTENCE else name
        each = study.errors_by_trajectory.get(name, {}).get(field, {}).get(metric)
        edges += draw_band(axis, times, each, colour)
        (handles[called],) = axis.plot(
            times[shown], values[shown], linestyle=line, color=colour, marker=marker, ms=2.2
        )
        lost = study.lost_at[name]
        if lost is not None:
            handles[f"{called} blows up"] = axis.axvline(
                float(labels.times([lost])[0]), color=colour, lw=0.8, ls=":"
            )
    beside = curves.get(PERSISTENCE, np.ones(1))
    finite = beside[np.isfinite(beside)]
    most = _HIGHEST * max(1.0, float(finite.max(initial=0.0)))
    logarithmic(axis.yaxis, *range_of([*curves.values(), *edges], most=most, decades=6.0))
    if labels.contract.time_step is None:
        whole_numbers(axis.xaxis)
    axis.set_xlim(left=0.0)
    return handles
