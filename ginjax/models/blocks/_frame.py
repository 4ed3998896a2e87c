"""The settings that the layers of a network have in common."""

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

from jax import Array

from ...filters import FilterBank
from ...geometric import MultiImage, Signature
from .._spec import ModelSpec
from ._conv_block import ConvBlock
from ._edges import bank_for, keys_from, layer_signatures
from ._make_conv import Convolution, make_conv
from ._product_bank import Nonlinearity, check_nonlinearity, product_bank


@dataclass(frozen=True)
class Frame:
    """The common settings of all layers of a network, with methods that make the layers.

    - `sources`, `middle`, `targets`: signatures of input, hidden layers and output; in a plain network all are scalars.
    - `bank`: the filters; None for a plain network.
    - `keys`: random keys, one for each layer in the order in which the layers are made.
    - `shared`: the arguments of every layer.
    - `activation_f`, `nonlinearity`: the nonlinearity of every block that has one.
    - `product_bank`: the filters for the 2-tensors of products; None for another nonlinearity.
    """

    D: int
    sources: Signature
    middle: Signature
    targets: Signature
    bank: FilterBank | None
    keys: Iterator[Array]
    shared: dict[str, Any]
    activation_f: Any
    nonlinearity: Nonlinearity = "vector-neuron"
    product_bank: FilterBank | None = None

    @classmethod
    def of(
        cls,
        spec: ModelSpec,
        D: int,
        conv_filters: MultiImage | FilterBank | None = None,
        key: Array | None = None,
        product_filters: MultiImage | FilterBank | None = None,
    ) -> "Frame":
        """Make the frame of a network from its spec.

        **Arguments:**

        - `spec`: the spec of the network. The options `depth` (hidden channels), `mid_keys`, `equivariant`, `use_bias`,
          `activation_f`, `kernel_size`, `padding_mode` and `nonlinearity` are used, as far as the architecture has them.
        - `D`: the dimension.
        - `conv_filters`: filters in that dimension, unless the network is plain.
        - `key`: random key of the initial weights.
        - `product_filters`: the filters for the 2-tensors of products; None makes filters of the side of `conv_filters`.

        **Raises:** `ArgumentError` for filters or signatures that do not fit, and for products in a plain network or without
        an activation.
        """
        options = dict(spec.options)
        equivariant = spec.equivariant
        signatures = layer_signatures(
            D, spec.inputs, spec.outputs, options.get("mid_keys"), options.get("depth"), equivariant
        )
        names = ("use_bias", "kernel_size", "padding_mode")
        shared = {"use_bias": "auto"} | {name: options[name] for name in names if name in options}
        bank = bank_for(D, equivariant, conv_filters)
        nonlinearity = options.get("nonlinearity", "vector-neuron")
        check_nonlinearity(nonlinearity, equivariant, options.get("activation_f") is not None)
        products = nonlinearity == "product"
        if products and bank is not None and product_filters is None:
            product_filters = product_bank(bank)
        return cls(
            D,
            *signatures,
            bank=bank,
            keys=keys_from(key),
            shared=shared | {"equivariant": equivariant},
            activation_f=options.get("activation_f"),
            nonlinearity=nonlinearity,
            product_bank=bank_for(D, products, product_filters, "product_filters"),
        )

    def block(self, inputs: Signature, outputs: Signature, **options: Any) -> ConvBlock:
        """Make a `ConvBlock`; `options` are further arguments of it, and override the common settings."""
        common: dict[str, Any] = self.shared | {
            "activation_f": self.activation_f,
            "nonlinearity": self.nonlinearity,
            "product_filters": self.product_bank,
            "conv_filters": self.bank,
            "key": next(self.keys),
        }
        return ConvBlock(self.D, inputs, outputs, **(common | options))

    def first(self, inputs: Signature, outputs: Signature, **options: Any) -> ConvBlock:
        """Make the first block of a network; it has no products, because these would come before its convolution."""
        bare = {"activation_f": None, "use_group_norm": False, "use_batch_norm": False}
        return self.block(inputs, outputs, **(options | (bare if self.nonlinearity == "product" else {})))

    def last(self, inputs: Signature, outputs: Signature, **options: Any) -> ConvBlock:
        """Make the last block of a network; it has no nonlinearity after its convolution."""
        return self.block(
            inputs, outputs, **options, **({} if self.nonlinearity == "product" else {"activation_f": None})
        )

    def conv(self, inputs: Signature, outputs: Signature, **options: Any) -> Convolution:
        """Make a single convolution; `options` are further arguments of `make_conv`, and override the common settings."""
        common: dict[str, Any] = self.shared | {"invariant_filters": self.bank, "key": next(self.keys)}
        return make_conv(self.D, inputs, outputs, **(common | options))
