"""A network that computes with dense kernels, to check them."""

from collections.abc import Mapping
from dataclasses import replace

import equinox as eqx
import jax
import jax.numpy as jnp
import numpy as np
from jax import Array, lax
from jaxtyping import Float, PyTree

from ..geometric import AnyArray, ConvGeometry, MultiImage, PlanarImage, Signature, continue_axes, pad_axes
from ..layers import ConvContract, Image, in_form_of
from ._named_arrays import convolutions, dotted


class DenseConv(eqx.Module):
    """An ordinary convolution of scalar channels that takes and returns fields.

    **Arguments:**

    - `kernel`, `bias`, `mean_bias`: as in `ginjax.checkpoint.dense_kernels`.
    - `target_keys`: the signature of the output.
    - `geometry`: stride, padding, dilations and `padding_mode` of the convolution that it replaces.
    - `D`: the dimension.
    """

    kernel: Float[AnyArray, "out in *sides"]
    bias: Float[AnyArray, " out"] | None
    mean_bias: Float[AnyArray, " out"] | None
    target_keys: Signature = eqx.field(static=True)
    geometry: tuple = eqx.field(static=True)
    D: int = eqx.field(static=True)

    @classmethod
    def of(cls, name: str, conv: ConvContract, arrays: Mapping[str, AnyArray]) -> "DenseConv":
        """Make the replacement of the convolution `conv` of that name, with its kernel among `arrays`."""
        return cls(
            kernel=jnp.asarray(arrays[f"{name}.kernel"]),
            bias=_optional(arrays, f"{name}.bias"),
            mean_bias=_optional(arrays, f"{name}.mean_bias"),
            target_keys=conv.target_keys,
            geometry=(
                conv.stride,
                conv.padding,
                conv.lhs_dilation,
                conv.rhs_dilation,
                conv.padding_mode,
            ),
            D=conv.D,
        )

    def __call__(self, x: Image) -> Image:
        image = x.to_image() if isinstance(x, PlanarImage) else x
        geometry = ConvGeometry.resolve(self.D, image.is_torus, *self.geometry)
        channels = image.to_scalar_multi_image()[(), 0]
        axes = geometry.axes(channels.shape[1:], self.kernel.shape[2])
        if geometry.modes:
            grades = channel_grades(self.D, image.get_signature())
            channels, axes = continue_axes(channels, axes, geometry.modes, grades, 1)
        # An ordinary convolution itself adds zeros around a field and between its points.
        wrapped = [axis if axis.wraps else replace(axis, low=0, high=0, spread=1) for axis in axes]
        y = lax.conv_general_dilated(
            pad_axes(channels[None], wrapped, 2),
            jnp.asarray(self.kernel),
            geometry.stride,
            [(0, 0) if axis.wraps else (axis.low, axis.high) for axis in axes],
            lhs_dilation=[1 if axis.wraps else axis.spread for axis in axes],
            rhs_dilation=geometry.filter_dilation,
        )[0]
        spread = (-1, *(1,) * self.D)
        change = jnp.zeros(())
        if self.bias is not None:
            change = change + jnp.reshape(self.bias, spread)
        if self.mean_bias is not None:
            means = jnp.mean(y, axis=tuple(range(1, self.D + 1)), keepdims=True)
            change = change + jnp.reshape(self.mean_bias, spread) * means
        scalars = MultiImage({((), 0): y + change}, self.D, image.is_torus)
        return in_form_of(x, scalars.from_scalar_multi_image(self.target_keys))


def channel_grades(D: int, signature: Signature) -> tuple[int, ...]:
    """Return, for each channel of `MultiImage.to_scalar_multi_image`, the axes whose reflection changes its sign.

    **Arguments:**

    - `D`: the dimension.
    - `signature`: the signature of the field.

    **Returns:** a bit mask of axes for each channel.
    """
    return tuple(
        sum(1 << axis for axis in range(D) if (indices.count(axis) + parity) % 2)
        for (covariant, parity), channels in signature
        for _ in range(channels)
        for indices in np.ndindex(*(D,) * len(covariant))
    )


def with_dense_kernels(model: PyTree, arrays: Mapping[str, AnyArray]) -> PyTree:
    """Replace every equivariant convolution of a model by an ordinary one with the kernel of the same name.

    **Arguments:**

    - `model`: the model.
    - `arrays`: the result of `ginjax.checkpoint.dense_kernels`.
    """
    names = convolutions(model)

    def replaced(path: tuple, node: object) -> object:
        return (
            DenseConv.of(dotted(path), names[dotted(path)], arrays)
            if isinstance(node, ConvContract)
            else node
        )

    return jax.tree_util.tree_map_with_path(replaced, model, is_leaf=lambda x: isinstance(x, ConvContract))


def _optional(arrays: Mapping[str, AnyArray], name: str) -> Array | None:
    return jnp.asarray(arrays[name]) if name in arrays else None
