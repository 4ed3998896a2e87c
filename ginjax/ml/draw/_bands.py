"""Curves over several trajectories: the mean as a line, the spread as a band."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
from jaxtyping import Float

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.patches import Patch

LOW, HIGH = 16.0, 84.0
"""Percentiles between which a band lies; in a normal distribution they are one standard deviation from the mean."""

_SHADE = 0.18


def draw_band(
    axis: Axes,
    x: Float[np.ndarray, " points"],
    values: Float[np.ndarray, "trajectories points"] | None,
    colour: str,
) -> list[Float[np.ndarray, " points"]]:
    """Shade the range of the middle 68% of some trajectories.

    **Arguments:**

    - `axis`: where to draw.
    - `x`, `values`: places, and one row of values for each trajectory; nothing is drawn for fewer than two trajectories.
    - `colour`: colour of the line that the band belongs to.

    **Returns:** the edges of the band; empty if none was drawn.
    """
    if values is None or len(values) < 2:
        return []
    finite = np.isfinite(values).all(axis=0)
    if not finite.any():
        return []
    low, high = np.percentile(values[:, finite], (LOW, HIGH), axis=0)
    axis.fill_between(x[finite], low, high, color=colour, alpha=_SHADE, lw=0)
    return [low, high]


def band_key(trajectories: int) -> dict[str, Patch]:
    """The legend entry for the bands."""
    from matplotlib.patches import Patch

    return {f"middle 68% of {trajectories} trajectories": Patch(color="0.4", alpha=_SHADE * 1.5, lw=0)}


def range_of(
    curves: list[Float[np.ndarray, " _points"]], *, most: float = np.inf, decades: float = 8.0
) -> tuple[float, float]:
    """The range of a logarithmic axis for some curves, from their positive values.

    **Arguments:**

    - `curves`: the values.
    - `most`: larger values do not count.
    - `decades`: the axis goes down by at most so many decades from the top.
    """
    values = np.concatenate([each.ravel() for each in curves]) if curves else np.ones(1)
    values = values[np.isfinite(values) & (values > 0)]
    if not values.size:
        return 0.1, 1.0
    top = min(float(values.max()), most)
    low = max(float(values.min()), top * 10.0**-decades)
    if low >= top:
        low = top
    return low / 1.25, top * 1.25
