"""Simulation of an equation from random initial fields."""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING

import equinox as eqx
import jax
import jax.numpy as jnp
import numpy as np

from ginjax.data._pde import DEFAULT_SIDES, PDE, find_pde
from ginjax.data._trajectories import Trajectories
from ginjax.errors import ArgumentError, NumericsError

if TYPE_CHECKING:
    from exponax import BaseStepper


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
    """Simulate an equation from random initial fields.

    Trajectory `i` depends on `(seed, i)` only: asking for more trajectories leaves the first ones as they are.

    **Arguments:**

    - `pde`: an equation or its name in `PDES`.
    - `D`: number of dimensions, 1 to 3.
    - `trajectories`: number of simulations.
    - `steps`: steps of `pde.time_step`; `steps + 1` frames are stored, the first being the initial one.
    - `side`: grid points along each axis; 64, 32 and 16 in 1, 2 and 3 dimensions unless given.
    - `seed`: a non-negative number; the same seed gives the same bytes.
    - `progress`: called as `progress(done, total)` after each trajectory.

    **Returns:** float32 trajectories on a torus.

    **Raises:** `ArgumentError` for a bad size, `NumericsError` when the simulation blows up.
    """
    pde = find_pde(pde) if isinstance(pde, str) else pde
    if D not in DEFAULT_SIDES:
        raise ArgumentError("dimension of the simulation", got=D, expected="1, 2 or 3")
    side = DEFAULT_SIDES[D] if side is None else side
    for name, value, least in (("trajectories", trajectories, 1), ("steps", steps, 1), ("side", side, 4)):
        if value < least:
            raise ArgumentError(name, got=value, expected=f"at least {least}")
    if seed < 0:
        raise ArgumentError("seed", got=seed, expected="a number >= 0")

    solver = pde.solver(D, side)
    stored = (slice(None), slice(None), *(slice(None, None, pde.refinement),) * D)
    states = np.empty((trajectories, steps + 1, pde.components(D), *(side,) * D), np.float32)
    for index in range(trajectories):
        start = pde.initial_state(np.random.default_rng([seed, index]), D, side)
        # One at a time: memory stays that of one trajectory and its bytes do not depend on its neighbours.
        frames = _rollout(solver, start, steps + pde.spin_up, pde.sub_steps)
        states[index] = np.asarray(frames)[pde.spin_up :][stored]
        if not np.isfinite(states[index]).all():
            raise NumericsError(
                f"simulation of {pde.name}",
                got=f"NaN or infinity in trajectory {index}",
                hint="Use more sub-steps or a smaller time step.",
            )
        if progress is not None:
            progress(index + 1, trajectories)
    return Trajectories(
        schema=pde.fields,
        fields=_unstack(pde, D, states),
        D=D,
        spacing=pde.spacing,
        time_step=pde.time_step,
        is_torus=True,
        origin={
            "equation": pde.name,
            "parameters": dict(pde.parameters),
            "correlation_length": pde.correlation_length,
            "seed": seed,
        },
    )


@eqx.filter_jit
def _rollout(solver: BaseStepper, start: np.ndarray, steps: int, sub_steps: int) -> jax.Array:
    """All frames from `start` on, `(steps + 1, components, *solver grid)`."""
    first = jnp.asarray(start)

    def frame(state, _):
        state = jax.lax.fori_loop(0, sub_steps, lambda _, u: solver.step(u).astype(first.dtype), state)
        return state, state

    _, rest = jax.lax.scan(frame, first, None, length=steps)
    return jnp.concatenate([first[None], rest])


def _unstack(pde: PDE, D: int, states: np.ndarray) -> dict[str, np.ndarray]:
    """Components first, as the solver has them -> one array per field, components last."""
    arrays, offset = {}, 0
    for field in pde.fields:
        block = states[:, :, offset : offset + D**field.k]
        offset += D**field.k
        moved = np.moveaxis(block, 2, -1)
        arrays[field.name] = np.ascontiguousarray(moved.reshape(*moved.shape[:-1], *(D,) * field.k))
    return arrays
