"""The Gray-Scott equations: an activator that feeds on a substrate."""

from __future__ import annotations

import numpy as np

from ginjax.checkpoint import Field
from ginjax.data.equations._initial import Draw
from ginjax.data.equations._pde import PDE
from ginjax.data.equations._random_fields import normal_cdf


def reacting_patches(draw: Draw, D: int) -> np.ndarray:
    """Patches of activator, with less substrate in them, `(2, *spatial)`."""
    patches = normal_cdf((draw() - 0.5) / 0.4)
    return np.stack([1.0 - 0.6 * patches, 0.35 * patches])


GRAY_SCOTT = PDE(
    name="gray-scott",
    equation="u_t = nu1 Lap(u) + f (1 - u) - u v^2, v_t = nu2 Lap(v) - (f + k) v + u v^2",
    fields=(Field("substrate", 0, 0), Field("activator", 0, 0)),
    parameters={"diffusivity_1": 8e-4, "diffusivity_2": 4e-4, "feed_rate": 0.04, "kill_rate": 0.06},
    stepper="exponax.stepper.reaction:GrayScott",
    time_step=10.0,
    sub_steps=10,
    correlation_length=3 / 16,
    initial=reacting_patches,
    planar=True,
)
