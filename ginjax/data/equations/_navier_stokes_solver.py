"""The solver of incompressible flow: pseudo-spectral with a projection in space, Runge-Kutta in time."""

from __future__ import annotations

import jax.numpy as jnp
from jax import Array

from ginjax.data.equations._runge_kutta import runge_kutta_step
from ginjax.data.equations._spectral_grid import SpectralGrid, SpectralStepper


class NavierStokesStepper(SpectralStepper):
    """`u_t = P(-div(u u)) + nu Lap(u) + a (u - mean(u))`, where the projection `P` removes the gradient of the pressure.

    The force is Lundgren's: it is proportional to the velocity, so it prefers no place, no direction and no wavelength. Without
    viscosity and force, the waves that are kept exchange energy, and their total energy is conserved.

    **Arguments:**

    - `grid`: the grid of the velocity, in at least two dimensions.
    - `dt`: the time step; `dt |u| |k|` has to stay below 2.8 for the shortest wave kept.
    - `viscosity`: the kinematic viscosity `nu`.
    - `forcing`: the rate `a`; 0 for a decaying flow.

    Source of the force: T. S. Lundgren, Linearly forced isotropic turbulence, Annual Research Briefs, Center for Turbulence
    Research (2003), 461-473.
    """

    dt: Array
    growth: Array

    def __init__(self, grid: SpectralGrid, dt: float, *, viscosity: float, forcing: float):
        self.grid = grid
        self.dt = jnp.asarray(dt)  # an array, so that one compiled program serves all time steps
        squared = self.grid.squared
        self.growth = jnp.where(squared == 0, 0, forcing - viscosity * squared)

    def step(self, u: Array) -> Array:
        """The velocity after one time step."""
        start = self._without_divergence(self.grid.kept * self.grid.amplitudes(u))
        return self.grid.fields(runge_kutta_step(self._rate, start, self.dt))

    def _rate(self, waves: Array) -> Array:
        """The time derivative of the amplitudes of the velocity."""
        velocity = self.grid.fields(waves)
        carried = self.grid.divergence_of_flux(velocity, velocity)
        return self.growth * waves - self._without_divergence(carried)

    def _without_divergence(self, vector: Array) -> Array:
        """Amplitudes of the part of a vector field that has no divergence."""
        grid = self.grid
        squared = jnp.where(grid.squared == 0, 1, grid.squared)
        return vector + grid.gradient(grid.divergence(vector) / squared)
