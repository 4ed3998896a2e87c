"""A data file before its layout is known."""

from __future__ import annotations

import os
from collections.abc import Collection, Mapping
from functools import cached_property

import h5py

from ginjax.data._axis_order import AxisOrder
from ginjax.data.readers._hdf5 import Hdf5
from ginjax.errors import FileError

_START = 512


class DataFile:
    """What readers examine to decide whether a file is theirs.

    **Arguments:**

    - `path`: the file.
    - `pairs`: whether its arrays are pairs of input and target, which need no time axis.
    - `axes`: the orders of axes that the user states, by array; the empty name holds the order for all other arrays.
    - `dimensions`: dimensions that its data may have, such as that of the model they are for; any if empty.
    """

    def __init__(
        self,
        path: str,
        axes: Mapping[str, AxisOrder] | None = None,
        dimensions: Collection[int] = (),
        *,
        pairs: bool = False,
    ):
        self.path = path
        self.pairs = pairs
        self.axes: Mapping[str, AxisOrder] = axes or {}
        self.dimensions = tuple(dimensions)

    @cached_property
    def start(self) -> bytes:
        """The first bytes, at most 512; empty for a folder."""
        if os.path.isdir(self.path):
            return b""
        with open(self.path, "rb") as stream:
            return stream.read(_START)

    @cached_property
    def hdf5(self) -> Hdf5 | None:
        """Its content if it is HDF5, whatever its name; None otherwise."""
        return Hdf5(self.path) if h5py.is_hdf5(self.path) else None

    @property
    def content(self) -> Hdf5:
        """Its content as HDF5.

        **Raises:** `FileError` if it is not HDF5.
        """
        if self.hdf5 is None:
            raise FileError(f"{self.path}: is not an HDF5 file")
        return self.hdf5

    def close(self) -> None:
        """Close the file; the next access opens it again."""
        if self.hdf5 is not None:
            self.hdf5.close()
