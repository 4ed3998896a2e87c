"""A forecast as an animation."""

from __future__ import annotations

import os
from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING

import numpy as np
from jaxtyping import Float

from ginjax.checkpoint import atomic_write
from ginjax.ml.draw._canvas import new_figure, panels, set_heading, set_titles, small_numbers
from ginjax.ml.draw._field_panel import draw_field, shared_limits

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure
    from PIL.Image import Image

FRAMES_PER_SECOND = 8

Series = Mapping[str, Float[np.ndarray, "frames *_field"]]
"""By field, its values `(frames, *spatial, D, ..., D)`."""


def draw_animation(
    path: str | os.PathLike[str],
    title: str,
    series: Series,
    D: int,
    *,
    given: int = 1,
    force: bool = False,
) -> None:
    """Write a GIF of fields side by side; colours and axes hold for the whole series.

    **Arguments:**

    - `path`: the file to write.
    - `title`: of every frame; the step is put behind it.
    - `series`: by field, arrays `(frames, *spatial, D, ..., D)`; drawn as in `draw_forecast`.
    - `D`: number of spatial axes.
    - `given`: frames at the beginning that were given, not predicted.
    - `force`: replace a file that is there.
    """
    last = len(next(iter(series.values()))) - 1
    figure = animation_figure(title, series, D, last, given=given)  # the longest heading decides on the size
    limits = {name: shared_limits(values, D) for name, values in series.items()}
    images = []
    for frame in range(last + 1):
        _show(figure, figure.axes, title, series, limits, D, frame, given)
        images.append(_pixels(figure))
    atomic_write(
        path,
        lambda stream: images[0].save(
            stream,
            format="GIF",
            save_all=True,
            append_images=images[1:],
            duration=1000 // FRAMES_PER_SECOND,
            loop=0,
        ),
        force=force,
    )


def animation_figure(title: str, series: Series, D: int, frame: int, *, given: int = 1) -> Figure:
    """Draw one frame of an animation.

    **Arguments:**

    - `title`, `series`, `D`, `given`: as in `draw_animation`.
    - `frame`: which one, counted from 0.

    **Returns:** the figure.
    """
    figure = new_figure((3.6 * len(series) + 0.4, 3.4))
    limits = {name: shared_limits(values, D) for name, values in series.items()}
    axes = list(panels(figure, 1, len(series))[0])
    _show(figure, axes, title, series, limits, D, frame, given, grow=True)
    return figure


def _show(
    figure: Figure,
    axes: Sequence[Axes],
    title: str,
    series: Series,
    limits: Mapping[str, tuple[float, float]],
    D: int,
    frame: int,
    given: int,
    *,
    grow: bool = False,
) -> None:
    step = frame - given + 1
    set_heading(figure, f"{title}, {'given' if step <= 0 else f'step {step}'}", grow=grow)
    for axis, (name, values) in zip(axes, series.items(), strict=True):
        axis.clear()
        draw_field(axis, np.asarray(values[frame], np.float64), D, limits[name])
        small_numbers(axis)
    set_titles(figure, axes, series, grow=grow)


def _pixels(figure: Figure) -> Image:
    from matplotlib.backends.backend_agg import FigureCanvasAgg
    from PIL import Image

    canvas = FigureCanvasAgg(figure)
    canvas.draw()
    return Image.fromarray(np.asarray(canvas.buffer_rgba())[..., :3].copy())
