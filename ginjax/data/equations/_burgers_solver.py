"""The Burgers solver: that of exponax, with the convection term summed component by component.

exponax sums `u_j d_j u_i` over `j` as `sum(u[None] * grad, axis=1)`. On the CPU, jaxlib 0.10.2 compiles exactly
this pattern (a factor broadcast along the first axis, summed over the second) to a wrong result on fields of
more than about 10^4 points, without an error; the solution then fails to commute with rotations of the grid.
A sum over components that is written out avoids that code path. This module imports exponax, so import it
where it is used.
"""

from __future__ import annotations

import jax.numpy as jnp
from exponax.nonlin_fun import ConvectionNonlinearFun
from exponax.stepper import Burgers
from jax import Array


class _Convection(ConvectionNonlinearFun):
    """`N(u)_i = -b sum_j u_j d_j u_i` in Fourier space."""

    def __init__(self, stepper: Burgers, derivative_operator: Array):
        super().__init__(
            stepper.num_spatial_dims,
            stepper.num_points,
            derivative_operator=derivative_operator,
            dealiasing_fraction=stepper.dealiasing_fraction,
            scale=stepper.convection_scale,
        )

    def __call__(self, u_hat: Array) -> Array:
        u = self.ifft(u_hat)
        convection = jnp.zeros_like(u)
        for velocity, derivative in zip(u, self.derivative_operator, strict=True):
            convection += velocity * self.ifft(derivative * u_hat)
        return -self.scale * self.fft(convection)


class BurgersStepper(Burgers):
    """`u_t + b (u . grad) u = nu Lap(u)` for a velocity with one component per dimension."""

    def _build_nonlinear_fun(self, derivative_operator: Array) -> _Convection:
        return _Convection(self, derivative_operator)
