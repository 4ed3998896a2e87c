"""Random initial fields whose probability law does not depend on the dimension."""

from __future__ import annotations

import math
from collections.abc import Sequence

import numpy as np


def gaussian_field(
    rng: np.random.Generator,
    D: int,
    *,
    side: int,
    spacing: float,
    correlation_length: float | Sequence[float],
) -> np.ndarray:
    """Draw one periodic Gaussian random field of zero mean, unit variance and Gaussian covariance.

    `E[g(x) g(y)] = prod_i c(x_i - y_i)`, where `c(r) = sum_m exp(-(r + m L)^2 / (2 l^2))` up to normalisation
    to `c(0) = 1` and `L = side * spacing`. The covariance is a product over axes, so a line cut out of a
    field in `D` dimensions has exactly the law of the one-dimensional field: data of different dimensions
    differ in dimension only. The Nyquist frequency is left out, because a real field cannot carry it
    symmetrically.

    **Arguments:**

    - `rng`: source of the random numbers.
    - `D`: number of dimensions.
    - `side`: points along each axis.
    - `spacing`: distance between points, in units of length.
    - `correlation_length`: `l`, in units of length; one number, or one for each axis.

    **Returns:** a float64 array of shape `(side,) * D`.
    """
    wavenumbers = 2 * math.pi * np.fft.fftfreq(side, spacing)
    spectrum = np.fft.fftn(rng.standard_normal((side,) * D))
    for axis, length in enumerate(np.broadcast_to(correlation_length, (D,))):
        power = np.exp(-0.5 * (wavenumbers * length) ** 2)
        if side % 2 == 0 and side > 1:
            power[side // 2] = 0.0
        shape = [1] * D
        shape[axis] = side
        spectrum *= np.sqrt(power / power.mean()).reshape(shape)
    return np.fft.ifftn(spectrum).real


def normal_cdf(x: np.ndarray) -> np.ndarray:
    """Map a standard normal variable to a uniform one on (0, 1), elementwise.

    **Arguments:**

    - `x`: any array.

    **Returns:** `(1 + erf(x / sqrt 2)) / 2`, of the same shape.
    """
    # `scipy.special.ndtr` differs in the last bit: the same seed would give other data than it used to.
    return 0.5 * (1.0 + np.vectorize(math.erf, otypes=[float])(x / math.sqrt(2.0)))
