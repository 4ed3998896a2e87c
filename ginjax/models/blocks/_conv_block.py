"""A block of convolution, normalisation and nonlinearity."""

from collections.abc import Callable
from typing import Any

import equinox as eqx
import jax
from jax import Array

from ...filters import FilterBank
from ...geometric import MultiImage, Signature
from ...layers import (
    ConvContract,
    GroupNorm,
    LayerNorm,
    LayerWrapper,
    LayerWrapperAux,
    ProductNonlinear,
    UseBias,
    product_keys,
    tensor_keys,
)
from .._module import MultiImageModule
from ._activation import Activation, handle_activation, handle_scalars
from ._make_conv import Convolution, make_conv
from ._product_bank import REACHED, Nonlinearity, check_nonlinearity, product_bank


class ConvBlock(MultiImageModule):
    """A block conv -> norm -> nonlinearity or, with `preactivation_order`, norm -> nonlinearity -> conv.

    With products the order is always norm -> products -> conv. So the 2-tensors of the products are convolved to other fields
    within the block, because no convolution *to* 2-tensors converts to another dimension exactly.
    """

    conv: Convolution
    product_conv: ConvContract | None
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
        nonlinearity: Nonlinearity = "vector-neuron",
        product_filters: MultiImage | FilterBank | None = None,
        **conv_kwargs: Any,
    ):
        """**Arguments:**

        - `D`, `input_keys`, `output_keys`: dimension and signatures.
        - `use_bias`, `conv_filters`, `kernel_size`, `conv_kwargs`: see `make_conv`.
        - `activation_f`: see `handle_activation`.
        - `equivariant`: whether the block is equivariant; otherwise it is plain.
        - `use_group_norm`: whether to normalise all channels of a key as one group (layer norm).
        - `use_batch_norm`: whether to use batch norm, in plain blocks without group norm only.
        - `preactivation_order`: whether norm and nonlinearity come before the convolution.
        - `key`: random key of the initial weights.
        - `nonlinearity`: of an equivariant block, `"vector-neuron"`, or `"product"`, see `ProductNonlinear`.
        - `product_filters`: the filters for the 2-tensors of products; None makes filters of the side of `conv_filters`.
        """
        key = jax.random.key(0) if key is None else key
        conv_key, nonlinearity_key = jax.random.split(key)
        check_nonlinearity(nonlinearity, equivariant)
        # Without an activation a block has no nonlinearity at all.
        factor = activation_f if equivariant and nonlinearity == "product" else None
        products = factor is not None
        preactivation_order = preactivation_order or products
        self.product_conv = None
        conv_inputs = product_keys(input_keys) if products else input_keys
        self.conv = make_conv(
            D,
            conv_inputs,
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
        if factor is not None:
            self.nonlinearity = ProductNonlinear(inner, D, handle_scalars(factor), nonlinearity_key)
            self.product_conv = _product_conv(self.conv, inner, output_keys, product_filters, conv_key)
        else:
            self.nonlinearity = handle_activation(activation_f, equivariant, inner, D, nonlinearity_key)
        self.preactivation_order = preactivation_order

    def __call__(self, x: MultiImage, batch_stats: Any = None) -> tuple[MultiImage, Any]:
        """Apply to one sample; `batch_stats` carries the running statistics of a batch norm."""
        if not self.preactivation_order:
            x = self.conv(x)
        if self.group_norm is not None:
            x = self.group_norm(x)
        elif self.batch_norm is not None:
            x, batch_stats = self.batch_norm(x, batch_stats)
        if isinstance(self.nonlinearity, ProductNonlinear):
            return self._convolved(*self.nonlinearity(x)), batch_stats
        x = self.nonlinearity(x)
        return (self.conv(x) if self.preactivation_order else x), batch_stats

    def _convolved(self, x: Any, tensors: Any) -> Any:
        y = self.conv(x)
        if self.product_conv is None or tensors is None:
            return y
        z = self.product_conv(tensors)
        return type(y)({key: y[key] + z[key] if key in z else y[key] for key in y}, y.D, y.is_torus)


def _product_conv(
    conv: Any, inner: Signature, output_keys: Any, filters: MultiImage | FilterBank | None, key: Array
) -> ConvContract | None:
    """Make the convolution of the 2-tensors of products, in the geometry of `conv`; None if they reach no output."""
    tensors = tensor_keys(inner)
    targets = Signature([(field, channels) for field, channels in Signature(output_keys) if field in REACHED])
    if not tensors or not targets:
        return None
    bank = product_bank(conv.bank) if filters is None else filters
    return ConvContract(
        tensors,
        targets,
        bank,
        False,
        conv.stride,
        conv.padding,
        conv.lhs_dilation,
        conv.rhs_dilation,
        jax.random.fold_in(key, 1),
        conv.padding_mode,
    )
