"""How the energy of a field is spread over wavelengths."""

from __future__ import annotations

import numpy as np
from jaxtyping import Float, Int, Num

from ginjax.errors import ArgumentError


def energy_spectrum(values: Num[np.ndarray, "batch *field"], D: int) -> Float[np.ndarray, "batch shells"]:
    r"""The isotropic spectrum `E(s) = sum over shell s of |FFT(u) / N|^2`, components summed, in float64.

    Shell `s` holds the wave vectors whose length, in waves along the longest axis, rounds to `s`; the corners of
    the cube of wave vectors are shells too, so that `sum_s E(s)` is the mean square of the field. Fields are taken as
    periodic: an edge that is not shows up as energy at short wavelengths.

    **Arguments:**

    - `values`: `(batch, *spatial, D, ..., D)`, of any finite size.
    - `D`: number of spatial axes, with equal spacing.

    **Returns:** `(batch, shells)`, from shell 0, the mean of the field; NaN for a sample that is not finite.

    **Raises:** `ArgumentError` if there are too few axes.
    """
    if values.ndim < 1 + D:
        raise ArgumentError("axes of the field", got=values.ndim, expected=f"samples and {D} spatial axes")
    spatial = values.shape[1 : 1 + D]
    shells = _shells(spatial)
    flat = np.asarray(values, np.float64).reshape(*values.shape[: 1 + D], -1)
    with np.errstate(over="ignore", invalid="ignore"):
        waves = np.fft.fftn(flat, axes=tuple(range(1, 1 + D)), norm="forward")
        energy = np.square(np.abs(waves)).sum(axis=-1).reshape(len(values), -1)
    return np.stack([np.bincount(shells.ravel(), weights=each) for each in energy])


def _shells(spatial: tuple[int, ...]) -> Int[np.ndarray, "*spatial"]:
    """The shell of every wave vector, as an array on the grid."""
    longest = max(spatial)
    axes = np.meshgrid(*(np.fft.fftfreq(n) * longest for n in spatial), indexing="ij")
    return np.rint(np.sqrt(sum(np.square(axis) for axis in axes))).astype(int)
