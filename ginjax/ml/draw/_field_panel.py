"""One field on one axis: a curve, an image, or lengths with arrows."""

from __future__ import annotations

from collections.abc import Iterable
from typing import TYPE_CHECKING

import numpy as np
from jaxtyping import Float

from ginjax.ml.draw._canvas import set_labels, small_numbers, whole_numbers

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

_ARROWS = 14
"""About how many arrows along an axis."""


def draw_field(axis: Axes, values: Float[np.ndarray, "*field"], D: int, limits: tuple[float, float]) -> None:
    """Draw a field in one dimension as curves, in two as an image, in three the central slice.

    A vector is its length in colour with arrows along the axes shown; a tensor is its norm.

    **Arguments:**

    - `axis`: where to draw.
    - `values`: `(*spatial, D, ..., D)`.
    - `D`: number of spatial axes.
    - `limits`: the range shown, see `shown_limits`.
    """
    whole_numbers(axis.xaxis)
    if D == 1:
        axis.plot(values.reshape(len(values), -1), lw=1.2)
        margin = 0.05 * (limits[1] - limits[0])
        axis.set_ylim(limits[0] - margin, limits[1] + margin)
        set_labels(axis, "grid point")
        return
    plane = _central(values, D)
    order = values.ndim - D
    shade = plane if order == 0 else _lengths(plane)
    colours = "RdBu_r" if limits[0] < 0 else "viridis"
    axis.imshow(shade.T, origin="lower", cmap=colours, vmin=limits[0], vmax=limits[1])
    if order == 1:
        _draw_arrows(axis, plane)
    whole_numbers(axis.yaxis)
    set_labels(axis, "x", "y")


def draw_colour_bar(figure: Figure, shown: Axes, beside: list[Axes]) -> None:
    """A colour bar for the image on `shown`, beside all axes with the same colours."""
    bar = figure.colorbar(shown.images[0], ax=beside, shrink=0.85)
    small_numbers(bar.ax)


def shown_limits(values: Float[np.ndarray, "*field"], D: int) -> tuple[float, float]:
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


def shared_limits(each: Iterable[Float[np.ndarray, "*_field"]], D: int) -> tuple[float, float]:
    """The range of several fields of one kind."""
    lows, highs = zip(*(shown_limits(np.asarray(values, np.float64), D) for values in each), strict=True)
    low, high = min(lows), max(highs)
    return (-max(-low, high), max(-low, high)) if low < 0 else (low, high)


def slice_shown(values: Float[np.ndarray, "*field"], D: int) -> str:
    """Which slice of a field in three dimensions is drawn, to go into a title; nothing in fewer."""
    return f", z = {values.shape[2] // 2}" if D == 3 else ""


def _draw_arrows(axis: Axes, plane: Float[np.ndarray, "*field"]) -> None:
    every = [max(1, round(side / _ARROWS)) for side in plane.shape[:2]]
    places = [np.arange(step // 2, side, step) for side, step in zip(plane.shape[:2], every, strict=True)]
    arrows = plane[np.ix_(*places)]
    # The longest arrow as long as their distance, whatever the unit of the field.
    lengths = np.hypot(arrows[..., 0], arrows[..., 1])
    longest = float(lengths[np.isfinite(lengths)].max(initial=0.0)) or 1.0
    axis.quiver(
        *places, arrows[..., 0].T, arrows[..., 1].T,
        angles="xy", scale_units="xy", scale=longest / max(every), color="white", width=0.006,
    )  # fmt: skip


def _central(values: Float[np.ndarray, "*field"], D: int) -> Float[np.ndarray, "*new_field"]:
    """The first two spatial axes, the others at their middle."""
    return values[(slice(None),) * min(D, 2) + tuple(n // 2 for n in values.shape[2:D])]


def _lengths(plane: Float[np.ndarray, "*field"]) -> Float[np.ndarray, "*spatial"]:
    """The norm over the components at each point of a plane."""
    return np.sqrt(np.square(plane).reshape(*plane.shape[:2], -1).sum(axis=-1))
