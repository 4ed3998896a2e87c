"""Residual network with normalisation before each nonlinearity."""

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


class ResNet(ResidualNet):
    r"""Encoder, residual blocks, decoder: `x -> x + block(x)`.

    Each block is `num_conv` times norm -> nonlinearity -> conv. Encoder and decoder are two blocks each, without
    norm and in the order conv -> nonlinearity; the last one has no nonlinearity.

    ??? cite "Reference"

        He et al., *Identity Mappings in Deep Residual Networks*, 2016, arXiv:1603.05027.
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
        padding_mode: str = "ZEROS",
        key: Array | None = None,
    ):
        """**Arguments:**

        - `D`, `input_keys`, `output_keys`: dimension and signatures.
        - `depth`: channels of each key in the middle (`mid_keys` overrides it).
        - `num_blocks`, `num_conv`: residual blocks, and convolutions in each.
        - `use_bias`, `activation_f`: see `ConvContract` and `handle_activation`.
        - `equivariant`, `conv_filters`, `kernel_size`, `padding_mode`: see `make_conv`.
        - `use_group_norm`, `preactivation_order`: of the residual blocks.
        """
        for name, value in (("num_blocks", num_blocks), ("num_conv", num_conv)):
            check_count(name, value)
        sources, middle, targets = layer_signatures(D, input_keys, output_keys, mid_keys, depth, equivariant)
        bank = bank_for(D, equivariant, conv_filters)
        make = block_maker(D, use_bias, activation_f, equivariant, bank, padding_mode, keys_from(key))
        self.encoder = make_encoder(make, sources, middle)
        self.blocks = [
            [
                make(
                    middle,
                    middle,
                    kernel_size,
                    use_group_norm=use_group_norm,
                    preactivation_order=preactivation_order,
                )
                for _ in range(num_conv)
            ]
            for _ in range(num_blocks)
        ]
        self.decoder = make_decoder(make, middle, targets)
        self.D = D
        self.spec = ModelSpec.make(
            "ResNet",
            input_keys,
            output_keys,
            depth=depth,
            num_blocks=num_blocks,
            num_conv=num_conv,
            use_bias=use_bias,
            activation_f=activation_name(activation_f),
            equivariant=equivariant,
            kernel_size=kernel_size,
            use_group_norm=use_group_norm,
            preactivation_order=preactivation_order,
            mid_keys=None if mid_keys is None else field_signature(mid_keys),
            padding_mode=padding_mode,
        )
