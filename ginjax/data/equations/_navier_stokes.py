"""Incompressible flow described by its velocity, decaying or forced."""

from __future__ import annotations

from dataclasses import replace

from ginjax.checkpoint import Field
from ginjax.data.equations._initial import solenoidal_noise
from ginjax.data.equations._pde import PDE

NAVIER_STOKES = PDE(
    name="navier-stokes",
    equation="u_t + (u . grad) u + grad(p) = nu Lap(u), div(u) = 0",
    fields=(Field("velocity", 1, 0, "length/time"),),
    parameters={"viscosity": 0.01, "forcing": 0.0},
    stepper="ginjax.data.equations._navier_stokes_solver:NavierStokesStepper",
    time_step=0.05,
    sub_steps=8,
    correlation_length=4 / 16,
    initial=solenoidal_noise,
    dimensions=(2, 3),  # in 1D an incompressible flow is a constant
    planar=True,
)

FORCED_NAVIER_STOKES = replace(
    NAVIER_STOKES,
    name="navier-stokes-forced",
    equation="u_t + (u . grad) u + grad(p) = nu Lap(u) + a (u - mean(u)), div(u) = 0",
    parameters={"viscosity": 0.01, "forcing": 0.9},
    # In 2D, and in planes, energy gathers in the longest waves, which no viscosity stops: it would grow without end.
    dimensions=(3,),
    planar=False,
)
