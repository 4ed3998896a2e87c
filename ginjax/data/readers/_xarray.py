"""NetCDF of versions 3 and 4 and Zarr, read by xarray: the names of dimensions state the order of axes.

If they do not, the user is asked for the order, as for bare arrays. The points of dimensions give spacing and time step, `units`
the units of fields. Packed numbers and fill values are unpacked by the rules of the other readers. Slices are read on demand.
"""

from __future__ import annotations

import math
import os
from collections.abc import Callable, Mapping, Sequence
from dataclasses import replace
from functools import partial
from importlib import import_module
from importlib.util import find_spec
from typing import Any

import numpy as np

from ginjax.data._axis_order import SPACE, TIME, AxisOrder
from ginjax.data._found import Found
from ginjax.data.readers._axis_names import axis_of, order_by_names, steady_by_names
from ginjax.data.readers._bare_arrays import describe_arrays
from ginjax.data.readers._blosc import check_blosc
from ginjax.data.readers._data_file import DataFile
from ginjax.data.readers._hdf5 import MAX_COORDINATES, Hdf5
from ginjax.data.readers._packing import PACKING, unpacking
from ginjax.data.readers._reader import Reader, Requests
from ginjax.data.readers._steps import equal_step, spacing_of
from ginjax.data.readers._stored_array import StoredArray
from ginjax.data.readers._zarr_store import array_description, is_zarr, unsafe_arrays
from ginjax.errors import FileError, UnsupportedError

NEEDED = {"xarray": ">=2025.7.1", "h5netcdf": ">=1.6", "zarr": ">=3.0.10"}
"""The oldest versions, as in the extra `xarray` of `pyproject.toml` (a test compares them)."""

_NETCDF_3 = tuple(b"CDF" + bytes([version]) for version in (1, 2, 5))
_NETCDF_4 = "_NCProperties"
_AXIS = {"X": "x", "Y": "y", "Z": "z", "T": "time"}
"""The meaning of the attribute `axis` of a coordinate (CF conventions 1.11, section 4)."""


def _recognises(file: DataFile) -> bool:
    """Whether a file begins like NetCDF or states that it is NetCDF, or a folder is a Zarr store."""
    if is_zarr(file.path) or file.start[:4] in _NETCDF_3:
        return True
    return file.hdf5 is not None and file.hdf5.attribute("/", _NETCDF_4) is not None


def _find(file: DataFile, split: str | None, requests: Requests) -> Found:
    """Describe a file or a store."""
    problems: Mapping[str, str] = {}
    stored: Mapping[str, tuple[int, ...]] = {}
    if is_zarr(file.path):
        layout, engine, needed = "zarr", "zarr", ("xarray", "zarr")
        problems = unsafe_arrays(file.path)
    elif file.hdf5 is not None:
        layout, engine, needed = "netcdf", "h5netcdf", ("xarray", "h5netcdf")
        stored = _stored_shapes(file.hdf5)
    else:
        layout, engine, needed = "netcdf", "scipy", ("xarray",)
    _check_there(file.path, needed)
    content = _Content(file.path, engine, tuple(problems))
    file.close()  # the code below that reads HDF5 opens it again
    content.check_lengths(stored)
    points = content.points()
    arrays = {name: content.array(name) for name in content.names() if name not in points}
    arrays |= {name: StoredArray((), _never, problem) for name, problem in problems.items()}
    labels = {name: content.labels(name) for name in content.names() if name not in points}
    orders = {name: order_by_names(each) or steady_by_names(each) for name, each in labels.items()}
    arrays = {name: replace(each, labels=labels.get(name, ())) for name, each in arrays.items()}
    stated = {name: order for name, order in orders.items() if order is not None}
    if not file.pairs and not any(order.varies for order in stated.values()):
        stated = {}  # a constant shows nothing about the order of the others
    said: Mapping[str, AxisOrder] = file.axes or stated
    found = describe_arrays(
        file.path, layout, arrays, requests, said, pairs=file.pairs, dimensions=file.dimensions
    )
    chosen = next(name for name, order in found.read_as.items() if order.varies or file.pairs)
    spacing, time_step, note = content.steps(chosen, found.read_as[chosen])
    units = {name: content.unit(name) for name in arrays if name not in problems}
    return replace(
        found,
        spacing=spacing,
        time_step=time_step,
        read_as=found.read_as if file.axes or not stated else {},
        defaults=tuple(
            replace(each, field=replace(each.field, unit=units.get(each.field.name) or each.field.unit))
            for each in found.defaults
        ),
        notes=(*found.notes, *((note,) if note else ())),
        split=split,
        origin={"file": os.path.basename(os.path.abspath(file.path)), **content.numbers()},
        close=content.close,
    )


def _stored_shapes(file: Hdf5) -> dict[str, tuple[int, ...]]:
    """The shapes of the arrays, checked before a library that follows links opens them.

    **Raises:** `FileError` for a link, for values in other files, and for scales that do not belong to the axes.
    """
    for name in file.names():
        file.check_scales(name)  # also for texts
    names = [name for name in file.names() if not file.is_group(name) and file.is_array(name)]
    return {name: file.shape(name) for name in names}


class _Content:
    """A file as xarray reads it, opened when it is first needed."""

    def __init__(self, path: str, engine: str, without: tuple[str, ...]):
        self.path, self._engine, self._without = path, engine, without
        self._opened: Any = None  # an xarray data set; xarray may not be installed
        self._unpack: dict[str, Callable[[np.ndarray], np.ndarray]] = {}

    def close(self) -> None:
        opened, self._opened = self._opened, None
        if opened is not None:
            opened.close()

    def check_lengths(self, stored: Mapping[str, tuple[int, ...]]) -> None:
        """Compare the lengths of dimensions with the arrays, which may be shorter if a dimension can grow.

        **Raises:** `FileError` for an array that is longer, or has other axes.
        """
        for name in self.names():
            said = tuple(int(n) for n in self._data.variables[name].shape)
            shape = stored.get(name, said)
            if len(shape) != len(said) or any(n > most for n, most in zip(shape, said, strict=True)):
                raise FileError(
                    f"{self.path}: variable '{name}'", got=shape, expected=f"{said}, by its dimensions"
                )

    def numbers(self) -> dict[str, dict[str, float]]:
        """The attributes of the data set that are numbers, in the form of an origin."""
        found = {str(name): np.asarray(value) for name, value in list(self._data.attrs.items())[:64]}
        kept = {
            name: float(value.reshape(()))
            for name, value in found.items()
            if value.size == 1 and value.dtype.kind in "fiu"
        }
        finite = {name: value for name, value in kept.items() if math.isfinite(value)}
        return {"attributes": finite} if finite else {}

    def names(self) -> list[str]:
        """The variables, including coordinates."""
        return [str(name) for name in self._data.variables]

    def points(self) -> dict[str, str]:
        """The variables that hold the points of the dimension with their name, and the axis that they state."""
        found = {}
        for name in self.names():
            variable = self._data.variables[name]
            if variable.dims == (name,):
                found[name] = _AXIS.get(str(variable.attrs.get("axis", "")).upper(), name)
        return found

    def labels(self, name: str) -> tuple[str, ...]:
        """The names of the axes of a variable."""
        points = self.points()
        dims = (str(each) for each in self._data.variables[name].dims)
        return tuple(points.get(each, each) if not axis_of(each) else each for each in dims)

    def unit(self, name: str) -> str:
        """The unit of a variable; empty if it has none."""
        return str(self._data.variables[name].attrs.get("units", ""))[:64]

    def array(self, name: str) -> StoredArray:
        variable = self._data.variables[name]
        shape = tuple(int(n) for n in variable.shape)
        if variable.dtype.kind not in "fiub":
            problem = f"it holds values of type {variable.dtype}, expected real numbers"
            return StoredArray(shape, _never, problem)
        return StoredArray(shape, partial(self.read, name), logical=variable.dtype == bool)

    def read(self, name: str, selection: tuple[int | slice, ...]) -> np.ndarray:
        """Read a part of a variable, as values and not as stored numbers."""
        try:
            variable = self._data.variables[name]
            if self._engine == "zarr":
                folder = os.path.join(self.path, name)
                check_blosc(folder, array_description(folder) or {}, variable.shape, selection)
            stored = np.asarray(variable[selection].values)
        except FileError:
            raise
        except Exception as error:  # any error of a library in a damaged file
            raise _damaged(self.path, error) from error
        if name not in self._unpack:
            said = {key: np.asarray(variable.attrs[key]) for key in PACKING if key in variable.attrs}
            if self._engine == "zarr" and not np.any(said.get("_FillValue", 1)):
                del said["_FillValue"]  # in Zarr this stands for zero where nothing was written
            self._unpack[name] = unpacking(f"{self.path}: variable '{name}'", said, variable.dtype)
        return self._unpack[name](stored)

    def steps(
        self, name: str, order: AxisOrder
    ) -> tuple[float | tuple[float, ...] | None, float | None, str | None]:
        """Spacing and time step from the points of the dimensions of a variable, and a note on the unit of time."""
        points = self.points()
        dims = dict(zip(order.names, map(str, self._data.variables[name].dims), strict=True))
        along = {axis: dim for axis, dim in dims.items() if dim in points}
        spacing = None
        if all(axis in along for axis in SPACE[: order.D]):
            spacing = spacing_of(self.path, [self._values(along[axis]) for axis in SPACE[: order.D]])
        if TIME not in along:
            return spacing, None, None
        unit = self.unit(along[TIME])
        note = f"the time step is in {unit.partition(' since ')[0]}" if unit else None
        return spacing, equal_step(self.path, TIME, self._values(along[TIME])), note

    def _values(self, name: str) -> np.ndarray:
        variable = self._data.variables[name]
        if variable.size > MAX_COORDINATES or variable.dtype.kind not in "fiu":
            raise FileError(
                f"{self.path}: points of dimension '{name}'",
                got=f"{variable.size} of type {variable.dtype}",
                expected=f"at most {MAX_COORDINATES} numbers",
            )
        return self.read(name, (slice(None),)).astype(np.float64)

    @property
    def _data(self) -> Any:
        if self._opened is None:
            more: dict[str, Any] = {"consolidated": False} if self._engine == "zarr" else {}
            try:
                self._opened = import_module("xarray").open_dataset(
                    self.path,
                    engine=self._engine,
                    decode_cf=False,
                    cache=False,
                    create_default_indexes=False,  # points are read on demand, not now
                    drop_variables=list(self._without),
                    **more,
                )
            except Exception as error:  # as above
                raise _damaged(self.path, error) from error
        return self._opened


def _check_there(path: str, needed: Sequence[str]) -> None:
    """Refuse to go on without the packages, and say what to install.

    **Raises:** `UnsupportedError` if a package is missing.
    """
    if any(find_spec(each) is None for each in needed):
        each = " ".join(f"'{name}{NEEDED[name]}'" for name in needed)
        raise UnsupportedError(
            f"{path}: to read it without {' and '.join(needed)}", hint=f"pip install {each}"
        )


def _damaged(path: str, error: Exception) -> FileError:
    reason = (str(error).strip().splitlines() or [type(error).__name__])[0][:200]
    return FileError(f"{path}: cannot be read: {reason}", hint="The file is corrupt, or still being written.")


def _never(selection: tuple[int | slice, ...]) -> np.ndarray:
    raise AssertionError  # an array with a problem is never read


XARRAY = Reader("xarray", _recognises, _find)
