"""Products of small matrices by the tensor cores of NVIDIA GPUs, from within a Pallas kernel.

The 32 threads of a warp together hold a left matrix `(16, 4)`, a right matrix `(4, 8)` and their product `(16, 8)`. With
`g = lane // 4` and `t = lane % 4`, a thread has

- of the left matrix the entries `(g, t)` and `(g + 8, t)`;
- of the right matrix the entry `(t, g)`;
- of the product the entries `(g, 2t)`, `(g, 2t + 1)`, `(g + 8, 2t)` and `(g + 8, 2t + 1)`.

Two such products are one `mma.m16n8k8` of the PTX ISA (section 9.7.14, warp-level matrix instructions), for compute
capability 8.0 and later. This instruction reads 10 bits of the mantissa. So a float32 is passed in two parts. The three
products of parts have a relative error of about 2^-22; a product in float32 has 2^-24.
"""

from collections.abc import Sequence
from typing import Any, NoReturn

import jax.numpy as jnp
from jax import Array, lax
from jaxtyping import Float, Int

from ..._jax_internals import define, primitive
from ..._jax_triton import define_in_triton

LANES = 32
"""The number of threads of a warp."""

ROWS, INNER, COLUMNS = 16, 4, 8
"""The rows and columns of the left matrix, and the columns of the right one."""

Parts = tuple[Int[Array, "..."], ...]
"""A float32 as the bits of its leading part and, unless products are rounded, of the remainder."""

Product = tuple[Float[Array, " threads"], ...]
"""The four numbers that each thread holds of a product `(16, 8)`."""

_READ = -(1 << 13)
"""The bits of a float32 that tensor cores read."""


def split(x: Float[Array, "..."], rounded: bool) -> Parts:
    """Split into the nearest number with a mantissa of 10 bits and, unless `rounded`, the remainder.

    With the remainder, numbers that are infinite or within a rounding of the largest float32 become NaN.
    """
    x = x.astype(jnp.float32)
    bits = lax.bitcast_convert_type(x, jnp.int32)
    leading = (bits + (1 << 12)) & _READ
    if rounded:
        # For some NaNs the sum of bits is zero. Without a remainder, which would be NaN, they need this exception.
        return (jnp.where(x == x, leading, bits),)
    rest = lax.sub(x, lax.bitcast_convert_type(leading, jnp.float32))
    return leading, lax.bitcast_convert_type(rest, jnp.int32)


def nothing(threads: int) -> Product:
    """Return a product that is zero."""
    return tuple(jnp.zeros((threads,), jnp.float32) for _ in range(4))


def add(one: Product, other: Product) -> Product:
    """Add two products, rounded to nearest; tensor cores themselves truncate sums."""
    return tuple(lax.add(a, b) for a, b in zip(one, other, strict=True))


def multiply(pairs: Sequence[tuple[tuple[Parts, Parts], Parts]]) -> Product:
    """Compute a sum of matrix products.

    **Arguments:**

    - `pairs`: pairs of a left matrix (its upper and its lower half) and a right matrix, as a thread holds them.
    """
    zero = jnp.zeros_like(pairs[0][1][0])
    small, large = [], []
    for (upper, lower), right in pairs:
        if len(right) == 2:
            small += [(upper[1], lower[1], right[0]), (upper[0], lower[0], right[1])]
        large.append((upper[0], lower[0], right[0]))
    large += [(zero, zero, zero)] * (len(large) % 2)
    # Small terms first, so that little is truncated.
    every = small + large
    found = nothing(len(zero))
    for one, other in zip(every[::2], every[1::2], strict=True):
        found = _product.bind(*one[:2], *other[:2], one[2], other[2], *found)
    return tuple(found)


_product = primitive("ginjax_warp_product", several=True)
"""The product of two left and two right matrices, given as bits, added to a product."""


def _by_arrays(
    upper: Array,
    lower: Array,
    next_upper: Array,
    next_lower: Array,
    right: Array,
    next_right: Array,
    *total: Array,
) -> Product:
    """Compute the products of all warps with arrays, for kernels that run operation by operation."""

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
    """Return the same value, hidden from the compiler.

    Otherwise the compiler would keep every address that grows from iteration to iteration of a loop in two registers.
    """
    return _opaque.bind(x)[0]


_opaque = primitive("ginjax_opaque", several=True)
define(_opaque, lambda x: (x,), lambda x: (x,), _batched)
define_in_triton(_opaque, "mov.b32 $0, $1;", "=r,r", slice(1))
