"""A network described by plain settings, without its fields."""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass, fields
from typing import Literal

from .._unknown_name import unknown_name
from ..checkpoint import Axis, Field
from ..errors import ArgumentError
from ..filters import BankRecipe
from ..geometric import Signature
from ._architectures import ARCHITECTURE_NAMES, ARCHITECTURES, HOW_TO_REGISTER, OWN, WORDS
from ._design import ModelDesign
from ._wall_padding import DEFAULT_PADDING, Asked, asked_padding, padding_option_along

ArchitectureName = str
"""A name in `ARCHITECTURE_NAMES`."""


@dataclass(frozen=True)
class Network:
    """The settings of a network, with their defaults, for any fields and dimension.

    **Arguments:**

    - `architecture`: "resnet", "dilresnet", "unet" or "series", or the name in lower case of an architecture that was
      registered or installed, see `register_architecture`.
    - `channels`: the number of hidden channels for each tensor order and parity.
    - `blocks`: the number of residual blocks (resnet, dilresnet), of convolutions per level (unet) or of layers (series).
    - `levels`: the number of down-samplings of a unet.
    - `side`: the side of the filters in pixels.
    - `support`: the support of the filters: "full", "cut" or "orthoplex", see `ginjax.filters.BankRecipe`.
    - `recipe`: the recipe of the filters, instead of `side` and `support`.
    - `activation`: a name in `ACTIVATION_REGISTRY`, or "none".
    - `norm`: whether blocks have group normalisation.
    - `bias`: "auto", "scalar", "mean" or "none", see `ginjax.layers.ConvContract`.
    - `upsample`: the up-sampling of a unet. "repeat" converts exactly for every signature, "transpose" for scalars.
    - `plain`: whether to build an ordinary CNN on the components instead.
    - `nonlinearity`: "vector-neuron", or "product" for pointwise products of fields, see `ginjax.layers.ProductNonlinear`.
    - `padding`: how fields continue beyond the ends of axes that are not periodic: "zeros", "mirror" or "edge", see
      `ginjax.layers.ConvContract`. One word stands for all axes; a mapping has words by the name of the axis, such as
      `{"y": "mirror"}`. None, and every axis that a mapping does not name, is `DEFAULT_PADDING`.

    **Raises:** `ArgumentError` for an unknown architecture, or a setting that would be ignored.
    """

    architecture: ArchitectureName = "resnet"
    channels: int = 16
    blocks: int = 2
    levels: int = 2
    side: int = 3
    support: Literal["full", "cut", "orthoplex"] = "full"
    recipe: BankRecipe | None = None
    activation: str = "tanh"
    norm: bool = False
    bias: Literal["auto", "scalar", "mean", "none"] = "auto"
    upsample: Literal["repeat", "transpose"] = "repeat"
    plain: bool = False
    nonlinearity: Literal["vector-neuron", "product"] = "vector-neuron"
    padding: str | Mapping[str, str] | Asked | None = None

    def __post_init__(self) -> None:
        if self.architecture not in ARCHITECTURE_NAMES:
            raise unknown_name("architecture", self.architecture, ARCHITECTURE_NAMES, hint=HOW_TO_REGISTER)
        object.__setattr__(self, "padding", asked_padding(self.padding))
        changed = {each.name for each in fields(self) if getattr(self, each.name) != each.default}
        self.check_used(changed)
        if "recipe" in changed and changed & {"side", "support"}:
            name = "side" if "side" in changed else "support"
            raise ArgumentError(
                f"`{name}`", got="`recipe` as well, which says it already", expected="one of the two"
            )

    @property
    def unused(self) -> tuple[str, ...]:
        """The settings without effect, given the architecture and whether the network is plain."""
        words = ARCHITECTURES[ARCHITECTURE_NAMES[self.architecture]].words
        found = tuple(name for name in WORDS if name not in words)
        return (*found, "recipe", "support") if self.plain else found

    def check_used(self, names: Collection[str]) -> None:
        """Refuse settings that would be ignored.

        **Arguments:**

        - `names`: the names of the settings that were given, whatever their values.

        **Raises:** `ArgumentError` for the first setting without effect.
        """
        for name in self.unused:
            if name not in names:
                continue
            if name not in WORDS:
                raise ArgumentError(f"`{name}`", got="`plain=True`", expected="an equivariant network")
            others = " or ".join(cls.command_name() for cls in OWN if name in cls.words)
            raise ArgumentError(
                f"`{name}`", got=f"architecture {self.architecture!r}", expected=f"architecture {others}"
            )

    def design(
        self, inputs: Sequence[Field], outputs: Sequence[Field], axes: Sequence[Axis] = ()
    ) -> ModelDesign:
        """Make the design of the network for given fields.

        **Arguments:**

        - `inputs`: one field for each channel of the input, see `DataContract.inputs`.
        - `outputs`: the predicted fields.
        - `axes`: the axes of the data; empty if all are periodic.

        **Raises:** `ArgumentError` if `padding` names a periodic or unknown axis, or if all axes are periodic.
        """
        return ModelDesign(
            ARCHITECTURE_NAMES[self.architecture],
            signature_of(inputs),
            signature_of(outputs),
            channels=self.channels,
            blocks=self.blocks,
            levels=self.levels,
            recipe=self.recipe or BankRecipe(self.side, support=self.support),
            activation=None if self.activation == "none" else self.activation,
            norm=self.norm,
            bias=False if self.bias == "none" else self.bias,
            upsample=self.upsample,
            plain=self.plain,
            nonlinearity=self.nonlinearity,
            padding=self._padding(axes),
        )

    def _padding(self, axes: Sequence[Axis]) -> str | tuple[str, ...]:
        knows = "padding" in ARCHITECTURES[ARCHITECTURE_NAMES[self.architecture]].words
        return padding_option_along(
            axes, self.padding, DEFAULT_PADDING if knows else "zeros", plain=self.plain
        )


def signature_of(fields: Sequence[Field]) -> Signature:
    """Count the fields of each order and parity."""
    counts: dict[tuple[int, int], int] = {}
    for each in fields:
        counts[each.k, each.p] = counts.get((each.k, each.p), 0) + 1
    return Signature((((False,) * k, p), count) for (k, p), count in counts.items())
