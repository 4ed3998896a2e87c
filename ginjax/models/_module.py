"""The interfaces of models on multi-images."""

from typing import Any

import equinox as eqx
from jax import Array

from ..errors import UnsupportedError
from ..filters import FilterBank
from ..geometric import MultiImage, Rescaling
from ._rules import StaticRules
from ._spec import ModelSpec


class MultiImageModule(eqx.Module):
    """A map from one sample, and auxiliary data passed along, to one sample. The identity by default."""

    def __call__(self, x: MultiImage, aux_data: Any = None) -> tuple[MultiImage, Any]:
        return x, aux_data


class AnyDimensionalModel(StaticRules, MultiImageModule):
    """A model whose weights can be carried to another dimension.

    - `spec`: what it is, free of the dimension.
    - `D`: the dimension it works in.
    """

    spec: eqx.AbstractVar[ModelSpec]
    D: eqx.AbstractVar[int]

    def level_of(self, name: str) -> int:
        """Down-samplings between the input and the output of the convolution of that dotted name."""
        return 0

    def convertD(
        self,
        conv_filters: MultiImage | FilterBank,
        rescale: Rescaling | str = Rescaling.COMPATIBILITY,
        key: Array | None = None,
        *,
        upsample_filters: MultiImage | FilterBank | None = None,
        flex: float | None = None,
    ) -> "AnyDimensionalModel":
        """The same model in the dimension of `conv_filters`, with its weights transferred.

        **Arguments:**

        - `conv_filters`: filters in the new dimension, of the same recipe as the model's own.
        - `rescale`: the rule, by enum member or command-line name; see `ginjax.transfer.make_rule`.
        - `key`: unused by the transfer, which decides every weight; accepted for old scripts.
        - `upsample_filters`: needed by a UNet with transposed up-convolutions.
        - `flex`: for `compat-flex`.

        **Raises:** `UnsupportedError` for a model that is not equivariant.
        """
        from ._convert import convert_certified

        banks = {"conv": conv_filters}
        if upsample_filters is not None:
            banks["upsample"] = upsample_filters
        return convert_certified(self, banks, rescale, flex)[0]

    def transfer_weights(
        self, new_model: "AnyDimensionalModel", rescale: Rescaling | str, verbose: bool = False
    ) -> "AnyDimensionalModel":
        """`new_model` with this model's weights, transferred by a rule. Neither model is changed."""
        from ._convert import transfer_certified

        return transfer_certified(self, new_model, rescale)[0]


def require_equivariant(spec: ModelSpec) -> None:
    """Refuse what transfer by filter weights cannot do."""
    if not spec.equivariant:
        raise UnsupportedError(
            "dimension transfer of a model that is not equivariant",
            got=f"{spec.architecture} with equivariant=False",
            expected="an equivariant model",
            hint="Its kernels are not combinations of invariant filters; build the model with equivariant=True.",
        )
