"""The structure of residual networks: encoder, blocks with skip connections, decoder."""

from collections.abc import Mapping
from typing import Any, ClassVar

import equinox as eqx

from ...geometric import MultiImage
from .._any_dimensional import AnyDimensionalModel
from ..blocks import ConvBlock, Frame, run


class ResidualNet(AnyDimensionalModel):
    """The abstract residual network `x -> decoder(x_n)`, with `x_0 = encoder(x)` and `x_{i+1} = x_i + block_i(x_i)`.

    Encoder and decoder have two blocks each, without norm and in the order conv -> nonlinearity. The last block has no
    nonlinearity. In a plain network their kernels have side 1.
    """

    words: ClassVar[Mapping[str, str]] = {
        "channels": "depth",
        "blocks": "num_blocks",
        "activation": "activation_f",
        "norm": "use_group_norm",
        "bias": "use_bias",
        "plain": "equivariant",
        "nonlinearity": "nonlinearity",
        "padding": "padding_mode",
    }
    added_options: ClassVar[frozenset[str]] = frozenset({"nonlinearity"})
    first_convs: ClassVar[tuple[str, ...]] = ("encoder.0.conv",)
    last_convs: ClassVar[tuple[str, ...]] = ("decoder.1.conv",)

    encoder: eqx.AbstractVar[list[ConvBlock]]
    blocks: eqx.AbstractVar[list[list[ConvBlock]]]
    decoder: eqx.AbstractVar[list[ConvBlock]]

    def __call__(self, x: MultiImage, aux_data: Any = None) -> tuple[MultiImage, Any]:
        inner, aux_data = run(self.encoder, self.enter(x), aux_data)
        for block in self.blocks:
            y, aux_data = run(block, inner, aux_data)
            inner = inner + y
        inner, aux_data = run(self.decoder, inner, aux_data)
        return self.leave(inner), aux_data


def make_encoder(frame: Frame) -> list[ConvBlock]:
    """Make two blocks, of kernels of one pixel if plain, from the inputs to the hidden channels."""
    return [
        frame.first(frame.sources, frame.middle, kernel_size=1),
        frame.block(frame.middle, frame.middle, kernel_size=1),
    ]


def make_decoder(frame: Frame) -> list[ConvBlock]:
    """Make two blocks, of kernels of one pixel if plain, from the hidden channels to the outputs."""
    return [
        frame.block(frame.middle, frame.middle, kernel_size=1),
        frame.last(frame.middle, frame.targets, kernel_size=1),
    ]
