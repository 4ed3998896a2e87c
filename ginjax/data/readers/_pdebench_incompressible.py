"""PDEBench for incompressible Navier-Stokes: `velocity (batch, time, x, y, 2)`, `particles (batch, time, x, y, 1)`.

`force (batch, x, y, 2)` does not vary in time; `t (batch, time)` holds the times. The published files have walls.
"""

from __future__ import annotations

import numpy as np

from ginjax.checkpoint import Field
from ginjax.data._axis_order import AxisOrder, AxisSlices
from ginjax.data._found import Found, Variable
from ginjax.data._request import UNIT_NOT_STATED, FieldRequest
from ginjax.data.readers._coordinates import check_length, step_of_rows
from ginjax.data.readers._hdf5 import Hdf5
from ginjax.data.readers._reader import hdf5_reader
from ginjax.errors import FileError

LAYOUT = "pdebench"


def _recognises(file: Hdf5) -> bool:
    """Whether a file looks like this layout."""
    return file.is_array("velocity") and file.is_array("particles")


def _find(file: Hdf5, split: str | None) -> Found:
    """Describe a file of this layout."""
    shape = file.shape("velocity")
    D = len(shape) - 3
    if not 1 <= D <= 3 or shape[-1] != D:
        raise FileError(
            f"{file.path}: shape of 'velocity'",
            got=shape,
            expected="(batch, time, x, y, components), as many as axes",
        )
    trajectories, frames, spatial = shape[0], shape[1], shape[2:-1]
    times = file.read_short("t", 2**24) if file.is_array("t") else np.arange(0.0)
    if times.size:
        check_length(file.path, "t", times.shape[-1], "velocity", "time", frames)
    variables: dict[str, Variable] = {}
    defaults = []
    for name in file.names():
        if not file.is_array(name):
            continue
        sides = file.shape(name)
        varies = sides[:-1] == (trajectories, frames, *spatial)
        if not varies and sides[:-1] != (trajectories, *spatial):
            continue
        k = {1: 0, D: 1}.get(sides[-1])
        if name == "particles" and sides[-1] == 1:
            k = 0
        if k is None:
            continue
        variables[name] = Variable(k, _slice(file, name, varies, k), varies=varies)
        defaults.append(FieldRequest(Field(name, k, 0, UNIT_NOT_STATED), (name,)))
    return Found(
        where=file.path,
        layout=LAYOUT,
        D=D,
        spatial=spatial,
        spacing=None,
        time_step=step_of_rows(file.path, "time", times),
        is_torus=(False,) * D,
        trajectories=trajectories,
        frames=frames,
        variables=variables,
        defaults=tuple(defaults),
        split=split,
        origin=file.provenance(),
        notes=tuple(filter(None, [file.chunk_remark("velocity", AxisOrder.usual(D, 1))])),
        close=file.close,
    )


def _slice(file: Hdf5, name: str, varies: bool, k: int) -> AxisSlices:
    def read(trajectory: int, start: int, stop: int, box: tuple[slice, ...]) -> np.ndarray:
        selection = (trajectory, slice(start, stop)) if varies else (slice(trajectory, trajectory + 1),)
        values = file.read(name, (*selection, *box))
        return values if k else values[..., 0]

    return AxisSlices(read)


PDEBENCH_INCOMPRESSIBLE = hdf5_reader("pdebench-incompressible", _recognises, _find)
