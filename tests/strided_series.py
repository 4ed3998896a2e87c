"""A network of even-sided filters with a stride: no architecture of the library has one, condition (C) covers it."""

from typing import Any, ClassVar

import equinox as eqx

from ginjax.filters import FilterBank
from ginjax.geometric import MultiImage, Signature
from ginjax.layers import ConvContract, UseBias
from ginjax.models import AnyDimensionalModel, ConvBlock, ModelSpec


class StridedSeries(AnyDimensionalModel):
    """Halve the grid by filters of stride 2 without padding, with norm and nonlinearity, then convolve once more.

    With `transposed` the second convolution doubles the grid again.
    """

    architecture: ClassVar[str] = "StridedSeries"

    down: ConvBlock
    last: ConvContract
    spec: ModelSpec = eqx.field(static=True)
    D: int = eqx.field(static=True)

    def __init__(
        self,
        D: int,
        input_keys: Any,
        output_keys: Any,
        use_bias: UseBias = "auto",
        mid_keys: Any = None,
        transposed: bool = False,
        conv_filters: FilterBank | None = None,
        key: Any = None,
    ):
        self.D, self.spec = D, self.spec_of(locals())
        middle = Signature(mid_keys or [(key, 2) for key, _ in self.spec.inputs])
        doubling: dict[str, Any] = {"lhs_dilation": 2, "padding": 1} if transposed else {}
        self.down = ConvBlock(
            D,
            self.spec.inputs,
            middle,
            use_bias,
            conv_filters=conv_filters,
            use_group_norm=True,
            stride=2,
            padding="VALID",
        )
        self.last = ConvContract(middle, self.spec.outputs, conv_filters, use_bias, **doubling)

    def __call__(self, x: MultiImage, aux_data: Any = None) -> tuple[MultiImage, Any]:
        return self.last(self.down(x)[0]), aux_data
