"""PDEArena: groups `train`, `valid`, `test`, each with `u`, `vx`, `vy` of shape `(sample, time, x, y)`.

Beside them `t`, `x`, `y` by sample, `dt`, `dx`, `dy`, and the numbers a simulation was run with. Buoyancy (`buo_y`) is read
as the vector it is, so that it turns with the grid. The published Navier-Stokes files are not periodic.
"""

from __future__ import annotations

import numpy as np

from ginjax.checkpoint import Field
from ginjax.data._found import Found, ReadSlice, Variable
from ginjax.data._request import UNIT_NOT_STATED, FieldRequest
from ginjax.data.readers._coordinates import check_length, step_of_rows
from ginjax.data.readers._hdf5 import Hdf5
from ginjax.data.readers._reader import hdf5_reader
from ginjax.errors import FileError

LAYOUT = "pdearena"
_SPLITS = {"train": "train", "valid": "valid", "val": "valid", "test": "test"}
_AXES = ("x", "y", "z")
_MAIN = ("u", "vx", "vy", "vz")
_GRID = {"t", "dt", *_AXES, *(f"d{axis}" for axis in _AXES)}


def _recognises(file: Hdf5) -> bool:
    """Whether a file looks like this layout."""
    return bool(_splits(file))


def _splits(file: Hdf5) -> tuple[str, ...]:
    """The parts in one file."""
    present = [n for n in _SPLITS if any(file.is_array(f"{n}/{main}") for main in _MAIN)]
    return tuple(dict.fromkeys(_SPLITS[name] for name in present))


def _find(file: Hdf5, split: str | None) -> Found:
    """Describe one part of a file of this layout."""
    group = next(name for name, part in _SPLITS.items() if part == split and file.is_group(name))
    main = next(name for name in _MAIN if file.is_array(f"{group}/{name}"))
    shape = file.shape(f"{group}/{main}")
    D = len(shape) - 2
    if not 1 <= D <= 3:
        raise FileError(
            f"{file.path}: shape of '{group}/{main}'", got=shape, expected="(sample, time, x, y, z)"
        )
    for axis, side in zip(("t", *_AXES), shape[1:], strict=False):
        if file.is_array(f"{group}/{axis}"):
            count = file.points(f"{group}/{axis}")
            check_length(file.path, f"{group}/{axis}", count, f"{group}/{main}", axis, side)
    variables: dict[str, Variable] = {}
    for name in file.names(group):
        path = f"{group}/{name}"
        if name in _GRID or not file.is_array(path):
            continue
        sides = file.shape(path)
        if sides == shape:
            variables[name] = Variable(0, _frames(file, path))
        elif sides in ((shape[0],), (shape[0], 1)) and not name.startswith("buo_"):
            variables[name] = Variable(0, _number(file, path, shape[2:]), varies=False)
    defaults = [_request(name, 0, (name,)) for name in variables if name not in _MAIN[1:]]
    velocity = tuple(f"v{axis}" for axis in _AXES[:D])
    unclear = None
    if all(name in variables for name in velocity):
        defaults.append(_request("velocity", 1, velocity))
    elif any(name in variables for name in _MAIN[1:]):
        unclear = f"which vector the components of the velocity make in {D} dimensions"
    forces = [f"{group}/buo_{axis}" for axis in _AXES[:D]]
    if any(file.is_array(path) for path in forces):
        variables["buoyancy"] = Variable(1, _vector(file, forces, shape[2:]), varies=False)
        defaults.append(_request("buoyancy", 1, ("buoyancy",)))
    return Found(
        where=file.path,
        layout=LAYOUT,
        D=D,
        spatial=shape[2:],
        spacing=_spacing(file, group, D),
        time_step=_step(file, group, "dt", "t"),
        is_torus=(False,) * D,
        trajectories=shape[0],
        frames=shape[1],
        variables=variables,
        defaults=tuple(defaults),
        split=split,
        origin=file.provenance(),
        unclear=unclear,
        close=file.close,
    )


def _request(name: str, k: int, parts: tuple[str, ...]) -> FieldRequest:
    return FieldRequest(Field(name, k, 0, UNIT_NOT_STATED), parts)


def _frames(file: Hdf5, path: str) -> ReadSlice:
    return lambda trajectory, start, stop: file.read(path, (trajectory, slice(start, stop)))


def _number(file: Hdf5, path: str, spatial: tuple[int, ...]) -> ReadSlice:
    return lambda trajectory, start, stop: np.broadcast_to(
        file.read(path, (trajectory,)).reshape(()), (1, *spatial)
    )


def _vector(file: Hdf5, paths: list[str], spatial: tuple[int, ...]) -> ReadSlice:
    """Numbers along the axes, missing ones zero, as one vector everywhere."""

    def read(trajectory: int, start: int, stop: int) -> np.ndarray:
        numbers = [
            file.read(path, (trajectory,)).reshape(()) if file.is_array(path) else 0.0 for path in paths
        ]
        return np.broadcast_to(np.stack(numbers), (1, *spatial, len(paths)))

    return read


def _spacing(file: Hdf5, group: str, D: int) -> float | None:
    steps = [_step(file, group, f"d{axis}", axis) for axis in _AXES[:D]]
    known = [step for step in steps if step is not None]
    if known and max(known) > 1.02 * min(known):
        raise FileError(
            f"{file.path}: spacing along the axes",
            got=", ".join(f"{step:.4g}" for step in known),
            expected="one number: the symmetries of the network exchange axes",
            hint="Resample the data onto a grid of equal spacing.",
        )
    return float(np.mean(known)) if known else None


def _step(file: Hdf5, group: str, step: str, points: str) -> float | None:
    """A step as the file states it (the same in every sample), or from the points of the first sample."""
    if file.is_array(f"{group}/{step}"):
        stated = file.read_short(f"{group}/{step}", 2**24).reshape(-1)
        if stated.size:
            if not (stated[0] > 0 and np.abs(stated - stated[0]).max() <= 1e-3 * stated[0]):
                raise FileError(
                    f"{file.path}: '{group}/{step}'", got=f"{stated.min():.4g} to {stated.max():.4g}",
                    expected="one positive number for all samples",
                )  # fmt: skip
            return float(stated[0])
    if not file.is_array(f"{group}/{points}"):
        return None
    return step_of_rows(file.path, points, file.read_short(f"{group}/{points}", 2**24))


PDEARENA = hdf5_reader(LAYOUT, _recognises, _find, _splits)
