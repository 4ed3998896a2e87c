"""Tiles of an image for the fused kernels: sizes, and where their pixels and taps lie in memory."""

import functools
from collections.abc import Sequence
from dataclasses import dataclass
from math import prod
from typing import Any

import jax.numpy as jnp
from jax import Array, lax

from ._axes import AxisGeometry
from ._fused_plan import largest_channels
from ._mixing import Mixing

Axes = tuple[AxisGeometry, ...]


@dataclass(frozen=True)
class Layout:
    """Sizes that a kernel is made for.

    - `mixing`, `axes`: the convolution. - `batch`: samples.
    - `channels_in`, `channels_out`: channels at a time, powers of two from 16 on, as products of matrices ask for.
    - `precision`: of these products. - `tile`: pixels along each axis of a tile.
    """

    mixing: Mixing
    axes: Axes
    batch: int
    channels_in: int
    channels_out: int
    precision: Any
    tile: tuple[int, ...]

    @classmethod
    def of(
        cls, mixing: Mixing, axes: Axes, batch: int, precision: Any, tiles: dict[int, tuple[int, ...]]
    ) -> "Layout":
        """A layout of blocks of 16 channels of the input, and 16 or 32 of the output."""
        wide = 16 if largest_channels(mixing)[1] <= 16 else 32
        return cls(mixing, axes, batch, 16, wide, precision, tiles[mixing.D])

    @property
    def outputs(self) -> tuple[int, ...]:
        """Pixels of the result along each axis."""
        return tuple(axis.output(self.mixing.side) for axis in self.axes)

    @property
    def counts(self) -> tuple[int, ...]:
        """Tiles along each axis."""
        return tuple(-(-n // t) for n, t in zip(self.outputs, self.tile, strict=True))

    @property
    def tiles(self) -> int:
        """Tiles of all samples."""
        return self.batch * prod(self.counts)

    @property
    def chunks(self) -> tuple[int, int]:
        """Blocks of channels of the input and of the output."""
        c_in, c_out = largest_channels(self.mixing)
        return -(-c_in // self.channels_in), -(-c_out // self.channels_out)


class Place:
    """Where the pixels of one tile and their taps lie in memory."""

    def __init__(self, layout: Layout, number: Array):
        self.layout = layout
        side = layout.mixing.side
        where: list[Array] = []
        for n in reversed(layout.counts):
            where.insert(0, number % n)
            number = number // n
        self.sample = number
        inside = jnp.arange(prod(layout.tile), dtype=jnp.int32)
        pixels: list[Array] = []
        for corner, t in zip(reversed(where), reversed(layout.tile), strict=True):
            pixels.insert(0, corner * t + inside % t)
            inside = inside // t
        self.pixel = _position(pixels, layout.outputs)
        fits = [
            None if n % t == 0 else pixel < n
            for pixel, n, t in zip(pixels, layout.outputs, layout.tile, strict=True)
        ]
        self.inside = both(*fits)
        self._taps = [
            [_tap(pixel, axis, t, side, tile * count) for t in range(side)]
            for pixel, axis, tile, count in zip(pixels, layout.axes, layout.tile, layout.counts, strict=True)
        ]

    def tap(self, taps: Sequence[int]) -> tuple[Array, Array | None]:
        """Where the pixels of an offset lie in a plane of the input, and which of them there are (None for all)."""
        found = [row[t] for row, t in zip(self._taps, taps, strict=True)]
        sizes = [axis.size for axis in self.layout.axes]
        return _position([index for index, _ in found], sizes), both(*(mask for _, mask in found))


def _tap(pixel: Array, axis: AxisGeometry, t: int, side: int, end: int) -> tuple[Array, Array | None]:
    """The index of a tap along an axis, and whether it is one of a pixel, for output pixels below `end`."""
    shift = t * axis.dilation - axis.low
    if axis.wraps:
        # A remainder of what is not negative.
        periods = max(0, -(shift // axis.size))
        return (pixel + (shift + periods * axis.size)) % axis.size, None
    index = pixel + shift
    if shift >= 0 and end + shift <= axis.size:
        return index, None
    there = (index >= 0) & (index < axis.size)
    return jnp.where(there, index, 0), there


def _position(indices: Sequence[Array], sizes: Sequence[int]) -> Array:
    steps = [prod(sizes[a + 1 :]) for a in range(len(sizes))]
    return functools.reduce(lax.add, [index * step for index, step in zip(indices, steps, strict=True)])


def both(*masks: Array | None) -> Array | None:
    """Where all masks hold; None stands for everywhere."""
    given = [mask for mask in masks if mask is not None]
    return functools.reduce(lax.bitwise_and, given) if given else None
