"""How a field goes on beyond an axis that is not periodic: zeros, its mirror image, or its last value."""

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
"""Beyond a wall: nothing; the field reflected at the outer face of the last pixel; the last pixel again and again."""

PADDING_MODES: tuple[PaddingMode, ...] = get_args(PaddingMode)
"""Every `PaddingMode`."""


def padding_modes(value: str | Sequence[str], D: int) -> tuple[PaddingMode, ...]:
    """One mode for each axis, from one for all of them or one each, in capitals or not.

    **Raises:** `ArgumentError` for a word that is none, or another number of them.
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
    """Pad the axes that do not wrap by mirror image or edge, and say what geometry is left to do.

    **Arguments:**

    - `x`: the field; its axes `first, first + 1, ...` are spatial and the one before them is that of `grades`.
    - `axes`: the geometry along each of them.
    - `modes`: of each axis. An axis that wraps, or whose mode is `"zeros"`, is left as it is.
    - `grades`: for each row of the axis before the spatial ones, the axes under whose reflection it changes sign, as a bit
      mask: a mirror reflects the component of a vector along its own axis. None reflects values only.

    **Returns:** the padded field, and the geometry with which it remains to be convolved.

    **Raises:** `ArgumentError` for a padding as wide as the field: there would be nothing left to reflect.
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
            # The field is spread with what lies beyond it; then what is too much is taken away.
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
    """`(rows, 1, ..., 1)`: -1 where a reflection of an axis changes the sign; None if it does nowhere."""
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
