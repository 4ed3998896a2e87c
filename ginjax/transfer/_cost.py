"""What a network costs to run, from its layer table."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from ginjax.filters import FilterBank

from ._layers import ConvLayer, filter_key


@dataclass(frozen=True)
class Cost:
    """Of one forward pass on one sample.

    - `flops`: floating-point operations of the convolutions, a multiplication and an addition counted as two,
      every tap of a dense kernel counted.
    - `field_bytes`: the largest input and output that one convolution holds at the same time.
    """

    flops: int
    field_bytes: int


def cost(
    layers: Sequence[ConvLayer], banks: Mapping[str, FilterBank], side: int, item_bytes: int = 4
) -> Cost:
    """The cost of the convolutions of a model on a grid of `side` pixels along each axis."""
    flops, largest = 0, 0
    for layer in layers:
        bank = banks[layer.role]
        pixels = max(1, side >> layer.level) ** bank.D
        taps = max(1, bank.side // layer.input_dilation) ** bank.D
        for source, c_in, target, c_out in layer.paths():
            block = bank.blocks.get(filter_key(source, target))
            if block is not None and len(block):
                channels = c_in * c_out * bank.D ** (source[0] + target[0])
                flops += 2 * channels * taps * pixels
        values = sum(c * bank.D**k for k, _, c in (*layer.inputs, *layer.outputs))
        largest = max(largest, values * pixels * item_bytes)
    return Cost(flops, largest)
