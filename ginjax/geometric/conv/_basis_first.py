"""Filters first, then weights: the fixed filters on every channel, then a matrix product for each component."""

import functools
import itertools
import math
from collections.abc import Callable, Sequence
from typing import TypeVar

import jax.numpy as jnp
from jax import Array, lax
from jaxtyping import Float

from ._axes import ConvAxis, pad_axes
from ._mixing import Feature, Mixing, Slot, runs, stack_outputs
from ._slabs import over_slabs, put_slab, slab_thickness, take_slab
from ._stencil import apply_stencil

Axes = Sequence[ConvAxis]
_Image = TypeVar("_Image")
_Carry = TypeVar("_Carry")

JOINED = 8
"""The number of images in one matrix product. XLA computes up to about so many images in one pass over memory."""


def mix(
    x: Float[Array, "batch packed_in *spatial"],
    w: Float[Array, " weights"],
    mixing: Mixing,
    axes: Axes,
    precision: str | None,
    room: int,
) -> Float[Array, "batch packed_out *new_spatial"]:
    """Compute `y = sum_l W_l (C_l * x)`.

    **Arguments:**

    - `x`: `(batch, packed inputs, *spatial)`.
    - `w`: `(mixing.weights,)`.
    - `mixing`: the convolution.
    - `axes`: the geometry.
    - `precision`: the precision of the matrix product.
    - `room`: the number of values of filtered images that may be in memory at a time.

    **Returns:** `(batch, packed outputs, *spatial')`.
    """
    matrices = _matrices(w, mixing, x.shape[0])

    def body(start: Array | int, piece: Array, inner: Axes, y: Array) -> Array:
        parts = {}
        for (slot, features), matrix in zip(mixing.features, matrices, strict=True):
            images = _images(piece, features, inner, mixing.side)
            parts[slot] = _product(matrix, images, precision)
        return put_slab(y, _stack(parts, mixing, piece, inner), start)

    return _run(x, mixing, axes, room, body, lambda padded: _empty(padded, mixing, axes))


def gradients(
    x: Float[Array, "batch packed_in *spatial"],
    w: Float[Array, " weights"],
    g: Float[Array, "batch packed_out *new_spatial"],
    mixing: Mixing,
    axes: Axes,
    precision: str | None,
    room: int,
) -> tuple[Float[Array, "batch packed_in *spatial"], Float[Array, " weights"]]:
    """Compute the gradients of `<g, mix(x, w)>` with respect to `x` and to `w`.

    Both need the images of `g` under the mirrored filters, which are computed once.
    """
    # Without a barrier the compiler computes them again for every component.
    x, g = lax.optimization_barrier((x, g))
    back = mixing.adjoint
    matrices = _matrices(w, back, x.shape[0])

    def body(start: Array | int, piece: Array, inner: Axes, carry: tuple[Array, list[Array]]):
        gx, sums = carry
        parts, found = {}, []
        outer = take_slab(x, start, inner[0].output(mixing.side))
        for (slot, features), matrix, total in zip(back.features, matrices, sums, strict=True):
            images = _images(piece, features, inner, mixing.side)
            parts[slot] = _product(matrix, images, precision)
            found.append(total + _overlap(images, outer, slot, precision))
        return put_slab(gx, _stack(parts, back, piece, inner), start), found

    adjoint = tuple(axis.adjoint(mixing.side) for axis in axes)
    gx, sums = _run(
        g, back, adjoint, room, body, lambda padded: (_empty(padded, back, adjoint), _no_overlap(back, x))
    )
    return gx, collect(sums, [features for _, features in back.features], back)


def weight_gradient(
    x: Float[Array, "batch packed_in *spatial"],
    g: Float[Array, "batch packed_out *new_spatial"],
    mixing: Mixing,
    axes: Axes,
    precision: str | None,
    room: int,
) -> Float[Array, " weights"]:
    """Compute the gradient of `<g, mix(x, w)>` with respect to `w`; filters act on the side with fewer images."""
    if image_count(mixing) > image_count(mixing.adjoint):
        axes = tuple(axis.adjoint(mixing.side) for axis in axes)
        x, g, mixing = g, x, mixing.adjoint
    g = lax.optimization_barrier(g)

    def body(start: Array | int, piece: Array, inner: Axes, sums: list[Array]) -> list[Array]:
        outer = take_slab(g, start, inner[0].output(mixing.side))
        found = []
        for (slot, features), total in zip(mixing.features, sums, strict=True):
            images = _images(piece, features, inner, mixing.side)
            found.append(total + _overlap(images, outer, slot, precision))
        return found

    sums = _run(x, mixing, axes, room, body, lambda _: _no_overlap(mixing, x))
    return collect(sums, [features for _, features in mixing.features], mixing)


def image_count(mixing: Mixing) -> int:
    """Return the number of images before mixing."""
    return sum(len(f.rows) * mixing.paths[f.path].c_in for _, features in mixing.features for f in features)


def _run(
    x: Array,
    mixing: Mixing,
    axes: Axes,
    room: int,
    body: Callable[[Array | int, Array, tuple[ConvAxis, ...], _Carry], _Carry],
    start: Callable[[Array], _Carry],
) -> _Carry:
    """Run `body` over all slabs of the padded image, starting from `start(padded)`."""
    # Without a barrier the compiler pads again for every use.
    padded = lax.optimization_barrier(pad_axes(x, axes, 2))
    planes, *others = (axis.output(mixing.side) for axis in axes)
    widest = max((_width(mixing, features) for _, features in mixing.features), default=1)
    pixels = x.shape[0] * widest * math.prod(others)
    # The image of a single filter of one pixel is the input, so slabs would save no memory.
    single = mixing.side == 1 and all(
        sum(len(f.rows) for f in features) == 1 for _, features in mixing.features
    )
    thickness = planes if single else slab_thickness(pixels, planes, room)
    return over_slabs(padded, axes, mixing.side, thickness, body, start(padded))


def _width(mixing: Mixing, features: Sequence[Feature]) -> int:
    return sum(len(feature.rows) * mixing.paths[feature.path].c_in for feature in features)


def _images(padded: Array, features: Sequence[Feature], axes: Axes, side: int) -> list[Array]:
    """Return all images for one output component, in groups `(batch, images * channels, *spatial')`."""
    images = []
    for feature in features:
        sums: dict[int, Array] = {}
        for slot, rows, stencil in feature.stencils:
            own = lax.slice_in_dim(padded, slot.start, slot.start + slot.channels, axis=1)
            for row, image in zip(rows, apply_stencil(stencil, own, axes, side, 2), strict=True):
                sums[row] = sums[row] + image if row in sums else image
        images.extend(sums[row] for row in feature.rows)
    return [_join(group, axis=1) for group in _groups(images)]


def _groups(images: Sequence[_Image]) -> list[Sequence[_Image]]:
    """Split into groups of about equal size with at most `JOINED` entries each."""
    count = -(-len(images) // JOINED)
    cuts = [len(images) * i // count for i in range(count + 1)]
    return [images[a:b] for a, b in itertools.pairwise(cuts)]


def _matrices(w: Array, mixing: Mixing, batch: int) -> list[list[Array]]:
    """Return, for each output component that a filter reaches, the weights of its images by groups, `(batch, out, k)`."""
    own = mixing.scaled(w)
    found = []
    for slot, features in mixing.features:
        rows = [(feature.path, row) for feature in features for row in feature.rows]
        groups = []
        for group in _groups(rows):
            parts = [own[path][a:b].reshape(-1, slot.channels) for path, a, b in runs(group)]
            groups.append(_join(parts, axis=0).T)
        # In a batched product the batch axis comes first on both sides, so no transpose follows.
        found.append([jnp.broadcast_to(group, (batch, slot.channels, group.shape[1])) for group in groups])
    return found


def _product(matrices: Sequence[Array], images: Sequence[Array], precision: str | None) -> Array:
    """Multiply `(batch, out, k)` by `(batch, k, *spatial)`, and sum over groups."""
    rows = ((2,), (1,)), ((0,), (0,))
    dtype = images[0].dtype
    # Sums over groups are rounded only once, like sums within a group.
    wide = jnp.promote_types(dtype, jnp.float32) if len(images) > 1 else dtype
    parts = [
        lax.dot_general(m, _flat(group), rows, precision=precision, preferred_element_type=wide)
        for m, group in zip(matrices, images, strict=True)
    ]
    total = functools.reduce(lax.add, parts).astype(dtype)
    return total.reshape(*total.shape[:2], *images[0].shape[2:])


def _overlap(images: Sequence[Array], outer: Array, slot: Slot, precision: str | None) -> Array:
    """Sum over pixels the product of every image and every channel of a component, `(k, channels)`."""
    own = lax.slice_in_dim(outer, slot.start, slot.start + slot.channels, axis=1)
    # The longer factor on the left: products this narrow run several times faster that way round.
    pixels = ((2,), (2,)), ((0,), (0,))
    parts = [lax.dot_general(_flat(group), _flat(own), pixels, precision=precision) for group in images]
    return _join([part.sum(0) for part in parts], axis=0)


def _flat(x: Array) -> Array:
    """`(batch, channels, pixels)`."""
    return x.reshape(*x.shape[:2], math.prod(x.shape[2:]))


def _no_overlap(mixing: Mixing, x: Array) -> list[Array]:
    return [jnp.zeros((_width(mixing, fs), slot.channels), x.dtype) for slot, fs in mixing.features]


def collect(
    sums: Sequence[Array], features: Sequence[Sequence[Feature]], mixing: Mixing
) -> Float[Array, " weights"]:
    """Collect overlaps into a flat vector of weights.

    **Arguments:**

    - `sums`: for some output components, the overlaps `(images, channels)` of their images.
    - `features`: the features of these images.
    - `mixing`: the convolution.
    """
    total: list[Array | None] = [None] * len(mixing.paths)
    for made_of, product in zip(features, sums, strict=True):
        start = 0
        for feature in made_of:
            path = mixing.paths[feature.path]
            stop = start + len(feature.rows) * path.c_in
            part = product[start:stop].reshape(len(feature.rows), path.c_in, path.c_out)
            part = _among(part, feature.rows, len(path))
            before = total[feature.path]
            total[feature.path] = part if before is None else before + part
            start = stop
    pieces = []
    for path, part in zip(mixing.paths, total, strict=True):
        if part is None:
            raise AssertionError("a path that reaches no component")
        pieces.append(path.flatten(part * jnp.asarray(path.sizes[:, None, None], part.dtype)))
    return _join(pieces, axis=0) if pieces else jnp.zeros((0,))


def _among(part: Array, rows: Sequence[int], n: int) -> Array:
    """Place rows among `n` rows, of which the others are zero."""
    if len(rows) == n:
        return part
    # Piece by piece, because a scatter compiles to a loop.
    nothing = jnp.zeros_like(part[0])
    return jnp.stack([part[rows.index(i)] if i in rows else nothing for i in range(n)])


def _empty(padded: Array, mixing: Mixing, axes: Axes) -> Array:
    channels = sum(slot.channels for slot in mixing.outputs)
    shape = (padded.shape[0], channels, *(axis.output(mixing.side) for axis in axes))
    if not padded.size:
        return jnp.zeros(shape, padded.dtype)
    # Every pixel will be overwritten. Zeros are constants, which would be made far too early and then copied.
    return jnp.broadcast_to(padded[(0,) * padded.ndim], shape)


def _stack(parts: dict[Slot, Array], mixing: Mixing, piece: Array, axes: Axes) -> Array:
    spatial = tuple(axis.output(mixing.side) for axis in axes)
    return stack_outputs(parts, mixing, piece.shape[0], spatial, piece.dtype)


def _join(parts: Sequence[Array], axis: int) -> Array:
    return jnp.concatenate(parts, axis=axis) if len(parts) > 1 else parts[0]
