"""MATLAB files: `.mat` of version 5 by SciPy; version 7.3, which is HDF5, by h5py.

In both versions, the axes of an array are those of MATLAB's `size`. A variable with the name of an axis that holds a row or a
column is the points of that axis. Anything but arrays of real numbers (structures, cells, text, sparse matrices) is left out.
An array of version 5 cannot be read in part. It is read as a whole when it is first needed, up to `MAX_UNPACKED` bytes, or more
if the file itself is that large.
"""

from __future__ import annotations

import math
import os
from collections.abc import Callable, Mapping
from dataclasses import replace

import numpy as np

from ginjax.data._axis_order import AxisOrder
from ginjax.data._found import Found
from ginjax.data.readers._bare_arrays import describe_arrays
from ginjax.data.readers._data_file import DataFile
from ginjax.data.readers._hdf5 import Hdf5
from ginjax.data.readers._matlab_tags import check_numbers, complex_variables
from ginjax.data.readers._numpy_file import MAX_UNPACKED
from ginjax.data.readers._reader import Reader, Requests
from ginjax.data.readers._stored_array import StoredArray
from ginjax.errors import FileError

LAYOUT = "matlab"
MOST_PACKED = 8
"""Largest ratio of the memory of an array to the size of the file."""

_BYTES = {
    "double": 8, "single": 4, "logical": 1,
    **{f"{sign}int{bits}": bits // 8 for sign in ("", "u") for bits in (8, 16, 32, 64)},
}  # fmt: skip
_CLASS = "MATLAB_class"
_NAMELESS = "__function_workspace__"
"""SciPy's name for a variable whose name is empty."""


def _recognises(file: DataFile) -> bool:
    """Whether a file begins like a MATLAB file, or its variables state that they are MATLAB's."""
    return file.start[:6] == b"MATLAB" or (file.hdf5 is not None and _says_so(file.hdf5))


def _says_so(content: Hdf5) -> bool:
    return any(content.attribute(name, _CLASS) is not None for name in content.names()[:8] if name[0] != "#")


def _find(file: DataFile, split: str | None, requests: Requests) -> Found:
    """Describe a file of either version."""
    if file.hdf5 is not None:
        arrays, close, origin = _of_hdf5(file.hdf5), file.hdf5.close, file.hdf5.provenance()
    else:
        old = _Version5(file.path)
        arrays, close, origin = old.arrays(), old.close, {"file": os.path.basename(file.path)}
    found = describe_arrays(
        file.path, LAYOUT, arrays, requests, file.axes, pairs=file.pairs, dimensions=file.dimensions
    )
    remarks = [
        file.hdf5.chunk_remark(name, AxisOrder(order.names[::-1]))
        for name, order in found.read_as.items()
        if file.hdf5 is not None
    ]
    notes = (*found.notes, *filter(None, remarks))
    return replace(found, split=split, origin=origin, close=close, notes=notes)


def _of_hdf5(content: Hdf5) -> dict[str, StoredArray]:
    """The variables of version 7.3; HDF5 stores their axes in reverse order."""
    found = {}
    for name in content.names():
        if name.startswith("#"):
            continue  # where MATLAB keeps the content of cells
        kind = str(content.attribute(name, _CLASS, "double"))
        if not content.is_array(name) or kind not in _BYTES or content.attribute(name, "MATLAB_empty", 0):
            found[name] = _no_numbers((), kind)
            continue
        shape = content.shape(name)[::-1]
        found[name] = _stored(shape, _turned(content, name), kind)
    return found


def _turned(content: Hdf5, name: str) -> Callable[[tuple[int | slice, ...]], np.ndarray]:
    return lambda selection: content.read(name, selection[::-1]).T


class _Version5:
    """A file of version 5; arrays are kept after they are read."""

    def __init__(self, path: str):
        self.path = path
        self._read: dict[str, np.ndarray] = {}

    def close(self) -> None:
        self._read.clear()

    def arrays(self) -> dict[str, StoredArray]:
        """The variables.

        **Raises:** `FileError` for a damaged file.
        """
        from scipy.io import whosmat

        try:
            listed: list[tuple[str, tuple[int, ...], str]] = whosmat(self.path)
        except Exception as error:  # any error of SciPy in a damaged file
            raise _damaged(self.path, error) from error
        most = max(MAX_UNPACKED, MOST_PACKED * os.path.getsize(self.path))
        pairs = complex_variables(self.path)
        found = {}
        for name, shape, kind in listed:
            shape = tuple(int(n) for n in shape)
            size = math.prod(shape) * _BYTES.get(kind, 0)
            if name == _NAMELESS:
                found[name] = StoredArray(shape, _never, "it has no name: MATLAB keeps functions in there")
            elif name in pairs:
                found[name] = _no_numbers(shape, f"complex {kind}")
            elif size > most:
                problem = f"it takes {size} bytes, expected at most {most}: save it with -v7.3, so that parts can be read"
                found[name] = StoredArray(shape, _never, problem)
            elif kind not in _BYTES:
                found[name] = _no_numbers(shape, kind)
            else:
                found[name] = _stored(shape, self._reading(name), kind)
        return found

    def _reading(self, name: str) -> Callable[[tuple[int | slice, ...]], np.ndarray]:
        return lambda selection: np.array(self._whole(name)[selection])

    def _whole(self, name: str) -> np.ndarray:
        if name not in self._read:
            from scipy.io import loadmat

            check_numbers(self.path, name)
            try:
                loaded: Mapping[str, np.ndarray] = loadmat(self.path, variable_names=[name])
                self._read[name] = loaded[name]
            except Exception as error:  # as above
                raise _damaged(self.path, error) from error
            if self._read[name].dtype.kind not in "fiub":
                kind = self._read.pop(name).dtype
                raise FileError(
                    f"{self.path}: variable '{name}'", got=f"values of type {kind}", expected="real numbers"
                )
        return self._read[name]


def _stored(
    shape: tuple[int, ...], read: Callable[[tuple[int | slice, ...]], np.ndarray], kind: str
) -> StoredArray:
    """An array of numbers; a row or a column becomes one axis."""
    if len(shape) == 2 and 1 in shape:
        line = (slice(None), 0) if shape[1] == 1 else (0, slice(None))
        return StoredArray((math.prod(shape),), lambda selection: read(line)[selection])
    return StoredArray(shape, read, logical=kind == "logical")


def _no_numbers(shape: tuple[int, ...], kind: str) -> StoredArray:
    return StoredArray(shape, _never, f"it holds values of type {kind}, expected real numbers")


def _damaged(path: str, error: Exception) -> FileError:
    reason = (str(error).strip().splitlines() or [type(error).__name__])[0][:200]
    return FileError(
        f"{path}: cannot be read: {reason}", hint="The file is corrupt, or not a file of MATLAB."
    )


def _never(selection: tuple[int | slice, ...]) -> np.ndarray:
    raise AssertionError  # an array with a problem is never read


MATLAB = Reader(LAYOUT, _recognises, _find)
