"""Writing time series in the layout of The Well."""

from __future__ import annotations

import json
import math
import os
from collections.abc import Callable, Iterator, Mapping
from typing import Any, BinaryIO

import h5py
import numpy as np

from ginjax._text import storable
from ginjax._version import __version__
from ginjax.checkpoint import Field, atomic_write, check_target
from ginjax.data._frames import MAX_VALUES_AT_ONCE
from ginjax.data._not_finite import NotFinite, NotFiniteCount
from ginjax.data._scratch import Scratch
from ginjax.data._trajectories import Trajectories
from ginjax.data.readers import ASSUMED, COUNTED, MAX_ABOUT
from ginjax.data.sources import MemorySource, Source, condition_values
from ginjax.errors import ArgumentError, UnsupportedError

AXES = ("x", "y", "z")
ABOUT = "ginjax"


def write_well(
    path: str | os.PathLike[str],
    data: Source | Trajectories,
    *,
    name: str,
    parameters: Mapping[str, float] | None = None,
    about: Mapping[str, object] | None = None,
    force: bool = False,
    progress: Callable[[int, int], None] | None = None,
) -> tuple[NotFinite, ...]:
    """Write trajectories to one HDF5 file in the layout of The Well; equal data give equal bytes.

    A boundary that nobody has stated is marked as assumed, so that a reader can tell it from a stated one. Constants are
    written as fields that do not vary in time. Conditions are written as scalars, one number for each trajectory. If the
    spacing or the time step is unknown, the coordinates count points or frames; the attribute `units` says so, and `open_data`
    then knows that they are not lengths or times. In addition to the layout, each field has its `parity` and `units`, points
    and times have their `units`, and the file has an attribute `ginjax` with its provenance.

    **Arguments:**

    - `path`: the file to write; it is complete or absent.
    - `data`: trajectories of equal length in 1 to 3 dimensions; read a few frames at a time.
    - `name`: name of the data set.
    - `parameters`: numbers that the simulations were run with.
    - `about`: provenance, as JSON values.
    - `force`: replace an existing file.
    - `progress`: called as `progress(done, total)` with numbers of frames.

    **Returns:** the fields that have NaN or infinite values in the new file. Such data cannot be used for training.

    **Raises:** `FileError` if the file cannot be written, `UnsupportedError` for tensors of order above 2,
    `ArgumentError` for trajectories of different lengths or more than 3 dimensions.
    """
    source = MemorySource.of(data) if isinstance(data, Trajectories) else data
    target = check_target(path, force=force)
    if not 1 <= source.D <= len(AXES):
        raise ArgumentError("dimension of the data", got=source.D, expected="1, 2 or 3")
    for field in (*source.schema, *source.constants):
        if field.k > 2:
            raise UnsupportedError(
                f"field '{field.name}' has order {field.k}", expected="at most 2 in The Well"
            )
    if any(source.frames_of(i) != source.frames for i in range(source.trajectories)):
        raise ArgumentError(
            "frames of the trajectories",
            got="different numbers",
            expected="the same in all",
            hint=f"`frames={source.frames}` keeps the first {source.frames} of each, the number of the shortest.",
        )
    text = json.dumps(storable({"version": __version__, **(about or {})}), sort_keys=True)
    if len(text) > MAX_ABOUT:
        raise ArgumentError("about", got=f"{len(text)} characters", expected=f"at most {MAX_ABOUT}")

    # HDF5 moves back and forth while it writes, which the output stream cannot do: a nameless file comes first.
    with Scratch(path, target.parent) as scratch:
        with h5py.File(scratch, "w") as file:
            _describe(file, source, name, dict(parameters or {}), text)
            found = _fill(file, source, progress)
        scratch.check()

        def copy(stream: BinaryIO) -> None:
            scratch.seek(0)
            while block := scratch.read(2**24):
                stream.write(block)

        atomic_write(path, copy, force=force)
    return found


def _describe(file: h5py.File, source: Source, name: str, parameters: dict[str, float], about: str) -> None:
    axes = AXES[: source.D]
    file.attrs["dataset_name"] = storable(name)
    file.attrs["grid_type"] = "cartesian"
    file.attrs["n_spatial_dims"] = source.D
    file.attrs["n_trajectories"] = source.trajectories
    file.attrs["simulation_parameters"] = _strings(list(parameters))
    for parameter, value in parameters.items():
        file.attrs[parameter] = value
    file.attrs[ABOUT] = about

    dimensions = file.create_group("dimensions")
    dimensions.attrs["spatial_dims"] = _strings(list(axes))
    steps = {"time": (source.frames, source.time_step)}
    steps |= {axis: (n, source.spacing) for axis, n in zip(axes, source.spatial, strict=True)}
    units = {"time": source.time_unit} | dict.fromkeys(axes, source.length_unit)
    for axis, (count, step) in steps.items():
        points = (np.arange(count) * (1.0 if step is None else step)).astype(np.float32)
        coordinates = dimensions.create_dataset(axis, data=points)
        coordinates.attrs["sample_varying"] = False
        if step is None:
            coordinates.attrs["units"] = COUNTED
        elif (unit := units[axis]) is not None:
            coordinates.attrs["units"] = unit
        if axis != "time":
            coordinates.attrs["time_varying"] = False

    boundaries = file.create_group("boundary_conditions")
    for axis, side, periodic in zip(axes, source.spatial, source.is_torus, strict=True):
        kind = "PERIODIC" if periodic else "OPEN"
        boundary = boundaries.create_group(f"{axis}_{kind.lower()}")
        boundary.attrs["associated_dims"] = _strings([axis])
        boundary.attrs["associated_fields"] = _strings([])
        boundary.attrs["bc_type"] = kind
        boundary.attrs["sample_varying"] = boundary.attrs["time_varying"] = False
        if source.boundaries_assumed:
            boundary.attrs[ASSUMED] = True
        mask = np.zeros(side, bool)
        mask[[0, -1]] = True
        boundary.create_dataset("mask", data=mask)

    told = [field for field in source.constants if field.name in source.conditions]
    scalars = file.create_group("scalars")
    scalars.attrs["field_names"] = _strings([field.name for field in told])
    for field in told:
        _create_number(scalars, field, source)
    for k in range(3):
        group = file.create_group(f"t{k}_fields")
        varying = [field for field in source.schema if field.k == k]
        steady = [field for field in source.constants if field.k == k and field not in told]
        group.attrs["field_names"] = _strings([field.name for field in (*varying, *steady)])
        for field in varying:
            _create(group, field, source, (source.trajectories, source.frames))
        for field in steady:
            _create(group, field, source, (source.trajectories,))


def _create_number(group: h5py.Group, field: Field, source: Source) -> None:
    """Create one number for each trajectory, in double precision, with its values."""
    _check_name(field)
    values = condition_values(source, (field.name,))[field.name]
    array = group.create_dataset(field.name, data=values)
    array.attrs["sample_varying"], array.attrs["time_varying"] = True, False
    array.attrs["parity"] = "odd" if field.p else "even"
    array.attrs["units"] = field.unit


def _check_name(field: Field) -> None:
    if "/" in field.name or field.name in ("", "."):
        raise ArgumentError("name of a field", got=repr(field.name), expected="a name without '/'")


def _create(group: h5py.Group, field: Field, source: Source, lead: tuple[int, ...]) -> None:
    _check_name(field)
    dtype = np.float64 if any(map(_needs_digits, _some(field, source, len(lead) == 2))) else np.float32
    array = group.create_dataset(field.name, (*lead, *source.spatial, *(source.D,) * field.k), dtype)
    array.attrs["dim_varying"] = np.ones(source.D, bool)
    array.attrs["sample_varying"] = True
    array.attrs["time_varying"] = len(lead) == 2
    array.attrs["parity"] = "odd" if field.p else "even"
    array.attrs["units"] = field.unit
    if field.k == 2:
        array.attrs["symmetric"] = array.attrs["antisymmetric"] = False


def _some(field: Field, source: Source, varies: bool) -> Iterator[np.ndarray]:
    """Sample values: the first frame, which may be without structure, and the last frame of the last trajectory.

    For a source whose frames are costly to read out of order, only the first frame.
    """
    last = source.trajectories - 1
    looked_at = ((0, 0),) if source.in_order else ((0, 0), (last, source.frames - 1))
    for trajectory, frame in dict.fromkeys(looked_at):
        found = (
            source.read(trajectory, frame, frame + 1, precise=True)
            if varies
            else source.read_constants(trajectory, precise=True)
        )
        yield found[field.name]


def _fill(
    file: h5py.File, source: Source, progress: Callable[[int, int], None] | None
) -> tuple[NotFinite, ...]:
    count = NotFiniteCount()
    k_of = {field.name: field.k for field in (*source.schema, *source.constants)}
    per_frame = math.prod(source.spatial) * sum(source.D**field.k for field in source.schema)
    at_once = max(1, MAX_VALUES_AT_ONCE // max(per_frame, 1))
    total = source.trajectories * source.frames

    def put(name: str, where: tuple[int | slice, ...], values: np.ndarray, start: int | None = None) -> None:
        array: Any = file[f"t{k_of[name]}_fields"][name]  # pyright: ignore[reportIndexIssue]
        with np.errstate(over="ignore"):  # values beyond single precision are counted
            stored = values.astype(array.dtype, copy=False)
        count.note(name, stored, source.D, index, start)
        array[where] = stored

    for index in range(source.trajectories):
        for start in range(0, source.frames, at_once):
            stop = min(start + at_once, source.frames)
            for name, values in source.read(index, start, stop, precise=True).items():
                put(name, (index, slice(start, stop)), values, start)
            if progress is not None:
                progress(index * source.frames + stop, total)
        if len(source.constants) > len(source.conditions):
            for name, values in source.read_constants(index, precise=True).items():
                if name not in source.conditions:
                    put(name, (index,), values)
    return count.found


def _needs_digits(values: np.ndarray) -> bool:
    """Whether values vary so little around their mean that single precision would lose the variation."""
    if values.dtype != np.float64 or not np.isfinite(values).all():
        return False
    lost = float(np.abs(values - values.astype(np.float32)).max(initial=0.0))
    return lost > 1e-3 * float(np.ptp(values)) > 0


def _strings(names: list[str]) -> np.ndarray:
    return np.array(names, dtype=h5py.string_dtype())
