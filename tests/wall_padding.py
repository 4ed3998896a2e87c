"""Fields continued beyond walls with NumPy's own paddings, the signs of a mirror written out by hand."""

import jax.numpy as jnp
import numpy as np

from ginjax.geometric import MultiImage

NUMPY = {"zeros": "constant", "mirror": "symmetric", "edge": "edge", "periodic": "wrap"}


def mirror_signs(order: int, parity: int, D: int, axis: int) -> np.ndarray:
    """`(D, ..., D)`: the sign of each tensor component in a mirror across an axis: one for each index along it, one more
    for odd parity."""
    signs = np.ones((D,) * order)
    for component in np.ndindex(*signs.shape):
        signs[component] = (-1) ** (component.count(axis) + parity)
    return signs


def continued(x: MultiImage, axis: int, low: int, high: int, how: str, signed: bool = True) -> MultiImage:
    """The field with more pixels at both ends of an axis."""
    blocks = {}
    for (k, p), block in x.items():
        array = np.asarray(block)
        widths = [(0, 0)] * array.ndim
        widths[1 + axis] = (low, high)
        wide = np.pad(array, widths, mode=NUMPY[how])
        if how == "mirror" and signed:
            outside = np.ones(wide.shape[1 + axis], bool)
            outside[low : low + array.shape[1 + axis]] = False
            signs = mirror_signs(len(k), p, x.D, axis).astype(array.dtype)
            shape = (1,) * (1 + x.D) + signs.shape
            where = outside.reshape([-1 if i == 1 + axis else 1 for i in range(wide.ndim)])
            wide = np.where(where, wide * signs.reshape(shape), wide)
        blocks[k, p] = jnp.asarray(wide)
    return MultiImage(blocks, x.D, x.is_torus)


def cut(x: MultiImage, sides: tuple[int, ...]) -> MultiImage:
    """The first pixels along each axis."""
    where = (slice(None), *(slice(side) for side in sides))
    return MultiImage({key: block[where] for key, block in x.items()}, x.D, x.is_torus)


def largest_difference(a: MultiImage, b: MultiImage) -> float:
    """Relative to the largest value."""
    assert a.get_spatial_dims() == b.get_spatial_dims()
    size = max(float(np.abs(np.asarray(block)).max()) for block in b.values())
    return max(float(np.abs(np.asarray(a[key]) - np.asarray(b[key])).max()) for key in b) / size
