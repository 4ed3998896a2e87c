"""Data in HDF5, ours and those of others."""

import contextlib
from collections.abc import Callable
from pathlib import Path
from typing import Any

import h5py
import numpy as np
from data.layouts import arena, by_seed, compressible, incompressible, numbers, one_tensor, well_file
from trust.formats._data import PACKED, READ, flow
from trust.formats._format import a_format, values_that_stand_there
from trust.hdf5_changes import change_hdf5


def arrays_of_hdf5(path: Path) -> list[np.ndarray]:
    found: list[np.ndarray] = []

    def take(name: str, node: Any) -> None:
        if not isinstance(node, h5py.Dataset) or node.dtype.kind not in "fiub" or not node.size:
            return
        if node.size > 2**22:  # more than was read; all that the reader may have seen of it is its fill value
            found.append(np.asarray([node.fillvalue]))
            return
        values = _whole_or_parts(node)
        found.append(values)
        numbers = {
            each: float(np.ravel(node.attrs[each])[0])
            for each in ("scale_factor", "add_offset")
            if each in node.attrs
            and np.asarray(node.attrs[each]).dtype.kind in "fiub"
            and np.size(node.attrs[each]) == 1
        }
        if numbers:
            found.append(values * numbers.get("scale_factor", 1.0) + numbers.get("add_offset", 0.0))

    with h5py.File(path, "r") as file:
        _walk(file, "", take, set())
    return found


def _whole_or_parts(node: Any) -> np.ndarray:
    """All values of a dataset; of one that is damaged somewhere, those that can be read."""
    with contextlib.suppress(Exception):
        return np.asarray(node[()])
    parts = [np.zeros(0, node.dtype)]
    for index in np.ndindex(*node.shape[:2]):
        with contextlib.suppress(Exception):
            parts.append(np.ravel(node[index]))
    return np.concatenate(parts)


def _walk(group: Any, prefix: str, take: Callable[[str, Any], None], seen: set[Any]) -> None:
    """Go through all that can be read of a file; what its own library refuses is not there."""
    with contextlib.suppress(RuntimeError):
        place = h5py.h5o.get_info(group.id).addr
        if place in seen:
            return
        seen.add(place)
    for name in list(group):
        with contextlib.suppress(Exception):
            if isinstance(group.get(name, getlink=True), h5py.HardLink):
                node = group[name]
                if isinstance(node, h5py.Group):
                    _walk(node, f"{prefix}{name}/", take, seen)
                take(prefix + name, node)


HDF5: dict[str, Any] = {
    **READ,
    "judge": values_that_stand_there(arrays_of_hdf5),
    "aware": (change_hdf5,),
}


@a_format("The Well", **HDF5)
def the_well(path: Path) -> None:
    given = {
        "p": (0, numbers(3, 5, 4, 6), True, True, (True, True)),
        "v": (1, numbers(3, 5, 4, 6, 2, start=1000), True, True, (True, True)),
        "mask": (0, numbers(4, 6), False, False, (True, True)),
    }
    well_file(path, given, scalars={"Re": (numbers(3), True, False)})


@a_format("The Well, ours", **HDF5)
def own_data(path: Path) -> None:
    from ginjax.data import Field, Trajectories, write_well

    fields_ = (Field("density", 0, 0, "kg"), Field("velocity", 1, 0, "m/s"))
    values = {"density": numbers(2, 3, 4, 4), "velocity": numbers(2, 3, 4, 4, 2, start=500)}
    write_well(path, Trajectories(fields_, values, D=2, spacing=0.5, time_step=0.1), name="x", force=True)


@a_format("PDEBench, compressible", **HDF5)
def pdebench_compressible(path: Path) -> None:
    compressible(path)


@a_format("PDEBench, tensor", **HDF5)
def pdebench_tensor(path: Path) -> None:
    one_tensor(path)


@a_format("PDEBench, by seed", **HDF5)
def pdebench_by_seed(path: Path) -> None:
    by_seed(path)


@a_format("PDEBench, incompressible", **HDF5)
def pdebench_incompressible(path: Path) -> None:
    incompressible(path)


@a_format("PDEArena", **HDF5)
def pdearena(path: Path) -> None:
    arena(path, parts=("train", "valid"))


@a_format("MATLAB 7.3", **HDF5)
def matlab_7(path: Path) -> None:
    """As MATLAB writes it: axes reversed, its own header in front of HDF5's."""
    with h5py.File(path, "w", userblock_size=512) as file:
        for name, values in {"u": numbers(2, 3, 4, 5), "v": numbers(2, 3, 4, 5, start=500)}.items():
            file.create_dataset(name, data=values.T).attrs["MATLAB_class"] = np.bytes_("single")
        file.create_group("#refs#")
    with path.open("r+b") as stream:
        stream.write(b"MATLAB 7.3 MAT-file, Platform: GLNXA64".ljust(124) + b"\x00\x02IM")


@a_format("NetCDF 4", **HDF5)
def netcdf_4(path: Path) -> None:
    flow().to_netcdf(path, engine="h5netcdf", encoding=PACKED)
