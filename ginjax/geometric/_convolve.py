"""Convolution of tensor images with tensor filters.

The conventions are those of `jax.lax`: cross-correlation, without flipping the kernel.
"""

from collections.abc import Sequence

import jax.numpy as jnp
from jax import Array, lax
from jaxtyping import Num

from ..errors import ArgumentError
from ._arrays import AnyArray
from ._keys import parse_torus
from ._precision import full_precision
from .conv._geometry import ConvGeometry, Padding


def convolve(
    D: int,
    image: Num[AnyArray, "batch in *image_field"],
    filter_image: Num[AnyArray, "out in *filter_field"],
    is_torus: bool | Sequence[bool],
    stride: int | Sequence[int] = 1,
    padding: Padding = None,
    lhs_dilation: int | Sequence[int] | None = None,
    rhs_dilation: int | Sequence[int] = 1,
) -> Num[Array, "batch out *new_field"]:
    r"""Convolve images with filters and keep all tensor axes of both.

    `y_o(x)_{IJ} = sum_i sum_t image_i(x + t)_I filter_oi(t)_J`.

    **Arguments:**

    - `image`: `(batch, in_channels, *spatial, D, ..., D)` of order `k`.
    - `filter_image`: `(out_channels, in_channels, *(M,)*D, D, ..., D)` of order `k'`.
    - `is_torus`, `stride`, `padding`, `lhs_dilation`, `rhs_dilation`: see `ConvGeometry`.

    **Returns:** `(batch, out_channels, *spatial', D, ..., D)` of order `k + k'`.
    """
    k, k_filter = _orders(D, image, filter_image)
    geometry = ConvGeometry.resolve(D, parse_torus(is_torus, D), stride, padding, lhs_dilation, rhs_dilation)
    # Image components join the batch, filter components the output channels.
    batch, in_channels, *spatial = image.shape[: D + 2]
    out_channels = filter_image.shape[0]
    x = jnp.moveaxis(image.reshape(*image.shape[: D + 2], D**k), -1, 1)
    x = x.reshape(batch * D**k, in_channels, *spatial)
    kernel = jnp.moveaxis(filter_image.reshape(*filter_image.shape[: D + 2], D**k_filter), -1, 1)
    kernel = kernel.reshape(out_channels * D**k_filter, in_channels, *filter_image.shape[2 : D + 2])
    y = correlate(x, kernel, geometry)
    y = y.reshape(batch, D**k, out_channels, D**k_filter, *y.shape[2:])
    y = jnp.moveaxis(y, (1, 3), (-2, -1))
    return y.reshape(*y.shape[:-2], *(D,) * (k + k_filter))


def convolve_contract(
    D: int,
    image: Num[AnyArray, "batch in *image_field"],
    filter_image: Num[AnyArray, "out in *filter_field"],
    is_torus: bool | Sequence[bool],
    stride: int | Sequence[int] = 1,
    padding: Padding = None,
    lhs_dilation: int | Sequence[int] | None = None,
    rhs_dilation: int | Sequence[int] = 1,
) -> Num[Array, "batch out *new_field"]:
    r"""Convolve images with filters and contract the tensor axes of the image with the first tensor axes of the filter.

    `y_o(x)_J = sum_i sum_t sum_I image_i(x + t)_I filter_oi(t)_{IJ}`; arguments as in `convolve`.

    **Returns:** `(batch, out_channels, *spatial', D, ..., D)` of order `k' - k`.
    """
    k, k_filter = _orders(D, image, filter_image)
    if k_filter < k:
        raise ArgumentError("order of the filter", got=k_filter, expected=f"at least the image's, {k}")
    geometry = ConvGeometry.resolve(D, parse_torus(is_torus, D), stride, padding, lhs_dilation, rhs_dilation)
    # Image components are contracted, so they join the input channels.
    batch, in_channels, *spatial = image.shape[: D + 2]
    out_channels, _, *sides = filter_image.shape[: D + 2]
    k_out = k_filter - k
    x = jnp.moveaxis(image.reshape(*image.shape[: D + 2], D**k), -1, 2)
    x = x.reshape(batch, in_channels * D**k, *spatial)
    kernel = filter_image.reshape(out_channels, in_channels, *sides, D**k, D**k_out)
    kernel = jnp.moveaxis(kernel, (-1, -2), (1, 3))
    kernel = kernel.reshape(out_channels * D**k_out, in_channels * D**k, *sides)
    y = correlate(x, kernel, geometry)
    y = jnp.moveaxis(y.reshape(batch, out_channels, D**k_out, *y.shape[2:]), 2, -1)
    return y.reshape(*y.shape[:-1], *(D,) * k_out)


def correlate(
    x: Num[Array, "batch in *spatial"], kernel: Num[Array, "out in *sides"], geometry: ConvGeometry
) -> Num[Array, "batch out *new_spatial"]:
    """Cross-correlate `(batch, in, *spatial)` with `(out, in, *(M,)*D)`; integers and floats may be mixed."""
    dtype = jnp.result_type(x, kernel)
    x, kernel = x.astype(dtype), kernel.astype(dtype)
    x = geometry.pad(x, 2, kernel.shape[2])
    with full_precision():
        return lax.conv_general_dilated(
            x, kernel, geometry.stride, "VALID", rhs_dilation=geometry.filter_dilation
        )


def _orders(D: int, image: AnyArray, filter_image: AnyArray) -> tuple[int, int]:
    for name, array, leading in (("image", image, 2), ("filter", filter_image, 2)):
        tensor = array.shape[D + leading :]
        if array.ndim < D + leading or any(size != D for size in tensor):
            raise ArgumentError(
                name,
                got=array.shape,
                expected=f"2 axes, then {D} spatial ones, then tensor axes of length {D}",
            )
    if image.shape[1] != filter_image.shape[1]:
        raise ArgumentError(
            "channels of the image",
            got=image.shape[1],
            expected=f"{filter_image.shape[1]}, as the filter has",
        )
    return image.ndim - D - 2, filter_image.ndim - D - 2
