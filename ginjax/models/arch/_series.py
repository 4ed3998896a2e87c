"""A series of convolutions without skip connections."""

import itertools
from collections.abc import Mapping, Sequence
from typing import Any, ClassVar

import equinox as eqx
from jax import Array

from ...filters import FilterBank
from ...geometric import MultiImage, signature_union
from ...layers import UseBias, as_bank, field_signature
from .._any_dimensional import AnyDimensionalModel
from .._settings import NetworkSettings
from .._spec import MAX_CHANNELS, ModelSpec
from ..blocks import Activation, ConvBlock, Nonlinearity, check_nonlinearity, keys_from, product_bank, run


class SimpleConvSeries(AnyDimensionalModel):
    """A series of `depth` blocks conv -> nonlinearity, the last one without nonlinearity; always equivariant."""

    architecture: ClassVar[str] = "SimpleConvSeries"
    words: ClassVar[Mapping[str, str]] = {
        "channels": "width",
        "blocks": "depth",
        "activation": "activation_f",
        "bias": "use_bias",
        "nonlinearity": "nonlinearity",
        "padding": "padding_mode",
    }
    added_options: ClassVar[frozenset[str]] = frozenset({"nonlinearity", "padding_mode", "mid_keys"})
    sizes: ClassVar[Mapping[str, int]] = {"width": MAX_CHANNELS}
    repeats: ClassVar[Mapping[str, int]] = {"depth": 4096}

    layers: list[ConvBlock]
    spec: ModelSpec = eqx.field(static=True)
    D: int = eqx.field(static=True)

    def __init__(
        self,
        input_keys: Any,
        target_keys: Any,
        conv_filters: MultiImage | FilterBank,
        width: int,
        depth: int,
        use_bias: UseBias,
        activation_f: Activation,
        key: Array | None = None,
        nonlinearity: Nonlinearity = "vector-neuron",
        product_filters: MultiImage | FilterBank | None = None,
        padding_mode: str | Sequence[str] = "ZEROS",
        mid_keys: Any = None,
    ):
        """**Arguments:**

        - `input_keys`, `target_keys`: signatures of input and output.
        - `conv_filters`: the filters; their dimension is that of the model.
        - `width`: the number of channels between blocks, for every key of input and output.
        - `depth`: the number of blocks, 1 or more.
        - `use_bias`, `activation_f`: see `ConvContract` and `handle_activation`.
        - `key`: random key of the initial weights.
        - `nonlinearity`, `product_filters`: as in `ResNet`. Products come before the convolution of their block; the first
          block has none.
        - `padding_mode`: see `make_conv`.
        - `mid_keys`: the signature between blocks, instead of that of `width`.
        """
        self.spec = self.spec_of(locals())
        bank = as_bank(conv_filters)
        sources, targets = field_signature(input_keys), field_signature(target_keys)
        middle = signature_union(sources, targets, width) if mid_keys is None else field_signature(mid_keys)
        keys = keys_from(key)
        check_nonlinearity(nonlinearity, True, activation_f is not None)
        products = nonlinearity == "product"
        product_filters = product_bank(bank) if products and product_filters is None else product_filters
        bare = 0 if products else depth - 1
        chain = [sources, *[middle] * (depth - 1), targets]
        self.layers = [
            ConvBlock(
                bank.D,
                a,
                b,
                use_bias,
                None if i == bare else activation_f,
                conv_filters=bank,
                key=next(keys),
                nonlinearity=nonlinearity,
                product_filters=product_filters,
                padding_mode=padding_mode,
            )
            for i, (a, b) in enumerate(itertools.pairwise(chain))
        ]
        self.D = bank.D

    @classmethod
    def options_from(cls, settings: NetworkSettings) -> dict[str, Any]:
        # A new series has the keys of input and output inside; only a network whose fields changed has others.
        options = super().options_from(settings)
        options.pop("mid_keys", None)
        return options

    @classmethod
    def command_name(cls) -> str:
        # This name is older than the rule for all other classes, which also holds for subclasses with another name.
        return "series" if cls is SimpleConvSeries else super().command_name()

    @property
    def output_convs(self) -> tuple[str, ...]:
        return (f"layers.{len(self.layers) - 1}.conv",)

    def __call__(self, x: MultiImage, aux_data: Any = None) -> tuple[MultiImage, Any]:
        y, aux_data = run(self.layers, self.enter(x), aux_data)
        return self.leave(y), aux_data
