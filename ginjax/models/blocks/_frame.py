"""What the layers of one network have in common."""

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

from jax import Array

from ...filters import FilterBank
from ...geometric import MultiImage, Signature
from ...layers import ConvContract, LayerWrapper
from .._spec import ModelSpec
from ._conv_block import ConvBlock
from ._edges import bank_for, keys_from, layer_signatures
from ._make_conv import make_conv


@dataclass(frozen=True)
class Frame:
    """Makes the layers of a network from what its spec says of all of them.

    - `sources`, `middle`, `targets`: signatures of input, inside and output; of a plain network, of scalars.
    - `bank`: the filters; None for a plain network.
    - `keys`: random keys, one for each layer in the order in which they are made.
    - `shared`: arguments of every layer.
    """

    D: int
    sources: Signature
    middle: Signature
    targets: Signature
    bank: FilterBank | None
    keys: Iterator[Array]
    shared: dict[str, Any]
    activation_f: Any

    @classmethod
    def of(
        cls,
        spec: ModelSpec,
        D: int,
        conv_filters: MultiImage | FilterBank | None = None,
        key: Array | None = None,
    ) -> "Frame":
        """**Arguments:**

        - `spec`: of the network. Its options `depth` (channels inside), `mid_keys`, `equivariant`, `use_bias`,
          `activation_f`, `kernel_size` and `padding_mode` count, as far as the architecture has them.
        - `D`: the dimension.
        - `conv_filters`: filters in that dimension, unless the network is plain.
        - `key`: random key of the initial weights.

        **Raises:** `ArgumentError` for filters or signatures that do not fit.
        """
        options = dict(spec.options)
        equivariant = spec.equivariant
        signatures = layer_signatures(
            D, spec.inputs, spec.outputs, options.get("mid_keys"), options.get("depth"), equivariant
        )
        names = ("use_bias", "kernel_size", "padding_mode")
        shared = {"use_bias": "auto"} | {name: options[name] for name in names if name in options}
        bank = bank_for(D, equivariant, conv_filters)
        return cls(
            D,
            *signatures,
            bank=bank,
            keys=keys_from(key),
            shared=shared | {"equivariant": equivariant},
            activation_f=options.get("activation_f"),
        )

    def block(self, inputs: Signature, outputs: Signature, **options: Any) -> ConvBlock:
        """A `ConvBlock`; `options` are its arguments, and win over what the network says."""
        common: dict[str, Any] = self.shared | {
            "activation_f": self.activation_f,
            "conv_filters": self.bank,
            "key": next(self.keys),
        }
        return ConvBlock(self.D, inputs, outputs, **(common | options))

    def conv(self, inputs: Signature, outputs: Signature, **options: Any) -> ConvContract | LayerWrapper:
        """A convolution by itself; `options` are arguments of `make_conv`, and win over what the network says."""
        common: dict[str, Any] = self.shared | {"invariant_filters": self.bank, "key": next(self.keys)}
        return make_conv(self.D, inputs, outputs, **(common | options))
