"""Functions with a reverse derivative written by hand, which keep few values for the backward pass."""

import functools
from collections.abc import Callable, Sequence
from functools import partial

import jax
import jax.numpy as jnp
from jax import Array, lax
from jax.core import ShapedArray
from jax.typing import DTypeLike

from .._jax_internals import (
    batch_first,
    define,
    define_derivative,
    define_transpose,
    dense,
    is_linear,
    is_traced,
    primitive,
)

Function = Callable[..., tuple[Array, tuple[Array, ...]]]
Adjoint = Callable[[Sequence[Array], Sequence[Array], Array], Sequence[Array]]

Operands = tuple[Sequence[Array], Sequence[Array], Array]
"""The arguments, the values kept for the backward pass, and the gradient of the result."""

Shape = tuple[tuple[int, ...], DTypeLike]

_tangent = primitive("ginjax_tangent")

_UNSIGNED = {1: jnp.uint8, 2: jnp.uint16, 4: jnp.uint32, 8: jnp.uint64}
"""Unsigned integer types by their number of bytes."""


def with_adjoint(function: Function, adjoint: Adjoint) -> Callable[..., Array]:
    """Give a function a reverse derivative written by hand that keeps few values.

    Ordinary reverse differentiation keeps every intermediate value that a product rule needs. Forward differentiation and
    the differentiation of derivatives go through `function` itself.

    **Arguments:**

    - `function`: a differentiable function of arrays. It returns its value, and the values besides its arguments that the
      adjoint needs. It must not close over values that are differentiated.
    - `adjoint`: `(arguments, kept values, g) -> gradients of <g, value>`, one for each argument.

    **Returns:** a function that returns the value alone, for `jax.jvp`, `jax.grad` (to any order) and `jax.vmap`.
    """

    # Functions under jit are traced once for all layers of a kind.
    function = jax.jit(function)

    @jax.jit
    def value(*arguments: Array) -> Array:
        return function(*arguments)[0]

    @jax.jit
    def cast(arguments: Sequence[Array], kept: Sequence[Array], g: Array) -> tuple[Array, ...]:
        found = adjoint(arguments, kept, g)
        return tuple(z.astype(a.dtype) for z, a in zip(found, arguments, strict=True))

    wrapped = jax.custom_jvp(value)

    @wrapped.defjvp
    def _(arguments: tuple[Array, ...], changes: tuple[Array, ...]) -> tuple[Array, Array]:
        found, kept = function(*arguments)
        # The kept values depend on the arguments, but the derivative of this operation takes them as constants.
        operands = *arguments, *changes, *kept
        shape = found.shape, found.dtype
        return found, _tangent.bind(*operands, count=len(arguments), value=value, adjoint=cast, shape=shape)

    def apply(*arguments: Array) -> Array:
        # Integers have no derivative.
        inexact = all(jnp.issubdtype(jnp.result_type(a), jnp.inexact) for a in arguments)
        return wrapped(*arguments) if inexact else value(*arguments)

    return apply


def _change(*operands: Array, count: int, value: Callable[..., Array], **_: object) -> Array:
    return jax.jvp(value, operands[:count], operands[count : 2 * count])[1]


def _shape(*operands: ShapedArray, shape: Shape, **_: object) -> ShapedArray:
    return operands[0].update(shape=shape[0], dtype=shape[1], weak_type=False)


def _back(g: Array, *operands: Array, count: int, adjoint: Adjoint, **_: object) -> list[Array | None]:
    changes = operands[count : 2 * count]
    gradients = _apart(adjoint, g, operands[:count], operands[2 * count :])
    wanted = [
        gradient if is_linear(change) else None for gradient, change in zip(gradients, changes, strict=True)
    ]
    return [None] * count + wanted + [None] * (len(operands) - 2 * count)


def _apart(adjoint: Adjoint, g: Array, arguments: Sequence[Array], kept: Sequence[Array]) -> Sequence[Array]:
    """Compute the gradients in a separate part of the program.

    Otherwise the compiler would merge values that are recomputed here with their first computation, and so keep them in
    memory in between. Compilers for CPUs drop the barriers that prevent this, so there a condition stands before this part.
    """
    operands = tuple(arguments), tuple(kept), g
    # The compiler would resolve a condition on a constant. A condition on a result of other operations makes the compiler
    # repeat them, which costs least for the smallest array.
    sizes = {i: x.size for i, x in enumerate((g, *arguments)) if is_traced(x) and x.size}
    if not g.size or not sizes:
        return adjoint(*operands)
    place = min(sizes, key=sizes.__getitem__)
    return lax.platform_dependent(
        operands, cpu=_conditional(adjoint, place), default=_behind_barrier(adjoint)
    )


@functools.lru_cache(maxsize=512)
def _conditional(adjoint: Adjoint, place: int) -> Callable[[Operands], Sequence[Array]]:
    def nothing(arguments: Sequence[Array], kept: Sequence[Array], g: Array) -> tuple[Array, ...]:
        # Values of the right shapes that need no code.
        return tuple(arguments)

    def run(operands: Operands) -> Sequence[Array]:
        x = (operands[2], *operands[0])[place]
        bits = lax.bitcast_convert_type(x[(0,) * x.ndim], _UNSIGNED[x.dtype.itemsize])
        # Always true, as squares are 0 or 1 modulo 4, but the compiler does not know that.
        return lax.cond((bits * bits) & 2 == 0, adjoint, nothing, *operands)

    return run


@functools.lru_cache(maxsize=512)
def _behind_barrier(adjoint: Adjoint) -> Callable[[Operands], Sequence[Array]]:
    return lambda operands: adjoint(*lax.optimization_barrier(operands))


def _jvp(
    primals: Sequence[Array], tangents: Sequence[object], *, count: int, **how: object
) -> tuple[Array, Array]:
    # Differentiated as a function of arguments and changes only: the kept values follow from the arguments.
    changes = dense(tangents[: 2 * count])
    return jax.jvp(partial(_change, count=count, **how), tuple(primals[: 2 * count]), changes)


def _batch(
    operands: Sequence[Array],
    dims: Sequence[int | None],
    *,
    count: int,
    value: Callable[..., Array],
    adjoint: Adjoint,
    shape: Shape,
) -> tuple[Array, int]:
    size = next(x.shape[d] for x, d in zip(operands, dims, strict=True) if d is not None)
    # An argument and its change are batched together, or neither is.
    both = zip(dims[:count], dims[count : 2 * count], strict=True)
    many = tuple(d is not None or e is not None for d, e in both)
    batched = [*many, *many, *(True for _ in operands[2 * count :])]
    moved = [
        batch_first(x, d, size) if along else x for x, d, along in zip(operands, dims, batched, strict=True)
    ]
    values, each = _batched(value, adjoint, many)
    wider = (size, *shape[0]), shape[1]
    return _tangent.bind(*moved, count=count, value=values, adjoint=each, shape=wider), 0


@functools.lru_cache(maxsize=512)
def _batched(
    value: Callable[..., Array], adjoint: Adjoint, many: tuple[bool, ...]
) -> tuple[Callable[..., Array], Adjoint]:
    """Batch both functions over the arguments that `many` marks, and over all kept values."""
    axes = tuple(0 if along else None for along in many)

    @jax.jit
    def each(arguments: Sequence[Array], kept: Sequence[Array], g: Array) -> tuple[Array, ...]:
        found = jax.vmap(adjoint, (axes, 0, 0))(tuple(arguments), tuple(kept), g)
        return tuple(z if along else jnp.sum(z, 0) for z, along in zip(found, many, strict=True))

    return jax.jit(jax.vmap(value, axes)), each


define(_tangent, _change, _shape, _batch)
define_derivative(_tangent, _jvp)
define_transpose(_tangent, _back)
