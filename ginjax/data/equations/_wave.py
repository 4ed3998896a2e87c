"""The wave equation for a height and its rate of change."""

from __future__ import annotations

import numpy as np

from ginjax.checkpoint import Field
from ginjax.data.equations._initial import Draw
from ginjax.data.equations._pde import PDE


def height_and_rate(draw: Draw, D: int) -> np.ndarray:
    """A height and a rate of change of zero mean, `(2, *spatial)`."""
    height, rate = draw(), draw()
    return np.stack([height, rate - rate.mean()])  # a mean rate would make the mean height drift


WAVE = PDE(
    name="wave",
    equation="h_t = v, v_t = c^2 Lap(h)",
    fields=(Field("height", 0, 0), Field("rate", 0, 0, "1/time")),
    parameters={"speed_of_sound": 0.2},
    stepper="ginjax.data.equations._wave_solver:WaveStepper",
    time_step=0.2,
    sub_steps=1,
    correlation_length=3 / 16,
    initial=height_and_rate,
    refinement=1,  # linear: solved exactly mode by mode
    planar=True,
)
