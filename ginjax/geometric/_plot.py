"""Pictures of single images, with one panel for each channel."""

from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

import numpy as np

from ..errors import ArgumentError, UnsupportedError

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

_PANEL = 2.6
_MOST_PANELS = 400
_MOST_ARROWS = 24


def new_figure(rows: int, columns: int) -> "tuple[Figure, np.ndarray]":
    """Make a figure with a grid of panels; it belongs to no window.

    **Raises:** `ArgumentError` for more than 400 panels.
    """
    from matplotlib.figure import Figure

    if rows * columns > _MOST_PANELS:
        raise ArgumentError(
            "panels of a picture",
            got=rows * columns,
            expected=f"at most {_MOST_PANELS}",
            hint="Choose samples and channels first: get_subset, get_component.",
        )
    figure = Figure(figsize=(_PANEL * columns, _PANEL * rows), layout="constrained")
    return figure, figure.subplots(rows, columns, squeeze=False)


def draw_image(
    ax: "Axes",
    data: np.ndarray,
    D: int,
    title: str = "",
    limits: tuple[float | None, float | None] = (None, None),
    colorbar: bool = False,
    cmap: Any = None,
) -> None:
    """Draw a field into a panel: a line in 1D, colours in 2D, the middle plane in 3D; arrows for vectors.

    **Arguments:**

    - `ax`: the panel.
    - `data`: `(*spatial, D, ..., D)`. The first axis runs to the right, the second upwards. For tensors of order 2 and more
      the norm is drawn.
    - `title`: the text above the panel.
    - `limits`: the limits of the colours, or of the vertical axis in 1D; None takes them from the data.
    - `colorbar`: whether to draw the colour scale.
    - `cmap`: the colour map; None takes a diverging one for scalars with negative values, else a sequential one.

    **Raises:** `UnsupportedError` for more than three dimensions.
    """
    if D > 3:
        raise UnsupportedError("a picture", got=f"{D} dimensions", expected="1, 2 or 3")
    values = np.asarray(data, np.float64)
    if D == 3:
        values = values[:, :, values.shape[2] // 2]
        title = f"{title} (middle plane)".strip()
    order = values.ndim - min(D, 2)
    components = values.reshape(*values.shape[: min(D, 2)], -1)
    ax.set_title(title)
    if D == 1:
        ax.plot(components)
        ax.set_ylim(*limits)
        return
    shown = components[..., 0] if order == 0 else np.linalg.norm(components, axis=-1)
    signed = order == 0 and shown.min(initial=0.0) < 0
    cmap = cmap or ("RdBu_r" if signed else "viridis")
    largest = float(np.abs(shown).max(initial=0.0)) or 1.0
    low, high = (-largest, largest) if signed else (None, None)
    low, high = (limits[0] if limits[0] is not None else low), (limits[1] if limits[1] is not None else high)
    drawn = ax.imshow(shown.T, origin="lower", cmap=cmap, vmin=low, vmax=high)
    if order == 1:
        _draw_arrows(ax, components)
    ax.set_xticks([])
    ax.set_yticks([])
    if colorbar and ax.figure is not None:
        ax.figure.colorbar(drawn, ax=ax)


def _draw_arrows(ax: "Axes", vectors: np.ndarray) -> None:
    """Draw the first two components at a thinned set of pixels, so that arrows do not overlap."""
    step = [max(1, -(-side // _MOST_ARROWS)) for side in vectors.shape[:2]]
    x, y = np.meshgrid(
        *(np.arange(0, n, s) for n, s in zip(vectors.shape, step, strict=False)), indexing="ij"
    )
    thinned = vectors[:: step[0], :: step[1]]
    ax.quiver(x, y, thinned[..., 0], thinned[..., 1], color="white", pivot="mid")


def titled(titles: Sequence[str], number: int, otherwise: str) -> str:
    """Return title `number` of `titles`, or `otherwise` if there are not so many."""
    return titles[number] if number < len(titles) else otherwise
