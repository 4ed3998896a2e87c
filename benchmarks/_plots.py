"""Time and memory of a convolution along one quantity, with slopes in double logarithms."""

import math
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import numpy as np

COLOURS = {"ours": "#0072b2", "dense": "#e69f00", "plain": "#555555", "upstream": "#d55e00"}


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
    import matplotlib

    matplotlib.use("Agg")
    import matplotlib.pyplot as plt
    from matplotlib.ticker import NullLocator

    folder.mkdir(parents=True, exist_ok=True)
    paths = []
    for sweep, lanes in curves(rows).items():
        figure, panels = plt.subplots(1, 2, figsize=(9, 3.6), layout="constrained")
        for lane, curve in lanes.items():
            measured = ((curve.seconds, curve.time_slope), (curve.megabytes, curve.memory_slope))
            for axes, (values, exponent) in zip(panels, measured, strict=True):
                label = lane if math.isnan(exponent) else f"{lane}, slope {exponent:.2f}"
                axes.loglog(curve.at, values, "o-", ms=4, color=COLOURS[lane], label=label)
        quantity = sweep.split(",")[0]
        for axes, name in zip(
            panels, ("seconds, forward and backward", "temporary memory, MiB"), strict=True
        ):
            axes.set(xlabel=quantity, ylabel=name)
            ticks = sorted({x for curve in lanes.values() for x in curve.at})
            axes.set_xticks(ticks, [f"{tick:g}" for tick in ticks])
            axes.xaxis.set_minor_locator(NullLocator())
            axes.grid(alpha=0.3)
            axes.legend(fontsize=8, frameon=False)
        figure.suptitle(f"Convolution of scalars and vectors against {sweep}")
        paths.append(folder / f"{sweep.replace(', ', '_').lower()}.png")
        figure.savefig(paths[-1], dpi=120)
        plt.close(figure)
    return paths
