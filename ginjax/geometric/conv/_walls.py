"""Continuation of a field beyond an axis that is not periodic: by zeros, its mirror image, or its last value."""

from collections.abc import Sequence
from dataclasses import replace
from typing import Literal, get_args

import jax.numpy as jnp
import numpy as np
from jax import Array, lax
from jaxtyping import Num

from ...errors import ArgumentError
from ._axes import ConvAxis

PaddingMode = Literal["zeros", "mirror", "edge"]
"""The field beyond a wall: zeros; the field reflected at the outer face of the last pixel; the last pixel repeated."""

PADDING_MODES: tuple[PaddingMode, ...] = get_args(PaddingMode)
"""All values of `PaddingMode`."""


def padding_modes(value: str | Sequence[str], D: int) -> tuple[PaddingMode, ...]:
    """Return one padding mode for each axis, given one word for all axes or one word per axis, in capitals or not.

    **Raises:** `ArgumentError` for an unknown word or a wrong number of words.
    """
    words = (value,) * D if isinstance(value, str) else tuple(value)
    found = tuple(word.lower() if isinstance(word, str) else word for word in words)
    if len(found) != D or any(word not in PADDING_MODES for word in found):
        raise ArgumentError(
            "padding_mode",
            got=repr(value)[:60],
            expected=f"{', '.join(PADDING_MODES)}, or {D} of them, one for each axis",
        )
    return found  # type: ignore[return-value]


def continue_axes(
    x: Num[Array, "*leading_spatial"],
    axes: Sequence[ConvAxis],
    modes: Sequence[PaddingMode],
    grades: Sequence[int] | None,
    first: int,
) -> tuple[Num[Array, "*leading_padded"], tuple[ConvAxis, ...]]:
    """Pad the axes that do not wrap by mirror image or edge value, and return the remaining geometry.

    **Arguments:**

    - `x`: the field; its axes `first, first + 1, ...` are spatial, and the axis before them is that of `grades`.
    - `axes`: the geometry along each spatial axis.
    - `modes`: the padding mode of each spatial axis. An axis that wraps or has the mode `"zeros"` is left as it is.
    - `grades`: for each entry of the axis before the spatial ones, a bit mask of the axes whose reflection changes its sign, as
      a mirror changes the sign of the vector component along its own axis. None reflects without sign changes.
    - `first`: the first spatial axis.

    **Returns:** the padded field, and the geometry for its convolution.

    **Raises:** `ArgumentError` for a padding as wide as the field or wider.
    """
    left = list(axes)
    for index, (axis, mode) in enumerate(zip(axes, modes, strict=True)):
        if mode == "zeros" or axis.wraps or axis.low <= 0 >= axis.high:
            continue
        low, high = (max(-(-width // axis.spread), 0) for width in (axis.low, axis.high))
        if max(low, high) >= axis.size:
            raise ArgumentError(
                f"pixels along axis {index} of the field",
                got=axis.size,
                expected=f"more than {max(low, high)}, the width that is padded by {mode!r}",
                hint="Use a larger grid, smaller filters or dilations, fewer down-samplings, or zeros beyond the wall.",
            )
        signs = None if grades is None or mode == "edge" else _signs(grades, index, x.ndim - first)
        x = _extended(x, first + index, low, high, mode, signs)
        if axis.spread > 1:
            # The padded field is spread; then the surplus pixels are removed.
            widths = [(0, 0, 0)] * x.ndim
            widths[first + index] = (
                axis.low - low * axis.spread,
                axis.high - high * axis.spread,
                axis.spread - 1,
            )
            x = lax.pad(x, jnp.zeros((), x.dtype), widths)
        left[index] = replace(axis, size=x.shape[first + index], low=0, high=0, spread=1)
    return x, tuple(left)


def _signs(grades: Sequence[int], axis: int, D: int) -> np.ndarray | None:
    """Return -1 for rows whose sign a reflection of the axis changes, else 1, `(rows, 1, ..., 1)`; None if all are 1."""
    odd = np.asarray([grade >> axis & 1 for grade in grades], bool)
    return np.where(odd, -1, 1).reshape(-1, *(1,) * D) if odd.any() else None


def _extended(x: Array, axis: int, low: int, high: int, mode: PaddingMode, signs: np.ndarray | None) -> Array:
    n = x.shape[axis]

    def beyond(width: int, at_start: bool) -> Array:
        if mode == "edge":
            pixel = (
                lax.slice_in_dim(x, 0, 1, axis=axis) if at_start else lax.slice_in_dim(x, n - 1, n, axis=axis)
            )
            return jnp.repeat(pixel, width, axis=axis)
        start = 0 if at_start else n - width
        image = lax.rev(lax.slice_in_dim(x, start, start + width, axis=axis), (axis,))
        return image if signs is None else image * signs.astype(x.dtype)

    before = [beyond(low, True)] if low else []
    after = [beyond(high, False)] if high else []
    return jnp.concatenate([*before, x, *after], axis=axis)
