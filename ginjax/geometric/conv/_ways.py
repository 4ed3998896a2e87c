"""The choice between the ways to compute a convolution: filters first, by XLA or by one kernel, or weights first."""

import contextlib
import math
from collections.abc import Iterator, Sequence
from contextvars import ContextVar
from typing import Literal, TypedDict, Unpack

import jax
import jax.numpy as jnp
from jax import Array
from jaxtyping import Float

from ..._jax_internals import Program, alike
from ..._jax_triton import has_triton
from .._arrays import AnyArray
from ._axes import ConvAxis
from ._basis_first import gradients, image_count, mix, weight_gradient
from ._dense import graded_pairs, mix_dense
from ._fused_cover import are_compiled_here, covers
from ._mixing import Mixing

Way = Literal["basis", "dense", "fused"]
"""Filters first, weights first, or one kernel for a whole convolution; `covers` tells which convolutions it supports."""

Kernels = Literal["interpreted", "compiled if asked", "compiled"] | None
"""How kernels written by hand run; None if they cannot. They run without a request (`use_way`) only for `"compiled"`."""

CACHE = 2**18
"""How many values of filtered images for one output component are kept at a time on a CPU: 1 MiB in float32."""

DEVICE = 2**26
"""The same on a GPU. There the purpose is to save memory, and smaller pieces would leave most of the GPU idle."""


class How(TypedDict):
    """The parameters of the operations in `_bank_conv`: the convolution, and the way to compute it."""

    mixing: Mixing
    axes: tuple[ConvAxis, ...]
    precision: str
    way: Way | None


_forced: ContextVar[Way | None] = ContextVar("way", default=None)


@contextlib.contextmanager
def use_way(way: Way | None) -> Iterator[None]:
    """Choose the way to compute all convolutions that are traced in this context; for tests and measurements.

    All ways give the same values up to rounding, and keep the exact zeros of embedded fields. With `"fused"` infinite values
    become NaN. A function that is compiled already keeps the way with which it was traced.

    **Arguments:**

    - `way`: `"basis"` applies the filters first; `"dense"` applies the weights first; `"fused"` computes a whole convolution by
      one kernel; None chooses by estimated cost. The fused kernel is compiled for NVIDIA GPUs. On CPUs it is interpreted, which
      is slow. Where it cannot be used (filters of one pixel, float64, weights that differ from sample to sample, exported
      programs), the cheaper of the other two ways is taken.
    """
    token = _forced.set(way)
    try:
        yield
    finally:
        _forced.reset(token)


def forced_way() -> Way | None:
    """Return the way that `use_way` asks for."""
    return _forced.get()


def _way(how: How, mixing: Mixing) -> Way:
    """Return `"basis"` or `"dense"`: the one asked for, or the cheaper one."""
    return choose_way(mixing) if how["way"] in (None, "fused") else how["way"]


def choose_way(mixing: Mixing) -> Way:
    """Return the cheaper way according to the estimated work per pixel."""
    return "basis" if basis_cost(mixing) <= dense_cost(mixing) else "dense"


def basis_cost(mixing: Mixing) -> float:
    """Estimate the work per pixel with filters first, in multiply-adds of a convolution with many channels.

    An image costs as much as its memory traffic, about 16 multiply-adds. Matrix products run about three times as fast as
    convolutions. Both were measured on two CPU cores, see `benchmarks/`.
    """
    products = sum(
        slot.channels * len(feature.rows) * mixing.paths[feature.path].c_in
        for slot, features in mixing.features
        for feature in features
    )
    return 16 * image_count(mixing) + products / 3


def dense_cost(mixing: Mixing) -> float:
    """Estimate the same with weights first; a convolution has an overhead equal to that of 16 more channels."""
    total = 0.0
    for pair in graded_pairs(mixing):
        folded = len(pair.antisymmetric)
        taps = mixing.side ** (mixing.D - folded) * (mixing.side // 2) ** folded
        c_in, c_out = (sum(slot.channels for slot in slots) for slots in (pair.sources, pair.targets))
        total += taps * (c_in * c_out + 16 * c_in + 16 * c_out)
    return total


def convolve_packed(
    x: Float[AnyArray, "*packed_in"],
    w: Float[AnyArray, " weights"],
    *,
    room: int = CACHE,
    kernels: Kernels = None,
    **how: Unpack[How],
) -> Float[Array, "*packed_out"]:
    """Compute `y = sum_l W_l (C_l * x)` on packed fields `(*batch, packed, *spatial)`, see `mix`."""
    mixing, axes, precision = how["mixing"], how["axes"], how["precision"]
    flat, w = _one_batch_axis(x, axes), jnp.asarray(w)
    if _is_fused(how, kernels, flat):
        from ._fused import mix_fused

        y = mix_fused(flat, w, mixing, axes, precision, kernels == "interpreted")
    elif _way(how, mixing) == "dense":
        y = mix_dense(flat, w, mixing, axes, precision)
    else:
        y = mix(flat, w, mixing, axes, precision, room)
    return _batched_as(y, x, axes)


def weights_packed(
    x: Float[AnyArray, "*packed_in"],
    g: Float[AnyArray, "*packed_out"],
    *,
    room: int = CACHE,
    kernels: Kernels = None,
    **how: Unpack[How],
) -> Float[Array, " weights"]:
    """Compute the gradient of `<g, y>` with respect to `w`, `(mixing.weights,)`."""
    mixing, axes, precision = how["mixing"], how["axes"], how["precision"]
    x, g = _one_batch_axis(x, axes), _one_batch_axis(g, axes)
    if _is_fused(how, kernels, x):
        from ._fused import weight_gradient_fused

        return weight_gradient_fused(x, g, mixing, axes, precision, kernels == "interpreted")
    if _way(how, mixing) == "dense":
        # Not summed over devices here: the transpose of the whole operation does that.
        _, w = alike((x, jnp.zeros((mixing.weights,), x.dtype)))
        return jax.linear_transpose(lambda w: mix_dense(x, w, mixing, axes, precision), w)(g)[0]
    return weight_gradient(x, g, mixing, axes, precision, room)


def gradients_packed(
    x: Float[AnyArray, "*packed_in"],
    w: Float[AnyArray, " weights"],
    g: Float[AnyArray, "*packed_out"],
    *,
    room: int = CACHE,
    kernels: Kernels = None,
    **how: Unpack[How],
) -> tuple[Float[Array, "*packed_in"], Float[Array, " weights"]]:
    """Compute the gradients of `<g, y>` with respect to `x` and `w`."""
    mixing, axes, precision = how["mixing"], how["axes"], how["precision"]
    back: How = {**how, "mixing": mixing.adjoint, "axes": adjoint_axes(mixing, axes)}
    flat, slope = _one_batch_axis(x, axes), _one_batch_axis(g, axes)
    basis = {_way(how, m) for m in (mixing, mixing.adjoint)} == {"basis"}
    shared = basis and image_count(mixing.adjoint) <= 2 * image_count(mixing)
    if shared and not _is_fused(how, kernels, flat):
        gx, gw = gradients(flat, jnp.asarray(w), slope, mixing, axes, precision, room)
        return _batched_as(gx, x, axes), gw
    return (
        convolve_packed(g, w, room=room, kernels=kernels, **back),
        weights_packed(x, g, room=room, kernels=kernels, **how),
    )


def kernels_on_nvidia(program: Program) -> Kernels:
    """Return how a program for NVIDIA GPUs runs kernels written by hand."""
    # A stored kernel is the text of one compiler version, or compiled for one kind of GPU.
    if program.exported or not are_compiled_here():
        return None
    # The compiler cannot divide a kernel among devices: each device would run the whole kernel.
    return "compiled if asked" if program.shared else "compiled"


def _is_fused(how: How, kernels: Kernels, x: Array) -> bool:
    wanted = kernels is not None and how["way"] == "fused"
    by_itself = kernels == "compiled" and how["way"] is None
    return (wanted or by_itself) and covers(how["mixing"], how["axes"], x) and has_triton()


def _one_batch_axis(x: AnyArray, axes: Sequence[ConvAxis]) -> Array:
    x = jnp.asarray(x)  # an operand without a batch axis may still be a NumPy array
    batch, rest = x.shape[: -len(axes) - 1], x.shape[-len(axes) - 1 :]
    return x if len(batch) == 1 else x.reshape(math.prod(batch), *rest)


def _batched_as(y: Array, x: AnyArray, axes: Sequence[ConvAxis]) -> Array:
    return y if y.ndim == x.ndim else y.reshape(*x.shape[: -len(axes) - 1], *y.shape[1:])


def adjoint_axes(mixing: Mixing, axes: Sequence[ConvAxis]) -> tuple[ConvAxis, ...]:
    """Return the geometry of the adjoint."""
    return tuple(axis.adjoint(mixing.side) for axis in axes)
