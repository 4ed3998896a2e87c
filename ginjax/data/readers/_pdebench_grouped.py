"""PDEBench with one group for each seed: `0000/data (time, x, y, channels)`, with coordinates in `0000/grid`.

The published files of this layout (diffusion-reaction, diffusion-sorption, radial dam break) are not periodic.
"""

from __future__ import annotations

import numpy as np

from ginjax.checkpoint import Field
from ginjax.data._axis_order import AxisSlices
from ginjax.data._found import Found, Variable
from ginjax.data._request import UNIT_NOT_STATED, FieldRequest
from ginjax.data.readers._coordinates import by_trajectory, check_length
from ginjax.data.readers._hdf5 import Hdf5
from ginjax.data.readers._reader import hdf5_reader
from ginjax.data.readers._steps import equal_step, one_spacing
from ginjax.errors import FileError

LAYOUT = "pdebench"
_AXES = ("x", "y", "z")
_MAX_CHANNELS = 64


def _recognises(file: Hdf5) -> bool:
    """Whether a file looks like this layout."""
    return any(file.is_array(f"{name}/data") for name in file.names()[:1])


def _find(file: Hdf5, split: str | None) -> Found:
    """Describe a file of this layout."""
    seeds = tuple(name for name in file.names() if file.is_array(f"{name}/data"))
    grid = f"{seeds[0]}/grid"
    axes = [axis for axis in _AXES if file.is_array(f"{grid}/{axis}")]
    shapes = [file.shape(f"{seed}/data") for seed in seeds]
    D = len(axes) or len(shapes[0]) - 2
    if not 1 <= D <= 3 or len(shapes[0]) != D + 2 or not 1 <= shapes[0][-1] <= _MAX_CHANNELS:
        raise FileError(
            f"{file.path}: shape of '{seeds[0]}/data'", got=shapes[0], expected="(time, x, y, z, channels)"
        )
    odd = next((i for i, shape in enumerate(shapes) if shape[1:] != shapes[0][1:]), None)
    if odd is not None:
        raise FileError(
            f"{file.path}: shape of '{seeds[odd]}/data'", got=shapes[odd], expected=f"that of '{seeds[0]}'"
        )
    steps = _steps(file, seeds, axes, shapes)
    channels = shapes[0][-1]
    names = ("data",) if channels == 1 else tuple(f"data.{i}" for i in range(channels))
    unclear = None
    if channels > 1:
        unclear = f"whether the channels {', '.join(names)} are scalars or the components of a vector"
    elif D == 1:
        unclear = 'whether "data" is a scalar (`fields=["u:0+=data"]`) or a velocity (`fields=["u:1+=data"]`)'
    return Found(
        where=file.path,
        layout=LAYOUT,
        D=D,
        spatial=shapes[0][1:-1],
        spacing=one_spacing(file.path, [steps[axis] for axis in axes]),
        time_step=steps["t"],
        is_torus=(False,) * D,
        trajectories=len(seeds),
        frames=min(shape[0] for shape in shapes),
        lengths=tuple(shape[0] for shape in shapes),
        variables={name: Variable(0, _channel(file, seeds, i)) for i, name in enumerate(names)},
        defaults=tuple(FieldRequest(Field(name, 0, 0, UNIT_NOT_STATED), (name,)) for name in names),
        split=split,
        origin=file.provenance(),
        unclear=unclear,
        close=file.close,
    )


def _steps(
    file: Hdf5, seeds: tuple[str, ...], axes: list[str], shapes: list[tuple[int, ...]]
) -> dict[str, float | np.ndarray | None]:
    """By axis, the distance between points, and that between times; one for each seed if it differs.

    **Raises:** `FileError` for points or times that do not fit the array.
    """
    for axis, side in zip(axes, shapes[0][1:-1], strict=False):
        check_length(
            file.path,
            f"{seeds[0]}/grid/{axis}",
            file.points(f"{seeds[0]}/grid/{axis}"),
            f"{seeds[0]}/data",
            axis,
            side,
        )
    found = {}
    for name in ("t", *axes):
        path = f"{seeds[0]}/grid/{name}"
        first = file.read_short(path) if file.is_array(path) else np.arange(0.0)
        words = {"t": "time"}.get(name, f"axis {axes.index(name)}" if name in axes else name)
        step = equal_step(file.path, words, first)
        steps = []
        for index, seed in enumerate(seeds):
            path = f"{seed}/grid/{name}"
            own = file.read_short(path) if index and file.is_array(path) else first
            if name == "t" and own.size:
                check_length(file.path, path, own.size, f"{seed}/data", "time", shapes[index][0])
            same = np.array_equal(own, first)
            steps.append(step if same else equal_step(file.path, f"{words} of '{seed}'", own))
        found[name] = by_trajectory(steps)
    return found


def _channel(file: Hdf5, seeds: tuple[str, ...], channel: int) -> AxisSlices:
    return AxisSlices(
        lambda trajectory, start, stop, box: file.read(
            f"{seeds[trajectory]}/data", (slice(start, stop), *box, ..., channel)
        )
    )


PDEBENCH_GROUPED = hdf5_reader("pdebench-grouped", _recognises, _find)
