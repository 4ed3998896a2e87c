"""Simulation of an equation from random initial fields."""

from __future__ import annotations

from collections.abc import Callable

from ginjax.data._trajectories import Trajectories
from ginjax.data.equations import PDE
from ginjax.data.sources import held_in_memory, simulate


def generate(
    pde: PDE | str,
    D: int,
    *,
    trajectories: int,
    steps: int,
    side: int | None = None,
    seed: int = 0,
    cover: int | None = None,
    planes: str | None = None,
    progress: Callable[[int, int], None] | None = None,
) -> Trajectories:
    """Simulate an equation from random initial fields, all in memory.

    **Arguments:**

    - `pde`, `D`, `trajectories`, `steps`, `side`, `seed`, `cover`, `planes`: as in `simulate`.
    - `progress`: called as `progress(done, total)` after each trajectory.

    **Returns:** float32 trajectories on a torus.

    **Raises:** as `simulate`; `NumericsError` when the simulation blows up.
    """
    source = simulate(
        pde, D, trajectories=trajectories, steps=steps, side=side, seed=seed, cover=cover, planes=planes
    )
    held = held_in_memory(source, progress)
    return Trajectories(
        schema=source.schema,
        fields=held.held,
        D=D,
        spacing=source.spacing or 1.0,
        time_step=source.time_step or 1.0,
        is_torus=True,
        origin=source.origin,
    )
