"""Convolution, normalisation and nonlinearity in one block."""

from collections.abc import Callable
from typing import Any

import equinox as eqx
import jax
from jax import Array

from ...filters import FilterBank
from ...geometric import MultiImage, Signature
from ...layers import ConvContract, GroupNorm, LayerNorm, LayerWrapper, LayerWrapperAux, UseBias
from .._module import MultiImageModule
from ._activation import Activation, handle_activation
from ._make_conv import make_conv


class ConvBlock(MultiImageModule):
    """conv -> norm -> nonlinearity, or with `preactivation_order` norm -> nonlinearity -> conv."""

    conv: ConvContract | LayerWrapper
    group_norm: GroupNorm | LayerWrapper | None
    batch_norm: LayerWrapperAux | None
    nonlinearity: Callable
    preactivation_order: bool = eqx.field(static=True)

    def __init__(
        self,
        D: int,
        input_keys: Any,
        output_keys: Any,
        use_bias: UseBias = "auto",
        activation_f: Activation = jax.nn.gelu,
        equivariant: bool = True,
        conv_filters: MultiImage | FilterBank | None = None,
        kernel_size: int | None = None,
        use_group_norm: bool = False,
        use_batch_norm: bool = False,
        preactivation_order: bool = False,
        key: Array | None = None,
        **conv_kwargs: Any,
    ):
        """**Arguments:**

        - `D`, `input_keys`, `output_keys`: dimension and signatures.
        - `use_bias`, `conv_filters`, `kernel_size`, `conv_kwargs`: see `make_conv`.
        - `activation_f`: see `handle_activation`.
        - `use_group_norm`: layer norm; wins over `use_batch_norm`, which only plain blocks have.
        """
        key = jax.random.key(0) if key is None else key
        conv_key, nonlinearity_key = jax.random.split(key)
        self.conv = make_conv(
            D,
            input_keys,
            output_keys,
            use_bias,
            equivariant,
            conv_filters,
            kernel_size,
            key=conv_key,
            **conv_kwargs,
        )
        inner = Signature(input_keys if preactivation_order else output_keys)
        self.group_norm = self.batch_norm = None
        if use_group_norm:
            self.group_norm = (
                LayerNorm(inner, D) if equivariant else LayerWrapper(eqx.nn.GroupNorm(1, inner[0][1]), inner)
            )
        elif use_batch_norm and not equivariant:
            norm = eqx.nn.BatchNorm(inner[0][1], axis_name=["pmap_batch", "batch"], mode="batch")
            self.batch_norm = LayerWrapperAux(norm, inner)
        self.nonlinearity = handle_activation(activation_f, equivariant, inner, D, nonlinearity_key)
        self.preactivation_order = preactivation_order

    def __call__(self, x: MultiImage, aux_data: Any = None) -> tuple[MultiImage, Any]:
        """Apply to one sample; `aux_data` carries the running statistics of a batch norm."""
        if not self.preactivation_order:
            x = self.conv(x)
        if self.group_norm is not None:
            x = self.group_norm(x)
        elif self.batch_norm is not None:
            x, aux_data = self.batch_norm(x, aux_data)
        x = self.nonlinearity(x)
        return (self.conv(x) if self.preactivation_order else x), aux_data
