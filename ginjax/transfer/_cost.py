"""The cost of running a network, from its layer table."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass

import numpy as np

from ginjax.filters import FilterBank

from ._layers import ConvLayer, filter_key
from ._plain import PlainLayer
from ._plain_check import channel_count


@dataclass(frozen=True)
class Cost:
    """The cost of one forward pass on one sample.

    **Arguments:**

    - `flops`: floating-point operations of the convolutions; a multiplication and an addition count as two. Every
      tap of a dense kernel is counted, also on the padding, but not on the zeros between the pixels of a dilated input.
    - `field_bytes`: bytes of the input and the output of a convolution together, for the largest convolution.
    """

    flops: int
    field_bytes: int


def cost(
    layers: Sequence[ConvLayer], banks: Mapping[str, FilterBank], side: int, item_bytes: int = 4
) -> Cost:
    """Compute the cost of the convolutions of a model on a grid of equal sides.

    **Arguments:**

    - `layers`: the layer table.
    - `banks`: the filters by role.
    - `side`: grid points along each axis at the input.
    - `item_bytes`: bytes of one number.
    """
    rows = []
    for layer in layers:
        bank = banks[layer.role]
        channels = sum(
            c_in * c_out * bank.D ** (source[0] + target[0])
            for source, c_in, target, c_out in layer.paths()
            if bank.blocks.get(filter_key(source, target))
        )
        values = tuple(channel_count(fields, bank.D) for fields in (layer.inputs, layer.outputs))
        grid = _Grid(side, layer.level, layer.stride, layer.input_dilation, bank.side)
        rows.append((grid.multiplications(bank.D) * channels, grid.values(values, bank.D)))
    return _total(rows, item_bytes)


def plain_cost(
    layers: Sequence[PlainLayer], arrays: Mapping[str, np.ndarray], D: int, side: int, item_bytes: int = 4
) -> Cost:
    """Compute the cost of a model of plain convolutions, as `cost` does for equivariant ones.

    **Arguments:**

    - `layers`: the table of plain convolutions.
    - `arrays`: the arrays of the model by name.
    - `D`: its dimension.
    - `side`, `item_bytes`: as in `cost`.
    """
    rows = []
    for layer in layers:
        shape = arrays[f"{layer.name}.weight"].shape
        grid = _Grid(side, layer.level, 1, shape[-1] if layer.transposed else 1, shape[-1])
        rows.append((grid.multiplications(D) * shape[0] * shape[1], grid.values((shape[1], shape[0]), D)))
    return _total(rows, item_bytes)


@dataclass(frozen=True)
class _Grid:
    """The grids on either side of one convolution."""

    side: int
    level: int
    stride: int
    input_dilation: int
    filter_side: int

    @property
    def output(self) -> int:
        return max(1, self.side >> self.level)

    @property
    def input(self) -> int:
        return max(1, self.output * self.stride // self.input_dilation)

    def multiplications(self, D: int) -> int:
        """Number of pairs of output pixel and tap that meets a pixel, not a zero in between: one tap in `input_dilation`."""
        return max(1, self.filter_side * self.output // self.input_dilation) ** D

    def values(self, channels: tuple[int, ...], D: int) -> int:
        return channels[0] * self.input**D + channels[1] * self.output**D


def _total(rows: Iterable[tuple[int, int]], item_bytes: int) -> Cost:
    """The total from the multiplications and the numbers of values of each convolution."""
    rows = list(rows)
    largest = max((values for _, values in rows), default=0)
    return Cost(2 * sum(products for products, _ in rows), largest * item_bytes)
