"""The convolution as one kernel for each direction, in which filtered images never leave the registers (Pallas, Triton).

A block of threads makes a small tile of all output components. Of each input component it loads the taps that it needs,
wrapped or zero outside, forms sums and differences of mirrored pixels axis by axis, and multiplies each such image at once by
its matrix of channels. The field is read and the result written; nothing lies between. The gradient by the weights is a sum over
tiles: each block adds up a share of them in registers and writes one partial sum.
"""

import functools
import itertools
from collections.abc import Sequence
from math import prod
from typing import Any

import jax
import jax.numpy as jnp
from jax import Array, lax
from jax.experimental import pallas as pl
from jax.experimental.pallas import triton

from ._fused_plan import Image, Use, images_of, largest_channels, make_plan
from ._fused_tiles import Axes, Layout, Place, both
from ._mixing import Mixing, Slot

TILES = {1: (64,), 2: (4, 16), 3: (2, 4, 8)}
"""Pixels of a tile along each axis, by dimension: powers of two, the last axis longest, whose pixels are neighbours in memory."""

SMALL_TILES = {1: (32,), 2: (2, 16), 3: (2, 2, 8)}
"""The same where products are summed over pixels. Code grows with the number of pixels of either tile."""

WARPS, SMALL_WARPS = 8, 4
"""Groups of 32 threads for either tile."""

HELD = 3072
"""Entries of matrices of channels that a block adds up at a time."""

BLOCKS = 128
"""Blocks of threads that share the sum over tiles, at most."""


def multiply(a: Array, b: Array, contracted: tuple[int, int], precision: Any) -> Array:
    """A product of matrices, summed in float32 over one axis of each."""
    rows = ((contracted[0],), (contracted[1],)), ((), ())
    return lax.dot_general(a, b, rows, precision=precision, preferred_element_type=jnp.float32)


def _load(ref: Any, rows: Array, fit: Array | None, plane: int, at: Array, there: Array | None) -> Array:
    """`(rows, pixels)` of a flat field, zero where there is nothing, in float32."""
    index = rows[:, None] * plane + at[None, :]
    mask = both(
        None if fit is None else jnp.broadcast_to(fit[:, None], index.shape),
        None if there is None else jnp.broadcast_to(there[None, :], index.shape),
    )
    more = {} if mask is None else {"mask": mask, "other": 0.0}
    return triton.load(ref.at[index], **more).astype(jnp.float32)


def _rows(slot: Slot, sample: Array, total: int, chunk: Array | int, size: int) -> tuple[Array, Array | None]:
    """Planes of a block of channels of a component, and which of them there are (None for all)."""
    channel = chunk * size + jnp.arange(size, dtype=jnp.int32)
    return (
        sample * total + slot.start + channel,
        None if slot.channels % size == 0 else channel < slot.channels,
    )


def _total(slots: Sequence[Slot]) -> int:
    return sum(slot.channels for slot in slots)


def _forward(x_ref: Any, w_ref: Any, y_ref: Any, *, layout: Layout) -> None:
    mixing, size_in, size_out = layout.mixing, layout.channels_in, layout.channels_out
    plan, place, block = make_plan(mixing), Place(layout, pl.program_id(0)), pl.program_id(1)
    plane_in, plane_out = prod(axis.size for axis in layout.axes), prod(layout.outputs)
    wide_in, wide_out = largest_channels(mixing)
    column = block * size_out + jnp.arange(size_out, dtype=jnp.int32)

    def add(
        source: Slot, uses: Sequence[Use], chunk: Array | int, sums: tuple[Array, ...]
    ) -> tuple[Array, ...]:
        found = list(sums)
        rows, fit = _rows(source, place.sample, _total(mixing.inputs), chunk, size_in)
        channel = chunk * size_in + jnp.arange(size_in, dtype=jnp.int32)
        exact = wide_in % size_in == 0 and wide_out % size_out == 0
        known = None if exact else (channel < wide_in)[:, None] & (column < wide_out)[None, :]
        by_image = _by_image(uses)

        def mix(image: Image, value: Array) -> None:
            for use in by_image[image]:
                at = (use.matrix * wide_in + channel[:, None]) * wide_out + column[None, :]
                more = {} if known is None else {"mask": known, "other": 0.0}
                matrix = triton.load(w_ref.at[at], **more)
                found[use.target] += multiply(matrix, value, (0, 0), layout.precision)

        images_of(
            by_image, mixing.side, lambda taps: _load(x_ref, rows, fit, plane_in, *place.tap(taps)), mix
        )
        return tuple(found)

    sums = tuple(jnp.zeros((size_out, prod(layout.tile)), jnp.float32) for _ in mixing.outputs)
    for source, uses in zip(mixing.inputs, plan.uses, strict=True):
        if uses:
            sums = _repeat(-(-source.channels // size_in), functools.partial(add, source, uses), sums)
    for target, value in zip(mixing.outputs, sums, strict=True):
        rows, fit = _rows(target, place.sample, _total(mixing.outputs), block, size_out)
        index = rows[:, None] * plane_out + place.pixel[None, :]
        mask = both(
            None if fit is None else jnp.broadcast_to(fit[:, None], index.shape),
            None if place.inside is None else jnp.broadcast_to(place.inside[None, :], index.shape),
        )
        triton.store(y_ref.at[index], value.astype(y_ref.dtype), mask=mask)


def _repeat(times: int, body: Any, sums: tuple[Array, ...]) -> tuple[Array, ...]:
    return body(0, sums) if times == 1 else lax.fori_loop(0, times, body, sums)


def _by_image(uses: Sequence[Use]) -> dict[Image, list[Use]]:
    found: dict[Image, list[Use]] = {}
    for use in uses:
        found.setdefault(use.image, []).append(use)
    return found


def groups(layout: Layout) -> list[tuple[Slot, tuple[Use, ...]]]:
    """Input components with as many of their images as a block can add up products of."""
    most = max(1, HELD // (layout.channels_in * layout.channels_out))
    found = []
    for source, uses in zip(layout.mixing.inputs, make_plan(layout.mixing).uses, strict=True):
        count = -(-len(uses) // most)
        cuts = [len(uses) * i // count for i in range(count + 1)] if count else []
        found.extend((source, uses[a:b]) for a, b in itertools.pairwise(cuts))
    return found


def _weights(x_ref: Any, g_ref: Any, sums_ref: Any, *, layout: Layout, blocks: int) -> None:
    mixing, size_in, size_out = layout.mixing, layout.channels_in, layout.channels_out
    share, pair = pl.program_id(0), pl.program_id(1)
    chunk_in, chunk_out = pair // layout.chunks[1], pair % layout.chunks[1]
    plane_in, plane_out = prod(axis.size for axis in layout.axes), prod(layout.outputs)
    wide_in, wide_out = largest_channels(mixing)
    matrices = make_plan(mixing).matrices

    def group(source: Slot, uses: Sequence[Use]) -> None:
        by_image, position = _by_image(uses), {use.matrix: i for i, use in enumerate(uses)}

        def tile(turn: Array | int, sums: tuple[Array, ...]) -> tuple[Array, ...]:
            found = list(sums)
            number = share + turn * blocks
            place = Place(layout, jnp.minimum(number, layout.tiles - 1))
            whole = layout.tiles % blocks == 0
            inside = (
                place.inside
                if whole
                else both(place.inside, jnp.broadcast_to(number < layout.tiles, (prod(layout.tile),)))
            )
            slopes = {}
            for target in sorted({use.target for use in uses}):
                rows, fit = _rows(
                    mixing.outputs[target], place.sample, _total(mixing.outputs), chunk_out, size_out
                )
                at = place.pixel if place.inside is None else jnp.where(place.inside, place.pixel, 0)
                slopes[target] = _load(g_ref, rows, fit, plane_out, at, inside)
            rows, fit = _rows(source, place.sample, _total(mixing.inputs), chunk_in, size_in)

            def overlap(image: Image, value: Array) -> None:
                for use in by_image[image]:
                    found[position[use.matrix]] += multiply(
                        value, slopes[use.target], (1, 1), layout.precision
                    )

            images_of(
                by_image,
                mixing.side,
                lambda taps: _load(x_ref, rows, fit, plane_in, *place.tap(taps)),
                overlap,
            )
            return tuple(found)

        sums = tuple(jnp.zeros((size_in, size_out), jnp.float32) for _ in uses)
        sums = _repeat(-(-layout.tiles // blocks), tile, sums)
        row = chunk_in * size_in + jnp.arange(size_in, dtype=jnp.int32)
        column = chunk_out * size_out + jnp.arange(size_out, dtype=jnp.int32)
        exact = wide_in % size_in == 0 and wide_out % size_out == 0
        known = None if exact else (row < wide_in)[:, None] & (column < wide_out)[None, :]
        for use, total in zip(uses, sums, strict=True):
            start = (share * matrices + use.matrix) * wide_in
            at = (start + row[:, None]) * wide_out + column[None, :]
            triton.store(sums_ref.at[at], total, mask=known)

    every = groups(layout)
    if len(every) == 1:
        group(*every[0])
    else:
        lax.switch(pl.program_id(2), [functools.partial(group, *each) for each in every])


def run_forward(x: Array, w: Array, mixing: Mixing, axes: Axes, precision: Any, interpret: bool) -> Array:
    """`y` `(batch, packed outputs, *spatial)` of `x` `(batch, packed inputs, *spatial)` and the matrices `w`."""
    layout = Layout.of(mixing, axes, x.shape[0], precision, TILES)
    total = _total(layout.mixing.outputs)
    y = pl.pallas_call(
        functools.partial(_forward, layout=layout),
        grid=(layout.tiles, layout.chunks[1]),
        out_shape=jax.ShapeDtypeStruct((layout.batch * total * prod(layout.outputs),), x.dtype),
        interpret=interpret,
        compiler_params=triton.CompilerParams(num_warps=WARPS, num_stages=1),
        name="ginjax_fused",
    )(x.ravel(), w.ravel())
    return y.reshape(layout.batch, total, *layout.outputs)


def run_weights(x: Array, g: Array, mixing: Mixing, axes: Axes, precision: Any, interpret: bool) -> Array:
    """The gradient of `<g, y>` by the matrices, `(matrices, in, out)`, in float32."""
    layout = Layout.of(mixing, axes, x.shape[0], precision, SMALL_TILES)
    blocks = min(layout.tiles, BLOCKS)
    shape = (blocks, make_plan(mixing).matrices, *largest_channels(mixing))
    sums = pl.pallas_call(
        functools.partial(_weights, layout=layout, blocks=blocks),
        grid=(blocks, prod(layout.chunks), len(groups(layout))),
        out_shape=jax.ShapeDtypeStruct((prod(shape),), jnp.float32),
        interpret=interpret,
        compiler_params=triton.CompilerParams(num_warps=SMALL_WARPS, num_stages=1),
        name="ginjax_fused_weights",
    )(x.ravel(), g.ravel())
    return sums.reshape(shape).sum(0)
