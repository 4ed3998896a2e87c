"""The gradient of the weights by one kernel for each key: overlaps of filtered images with another field, see `_fused_threads`."""

import functools
from collections.abc import Sequence
from math import prod
from typing import Any

import jax
import jax.numpy as jnp
from jax import Array, lax
from jax.experimental import pallas as pl
from jax.experimental.pallas import triton
from jaxtyping import Float

from ..._jax_internals import alike, result_like
from . import _fused_threads as threads
from . import _warp_product as warp
from ._fused_plan import Source, make_groups, make_plan
from ._mixing import Mixing, Slot


def _overlap(
    x_ref: Any,
    g_ref: Any,
    y_ref: Any,
    *,
    layout: threads.Layout,
    source: Source,
    part: Sequence[tuple[int, int]],
    length: int,
) -> None:
    mixing, groups = layout.mixing, make_groups(layout.mixing)
    width = overlap_panels(mixing, part)
    warp_number, eight, four = threads.lanes()
    plane = prod(layout.outputs)
    chunks = -(-plane // (length * threads.WARPS))
    batch, chunk = pl.program_id(0) // chunks, pl.program_id(0) % chunks
    block, panel = pl.program_id(1), pl.program_id(2) * width
    channel = block * warp.COLUMNS + eight
    within = jnp.minimum(channel // threads.TOGETHER, threads.steps(source.channels) - 1)
    ins, outs = threads.places(mixing.inputs), threads.places(mixing.outputs)
    total_in = sum(threads.steps(slot.channels) for slot in mixing.inputs)
    total_out = sum(threads.steps(slot.channels) for slot in mixing.outputs)
    base = {
        slot: (batch * total_in + ins[slot] + within) * (layout.inputs * threads.TOGETHER)
        + channel % threads.TOGETHER
        for slot, _ in source.images
    }
    begin = (chunk * threads.WARPS + warp_number) * length

    def step(s: Array, sums: Any) -> Any:
        pixel = warp.opaque(begin + s * warp.INNER + four)
        inside = pixel < plane
        pixel = lax.min(pixel, jnp.int32(plane - 1))
        images = threads.Field(x_ref, threads.Taps(layout, pixel), base).images(
            source, mixing.side, lambda row: (row[0], row[2]) in part
        )
        parts = {row: warp.split(image) for row, image in images.items()}

        @functools.cache
        def outer(slot: Slot, p: int) -> tuple[warp.Split, warp.Split]:
            found = []
            for half in (0, 8):
                row = (panel + p) * warp.ROWS + eight + half
                at = (batch * total_out + outs[slot] + row // threads.TOGETHER) * plane + pixel
                there = inside & (row < slot.channels)
                found.append(
                    warp.split(
                        triton.load(
                            g_ref.at[at * threads.TOGETHER + row % threads.TOGETHER], mask=there, other=0.0
                        )
                    )
                )
            return tuple(found)

        found = dict(sums)
        for (g, row), p in found:
            own = [each for each in images if each[0] == g and each[2] == row]
            pairs = [(outer(groups[g].slots[each[1]], p), parts[each]) for each in own]
            made = warp.multiply(pairs, layout.rounded)
            found[(g, row), p] = warp.add(found[(g, row), p], made)
        return found

    sums = {(key, p): warp.nothing(threads.THREADS) for key in part for p in range(width)}
    sums = threads.run_loop(-(-length // warp.INNER), step, sums)
    own = pl.program_id(0) * threads.WARPS + warp_number
    rows, columns = pl.num_programs(2) * (width * warp.ROWS), pl.num_programs(1) * warp.COLUMNS
    for (key, p), made in sums.items():
        for i, value in enumerate(made):
            row = (panel + p) * warp.ROWS + eight + 8 * (i // 2)
            column = block * warp.COLUMNS + 2 * four + i % 2
            at = ((own * len(part) + part.index(key)) * rows + row) * columns + column
            triton.store(y_ref.at[at], value)


def overlap_panels(mixing: Mixing, part: Sequence[tuple[int, int]]) -> int:
    """Panels of the outer field that a block multiplies the images of some filters by."""
    most = max(threads.panels(slot.channels) for slot in mixing.outputs)
    return max(1, min(most, threads.REGISTERS // (4 * len(part))))


@functools.partial(jax.jit, static_argnames=("layout", "number"))
def overlaps(
    x: Float[Array, "batch groups pixels together"],
    g: Float[Array, "batch new_groups new_pixels together"],
    layout: threads.Layout,
    number: int,
) -> Float[Array, "filters out in"]:
    """Sums over pixels and samples of the images of a source times all channels of the components of the outer field `g`.

    **Returns:** what belongs to one filter and all components of its group, see `weight_rows`; channels beyond those there are may be anything.
    """
    mixing, source = layout.mixing, make_plan(layout.mixing)[number]
    most = max(threads.panels(slot.channels) for slot in mixing.outputs)
    plane, blocks = prod(layout.outputs), -(-source.channels // warp.COLUMNS)
    every, found = list(threads.weight_rows(source)), []
    for i in range(0, len(every), threads.REGISTERS // 4):
        part = every[i : i + threads.REGISTERS // 4]
        width = overlap_panels(mixing, part)
        tall = -(-most // width)
        length = max(32, -(-plane * x.shape[0] * blocks * tall // threads.BUSY))
        length = -(-length // warp.INNER) * warp.INNER
        grid = x.shape[0] * -(-plane // (length * threads.WARPS)), blocks, tall
        shape = grid[0] * threads.WARPS, len(part), tall * width * warp.ROWS, blocks * warp.COLUMNS
        made = pl.pallas_call(
            functools.partial(_overlap, layout=layout, source=source, part=part, length=length),
            grid=grid,
            out_shape=result_like(x, (prod(shape),), jnp.float32),
            interpret=layout.interpret,
            compiler_params=triton.CompilerParams(num_warps=threads.WARPS, num_stages=1),
            name="ginjax_fused_overlaps",
        )(*alike((x.ravel(), g.ravel())))
        found.append(made.reshape(shape).sum(0)[:, : most * warp.ROWS])
    return jnp.concatenate(found) if len(found) > 1 else found[0]
