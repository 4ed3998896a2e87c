"""The distribution of the energy of a field over wavelengths."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from jaxtyping import Float, Int, Num

from ginjax.errors import ArgumentError


def energy_spectrum(
    values: Num[np.ndarray, "batch *field"], D: int, is_torus: Sequence[bool] | None = None
) -> Float[np.ndarray, "batch shells"]:
    r"""Compute the isotropic spectrum `E(s) = sum over shell s of |FFT(u) / N|^2`, summed over components, in float64.

    Shell `s` holds the wave vectors whose length, in waves along the longest axis, rounds to `s`. The corners of the cube of
    wave vectors are included, so that `sum_s E(s)` is the mean square of the field. An axis that is not periodic is analysed in
    cosines (`cos(pi m (i + 1/2) / n)`, the transform of the field and its mirror image). Treated as periodic, its two ends
    would not meet, and the jump would appear as energy at short wavelengths. The mean square stays the same.

    **Arguments:**

    - `values`: `(batch, *spatial, D, ..., D)`, of any finite size.
    - `D`: number of spatial axes, with equal spacing.
    - `is_torus`: for each axis, whether it is periodic; if None, all are.

    **Returns:** `(batch, shells)`, beginning with shell 0, the mean of the field; NaN for a sample that is not finite.

    **Raises:** `ArgumentError` if there are too few axes.
    """
    if values.ndim < 1 + D:
        raise ArgumentError("axes of the field", got=values.ndim, expected=f"samples and {D} spatial axes")
    walled = [axis for axis, periodic in enumerate(is_torus or ()) if not periodic]
    spatial = values.shape[1 : 1 + D]
    shells = _shells(spatial, walled)
    flat = np.asarray(values, np.float64).reshape(*values.shape[: 1 + D], -1)
    for axis in walled:
        flat = np.concatenate([flat, np.flip(flat, 1 + axis)], 1 + axis)
    with np.errstate(over="ignore", invalid="ignore"):
        waves = np.fft.fftn(flat, axes=tuple(range(1, 1 + D)), norm="forward")
        energy = np.square(np.abs(waves)).sum(axis=-1).reshape(len(values), -1)
    return np.stack([np.bincount(shells.ravel(), weights=each) for each in energy])


def _shells(spatial: tuple[int, ...], walled: Sequence[int]) -> Int[np.ndarray, "*new_spatial"]:
    """The shell of every wave vector, as an array on the grid; this grid is twice as long along axes with walls."""
    longest = max(spatial)
    waves = [np.fft.fftfreq(2 * n if axis in walled else n) * longest for axis, n in enumerate(spatial)]
    axes = np.meshgrid(*waves, indexing="ij")
    # Halves, which only cosines have, round up: shell 0 is the mean alone.
    return np.floor(np.sqrt(sum(np.square(axis) for axis in axes)) + 0.5).astype(int)
