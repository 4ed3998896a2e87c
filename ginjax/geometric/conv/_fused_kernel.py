"""A whole convolution by one kernel, which reads the field and writes the result once, and so the gradient of its weights (Pallas, Triton).

A thread has one pixel of one channel of all components of a key. It loads the taps, forms sums and differences along one axis after
another and, of these, every filter's image for every component of the output. As these lie in its registers, tensor cores
take them for entries of a matrix, whose other axis are the pixels (for the convolution) or the channels (for the overlaps) of the
other threads of its warp. Every image is multiplied at once and never stored.
"""

import functools
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from math import prod
from typing import Any

import jax
import jax.numpy as jnp
from jax import Array, lax
from jax.experimental import pallas as pl
from jax.experimental.pallas import triton
from jaxtyping import Float, Int

from ..._jax_internals import alike, result_like
from . import _warp_product as warp
from ._axes import ConvAxis
from ._fused_plan import Image, Row, Source, images_of, make_groups, make_plan
from ._mixing import Mixing, Slot

TOGETHER = 4
"""Channels that lie together in memory."""

PIXELS = 256
"""Whose channels a block brings together."""

WARPS = 4
"""Groups of 32 threads in a block."""

THREADS = WARPS * warp.LANES

REGISTERS = 64
"""Of a thread, for the components of the output of a pixel."""

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


def places(slots: Sequence[Slot]) -> dict[Slot, int]:
    """Where the groups of channels of each component begin."""
    found, start = {}, 0
    for slot in slots:
        found[slot] = start
        start += steps(slot.channels)
    return found


def panels(channels: int) -> int:
    """Matrices of tensor cores that many channels of an output take."""
    return -(-channels // warp.ROWS)


def panels_at_once(part: Sequence[Slot]) -> int:
    """Panels of every component of a part of the output that a block makes."""
    most = max(panels(slot.channels) for slot in part)
    return max(1, min(most, REGISTERS // (4 * len(part))))


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
        """The positions of an offset, and which of them there are (None for all)."""
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
        self._ref, self._base = ref, base
        self._load, self._at = functools.cache(self._load), functools.cache(taps.at)

    def _load(self, slot: Slot, offset: tuple[int, ...]) -> Array:
        position, there = self._at(offset)
        masked = {} if there is None else {"mask": there, "other": 0.0}
        return triton.load(self._ref.at[lax.add(self._base[slot], position)], **masked).astype(jnp.float32)

    def images(self, source: Source, side: int, wanted: Callable[[Row], bool]) -> dict[Row, Array]:
        """The filtered images of a key that are wanted."""
        rows: dict[Row, Array] = {}
        for slot, images in source.images:
            own = {image: [row for row in parts if wanted(row)] for image, parts in images.items()}
            own = {image: found for image, found in own.items() if found}

            def use(image: Image, value: Array, images: Mapping[Image, Any] = images, own: Mapping[Image, Any] = own) -> None:
                for row in own[image]:
                    factor = images[image][row]
                    part = value if factor == 1 else value * factor
                    rows[row] = lax.add(rows[row], part) if row in rows else part

            if own:
                images_of(own, side, functools.partial(self._load, slot), use)
        return rows


def output_parts(mixing: Mixing) -> list[tuple[Slot, ...]]:
    """Components of the output, so many at a time that a thread can hold the images of a key for all of them."""
    groups, sources = make_groups(mixing), make_plan(mixing)
    where = {slot: (g, c) for g, group in enumerate(groups) for c, slot in enumerate(group.slots)}
    found: list[tuple[Slot, ...]] = [()]
    for slot in mixing.outputs:
        wanted = (*found[-1], slot)
        images = [sum(row[:2] in [where.get(each) for each in wanted] for row in source.places) for source in sources]
        crowded = max(images) > IMAGES or 4 * len(wanted) > REGISTERS
        found = [*found, (slot,)] if crowded and found[-1] else [*found[:-1], wanted]
    return found


def weight_rows(source: Source) -> dict[tuple[int, int], int]:
    """The filters of a key by group and number, whose images are mixed by weights of their own; all components of a group share them."""
    return {key: i for i, key in enumerate(dict.fromkeys((number, row) for number, _, row in source.places))}


def _lanes() -> tuple[Array, Array, Array]:
    """Of the threads of a block the number of the warp and the two places in it, see `_warp_product`."""
    thread = jnp.arange(THREADS, dtype=jnp.int32)
    lane = thread % warp.LANES
    return thread // warp.LANES, lane // 4, lane % 4


def _mix(x_ref: Any, *refs: Any, layout: Layout, part: tuple[Slot, ...]) -> None:
    mixing, groups, sources = layout.mixing, make_groups(layout.mixing), make_plan(layout.mixing)
    *w_refs, y_ref = refs
    width, plane = panels_at_once(part), prod(layout.outputs)
    number, eight, four = _lanes()
    panel, batch = pl.program_id(1) * width, pl.program_id(2)
    begin = (pl.program_id(0) * WARPS + number) * warp.COLUMNS
    taps = Taps(layout, lax.min(begin + eight, jnp.int32(plane - 1)))
    first, total = places(mixing.inputs), sum(steps(slot.channels) for slot in mixing.inputs)
    reached = {slot: (g, c) for g, group in enumerate(groups) for c, slot in enumerate(group.slots) if slot in part}
    targets = [(g, c, p) for g, c in reached.values() for p in range(width)]
    sums: Any = {target: warp.nothing(THREADS) for target in targets}
    for source, w_ref in zip(sources, w_refs, strict=True):
        place, count = weight_rows(source), steps(source.channels)

        def step(s: Array, sums: Any, source: Source = source, w_ref: Any = w_ref, place: Any = place, count: int = count) -> Any:
            base = {
                slot: warp.opaque((batch * total + first[slot] + s) * (layout.inputs * TOGETHER) + four)
                for slot, _ in source.images
            }
            images = Field(x_ref, taps, base).images(source, mixing.side, lambda row: row[:2] in reached.values())
            parts = {row: warp.split(image) for row, image in images.items()}
            lane = eight * 4 + four
            begins = [
                warp.opaque(((panel + p) * count + s) * (len(place) * 4 * warp.LANES) + lane)
                for p in range(width)
            ]

            @functools.cache
            def weights(number: int, row: int, p: int) -> tuple[warp.Split, warp.Split]:
                start = place[number, row] * (4 * warp.LANES)
                a, b, c, d = (
                    triton.load(w_ref.at[begins[p] + (start + i * warp.LANES)])
                    for i in range(4)
                )
                return (a, c), (b, d)

            found = dict(sums)
            for g, c, p in targets:
                rows = [row for row in images if row[:2] == (g, c)]
                for i in range(0, len(rows), CHAIN):
                    pairs = [(weights(g, row[2], p), parts[row]) for row in rows[i : i + CHAIN]]
                    found[g, c, p] = warp.add(found[g, c, p], warp.multiply(pairs, layout.rounded))
            return found

        sums = _loop(count, step, sums)
    channels, start = sum(slot.channels for slot in part), part[0].start
    for slot in part:
        for p in range(width):
            made = sums[(*reached[slot], p)] if slot in reached else warp.nothing(THREADS)
            for i, value in enumerate(made):
                channel = (panel + p) * warp.ROWS + eight + 8 * (i // 2)
                pixel = begin + 2 * four + i % 2
                inside = (channel < slot.channels) & (pixel < plane)
                at = (batch * channels + slot.start - start + channel) * plane + pixel
                if layout.interpret:
                    # There what is masked is written back as it was, over what other threads write to the same place.
                    at = jnp.where(inside, at, y_ref.size)
                triton.store(y_ref.at[at], value.astype(y_ref.dtype), mask=inside)


def _loop(count: int, step: Any, carry: Any) -> Any:
    return step(jnp.int32(0), carry) if count == 1 else lax.fori_loop(0, count, step, carry)


@functools.partial(jax.jit, static_argnames=("layout", "dtype"))
def mixed(
    x: Float[Array, "batch groups pixels together"],
    weights: Sequence[Int[Array, "panels _ _ 4 lanes"]],
    layout: Layout,
    dtype: Any,
) -> Float[Array, "batch packed_out *new_spatial"]:
    """`y = sum_l W_l (C_l * x)`.

    **Arguments:**

    - `x`: channels together, see `places`. - `weights`: for each source, in parts, see `_fused`.
    """
    plane, found = prod(layout.outputs), []
    for part in output_parts(layout.mixing):
        most = max(panels(slot.channels) for slot in part)
        grid = -(-plane // (WARPS * warp.COLUMNS)), -(-most // panels_at_once(part)), x.shape[0]
        shape = x.shape[0], sum(slot.channels for slot in part), *layout.outputs
        made = pl.pallas_call(
            functools.partial(_mix, layout=layout, part=part),
            grid=grid,
            out_shape=result_like(x, (prod(shape),), dtype),
            interpret=layout.interpret,
            compiler_params=triton.CompilerParams(num_warps=WARPS, num_stages=1),
            name="ginjax_fused_conv",
        )(*alike((x.ravel(), *(w.ravel() for w in weights))))
        found.append(made.reshape(shape))
    return jnp.concatenate(found, 1) if len(found) > 1 else found[0]


def _overlap(
    x_ref: Any, g_ref: Any, y_ref: Any, *, layout: Layout, source: Source, part: Sequence[tuple[int, int]], length: int
) -> None:
    mixing, groups = layout.mixing, make_groups(layout.mixing)
    width = overlap_panels(mixing, part)
    warp_number, eight, four = _lanes()
    plane = prod(layout.outputs)
    chunks = -(-plane // (length * WARPS))
    batch, chunk = pl.program_id(0) // chunks, pl.program_id(0) % chunks
    block, panel = pl.program_id(1), pl.program_id(2) * width
    channel = block * warp.COLUMNS + eight
    within = jnp.minimum(channel // TOGETHER, steps(source.channels) - 1)
    ins, outs = places(mixing.inputs), places(mixing.outputs)
    total_in = sum(steps(slot.channels) for slot in mixing.inputs)
    total_out = sum(steps(slot.channels) for slot in mixing.outputs)
    base = {
        slot: (batch * total_in + ins[slot] + within) * (layout.inputs * TOGETHER) + channel % TOGETHER
        for slot, _ in source.images
    }
    begin = (chunk * WARPS + warp_number) * length

    def step(s: Array, sums: Any) -> Any:
        pixel = begin + s * warp.INNER + four
        inside = pixel < plane
        pixel = lax.min(pixel, jnp.int32(plane - 1))
        images = Field(x_ref, Taps(layout, pixel), base).images(
            source, mixing.side, lambda row: (row[0], row[2]) in part
        )
        parts = {row: warp.split(image) for row, image in images.items()}

        @functools.cache
        def outer(slot: Slot, p: int) -> tuple[warp.Split, warp.Split]:
            found = []
            for half in (0, 8):
                row = (panel + p) * warp.ROWS + eight + half
                at = (batch * total_out + outs[slot] + row // TOGETHER) * plane + pixel
                there = inside & (row < slot.channels)
                found.append(
                    warp.split(triton.load(g_ref.at[at * TOGETHER + row % TOGETHER], mask=there, other=0.0))
                )
            return tuple(found)

        found = dict(sums)
        for (g, row), p in found:
            own = [each for each in images if each[0] == g and each[2] == row]
            pairs = [(outer(groups[g].slots[each[1]], p), parts[each]) for each in own]
            made = warp.multiply(pairs, layout.rounded)
            found[(g, row), p] = warp.add(found[(g, row), p], made)
        return found

    sums = {(key, p): warp.nothing(THREADS) for key in part for p in range(width)}
    sums = _loop(-(-length // warp.INNER), step, sums)
    own = pl.program_id(0) * WARPS + warp_number
    rows, columns = pl.num_programs(2) * (width * warp.ROWS), pl.num_programs(1) * warp.COLUMNS
    for (key, p), made in sums.items():
        for i, value in enumerate(made):
            row = (panel + p) * warp.ROWS + eight + 8 * (i // 2)
            column = block * warp.COLUMNS + 2 * four + i % 2
            at = ((own * len(part) + part.index(key)) * rows + row) * columns + column
            triton.store(y_ref.at[at], value)


def overlap_panels(mixing: Mixing, part: Sequence[tuple[int, int]]) -> int:
    """Panels of the outer field that a block multiplies the images of some filters by."""
    most = max(panels(slot.channels) for slot in mixing.outputs)
    return max(1, min(most, REGISTERS // (4 * len(part))))


@functools.partial(jax.jit, static_argnames=("layout", "number"))
def overlaps(
    x: Float[Array, "batch groups pixels together"],
    g: Float[Array, "batch new_groups new_pixels together"],
    layout: Layout,
    number: int,
) -> Float[Array, "filters out in"]:
    """Sums over pixels and samples of the images of a source times all channels of the components of the outer field `g`.

    **Returns:** what belongs to one filter and all components of its group, see `weight_rows`; channels beyond those there are may be anything.
    """
    mixing, source = layout.mixing, make_plan(layout.mixing)[number]
    most = max(panels(slot.channels) for slot in mixing.outputs)
    plane, blocks = prod(layout.outputs), -(-source.channels // warp.COLUMNS)
    every, found = list(weight_rows(source)), []
    for i in range(0, len(every), REGISTERS // 4):
        part = every[i : i + REGISTERS // 4]
        width = overlap_panels(mixing, part)
        tall = -(-most // width)
        length = max(32, -(-plane * x.shape[0] * blocks * tall // BUSY))
        length = -(-length // warp.INNER) * warp.INNER
        grid = x.shape[0] * -(-plane // (length * WARPS)), blocks, tall
        shape = grid[0] * WARPS, len(part), tall * width * warp.ROWS, blocks * warp.COLUMNS
        made = pl.pallas_call(
            functools.partial(_overlap, layout=layout, source=source, part=part, length=length),
            grid=grid,
            out_shape=result_like(x, (prod(shape),), jnp.float32),
            interpret=layout.interpret,
            compiler_params=triton.CompilerParams(num_warps=WARPS, num_stages=1),
            name="ginjax_fused_overlaps",
        )(*alike((x.ravel(), g.ravel())))
        found.append(made.reshape(shape).sum(0)[:, : most * warp.ROWS])
    return jnp.concatenate(found) if len(found) > 1 else found[0]


def _bring_together(x_ref: Any, y_ref: Any, *, plane: int) -> None:
    group = pl.program_id(2) * pl.num_programs(1) + pl.program_id(1)
    begin = pl.program_id(0) * PIXELS
    one, other = ((PIXELS, TOGETHER), 0), ((PIXELS, TOGETHER), 1)
    pixel, channel = (begin * (1 - axis) + lax.broadcasted_iota(jnp.int32, shape, axis) for shape, axis in (one, other))
    inside = None if plane % PIXELS == 0 else pixel < plane
    apart = (group * TOGETHER + channel) * plane + pixel
    value = triton.load(x_ref.at[apart.T], mask=None if inside is None else inside.T)
    triton.store(y_ref.at[(group * plane + pixel) * TOGETHER + channel], value.T, mask=inside)


@functools.partial(jax.jit, static_argnames=("interpret",))
def together(
    x: Float[Array, "batch packed pixels"], interpret: bool
) -> Float[Array, "batch groups pixels together"]:
    """Channels that a warp reads at once, side by side; their number is a multiple of `TOGETHER`.

    XLA's own way takes twice the time.
    """
    batch, packed, plane = x.shape
    shape = batch, packed // TOGETHER, plane, TOGETHER
    found = pl.pallas_call(
        functools.partial(_bring_together, plane=plane),
        grid=(-(-plane // PIXELS), shape[1], batch),
        out_shape=result_like(x, (prod(shape),), x.dtype),
        interpret=interpret,
        compiler_params=triton.CompilerParams(num_warps=WARPS, num_stages=1),
        name="ginjax_fused_layout",
    )(*alike((x.ravel(),)))
    return found.reshape(shape)
