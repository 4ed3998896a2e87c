"""A model from a handful of plain settings, the same words for every architecture."""

import math
from dataclasses import dataclass
from typing import Any

import jax

from ..checkpoint import check_bank_size
from ..errors import ArgumentError
from ..filters import BankRecipe, FilterBank, make_bank
from ..geometric import Signature, signature_union
from ..transfer import ConvLayer, role_keys
from ._build import ARCHITECTURES, build_model, outline
from ._module import AnyDimensionalModel
from ._spec import ModelSpec, signature_to_rows
from .blocks import activation_name

FULL_SIDE_3 = BankRecipe(3)
"""Every invariant filter of side 3."""

UPSAMPLE_RECIPE = BankRecipe(2)
"""Filters of a transposed up-convolution: every invariant filter of side 2."""

MAX_PARAMETERS = 2**30
"""Largest model that is built (4 GiB in float32)."""


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
    - `plain`: an ordinary CNN on the components instead, with kernels as large as the recipe's filters.
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
    plain: bool = False

    @property
    def middle(self) -> Signature:
        return signature_union(signature_union(self.inputs, self.outputs, 1), [((0, 0), 1)], self.channels)

    def spec(self) -> ModelSpec:
        """The specification of the model."""
        common: dict[str, Any] = {"use_bias": self.bias, "activation_f": activation_name(self.activation)}
        framed = common | {"depth": self.channels, "equivariant": not self.plain}
        if self.plain:
            framed |= {"kernel_size": self.recipe.side, "padding_mode": "CIRCULAR"}
        else:
            framed["mid_keys"] = self.middle
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
                if self.norm or self.plain:
                    raise ArgumentError(
                        "norm or plain", got="SimpleConvSeries", expected="another architecture"
                    )
                options = common | {"width": self.channels, "depth": self.blocks}
            case _:
                raise ArgumentError(
                    "architecture", got=repr(self.architecture), expected=" or ".join(ARCHITECTURES)
                )
        return ModelSpec.make(self.architecture, self.inputs, self.outputs, **options)

    def banks(self, D: int) -> dict[str, FilterBank]:
        """The filters it uses in dimension `D`, by role; none if plain."""
        if self.plain:
            return {}
        everything = signature_to_rows(
            signature_union(signature_union(self.inputs, self.outputs, 1), self.middle, 1)
        )
        keys = role_keys((ConvLayer("", "conv", everything, everything),), "conv")
        check_bank_size(D, self.recipe.side, tuple(keys), self.recipe)
        banks = {"conv": make_bank(D, self.recipe, keys)}
        if self.architecture == "UNet" and self.upsample == "transpose":
            banks["upsample"] = make_bank(D, UPSAMPLE_RECIPE, keys)
        return banks

    def build(self, D: int, seed: int = 0) -> AnyDimensionalModel:
        """An untrained model in dimension `D`; the same seed gives the same weights.

        **Raises:** `ArgumentError` if the settings do not fit each other, or for a model past `MAX_PARAMETERS`.
        """
        parts = self.spec(), D, self.banks(D)
        shapes = jax.tree_util.tree_leaves(outline(*parts))
        leaves = [shape for shape in shapes if isinstance(shape, jax.ShapeDtypeStruct)]
        parameters = sum(math.prod(leaf.shape) for leaf in leaves)
        if parameters > MAX_PARAMETERS:
            raise ArgumentError(
                "size of the model",
                got=f"{parameters} parameters",
                expected=f"at most {MAX_PARAMETERS}",
                hint="Use fewer channels, blocks or levels, or a smaller side.",
            )
        return build_model(*parts, jax.random.key(seed))

    def check_grid(self, side: int) -> None:
        """Refuse a grid that the down-samplings of a `UNet` do not divide, before any data are made for it."""
        factor = 2**self.levels if self.architecture == "UNet" else 1
        if side % factor:
            raise ArgumentError(
                "side of the grid",
                got=side,
                expected=f"a multiple of {factor} for {self.levels} down-samplings",
                hint="Change --size, or use fewer --levels.",
            )
