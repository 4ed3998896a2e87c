"""Filters first, weights after: the fixed filters on every channel, then one matrix product for each component."""

import math
from collections.abc import Sequence

import jax.numpy as jnp
from jax import Array, lax

from ._axes import AxisGeometry, pad_axes
from ._mixing import Feature, Mixing, Path, Slot, stack_outputs
from ._slabs import over_slabs, slab_thickness
from ._stencil import apply_stencil

Axes = Sequence[AxisGeometry]


def mix(x: Array, w: Array, mixing: Mixing, axes: Axes, precision: str | None, room: int) -> Array:
    """`y = sum_l W_l (C_l * x)`.

    **Arguments:**

    - `x`: `(batch, packed inputs, *spatial)`.
    - `w`: `(mixing.weights,)`.
    - `axes`: the geometry.
    - `precision`: of the matrix product.
    - `room`: values that filtered images may take at a time.

    **Returns:** `(batch, packed outputs, *spatial')`.
    """

    def body(start: Array | int, piece: Array, inner: Axes, y: Array) -> Array:
        parts = {}
        for slot, features in mixing.features:
            images = _images(piece, features, inner, mixing.side)
            matrix = matrices[slot]
            parts[slot] = _product(matrix, images, precision)
        return _put(y, _stack(parts, mixing, piece, inner), start)

    matrices = {
        slot: _join([_matrix(w, mixing.paths[f.path], f.rows) for f in features], axis=1)
        for slot, features in mixing.features
    }
    return _run(x, mixing, axes, room, body, _empty(x, mixing, axes))


def gradients(
    x: Array, w: Array, g: Array, mixing: Mixing, axes: Axes, precision: str | None, room: int
) -> tuple[Array, Array]:
    """Gradients of `<g, mix(x, w)>` with respect to `x` and to `w`.

    Both need the mirrored filters on `g`; these images are made once.
    """
    # Left to itself the compiler makes them again for every component.
    x, g = lax.optimization_barrier((x, g))
    back = mixing.adjoint
    matrices = {
        slot: _join([_matrix(w, back.paths[f.path], f.rows) for f in features], axis=1)
        for slot, features in back.features
    }

    def body(start: Array | int, piece: Array, inner: Axes, carry: tuple[Array, list[Array]]):
        gx, sums = carry
        parts = {}
        outer = _get(x, start, inner, mixing.side)
        for i, (slot, features) in enumerate(back.features):
            images = _images(piece, features, inner, mixing.side)
            parts[slot] = _product(matrices[slot], images, precision)
            sums = [s + _overlap(images, outer, slot, precision) if i == j else s for j, s in enumerate(sums)]
        return _put(gx, _stack(parts, back, piece, inner), start), sums

    adjoint = tuple(axis.adjoint(mixing.side) for axis in axes)
    carry = _empty(g, back, adjoint), _no_overlap(back, x)
    gx, sums = _run(g, back, adjoint, room, body, carry)
    return gx, _collect(sums, back)


def weight_gradient(
    x: Array, g: Array, mixing: Mixing, axes: Axes, precision: str | None, room: int
) -> Array:
    """The gradient of `<g, mix(x, w)>` with respect to `w`; the filters go to the side with fewer images."""
    if image_count(mixing) > image_count(mixing.adjoint):
        axes = tuple(axis.adjoint(mixing.side) for axis in axes)
        x, g, mixing = g, x, mixing.adjoint
    g = lax.optimization_barrier(g)

    def body(start: Array | int, piece: Array, inner: Axes, sums: list[Array]) -> list[Array]:
        outer = _get(g, start, inner, mixing.side)
        found = []
        for (slot, features), total in zip(mixing.features, sums, strict=True):
            images = _images(piece, features, inner, mixing.side)
            found.append(total + _overlap(images, outer, slot, precision))
        return found

    return _collect(_run(x, mixing, axes, room, body, _no_overlap(mixing, x)), mixing)


def image_count(mixing: Mixing) -> int:
    """Images made before they are mixed."""
    return sum(len(f.rows) * mixing.paths[f.path].c_in for _, features in mixing.features for f in features)


def _run(x: Array, mixing: Mixing, axes: Axes, room: int, body, carry):
    # Left to itself the compiler pads again for every use.
    padded = lax.optimization_barrier(pad_axes(x, axes, 2))
    planes, *others = (axis.output(mixing.side) for axis in axes)
    widest = max((_width(mixing, features) for _, features in mixing.features), default=1)
    pixels = x.shape[0] * widest * math.prod(others)
    return over_slabs(padded, axes, mixing.side, slab_thickness(pixels, planes, room), body, carry)


def _width(mixing: Mixing, features: Sequence[Feature]) -> int:
    return sum(len(feature.rows) * mixing.paths[feature.path].c_in for feature in features)


def _images(padded: Array, features: Sequence[Feature], axes: Axes, side: int) -> Array:
    """All images for one output component, `(batch, sum of rows * channels, *spatial')`."""
    images = []
    for feature in features:
        sums: dict[int, Array] = {}
        for slot, rows, stencil in feature.stencils:
            own = lax.slice_in_dim(padded, slot.start, slot.start + slot.channels, axis=1)
            for row, image in zip(rows, apply_stencil(stencil, own, axes, side, 2), strict=True):
                sums[row] = sums[row] + image if row in sums else image
        images.extend(sums[row] for row in feature.rows)
    return _join(images, axis=1)


def _matrix(w: Array, path: Path, rows: Sequence[int]) -> Array:
    """The weights of a feature, `(out, rows * in)`, for filters of size 1."""
    own = path.take(w) * jnp.asarray(path.sizes, w.dtype)
    if len(rows) < len(path):
        own = own[..., list(rows)]
    return own.transpose(0, 2, 1).reshape(path.c_out, -1)


def _product(matrix: Array, images: Array, precision: str | None) -> Array:
    """`(out, k)` times `(batch, k, *spatial)`."""
    batch, k, *spatial = images.shape
    # A batch of products keeps the batch axis first on both sides: no transpose afterwards.
    many = jnp.broadcast_to(matrix, (batch, *matrix.shape))
    y = lax.dot_general(many, images.reshape(batch, k, -1), (((2,), (1,)), ((0,), (0,))), precision=precision)
    return y.reshape(batch, -1, *spatial)


def _overlap(images: Array, outer: Array, slot: Slot, precision: str | None) -> Array:
    """Sums over pixels of every image times every channel of a component, `(k, channels)`."""
    own = lax.slice_in_dim(outer, slot.start, slot.start + slot.channels, axis=1)
    flat, own = (z.reshape(*z.shape[:2], -1) for z in (images, own))
    # The longer factor on the left: products this narrow run several times faster that way round.
    return lax.dot_general(flat, own, (((2,), (2,)), ((0,), (0,))), precision=precision).sum(0)


def _no_overlap(mixing: Mixing, x: Array) -> list[Array]:
    return [jnp.zeros((_width(mixing, fs), slot.channels), x.dtype) for slot, fs in mixing.features]


def _collect(sums: Sequence[Array], mixing: Mixing) -> Array:
    """Overlaps by component as a flat vector of weights."""
    total: list[Array | None] = [None] * len(mixing.paths)
    for (_, features), product in zip(mixing.features, sums, strict=True):
        start = 0
        for feature in features:
            path = mixing.paths[feature.path]
            stop = start + len(feature.rows) * path.c_in
            part = product[start:stop].reshape(len(feature.rows), path.c_in, path.c_out).transpose(2, 1, 0)
            start = stop
            if len(feature.rows) < len(path):
                zeros = jnp.zeros((*part.shape[:2], len(path)), part.dtype)
                part = zeros.at[..., list(feature.rows)].set(part)
            before = total[feature.path]
            total[feature.path] = part if before is None else before + part
    pieces = []
    for path, part in zip(mixing.paths, total, strict=True):
        if part is None:
            raise AssertionError("a path that reaches no component")
        pieces.append(path.flatten(part * jnp.asarray(path.sizes, part.dtype)))
    return _join(pieces, axis=0) if pieces else jnp.zeros((0,))


def _empty(x: Array, mixing: Mixing, axes: Axes) -> Array:
    channels = sum(slot.channels for slot in mixing.outputs)
    shape = (x.shape[0], channels, *(axis.output(mixing.side) for axis in axes))
    if not x.size:
        return jnp.zeros(shape, x.dtype)
    # Every pixel will be overwritten. Zeros, being constant, would be made far too early, and copied.
    return jnp.broadcast_to(x[(0,) * x.ndim], shape)


def _stack(parts: dict[Slot, Array], mixing: Mixing, piece: Array, axes: Axes) -> Array:
    spatial = tuple(axis.output(mixing.side) for axis in axes)
    return stack_outputs(parts, mixing, piece.shape[0], spatial, piece.dtype)


def _put(whole: Array, part: Array, start: Array | int) -> Array:
    return part if part.shape == whole.shape else lax.dynamic_update_slice_in_dim(whole, part, start, axis=2)


def _get(whole: Array, start: Array | int, axes: Axes, side: int) -> Array:
    count = axes[0].output(side)
    return whole if count == whole.shape[2] else lax.dynamic_slice_in_dim(whole, start, count, axis=2)


def _join(parts: Sequence[Array], axis: int) -> Array:
    return jnp.concatenate(parts, axis=axis) if len(parts) > 1 else parts[0]
