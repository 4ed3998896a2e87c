"""The size of simulated data, before anything is simulated."""

from __future__ import annotations

import math
import os
import shutil
from collections.abc import Iterable
from dataclasses import dataclass

from ginjax._text import in_bytes
from ginjax.data.equations import DEFAULT_SIDES, PDE, grid_of, planes_named
from ginjax.errors import FileError

_VALUE = 4
"""Bytes of a float32."""

_COPIES = 2.5
"""Peak memory in use, in trajectories on the solver's grid; 2.0 to 2.5 were measured in 2D and 3D."""

_PLACE = 6 * 8
"""Bytes for each point of space while planes are laid out: coordinates, position on the grid of the plane, a sum."""


@dataclass(frozen=True)
class SimulationSize:
    """Bytes that simulated data take.

    **Arguments:**

    - `disk`: bytes of the values in the file.
    - `memory`: approximate memory in use while one trajectory is simulated.
    """

    disk: int
    memory: int


def simulation_size(
    pde: PDE,
    D: int,
    *,
    trajectories: int,
    steps: int,
    side: int | None = None,
    planes: str | None = None,
) -> SimulationSize:
    """Estimate the bytes that simulations of an equation take in a file, and in memory while they run.

    **Arguments:**

    - `pde`, `D`, `trajectories`, `steps`, `side`, `planes`: as in `simulate`.

    **Raises:** `ArgumentError` for a number of dimensions that the equation does not have, or unknown planes.
    """
    pde.check_dimension(D)
    side = DEFAULT_SIDES[D] if side is None else side
    sheets = () if planes is None else planes_named(planes)
    stored_grid = math.prod(grid_of(sheets, D, side))
    solver_grid = (side * pde.refinement) ** (sheets[0].varying if sheets else D)
    trajectory = (steps + 1) * pde.components(D) * stored_grid
    simulated = (steps + 1 + pde.spin_up) * pde.components(D) * solver_grid
    # Planes are laid out in space, and then copied field by field.
    laid_out = 2 * _VALUE * trajectory + _PLACE * stored_grid if sheets else 0
    return SimulationSize(
        disk=_VALUE * trajectories * trajectory, memory=round(_COPIES * _VALUE * simulated) + laid_out
    )


def check_room(folder: str | os.PathLike[str], files: Iterable[int]) -> None:
    """Refuse to begin with files that the disk has no room for.

    **Arguments:**

    - `folder`: the folder for the files; it has to exist.
    - `files`: their sizes in bytes. Each file takes twice its size while `write_well` finishes it.

    **Raises:** `FileError` with the bytes needed and the bytes free.
    """
    sizes = list(files)
    needed, free = sum(sizes) + max(sizes, default=0), shutil.disk_usage(folder).free
    if needed > free:
        raise FileError(
            f"{os.fspath(folder)}: has {in_bytes(free)} free, and the files need {in_bytes(needed)} while they are written",
            hint="Ask for fewer trajectories or frames or a smaller grid, or choose another folder.",
        )
