"""The diffusion equation: a density that spreads."""

from __future__ import annotations

from ginjax.checkpoint import Field
from ginjax.data.equations._initial import scalar_noise
from ginjax.data.equations._pde import PDE

DIFFUSION = PDE(
    name="diffusion",
    equation="u_t = nu Lap(u)",
    fields=(Field("density", 0, 0),),
    parameters={"diffusivity": 0.04},
    stepper="ginjax.data.equations._diffusion_solver:DiffusionStepper",
    time_step=0.04,
    sub_steps=1,
    correlation_length=2 / 16,
    initial=scalar_noise,
    refinement=1,  # linear: solved exactly mode by mode, nothing to de-alias
    planar=True,
)
