"""A whole convolution by one kernel, which reads the field and writes the result once, see `_fused_threads`."""

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
from ._mixing import Slot


def _mix(x_ref: Any, *refs: Any, layout: threads.Layout, part: tuple[Slot, ...]) -> None:
    mixing, groups, sources = layout.mixing, make_groups(layout.mixing), make_plan(layout.mixing)
    *w_refs, y_ref = refs
    width, plane = threads.panels_at_once(part), prod(layout.outputs)
    number, eight, four = threads.lanes()
    panel, batch = pl.program_id(1) * width, pl.program_id(2)
    begin = (pl.program_id(0) * threads.WARPS + number) * warp.COLUMNS
    taps = threads.Taps(layout, lax.min(begin + eight, jnp.int32(plane - 1)))
    first, total = threads.places(mixing.inputs), sum(threads.steps(slot.channels) for slot in mixing.inputs)
    reached = {
        slot: (g, c) for g, group in enumerate(groups) for c, slot in enumerate(group.slots) if slot in part
    }
    targets = [(g, c, p) for g, c in reached.values() for p in range(width)]
    sums: Any = {target: warp.nothing(threads.THREADS) for target in targets}
    for source, w_ref in zip(sources, w_refs, strict=True):
        place, count = threads.weight_rows(source), threads.steps(source.channels)

        def step(
            s: Array,
            sums: Any,
            source: Source = source,
            w_ref: Any = w_ref,
            place: Any = place,
            count: int = count,
        ) -> Any:
            base = {
                slot: warp.opaque(
                    (batch * total + first[slot] + s) * (layout.inputs * threads.TOGETHER) + four
                )
                for slot, _ in source.images
            }
            images = threads.Field(x_ref, taps, base).images(
                source, mixing.side, lambda row: row[:2] in reached.values()
            )
            parts = {row: warp.split(image) for row, image in images.items()}
            lane = eight * 4 + four
            begins = [
                warp.opaque(((panel + p) * count + s) * (len(place) * 2 * warp.LANES) + lane)
                for p in range(width)
            ]

            @functools.cache
            def weights(number: int, row: int, p: int) -> tuple[warp.Split, warp.Split]:
                start = place[number, row] * (2 * warp.LANES)
                low, high = (triton.load(w_ref.at[begins[p] + (start + i * warp.LANES)]) for i in range(2))
                return warp.split(low), warp.split(high)

            found = dict(sums)
            for g, c, p in targets:
                rows = [row for row in images if row[:2] == (g, c)]
                for i in range(0, len(rows), threads.CHAIN):
                    pairs = [(weights(g, row[2], p), parts[row]) for row in rows[i : i + threads.CHAIN]]
                    found[g, c, p] = warp.add(found[g, c, p], warp.multiply(pairs, layout.rounded))
            return found

        sums = threads.run_loop(count, step, sums)
    channels, start = sum(slot.channels for slot in part), part[0].start
    for slot in part:
        for p in range(width):
            made = sums[(*reached[slot], p)] if slot in reached else warp.nothing(threads.THREADS)
            for i, value in enumerate(made):
                channel = (panel + p) * warp.ROWS + eight + 8 * (i // 2)
                pixel = begin + 2 * four + i % 2
                inside = (channel < slot.channels) & (pixel < plane)
                at = (batch * channels + slot.start - start + channel) * plane + pixel
                if layout.interpret:
                    # There what is masked is written back as it was, over what other threads write to the same place.
                    at = jnp.where(inside, at, y_ref.size)
                triton.store(y_ref.at[at], value.astype(y_ref.dtype), mask=inside)


@functools.partial(jax.jit, static_argnames=("layout", "dtype"))
def mixed(
    x: Float[Array, "batch groups pixels together"],
    weights: Sequence[Float[Array, "panels _ _ 2 lanes"]],
    layout: threads.Layout,
    dtype: Any,
) -> Float[Array, "batch packed_out *new_spatial"]:
    """`y = sum_l W_l (C_l * x)`.

    **Arguments:**

    - `x`: channels together, see `places`. - `weights`: for each source, as the lanes of a warp hold them.
    """
    plane, found = prod(layout.outputs), []
    for part in threads.output_parts(layout.mixing):
        most = max(threads.panels(slot.channels) for slot in part)
        grid = (
            -(-plane // (threads.WARPS * warp.COLUMNS)),
            -(-most // threads.panels_at_once(part)),
            x.shape[0],
        )
        shape = x.shape[0], sum(slot.channels for slot in part), *layout.outputs
        made = pl.pallas_call(
            functools.partial(_mix, layout=layout, part=part),
            grid=grid,
            out_shape=result_like(x, (prod(shape),), dtype),
            interpret=layout.interpret,
            compiler_params=triton.CompilerParams(num_warps=threads.WARPS, num_stages=1),
            name="ginjax_fused_conv",
        )(*alike((x.ravel(), *(w.ravel() for w in weights))))
        found.append(made.reshape(shape))
    return jnp.concatenate(found, 1) if len(found) > 1 else found[0]
