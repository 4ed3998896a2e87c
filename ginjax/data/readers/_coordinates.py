"""Points and times beside an array: as many as its axes have, and the same for every trajectory."""

from __future__ import annotations

from collections.abc import Container, Mapping, Sequence
from dataclasses import dataclass

import numpy as np

from ginjax.data._axis_order import SPACE, TIME, AxisOrder
from ginjax.data._likely_axes import readings
from ginjax.data.readers._axis_names import axis_of
from ginjax.data.readers._steps import equal_step
from ginjax.errors import FileError


@dataclass(frozen=True)
class Points:
    """The points or times of an axis, stored beside an array.

    **Arguments:**

    - `name`: name of the array that holds them.
    - `count`: number of points.
    - `spare`: the number may exceed the length of the axis by this much.
    """

    name: str
    count: int
    spare: int = 0

    def fit(self, side: int) -> bool:
        """Whether they fit an axis of this length."""
        return 0 <= self.count - side <= self.spare


def points_among(shapes: Mapping[str, Sequence[int]], fields: Container[str]) -> dict[str, Points]:
    """Find the arrays of a file that hold the points of an axis: they have one axis, its name, and are not fields.

    **Arguments:**

    - `shapes`: shapes of the arrays by name.
    - `fields`: names of arrays that are fields, whatever these names mean.

    **Returns:** the points by axis.
    """
    found: dict[str, Points] = {}
    for name, shape in shapes.items():
        axis = axis_of(name)
        if axis in (*SPACE, TIME) and len(shape) == 1 and name not in fields:
            found.setdefault(axis, Points(name, shape[0]))
    return found


def orders_by_points(
    shape: Sequence[int], points: Mapping[str, Points], k: int | None = None, D: int | None = None
) -> list[AxisOrder]:
    """The orders of axes that the numbers of points allow, the likeliest first.

    **Arguments:**

    - `shape`: shape of the array; `k`: its tensor order, None if unknown; `D`: its dimension, None if unknown.
    - `points`: the points by axis.
    """
    every = [each.order for each in readings(shape, k)]
    own = AxisOrder.usual(dims, k or 0) if 1 <= (dims := len(shape) - 2 - (k or 0)) <= 3 else None
    if own is not None and own not in every:
        every.append(own)
    return [each for each in every if D in (None, each.D) and _allow(each, shape, points)]


def _allow(order: AxisOrder, shape: Sequence[int], points: Mapping[str, Points]) -> bool:
    return all(each.fit(order.size(axis, shape)) for axis, each in points.items())


def check_points(
    where: str, array: str, order: AxisOrder, shape: Sequence[int], points: Mapping[str, Points]
) -> None:
    """Refuse an array whose axes, in the order in which it is read, do not have as many entries as their points.

    **Arguments:**

    - `where`, `array`: the file and the array, for messages.
    - `order`, `shape`: those of the array.
    - `points`: the points by axis.

    **Raises:** `FileError` with both numbers.
    """
    for axis, each in points.items():
        if axis == TIME and not order.varies:
            continue
        side = order.size(axis, shape)
        if not each.fit(side):
            check_length(where, each.name, each.count, array, axis, side)


def check_length(where: str, points: str, count: int, array: str, axis: str, side: int) -> None:
    """Refuse an array whose axis does not have as many entries as its points.

    **Arguments:**

    - `where`, `points`, `array`, `axis`: the file, and names for messages.
    - `count`: number of points; `side`: length of the axis.

    **Raises:** `FileError` with both numbers.
    """
    if count != side:
        raise FileError(
            f"{where}: length of the axis of {axis} of '{array}'",
            got=side,
            expected=f"{count}, the number of points in '{points}'",
            hint="If the axes of the array have another order, name them with `axes`.",
        )


def step_of_rows(where: str, what: str, rows: np.ndarray) -> float | np.ndarray | None:
    """The distance between neighbouring points or times; one for each trajectory if it differs between them.

    **Arguments:**

    - `where`, `what`: the file and the axis, for messages.
    - `rows`: `(trajectory, points)`, or the points of all trajectories at once, `(points,)`.

    **Raises:** `FileError` for steps that are not equal within a trajectory.
    """
    if rows.ndim < 2:
        return equal_step(where, what, rows)
    if not rows.size:
        return None
    rows = rows.reshape(-1, rows.shape[-1])
    first = equal_step(where, what, rows[0])
    gaps = np.diff(rows[0])
    # Most rows equal the first one.
    return by_trajectory(
        [
            first if (np.diff(row) == gaps).all() else equal_step(where, f"{what} of trajectory {index}", row)
            for index, row in enumerate(rows)
        ]
    )


def by_trajectory(steps: Sequence[float | None]) -> float | np.ndarray | None:
    """The step if it is equal for all trajectories except for rounding, else one for each; None if none is known.

    **Arguments:**

    - `steps`: the step of each trajectory. One with fewer than two points or times has no step, and gets the first known one.
    """
    known = next((step for step in steps if step is not None), None)
    if known is None:
        return None
    found = np.array([known if step is None else step for step in steps])
    return known if np.allclose(found, known, rtol=1e-3, atol=0) else found
