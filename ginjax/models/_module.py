"""The interface of every module that acts on a `MultiImage`."""

from typing import Any

import equinox as eqx

from ..geometric import MultiImage


class MultiImageModule(eqx.Module):
    """A map from one sample to one sample that passes auxiliary data along; by default the identity."""

    def __call__(self, x: MultiImage, aux_data: Any = None) -> tuple[MultiImage, Any]:
        return x, aux_data
