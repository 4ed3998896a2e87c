"""A plain convolution that pads each axis according to the periodicity of the field and a padding mode."""

from collections.abc import Sequence

import equinox as eqx
import jax.numpy as jnp
from jax import Array
from jaxtyping import Float

from ...errors import ArgumentError
from ...geometric import (
    ConvGeometry,
    Key,
    MultiImage,
    Signature,
    SignatureLike,
    continue_axes,
    full_precision,
    pad_axes,
)
from ._padding_option import WRAPS


class PlainConv(eqx.Module):
    """An `eqx.nn.Conv` on scalar channels after padding: periodic axes wrap, all others are padded by `padding_mode`.

    **Arguments:**

    - `conv`: the convolution, which pads nothing itself.
    - `input_keys`: the signature, of even scalars.
    - `padding_mode`: `"zeros"`, `"mirror"`, `"edge"` or `"circular"` for each axis. The mirror keeps the sign of every channel,
      because a plain network does not know which channels are vector components.
    """

    modules: dict[Key, eqx.nn.Conv]
    padding_mode: tuple[str, ...] = eqx.field(static=True)

    def __init__(self, conv: eqx.nn.Conv, input_keys: SignatureLike, padding_mode: Sequence[str]):
        self.modules = {key: conv for key, _ in Signature(input_keys)}
        self.padding_mode = tuple(padding_mode)

    def __call__(self, x: MultiImage) -> MultiImage:
        blocks = {}
        for key, block in x.items():
            if key not in self.modules:
                raise ArgumentError("key of a plain convolution", got=key, expected=list(self.modules))
            conv = self.modules[key]
            with full_precision():
                blocks[key] = conv(self._padded(jnp.asarray(block), conv, x.is_torus))
        return MultiImage(blocks, x.D, x.is_torus)

    def _padded(
        self, block: Float[Array, "channels *spatial"], conv: eqx.nn.Conv, is_torus: tuple[bool, ...]
    ) -> Float[Array, "channels *padded"]:
        wraps = tuple(
            periodic or mode == WRAPS for periodic, mode in zip(is_torus, self.padding_mode, strict=True)
        )
        modes = ["zeros" if wrap else mode for wrap, mode in zip(wraps, self.padding_mode, strict=True)]
        geometry = ConvGeometry.resolve(
            len(wraps), wraps, conv.stride, "TORUS", None, conv.dilation, padding_mode=modes
        )
        side, sizes = conv.kernel_size[0], block.shape[1:]
        if geometry.modes:
            # The remaining geometry pads the axes that wrap and those with zeros.
            block, axes = continue_axes(block, geometry.axes(sizes, side), geometry.modes, None, 1)
            return pad_axes(block, axes, 1)
        return geometry.pad(block, 1, side)
