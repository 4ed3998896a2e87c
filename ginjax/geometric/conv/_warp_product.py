"""Products of small matrices by the tensor cores of a GPU of NVIDIA, from within a kernel of Pallas.

The 32 threads of a warp hold matrices `(16, 4)` and `(4, 8)` and what is made of them, `(16, 8)`, a few numbers each. With `g = lane // 4` and
`t = lane % 4`, a thread has

- of the left matrix the entries `(g, t)` and `(g + 8, t)`;
- of the right matrix the entry `(t, g)`;
- of the product the entries `(g, 2t)`, `(g, 2t + 1)`, `(g + 8, 2t)` and `(g + 8, 2t + 1)`.

Two such products are one `mma.m16n8k8` of the PTX ISA (section 9.7.14, warp-level matrix instructions), for compute capability 8.0 and later.
It reads 10 bits behind the point. A float32 is handed over in two parts; three products of parts have a relative error of about
2^-22, where one in float32 has 2^-24.
"""

from collections.abc import Sequence
from typing import Any, NoReturn

import jax.numpy as jnp
from jax import Array, lax
from jaxtyping import Float, Int

from ..._jax_internals import define, primitive
from ..._jax_triton import define_in_triton

LANES = 32
"""Threads of a warp."""

ROWS, INNER, COLUMNS = 16, 4, 8
"""Rows of the left matrix, its columns, columns of the right one."""

Parts = tuple[Int[Array, "..."], ...]
"""A float32 as the bits of its leading part and, unless products are rounded, of what remains."""

Product = tuple[Float[Array, " threads"], ...]
"""Four numbers a thread of a product `(16, 8)`."""

_READ = -(1 << 13)
"""The bits of a float32 that tensor cores read."""


def split(x: Float[Array, "..."], rounded: bool) -> Parts:
    """The nearest number of 10 bits behind the point and, unless `rounded`, what remains.

    What is infinite, or less than a rounding from the largest float32, becomes NaN with its rest.
    """
    x = x.astype(jnp.float32)
    bits = lax.bitcast_convert_type(x, jnp.int32)
    leading = (bits + (1 << 12)) & _READ
    if rounded:
        # Of some numbers that are NaN the sum of bits is zero; their rest would be NaN.
        return (jnp.where(x == x, leading, bits),)
    rest = lax.sub(x, lax.bitcast_convert_type(leading, jnp.float32))
    return leading, lax.bitcast_convert_type(rest, jnp.int32)


def nothing(threads: int) -> Product:
    """A product that is zero."""
    return tuple(jnp.zeros((threads,), jnp.float32) for _ in range(4))


def add(one: Product, other: Product) -> Product:
    """The sum, rounded to nearest: tensor cores cut off what does not fit."""
    return tuple(lax.add(a, b) for a, b in zip(one, other, strict=True))


def multiply(pairs: Sequence[tuple[tuple[Parts, Parts], Parts]]) -> Product:
    """The sum of products of matrices.

    **Arguments:**

    - `pairs`: of left matrices, as a thread holds their upper and lower half, and right ones.
    """
    zero = jnp.zeros_like(pairs[0][1][0])
    small, large = [], []
    for (upper, lower), right in pairs:
        if len(right) == 2:
            small += [(upper[1], lower[1], right[0]), (upper[0], lower[0], right[1])]
        large.append((upper[0], lower[0], right[0]))
    large += [(zero, zero, zero)] * (len(large) % 2)
    # What is small first, so that little is cut off.
    every = small + large
    found = nothing(len(zero))
    for one, other in zip(every[::2], every[1::2], strict=True):
        found = _product.bind(*one[:2], *other[:2], one[2], other[2], *found)
    return tuple(found)


_product = primitive("ginjax_warp_product", several=True)
"""Of the bits of the left matrix and of the right one, added to a product."""


def _by_arrays(
    upper: Array,
    lower: Array,
    next_upper: Array,
    next_lower: Array,
    right: Array,
    next_right: Array,
    *total: Array,
) -> Product:
    """The product of all warps by arrays, where kernels run operation by operation."""

    def read(*bits: Array) -> Array:
        parts = [lax.bitcast_convert_type(each & _READ, jnp.float32).reshape(-1, 8, 4) for each in bits]
        return jnp.concatenate(parts, axis=2)

    left = jnp.concatenate([read(upper, next_upper), read(lower, next_lower)], axis=1)
    found = jnp.einsum("wmk,wnk->wmn", left, read(right, next_right), precision="highest")
    parts = [found[:, half : half + 8, place::2] for half in (0, 8) for place in (0, 1)]
    return tuple(part.reshape(-1) + before for part, before in zip(parts, total, strict=True))


def _shapes(*operands: Any) -> tuple[Any, ...]:
    return operands[6:]


def _batched(*_: object) -> NoReturn:
    raise NotImplementedError("a product within a kernel has no further axis")


define(_product, _by_arrays, _shapes, _batched)
define_in_triton(
    _product,
    "mma.sync.aligned.m16n8k8.row.col.f32.tf32.tf32.f32 {$0, $1, $2, $3}, {$4, $5, $6, $7}, {$8, $9}, {$10, $11, $12, $13};",
    "=f,=f,=f,=f,r,r,r,r,r,r,f,f,f,f",
    slice(6, 10),
)


def opaque(x: Int[Array, " threads"]) -> Int[Array, " threads"]:
    """The same, as something of which the compiler knows nothing.

    Addresses that grow from turn to turn of a loop it would keep, all of them, in two registers each.
    """
    return _opaque.bind(x)[0]


_opaque = primitive("ginjax_opaque", several=True)
define(_opaque, lambda x: (x,), lambda x: (x,), _batched)
define_in_triton(_opaque, "mov.b32 $0, $1;", "=r,r", slice(1))
