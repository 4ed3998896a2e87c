"""Fields of a low dimension laid into a higher one in random directions.

Where physics prefers no direction, `x -> u(E^T x + c)` obeys the equation in `D` dimensions if `u` obeys it in `D_low`, for
every `E` of `D_low` orthonormal columns; components of a tensor turn along. Values between grid points are those of the
trigonometric polynomial through the data, so the axes have to be periodic; the field itself then is not, and is cut out.
"""

from __future__ import annotations

import jax.numpy as jnp
import numpy as np
from jaxtyping import Complex, Float

from ginjax.errors import ArgumentError, UnsupportedError
from ginjax.geometric import Key, MultiImage

_POINTS = 4096
"""Points that are interpolated at once."""


def turned(images: tuple[MultiImage, ...], D: int, side: int, seed: int = 0) -> tuple[MultiImage, ...]:
    """Lay samples into `D` dimensions, each in a random direction of its own and from a random place.

    **Arguments:**

    - `images`: blocks `(samples, channels, *spatial, D_low, ..., D_low)`, such as inputs and targets; sample `i` of each
      is laid in the same direction.
    - `D`: a higher dimension.
    - `side`: grid points along each axis there, at the spacing of the data.
    - `seed`: of the directions and places.

    **Returns:** an image for each, blocks `(samples, channels, *(side,) * D, D, ..., D)`, cut out: not periodic.

    **Raises:** `ArgumentError` for a dimension that is not higher or axes that are not periodic, `UnsupportedError` for
    fields of odd parity, whose sign in the higher dimension the direction alone does not say.
    """
    low = images[0].D
    if low >= D:
        raise ArgumentError("dimension to lay fields into", got=D, expected=f"more than {low}")
    for image in images:
        if not all(image.is_torus):
            raise ArgumentError(
                "axes of the low-dimensional samples",
                got="one that is not periodic",
                expected="periodic axes",
                hint="Calibrate on data of the new dimension.",
            )
        if any(parity for _, parity in map(_order_and_parity, image)):
            raise UnsupportedError(
                "laying fields of odd parity into a higher dimension",
                hint="Calibrate on data of the new dimension.",
            )
    random = np.random.default_rng(seed)
    points = np.indices((side,) * D).reshape(D, -1).T
    found: list[dict[Key, list[Float[np.ndarray, "*_field"]]]] = [
        {key: [] for key in each} for each in images
    ]
    for sample in range(images[0].get_L()):
        E = np.linalg.qr(random.normal(size=(D, low)))[0]
        at = points @ E + random.uniform(0, 1, low) * images[0].get_spatial_dims()
        for image, laid in zip(images, found, strict=True):
            for key, block in image.items():
                order, _ = _order_and_parity(key)
                values = interpolated(np.asarray(block[sample]), low, at)
                for axis in range(order):
                    values = np.moveaxis(np.tensordot(values, E, (2 + axis, 1)), -1, 2 + axis)
                laid[key].append(values.reshape(len(values), *(side,) * D, *(D,) * order))
    return tuple(
        MultiImage(
            {key: jnp.asarray(np.stack(each), jnp.float32) for key, each in laid.items()}, D, (True,) * D
        )
        for laid in found
    )


def interpolated(
    field: Float[np.ndarray, "channels *field"], D: int, at: Float[np.ndarray, "pixels dim"]
) -> Float[np.ndarray, "channels pixels *rest"]:
    """The trigonometric polynomial through periodic fields, at any points.

    **Arguments:**

    - `field`: `(channels, *spatial, D, ..., D)`.
    - `D`: number of spatial axes.
    - `at`: points, in grid points.

    **Returns:** values `(channels, pixels, D, ..., D)`.
    """
    spatial = field.shape[1 : 1 + D]
    spectrum = np.fft.fftn(np.asarray(field, np.float64), axes=range(1, 1 + D)) / np.prod(spatial)
    waves = [2 * np.pi * np.fft.fftfreq(side) for side in spatial]
    parts = [
        _at(spectrum, [np.exp(1j * np.outer(at[begin : begin + _POINTS, i], k)) for i, k in enumerate(waves)])
        for begin in range(0, len(at), _POINTS)
    ]
    return np.concatenate(parts, 1)


def _at(
    spectrum: Complex[np.ndarray, "..."], phases: list[Complex[np.ndarray, "pixels _waves"]]
) -> Float[np.ndarray, "..."]:
    values = np.moveaxis(np.tensordot(phases[0], spectrum, (1, 1)), 0, 1)
    for phase in phases[1:]:
        values = np.einsum("cpk...,pk->cp...", values, phase)
    return np.real(values)


def _order_and_parity(key: Key) -> tuple[int, int]:
    return len(key[0]), key[1]
