"""Points and times beside an array: of its lengths, and the same for every trajectory."""

from __future__ import annotations

import math
from collections.abc import Sequence

import numpy as np

from ginjax.data._axis_order import COMPONENT, SPACE, TIME, TRAJECTORY, AxisOrder
from ginjax.data.readers._hdf5 import equal_step
from ginjax.errors import FileError

_SYNONYMS = {
    TRAJECTORY: ("trajectory", "trajectories", "batch", "sample", "simulation", "run", "member", "ensemble"),
    TIME: ("time", "t", "t-coordinate", "times"),
    COMPONENT: ("component", "components", "channel", "channels"),
    **{axis: (axis, f"{axis}-coordinate", f"{axis}_coordinate", f"{axis}c", f"n{axis}") for axis in SPACE},
}
_MEANT = {word: name for name, words in _SYNONYMS.items() for word in words}


def order_by_names(labels: Sequence[str]) -> AxisOrder | None:
    """The order of axes that their names state; None where the names of space are missing or make no sense.

    Axes without a name in front of space are trajectories and time, those behind it components.

    **Arguments:**

    - `labels`: the name of each axis, empty where it has none.
    """
    names = [_MEANT.get(label.lower().strip(), "") for label in labels]
    space = [i for i, name in enumerate(names) if name in SPACE]
    if not space or any(label and not name for label, name in zip(labels, names, strict=True)):
        return None
    lead = [name for name in (TRAJECTORY, TIME) if name not in names]
    unnamed = [i for i, name in enumerate(names) if not name]
    front = [i for i in unnamed if i < space[0]]
    for i, name in zip(
        front, lead[len(lead) - len(front) :] if len(front) < len(lead) else lead, strict=False
    ):
        names[i] = name
    names = [name or COMPONENT for name in names]
    found = {name for name in names if name in SPACE}
    if found != set(SPACE[: len(found)]) or len(names) - names.count(COMPONENT) != len(
        {*names} - {COMPONENT}
    ):
        return None
    return AxisOrder(tuple(names))


def check_length(where: str, points: str, count: int, array: str, axis: str, side: int) -> None:
    """Refuse an array that is not as long as the points of its axis.

    **Arguments:**

    - `where`, `points`, `array`, `axis`: the file, and names for messages.
    - `count`: how many points there are; `side`: the length of the axis.

    **Raises:** `FileError` with both numbers.
    """
    if count != side:
        raise FileError(
            f"{where}: length of the axis of {axis} of '{array}'",
            got=side,
            expected=f"{count}, the number of points in '{points}'",
            hint="If the axes of the array have another order, name them with `axes`.",
        )


def step_of_rows(where: str, what: str, rows: np.ndarray) -> float | None:
    """The distance between neighbouring points or times, which is to be the same in every trajectory.

    **Arguments:**

    - `where`, `what`: the file and the axis, for messages.
    - `rows`: `(trajectory, points)`, or the points of all trajectories at once, `(points,)`.

    **Raises:** `FileError` for steps that are not equal, within a trajectory or between two.
    """
    if rows.ndim < 2:
        return equal_step(where, what, rows)
    rows = rows.reshape(-1, rows.shape[-1])
    first = equal_step(where, what, rows[0]) if len(rows) else None
    for index, row in enumerate(rows[1:], 1):
        if first is not None and (np.diff(row) - np.diff(rows[0])).any():
            check_same_step(where, what, index, equal_step(where, what, row), first)
    return first


def check_same_step(where: str, what: str, trajectory: int, step: float | None, first: float | None) -> None:
    """Refuse a trajectory with another time step or spacing than the first.

    **Raises:** `FileError` with both numbers.
    """
    if step is None or first is None or math.isclose(step, first, rel_tol=1e-3):
        return
    raise FileError(
        f"{where}: step of {what} in trajectory {trajectory}",
        got=f"{step:g}",
        expected=f"{first:g}, as in trajectory 0",
        hint="A network knows one grid spacing and one time step: put trajectories of each step into files of their own, and train on one of them.",
    )
