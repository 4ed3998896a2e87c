"""The equivariant convolution as a bilinear JAX operation with its own derivatives.

Both derivatives of the convolution are convolutions with the same filters. They are computed as such, instead of by
transposing slices and sums one by one. A bilinear operation can be differentiated forwards and backwards, to any order.
"""

from collections.abc import Callable, Mapping, Sequence
from functools import partial, wraps
from typing import TYPE_CHECKING, TypeVar, Unpack

import jax
import jax.numpy as jnp
from jax import Array
from jax.core import ShapedArray
from jaxtyping import Float

from ..._jax_internals import (
    Program,
    Rule,
    define,
    define_bilinear,
    define_derivative,
    define_transpose,
    dense,
    is_linear,
    is_zero,
    primitive,
)
from ...filters import FilterBank
from .._arrays import AnyArray
from .._keys import Key, Signature
from .._planar import PlanarImage
from .._precision import product_precision
from ._axes import ConvAxis, pad_axes
from ._geometry import ConvGeometry
from ._mixing import Mixing, channel_mixing, make_mixing, packed_grades, weight_order
from ._walls import continue_axes
from ._ways import (
    DEVICE,
    How,
    adjoint_axes,
    convolve_packed,
    forced_way,
    gradients_packed,
    kernels_on_nvidia,
    weights_packed,
)

if TYPE_CHECKING:
    from ..._jax_internals import Primitive

Weights = Mapping[Key, Mapping[Key, Float[Array, "out in filters"]]]
Axes = tuple[ConvAxis, ...]
Operands = Sequence[Array]
"""The operands of a rule of differentiation or batching."""

Changes = Sequence[object]
"""The tangents of the operands: arrays, or symbolic zeros."""

Dims = Sequence[int | None]
"""The batch axis of each operand; None for an operand without one."""

_Result = TypeVar("_Result", Array, tuple[Array, Array])

_conv = primitive("ginjax_conv")
_weights = primitive("ginjax_conv_weights")
_tangents = primitive("ginjax_conv_tangents")
_gradients = primitive("ginjax_conv_gradients", several=True)


def convolve_with_bank(
    x: PlanarImage, weights: Weights, bank: FilterBank, targets: Signature, geometry: ConvGeometry
) -> PlanarImage:
    r"""Convolve a field with the filters of a bank, and mix the results by weights.

    `y_b(x) = sum_a sum_l W[a->b][o, i, l] (C_l * x_a)` for all keys `a` of the input and `b` of the output.

    If an embedded field is constant along an axis and has no component along it, the components of the output along that axis
    are exactly zero, in any precision. Otherwise normalisation layers would amplify rounding noise there.

    **Arguments:**

    - `x`: one sample.
    - `weights`: `(out, in, n_filters)` by input and output key.
    - `bank`: the filters.
    - `targets`: keys and channels of the output.
    - `geometry`: strides, dilations, padding.

    **Returns:** all blocks of `targets`; the block of a key that no filter reaches is zero. Integer inputs give
    floating-point results.
    """
    sources = x.get_signature()
    dtype = jnp.result_type(*x.values(), 1.0)
    mixing = make_mixing(bank, sources, targets)
    flat = [
        weights[sources[a][0]][targets[b][0]].astype(dtype).transpose(2, 1, 0).ravel()
        for a, b in weight_order(bank, sources, targets)
    ]
    w = jnp.concatenate(flat) if flat else jnp.zeros((0,), dtype)
    axes = geometry.axes(x.get_spatial_dims(), bank.side)
    packed = x.packed().astype(dtype)
    if any(mode != "zeros" for mode in geometry.modes):
        packed, axes = continue_axes(packed, axes, geometry.modes, packed_grades(bank.D, sources), 1)
    y = bank_conv(packed, w, mixing, axes)
    return PlanarImage.unpacked(y, targets, bank.D, x.is_torus)


def mix_channels(
    x: Float[AnyArray, "components in *spatial"], w: Float[AnyArray, "out in"]
) -> Float[Array, "components out *spatial"]:
    """Compute `y[:, o] = sum_i w[o, i] x[:, i]` at every pixel, for `x` `(components, channels, *spatial)`."""
    _, channels, *spatial = x.shape
    mixing = channel_mixing(channels, w.shape[0], len(spatial))
    # The same for all components, so the operation takes them as a batch.
    return bank_conv(x, w.astype(x.dtype).T.ravel(), mixing, tuple(ConvAxis(size) for size in spatial))


def bank_conv(
    x: Float[AnyArray, "*packed_in"], w: Float[AnyArray, " weights"], mixing: Mixing, axes: Axes
) -> Float[Array, "*packed_out"]:
    """Compute `y = sum_l W_l (C_l * x)` on packed fields, see `Mixing`.

    **Arguments:**

    - `x`: `(*batch, packed inputs, *spatial)`.
    - `w`: `(mixing.weights,)`, of the same dtype.
    - `mixing`: the convolution.
    - `axes`: the geometry.

    **Returns:** `(*batch, packed outputs, *spatial')`.
    """
    if any(axis.wraps and axis.size * axis.spread % axis.stride for axis in axes):
        # Such a convolution has no cyclic adjoint. After explicit wrapping it needs none.
        x = pad_axes(jnp.asarray(x), axes, x.ndim - len(axes))
        axes = tuple(
            ConvAxis(size, stride=axis.stride, dilation=axis.dilation)
            for size, axis in zip(x.shape[-len(axes) :], axes, strict=True)
        )
    return _conv.bind(x, w, mixing=mixing, axes=axes, precision=product_precision(), way=forced_way())


def _conv_shape(x: ShapedArray, w: ShapedArray, *, mixing: Mixing, axes: Axes, **_: object) -> ShapedArray:
    channels = sum(slot.channels for slot in mixing.outputs)
    spatial = (axis.output(mixing.side) for axis in axes)
    return x.update(shape=(*x.shape[: -len(axes) - 1], channels, *spatial), weak_type=False)


def _conv_back(g: Array, w: Array, **how: Unpack[How]) -> Array:
    mixing, axes = how["mixing"], how["axes"]
    return _conv.bind(g, w, **how | {"mixing": mixing.adjoint, "axes": adjoint_axes(mixing, axes)})


def _conv_batch(args: Operands, dims: Dims, **how: Unpack[How]) -> tuple[Array, int]:
    (x, w), (x_dim, w_dim) = args, dims
    if x_dim is None or w_dim is not None:
        return jax.vmap(partial(convolve_packed, **_unfused(how)), dims)(x, w), 0
    return _conv.bind(jnp.moveaxis(x, x_dim, 0), w, **how), 0


def _weights_batch(args: Operands, dims: Dims, **how: Unpack[How]) -> tuple[Array, int]:
    return jax.vmap(partial(weights_packed, **_unfused(how)), dims)(*args), 0


def _unfused(how: How) -> How:
    """Replace the fused way for weights that differ from sample to sample, which its kernels do not support."""
    return {**how, "way": None} if how["way"] == "fused" else how


def _tangent(x: Array, w: Array, x_dot: Array, w_dot: Array, **how: Unpack[How]) -> Array:
    return _conv.bind(x_dot, w, **how) + _conv.bind(x, w_dot, **how)


def _both(x: Array, w: Array, g: Array, **how: Unpack[How]) -> tuple[Array, Array]:
    return _conv_back(g, w, **how), _weights.bind(x, g, **how)


def _conv_jvp(primals: Operands, tangents: Changes, **how: Unpack[How]) -> tuple[Array, Array]:
    (x, w), (x_dot, w_dot) = primals, tangents
    y = _conv.bind(x, w, **how)
    zeros = [is_zero(tangent) for tangent in tangents]
    if zeros == [False, False]:
        # One operation, so that its transpose can make both gradients at once.
        return y, _tangents.bind(x, w, x_dot, w_dot, **how)
    return y, _conv.bind(x, w_dot, **how) if zeros[0] else _conv.bind(x_dot, w, **how)


def _tangent_back(
    g: Array, x: Array, w: Array, x_dot: object, w_dot: object, **how: Unpack[How]
) -> tuple[Array | None, ...]:
    linear = is_linear(x_dot), is_linear(w_dot)
    if linear == (True, True):
        return None, None, *_gradients.bind(x, w, g, **how)
    return (
        None,
        None,
        _conv_back(g, w, **how) if linear[0] else None,
        _weights.bind(x, g, **how) if linear[1] else None,
    )


def _define(
    operation: "Primitive",
    function: Callable[..., _Result],
    shape: Callable[..., object],
    batch: Callable[..., object],
) -> None:
    """Define an operation: its implementation on each platform, its shape rule, and its batching rule."""
    single = _in_single(function)

    def on_processors(program: Program) -> Rule:
        return partial(single, kernels=None if program.exported else "interpreted")

    def on_nvidia(program: Program) -> Rule:
        return partial(function, room=DEVICE, kernels=kernels_on_nvidia(program))

    def on_others(program: Program) -> Rule:
        return partial(function, room=DEVICE)

    platforms = {None: on_processors, "cuda": on_nvidia, "rocm": on_others, "tpu": on_others}
    define(operation, single, shape, batch, static=tuple(How.__annotations__), on_platforms=platforms)


def _in_single(function: Callable[..., _Result]) -> Callable[..., _Result]:
    """Compute half-precision operands in single precision, and round once at the end.

    CPUs have no half precision: they would widen and round at every single operation.
    """

    @wraps(function)
    def run(*operands: Array, **how: object) -> _Result:
        dtype = operands[0].dtype
        if dtype.itemsize >= 4:
            return function(*operands, **how)
        result = function(*(operand.astype(jnp.float32) for operand in operands), **how)
        return jax.tree.map(lambda value: value.astype(dtype), result)

    return run


def _derived(
    function: Callable[..., _Result],
) -> tuple[Callable[..., tuple[_Result, _Result]], Callable[..., tuple[_Result, int | tuple[int, ...]]]]:
    """Return the derivative and batching rules of an operation that is defined by a function of other operations."""

    def jvp(primals: Operands, tangents: Changes, **how: Unpack[How]) -> tuple[_Result, _Result]:
        return jax.jvp(partial(function, **how), tuple(primals), dense(tangents))

    def batch(args: Operands, dims: Dims, **how: Unpack[How]) -> tuple[_Result, int | tuple[int, ...]]:
        result = jax.vmap(partial(function, **how), dims)(*args)
        return result, (0,) * len(result) if isinstance(result, tuple) else 0

    return jvp, batch


_define(_conv, convolve_packed, _conv_shape, _conv_batch)
define_bilinear(
    _conv,
    lambda g, x, w, **how: _conv_back(g, w, **how),
    lambda g, x, w, **how: _weights.bind(x, g, **how),
)
define_derivative(_conv, _conv_jvp)

_define(
    _weights,
    weights_packed,
    lambda x, g, *, mixing, **_: x.update(shape=(mixing.weights,), weak_type=False),
    _weights_batch,
)
define_bilinear(
    _weights,
    lambda c, x, g, **how: _conv_back(g, c, **how),
    lambda c, x, g, **how: _conv.bind(x, c, **how),
)

_jvp, _batch = _derived(_tangent)
_define(_tangents, _tangent, lambda x, w, x_dot, w_dot, **how: _conv_shape(x, w, **how), _batch)
define_derivative(_tangents, _jvp)
define_transpose(_tangents, _tangent_back)

_jvp, _batch = _derived(_both)
define_derivative(_gradients, _jvp)
_define(
    _gradients,
    gradients_packed,
    lambda x, w, g, **_: (x.update(weak_type=False), w.update(weak_type=False)),
    _batch,
)
