"""Data of MATLAB, NetCDF and Zarr that are not in HDF5."""

import contextlib
import json
import struct
from pathlib import Path
from typing import Any

import numpy as np
import zarr
from data.layouts import numbers
from scipy.io import loadmat, netcdf_file, savemat, whosmat
from trust.formats._data import PACKED, READ, flow
from trust.formats._format import a_format, values_that_stand_there
from trust.mutators import changed_json, json_text


def change_matlab(path: Path, rng: np.random.Generator) -> None:
    """A tag of the file, its type or its size, where the next one of the same level would be found by it."""
    content = bytearray(path.read_bytes())
    tags, at = [], 128
    while at + 8 <= len(content):
        kind, size = struct.unpack_from("<II", content, at)
        if kind > 15 or size > len(content):
            break
        tags.append(at)
        at += 8 if kind == 14 else 8 + -(-size // 8) * 8  # into a matrix, over everything else
    place = tags[int(rng.integers(len(tags)))]
    value = (0, 1, 2, 7, 9, 14, 15, 17, 18, 2**16, 2**31 - 1, 2**32 - 1)[int(rng.integers(12))]
    struct.pack_into("<I", content, place + 4 * int(rng.integers(2)), value)
    path.write_bytes(content)


def arrays_of_matlab(path: Path) -> list[np.ndarray]:
    found: list[np.ndarray] = []
    with path.open("rb") as stream:
        for name, _, kind in whosmat(stream):
            real_numbers = kind in ("double", "single", "logical") or "int" in kind
            if not real_numbers or name == "__function_workspace__":
                continue  # of texts, sparse arrays and what has no name SciPy believes whatever a tag says, and may crash
            stream.seek(0)
            with contextlib.suppress(Exception):  # what SciPy refuses is not there
                found.append(loadmat(stream, variable_names=[name])[name])
    return [each for each in found if isinstance(each, np.ndarray) and each.dtype.kind in "fiub"]


MATLAB: dict[str, Any] = {
    **READ,
    "judge": values_that_stand_there(arrays_of_matlab),
    "aware": (change_matlab,),
}


@a_format("MATLAB 5", **MATLAB)
def matlab_5(path: Path) -> None:
    with path.open("wb") as stream:
        savemat(stream, {"u": numbers(2, 3, 4, 5), "v": numbers(2, 3, 4, 5, start=500), "name": "flow"})


@a_format("MATLAB 5, compressed", **MATLAB)
def matlab_5_compressed(path: Path) -> None:
    with path.open("wb") as stream:
        savemat(stream, {"u": numbers(2, 3, 4, 5)}, do_compression=True)


def change_netcdf(path: Path, rng: np.random.Generator) -> None:
    """A whole number of the header: a length, a number of dimensions, a type, a place."""
    content = bytearray(path.read_bytes())
    place = 4 * int(rng.integers(1, min(len(content), 800) // 4))
    values = (0, 1, 2, 5, 6, 10, 11, 12, 2**16, 2**31 - 1, 2**31, 2**32 - 1)
    struct.pack_into(">I", content, place, values[int(rng.integers(len(values)))])
    path.write_bytes(content)


def arrays_of_netcdf(path: Path) -> list[np.ndarray]:
    found: list[np.ndarray] = []
    with netcdf_file(path, mmap=False) as file:
        for each in file.variables.values():
            values = np.asarray(each[...])
            if values.dtype.kind in "fiu":
                found.append(values)
                with contextlib.suppress(TypeError, ValueError, IndexError):
                    scale = np.ravel(getattr(each, "scale_factor", 1.0))[0]
                    offset = np.ravel(getattr(each, "add_offset", 0.0))[0]
                    found.append(values * float(scale) + float(offset))
    return found


@a_format("NetCDF 3", judge=values_that_stand_there(arrays_of_netcdf), aware=(change_netcdf,), **READ)
def netcdf_3(path: Path) -> None:
    flow().to_netcdf(path, engine="scipy", encoding=PACKED)


def change_zarr(path: Path, rng: np.random.Generator) -> None:
    """A value of the description of an array or of the whole, or a piece that is not there."""
    files = sorted(each for each in path.rglob("*") if each.is_file())
    chosen = files[int(rng.integers(len(files)))]
    if chosen.name in _DESCRIPTIONS:
        text = json_text(changed_json(json.loads(chosen.read_text()), rng), rng)
        chosen.write_bytes(text.encode("utf-8", "surrogatepass"))
    elif rng.integers(2):
        chosen.unlink()
    else:
        chosen.write_bytes(files[int(rng.integers(len(files)))].read_bytes())


_DESCRIPTIONS = ("zarr.json", ".zarray", ".zattrs", ".zgroup", ".zmetadata")


def arrays_of_zarr(path: Path) -> list[np.ndarray]:
    found: list[np.ndarray] = []
    group = zarr.open_group(path, mode="r", use_consolidated=False)
    for folder in sorted(each for each in path.iterdir() if each.is_dir()):
        with contextlib.suppress(Exception):  # what zarr refuses is not there
            array = group[folder.name]
            if array.dtype.kind not in "fiub":
                continue
            if array.size > 2**22:  # more than was read
                found.append(np.asarray([array.fill_value]))
                continue
            values = np.asarray(array[...])
            found.append(values)
            scale, offset = (array.attrs.get(name) for name in ("scale_factor", "add_offset"))
            if isinstance(scale, int | float) or isinstance(offset, int | float):
                found.append(
                    values * (1.0 if scale is None else float(scale))
                    + float(0.0 if offset is None else offset)
                )
    return found


ZARR: dict[str, Any] = {**READ, "judge": values_that_stand_there(arrays_of_zarr), "aware": (change_zarr,)}


@a_format("Zarr 2", **ZARR)
def zarr_2(path: Path) -> None:
    flow().to_zarr(path, zarr_format=2, encoding=PACKED)


@a_format("Zarr 3", **ZARR)
def zarr_3(path: Path) -> None:
    flow().to_zarr(path, zarr_format=3, consolidated=False, encoding=PACKED)
