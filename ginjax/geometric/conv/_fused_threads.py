"""What the kernels that make whole convolutions share: their sizes, where taps lie, and a pixel's filtered images (Pallas, Triton).

A thread has one pixel of one channel of all components of a key. It loads the taps, forms sums and differences along one axis after
another and, of these, every filter's image for every component of the output. As these lie in its registers, tensor cores
take them for entries of a matrix, whose other axis are the pixels (for the convolution) or the channels (for the overlaps) of the
other threads of its warp. Every image is multiplied at once and never stored.
"""

import functools
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from math import prod
from typing import Any, TypeVar

import jax.numpy as jnp
from jax import Array, lax
from jax.experimental.pallas import triton

from . import _warp_product as warp
from ._axes import ConvAxis
from ._fused_plan import Row, Source, images_of, make_groups, make_plan
from ._mixing import Mixing, Slot

Carry = TypeVar("Carry")

TOGETHER = 4
"""Channels that lie together in memory."""

WARPS = 4
"""Groups of 32 threads in a block."""

THREADS = WARPS * warp.LANES
"""Of a block."""

REGISTERS = 64
"""Of a thread, for sums of products."""

IMAGES = 64
"""Filtered images of a pixel and channel that a thread holds at a time."""

CHAIN = 4
"""Images whose products are added up by tensor cores, before what they cut off counts."""

BUSY = 2**13
"""Warps that keep a GPU busy."""


@dataclass(frozen=True)
class Layout:
    """What a kernel is made for: the convolution, whether it rounds products, and whether it runs operation by operation."""

    mixing: Mixing
    axes: tuple[ConvAxis, ...]
    rounded: bool
    interpret: bool

    @property
    def inputs(self) -> int:
        """Pixels of the input."""
        return prod(axis.size for axis in self.axes)

    @property
    def outputs(self) -> tuple[int, ...]:
        """Pixels of the output along each axis."""
        return tuple(axis.output(self.mixing.side) for axis in self.axes)


def steps(channels: int) -> int:
    """Groups of channels that lie together."""
    return -(-channels // TOGETHER)


def starts(slots: Sequence[Slot]) -> tuple[dict[Slot, int], int]:
    """Where the groups of channels of each component begin, and where the last one ends."""
    found, start = {}, 0
    for slot in slots:
        found[slot] = start
        start += steps(slot.channels)
    return found, start


def panels(slots: Sequence[Slot]) -> int:
    """Left matrices of tensor cores that the channels of a component take at most."""
    return max(-(-slot.channels // warp.ROWS) for slot in slots)


def panels_at_once(slots: Sequence[Slot], sums: int) -> int:
    """Panels that a block makes, with so many sums of products for each of them."""
    return max(1, min(panels(slots), REGISTERS // (4 * sums)))


class Taps:
    """Where the taps of the pixels of a block lie in the input."""

    def __init__(self, layout: Layout, pixel: Array):
        self._axes = layout.axes
        where: list[Array] = []
        for n in reversed(layout.outputs):
            where.insert(0, lax.rem(pixel, jnp.int32(n)))
            pixel = lax.div(pixel, jnp.int32(n))
        self._along = [
            [_tap(position, axis, t, layout.mixing.side) for t in range(layout.mixing.side)]
            for position, axis in zip(where, layout.axes, strict=True)
        ]

    def at(self, taps: tuple[int, ...]) -> tuple[Array, Array | None]:
        """The positions of an offset, and which of them there are (None for all).

        Made anew for every component: in registers they would take the place of what is computed.
        """
        found = [along[t] for along, t in zip(self._along, taps, strict=True)]
        position = found[0][0]
        for (index, _), axis in zip(found[1:], self._axes[1:], strict=True):
            position = position * axis.size + index
        return position * TOGETHER, both(*(there for _, there in found))


def _tap(position: Array, axis: ConvAxis, t: int, side: int) -> tuple[Array, Array | None]:
    """The index of a tap along an axis, and whether there is one."""
    shift = t * axis.dilation - axis.low
    index = position * axis.stride if axis.stride > 1 else position
    if axis.wraps:
        # A remainder of what is not negative.
        periods = max(0, -(shift // axis.size))
        return lax.rem(index + (shift + periods * axis.size), jnp.int32(axis.size)), None
    index += shift
    if shift >= 0 and (axis.output(side) - 1) * axis.stride + shift < axis.size:
        return index, None
    there = (index >= 0) & (index < axis.size)
    return jnp.where(there, index, 0), there


def both(*masks: Array | None) -> Array | None:
    """Where all masks hold; None stands for everywhere."""
    given = [mask for mask in masks if mask is not None]
    return functools.reduce(lax.bitwise_and, given) if given else None


class Field:
    """A packed field in a kernel.

    - `base`: for each component where the pixels of a thread's channel begin; they are `TOGETHER` apart.
    """

    def __init__(self, ref: Any, taps: Taps, base: Mapping[Slot, Array]):
        self._ref, self._taps, self._base = ref, taps, base
        self._loaded: dict[tuple[Slot, tuple[int, ...]], Array] = {}

    def tap(self, slot: Slot, offset: tuple[int, ...]) -> Array:
        """A component at an offset, in float32; loaded once."""
        if (slot, offset) not in self._loaded:
            position, there = self._taps.at(offset)
            masked = {} if there is None else {"mask": there, "other": 0.0}
            value = triton.load(self._ref.at[lax.add(self._base[slot], position)], **masked)
            self._loaded[slot, offset] = value.astype(jnp.float32)
        return self._loaded[slot, offset]

    def images(self, source: Source, side: int, wanted: Callable[[Row], bool]) -> dict[Row, Array]:
        """The filtered images of a key that are wanted."""
        found: dict[Row, Array] = {}

        def add(parts: Mapping[Row, float], value: Array) -> None:
            for row, factor in parts.items():
                part = value if factor == 1 else value * factor
                found[row] = lax.add(found[row], part) if row in found else part

        for slot, every in source.images:
            own = {
                image: {row: factor for row, factor in parts.items() if wanted(row)}
                for image, parts in every.items()
            }
            own = {image: parts for image, parts in own.items() if parts}
            if own:
                images_of(
                    own,
                    side,
                    functools.partial(self.tap, slot),
                    lambda image, value, own=own: add(own[image], value),
                )
        return found


def output_parts(mixing: Mixing) -> list[tuple[Slot, ...]]:
    """Components of the output, so many at a time that a thread can hold the images of a key for all of them."""
    groups, sources = make_groups(mixing), make_plan(mixing)
    where = {slot: (g, c) for g, group in enumerate(groups) for c, slot in enumerate(group.slots)}
    found: list[tuple[Slot, ...]] = [()]
    for slot in mixing.outputs:
        wanted = (*found[-1], slot)
        images = [
            sum(row[:2] in [where.get(each) for each in wanted] for row in source.rows) for source in sources
        ]
        crowded = max(images) > IMAGES or 4 * len(wanted) > REGISTERS
        found = [*found, (slot,)] if crowded and found[-1] else [*found[:-1], wanted]
    return found


def lanes() -> tuple[Array, Array, Array]:
    """Of the threads of a block the number of the warp and the two places in it, see `_warp_product`."""
    thread = jnp.arange(THREADS, dtype=jnp.int32)
    lane = thread % warp.LANES
    return thread // warp.LANES, lane // 4, lane % 4


def run_loop(count: int, step: Callable[[Array, Carry], Carry], carry: Carry) -> Carry:
    """`step` so many times; no loop for a single time."""
    return step(jnp.int32(0), carry) if count == 1 else lax.fori_loop(0, count, step, carry)
