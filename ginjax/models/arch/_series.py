"""Convolutions one after the other."""

import itertools
from collections.abc import Mapping
from typing import Any, Self

import equinox as eqx
from jax import Array

from ...filters import FilterBank
from ...geometric import MultiImage, signature_union
from ...layers import UseBias, as_bank, field_signature
from .._module import AnyDimensionalModel
from .._spec import ModelSpec
from ..blocks import Activation, ConvBlock, activation_name, check_count, enter, keys_from, leave, run


class SimpleConvSeries(AnyDimensionalModel):
    """`depth` blocks of conv -> nonlinearity; the last has no nonlinearity. Always equivariant."""

    layers: list[ConvBlock]
    spec: ModelSpec = eqx.field(static=True)
    D: int = eqx.field(static=True)

    def __init__(
        self,
        input_keys: Any,
        target_keys: Any,
        conv_filters: MultiImage | FilterBank,
        width: int,
        depth: int,
        use_bias: UseBias,
        activation_f: Activation,
        key: Array | None = None,
    ):
        """**Arguments:**

        - `input_keys`, `target_keys`: signatures. Between blocks every key of either has `width` channels.
        - `conv_filters`: the filters; their dimension is the model's.
        - `depth`: number of blocks, 1 or more.
        - `use_bias`, `activation_f`: see `ConvContract` and `handle_activation`.
        """
        check_count("width", width)
        check_count("depth", depth)
        bank = as_bank(conv_filters)
        sources, targets = field_signature(input_keys), field_signature(target_keys)
        middle = signature_union(sources, targets, width)
        keys = keys_from(key)
        chain = [sources, *[middle] * (depth - 1), targets]
        self.layers = [
            ConvBlock(
                bank.D,
                a,
                b,
                use_bias,
                activation_f if i < depth - 1 else None,
                conv_filters=bank,
                key=next(keys),
            )
            for i, (a, b) in enumerate(itertools.pairwise(chain))
        ]
        self.D = bank.D
        self.spec = ModelSpec.make(
            "SimpleConvSeries",
            input_keys,
            target_keys,
            width=width,
            depth=depth,
            use_bias=use_bias,
            activation_f=activation_name(activation_f),
        )

    @classmethod
    def from_spec(
        cls, spec: ModelSpec, D: int, banks: Mapping[str, FilterBank], key: Array | None = None
    ) -> Self:
        build: Any = cls
        return build(spec.inputs, spec.outputs, conv_filters=banks.get("conv"), **dict(spec.options), key=key)

    def __call__(self, x: MultiImage, aux_data: Any = None) -> tuple[MultiImage, Any]:
        y, aux_data = run(self.layers, enter(x, True), aux_data)
        return leave(y, True, self.spec.outputs), aux_data
