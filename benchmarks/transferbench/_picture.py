"""The picture: errors against samples, after one step and after the most."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING

import numpy as np

from ginjax.ml.draw._bands import range_of
from ginjax.ml.draw._canvas import add_legend, logarithmic, new_figure, panels, set_labels, set_titles
from ginjax.ml.draw._style import in_style
from transferbench._cells import METHODS
from transferbench._page import title, variant
from transferbench._summary import Group

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

LOOKS: Mapping[str, tuple[str, str]] = {
    "zero-shot": ("#0072b2", "o"),
    "calibrated": ("#56b4e9", "^:"),
    "planes": ("#009e73", "p:"),
    "planes-tuned": ("#009e73", "h-"),
    "tuned": ("#009e73", "s--"),
    "tuned-plateau": ("#0072b2", "D-"),
    "scratch": ("#d55e00", "v-"),
    "scratch-noise": ("#f0a070", "v--"),
    "scratch-equal-time": ("#e69f00", "v:"),
    "plain-centre": ("#882255", "P--"),
    "plain-mean": ("#cc79a7", "P:"),
    "fourier": ("#332288", "X--"),
    "axial": ("#444444", "*--"),
}
"""Colour, marker and line of each method."""

OURS = ("zero-shot", "calibrated", "planes", "planes-tuned", "tuned", "tuned-plateau")
"""Those whose marks are white inside for covering data, and yellow for another rule."""

_HIGHEST = 2.0
"""Errors above this leave the picture."""


def picture(groups: Sequence[Group]) -> Figure:
    """A column for each case; above the error after one step, below after the most."""
    cases = list(dict.fromkeys(group.case for group in groups))
    with in_style():
        figure = new_figure("two", 4.0)
        axes = panels(figure, 2, len(cases), sharex="col")
        handles = {}
        for column, case in zip(axes.T, cases, strict=True):
            own = [group for group in groups if group.case == case]
            horizons = min(own[0].horizons), max(own[0].horizons)
            for axis, horizon in zip(column, horizons, strict=True):
                handles |= _draw(axis, own, horizon)
                if case is cases[0]:
                    set_labels(axis, y=f"nRMSE after {horizon} step{'s' * (horizon > 1)}")
            set_labels(column[1], f"{case.high}D trajectories")
        set_titles(figure, axes[0], map(title, cases))
        add_legend(figure, handles)
    return figure


def _draw(axis: Axes, groups: Sequence[Group], horizon: int) -> dict:
    counts = sorted({group.samples for group in groups})
    place = {count: np.log2(count) if count else -1.5 for count in counts}
    variants = list(dict.fromkeys(map(_variant, groups)))
    apart = 0.035 * max(1.0, max(place.values()) - min(place.values()))
    # Beside one another where several lie on the same number of trajectories.
    beside = {
        count: [each for each in variants if any((g.samples, *_variant(g)) == (count, *each) for g in groups)]
        for count in counts
    }
    handles, shown = {}, []
    for method, rule, cover in variants:
        line = [group for group in groups if _variant(group) == (method, rule, cover)]
        colour, style = LOOKS[method]
        spreads = [group.error(horizon) for group in line]
        rows = [beside[group.samples] for group in line]
        x = [
            place[group.samples] + apart * (row.index((method, rule, cover)) - (len(row) - 1) / 2)
            for group, row in zip(line, rows, strict=True)
        ]
        own_rule = rule in ("", "compatibility") or method == "calibrated"  # which has one rule to start from
        plain = method not in OURS or (own_rule and not cover)
        face = colour if plain else "white" if own_rule else "#f0e442"
        medians = np.array([each.median for each in spreads])
        (handle,) = axis.plot(x, medians, style, color=colour, mfc=face, ms=4, lw=1.0)
        least, most = (np.array([getattr(each, which) for each in spreads]) for which in ("least", "most"))
        axis.vlines(x, least, most, color=colour, lw=0.8)
        shown += [medians, least, most]
        handles[METHODS[method].label.replace("`", "") + variant(line[0])] = handle
    unchanged = np.median([result.unchanged[horizon] for group in groups for result in group.results])
    handles["no change"] = axis.axhline(unchanged, color="0.5", lw=1, ls=(0, (6, 2)))
    logarithmic(axis.yaxis, *range_of([*shown, np.array([unchanged])], most=_HIGHEST))
    axis.set_xticks(list(place.values()), list(map(str, place)))
    axis.margins(x=0.12)
    return handles


def _variant(group: Group) -> tuple[str, str, bool]:
    return group.method, group.rule, group.cover
