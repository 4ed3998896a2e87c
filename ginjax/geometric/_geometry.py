"""The geometry of a convolution: strides, dilations, padding, and which axes wrap."""

from collections.abc import Sequence
from dataclasses import dataclass
from numbers import Integral
from typing import Literal

import jax.numpy as jnp
from jax import Array, lax

from ..errors import ArgumentError

Padding = None | Literal["TORUS", "VALID", "SAME"] | int | Sequence[tuple[int, int]]


@dataclass(frozen=True)
class ConvGeometry:
    """How a filter of side `M` meets a grid, with one entry per axis everywhere.

    - `stride`, `input_dilation`, `filter_dilation`: as in `jax.lax.conv_general_dilated`.
    - `padding`: `"TORUS"` (wrap on periodic axes, zeros elsewhere, the output as large as the input at stride 1),
      `"VALID"`, `"SAME"`, or literal pairs of zeros.
    - `is_torus`: which axes are periodic; only `"TORUS"` looks at it.
    """

    stride: tuple[int, ...]
    input_dilation: tuple[int, ...]
    filter_dilation: tuple[int, ...]
    padding: str | tuple[tuple[int, int], ...]
    is_torus: tuple[bool, ...]

    @classmethod
    def resolve(
        cls,
        D: int,
        is_torus: Sequence[bool],
        stride: int | Sequence[int] = 1,
        padding: Padding = None,
        lhs_dilation: int | Sequence[int] | None = None,
        rhs_dilation: int | Sequence[int] = 1,
    ) -> "ConvGeometry":
        """Spell out the short forms; `padding=None` means `"TORUS"` if any axis is periodic, else `"SAME"`."""
        return cls(
            stride=_per_axis("stride", stride, D),
            input_dilation=_per_axis("lhs_dilation", 1 if lhs_dilation is None else lhs_dilation, D),
            filter_dilation=_per_axis("rhs_dilation", rhs_dilation, D),
            padding=_resolve_padding(padding, D, any(is_torus)),
            is_torus=tuple(is_torus),
        )

    def pad(self, x: Array, first: int, side: int) -> Array:
        """Dilate and pad the spatial axes `first, first+1, ...` so that a `"VALID"` convolution remains."""
        widths = [(0, 0, 0)] * x.ndim
        wraps: list[tuple[int, int, int]] = []
        for axis, (n, step, dilation, zeros) in enumerate(
            zip(x.shape[first:], self.stride, self.input_dilation, self.filter_dilation, strict=False)
        ):
            reach = (side - 1) * zeros
            low, high = reach // 2, reach - reach // 2
            tail = 0
            if isinstance(self.padding, tuple):
                low, high = self.padding[axis]
            elif self.padding == "VALID":
                low = high = 0
            elif self.padding == "SAME":
                n = (n - 1) * dilation + 1
                missing = max((-(-n // step) - 1) * step + reach + 1 - n, 0)
                low, high = missing // 2, missing - missing // 2
            elif self.is_torus[axis]:
                wraps.append((first + axis, low, high))
                low = high = 0
                tail = dilation - 1  # the dilated signal has period n * dilation
            widths[first + axis] = (low, high + tail, dilation - 1)
        if any(w != (0, 0, 0) for w in widths):
            x = lax.pad(x, jnp.zeros((), x.dtype), widths)
        for axis, low, high in wraps:
            x = _wrap(x, axis, low, high)
        return x


def _wrap(x: Array, axis: int, low: int, high: int) -> Array:
    """Continue `x` periodically by `low` and `high` pixels, however small the period."""
    if low == high == 0:
        return x
    n = x.shape[axis]
    if max(low, high) > n:
        index = jnp.arange(-low, n + high) % n
        return jnp.take(x, index, axis=axis)
    parts = [
        lax.slice_in_dim(x, n - low, n, axis=axis),
        x,
        lax.slice_in_dim(x, 0, high, axis=axis),
    ]
    return jnp.concatenate([part for part in parts if part.shape[axis]], axis=axis)


def _per_axis(name: str, value: int | Sequence[int], D: int) -> tuple[int, ...]:
    values = tuple(value) if isinstance(value, Sequence) else (value,) * D
    if len(values) != D or not all(_is_whole(v) and v >= 1 for v in values):
        raise ArgumentError(
            name, got=value, expected=f"a whole number, 1 or more, or {D} of them, one for each axis"
        )
    return tuple(int(v) for v in values)


def _resolve_padding(padding: Padding, D: int, any_torus: bool) -> str | tuple[tuple[int, int], ...]:
    if padding is None:
        return "TORUS" if any_torus else "SAME"
    if isinstance(padding, str):
        if padding not in ("TORUS", "VALID", "SAME"):
            raise ArgumentError(
                "padding", got=repr(padding), expected="TORUS, VALID, SAME, a number or pairs"
            )
        return padding
    pairs = tuple(padding) if isinstance(padding, Sequence) else ((padding, padding),) * D
    if len(pairs) != D or not all(_is_pair(p) for p in pairs):
        raise ArgumentError("padding", got=padding, expected=f"one number or {D} pairs of numbers")
    return tuple((int(low), int(high)) for low, high in pairs)


def _is_pair(value: object) -> bool:
    return isinstance(value, Sequence) and len(value) == 2 and all(_is_whole(v) for v in value)


def _is_whole(value: object) -> bool:
    return isinstance(value, Integral) and not isinstance(value, bool)
