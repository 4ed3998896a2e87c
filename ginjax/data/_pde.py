"""The equations that data can be generated for: one description each, valid in every dimension."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from functools import partial
from importlib import import_module
from types import MappingProxyType
from typing import TYPE_CHECKING

import numpy as np

from ginjax.data._fields import Field
from ginjax.data._random_fields import gaussian_field, normal_cdf
from ginjax.errors import ArgumentError

if TYPE_CHECKING:
    from exponax import BaseStepper

# Draws one unit-variance scalar random field on the solver's grid.
Draw = Callable[[], np.ndarray]

DEFAULT_SIDES: Mapping[int, int] = MappingProxyType({1: 64, 2: 32, 3: 16})


@dataclass(frozen=True)
class PDE:
    """A periodic partial differential equation with everything needed to simulate it in 1, 2 or 3 dimensions.

    Lengths and times are in the units of the equation's own (dimensionless) form; the grid spacing and the
    time step are the same in every dimension, so a network sees the same local law everywhere.

    **Arguments:**

    - `name`: the name it is asked for by.
    - `equation`: the equation in plain text.
    - `fields`: its fields, in channel order.
    - `parameters`: coefficient names and values, handed to the solver.
    - `stepper`: the solver's class as `module:name`, imported when it is needed.
    - `time_step`: time between stored frames.
    - `sub_steps`: solver steps in one `time_step`.
    - `correlation_length`: of the random initial field, in units of length.
    - `initial`: recipe turning unit-variance random fields into the initial state `(components, *spatial)`.
    - `spacing`: grid spacing of the stored data.
    - `refinement`: the solver's grid is this many times finer, so that its de-aliasing filter, whose cut-off
      depends on the number of points and hence on the dimension, stays clear of the stored wavenumbers.
    - `spin_up`: stored frames discarded before the first one that is kept.
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

    def components(self, D: int) -> int:
        """Number of scalar components of the state in `D` dimensions."""
        return sum(D**field.k for field in self.fields)

    def extent(self, side: int) -> float:
        """Length of a periodic domain of `side` stored points."""
        return side * self.spacing

    def initial_state(self, rng: np.random.Generator, D: int, side: int) -> np.ndarray:
        """Draw an initial state on the solver's grid.

        **Arguments:**

        - `rng`: source of the random numbers.
        - `D`: number of dimensions.
        - `side`: stored points along each axis.

        **Returns:** a float32 array `(components, *solver grid)`.
        """

        def draw() -> np.ndarray:
            return gaussian_field(
                rng,
                D,
                side=side * self.refinement,
                spacing=self.spacing / self.refinement,
                correlation_length=self.correlation_length,
            )

        return self.initial(draw, D).astype(np.float32)

    def solver(self, D: int, side: int) -> BaseStepper:
        """Build the solver of one sub-step on a domain of `side` stored points per axis.

        **Arguments:**

        - `D`: number of dimensions.
        - `side`: stored points along each axis.

        **Returns:** an exponax stepper for states `(components, *solver grid)`.
        """
        import equinox as eqx

        module, _, name = self.stepper.partition(":")
        build = partial(
            getattr(import_module(module), name),
            D,
            self.extent(side),
            side * self.refinement,
            self.time_step / self.sub_steps,
            **self.parameters,
        )
        # One program for all coefficients: built one operation at a time they take a second to compile.
        return eqx.filter_jit(build)()


def find_pde(name: str) -> PDE:
    """Look an equation up by name.

    **Arguments:**

    - `name`: one of the names in `PDES`.

    **Returns:** its description.

    **Raises:** `ArgumentError` for an unknown name.
    """
    try:
        return PDES[name]
    except KeyError:
        raise ArgumentError("equation", got=repr(name), expected="one of " + ", ".join(PDES)) from None


def _scalar_noise(draw: Draw, D: int) -> np.ndarray:
    return draw()[None]


def _velocity_noise(draw: Draw, D: int) -> np.ndarray:
    return np.stack([draw() for _ in range(D)])


def _population(draw: Draw, D: int) -> np.ndarray:
    # Uniformly distributed below the carrying capacity 1 would saturate at once; most of the domain starts low.
    return normal_cdf(draw() - 1.0)[None]


def _two_phases(draw: Draw, D: int) -> np.ndarray:
    return np.tanh(draw())[None]


def _reacting_patches(draw: Draw, D: int) -> np.ndarray:
    patches = normal_cdf((draw() - 0.5) / 0.4)
    return np.stack([1.0 - 0.6 * patches, 0.35 * patches])


def _height_and_rate(draw: Draw, D: int) -> np.ndarray:
    height, rate = draw(), draw()
    return np.stack([height, rate - rate.mean()])  # a mean rate would carry the mean height away


PDES: Mapping[str, PDE] = MappingProxyType(
    {
        pde.name: pde
        for pde in (
            PDE(
                name="diffusion",
                equation="u_t = nu Lap(u)",
                fields=(Field("density", 0, 0),),
                parameters=MappingProxyType({"diffusivity": 0.04}),
                stepper="exponax.stepper:Diffusion",
                time_step=0.04,
                sub_steps=1,
                correlation_length=2 / 16,
                initial=_scalar_noise,
                refinement=1,  # linear: solved exactly mode by mode, nothing to de-alias
            ),
            PDE(
                name="fisher-kpp",
                equation="u_t = nu Lap(u) + r u (1 - u)",
                fields=(Field("population", 0, 0),),
                parameters=MappingProxyType({"diffusivity": 0.01, "reactivity": 1.0}),
                stepper="exponax.stepper.reaction:FisherKPP",
                time_step=0.25,
                sub_steps=3,
                correlation_length=4 / 16,
                initial=_population,
            ),
            PDE(
                name="allen-cahn",
                equation="u_t = nu Lap(u) + u - u^3",
                fields=(Field("phase", 0, 0),),
                parameters=MappingProxyType(
                    {"diffusivity": 0.01, "first_order_coefficient": 1.0, "third_order_coefficient": -1.0}
                ),
                stepper="exponax.stepper.reaction:AllenCahn",
                time_step=0.4,
                sub_steps=4,
                correlation_length=3 / 16,
                initial=_two_phases,
            ),
            PDE(
                name="burgers",
                equation="u_t + (u . grad) u = nu Lap(u)",
                fields=(Field("velocity", 1, 0, "length/time"),),
                parameters=MappingProxyType({"diffusivity": 0.03}),
                stepper="ginjax.data._burgers:BurgersStepper",
                time_step=0.05,
                sub_steps=6,
                correlation_length=4 / 16,
                initial=_velocity_noise,
            ),
            PDE(
                name="gray-scott",
                equation="u_t = nu1 Lap(u) + f (1 - u) - u v^2, v_t = nu2 Lap(v) - (f + k) v + u v^2",
                fields=(Field("substrate", 0, 0), Field("activator", 0, 0)),
                parameters=MappingProxyType(
                    {"diffusivity_1": 8e-4, "diffusivity_2": 4e-4, "feed_rate": 0.04, "kill_rate": 0.06}
                ),
                stepper="exponax.stepper.reaction:GrayScott",
                time_step=10.0,
                sub_steps=10,
                correlation_length=3 / 16,
                initial=_reacting_patches,
            ),
            PDE(
                name="kuramoto-sivashinsky",
                equation="u_t = -Lap(u) - Lap^2(u) - |grad u|^2 / 2 + mean(|grad u|^2) / 2",
                fields=(Field("height", 0, 0),),
                parameters=MappingProxyType(
                    {"gradient_norm_scale": 1.0, "second_order_scale": 1.0, "fourth_order_scale": 1.0}
                ),
                stepper="ginjax.data._kuramoto_sivashinsky:KuramotoSivashinskyStepper",
                time_step=0.6,
                sub_steps=6,
                correlation_length=2.0,
                initial=_scalar_noise,
                spacing=1.0,  # the fastest growing wave is 2 pi sqrt(2) = 8.9 long
                spin_up=20,
            ),
            PDE(
                name="swift-hohenberg",
                equation="u_t = r u - (k + Lap)^2 u + u^2 - u^3",
                fields=(Field("pattern", 0, 0),),
                parameters=MappingProxyType({"reactivity": 0.7, "critical_number": 1.0}),
                stepper="exponax.stepper.reaction:SwiftHohenberg",
                time_step=0.6,
                sub_steps=12,
                correlation_length=1.5,
                initial=_scalar_noise,
                spacing=0.8,  # the pattern repeats every 2 pi / sqrt(k) = 6.3
                spin_up=1,
            ),
            PDE(
                name="wave",
                equation="h_t = v, v_t = c^2 Lap(h)",
                fields=(Field("height", 0, 0), Field("rate", 0, 0, "1/time")),
                parameters=MappingProxyType({"speed_of_sound": 0.2}),
                stepper="exponax.stepper:Wave",
                time_step=0.2,
                sub_steps=1,
                correlation_length=3 / 16,
                initial=_height_and_rate,
                refinement=1,  # linear: solved exactly mode by mode
            ),
        )
    }
)
