"""How a network's answers change with each of a few unknowns, by differences.

A derivative through the network takes longer to compute, several times as long to compile, and more memory. The answers are smooth
in the unknowns, which are of the size of one.
"""

from __future__ import annotations

from collections.abc import Callable

import jax.numpy as jnp
import numpy as np
from jax import Array
from jaxtyping import Float

from ginjax.ml.transfer._gauss_newton import Unknowns

STEP = 2.0**-5
"""How far each unknown is moved: float32 has five digits left of the difference."""


def differences(
    f: Callable[[Array], Array], t: Unknowns
) -> tuple[Float[np.ndarray, "*values"], Float[np.ndarray, "*values unknowns"]]:
    """The values of a function of float32 and their derivatives by each unknown, to first order in `STEP`.

    **Returns:** both in float64.
    """

    def at(t: Unknowns) -> Float[np.ndarray, "*values"]:
        return np.asarray(f(jnp.asarray(t, jnp.float32)), np.float64)

    values = at(t)
    return values, np.stack([(at(t + STEP * each) - values) / STEP for each in np.eye(len(t))], -1)
