"""Construction of a convolution, equivariant or plain, from one set of arguments."""

from collections.abc import Sequence

import equinox as eqx
import jax
import jax.numpy as jnp
from jaxtyping import PRNGKeyArray

from ...errors import ArgumentError
from ...filters import FilterBank
from ...geometric import MultiImage, Padding, PlanarImage, Signature, SignatureLike
from ...layers import ConvContract, Image, LayerWrapper, UseBias
from ._padding_option import PLAIN_MODES, modes_by_field, modes_of_filters
from ._plain_conv import PlainConv

Convolution = ConvContract | LayerWrapper | PlainConv
"""A result of `make_conv`."""

MAX_KERNEL = 255
"""The largest side of a plain kernel, in pixels."""


def make_conv(
    D: int,
    input_keys: SignatureLike,
    target_keys: SignatureLike,
    use_bias: UseBias,
    equivariant: bool,
    invariant_filters: MultiImage | FilterBank | None = None,
    kernel_size: int | None = None,
    stride: int = 1,
    padding: Padding = None,
    lhs_dilation: int | tuple[int, ...] | None = None,
    rhs_dilation: int = 1,
    padding_mode: str | Sequence[str] = "ZEROS",
    key: PRNGKeyArray | None = None,
) -> Convolution:
    """Make a `ConvContract`, or a plain `eqx.nn.Conv` or `eqx.nn.ConvTranspose` on scalar channels.

    **Arguments:**

    - `D`, `input_keys`, `target_keys`: dimension and signatures.
    - `use_bias`: as in `ConvContract`; a plain convolution has a bias unless it is False.
    - `equivariant`: whether to make a `ConvContract`.
    - `invariant_filters`: the filters of an equivariant convolution, which needs them.
    - `kernel_size`: the side of the kernel of a plain convolution, which needs it.
    - `stride`, `rhs_dilation`: as in `ConvContract`.
    - `padding`: as in `ConvContract`. For a plain convolution None keeps the size (`"SAME"`), and is `"VALID"` for a transposed
      one.
    - `lhs_dilation`: as in `ConvContract`; a plain convolution with it is a transposed one.
    - `padding_mode`: how fields continue beyond axes that are not periodic: `"ZEROS"`, `"MIRROR"` or `"EDGE"`, one word for
      all axes or one word per axis, see `ConvContract`. A plain convolution has only scalar channels, and mirrors them without
      signs. If the value is a single word of Equinox, `"ZEROS"`, `"REFLECT"`, `"REPLICATE"` or `"CIRCULAR"`, a plain
      convolution pads every axis so, periodic or not. The last three mean zeros for an equivariant convolution.
    - `key`: random key of the initial weights.
    """
    key = jax.random.key(0) if key is None else key
    if equivariant:
        if invariant_filters is None:
            raise ArgumentError(
                "invariant_filters", got=None, expected="filters for an equivariant convolution"
            )
        return ConvContract(
            input_keys,
            target_keys,
            invariant_filters,
            use_bias,
            stride,
            padding,
            lhs_dilation,
            rhs_dilation,
            key,
            modes_of_filters(padding_mode),
        )
    sources, targets = Signature(input_keys), Signature(target_keys)
    if len(sources) != 1 or len(targets) != 1 or sources[0][0] != ((), 0) or targets[0][0] != ((), 0):
        raise ArgumentError(
            "signature of a plain convolution", got=f"{sources} -> {targets}", expected="even scalars only"
        )
    if type(kernel_size) is not int or not 1 <= kernel_size <= MAX_KERNEL:
        raise ArgumentError("kernel_size", got=kernel_size, expected="a side length for a plain convolution")
    by_field = modes_by_field(padding_mode, D)
    c_in, c_out, bias = sources[0][1], targets[0][1], use_bias is not False
    if lhs_dilation is not None:
        conv = eqx.nn.ConvTranspose(
            D,
            c_in,
            c_out,
            kernel_size,
            lhs_dilation,
            "VALID" if padding is None else padding,
            dilation=rhs_dilation,
            use_bias=bias,
            key=key,
        )
    elif by_field is not None and padding is None:
        conv = eqx.nn.Conv(D, c_in, c_out, kernel_size, stride, "VALID", rhs_dilation, use_bias=bias, key=key)
        return PlainConv(conv, sources, by_field)
    else:
        conv = eqx.nn.Conv(
            D,
            c_in,
            c_out,
            kernel_size,
            stride,
            "SAME" if padding is None else padding,
            rhs_dilation,
            use_bias=bias,
            padding_mode=padding_mode
            if isinstance(padding_mode, str) and by_field is None
            else PLAIN_MODES[0],
            key=key,
        )
    return LayerWrapper(conv, sources)


class RepeatConv(eqx.Module):
    """Up-sampling by nearest-neighbour repetition, and then a convolution.

    Repetition commutes with the embedding of a field, and a convolution with odd sides transfers exactly for every signature.
    A transposed convolution does not.
    """

    conv: Convolution
    factor: int = eqx.field(static=True)

    def __call__(self, x: Image) -> Image:
        first = 2 if isinstance(x, PlanarImage) else 1
        blocks = {}
        for field, block in x.items():
            for axis in range(first, first + x.D):
                block = jnp.repeat(block, self.factor, axis=axis)
            blocks[field] = block
        return self.conv(type(x)(blocks, x.D, x.is_torus))  # pyright: ignore
