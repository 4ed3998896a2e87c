"""Initial states made of random fields, for any equation."""

from __future__ import annotations

from dataclasses import dataclass
from itertools import combinations

import numpy as np

from ginjax.data.equations._random_fields import gaussian_field


@dataclass(frozen=True)
class Draw:
    """Draws one scalar random field of zero mean and unit variance on the solver's grid at each call.

    **Arguments:**

    - `rng`: source of the random numbers.
    - `side`, `spacing`: points along each axis of the solver's grid, and their distance.
    - `correlation_length`: correlation length in space, in units of length.
    - `rows`: integers, a row for each axis of the grid and a column for each axis of space, as in `Planes`.
    """

    rng: np.random.Generator
    side: int
    spacing: float
    correlation_length: float
    rows: tuple[tuple[int, ...], ...]

    def __call__(self) -> np.ndarray:
        # A distance in space is longer on the grid, by the length of the row.
        stretch = np.linalg.norm(self.rows, axis=1)
        return gaussian_field(
            self.rng,
            len(self.rows),
            side=self.side,
            spacing=self.spacing,
            correlation_length=[float(each) * self.correlation_length for each in stretch],
        )

    def gradient(self, scalar: np.ndarray) -> np.ndarray:
        """Derivatives of a field along each axis of space, `(D, *grid)`."""
        waves = np.meshgrid(
            *[2j * np.pi * np.fft.fftfreq(n, self.spacing) for n in scalar.shape], indexing="ij"
        )
        along = np.fft.ifftn(waves * np.fft.fftn(scalar), axes=range(1, scalar.ndim + 1)).real
        return np.tensordot(np.transpose(self.rows), along, 1)


def scalar_noise(draw: Draw, D: int) -> np.ndarray:
    """Draw one scalar field, `(1, *spatial)`."""
    return draw()[None]


def vector_noise(draw: Draw, D: int) -> np.ndarray:
    """Draw one vector field of independent components, `(D, *spatial)`."""
    return np.stack([draw() for _ in range(D)])


def solenoidal_noise(draw: Draw, D: int) -> np.ndarray:
    """Draw one vector field of zero divergence and zero mean, `(D, *spatial)`, whose components have mean square 1 on average.

    It is the divergence of an antisymmetric tensor of independent random fields: the curl of a stream function in 2D, and of a
    vector potential in 3D. In one dimension there is no such field. Along its own axis, each component is correlated exactly as
    the random fields are, in every dimension; the projection of a random vector field would not have this property.
    """
    potentials = {pair: draw.gradient(draw()) for pair in combinations(range(D), 2)}
    velocity = np.zeros_like(potentials[0, 1])
    for (i, j), slopes in potentials.items():
        velocity[i] += slopes[j]
        velocity[j] -= slopes[i]
    return velocity / np.sqrt(np.square(velocity).mean())
