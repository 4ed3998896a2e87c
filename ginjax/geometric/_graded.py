r"""Convolution with a bank of invariant filters, exact where symmetry makes it zero.

Every component of a field has a *grade*: the set of axes along which it changes sign under reflection. A filter
component between grades `a` and `b` is antisymmetric along the axes in which they differ. Along such an axis the
sum over taps is taken of differences `x(+j) - x(-j)`, formed before anything is multiplied. On a field that is
constant along the axis they are exactly zero, in any precision, and so is the output. This is what keeps the new
components of an embedded field at zero; rounding noise there would be amplified by normalisation layers.
"""

import functools
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import jax.numpy as jnp
import numpy as np
from jax import Array, lax

from ..filters import FilterBank
from ._geometry import ConvGeometry
from ._keys import Key, Signature
from ._precision import full_precision

Weights = Mapping[Key, Mapping[Key, Array]]
SYMMETRY_TOLERANCE = 1e-6


@dataclass(frozen=True)
class Piece:
    """The filters of one key pair between one grade of the input and one of the output.

    `filters` is `(n, *(M,)*D, inputs, outputs)`, where the last two axes run over the components of the grade;
    `sizes` is `(n,)`, the largest absolute entry of each whole filter.
    """

    source: Key
    target: Key
    filters: np.ndarray
    sizes: np.ndarray


@dataclass(frozen=True)
class GradedPath:
    """All pieces between one grade of the input and one of the output: one convolution.

    - `antisymmetric`: the axes along which every filter of every piece changes sign.
    - `pieces`: by `(target, source)`; a pair without filters is missing.
    """

    source_grade: int
    target_grade: int
    antisymmetric: tuple[int, ...]
    pieces: Mapping[tuple[Key, Key], Piece]


@functools.lru_cache(maxsize=512)
def graded_components(D: int, key: Key) -> dict[int, tuple[int, ...]]:
    """Row-major component positions of a key by grade; a grade is a bit mask over the axes."""
    k, p = key
    everything = 2**D - 1
    found: dict[int, list[int]] = {}
    for position, axes in enumerate(np.ndindex(*(D,) * len(k))):
        grade = functools.reduce(lambda mask, axis: mask ^ (1 << axis), axes, everything if p else 0)
        found.setdefault(grade, []).append(position)
    return {grade: tuple(positions) for grade, positions in sorted(found.items())}


@functools.lru_cache(maxsize=512)
def graded_paths(bank: FilterBank, sources: Signature, targets: Signature) -> tuple[GradedPath, ...]:
    """The convolutions that make up one layer, worked out once on the host."""
    D = bank.D
    pieces: dict[tuple[int, int], dict[tuple[Key, Key], Piece]] = {}
    for source, _ in sources:
        for target, _ in targets:
            k_in, k_out = len(source[0]), len(target[0])
            block = bank.blocks.get((k_in + k_out, (source[1] + target[1]) % 2))
            if block is None or len(block) == 0:
                continue
            filters = block.filters.reshape(len(block), *(bank.side,) * D, D**k_in, D**k_out)
            sizes = np.abs(filters).max(axis=tuple(range(1, filters.ndim)))
            for a, inputs in graded_components(D, source).items():
                for b, outputs in graded_components(D, target).items():
                    part = filters[..., list(inputs), :][..., list(outputs)]
                    if np.any(part):
                        pieces.setdefault((a, b), {})[target, source] = Piece(source, target, part, sizes)
    return tuple(
        GradedPath(a, b, _antisymmetric_axes(tuple(found.values()), D), found)
        for (a, b), found in sorted(pieces.items())
    )


def _antisymmetric_axes(pieces: Sequence[Piece], D: int) -> tuple[int, ...]:
    """Axes along which all of the filters change sign when flipped, to rounding."""
    return tuple(axis for axis in range(D) if all(_is_antisymmetric(piece, axis) for piece in pieces))


def _is_antisymmetric(piece: Piece, axis: int) -> bool:
    f = piece.filters
    rest = np.abs(f + np.flip(f, axis + 1)).max(axis=tuple(range(1, f.ndim)))
    return bool(np.all(rest <= SYMMETRY_TOLERANCE * piece.sizes))


def convolve_with_bank(
    blocks: Mapping[Key, Array],
    weights: Weights,
    bank: FilterBank,
    sources: Signature,
    targets: Signature,
    geometry: ConvGeometry,
) -> dict[Key, Array]:
    r"""`y_b(x) = sum_a sum_l W[a->b][o, i, l] (C_l * x_a)` for all keys `a` of the input and `b` of the output.

    **Arguments:**

    - `blocks`: one sample, `(channels, *spatial, D, ..., D)` by key, as `sources` says. Whole numbers count as
      floating-point ones.
    - `weights`: `(out, in, n_filters)` by input and output key.
    - `bank`: the filters.
    - `sources`, `targets`: keys and channels of input and output.
    - `geometry`: strides, dilations, padding.

    **Returns:** all blocks of `targets`; a key that no filter reaches is zero.
    """
    D = bank.D
    dtype = jnp.result_type(*(blocks[key] for key, _ in sources), 1.0)
    padded: dict[int, Array] = {}
    for key, _ in sources:
        x = blocks[key].astype(dtype)
        flat = x.reshape(*x.shape[: D + 1], D ** len(key[0]))
        for grade, positions in graded_components(D, key).items():
            # (channels * components of the grade, *spatial)
            own = jnp.moveaxis(flat[..., list(positions)], -1, 1).reshape(-1, *x.shape[1 : D + 1])
            padded[grade] = jnp.concatenate([padded[grade], own]) if grade in padded else own
    padded = {grade: geometry.pad(x[None], 2, bank.side) for grade, x in padded.items()}
    summed: dict[int, Array] = {}
    for path in graded_paths(bank, sources, targets):
        if bank.side == 1 and path.antisymmetric:
            continue
        with full_precision():
            kernel = _assemble(path, weights, sources, targets, D, dtype)
            x, kernel, stride = _fold(
                padded[path.source_grade], kernel, path.antisymmetric, bank.side, geometry
            )
            y = lax.conv_general_dilated(x, kernel, stride, "VALID", rhs_dilation=geometry.filter_dilation)[0]
        grade = path.target_grade
        summed[grade] = summed[grade] + y if grade in summed else y
    spatial = _output_size(next(iter(padded.values())).shape[2:], bank.side, geometry)
    return _collect(summed, targets, D, spatial, dtype)


def _assemble(
    path: GradedPath, weights: Weights, sources: Signature, targets: Signature, D: int, dtype: jnp.dtype
) -> Array:
    """The kernel `(out channels and components, in channels and components, *(M,)*D)` of one path."""
    rows = []
    for target, c_out in targets:
        n_out = len(graded_components(D, target).get(path.target_grade, ()))
        row = []
        for source, c_in in sources:
            n_in = len(graded_components(D, source).get(path.source_grade, ()))
            if n_in == 0 or n_out == 0:
                continue
            piece = path.pieces.get((target, source))
            sides = next(iter(path.pieces.values())).filters.shape[1 : D + 1]
            if piece is None:
                row.append(jnp.zeros((c_out * n_out, c_in * n_in, *sides), dtype))
                continue
            w = weights[source][target].astype(dtype)
            filters = np.moveaxis(piece.filters, (-1, -2), (1, 2)).reshape(w.shape[-1], -1)
            kernel = (w @ jnp.asarray(filters, dtype)).reshape(c_out, c_in, n_out, n_in, *sides)
            row.append(jnp.moveaxis(kernel, 2, 1).reshape(c_out * n_out, c_in * n_in, *sides))
        if row:
            rows.append(jnp.concatenate(row, axis=1) if len(row) > 1 else row[0])
    return jnp.concatenate(rows, axis=0) if len(rows) > 1 else rows[0]


def _fold(
    x: Array, kernel: Array, axes: Sequence[int], side: int, geometry: ConvGeometry
) -> tuple[Array, Array, tuple[int, ...]]:
    """Replace the taps along each antisymmetric axis by differences of mirrored pixels, as further channels."""
    stride = list(geometry.stride)
    for axis in axes:
        dilation, step = geometry.filter_dilation[axis], geometry.stride[axis]
        length = x.shape[2 + axis] - (side - 1) * dilation
        upper = range((side + 1) // 2, side)

        def taps(t: int, x: Array = x, axis: int = axis, d: int = dilation, n: int = length, s: int = step):
            return lax.slice_in_dim(x, t * d, t * d + n, s, axis=2 + axis)

        x = jnp.concatenate([taps(t) - taps(side - 1 - t) for t in upper], axis=1)
        kernel = jnp.concatenate([lax.slice_in_dim(kernel, t, t + 1, axis=2 + axis) for t in upper], axis=1)
        stride[axis] = 1
    return x, kernel, tuple(stride)


def _output_size(padded: Sequence[int], side: int, geometry: ConvGeometry) -> tuple[int, ...]:
    return tuple(
        (n - (side - 1) * d - 1) // s + 1
        for n, d, s in zip(padded, geometry.filter_dilation, geometry.stride, strict=True)
    )


def _collect(
    summed: Mapping[int, Array], targets: Signature, D: int, spatial: tuple[int, ...], dtype: jnp.dtype
) -> dict[Key, Array]:
    """Take the grades apart into blocks `(channels, *spatial, D, ..., D)`."""
    taken = dict.fromkeys(summed, 0)
    result = {}
    for key, channels in targets:
        k = len(key[0])
        components: list[Array | None] = [None] * D**k
        for grade, positions in graded_components(D, key).items():
            if grade not in summed:
                continue
            stop = taken[grade] + channels * len(positions)
            part = summed[grade][taken[grade] : stop].reshape(channels, len(positions), *spatial)
            taken[grade] = stop
            for i, position in enumerate(positions):
                components[position] = part[:, i]
        zeros = jnp.zeros((channels, *spatial), dtype)
        stacked = jnp.stack([zeros if c is None else c for c in components], axis=-1)
        result[key] = stacked.reshape(channels, *spatial, *(D,) * k)
    return result
