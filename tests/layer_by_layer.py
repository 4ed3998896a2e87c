"""Networks run one compiled layer after the other.

A network as a whole is compiled anew for each architecture and depth; its layers are few, and the same ones serve many
networks. What is computed is the same; only what a compiler might do across two layers is not.
"""

from typing import Any

import equinox as eqx
import jax

from ginjax.geometric import MultiImage
from ginjax.layers import ConvContract, GroupNorm, MaxNormPool, VectorNeuronNonlinear

LAYERS = (ConvContract, GroupNorm, MaxNormPool, VectorNeuronNonlinear)

_call = eqx.filter_jit(lambda layer, *args: layer(*args))


class Compiled(eqx.Module):
    """A layer whose call is compiled."""

    layer: Any

    def __call__(self, *args: Any) -> Any:
        return _call(self.layer, *args)


def run_by_layer(model: Any, x: MultiImage) -> MultiImage:
    """`model(x)` without the auxiliary data."""

    def is_layer(node: Any) -> bool:
        return isinstance(node, LAYERS)

    def wrapped(node: Any) -> Any:
        return Compiled(node) if is_layer(node) else node

    return jax.tree_util.tree_map(wrapped, model, is_leaf=is_layer)(x)[0]
