"""The diffusion solver: that of exponax, for as many derivatives as it is given.

The matrix of diffusivities in exponax has one row for each axis of the grid. Fields that vary along a few lattice directions
only still have a derivative along every axis of space. This module imports exponax, so import it where it is used.
"""

from __future__ import annotations

import jax.numpy as jnp
from exponax.stepper import Diffusion
from jax import Array


class DiffusionStepper(Diffusion):
    """`u_t = nu Lap(u)` with one diffusivity for all directions."""

    def _build_linear_operator(self, derivative_operator: Array) -> Array:
        self.diffusivity = jnp.diag(jnp.ones(len(derivative_operator))) * self.diffusivity[0, 0]
        return super()._build_linear_operator(derivative_operator)
