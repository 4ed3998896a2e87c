"""The design of a model: a few plain settings, the same for every architecture, that define it in any dimension."""

import math
from dataclasses import dataclass
from typing import Any

import jax

from ..checkpoint import check_bank_size
from ..errors import ArgumentError
from ..filters import FilterBank, make_bank
from ..geometric import signature_union
from ..transfer import ConvLayer, role_keys
from ._any_dimensional import AnyDimensionalModel
from ._architectures import find_architecture
from ._build import build_model, outline
from ._settings import NetworkSettings
from ._spec import ModelSpec, signature_to_rows
from .blocks import PRODUCT_KEYS, activation_name, check_nonlinearity

MAX_PARAMETERS = 2**30
"""The largest number of parameters of a model (4 GiB in float32)."""


@dataclass(frozen=True)
class ModelDesign(NetworkSettings):
    """Settings that define a model in any dimension.

    **Arguments:**

    - `architecture`: a name in `ARCHITECTURES`. The class's `words` say which of the settings below it uses.
    - `inputs`, `outputs`: signatures.
    - `channels`: the number of hidden channels of each key. The hidden keys are all keys of input and output, and even
      scalars, through which vectors can act on each other.
    - `blocks`: the number of residual blocks (`ResNet`, `DilResNet`), of convolutions per level (`UNet`), or of layers
      (`SimpleConvSeries`).
    - `levels`: the number of down-samplings of a `UNet`.
    - `recipe`: the recipe of the filters.
    - `activation`: the activation by name; None for the identity.
    - `norm`: whether blocks have group normalisation.
    - `bias`: the argument `use_bias` of the convolutions.
    - `upsample`: the up-sampling of a `UNet`; `"repeat"` converts exactly for every signature.
    - `nonlinearity`: `"vector-neuron"`, or `"product"`, see `ginjax.layers.ProductNonlinear`.
    - `padding`: how fields continue beyond axes that are not periodic: the option `padding_mode` of the architecture.
    - `plain`: whether to build an ordinary CNN on the components instead, with kernels as large as the recipe's filters.
    """

    def spec(self) -> ModelSpec:
        """Make the specification of the model.

        **Raises:** `ArgumentError` for an unknown architecture, activation or nonlinearity, or if a norm or a plain network is
        asked for and the architecture has none.
        """
        activation_name(self.activation)
        check_nonlinearity(self.nonlinearity, not self.plain, self.activation is not None)
        architecture = find_architecture(self.architecture)
        for word in ("norm", "plain"):
            if getattr(self, word) and word not in architecture.words:
                raise ArgumentError(
                    word,
                    got=f"architecture {self.architecture!r}, which has none",
                    expected="another architecture",
                )
        return ModelSpec.make(self.architecture, self.inputs, self.outputs, **architecture.options_from(self))

    def banks(self, D: int) -> dict[str, FilterBank]:
        """Make the filters of the model in dimension `D`, by role; a plain model has none."""
        if self.plain:
            return {}
        everything = signature_to_rows(
            signature_union(signature_union(self.inputs, self.outputs, 1), self.middle, 1)
        )
        keys = role_keys((ConvLayer("", "conv", everything, everything),), "conv")
        architecture = find_architecture(self.architecture)
        banks = {}
        for role, recipe in architecture.bank_recipes(self._options(), self.recipe).items():
            own = PRODUCT_KEYS if role == "product" else tuple(keys)
            check_bank_size(D, recipe.side, own, recipe)
            banks[role] = make_bank(D, recipe, own)
        return banks

    def build(self, D: int, seed: int = 0) -> AnyDimensionalModel:
        """Build an untrained model in dimension `D`; the same seed gives the same weights.

        **Raises:** `ArgumentError` if the settings do not fit each other, or for more than `MAX_PARAMETERS` parameters.
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
        """Refuse a side of the grid that the down-samplings do not divide, before any data are made for it."""
        architecture = find_architecture(self.architecture)
        factor = architecture.grid_factor_of(self._options())
        if side % factor == 0:
            return
        halvings = factor.bit_length() - 1
        why = f" for {halvings} down-samplings" if factor == 2**halvings else ""
        raise ArgumentError(
            "side of the grid",
            got=side,
            expected=f"a multiple of {factor}{why}",
            hint="Choose another side of the grid, or fewer `levels`."
            if "levels" in architecture.words
            else "Choose another side of the grid.",
        )

    def _options(self) -> dict[str, Any]:
        """Return all options of the model, with defaults."""
        return find_architecture(self.architecture).complete(dict(self.spec().options))
