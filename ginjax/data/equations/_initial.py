"""Initial states made of random fields, for any equation."""

from __future__ import annotations

from collections.abc import Callable
from itertools import combinations

import numpy as np

Draw = Callable[[], np.ndarray]
"""Draws one scalar random field of zero mean and unit variance on the solver's grid."""


def scalar_noise(draw: Draw, D: int) -> np.ndarray:
    """One scalar field, `(1, *spatial)`."""
    return draw()[None]


def vector_noise(draw: Draw, D: int) -> np.ndarray:
    """One vector field of independent components, `(D, *spatial)`."""
    return np.stack([draw() for _ in range(D)])


def solenoidal_noise(draw: Draw, D: int) -> np.ndarray:
    """One vector field without divergence and mean, of rms 1 by component, `(D, *spatial)`, in at least two dimensions.

    It is the divergence of an antisymmetric tensor of independent random fields: the curl of a stream function in 2D, of a
    vector potential in 3D. Along its own axis each component is then correlated just as the random fields are, in every
    dimension; the projection of a vector field would not do that.
    """
    potentials = {pair: np.fft.fftn(draw()) for pair in combinations(range(D), 2)}
    grid = potentials[0, 1].shape
    waves = np.meshgrid(*map(np.fft.fftfreq, grid), indexing="ij")
    amplitudes = np.zeros((D, *grid), complex)
    for (i, j), potential in potentials.items():
        amplitudes[i] += 1j * waves[j] * potential
        amplitudes[j] -= 1j * waves[i] * potential
    velocity = np.fft.ifftn(amplitudes, axes=range(1, D + 1)).real
    return velocity / np.sqrt(np.square(velocity).mean())
