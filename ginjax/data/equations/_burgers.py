"""The Burgers equation: a velocity field that advects itself."""

from __future__ import annotations

from ginjax.checkpoint import Field
from ginjax.data.equations._initial import vector_noise
from ginjax.data.equations._pde import PDE

BURGERS = PDE(
    name="burgers",
    equation="u_t + (u . grad) u = nu Lap(u)",
    fields=(Field("velocity", 1, 0, "length/time"),),
    parameters={"diffusivity": 0.03},
    stepper="ginjax.data.equations._burgers_solver:BurgersStepper",
    time_step=0.05,
    sub_steps=6,
    correlation_length=4 / 16,
    initial=vector_noise,
    planar=True,
)
