"""The solver of linear acoustics: every plane wave moves by its exact phase."""

from __future__ import annotations

import jax.numpy as jnp
from jax import Array

from ginjax.data.equations._spectral_grid import SpectralGrid, SpectralStepper


class AcousticsStepper(SpectralStepper):
    r"""`p_t = -rho c^2 div(v)`, `v_t = -grad(p) / rho`, for states `(p, v)`; exact for any time step.

    For a wave vector `k` let `n = k / |k|`, `a = n . v` and `w = c |k|`. Then `p` and `rho c a` are coupled like
    the position and speed of an oscillator. The part of `v` transverse to `k` does not change:

        p(t)       = p cos(w t) - i rho c a sin(w t)
        rho c a(t) = rho c a cos(w t) - i p sin(w t)

    **Arguments:**

    - `grid`: the grid of the fields.
    - `dt`: the time step.
    - `speed_of_sound`, `density`: `c` and `rho`.
    """

    impedance: Array
    direction: Array
    cosine: Array
    sine: Array

    def __init__(self, grid: SpectralGrid, dt: float, *, speed_of_sound: float, density: float):
        self.grid = grid
        size = jnp.sqrt(self.grid.squared)
        self.impedance = jnp.asarray(density * speed_of_sound)
        self.direction = self.grid.waves / jnp.where(size == 0, 1, size)  # 0 where there is no wave
        self.cosine = jnp.cos(speed_of_sound * dt * size)
        self.sine = jnp.sin(speed_of_sound * dt * size)

    def step(self, u: Array) -> Array:
        """The state after one time step."""
        pressure, *velocity = self.grid.amplitudes(u)
        along = sum(n * v for n, v in zip(self.direction, velocity, strict=True))
        later = self.cosine * pressure - 1j * self.impedance * self.sine * along
        gained = (self.cosine - 1) * along - 1j * self.sine * pressure / self.impedance
        moved = [v + n * gained for n, v in zip(self.direction, velocity, strict=True)]
        return self.grid.fields(jnp.stack([later, *moved]))
