"""The Kuramoto-Sivashinsky solver: that of exponax, with an isotropic fourth-order term.

exponax damps with `sum_i d_i^4`, which prefers the axes of the grid; the equation has `Lap^2`. In one dimension the two
are equal. This module imports exponax, so import it where it is used.
"""

from __future__ import annotations

from exponax.stepper import KuramotoSivashinsky
from jax import Array


class KuramotoSivashinskyStepper(KuramotoSivashinsky):
    """`u_t = -Lap(u) - Lap^2(u) - |grad u|^2 / 2` without the mean of the last term, so that the mean of `u` is constant."""

    def _build_linear_operator(self, derivative_operator: Array) -> Array:
        laplace = (derivative_operator**2).sum(axis=0, keepdims=True)
        return -self.second_order_scale * laplace - self.fourth_order_scale * laplace**2
