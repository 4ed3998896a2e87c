"""Simulation of an equation from random initial fields."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np

from ginjax.data._trajectories import Trajectories
from ginjax.data.equations import PDE
from ginjax.data.sources import simulate


def generate(
    pde: PDE | str,
    D: int,
    *,
    trajectories: int,
    steps: int,
    side: int | None = None,
    seed: int = 0,
    progress: Callable[[int, int], None] | None = None,
) -> Trajectories:
    """Simulate an equation from random initial fields, all in memory.

    **Arguments:**

    - `pde`, `D`, `trajectories`, `steps`, `side`, `seed`: as in `simulate`.
    - `progress`: called as `progress(done, total)` after each trajectory.

    **Returns:** float32 trajectories on a torus.

    **Raises:** `ArgumentError` for a bad size, `NumericsError` when the simulation blows up.
    """
    source = simulate(pde, D, trajectories=trajectories, steps=steps, side=side, seed=seed)
    lead = trajectories, source.frames, *source.spatial
    fields = {field.name: np.empty((*lead, *(D,) * field.k), np.float32) for field in source.schema}
    for index in range(trajectories):
        for name, frames in source.read(index, 0, source.frames).items():
            fields[name][index] = frames
        if progress is not None:
            progress(index + 1, trajectories)
    return Trajectories(
        schema=source.schema,
        fields=fields,
        D=D,
        spacing=source.spacing or 1.0,
        time_step=source.time_step or 1.0,
        is_torus=True,
        origin=source.origin,
    )
