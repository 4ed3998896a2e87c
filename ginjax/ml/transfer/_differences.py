"""Derivatives of a network's outputs by a few unknowns, computed by finite differences.

Automatic differentiation through the network takes longer to compute, several times as long to compile, and more memory. The
outputs are smooth in the unknowns, which are of order one.
"""

from __future__ import annotations

from collections.abc import Callable

import jax.numpy as jnp
import numpy as np
from jax import Array
from jaxtyping import Float

from ginjax.ml.transfer._gauss_newton import Unknowns

STEP = 2.0**-5
"""The step of each unknown: float32 leaves five digits of the difference."""


def differences(
    f: Callable[[Array], Array], t: Unknowns
) -> tuple[Float[np.ndarray, "*values"], Float[np.ndarray, "*values unknowns"]]:
    """Compute the values of a float32 function and their derivatives by each unknown, to first order in `STEP`.

    **Returns:** values and derivatives in float64.
    """

    def at(t: Unknowns) -> Float[np.ndarray, "*values"]:
        return np.asarray(f(jnp.asarray(t, jnp.float32)), np.float64)

    values = at(t)
    return values, np.stack([(at(t + STEP * each) - values) / STEP for each in np.eye(len(t))], -1)
