"""Dimension scales of HDF5: the arrays that name the axes of another array."""

from __future__ import annotations

from typing import Any

import h5py


def names_of_scales(dataset: h5py.Dataset) -> list[str]:
    """The name of the first scale of each axis, empty if there is none.

    The names are read from the attribute itself: HDF5's functions for scales trust its type, and can crash.
    """
    none = [""] * dataset.ndim
    if "DIMENSION_LIST" not in dataset.attrs or not scales_are_sound(dataset):
        return none
    references: Any = dataset.attrs["DIMENSION_LIST"]
    names = [dataset.file[each[0]].name if len(each) else "" for each in references]
    return [str(name or "").rpartition("/")[2] for name in names]


def scales_are_sound(dataset: h5py.Dataset) -> bool:
    """Whether the scales of a dataset, if it has any, are one list of references for each axis."""
    if "DIMENSION_LIST" not in dataset.attrs:
        return True
    stored = dataset.attrs.get_id("DIMENSION_LIST")
    inner = h5py.check_vlen_dtype(stored.dtype)
    return (
        stored.shape == (dataset.ndim,)
        and inner is not None
        and h5py.check_ref_dtype(inner) is h5py.Reference
    )
