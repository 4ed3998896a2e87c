"""A whole convolution by one kernel that reads the field and writes the result once, see `_fused_threads`."""

import functools
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from math import prod
from typing import Any

import jax
import jax.numpy as jnp
from jax import Array, lax
from jax.experimental import pallas as pl
from jax.experimental.pallas import triton
from jax.typing import DTypeLike
from jaxtyping import Float

from ..._jax_internals import alike, result_like
from . import _fused_threads as threads
from . import _warp_product as warp
from ._fused_plan import Source, make_groups, make_plan
from ._mixing import Slot

Target = tuple[int, int, int]
"""The positions of a group, of a component in it, and of a panel of its channels."""

Sums = dict[Target, warp.Product]


@dataclass(frozen=True, eq=False)
class Block:
    """The work of a block of threads.

    - `layout`: the parameters of the kernel.
    - `targets`: the parts of the result that it computes.
    - `taps`: the positions of the taps of each thread's pixel.
    - `batch`: the sample.
    - `panel`: the first panel.
    """

    layout: threads.Layout
    targets: Sequence[Target]
    taps: threads.Taps
    batch: Array | int
    panel: Array | int


def _mix(x_ref: Any, *refs: Any, layout: threads.Layout, part: tuple[Slot, ...]) -> None:
    groups, plane = make_groups(layout.mixing), prod(layout.outputs)
    *w_refs, y_ref = refs
    width = threads.panels_at_once(part, len(part))
    number, eight, four = threads.lanes()
    begin = (pl.program_id(0) * threads.WARPS + number) * warp.COLUMNS
    reached = {
        slot: (g, c) for g, group in enumerate(groups) for c, slot in enumerate(group.slots) if slot in part
    }
    targets = [(g, c, p) for g, c in reached.values() for p in range(width)]
    taps = threads.Taps(layout, lax.min(begin + eight, jnp.int32(plane - 1)))
    block = Block(layout, targets, taps, pl.program_id(2), pl.program_id(1) * width)
    sums: Sums = {target: warp.nothing(threads.THREADS) for target in targets}
    for source, w_ref in zip(make_plan(layout.mixing), w_refs, strict=True):
        sums = _add_source(sums, source, x_ref, w_ref, block)
    channels, start = sum(slot.channels for slot in part), part[0].start
    for slot in part:
        for p in range(width):
            made = sums[(*reached[slot], p)] if slot in reached else warp.nothing(threads.THREADS)
            for i, value in enumerate(made):
                channel = (block.panel + p) * warp.ROWS + eight + 8 * (i // 2)
                pixel = begin + 2 * four + i % 2
                inside = (channel < slot.channels) & (pixel < plane)
                at = (block.batch * channels + slot.start - start + channel) * plane + pixel
                if layout.interpret:
                    # An interpreted kernel writes old values to masked places, over the results of other threads there.
                    at = jnp.where(inside, at, y_ref.size)
                triton.store(y_ref.at[at], value.astype(y_ref.dtype), mask=inside)


def _add_source(sums: Sums, source: Source, x_ref: Any, w_ref: Any, block: Block) -> Sums:
    """Add the contribution of a key of the input, four channels at a time."""
    layout, mixing = block.layout, block.layout.mixing
    first, total = threads.starts(mixing.inputs)
    count = threads.steps(source.channels)
    place = {(row.group, row.number): i for i, row in enumerate(source.weights)}
    reached = {target[:2] for target in block.targets}
    _, eight, four = threads.lanes()
    size = len(place) * 2 * warp.LANES

    def step(s: Array, sums: Sums) -> Sums:
        base: Mapping[Slot, Array] = {
            slot: warp.opaque(
                (block.batch * total + first[slot] + s) * (layout.inputs * threads.TOGETHER) + four
            )
            for slot, _ in source.images
        }
        field = threads.Field(x_ref, block.taps, base)
        images = field.images(source, mixing.side, lambda row: row[:2] in reached)
        parts = {row: warp.split(image, layout.rounded) for row, image in images.items()}
        begins = {
            p: warp.opaque(((block.panel + p) * count + s) * size + eight * 4 + four)
            for p in {target[2] for target in block.targets}
        }

        @functools.cache
        def weights(key: tuple[int, int], p: int) -> tuple[warp.Parts, warp.Parts]:
            start = place[key] * (2 * warp.LANES)
            upper, lower = (triton.load(w_ref.at[begins[p] + (start + i * warp.LANES)]) for i in range(2))
            return warp.split(upper, layout.rounded), warp.split(lower, layout.rounded)

        found = dict(sums)
        for g, c, p in block.targets:
            rows = [row for row in images if row[:2] == (g, c)]
            for i in range(0, len(rows), threads.CHAIN):
                pairs = [(weights((g, row[2]), p), parts[row]) for row in rows[i : i + threads.CHAIN]]
                found[g, c, p] = warp.add(found[g, c, p], warp.multiply(pairs))
        return found

    return threads.run_loop(count, step, sums)


@functools.partial(jax.jit, static_argnames=("layout", "dtype"))
def mixed(
    x: Float[Array, "batch groups pixels together"],
    weights: Sequence[Float[Array, "panels _ _ 2 lanes"]],
    layout: threads.Layout,
    dtype: DTypeLike,
) -> Float[Array, "batch packed_out *new_spatial"]:
    """Compute `y = sum_l W_l (C_l * x)`.

    **Arguments:**

    - `x`: the field with groups of channels together, see `threads.starts`.
    - `weights`: the weights of each source, as the lanes of a warp hold them.
    - `layout`: the parameters of the kernel.
    - `dtype`: the type of the result.
    """
    batch, plane, found = x.shape[0], prod(layout.outputs), []
    for part in threads.output_parts(layout.mixing):
        across = -(-threads.panels(part) // threads.panels_at_once(part, len(part)))
        shape = batch, sum(slot.channels for slot in part), *layout.outputs
        made = pl.pallas_call(
            functools.partial(_mix, layout=layout, part=part),
            grid=(-(-plane // (threads.WARPS * warp.COLUMNS)), across, batch),
            out_shape=result_like(x, (prod(shape),), dtype),
            interpret=layout.interpret,
            compiler_params=triton.CompilerParams(num_warps=threads.WARPS, num_stages=1),
            name="ginjax_fused_conv",
        )(*alike((x.ravel(), *(w.ravel() for w in weights))))
        found.append(made.reshape(shape))
    return jnp.concatenate(found, 1) if len(found) > 1 else found[0]
