"""Residual network of dilated convolutions."""

from typing import Any

import equinox as eqx
import jax
from jax import Array

from ...filters import FilterBank
from ...geometric import MultiImage
from ...layers import UseBias, field_signature
from .._spec import ModelSpec
from ..blocks import (
    Activation,
    ConvBlock,
    ResidualNet,
    activation_name,
    bank_for,
    block_maker,
    check_count,
    keys_from,
    layer_signatures,
    make_decoder,
    make_encoder,
)

DILATIONS = (1, 2, 4, 8, 4, 2, 1)


class DilResNet(ResidualNet):
    r"""Encoder, residual blocks of seven convolutions with dilations 1, 2, 4, 8, 4, 2, 1, decoder.

    Encoder and decoder are two blocks each, without norm; the last one has no nonlinearity.

    ??? cite "Reference"

        Stachenfeld et al., *Learned Coarse Models for Efficient Turbulence Simulation*, 2022, arXiv:2112.15275.
    """

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
        padding_mode: str = "ZEROS",
        key: Array | None = None,
    ):
        """Arguments as in `ResNet`; a block is conv -> norm -> nonlinearity."""
        check_count("num_blocks", num_blocks)
        sources, middle, targets = layer_signatures(D, input_keys, output_keys, mid_keys, depth, equivariant)
        bank = bank_for(D, equivariant, conv_filters)
        make = block_maker(D, use_bias, activation_f, equivariant, bank, padding_mode, keys_from(key))
        self.encoder = make_encoder(make, sources, middle)
        self.blocks = [
            [
                make(middle, middle, kernel_size, use_group_norm=use_group_norm, rhs_dilation=dilation)
                for dilation in DILATIONS
            ]
            for _ in range(num_blocks)
        ]
        self.decoder = make_decoder(make, middle, targets)
        self.D = D
        self.spec = ModelSpec.make(
            "DilResNet",
            input_keys,
            output_keys,
            depth=depth,
            num_blocks=num_blocks,
            use_bias=use_bias,
            activation_f=activation_name(activation_f),
            equivariant=equivariant,
            kernel_size=kernel_size,
            use_group_norm=use_group_norm,
            mid_keys=None if mid_keys is None else field_signature(mid_keys),
            padding_mode=padding_mode,
        )
