"""The Kuramoto-Sivashinsky equation: chaos of a flame front."""

from __future__ import annotations

from ginjax.checkpoint import Field
from ginjax.data.equations._initial import scalar_noise
from ginjax.data.equations._pde import PDE

KURAMOTO_SIVASHINSKY = PDE(
    name="kuramoto-sivashinsky",
    equation="u_t = -Lap(u) - Lap^2(u) - |grad u|^2 / 2 + mean(|grad u|^2) / 2",
    fields=(Field("height", 0, 0),),
    parameters={"gradient_norm_scale": 1.0, "second_order_scale": 1.0, "fourth_order_scale": 1.0},
    stepper="ginjax.data.equations._kuramoto_sivashinsky_solver:KuramotoSivashinskyStepper",
    time_step=0.6,
    sub_steps=6,
    correlation_length=2.0,
    initial=scalar_noise,
    spacing=1.0,  # the fastest growing wave is 2 pi sqrt(2) = 8.9 long
    spin_up=20,
    planar=True,
)
