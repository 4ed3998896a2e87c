"""Simulations as a source: a trajectory is computed when it is read."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field, replace

import equinox as eqx
import jax
import jax.numpy as jnp
import numpy as np

from ginjax.checkpoint import Field
from ginjax.data._planes_in_words import planes_notes
from ginjax.data.equations import (
    DEFAULT_SIDES,
    PDE,
    PDES,
    Planes,
    Solver,
    covering_factors,
    find_pde,
    grid_of,
    measure_coverage,
    planes_named,
    with_length,
)
from ginjax.data.equations._varied import number_of, varied
from ginjax.data.sources._memory import held_in_memory
from ginjax.data.sources._source import Source
from ginjax.errors import ArgumentError, NumericsError

TOLERANCE = 1e-4
"""Largest relative difference, in float32, between a step of planes and the same step in all dimensions."""


@dataclass(frozen=True, kw_only=True, eq=False, repr=False)
class SimulatedSource(Source):
    """Trajectories of an equation; build it with `simulate`. The newest trajectory is kept in memory.

    **Arguments:**

    - `mixture`: the equation with each correlation length of its initial fields, and each time step or coefficient. The
      trajectories use them in turn.
    - `planes`: the directions along which the fields vary, if not all. With several kinds of planes, each one goes through the
      whole mixture before the next.
    """

    mixture: tuple[PDE, ...]
    seed: int
    planes: tuple[Planes, ...] = ()
    newest: dict[int, dict[str, np.ndarray]] = field(default_factory=dict, repr=False)
    solvers: dict[object, Solver] = field(default_factory=dict, repr=False)

    def solver(self, pde: PDE, planes: Planes | None) -> Solver:
        """The solver of one sub-step, the same for all correlation lengths; it is built when it is needed."""
        alike = pde.time_step, pde.sub_steps, tuple(pde.parameters.items()), planes
        if alike not in self.solvers:
            self.solvers[alike] = pde.solver(self.D, self.spatial[0], planes=planes)
        return self.solvers[alike]

    @property
    def pde(self) -> PDE:
        """The equation, with its own correlation length."""
        return self.mixture[0]

    def at_hand(self, progress: Callable[[int, int], None] | None = None) -> Source:
        """All simulations, in memory."""
        return held_in_memory(self, progress)

    def _read(self, trajectory: int, start: int, stop: int) -> dict[str, np.ndarray]:
        if trajectory not in self.newest:
            self.newest.clear()
            self.newest[trajectory] = self._simulate(trajectory)
        return {name: array[start:stop] for name, array in self.newest[trajectory].items()}

    def _read_constants(self, trajectory: int) -> dict[str, np.ndarray]:
        pde = self.mixture[trajectory % len(self.mixture)]
        return {name: np.full(self.spatial, number_of(pde, name)) for name in self.conditions}

    def _simulate(self, trajectory: int) -> dict[str, np.ndarray]:
        turn, place = divmod(trajectory, len(self.mixture))
        pde, D = self.mixture[place], self.D
        planes = self.planes[turn % len(self.planes)] if self.planes else None
        rng = np.random.default_rng([self.seed, trajectory])
        start = pde.initial_state(rng, D, self.spatial[0], planes=planes)
        # One at a time: memory stays that of one trajectory and its bytes do not depend on its neighbours.
        frames = rollout(self.solver(pde, planes), start, self.frames - 1 + pde.spin_up, pde.sub_steps)
        every = (slice(None, None, pde.refinement),) * (start.ndim - 1)
        states = np.asarray(frames)[(slice(pde.spin_up, None), slice(None), *every)]
        if planes is not None:
            states = planes.in_space(states, self.spatial)
        if not np.isfinite(states).all():
            raise NumericsError(
                f"simulation of {pde.name}",
                got=f"NaN or infinity in trajectory {trajectory}",
                hint="Ask for fewer frames, or in Python for more sub-steps: dataclasses.replace(equation, sub_steps=...).",
            )
        return _unstack(pde, D, states)


def simulate(
    pde: PDE | str,
    D: int,
    *,
    trajectories: int,
    steps: int,
    side: int | None = None,
    seed: int = 0,
    cover: int | None = None,
    planes: str | None = None,
    vary: Mapping[str, Sequence[float]] | None = None,
) -> Source:
    """Make a source whose trajectories are simulated from random initial fields when they are read.

    The random numbers of trajectory `i` depend on `(seed, i)` only: with more trajectories, the first ones stay the same.

    **Arguments:**

    - `pde`: an equation or its name in `PDES`.
    - `D`: number of dimensions, one of `pde.dimensions`.
    - `trajectories`: number of simulations.
    - `steps`: number of steps of `pde.time_step`. There are `steps + 1` frames; frame 0 is the initial one.
    - `side`: grid points along each axis; by default 64, 32 and 16 in 1, 2 and 3 dimensions.
    - `seed`: a non-negative number; the same seed gives the same bytes.
    - `cover`: the higher dimension that a network will be converted to. Every other trajectory then begins with a shorter
      correlation length, so that gradients are as large as in that dimension, see `covering_factors`. A note of the source has
      the resulting ratios.
    - `planes`: in 3D, "flat" for fields that are constant along the last axis, in slabs of 4 points along it;
      "oblique" for fields that are constant along (1, -1, 0); "both" for these two in turn on the same grid. The fields obey the
      equation in 3D, with all three components of a vector, at the cost of simulations in 2D.
    - `vary`: by name, several values of `time_step` or of a coefficient. The trajectories take every combination of them in
      turn, with `cover` at each correlation length. These numbers are conditions of the source.

    **Returns:** a source of float32 trajectories on a torus. Reading raises `NumericsError` if a simulation blows up.

    **Raises:** `ArgumentError` for a size that is not possible, a dimension that cannot be covered, or
    planes of an equation that is not `planar`.
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
    sheets = () if planes is None else _planes_of(pde, D, planes)
    origin = {
        "equation": pde.name,
        "parameters": dict(pde.parameters),
        "correlation_length": pde.correlation_length,
        "seed": seed,
    }
    mixture, notes = varied(pde, vary or {}), ()
    names = tuple(vary or ())
    if cover is not None:
        lengths = _covering(pde, sheets[0].varying if sheets else D, cover)
        mixture = tuple(
            replace(each, correlation_length=other.correlation_length)
            for each in mixture
            for other in lengths
        )
        notes = (str(measure_coverage(pde, D, cover, planes=sheets)),)
        origin |= {"cover": cover, "correlation_lengths": [each.correlation_length for each in lengths]}
    if names and trajectories < len(mixture):
        raise ArgumentError(
            "trajectories",
            got=trajectories,
            expected=f"at least {len(mixture)}, one for each combination of `vary`"
            + (" and each correlation length of `cover`" if cover is not None else ""),
        )
    if planes is not None:
        origin["planes"] = planes
    if names:
        origin["vary"] = {name: list(map(float, values)) for name, values in (vary or {}).items()}
        origin["parameters"] = {name: each for name, each in pde.parameters.items() if name not in names}
    return SimulatedSource(
        layout="memory",
        schema=pde.fields,
        D=D,
        spatial=grid_of(sheets, D, side),
        spacing=pde.spacing,
        time_step=mixture[0].time_step if len({each.time_step for each in mixture}) == 1 else None,
        constants=tuple(Field(name, 0, 0) for name in names),
        conditions=names,
        is_torus=(True,) * D,
        trajectories=trajectories,
        frames=steps + 1,
        origin=origin,
        notes=(*notes, *planes_notes(origin)),
        mixture=mixture,
        seed=seed,
        planes=sheets,
    )


def _covering(pde: PDE, varying: int, cover: int) -> tuple[PDE, ...]:
    """The equation with each correlation length of the mixture."""
    if not varying < cover <= max(DEFAULT_SIDES):
        if varying == max(DEFAULT_SIDES):
            raise ArgumentError(
                "`cover`",
                got=f"data in {varying}D",
                expected="data of a lower dimension",
                hint=f"Of {varying}D data only planes, which vary in two directions, can cover more than themselves.",
            )
        raise ArgumentError(
            "`cover`",
            got=cover,
            expected=f"a dimension that the data, which vary in {varying}, are to be converted to, at most "
            f"{max(DEFAULT_SIDES)}",
        )
    return tuple(with_length(pde, factor) for factor in covering_factors(varying, cover))


def _planes_of(pde: PDE, D: int, name: str) -> tuple[Planes, ...]:
    """Planes by name, after a check that the solver supports them."""
    found = planes_named(name)
    in_space = len(found[0].rows[0])
    if in_space != D:
        raise ArgumentError(
            "`planes`",
            got=f"a simulation in {D}D",
            expected=f"one in {in_space}D, where the planes lie",
            hint=f"Ask for {in_space}D. A model of a lower dimension has to be converted to {in_space}D before it is tuned on them.",
        )
    if not pde.planar:
        those = ", ".join(name for name, each in PDES.items() if each.planar)
        raise ArgumentError(
            f"`planes` of {pde.name}: it has none", hint=f"Simulate it without planes. These have: {those}."
        )
    for planes in found:
        _check_step(pde, D, planes)
    return found


def _check_step(pde: PDE, D: int, planes: Planes) -> None:
    """Check the promise of `planar`: compare a step of planes with a step in all dimensions."""
    side = 8
    cube = (side * pde.refinement,) * D
    start = pde.initial_state(np.random.default_rng(0), D, side, planes=planes)
    found = planes.in_space(_step(pde.solver(D, side, planes=planes), start), cube)
    wanted = _step(pde.solver(D, side), planes.in_space(start, cube))
    off = (
        float(np.abs(found - wanted).max() / np.abs(wanted).max()) if found.shape == wanted.shape else np.inf
    )
    if not off < TOLERANCE:
        raise ArgumentError(
            f"`planes` of {pde.name}: a step that differs by {off:.1e} from that in {D} dimensions",
            hint="Its solver has to build its operators from the derivatives it is given. Simulate it without planes, and "
            "describe it with planar=False.",
        )


@eqx.filter_jit
def _stepped(solver: Solver, state: np.ndarray) -> jax.Array:
    return solver.step(jnp.asarray(state))


def _step(solver: Solver, state: np.ndarray) -> np.ndarray:
    return np.asarray(_stepped(solver, state))


@eqx.filter_jit
def rollout(solver: Solver, start: np.ndarray, steps: int, sub_steps: int) -> jax.Array:
    """All frames from the state `start` on, `(steps + 1, components, *solver grid)`."""
    first = jnp.asarray(start)

    def frame(state, _):
        state = jax.lax.fori_loop(0, sub_steps, lambda _, u: solver.step(u).astype(first.dtype), state)
        return state, state

    _, rest = jax.lax.scan(frame, first, None, length=steps)
    return jnp.concatenate([first[None], rest])


def _unstack(pde: PDE, D: int, states: np.ndarray) -> dict[str, np.ndarray]:
    """Turn states with components first, as the solver has them, into one array per field with components last."""
    arrays, offset = {}, 0
    for each in pde.fields:
        block = states[:, offset : offset + D**each.k]
        offset += D**each.k
        moved = np.moveaxis(block, 1, -1)
        arrays[each.name] = np.ascontiguousarray(moved.reshape(*moved.shape[:-1], *(D,) * each.k))
    return arrays
