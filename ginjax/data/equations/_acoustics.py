"""Sound of small amplitude, as a pressure and a velocity."""

from __future__ import annotations

import numpy as np

from ginjax.checkpoint import Field
from ginjax.data.equations._initial import Draw, vector_noise
from ginjax.data.equations._pde import PDE


def pressure_and_velocity(draw: Draw, D: int) -> np.ndarray:
    """Pressure and velocity, independent of each other, `(1 + D, *spatial)`."""
    return np.concatenate([draw()[None], vector_noise(draw, D)])


ACOUSTICS = PDE(
    name="acoustics",
    equation="p_t = -rho c^2 div(v), v_t = -grad(p) / rho",
    fields=(Field("pressure", 0, 0), Field("velocity", 1, 0, "length/time")),
    parameters={"speed_of_sound": 1.0, "density": 1.0},
    stepper="ginjax.data.equations._acoustics_solver:AcousticsStepper",
    time_step=0.04,
    sub_steps=1,
    correlation_length=3 / 16,
    initial=pressure_and_velocity,
    refinement=1,  # linear: solved exactly wave by wave
    planar=True,
)
