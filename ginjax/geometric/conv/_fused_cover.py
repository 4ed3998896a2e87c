"""The convolutions and machines that the kernels of `_fused` support; this module does not import Pallas."""

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
"""The limit on the size of fields, because positions are 32-bit integers."""

_BLOCKS = 2**16 - 1
"""The limit on channels and samples: the most blocks of threads of a GPU along the second and third axis."""


def are_compiled_here() -> bool:
    """Whether Triton is installed and all GPUs of this machine, if any, have compute capability 8.0 or later."""
    if not has_triton():
        return False
    try:
        devices = jax.local_devices(backend="cuda")
    except (
        RuntimeError
    ):  # without a GPU here the program is for another machine, whose GPU is assumed to be suitable
        return True
    return all(int(device.compute_capability.partition(".")[0]) >= 8 for device in devices)


def covers(mixing: Mixing, axes: Axes, x: Array) -> bool:
    """Whether the kernels support this convolution and its gradients: float32 or less, and grids of known size."""
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
    """Whether 32-bit integers suffice for positions, with channels in fours and pixels spread and padded if needed."""
    channels = sum(4 * -(-slot.channels // 4) for slot in mixing.inputs)
    field = batch * channels * math.prod(max(axis.size, axis.padded) for axis in axes)
    return max(batch, channels) <= _BLOCKS and field < _MOST
