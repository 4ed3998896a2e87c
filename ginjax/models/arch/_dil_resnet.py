"""The residual network of dilated convolutions."""

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

DILATIONS = (1, 2, 4, 8, 4, 2, 1)


class DilResNet(ResidualNet):
    r"""A residual network of dilated convolutions: encoder, residual blocks, decoder.

    A residual block has seven convolutions with dilations 1, 2, 4, 8, 4, 2, 1. Encoder and decoder have two blocks each,
    without norm; the last block has no nonlinearity.

    ??? cite "Reference"

        Stachenfeld et al., *Learned Coarse Models for Efficient Turbulence Simulation*, 2022, arXiv:2112.15275.
    """

    architecture: ClassVar[str] = "DilResNet"
    sizes: ClassVar[Mapping[str, int]] = {"depth": MAX_CHANNELS, "kernel_size": MAX_KERNEL}
    repeats: ClassVar[Mapping[str, int]] = {"num_blocks": 4096}

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
        num_blocks: int = 4,
        use_bias: UseBias = "auto",
        activation_f: Activation = jax.nn.relu,
        equivariant: bool = True,
        conv_filters: MultiImage | FilterBank | None = None,
        kernel_size: int | None = None,
        use_group_norm: bool = False,
        mid_keys: Any = None,
        padding_mode: str | Sequence[str] = "ZEROS",
        key: Array | None = None,
        nonlinearity: Nonlinearity = "vector-neuron",
        product_filters: MultiImage | FilterBank | None = None,
    ):
        """Arguments as in `ResNet`, without `num_conv` and `preactivation_order`.

        The blocks are conv -> norm -> nonlinearity or, with products, norm -> products -> conv.
        """
        self.D, self.spec = D, self.spec_of(locals())
        frame = Frame.of(self.spec, D, conv_filters, key, product_filters)
        self.encoder = make_encoder(frame)
        self.blocks = [
            [
                frame.block(frame.middle, frame.middle, use_group_norm=use_group_norm, rhs_dilation=dilation)
                for dilation in DILATIONS
            ]
            for _ in range(num_blocks)
        ]
        self.decoder = make_decoder(frame)

    @classmethod
    def least_layers(cls, options: Mapping[str, Any]) -> int:
        return options["num_blocks"] * len(DILATIONS)
