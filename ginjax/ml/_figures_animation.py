"""A forecast as an animation."""

from __future__ import annotations

import os
from collections.abc import Mapping
from pathlib import Path
from tempfile import TemporaryDirectory

import numpy as np

from ginjax.checkpoint import atomic_write
from ginjax.ml._figures import draw_field, new_figure, shown_limits

FRAMES_PER_SECOND = 8


def draw_animation(
    path: str | os.PathLike[str],
    title: str,
    series: Mapping[str, np.ndarray],
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
    from matplotlib.animation import FuncAnimation, PillowWriter

    figure = new_figure((3.6 * len(series) + 0.4, 3.4))
    axes = figure.subplots(1, len(series), squeeze=False)[0]
    limits = {name: _limits(values, D) for name, values in series.items()}
    frames = len(next(iter(series.values())))

    def draw(frame: int) -> list:
        step = frame - given + 1
        figure.suptitle(f"{title}, {'given' if step <= 0 else f'step {step}'}", fontsize=10)
        for axis, (name, values) in zip(axes, series.items(), strict=True):
            axis.clear()
            draw_field(axis, np.asarray(values[frame], np.float64), D, limits[name])
            axis.set_title(name, fontsize=9)
            axis.tick_params(labelsize=7)
        return []

    animation = FuncAnimation(figure, draw, frames=frames, init_func=list)
    with TemporaryDirectory() as folder:
        # Pillow goes by the name of the file, so the stream of a file to be is filled afterwards.
        made = Path(folder) / "animation.gif"
        animation.save(made, writer=PillowWriter(fps=FRAMES_PER_SECOND), dpi=90)
        atomic_write(path, made.read_bytes(), force=force)


def _limits(values: np.ndarray, D: int) -> tuple[float, float]:
    """The range of all frames."""
    each = [shown_limits(np.asarray(frame, np.float64), D) for frame in values]
    low, high = min(limits[0] for limits in each), max(limits[1] for limits in each)
    return (-max(-low, high), max(-low, high)) if low < 0 else (low, high)
