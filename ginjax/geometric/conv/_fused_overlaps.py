"""The gradient of the weights by one kernel for each key: overlaps of filtered images with another field."""

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
from ._fused_plan import Source, WeightRow, make_groups, make_plan
from ._mixing import Slot

Sums = dict[tuple[int, int], warp.Product]
"""The sums by number of the filter and panel of channels of the outer field."""


def _overlap(
    x_ref: Any,
    g_ref: Any,
    y_ref: Any,
    *,
    layout: threads.Layout,
    source: Source,
    part: Sequence[WeightRow],
    batch: int,
    length: int,
) -> None:
    mixing, plane = layout.mixing, prod(layout.outputs)
    groups, keys = make_groups(mixing), [(row.group, row.number) for row in part]
    width = threads.panels_at_once(mixing.outputs, len(part))
    number, eight, four = threads.lanes()
    own = pl.program_id(0) * threads.WARPS + number
    block, panel = pl.program_id(1), pl.program_id(2) * width
    channel = block * warp.COLUMNS + eight
    within = lax.min(
        lax.div(channel, jnp.int32(threads.TOGETHER)), jnp.int32(threads.steps(source.channels) - 1)
    )
    (ins, total_in), (outs, total_out) = threads.starts(mixing.inputs), threads.starts(mixing.outputs)

    def step(s: Array, sums: Sums) -> Sums:
        # Pixels of all samples, one after another.
        pixel = warp.opaque(own * length + s * warp.INNER + four)
        inside = pixel < batch * plane
        pixel, sample = lax.min(pixel, jnp.int32(batch * plane - 1)), 0
        if batch > 1:
            sample, pixel = lax.div(pixel, jnp.int32(plane)), lax.rem(pixel, jnp.int32(plane))
        base = {
            slot: (sample * total_in + ins[slot] + within) * (layout.inputs * threads.TOGETHER)
            + channel % threads.TOGETHER
            for slot, _ in source.images
        }
        field = threads.Field(x_ref, threads.Taps(layout, pixel), base)
        images = field.images(source, mixing.side, lambda row: (row[0], row[2]) in keys)
        parts = {row: warp.split(image, layout.rounded) for row, image in images.items()}

        def half(slot: Slot, row: Array) -> warp.Parts:
            place = (sample * total_out + outs[slot] + row // threads.TOGETHER) * plane + pixel
            value = triton.load(
                g_ref.at[place * threads.TOGETHER + row % threads.TOGETHER],
                mask=inside & (row < slot.channels),
                other=0.0,
            )
            return warp.split(value, layout.rounded)

        @functools.cache
        def outer(slot: Slot, p: int) -> tuple[warp.Parts, warp.Parts]:
            row = (panel + p) * warp.ROWS + eight
            return half(slot, row), half(slot, row + 8)

        found = dict(sums)
        for i, p in found:
            g, filter_ = keys[i]
            rows = [row for row in images if (row[0], row[2]) == (g, filter_)]
            pairs = [(outer(groups[g].slots[row[1]], p), parts[row]) for row in rows]
            found[i, p] = warp.add(found[i, p], warp.multiply(pairs))
        return found

    sums: Sums = {(i, p): warp.nothing(threads.THREADS) for i in range(len(part)) for p in range(width)}
    sums = threads.run_loop(-(-length // warp.INNER), step, sums)
    rows, columns = pl.num_programs(2) * (width * warp.ROWS), pl.num_programs(1) * warp.COLUMNS
    for (i, p), made in sums.items():
        for j, value in enumerate(made):
            row = (panel + p) * warp.ROWS + eight + 8 * (j // 2)
            column = block * warp.COLUMNS + 2 * four + j % 2
            triton.store(y_ref.at[((own * len(part) + i) * rows + row) * columns + column], value)


@functools.partial(jax.jit, static_argnames=("layout", "number"))
def overlaps(
    x: Float[Array, "batch groups pixels together"],
    g: Float[Array, "batch new_groups new_pixels together"],
    layout: threads.Layout,
    number: int,
) -> Float[Array, "filters out in"]:
    """Sum over pixels and samples the products of the images of a source and all channels of the outer field `g`.

    **Arguments:**

    - `x`, `g`: the inner and the outer field, with groups of channels as in `_fused_threads`.
    - `layout`: the parameters of the kernel.
    - `number`: the position of the source.

    **Returns:** for each of the source's `weights`, the sum over the components of its group. Values for channels that do not
    exist are arbitrary.
    """
    outputs, source = layout.mixing.outputs, make_plan(layout.mixing)[number]
    batch, blocks = x.shape[0], -(-source.channels // warp.COLUMNS)
    pixels, found = batch * prod(layout.outputs), []
    most = threads.REGISTERS // 4
    for i in range(0, len(source.weights), most):
        part = source.weights[i : i + most]
        width = threads.panels_at_once(outputs, len(part))
        across = -(-threads.panels(outputs) // width)
        # The sums of every warp are stored until they are added up, so there are no more warps than keep a GPU busy.
        length = max(32, -(-pixels * blocks * across // threads.BUSY))
        length = -(-length // warp.INNER) * warp.INNER
        grid = -(-pixels // (length * threads.WARPS)), blocks, across
        shape = grid[0] * threads.WARPS, len(part), across * width * warp.ROWS, blocks * warp.COLUMNS
        made = pl.pallas_call(
            functools.partial(_overlap, layout=layout, source=source, part=part, batch=batch, length=length),
            grid=grid,
            out_shape=result_like(x, (prod(shape),), jnp.float32),
            interpret=layout.interpret,
            compiler_params=triton.CompilerParams(num_warps=threads.WARPS, num_stages=1),
            name="ginjax_fused_overlaps",
        )(*alike((x.ravel(), g.ravel())))
        found.append(made.reshape(shape).sum(0)[:, : threads.panels(outputs) * warp.ROWS])
    return jnp.concatenate(found) if len(found) > 1 else found[0]
