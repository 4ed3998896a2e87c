"""Spacing and time step from the points of axes."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from ginjax.data._axis_order import SPACE
from ginjax.errors import FileError

_RESAMPLE = "Only uniform Cartesian grids and constant time steps are supported: resample the data."
_TURN_ROUND = "They decrease in equal steps: store the arrays the other way round along this axis, and its points with them."


def spacing_of(where: str, coordinates: Sequence[np.ndarray]) -> float | tuple[float, ...] | None:
    """The distance between grid points, one for each axis if they differ; None if no axis has two points.

    **Arguments:**

    - `where`: the file, for messages.
    - `coordinates`: the points of each axis, `(n,)`.

    **Raises:** `FileError` if points along an axis are not equally spaced.
    """
    found = one_spacing(
        where, [equal_step(where, axis, x) for axis, x in zip(SPACE, coordinates, strict=False)]
    )
    return None if isinstance(found, np.ndarray) else found  # never the case here


def one_spacing(
    where: str, found: Sequence[float | np.ndarray | None]
) -> float | tuple[float, ...] | np.ndarray | None:
    """The spacing along all axes, or one for each axis if they differ by more than 2 %; None if none is known.

    If the spacing differs between trajectories, the result has one for each trajectory.

    **Raises:** `FileError` for spacings that differ between trajectories and along the axes.
    """
    if any(isinstance(step, np.ndarray) for step in found):
        rows = np.broadcast_arrays(*(step for step in found if step is not None))
        if (np.max(rows, axis=0) > 1.02 * np.min(rows, axis=0)).any():
            raise FileError(
                f"{where}: spacing of the grid",
                got="one that differs by trajectory and along the axes",
                expected="the same along all axes, or in all trajectories",
                hint="Put the trajectories of each spacing into files of their own.",
            )
        return np.mean(rows, axis=0)
    steps = [float(step) for step in found if step]
    if not steps:
        return None
    if max(steps) > 1.02 * min(steps):
        return tuple(float(step or steps[0]) for step in found)  # an axis of one point has that of the others
    return steps[0] if len(set(steps)) == 1 else float(np.mean(steps))


def equal_step(where: str, what: str, points: np.ndarray) -> float | None:
    """The distance between neighbouring points or times; None if there are fewer than two.

    **Raises:** `FileError` if it is not the same everywhere, or not a positive number.
    """
    if points.ndim != 1:
        raise FileError(f"{where}: points of {what}", got=f"shape {points.shape}", expected="one axis")
    if points.size < 2:
        return None
    gaps = np.diff(points)
    step = float(points[-1] - points[0]) / (points.size - 1)
    rounding = 8 * float(np.finfo(np.float32).eps) * float(np.abs(points).max())
    regular = np.isfinite(points).all() and np.abs(gaps - step).max() <= 1e-3 * abs(step) + rounding
    if not (regular and step > 0):
        raise FileError(
            f"{where}: points of {what} do not increase in equal steps",
            got=f"steps from {gaps.min():.4g} to {gaps.max():.4g}",
            expected="one step > 0",
            hint=_TURN_ROUND if regular and step < 0 else _RESAMPLE,
        )
    return float(f"{step:.7g}")  # coordinates are stored in single precision
