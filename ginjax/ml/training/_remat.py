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
    """A block of which only the input is kept for the gradient."""

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
    """A function of parameters and input that keeps nothing but these for its gradient.

    Compilers for processors drop the barriers of `jax.checkpoint` and merge what is computed again with the first time
    it was computed, which keeps everything alive after all. They do not merge across a condition they cannot decide.
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
    """True unless a parameter is NaN or infinite, which no compiler can know."""
    first = next(leaf for leaf in jax.tree.leaves(parameters) if leaf.size)
    return first.ravel()[0] * 0 == 0


def rematerialised(model: _T) -> _T:
    """The same function with less to remember: every `ConvBlock` keeps its input alone for the gradient.

    Each block is computed twice. This is for use inside a loss, where the gradient finds its way to the
    parameters; a model to be kept stays as it is.

    **Arguments:**

    - `model`: any model; what is not inside a `ConvBlock` is left alone.

    **Returns:** a model of the same values and gradients, to be differentiated backwards.
    """
    return jax.tree.map(
        lambda node: _Recomputed(node) if isinstance(node, ConvBlock) else node,
        model,
        is_leaf=lambda node: isinstance(node, ConvBlock),
    )
