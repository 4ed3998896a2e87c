"""A viscous gas at constant temperature: compressible flow that is supersonic in places."""

from __future__ import annotations

import numpy as np

from ginjax.checkpoint import Field
from ginjax.data.equations._initial import Draw, vector_noise
from ginjax.data.equations._pde import PDE


def density_and_velocity(draw: Draw, D: int) -> np.ndarray:
    """A positive density around 1, and a velocity with rms 0.3 per component, `(1 + D, *spatial)`."""
    return np.concatenate([np.exp(0.3 * draw())[None], 0.3 * vector_noise(draw, D)])


ISOTHERMAL = PDE(
    name="isothermal",
    equation="rho_t = -div(rho u), (rho u)_t = -div(rho u u) - c^2 grad(rho) + mu (Lap(u) + grad(div u) / 3)",
    fields=(Field("density", 0, 0), Field("velocity", 1, 0, "length/time")),
    parameters={"speed_of_sound": 1.0, "viscosity": 0.01},
    stepper="ginjax.data.equations._isothermal_solver:IsothermalStepper",
    time_step=0.04,
    sub_steps=6,
    correlation_length=4 / 16,
    initial=density_and_velocity,
    planar=True,
)
