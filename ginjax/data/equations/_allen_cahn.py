"""The Allen-Cahn equation: two phases that separate."""

from __future__ import annotations

import numpy as np

from ginjax.checkpoint import Field
from ginjax.data.equations._initial import Draw
from ginjax.data.equations._pde import PDE


def two_phases(draw: Draw, D: int) -> np.ndarray:
    """A phase field between -1 and 1, `(1, *spatial)`."""
    return np.tanh(draw())[None]


ALLEN_CAHN = PDE(
    name="allen-cahn",
    equation="u_t = nu Lap(u) + u - u^3",
    fields=(Field("phase", 0, 0),),
    parameters={"diffusivity": 0.01, "first_order_coefficient": 1.0, "third_order_coefficient": -1.0},
    stepper="exponax.stepper.reaction:AllenCahn",
    time_step=0.4,
    sub_steps=4,
    correlation_length=3 / 16,
    initial=two_phases,
    planar=True,
)
