"""The names of axes: those that state the order of axes, and those that leave it open."""

from __future__ import annotations

from collections.abc import Sequence
from itertools import product

from ginjax.data._axis_order import COMPONENT, SPACE, TIME, TRAJECTORY, AxisOrder
from ginjax.data._likely_axes import AxisReading

MOST_AXES = 6

_SYNONYMS = {
    TRAJECTORY: (
        *("trajectory", "trajectories", "batch", "sample", "simulation", "run", "member", "ensemble"),
        *("sim", "case", "seed", "realization"),
    ),
    TIME: ("time", "t", "t-coordinate", "t_coordinate", "times", "frame", "snapshot"),
    COMPONENT: ("component", "components", "channel", "channels"),
    **{axis: (axis, f"{axis}-coordinate", f"{axis}_coordinate", f"{axis}c", f"n{axis}") for axis in SPACE},
}
_MEANT = {word: name for name, words in _SYNONYMS.items() for word in words}
_OTHERS = {
    **dict.fromkeys(
        ["level", "levels", "lev", "plev", "layer", "depth", "height", "altitude", "elevation"],
        (*SPACE, COMPONENT),
    ),
    **dict.fromkeys(["latitude", "lat", "longitude", "lon", "r", "radius", "theta", "phi"], SPACE),
    **dict.fromkeys(
        ["variable", "variables", "var", "band", "bands", "feature", "features", "species", "quantity"],
        (COMPONENT,),
    ),
}
"""Names of axes that are neither trajectories nor time: another direction in space, perhaps with one scalar at each of its
points, or several quantities in a row.
"""


def names_space(labels: Sequence[str]) -> bool:
    """Whether the names say which axis is x, y or z."""
    return any(axis_of(label) in SPACE for label in labels)


def order_by_names(labels: Sequence[str]) -> AxisOrder | None:
    """The order of axes that their names state; None if the names leave it open.

    Axes before space without a name, or with an unknown one, are trajectories and time, in this order. Axes after space are
    components, once it is known which axis is time. An axis with the name of another direction or of several quantities is
    neither.

    **Arguments:**

    - `labels`: the name of each axis, empty if it has none.
    """
    names = [axis_of(label) for label in labels]
    space = [i for i, name in enumerate(names) if name in SPACE]
    if not space or any(_is_no_series(label) for label in labels):
        return None
    front = [i for i, name in enumerate(names) if not name and i < space[0]]
    if TIME in names and any(i > names.index(TIME) for i in front):
        return None
    lead = [name for name in (TRAJECTORY, TIME) if name not in names]
    if len(front) > len(lead):
        return None
    if len(front) < len(lead) and any(labels[i].strip() for i in front):
        return None  # an unknown name may denote either of the two
    for i, name in zip(front, lead[len(lead) - len(front) :], strict=True):
        names[i] = name
    if TIME not in names:
        return None
    names = [name or COMPONENT for name in names]
    found = {name for name in names if name in SPACE}
    single = [name for name in names if name != COMPONENT]
    if found != set(SPACE[: len(found)]) or len(single) != len(set(single)):
        return None
    return AxisOrder(tuple(names))


def steady_by_names(labels: Sequence[str]) -> AxisOrder | None:
    """The order of axes of an array that does not vary in time, if the names of all axes are known; otherwise None."""
    names = [axis_of(label) for label in labels]
    space = {name for name in names if name in SPACE}
    single = [name for name in names if name != COMPONENT]
    known = all(names) and TIME not in names and len(single) == len(set(single))
    return AxisOrder(tuple(names)) if known and space and space == set(SPACE[: len(space)]) else None


def axis_of(label: str) -> str:
    """The axis that a word denotes, such as time for `t`; empty if unknown."""
    return _MEANT.get(label.lower().strip(), "")


def names_allow(order: AxisOrder, labels: Sequence[str]) -> bool:
    """Whether an order of axes does not contradict their names; without names there is no contradiction."""
    return all(name in _may_be(label) for name, label in zip(order.names, labels, strict=bool(labels)))


def readings_by_names(shape: Sequence[int], labels: Sequence[str]) -> list[AxisReading] | None:
    """The ways to read an array that its names allow, the likeliest first; None if the names state nothing.

    **Arguments:**

    - `shape`: shape of the array.
    - `labels`: the name of each axis, empty if it has none.
    """
    if not any(axis_of(label) or _is_no_series(label) for label in labels) or len(shape) > MOST_AXES:
        return None
    every = [
        AxisReading(AxisOrder(names), tuple(shape))
        for names in product(*map(_may_be, labels))
        if _is_an_order(names, labels)
    ]
    likely = [each for each in every if _makes_sense(each, labels)]
    return sorted(likely, key=lambda each: (not each.possible, -each.likelihood))


def _is_an_order(names: Sequence[str], labels: Sequence[str]) -> bool:
    """Whether each axis occurs once, and unnamed spatial axes are in ginjax's own order, with no time or trajectories between."""
    space = [i for i, name in enumerate(names) if name in SPACE]
    unnamed = [names[i] for i in space if not axis_of(labels[i])]
    between = [names[i] for i in range(space[0], space[-1]) if not axis_of(labels[i])] if space else []
    return (
        bool(space)
        and sorted(names[i] for i in space) == list(SPACE[: len(space)])
        and names.count(TIME) == 1
        and names.count(TRAJECTORY) <= 1
        and unnamed == sorted(unnamed)
        and not {TIME, TRAJECTORY} & set(between)
    )


def _makes_sense(reading: AxisReading, labels: Sequence[str]) -> bool:
    """Whether components are those of tensors, and an axis of another direction or of several quantities holds scalars."""
    inner = [
        (label, n)
        for label, name, n in zip(labels, reading.order.names, reading.shape, strict=True)
        if name == COMPONENT and _is_no_series(label)
    ]
    if any(SPACE[0] in _may_be(label) and n == reading.order.D > 1 for label, n in inner):
        return False  # two levels are not a vector in the plane
    return reading.possible or (bool(inner) and reading.possible_as_scalars)


def _is_no_series(label: str) -> bool:
    """Whether a name belongs to an axis that is neither trajectories nor time, nor one that ginjax names."""
    return label.lower().strip() in _OTHERS


def _may_be(label: str) -> tuple[str, ...]:
    """The axes that a name may belong to."""
    if axis := axis_of(label):
        return (axis,)
    return _OTHERS.get(label.lower().strip(), (TRAJECTORY, TIME, *SPACE, COMPONENT))
