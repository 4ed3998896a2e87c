"""Draw one field in one panel: as curves, as colours over a plane, or as arrows over colours."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from typing import TYPE_CHECKING

import numpy as np
from jaxtyping import Float

from ginjax.ml.draw._canvas import grow, set_labels, whole_numbers
from ginjax.ml.draw._colours import Scale
from ginjax.ml.draw._labels import Labels
from ginjax.ml.draw._style import LABEL, THIN, in_style
from ginjax.ml.draw._wrapped import wrapped

if TYPE_CHECKING:
    from matplotlib.artist import Artist
    from matplotlib.axes import Axes
    from matplotlib.colorbar import Colorbar
    from matplotlib.figure import Figure

_ARROW = 0.13
"""Smallest distance between arrows in inches."""

CURVE_LOOKS: Mapping[str, tuple[str, str, float]] = {
    "input": ("0.45", ":", 0.9),
    "truth": ("0.72", "-", 2.6),
    "prediction": ("#0072b2", "-", 0.9),
    "difference": ("#0072b2", "-", 0.9),
}
"""Colour, line style and width of curves. The truth is a wide line: a good prediction lies on it."""


def draw_curves(
    axis: Axes, curves: Mapping[str, Float[np.ndarray, "*field"]], labels: Labels, scale: Scale
) -> dict[str, Artist]:
    """Draw fields in one dimension over each other, by their names in `CURVE_LOOKS`.

    **Returns:** the lines by name.
    """
    drawn: dict[str, Artist] = {}
    for name, values in curves.items():
        colour, line, wide = CURVE_LOOKS[name]
        flat = values.reshape(-1)
        (drawn[name],) = axis.plot(labels.points(len(flat)), flat, linestyle=line, color=colour, lw=wide)
    margin = 0.05 * (scale.high - scale.low)
    axis.set_ylim(scale.low - margin, scale.high + margin)
    finish_axis(axis, labels, (0,))
    axis.set_xlim(0, labels.points(max(len(values) for values in curves.values()))[-1] or 1.0)
    return drawn


def curve_scale(
    truths: Iterable[Float[np.ndarray, "*_field"]], guesses: Iterable[Float[np.ndarray, "*_field"]]
) -> Scale:
    """The range of curves: that of the truth, extended to the predictions by at most its own width on either side."""
    inner, outer = _ends(truths), _ends(guesses)
    room = inner[1] - inner[0] or abs(inner[1]) or 1.0
    low = max(min(inner[0], outer[0]), inner[0] - room)
    high = min(max(inner[1], outer[1]), inner[1] + room)
    return Scale(low, high) if low < high else Scale(low - room, high + room)


def _ends(fields: Iterable[Float[np.ndarray, "*_field"]]) -> tuple[float, float]:
    values = np.concatenate([np.zeros(0), *(each.ravel() for each in fields)])
    values = values[np.isfinite(values)]
    return (float(values.min()), float(values.max())) if values.size else (0.0, 0.0)


def draw_plane(
    axis: Axes, values: Float[np.ndarray, "*field"], labels: Labels, scale: Scale, longest: float
) -> None:
    """Draw a plane of a field in two or more dimensions in colours; a vector as its length with arrows.

    **Arguments:**

    - `axis`: where to draw.
    - `values`: `(*spatial, D, ..., D)`.
    - `labels`: labels of the data.
    - `scale`: scale of `shade`; values outside of it have other colours and are hatched.
    - `longest`: the length of the longest arrow, see `longest_arrow`.
    """
    D = labels.contract.D
    plane, h = central(values, D), labels.distance
    shown = shade(values, D)
    nx, ny = shown.shape
    edges = (-h / 2, (nx - 0.5) * h, -h / 2, (ny - 0.5) * h)
    image = axis.imshow(
        np.ma.masked_invalid(shown.T), origin="lower", extent=edges, cmap=scale.colours,
        vmin=scale.low, vmax=scale.high, interpolation="nearest",
    )  # fmt: skip
    image.set_zorder(0)
    places = labels.points(nx), labels.points(ny)
    for marked, hatch in ((scale.outside(shown), "/////"), (~np.isfinite(shown), "xxxx")):
        if marked.any():
            _hatch(axis, marked, edges, hatch)
    if values.ndim - D == 1:
        _draw_arrows(axis, plane, places, longest)
    for spine in axis.spines.values():
        spine.set_visible(True)
    axis.set_xlim(edges[:2])
    axis.set_ylim(edges[2:])
    finish_axis(axis, labels, (0, 1))


def finish_axis(axis: Axes, labels: Labels, shown: Sequence[int]) -> None:
    """Label the spatial axes, with whole numbers if grid points are counted."""
    from matplotlib.ticker import MaxNLocator

    for each, number in zip((axis.xaxis, axis.yaxis), shown, strict=False):
        if labels.contract.spacing is None:
            whole_numbers(each)
        elif len(shown) > 1:
            each.set_major_locator(MaxNLocator(4, steps=[1, 2, 5, 10]))
        set_labels(axis, **{"x" if each is axis.xaxis else "y": labels.axis(number)})


def add_colour_bar(
    figure: Figure, below: Sequence[Axes], scale: Scale, label: str, shown: Iterable[Float[np.ndarray, "..."]]
) -> Colorbar:
    """Add a labelled colour bar below some panels, with pointed ends if shown values lie beyond it."""
    from matplotlib.ticker import MaxNLocator

    with in_style():
        bar = figure.colorbar(
            scale.mappable(), ax=list(below), location="bottom", extend=scale.extend(shown),
            aspect=24 * len(_columns(below)),
            fraction=0.05, pad=0.02, shrink=0.96,
        )  # fmt: skip
        wide = figure.get_figwidth() * len(_columns(below)) / _columns_of_grid(below)
        bar.locator = MaxNLocator(max(2, min(8, int(wide / 0.5))), steps=[1, 2, 3, 4, 5, 10])
        bar.update_ticks()
        shown_label = wrapped(figure, label, wide - 0.15, LABEL)
        bar.set_label(shown_label)
        grow(figure, shown_label.count("\n") * LABEL)
        bar.outline.set_linewidth(THIN)  # pyright: ignore[reportCallIssue]
        bar.ax.tick_params(length=2.0)
    return bar


def _columns(axes: Sequence[Axes]) -> set[int]:
    """The columns of the grid in which some panels are."""
    specs = [each.get_subplotspec() for each in axes]
    return {column for spec in specs if spec is not None for column in spec.colspan}


def _columns_of_grid(axes: Sequence[Axes]) -> int:
    spec = axes[0].get_subplotspec()
    return 1 if spec is None else spec.get_gridspec().ncols


def shade(values: Float[np.ndarray, "*field"], D: int) -> Float[np.ndarray, "*new_field"]:
    """What is shown in colour, or as a curve: the values of a scalar, the length of a vector or tensor."""
    plane = central(values, D)
    if D == 1 or values.ndim == D:
        return plane.reshape(plane.shape[: min(D, 2)])
    with np.errstate(over="ignore", invalid="ignore"):
        return np.sqrt(np.square(plane).reshape(*plane.shape[:2], -1).sum(axis=-1))


def central(values: Float[np.ndarray, "*field"], D: int) -> Float[np.ndarray, "*new_field"]:
    """The plane of the first two spatial axes, in the middle of the other axes."""
    return values[(slice(None),) * min(D, 2) + tuple(n // 2 for n in values.shape[2:D])]


def longest_arrow(fields: Iterable[Float[np.ndarray, "*_field"]], D: int) -> float:
    """The largest length of some vector fields in the shown plane; 1 if there are no vectors."""
    longest = 0.0
    for values in fields:
        if values.ndim - D == 1 and D > 1:
            lengths = np.hypot(*np.moveaxis(central(values, D)[..., :2], -1, 0))
            longest = max(longest, float(lengths[np.isfinite(lengths)].max(initial=0.0)))
    return longest or 1.0


def remarks(values: Float[np.ndarray, "*field"], D: int, scale: Scale) -> str:
    """A remark for the title of a panel on values that its colours cannot show; empty if there are none."""
    shown = shade(values, D)
    lost, beyond = float((~np.isfinite(shown)).mean()), float(scale.outside(shown).mean())
    parts = [
        f"{_percent(share)} {what}"
        for share, what in ((beyond, "off the scale"), (lost, "not finite"))
        if share > 0
    ]
    return f" ({', '.join(parts)})" if parts else ""


def _percent(share: float) -> str:
    return f"{share:.0%}" if share >= 0.005 else "under 1%"


def _hatch(axis: Axes, marked: np.ndarray, edges: tuple[float, float, float, float], hatch: str) -> None:
    """Hatch pixels, which distinguishes them in grey too."""
    from matplotlib.collections import PolyCollection

    nx, ny = marked.shape
    x, y = np.linspace(*edges[:2], nx + 1), np.linspace(*edges[2:], ny + 1)
    squares = [
        ((x[i], y[j]), (x[i + 1], y[j]), (x[i + 1], y[j + 1]), (x[i], y[j + 1]))
        for i, j in zip(*np.nonzero(marked), strict=True)
    ]
    axis.add_collection(
        PolyCollection(squares, facecolor="none", edgecolor="0.1", linewidth=0.0, hatch=hatch, zorder=1)
    )


def _draw_arrows(
    axis: Axes,
    plane: Float[np.ndarray, "*field"],
    places: tuple[Float[np.ndarray, " columns"], Float[np.ndarray, " rows"]],
    longest: float,
) -> None:
    """Draw arrows in the shown plane, white with a dark edge so that they are visible on any colour."""
    figure, spec = axis.get_figure(root=True), axis.get_subplotspec()
    columns = 1 if spec is None else spec.get_gridspec().ncols
    width = (3.0 if figure is None else figure.get_figwidth()) / columns - 0.25
    most = max(5, int(width / _ARROW))
    every = max(1, -(-max(plane.shape[:2]) // most))
    chosen = [np.arange(every // 2, side, every) for side in plane.shape[:2]]
    arrows = plane[np.ix_(*chosen)]
    apart = every * (places[0][1] - places[0][0] if len(places[0]) > 1 else 1.0)
    axis.quiver(
        places[0][chosen[0]], places[1][chosen[1]], arrows[..., 0].T, arrows[..., 1].T,
        angles="xy", scale_units="xy", scale=longest / (1.5 * apart), pivot="middle", units="inches",
        width=0.011, headwidth=4.0, headlength=4.0, headaxislength=3.5, minlength=0.5,
        facecolor="white", edgecolor="0.1", linewidth=0.25, zorder=2,
    )  # fmt: skip
