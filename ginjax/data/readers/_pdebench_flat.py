"""PDEBench, one array for each quantity: `(batch, time, x, y, z)`, as `tensor` or `density`, `pressure`, `Vx`, ...

Coordinates (`x-coordinate`, ..., `t-coordinate`) are optional, and the times may be one more than the frames. Where lengths
of coordinates, or names of axes (dimension scales), say that the axes have another order, they are believed.
The file does not state its boundaries; those of the published ones are periodic, unless their names end in `trans`.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from functools import partial

import numpy as np

from ginjax.checkpoint import Field
from ginjax.data._axis_order import COMPONENT, SPACE, TIME, TRAJECTORY, AxisOrder
from ginjax.data._found import Found, Variable
from ginjax.data._likely_axes import readings
from ginjax.data._request import UNIT_NOT_STATED, FieldRequest
from ginjax.data.readers._bare_arrays import MAX_CHANNELS, StoredArray, channel, describe_arrays
from ginjax.data.readers._coordinates import check_length, order_by_names
from ginjax.data.readers._data_file import DataFile
from ginjax.data.readers._hdf5 import Hdf5, equal_step, spacing_of
from ginjax.data.readers._reader import Reader
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
    content = file.hdf5
    assert content is not None  # `_recognises` has seen to it
    points = {axis[0]: content.read_short(axis) for axis in _AXES if content.is_array(axis)}
    time = content.read_short(_TIME) if content.is_array(_TIME) else np.arange(0.0)
    found = _as_said(content, requests, file.axes) if file.axes else _as_stated(content, points, time)
    return replace(
        found,
        spacing=spacing_of(content.path, list(points.values())[: found.D]),
        time_step=equal_step(content.path, "time", time),
        split=split,
        origin=content.provenance(),
        close=content.close,
    )


def _as_said(file: Hdf5, requests: tuple[FieldRequest, ...], axes: Mapping[str, AxisOrder]) -> Found:
    """The arrays in the order that the user states."""

    def stored(name: str) -> StoredArray:
        return StoredArray(file.shape(name), lambda selection: file.read(name, selection))

    arrays = {
        name: stored(name) for name in file.names() if file.is_array(name) and name not in (*_AXES, _TIME)
    }
    return describe_arrays(file.path, LAYOUT, arrays, requests, axes)


def _as_stated(file: Hdf5, points: Mapping[str, np.ndarray], time: np.ndarray) -> Found:
    """The arrays in the order that their names and coordinates state, else in that of the layout."""
    main = "tensor" if file.is_array("tensor") else "density"
    shape = file.shape(main)
    order = _order(file, main, shape, points, time)
    D, spatial = order.D, order.spatial(shape)
    trajectories, frames = order.size(TRAJECTORY, shape), order.size(TIME, shape)
    steady = AxisOrder(tuple(name for name in order.names if name != TIME))
    variables: dict[str, Variable] = {}
    for name in file.names():
        if name in (*_AXES, _TIME) or not file.is_array(name):
            continue
        sides, read = file.shape(name), partial(file.read, name)
        if sides == shape and order.k == 0:
            variables[name] = Variable(0, order.slices(read))
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
            frames_of = channels.slices(read)
            variables |= {f"{name}.{i}": Variable(0, channel(frames_of, i)) for i in range(count)}
        elif sides == (trajectories, *spatial) and order == AxisOrder.usual(D):
            variables[name] = Variable(0, steady.slices(read), varies=False)
    velocity = tuple(name for name in _VELOCITY if name in variables)
    scalars = [name for name in variables if len(velocity) != D or name not in velocity]
    defaults = [FieldRequest(Field(name, 0, 0, UNIT_NOT_STATED), (name,)) for name in scalars]
    if len(velocity) == D:
        defaults.append(FieldRequest(Field("velocity", 1, 0, UNIT_NOT_STATED), velocity))
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
        defaults=tuple(defaults),
        unclear=_question(variables, D, len(velocity)),
    )


def _order(
    file: Hdf5, main: str, shape: tuple[int, ...], points: Mapping[str, np.ndarray], time: np.ndarray
) -> AxisOrder:
    """The order of the axes: by their names, else that of the layout, else the only one that the coordinates allow."""
    named = order_by_names(file.axis_labels(main))
    counts = {axis: len(values) for axis, values in points.items()}
    if named is not None:
        for axis in SPACE[: named.D]:
            if axis in counts:
                side = named.size(axis, shape)
                check_length(file.path, f"{axis}-coordinate", counts[axis], main, axis, side)
        return named
    D = len(points) or len(shape) - 2
    if not 1 <= D <= 3 or not 1 + D <= len(shape) <= 3 + D:
        raise FileError(
            f"{file.path}: shape of '{main}'",
            got=shape,
            expected="(batch, time, x, y, z) in 1 to 3 dimensions",
        )

    def fits(order: AxisOrder) -> bool:
        frames = order.size(TIME, shape)
        return len(time) in (0, frames, frames + 1) and all(
            order.size(axis, shape) == count for axis, count in counts.items()
        )

    own = [AxisOrder.usual(D, k) for k in (0, 1) if len(shape) == 2 + D + k]
    if own and fits(own[0]):
        return own[0]
    likely = [each for each in readings(shape) if each.order.D == D and fits(each.order)]
    if len(likely) == 1:
        return likely[0].order
    if not own:
        raise FileError(f"{file.path}: shape of '{main}'", got=shape, expected=f"(batch, time{', x' * D})")
    for axis, count in counts.items():
        check_length(file.path, f"{axis}-coordinate", count, main, axis, own[0].size(axis, shape))
    check_length(file.path, _TIME, len(time), main, "time", own[0].size(TIME, shape))
    return own[0]


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
