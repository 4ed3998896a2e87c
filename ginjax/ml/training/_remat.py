"""Gradient checkpointing: activations inside a block are computed again in the backward pass, to save memory."""

from __future__ import annotations

from collections.abc import Callable
from typing import TypeVar

import equinox as eqx
import jax
import jax.numpy as jnp
from jax import Array, lax
from jaxtyping import PyTree, Shaped

from ginjax.geometric import MultiImage
from ginjax.models import ConvBlock

_T = TypeVar("_T")


class _Recomputed(eqx.Module):
    """A block that keeps only its input for the gradient."""

    block: ConvBlock

    def __call__(self, x: MultiImage, aux_data: PyTree = None) -> tuple[MultiImage, PyTree]:
        if aux_data is not None:
            return eqx.filter_checkpoint(self.block)(x, aux_data)
        parameters, static = eqx.partition(self.block, eqx.is_inexact_array)
        if not any(leaf.size for leaf in jax.tree.leaves(parameters)):
            return self.block(x, None)
        return _forgetful(lambda p, x: eqx.combine(p, static)(x, None)[0])(parameters, x), None


def _forgetful(
    function: Callable[[PyTree, MultiImage], MultiImage],
) -> Callable[[PyTree, MultiImage], MultiImage]:
    """Make a function of parameters and input that keeps only these for its gradient.

    Compilers for CPUs drop the barriers of `jax.checkpoint` and merge the second computation with the first, which keeps
    everything alive after all. They do not merge across a condition that they cannot decide.
    """
    forgetful = jax.custom_vjp(function)

    def backward(kept: tuple[PyTree, MultiImage], g: MultiImage) -> tuple[PyTree, MultiImage]:
        parameters, x = kept
        return lax.cond(
            _holds(parameters),
            lambda: jax.vjp(function, parameters, x)[1](g),
            lambda: jax.tree.map(jnp.zeros_like, (parameters, x)),
        )

    forgetful.defvjp(lambda parameters, x: (function(parameters, x), (parameters, x)), backward)
    return forgetful


def _holds(parameters: PyTree) -> Shaped[Array, ""]:
    """True unless a parameter is NaN or infinite, which the compiler cannot know."""
    first = next(leaf for leaf in jax.tree.leaves(parameters) if leaf.size)
    return first.ravel()[0] * 0 == 0


def rematerialised(model: _T) -> _T:
    """Return the same function with gradient checkpointing: every `ConvBlock` keeps only its input for the gradient.

    Each block is computed twice. Use it inside a loss, where gradients reach the parameters; the model itself does not
    change.

    **Arguments:**

    - `model`: any model; parts outside of a `ConvBlock` are not changed.

    **Returns:** a model with the same values and gradients, for backward differentiation.
    """
    return jax.tree.map(
        lambda node: _Recomputed(node) if isinstance(node, ConvBlock) else node,
        model,
        is_leaf=lambda node: isinstance(node, ConvBlock),
    )
