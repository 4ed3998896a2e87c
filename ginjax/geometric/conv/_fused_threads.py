"""The common parts of the fused kernels (Pallas, Triton): their sizes, the positions of taps, and filtered images.

A thread has one pixel of one channel, for all components of a key. It loads the taps, forms sums and differences along one
axis after another, and combines these to the image of every filter for every component of the output. The images stay in
registers. Tensor cores read them as entries of a matrix whose other axis are the pixels (in the convolution) or the channels
(in the overlaps) of the other threads of the warp. Every image is multiplied at once and never stored.
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
"""The number of channels that are next to each other in memory."""

WARPS = 4
"""The number of warps (32 threads each) in a block."""

THREADS = WARPS * warp.LANES
"""The number of threads in a block."""

REGISTERS = 64
"""The number of registers of a thread for sums of products."""

IMAGES = 64
"""The number of filtered images that a thread holds at a time."""

CHAIN = 4
"""The number of images whose products tensor cores add up before their truncation matters."""

BUSY = 2**13
"""The number of warps that keep a GPU busy."""


@dataclass(frozen=True)
class Layout:
    """The parameters of a kernel: the convolution, whether it rounds products, and whether it is interpreted."""

    mixing: Mixing
    axes: tuple[ConvAxis, ...]
    rounded: bool
    interpret: bool

    @property
    def inputs(self) -> int:
        """The number of pixels of the input."""
        return prod(axis.size for axis in self.axes)

    @property
    def outputs(self) -> tuple[int, ...]:
        """The number of pixels of the output along each axis."""
        return tuple(axis.output(self.mixing.side) for axis in self.axes)


def steps(channels: int) -> int:
    """Return the number of groups of `TOGETHER` channels."""
    return -(-channels // TOGETHER)


def starts(slots: Sequence[Slot]) -> tuple[dict[Slot, int], int]:
    """Return the position of the first group of channels of each component, and the number of all groups."""
    found, start = {}, 0
    for slot in slots:
        found[slot] = start
        start += steps(slot.channels)
    return found, start


def panels(slots: Sequence[Slot]) -> int:
    """Return the largest number of left matrices (panels) that the channels of a component take."""
    return max(-(-slot.channels // warp.ROWS) for slot in slots)


def panels_at_once(slots: Sequence[Slot], sums: int) -> int:
    """Return the number of panels that a block computes, with `sums` sums of products for each of them."""
    return max(1, min(panels(slots), REGISTERS // (4 * sums)))


class Taps:
    """The positions in the input of the taps of a block's pixels."""

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
        """Return the positions of an offset, and which of them exist (None for all).

        They are computed anew for every component, because registers are needed for other values.
        """
        found = [along[t] for along, t in zip(self._along, taps, strict=True)]
        position = found[0][0]
        for (index, _), axis in zip(found[1:], self._axes[1:], strict=True):
            position = position * axis.size + index
        return position * TOGETHER, both(*(there for _, there in found))


def _tap(position: Array, axis: ConvAxis, t: int, side: int) -> tuple[Array, Array | None]:
    """Return the index of a tap along an axis, and whether it exists."""
    shift = t * axis.dilation - axis.low
    index = position * axis.stride if axis.stride > 1 else position
    if axis.wraps:
        # Periods are added, so that the remainder is that of a number that is not negative.
        periods = max(0, -(shift // axis.size))
        return lax.rem(index + (shift + periods * axis.size), jnp.int32(axis.size)), None
    index += shift
    if shift >= 0 and (axis.output(side) - 1) * axis.stride + shift < axis.size:
        return index, None
    there = (index >= 0) & (index < axis.size)
    return jnp.where(there, index, 0), there


def both(*masks: Array | None) -> Array | None:
    """Return where all masks are True; None stands for everywhere."""
    given = [mask for mask in masks if mask is not None]
    return functools.reduce(lax.bitwise_and, given) if given else None


class Field:
    """A packed field in a kernel.

    - `base`: for each component, the position of the first pixel of a thread's channel; pixels are `TOGETHER` apart.
    """

    def __init__(self, ref: Any, taps: Taps, base: Mapping[Slot, Array]):
        self._ref, self._taps, self._base = ref, taps, base
        self._loaded: dict[tuple[Slot, tuple[int, ...]], Array] = {}

    def tap(self, slot: Slot, offset: tuple[int, ...]) -> Array:
        """Load a component at an offset, in float32, once for each offset."""
        if (slot, offset) not in self._loaded:
            position, there = self._taps.at(offset)
            masked = {} if there is None else {"mask": there, "other": 0.0}
            value = triton.load(self._ref.at[lax.add(self._base[slot], position)], **masked)
            self._loaded[slot, offset] = value.astype(jnp.float32)
        return self._loaded[slot, offset]

    def images(self, source: Source, side: int, wanted: Callable[[Row], bool]) -> dict[Row, Array]:
        """Compute the wanted filtered images of a key."""
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
    """Divide the components of the output so that a thread can hold the images of a key for all of a part."""
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
    """Return, for the threads of a block, the number of the warp and the places `g` and `t`, see `_warp_product`."""
    thread = jnp.arange(THREADS, dtype=jnp.int32)
    lane = thread % warp.LANES
    return thread // warp.LANES, lane // 4, lane % 4


def run_loop(count: int, step: Callable[[Array, Carry], Carry], carry: Carry) -> Carry:
    """Run `step` `count` times, without a loop if that is once."""
    return step(jnp.int32(0), carry) if count == 1 else lax.fori_loop(0, count, step, carry)
