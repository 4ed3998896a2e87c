"""Products over tensor components, with derivatives made of the same products.

If these products were written with `sum`, broadcasting and slices, JAX would transpose them to reductions over a short
leading axis and to padding. Both cost several passes over memory. As bilinear operations of their own, the products and
their derivatives stay elementwise.
"""

from collections.abc import Sequence
from functools import partial
from typing import TYPE_CHECKING

import jax.numpy as jnp
from jax import Array, lax
from jax.core import ShapedArray
from jaxtyping import Num

from .._jax_internals import batch_first, define, define_bilinear, primitive
from ._arrays import AnyArray

if TYPE_CHECKING:
    from .._jax_internals import Primitive

_inner = primitive("ginjax_inner")
_scale = primitive("ginjax_scale")


def inner(a: Num[AnyArray, "components *rest"], b: Num[AnyArray, "components *rest"]) -> Num[Array, "*rest"]:
    """Compute `sum_i a[i] b[i]` over the first axis."""
    return _inner.bind(*_same_dtype(a, b), axis=0)


def scale(k: Num[AnyArray, "*rest"], a: Num[AnyArray, "components *rest"]) -> Num[Array, "components *rest"]:
    """Compute `k a[i]` for every `i` of the first axis."""
    return _scale.bind(*_same_dtype(k, a), axis=0)


def _same_dtype(a: AnyArray, b: AnyArray) -> tuple[AnyArray, AnyArray]:
    dtype = jnp.result_type(a, b)
    return a.astype(dtype), b.astype(dtype)


def _inner_sum(a: Array, b: Array, *, axis: int) -> Array:
    parts = [
        lax.index_in_dim(a, i, axis, keepdims=False) * lax.index_in_dim(b, i, axis, keepdims=False)
        for i in range(a.shape[axis])
    ]
    return sum(parts[1:], parts[0])


def _scaled(k: Array, a: Array, *, axis: int) -> Array:
    return jnp.expand_dims(k, axis) * a


def _inner_shape(a: ShapedArray, b: ShapedArray, *, axis: int) -> ShapedArray:
    return a.update(shape=(*a.shape[:axis], *a.shape[axis + 1 :]), weak_type=False)


def _scaled_shape(k: ShapedArray, a: ShapedArray, *, axis: int) -> ShapedArray:
    return a.update(weak_type=False)


def _batch(
    operation: "Primitive", args: Sequence[Array], dims: Sequence[int | None], *, axis: int
) -> tuple[Array, int]:
    size = next(x.shape[d] for x, d in zip(args, dims, strict=True) if d is not None)
    moved = (batch_first(x, d, size) for x, d in zip(args, dims, strict=True))
    return operation.bind(*moved, axis=axis + 1), 0


for _primitive, _function, _shape in (
    (_inner, _inner_sum, _inner_shape),
    (_scale, _scaled, _scaled_shape),
):
    define(
        _primitive,
        _function,
        _shape,
        partial(_batch, _primitive),
        static=("axis",),
    )

define_bilinear(
    _inner,
    lambda g, a, b, *, axis: _scale.bind(g, b, axis=axis),
    lambda g, a, b, *, axis: _scale.bind(g, a, axis=axis),
)
define_bilinear(
    _scale,
    lambda g, k, a, *, axis: _inner.bind(g, a, axis=axis),
    lambda g, k, a, *, axis: _scale.bind(k, g, axis=axis),
)
