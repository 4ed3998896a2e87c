"""PDEArena: groups `train`, `valid`, `test`, each with arrays `(sample, time, x, y, z)`.

Navier-Stokes has `u`, `vx`, `vy`. Kuramoto-Sivashinsky has one array in 1D whose name contains its sizes, such as `pde_140-256`.
Maxwell has `d_field` and `h_field` with 3 components on the last axis; `h_field` is odd, because a magnetic field is a
pseudo-vector. There are also `t`, `x`, `y` for each sample, `dt`, `dx`, `dy`, and the parameters of each simulation, such as a
viscosity `v`. Buoyancy (`buo_y`) is read as a vector, so that it turns with the grid. The published files of
Kuramoto-Sivashinsky are periodic, the others are not. In the former, `dt` and `dx` differ between samples: a network can receive
them as conditions.
"""

from __future__ import annotations

from functools import partial

import numpy as np

from ginjax.checkpoint import Field
from ginjax.data._axis_order import AxisOrder, AxisSlices
from ginjax.data._found import Found, ReadSlice, Variable, number_variable
from ginjax.data._request import UNIT_NOT_STATED, FieldRequest
from ginjax.data.readers._coordinates import by_trajectory, check_length, step_of_rows
from ginjax.data.readers._data_file import DataFile
from ginjax.data.readers._hdf5 import Hdf5
from ginjax.data.readers._reader import Reader, Requests
from ginjax.data.readers._steps import one_spacing
from ginjax.errors import FileError

LAYOUT = "pdearena"
_SPLITS = {"train": "train", "valid": "valid", "val": "valid", "test": "test"}
_AXES = ("x", "y", "z")
_MAIN = ("u", "vx", "vy", "vz")
_PDE = "pde_"
_VECTORS = {"d_field": 0, "h_field": 1}
"""Vector fields and their parity."""

_GRID = {"t", "dt", *_AXES, *(f"d{axis}" for axis in _AXES)}


def _recognises(file: Hdf5) -> bool:
    """Whether a file looks like this layout."""
    return bool(_splits(file))


def _splits(file: Hdf5) -> tuple[str, ...]:
    """The splits in one file."""
    present = [name for name in _SPLITS if _main(file, name) is not None]
    return tuple(dict.fromkeys(_SPLITS[name] for name in present))


def _main(file: Hdf5, group: str) -> str | None:
    """The array of a group that shows the numbers of samples, frames and points; None if this is another layout."""
    known = (name for name in (*_MAIN, *_VECTORS) if file.is_array(f"{group}/{name}"))
    sized = (name for name in file.names(group) if name.startswith(_PDE) and file.is_array(f"{group}/{name}"))
    return next(known, None) or next(sized, None)


def _part(file: Hdf5, split: str | None) -> tuple[str, str]:
    """The group of a split, and its array that shows the numbers of samples, frames and points.

    **Raises:** `FileError` if there is none.
    """
    for name, part in _SPLITS.items():
        main = _main(file, name) if part == split else None
        if main is not None:
            return name, main
    raise FileError(f"{file.path}: has no part '{split}'", expected=", ".join(_splits(file)) or "a part")


def _find(data: DataFile, split: str | None, requests: Requests) -> Found:
    """Describe one split of a file of this layout."""
    file = data.content
    group, main = _part(file, split)
    shape = file.shape(f"{group}/{main}")
    lead = shape[:-1] if main in _VECTORS else shape
    D = len(lead) - 2
    if not 1 <= D <= 3 or (main in _VECTORS and shape[-1] != D):
        raise FileError(
            f"{file.path}: shape of '{group}/{main}'", got=shape, expected="(sample, time, x, y, z)"
        )
    for axis, side in zip(("t", *_AXES), lead[1:], strict=False):
        if file.is_array(f"{group}/{axis}"):
            count = file.points(f"{group}/{axis}")
            check_length(file.path, f"{group}/{axis}", count, f"{group}/{main}", axis, side)
    asked = {part for request in requests for part in request.parts}
    variables: dict[str, Variable] = {}
    for name in file.names(group):
        path = f"{group}/{name}"
        if not file.is_array(path) or (name in _GRID and name not in asked):
            continue
        sides = file.shape(path)
        if sides == lead:
            variables[name] = Variable(0, _frames(file, path))
        elif name in _VECTORS and sides == (*lead, D):
            variables[name] = Variable(1, _frames(file, path))
        elif sides in ((lead[0],), (lead[0], 1)) and not name.startswith("buo_"):
            read = partial(file.read_number, path, lead[0])
            variables[name] = number_variable(f"{file.path}: '{path}'", read, lead[0], lead[2:])
    parts = {*_MAIN[1:], *_VECTORS, *_GRID}
    defaults = [_request(name, 0, (name,)) for name in variables if name not in parts]
    defaults += [_request(name, 1, (name,), p) for name, p in _VECTORS.items() if name in variables]
    velocity = tuple(f"v{axis}" for axis in _AXES[:D])
    unclear = None
    if all(name in variables for name in velocity):
        defaults.append(_request("velocity", 1, velocity))
    elif any(name in variables for name in _MAIN[1:]):
        unclear = f"which vector the components of the velocity make in {D} dimensions"
    forces = [f"{group}/buo_{axis}" for axis in _AXES[:D]]
    if any(file.is_array(path) for path in forces):
        variables["buoyancy"] = Variable(1, _vector(file, forces, lead[2:]), varies=False)
        defaults.append(_request("buoyancy", 1, ("buoyancy",)))
    return Found(
        where=file.path,
        layout=LAYOUT,
        D=D,
        spatial=lead[2:],
        spacing=None if asked & {f"d{axis}" for axis in _AXES} else _spacing(file, group, D),
        time_step=None if "dt" in asked else _step(file, group, "dt", "t"),
        is_torus=(main.startswith(_PDE),) * D,
        trajectories=lead[0],
        frames=lead[1],
        variables=variables,
        defaults=tuple(defaults),
        split=split,
        origin=file.provenance(),
        notes=tuple(
            filter(None, [file.chunk_remark(f"{group}/{main}", AxisOrder.usual(D, len(shape) - len(lead)))])
        ),
        unclear=unclear,
        parities_stated=frozenset(name for name in _VECTORS if name in variables),
        close=file.close,
    )


def _request(name: str, k: int, parts: tuple[str, ...], p: int = 0) -> FieldRequest:
    return FieldRequest(Field(name, k, p, UNIT_NOT_STATED), parts)


def _frames(file: Hdf5, path: str) -> AxisSlices:
    return AxisSlices(
        lambda trajectory, start, stop, box: file.read(path, (trajectory, slice(start, stop), *box))
    )


def _one_number(file: Hdf5, path: str, trajectory: int) -> np.ndarray:
    """The number of a sample.

    **Raises:** `FileError` for an array with more than one number.
    """
    found = file.read(path, (trajectory,))
    if found.size != 1:
        raise FileError(
            f"{file.path}: '{path}'", got=f"{found.size} numbers for a sample", expected="one for each sample"
        )
    return found.reshape(())


def _vector(file: Hdf5, paths: list[str], spatial: tuple[int, ...]) -> ReadSlice:
    """Numbers along the axes (zero if missing) as a vector that is the same everywhere."""

    def read(trajectory: int, start: int, stop: int) -> np.ndarray:
        numbers = [_one_number(file, path, trajectory) if file.is_array(path) else 0.0 for path in paths]
        return np.broadcast_to(np.stack(numbers), (1, *spatial, len(paths)))

    return read


def _spacing(file: Hdf5, group: str, D: int) -> float | tuple[float, ...] | np.ndarray | None:
    return one_spacing(file.path, [_step(file, group, f"d{axis}", axis) for axis in _AXES[:D]])


def _step(file: Hdf5, group: str, step: str, points: str) -> float | np.ndarray | None:
    """A step as the file states it, or from the points; one for each sample if it differs."""
    if file.is_array(f"{group}/{step}"):
        stated = file.read_short(f"{group}/{step}", 2**24).reshape(-1)
        if not (stated > 0).all():
            raise FileError(
                f"{file.path}: '{group}/{step}'", got=f"{stated.min():.4g}", expected="positive numbers"
            )
        if stated.size:
            return by_trajectory(stated.tolist())
    if not file.is_array(f"{group}/{points}"):
        return None
    return step_of_rows(file.path, points, file.read_short(f"{group}/{points}", 2**24))


PDEARENA = Reader(
    LAYOUT,
    lambda file: file.hdf5 is not None and _recognises(file.hdf5),
    _find,
    lambda file: _splits(file.content),
)
