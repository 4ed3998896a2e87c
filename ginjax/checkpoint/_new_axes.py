"""The axes that a conversion adds: their places among the existing axes, and the names of all axes then."""

from collections.abc import Mapping, Sequence
from typing import Any

from ginjax.errors import ArgumentError

from ._contract import AXIS_NAMES, Axis
from ._model_file import ModelRecord

NewAxis = str | Sequence[str]
"""The names of the axes that a conversion adds, such as `"y"` or `"x,z"`; or `"first"` or `"last"`."""


def new_axis_places(asked: NewAxis | None, axes: Sequence[Axis], D: int) -> tuple[int, ...]:
    """The places, in the higher dimension, of the axes that a conversion adds or removes.

    Axes x, y become x, z if the new axis is y: they keep their order, and every axis is named by its place.

    **Arguments:**

    - `asked`: names of these axes in the higher dimension; None for the last ones.
    - `axes`: the axes of the model.
    - `D`: the new dimension.

    **Returns:** their places, counted from 0, in increasing order; empty if they are the last ones.

    **Raises:** `ArgumentError` for a name that is not an axis there, if the number of names is not the difference of the
    dimensions, or if the axes of the model have names of their own.
    """
    if asked is None or asked == "last":
        return ()
    high, count = max(D, len(axes)), abs(D - len(axes))
    last = tuple(range(high - count, high))
    names = [name.strip() for name in asked.split(",")] if isinstance(asked, str) else list(asked)
    if asked == "first":
        names = list(AXIS_NAMES[:count])
    if any(axis.name != name for axis, name in zip(axes, AXIS_NAMES, strict=False)):
        raise ArgumentError(
            "`new_axis`",
            got=f"axes named {', '.join(axis.name for axis in axes)}",
            expected=f"axes named {', '.join(AXIS_NAMES[: len(axes)])}; others keep their names, and new ones come last",
        )
    known = AXIS_NAMES[:high]
    unknown = [name for name in names if name not in known]
    if unknown or len(set(names)) != len(names) or len(names) != count:
        number = "one" if count == 1 else f"{count}"
        raise ArgumentError(
            "`new_axis`",
            got=repr(asked)[:40],
            expected=f"{number} of {', '.join(known)}, the axes in {high}D",
        )
    places = tuple(sorted(known.index(name) for name in names))
    return () if places == last else places


def added_axes(low: ModelRecord, high: ModelRecord) -> tuple[int, ...]:
    """The axes that one model has and another one lacks, from the conversions in their histories.

    **Arguments:**

    - `low`, `high`: two models, one converted from the other; `high` has the higher dimension.

    **Returns:** their places in the higher dimension, in increasing order; the last ones if no history says otherwise.
    """
    last = tuple(range(low.D, high.D))
    for made, given in ((high, low), (low, high)):
        known = len(given.provenance)
        if made.provenance[:known] != given.provenance:
            continue
        ends = _followed(list(range(given.D)), made.provenance[known:])
        if len(ends) != made.D:
            continue
        if made is high:
            return tuple(i for i, axis in enumerate(ends) if axis is None)
        return tuple(i for i in range(high.D) if i not in ends)
    return last


def axes_added_since(record: ModelRecord, D: int) -> tuple[int, ...]:
    """The axes added to a model since it had a lower dimension; the last ones if its history does not say.

    **Arguments:**

    - `record`: the model.
    - `D`: the lower dimension.
    """
    steps = record.provenance
    for i in reversed(range(len(steps))):
        if steps[i].get("step") == "convert" and steps[i].get("from_dim") == D:
            ends = _followed(list(range(D)), steps[i:])
            if len(ends) == record.D:
                return tuple(j for j, axis in enumerate(ends) if axis is None)
    return tuple(range(D, record.D))


def _followed(axes: list[int | None], steps: Sequence[Mapping[str, Any]]) -> list[int | None]:
    """Follow axes through conversions; the result has None for each added axis."""
    for step in steps:
        start, end = len(axes), step.get("to_dim")
        if step.get("step") != "convert" or step.get("from_dim") != start or not isinstance(end, int):
            continue
        high = max(start, end)
        places = step.get("new_axes") or list(range(min(start, end), high))
        if end > start:
            old = iter(axes)
            axes = [None if i in places else next(old) for i in range(end)]
        else:
            axes = [axis for i, axis in enumerate(axes) if i not in places]
    return axes
