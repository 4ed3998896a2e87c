"""The interfaces of models on multi-images."""

from collections.abc import Mapping
from typing import Any, ClassVar, Self

import equinox as eqx
from jax import Array

from ..filters import FilterBank
from ..geometric import MultiImage, Rescaling
from ._convert import convert_certified, transfer_certified
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
    - `bank_roles`: the filter banks it is built from, each handed to the constructor as `<role>_filters`.
    """

    bank_roles: ClassVar[tuple[str, ...]] = ("conv",)

    spec: eqx.AbstractVar[ModelSpec]
    D: eqx.AbstractVar[int]

    @classmethod
    def from_spec(
        cls, spec: ModelSpec, D: int, banks: Mapping[str, FilterBank], key: Array | None = None
    ) -> Self:
        """An untrained model of this class.

        **Arguments:**

        - `spec`: what to build; its architecture is this class.
        - `D`: the dimension.
        - `banks`: filters by role.
        - `key`: random key of the initial weights.
        """
        filters = {f"{role}_filters": banks.get(role) for role in cls.bank_roles}
        build: Any = cls
        return build(D, spec.inputs, spec.outputs, **dict(spec.options), **filters, key=key)

    @property
    def grid_factor(self) -> int:
        """A whole number that the sides of the grid must be multiples of."""
        return 1

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
        banks = {"conv": conv_filters}
        if upsample_filters is not None:
            banks["upsample"] = upsample_filters
        return convert_certified(self, banks, rescale, flex)[0]

    def transfer_weights(
        self, new_model: "AnyDimensionalModel", rescale: Rescaling | str, verbose: bool = False
    ) -> "AnyDimensionalModel":
        """`new_model` with this model's weights, transferred by a rule. Neither model is changed."""
        return transfer_certified(self, new_model, rescale)[0]
