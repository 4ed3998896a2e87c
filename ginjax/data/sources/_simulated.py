"""Simulations as a source: a trajectory is computed when it is asked for."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field

import equinox as eqx
import jax
import jax.numpy as jnp
import numpy as np

from ginjax.data.equations import DEFAULT_SIDES, PDE, Solver, find_pde
from ginjax.data.sources._memory import held_in_memory
from ginjax.data.sources._source import Source
from ginjax.errors import ArgumentError, NumericsError


@dataclass(frozen=True, kw_only=True, eq=False, repr=False)
class SimulatedSource(Source):
    """Trajectories of an equation; build it with `simulate`. The newest trajectory is kept in memory."""

    pde: PDE
    seed: int
    solver: Solver = field(repr=False)
    newest: dict[int, dict[str, np.ndarray]] = field(default_factory=dict, repr=False)

    def at_hand(self, progress: Callable[[int, int], None] | None = None) -> Source:
        """The simulations in memory."""
        return held_in_memory(self, progress)

    def _read(self, trajectory: int, start: int, stop: int) -> dict[str, np.ndarray]:
        if trajectory not in self.newest:
            self.newest.clear()
            self.newest[trajectory] = self._simulate(trajectory)
        return {name: array[start:stop] for name, array in self.newest[trajectory].items()}

    def _read_constants(self, trajectory: int) -> dict[str, np.ndarray]:
        return {}

    def _simulate(self, trajectory: int) -> dict[str, np.ndarray]:
        pde, D = self.pde, self.D
        start = pde.initial_state(np.random.default_rng([self.seed, trajectory]), D, self.spatial[0])
        # One at a time: memory stays that of one trajectory and its bytes do not depend on its neighbours.
        frames = rollout(self.solver, start, self.frames - 1 + pde.spin_up, pde.sub_steps)
        stored = (slice(pde.spin_up, None), slice(None), *(slice(None, None, pde.refinement),) * D)
        states = np.asarray(frames)[stored]
        if not np.isfinite(states).all():
            raise NumericsError(
                f"simulation of {pde.name}",
                got=f"NaN or infinity in trajectory {trajectory}",
                hint="Use more sub-steps or a smaller time step.",
            )
        return _unstack(pde, D, states)


def simulate(
    pde: PDE | str, D: int, *, trajectories: int, steps: int, side: int | None = None, seed: int = 0
) -> Source:
    """A source whose trajectories are simulated from random initial fields when they are read.

    Trajectory `i` depends on `(seed, i)` only: asking for more trajectories leaves the first ones as they are.

    **Arguments:**

    - `pde`: an equation or its name in `PDES`.
    - `D`: number of dimensions, one of `pde.dimensions`.
    - `trajectories`: number of simulations.
    - `steps`: steps of `pde.time_step`; there are `steps + 1` frames, the first being the initial one.
    - `side`: grid points along each axis; 64, 32 and 16 in 1, 2 and 3 dimensions unless given.
    - `seed`: a non-negative number; the same seed gives the same bytes.

    **Returns:** float32 trajectories on a torus. Reading raises `NumericsError` when a simulation blows up.

    **Raises:** `ArgumentError` for a bad size.
    """
    pde = find_pde(pde) if isinstance(pde, str) else pde
    if D not in DEFAULT_SIDES:
        raise ArgumentError("dimension of the simulation", got=D, expected="1, 2 or 3")
    pde.check_dimension(D)
    side = DEFAULT_SIDES[D] if side is None else side
    for name, value, least in (("trajectories", trajectories, 1), ("steps", steps, 1), ("side", side, 4)):
        if value < least:
            raise ArgumentError(name, got=value, expected=f"at least {least}")
    if seed < 0:
        raise ArgumentError("seed", got=seed, expected="a number >= 0")
    return SimulatedSource(
        layout="memory",
        schema=pde.fields,
        D=D,
        spatial=(side,) * D,
        spacing=pde.spacing,
        time_step=pde.time_step,
        is_torus=(True,) * D,
        trajectories=trajectories,
        frames=steps + 1,
        origin={
            "equation": pde.name,
            "parameters": dict(pde.parameters),
            "correlation_length": pde.correlation_length,
            "seed": seed,
        },
        pde=pde,
        seed=seed,
        solver=pde.solver(D, side),
    )


@eqx.filter_jit
def rollout(solver: Solver, start: np.ndarray, steps: int, sub_steps: int) -> jax.Array:
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
    for each in pde.fields:
        block = states[:, offset : offset + D**each.k]
        offset += D**each.k
        moved = np.moveaxis(block, 1, -1)
        arrays[each.name] = np.ascontiguousarray(moved.reshape(*moved.shape[:-1], *(D,) * each.k))
    return arrays
