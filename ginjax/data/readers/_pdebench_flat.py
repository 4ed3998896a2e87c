"""PDEBench with one array for each quantity: `(batch, time, x, y, z)`, as `tensor` or `density`, `pressure`, `Vx`, ...

Coordinates (`x-coordinate`, ..., `t-coordinate`) are optional, and there may be one more time than frames. If the lengths
of coordinates or the names of axes (dimension scales) show another order of axes, that order is used. Without both, the order
is that of a bare array: ginjax's own if that is certain, otherwise the user is asked.
The file does not state its boundaries. Those of the published files are periodic, unless their names end in `trans`.
"""

from __future__ import annotations

from collections.abc import Collection, Mapping
from dataclasses import replace
from functools import partial

import numpy as np

from ginjax.checkpoint import Field
from ginjax.data._axis_order import COMPONENT, SPACE, TIME, TRAJECTORY, AxisOrder
from ginjax.data._found import Found, Variable
from ginjax.data._likely_axes import MAX_CHANNELS, AxisReading, settled
from ginjax.data._request import UNIT_NOT_STATED, FieldRequest
from ginjax.data.readers._axis_names import names_allow, names_space, order_by_names, readings_by_names
from ginjax.data.readers._axis_question import axis_question
from ginjax.data.readers._bare_arrays import StoredArray, channel, describe_arrays, provisional
from ginjax.data.readers._components import components_question
from ginjax.data.readers._coordinates import Points, check_points, orders_by_points
from ginjax.data.readers._data_file import DataFile
from ginjax.data.readers._hdf5 import Hdf5
from ginjax.data.readers._reader import Reader
from ginjax.data.readers._steps import equal_step, spacing_of
from ginjax.data.readers._wanted_dimension import in_dimensions
from ginjax.errors import FileError

LAYOUT = "pdebench"
_VELOCITY = ("Vx", "Vy", "Vz")
_AXES = ("x-coordinate", "y-coordinate", "z-coordinate")
_TIME = "t-coordinate"


def _recognises(file: Hdf5) -> bool:
    """Whether a file looks like this layout."""
    return file.is_array("tensor") or (file.is_array("density") and file.is_array("Vx"))


def _find(file: DataFile, split: str | None, requests: tuple[FieldRequest, ...]) -> Found:
    """Describe a file of this layout."""
    content = file.content
    points = {axis[0]: content.read_short(axis) for axis in _AXES if content.is_array(axis)}
    time = content.read_short(_TIME) if content.is_array(_TIME) else np.arange(0.0)
    counts = {axis: Points(f"{axis}-coordinate", len(values)) for axis, values in points.items()}
    if len(time):
        counts[TIME] = Points(_TIME, len(time), spare=1)
    found = (
        _as_said(file, content, requests, counts)
        if file.axes
        else _as_stated(content, counts, file.dimensions)
    )
    return replace(
        found,
        spacing=spacing_of(content.path, list(points.values())[: found.D]),
        time_step=equal_step(content.path, "time", time),
        split=split,
        origin=content.provenance(),
        close=content.close,
    )


def _as_said(
    data: DataFile,
    file: Hdf5,
    requests: tuple[FieldRequest, ...],
    points: Mapping[str, Points],
) -> Found:
    """The arrays in the order that the user states."""

    def stored(name: str) -> StoredArray:
        return StoredArray(file.shape(name), lambda selection: file.read(name, selection))

    arrays = {name: stored(name) for name in _arrays(file)}
    found = describe_arrays(
        file.path, LAYOUT, arrays, requests, data.axes, points, pairs=data.pairs, dimensions=data.dimensions
    )
    usable = {name: each for name, each in found.variables.items() if each.problem is None}
    others = {name: each for name, each in usable.items() if name not in _VELOCITY[: found.D]}
    return replace(
        found,
        defaults=_defaults(usable, found.D),
        unclear=components_question(others, found.D),
        notes=(*found.notes, *_chunks(file, found.read_as)),
    )


def _chunks(file: Hdf5, orders: Mapping[str, AxisOrder]) -> tuple[str, ...]:
    """Remarks on the chunks of arrays in these orders."""
    return tuple(filter(None, (file.chunk_remark(name, order) for name, order in orders.items())))


def _arrays(file: Hdf5) -> list[str]:
    return [name for name in file.names() if file.is_array(name) and name not in (*_AXES, _TIME)]


def _as_stated(file: Hdf5, points: Mapping[str, Points], dimensions: Collection[int]) -> Found:
    """The arrays in the order that their names and coordinates show, otherwise in that of the layout if it is certain."""
    main = "tensor" if file.is_array("tensor") else "density"
    shape = file.shape(main)
    order, question, stated = _order(file, main, shape, points, dimensions)
    D, spatial = order.D, order.spatial(shape)
    trajectories, frames = order.size(TRAJECTORY, shape), order.size(TIME, shape)
    steady = AxisOrder(tuple(name for name in order.names if name != TIME))
    variables: dict[str, Variable] = {}
    orders: dict[str, AxisOrder] = {}
    for name in _arrays(file):
        sides, read = file.shape(name), partial(file.read, name)
        if sides == shape and order.k == 0:
            variables[name], orders[name] = Variable(0, order.slices(read)), order
        elif sides == shape or (order.k == 0 and sides[:-1] == shape):
            channels = order if order.k else AxisOrder((*order.names, COMPONENT))
            count = channels.components(sides)[0]
            if count > MAX_CHANNELS:
                raise FileError(
                    f"{file.path}: axes of '{name}'",
                    got=f"shape {sides}, whose last axis of {count} would be channels",
                    expected=f"at most {MAX_CHANNELS} channels",
                    hint="If it is an axis of space or time, name the axes with `axes`.",
                )
            frames_of, orders[name] = channels.slices(read), channels
            variables |= {f"{name}.{i}": Variable(0, channel(frames_of, i)) for i in range(count)}
        elif sides == (trajectories, *spatial) and order == AxisOrder.usual(D):
            variables[name], orders[name] = Variable(0, steady.slices(read), varies=False), steady
    return Found(
        where=file.path,
        layout=LAYOUT,
        D=D,
        spatial=spatial,
        spacing=None,
        time_step=None,
        is_torus=(True,) * D,
        trajectories=trajectories,
        frames=frames,
        variables=variables,
        defaults=_defaults(variables, D),
        unclear=_question(variables, D, sum(name in variables for name in _VELOCITY)),
        notes=_chunks(file, orders),
        question=question,
        read_as={} if stated else orders,
    )


def _defaults(variables: Mapping[str, Variable], D: int) -> tuple[FieldRequest, ...]:
    """Every variable as a scalar, except the velocity if it has a component along each axis."""
    velocity = tuple(name for name in _VELOCITY if name in variables)
    whole = len(velocity) == D
    fields = [
        FieldRequest(Field(name, each.k, 0, UNIT_NOT_STATED), (name,))
        for name, each in variables.items()
        if not (whole and name in velocity)
    ]
    if whole:
        fields.append(FieldRequest(Field("velocity", 1, 0, UNIT_NOT_STATED), velocity))
    return tuple(fields)


def _order(
    file: Hdf5,
    main: str,
    shape: tuple[int, ...],
    points: Mapping[str, Points],
    dimensions: Collection[int] = (),
) -> tuple[AxisOrder, tuple[str, str] | None, bool]:
    """The order of the axes: by their names, else by the lengths of the coordinates, else that of the layout if it is certain.

    **Returns:** the order, the question to answer first, if any, and whether the file states the order.
    """
    labels = file.axis_labels(main)
    named = order_by_names(labels)
    if named is not None:
        check_points(file.path, main, named, shape, points)
        return named, None, True
    k = None if main == "tensor" else 0
    D = sum(axis in SPACE for axis in points) or (None if k is None else _velocities(file))
    own = [AxisOrder.usual(len(shape) - 2)] if 1 <= len(shape) - 2 <= 3 else []
    if D is not None:
        own = [AxisOrder.usual(D, inner) for inner in (0, 1) if len(shape) == 2 + D + inner]
    likely = [each for each in orders_by_points(shape, points, k, D) if names_allow(each, labels)]
    if points and not names_space(labels):
        # If coordinates show which axes are spatial, or all exist, the layout determines the others.
        if own and own[0] in likely and (TIME in points or all(_same_space(own[0], each) for each in likely)):
            return own[0], None, True
        if len(likely) == 1:
            return likely[0], None, True
        if not likely:
            if not own:
                raise FileError(
                    f"{file.path}: shape of '{main}'",
                    got=shape,
                    expected=f"(batch, time{', x, y, z'[: 3 * (D or 3)]})",
                )
            check_points(file.path, main, own[0], shape, points)
            return own[0], None, True
    elif not names_space(labels):
        order, _ = settled(shape, k)
        if order is not None and D in (None, order.D) and names_allow(order, labels):
            return order, None, False
    offers = (not points and readings_by_names(shape, labels)) or [
        AxisReading(each, shape) for each in likely
    ]
    order = provisional(shape, k, offers) if D is None else next(iter((*own, *likely)), None)
    if order is None:
        raise FileError(
            f"{file.path}: shape of '{main}'",
            got=shape,
            expected="(batch, time, x, y, z) in 1 to 3 dimensions",
        )
    # If none has a wanted dimension, the offers show which ones they have.
    offers = in_dimensions(offers, dimensions) or offers
    return order, axis_question(main, shape, offers, alone=len(_arrays(file)) == 1), False


def _same_space(one: AxisOrder, other: AxisOrder) -> bool:
    return [i for i, name in enumerate(one.names) if name in SPACE] == [
        i for i, name in enumerate(other.names) if name in SPACE
    ]


def _velocities(file: Hdf5) -> int | None:
    return sum(file.is_array(name) for name in _VELOCITY) or None


def _question(variables: dict[str, Variable], D: int, velocity: int) -> str | None:
    if any("." in name for name in variables):
        names = ", ".join(name for name in variables if "." in name)
        return f"whether the channels {names} are scalars or the components of a vector"
    if velocity not in (0, D):
        return f"which vector the {velocity} components of the velocity make in {D} dimensions"
    if "tensor" in variables and D == 1:
        return (
            'whether "tensor" is a scalar (`fields=["u:0+=tensor"]`) or a velocity (`fields=["u:1+=tensor"]`)'
        )
    return None


PDEBENCH = Reader(LAYOUT, lambda file: file.hdf5 is not None and _recognises(file.hdf5), _find)
