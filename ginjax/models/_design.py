"""A model from a handful of plain settings, the same words for every architecture."""

from dataclasses import dataclass
from typing import Any

import jax

from ..errors import ArgumentError
from ..filters import BankRecipe, FilterBank, make_bank
from ..geometric import Signature, signature_union
from ..transfer import ConvLayer, role_keys
from ._activation import activation_name
from ._build import ARCHITECTURES, build_model
from ._module import AnyDimensionalModel
from ._spec import ModelSpec, signature_to_rows

FULL_SIDE_3 = BankRecipe(3)
"""Every invariant filter of side 3."""

UPSAMPLE_RECIPE = BankRecipe(2)
"""Filters of a transposed up-convolution: every invariant filter of side 2."""


@dataclass(frozen=True)
class ModelDesign:
    """Settings that make a model in any dimension.

    **Arguments:**

    - `architecture`: a name in `ARCHITECTURES`.
    - `inputs`, `outputs`: signatures.
    - `channels`: channels of each key in the middle. The middle has every key of input and output, and even
      scalars, through which vectors can act on each other.
    - `blocks`: residual blocks (`ResNet`, `DilResNet`), convolutions a level (`UNet`), layers
      (`SimpleConvSeries`).
    - `levels`: down-samplings of a `UNet`.
    - `recipe`: of the filters.
    - `activation`, `norm`, `bias`: nonlinearity by name, whether blocks are normalised, and `use_bias`.
    - `upsample`: of a `UNet`; `"repeat"` converts exactly for every signature.
    """

    architecture: str
    inputs: Signature
    outputs: Signature
    channels: int = 16
    blocks: int = 2
    levels: int = 2
    recipe: BankRecipe = FULL_SIDE_3
    activation: str | None = "tanh"
    norm: bool = False
    bias: str | bool = "auto"
    upsample: str = "repeat"

    @property
    def middle(self) -> Signature:
        return signature_union(signature_union(self.inputs, self.outputs, 1), [((0, 0), 1)], self.channels)

    def spec(self) -> ModelSpec:
        """The specification of the model."""
        common: dict[str, Any] = {"use_bias": self.bias, "activation_f": activation_name(self.activation)}
        framed = common | {"depth": self.channels, "mid_keys": self.middle, "equivariant": True}
        match self.architecture:
            case "ResNet" | "DilResNet":
                options = framed | {"num_blocks": self.blocks, "use_group_norm": self.norm}
            case "UNet":
                options = framed | {
                    "num_downsamples": self.levels,
                    "num_conv": self.blocks,
                    "use_group_norm": self.norm,
                    "upsample": self.upsample,
                }
            case "SimpleConvSeries":
                if self.norm:
                    raise ArgumentError(
                        "norm", got="SimpleConvSeries", expected="an architecture with a norm"
                    )
                options = common | {"width": self.channels, "depth": self.blocks}
            case _:
                raise ArgumentError(
                    "architecture", got=repr(self.architecture), expected=" or ".join(ARCHITECTURES)
                )
        return ModelSpec.make(self.architecture, self.inputs, self.outputs, **options)

    def banks(self, D: int) -> dict[str, FilterBank]:
        """The filters it uses in dimension `D`, by role."""
        everything = signature_to_rows(
            signature_union(signature_union(self.inputs, self.outputs, 1), self.middle, 1)
        )
        keys = role_keys((ConvLayer("", "conv", everything, everything),), "conv")
        banks = {"conv": make_bank(D, self.recipe, keys)}
        if self.architecture == "UNet" and self.upsample == "transpose":
            banks["upsample"] = make_bank(D, UPSAMPLE_RECIPE, keys)
        return banks

    def build(self, D: int, seed: int = 0) -> AnyDimensionalModel:
        """An untrained model in dimension `D`; the same seed gives the same weights."""
        return build_model(self.spec(), D, self.banks(D), jax.random.key(seed))
