"""Fields on a periodic grid as sums of waves, for the solvers of this package."""

from __future__ import annotations

from collections.abc import Sequence

import equinox as eqx
import jax.numpy as jnp
import numpy as np
from jax import Array


class SpectralGrid(eqx.Module):
    """A periodic grid of points, its wave vectors, and the transforms between fields and amplitudes of waves.

    The last axis of the amplitudes of a real field holds the wave numbers >= 0 only. At the highest wave number of an even
    number of points, a real field has no derivative; `waves` is 0 there.

    **Arguments:**

    - `rows`: integers, a row for each axis of the grid and a column for each axis of space: one step along axis `i` of space is
      `rows[a][i]` steps along axis `a` of the grid. The identity matrix, unless fields vary in planes only.
    - `length`: length of the domain, in units of length.
    - `points`: points along each axis.
    - `stored`: points along each axis of the stored data, at most `points`.
    """

    D: int = eqx.field(static=True)
    """Number of spatial dimensions, and of components of a vector."""
    axes: tuple[int, ...] = eqx.field(static=True)
    """Axes of the grid in an array `(components, *grid)`, counted from the end."""
    points: int = eqx.field(static=True)
    waves: Array
    """Wave vectors, `(D, *wave numbers)`, in radians per unit of length."""
    kept: Array
    """Which waves to keep: those below the highest wave number of the stored points along each axis, so that storing fewer points
    loses nothing, and below two thirds of the highest of the grid, so that products of two waves are free of aliasing.
    """

    def __init__(self, rows: Sequence[Sequence[int]], length: float, points: int, stored: int):
        self.D, self.points = len(rows[0]), points
        self.axes = tuple(range(-len(rows), 0))
        others = len(rows) - 1
        whole = np.rint(np.fft.fftfreq(points, 1 / points))
        whole = np.where(2 * np.abs(whole) == points, 0, whole)
        numbers = np.meshgrid(*[whole] * others, np.abs(whole[: points // 2 + 1]), indexing="ij")
        self.waves = jnp.asarray(2 * np.pi / length * np.tensordot(np.transpose(rows), numbers, 1))
        below = np.abs(np.fft.fftfreq(points, 1 / points)) < min(points / 3, stored / 2)
        below = np.meshgrid(*[below] * others, below[: points // 2 + 1], indexing="ij")
        self.kept = jnp.asarray(np.logical_and.reduce(below))

    @property
    def squared(self) -> Array:
        """Squared lengths of the wave vectors, `(*wave numbers)`."""
        return sum(each**2 for each in self.waves)  # pyright: ignore[reportReturnType]

    def amplitudes(self, fields: Array) -> Array:
        """Transform fields `(components, *grid)` to amplitudes `(components, *wave numbers)`."""
        return jnp.fft.rfftn(fields, axes=self.axes)

    def fields(self, amplitudes: Array) -> Array:
        """Transform amplitudes to fields; the inverse of `amplitudes`."""
        return jnp.fft.irfftn(amplitudes, (self.points,) * len(self.axes), axes=self.axes)

    def product(self, one: Array, other: Array) -> Array:
        """Amplitudes of a pointwise product, without the waves that aliasing can reach."""
        return self.kept * self.amplitudes(one * other)

    def divergence_of_flux(self, momentum: Array, velocity: Array) -> Array:
        """Amplitudes of `sum_j d_j (m_i u_j)`, from fields whose product `m_i u_j` is symmetric in `i` and `j`."""
        products = {
            (i, j): self.product(momentum[i], velocity[j]) for i in range(self.D) for j in range(i, self.D)
        }
        rows = [[products[min(i, j), max(i, j)] for j in range(self.D)] for i in range(self.D)]
        return jnp.stack([self.divergence(jnp.stack(row)) for row in rows])

    def divergence(self, vector: Array) -> Array:
        """Amplitudes of the divergence of a vector field, from the amplitudes of its components."""
        # Components are added one by one: sums over a broadcast product are compiled wrongly, see `_burgers_solver.py`.
        total = jnp.zeros_like(vector[0])
        for k, component in zip(self.waves, vector, strict=True):
            total += 1j * k * component
        return total

    def gradient(self, scalar: Array) -> Array:
        """Amplitudes of the gradient of a scalar field, from its amplitudes."""
        return 1j * self.waves * scalar


class SpectralStepper(eqx.Module):
    """A solver of one time step on a `SpectralGrid`; `PDE.solver` builds it as `kind(grid, dt, **parameters)`."""

    grid: SpectralGrid
