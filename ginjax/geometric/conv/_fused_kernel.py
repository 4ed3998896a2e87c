"""All filtered images of a convolution by one kernel, which reads the field once and writes each image once (Pallas, Triton).

A thread has one pixel of one channel of all components of a key. It loads the taps, forms sums and differences along one axis after
another and, of these, every filter's image for every component of the output. Written by XLA the same takes several kernels, each of
which writes to memory what the next one reads.
"""

import functools
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from math import prod
from typing import Any

import jax.numpy as jnp
from jax import Array, lax
from jax.experimental import pallas as pl
from jax.experimental.pallas import triton
from jaxtyping import Float

from ..._jax_internals import alike, result_like
from ._axes import ConvAxis
from ._fused_plan import Image, Row, Source, images_of, make_groups, make_plan
from ._mixing import Mixing

PIXELS = 128
"""Of the result, that a block of threads makes."""

WARPS = 4
"""Groups of 32 threads in a block."""


@dataclass(frozen=True)
class Layout:
    """What a kernel is made for: the convolution, and how many planes of the output along the first axis it makes."""

    mixing: Mixing
    axes: tuple[ConvAxis, ...]
    planes: int

    @property
    def outputs(self) -> tuple[int, ...]:
        """Pixels of what is made, along each axis."""
        return (self.planes, *(axis.output(self.mixing.side) for axis in self.axes[1:]))


class Taps:
    """Where the taps of the pixels of a block lie in a plane of the input."""

    def __init__(self, layout: Layout, start: Array | int, pixel: Array):
        self._axes = layout.axes
        where: list[Array] = []
        for n in reversed(layout.outputs):
            where.insert(0, pixel % n)
            pixel = pixel // n
        where[0] += start
        self._along = [
            [_tap(position, axis, t, layout.mixing.side) for t in range(layout.mixing.side)]
            for position, axis in zip(where, layout.axes, strict=True)
        ]

    def at(self, taps: Sequence[int]) -> tuple[Array, Array | None]:
        """The positions of an offset, and which of them there are (None for all)."""
        found = [along[t] for along, t in zip(self._along, taps, strict=True)]
        position = found[0][0]
        for (index, _), axis in zip(found[1:], self._axes[1:], strict=True):
            position = position * axis.size + index
        return position, both(*(there for _, there in found))


def _tap(position: Array, axis: ConvAxis, t: int, side: int) -> tuple[Array, Array | None]:
    """The index of a tap along an axis, and whether there is one."""
    shift = t * axis.dilation - axis.low
    index = position * axis.stride if axis.stride > 1 else position
    if axis.wraps:
        # A remainder of what is not negative.
        periods = max(0, -(shift // axis.size))
        return (index + (shift + periods * axis.size)) % axis.size, None
    index += shift
    if shift >= 0 and (axis.output(side) - 1) * axis.stride + shift < axis.size:
        return index, None
    there = (index >= 0) & (index < axis.size)
    return jnp.where(there, index, 0), there


def both(*masks: Array | None) -> Array | None:
    """Where all masks hold; None stands for everywhere."""
    given = [mask for mask in masks if mask is not None]
    return functools.reduce(lax.bitwise_and, given) if given else None


def _filter(start_ref: Any, x_ref: Any, *y_refs: Any, layout: Layout) -> None:
    mixing, groups = layout.mixing, make_groups(layout.mixing)
    plane_in, plane_out = prod(axis.size for axis in layout.axes), prod(layout.outputs)
    total = sum(slot.channels for slot in mixing.inputs)
    block, batch = pl.program_id(1), pl.program_id(2)
    pixel = pl.program_id(0) * PIXELS + jnp.arange(PIXELS, dtype=jnp.int32)
    inside = None if plane_out % PIXELS == 0 else pixel < plane_out
    taps = Taps(layout, start_ref[0], pixel)

    def run(source: Source, channel: Array) -> None:
        rows: dict[Row, Array] = {}
        for slot, images in source.images:
            base = (batch * total + slot.start + channel) * plane_in

            def tap(offset: tuple[int, ...], base: Array = base) -> Array:
                position, there = taps.at(offset)
                mask = both(inside, there)
                masked = {} if mask is None else {"mask": mask, "other": 0.0}
                return triton.load(x_ref.at[base + position], **masked).astype(jnp.float32)

            def add(image: Image, value: Array, images: Mapping[Image, Any] = images) -> None:
                for row, factor in images[image].items():
                    part = value if factor == 1 else value * factor
                    rows[row] = rows[row] + part if row in rows else part

            images_of(images, mixing.side, tap, add)
        for row, value in rows.items():
            number, component, _ = row
            ref, group = y_refs[number], groups[number]
            first = (batch * len(group.slots) + component) * group.width + source.places[row] + channel
            triton.store(ref.at[first * plane_out + pixel], value.astype(ref.dtype), mask=inside)

    start = 0
    sources = make_plan(mixing)
    for source in sources:
        each = functools.partial(run, source, block - start)
        if len(sources) == 1:
            each()
        else:
            pl.when((block >= start) & (block < start + source.channels))(each)
        start += source.channels


def filtered_images(
    x: Float[Array, "batch packed_in *spatial"],
    mixing: Mixing,
    axes: tuple[ConvAxis, ...],
    start: Array | int,
    planes: int,
    interpret: bool,
) -> list[Float[Array, "batch components images planes *new_spatial"]]:
    """For each group of output components all filtered images, for some planes of the output along its first axis.

    **Arguments:**

    - `x`: float32, or less, which is added up in float32.
    - `axes`: the geometry, without pixels spread apart. - `start`, `planes`: which planes of the output.
    - `interpret`: whether the kernel is run operation by operation, on any device, instead of being compiled.
    """
    layout = Layout(mixing, axes, planes)
    shapes = [(x.shape[0], len(group.slots), group.width, *layout.outputs) for group in make_groups(mixing)]
    blocks = sum(source.channels for source in make_plan(mixing))
    found = pl.pallas_call(
        functools.partial(_filter, layout=layout),
        grid=(-(-prod(layout.outputs) // PIXELS), blocks, x.shape[0]),
        out_shape=[result_like(x, (prod(shape),), x.dtype) for shape in shapes],
        interpret=interpret,
        compiler_params=triton.CompilerParams(num_warps=WARPS, num_stages=1),
        name="ginjax_filters",
    )(*alike((jnp.full((1,), start, jnp.int32), x.ravel())))
    return [y.reshape(shape) for y, shape in zip(found, shapes, strict=True)]
