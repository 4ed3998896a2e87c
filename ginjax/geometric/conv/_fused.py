"""Filters first, a whole convolution by one kernel: for GPUs of NVIDIA."""

import math
from collections.abc import Sequence

import jax
import jax.numpy as jnp
from jax import Array
from jaxtyping import Float

from ..._jax_triton import has_triton
from ._axes import ConvAxis, pad_axes
from ._basis_first import collect, image_count
from ._fused_plan import make_groups, make_plan
from ._mixing import Mixing, Slot, runs

Axes = Sequence[ConvAxis]
_MOST = 2**31
"""Positions in fields are numbers of 32 bits."""

_BLOCKS = 2**16 - 1
"""Channels and samples: a GPU counts no more blocks of threads along the second and third axis."""


def are_compiled_here() -> bool:
    """Whether XLA compiles such kernels for all GPUs of this machine, or there are none: from compute capability 8.0 on."""
    if not has_triton():
        return False
    try:
        devices = jax.local_devices(backend="cuda")
    except RuntimeError:  # what is compiled without a GPU is for one that is said to be known
        return True
    return all(int(device.compute_capability.partition(".")[0]) >= 8 for device in devices)


def covers(mixing: Mixing, axes: Axes, x: Array) -> bool:
    """Whether the kernel makes the filtered images of this convolution and of its adjoint: of float32 or less, of grids of known size."""
    known = all(isinstance(n, int) for n in (*x.shape, *(axis.size for axis in axes)))
    if not known or not mixing.paths or mixing.side == 1 or x.size == 0:
        return False
    if x.dtype not in (jnp.float32, jnp.bfloat16, jnp.float16) or any(
        axis.output(mixing.side) < 1 for axis in axes
    ):
        return False
    adjoint = tuple(axis.adjoint(mixing.side) for axis in axes)
    return _is_counted(mixing, axes, x.shape[0]) and _is_counted(mixing.adjoint, adjoint, x.shape[0])


def _is_counted(mixing: Mixing, axes: Axes, batch: int) -> bool:
    """Whether numbers of 32 bits count what is read, channels four together and pixels spread and padded if need be."""
    channels = sum(4 * -(-slot.channels // 4) for slot in mixing.inputs)
    field = batch * channels * math.prod(max(axis.size, axis.padded) for axis in axes)
    return max(batch, channels) <= _BLOCKS and field < _MOST


def mix_fused(
    x: Float[Array, "batch packed_in *spatial"],
    w: Float[Array, " weights"],
    mixing: Mixing,
    axes: Axes,
    precision: str | None,
    interpret: bool,
) -> Float[Array, "batch packed_out *new_spatial"]:
    """`y = sum_l W_l (C_l * x)`; arguments and result as of `mix`.

    **Arguments:**

    - `interpret`: whether the kernel is run operation by operation, on any device, instead of being compiled.
    """
    from ._fused_conv import mixed
    from ._fused_threads import Layout

    x, axes = _without_spread(x, axes)
    layout = Layout(mixing, axes, is_rounded(precision), interpret)
    return mixed(_together(x, mixing.inputs), _weights(w, mixing), layout, x.dtype)


def gradients_fused(
    x: Float[Array, "batch packed_in *spatial"],
    w: Float[Array, " weights"],
    g: Float[Array, "batch packed_out *new_spatial"],
    mixing: Mixing,
    axes: Axes,
    precision: str | None,
    interpret: bool,
) -> tuple[Float[Array, "batch packed_in *spatial"], Float[Array, " weights"]]:
    """Gradients of `<g, mix_fused(x, w)>` with respect to `x` and to `w`."""
    back = tuple(axis.adjoint(mixing.side) for axis in axes)
    gx = mix_fused(g, w, mixing.adjoint, back, precision, interpret)
    return gx, weight_gradient_fused(x, g, mixing, axes, precision, interpret)


def weight_gradient_fused(
    x: Float[Array, "batch packed_in *spatial"],
    g: Float[Array, "batch packed_out *new_spatial"],
    mixing: Mixing,
    axes: Axes,
    precision: str | None,
    interpret: bool,
) -> Float[Array, " weights"]:
    """The gradient of `<g, mix_fused(x, w)>` with respect to `w`; the filters go to the side with fewer images."""
    from ._fused_overlaps import overlaps
    from ._fused_threads import Layout

    dtype = x.dtype
    if image_count(mixing) > image_count(mixing.adjoint):
        axes = tuple(axis.adjoint(mixing.side) for axis in axes)
        x, g, mixing = g, x, mixing.adjoint
    x, axes = _without_spread(x, axes)
    layout = Layout(mixing, axes, is_rounded(precision), interpret)
    inner, outer = _together(x, mixing.inputs), _together(g, mixing.outputs)
    found = {
        source.key: overlaps(inner, outer, layout, number) for number, source in enumerate(make_plan(mixing))
    }
    taken = dict.fromkeys(found, 0)
    sums = []
    for group in make_groups(mixing):
        parts = []
        for feature in group.features:
            path = mixing.paths[feature.path]
            start = taken[path.source]
            taken[path.source] = start + len(feature.rows)
            own = found[path.source][start : taken[path.source], : path.c_out, : path.c_in]
            parts.append(own.transpose(0, 2, 1).reshape(-1, path.c_out))
        sums.append(jnp.concatenate(parts) if len(parts) > 1 else parts[0])
    return collect(sums, [group.features for group in make_groups(mixing)], mixing).astype(dtype)


def _without_spread(x: Array, axes: Axes) -> tuple[Array, tuple[ConvAxis, ...]]:
    """A field whose pixels are spread apart, with the zeros between them."""
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
    """Channels of a component that a warp reads at once, side by side; zeros for those that are missing."""
    from ._fused_threads import TOGETHER

    batch, packed, *spatial = x.shape
    x = x.reshape(batch, packed, math.prod(spatial))
    if any(slot.channels % TOGETHER for slot in slots):
        own = (x[:, slot.start : slot.start + slot.channels] for slot in slots)
        x = jnp.concatenate(
            [jnp.pad(each, ((0, 0), (0, -each.shape[1] % TOGETHER), (0, 0))) for each in own], 1
        )
    return x.reshape(batch, -1, TOGETHER, math.prod(spatial)).swapaxes(2, 3)


def _weights(w: Array, mixing: Mixing) -> list[Float[Array, "panels _ _ 2 lanes"]]:
    """For each source the weights of its filters, in the order in which the lanes of a warp take them."""
    from . import _warp_product as warp
    from ._fused_threads import TOGETHER, output_parts, panels, panels_at_once, steps

    own, found = mixing.scaled(w), []
    parts = output_parts(mixing)
    tall = max(
        -(-panels(slot.channels) // panels_at_once(part)) * panels_at_once(part)
        for part in parts
        for slot in part
    )
    for source in make_plan(mixing):
        rows = [
            (feature.path, row)
            for group in make_groups(mixing)
            for feature in group.features
            if mixing.paths[feature.path].source == source.key
            for row in feature.rows
        ]
        count = steps(source.channels)
        # Rows one after another as slices: gathering is a kernel of its own.
        parts = []
        for path, a, b in runs(rows):
            part = own[path][a:b]
            more = count * TOGETHER - part.shape[1], tall * warp.ROWS - part.shape[2]
            parts.append(jnp.pad(part, ((0, 0), (0, more[0]), (0, more[1]))))
        joined = jnp.concatenate(parts) if len(parts) > 1 else parts[0]
        lanes = joined.reshape(len(rows), count, TOGETHER, tall, 2, 8).transpose(3, 1, 0, 4, 5, 2)
        found.append(lanes.reshape(tall, count, len(rows), 2, warp.LANES))
    return found


def is_rounded(precision: str | None) -> bool:
    """Whether a precision asks for products of inputs rounded to 10 bits or fewer; all others get float32's."""
    return precision in ("default", "fastest", "bfloat16", "tensorfloat32", "BF16_BF16_F32", "TF32_TF32_F32")
