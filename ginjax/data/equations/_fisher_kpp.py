"""The Fisher-KPP equation: a population that spreads and grows to its capacity."""

from __future__ import annotations

import numpy as np

from ginjax.checkpoint import Field
from ginjax.data.equations._initial import Draw
from ginjax.data.equations._pde import PDE
from ginjax.data.equations._random_fields import normal_cdf


def population(draw: Draw, D: int) -> np.ndarray:
    """Densities between 0 and the capacity 1, `(1, *spatial)`."""
    # Uniformly distributed below the carrying capacity 1 would saturate at once; most of the domain starts low.
    return normal_cdf(draw() - 1.0)[None]


FISHER_KPP = PDE(
    name="fisher-kpp",
    equation="u_t = nu Lap(u) + r u (1 - u)",
    fields=(Field("population", 0, 0),),
    parameters={"diffusivity": 0.01, "reactivity": 1.0},
    stepper="exponax.stepper.reaction:FisherKPP",
    time_step=0.25,
    sub_steps=3,
    correlation_length=4 / 16,
    initial=population,
    planar=True,
)
