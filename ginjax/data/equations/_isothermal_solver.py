"""The solver of isothermal flow: pseudo-spectral in space, Runge-Kutta in time, in conserved quantities."""

from __future__ import annotations

import jax.numpy as jnp
from jax import Array

from ginjax.data.equations._runge_kutta import runge_kutta_step
from ginjax.data.equations._spectral_grid import SpectralGrid, SpectralStepper


class IsothermalStepper(SpectralStepper):
    """The compressible Navier-Stokes equations at constant temperature, for states `(rho, u)`.

    `rho_t = -div(m)` and `m_t = -div(m u) - c^2 grad(rho) + mu (Lap(u) + grad(div u) / 3)` with the momentum `m = rho u`. Both
    right-hand sides are divergences, so total mass and momentum are conserved. The bulk viscosity is zero. The factor 1/3 is that
    of a gas in three dimensions for every `D`: a flow along one axis is then the same flow in every dimension.

    **Arguments:**

    - `grid`: the grid of the fields.
    - `dt`: the time step; `dt (c + |u|) |k|` has to stay below 2.8 for the shortest wave kept.
    - `speed_of_sound`: `c`.
    - `viscosity`: the dynamic viscosity `mu`, which depends on the temperature alone.
    """

    dt: Array
    speed_of_sound: Array
    viscosity: Array

    def __init__(self, grid: SpectralGrid, dt: float, *, speed_of_sound: float, viscosity: float):
        self.grid = grid
        # Arrays, so that one compiled program serves all coefficients.
        self.dt, self.speed_of_sound, self.viscosity = map(jnp.asarray, (dt, speed_of_sound, viscosity))

    def step(self, u: Array) -> Array:
        """The state after one time step."""
        start = self.grid.kept * self.grid.amplitudes(jnp.concatenate([u[:1], u[:1] * u[1:]]))
        density, *momentum = self.grid.fields(runge_kutta_step(self._rate, start, self.dt))
        return jnp.stack([density, *(each / density for each in momentum)])

    def _rate(self, conserved: Array) -> Array:
        """The time derivative of the amplitudes of density and momentum."""
        grid = self.grid
        density, *momentum = grid.fields(conserved)
        velocity = jnp.stack([each / density for each in momentum])
        speed = grid.kept * grid.amplitudes(velocity)
        pressure = self.speed_of_sound**2 * conserved[0] - self.viscosity / 3 * grid.divergence(speed)
        force = -grid.gradient(pressure) - self.viscosity * grid.squared * speed
        carried = grid.divergence_of_flux(jnp.stack(momentum), velocity)
        return jnp.concatenate([-grid.divergence(conserved[1:])[None], force - carried])
