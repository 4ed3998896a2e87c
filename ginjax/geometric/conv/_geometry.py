"""The geometry of a convolution: strides, dilations, padding, and periodic axes."""

from collections.abc import Sequence
from dataclasses import dataclass
from numbers import Integral
from typing import Literal

from jax import Array
from jaxtyping import Num

from ...errors import ArgumentError
from ._axes import ConvAxis, pad_axes
from ._walls import PaddingMode, padding_modes

Padding = None | Literal["TORUS", "VALID", "SAME"] | int | Sequence[tuple[int, int]]


@dataclass(frozen=True)
class ConvGeometry:
    """The geometry of a convolution, with one entry per axis in every attribute.

    **Arguments:**

    - `stride`: as in `jax.lax.conv_general_dilated`.
    - `input_dilation`, `filter_dilation`: `lhs_dilation` and `rhs_dilation` of `jax.lax.conv_general_dilated`.
    - `padding`: `"TORUS"`, `"VALID"`, `"SAME"`, or a pair of numbers of zeros for each axis. `"TORUS"` wraps periodic axes and
      pads all others; at stride 1 the output is as large as the input.
    - `is_torus`: which axes are periodic; it matters for `"TORUS"` and `padding_mode`.
    - `padding_mode`: how the field continues beyond the ends of an axis that is not periodic, if `padding` is `"TORUS"` or
      `"SAME"`; empty for zeros along all axes.
    """

    stride: tuple[int, ...]
    input_dilation: tuple[int, ...]
    filter_dilation: tuple[int, ...]
    padding: str | tuple[tuple[int, int], ...]
    is_torus: tuple[bool, ...]
    padding_mode: tuple[PaddingMode, ...] = ()

    @classmethod
    def resolve(
        cls,
        D: int,
        is_torus: Sequence[bool],
        stride: int | Sequence[int] = 1,
        padding: Padding = None,
        lhs_dilation: int | Sequence[int] | None = None,
        rhs_dilation: int | Sequence[int] = 1,
        padding_mode: str | Sequence[str] = "zeros",
    ) -> "ConvGeometry":
        """Make a geometry from short forms; `padding=None` means `"TORUS"` if any axis is periodic, else `"SAME"`."""
        modes = padding_modes(padding_mode, D)
        return cls(
            stride=_per_axis("stride", stride, D),
            input_dilation=_per_axis("lhs_dilation", 1 if lhs_dilation is None else lhs_dilation, D),
            filter_dilation=_per_axis("rhs_dilation", rhs_dilation, D),
            padding=_resolve_padding(padding, D, any(is_torus)),
            is_torus=tuple(is_torus),
            padding_mode=() if set(modes) == {"zeros"} else modes,
        )

    @property
    def modes(self) -> tuple[PaddingMode, ...]:
        """The padding mode of each axis, `"zeros"` for a periodic one; empty if all are zeros or `padding` has no modes."""
        if not self.padding_mode or self.padding not in ("TORUS", "SAME"):
            return ()
        return tuple(
            "zeros" if periodic else mode
            for periodic, mode in zip(self.is_torus, self.padding_mode, strict=True)
        )

    def axes(self, sizes: Sequence[int], side: int) -> tuple[ConvAxis, ...]:
        """Return the geometry along each axis, for an input of `sizes` pixels and filters of side `side`."""
        return tuple(
            ConvAxis(
                size,
                *self._widths(axis, size, side),
                self.stride[axis],
                self.input_dilation[axis],
                self.filter_dilation[axis],
                wraps=self.padding == "TORUS" and self.is_torus[axis],
            )
            for axis, size in enumerate(sizes)
        )

    def pad(self, x: Num[Array, "*leading_spatial"], first: int, side: int) -> Num[Array, "*leading_padded"]:
        """Dilate and pad the spatial axes `first, first+1, ...` so that a `"VALID"` convolution remains."""
        sizes = x.shape[first : first + len(self.stride)]
        return pad_axes(x, self.axes(sizes, side), first)

    def _widths(self, axis: int, size: int, side: int) -> tuple[int, int]:
        """Return the numbers of pixels, wrapped or zero, that are added at both ends of an axis after input dilation."""
        reach = (side - 1) * self.filter_dilation[axis]
        if isinstance(self.padding, tuple):
            return self.padding[axis]
        if self.padding == "VALID":
            return 0, 0
        if self.padding == "SAME":
            n, step = (size - 1) * self.input_dilation[axis] + 1, self.stride[axis]
            missing = max((-(-n // step) - 1) * step + reach + 1 - n, 0)
            return missing // 2, missing - missing // 2
        return reach // 2, reach - reach // 2


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
