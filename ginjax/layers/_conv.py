"""The equivariant convolution layer."""

import math
from collections.abc import Iterator, Sequence
from typing import Any, Literal

import equinox as eqx
import jax
import jax.numpy as jnp
import numpy as np
from jax import Array
from jaxtyping import Float, PRNGKeyArray

from ..errors import ArgumentError, UnsupportedError
from ..filters import FilterBank, bank_from_arrays
from ..geometric import (
    ConvGeometry,
    Key,
    MultiImage,
    Padding,
    PaddingMode,
    PlanarImage,
    Signature,
    SignatureLike,
    convolve_with_bank,
    padding_modes,
)
from ._check import Image, in_form_of
from ._draw import draw_uniform

UseBias = bool | Literal["auto", "scalar", "mean"]


class ConvContract(eqx.Module):
    r"""Convolve with invariant filters and contract, with one weight for each filter and pair of channels.

    `y_b = sum_a sum_l W[a->b][o, i, l] (C_l * x_a)`, where `C_l` has order `k_a + k_b` and parity `p_a + p_b mod 2`.
    Its first `k_a` axes are contracted with those of `x_a`. Every `C_l` is invariant under the symmetries of the grid, so
    the layer commutes with them for any weights. Only weights and biases are trained.

    **Attributes:**

    - `weights[in_key][out_key]`: `(out_channels, in_channels, n_filters)`. A pair of keys without filters has no entry
      and contributes nothing.
    - `bias[out_key]`: `(out_channels,)`, initially 0.
    """

    weights: dict[Key, dict[Key, Float[Array, "_out _in _filters"]]]
    bias: dict[Key, Float[Array, "_channels ..."]]
    bank: FilterBank = eqx.field(static=True)
    input_keys: Signature = eqx.field(static=True)
    target_keys: Signature = eqx.field(static=True)
    use_bias: UseBias = eqx.field(static=True)
    stride: int | tuple[int, ...] = eqx.field(static=True)
    padding: Padding = eqx.field(static=True)
    lhs_dilation: int | tuple[int, ...] | None = eqx.field(static=True)
    rhs_dilation: int | tuple[int, ...] = eqx.field(static=True)
    padding_mode: tuple[PaddingMode, ...] = eqx.field(static=True)

    def __init__(
        self,
        input_keys: SignatureLike,
        target_keys: SignatureLike,
        invariant_filters: MultiImage | FilterBank,
        use_bias: UseBias = "auto",
        stride: int | tuple[int, ...] = 1,
        padding: Padding = None,
        lhs_dilation: int | tuple[int, ...] | None = None,
        rhs_dilation: int | tuple[int, ...] = 1,
        key: PRNGKeyArray | None = None,
        padding_mode: str | Sequence[str] = "zeros",
    ):
        """**Arguments:**

        - `input_keys`, `target_keys`: signatures of input and output.
        - `invariant_filters`: the filters, one block for each order and parity.
        - `use_bias`: `"scalar"` adds a constant to even scalars; `"mean"` adds to each channel a multiple of its
          spatial mean; `"auto"` or True does the first for even scalars and the second for all other fields.
        - `stride`, `padding`, `lhs_dilation`, `rhs_dilation`: as in `jax.lax.conv_general_dilated`.
          `padding=None` wraps periodic axes and pads all others by `padding_mode`. Numbers and pairs add so many zeros, and
          `"VALID"` adds nothing, on periodic axes too.
        - `key`: random key of the initial weights, which are uniform in `+-1/sqrt(in_channels * M^D * D^k_in)`.
        - `padding_mode`: how fields continue beyond the ends of an axis that is not periodic, one word for all axes or one
          word per axis: `"zeros"`; `"edge"`, the last value repeated; or `"mirror"`, the reflection at the outer face of the
          last pixel, where tensor components change sign by their indices and parity as under a symmetry of the grid.
        """
        self.input_keys, self.target_keys = field_signature(input_keys), field_signature(target_keys)
        self.bank = as_bank(invariant_filters)
        if use_bias not in (True, False, "auto", "scalar", "mean"):
            raise ArgumentError("use_bias", got=repr(use_bias), expected="auto, scalar, mean, True or False")
        self.use_bias = use_bias if isinstance(use_bias, str) else bool(use_bias)
        ConvGeometry.resolve(self.D, (True,) * self.D, stride, padding, lhs_dilation, rhs_dilation)
        self.padding_mode = padding_modes(padding_mode, self.D)
        self.stride, self.rhs_dilation = _hashable(stride), _hashable(rhs_dilation)
        self.lhs_dilation, self.padding = _hashable(lhs_dilation), _hashable(padding)
        keys = _endless(jax.random.key(0) if key is None else key)
        self.weights = {}
        for source, c_in in self.input_keys:
            bound = 1 / math.sqrt(max(c_in, 1) * self.bank.side**self.D * self.D ** len(source[0]))
            row = {}
            for target, c_out in self.target_keys:
                block = self.bank.blocks.get((len(source[0]) + len(target[0]), (source[1] + target[1]) % 2))
                if block is None or len(block) == 0:
                    continue
                row[target] = draw_uniform(next(keys), (c_out, c_in, len(block)), bound)
            if row:
                self.weights[source] = row
        self.bias = {
            target: jnp.zeros(channels)
            for target, channels in self.target_keys
            if _bias_kind(self.use_bias, target) is not None
        }

    @property
    def D(self) -> int:
        """The dimension."""
        return self.bank.D

    @property
    def takes_means(self) -> bool:
        """Whether any bias is a multiple of the mean of a channel over the grid."""
        return any(_bias_kind(self.use_bias, target) == "mean" for target in self.bias)

    @property
    def invariant_filters(self) -> MultiImage:
        """The filters as a `MultiImage` with blocks `(n, *(M,)*D, D, ..., D)`."""
        return MultiImage(
            {
                (k, p): jax.device_put(b.filters.astype(np.float32))
                for (k, p), b in self.bank.blocks.items()
                if len(b)
            },
            self.D,
        )

    def __call__(self, x: Image) -> Image:
        """Apply to one sample, with blocks `(channels, *spatial, D, ..., D)`; the result has all target keys."""
        planes = PlanarImage.of(x)
        if (planes.D, planes.get_signature()) != (self.D, self.input_keys):
            raise ArgumentError(
                "input of ConvContract",
                got=f"{planes.get_signature()} in dimension {planes.D}",
                expected=f"{self.input_keys} in dimension {self.D}",
            )
        geometry = ConvGeometry.resolve(
            self.D,
            planes.is_torus,
            self.stride,
            self.padding,
            self.lhs_dilation,
            self.rhs_dilation,
            self.padding_mode,
        )
        y = convolve_with_bank(planes, self.weights, self.bank, self.target_keys, geometry)
        spatial = tuple(range(2, self.D + 2))
        for key, b in self.bias.items():
            block = y[key]
            change = b.reshape(-1, *(1,) * self.D).astype(block.dtype)
            if _bias_kind(self.use_bias, key) == "mean":
                change = change * block.mean(axis=spatial, keepdims=True)
            y[key] = block + change
        return in_form_of(x, y)


def as_bank(filters: MultiImage | FilterBank) -> FilterBank:
    """Turn filters into a bank; arrays that match the filters of a recipe are recognised."""
    if isinstance(filters, FilterBank):
        return filters
    if not isinstance(filters, MultiImage) or len(list(filters.keys())) == 0:
        raise ArgumentError(
            "invariant_filters",
            got=type(filters).__name__,
            expected="a FilterBank or a non-empty MultiImage of filters",
            hint="See get_invariant_filters or ginjax.filters.make_bank.",
        )
    return bank_from_arrays(filters.D, {(len(k), p): jax.device_get(b) for (k, p), b in filters.items()})


def field_signature(keys: SignatureLike) -> Signature:
    """Make a signature and refuse covariant axes, which layers do not support."""
    signature = Signature(keys)
    for (k, _), _ in signature:
        if any(k):
            raise UnsupportedError(
                "covariant axes in a layer",
                got=signature,
                expected="contravariant axes only",
                hint="Under the symmetries of the grid both transform alike; write the order as a number.",
            )
    return signature


def _bias_kind(use_bias: UseBias, key: Key) -> str | None:
    is_scalar = key == ((), 0)
    match use_bias:
        case False:
            return None
        case "scalar":
            return "scalar" if is_scalar else None
        case "mean":
            return "mean"
        case _:
            return "scalar" if is_scalar else "mean"


def _endless(key: PRNGKeyArray) -> Iterator[PRNGKeyArray]:
    """Yield random keys, each to be used once."""
    while True:
        key, own = jax.random.split(key)
        yield own


def _hashable(value: Any) -> Any:
    """Turn integers and nested sequences into Python's ints and tuples; keep None and strings."""
    if value is None or isinstance(value, str):
        return value
    return tuple(_hashable(v) for v in value) if isinstance(value, Sequence) else int(value)
