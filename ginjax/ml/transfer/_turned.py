"""Fields of a low dimension embedded in a higher one in random directions.

If the physics prefers no direction and `u` obeys the equation in `D_low` dimensions, then `x -> u(E^T x + c)` obeys it in `D`
dimensions, for every `E` with `D_low` orthonormal columns; the components of a tensor are rotated too. Values between grid
points are those of the trigonometric polynomial through the data, so the axes have to be periodic. The embedded field is not
periodic; a part of it is cut out.
"""

from __future__ import annotations

import jax.numpy as jnp
import numpy as np
from jaxtyping import Float

from ginjax.errors import ArgumentError
from ginjax.geometric import Key, MultiImage


def turned(images: tuple[MultiImage, ...], D: int, side: int, seed: int = 0) -> tuple[MultiImage, ...]:
    """Embed samples in `D` dimensions, each in its own random direction and from a random place.

    **Arguments:**

    - `images`: blocks `(samples, channels, *spatial, D_low, ..., D_low)`, such as inputs and targets; sample `i` of every image
      is embedded in the same direction.
    - `D`: a higher dimension.
    - `side`: grid points along each axis there, with the spacing of the data.
    - `seed`: seed of the directions and places.

    **Returns:** one image for each, blocks `(samples, channels, *(side,) * D, D, ..., D)`. Their axes are marked as periodic,
    but the fields are cut out and not periodic, so results near their edges do not count.

    **Raises:** `ArgumentError` for a dimension that is not higher or axes that are not periodic, and for fields of odd
    parity, because the direction alone does not determine their sign in the higher dimension.
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
            raise ArgumentError(
                "laying fields of odd parity into a higher dimension",
                hint="Calibrate on data of the new dimension.",
            )
    random = np.random.default_rng(seed)
    found: list[dict[Key, list[Float[np.ndarray, "*_field"]]]] = [
        {key: [] for key in each} for each in images
    ]
    stored = [{key: np.asarray(block) for key, block in image.items()} for image in images]
    for sample in range(images[0].get_L()):
        E = np.linalg.qr(random.normal(size=(D, low)))[0]
        start = random.uniform(0, 1, low) * images[0].get_spatial_dims()
        for blocks, laid in zip(stored, found, strict=True):
            for key in blocks:
                order, _ = _order_and_parity(key)
                values = on_turned_grid(blocks[key][sample], E, start, side)
                for axis in range(1 + D, 1 + D + order):
                    values = np.moveaxis(np.tensordot(values, E, (axis, 1)), -1, axis)
                laid[key].append(values)
    return tuple(
        MultiImage(
            {key: jnp.asarray(np.stack(each), jnp.float32) for key, each in laid.items()}, D, (True,) * D
        )
        for laid in found
    )


def on_turned_grid(
    field: Float[np.ndarray, "channels *field"],
    E: Float[np.ndarray, "dim _low"],
    start: Float[np.ndarray, " _low"],
    side: int,
) -> Float[np.ndarray, "channels *new_field"]:
    """Evaluate the trigonometric polynomial through a periodic field on an oblique grid of a higher dimension.

    A wave on that grid is a product of one factor for each of its axes, so all values are matrix products.

    **Arguments:**

    - `field`: `(channels, *spatial, D_low, ..., D_low)`.
    - `E`: `(D, D_low)`; row `i` is the step along axis `i` of the new grid, in grid points of the field.
    - `start`: the place of the first point of the new grid, in grid points of the field.
    - `side`: points along each new axis.
    """
    D, low = E.shape
    spatial = field.shape[1 : 1 + low]
    spectrum = np.fft.fftn(np.asarray(field, np.float64), axes=range(1, 1 + low)) / np.prod(spatial)
    # One row for each channel and component, one column for each wave.
    rows = np.moveaxis(spectrum, range(1, 1 + low), range(-low, 0)).reshape(-1, int(np.prod(spatial)))
    waves = np.stack(np.meshgrid(*map(np.fft.fftfreq, spatial), indexing="ij")).reshape(low, -1)
    factors = np.exp(2j * np.pi * np.arange(side)[:, None] * (E @ waves)[:, None])
    last = (rows * np.exp(2j * np.pi * start @ waves))[:, None] * factors[-1]
    values = np.empty((*(side,) * (D - 2), side, len(rows), side))
    for point in np.ndindex((side,) * (D - 2)):
        plane = factors[-2].copy()
        for axis, n in enumerate(point):
            plane *= factors[axis, n]
        product = plane @ last.reshape(-1, last.shape[-1]).T
        values[point] = np.real(product).reshape(side, len(rows), side)
    values = np.moveaxis(values, -2, 0).reshape(len(field), -1, *(side,) * D)
    return np.moveaxis(values, 1, -1).reshape(len(field), *(side,) * D, *field.shape[1 + low :])


def _order_and_parity(key: Key) -> tuple[int, int]:
    return len(key[0]), key[1]
