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
        sides, spatial = self.weight.shape[2:], x.shape[1:]
        padded = jnp.pad(x, [(0, 0), *((side // 2, side // 2) for side in sides)], mode="wrap")
        moved = [
            padded[(slice(None), *(slice(tap, tap + n) for tap, n in zip(taps, spatial, strict=True)))]
            for taps in itertools.product(*map(range, sides))
        ]
        stacked = jnp.stack(moved, 1).reshape(-1, *spatial)
        kernel = self.weight.reshape(len(self.weight), -1)
        y = jnp.tensordot(kernel, stacked, 1)
        return y if self.bias is None else y + self.bias


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
