"""The frame of residual networks: encoder, blocks with a skip around each, decoder."""

from collections.abc import Callable, Iterator
from typing import Any

import equinox as eqx
from jax import Array

from ...filters import FilterBank
from ...geometric import MultiImage, Signature
from ...layers import UseBias
from .._module import AnyDimensionalModel
from ._activation import Activation
from ._conv_block import ConvBlock
from ._edges import enter, leave, run

MakeBlock = Callable[..., ConvBlock]


class ResidualNet(AnyDimensionalModel):
    """`x -> decoder(x_n)`, `x_0 = encoder(x)`, `x_{i+1} = x_i + block_i(x_i)`; abstract.

    Encoder and decoder are two blocks each, without norm and in the order conv -> nonlinearity; the last one has
    no nonlinearity. Plain, their kernels have side 1.
    """

    encoder: eqx.AbstractVar[list[ConvBlock]]
    blocks: eqx.AbstractVar[list[list[ConvBlock]]]
    decoder: eqx.AbstractVar[list[ConvBlock]]

    def __call__(self, x: MultiImage, aux_data: Any = None) -> tuple[MultiImage, Any]:
        equivariant = self.spec.equivariant
        x, aux_data = run(self.encoder, enter(x, equivariant), aux_data)
        for block in self.blocks:
            y, aux_data = run(block, x, aux_data)
            x = x + y
        x, aux_data = run(self.decoder, x, aux_data)
        return leave(x, equivariant, self.spec.outputs), aux_data


def block_maker(
    D: int,
    use_bias: UseBias,
    activation_f: Activation,
    equivariant: bool,
    bank: FilterBank | None,
    padding_mode: str,
    keys: Iterator[Array],
) -> MakeBlock:
    """What the blocks of one network have in common: `make(inputs, outputs, kernel_size, **options)`."""

    def make(inputs: Signature, outputs: Signature, kernel_size: int | None, **options: Any) -> ConvBlock:
        return ConvBlock(
            D,
            inputs,
            outputs,
            use_bias,
            options.pop("activation_f", activation_f),
            equivariant,
            bank,
            kernel_size,
            padding_mode=padding_mode,
            key=next(keys),
            **options,
        )

    return make


def make_encoder(make: MakeBlock, sources: Signature, middle: Signature) -> list[ConvBlock]:
    return [make(sources, middle, 1), make(middle, middle, 1)]


def make_decoder(make: MakeBlock, middle: Signature, targets: Signature) -> list[ConvBlock]:
    return [make(middle, middle, 1), make(middle, targets, 1, activation_f=None)]
