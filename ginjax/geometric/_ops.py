"""Pixelwise norms and pooling of arrays."""

import jax.numpy as jnp
from jax import Array
from jaxtyping import Bool, Num

from ..errors import ArgumentError
from ._arrays import AnyArray
from ._constants import TINY


def norm(
    idx_shift: int, data: Num[AnyArray, "*leading_field"], keepdims: bool = False
) -> Num[Array, "*leading_spatial"]:
    r"""Compute the tensor (Frobenius) norm at every pixel; where the tensor is zero, the derivative is 0.

    $$|A|(i) = \Big(\sum_{a \dots b} A_{a \dots b}(i)^2\Big)^{1/2}$$

    **Arguments:**

    - `idx_shift`: the number of axes before the tensor axes (leading and spatial ones).
    - `data`: `(*leading, *spatial, D, ..., D)`.
    - `keepdims`: whether to keep the tensor axes, with length 1.

    **Returns:** `(*leading, *spatial)`, or with as many axes as `data` if `keepdims`.
    """
    data = jnp.asarray(data)
    axes = tuple(range(idx_shift, data.ndim))
    if not axes:
        return jnp.abs(data)
    squared = jnp.sum(data * data, axis=axes, keepdims=keepdims)
    # The inner `where` keeps the derivative of the root at 0, which is infinite, out of the backward pass.
    return jnp.where(squared > 0, jnp.sqrt(jnp.where(squared > 0, squared, 1)), 0)


def nonempty_pixels(
    D: int, data: Num[AnyArray, "*leading_field"], *, n_leading: int = 0
) -> Bool[Array, "*leading_spatial"]:
    """Find the pixels where a field is not zero.

    **Arguments:**

    - `D`: the dimension.
    - `data`: `(*leading, *spatial, D, ..., D)`.
    - `n_leading`: the number of leading axes.

    **Returns:** bool, `(*leading, *spatial)`: True where the tensor norm exceeds `TINY`.
    """
    return norm(n_leading + D, data) > TINY


def _patches(D: int, data: Array, patch_len: int, n_leading: int) -> Array:
    """Gather patches of `patch_len^D` pixels, row-major: `(*leading, *coarse, patch_len^D, D, ..., D)`."""
    spatial = data.shape[n_leading : n_leading + D]
    if patch_len < 1 or len(spatial) < D or any(side % patch_len for side in spatial):
        raise ArgumentError(
            "the grid cannot be cut into whole patches",
            got=f"sides {spatial}, patch length {patch_len}",
            expected=f"{D} sides divisible by the patch length",
            hint="Crop or resample the field, or choose another patch length.",
        )
    leading, tensor = data.shape[:n_leading], data.shape[n_leading + D :]
    split = data.reshape(*leading, *(n for side in spatial for n in (side // patch_len, patch_len)), *tensor)
    coarse_axes = [n_leading + 2 * axis for axis in range(D)]
    inner_axes = [axis + 1 for axis in coarse_axes]
    tensor_axes = range(n_leading + 2 * D, split.ndim)
    split = split.transpose(*range(n_leading), *coarse_axes, *inner_axes, *tensor_axes)
    return split.reshape(*split.shape[: n_leading + D], patch_len**D, *tensor)


def max_pool(
    D: int,
    image_data: Num[AnyArray, "*leading_field"],
    patch_len: int,
    use_norm: bool = True,
    *,
    n_leading: int = 0,
) -> Num[Array, "*leading_coarse_field"]:
    """Keep the tensor with the largest norm, or the largest value, of every patch of pixels.

    **Arguments:**

    - `D`: the dimension.
    - `image_data`: `(*leading, *spatial, D, ..., D)`.
    - `patch_len`: the side of a patch; it must divide every side of the grid.
    - `use_norm`: whether to compare tensor norms; of equal norms the first pixel of the patch wins. Otherwise values are
        compared, which is possible for order 0 only.
    - `n_leading`: the number of leading axes.

    **Returns:** `(*leading, *spatial / patch_len, D, ..., D)`.

    **Raises:** `ArgumentError` if `patch_len` does not divide a side, or if `use_norm` is False for a tensor field.
    """
    data = jnp.asarray(image_data)
    patches = _patches(D, data, patch_len, n_leading)
    inner = n_leading + D
    order = patches.ndim - inner - 1
    if not use_norm:
        if order:
            raise ArgumentError(
                "tensors have no largest value",
                got=f"order {order}",
                expected="order 0 with use_norm=False",
                hint="Use use_norm=True, or turn the components into scalar channels first.",
            )
        return jnp.max(patches, axis=inner)
    largest = jnp.argmax(norm(inner + 1, patches), axis=inner, keepdims=True)
    chosen = jnp.take_along_axis(patches, largest.reshape(*largest.shape, *(1,) * order), axis=inner)
    return chosen.squeeze(inner)


def average_pool(
    D: int, image_data: Num[AnyArray, "*leading_field"], patch_len: int, *, n_leading: int = 0
) -> Num[Array, "*leading_coarse_field"]:
    """Average the tensors of every patch of pixels; arguments, shape of the result and errors as in `max_pool`."""
    return jnp.mean(_patches(D, jnp.asarray(image_data), patch_len, n_leading), axis=n_leading + D)
