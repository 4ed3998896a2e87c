"""PDEBench, one array for each quantity: `(batch, time, x, y, z)`, as `tensor` or `density`, `pressure`, `Vx`, ...

Coordinates (`x-coordinate`, ..., `t-coordinate`) are optional, and the times may be one more than the frames.
The file does not state its boundaries; those of the published ones are periodic, unless their names end in `trans`.
"""

from __future__ import annotations

import numpy as np

from ginjax.checkpoint import Field
from ginjax.data._found import Found, ReadSlice, Variable
from ginjax.data._request import UNIT_NOT_STATED, FieldRequest
from ginjax.data.readers._hdf5 import Hdf5, equal_step, spacing_of
from ginjax.data.readers._reader import hdf5_reader
from ginjax.errors import FileError

LAYOUT = "pdebench"
_VELOCITY = ("Vx", "Vy", "Vz")
_AXES = ("x-coordinate", "y-coordinate", "z-coordinate")
_TIME = "t-coordinate"


def _recognises(file: Hdf5) -> bool:
    """Whether a file looks like this layout."""
    return file.is_array("tensor") or (file.is_array("density") and file.is_array("Vx"))


def _find(file: Hdf5, split: str | None) -> Found:
    """Describe a file of this layout."""
    main = "tensor" if file.is_array("tensor") else "density"
    shape = file.shape(main)
    axes = [name for name in _AXES if file.is_array(name)]
    D = len(axes) or len(shape) - 2
    if not 1 <= D <= 3 or not 2 + D <= len(shape) <= 3 + D:
        raise FileError(
            f"{file.path}: shape of '{main}'",
            got=shape,
            expected="(batch, time, x, y, z) in 1 to 3 dimensions",
        )
    trajectories, frames, spatial = shape[0], shape[1], shape[2 : 2 + D]
    points = [file.read_short(axis) for axis in axes]
    time = file.read_short(_TIME) if file.is_array(_TIME) else np.arange(0.0)

    variables: dict[str, Variable] = {}
    for name in file.names():
        if name in (*_AXES, _TIME) or not file.is_array(name):
            continue
        sides = file.shape(name)
        if sides == (trajectories, frames, *spatial):
            variables[name] = Variable(0, _frames(file, name))
        elif sides[:-1] == (trajectories, frames, *spatial):
            variables |= {
                f"{name}.{i}": Variable(0, _frames(file, name, i)) for i in range(min(sides[-1], 64))
            }
        elif sides == (trajectories, *spatial):
            variables[name] = Variable(0, _constant(file, name), varies=False)
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
        spacing=spacing_of(file.path, points),
        time_step=equal_step(file.path, "time", time),
        is_torus=(True,) * D,
        trajectories=trajectories,
        frames=frames,
        variables=variables,
        defaults=tuple(defaults),
        split=split,
        origin=file.provenance(),
        unclear=_question(variables, D, len(velocity)),
        close=file.close,
    )


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


def _frames(file: Hdf5, name: str, channel: int | None = None) -> ReadSlice:
    last = () if channel is None else (..., channel)
    return lambda trajectory, start, stop: file.read(name, (trajectory, slice(start, stop), *last))


def _constant(file: Hdf5, name: str) -> ReadSlice:
    return lambda trajectory, start, stop: file.read(name, (slice(trajectory, trajectory + 1),))


PDEBENCH = hdf5_reader(LAYOUT, _recognises, _find)
