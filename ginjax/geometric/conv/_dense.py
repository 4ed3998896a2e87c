"""Weights first, then filters: one ordinary convolution for each pair of reflection grades."""

import functools
from collections.abc import Sequence
from dataclasses import dataclass

import jax.numpy as jnp
import numpy as np
from jax import Array, lax
from jaxtyping import Float

from ._axes import ConvAxis, pad_axes
from ._mixing import Mixing, Slot, stack_outputs
from ._stencil import SYMMETRY_TOLERANCE


@dataclass(frozen=True, eq=False)
class GradedPair:
    """One convolution: all paths from one reflection grade of the input to one of the output.

    **Arguments:**

    - `sources`, `targets`: the components of these grades.
    - `antisymmetric`: the axes along which every filter changes sign.
    """

    sources: tuple[Slot, ...]
    targets: tuple[Slot, ...]
    antisymmetric: tuple[int, ...]


@functools.lru_cache(maxsize=512)
def graded_pairs(mixing: Mixing) -> tuple[GradedPair, ...]:
    """Return the convolutions of the dense way."""
    pairs = []
    for a in sorted({slot.grade for slot in mixing.inputs}):
        for b in sorted({slot.grade for slot in mixing.outputs}):
            sources = tuple(slot for slot in mixing.inputs if slot.grade == a)
            targets = tuple(slot for slot in mixing.outputs if slot.grade == b)
            found = [
                path.filters[..., source.component, target.component] / sizes
                for path in mixing.paths
                for sizes in [path.sizes.reshape(-1, *(1,) * mixing.D)]
                for source in sources
                for target in targets
                if (path.source, path.target) == (source.index, target.index)
            ]
            if any(np.any(np.abs(filters) > SYMMETRY_TOLERANCE) for filters in found):
                axes = (axis for axis in range(mixing.D) if all(_is_odd(filters, axis) for filters in found))
                pairs.append(GradedPair(sources, targets, tuple(axes)))
    return tuple(pairs)


def _is_odd(filters: np.ndarray, axis: int) -> bool:
    return bool(np.all(np.abs(filters + np.flip(filters, axis + 1)) <= SYMMETRY_TOLERANCE))


def mix_dense(
    x: Float[Array, "batch packed_in *spatial"],
    w: Float[Array, " weights"],
    mixing: Mixing,
    axes: Sequence[ConvAxis],
    precision: str | None,
) -> Float[Array, "batch packed_out *new_spatial"]:
    """Compute `y = (sum_l W_l C_l) * x`; arguments and result as in `mix`.

    Along the axes in which two grades differ, differences of mirrored pixels are formed before any product. For a field
    that is constant along such an axis they are exactly zero, and so is the output.
    """
    spatial = tuple(axis.output(mixing.side) for axis in axes)
    padded = pad_axes(x, axes, 2)
    parts: dict[Slot, Array] = {}
    for pair in graded_pairs(mixing):
        kernel = _kernel(pair, w, mixing)
        image = jnp.concatenate([_take(padded, slot) for slot in pair.sources], axis=1)
        image, kernel, stride = _fold(image, kernel, pair.antisymmetric, axes, mixing.side)
        y = lax.conv_general_dilated(
            image, kernel, stride, "VALID", rhs_dilation=[axis.dilation for axis in axes], precision=precision
        )
        start = 0
        for slot in pair.targets:
            own = lax.slice_in_dim(y, start, start + slot.channels, axis=1)
            parts[slot] = parts[slot] + own if slot in parts else own
            start += slot.channels
    return stack_outputs(parts, mixing, x.shape[0], spatial, x.dtype)


def _take(x: Array, slot: Slot) -> Array:
    return lax.slice_in_dim(x, slot.start, slot.start + slot.channels, axis=1)


def _kernel(pair: GradedPair, w: Array, mixing: Mixing) -> Array:
    """Return the kernel `(out channels, in channels, *(M,)*D)`, component by component."""
    by_ends = {(path.source, path.target): path for path in mixing.paths}
    rows = []
    for target in pair.targets:
        row = []
        for source in pair.sources:
            path = by_ends.get((source.index, target.index))
            shape = target.channels, source.channels, *(mixing.side,) * mixing.D
            if path is None:
                row.append(jnp.zeros(shape, w.dtype))
                continue
            filters = path.filters[..., source.component, target.component]
            kernel = jnp.tensordot(path.take(w), jnp.asarray(filters, w.dtype), (0, 0), precision="highest")
            row.append(jnp.swapaxes(kernel, 0, 1))
        rows.append(jnp.concatenate(row, axis=1))
    return jnp.concatenate(rows, axis=0)


def _fold(
    x: Array, kernel: Array, antisymmetric: Sequence[int], axes: Sequence[ConvAxis], side: int
) -> tuple[Array, Array, tuple[int, ...]]:
    """Replace the taps along each antisymmetric axis by differences of mirrored pixels, as further channels."""
    stride = [axis.stride for axis in axes]
    for axis in antisymmetric:
        dilation, step = axes[axis].dilation, stride[axis]
        length = x.shape[2 + axis] - (side - 1) * dilation
        upper = range((side + 1) // 2, side)

        def tap(t: int, x: Array = x, axis: int = axis, d: int = dilation, n: int = length, s: int = step):
            return lax.slice_in_dim(x, t * d, t * d + n, s, axis=2 + axis)

        x = jnp.concatenate([tap(t) - tap(side - 1 - t) for t in upper], axis=1)
        kernel = jnp.concatenate([lax.slice_in_dim(kernel, t, t + 1, axis=2 + axis) for t in upper], axis=1)
        stride[axis] = 1
    return x, kernel, tuple(stride)
