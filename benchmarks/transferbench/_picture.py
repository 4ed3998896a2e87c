"""The picture: errors against samples, after one step and after the most."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING

import numpy as np

from transferbench._cells import METHODS
from transferbench._page import title, variant
from transferbench._summary import Group

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

LOOKS: Mapping[str, tuple[str, str]] = {
    "zero-shot": ("#0b6e4f", "o"),
    "calibrated": ("#3aa17e", "^:"),
    "tuned": ("#7cc4a4", "s--"),
    "tuned-plateau": ("#0b6e4f", "o-"),
    "scratch": ("#c1440e", "s-"),
    "scratch-equal-time": ("#e08a5b", "s:"),
    "plain-centre": ("#6a5acd", "v--"),
    "plain-mean": ("#9d93e0", "v:"),
    "fourier": ("#b8860b", "d--"),
    "axial": ("#444444", "x--"),
}
"""Colour, marker and line of each method."""

OURS = ("zero-shot", "calibrated", "tuned", "tuned-plateau")
"""Those whose marks are filled with white for covering data, and with gold for another rule."""


def picture(groups: Sequence[Group]) -> Figure:
    """A column for each case; above the error after one step, below after the most."""
    from matplotlib.backends.backend_agg import FigureCanvasAgg
    from matplotlib.figure import Figure

    cases = list(dict.fromkeys(group.case for group in groups))
    figure = Figure(figsize=(3.2 * len(cases) + 0.6, 7.4), layout="constrained")
    FigureCanvasAgg(figure)
    axes = figure.subplots(2, len(cases), squeeze=False, sharex="col")
    handles = {}
    for column, case in zip(axes.T, cases, strict=True):
        own = [group for group in groups if group.case == case]
        horizons = min(own[0].horizons), max(own[0].horizons)
        for axis, horizon in zip(column, horizons, strict=True):
            handles |= _draw(axis, own, horizon)
            axis.set_ylabel(f"nRMSE after {horizon} step{'s' * (horizon > 1)}", fontsize=8)
        column[0].set_title(title(case), fontsize=8)
        column[1].set_xlabel(f"{case.high}D trajectories", fontsize=8)
    figure.legend(
        handles.values(), handles.keys(), loc="outside lower center", ncols=2, fontsize=8, frameon=False
    )
    return figure


def _draw(axis: Axes, groups: Sequence[Group], horizon: int) -> dict:
    counts = sorted({group.samples for group in groups})
    place = {count: np.log2(count) if count else -1.5 for count in counts}
    handles = {}
    variants = dict.fromkeys((group.method, group.rule, group.cover) for group in groups)
    for method, rule, cover in variants:
        line = [group for group in groups if (group.method, group.rule, group.cover) == (method, rule, cover)]
        colour, style = LOOKS[method]
        spreads = [group.error(horizon) for group in line]
        x = [place[group.samples] for group in line]
        plain = line[0].rule in ("", "compatibility") and not cover
        face = colour if plain or method not in OURS else "white" if rule == "compatibility" else "gold"
        (handle,) = axis.plot(
            x, [each.median for each in spreads], style, color=colour, mfc=face, lw=1.2, ms=5
        )
        axis.vlines(
            x, [each.least for each in spreads], [each.most for each in spreads], color=colour, lw=0.8
        )
        handles[METHODS[method].label.replace("`", "") + variant(line[0])] = handle
    unchanged = np.median([result.unchanged[horizon] for group in groups for result in group.results])
    handles["no change"] = axis.axhline(unchanged, color="0.6", lw=1, ls="-.")
    axis.set_yscale("log")
    axis.set_ylim(top=2)
    axis.set_xticks(list(place.values()), list(map(str, place)))
    axis.tick_params(labelsize=7, which="both")
    axis.grid(alpha=0.3)
    return handles
