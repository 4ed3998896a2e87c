"""The geometry of a convolution along one axis (spreading, padding, taps, stride), and its adjoint."""

from collections.abc import Sequence
from dataclasses import dataclass

import jax.numpy as jnp
from jax import Array, lax
from jaxtyping import Num


@dataclass(frozen=True)
class ConvAxis:
    """A convolution along one axis: `y(p) = sum_t f(t) x(p * stride + t * dilation - low)`, with `x` after spreading.

    **Arguments:**

    - `size`: the number of pixels of the input.
    - `low`, `high`: the number of pixels added at either end: zeros or, with `wraps`, the periodic continuation. Negative
      numbers remove pixels.
    - `stride`: the distance between the pixels of the output.
    - `spread`: the distance between the pixels of the input, with zeros between them; a periodic signal stays periodic.
    - `dilation`: the distance between taps.
    - `wraps`: whether the axis is periodic.
    """

    size: int
    low: int = 0
    high: int = 0
    stride: int = 1
    spread: int = 1
    dilation: int = 1
    wraps: bool = False

    @property
    def tail(self) -> int:
        """The number of zeros after the last pixel of a spread periodic signal, whose period is `size * spread`."""
        return self.spread - 1 if self.wraps else 0

    @property
    def padded(self) -> int:
        """The number of pixels after spreading and padding."""
        return (self.size - 1) * self.spread + 1 + self.tail + self.low + self.high

    def output(self, side: int) -> int:
        """Return the number of pixels of the output, for filters of `side` pixels."""
        return (self.padded - (side - 1) * self.dilation - 1) // self.stride + 1

    def adjoint(self, side: int) -> "ConvAxis":
        """Return the adjoint, from the pixels of the output to those of the input; it takes the taps in reverse order.

        With `wraps` the stride must divide the period.
        """
        reach = (side - 1) * self.dilation
        size, low = self.output(side), reach - self.low
        high = self.low if self.wraps else (self.size - 1) * self.spread - (size - 1) * self.stride + self.low
        return ConvAxis(size, low, high, self.spread, self.stride, self.dilation, self.wraps)


def pad_axes(
    x: Num[Array, "*leading_spatial"], axes: Sequence[ConvAxis], first: int
) -> Num[Array, "*leading_padded"]:
    """Spread and pad the axes `first, first + 1, ...`, so that a convolution without padding remains."""
    widths = [(0, 0, 0)] * x.ndim
    for position, axis in enumerate(axes, first):
        low, high = (0, axis.tail) if axis.wraps else (axis.low, axis.high)
        widths[position] = (low, high, axis.spread - 1)
    if any(w != (0, 0, 0) for w in widths):
        x = lax.pad(x, jnp.zeros((), x.dtype), widths)
    for position, axis in enumerate(axes, first):
        if axis.wraps:
            x = _wrap(x, position, axis.low, axis.high)
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
