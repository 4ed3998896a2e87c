"""Working through an image slab by slab, so that what is made in between stays in the cache."""

from collections.abc import Callable, Sequence
from dataclasses import replace
from typing import TypeVar

import jax
from jax import Array, lax
from jaxtyping import Float

from ..._jax_internals import alike
from ._axes import ConvAxis

_Carry = TypeVar("_Carry")


def over_slabs(
    padded: Float[Array, "batch packed *padded"],
    axes: Sequence[ConvAxis],
    side: int,
    thickness: int,
    body: Callable[[Array | int, Array, tuple[ConvAxis, ...], _Carry], _Carry],
    carry: _Carry,
) -> _Carry:
    """Go through the output along its first spatial axis, `thickness` pixels at a time.

    **Arguments:**

    - `padded`: `(batch, channels, *spatial)`, padded as `axes` say.
    - `side`: of the filters.
    - `body`: `(start, piece, axes of the piece, carry) -> carry`: `piece` is what the output pixels from `start` on
      depend on.
    - `carry`: what the first call gets.
    """
    inner = tuple(
        ConvAxis(size, stride=axis.stride, dilation=axis.dilation)
        for size, axis in zip(padded.shape[2:], axes, strict=True)
    )
    first, *others = inner
    total = first.output(side)
    if thickness >= total:
        return body(0, padded, inner, carry)
    reach = (side - 1) * first.dilation

    def slab(start: Array | int, count: int, carry: _Carry) -> _Carry:
        size = (count - 1) * first.stride + 1 + reach
        piece = lax.dynamic_slice_in_dim(padded, start * first.stride, size, axis=2)
        return body(start, piece, (replace(first, size=size), *others), carry)

    return _for_slabs(total, thickness, slab, carry, padded)


def _for_slabs(
    total: int,
    thickness: int,
    slab: Callable[[Array | int, int, _Carry], _Carry],
    carry: _Carry,
    like: Array,
) -> _Carry:
    """`slab(start, planes, carry)` for all planes of the output, `thickness` of them at a time, in one loop.

    **Arguments:**

    - `like`: an array that differs between devices, within `jax.shard_map`, as the results do.
    """
    if thickness >= total:
        return slab(0, total, carry)
    whole, rest = divmod(total, thickness)
    leaves, form = jax.tree.flatten(carry)
    carry = jax.tree.unflatten(form, alike((like, *leaves))[1:])
    carry = lax.fori_loop(0, whole, lambda i, carry: slab(i * thickness, thickness, carry), carry)
    return slab(whole * thickness, rest, carry) if rest else carry


def take_slab(whole: Float[Array, "batch _ planes *others"], start: Array | int, count: int) -> Array:
    """`count` planes from `start` on."""
    return whole if count == whole.shape[2] else lax.dynamic_slice_in_dim(whole, start, count, axis=2)


def put_slab(whole: Float[Array, "batch _ planes *others"], part: Array, start: Array | int) -> Array:
    """`whole` with some planes, from `start` on, in place of its own."""
    return part if part.shape == whole.shape else lax.dynamic_update_slice_in_dim(whole, part, start, axis=2)


def slab_thickness(pixels: int, planes: int, most: int) -> int:
    """Planes in a slab: as many as hold at most `most` pixels, and an even share where that costs little.

    Two slabs would not be worth a loop: then it is all planes.

    **Arguments:**

    - `pixels`: of one plane, channels and batch included.
    - `planes`: in all.
    - `most`: pixels that fit.

    Sizes that are not known yet, as in a program that is exported for any grid, are not cut up.
    """
    if not isinstance(pixels * planes, int):
        return planes
    largest = min(max(most // max(pixels, 1), 1), planes)
    if planes <= 2 * largest:
        return planes
    divisors = [t for t in range(largest // 2 + 1, largest + 1) if planes % t == 0]
    return divisors[-1] if divisors else largest
