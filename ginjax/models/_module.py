"""The interface of every module on multi-images."""

from typing import Any

import equinox as eqx

from ..geometric import MultiImage


class MultiImageModule(eqx.Module):
    """A map from one sample, and auxiliary data passed along, to one sample. The identity by default."""

    def __call__(self, x: MultiImage, aux_data: Any = None) -> tuple[MultiImage, Any]:
        return x, aux_data
