"""Time and memory of a convolution along one quantity, with slopes in double logarithms."""

import math
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import numpy as np

LOOKS = {
    "ours": ("#0072b2", "o-"),
    "dense": ("#e69f00", "D:"),
    "plain": ("#555555", "s--"),
    "upstream": ("#d55e00", "v-."),
}
"""Colour, marker and line of each way of computing."""


@dataclass
class Curve:
    """Time and memory of one way of computing, by what was varied."""

    at: list[float] = field(default_factory=list)
    seconds: list[float] = field(default_factory=list)
    megabytes: list[float] = field(default_factory=list)
    failed: str | None = None

    @property
    def time_slope(self) -> float:
        return slope(self.at, self.seconds)

    @property
    def memory_slope(self) -> float:
        return slope(self.at, self.megabytes)


def slope(x: list[float], y: list[float]) -> float:
    """`s` of the least-squares fit `y ~ x^s`; NaN for fewer than two points."""
    if len(x) < 2 or min(y) <= 0:
        return math.nan
    return float(np.polyfit(np.log(x), np.log(y), 1)[0])


def curves(rows: list[dict[str, Any]]) -> dict[str, dict[str, Curve]]:
    """Curves by sweep and way of computing."""
    found: dict[str, dict[str, Curve]] = {}
    for row in rows:
        if not row["name"].startswith("sweep-"):
            continue
        quantity, dimension, _ = row["name"].removeprefix("sweep-").split("-")
        for lane, record in row["lanes"].items():
            curve = found.setdefault(f"{quantity}, {dimension.upper()}", {}).setdefault(lane, Curve())
            if "median" not in record:
                curve.failed = record.get("failed")
                continue
            curve.at.append(row["case"][quantity])
            curve.seconds.append(record["median"])
            curve.megabytes.append(record["temp_bytes"] / 2**20)
    return found


def draw(rows: list[dict[str, Any]], folder: Path) -> list[Path]:
    """One picture for each sweep: time on the left, temporary memory on the right."""
    from ginjax.ml import save_picture

    folder.mkdir(parents=True, exist_ok=True)
    paths = []
    for sweep, lanes in curves(rows).items():
        paths.append(folder / f"{sweep.replace(', ', '_').lower()}.png")
        save_picture(paths[-1], sweep_figure(sweep, lanes), force=True)
    return paths


def sweep_figure(sweep: str, lanes: dict[str, Curve]) -> Any:
    """Time and memory of every way of computing, in double logarithms."""
    from matplotlib.ticker import NullLocator

    from ginjax.ml.draw._bands import range_of
    from ginjax.ml.draw._canvas import (
        add_legend,
        logarithmic,
        new_figure,
        panels,
        set_heading,
        set_labels,
    )
    from ginjax.ml.draw._style import in_style

    with in_style():
        figure = new_figure("two", 2.3)
        set_heading(figure, f"Convolution of scalars and vectors against {sweep}")
        ((left, right),) = panels(figure, 1, 2)
        handles = {}
        for lane, curve in lanes.items():
            colour, style = LOOKS[lane]
            slopes = ", ".join(
                f"{what} {value:.2f}"
                for what, value in (("time", curve.time_slope), ("memory", curve.memory_slope))
                if not math.isnan(value)
            )
            label = f"{lane} (slopes: {slopes})" if slopes else lane
            for axis, values in ((left, curve.seconds), (right, curve.megabytes)):
                (handles[label],) = axis.plot(curve.at, values, style, color=colour, ms=3.5)
        ticks = sorted({x for curve in lanes.values() for x in curve.at})
        for axis, which, name in (
            (left, "seconds", "forward and backward [s]"),
            (right, "megabytes", "temporary memory [MiB]"),
        ):
            logarithmic(axis.yaxis, *range_of([np.array(getattr(each, which)) for each in lanes.values()]))
            logarithmic(axis.xaxis, ticks[0] / 1.15, ticks[-1] * 1.15)
            axis.set_xticks(ticks, [f"{tick:g}" for tick in ticks])
            axis.xaxis.set_minor_locator(NullLocator())
            set_labels(axis, sweep.split(",")[0], name)
        add_legend(figure, handles)
    return figure
