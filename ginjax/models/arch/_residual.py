"""The frame of residual networks: encoder, blocks with a skip around each, decoder."""

from collections.abc import Mapping
from typing import Any, ClassVar

import equinox as eqx

from ...geometric import MultiImage
from .._any_dimensional import AnyDimensionalModel
from ..blocks import ConvBlock, Frame, run


class ResidualNet(AnyDimensionalModel):
    """`x -> decoder(x_n)`, `x_0 = encoder(x)`, `x_{i+1} = x_i + block_i(x_i)`; abstract.

    Encoder and decoder are two blocks each, without norm and in the order conv -> nonlinearity; the last one has
    no nonlinearity. Plain, their kernels have side 1.
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
    """Two blocks of one pixel, from the inputs to the channels inside."""
    return [
        frame.first(frame.sources, frame.middle, kernel_size=1),
        frame.block(frame.middle, frame.middle, kernel_size=1),
    ]


def make_decoder(frame: Frame) -> list[ConvBlock]:
    """Two blocks of one pixel, from the channels inside to the outputs."""
    return [
        frame.block(frame.middle, frame.middle, kernel_size=1),
        frame.last(frame.middle, frame.targets, kernel_size=1),
    ]
