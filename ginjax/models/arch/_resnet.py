"""The residual network with normalisation before each nonlinearity."""

from collections.abc import Mapping, Sequence
from typing import Any, ClassVar

import equinox as eqx
import jax
from jax import Array

from ...filters import FilterBank
from ...geometric import MultiImage
from ...layers import UseBias
from .._spec import MAX_CHANNELS, ModelSpec
from ..blocks import MAX_KERNEL, Activation, ConvBlock, Frame, Nonlinearity
from ._residual import ResidualNet, make_decoder, make_encoder


class ResNet(ResidualNet):
    r"""A residual network: encoder, residual blocks `x -> x + block(x)`, decoder.

    Each residual block is `num_conv` times norm -> nonlinearity -> conv. Encoder and decoder have two blocks each, without
    norm and in the order conv -> nonlinearity; the last block has no nonlinearity.

    ??? cite "Reference"

        He et al., *Identity Mappings in Deep Residual Networks*, 2016, arXiv:1603.05027.
    """

    architecture: ClassVar[str] = "ResNet"
    sizes: ClassVar[Mapping[str, int]] = {"depth": MAX_CHANNELS, "kernel_size": MAX_KERNEL}
    repeats: ClassVar[Mapping[str, int]] = {"num_blocks": 4096, "num_conv": 4096}

    encoder: list[ConvBlock]
    blocks: list[list[ConvBlock]]
    decoder: list[ConvBlock]
    spec: ModelSpec = eqx.field(static=True)
    D: int = eqx.field(static=True)

    def __init__(
        self,
        D: int,
        input_keys: Any,
        output_keys: Any,
        depth: int,
        num_blocks: int = 8,
        num_conv: int = 2,
        use_bias: UseBias = "auto",
        activation_f: Activation = jax.nn.gelu,
        equivariant: bool = True,
        conv_filters: MultiImage | FilterBank | None = None,
        kernel_size: int | None = None,
        use_group_norm: bool = True,
        preactivation_order: bool = True,
        mid_keys: Any = None,
        padding_mode: str | Sequence[str] = "ZEROS",
        key: Array | None = None,
        nonlinearity: Nonlinearity = "vector-neuron",
        product_filters: MultiImage | FilterBank | None = None,
    ):
        """**Arguments:**

        - `D`, `input_keys`, `output_keys`: dimension and signatures.
        - `depth`: the number of hidden channels of each key.
        - `num_blocks`, `num_conv`: the number of residual blocks, and of convolutions in each.
        - `use_bias`, `activation_f`: see `ConvContract` and `handle_activation`.
        - `equivariant`, `conv_filters`, `kernel_size`, `padding_mode`: see `make_conv`.
        - `use_group_norm`, `preactivation_order`: the options of the residual blocks, see `ConvBlock`.
        - `mid_keys`: the hidden signature, instead of `depth` channels for every key of input and output.
        - `key`: random key of the initial weights.
        - `nonlinearity`: `"vector-neuron"`, or `"product"` for products of fields, see `ginjax.layers.ProductNonlinear`.
        - `product_filters`: the filters for the 2-tensors of products; None makes filters of the side of `conv_filters`.
        """
        self.D, self.spec = D, self.spec_of(locals())
        frame = Frame.of(self.spec, D, conv_filters, key, product_filters)
        self.encoder = make_encoder(frame)
        self.blocks = [
            [
                frame.block(
                    frame.middle,
                    frame.middle,
                    use_group_norm=use_group_norm,
                    preactivation_order=preactivation_order,
                )
                for _ in range(num_conv)
            ]
            for _ in range(num_blocks)
        ]
        self.decoder = make_decoder(frame)

    @classmethod
    def least_layers(cls, options: Mapping[str, Any]) -> int:
        return options["num_blocks"] * options["num_conv"]
