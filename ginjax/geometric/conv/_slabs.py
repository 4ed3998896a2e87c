"""Processing of an image slab by slab, so that intermediate values stay in the cache."""

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
    """Process the output along its first spatial axis, `thickness` pixels at a time.

    **Arguments:**

    - `padded`: `(batch, channels, *spatial)`, padded according to `axes`.
    - `axes`: the geometry.
    - `side`: the side of the filters.
    - `thickness`: the number of output planes in a slab.
    - `body`: a function `(start, piece, axes of the piece, carry) -> carry`. The output planes of the slab, from `start` on,
      depend on `piece`.
    - `carry`: the argument `carry` of the first call.
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
    """Run `slab(start, planes, carry)` for all planes of the output, `thickness` planes at a time, in one loop.

    **Arguments:**

    - `like`: an array that varies over the same devices as the results, within `jax.shard_map`.
    """
    if thickness >= total:
        return slab(0, total, carry)
    whole, rest = divmod(total, thickness)
    leaves, form = jax.tree.flatten(carry)
    carry = jax.tree.unflatten(form, alike((like, *leaves))[1:])
    carry = lax.fori_loop(0, whole, lambda i, carry: slab(i * thickness, thickness, carry), carry)
    return slab(whole * thickness, rest, carry) if rest else carry


def take_slab(whole: Float[Array, "batch _ planes *others"], start: Array | int, count: int) -> Array:
    """Return `count` planes from `start` on."""
    return whole if count == whole.shape[2] else lax.dynamic_slice_in_dim(whole, start, count, axis=2)


def put_slab(whole: Float[Array, "batch _ planes *others"], part: Array, start: Array | int) -> Array:
    """Replace planes of `whole`, from `start` on, by `part`."""
    return part if part.shape == whole.shape else lax.dynamic_update_slice_in_dim(whole, part, start, axis=2)


def slab_thickness(pixels: int, planes: int, most: int) -> int:
    """Return the number of planes in a slab: as many as fit or, if a number above half of that divides `planes`, that number.

    All planes make one slab if there would be only two slabs, which are not worth a loop, and if sizes are not known, as in a
    program that is exported for any grid.

    **Arguments:**

    - `pixels`: the number of values in one plane, channels and batch included.
    - `planes`: the number of all planes.
    - `most`: the number of values that fit.
    """
    if not isinstance(pixels * planes, int):
        return planes
    largest = min(max(most // max(pixels, 1), 1), planes)
    if planes <= 2 * largest:
        return planes
    divisors = [t for t in range(largest // 2 + 1, largest + 1) if planes % t == 0]
    return divisors[-1] if divisors else largest
