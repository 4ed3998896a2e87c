"""Functions with a reverse derivative written by hand, which keep only their arguments for the backward pass."""

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
"""Arguments, what is remembered, and the gradient that comes back."""

Shape = tuple[tuple[int, ...], DTypeLike]

_tangent = primitive("ginjax_tangent")

_UNSIGNED = {1: jnp.uint8, 2: jnp.uint16, 4: jnp.uint32, 8: jnp.uint64}
"""Whole numbers by their bytes."""


def with_adjoint(function: Function, adjoint: Adjoint) -> Callable[..., Array]:
    """A function whose reverse derivative is written by hand and remembers little.

    Reverse differentiation as such keeps every intermediate value that a product rule asks for. Forward
    differentiation, and that of the derivatives, go through `function` itself.

    **Arguments:**

    - `function`: of arrays, differentiable; returns its value and what, besides the arguments, is worth remembering.
      It closes over nothing that is differentiated.
    - `adjoint`: `(arguments, remembered, g) -> gradients of <g, value>`, one for each argument.

    **Returns:** the function of the value alone, for `jax.jvp`, `jax.grad` (to any order) and `jax.vmap`.
    """

    # As functions of their own they are traced once for all layers of a kind.
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
        # The remembered values depend on the arguments, but not for the derivative of this operation.
        operands = *arguments, *changes, *kept
        shape = found.shape, found.dtype
        return found, _tangent.bind(*operands, count=len(arguments), value=value, adjoint=cast, shape=shape)

    def apply(*arguments: Array) -> Array:
        # Whole numbers have no derivative to be written by hand.
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
    """The gradients, in a part of the program of their own.

    Else a compiler would merge what is computed again here with the first time it was computed, which keeps it alive in
    between. Compilers for processors drop the barriers meant for this, so there it stands behind a condition.
    """
    operands = tuple(arguments), tuple(kept), g
    # A condition on a constant would be decided. On the smallest, a parameter perhaps, costs least: for one value of what
    # other operations give the compiler repeats these.
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
        # Something of the right shapes that needs no code.
        return tuple(arguments)

    def run(operands: Operands) -> Sequence[Array]:
        x = (operands[2], *operands[0])[place]
        bits = lax.bitcast_convert_type(x[(0,) * x.ndim], _UNSIGNED[x.dtype.itemsize])
        # Always true: squares are 0 or 1 modulo 4. A compiler does not know that.
        return lax.cond((bits * bits) % 4 != 2, adjoint, nothing, *operands)

    return run


@functools.lru_cache(maxsize=512)
def _behind_barrier(adjoint: Adjoint) -> Callable[[Operands], Sequence[Array]]:
    return lambda operands: adjoint(*lax.optimization_barrier(operands))


def _jvp(
    primals: Sequence[Array], tangents: Sequence[object], *, count: int, **how: object
) -> tuple[Array, Array]:
    # As a function of arguments and changes; what is remembered follows from the arguments.
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
    """The same for a batch: of those arguments that have one, `many`, and of all that is remembered."""
    axes = tuple(0 if along else None for along in many)

    @jax.jit
    def each(arguments: Sequence[Array], kept: Sequence[Array], g: Array) -> tuple[Array, ...]:
        found = jax.vmap(adjoint, (axes, 0, 0))(tuple(arguments), tuple(kept), g)
        return tuple(z if along else jnp.sum(z, 0) for z, along in zip(found, many, strict=True))

    return jax.jit(jax.vmap(value, axes)), each


define(_tangent, _change, _shape, _batch)
define_derivative(_tangent, _jvp)
define_transpose(_tangent, _back)
