"""The Well: HDF5 with groups of fields by tensor order. Flags of each field state along which axes it varies.

Layout: https://polymathic-ai.org/the_well/data_format. The array of a field has a trajectory axis only if
`sample_varying` is set, a time axis only if `time_varying` is set, and a spatial axis only if its entry of `dim_varying` is set.
"""

from __future__ import annotations

import contextlib
from collections.abc import Sequence
from functools import partial
from typing import Any

import numpy as np

from ginjax.checkpoint import Field, JsonProblem, parse_json
from ginjax.data._axis_order import COMPONENT, SPACE, TIME, TRAJECTORY, AxisOrder, AxisSlices
from ginjax.data._found import Found, Variable, number_variable
from ginjax.data._planes_in_words import planes_notes
from ginjax.data._request import UNIT_NOT_STATED, FieldRequest
from ginjax.data.readers._coordinates import step_of_rows
from ginjax.data.readers._counted import ASSUMED, COUNTED
from ginjax.data.readers._hdf5 import Hdf5
from ginjax.data.readers._reader import hdf5_reader
from ginjax.data.readers._steps import one_spacing
from ginjax.errors import FileError

LAYOUT = "the-well"
MAX_ABOUT = 2**15
"""Most characters of a provenance; HDF5 limits an attribute to 64 KiB."""

_GROUPS = ("t0_fields", "t1_fields", "t2_fields")


def _recognises(file: Hdf5) -> bool:
    """Whether a file states that it has this layout."""
    return file.is_group("dimensions") and any(file.is_group(group) for group in _GROUPS)


def _find(file: Hdf5, split: str | None) -> Found:
    """Describe a file of this layout."""
    where = file.path
    grid_type = str(_required(file, "/", "grid_type"))
    if grid_type.lower() != "cartesian":
        raise FileError(
            f"{where}: grid",
            got=grid_type,
            expected="cartesian: the filters know the symmetries of a square grid only",
            hint="Resample the fields onto a Cartesian grid.",
        )
    axes = _strings(_required(file, "dimensions", "spatial_dims"))
    D = len(axes)
    dimensions = file.attribute("/", "n_spatial_dims", D)
    if dimensions != D or not 1 <= D <= 3:
        raise FileError(
            f"{where}: number of dimensions", got=f"{dimensions}, with axes {axes}", expected="1, 2 or 3"
        )
    steps = [step_of_rows(where, axis, file.read_short(f"dimensions/{axis}")) for axis in axes]
    sides = tuple((file.shape(f"dimensions/{axis}") or (1,))[-1] for axis in axes)
    # Axes named x, y, z are these axes, in whatever order they are stored.
    turn = tuple(axes.index(axis) for axis in SPACE[:D]) if set(axes) == set(SPACE[:D]) else tuple(range(D))
    spatial = tuple(sides[i] for i in turn)
    fields = [(k, f"{group}/{name}") for k, group in enumerate(_GROUPS) for name in _names(file, group)]
    trajectories, frames = _counts(file, [path for _, path in fields])
    time = file.read_short("dimensions/time") if file.is_array("dimensions/time") else np.arange(0.0)

    variables: dict[str, Variable] = {}
    defaults, notes, stated = [], [], set()
    for k, path in fields:
        name = path.partition("/")[2]
        variables[name] = _field(file, path, k, (trajectories, frames), sides, turn)
        notes += _chunks(file, path)
        unit, parity = (file.attribute(path, attribute, None) for attribute in ("units", "parity"))
        defaults.append(_request(name, k, str(unit)[:64] if unit else UNIT_NOT_STATED, int(parity == "odd")))
        if parity in ("even", "odd"):
            stated.add(name)
    for path in (f"scalars/{name}" for name in _names(file, "scalars")):
        name = path.partition("/")[2]
        name = path if name in variables else name
        variables[name] = _field(file, path, 0, (trajectories, frames), (1,) * D, turn, grid=spatial)
        if not variables[name].varies and variables[name].problem is None:
            read = partial(file.read_number, path, trajectories)
            variables[name] = number_variable(f"{where}: '{path}'", read, trajectories, spatial)
        if variables[name].varies:
            notes.append(
                f"number '{name}' varies in time and is left out (name it to use it: `fields=['{name}:0+']`)"
            )
        else:
            unit, parity = (file.attribute(path, attribute, None) for attribute in ("units", "parity"))
            defaults.append(
                _request(name, 0, str(unit)[:64] if unit else UNIT_NOT_STATED, int(parity == "odd"))
            )
    is_torus, stated_axes = _boundaries(file, [axes[i] for i in turn])
    origin = _origin(file)
    return Found(
        where=where,
        layout=LAYOUT,
        D=D,
        spatial=spatial,
        spacing=None if _counted(file, axes[0]) else one_spacing(where, [steps[i] for i in turn]),
        time_step=None if _counted(file, "time") else step_of_rows(where, "time", time),
        length_unit=_unit(file, axes[0]),
        time_unit=_unit(file, "time"),
        is_torus=is_torus,
        trajectories=trajectories,
        frames=frames,
        variables=variables,
        defaults=tuple(defaults),
        split=split,
        origin=origin,
        notes=(*notes, *planes_notes(origin)),
        parities_stated=frozenset(stated),
        boundaries_stated=stated_axes,
        close=file.close,
    )


def _chunks(file: Hdf5, path: str) -> list[str]:
    """Remarks on the chunks of a field that varies by trajectory and in time."""
    lead = (TRAJECTORY, TIME) if file.attribute(path, "sample_varying", False) else (TIME,)
    D = len(file.shape(path)) - len(lead)
    if not (file.attribute(path, "time_varying", False) and D >= 1):
        return []
    order = AxisOrder((*lead, *SPACE[:D], *(COMPONENT,) * max(D - len(SPACE), 0)))
    remark = file.chunk_remark(path, order)
    return [] if remark is None else [remark]


def _request(name: str, k: int, unit: str = UNIT_NOT_STATED, p: int = 0) -> FieldRequest:
    return FieldRequest(Field(name, k, p, unit), (name,))


def _field(
    file: Hdf5,
    path: str,
    k: int,
    counts: tuple[int, int],
    sides: tuple[int, ...],
    turn: tuple[int, ...],
    grid: tuple[int, ...] | None = None,
) -> Variable:
    """A field by its flags; `turn` says which stored axis is x, y, z.

    A number (with `grid` given) has no spatial axes and is broadcast over the grid.
    """
    (trajectories, frames), D = counts, len(sides)
    by_sample, by_time, by_axis = (
        file.attribute(path, flag, None) for flag in ("sample_varying", "time_varying", "dim_varying")
    )
    if grid is not None:
        by_axis = [False] * D
    flags = (by_sample, by_time, *(by_axis if isinstance(by_axis, list) and len(by_axis) == D else [None]))
    if any(flag not in (True, False) for flag in flags):
        problem = "its flags sample_varying, time_varying and dim_varying are missing or malformed"
        return Variable(k, _unreadable, problem=problem)
    lead = ((trajectories,) if by_sample else ()) + ((frames,) if by_time else ())
    kept = tuple(side for side, varies in zip(sides, flags[2:], strict=True) if varies)
    shape = file.shape(path)
    fits = [lead + kept + (D,) * k] + ([lead + kept + (D * D,)] if k == 2 else [])
    if grid is not None:
        fits += [(*lead, 1)]
    if shape not in fits:
        problem = f"its shape is {shape}, but its flags and the grid ask for {fits[0]}"
        return Variable(k, _unreadable, varies=bool(by_time), problem=problem)
    along = flags[2:]
    full = sides if grid is None else grid

    def read(trajectory: int, start: int, stop: int, box: tuple[slice, ...]) -> np.ndarray:
        selection = ((trajectory,) if by_sample else ()) + ((slice(start, stop),) if by_time else ())
        # The box is along x, y, z; the axes may be stored in another order.
        stored = [slice(0, n) for n in full]
        for axis, part in zip(turn if grid is None else range(D), box, strict=False):
            stored[axis] = part
        kept = tuple(part for part, varies in zip(stored, along, strict=True) if varies)
        counts = [len(range(n)[part]) for n, part in zip(full, stored, strict=True)]
        inner = tuple(n if varies else 1 for n, varies in zip(counts, along, strict=True))
        values = file.read(path, (*selection, *kept) if box else selection).reshape(-1, *inner, *(D,) * k)
        return _turned(np.broadcast_to(values, (stop - start, *counts, *(D,) * k)), k, () if grid else turn)

    return Variable(k, AxisSlices(read), varies=bool(by_time))


def _turned(values: np.ndarray, k: int, turn: tuple[int, ...]) -> np.ndarray:
    """Frames with their axes, and the components of tensors, in the order x, y, z."""
    if turn == tuple(range(len(turn))):
        return values
    D = len(turn)
    values = values.transpose(0, *(1 + i for i in turn), *range(1 + D, 1 + D + k))
    for axis in range(1 + D, 1 + D + k):
        values = values.take(turn, axis)
    return values


def _unreadable(trajectory: int, start: int, stop: int) -> np.ndarray:
    raise AssertionError  # a variable with a problem is never chosen


def _counts(file: Hdf5, paths: Sequence[str]) -> tuple[int, int]:
    """Numbers of trajectories and frames."""
    trajectories, frames = file.attribute("/", "n_trajectories", None), None
    if file.is_array("dimensions/time"):
        frames = (file.shape("dimensions/time") or (1,))[-1]
    for path in paths:
        shape, by_sample = file.shape(path), bool(file.attribute(path, "sample_varying", False))
        if by_sample and trajectories is None and shape:
            trajectories = shape[0]
        if frames is None and file.attribute(path, "time_varying", False) and len(shape) > by_sample:
            frames = shape[int(by_sample)]
    if not isinstance(trajectories, int) or not isinstance(frames, int):
        raise FileError(f"{file.path}: does not say how many trajectories and frames it holds")
    return trajectories, frames


def _boundaries(file: Hdf5, axes: Sequence[str]) -> tuple[tuple[bool, ...], bool]:
    """Which axes are periodic, and whether the file states something about every axis."""
    types: dict[str, set[str]] = {axis: set() for axis in axes}
    assumed = False
    for name in file.names("boundary_conditions"):
        group = f"boundary_conditions/{name}"
        kind = str(file.attribute(group, "bc_type", "")).lower()
        assumed = assumed or file.attribute(group, ASSUMED, False) is True
        for axis in _strings(file.attribute(group, "associated_dims", [])):
            types.setdefault(axis, set()).add(kind)
    periodic = tuple(types[axis] == {"periodic"} for axis in axes)
    return periodic, all(types[axis] for axis in axes) and not assumed


def _counted(file: Hdf5, name: str) -> bool:
    """Whether points or times were only numbered."""
    return file.attribute(f"dimensions/{name}", "units") == COUNTED


def _unit(file: Hdf5, name: str) -> str | None:
    """The unit of points or times, if the file states it."""
    unit = file.attribute(f"dimensions/{name}", "units", None)
    return unit[:64] if isinstance(unit, str) and unit != COUNTED else None


def _origin(file: Hdf5) -> dict[str, Any]:
    """Provenance; for files written by ginjax, what they state about themselves."""
    origin = file.provenance()
    about = origin["attributes"].pop("ginjax", None)
    if about is not None:
        with contextlib.suppress(JsonProblem):
            origin["about"] = parse_json(str(file.attribute("/", "ginjax"))[:MAX_ABOUT])
    return origin


def _names(file: Hdf5, group: str) -> list[str]:
    """The datasets of a group, in the order of its own list."""
    present = [name for name in file.names(group) if file.is_array(f"{group}/{name}")]
    listed = dict.fromkeys(_strings(file.attribute(group, "field_names", []))) if present else {}
    return [name for name in listed if name in present] + [name for name in present if name not in listed]


def _required(file: Hdf5, name: str, attribute: str) -> Any:
    value = file.attribute(name, attribute, None)
    if value is None:
        raise FileError(
            f"{file.path}: attribute '{attribute}' of '{name}' is missing",
            hint="The file does not follow the layout of The Well.",
        )
    return value


def _strings(value: Any) -> list[str]:
    return [str(item) for item in value] if isinstance(value, list) else [str(value)]


THE_WELL = hdf5_reader(LAYOUT, _recognises, _find)
