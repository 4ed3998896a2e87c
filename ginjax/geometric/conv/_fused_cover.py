"""Which convolutions the kernels of `_fused` cover, and on which machines they are compiled; without importing what they are written in."""

import math
from collections.abc import Sequence

import jax
import jax.numpy as jnp
from jax import Array

from ..._jax_triton import has_triton
from ._axes import ConvAxis
from ._mixing import Mixing

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
    """Whether the kernels make this convolution and its gradients: of float32 or less, of grids of known size."""
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
