"""Plain convolutions computed tap by tap.

XLA's gradients of a convolution in three dimensions with few channels take twenty times as long on a processor as
one matrix product over all taps. The rival is to be measured at its best, so it gets the product; what it computes is
the same.
"""

from __future__ import annotations

import itertools
from typing import Any, TypeVar

import equinox as eqx
import jax
import jax.numpy as jnp
from jax import Array
from jaxtyping import Float

_Model = TypeVar("_Model")


class TapConv(eqx.Module):
    """A periodic convolution of stride 1, `y(x) = sum_r W_r z(x + r) + b`, as `eqx.nn.Conv` has it."""

    weight: Float[Array, "out in *sides"]
    bias: Float[Array, "out ..."] | None

    def __call__(self, x: Float[Array, "in *spatial"], *, key: Any = None) -> Float[Array, "out *spatial"]:
        y = _convolved(x, self.weight)
        return y if self.bias is None else y + self.bias


@jax.custom_vjp
def _convolved(
    x: Float[Array, "in *spatial"], weight: Float[Array, "out in *sides"]
) -> Float[Array, "out *spatial"]:
    kernel = weight.reshape(len(weight), -1)
    return (kernel @ _neighbours(x, weight.shape[2:])).reshape(-1, *x.shape[1:])


def _neighbours(x: Float[Array, "in *spatial"], sides: tuple[int, ...]) -> Float[Array, "taps pixels"]:
    """For each channel and tap the values that the tap meets."""
    padded = jnp.pad(x, [(0, 0), *((side // 2, side // 2) for side in sides)], mode="wrap")
    moved = [
        padded[(slice(None), *(slice(tap, tap + n) for tap, n in zip(taps, x.shape[1:], strict=True)))]
        for taps in itertools.product(*map(range, sides))
    ]
    return jnp.stack(moved, 1).reshape(len(x) * len(moved), -1)


def _forward(x: Array, weight: Array) -> tuple[Array, tuple[Array, Array]]:
    return _convolved(x, weight), (x, weight)


def _backward(saved: tuple[Array, Array], cotangent: Array) -> tuple[Array, Array]:
    """By hand: the transpose is a convolution too, and XLA's own of pads and slices takes three times as long."""
    x, weight = saved
    turned = jnp.flip(jnp.swapaxes(weight, 0, 1), range(2, weight.ndim))
    of_weight = cotangent.reshape(len(cotangent), -1) @ _neighbours(x, weight.shape[2:]).T
    return _convolved(cotangent, turned), of_weight.reshape(weight.shape)


_convolved.defvjp(_forward, _backward)


def with_taps(model: _Model) -> _Model:
    """The same network with every `eqx.nn.Conv` computed so; its arrays are the same in the same order.

    **Raises:** `ValueError` for a convolution of another kind.
    """

    def replaced(layer: Any) -> Any:
        if not _is_conv(layer):
            return layer
        plain = (layer.stride, layer.dilation, layer.padding_mode.upper(), layer.groups)
        ones = (1,) * layer.num_spatial_dims
        if plain != (ones, ones, "CIRCULAR", 1) or any(side % 2 == 0 for side in layer.kernel_size):
            raise ValueError(f"a convolution with {plain}, side {layer.kernel_size}")
        return TapConv(layer.weight, layer.bias)

    return jax.tree.map(replaced, model, is_leaf=_is_conv)


def with_weights_of(model: _Model, taps: Any) -> _Model:
    """A network of the library with the arrays of one of `with_taps`."""
    return jax.tree.unflatten(jax.tree.structure(model), jax.tree.leaves(taps))


def _is_conv(layer: Any) -> bool:
    return isinstance(layer, eqx.nn.Conv)
