"""A network of even-sided filters with a stride: no architecture of the library has one, condition (C) covers it."""

from collections.abc import Mapping
from typing import Any

import equinox as eqx

from ginjax.filters import FilterBank
from ginjax.geometric import MultiImage, Signature
from ginjax.layers import ConvContract
from ginjax.models import AnyDimensionalModel, ModelSpec
from ginjax.models.blocks._conv_block import ConvBlock

NAME = "StridedSeries"


class StridedSeries(AnyDimensionalModel):
    """Halve the grid by filters of stride 2 without padding, with norm and nonlinearity, then convolve once more.

    With `transposed` the second convolution doubles the grid again.
    """

    down: ConvBlock
    last: ConvContract
    spec: ModelSpec = eqx.field(static=True)
    D: int = eqx.field(static=True)

    def __init__(self, spec: ModelSpec, D: int, banks: Any, key: Any):
        middle = spec.option("mid_keys") or Signature((key, 2) for key, _ in spec.inputs)
        doubling: dict[str, Any] = {"lhs_dilation": 2, "padding": 1}
        self.down = ConvBlock(
            D,
            spec.inputs,
            middle,
            conv_filters=banks["conv"],
            use_group_norm=True,
            stride=2,
            padding="VALID",
        )
        self.last = ConvContract(
            middle, spec.outputs, banks["conv"], **(doubling if spec.option("transposed") else {})
        )
        self.spec, self.D = spec, D

    @classmethod
    def from_spec(
        cls, spec: ModelSpec, D: int, banks: Mapping[str, FilterBank], key: Any = None
    ) -> "StridedSeries":
        return cls(spec, D, banks, key)

    def __call__(self, x: MultiImage, aux_data: Any = None) -> tuple[MultiImage, Any]:
        return self.last(self.down(x)[0]), aux_data
