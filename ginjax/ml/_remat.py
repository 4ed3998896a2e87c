"""Less memory for more work: activations inside a block are computed again on the way back."""

from __future__ import annotations

from typing import Any, TypeVar

import equinox as eqx
import jax

from ginjax.models import ConvBlock

_T = TypeVar("_T")


class _Recomputed(eqx.Module):
    """A block of which only the input is kept for the gradient."""

    block: ConvBlock

    def __call__(self, x: Any, aux_data: Any = None) -> tuple[Any, Any]:
        return eqx.filter_checkpoint(self.block)(x, aux_data)


def rematerialised(model: _T) -> _T:
    """The same function with less to remember: every `ConvBlock` keeps its input alone for the gradient.

    Each block is computed twice. This is for use inside a loss, where the gradient finds its way to the
    parameters; a model to be kept stays as it is.

    **Arguments:**

    - `model`: any model; what is not inside a `ConvBlock` is left alone.

    **Returns:** a model of the same values and gradients.
    """
    return jax.tree.map(
        lambda node: _Recomputed(node) if isinstance(node, ConvBlock) else node,
        model,
        is_leaf=lambda node: isinstance(node, ConvBlock),
    )
