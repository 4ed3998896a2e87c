"""Compression filters of HDF5 that may not be installed."""

from __future__ import annotations

from importlib import import_module
from importlib.util import find_spec

import h5py
from h5py import h5z  # pyright: ignore[reportAttributeAccessIssue]

from ginjax.errors import FileError

_PLUGINS = "hdf5plugin"
_NAMES = {
    307: "bzip2", 32000: "lzf", 32001: "blosc", 32004: "lz4", 32008: "bitshuffle", 32013: "zfp", 32015: "zstd",
    32017: "sz", 32018: "fcidecomp", 32024: "sz3", 32026: "blosc2", 32028: "sperr",
}  # fmt: skip
"""https://github.com/HDFGroup/hdf5_plugins/blob/master/docs/RegisteredFilterPlugins.md"""


def check_filters(where: str, dataset: h5py.Dataset) -> None:
    """Refuse a data set with a compression that is not available; a filter package that is installed is loaded first.

    **Raises:** `FileError` that names the filter and how to get it.
    """
    missing = _missing(dataset)
    if missing and find_spec(_PLUGINS) is not None:
        import_module(_PLUGINS)  # registers its filters
        missing = _missing(dataset)
    if missing:
        number, name = missing[0]
        known = number in _NAMES
        raise FileError(
            f"{where} is compressed with {name} (HDF5 filter {number}), which is not installed",
            hint=(f"pip install {_PLUGINS}. " if known and find_spec(_PLUGINS) is None else "")
            + "Where the filter is installed, 'h5repack -f GZIP=1 IN OUT' writes a file that everybody reads.",
        )


def _missing(dataset: h5py.Dataset) -> list[tuple[int, str]]:
    properties = dataset.id.get_create_plist()
    found = [properties.get_filter(i) for i in range(properties.get_nfilters())]
    return [
        (
            number,
            _NAMES.get(number) or name.decode("utf-8", "replace").strip("\0")[:60] or "an unknown filter",
        )
        for number, _, _, name in found
        if not h5z.filter_avail(number)
    ]
