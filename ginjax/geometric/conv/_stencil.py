r"""Application of a few fixed filters to an image by sums and differences along one axis after another.

Along an axis a filter of side `M` is symmetric, antisymmetric, or neither. A symmetric filter is a combination of
`s_j = x(+j) + x(-j)` (and `x` itself), an antisymmetric one of `d_j = x(+j) - x(-j)`. Filters in several dimensions are sums
of products of these; terms that several filters share are formed once. Differences are taken first, before any sum or
product: on an image that is constant along their axis they are exactly zero, in any precision.
"""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from jax import Array, lax
from jaxtyping import Float

from ._axes import ConvAxis

SYMMETRY_TOLERANCE = 1e-6
"""The largest deviation from symmetry of a symmetric filter, relative to its largest entry."""

ROUNDING = 1e-9
"""Entries below this fraction of the largest are rounding noise of the basis."""


@dataclass(frozen=True, eq=False)
class Stencil:
    """A few filters as combinations of sums and differences.

    **Arguments:**

    - `forms`: `(n, h_1, ..., h_D)`, the coefficients; the axes are in the order in which they are processed.
    - `order`: the spatial axis of each of these axes.
    - `kinds`: for each of these axes -1 (antisymmetric), +1 (symmetric) or 0 (neither).
    """

    forms: np.ndarray
    order: tuple[int, ...]
    kinds: tuple[int, ...]


def make_stencil(filters: Float[np.ndarray, "filters *sides"]) -> Stencil:
    """Fold filters `(n, *(M,)*D)` along the axes of their common symmetries."""
    D = filters.ndim - 1
    size = np.abs(filters).max(initial=0.0)
    forms = np.where(np.abs(filters) > ROUNDING * size, filters, 0.0)
    kinds = [_symmetry(filters, axis, SYMMETRY_TOLERANCE * size) for axis in range(D)]
    for axis, kind in enumerate(kinds):
        if kind:
            forms = _half(forms, axis + 1, kind)
    # A stable sort: differences first, then all others, each from the first axis to the last.
    order = sorted(range(D), key=lambda axis: kinds[axis] != -1)
    forms = np.transpose(forms, (0, *(axis + 1 for axis in order)))
    return Stencil(forms, tuple(order), tuple(kinds[axis] for axis in order))


def apply_stencil(
    stencil: Stencil,
    x: Float[Array, "*leading_padded"],
    axes: Sequence[ConvAxis],
    side: int,
    first: int,
) -> list[Float[Array, "*leading_new_spatial"]]:
    """Apply every filter of a stencil to an image that is padded already.

    **Arguments:**

    - `stencil`: the filters.
    - `x`: the image; its axes `first, first + 1, ...` are spatial.
    - `axes`: the geometry of the spatial axes.
    - `side`: the side `M` of the filters.
    - `first`: the first spatial axis.

    **Returns:** one image for each filter, `n` in all.
    """
    return _apply(stencil, len(stencil.order), stencil.forms, x, axes, side, first)


def _apply(
    stencil: Stencil,
    depth: int,
    forms: np.ndarray,
    x: Array,
    axes: Sequence[ConvAxis],
    side: int,
    first: int,
) -> list[Array]:
    """Form the combinations over the first `depth` axes of a stencil; `forms` is `(n, h_1, ..., h_depth)`."""
    if depth == 0:
        return [_times(x, float(c)) for c in forms]
    axis, kind = stencil.order[depth - 1], stencil.kinds[depth - 1]
    terms = [
        (row, j) for row in range(len(forms)) for j in range(forms.shape[-1]) if np.any(forms[row, ..., j])
    ]
    distinct: list[np.ndarray] = []
    found: dict[bytes, int] = {}
    places: dict[tuple[int, int], tuple[int, float]] = {}
    for row, j in terms:
        inner = forms[row, ..., j]
        scale = float(inner.flat[np.flatnonzero(inner)[0]])
        unit = inner / scale
        index = found.setdefault(np.round(unit, 9).tobytes(), len(distinct))
        if index == len(distinct):
            distinct.append(unit)
        places[row, j] = index, scale
    if not distinct:
        raise AssertionError("a stencil without entries")
    images = _apply(stencil, depth - 1, np.stack(distinct), x, axes, side, first)
    made: dict[tuple[int, int], Array] = {}
    results: list[Array | None] = [None] * len(forms)
    for (row, j), (index, scale) in places.items():
        if (index, j) not in made:
            made[index, j] = _symbol(images[index], kind, j, axes[axis], side, first + axis)
        results[row] = _plus(results[row], made[index, j], scale)
    if any(result is None for result in results):
        raise AssertionError("a filter that is zero")
    return [result for result in results if result is not None]


def _symbol(x: Array, kind: int, j: int, axis: ConvAxis, side: int, position: int) -> Array:
    """Return the `j`-th sum or difference (or tap, for kind 0) along an axis."""
    length = (axis.output(side) - 1) * axis.stride + 1

    def tap(t: int) -> Array:
        start = t * axis.dilation
        return lax.slice_in_dim(x, start, start + length, axis.stride, axis=position)

    if kind == 0:
        return tap(j)
    upper = side // 2 + j if kind > 0 else (side + 1) // 2 + j
    lower = side - 1 - upper
    if upper == lower:
        return tap(upper)
    return tap(upper) + tap(lower) if kind > 0 else tap(upper) - tap(lower)


def _times(x: Array, factor: float) -> Array:
    return x if factor == 1 else -x if factor == -1 else x * np.asarray(factor, x.dtype)


def _plus(total: Array | None, x: Array, factor: float) -> Array:
    if total is None:
        return _times(x, factor)
    return total - _times(x, -factor) if factor < 0 else total + _times(x, factor)


def _symmetry(filters: np.ndarray, axis: int, tolerance: float) -> int:
    mirrored = np.flip(filters, axis + 1)
    if np.abs(filters - mirrored).max(initial=0.0) <= tolerance:
        return 1
    if np.abs(filters + mirrored).max(initial=0.0) <= tolerance:
        return -1
    return 0


def _half(forms: np.ndarray, axis: int, kind: int) -> np.ndarray:
    """Return the upper half of the taps along an axis, with the centre if the filters are symmetric."""
    side = forms.shape[axis]
    start = side // 2 if kind > 0 else (side + 1) // 2
    return np.take(forms, range(start, side), axis=axis)
