"""Physical quantities of a frame: what a flow conserves or dissipates, and what has to vanish."""

from __future__ import annotations

from collections.abc import Sequence
from itertools import combinations

import numpy as np
from jaxtyping import Float, Num

QUANTITY_LABELS = {
    "mean": "mean",
    "energy": "energy",
    "divergence": "rms divergence",
    "enstrophy": "enstrophy",
}
"""The labels of the quantities in tables, by name."""


def quantities(
    values: Num[np.ndarray, "batch *field"], D: int, *, spacing: float | None, is_torus: Sequence[bool]
) -> dict[str, Float[np.ndarray, " batch"]]:
    r"""Measure physical quantities of a field, one number per sample, in physical units and in float64.

    A scalar has its `mean` over the grid, which is the conserved total per volume. A vector `u` has

    - `energy`: `<|u|^2> / 2`, the kinetic energy per mass if `u` is a velocity;
    - `divergence`: `sqrt(<(div u)^2>)`, zero in an incompressible flow;
    - `enstrophy`: `<sum_{i<j} (d_i u_j - d_j u_i)^2> / 2`, half the mean square of the vorticity,

    where `<>` is the mean over the grid. Derivatives are spectral along periodic axes, and central differences along the
    others.

    **Arguments:**

    - `values`: `(batch, *spatial, D, ..., D)`.
    - `D`: number of spatial axes.
    - `spacing`: spacing of the grid; if None, quantities with a derivative are left out.
    - `is_torus`: for each axis, whether it is periodic.

    **Returns:** by name in `QUANTITY_LABELS`, arrays `(batch,)`; empty for tensors of order 2 and more.
    """
    order, grid = values.ndim - 1 - D, tuple(range(1, 1 + D))
    field = np.asarray(values, np.float64)
    with np.errstate(over="ignore", invalid="ignore"):  # a rollout that blows up is a result
        if order == 0:
            return {"mean": field.mean(axis=grid)}
        if order > 1:
            return {}
        found = {"energy": np.square(field).sum(axis=-1).mean(axis=grid) / 2}
        if spacing is None:
            return found
        slopes = [_derivative(field, axis, spacing, is_torus[axis - 1]) for axis in grid]
        divergence = np.sum([slopes[i][..., i] for i in range(D)], axis=0)
        found["divergence"] = np.sqrt(np.square(divergence).mean(axis=grid))
        if D > 1:
            turns = [slopes[i][..., j] - slopes[j][..., i] for i, j in combinations(range(D), 2)]
            found["enstrophy"] = np.sum([np.square(each).mean(axis=grid) for each in turns], axis=0) / 2
        return found


def _derivative(values: np.ndarray, axis: int, spacing: float, periodic: bool) -> np.ndarray:
    points = values.shape[axis]
    if not periodic:
        return np.gradient(values, spacing, axis=axis) if points > 1 else np.zeros_like(values)
    waves = 2 * np.pi * np.fft.fftfreq(points, spacing)
    if points % 2 == 0:
        waves[points // 2] = 0  # the shortest wave of a real field has no derivative on its grid
    shape = [1] * values.ndim
    shape[axis] = points
    return np.fft.ifft(1j * waves.reshape(shape) * np.fft.fft(values, axis=axis), axis=axis).real
