"""A whole convolution, filters first, by one kernel for NVIDIA GPUs.

This module is imported only where it is used, because importing Pallas takes a second.
"""

import math
from collections.abc import Sequence

import jax.numpy as jnp
from jax import Array
from jaxtyping import Float

from . import _warp_product as warp
from ._axes import ConvAxis, pad_axes
from ._basis_first import collect, image_count
from ._fused_conv import mixed
from ._fused_overlaps import overlaps
from ._fused_plan import make_groups, make_plan
from ._fused_threads import TOGETHER, Layout, output_parts, panels, panels_at_once, steps
from ._mixing import Mixing, Slot, runs

Axes = Sequence[ConvAxis]


def mix_fused(
    x: Float[Array, "batch packed_in *spatial"],
    w: Float[Array, " weights"],
    mixing: Mixing,
    axes: Axes,
    precision: str | None,
    interpret: bool,
) -> Float[Array, "batch packed_out *new_spatial"]:
    """Compute `y = sum_l W_l (C_l * x)`; arguments and result as in `mix`.

    **Arguments:**

    - `interpret`: whether the kernel runs operation by operation, on any device, instead of being compiled.
    """
    x, axes = _without_spread(x, axes)
    layout = Layout(mixing, axes, is_rounded(precision), interpret)
    return mixed(_together(x, mixing.inputs), _weights(w, mixing), layout, x.dtype)


def weight_gradient_fused(
    x: Float[Array, "batch packed_in *spatial"],
    g: Float[Array, "batch packed_out *new_spatial"],
    mixing: Mixing,
    axes: Axes,
    precision: str | None,
    interpret: bool,
) -> Float[Array, " weights"]:
    """Compute the gradient of `<g, mix_fused(x, w)>` with respect to `w`; filters act on the side with fewer images."""
    dtype = x.dtype
    if image_count(mixing) > image_count(mixing.adjoint):
        axes = tuple(axis.adjoint(mixing.side) for axis in axes)
        x, g, mixing = g, x, mixing.adjoint
    x, axes = _without_spread(x, axes)
    layout = Layout(mixing, axes, is_rounded(precision), interpret)
    inner, outer = _together(x, mixing.inputs), _together(g, mixing.outputs)
    sources = make_plan(mixing)
    weights = {source.key: source.weights for source in sources}
    found = {source.key: overlaps(inner, outer, layout, number) for number, source in enumerate(sources)}
    sums = []
    for position, group in enumerate(make_groups(mixing)):
        parts = []
        for feature in group.features:
            path = mixing.paths[feature.path]
            own = [
                i
                for i, row in enumerate(weights[path.source])
                if (row.group, row.path) == (position, feature.path)
            ]
            part = found[path.source][own[0] : own[-1] + 1, : path.c_out, : path.c_in]
            parts.append(part.transpose(0, 2, 1).reshape(-1, path.c_out))
        sums.append(jnp.concatenate(parts) if len(parts) > 1 else parts[0])
    return collect(sums, [group.features for group in make_groups(mixing)], mixing).astype(dtype)


def _without_spread(x: Array, axes: Axes) -> tuple[Array, tuple[ConvAxis, ...]]:
    """Insert the zeros between the pixels of a field that is to be spread."""
    if all(axis.spread == 1 for axis in axes):
        return x, tuple(axes)
    x = pad_axes(x, axes, 2)
    plain = (
        ConvAxis(size, stride=axis.stride, dilation=axis.dilation)
        for size, axis in zip(x.shape[2:], axes, strict=True)
    )
    return x, tuple(plain)


def _together(
    x: Float[Array, "batch packed *spatial"], slots: Sequence[Slot]
) -> Float[Array, "batch groups pixels together"]:
    """Put the channels that a warp reads at once side by side, and fill up with zeros."""
    batch, packed, *spatial = x.shape
    x = x.reshape(batch, packed, math.prod(spatial))
    if any(slot.channels % TOGETHER for slot in slots):
        own = (x[:, slot.start : slot.start + slot.channels] for slot in slots)
        x = jnp.concatenate(
            [jnp.pad(each, ((0, 0), (0, -each.shape[1] % TOGETHER), (0, 0))) for each in own], 1
        )
    return x.reshape(batch, -1, TOGETHER, math.prod(spatial)).swapaxes(2, 3)


def _weights(w: Array, mixing: Mixing) -> list[Float[Array, "panels _ _ 2 lanes"]]:
    """Return, for each source, the weights of its filters in the order in which the lanes of a warp read them."""
    own, found = mixing.scaled(w), []
    tall = max(
        panels(part) + -panels(part) % panels_at_once(part, len(part)) for part in output_parts(mixing)
    )
    for source in make_plan(mixing):
        count, rows = steps(source.channels), len(source.weights)
        # Consecutive rows as slices, because a gather would be a separate kernel.
        parts = []
        for path, a, b in runs((row.path, row.row) for row in source.weights):
            part = own[path][a:b]
            more = count * TOGETHER - part.shape[1], tall * warp.ROWS - part.shape[2]
            parts.append(jnp.pad(part, ((0, 0), (0, more[0]), (0, more[1]))))
        joined = jnp.concatenate(parts) if len(parts) > 1 else parts[0]
        lanes = joined.reshape(rows, count, TOGETHER, tall, 2, 8).transpose(3, 1, 0, 4, 5, 2)
        found.append(lanes.reshape(tall, count, rows, 2, warp.LANES))
    return found


def is_rounded(precision: str | None) -> bool:
    """Whether a precision allows inputs of products to be rounded to 10 bits; all others get float32 precision."""
    return precision in ("default", "fastest", "bfloat16", "tensorfloat32", "BF16_BF16_F32", "TF32_TF32_F32")
