"""The description of an equation that data can be simulated for, valid in every dimension."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field, fields
from functools import partial
from importlib import import_module
from types import MappingProxyType
from typing import Any

import numpy as np

from ginjax.checkpoint import Field
from ginjax.data.equations._initial import Draw
from ginjax.data.equations._planes import Planes
from ginjax.data.equations._solver import Solver
from ginjax.errors import ArgumentError


@dataclass(frozen=True)
class PDE:
    """A periodic partial differential equation with everything needed to simulate it.

    Lengths and times are in the units of the equation's own (dimensionless) form; the grid spacing and the
    time step are the same in every dimension, so a network sees the same local law everywhere.

    **Arguments:**

    - `name`: the name by which it is requested.
    - `equation`: the equation in plain text.
    - `fields`: its fields, in channel order.
    - `parameters`: coefficient names and values, handed to the solver.
    - `stepper`: the solver's class as `module:name`, imported when it is needed.
    - `time_step`: time between stored frames.
    - `sub_steps`: solver steps in one `time_step`.
    - `correlation_length`: correlation length of the random initial fields, in units of length.
    - `initial`: function that turns random fields of unit variance into the initial state `(components, *spatial)`.
    - `spacing`: grid spacing of the stored data.
    - `refinement`: the solver's grid is this many times finer, so that its de-aliasing filter, whose cut-off
      depends on the number of points and hence on the dimension, stays clear of the stored wavenumbers.
    - `spin_up`: number of frames discarded before the first one that is kept.
    - `dimensions`: the numbers of dimensions in which it exists, in ascending order.
    - `planar`: whether fields in 3D that vary in a plane only can be simulated, see `Planes`. For this, the solver has to build
      its operators from the derivatives it is given, and the initial fields must not assume one axis of the grid for each
      dimension.

    **Raises:** `ArgumentError` for a `stepper` that is not written `module:name`.
    """

    name: str
    equation: str
    fields: tuple[Field, ...]
    parameters: Mapping[str, float]
    stepper: str
    time_step: float
    sub_steps: int
    correlation_length: float
    initial: Callable[[Draw, int], np.ndarray] = field(repr=False)
    spacing: float = 1 / 16
    refinement: int = 2
    spin_up: int = 0
    dimensions: tuple[int, ...] = (1, 2, 3)
    planar: bool = False

    def __post_init__(self):
        if not all(self.stepper.partition(":")):
            raise ArgumentError(f"stepper of {self.name}", got=repr(self.stepper), expected="'module:name'")
        object.__setattr__(self, "parameters", MappingProxyType(dict(self.parameters)))

    def __reduce__(self) -> tuple[object, ...]:
        # A mapping proxy can be neither copied nor pickled; the dictionary below it can.
        values = {each.name: getattr(self, each.name) for each in fields(self)}
        return _made, (type(self), values | {"parameters": dict(self.parameters)})

    def check_dimension(self, D: int) -> None:
        """Refuse a number of dimensions that the equation does not have.

        **Raises:** `ArgumentError` that names the ones it has.
        """
        if D not in self.dimensions:
            *others, last = map(str, self.dimensions)
            raise ArgumentError(
                f"dimension of a simulation of {self.name}",
                got=D,
                expected=f"{', '.join(others)} or {last}" if others else last,
            )

    def components(self, D: int) -> int:
        """Number of scalar components of the state in `D` dimensions."""
        return sum(D**field.k for field in self.fields)

    def extent(self, side: int) -> float:
        """Length of a periodic domain of `side` stored points."""
        return side * self.spacing

    def initial_state(
        self, rng: np.random.Generator, D: int, side: int, *, planes: Planes | None = None
    ) -> np.ndarray:
        """Draw an initial state on the solver's grid.

        **Arguments:**

        - `rng`: source of the random numbers.
        - `D`: number of dimensions.
        - `side`: stored points along each axis.
        - `planes`: the directions along which the state varies, if not all.

        **Returns:** a float32 array `(components, *solver grid)`.
        """
        draw = Draw(
            rng,
            side=side * self.refinement,
            spacing=self.spacing / self.refinement,
            correlation_length=self.correlation_length,
            rows=_every_axis(D) if planes is None else planes.rows,
        )
        return self.initial(draw, D).astype(np.float32)

    def solver(self, D: int, side: int, *, planes: Planes | None = None) -> Solver:
        """Build the solver of one sub-step on a domain of `side` stored points per axis.

        **Arguments:**

        - `D`: number of dimensions.
        - `side`: stored points along each axis.
        - `planes`: the directions along which states vary, if not all.

        **Returns:** a solver for states `(components, *solver grid)`.

        **Raises:** as `check_dimension`.
        """
        import equinox as eqx

        from ginjax.data.equations._spectral_grid import SpectralStepper

        self.check_dimension(D)
        module, _, name = self.stepper.partition(":")
        kind = getattr(import_module(module), name)
        points, dt = side * self.refinement, self.time_step / self.sub_steps
        if isinstance(kind, type) and issubclass(kind, SpectralStepper):
            rows = _every_axis(D) if planes is None else planes.rows
            build = partial(_on_grid, kind, rows, self.extent(side), points, side, dt, **self.parameters)
        else:
            made, axes = (kind, D) if planes is None else (planes.stepper(kind), planes.varying)
            build = partial(made, axes, self.extent(side), points, dt, **self.parameters)
        # One program for all coefficients: built one operation at a time they take a second to compile.
        return eqx.filter_jit(build)()


def _on_grid(
    kind: Callable[..., Solver],
    rows: tuple[tuple[int, ...], ...],
    length: float,
    points: int,
    stored: int,
    dt: float,
    **parameters: float,
) -> Solver:
    from ginjax.data.equations._spectral_grid import SpectralGrid

    return kind(SpectralGrid(rows, length, points, stored), dt, **parameters)


def _every_axis(D: int) -> tuple[tuple[int, ...], ...]:
    return tuple(tuple(int(i == j) for j in range(D)) for i in range(D))


def _made(kind: type[PDE], values: Mapping[str, Any]) -> PDE:
    return kind(**values)
