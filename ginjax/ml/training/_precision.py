"""Mixed precision: activations in bfloat16, and float32 for everything that needs more digits."""

from __future__ import annotations

from collections.abc import Callable
from typing import Literal, TypeVar

import equinox as eqx
import jax
import jax.numpy as jnp
from jax.typing import DTypeLike
from jaxtyping import PyTree

from ginjax.errors import ArgumentError
from ginjax.geometric import MultiImage
from ginjax.layers import ConvContract, GroupNorm, LayerWrapper, LayerWrapperAux, VectorNeuronNonlinear
from ginjax.models import MultiImageModule

Precision = Literal["float32", "bfloat16"]

_T = TypeVar("_T")

_LAYERS = (ConvContract, GroupNorm, LayerWrapper, LayerWrapperAux, VectorNeuronNonlinear)


def in_precision(model: _T, precision: Precision) -> _T | _Rounded:
    """Return the same function with activations in another precision.

    With `"bfloat16"`, fields pass between layers in bfloat16, and convolutions are computed in it (on CPUs: rounded to
    it). Norms and nonlinearities are computed in float32; parameters and the result stay float32. Use it inside a loss,
    where gradients reach the float32 parameters; the model itself does not change.

    **Arguments:**

    - `model`: any model.
    - `precision`: "bfloat16"; or "float32", which returns the model itself.

    **Raises:** `ArgumentError` for another name.
    """
    if precision not in ("float32", "bfloat16"):
        raise ArgumentError("precision", got=repr(precision), expected="float32 or bfloat16")
    if precision == "float32":
        return model
    return _Rounded(
        jax.tree.map(
            lambda node: _Layer(node, _is_convolution(node)) if isinstance(node, _LAYERS) else node,
            model,
            is_leaf=lambda node: isinstance(node, _LAYERS),
        )
    )


class _Layer(eqx.Module):
    """A layer with bfloat16 inputs and outputs."""

    layer: Callable
    low: bool = eqx.field(static=True)

    def __call__(self, x: MultiImage, *aux_data: PyTree) -> MultiImage | tuple[MultiImage, PyTree]:
        dtype = jnp.bfloat16 if self.low else jnp.float32
        result = cast(self.layer, dtype)(cast(x, dtype), *aux_data)
        if isinstance(result, tuple):
            return cast(result[0], jnp.bfloat16), *result[1:]
        return cast(result, jnp.bfloat16)


class _Rounded(MultiImageModule):
    """A network that works in bfloat16, with float32 inputs and outputs."""

    network: PyTree

    def __call__(self, x: MultiImage, aux_data: PyTree = None) -> tuple[MultiImage, PyTree]:
        y, aux_data = self.network(cast(x, jnp.bfloat16), aux_data)
        return cast(y, jnp.float32), aux_data


def cast(tree: _T, dtype: DTypeLike) -> _T:
    """Convert every floating-point array of a pytree to another precision."""
    return jax.tree.map(lambda leaf: leaf.astype(dtype) if eqx.is_inexact_array(leaf) else leaf, tree)


def _is_convolution(layer: eqx.Module) -> bool:
    if isinstance(layer, ConvContract):
        return True
    wrapped = jax.tree.leaves(
        layer, is_leaf=lambda node: isinstance(node, eqx.nn.Conv | eqx.nn.ConvTranspose)
    )
    return any(isinstance(node, eqx.nn.Conv | eqx.nn.ConvTranspose) for node in wrapped)
