"""The wave solver: that of exponax, with the wave numbers of the derivatives it is given.

exponax takes the wave numbers from the axes of the grid. Fields that vary along a few lattice directions only have others.
This module imports exponax, so import it where it is used.
"""

from __future__ import annotations

import jax.numpy as jnp
from exponax.stepper import Wave
from jax import Array


class WaveStepper(Wave):
    """`h_t = v`, `v_t = c^2 Lap(h)`."""

    def _build_linear_operator(self, derivative_operator: Array) -> Array:
        self.wavenumber_norm = jnp.linalg.norm(derivative_operator.imag, axis=0, keepdims=True)
        return super()._build_linear_operator(derivative_operator)
