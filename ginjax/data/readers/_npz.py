"""NumPy files: `.npz` with one array for each field, or `.npy` with a single field.

The axes of an array are `(trajectory, time, *spatial, D, ..., D)`, or those stated in `axes`. An `.npz` may describe itself
in an entry `schema`, a JSON text such as

    {"dimension": 2, "spacing": 0.0625, "time_step": 0.04, "periodic": true, "length_unit": "m", "time_unit": "s",
     "fields": [{"name": "velocity", "order": 1, "parity": "even", "unit": "m/s"},
                {"name": "pressure", "order": 0, "axes": "time,x,y"}],
     "constants": [{"name": "viscosity", "order": 0}]}

Constants are `(trajectory, *spatial, D, ..., D)`. Without a schema, the user names the fields. Arrays are memory-mapped. This is
not possible for compressed arrays: these are unpacked as a whole when they are used, up to `MAX_UNPACKED` bytes.
"""

from __future__ import annotations

import os
import zipfile
from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from typing import Any

import numpy as np

from ginjax._unknown_name import nearest, unknown_name
from ginjax.checkpoint import Field, expect
from ginjax.data._axis_order import COMPONENT, TIME, TRAJECTORY, AxisOrder
from ginjax.data._found import Found, Variable
from ginjax.data._request import FieldRequest
from ginjax.data.readers._bare_arrays import describe_arrays
from ginjax.data.readers._coordinates import check_points, points_among
from ginjax.data.readers._data_file import DataFile
from ginjax.data.readers._foreign import holds_pickle
from ginjax.data.readers._numpy_file import SCHEMA, NumpyArray, read_numpy
from ginjax.data.readers._reader import Reader
from ginjax.data.readers._steps import one_spacing
from ginjax.data.readers._stored_array import StoredArray, numbers_among
from ginjax.errors import ArgumentError, FileError

LAYOUT = "npz"
_KEYS = ("dimension", "fields", "constants", "spacing", "time_step", "periodic", "length_unit", "time_unit")
_KEYS_OF_FIELD = ("name", "order", "parity", "unit", "axes")


def _recognises(file: DataFile) -> bool:
    """Whether a file begins like a NumPy file."""
    packed = file.start[:2] == b"PK" and zipfile.is_zipfile(file.path)
    return file.start[:6] == b"\x93NUMPY" or (packed and not holds_pickle(file.path))


def _find(file: DataFile, split: str | None, requests: tuple[FieldRequest, ...]) -> Found:
    """Describe an `.npz` or `.npy` file, distinguished by its first bytes; without a schema, by what the user states."""
    arrays, schema = read_numpy(file.path)
    if schema is not None:
        return _described(file.path, arrays, schema, file.axes, pairs=file.pairs)
    stored = {name: _stored(each) for name, each in arrays.items()}
    found = describe_arrays(
        file.path, LAYOUT, stored, requests, file.axes, pairs=file.pairs, dimensions=file.dimensions
    )
    return replace(found, origin={"file": os.path.basename(file.path)})


def _described(
    path: str,
    arrays: Mapping[str, NumpyArray],
    schema: Mapping[str, Any],
    said: Mapping[str, AxisOrder],
    *,
    pairs: bool,
) -> Found:
    """A file described by its schema, and by the order of axes that the user states, if any."""
    _known(schema, _KEYS, f"{path}: entry '{SCHEMA}'")
    D = expect(schema, "dimension", int, where=path, least=1, most=3)
    fields, constants = (_entries(schema, part, path) for part in ("fields", "constants"))
    if unknown := sorted(set(said) - {*fields, *constants, ""}):
        raise unknown_name(
            f"`axes` of array '{unknown[0]}'",
            unknown[0],
            fields | constants,
            got="no such array in the schema",
            expected="one of " + ", ".join(fields | constants),
        )
    variables: dict[str, Variable] = {}
    leads: dict[str, tuple[int | None, int | None, tuple[int, ...]]] = {}
    orders: dict[str, AxisOrder] = {}
    read_as: dict[str, AxisOrder] = {}
    for name, entry in (fields | constants).items():
        if name not in arrays:
            raise FileError(
                f"{path}: array '{name}' of the schema is missing", got=", ".join(arrays) or "nothing"
            )
        if arrays[name].problem is not None:
            variables[name] = Variable(entry.k, _unreadable, problem=arrays[name].problem)
            continue
        steady = name in constants
        usual = AxisOrder.usual(D, entry.k, varies=not steady)
        order = said.get(name, said.get("")) or entry.axes or usual
        if name not in said and len(order.without_components().names) == len(arrays[name].shape):
            order = (
                order.without_components()
            )  # a scalar, or a vector in 1D without the axis of its one component
        variables[name] = _variable(arrays[name], order, entry.k, D, usual)
        if variables[name].problem is None:
            shape = arrays[name].shape
            runs = order.size(TRAJECTORY, shape) if TRAJECTORY in order.names or not steady else None
            orders[name] = order
            leads[name] = runs, order.size(TIME, shape) if not steady else None, order.spatial(shape)
        if said:
            read_as[name] = order
    beside = points_among({name: array.shape for name, array in arrays.items()}, fields | constants)
    for name, order in orders.items():
        check_points(path, name, order, arrays[name].shape, beside)
    if not leads:
        for name, each in variables.items():
            raise FileError(f"{path}: array '{name}' of the schema: {each.problem}")
        raise FileError(f"{path}: no array is a time series", got={n: a.shape for n, a in arrays.items()})
    first = next((name for name, lead in leads.items() if pairs or lead[1] is not None), None)
    if first is None:
        raise FileError(f"{path}: no array varies in time")
    trajectories, frames, spatial = leads[first]
    for name, lead in leads.items():
        if (
            lead[0] not in (None, trajectories)
            or lead[1] not in (None, 1 if frames is None else frames)
            or lead[2] != spatial
        ):
            raise FileError(
                f"{path}: shape of '{name}'",
                got=arrays[name].shape,
                expected=f"to go with '{first}', of shape {arrays[first].shape}",
            )
    kinds, count = fields | constants, 1 if trajectories is None else trajectories
    points = {each.name for each in beside.values()}
    left = {name: _stored(each) for name, each in arrays.items() if name not in kinds and name not in points}
    variables |= numbers_among(path, left, count, spatial)
    return Found(
        where=path,
        layout=LAYOUT,
        D=D,
        spatial=spatial,
        spacing=_spacing(schema, D, path),
        time_step=expect(schema, "time_step", float, where=path, default=None, least=1e-30, most=1e30),
        length_unit=expect(schema, "length_unit", str, where=path, default=None, most=64),
        time_unit=expect(schema, "time_unit", str, where=path, default=None, most=64),
        is_torus=_periodic(schema.get("periodic", True), D, path),
        trajectories=count,
        frames=int(pairs) if frames is None else frames,
        variables=variables,
        defaults=tuple(
            FieldRequest(Field(n, each.k, each.p or 0, each.unit), (n,)) for n, each in kinds.items()
        ),
        origin={"file": os.path.basename(path)},
        read_as=read_as,
        parities_stated=frozenset(name for name, each in kinds.items() if each.p is not None),
        boundaries_stated="periodic" in schema,
    )


def _variable(array: NumpyArray, order: AxisOrder, k: int, D: int, usual: AxisOrder) -> Variable:
    """The variable of an array in the schema; its shape has to fit the order of its axes."""
    shape, mapped = array.shape, _mapped(array)
    fits = (
        len(order.names) == len(shape)
        and order.D == D
        and order.varies == usual.varies
        and all(n == D for n in order.components(shape))
        and (order.k == k or D == 1)
    )
    if fits:
        return Variable(order.k, order.slices(mapped), order.varies)
    wanted = ", ".join(str(D) if name == COMPONENT else name for name in order.names)
    return Variable(k, _unreadable, usual.varies, f"its shape is {shape}, expected ({wanted})")


def _spacing(schema: Mapping[str, Any], D: int, path: str) -> float | tuple[float, ...] | None:
    """The spacing: one number, or a list with one for each axis."""
    if not isinstance(schema.get("spacing"), list):
        return expect(schema, "spacing", float, where=path, default=None, least=1e-30, most=1e30)
    steps = [
        expect({"spacing": step}, "spacing", float, where=path, least=1e-30, most=1e30)
        for step in expect(schema, "spacing", list, where=path, least=D, most=D)
    ]
    found = one_spacing(path, steps)
    return None if isinstance(found, np.ndarray) else found  # never the case here


def _periodic(value: Any, D: int, path: str) -> tuple[bool, ...]:
    flags = value if isinstance(value, list) else [value] * D
    if len(flags) != D or not all(isinstance(flag, bool) for flag in flags):
        raise FileError(
            f"{path}: field 'periodic'", got=repr(value)[:60], expected=f"true, false, or {D} of these"
        )
    return tuple(flags)


@dataclass(frozen=True)
class _Entry:
    """What a schema states about a field; its parity is None if not stated."""

    k: int
    p: int | None
    unit: str
    axes: AxisOrder | None


def _entries(schema: Mapping[str, Any], part: str, path: str) -> dict[str, _Entry]:
    found = {}
    for entry in expect(schema, part, list, where=path, default=[], most=256):
        entry = entry if isinstance(entry, dict) else {}
        _known(entry, _KEYS_OF_FIELD, f"{path}: {part} of the schema")
        name = expect(entry, "name", str, where=path, least=1, most=256)
        k = expect(entry, "order", int, where=path, least=0, most=4)
        parity = expect(entry, "parity", str, where=path, default=None, choices=("even", "odd"))
        unit = expect(entry, "unit", str, where=path, default="1", most=64)
        axes = expect(entry, "axes", str, where=path, default=None, most=256)
        p = None if parity is None else int(parity == "odd")
        found[name] = _Entry(k, p, unit, None if axes is None else _stated(axes, name, path))
    return found


def _known(found: Mapping[str, Any], keys: tuple[str, ...], where: str) -> None:
    """Refuse an unknown key, which may be a misspelt one.

    **Raises:** `FileError` that names it.
    """
    unknown = [key for key in found if key not in keys]
    if unknown:
        near = nearest(unknown[0].replace("-", "_"), keys)
        raise FileError(
            where,
            got=f"key {unknown[0]!r}",
            expected=", ".join(keys),
            hint=f"Is {near[0]!r} meant?" if near else "Leave it out, or keep it in an array of its own.",
        )


def _stated(axes: str, name: str, path: str) -> AxisOrder:
    """The order of axes that a schema states.

    **Raises:** `FileError` if it is not an order.
    """
    try:
        return AxisOrder.parse(axes)
    except ArgumentError as error:
        raise FileError(
            f"{path}: axes of '{name}' in the schema", got=error.got, expected=error.expected
        ) from error


def _unreadable(trajectory: int, start: int, stop: int) -> np.ndarray:
    raise AssertionError  # a variable with a problem is never chosen


def _stored(array: NumpyArray) -> StoredArray:
    return StoredArray(array.shape, _mapped(array), array.problem, array.dtype == bool)


def _mapped(array: NumpyArray) -> Callable[[tuple[int | slice, ...]], np.ndarray]:
    """A function that reads the selection only."""
    return lambda selection: np.array(array.values[selection])


NUMPY = Reader(LAYOUT, _recognises, _find)
