"""NumPy files: `.npz` with one array `(trajectory, time, *spatial, D, ..., D)` for each field, or one such `.npy`.

An `.npz` may describe itself in an entry `schema`, a JSON text such as

    {"dimension": 2, "spacing": 0.0625, "time_step": 0.04, "periodic": true,
     "fields": [{"name": "velocity", "order": 1, "parity": "even", "unit": "m/s"}],
     "constants": [{"name": "viscosity", "order": 0}]}

Constants are `(trajectory, *spatial, D, ..., D)`. Without a schema the user names the fields. Arrays are mapped from the
file as they lie, which compressed ones do not allow: those are unpacked whole, up to `MAX_UNPACKED` bytes.
"""

from __future__ import annotations

import os
import zipfile
from collections.abc import Mapping
from typing import Any

import numpy as np

from ginjax.checkpoint import Field, expect
from ginjax.data._found import Found, ReadSlice, Variable
from ginjax.data._request import UNIT_NOT_STATED, FieldRequest
from ginjax.data.readers._data_file import DataFile
from ginjax.data.readers._numpy_file import NumpyArray, read_numpy
from ginjax.data.readers._reader import Reader
from ginjax.errors import FileError

LAYOUT = "npz"


def _recognises(file: DataFile) -> bool:
    """Whether a file begins as NumPy's do."""
    return file.start[:6] == b"\x93NUMPY" or (file.start[:2] == b"PK" and zipfile.is_zipfile(file.path))


def _find(file: DataFile, split: str | None, requests: tuple[FieldRequest, ...]) -> Found:
    """Describe an `.npz` or `.npy` file, told apart by its first bytes; without a schema, by what the user said."""
    arrays, schema = read_numpy(file.path)
    return _describe(file.path, arrays, schema, requests)


def _describe(
    path: str,
    arrays: Mapping[str, NumpyArray],
    schema: Mapping[str, Any] | None,
    requests: tuple[FieldRequest, ...],
) -> Found:
    unclear = None
    if schema is None:
        D = _dimension_by_request(path, arrays, requests)
        fields = dict.fromkeys(arrays, (0, 0, UNIT_NOT_STATED))
        constants: dict[str, tuple[int, int, str]] = {}
        unclear = "the order and parity of the fields: the file has no entry 'schema'"
        schema = {}
    else:
        D = expect(schema, "dimension", int, where=path, least=1, most=3)
        fields = _entries(schema, "fields", path)
        constants = _entries(schema, "constants", path)
    variables, leads = {}, {}
    for name, (k, _, _) in (fields | constants).items():
        if name not in arrays:
            raise FileError(
                f"{path}: array '{name}' of the schema is missing", got=", ".join(arrays) or "nothing"
            )
        if unclear is not None:
            k = next((r.field.k for r in requests if r.parts == (name,)), 0)
        shape, steady = arrays[name].shape, name in constants
        lead = shape[: 2 + D - steady]
        if len(lead) != 2 + D - steady or shape[len(lead) :] not in ((D,) * k, *([()] if D == 1 else [])):
            problem = f"its shape is {shape}, expected {'(trajectory' if steady else '(trajectory, time'}"
            problem += ", x" * D + f"{f', {D}' * k})"
            variables[name] = Variable(k, _mapped(arrays[name], steady), not steady, problem)
            continue
        variables[name] = Variable(k, _mapped(arrays[name], steady), not steady)
        leads[name] = lead if not steady else (lead[0], None, *lead[1:])
    if not leads:
        raise FileError(f"{path}: no array is a time series", got={n: a.shape for n, a in arrays.items()})
    first = next((lead for lead in leads.values() if lead[1] is not None), None)
    if first is None:
        raise FileError(f"{path}: no array varies in time")
    for name, lead in leads.items():
        if (lead[0], lead[2:]) != (first[0], first[2:]) or lead[1] not in (None, first[1]):
            raise FileError(
                f"{path}: shape of '{name}'", got=arrays[name].shape, expected=f"to begin with {first}"
            )
    kinds = fields | constants
    return Found(
        where=path,
        layout=LAYOUT,
        D=D,
        spatial=tuple(first[2:]),
        spacing=expect(schema, "spacing", float, where=path, default=None, least=1e-30, most=1e30),
        time_step=expect(schema, "time_step", float, where=path, default=None, least=1e-30, most=1e30),
        is_torus=_periodic(schema.get("periodic", True), D, path),
        trajectories=first[0],
        frames=first[1] or 0,
        variables=variables,
        defaults=tuple(FieldRequest(Field(n, k, p, unit), (n,)) for n, (k, p, unit) in kinds.items()),
        origin={"file": os.path.basename(path)},
        unclear=unclear,
        boundaries_stated="periodic" in schema,
    )


def _dimension_by_request(
    path: str, arrays: Mapping[str, NumpyArray], requests: tuple[FieldRequest, ...]
) -> int:
    """The number of dimensions that makes the arrays fit what the user says of them."""
    for request in requests:
        for part in request.parts:
            if part in arrays:
                return max(
                    1, len(arrays[part].shape) - 2 - (request.field.k if len(request.parts) == 1 else 0)
                )
    return max(1, max(len(array.shape) for array in arrays.values()) - 2) if arrays else 1


def _periodic(value: Any, D: int, path: str) -> tuple[bool, ...]:
    flags = value if isinstance(value, list) else [value] * D
    if len(flags) != D or not all(isinstance(flag, bool) for flag in flags):
        raise FileError(
            f"{path}: field 'periodic'", got=repr(value)[:60], expected=f"true, false, or {D} of these"
        )
    return tuple(flags)


def _entries(schema: Mapping[str, Any], part: str, path: str) -> dict[str, tuple[int, int, str]]:
    found = {}
    for entry in expect(schema, part, list, where=path, default=[], most=256):
        entry = entry if isinstance(entry, dict) else {}
        name = expect(entry, "name", str, where=path, least=1, most=256)
        k = expect(entry, "order", int, where=path, least=0, most=4)
        parity = expect(entry, "parity", str, where=path, default="even", choices=("even", "odd"))
        found[name] = (k, int(parity == "odd"), expect(entry, "unit", str, where=path, default="1", most=64))
    return found


def _mapped(array: NumpyArray, steady: bool) -> ReadSlice:
    if steady:
        return lambda trajectory, start, stop: np.array(array.values[trajectory : trajectory + 1])
    return lambda trajectory, start, stop: np.array(array.values[trajectory, start:stop])


NUMPY = Reader(LAYOUT, _recognises, _find)
