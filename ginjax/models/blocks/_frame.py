"""What the layers of one network have in common."""

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
    """Makes the layers of a network from what its spec says of all of them.

    - `sources`, `middle`, `targets`: signatures of input, inside and output; of a plain network, of scalars.
    - `bank`: the filters; None for a plain network.
    - `keys`: random keys, one for each layer in the order in which they are made.
    - `shared`: arguments of every layer.
    - `activation_f`, `nonlinearity`: of every block that has one.
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
        """**Arguments:**

        - `spec`: of the network. Its options `depth` (channels inside), `mid_keys`, `equivariant`, `use_bias`,
          `activation_f`, `kernel_size` and `padding_mode` count, as far as the architecture has them.
        - `D`: the dimension.
        - `conv_filters`: filters in that dimension, unless the network is plain.
        - `key`: random key of the initial weights.
        - `product_filters`: for the 2-tensors of products; made by `product_bank` beside `conv_filters` if None.

        **Raises:** `ArgumentError` for filters or signatures that do not fit, and for products without an activation of
        the scalars or in a plain network.
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
        """A `ConvBlock`; `options` are its arguments, and win over what the network says."""
        common: dict[str, Any] = self.shared | {
            "activation_f": self.activation_f,
            "nonlinearity": self.nonlinearity,
            "product_filters": self.product_bank,
            "conv_filters": self.bank,
            "key": next(self.keys),
        }
        return ConvBlock(self.D, inputs, outputs, **(common | options))

    def first(self, inputs: Signature, outputs: Signature, **options: Any) -> ConvBlock:
        """The first block of a network: products, which come before their convolution, are left to the next block."""
        bare = {"activation_f": None, "use_group_norm": False, "use_batch_norm": False}
        return self.block(inputs, outputs, **(options | (bare if self.nonlinearity == "product" else {})))

    def last(self, inputs: Signature, outputs: Signature, **options: Any) -> ConvBlock:
        """The last block of a network: what follows its convolution would be no output."""
        return self.block(
            inputs, outputs, **options, **({} if self.nonlinearity == "product" else {"activation_f": None})
        )

    def conv(self, inputs: Signature, outputs: Signature, **options: Any) -> Convolution:
        """A convolution by itself; `options` are arguments of `make_conv`, and win over what the network says."""
        common: dict[str, Any] = self.shared | {"invariant_filters": self.bank, "key": next(self.keys)}
        return make_conv(self.D, inputs, outputs, **(common | options))
