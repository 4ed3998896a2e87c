"""A network described by plain settings, before it is known for which fields."""

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
    """The settings of a network, whatever its fields and dimension; every default stands here.

    **Arguments:**

    - `architecture`: "resnet", "dilresnet", "unet" or "series", or the name in lower case of one that was registered or
      installed, see `register_architecture`.
    - `channels`: hidden channels for each tensor order and parity.
    - `blocks`: number of residual blocks (resnet, dilresnet), of convolutions at each level (unet) or of layers (series).
    - `levels`: number of down-samplings of a unet.
    - `side`, `support`: of the filters: side in pixels; "full", "cut" or "orthoplex".
    - `recipe`: of the filters, instead of `side` and `support`.
    - `activation`: a name in `ACTIVATION_REGISTRY`, or "none".
    - `norm`: group normalisation in the blocks.
    - `bias`: "auto", "scalar", "mean" or "none", see `ginjax.layers.ConvContract`.
    - `upsample`: of a unet: "repeat" converts exactly for every signature, "transpose" for scalars.
    - `plain`: an ordinary CNN on the components instead.
    - `nonlinearity`: "vector-neuron", or "product": pointwise products of fields, see `ginjax.layers.ProductNonlinear`.
    - `padding`: how the network goes on beyond the ends of axes that are not periodic: "zeros", "mirror" or "edge", see
      `ginjax.layers.ConvContract`; one word for all of them, or by the name of the axis, such as `{"y": "mirror"}`. None is
      `DEFAULT_PADDING`, along the axes that a mapping does not name too.

    **Raises:** `ArgumentError` for an unknown architecture, or an option that would be ignored.
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
        """Settings that change nothing, given the architecture and whether the network is plain."""
        words = ARCHITECTURES[ARCHITECTURE_NAMES[self.architecture]].words
        found = tuple(name for name in WORDS if name not in words)
        return (*found, "recipe", "support") if self.plain else found

    def check_used(self, names: Collection[str]) -> None:
        """Refuse settings that would be ignored.

        **Arguments:**

        - `names`: of settings that were asked for, whatever their values.

        **Raises:** `ArgumentError` for the first that changes nothing.
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
        """The design of the network for some fields.

        **Arguments:**

        - `inputs`: one field for each channel of the input, see `DataContract.inputs`.
        - `outputs`: the fields predicted.
        - `axes`: of the data; none for periodic ones.

        **Raises:** `ArgumentError` for a `padding` of axes that are periodic, or that are not there.
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
    """How many fields there are of each order and parity."""
    counts: dict[tuple[int, int], int] = {}
    for each in fields:
        counts[each.k, each.p] = counts.get((each.k, each.p), 0) + 1
    return Signature((((False,) * k, p), count) for (k, p), count in counts.items())
