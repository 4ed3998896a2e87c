"""Fields on a periodic grid as sums of waves, for the solvers written here."""

from __future__ import annotations

import equinox as eqx
import jax.numpy as jnp
import numpy as np
from jax import Array


class SpectralGrid(eqx.Module):
    """A periodic cube of points, its wave vectors, and the transforms between fields and amplitudes of waves.

    The last axis of the amplitudes of a real field holds the wave numbers >= 0 only. At the highest wave number of an even
    number of points a real field has no derivative, so it counts as 0 in `waves`.

    **Arguments:**

    - `D`: number of dimensions.
    - `length`: of the domain, in units of length.
    - `points`: along each axis.
    """

    D: int = eqx.field(static=True)
    points: int = eqx.field(static=True)
    waves: Array
    """Wave vectors, `(D, *wave numbers)`, in radians by unit of length."""
    kept: Array
    """The waves that products of two fields leave free of aliasing: below two thirds of the highest, along each axis."""

    def __init__(self, D: int, length: float, points: int):
        self.D, self.points = D, points
        whole = np.rint(np.fft.fftfreq(points, 1 / points))
        whole = np.where(2 * np.abs(whole) == points, 0, whole)
        numbers = np.meshgrid(*[whole] * (D - 1), np.abs(whole[: points // 2 + 1]), indexing="ij")
        self.waves = jnp.asarray(2 * np.pi / length * np.stack(numbers))
        below = np.abs(np.fft.fftfreq(points)) < 1 / 3
        below = np.meshgrid(*[below] * (D - 1), below[: points // 2 + 1], indexing="ij")
        self.kept = jnp.asarray(np.logical_and.reduce(below))

    @property
    def squared(self) -> Array:
        """Squared lengths of the wave vectors, `(*wave numbers)`."""
        return sum(each**2 for each in self.waves)  # pyright: ignore[reportReturnType]

    def amplitudes(self, fields: Array) -> Array:
        """`(components, *grid)` to `(components, *wave numbers)`."""
        return jnp.fft.rfftn(fields, axes=self._axes)

    def fields(self, amplitudes: Array) -> Array:
        """The inverse of `amplitudes`."""
        return jnp.fft.irfftn(amplitudes, (self.points,) * self.D, axes=self._axes)

    def product(self, one: Array, other: Array) -> Array:
        """Amplitudes of a pointwise product, without the waves that aliasing may reach."""
        return self.kept * self.amplitudes(one * other)

    def divergence_of_flux(self, momentum: Array, velocity: Array) -> Array:
        """Amplitudes of `sum_j d_j (m_i u_j)`, from fields whose product `m_i u_j` is symmetric in `i` and `j`."""
        products = {
            (i, j): self.product(momentum[i], velocity[j]) for i in range(self.D) for j in range(i, self.D)
        }
        rows = [[products[min(i, j), max(i, j)] for j in range(self.D)] for i in range(self.D)]
        return jnp.stack([self.divergence(jnp.stack(row)) for row in rows])

    def divergence(self, vector: Array) -> Array:
        """Amplitudes of the divergence of a vector field, from its own."""
        # Components are added one by one: sums over a broadcast product are compiled wrongly, see `_burgers_solver.py`.
        total = jnp.zeros_like(vector[0])
        for k, component in zip(self.waves, vector, strict=True):
            total += 1j * k * component
        return total

    def gradient(self, scalar: Array) -> Array:
        """Amplitudes of the gradient of a scalar field, from its own."""
        return 1j * self.waves * scalar

    @property
    def _axes(self) -> tuple[int, ...]:
        return tuple(range(-self.D, 0))
