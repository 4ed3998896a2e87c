"""Filters and weights at once, in one kernel: for GPUs of NVIDIA, on request."""

from collections.abc import Sequence
from typing import Any

import jax.numpy as jnp
from jax import Array, lax
from jaxtyping import Float

from ._axes import AxisGeometry
from ._fused_plan import matrices_of, weights_of
from ._mixing import Mixing

_MOST = 2**31
"""Positions in a field are numbers of 32 bits."""


def covers(mixing: Mixing, axes: Sequence[AxisGeometry], x: Array) -> bool:
    """Whether the fused kernels compute this convolution: of float32 or bfloat16, one to three dimensions, filters of side 3 or 5,
    without strides of input or output."""
    inputs, outputs = (sum(slot.channels for slot in slots) for slots in (mixing.inputs, mixing.outputs))
    known = all(isinstance(axis.size, int) and axis.output(mixing.side) > 0 for axis in axes)
    return (
        known
        and bool(mixing.paths)
        and x.size > 0
        and x.dtype in (jnp.float32, jnp.bfloat16)
        and 1 <= mixing.D <= 3
        and mixing.side in (3, 5)
        and all(axis.stride == axis.spread == 1 for axis in axes)
        and max(x.size, x.size // inputs * outputs) < _MOST // 2
    )


def mix_fused(
    x: Float[Array, "batch packed_in *spatial"],
    w: Float[Array, " weights"],
    mixing: Mixing,
    axes: Sequence[AxisGeometry],
    precision: str | None,
    interpret: bool,
) -> Float[Array, "batch packed_out *new_spatial"]:
    """`y = sum_l W_l (C_l * x)`; arguments and result as of `mix`.

    **Arguments:**

    - `interpret`: whether the kernel is run operation by operation, on any device, instead of being compiled.
    """
    from ._fused_kernel import run_forward

    matrices = matrices_of(w, mixing)
    return run_forward(x, matrices, mixing, tuple(axes), _algorithm(precision, interpret), interpret)


def weight_gradient_fused(
    x: Float[Array, "batch packed_in *spatial"],
    g: Float[Array, "batch packed_out *new_spatial"],
    mixing: Mixing,
    axes: Sequence[AxisGeometry],
    precision: str | None,
    interpret: bool,
) -> Float[Array, " weights"]:
    """The gradient of `<g, mix_fused(x, w)>` with respect to `w`."""
    from ._fused_kernel import run_weights

    matrices = run_weights(x, g, mixing, tuple(axes), _algorithm(precision, interpret), interpret)
    return weights_of(matrices, mixing).astype(x.dtype)


def _algorithm(precision: str | None, interpret: bool) -> Any:
    """How tensor cores multiply: what JAX calls the highest precision as three products of rounded parts, which is nearly
    float32; the user's own choice of less as one."""
    if interpret:
        return "highest"
    exact = precision in (None, "highest", "float32", "TF32_TF32_F32_X3")
    return lax.DotAlgorithmPreset.TF32_TF32_F32_X3 if exact else lax.DotAlgorithmPreset.TF32_TF32_F32
