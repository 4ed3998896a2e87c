"""How exactly the plain kernels of two dimensions agree, measured on the arrays.

On a field that is constant along the new axes, an output pixel is the sum of the new kernel over those taps
that lie on the field. These are all taps, except in two cases: if the field is continued by zeros, taps on one side are cut
off; in a transposed convolution, an output pixel meets one tap. Every such sum must be the old kernel on the old
channels, and zero on output channels that are new components.
"""

import itertools
from collections.abc import Mapping, Sequence

import numpy as np

from ._embedding import old_components
from ._plain_layers import PlainLayer
from ._system import Residual

Fields = Sequence[tuple[int, int, int]]
"""`(order, parity, channels)` of the fields whose components are channels."""


def plain_residual(
    layer: PlainLayer,
    low: Mapping[str, np.ndarray],
    high: Mapping[str, np.ndarray],
    dims: tuple[int, int],
) -> Residual:
    """Largest deviation of kernel and bias of one layer, relative to the largest entry of the old ones.

    **Arguments:**

    - `layer`: the convolution.
    - `low`, `high`: the arrays of both models; `dims`: their dimensions.
    """
    rows, columns = (old_channels(side, *dims) for side in (layer.outputs, layer.inputs))
    is_old = np.zeros(channel_count(layer.outputs, dims[1]), dtype=bool)
    is_old[rows] = True
    kernel = low[f"{layer.name}.weight"].astype(np.float64)
    new = high[f"{layer.name}.weight"].astype(np.float64)[:, columns]
    gaps = []
    for window in itertools.product(_windows(layer, kernel.shape[-1]), repeat=dims[1] - dims[0]):
        met = new
        for taps in reversed(window):
            met = met[..., np.flatnonzero(taps)].sum(axis=-1)
        met[rows] -= kernel
        gaps.append((met, float(np.abs(kernel).max(initial=0.0))))
    name = f"{layer.name}.bias"
    if name in low:
        bias = high[name].astype(np.float64).reshape(len(is_old))
        old = low[name].astype(np.float64).reshape(len(rows))
        bias[rows] -= old
        gaps.append((bias, float(np.abs(old).max(initial=0.0))))
    return Residual(*(max(_largest(gap[kept], scale) for gap, scale in gaps) for kept in (is_old, ~is_old)))


def plain_condition_residual(
    low: tuple[Mapping[str, np.ndarray], int],
    high: tuple[Mapping[str, np.ndarray], int],
    layers: Sequence[PlainLayer],
) -> float:
    """The largest residual over all layers of two models, each given as arrays and dimension."""
    dims = low[1], high[1]
    return max((plain_residual(layer, low[0], high[0], dims).total for layer in layers), default=0.0)


def channel_count(fields: Fields, D: int) -> int:
    """Number of channels of fields whose components are separate channels."""
    return sum(channels * D**k for k, _, channels in fields)


def old_channels(fields: Fields, D_old: int, D_new: int) -> np.ndarray:
    """Positions of the channels of the lower dimension among those of the higher one."""
    found, start = [], 0
    for k, _, channels in fields:
        components = old_components(D_old, D_new, k)
        found += [start + channel * D_new**k + components for channel in range(channels)]
        start += channels * D_new**k
    return np.concatenate(found)


def _windows(layer: PlainLayer, side: int) -> Sequence[np.ndarray]:
    """The sets of taps along one new axis that an output pixel can meet; the stride divides the grid."""
    if layer.transposed:
        return list(np.eye(side, dtype=bool))
    return list(layer.axis(side).patterns(divides=True))


def _largest(gap: np.ndarray, scale: float) -> float:
    largest = float(np.abs(gap).max(initial=0.0))
    return largest / scale if scale > 0 else largest
